/**
 * The buddy allocator's free lists: one list an order and zone, blocks aligned
 * to their size, a block's first page marked PageBuddy with the order in
 * `private`.
 *
 * Read in mm/page_alloc.c (__free_one_page, expand, __rmqueue_smallest,
 * buddy_merge_likely, __del_page_from_free_list) and mm/internal.h
 * (page_is_buddy, find_buddy_page_pfn) of 6.1 and 6.12, which agree but for the
 * moment at which NR_FREE_PAGES changes; here it always changes with the lists.
 *
 * One migrate type; no watermarks, isolation, compaction or guard pages.
 *
 * @module
 */
import * as $memMap from "../memory/mem_map.ts";
import * as $words from "../memory/words.ts";
import * as $checks from "./checks.ts";
import type { Kernel } from "./kernel.ts";
import * as $list from "./list.ts";

const { AREA_NR, AREA_WORDS, Z_AREA, Z_END, Z_FREE, Z_START } = $memMap;
const { MAX_PAGE_ORDER, NULL, PAGE_WORDS_SHIFT, W_FLAGS, W_INDEX, W_PRIVATE, W_REFCOUNT, W_TYPE } = $words;
const {
  bug,
  C_BUDDY_COUNT,
  C_CLEAR_BUDDY,
  C_EXPAND_RANGE,
  C_FREE_ALIGN,
  C_FREE_FLAGS,
  C_FREE_RANGE,
  C_OOPS_ORDER,
  C_SET_BUDDY,
  oops,
} = $checks;
const { list_add, list_add_tail, list_del, pageOfNode } = $list;

/** `page_zone`: the zone's word. */
export function page_zone(k: Kernel, page: number): number {
  return page < k.highStart ? k.lowZone : k.highZone;
}

function bad_range(k: Kernel, zone: number, page: number): boolean {
  return page < k.mem[zone + Z_START]! || page >= k.mem[zone + Z_END]! || page_zone(k, page) !== zone;
}

/**
 * `page_is_buddy`: whether the page starts a free block of that order in the
 * same zone. A free block with references is a BUG.
 */
function page_is_buddy(k: Kernel, page: number, buddy: number, order: number): boolean {
  if (buddy >>> 0 >= k.nrPages) return false;
  const mem = k.mem;
  const w = buddy << PAGE_WORDS_SHIFT;
  if ((mem[w + W_TYPE]! & k.buddyMask) !== k.buddyValue) return false;
  if (mem[w + W_PRIVATE]! !== order) return false;
  if (page_zone(k, page) !== page_zone(k, buddy)) return false;
  if (k.debugVm && mem[w + W_REFCOUNT]! !== 0) bug(k, C_BUDDY_COUNT, buddy);
  return true;
}

/**
 * Whether the block will soon merge two levels up, so that it belongs at the
 * list's tail (`mm/page_alloc.c:buddy_merge_likely`).
 */
function buddy_merge_likely(k: Kernel, page: number, buddy: number, order: number): boolean {
  if (order >= MAX_PAGE_ORDER - 1) return false;
  const higher = buddy & page;
  return page_is_buddy(k, higher, higher ^ (1 << (order + 1)), order + 1);
}

/** `set_buddy_order`: order into private, then PageBuddy (a bit that is cleared in 6.1, the top byte in 6.12). */
function set_buddy_order(k: Kernel, page: number, order: number): void {
  const mem = k.mem;
  const w = page << PAGE_WORDS_SHIFT;
  mem[w + W_PRIVATE] = order;
  mem[w + W_PRIVATE + 1] = 0;
  const type = mem[w + W_TYPE]!;
  const bit = k.buddyBit;
  if (bit !== 0) {
    if (k.debugVm && (type & k.buddyMask & ~bit) !== k.buddyValue) bug(k, C_SET_BUDDY, page);
    mem[w + W_TYPE] = type & ~bit;
    return;
  }
  if ((type & k.buddyMask) === k.buddyValue) return;
  if (k.debugVm && type !== -1) bug(k, C_SET_BUDDY, page);
  mem[w + W_TYPE] = k.buddyValue;
}

/** `__ClearPageBuddy`. */
function clearBuddy(k: Kernel, page: number): void {
  const mem = k.mem;
  const w = (page << PAGE_WORDS_SHIFT) + W_TYPE;
  const type = mem[w]!;
  const bit = k.buddyBit;
  if (bit === 0 && type === -1) return;
  if (k.debugVm && (type & k.buddyMask) !== k.buddyValue) bug(k, C_CLEAR_BUDDY, page);
  mem[w] = bit !== 0 ? type | bit : -1;
}

/** `__del_page_from_free_list`. */
function del_page_from_free_list(k: Kernel, page: number, area: number): void {
  list_del(k, page);
  clearBuddy(k, page);
  const mem = k.mem;
  const w = page << PAGE_WORDS_SHIFT;
  mem[w + W_PRIVATE] = 0;
  mem[w + W_PRIVATE + 1] = 0;
  mem[area + AREA_NR] = mem[area + AREA_NR]! - 1;
}

/**
 * Puts a block on its free list, merged with every free buddy
 * (`mm/page_alloc.c:__free_one_page`).
 *
 *     pages 4 and 5 free, 6 and 7 in use; page 6 is freed, then 7:
 *
 *     4 5   6 7        4 5   6   7        4 5 6 7
 *     [1]   . .   ->   [1]  [0]  .   ->   [  2  ]
 *
 * Without DEBUG_VM nothing looks whether the block is aligned or already free.
 */
export function __free_one_page(k: Kernel, page: number, zone: number, order: number, toTail: boolean): void {
  const mem = k.mem;
  if (order >>> 0 > MAX_PAGE_ORDER) bug(k, C_OOPS_ORDER, page);
  if (k.debugVm) {
    if ((mem[(page << PAGE_WORDS_SHIFT) + W_FLAGS]! & k.checkAtPrep) !== 0) bug(k, C_FREE_FLAGS, page);
    if ((page & ((1 << order) - 1)) !== 0) bug(k, C_FREE_ALIGN, page);
    if (bad_range(k, zone, page)) bug(k, C_FREE_RANGE, page);
  }
  mem[zone + Z_FREE] = mem[zone + Z_FREE]! + (1 << order);
  let buddy = 0;
  while (order < MAX_PAGE_ORDER) {
    buddy = page ^ (1 << order);
    if (!page_is_buddy(k, page, buddy, order)) break;
    del_page_from_free_list(k, buddy, zone + Z_AREA + order * AREA_WORDS);
    page &= buddy;
    order++;
  }
  set_buddy_order(k, page, order);
  const area = zone + Z_AREA + order * AREA_WORDS;
  if (toTail || buddy_merge_likely(k, page, buddy, order)) list_add_tail(k, page, area);
  else list_add(k, page, area);
  mem[area + AREA_NR] = mem[area + AREA_NR]! + 1;
}

/**
 * Splits a block down to the order wanted; upper halves go to the heads of
 * their lists (`mm/page_alloc.c:expand`).
 *
 *     high 3, low 0:  [0] 1 [2 3] [4 5 6 7]
 *                      |  +--+--------+----- given back as orders 0, 1 and 2
 *                      answered
 */
export function expand(k: Kernel, zone: number, page: number, low: number, high: number): void {
  const mem = k.mem;
  let size = 1 << high;
  while (high > low) {
    high--;
    size >>= 1;
    const half = page + size;
    if (k.debugVm && bad_range(k, zone, half)) bug(k, C_EXPAND_RANGE, half);
    if (half >= k.nrPages) oops(k, half);
    const area = zone + Z_AREA + high * AREA_WORDS;
    list_add(k, half, area);
    mem[area + AREA_NR] = mem[area + AREA_NR]! + 1;
    set_buddy_order(k, half, high);
  }
}

/**
 * Splits a block down to the order wanted, keeping the part that begins at the
 * target (`mm/page_alloc.c:break_down_buddy_pages`).
 *
 *     high 3, low 1, target 4:  [0 1 2 3] [4 5] [6 7]
 *                                   |       |     +--- given back as order 1
 *                                   |       kept
 *                                   given back as order 2
 */
function break_down_buddy_pages(
  k: Kernel,
  zone: number,
  page: number,
  target: number,
  low: number,
  high: number,
): void {
  const mem = k.mem;
  while (high > low) {
    high--;
    const size = 1 << high;
    const back = target >= page + size ? page : page + size;
    if (back === page) page += size;
    const area = zone + Z_AREA + high * AREA_WORDS;
    list_add(k, back, area);
    mem[area + AREA_NR] = mem[area + AREA_NR]! + 1;
    set_buddy_order(k, back, high);
  }
}

/**
 * Takes the block that a program placed (`env place`) off the lists, wherever
 * it stands there (as `mm/page_alloc.c:take_page_off_buddy` takes one page).
 * NULL where the place is not aligned, or is not free: the lists then say which
 * block it is.
 */
export function takePlaced(k: Kernel, highmem: boolean, order: number): number {
  const page = k.placeNext;
  k.placeNext = -1;
  if (page + (1 << order) > k.nrPages || (page & ((1 << order) - 1)) !== 0) return NULL;
  const zone = page_zone(k, page);
  if (zone !== k.lowZone && !highmem) return NULL;
  const mem = k.mem;
  for (let high = order; high <= MAX_PAGE_ORDER; high++) {
    const head = page & ~((1 << high) - 1);
    const w = head << PAGE_WORDS_SHIFT;
    if ((mem[w + W_TYPE]! & k.buddyMask) !== k.buddyValue || mem[w + W_PRIVATE] !== high) continue;
    del_page_from_free_list(k, head, zone + Z_AREA + high * AREA_WORDS);
    break_down_buddy_pages(k, zone, head, page, order, high);
    k.set_pcppage_migratetype(k, page);
    mem[zone + Z_FREE] = mem[zone + Z_FREE]! - (1 << order);
    return page;
  }
  return NULL;
}

/**
 * Takes the first block of the smallest order that suffices
 * (`mm/page_alloc.c:__rmqueue_smallest`), or answers NULL.
 */
export function __rmqueue_smallest(k: Kernel, zone: number, order: number): number {
  const mem = k.mem;
  for (let current = order; current <= MAX_PAGE_ORDER; current++) {
    const area = zone + Z_AREA + current * AREA_WORDS;
    const first = mem[area]!;
    if (first === area << 2) continue;
    const page = pageOfNode(k, first);
    del_page_from_free_list(k, page, area);
    k.expand(k, zone, page, order, current);
    k.set_pcppage_migratetype(k, page);
    mem[zone + Z_FREE] = mem[zone + Z_FREE]! - (1 << order);
    return page;
  }
  return NULL;
}

/** Keeps the migrate type, of which there is one, in `index` (`mm/page_alloc.c:set_pcppage_migratetype`, until 6.6). */
export function set_pcppage_migratetype(k: Kernel, page: number): void {
  const w = (page << PAGE_WORDS_SHIFT) + W_INDEX;
  k.mem[w] = 0;
  k.mem[w + 1] = 0;
}

/** 6.12 looks the type up again instead. */
export function set_pcppage_migratetype_6_12(_k: Kernel, _page: number): void {}

/**
 * Whether the zone has a block of that order or a larger one
 * (`mm/page_alloc.c:__zone_watermark_ok`). There are no watermarks; what is left
 * is that both the count and the list of an order are looked at, and a double
 * free makes the count lie.
 */
export function zone_watermark_ok(k: Kernel, zone: number, order: number): boolean {
  if (order === 0) return true;
  const mem = k.mem;
  for (let o = order; o <= MAX_PAGE_ORDER; o++) {
    const area = zone + Z_AREA + o * AREA_WORDS;
    if (mem[area + AREA_NR]! !== 0 && mem[area]! !== area << 2) return true;
  }
  return false;
}

/** NR_FREE_PAGES of all zones. */
export function nr_free_pages(k: Kernel): number {
  return k.mem[k.lowZone + Z_FREE]! + k.mem[k.highZone + Z_FREE]!;
}
