/**
 * Page table descriptors: casts that cost nothing and look at nothing, and an
 * allocation and release that rely on the block being compound.
 *
 * Read in include/linux/mm.h and include/linux/mm_types.h of 6.12; v2 from
 * patch 05/34 of "Split ptdesc from struct page", version 2, where they are
 * called ptdesc_alloc, ptdesc_free and ptdesc_is_reserved.
 *
 * @module
 */
import * as $gfp from "../memory/gfp.ts";
import * as $words from "../memory/words.ts";
import type { Kernel } from "./kernel.ts";

const { __GFP_COMP } = $gfp;
const { NULL, PAGE_WORDS_SHIFT, W_REFCOUNT } = $words;

/** The page's words under a descriptor's names; NULL stays NULL, a tail page makes the descriptor of a tail. */
export function page_ptdesc(_k: Kernel, page: number): number {
  return page;
}

/** The descriptor's words under a page's names. */
export function ptdesc_page(_k: Kernel, pt: number): number {
  return pt;
}

/** The descriptor's words under a folio's names. */
export function ptdesc_folio(_k: Kernel, pt: number): number {
  return pt;
}

/** The descriptor of the exact page (`include/linux/mm.h:virt_to_ptdesc`, as merged in 6.6). */
export function virt_to_ptdesc(k: Kernel, addr: number): number {
  return k.page_ptdesc(k, k.virt_to_page(k, addr));
}

/** The descriptor through the head page (`virt_to_ptdesc`, v2): right for compound tables only. */
export function virt_to_ptdesc_v2(k: Kernel, addr: number): number {
  return k.page_ptdesc(k, k.virt_to_head_page(k, addr));
}

/** `page_to_virt` of the descriptor's page. */
export function ptdesc_to_virt(k: Kernel, pt: number): number {
  return k.page_to_virt(k, k.ptdesc_page(k, pt));
}

/** `folio_address` of the descriptor's folio: NULL for highmem. */
export function ptdesc_address(k: Kernel, pt: number): number {
  return k.page_address(k, k.ptdesc_folio(k, pt));
}

/** `folio_test_reserved`. */
export function pagetable_is_reserved(k: Kernel, pt: number): number {
  return k.folio_test_reserved(k, k.ptdesc_folio(k, pt));
}

/** Always compound where the order allows it. NULL passes through the cast. */
export function pagetable_alloc(k: Kernel, gfp: number, order: number): number {
  return k.page_ptdesc(k, k.alloc_pages(k, gfp | __GFP_COMP, order));
}

/**
 * Frees by the order that the block itself gives. Memory that is not compound
 * answers 0: one page is freed, and the rest belongs to nobody.
 */
export function pagetable_free(k: Kernel, pt: number): void {
  const page = k.ptdesc_page(k, pt);
  k.__free_pages(k, page, k.compound_order(k, page));
}

/** {@linkcode pagetable_alloc} of frozen: the block has no reference (`mm/page_alloc.c:alloc_frozen_pages`). */
export function pagetable_alloc_frozen(k: Kernel, gfp: number, order: number): number {
  const page = k.alloc_pages(k, gfp | __GFP_COMP, order);
  if (page !== NULL) k.mem[(page << PAGE_WORDS_SHIFT) + W_REFCOUNT] = 0;
  return k.page_ptdesc(k, page);
}

/** {@linkcode pagetable_free} of frozen: there is no reference to drop (`mm/page_alloc.c:free_frozen_pages`). */
export function pagetable_free_frozen(k: Kernel, pt: number): void {
  const page = k.ptdesc_page(k, pt);
  k.free_unref_page(k, page, k.compound_order(k, page));
}

/** `clear_page` (v2): one page, whatever the order. */
export function ptdesc_clear(k: Kernel, addr: number): void {
  k.clear_page(k, addr);
}

/** `free_reserved_page`: one page, whatever the order. */
export function free_reserved_ptdesc(k: Kernel, pt: number): void {
  k.free_reserved_page(k, k.ptdesc_page(k, pt));
}
