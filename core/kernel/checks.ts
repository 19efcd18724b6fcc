/**
 * The checks that the modelled functions make: every `VM_BUG_ON` (with
 * `_PAGE`, `_FOLIO`, `_PGFLAGS`), every reason that `bad_page` is called with,
 * the WARNs, and the oopses that a real machine would die of (a list pointer
 * or a `struct page` that leads nowhere).
 *
 * Read in mm/page_alloc.c, mm/internal.h, mm/swap.c, mm/mmu_gather.c,
 * include/linux/mm.h, include/linux/page-flags.h of 6.1 and 6.12. CONFIG_DEBUG_VM
 * is taken to include CONFIG_DEBUG_VM_PGFLAGS. Not modelled, as nothing in the
 * model can set what they look at: hardware poison, mlock, page_pool, hugetlb,
 * PagePoisoned, debug_pagealloc.
 *
 * @module
 */
import * as $events from "../memory/events.ts";
import * as $words from "../memory/words.ts";
import type { Kernel } from "./kernel.ts";

const { EV_BAD_PAGE, EV_WARN, EVENT_WORDS } = $events;
const { PAGE_WORDS_SHIFT, W_TYPE } = $words;

/** What a check does when it fires. */
export type CheckKind = "BUG" | "bad_page" | "WARN";

/** One check of the kernel. */
export interface Check {
  /** The kernel function that it stands in. */
  readonly fn: string;
  /** The condition or the reason, as the kernel prints it. */
  readonly text: string;
  /** BUG ends the machine, bad_page sets pages aside, WARN goes on. */
  readonly kind: CheckKind;
  /** File and function, and the version where only one has it. */
  readonly source: string;
}

const list: Check[] = [];

function check(kind: CheckKind, source: string, text: string): number {
  const fn = source.slice(source.indexOf(":") + 1).split(" ")[0] as string;
  list.push(Object.freeze({ fn, text, kind, source }));
  return list.length - 1;
}

/** A reference is put that is not there. */
export const C_PUT_ZERO = check("BUG", "include/linux/mm.h:put_page_testzero", "page_ref_count(page) == 0");
/** A reference is taken on a folio that has none. */
export const C_GET_ZERO = check("BUG", "include/linux/mm.h:folio_get", "folio_ref_zero_or_close_to_overflow(folio)");
/** A tail page is to get its first reference. */
export const C_REFCOUNTED_TAIL = check("BUG", "mm/internal.h:set_page_refcounted", "PageTail(page)");
/** A page that has references is to get its first one. */
export const C_REFCOUNTED_REF = check("BUG", "mm/internal.h:set_page_refcounted", "page_ref_count(page)");
/** A tail page is freed. */
export const C_PREPARE_TAIL = check("BUG", "mm/page_alloc.c:free_pages_prepare", "PageTail(page)");
/** A compound block is freed with an order that is not its own. */
export const C_PREPARE_ORDER = check(
  "BUG",
  "mm/page_alloc.c:free_pages_prepare",
  "compound && compound_order(page) != order",
);
/** The flags of a page that reaches the free lists. */
export const C_FREE_FLAGS = check("BUG", "mm/page_alloc.c:__free_one_page", "page->flags & PAGE_FLAGS_CHECK_AT_PREP");
/** A block starts where no block of its order does. */
export const C_FREE_ALIGN = check("BUG", "mm/page_alloc.c:__free_one_page", "pfn & ((1 << order) - 1)");
/** A page outside its zone. */
export const C_FREE_RANGE = check("BUG", "mm/page_alloc.c:__free_one_page", "bad_range(zone, page)");
/** A free block with references. */
export const C_BUDDY_COUNT = check("BUG", "mm/internal.h:page_is_buddy", "page_count(buddy) != 0");
/** A page that is to become buddy has another type. */
export const C_SET_BUDDY = check(
  "BUG",
  "include/linux/page-flags.h:__SetPageBuddy",
  "page_type is not free for PageBuddy",
);
/** A page on a free list is not buddy. */
export const C_CLEAR_BUDDY = check("BUG", "include/linux/page-flags.h:__ClearPageBuddy", "!PageBuddy(page)");
/** The half that is given back lies outside the zone. */
export const C_EXPAND_RANGE = check("BUG", "mm/page_alloc.c:expand", "bad_range(zone, &page[size])");
/** A compound block is split. */
export const C_SPLIT_COMPOUND = check("BUG", "mm/page_alloc.c:split_page", "PageCompound(page)");
/** A block without a reference is split. */
export const C_SPLIT_COUNT = check("BUG", "mm/page_alloc.c:split_page", "!page_count(page)");
/** An address that is not in the linear map is freed. */
export const C_FREE_PAGES_ADDR = check("BUG", "mm/page_alloc.c:free_pages", "!virt_addr_valid((void *)addr)");
/** A folio's flags are asked of a tail page. */
export const C_FLAGS_TAIL = check("BUG", "include/linux/page-flags.h:folio_flags", "PageTail(page)");
/** PG_reserved is set or cleared on a page of a compound block. */
export const C_RESERVED_COMPOUND = check(
  "BUG",
  "include/linux/page-flags.h:SetPageReserved (PF_NO_COMPOUND)",
  "enforce && PageCompound(page)",
);
/** The whole-block map count of a folio that is none (6.1: page 1 of the block has lost its head). */
export const C_ENTIRE_LARGE = check("BUG", "include/linux/mm.h:folio_entire_mapcount 6.1", "!folio_test_large(folio)");
/** 6.1: the destructor's index of a compound block leads past the array. */
export const C_DTOR = check("BUG", "mm/page_alloc.c:destroy_large_folio 6.1", "dtor >= NR_COMPOUND_DTORS");
/** A type is cleared that the page does not have. */
export const C_CLEAR_TABLE = check(
  "BUG",
  "include/linux/page-flags.h:__folio_clear_pgtable 6.12",
  "!folio_test_pgtable(folio)",
);
/** A page that is to become a page table's has another type. */
export const C_SET_TABLE = check(
  "BUG",
  "include/linux/page-flags.h:__folio_set_pgtable 6.12",
  "page_type is not free for PG_table",
);
/** A table's lock is to be made ready, and `ptl` is in use. */
export const C_PTL_USED = check("BUG", "include/linux/mm.h:ptlock_init", "*(unsigned long *)&ptdesc->ptl");
/** A table of PMDs ends while a table of PTEs is deposited in it (until 6.14). */
export const C_PMD_HUGE_PTE = check("BUG", "include/linux/mm.h:pmd_ptlock_free", "ptdesc->pmd_huge_pte");
/** A page is queued before the range was adjusted. */
export const C_GATHER_END = check("BUG", "mm/mmu_gather.c:__tlb_remove_page_size", "!tlb->end");
/** A batch holds more than it can. */
export const C_GATHER_NR = check("BUG", "mm/mmu_gather.c:__tlb_remove_page_size", "batch->nr > batch->max");
/** A gather is used that was finished or never started: its memory is somebody else's stack. */
export const C_GATHER_INACTIVE = check("BUG", "mm/mmu_gather.c:tlb_finish_mmu", "gather not active");

/** A list leads to something that is no list node. */
export const C_OOPS_LIST = check("BUG", "include/linux/list.h:__list_del", "oops: list pointer");
/** A `struct page` outside mem_map. */
export const C_OOPS_PAGE = check(
  "BUG",
  "include/asm-generic/memory_model.h:__pfn_to_page",
  "oops: struct page outside mem_map",
);
/** An address without memory behind it. */
export const C_OOPS_ADDRESS = check("BUG", "include/linux/mm.h:virt_to_page", "oops: address outside the linear map");
/** `free_area[order]` of an order that does not exist. */
export const C_OOPS_ORDER = check("BUG", "mm/page_alloc.c:__free_one_page", "oops: order without a free_area");
/** 6.1: the destructor of a compound block is no function. */
export const C_OOPS_DTOR = check("BUG", "mm/page_alloc.c:destroy_large_folio 6.1", "oops: compound page destructor");
/** A batch page was overwritten while a gather used it. */
export const C_OOPS_BATCH = check("BUG", "mm/mmu_gather.c:tlb_batch_list_free", "oops: batch page overwritten");
/** What was stored over an rcu_head is called, or followed. */
export const C_OOPS_RCU = check("BUG", "kernel/rcu/tiny.c:rcu_process_callbacks", "oops: rcu_head overwritten");
/** A table's lock is given back that is none: freed already, or never had. */
export const C_OOPS_LOCK = check("BUG", "mm/memory.c:ptlock_free", "oops: no object of the slab of locks");
/** A deposited table is taken where there is none. */
export const C_OOPS_DEPOSIT = check(
  "BUG",
  "mm/pgtable-generic.c:pgtable_trans_huge_withdraw",
  "oops: no table deposited",
);

/** powerpc: a fragment is freed whose page has none in use. */
export const C_FRAG_COUNT = check(
  "BUG",
  "arch/powerpc/mm/pgtable-frag.c:pte_fragment_free",
  "atomic_read(&ptdesc->pt_frag_refcount) <= 0",
);
/** powerpc: what was queued is no table of a level that is freed so. */
export const C_PGTABLE_INDEX = check("BUG", "arch/powerpc/mm/book3s64/pgtable.c:pgtable_free", "index");
/** m68k: a table is given back that is free. */
export const C_POINTER_FREE = check("BUG", "arch/m68k/mm/motorola.c:free_pointer_table", "table already free!");
/** sparc: an address outside the nocache pool. */
export const C_NOCACHE_RANGE = check("BUG", "arch/sparc/mm/srmmu.c:srmmu_free_nocache", "vaddr < SRMMU_NOCACHE_VADDR");
/** sparc: a size that is no power of two. */
export const C_NOCACHE_SIZE = check("BUG", "arch/sparc/mm/srmmu.c:srmmu_free_nocache", "!is_power_of_2(size)");
/** sparc: an address that is not aligned to the size. */
export const C_NOCACHE_ALIGN = check("BUG", "arch/sparc/mm/srmmu.c:srmmu_free_nocache", "vaddr & (size - 1)");
/** sparc: a piece of the pool is given back that is free. */
export const C_NOCACHE_BITS = check(
  "BUG",
  "arch/sparc/lib/bitext.c:bit_map_clear",
  "test_bit(offset + i, t->map) == 0",
);
/** An object is given back that is none of the cache's, or free already. */
export const C_SLAB_OBJECT = check("BUG", "mm/slub.c:kmem_cache_free", "oops: no object of the cache");
/** memdesc: a page that is no table's has no descriptor. */
export const C_NO_PTDESC = check(
  "BUG",
  "include/linux/mm_types.h:page_ptdesc memdesc",
  "memdesc_type(page) != MEMDESC_TYPE_PTDESC",
);
/** memdesc: the descriptor was freed. */
export const C_PTDESC_GONE = check(
  "BUG",
  "include/linux/mm_types.h:ptdesc_page memdesc",
  "oops: the descriptor is free",
);
/** memdesc: a descriptor is no folio. */
export const C_PTDESC_FOLIO = check("BUG", "include/linux/mm_types.h:ptdesc_folio memdesc", "a descriptor is no folio");
/** memdesc: a table's page belongs to no folio. */
export const C_NO_FOLIO = check(
  "BUG",
  "include/linux/page-flags.h:page_folio memdesc",
  "a table's page belongs to no folio",
);

/** `bad_page`: `_mapcount` or the type is not -1. */
export const C_MAPCOUNT = check("bad_page", "mm/page_alloc.c:page_bad_reason", "nonzero mapcount");
/** `bad_page`: mapping. */
export const C_MAPPING = check("bad_page", "mm/page_alloc.c:page_bad_reason", "non-NULL mapping");
/** `bad_page`: references. */
export const C_REFCOUNT = check("bad_page", "mm/page_alloc.c:page_bad_reason", "nonzero _refcount");
/** `bad_page`: flags at allocation. */
export const C_FLAGS_PREP = check(
  "bad_page",
  "mm/page_alloc.c:page_bad_reason",
  "PAGE_FLAGS_CHECK_AT_PREP flag(s) set",
);
/** `bad_page`: flags at free. */
export const C_FLAGS_FREE = check(
  "bad_page",
  "mm/page_alloc.c:page_bad_reason",
  "PAGE_FLAGS_CHECK_AT_FREE flag(s) set",
);
/** `bad_page`: memcg_data. */
export const C_MEMCG = check("bad_page", "mm/page_alloc.c:page_bad_reason", "page still charged to cgroup");
/** `bad_page`, page 1 in 6.1. */
export const C_COMPOUND_MAPCOUNT = check(
  "bad_page",
  "mm/page_alloc.c:free_tail_pages_check 6.1",
  "nonzero compound_mapcount",
);
/** `bad_page`, page 1. */
export const C_ENTIRE_MAPCOUNT = check(
  "bad_page",
  "mm/page_alloc.c:free_tail_page_prepare 6.12",
  "nonzero entire_mapcount",
);
/** `bad_page`, page 1. */
export const C_LARGE_MAPCOUNT = check(
  "bad_page",
  "mm/page_alloc.c:free_tail_page_prepare 6.12",
  "nonzero large_mapcount",
);
/** `bad_page`, page 1. */
export const C_NR_PAGES_MAPPED = check(
  "bad_page",
  "mm/page_alloc.c:free_tail_page_prepare 6.12",
  "nonzero nr_pages_mapped",
);
/** `bad_page`, page 1. */
export const C_PINCOUNT = check("bad_page", "mm/page_alloc.c:free_tail_page_prepare 6.12", "nonzero pincount");
/** `bad_page`, page 2. */
export const C_DEFERRED_LIST = check("bad_page", "mm/page_alloc.c:free_tail_page_prepare 6.12", "on deferred list");
/** `bad_page`, page 3 (6.1) or 4 (6.12) and later. */
export const C_TAIL_MAPPING = check(
  "bad_page",
  "mm/page_alloc.c:free_tail_page_prepare",
  "corrupted mapping in tail page",
);
/** `bad_page`, any tail. */
export const C_TAIL_NOT_SET = check("bad_page", "mm/page_alloc.c:free_tail_page_prepare", "PageTail not set");
/** `bad_page`, any tail. */
export const C_TAIL_HEAD = check("bad_page", "mm/page_alloc.c:free_tail_page_prepare", "compound_head not consistent");

/** An order that the allocator does not have. */
export const C_WARN_ORDER = check(
  "WARN",
  "mm/page_alloc.c:__alloc_pages",
  "WARN_ON_ONCE_GFP(order > MAX_PAGE_ORDER, gfp)",
);
/** 6.1: an allocation that may not fail is larger than order 1; asked for every zone that is tried. */
export const C_WARN_NOFAIL = check(
  "WARN",
  "mm/page_alloc.c:rmqueue 6.1",
  "(gfp_flags & __GFP_NOFAIL) && (order > 1)",
);
/** `alloc_pages_exact` strips what it cannot do. */
export const C_WARN_EXACT = check(
  "WARN",
  "mm/page_alloc.c:alloc_pages_exact",
  "gfp_mask & (__GFP_COMP | __GFP_HIGHMEM)",
);

/** Every check, by index. */
export const CHECKS: readonly Check[] = Object.freeze(list);

/** Adds an event for the ledger; when there is no room it is counted as lost. */
export function event(k: Kernel, code: number, a: number, b: number, c: number): void {
  const e = k.nEvents * EVENT_WORDS;
  const events = k.events;
  if (e >= events.length) {
    k.eventsLost++;
    return;
  }
  events[e] = code;
  events[e + 1] = a;
  events[e + 2] = b;
  events[e + 3] = c;
  k.nEvents++;
}

/** `BUG()`: the machine stops here. */
export function bug(k: Kernel, which: number, page: number): never {
  k.bugCheck = which;
  k.bugPage = page;
  throw k.bug;
}

/** A `struct page` outside mem_map is dereferenced: a page fault on a real machine. */
export function oops(k: Kernel, page: number): never {
  return bug(k, C_OOPS_PAGE, page);
}

/** A WARN: the kernel complains and goes on. `_ONCE` is not modelled, so that a shorter program says the same. */
export function warn(k: Kernel, which: number): void {
  event(k, EV_WARN, -1, which, -1);
}

/**
 * Complains of a page (`mm/page_alloc.c:bad_page`).
 *
 * "Leave bad fields for debug, except PageBuddy could make trouble": 6.12
 * clears PageBuddy, 6.1 resets the whole word to -1, whatever it held.
 *
 * @param first the block that is set aside, or -1 at allocation
 */
export function bad_page(k: Kernel, page: number, which: number, first: number): void {
  event(k, EV_BAD_PAGE, page, which, first);
  const w = (page << PAGE_WORDS_SHIFT) + W_TYPE;
  if (k.buddyBit !== 0 || ((k.mem[w]! & k.buddyMask) === k.buddyValue)) k.mem[w] = -1;
}
