/**
 * Where the fields of `struct page` lie, in 32-bit words, on a 64-bit kernel
 * with memcg (64 bytes a page; `include/linux/mm_types.h`).
 *
 * `struct page`, `struct folio` and `struct ptdesc` are three sets of names for
 * the same words: which names fall on which word is said by the layouts
 * (`layout.ts`) and checked when they are loaded. The functions of the model
 * use the constants below, so that a field access is one load.
 *
 *     word  0  1 | 2     3 | 4     5 | 6   7 | 8   9 | 10 11 | 12   | 13       | 14 15
 *           flags| lru.next| lru.prev|mapping| index |private| type | _refcount| memcg_data
 *                | head|1  |         |       |       |       |      |          |
 *                | pt_list or pt_rcu_head    | pt_mm | ptl   |      |          |
 *
 * @module
 */

/** Words of one `struct page` (64 bytes). */
export const PAGE_WORDS = 16;
/** log2 of {@linkcode PAGE_WORDS}. */
export const PAGE_WORDS_SHIFT = 4;
/** `flags`. */
export const W_FLAGS = 0;
/** `lru.next`, `buddy_list.next`, `compound_head`, `pt_list.next`. */
export const W_LRU_NEXT = 2;
/** `compound_head`: the head's address with bit 0 set on a tail page. */
export const W_COMPOUND_HEAD = 2;
/** `lru.prev`, `buddy_list.prev`, `pt_list.prev`; on page 1 of a block counts and orders of the folio. */
export const W_LRU_PREV = 4;
/** `mapping`. */
export const W_MAPPING = 6;
/** `index`, `pt_mm`, `pt_index`. */
export const W_INDEX = 8;
/** `private`, `ptl`; the order of a free block. */
export const W_PRIVATE = 10;
/** `_mapcount` or `page_type`. */
export const W_TYPE = 12;
/** `_refcount`. */
export const W_REFCOUNT = 13;
/** `memcg_data`. */
export const W_MEMCG = 14;

/** log2 of the bytes of one `struct page`: a page's address in `mem_map` is `pfn << 6`. */
export const STRUCT_PAGE_SHIFT = 6;
/** log2 of the bytes of a page of memory. */
export const PAGE_SHIFT = 12;
/** Bytes of a page of memory. */
export const PAGE_SIZE = 4096;
/** The largest order the buddy allocator hands out (6.12's name; 6.1 says `MAX_ORDER - 1`). */
export const MAX_PAGE_ORDER = 10;
/** Address of the first byte of page 0 in the linear map. */
export const PAGE_OFFSET = 0x2000_0000;
/** The NULL pointer, of every kind. */
export const NULL = -1;
