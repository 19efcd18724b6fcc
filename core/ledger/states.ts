/**
 * States and flags of grants, values and gathers, as the ledger keeps them.
 *
 * @module
 */

/** The owner holds it. */
export const LIVE = 1;
/** A gather holds it. */
export const QUEUED = 2;
/** Its owner gave it up; others still hold references. */
export const INTENDED = 3;

/** A descriptor made of foreign memory was recorded for this grant. */
export const G_CAST = 1;
/** It is being released by a family that did not grant it. */
export const G_FOREIGN = 2;
/** An order lookup that did not answer its order sizes its release. */
export const G_SIZED = 4;
/** The kernel set its pages aside as bad. */
export const G_ASIDE = 8;
/** The program marked pages of it reserved: from then on they leave by free_reserved_page only. */
export const G_MARKED = 16;
/** Pages of it were put on pgd_list, and may still be on it. */
export const G_LISTED = 32;
/** A constructor ran on pages of it, or huge pages left something with them. */
export const G_TABLE = 64;
/** It is marked as the kernel's own (PT_kernel). */
export const G_KERNEL = 128;
/** Queued by way of `BY_*` << 8. */
export const G_WAY_SHIFT = 8;

/** The value came from a head lookup. */
export const VIA_HEAD = 1;
/** The number came from an order lookup. */
export const VIA_ORDER = 2;
/** A wrong lookup or cast was recorded when the value was made. */
export const VIA_RECORDED = 4;

/** In `GR_REST`: a table of the page was freed by pte_free_defer, and the page waits for a grace period. */
export const PART_DEFERRED = 1 << 8;

/** In `GR_REST`: the slab cache of the page, so many bits up. */
export const CACHE_SHIFT = 16;

/** Gathers at once. */
export const MAX_GATHERS = 16;

/** `__tlb_remove_table` puts the page's folio. */
export const RELEASE_PUT = 0;
/** It frees order 2 (s390 before 6.6). */
export const RELEASE_ORDER_2 = 1;
/** It frees what compound_order answers (s390). */
export const RELEASE_LOOKUP = 2;
/** It puts the share of a table in its page (powerpc). */
export const RELEASE_PART = 3;

/** It leads nowhere: the table was never put in use. */
export const LINK_NONE = 0;
/** An entry leads to the table: it is in use. */
export const LINK_USED = 1;
/** The entry was cleared. */
export const LINK_CLEARED = 2;

/** How a table's entry may be cleared: the words of `unlink`, by number. */
export const HOWS: readonly string[] = ["exclusive", "shared", "exit", "kernel", "zap", "guest"];
/** The mmap lock is held for write and the VMA hidden from rmap (`free_pgtables`). */
export const HOW_EXCLUSIVE = 0;
/** Others may walk it meanwhile (`retract_page_tables`, PT_RECLAIM). */
export const HOW_SHARED = 1;
/** Nobody is on the mm any more (`exit_mmap`). */
export const HOW_EXIT = 2;
/** A table of `init_mm`. */
export const HOW_KERNEL = 3;
/** Not a table: a page that a PTE mapped (`zap_pte_range`); gup_fast takes a reference of its own on it. */
export const HOW_ZAP = 4;
/** A table of a guest's second stage, under KVM's lock for write. */
export const HOW_GUEST = 5;
/** Level that a page's table was constructed as: 1 PTE to 5 PGD, 0 where it was not. */
export const T_LEVEL = 7;
/** The page is charged to the memcg. */
export const T_CHARGED = 8;
/** It is deposited in a table of PMDs. */
export const T_DEPOSITED = 16;
/** Tables are deposited in it. */
export const T_DEPOSITS = 32;
/** Others share it. */
export const T_SHARED = 64;
/** It has a lock out of the slab. */
export const T_LOCK = 128;
/** What has to be undone before a page is given up. */
export const T_OPEN: number = T_LEVEL | T_DEPOSITED | T_DEPOSITS | T_SHARED;

/** Level of a table of PTEs. */
export const LEVEL_PTE = 1;
/** Level of a table of PMDs. */
export const LEVEL_PMD = 2;
/** Level of a table of PUDs. */
export const LEVEL_PUD = 3;
/** Level of a table of P4Ds. */
export const LEVEL_P4D = 4;
/** Level of a table of PGDs. */
export const LEVEL_PGD = 5;

/** `__tlb_remove_table` destructs nothing: whoever queued a table has done it. */
export const DESTRUCTS_NONE = 0;
/** It destructs what is not of order 2, as a table of PTEs (s390, 6.12). */
export const DESTRUCTS_PTE = 1;
/** It destructs every table (6.14). */
export const DESTRUCTS_ALL = 2;
/** It destructs what is still a page table's (the kernels that are switches). */
export const DESTRUCTS_ANY = 3;
