/**
 * Tables that share a page: how many there are in one, and where what counts them
 * lies in memory. Kernel and ledger both read it here.
 *
 *     architecture       tables a page      which of them are in use says
 *     s390 (6.1)         2 of PTEs          the upper byte of _refcount, a bit each
 *     powerpc            16 of PTEs         pt_frag_refcount (index), their number
 *                        4 of PMDs          the same
 *     m68k               8 of PGDs, PMDs    index, a bit each that is free
 *                        16 of PTEs         the same
 *     sparc (32 bits)    16 units           a bit map beside memory; _refcount counts tables of PTEs
 *     slab caches        4 objects          the slab's counters, over private
 *
 * powerpc's numbers are the hash MMU's with pages of 64 KB
 * (arch/powerpc/include/asm/book3s/64/hash-64k.h: H_PTE_FRAG_NR, and H_PMD_FRAG_NR
 * with huge pages); radix has 256 and 16, 8xx with pages of 16 KB has 4 of PTEs.
 * A page is a page here, and its parts are as many.
 *
 * @module
 */
import * as $words from "./words.ts";

const { NULL, PAGE_SIZE } = $words;

/** Most parts of a page. */
export const MAX_PARTS = 16;
/** PTE_FRAG_NR. */
export const PTE_FRAG_NR = 16;
/** PMD_FRAG_NR. */
export const PMD_FRAG_NR = 4;
/** m68k: tables of PGDs and PMDs are of one size. */
export const TABLE_PMD = 0;
/** m68k: tables of PTEs. */
export const TABLE_PTE = 1;
/** Bytes of m68k's tables, by type. */
export const POINTER_TABLE_BYTES: readonly number[] = [PAGE_SIZE / 8, PAGE_SIZE / 16];
/** `1 << SRMMU_NOCACHE_BITMAP_SHIFT`: bytes of a bit of the nocache pool. */
export const NOCACHE_UNIT = PAGE_SIZE / 16;
/** SRMMU_PTE_TABLE_SIZE. */
export const SRMMU_PTE_TABLE_SIZE = NOCACHE_UNIT;
/** Pages of the nocache pool; a machine with little memory has 256. */
export const NOCACHE_PAGES = 2;

/** Objects of a slab of page tables. */
export const SLAB_OBJECTS = 4;
/** Slab caches that page tables come from, by number. */
export const SLAB_CACHES: readonly string[] = ["pgd_cache", "pmd_cache", "pgtable_cache"];

/** The low bits of what powerpc queues say what it is (`pgtable_free_tlb`): PTE_INDEX, PMD_INDEX. */
export const MAX_PGTABLE_INDEX_SIZE = 15;
/** A table of PTEs. */
export const PTE_INDEX = 0;
/** A table of PMDs. */
export const PMD_INDEX = 1;
/** A table of PUDs: an object of pgtable_cache. */
export const PUD_INDEX = 2;
/** sparc64's `is_page` of pgtable_free_tlb, behind powerpc's levels: an object of pgtable_cache. */
export const IS_OBJECT = 3;
/** ... a page. */
export const IS_PAGE = 4;
/** Words for these, by number. */
export const PGTABLE_INDEXES: readonly string[] = ["PTE_INDEX", "PMD_INDEX", "PUD_INDEX", "false", "true"];
/** `pgtable_cache`, in SLAB_CACHES. */
export const PGTABLE_CACHE = 2;

/** Words on the head of m68k's lists of pages with a table to give, by type, from pgd_list. */
const POINTER_LISTS: readonly number[] = [1, 9];

/** Word of the head of `ptable_list[type]`. */
export function pointerList(pgdList: number, type: number): number {
  return pgdList + POINTER_LISTS[type]!;
}

/** Nothing cached (`mm->context.pte_frag` is NULL). */
export const NO_FRAGMENT: number = NULL;
