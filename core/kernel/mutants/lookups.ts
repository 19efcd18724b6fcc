/**
 * Mistakes in lookups and casts: they answer another page, another order, or a
 * value of another kind.
 *
 * @module
 */
import { PAGE_OFFSET, PAGE_SHIFT, W_FLAGS } from "../../memory/words.ts";
import { compound_head, compound_order, page_to_virt, virt_to_page } from "../page.ts";
import { virt_to_ptdesc_v2 } from "../ptdesc.ts";
import { at, type Mutant, mutant } from "./mutant.ts";

const V2 = { kernel: "v2" };

const INSIDE_V2 = `
d0 = ptdesc_alloc(GFP_PGTABLE_KERNEL, 1)
a0 = ptdesc_to_virt(d0)
d1 = virt_to_ptdesc(a0+1)
ptdesc_free(d0)`;
const SIZED = `
p0 = alloc_pages(GFP_KERNEL|__GFP_COMP, 2)
n0 = compound_order(p0)
__free_pages(p0, n0)`;
const FOLIO_OF_TAIL = `
p0 = alloc_pages(GFP_KERNEL|__GFP_COMP, 1)
f0 = page_folio(p0+1)
__free_pages(p0, 1)`;
const LOOKUP = `
d0 = pagetable_alloc(GFP_PGTABLE_KERNEL, 1)
a0 = ptdesc_to_virt(d0)
d1 = virt_to_ptdesc(a0)
pagetable_free(d0)`;
const BY_PAGE = `
d0 = pagetable_alloc(GFP_PGTABLE_KERNEL, 1)
a0 = ptdesc_to_virt(d0)
p0 = virt_to_page(a0)
d1 = page_ptdesc(p0)
pagetable_free(d0)`;
const NEIGHBOUR = `
d0 = pagetable_alloc(GFP_PGTABLE_KERNEL, 0)
p0 = alloc_page(GFP_KERNEL)
a0 = ptdesc_to_virt(d0)
d1 = virt_to_ptdesc(a0)
pagetable_free(d0)
__free_page(p0)`;
const NEIGHBOUR_V2 = NEIGHBOUR.replaceAll("pagetable_", "ptdesc_");
const CLEARED = `
p0 = alloc_page(GFP_KERNEL)
a0 = page_to_virt(p0)
clear_page(a0)
__free_page(p0)`;

/** The mutants. */
export const LOOKUPS: readonly Mutant[] = [
  mutant(
    "head-misuse",
    "head-lookup-skipped",
    "virt_to_head_page is virt_to_page",
    {
      virt_to_head_page: (k, addr) => k.virt_to_page(k, addr),
    },
    INSIDE_V2,
    V2,
  ),
  mutant(
    "head-misuse",
    "compound-head-of-itself",
    "compound_head answers a tail page itself",
    {
      compound_head: (_k, page) => page,
    },
    INSIDE_V2,
    V2,
  ),
  mutant("head-misuse", "compound-head-next", "compound_head adds the tag bit and does not take it off", {
    compound_head: (k, page) => compound_head(k, page) + (compound_head(k, page) !== page ? 1 : 0),
  }, FOLIO_OF_TAIL),
  mutant("head-misuse", "order-is-a-flag", "compound_order answers whether the block is compound", {
    compound_order: (k, page) => k.PageHead(k, page),
  }, SIZED),
  mutant("head-misuse", "order-plus-one", "compound_order counts pages in halvings, one too many", {
    compound_order: (k, page) => compound_order(k, page) + 1,
  }, SIZED),
  mutant(
    "head-misuse",
    "order-where-6.12-has-it",
    "6.1: compound_order reads page 1's flags, where 6.12 keeps the order",
    {
      compound_order: (k, page) => k.PageHead(k, page) !== 0 ? k.mem[at(page + 1, W_FLAGS)]! & 0xff : 0,
    },
    SIZED,
    { kernel: "6.1" },
  ),
  mutant("tail-cast", "virt-to-ptdesc-rounds-up", "virt_to_ptdesc rounds the address up to the next page", {
    virt_to_ptdesc: (k, addr) => k.page_ptdesc(k, k.virt_to_page(k, addr) + 1),
  }, LOOKUP),
  mutant("tail-cast", "virt-to-page-from-1", "virt_to_page counts pages from 1", {
    virt_to_page: (k, addr) => virt_to_page(k, addr) + 1,
  }, BY_PAGE),
  mutant(
    "tail-cast",
    "folio-of-page-1",
    "ptdesc_folio answers the page that holds the folio's second half",
    {
      ptdesc_folio: (_k, pt) => pt + 1,
    },
    `
d0 = pagetable_alloc(GFP_PGTABLE_KERNEL, 1)
f0 = ptdesc_folio(d0)
pagetable_free(d0)`,
  ),
  mutant(
    "tail-cast",
    "last-page-of-the-table",
    "virt_to_ptdesc answers the table's last page, where the lock used to be",
    {
      virt_to_ptdesc(k, addr) {
        const page = k.virt_to_page(k, addr);
        return page + (1 << k.compound_order(k, page)) - 1;
      },
    },
    LOOKUP,
  ),
  mutant("family", "neighbour-by-address", "virt_to_ptdesc is off by one page", {
    virt_to_ptdesc: (k, addr) => k.page_ptdesc(k, k.virt_to_page(k, addr) + 1),
  }, NEIGHBOUR),
  mutant("family", "neighbour-by-buddy", "virt_to_page finds the buddy of the page", {
    virt_to_page: (k, addr) => virt_to_page(k, addr) ^ 1,
  }, NEIGHBOUR),
  mutant(
    "family",
    "neighbour-by-head",
    "v2: virt_to_head_page takes the page after the head",
    {
      virt_to_head_page: (k, addr) => k.compound_head(k, k.virt_to_page(k, addr)) + 1,
    },
    NEIGHBOUR_V2,
    V2,
  ),
  mutant(
    "family",
    "released-neighbour",
    "virt_to_page is off by one page, and what it answers is freed",
    {
      virt_to_page: (k, addr) => virt_to_page(k, addr) + 1,
    },
    `
a0 = __get_free_page(GFP_KERNEL)
d0 = pagetable_alloc(GFP_PGTABLE_KERNEL, 0)
p0 = virt_to_page(a0)
__free_page(p0)
pagetable_free(d0)`,
  ),
  mutant("pointer-kind", "page-to-virt-is-a-pfn", "page_to_virt forgets PAGE_OFFSET and the shift", {
    page_to_virt: (_k, page) => page,
  }, CLEARED),
  mutant(
    "pointer-kind",
    "virt-to-page-is-an-address",
    "virt_to_page rounds the address down and answers that",
    {
      virt_to_page: (_k, addr) => (addr >> PAGE_SHIFT) << PAGE_SHIFT,
    },
    `
a0 = get_zeroed_page(GFP_KERNEL)
p0 = virt_to_page(a0)
g0 = tlb_gather_mmu(mm0)
tlb_flush_pmd_range(g0, 0x200000, 0x1000)
tlb_remove_table(g0, p0)
tlb_finish_mmu(g0)
env rcu_grace_period()`,
    { arch: "x86", kernel: "6.1" },
  ),
  mutant("use-after-free", "page-to-virt-from-1", "page_to_virt counts pages from 1", {
    page_to_virt: (k, page) => page_to_virt(k, page) + (1 << PAGE_SHIFT),
  }, CLEARED),
  mutant(
    "use-after-free",
    "virt-to-page-behind",
    "virt_to_page is off by one page, and what it answers is looked at",
    {
      virt_to_page: (_k, addr) => ((addr - PAGE_OFFSET) >> PAGE_SHIFT) + 1,
    },
    `
a0 = __get_free_page(GFP_KERNEL)
p0 = virt_to_page(a0)
n0 = PageHead(p0)
free_page(a0)`,
  ),
  mutant(
    "head-misuse",
    "v2-lookup-rounds-up",
    "v2: virt_to_ptdesc looks the head up and answers the page after it",
    {
      virt_to_ptdesc: (k, addr) => virt_to_ptdesc_v2(k, addr) + 1,
    },
    INSIDE_V2,
    V2,
  ),
];
