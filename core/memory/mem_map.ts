/**
 * The memory of one machine: a single `Int32Array` that holds every
 * `struct page`, the zones with their free lists, `pgd_list`, and a word a page
 * for what its contents are. Kernel functions and ledger see the same words.
 *
 *     0                 struct page 0, 16 words each
 *     nrPages << 4      zone 0 (lowmem), ZONE_WORDS
 *     + ZONE_WORDS      zone 1 (highmem; empty without HIGHMEM)
 *     + 2 * ZONE_WORDS  pgd_list (4 words), heads of each mm's list of pages with half a table to give (s390),
 *                       and 8 words on the head of a list on the stack
 *     + 16              contents, one word a page
 *     behind            descriptors, where they are allocated apart (`memdesc.ts`)
 *
 * A list is the kernel's: a node is two pointers, next and (two words on) prev;
 * a pointer is the byte address of a node, that is its word index times four.
 * The page structs start at address 0, so the address of page N's struct is
 * N << 6 and that of its `lru` is (N << 6) + 8.
 *
 * @module
 */
import * as $words from "./words.ts";

const { MAX_PAGE_ORDER, PAGE_WORDS, PAGE_WORDS_SHIFT } = $words;

/** Words of a zone. */
export const ZONE_WORDS = 64;
/** NR_FREE_PAGES. */
export const Z_FREE = 0;
/** managed_pages. */
export const Z_MANAGED = 1;
/** First page of the zone. */
export const Z_START = 2;
/** One past its last page. */
export const Z_END = 3;
/** NR_PAGETABLE, a counter of the node: kept in zone 0. */
export const Z_PAGETABLE = 4;
/** Pages charged to the caller's memcg: kept in zone 0. */
export const Z_CHARGED = 5;
/** free_area[0]; each is AREA_WORDS: list next, nr_free, list prev, unused. */
export const Z_AREA = 8;
/** Words of a free_area. */
export const AREA_WORDS = 4;
/** nr_free within a free_area. */
export const AREA_NR = 1;
/** prev within a list node, in words after next. */
export const LIST_PREV = 2;

/** A page's contents are whatever its last user left. */
export const STALE = 0;
/** Zeroes. */
export const ZEROED = 1;
/** Empty table entries. */
export const TABLE_ENTRIES = 2;

/** Poison of a deleted list node (`LIST_POISON1`, even, far from any node). */
export const LIST_POISON1 = 0x5ead_0100;
/** `LIST_POISON2`. */
export const LIST_POISON2 = 0x5ead_0122;

/** Address of the first object of the slab of split locks (`page_ptl_cachep`); a pointer in `ptl` is one of them. */
export const LOCK_ADDRESS = 0x4000_0000;
/** Bytes from one lock to the next. */
export const LOCK_SIZE = 8;
/** Objects of that slab: as many as a program can ask for, each is handed out once. */
export const MAX_LOCKS = 1 << 12;
/** A lock that was never handed out. */
export const LOCK_NONE = 0;
/** A lock that is somebody's. */
export const LOCK_LIVE = 1;
/** A lock that was given back. */
export const LOCK_FREED = 2;
/** `memcg_data` of a page that is charged as kernel memory: the caller's obj_cgroup with MEMCG_DATA_KMEM. */
export const OBJCG_KMEM = 0x3000_0002;
/** Address of struct page 0 as `pmd_huge_pte` holds it: 0 there is NULL. */
export const PAGE_POINTER = 0x4800_0000;

/** Words from pgd_list to the head of `pages_to_free`, a list on the stack of `release_pages` (6.1). */
export const PAGES_TO_FREE = 8;
/** The same for the kernel's own page tables that wait for their worker (6.19). */
export const KERNEL_PGTABLES = 4;

/** Where things lie in the memory of a machine with so many pages. */
export interface MemMap {
  /** Pages. */
  readonly nrPages: number;
  /** Word of zone 0. */
  readonly zones: number;
  /** Word of pgd_list's node. */
  readonly pgdList: number;
  /** Word of page 0's contents. */
  readonly contents: number;
  /** First descriptor that is allocated apart: its word is `<< 4` of it, the slab's head stands before it. 0 for none. */
  readonly firstPtdesc: number;
  /** Words in all. */
  readonly words: number;
}

/**
 * Lays out the memory of a machine with so many pages.
 *
 * @param apart descriptors are allocated apart from the pages
 */
export function memMap(nrPages: number, apart: boolean): MemMap {
  const zones = nrPages << PAGE_WORDS_SHIFT;
  const pgdList = zones + 2 * ZONE_WORDS;
  const contents = pgdList + 16;
  if (!apart) return { nrPages, zones, pgdList, contents, firstPtdesc: 0, words: contents + nrPages };
  const firstPtdesc = ((contents + nrPages + PAGE_WORDS - 1) >> PAGE_WORDS_SHIFT) + 1;
  return { nrPages, zones, pgdList, contents, firstPtdesc, words: (firstPtdesc + nrPages) << PAGE_WORDS_SHIFT };
}

/** Where among the words of pgd_list the list of an mm's pages with a half to give stands (s390). */
export const FRAGMENT_LISTS: readonly number[] = [4, 5, 12];

/** Word of the head of `mm_context_t::pgtable_list`; mms that a program cannot name share the last. */
export function fragmentList(map: MemMap, mm: number): number {
  return map.pgdList + (FRAGMENT_LISTS[mm] ?? 12);
}

/** Word of a zone's free_area of that order. */
export function areaWord(zone: number, order: number): number {
  return zone + Z_AREA + order * AREA_WORDS;
}

/** Orders of free_area. */
export const NR_ORDERS: number = MAX_PAGE_ORDER + 1;
