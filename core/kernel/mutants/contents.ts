/**
 * Mistakes in what pages contain, in reserved memory, and in x86's list of pgds.
 *
 * @module
 */
import { __GFP_ZERO } from "../../memory/gfp.ts";
import { LIST_PREV, STALE, Z_MANAGED } from "../../memory/mem_map.ts";
import { PAGE_OFFSET, PAGE_SHIFT, PAGE_SIZE, W_FLAGS, W_LRU_NEXT, W_REFCOUNT } from "../../memory/words.ts";
import { __get_free_pages, prep_new_page } from "../alloc.ts";
import { list_add } from "../list.ts";
import { clear_page, kernel_init_pages, table_init } from "../page.ts";
import { free_reserved_page, mark_page_reserved, memblock_alloc } from "../reserved.ts";
import { MM_ADDRESS, pgd_list_add_6_6 } from "../x86_pgd.ts";
import { at, each, keeping, type Mutant, mutant } from "./mutant.ts";

const ZEROED = `
d0 = pagetable_alloc(GFP_PGTABLE_KERNEL, 2)
a0 = ptdesc_to_virt(d0)
populate(a0)
pagetable_free(d0)`;
const INITIALISED = `
a0 = __get_free_pages(GFP_KERNEL, 2)
table_init(a0, 4)
populate(a0)
free_pages(a0, 2)`;
const CLEARED = `
a0 = __get_free_pages(GFP_KERNEL, 1)
clear_page(a0)
clear_page(a0+1)
populate(a0)
free_pages(a0, 1)`;
const BOOT = `
a0 = memblock_alloc(3)
p0 = virt_to_page(a0)
populate(a0)
free_reserved_page(p0)
free_reserved_page(p0+1)
free_reserved_page(p0+2)`;
const MARKED = `
p0 = alloc_page(GFP_KERNEL)
mark_page_reserved(p0)
free_reserved_page(p0)`;

const PTI = { arch: "x86", config: ["PTI"] };
const PGD = `
d0 = pagetable_alloc(GFP_PGTABLE_USER, 1)
a0 = ptdesc_to_virt(d0)
pgd_list_add(a0)
pgd_set_mm(a0, mm0)
pgd_list_del(a0)
pagetable_free(d0)`;
const PGD_6_1 = { arch: "x86", kernel: "6.1", config: ["PTI"] };
const TWO_PGDS = `
a0 = __get_free_pages(GFP_PGTABLE_USER, 1)
a1 = __get_free_pages(GFP_PGTABLE_USER, 1)
pgd_list_add(a0)
pgd_list_add(a1)
pgd_list_del(a1)
free_pages(a1, 1)
pgd_set_mm(a0, mm0)`;

/** The mutants. */
export const CONTENTS: readonly Mutant[] = [
  mutant("uninitialised-table", "zero-page-0", "kernel_init_pages clears one page, whatever the order", {
    kernel_init_pages: (k, page) => kernel_init_pages(k, page, 1),
  }, ZEROED),
  mutant("uninitialised-table", "zero-one-short", "kernel_init_pages ends before the last page", {
    kernel_init_pages: (k, page, nr) => kernel_init_pages(k, page, nr > 1 ? nr - 1 : 1),
  }, ZEROED),
  mutant("uninitialised-table", "zero-flag-ignored", "prep_new_page takes init_on_alloc for what was asked", {
    prep_new_page: (k, page, order, gfp) => prep_new_page(k, page, order, gfp & ~__GFP_ZERO),
  }, ZEROED),
  mutant(
    "uninitialised-table",
    "zero-flag-masked",
    "__get_free_pages masks __GFP_ZERO out together with __GFP_HIGHMEM",
    {
      __get_free_pages: (k, gfp, order) => __get_free_pages(k, gfp & ~__GFP_ZERO, order),
    },
    "a0 = get_zeroed_page(GFP_KERNEL)\npopulate(a0)\nfree_page(a0)",
  ),
  mutant("uninitialised-table", "table-init-page-0", "table_init writes the entries of one page", {
    table_init: (k, addr) => table_init(k, addr, 1),
  }, INITIALISED),
  mutant("uninitialised-table", "clear-page-0", "clear_page looks the head up and clears that", {
    clear_page(k, addr) {
      const page = k.virt_to_page(k, addr);
      clear_page(k, k.page_to_virt(k, page & ~1));
    },
  }, CLEARED),
  mutant("uninitialised-table", "memblock-not-cleared", "memblock_alloc is memblock_alloc_raw", {
    memblock_alloc(k, nr) {
      const addr = memblock_alloc(k, nr);
      if (addr >= 0) each((addr - PAGE_OFFSET) >> PAGE_SHIFT, nr, (p) => k.mem[k.map.contents + p] = STALE);
      return addr;
    },
  }, BOOT),
  mutant("reserved-accounting", "mark-keeps-managed", "mark_page_reserved forgets adjust_managed_page_count", {
    mark_page_reserved(k, page) {
      mark_page_reserved(k, page);
      k.mem[k.lowZone + Z_MANAGED]!++;
    },
  }, MARKED),
  mutant("reserved-accounting", "mark-without-flag", "mark_page_reserved counts and forgets SetPageReserved", {
    mark_page_reserved: (k, page) => keeping(k, page, W_FLAGS, k.pgReserved, () => mark_page_reserved(k, page)),
  }, MARKED),
  mutant("reserved-accounting", "free-keeps-managed-low", "free_reserved_page forgets adjust_managed_page_count", {
    free_reserved_page(k, page) {
      free_reserved_page(k, page);
      k.mem[k.lowZone + Z_MANAGED]!--;
    },
  }, MARKED),
  mutant(
    "reserved-accounting",
    "memblock-counts-the-block",
    "the rest of the block that memblock gave back stays out of managed_pages",
    {
      memblock_alloc(k, nr) {
        const addr = memblock_alloc(k, nr);
        if (addr >= 0) k.mem[k.lowZone + Z_MANAGED]! -= (1 << (32 - Math.clz32(nr - 1))) - nr;
        return addr;
      },
    },
    BOOT,
  ),
  mutant("reserved-accounting", "reserves-page-0", "reserve_bootmem_region marks the first page only", {
    memblock_alloc(k, nr) {
      const addr = memblock_alloc(k, nr);
      if (addr >= 0) each(((addr - PAGE_OFFSET) >> PAGE_SHIFT) + 1, nr - 1, (p) => k.mem[at(p, W_FLAGS)] = 0);
      return addr;
    },
  }, BOOT),
  mutant("page-leak", "memblock-keeps-the-rest", "memblock_alloc takes the whole block of the order that suffices", {
    memblock_alloc(k, nr) {
      const addr = memblock_alloc(k, 1 << (nr === 1 ? 0 : 32 - Math.clz32(nr - 1)));
      if (addr < 0) return addr;
      const first = (addr - PAGE_OFFSET) >> PAGE_SHIFT;
      const order = nr === 1 ? 0 : 32 - Math.clz32(nr - 1);
      each(first + nr, (1 << order) - nr, (p) => k.mem[at(p, W_FLAGS)] = k.mem[at(p, W_REFCOUNT)] = 0);
      k.mem[k.lowZone + Z_MANAGED]! += (1 << order) - nr;
      return addr;
    },
  }, BOOT),
  mutant(
    "kernel-check",
    "reserved-flag-stays",
    "free_reserved_page forgets ClearPageReserved",
    {
      free_reserved_page(k, page) {
        k.mem[at(page, W_REFCOUNT)] = 1;
        k.__free_pages(k, page, 0);
        k.mem[k.lowZone + Z_MANAGED]!++;
      },
    },
    MARKED,
    { config: ["DEBUG_VM"] },
  ),
  mutant(
    "page-leak",
    "reserved-not-freed",
    "free_reserved_page drops a reference that init_page_count has just doubled",
    {
      free_reserved_page(k, page) {
        const w = at(page, W_FLAGS);
        k.mem[w] = k.mem[w]! & ~k.pgReserved;
        k.mem[k.lowZone + Z_MANAGED]!++;
      },
    },
    MARKED,
  ),
  mutant(
    "overlay-clobber",
    "pgd-mm-over-the-list",
    "pgd_set_mm stores into pt_list and not into pt_mm",
    {
      pgd_set_mm(k, pgd, mm) {
        k.mem[at(k.virt_to_page(k, pgd), W_LRU_NEXT)] = MM_ADDRESS + mm;
      },
    },
    PGD,
    PTI,
  ),
  mutant(
    "overlay-clobber",
    "pgd-list-half-linked",
    "pgd_list_add sets the next page's prev and forgets its own",
    {
      pgd_list_add(k, pgd) {
        const page = k.virt_to_page(k, pgd);
        list_add(k, page, k.map.pgdList);
        k.mem[k.map.pgdList] = k.mem[at(page, W_LRU_NEXT)]!;
      },
    },
    PGD,
    PTI,
  ),
  mutant(
    "overlay-clobber",
    "pgd-list-on-page-1",
    "pgd_list_add takes the user half of the pgd, a tail page",
    {
      pgd_list_add: (k, pgd) => pgd_list_add_6_6(k, pgd + PAGE_SIZE),
    },
    PGD,
    PTI,
  ),
  mutant(
    "overlay-clobber",
    "pgd-list-del-forward-only",
    "pgd_list_del unlinks the page from the one before it only",
    {
      pgd_list_del(k, pgd) {
        const page = k.virt_to_page(k, pgd);
        const node = at(page, W_LRU_NEXT);
        k.mem[k.mem[node + LIST_PREV]! >> 2] = k.mem[node]!;
      },
    },
    TWO_PGDS,
    PGD_6_1,
  ),
];
