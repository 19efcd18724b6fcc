/**
 * What the raw words say: the ledger's own reading of memory, by the layout and
 * through no function of the model.
 *
 * @module
 */
import * as $bits from "../memory/bits.ts";
import type { Layout } from "../memory/layout.ts";
import type { MemMap } from "../memory/mem_map.ts";
import * as $memMap from "../memory/mem_map.ts";
import * as $words from "../memory/words.ts";

const { ffs } = $bits;
const { AREA_NR, areaWord, NR_ORDERS, Z_END, ZONE_WORDS } = $memMap;
const { MAX_PAGE_ORDER, PAGE_WORDS_SHIFT, STRUCT_PAGE_SHIFT, W_COMPOUND_HEAD, W_FLAGS, W_PRIVATE, W_TYPE } = $words;

/**
 * The first page of the free block that a page lies in, or -1: a page at or below
 * it that is buddy with an order that reaches it.
 *
 * That is the page itself or one with fewer bits: the lowest goes, then the next.
 * From each the block has to reach over the bits that are gone.
 */
function freeBlock(mem: Int32Array, layout: Layout, pfn: number): number {
  const mask = layout.buddyMask;
  const value = layout.buddyValue;
  for (let head = pfn, least = 0;;) {
    const w = head << PAGE_WORDS_SHIFT;
    if ((mem[w + W_TYPE]! & mask) === value && mem[w + W_PRIVATE]! >= least) return head;
    least = ffs(head);
    if (head === 0 || least > MAX_PAGE_ORDER) return -1;
    head &= head - 1;
  }
}

/** Whether a page lies in a free block. */
export function isFree(mem: Int32Array, layout: Layout, pfn: number): boolean {
  return freeBlock(mem, layout, pfn) >= 0;
}

/** Pages that lie on the free lists, one by one; -1 where a list leads nowhere or does not end. */
export function listedPages(mem: Int32Array, map: MemMap): number {
  let pages = 0;
  for (let zone = map.zones; zone < map.zones + 2 * ZONE_WORDS; zone += ZONE_WORDS) {
    for (let order = 0; order < NR_ORDERS; order++) {
      const head = areaWord(zone, order);
      let count = 0;
      for (let node = mem[head]! >> 2; node !== head; node = mem[node]! >> 2) {
        if (node < 0 || node >= mem[zone + Z_END]! << PAGE_WORDS_SHIFT || count === map.nrPages) return -1;
        count++;
      }
      if (mem[head + AREA_NR] !== count) return -1;
      pages += count << order;
    }
  }
  return pages;
}

/** One past the last page of the free block that a page lies in; the page itself where it is not free. */
export function freeUntil(mem: Int32Array, layout: Layout, pfn: number): number {
  const head = freeBlock(mem, layout, pfn);
  return head < 0 ? pfn : head + (1 << mem[(head << PAGE_WORDS_SHIFT) + W_PRIVATE]!);
}

/** Whether the page itself is the first of a free block. */
export function isBuddy(mem: Int32Array, layout: Layout, pfn: number): boolean {
  return (mem[(pfn << PAGE_WORDS_SHIFT) + W_TYPE]! & layout.buddyMask) === layout.buddyValue;
}

/** What an order lookup on this page would answer: the order of a head, 0 without a head flag. */
export function orderOf(mem: Int32Array, layout: Layout, pfn: number): number {
  const w = pfn << PAGE_WORDS_SHIFT;
  if ((mem[w + W_FLAGS]! & layout.PG_head) === 0) return 0;
  return (mem[w + layout.orderWord]! >> layout.orderShift) & 0xff;
}

/**
 * The first page of a block whose head flag, order or link is not as granted,
 * or -1.
 *
 * @param order order of a compound block; -1 where it was granted without `__GFP_COMP`
 */
export function compoundDamage(mem: Int32Array, layout: Layout, first: number, pages: number, order: number): number {
  const w = first << PAGE_WORDS_SHIFT;
  const head = mem[w + W_FLAGS]! & layout.PG_head;
  if (mem[w + W_COMPOUND_HEAD]! & 1) return first;
  if (order < 0) {
    if (head !== 0) return first;
    for (let i = 1; i < pages; i++) {
      const t = (first + i) << PAGE_WORDS_SHIFT;
      if ((mem[t + W_COMPOUND_HEAD]! & 1) !== 0 || (mem[t + W_FLAGS]! & layout.PG_head) !== 0) return first + i;
    }
    return -1;
  }
  if (head === 0 || ((mem[w + layout.orderWord]! >> layout.orderShift) & 0xff) !== order) return first;
  const link = (first << STRUCT_PAGE_SHIFT) | 1;
  for (let i = 1; i < pages; i++) {
    if (mem[((first + i) << PAGE_WORDS_SHIFT) + W_COMPOUND_HEAD]! !== link) return first + i;
  }
  return -1;
}
