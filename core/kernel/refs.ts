/**
 * References: getting and putting them, and what the last put of a folio frees.
 *
 * Read in include/linux/mm.h (put_page_testzero, get_page_unless_zero, folio_get,
 * get_page, put_page) and mm/swap.c:__folio_put of 6.1 and 6.12. LRU, memcg,
 * device and hugetlb pages are not modelled.
 *
 * @module
 */
import { PAGE_WORDS_SHIFT, W_LRU_PREV, W_REFCOUNT } from "../memory/words.ts";
import { COMPOUND_PAGE_DTOR } from "./alloc.ts";
import { bug, C_DTOR, C_GET_ZERO, C_OOPS_DTOR, C_PUT_ZERO, oops } from "./checks.ts";
import type { Kernel } from "./kernel.ts";

/** NR_COMPOUND_DTORS: null, compound, hugetlb, transparent huge page. */
const NR_COMPOUND_DTORS = 4;

/**
 * Drops a reference and says whether it was the last
 * (`include/linux/mm.h:put_page_testzero`). Of the page given, without a head
 * lookup; at 0 it goes to -1 where VM_BUG_ON is not compiled in.
 */
export function put_page_testzero(k: Kernel, page: number): boolean {
  if (page >>> 0 >= k.nrPages) oops(k, page);
  const mem = k.mem;
  const w = (page << PAGE_WORDS_SHIFT) + W_REFCOUNT;
  const ref = mem[w]!;
  if (ref === 0 && k.debugVm) bug(k, C_PUT_ZERO, page);
  mem[w] = ref - 1;
  return ref === 1;
}

/** A speculative reference on the page given: 0 where it has none (`include/linux/mm.h:get_page_unless_zero`). */
export function get_page_unless_zero(k: Kernel, page: number): number {
  if (page >>> 0 >= k.nrPages) oops(k, page);
  const mem = k.mem;
  const w = (page << PAGE_WORDS_SHIFT) + W_REFCOUNT;
  const ref = mem[w]!;
  if (ref === 0) return 0;
  mem[w] = ref + 1;
  return 1;
}

/** A reference on the page's folio (`include/linux/mm.h:get_page`, folio_get). */
export function get_page(k: Kernel, page: number): void {
  const folio = k.compound_head(k, page);
  const mem = k.mem;
  const w = (folio << PAGE_WORDS_SHIFT) + W_REFCOUNT;
  const ref = mem[w]!;
  if (k.debugVm && (ref + 127) >>> 0 <= 127) bug(k, C_GET_ZERO, folio);
  mem[w] = ref + 1;
}

/** Drops a reference on the page's folio (`include/linux/mm.h:put_page`). */
export function put_page(k: Kernel, page: number): void {
  const folio = k.compound_head(k, page);
  if (k.put_page_testzero(k, folio)) k.__folio_put(k, folio);
}

/** Frees a folio by its own order: a block that is not compound loses page 0 only (`mm/swap.c:__folio_put`, 6.12). */
export function __folio_put_6_12(k: Kernel, folio: number): void {
  k.free_unref_page(k, folio, k.compound_order(k, folio));
}

/**
 * Frees a folio (`mm/swap.c:__folio_put`, 6.1): a large one through the
 * destructor whose index page 1 holds (`mm/page_alloc.c:destroy_large_folio`).
 * Only the compound page's destructor is modelled; any other index is what a
 * store over page 1's words left there.
 */
export function __folio_put(k: Kernel, folio: number): void {
  if (k.PageHead(k, folio) === 0) {
    k.free_unref_page(k, folio, 0);
    return;
  }
  if (folio + 1 >= k.nrPages) oops(k, folio + 1);
  const dtor = k.mem[((folio + 1) << PAGE_WORDS_SHIFT) + W_LRU_PREV]! & 0xff;
  if (k.debugVm && dtor >= NR_COMPOUND_DTORS) bug(k, C_DTOR, folio);
  if (dtor !== COMPOUND_PAGE_DTOR) bug(k, C_OOPS_DTOR, folio);
  k.free_unref_page(k, folio, k.compound_order(k, folio));
}
