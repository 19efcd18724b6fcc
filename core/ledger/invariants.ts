/**
 * The invariants: statement, severity and kernel source of each, in one place.
 * `--help`, README and reports take them from here.
 *
 * @module
 */

/** How bad a finding is. */
export type Severity = "corruption" | "leak" | "crash" | "latent" | "theoretical";

/** Severities by index, as findings carry them; worst first. */
export const SEVERITIES: readonly Severity[] = ["corruption", "crash", "leak", "latent", "theoretical"];
/** Index of `corruption`: freed twice, or in use by two. */
export const CORRUPTION = 0;
/** Index of `crash`: the kernel would BUG. */
export const CRASH = 1;
/** Index of `leak`. */
export const LEAK = 2;
/** Index of `latent`: harmless today only because page, folio and ptdesc are one piece of memory, or because an order is 0. */
export const LATENT = 3;
/** Index of `theoretical`: no real code does such an environment step; outside the exit status. */
export const THEORETICAL = 4;

/** What must hold after every step. */
export interface Invariant {
  /** Its index, as findings carry it. */
  readonly index: number;
  /** Its name in programs and reports. */
  readonly id: string;
  /** What must hold, in one sentence. */
  readonly statement: string;
  /** The severity it has at its worst, or a range in words. */
  readonly severity: string;
  /** Kernel source that shows why. */
  readonly source: string;
}

const list: Invariant[] = [];

function invariant(id: string, severity: string, source: string, statement: string): number {
  list.push(Object.freeze({ index: list.length, id, statement, severity, source }));
  return list.length - 1;
}

/** Pages are released only while a live grant holds them. */
export const DOUBLE_FREE = invariant(
  "double-free",
  "corruption",
  "mm/page_alloc.c:__free_pages, put_page_testzero",
  "pages are released only while a live grant holds them",
);
/** A page is read or written only under a live grant, and granted once. */
export const USE_AFTER_FREE = invariant(
  "use-after-free",
  "corruption; latent where only struct page is read",
  "mm/page_alloc.c:post_alloc_hook, include/linux/page-flags.h:compound_head",
  "a page is read or written only under a live grant, and is granted to one owner at a time",
);
/** No page is without an owner. */
export const PAGE_LEAK = invariant(
  "page-leak",
  "leak",
  'mm/page_alloc.c:__free_pages ("it is easy to leak memory")',
  "after the drain every page is free or has an owner",
);
/** A release gives up exactly what was granted. */
export const ORDER_MISMATCH = invariant(
  "order-mismatch",
  "leak; corruption where more is released than was granted",
  "mm/page_alloc.c:__free_pages, free_unref_page",
  "the pages that a release gives up are the pages that were granted",
);
/** Head flag, tails and order of a live grant are as granted. */
export const COMPOUND_ORDER = invariant(
  "compound-order",
  "corruption",
  "mm/page_alloc.c:prep_compound_page",
  "head flag, tails and order of a live grant are what was granted",
);
/** A head or order lookup whose answer is used names the whole block. */
export const HEAD_MISUSE = invariant(
  "head-misuse",
  "as bad as its effect; latent where it sized no free and nothing was written through it",
  "include/linux/mm.h:virt_to_head_page, compound_order, pagetable_free",
  "a head or order lookup whose answer is used as descriptor, size or order of a free answers the whole block",
);
/** A descriptor or folio is made of a block's first page. */
export const TAIL_CAST = invariant(
  "tail-cast",
  "latent; corruption where it is written through",
  "include/linux/mm_types.h:page_ptdesc, include/linux/mm.h:virt_to_ptdesc",
  "a descriptor or folio is made from a block's first page, or after a head lookup",
);
/** References are the grant's plus the environment's. */
export const BAD_REFERENCE = invariant(
  "bad-reference",
  "corruption",
  "include/linux/mm.h:put_page_testzero, get_page",
  "a page's references are its grant's plus the environment's, and none is taken or put at 0",
);
/** Memory leaves through the family that granted it. */
export const FAMILY = invariant(
  "family",
  "latent where exactly the grant was given up, else as bad as its effect",
  "include/linux/mm.h:pagetable_alloc, pagetable_free",
  "memory is released by the family that granted it, and a descriptor is made of a page table's memory only",
);
/** Through `void *` goes the kind that the callee takes. */
export const POINTER_KIND = invariant(
  "pointer-kind",
  "crash; latent between page, folio and descriptor",
  "include/asm-generic/tlb.h:tlb_remove_ptdesc, arch's __tlb_remove_table",
  "a value passed through void * is of the kind that the callee takes",
);
/** No word is changed through one view while another relies on it. */
export const OVERLAY_CLOBBER = invariant(
  "overlay-clobber",
  "corruption",
  "include/linux/mm_types.h:struct ptdesc (TABLE_MATCH)",
  "a word is not changed through one view while another view relies on it",
);
/** Free lists and free pages agree. */
export const BUDDY_STRUCTURE = invariant(
  "buddy-structure",
  "corruption",
  "mm/page_alloc.c:__free_one_page, expand",
  "free lists, free blocks and the count of free pages agree, do not overlap and are aligned",
);
/** managed_pages and PG_reserved follow the grants. */
export const RESERVED_ACCOUNTING = invariant(
  "reserved-accounting",
  "corruption",
  "include/linux/mm.h:mark_page_reserved, mm/page_alloc.c:free_reserved_page",
  "managed_pages and PG_reserved are what the grants say",
);
/** The kernel's own checks stay silent. */
export const KERNEL_CHECK = invariant(
  "kernel-check",
  "crash where the kernel would BUG, leak where bad_page sets pages aside",
  "mm/page_alloc.c:free_pages_prepare, bad_page; VM_BUG_ON_PAGE",
  "no check of the kernel itself fires",
);
/** A table in use was initialised. */
export const UNINITIALISED_TABLE = invariant(
  "uninitialised-table",
  "corruption",
  "v2 include/linux/mm.h:ptdesc_clear, arch's *_populate",
  "every page of a table that is put in use was initialised",
);
/** Constructors and destructors pair up. */
export const CONSTRUCTOR = invariant(
  "constructor",
  "leak where a destructor is missing, corruption where one is too many",
  "include/linux/mm.h:pagetable_pte_ctor, pagetable_pte_dtor and their kind",
  "each table that was constructed is destructed once, before its pages are free, and NR_PAGETABLE counts those in between",
);
/** PG_table lies on the tables in between. */
export const PAGE_TYPE = invariant(
  "page-type",
  "corruption; latent where a table is freed with it",
  "include/linux/page-flags.h:__folio_set_pgtable, __folio_clear_pgtable",
  "a page has the type of a page table exactly from its constructor to its destructor",
);
/** What was charged is uncharged. */
export const CHARGE = invariant(
  "charge",
  "leak where a charge stays, corruption where more is uncharged than was charged",
  "mm/memcontrol.c:__memcg_kmem_charge_page, __memcg_kmem_uncharge_page",
  "the memcg pays for the pages that were granted with __GFP_ACCOUNT and are not free yet, and their memcg_data says so",
);
/** A lock lives as long as anybody can take it. */
export const LOCK_LIFETIME = invariant(
  "lock-lifetime",
  "corruption where a lock is used that is gone, leak where it outlives its table",
  "mm/memory.c:ptlock_alloc, ptlock_free; include/linux/mm.h:ptlock_init",
  "a table's lock lives from its constructor until nobody can reach the table, and not longer than the table",
);
/** Sharers are counted as they are. */
export const SHARE_COUNT = invariant(
  "share-count",
  "leak where a table without a user is kept, corruption where one is freed under its users",
  "mm/hugetlb.c:huge_pmd_share, huge_pmd_unshare",
  "a shared table of PMDs counts the mms that share it and nothing else, and is freed by the last",
);

/** No page leaves while hardware may still cache an entry that leads to it. */
export const FLUSH_BEFORE_FREE = invariant(
  "flush-before-free",
  "corruption",
  "mm/mmu_gather.c:tlb_flush_mmu, tlb_table_invalidate",
  "a table leaves only after a flush, since its entry was cleared, of every TLB and IOTLB that may lead to it",
);
/** No page leaves while code may still walk it. */
export const GRACE_PERIOD = invariant(
  "grace-period",
  "corruption",
  'mm/mmu_gather.c:tlb_remove_table_sync_one ("This isn\'t an RCU grace period"), mm/pgtable-generic.c:pte_free_defer',
  "a table leaves only after every walker that may be in it: an IPI or a grace period for gup_fast, a grace period for RCU",
);
/** A gather holds a table once. */
export const GATHER_TWICE = invariant(
  "gather-twice",
  "corruption",
  "include/asm-generic/tlb.h:tlb_remove_table, p4d_free_tlb; arch/s390/include/asm/tlb.h",
  "a gather holds what it was given, and holds it once",
);
/** memdesc: a descriptor lives as long as its table. */
export const DESCRIPTOR = invariant(
  "descriptor",
  "corruption; crash where memory without one is asked for it; leak where it outlives its table",
  "no kernel's yet: kernelnewbies.org/MatthewWilcox/Memdescs",
  "with descriptors allocated apart, a table's pages lead to its descriptor and it to them, for as long as the table lives",
);

/** Tables that share a page are counted as they are. */
export const SHARED_PAGE = invariant(
  "shared-page",
  "corruption; leak where a page without a table is kept",
  "arch/powerpc/mm/pgtable-frag.c:pte_fragment_free, arch/m68k/mm/motorola.c:free_pointer_table, mm/slub.c",
  "a page that several tables share counts those in use, or has a bit for each, and is not freed before the last",
);

/** Every invariant, by index. */
export const INVARIANTS: readonly Invariant[] = Object.freeze(list);

/** The invariant of that id, or undefined. */
export function invariantById(id: string): Invariant | undefined {
  return list.find((i) => i.id === id);
}

/** Bit mask with every invariant switched on. */
export const ALL_INVARIANTS: number = (1 << list.length) - 1;
