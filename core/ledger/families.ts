/**
 * Families: who granted memory, and which releases are legal for each.
 *
 * @module
 */

import * as $fragments from "../memory/fragments.ts";

const { PMD_FRAG_NR, PTE_FRAG_NR, SLAB_OBJECTS } = $fragments;

/** `pagetable_alloc`, v2's `ptdesc_alloc`. */
export const PAGETABLE = 0;
/** `alloc_pages`, `__get_free_pages` and their shorthands. */
export const PAGES = 1;
/** `alloc_pages_exact`. */
export const EXACT = 2;
/** `memblock_alloc`: reserved boot memory. */
export const RESERVED = 3;
/** The kernel's own: a gather's batch. */
export const KERNEL = 4;

/** `page_table_alloc` of s390. This family and all that follow grant parts of a page, which several tables share. */
export const FRAGMENT = 5;
/** `pte_fragment_alloc` of powerpc. */
export const PTE_FRAGMENT = 6;
/** `pmd_fragment_alloc` of powerpc. */
export const PMD_FRAGMENT = 7;
/** `get_pointer_table` of m68k, PMDs and PGDs. */
export const POINTER_PMD = 8;
/** `get_pointer_table` of m68k, PTEs. */
export const POINTER_PTE = 9;
/** `srmmu_get_nocache` of 32-bit sparc: a pool of boot memory. */
export const NOCACHE = 10;
/** `kmem_cache_alloc`. */
export const SLAB = 11;

/** Parts of a page, by family; 0 where its pages are not shared. */
export const PARTS_OF: Int32Array = Int32Array.of(0, 0, 0, 0, 0, 2, PTE_FRAG_NR, PMD_FRAG_NR, 8, 16, 16, SLAB_OBJECTS);

/** Names by index, as explanations use them. */
export const FAMILY_NAMES: readonly string[] = [
  "pagetable_alloc",
  "alloc_pages",
  "alloc_pages_exact",
  "memblock",
  "mmu_gather",
  "page_table_alloc",
  "pte_fragment_alloc",
  "pmd_fragment_alloc",
  "get_pointer_table",
  "get_pointer_table",
  "srmmu_get_nocache",
  "kmem_cache_alloc",
];

/** Released by the function that gives such a part back. */
export const BY_PART = 8;
/** Released by `__free_pages`, `free_pages` and their shorthands. */
export const BY_ORDER = 0;
/** Released by `put_page`. */
export const BY_PUT = 1;
/** Released by `pagetable_free`, v2's `ptdesc_free`. */
export const BY_PAGETABLE = 2;
/** Released by `free_pages_exact`. */
export const BY_EXACT = 3;
/** Released by `free_reserved_page`. */
export const BY_RESERVED_PAGE = 4;
/** Released by `free_reserved_ptdesc`. */
export const BY_RESERVED_PTDESC = 5;
/** Queued by `tlb_remove_page` or `tlb_remove_table`. */
export const BY_GATHER = 6;
/** Queued by `tlb_remove_ptdesc` or `tlb_remove_page_ptdesc`. */
export const BY_GATHER_PTDESC = 7;

const legal: readonly (readonly number[])[] = [
  /* PAGETABLE */ [BY_PAGETABLE, BY_GATHER, BY_GATHER_PTDESC],
  /* PAGES     */ [BY_ORDER, BY_PUT, BY_GATHER],
  /* EXACT     */ [BY_EXACT],
  /* RESERVED  */ [BY_RESERVED_PAGE, BY_RESERVED_PTDESC],
  /* KERNEL    */ [],
  /* FRAGMENT  */ [],
  /* PTE_FRAGMENT */ [],
  /* PMD_FRAGMENT */ [],
  /* POINTER_PMD  */ [],
  /* POINTER_PTE  */ [],
  /* NOCACHE      */ [],
  /* SLAB         */ [],
];

/** Bit mask of legal releases by family: the table above, for the hot path. */
export const LEGAL_RELEASES: Int32Array = Int32Array.from(
  legal,
  (ways) => ways.reduce((mask, way) => mask | (1 << way), 0),
);

/** Bit mask of the legal releases of a frozen table: a gather that puts pages cannot release it. */
export const FROZEN_RELEASES: number = (1 << BY_PAGETABLE) | (1 << BY_GATHER_PTDESC);

/** Bit mask of the families of which a descriptor may be made: a page table's memory, and a boot table's. */
export const DESCRIBABLE: number = (1 << PAGETABLE) | (1 << RESERVED) | (1 << PTE_FRAGMENT) | (1 << PMD_FRAGMENT) |
  (1 << NOCACHE);
