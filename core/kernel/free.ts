/**
 * Release: checks, and the way back to the free lists.
 *
 * Read in mm/page_alloc.c of 6.1 (free_pages_prepare, free_tail_pages_check,
 * free_the_page, free_unref_page_prepare, bulkfree_pcp_prepare, __free_pages_ok,
 * __free_pages, free_pages_exact) and 6.12 (free_pages_prepare,
 * free_tail_page_prepare, free_unref_page, free_one_page, split_large_buddy).
 *
 * There are no per-CPU lists: a block of their orders (up to
 * PAGE_ALLOC_COSTLY_ORDER) goes to the buddy lists at once. Hardware poison, mlock
 * and page_pool are not modelled; CONFIG_HUGETLB_PAGE is taken to be set, so 6.12 does not look at the mapping of tail 3.
 *
 * @module
 */
import * as $words from "../memory/words.ts";
import * as $alloc from "./alloc.ts";
import * as $buddy from "./buddy.ts";
import * as $checks from "./checks.ts";
import type { Kernel } from "./kernel.ts";
import * as $list from "./list.ts";
import * as $memcg from "./memcg.ts";
import * as $page from "./page.ts";
import * as $points from "./points.ts";

const {
  NULL,
  PAGE_SHIFT,
  PAGE_SIZE,
  PAGE_WORDS,
  PAGE_WORDS_SHIFT,
  STRUCT_PAGE_SHIFT,
  W_COMPOUND_HEAD,
  W_FLAGS,
  W_MAPPING,
  W_PRIVATE,
  W_TYPE,
} = $words;
const {
  page_bad_reason,
  TAIL_MAPPING,
  W_DEFERRED_LIST,
  W_ENTIRE_MAPCOUNT,
  W_LARGE_MAPCOUNT,
  W_NR_PAGES_MAPPED,
  W_PINCOUNT,
} = $alloc;
const { page_zone } = $buddy;
const {
  bad_page,
  bug,
  C_COMPOUND_MAPCOUNT,
  C_DEFERRED_LIST,
  C_ENTIRE_LARGE,
  C_ENTIRE_MAPCOUNT,
  C_FLAGS_FREE,
  C_FREE_PAGES_ADDR,
  C_LARGE_MAPCOUNT,
  C_NR_PAGES_MAPPED,
  C_PINCOUNT,
  C_PREPARE_ORDER,
  C_PREPARE_TAIL,
  C_TAIL_HEAD,
  C_TAIL_MAPPING,
  C_TAIL_NOT_SET,
  oops,
} = $checks;
const { throughPcpList } = $list;
const { isCharged, uncharge } = $memcg;
const { isCompound } = $page;
const { AFTER_PUT, reachPoint } = $points;

/** The largest order of the per-CPU lists (`pcp_allowed_order`). */
export const PAGE_ALLOC_COSTLY_ORDER = 3;
/** Larger blocks are freed in blocks of this order by 6.12 (`split_large_buddy`; x86 with 2M pages). */
const PAGEBLOCK_ORDER = 9;

/** Whether a page is not fit to be free; then `bad_page` said why (`mm/page_alloc.c:free_page_is_bad`). */
export function free_page_is_bad(k: Kernel, page: number): boolean {
  return isBad(k, page, page);
}

function isBad(k: Kernel, page: number, first: number): boolean {
  const reason = page_bad_reason(k, page, k.checkAtFree, C_FLAGS_FREE);
  if (reason < 0) return false;
  bad_page(k, page, reason, first);
  return true;
}

/** What both versions ask of a tail page last; -1 where it is fine. */
function tailLink(k: Kernel, head: number, page: number): number {
  const link = k.mem[(page << PAGE_WORDS_SHIFT) + W_COMPOUND_HEAD]!;
  if ((link & 1) === 0) return C_TAIL_NOT_SET;
  return link === ((head << STRUCT_PAGE_SHIFT) | 1) ? -1 : C_TAIL_HEAD;
}

/** Complains if there is a reason, then takes the page out of its block: mapping and compound_head are cleared in any case. */
function tailDone(k: Kernel, head: number, page: number, reason: number): number {
  if (reason >= 0) bad_page(k, page, reason, head);
  const mem = k.mem;
  const w = page << PAGE_WORDS_SHIFT;
  mem[w + W_MAPPING] = 0;
  mem[w + W_MAPPING + 1] = 0;
  mem[w + W_COMPOUND_HEAD] = 0;
  mem[w + W_COMPOUND_HEAD + 1] = 0;
  return reason >= 0 ? 1 : 0;
}

/**
 * Takes a tail page out of its compound block, 1 where it is bad
 * (`mm/page_alloc.c:free_tail_pages_check`, 6.1; checks with DEBUG_VM only).
 * The map count of page 1 is asked of its folio, so a page 1 that lost its
 * head is a BUG before it can be "PageTail not set".
 */
export function free_tail_page_prepare(k: Kernel, head: number, page: number): number {
  if (!k.debugVm) return tailDone(k, head, page, -1);
  const mem = k.mem;
  const w = page << PAGE_WORDS_SHIFT;
  if (page === head + 1) {
    const folio = k.compound_head(k, page);
    if ((mem[(folio << PAGE_WORDS_SHIFT) + W_FLAGS]! & k.pgHead) === 0) bug(k, C_ENTIRE_LARGE, folio);
    if (folio + 1 >= k.nrPages) oops(k, folio + 1);
    if (mem[((folio + 1) << PAGE_WORDS_SHIFT) + W_ENTIRE_MAPCOUNT]! !== -1) {
      return tailDone(k, head, page, C_COMPOUND_MAPCOUNT);
    }
  } else if (page > head + 2 && (mem[w + W_MAPPING]! !== TAIL_MAPPING || mem[w + W_MAPPING + 1]! !== 0)) {
    return tailDone(k, head, page, C_TAIL_MAPPING);
  }
  return tailDone(k, head, page, tailLink(k, head, page));
}

/** {@linkcode free_tail_page_prepare} of 6.12: page 1 and 2 are asked for what lies over their mapping. */
export function free_tail_page_prepare_6_12(k: Kernel, head: number, page: number): number {
  if (!k.debugVm) return tailDone(k, head, page, -1);
  return tailDone(k, head, page, tailReason(k, head, page));
}

function tailReason(k: Kernel, head: number, page: number): number {
  const mem = k.mem;
  const w = page << PAGE_WORDS_SHIFT;
  switch (page - head) {
    case 1:
      if (mem[w + W_ENTIRE_MAPCOUNT]! !== -1) return C_ENTIRE_MAPCOUNT;
      if (mem[w + W_LARGE_MAPCOUNT]! !== -1) return C_LARGE_MAPCOUNT;
      if (mem[w + W_NR_PAGES_MAPPED]! !== 0) return C_NR_PAGES_MAPPED;
      if (mem[w + W_PINCOUNT]! !== 0) return C_PINCOUNT;
      break;
    case 2:
      if (mem[w + W_DEFERRED_LIST]! !== (w + W_DEFERRED_LIST) << 2 || mem[w + W_DEFERRED_LIST + 1]! !== 0) {
        return C_DEFERRED_LIST;
      }
      break;
    case 3:
      break;
    default:
      if (mem[w + W_MAPPING]! !== TAIL_MAPPING || mem[w + W_MAPPING + 1]! !== 0) return C_TAIL_MAPPING;
  }
  return tailLink(k, head, page);
}

/** Every page that a free touches must exist. */
function mustExist(k: Kernel, page: number, order: number): void {
  if (order >>> 0 > 30 || page < 0 || page + (1 << order) > k.nrPages) oops(k, page);
}

/** `PageMappingFlags`: bit 0 or 1 of mapping is set, then it is cleared without a word. */
function clearMappingFlags(mem: Int32Array, w: number): void {
  if ((mem[w + W_MAPPING]! & 3) !== 0) {
    mem[w + W_MAPPING] = 0;
    mem[w + W_MAPPING + 1] = 0;
  }
}

/**
 * Makes a block fit for the free lists, or sets it aside: false
 * (`mm/page_alloc.c:free_pages_prepare`, 6.1).
 *
 * Every tail page is checked, with DEBUG_VM or without. The block's order is
 * compared inside `if (order)`: a compound head that is freed with order 0
 * passes in silence.
 *
 * @param checkFree whether page 0 is checked too
 */
export function free_pages_prepare(k: Kernel, page: number, order: number, checkFree: boolean): boolean {
  mustExist(k, page, order);
  const mem = k.mem;
  const w = page << PAGE_WORDS_SHIFT;
  if (k.debugVm && (mem[w + W_COMPOUND_HEAD]! & 1) !== 0) bug(k, C_PREPARE_TAIL, page);
  let bad = 0;
  if (order !== 0) {
    const compound = isCompound(k, page);
    if (k.debugVm && compound && k.compound_order(k, page) !== order) bug(k, C_PREPARE_ORDER, page);
    if (compound) mem[w + PAGE_WORDS + W_FLAGS] = mem[w + PAGE_WORDS + W_FLAGS]! & ~k.flagsSecond;
    const clear = ~k.checkAtPrep;
    for (let i = page + 1; i < page + (1 << order); i++) {
      if (compound) bad += k.free_tail_page_prepare(k, page, i);
      if (isBad(k, i, page)) bad++;
      else mem[(i << PAGE_WORDS_SHIFT) + W_FLAGS] = mem[(i << PAGE_WORDS_SHIFT) + W_FLAGS]! & clear;
    }
  }
  clearMappingFlags(mem, w);
  if (k.memcg) k.__memcg_kmem_uncharge_page(k, page, order);
  if (checkFree && k.free_page_is_bad(k, page)) bad++;
  if (bad !== 0) return false;
  mem[w + W_FLAGS] = mem[w + W_FLAGS]! & ~k.checkAtPrep;
  mem[w + W_PRIVATE] = 0;
  mem[w + W_PRIVATE + 1] = 0;
  return true;
}

/**
 * {@linkcode free_pages_prepare} of 6.6: page checks only with
 * is_check_pages_enabled(), that is CONFIG_DEBUG_VM; the order is still
 * compared inside `if (order)`. From the list's history, not from a source tree.
 */
export function free_pages_prepare_6_6(k: Kernel, page: number, order: number, _checkFree: boolean): boolean {
  if (k.debugVm) return free_pages_prepare(k, page, order, true);
  return prepareUnchecked(k, page, order);
}

/**
 * {@linkcode free_pages_prepare} of 6.12: without DEBUG_VM no page is checked
 * at all; with it the order of a compound block is compared for order 0 too.
 */
export function free_pages_prepare_6_12(k: Kernel, page: number, order: number, _checkFree: boolean): boolean {
  if (!k.debugVm) return prepareUnchecked(k, page, order);
  mustExist(k, page, order);
  if ((k.mem[(page << PAGE_WORDS_SHIFT) + W_COMPOUND_HEAD]! & 1) !== 0) bug(k, C_PREPARE_TAIL, page);
  if (k.memcg) k.__memcg_kmem_uncharge_page(k, page, order);
  if (isCompound(k, page) && k.compound_order(k, page) !== order) bug(k, C_PREPARE_ORDER, page);
  return free_pages_prepare(k, page, order, true);
}

/** A type in the top byte (`page_type_has_type`): anything below PGTY_mapcount_underflow. */
const PGTY_MAPCOUNT_UNDERFLOW = 0xff00_0000 | 0;

/**
 * {@linkcode free_pages_prepare} since 6.17: whatever type the page has is
 * cleared before it is checked (2dfcd1608f3a). From the list's history.
 */
export function free_pages_prepare_6_17(k: Kernel, page: number, order: number, checkFree: boolean): boolean {
  mustExist(k, page, order);
  const w = (page << PAGE_WORDS_SHIFT) + W_TYPE;
  if (k.mem[w]! < PGTY_MAPCOUNT_UNDERFLOW) k.mem[w] = -1;
  return free_pages_prepare_6_12(k, page, order, checkFree);
}

/** What is left of free_pages_prepare without the checks. */
function prepareUnchecked(k: Kernel, page: number, order: number): boolean {
  mustExist(k, page, order);
  const mem = k.mem;
  const w = page << PAGE_WORDS_SHIFT;
  const clear = ~k.checkAtPrep;
  if (k.memcg) k.__memcg_kmem_uncharge_page(k, page, order);
  if (order !== 0) {
    const compound = isCompound(k, page);
    if (compound) mem[w + PAGE_WORDS + W_FLAGS] = mem[w + PAGE_WORDS + W_FLAGS]! & ~k.flagsSecond;
    for (let i = page + 1; i < page + (1 << order); i++) {
      if (compound) k.free_tail_page_prepare(k, page, i);
      mem[(i << PAGE_WORDS_SHIFT) + W_FLAGS] = mem[(i << PAGE_WORDS_SHIFT) + W_FLAGS]! & clear;
    }
  }
  clearMappingFlags(mem, w);
  mem[w + W_FLAGS] = mem[w + W_FLAGS]! & clear;
  mem[w + W_PRIVATE] = 0;
  mem[w + W_PRIVATE + 1] = 0;
  return true;
}

/**
 * Whether a page that leaves a per-CPU list is bad
 * (`mm/page_alloc.c:bulkfree_pcp_prepare`, 6.1): asked without DEBUG_VM only,
 * as with it the page was checked on its way in.
 */
export function bulkfree_pcp_prepare(k: Kernel, page: number): boolean {
  return !k.debugVm && k.free_page_is_bad(k, page);
}

/** 6.6 and later have no such check. */
export function bulkfree_pcp_prepare_6_6(_k: Kernel, _page: number): boolean {
  return false;
}

/**
 * Frees a block whose last reference is gone (6.1: `mm/page_alloc.c:free_the_page`,
 * which chooses between the per-CPU lists and __free_pages_ok).
 *
 * Without DEBUG_VM, 6.1 checks page 0 of a per-CPU block only when it leaves
 * the per-CPU list (`bulkfree_pcp_prepare`): after free_pages_prepare, which
 * has cleared the flags, so PG_reserved is never found there. Here it leaves
 * the list at once.
 */
export function free_unref_page(k: Kernel, page: number, order: number): void {
  if (order > PAGE_ALLOC_COSTLY_ORDER) {
    k.__free_pages_ok(k, page, order, false);
    return;
  }
  if (!k.free_pages_prepare(k, page, order, k.debugVm)) return;
  k.set_pcppage_migratetype(k, page);
  throughPcpList(k, page);
  if (k.bulkfree_pcp_prepare(k, page)) return;
  k.__free_one_page(k, page, page_zone(k, page), order, false);
}

/** {@linkcode free_unref_page} of 6.6 and 6.12: nothing is checked a second time. */
export function free_unref_page_6_6(k: Kernel, page: number, order: number): void {
  if (order > PAGE_ALLOC_COSTLY_ORDER) {
    k.__free_pages_ok(k, page, order, false);
    return;
  }
  if (!k.free_pages_prepare(k, page, order, true)) return;
  k.set_pcppage_migratetype(k, page);
  throughPcpList(k, page);
  k.__free_one_page(k, page, page_zone(k, page), order, false);
}

/** Frees a block past the per-CPU lists, with every check that there is (`mm/page_alloc.c:__free_pages_ok`). */
export function __free_pages_ok(k: Kernel, page: number, order: number, toTail: boolean): void {
  if (k.free_pages_prepare(k, page, order, true)) k.__free_one_page(k, page, page_zone(k, page), order, toTail);
}

/** {@linkcode __free_pages_ok} of 6.12. */
export function __free_pages_ok_6_12(k: Kernel, page: number, order: number, toTail: boolean): void {
  if (k.free_pages_prepare(k, page, order, true)) free_one_page(k, page, order, toTail);
}

/** `free_one_page` of 6.12 with split_large_buddy: orders above a pageblock's go as pageblocks, which merge again. */
export function free_one_page(k: Kernel, page: number, order: number, toTail: boolean): void {
  const zone = page_zone(k, page);
  const end = page + (1 << order);
  if (order > PAGEBLOCK_ORDER) order = PAGEBLOCK_ORDER;
  for (let i = page; i < end; i += 1 << order) k.__free_one_page(k, i, zone, order, toTail);
}

/**
 * Drops a reference on a block and frees it with the last one
 * (`mm/page_alloc.c:__free_pages`, 6.1 and 6.12).
 *
 * The head flag is read before the put: afterwards another holder may have
 * freed the block and cleared it. Without a head the tail pages have no other
 * owner, so when a speculative holder keeps page 0 they are freed here.
 *
 *     order 2, no head, someone else holds page 0:
 *     page    0    1    2    3
 *     ref     1    -    -    -
 *             |    +-1-+----2---+   freed as orders 0 and 1, the larger first
 *             stays with the holder
 *
 * @param k the kernel whose functions are called from here
 * @param page pfn of the block's first page
 * @param order log2 of the number of pages, as the caller claims
 */
export function __free_pages(k: Kernel, page: number, order: number): void {
  const head = k.PageHead(k, page);
  const last = k.put_page_testzero(k, page);
  if (k.armed >= 0) reachPoint(k, AFTER_PUT);
  if (last) {
    k.free_unref_page(k, page, order);
  } else if (head === 0) {
    while (order-- > 0) k.free_unref_page(k, page + (1 << order), order);
  }
}

/**
 * {@linkcode __free_pages} before 462a8e08e0e6 (B2): the head flag is read
 * after the put, when the block may be somebody else's.
 */
export function __free_pages_without_B2(k: Kernel, page: number, order: number): void {
  const last = k.put_page_testzero(k, page);
  if (k.armed >= 0) reachPoint(k, AFTER_PUT);
  if (last) {
    k.free_unref_page(k, page, order);
  } else if (k.PageHead(k, page) === 0) {
    while (order-- > 0) k.free_unref_page(k, page + (1 << order), order);
  }
}

/** {@linkcode __free_pages} before e320d3012d25 (B1): nobody frees the tail pages of a block that is not compound. */
export function __free_pages_without_B1(k: Kernel, page: number, order: number): void {
  const last = k.put_page_testzero(k, page);
  if (k.armed >= 0) reachPoint(k, AFTER_PUT);
  if (last) k.free_unref_page(k, page, order);
}

/**
 * {@linkcode __free_pages} with a repair of B3: page 0 alone knows of the charge, so
 * the tails are uncharged here. Whether there is one is read before the put, as
 * the head flag is: afterwards page 0 may be somebody else's.
 */
export function __free_pages_with_B3(k: Kernel, page: number, order: number): void {
  const head = k.PageHead(k, page);
  const charged = k.memcg && isCharged(k, page);
  const last = k.put_page_testzero(k, page);
  if (k.armed >= 0) reachPoint(k, AFTER_PUT);
  if (last) {
    k.free_unref_page(k, page, order);
  } else if (head === 0) {
    if (charged) uncharge(k, (1 << order) - 1);
    while (order-- > 0) k.free_unref_page(k, page + (1 << order), order);
  }
}

/** {@linkcode __free_pages} by address; NULL is nothing (`mm/page_alloc.c:free_pages`). */
export function free_pages(k: Kernel, addr: number, order: number): void {
  if (addr === NULL) return;
  const page = k.virt_to_page(k, addr);
  if (k.debugVm && page >>> 0 >= k.highStart) bug(k, C_FREE_PAGES_ADDR, -1);
  k.__free_pages(k, page, order);
}

/** Frees what alloc_pages_exact gave, page by page (`mm/page_alloc.c:free_pages_exact`). */
export function free_pages_exact(k: Kernel, virt: number, size: number): void {
  const nr = size <= 0 ? 0 : ((size - 1) >> PAGE_SHIFT) + 1;
  for (let i = 0; i < nr; i++) k.free_pages(k, virt + i * PAGE_SIZE, 0);
}
