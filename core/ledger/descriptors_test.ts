/**
 * Descriptors that are allocated apart from struct page: what works only as long
 * as they are not.
 */
import { type Edge, edges } from "../program/testing.ts";

function check(id: string, broken: readonly Edge[], notBroken: readonly Edge[]): void {
  for (const test of edges(id, broken, notBroken)) Deno.test(test);
}

check("descriptor", [
  {
    that: "memory of alloc_pages is asked for its descriptor",
    program: `
kernel memdesc
a0 = __get_free_pages(GFP_KERNEL, 1)
d0 = virt_to_ptdesc(a0)
finding descriptor at 2
finding family at 2
finding kernel-check at 2`,
  },
  {
    that: "a boot table is asked for its descriptor",
    program: `
kernel memdesc
a0 = memblock_alloc(1)
d0 = virt_to_ptdesc(a0)
finding descriptor at 2
finding kernel-check at 2`,
  },
  {
    that: "a table is freed as pages: nobody frees its descriptor",
    program: `
kernel memdesc
d0 = pagetable_alloc(GFP_PGTABLE_KERNEL, 0)
a0 = ptdesc_address(d0)
free_page(a0)
finding bad-reference at 3
finding descriptor at 3
finding family at 3
finding order-mismatch at 3
finding page-leak at 3 (1 page)`,
  },
  {
    that: "a descriptor is used after its table was freed",
    program: `
kernel memdesc
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
pagetable_free(d0)
pagetable_free(d0)
finding descriptor at 3`,
  },
  {
    that: "a table is forgotten: its descriptor leaks with it",
    program: `
kernel memdesc
d0 = pagetable_alloc(GFP_PGTABLE_USER, 1)
env owner_gone(d0)
finding descriptor at 2
finding page-leak at 2 (2 pages)`,
  },
], [
  {
    that: "any page of a table is asked for its descriptor",
    program: `
kernel memdesc
d0 = pagetable_alloc(GFP_PGTABLE_USER, 2)
a0 = ptdesc_address(d0)
p0 = ptdesc_page(d0)
d1 = virt_to_ptdesc(a0+3)
d2 = page_ptdesc(p0+1)
pagetable_free(d2)`,
  },
  {
    that: "descriptor or pages cannot be had",
    program: `
kernel memdesc
env fail ptdesc_alloc
d0 = pagetable_alloc(GFP_PGTABLE_USER, 1)
env fail alloc_pages
d1 = pagetable_alloc(GFP_PGTABLE_USER, 1)`,
  },
  {
    that: "a gather holds descriptor and pages until the grace period",
    program: `
kernel memdesc
arch x86
d0 = pagetable_alloc(GFP_PGTABLE_USER, 1)
g0 = tlb_gather_mmu(mm0)
tlb_flush_pmd_range(g0, 0x200000, 0x1000)
tlb_remove_ptdesc(g0, d0)
tlb_finish_mmu(g0)
d1 = pagetable_alloc(GFP_PGTABLE_USER, 1)
env rcu_grace_period()
pagetable_free(d1)`,
  },
  {
    that: "a pgd is listed through its descriptor",
    program: `
kernel memdesc
arch x86
d0 = pagetable_alloc(GFP_PGTABLE_USER, 1)
a0 = ptdesc_address(d0)
pgd_list_add(a0)
pgd_set_mm(a0, mm0)
pgd_list_del(a0)
pagetable_free(d0)`,
  },
]);

check("pointer-kind", [
  {
    that: "a struct page is queued where a descriptor is taken, and they are no longer one piece of memory",
    program: `
kernel memdesc
arch x86
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
p0 = ptdesc_page(d0)
g0 = tlb_gather_mmu(mm0)
tlb_flush_pmd_range(g0, 0x200000, 0x1000)
tlb_remove_table(g0, p0)
finding pointer-kind at 5`,
  },
], []);

check("kernel-check", [
  {
    that: "a folio is made of a descriptor",
    program: `
kernel memdesc
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
f0 = ptdesc_folio(d0)
finding kernel-check at 2`,
  },
  {
    that: "a folio is made of a table's page",
    program: `
kernel memdesc
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
p0 = ptdesc_page(d0)
f0 = page_folio(p0)
finding kernel-check at 3`,
  },
], []);

check("tail-cast", [], [
  {
    that: "the descriptor of a later page is asked for, which is the table's",
    program: `
kernel memdesc
d0 = pagetable_alloc(GFP_PGTABLE_USER, 2)
p0 = ptdesc_page(d0)
d1 = page_ptdesc(p0+2)
pagetable_free(d1)`,
  },
]);
