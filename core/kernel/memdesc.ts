/**
 * Page tables whose descriptors are allocated apart from `struct page`.
 *
 * No kernel has this: it is where "Split ptdesc from struct page" leads, as far
 * as it was published (see `../memory/memdesc.ts`). What the published text leaves
 * open is decided so that code which would have to change shows:
 *
 * - `pagetable_alloc` allocates the descriptor, then the pages; each may fail.
 * - `page_ptdesc` is a load with a type check. Of a page that is no table's it is
 *   a BUG: NULL is all that it could answer, and no caller asks.
 * - Memory of the boot allocator and of `alloc_pages` has no descriptor.
 * - `ptdesc_folio`, and the folio of a table's page, are BUGs: there is none.
 * - A table is not compound: its order is in the descriptor.
 * - `pagetable_free` clears the pages' memdescs, frees the pages, then the descriptor.
 *
 * @module
 */
import * as $events from "../memory/events.ts";
import * as $gfp from "../memory/gfp.ts";
import * as $memdesc from "../memory/memdesc.ts";
import * as $words from "../memory/words.ts";
import * as $checks from "./checks.ts";
import type { Kernel } from "./kernel.ts";
import * as $page from "./page.ts";

const { EV_PTDESC_FREE } = $events;
const { __GFP_COMP, __GFP_NOFAIL } = $gfp;
const { D_FREE, D_LIVE, D_NEXT, D_ORDER, D_PAGE, MEMDESC_PTDESC, MEMDESC_TYPE, PAGE_ADDRESS, pageBehind, ptdescOf } =
  $memdesc;
const { NULL, PAGE_WORDS, PAGE_WORDS_SHIFT, STRUCT_PAGE_SHIFT, W_COMPOUND_HEAD, W_REFCOUNT, W_TYPE } = $words;
const { bug, C_NO_FOLIO, C_NO_PTDESC, C_PTDESC_FOLIO, C_PTDESC_GONE, event, oops } = $checks;
const { compound_head } = $page;

/** Bit of `failNext`: the descriptor cannot be had. */
export const FAIL_PTDESC: number = 1 << 4;

/** First word of a descriptor; anything that is none is an oops. */
function ptdescWord(k: Kernel, pt: number): number {
  if (pt < k.firstPtdesc || pt >= k.ptdescEnd) oops(k, pt);
  return pt << PAGE_WORDS_SHIFT;
}

/** A descriptor from the slab, NULL where there is none (`kmem_cache_alloc`). */
export function ptdesc_cache_alloc(k: Kernel, gfp: number): number {
  if ((k.failNext & FAIL_PTDESC) !== 0) {
    k.failNext &= ~FAIL_PTDESC;
    if ((gfp & __GFP_NOFAIL) === 0) return NULL;
  }
  const mem = k.mem;
  const head = (k.firstPtdesc << PAGE_WORDS_SHIFT) - PAGE_WORDS;
  const pt = mem[head + D_FREE]!;
  if (pt === 0) return NULL;
  const w = pt << PAGE_WORDS_SHIFT;
  mem[head + D_FREE] = mem[w + D_NEXT]!;
  mem[head + D_LIVE] = mem[head + D_LIVE]! + 1;
  for (let i = 0; i < PAGE_WORDS; i++) mem[w + i] = 0;
  mem[w + W_TYPE] = -1;
  return pt;
}

/** Gives a descriptor back (`kmem_cache_free`): its memory stays a descriptor's (TYPESAFE_BY_RCU). */
export function ptdesc_cache_free(k: Kernel, pt: number): void {
  const mem = k.mem;
  const w = ptdescWord(k, pt);
  const page = pageBehind(mem, pt);
  event(k, EV_PTDESC_FREE, pt, page >= 0 ? mem[(page << PAGE_WORDS_SHIFT) + W_COMPOUND_HEAD]! : 0, 0);
  const head = (k.firstPtdesc << PAGE_WORDS_SHIFT) - PAGE_WORDS;
  mem[w + D_PAGE] = 0;
  mem[w + D_NEXT] = mem[head + D_FREE]!;
  mem[head + D_FREE] = pt;
  mem[head + D_LIVE] = mem[head + D_LIVE]! - 1;
}

/** The slab as after boot: every descriptor is free. */
export function bootPtdescs(k: Kernel): void {
  const head = (k.firstPtdesc << PAGE_WORDS_SHIFT) - PAGE_WORDS;
  for (let pt = k.firstPtdesc; pt < k.ptdescEnd; pt++) {
    k.mem[(pt << PAGE_WORDS_SHIFT) + D_NEXT] = pt + 1 < k.ptdescEnd ? pt + 1 : 0;
  }
  k.mem[head + D_FREE] = k.firstPtdesc;
}

/** Writes the memdesc of each page of a table; 0 for none. */
export function setMemdescs(k: Kernel, page: number, order: number, memdesc: number): void {
  const mem = k.mem;
  const end = (page + (1 << order)) << PAGE_WORDS_SHIFT;
  for (let w = page << PAGE_WORDS_SHIFT; w < end; w += PAGE_WORDS) {
    mem[w + W_COMPOUND_HEAD] = memdesc;
    mem[w + W_COMPOUND_HEAD + 1] = 0;
  }
}

/** Descriptor and pages of a table, which lead to each other; NULL where either cannot be had. */
export function pagetable_alloc_memdesc(k: Kernel, gfp: number, order: number): number {
  const pt = ptdesc_cache_alloc(k, gfp);
  if (pt === NULL) return NULL;
  const page = k.alloc_pages(k, gfp & ~__GFP_COMP, order);
  if (page === NULL) {
    ptdesc_cache_free(k, pt);
    return NULL;
  }
  const mem = k.mem;
  mem[(page << PAGE_WORDS_SHIFT) + W_REFCOUNT] = 0;
  mem[(pt << PAGE_WORDS_SHIFT) + D_PAGE] = PAGE_ADDRESS + (page << STRUCT_PAGE_SHIFT);
  mem[(pt << PAGE_WORDS_SHIFT) + D_ORDER] = order;
  setMemdescs(k, page, order, (pt << STRUCT_PAGE_SHIFT) | MEMDESC_PTDESC);
  return pt;
}

/** The pages' memdescs, the pages, the descriptor: in this order, so that no page leads to a descriptor that is free. */
export function pagetable_free_memdesc(k: Kernel, pt: number): void {
  const page = k.ptdesc_page(k, pt);
  const order = k.mem[(pt << PAGE_WORDS_SHIFT) + D_ORDER]!;
  setMemdescs(k, page, order, 0);
  k.free_unref_page(k, page, order);
  ptdesc_cache_free(k, pt);
}

/** The descriptor of any page of a table. */
export function page_ptdesc_memdesc(k: Kernel, page: number): number {
  if (page === NULL) return NULL;
  if (page >>> 0 >= k.nrPages) oops(k, page);
  const pt = ptdescOf(k.mem, page);
  if (pt === 0) bug(k, C_NO_PTDESC, page);
  return pt;
}

/** The first page of a descriptor's table. */
export function ptdesc_page_memdesc(k: Kernel, pt: number): number {
  if (pt === NULL) return NULL;
  ptdescWord(k, pt);
  const page = pageBehind(k.mem, pt);
  if (page < 0) bug(k, C_PTDESC_GONE, -1);
  return page;
}

/** A descriptor is no folio. */
export function ptdesc_folio_memdesc(k: Kernel, pt: number): number {
  if (pt === NULL) return NULL;
  return bug(k, C_PTDESC_FOLIO, pageBehind(k.mem, pt));
}

/** `page_address` of the first page. */
export function ptdesc_address_memdesc(k: Kernel, pt: number): number {
  return k.page_address(k, k.ptdesc_page(k, pt));
}

/** PT_reserved of the descriptor: boot tables have none, so none is set. */
export function pagetable_is_reserved_memdesc(k: Kernel, pt: number): number {
  ptdescWord(k, pt);
  return 0;
}

/** The head of a page; a table's page belongs to no folio. */
export function compound_head_memdesc(k: Kernel, page: number): number {
  if (page >>> 0 >= k.nrPages) oops(k, page);
  if (ptdescOf(k.mem, page) !== 0) bug(k, C_NO_FOLIO, page);
  return compound_head(k, page);
}

/** Whether a page is a folio's tail: bit 0 is set in a table's memdesc too. */
export function PageTail_memdesc(k: Kernel, page: number): number {
  if (page >>> 0 >= k.nrPages) oops(k, page);
  return (k.mem[(page << PAGE_WORDS_SHIFT) + W_COMPOUND_HEAD]! & MEMDESC_TYPE) === 1 ? 1 : 0;
}

/** {@linkcode PageTail_memdesc}, or a folio's head. */
export function PageCompound_memdesc(k: Kernel, page: number): number {
  return k.PageTail(k, page) | k.PageHead(k, page);
}
