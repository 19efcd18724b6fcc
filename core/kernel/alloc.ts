/**
 * Allocation: taking blocks off the free lists and making them ready.
 *
 * Read in mm/page_alloc.c of 6.1 and 6.12: __alloc_pages, get_page_from_freelist,
 * rmqueue_buddy, check_new_pages, prep_new_page, post_alloc_hook,
 * prep_compound_page (6.12: mm/internal.h), split_page, alloc_pages_exact.
 *
 * Not modelled: watermarks, reclaim, per-CPU lists, limits of a memcg. So an allocation
 * fails when no block is large enough, or when the program says so;
 * `__GFP_NOFAIL` on an exhausted zone, where Linux would try for ever, answers
 * NULL.
 *
 * @module
 */
import * as $events from "../memory/events.ts";
import * as $gfp from "../memory/gfp.ts";
import * as $words from "../memory/words.ts";
import * as $checks from "./checks.ts";
import * as $buddy from "./buddy.ts";
import type { Kernel } from "./kernel.ts";
import * as $page from "./page.ts";

const { EV_SURPLUS } = $events;
const { __GFP_ACCOUNT, __GFP_COMP, __GFP_HIGHMEM, __GFP_NOFAIL, __GFP_NOWARN, __GFP_ZERO } = $gfp;
const {
  MAX_PAGE_ORDER,
  NULL,
  PAGE_SHIFT,
  PAGE_SIZE,
  PAGE_WORDS,
  PAGE_WORDS_SHIFT,
  STRUCT_PAGE_SHIFT,
  W_COMPOUND_HEAD,
  W_FLAGS,
  W_INDEX,
  W_LRU_NEXT,
  W_LRU_PREV,
  W_MAPPING,
  W_MEMCG,
  W_PRIVATE,
  W_REFCOUNT,
  W_TYPE,
} = $words;
const {
  bad_page,
  bug,
  C_FLAGS_PREP,
  C_MAPCOUNT,
  C_MAPPING,
  C_MEMCG,
  C_OOPS_LIST,
  C_REFCOUNT,
  C_REFCOUNTED_REF,
  C_REFCOUNTED_TAIL,
  C_SPLIT_COMPOUND,
  C_SPLIT_COUNT,
  C_WARN_EXACT,
  C_WARN_NOFAIL,
  C_WARN_ORDER,
  event,
  oops,
  warn,
} = $checks;
const { takePlaced, zone_watermark_ok } = $buddy;
const { isCompound, leaveStale } = $page;

/** TAIL_MAPPING (`include/linux/poison.h`), its low word. */
export const TAIL_MAPPING = 0x400;
/** COMPOUND_PAGE_DTOR (6.1). */
export const COMPOUND_PAGE_DTOR = 1;
/** 6.12, page 1: `_large_mapcount`, in words from the page's first. */
export const W_LARGE_MAPCOUNT = W_LRU_PREV;
/** 6.12, page 1: `_entire_mapcount`; 6.1, page 1: `compound_mapcount`. */
export const W_ENTIRE_MAPCOUNT: number = W_LRU_PREV + 1;
/** 6.12, page 1: `_nr_pages_mapped`; 6.1: `compound_pincount`. */
export const W_NR_PAGES_MAPPED = W_MAPPING;
/** 6.12, page 1: `_pincount`. */
export const W_PINCOUNT: number = W_MAPPING + 1;
/** 6.1, page 1: `compound_nr`. */
export const W_COMPOUND_NR: number = W_PINCOUNT;
/** 6.12, page 1: `_folio_nr_pages`. */
export const W_FOLIO_NR_PAGES = W_INDEX;
/** 6.12, page 2: `_deferred_list`. */
export const W_DEFERRED_LIST = W_LRU_PREV;

/** The first of a page's faults that wins, as in `page_bad_reason`: the last of the list below; -1 for none. */
export function page_bad_reason(k: Kernel, page: number, flags: number, flagsCheck: number): number {
  const mem = k.mem;
  const w = page << PAGE_WORDS_SHIFT;
  let reason = -1;
  if (mem[w + W_TYPE]! !== -1) reason = C_MAPCOUNT;
  if ((mem[w + W_MAPPING]! | mem[w + W_MAPPING + 1]!) !== 0) reason = C_MAPPING;
  if (mem[w + W_REFCOUNT]! !== 0) reason = C_REFCOUNT;
  if ((mem[w + W_FLAGS]! & flags) !== 0) reason = flagsCheck;
  if ((mem[w + W_MEMCG]! | mem[w + W_MEMCG + 1]!) !== 0) reason = C_MEMCG;
  return reason;
}

/**
 * Whether a page of the block is not as a free page should be: the block is
 * left out then, and the next one taken (`mm/page_alloc.c:check_new_pages`).
 * 6.1 checks always: blocks of the per-CPU orders at refill or, with DEBUG_VM,
 * when they leave the list; larger ones in rmqueue_buddy.
 */
export function check_new_pages(k: Kernel, page: number, order: number): boolean {
  for (let i = page; i < page + (1 << order); i++) {
    const reason = page_bad_reason(k, i, k.checkAtPrep, C_FLAGS_PREP);
    if (reason >= 0) {
      bad_page(k, i, reason, -1);
      return true;
    }
  }
  return false;
}

/** {@linkcode check_new_pages} of 6.12: only with is_check_pages_enabled(), that is CONFIG_DEBUG_VM. */
export function check_new_pages_6_12(k: Kernel, page: number, order: number): boolean {
  return k.debugVm && check_new_pages(k, page, order);
}

/** A page's first reference (`mm/internal.h:set_page_refcounted`). */
export function set_page_refcounted(k: Kernel, page: number): void {
  const mem = k.mem;
  const w = page << PAGE_WORDS_SHIFT;
  if (k.debugVm) {
    if ((mem[w + W_COMPOUND_HEAD]! & 1) !== 0) bug(k, C_REFCOUNTED_TAIL, page);
    if (mem[w + W_REFCOUNT]! !== 0) bug(k, C_REFCOUNTED_REF, page);
  }
  mem[w + W_REFCOUNT] = 1;
}

/**
 * Makes a block ready for its owner (`mm/page_alloc.c:prep_new_page`).
 *
 * Only page 0 gets a reference. An order-0 page never becomes compound, with
 * `__GFP_COMP` or without. `clear_page_pfmemalloc` clears `lru.next`, and with
 * it whatever an earlier user left in page 0's compound_head.
 */
export function prep_new_page(k: Kernel, page: number, order: number, gfp: number): void {
  const mem = k.mem;
  const w = page << PAGE_WORDS_SHIFT;
  mem[w + W_PRIVATE] = 0;
  mem[w + W_PRIVATE + 1] = 0;
  set_page_refcounted(k, page);
  if ((gfp & __GFP_ZERO) !== 0) k.kernel_init_pages(k, page, 1 << order);
  else leaveStale(k, page, 1 << order);
  if (order !== 0 && (gfp & __GFP_COMP) !== 0) k.prep_compound_page(k, page, order);
  mem[w + W_LRU_NEXT] = 0;
  mem[w + W_LRU_NEXT + 1] = 0;
}

/** PG_head on page 0, and every other page linked to it (`prep_compound_tail`). */
function prepHeadAndTails(k: Kernel, page: number, order: number): void {
  const mem = k.mem;
  const head = page << PAGE_WORDS_SHIFT;
  mem[head + W_FLAGS] = mem[head + W_FLAGS]! | k.pgHead;
  const end = head + (PAGE_WORDS << order);
  const link = (page << STRUCT_PAGE_SHIFT) | 1;
  for (let w = head + PAGE_WORDS; w < end; w += PAGE_WORDS) {
    mem[w + W_MAPPING] = TAIL_MAPPING;
    mem[w + W_MAPPING + 1] = 0;
    mem[w + W_COMPOUND_HEAD] = link;
    mem[w + W_COMPOUND_HEAD + 1] = 0;
    mem[w + W_PRIVATE] = 0;
    mem[w + W_PRIVATE + 1] = 0;
  }
}

/**
 * Makes a block compound (`mm/page_alloc.c:prep_compound_page`, 6.1): destructor,
 * order and counts are fields of page 1, of which two lie over its mapping.
 */
export function prep_compound_page(k: Kernel, page: number, order: number): void {
  prepHeadAndTails(k, page, order);
  const mem = k.mem;
  const one = (page + 1) << PAGE_WORDS_SHIFT;
  mem[one + W_LRU_PREV] = (mem[one + W_LRU_PREV]! & ~0xff) | COMPOUND_PAGE_DTOR;
  k.set_compound_order(k, page, order);
  mem[one + W_ENTIRE_MAPCOUNT] = -1;
  mem[one + W_NR_PAGES_MAPPED] = 0;
}

/** `compound_order` and `compound_nr` of page 1 (`include/linux/mm.h:set_compound_order`, 6.1). */
export function set_compound_order(k: Kernel, page: number, order: number): void {
  const mem = k.mem;
  const one = (page + 1) << PAGE_WORDS_SHIFT;
  mem[one + W_LRU_PREV] = (mem[one + W_LRU_PREV]! & ~0xff00) | (order << 8);
  mem[one + W_COMPOUND_NR] = 1 << order;
}

/**
 * Makes a block compound (`mm/internal.h:prep_compound_head`, 6.12): the order
 * is the low byte of page 1's flags, and from order 2 on page 2 carries an empty
 * `_deferred_list` over its mapping.
 */
export function prep_compound_page_6_12(k: Kernel, page: number, order: number): void {
  prepHeadAndTails(k, page, order);
  k.set_compound_order(k, page, order);
  const mem = k.mem;
  const one = (page + 1) << PAGE_WORDS_SHIFT;
  mem[one + W_LARGE_MAPCOUNT] = -1;
  mem[one + W_ENTIRE_MAPCOUNT] = -1;
  mem[one + W_NR_PAGES_MAPPED] = 0;
  mem[one + W_PINCOUNT] = 0;
  if (order > 1) {
    const list = one + PAGE_WORDS + W_DEFERRED_LIST;
    mem[list] = list << 2;
    mem[list + 1] = 0;
    mem[list + 2] = list << 2;
    mem[list + 3] = 0;
  }
}

/** `_flags_1`'s low byte and `_folio_nr_pages` (`mm/internal.h:folio_set_order`, 6.12). */
export function set_compound_order_6_12(k: Kernel, page: number, order: number): void {
  const mem = k.mem;
  const one = (page + 1) << PAGE_WORDS_SHIFT;
  mem[one + W_FLAGS] = (mem[one + W_FLAGS]! & ~0xff) | order;
  mem[one + W_FOLIO_NR_PAGES] = 1 << order;
}

/**
 * 2^order pages, or NULL (`mm/page_alloc.c:__alloc_pages`).
 *
 * Highmem first where the caller takes it, then lowmem. The failure that a
 * program asked for comes after the order was found possible
 * (`should_fail_alloc_page` in prepare_alloc_pages) and is used up even where
 * `__GFP_NOFAIL` overrules it.
 */
export function alloc_pages(k: Kernel, gfp: number, order: number): number {
  if (order >>> 0 > MAX_PAGE_ORDER) {
    if ((gfp & __GFP_NOWARN) === 0) warn(k, C_WARN_ORDER);
    return NULL;
  }
  if ((k.failNext & 1) !== 0) {
    k.failNext &= ~1;
    if ((gfp & __GFP_NOFAIL) === 0) return NULL;
  }
  let page = NULL;
  let tries = 0;
  do {
    page = k.placeNext >= 0 ? takePlaced(k, (gfp & __GFP_HIGHMEM) !== 0, order) : NULL;
    if (page === NULL && (gfp & __GFP_HIGHMEM) !== 0 && zone_watermark_ok(k, k.highZone, order)) {
      page = k.__rmqueue_smallest(k, k.highZone, order);
    }
    if (page === NULL && zone_watermark_ok(k, k.lowZone, order)) page = k.__rmqueue_smallest(k, k.lowZone, order);
    if (page === NULL) return NULL;
    if (tries === 0) k.warn_nofail(k, gfp, order);
    // Each block that is set aside has left its list: more than there are pages come from a list in a circle.
    if (tries++ > k.nrPages) bug(k, C_OOPS_LIST, page);
  } while (k.check_new_pages(k, page, order));
  k.prep_new_page(k, page, order, gfp);
  if (!k.memcg || (gfp & __GFP_ACCOUNT) === 0 || k.__memcg_kmem_charge_page(k, page, order, gfp)) return page;
  // Over the memcg's limit: what was allocated is given back.
  k.__free_pages(k, page, order);
  return NULL;
}

/** Complains of `__GFP_NOFAIL` for more than order 1 where there is memory to take (`mm/page_alloc.c:rmqueue`, 6.1). */
export function warn_nofail(k: Kernel, gfp: number, order: number): void {
  if ((gfp & __GFP_NOFAIL) !== 0 && order > 1) warn(k, C_WARN_NOFAIL);
}

/** 6.12 complains in the slow path, for which there is no memory in the model to come. */
export function warn_nofail_6_12(_k: Kernel, _gfp: number, _order: number): void {}

/** {@linkcode alloc_pages} by address, never of highmem (`mm/page_alloc.c:__get_free_pages`). */
export function __get_free_pages(k: Kernel, gfp: number, order: number): number {
  const page = k.alloc_pages(k, gfp & ~__GFP_HIGHMEM, order);
  return page === NULL ? NULL : k.page_address(k, page);
}

/** Single pages out of a block that is not compound (`mm/page_alloc.c:split_page`). */
export function split_page(k: Kernel, page: number, order: number): void {
  if (order >>> 0 > 30 || page < 0 || page + (1 << order) > k.nrPages) oops(k, page);
  if (k.debugVm) {
    if (isCompound(k, page)) bug(k, C_SPLIT_COMPOUND, page);
    if (k.mem[(page << PAGE_WORDS_SHIFT) + W_REFCOUNT]! === 0) bug(k, C_SPLIT_COUNT, page);
  }
  for (let i = 1; i < 1 << order; i++) set_page_refcounted(k, page + i);
  if (k.memcg) k.split_page_memcg(k, page, order);
}

/** `get_order`: of size 0 it is more than any allocator has. */
function get_order(size: number): number {
  return size <= 0 ? 52 : size <= PAGE_SIZE ? 0 : 32 - Math.clz32((size - 1) >> PAGE_SHIFT);
}

/**
 * As many pages as the size needs, each with a reference of its own
 * (`mm/page_alloc.c:alloc_pages_exact`, make_alloc_exact).
 *
 *     3 pages of a block of order 2:   ref 1 1 1 | surplus, to the list's tail
 */
export function alloc_pages_exact(k: Kernel, size: number, gfp: number): number {
  const order = get_order(size);
  if ((gfp & (__GFP_COMP | __GFP_HIGHMEM)) !== 0) {
    warn(k, C_WARN_EXACT);
    gfp &= ~(__GFP_COMP | __GFP_HIGHMEM);
  }
  const addr = k.__get_free_pages(k, gfp, order);
  if (addr === NULL) return NULL;
  const nr = ((size - 1) >> PAGE_SHIFT) + 1;
  const page = k.virt_to_page(k, addr);
  if (k.memcg) k.split_page_memcg(k, page, order);
  for (let last = page + nr - 1; last > page; last--) set_page_refcounted(k, last);
  const end = page + (1 << order);
  if (page + nr < end) event(k, EV_SURPLUS, page + nr, end - page - nr, 0);
  for (let i = page + nr; i < end; i++) k.__free_pages_ok(k, i, 0, true);
  return addr;
}
