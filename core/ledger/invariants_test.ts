/**
 * The edges of the invariants on blocks and references: what breaks each, and what does not.
 */
import { assert, assertEquals } from "@std/assert";
import { type Edge, edges } from "../program/testing.ts";
import { invariantById, INVARIANTS } from "./invariants.ts";

function check(id: string, broken: readonly Edge[], notBroken: readonly Edge[]): void {
  for (const test of edges(id, broken, notBroken)) Deno.test(test);
}

check("double-free", [
  {
    that: "a block is freed twice",
    program: `
p0 = alloc_pages(GFP_KERNEL, 1)
__free_pages(p0, 1)
__free_pages(p0, 1)
finding double-free at 3
finding bad-reference at 3`,
  },
  {
    that: "a page that a gather holds is freed",
    program: `
g0 = tlb_gather_mmu(mm0)
p0 = alloc_page(GFP_KERNEL)
tlb_flush_pte_range(g0, 0x200000, 0x1000)
tlb_remove_page(g0, p0)
__free_page(p0)
finding double-free at 5
finding bad-reference at 5`,
  },
], [
  {
    that: "the owner and the environment put one reference each",
    program: `
p0 = alloc_page(GFP_KERNEL)
env get_page_unless_zero(p0)
__free_page(p0)
env put_page(p0)`,
  },
  { that: "free_pages is given NULL", program: "free_pages(NULL, 0)" },
]);

check("use-after-free", [
  {
    that: "a freed page is written",
    program: `
p0 = alloc_page(GFP_KERNEL)
a0 = page_to_virt(p0)
__free_page(p0)
clear_page(a0)
finding use-after-free at 4`,
  },
  {
    that: "struct page of a free page is read: latent",
    program: `
p0 = alloc_page(GFP_KERNEL)
__free_page(p0)
n0 = PageHead(p0)
finding use-after-free at 3`,
  },
  {
    that: "a page is written that a gather's batch took",
    program: `
kernel 6.12
arch x86
p1 = alloc_page(GFP_KERNEL)
a0 = __get_free_page(GFP_KERNEL)
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
p0 = ptdesc_page(d0)
free_page(a0)
g0 = tlb_gather_mmu(mm0)
tlb_flush_pmd_range(g0, 0x200000, 0x1000)
tlb_remove_table(g0, p0)
clear_page(a0)
finding use-after-free at 9`,
  },
], [
  {
    that: "get_page_unless_zero fails",
    program: `
p0 = alloc_page(GFP_KERNEL)
__free_page(p0)
env get_page_unless_zero(p0)`,
  },
]);

check("page-leak", [
  {
    that: "the owner of a live grant is gone",
    program: `
p0 = alloc_pages(GFP_KERNEL, 1)
env owner_gone(p0)
finding page-leak at 2 (2 pages)`,
  },
  {
    that: "a release names a smaller order",
    program: `
p0 = alloc_pages(GFP_KERNEL, 2)
__free_pages(p0, 1)
finding order-mismatch at 2
finding page-leak at 2 (2 pages)`,
  },
], [
  {
    that: "the program ends while the owner holds its grant",
    program: "p0 = alloc_pages(GFP_KERNEL, 2)",
  },
  {
    that: "a gather is finished in the drain only",
    program: `
g0 = tlb_gather_mmu(mm0)
p0 = alloc_page(GFP_KERNEL)
tlb_flush_pte_range(g0, 0x200000, 0x1000)
tlb_remove_page(g0, p0)`,
  },
  {
    that: "a grace period has not come by the end of the program",
    program: `
kernel 6.12
arch arm64
g0 = tlb_gather_mmu(mm0)
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
tlb_flush_pmd_range(g0, 0x200000, 0x1000)
tlb_remove_ptdesc(g0, d0)
tlb_finish_mmu(g0)`,
  },
]);

check("order-mismatch", [
  {
    that: "more is released than was granted: corruption",
    program: `
p0 = alloc_pages(GFP_KERNEL, 1)
p1 = alloc_pages(GFP_KERNEL, 1)
__free_pages(p0, 2)
finding order-mismatch at 3
finding buddy-structure at 3`,
  },
  {
    that: "the last put of a block that is not compound is the environment's, and nobody freed the tails (B1)",
    program: `
kernel 6.12-without-B1
p0 = alloc_pages(GFP_KERNEL, 1)
env get_page_unless_zero(p0)
__free_pages(p0, 1)
env put_page(p0)
finding page-leak at 3 (1 page)
finding order-mismatch at 4`,
  },
], [
  {
    that: "a block leaves in chunks because page 0 is held (B1's repair)",
    program: `
p0 = alloc_pages(GFP_KERNEL, 2)
env get_page_unless_zero(p0)
__free_pages(p0, 2)
env put_page(p0)`,
  },
  {
    that: "a compound block is freed by free_pages with its order",
    program: `
a0 = __get_free_pages(GFP_KERNEL|__GFP_COMP, 2)
free_pages(a0, 2)`,
  },
  {
    that: "alloc_pages_exact gives its surplus back inside the call",
    program: `
a0 = alloc_pages_exact(0x3000, GFP_KERNEL)
free_pages_exact(a0, 0x3000)`,
  },
  {
    that: "the pages of a split block are freed one by one",
    program: `
p0 = alloc_pages(GFP_KERNEL, 1)
split_page(p0, 1)
__free_page(p0+1)
__free_page(p0)`,
  },
]);

check("compound-order", [], [
  {
    that: "the block is not compound and nobody asked for it",
    program: `
p0 = alloc_pages(GFP_KERNEL, 2)
get_page(p0)
put_page(p0)
__free_pages(p0, 2)`,
  },
  {
    that: "page 0 of a compound block is held over its free",
    program: `
p0 = alloc_pages(GFP_KERNEL|__GFP_COMP, 2)
env get_page_unless_zero(p0)
__free_pages(p0, 2)
env put_page(p0)`,
  },
]);

check("head-misuse", [
  {
    that: "an order lookup that does not answer the order sizes a free",
    program: `
p0 = alloc_pages(GFP_KERNEL, 2)
n0 = compound_order(p0)
__free_pages(p0, n0)
finding head-misuse at 3
finding order-mismatch at 3
finding page-leak at 3 (3 pages)`,
  },
  {
    that: "a folio is made of a later page of a block that is not compound: latent",
    program: `
p0 = alloc_pages(GFP_KERNEL, 2)
f0 = page_folio(p0+1)
__free_pages(p0, 2)
finding head-misuse at 2`,
  },
], [
  {
    that: "the order is only asked",
    program: `
p0 = alloc_pages(GFP_KERNEL, 2)
n0 = compound_order(p0)
n1 = PageHead(p0)
__free_pages(p0, 2)`,
  },
  {
    that: "the folio of page 0 is asked for",
    program: `
p0 = alloc_pages(GFP_KERNEL, 2)
f0 = page_folio(p0)
__free_pages(p0, 2)`,
  },
  {
    that: "the block has order 0",
    program: `
p0 = alloc_page(GFP_KERNEL)
n0 = compound_order(p0)
__free_pages(p0, n0)`,
  },
  {
    that: "v2 looks up the head of any page of a compound block",
    program: `
kernel v2
d0 = ptdesc_alloc(GFP_PGTABLE_KERNEL, 2)
a0 = ptdesc_to_virt(d0)
d1 = virt_to_ptdesc(a0+2)
ptdesc_free(d1)`,
  },
]);

check("tail-cast", [
  {
    that: "a descriptor is made of a tail page without a head lookup",
    program: `
d0 = pagetable_alloc(GFP_PGTABLE_KERNEL, 2)
a0 = ptdesc_to_virt(d0)
d1 = virt_to_ptdesc(a0+2)
pagetable_free(d0)
finding tail-cast at 3`,
  },
], [
  {
    that: "it is made of page 0 of a block that is not compound",
    program: `
kernel 6.12
p0 = alloc_pages(GFP_KERNEL, 2)
d0 = page_ptdesc(p0)
__free_pages(p0, 2)
finding family at 2`,
  },
  {
    that: "every page of alloc_pages_exact is a block of its own",
    program: `
a0 = alloc_pages_exact(8192, GFP_KERNEL)
d1 = virt_to_ptdesc(a0+1)
free_pages_exact(a0, 8192)
finding family at 2`,
  },
]);

check("bad-reference", [
  {
    that: "a reference is taken at 0",
    program: `
p0 = alloc_pages(GFP_KERNEL, 1)
get_page(p0+1)
finding bad-reference at 2`,
  },
], [
  {
    that: "a tail of a compound block is asked speculatively, and fails",
    program: `
p0 = alloc_pages(GFP_KERNEL|__GFP_COMP, 1)
env get_page_unless_zero(p0+1)
__free_pages(p0, 1)`,
  },
  {
    that: "a get on a tail counts on the head",
    program: `
p0 = alloc_pages(GFP_KERNEL|__GFP_COMP, 1)
get_page(p0+1)
put_page(p0)
__free_pages(p0, 1)`,
  },
]);

Deno.test("every invariant says what must hold, how bad it is, and where the kernel shows it", () => {
  assertEquals(INVARIANTS.length, 25);
  for (const [i, invariant] of INVARIANTS.entries()) {
    assertEquals(invariant.index, i);
    assertEquals(invariantById(invariant.id), invariant);
    for (const text of [invariant.statement, invariant.severity, invariant.source]) assert(text.length > 3);
  }
});
