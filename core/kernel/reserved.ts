/**
 * Reserved pages: memory of the boot allocator, outside managed_pages.
 *
 * Read in mm/page_alloc.c:free_reserved_page (6.1: include/linux/mm.h),
 * include/linux/mm.h:mark_page_reserved, mm/mm_init.c:reserve_bootmem_region
 * (6.1: mm/page_alloc.c).
 *
 * @module
 */
import * as $bits from "../memory/bits.ts";
import * as $memMap from "../memory/mem_map.ts";
import * as $words from "../memory/words.ts";
import * as $buddy from "./buddy.ts";
import * as $checks from "./checks.ts";
import type { Kernel } from "./kernel.ts";
import * as $list from "./list.ts";
import * as $page from "./page.ts";

const { __ffs } = $bits;
const { Z_MANAGED } = $memMap;
const { MAX_PAGE_ORDER, NULL, PAGE_WORDS, PAGE_WORDS_SHIFT, W_FLAGS, W_LRU_NEXT, W_LRU_PREV, W_REFCOUNT, W_TYPE } =
  $words;
const { page_zone, zone_watermark_ok } = $buddy;
const { bug, C_OOPS_LIST, C_RESERVED_COMPOUND, oops } = $checks;
const { nodeOf } = $list;
const { isCompound } = $page;

/** PG_reserved is PF_NO_COMPOUND: setting or clearing it in a compound block is a BUG (CONFIG_DEBUG_VM_PGFLAGS). */
function notCompound(k: Kernel, page: number): void {
  if (page >>> 0 >= k.nrPages) oops(k, page);
  if (k.debugVm && isCompound(k, page)) bug(k, C_RESERVED_COMPOUND, page);
}

function adjust_managed_page_count(k: Kernel, page: number, count: number): void {
  const w = page_zone(k, page) + Z_MANAGED;
  k.mem[w] = k.mem[w]! + count;
}

/** Sets PG_reserved and takes the page out of managed_pages (`include/linux/mm.h:mark_page_reserved`). */
export function mark_page_reserved(k: Kernel, page: number): void {
  notCompound(k, page);
  const w = (page << PAGE_WORDS_SHIFT) + W_FLAGS;
  k.mem[w] = k.mem[w]! | k.pgReserved;
  adjust_managed_page_count(k, page, -1);
}

/**
 * Frees one page of the boot allocator (`mm/page_alloc.c:free_reserved_page`).
 * Nobody asks whether it was reserved; references of others are thrown away
 * (`init_page_count`), and whatever came of the free, managed_pages grows.
 */
export function free_reserved_page(k: Kernel, page: number): void {
  notCompound(k, page);
  const mem = k.mem;
  const w = page << PAGE_WORDS_SHIFT;
  mem[w + W_FLAGS] = mem[w + W_FLAGS]! & ~k.pgReserved;
  mem[w + W_REFCOUNT] = 1;
  k.__free_pages(k, page, 0);
  adjust_managed_page_count(k, page, 1);
}

/**
 * So many pages as the boot allocator leaves them (`mm/memblock.c:memblock_alloc`
 * with `reserve_bootmem_region`): zeroed, each reserved and with a reference,
 * none of them compound or managed. Boot is over when a program runs, so they
 * are taken out of the lowmem zone: of the smallest block that holds them, the
 * rest of which goes back.
 */
export function memblock_alloc(k: Kernel, nr: number): number {
  if (nr <= 0 || nr > 1 << MAX_PAGE_ORDER) return NULL;
  const order = nr === 1 ? 0 : 32 - Math.clz32(nr - 1);
  let page = NULL;
  if (!zone_watermark_ok(k, k.lowZone, order)) return NULL;
  let tries = 0;
  do {
    page = k.__rmqueue_smallest(k, k.lowZone, order);
    if (page === NULL) return NULL;
    if (tries++ > k.nrPages) bug(k, C_OOPS_LIST, page);
  } while (k.check_new_pages(k, page, order));
  k.prep_new_page(k, page, order, 0);
  const end = page + (1 << order);
  const mem = k.mem;
  // As __free_pages_core gives memory to the allocator: not reserved, without references, to the lists' tails.
  for (let i = page + nr; i < end;) {
    const rest = __ffs(i);
    for (let j = i; j < i + (1 << rest) && j < k.nrPages; j++) {
      const w = j << PAGE_WORDS_SHIFT;
      mem[w + W_FLAGS] = mem[w + W_FLAGS]! & ~k.pgReserved;
      mem[w + W_REFCOUNT] = 0;
    }
    k.__free_pages_ok(k, i, rest, true);
    i += 1 << rest;
  }
  for (let i = page; i < page + nr; i++) {
    const w = i << PAGE_WORDS_SHIFT;
    mem.fill(0, w, w + PAGE_WORDS);
    mem[w + W_FLAGS] = k.pgReserved;
    mem[w + W_TYPE] = -1;
    mem[w + W_REFCOUNT] = 1;
    mem[w + W_LRU_NEXT] = nodeOf(i);
    mem[w + W_LRU_PREV] = nodeOf(i);
  }
  k.kernel_init_pages(k, page, nr);
  adjust_managed_page_count(k, page, -nr);
  return k.page_address(k, page);
}
