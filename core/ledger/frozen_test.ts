/**
 * Frozen page tables: their references stay 0, so whoever puts one, takes one or
 * queues one as a page has made a mistake that 6.19 does not see.
 */
import { type Edge, edges } from "../program/testing.ts";

function check(id: string, broken: readonly Edge[], notBroken: readonly Edge[]): void {
  for (const test of edges(id, broken, notBroken)) Deno.test(test);
}

check("bad-reference", [
  {
    that: "a frozen table is freed as pages: it goes to -1, and nothing is freed",
    program: `
kernel frozen
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
p0 = ptdesc_page(d0)
__free_page(p0)
finding bad-reference at 3
finding family at 3
finding order-mismatch at 3
finding page-leak at 3 (1 page)`,
  },
  {
    that: "a frozen table is queued as a page",
    program: `
kernel frozen
g0 = tlb_gather_mmu(mm0)
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
p0 = ptdesc_page(d0)
tlb_flush_pmd_range(g0, 0x200000, 0x1000)
tlb_remove_page(g0, p0)
tlb_finish_mmu(g0)
finding bad-reference at 6
finding family at 6
finding order-mismatch at 6
finding page-leak at 5 (1 page)`,
  },
  {
    that: "a reference is taken on a frozen table",
    program: `
kernel frozen
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
p0 = ptdesc_page(d0)
get_page(p0)
finding bad-reference at 3`,
  },
  {
    that: "a page with a reference is freed as a frozen table",
    program: `
kernel frozen
a0 = __get_free_page(GFP_KERNEL)
d0 = virt_to_ptdesc(a0)
pagetable_free(d0)
finding family at 2
finding bad-reference at 3
finding family at 3`,
  },
], [
  {
    that: "a speculative reference on a frozen table fails",
    program: `
kernel frozen
d0 = pagetable_alloc(GFP_PGTABLE_USER, 2)
p0 = ptdesc_page(d0)
env get_page_unless_zero(p0)
env put_page(p0)
pagetable_free(d0)`,
  },
  {
    that: "a gather frees a frozen table, under either name",
    program: `
kernel frozen
g0 = tlb_gather_mmu(mm0)
d0 = pagetable_alloc(GFP_PGTABLE_USER, 1)
d1 = pagetable_alloc(GFP_PGTABLE_USER, 0)
tlb_remove_page_ptdesc(g0, d0)
tlb_remove_ptdesc(g0, d1)
tlb_finish_mmu(g0)`,
  },
]);
