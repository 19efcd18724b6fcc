/**
 * References: getting and putting them, and what the last put of a folio frees.
 *
 * Read in include/linux/mm.h (put_page_testzero, get_page_unless_zero, folio_get,
 * get_page, put_page, folio_nr_pages) and mm/swap.c:__folio_put of 6.1 and 6.12. LRU,
 * device and hugetlb pages are not modelled.
 *
 * @module
 */
import * as $words from "../memory/words.ts";
import * as $alloc from "./alloc.ts";
import * as $checks from "./checks.ts";
import type { Kernel } from "./kernel.ts";
import * as $memcg from "./memcg.ts";

const { PAGE_WORDS, PAGE_WORDS_SHIFT, W_FLAGS, W_LRU_PREV, W_REFCOUNT } = $words;
const { COMPOUND_PAGE_DTOR, W_COMPOUND_NR, W_FOLIO_NR_PAGES } = $alloc;
const { bug, C_DTOR, C_GET_ZERO, C_OOPS_DTOR, C_PUT_ZERO, oops } = $checks;
const { mem_cgroup_uncharge } = $memcg;

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

/** The pages of a folio: `compound_nr` of page 1 (`include/linux/mm.h:folio_nr_pages`, 6.1). A page that is no head is one. */
export function folio_nr_pages(k: Kernel, folio: number): number {
  return wordOfPage1(k, folio, W_COMPOUND_NR);
}

/** {@linkcode folio_nr_pages} since 6.6: `_folio_nr_pages`, where `pgd_set_mm` stores the mm of a pgd's second page. */
export function folio_nr_pages_6_6(k: Kernel, folio: number): number {
  return wordOfPage1(k, folio, W_FOLIO_NR_PAGES);
}

function wordOfPage1(k: Kernel, folio: number, word: number): number {
  const w = folio << PAGE_WORDS_SHIFT;
  if ((k.mem[w + W_FLAGS]! & k.pgHead) === 0) return 1;
  if (folio + 1 >= k.nrPages) oops(k, folio + 1);
  return k.mem[w + PAGE_WORDS + word]!;
}

/** Frees a folio by its own order: a block that is not compound loses page 0 only (`mm/swap.c:__folio_put`, 6.12). */
export function __folio_put_6_12(k: Kernel, folio: number): void {
  if (k.memcg) mem_cgroup_uncharge(k, folio);
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
    if (k.memcg) mem_cgroup_uncharge(k, folio);
    k.free_unref_page(k, folio, 0);
    return;
  }
  if (folio + 1 >= k.nrPages) oops(k, folio + 1);
  const dtor = k.mem[((folio + 1) << PAGE_WORDS_SHIFT) + W_LRU_PREV]! & 0xff;
  if (k.debugVm && dtor >= NR_COMPOUND_DTORS) bug(k, C_DTOR, folio);
  if (dtor !== COMPOUND_PAGE_DTOR) bug(k, C_OOPS_DTOR, folio);
  if (k.memcg) mem_cgroup_uncharge(k, folio);
  k.free_unref_page(k, folio, k.compound_order(k, folio));
}
