/**
 * The edges of the invariants on families, views and contents: what breaks each, and what does not.
 */
import { type Edge, edges } from "../program/testing.ts";

function check(id: string, broken: readonly Edge[], notBroken: readonly Edge[]): void {
  for (const test of edges(id, broken, notBroken)) Deno.test(test);
}

check("family", [
  {
    that: "a descriptor is made of other memory, once a grant, and freed as one",
    program: `
p0 = alloc_page(GFP_KERNEL)
d0 = page_ptdesc(p0)
d1 = page_ptdesc(p0)
pagetable_free(d1)
finding family at 2
finding family at 4`,
  },
], [
  {
    that: "a descriptor is made of a boot table",
    program: `
a0 = memblock_alloc(1)
d0 = virt_to_ptdesc(a0)
free_reserved_ptdesc(d0)`,
  },
  {
    that: "a page table's page is queued as a page",
    program: `
g0 = tlb_gather_mmu(mm0)
d0 = pagetable_alloc(GFP_PGTABLE_USER, 1)
tlb_flush_pmd_range(g0, 0x200000, 0x1000)
tlb_remove_page_ptdesc(g0, d0)
tlb_finish_mmu(g0)`,
  },
]);

check("pointer-kind", [
  {
    that: "s390 takes an address and is given a descriptor",
    program: `
kernel 6.12
arch s390
g0 = tlb_gather_mmu(mm0)
d0 = pagetable_alloc(GFP_PGTABLE_KERNEL, 2)
tlb_remove_ptdesc(g0, d0)
finding pointer-kind at 3`,
  },
  {
    that: "x86 takes a page and is given a descriptor: latent",
    program: `
kernel 6.12
arch x86
g0 = tlb_gather_mmu(mm0)
d0 = pagetable_alloc(GFP_PGTABLE_KERNEL, 0)
tlb_remove_ptdesc(g0, d0)
finding pointer-kind at 3`,
  },
], [
  {
    that: "arm64 takes a descriptor and is given one",
    program: `
kernel 6.12
arch arm64
g0 = tlb_gather_mmu(mm0)
d0 = pagetable_alloc(GFP_PGTABLE_KERNEL, 0)
tlb_remove_ptdesc(g0, d0)`,
  },
]);

check("overlay-clobber", [
  {
    that: "pt_list is stored over a tail page",
    program: `
kernel 6.12
arch x86
config PTI
d0 = pagetable_alloc(GFP_PGTABLE_USER, 1)
a0 = ptdesc_to_virt(d0)
pgd_list_add(a0+1)
finding tail-cast at 3
finding overlay-clobber at 3
finding compound-order at 3`,
  },
], [
  {
    that: "pt_list and pt_mm are stored on page 0",
    program: `
kernel 6.12
arch x86
config PTI
d0 = pagetable_alloc(GFP_PGTABLE_USER, 1)
a0 = ptdesc_to_virt(d0)
pgd_set_mm(a0, mm0)
pgd_list_add(a0)
pgd_list_del(a0)
pagetable_free(d0)`,
  },
]);

check("buddy-structure", [], [
  {
    that: "the zone is exhausted and comes back in another order",
    program: `
kernel 6.12
pages 16
p0 = alloc_pages(GFP_KERNEL, 3)
p1 = alloc_pages(GFP_KERNEL, 2)
p2 = alloc_pages(GFP_KERNEL, 2)
p3 = alloc_page(GFP_KERNEL)
__free_pages(p1, 2)
__free_pages(p0, 3)
__free_pages(p2, 2)`,
  },
]);

check("reserved-accounting", [
  {
    that: "a page that was not reserved is freed as one",
    program: `
p0 = alloc_page(GFP_KERNEL)
free_reserved_page(p0)
finding family at 2
finding reserved-accounting at 2`,
  },
], [
  {
    that: "a reserved block leaves page by page",
    program: `
a0 = memblock_alloc(3)
p0 = virt_to_page(a0)
free_reserved_page(p0+2)
free_reserved_page(p0)
free_reserved_page(p0+1)`,
  },
]);

check("kernel-check", [
  {
    that: "free_pages_prepare compares the order (DEBUG_VM)",
    program: `
kernel 6.12
config DEBUG_VM
d0 = pagetable_alloc(GFP_PGTABLE_KERNEL, 2)
p0 = ptdesc_page(d0)
__free_pages(p0, 1)
finding family at 3
finding kernel-check at 3`,
  },
], [
  {
    that: "the configuration has no such check",
    program: `
d0 = pagetable_alloc(GFP_PGTABLE_KERNEL, 2)
p0 = ptdesc_page(d0)
__free_pages(p0, 1)
finding family at 3
finding order-mismatch at 3
finding page-leak at 3 (2 pages)`,
  },
]);

check("uninitialised-table", [
  {
    that: "one page of the table was written by nobody",
    program: `
a0 = __get_free_pages(GFP_KERNEL, 1)
clear_page(a0)
populate(a0)
finding uninitialised-table at 3`,
  },
], [
  {
    that: "every page was cleared",
    program: `
a0 = __get_free_pages(GFP_KERNEL, 1)
clear_page(a0+1)
clear_page(a0)
populate(a0)`,
  },
  {
    that: "table_init wrote its entries",
    program: `
a0 = __get_free_pages(GFP_KERNEL, 2)
table_init(a0, 4)
populate(a0)`,
  },
  { that: "it came zeroed", program: "a0 = __get_free_pages(GFP_PGTABLE_KERNEL, 2)\npopulate(a0)" },
]);
