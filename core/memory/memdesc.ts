/**
 * Page table descriptors that are allocated apart from `struct page` (kernel
 * `memdesc`): objects of a slab that lies behind the contents of pages.
 *
 *     one head       D_FREE first free descriptor, D_LIVE how many are not free
 *     descriptors    64 bytes each, as many as pages
 *
 * A descriptor has the fields of 6.12's `struct ptdesc` at their places, so that
 * what is stored through one (pt_list, pt_mm, ptl) lies at the same offsets; the
 * words that were page's `mapping` and `_refcount` hold the way back to the page
 * and the order. A value of kind ptdesc is the number whose `<< 6` is the
 * descriptor's address, as a page's number is: it is just no page's.
 *
 * Every page of a table holds the address of its descriptor in the place of
 * `compound_head`, with the type in its low four bits.
 *
 * A conjecture, from what was published: kernelnewbies.org/MatthewWilcox/Memdescs
 * (type 9 is "PageTable (struct ptdesc pointer)", slabs are 16-byte aligned and
 * TYPESAFE_BY_RCU) and Memdescs/Path ("we make page->compound_head point to the
 * dynamically allocated memdesc").
 *
 * @module
 */
import * as $words from "./words.ts";

const { PAGE_WORDS_SHIFT, STRUCT_PAGE_SHIFT, W_COMPOUND_HEAD, W_MAPPING, W_REFCOUNT } = $words;

/** Word of the slab's head: the first free descriptor, 0 for none. */
export const D_FREE = 0;
/** Word of the slab's head: descriptors that are not free. */
export const D_LIVE = 1;
/** Of a descriptor: address of its table's first page; 0 while it is free. */
export const D_PAGE = W_MAPPING;
/** Of a descriptor: the table's order. */
export const D_ORDER = W_REFCOUNT;
/** Of a free descriptor: the next free one. */
export const D_NEXT = W_COMPOUND_HEAD;

/** Low bits of a memdesc that say what the others are. */
export const MEMDESC_TYPE = 15;
/** The others are the address of a page table's descriptor. */
export const MEMDESC_PTDESC = 9;
/** Address of struct page 0 in the way back: 0 there is NULL. */
export const PAGE_ADDRESS = 0x4800_0000;

/** The descriptor that a page's memdesc names; 0 where it is none of a page table. */
export function ptdescOf(mem: Int32Array, page: number): number {
  const memdesc = mem[(page << PAGE_WORDS_SHIFT) + W_COMPOUND_HEAD]!;
  return (memdesc & MEMDESC_TYPE) === MEMDESC_PTDESC ? memdesc >> STRUCT_PAGE_SHIFT : 0;
}

/** The page that a descriptor leads back to; -1 while it is free. */
export function pageBehind(mem: Int32Array, pt: number): number {
  const address = mem[(pt << PAGE_WORDS_SHIFT) + D_PAGE]!;
  return address === 0 ? -1 : (address - PAGE_ADDRESS) >> STRUCT_PAGE_SHIFT;
}
