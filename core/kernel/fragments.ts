/**
 * Page tables of 2 KB: two of them share a page (s390 up to 6.6).
 *
 * Which halves are in use is written into the upper byte of the page's `_refcount`:
 *
 *     bit   24  25  allocated (AA): lower, upper half
 *           28  29  pending removal (PP)
 *
 * A half that is freed changes from AA to PP in one step, and PP is cleared when
 * nobody walks it any more; whoever clears the last bit releases the page. Pages
 * with a half to give are on `mm_context_t::pgtable_list`, through their `lru`. A
 * table with PGSTEs (config PGSTE: the mms are KVM guests') takes the whole page
 * and both AA bits.
 *
 * Read in arch/s390/mm/pgalloc.c of 6.1. B17 (dfa758638fd2): both AA bits of a table
 * with PGSTEs were left set where it is freed.
 *
 * @module
 */
import * as $gfp from "../memory/gfp.ts";
import * as $memMap from "../memory/mem_map.ts";
import * as $words from "../memory/words.ts";
import * as $arch from "./arch.ts";
import * as $checks from "./checks.ts";
import * as $ctor from "./ctor.ts";
import type { Kernel } from "./kernel.ts";
import * as $list from "./list.ts";
import * as $points from "./points.ts";

const { GFP_FLAGS } = $gfp;
const { fragmentList, LIST_PREV, TABLE_ENTRIES, ZEROED } = $memMap;
const { NULL, PAGE_SIZE, PAGE_WORDS_SHIFT, W_REFCOUNT } = $words;
const { CRST_ALLOC_ORDER } = $arch;
const { oops } = $checks;
const { dtorInside, LEVEL_PTE } = $ctor;
const { list_add, list_add_tail, list_del, pageOfNode } = $list;
const { FREE_PENDING, reachPoint } = $points;

const GFP_KERNEL = GFP_FLAGS["GFP_KERNEL"] as number;
/** Bytes of a table. */
const SIZE = PAGE_SIZE >> 1;
/** First bit of the upper byte. */
const BITS = 24;

/** Changes bits of `_refcount`; answers its upper byte. */
function atomic_xor_bits(k: Kernel, page: number, bits: number): number {
  if (page >>> 0 >= k.nrPages) oops(k, page);
  const w = (page << PAGE_WORDS_SHIFT) + W_REFCOUNT;
  k.mem[w] = k.mem[w]! ^ bits;
  return k.mem[w]! >>> BITS;
}

/** Which half of its page a table is. */
function halfOf(table: number): number {
  return (table & (PAGE_SIZE - 1)) >= SIZE ? 1 : 0;
}

/** A table, 2 KB of a page or with PGSTEs all of it (`arch/s390/mm/pgalloc.c:page_table_alloc`). */
export function page_table_alloc(k: Kernel, mm: number): number {
  const mem = k.mem;
  const head = fragmentList(k.map, mm);
  if (!k.pgste && mem[head] !== head << 2) {
    const page = pageOfNode(k, mem[head]!);
    let mask = mem[(page << PAGE_WORDS_SHIFT) + W_REFCOUNT]! >>> BITS;
    mask = (mask | (mask >> 4)) & 3;
    if (mask !== 3) {
      const bit = mask & 1;
      atomic_xor_bits(k, page, 1 << (bit + BITS));
      list_del(k, page);
      return k.page_to_virt(k, page) + bit * SIZE;
    }
  }
  const page = k.alloc_pages(k, GFP_KERNEL, 0);
  if (page === NULL) return NULL;
  if (k.pagetable_pte_ctor(k, page) === 0) {
    k.__free_pages(k, page, 0);
    return NULL;
  }
  if (k.pgste) {
    atomic_xor_bits(k, page, 3 << BITS);
    mem[k.map.contents + page] = ZEROED;
  } else {
    atomic_xor_bits(k, page, 1 << BITS);
    mem[k.map.contents + page] = TABLE_ENTRIES;
    list_add(k, page, head);
  }
  return k.page_to_virt(k, page);
}

/** The page has no table any more. */
function release(k: Kernel, page: number): void {
  dtorInside(k, page, LEVEL_PTE, k.pagetable_pte_dtor);
  k.__free_pages(k, page, 0);
}

/** The bits of a table with PGSTEs are cleared before its page is freed. */
export function clear_pgste_bits(k: Kernel, page: number): void {
  atomic_xor_bits(k, page, 3 << BITS);
}

/** {@linkcode clear_pgste_bits} before dfa758638fd2 (B17): they stay, and the count never gets to 0. */
export function clear_pgste_bits_without_B17(_k: Kernel, _page: number): void {}

/** AA becomes PP; the page goes to or leaves the mm's list. */
function pending(k: Kernel, mm: number, page: number, bit: number, tail: boolean): void {
  const mask = atomic_xor_bits(k, page, 0x11 << (bit + BITS));
  const head = fragmentList(k.map, mm);
  if ((mask & 3) === 0) list_del(k, page);
  else if (tail) list_add_tail(k, page, head);
  else list_add(k, page, head);
}

/** Frees a table at once (`arch/s390/mm/pgalloc.c:page_table_free`). */
export function page_table_free(k: Kernel, mm: number, table: number): void {
  const page = k.virt_to_page(k, table);
  if (page >>> 0 >= k.nrPages) oops(k, page);
  if (k.pgste) k.clear_pgste_bits(k, page);
  else {
    const bit = halfOf(table);
    pending(k, mm, page, bit, false);
    if (k.armed >= 0) reachPoint(k, FREE_PENDING);
    if (atomic_xor_bits(k, page, 0x10 << (bit + BITS)) !== 0) return;
  }
  release(k, page);
}

/**
 * Queues a table, its half in the low bits of the pointer
 * (`arch/s390/mm/pgalloc.c:page_table_free_rcu`).
 */
export function page_table_free_rcu(k: Kernel, tlb: number, mm: number, table: number): void {
  if (k.pgste) {
    k.tlb_remove_table(k, tlb, table | 3);
    return;
  }
  const page = k.virt_to_page(k, table);
  const bit = halfOf(table);
  pending(k, mm, page, bit, true);
  k.tlb_remove_table(k, tlb, table | (1 << bit));
}

/**
 * Frees what was queued by the low bits of the pointer
 * (`arch/s390/mm/pgalloc.c:__tlb_remove_table`, 6.1 and v2): none of them set
 * mean a crst table.
 */
export function __tlb_remove_table_s390(k: Kernel, queued: number): void {
  const half = queued & 3;
  const table = queued ^ half;
  if (half === 0) {
    k.free_pages(k, table, CRST_ALLOC_ORDER);
    return;
  }
  const page = k.virt_to_page(k, table);
  if (page >>> 0 >= k.nrPages) oops(k, page);
  if (half === 3) k.clear_pgste_bits(k, page);
  else if (atomic_xor_bits(k, page, half << (4 + BITS)) !== 0) return;
  release(k, page);
}

/** Every mm's list is empty. */
export function bootFragmentLists(k: Kernel): void {
  for (let mm = 0; mm < 3; mm++) {
    const head = fragmentList(k.map, mm);
    k.mem[head] = head << 2;
    k.mem[head + LIST_PREV] = head << 2;
  }
}
