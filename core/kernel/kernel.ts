/**
 * A kernel: a table of free functions over one memory.
 *
 * The next version is `{ ...before, changed }`; a mutant is the same with one
 * function broken. Functions call each other through the table (`k.f(k, ...)`)
 * wherever some version or mutant replaces the callee. Every kernel object is
 * built by the same code in the same order, so that all have one shape.
 *
 * Pages, folios and descriptors are the pfn of their `struct page`; addresses
 * are `PAGE_OFFSET + (pfn << PAGE_SHIFT)`; NULL is -1 of every kind.
 *
 * Nothing is allocated in a call. A BUG throws the kernel's one `bug` object,
 * with `bugCheck` telling which.
 *
 * @module
 */
import type { Arena } from "../memory/arena.ts";
import type { Layout } from "../memory/layout.ts";
import type { MemMap } from "../memory/mem_map.ts";
import type { KernelBase } from "./names.ts";

/** The kind of value that an architecture's tables are queued as. */
export type TableKind = "page" | "ptdesc" | "virt";

/** How an architecture's gather frees tables. */
export interface ArchTable {
  readonly name: string;
  /** MMU_GATHER_TABLE_FREE; else tlb_remove_table is tlb_remove_page. */
  readonly tableFree: boolean;
  /** MMU_GATHER_RCU_TABLE_FREE. */
  readonly rcuTableFree: boolean;
  /** MMU_GATHER_NO_GATHER: tlb_remove_page frees at once. */
  readonly noGather: boolean;
  /** What `__tlb_remove_table` takes. */
  readonly tableKind: TableKind;
  /** tlb_needs_table_invalidate(). */
  readonly needsTableInvalidate: boolean;
  /** CONFIG_SMP: there are other CPUs that walk. */
  readonly smp: boolean;
  /** Hardware walks the tables (or a refill handler does), and caches what it finds. */
  readonly hardwareWalk: boolean;
  /** HAVE_GUP_FAST: code walks page tables with interrupts off. */
  readonly gupFast: boolean;
  /** A TLB flush interrupts the other CPUs and waits for them. */
  readonly ipiFlush: boolean;
  /** The hardware walks no tables of an mm that nobody is on: its ASID is dead. */
  readonly deadAsid: boolean;
  /** ARCH_ENABLE_SPLIT_PMD_PTLOCK. */
  readonly splitPmd: boolean;
  /** ARCH_WANT_HUGE_PMD_SHARE. */
  readonly pmdShare: boolean;
}

/** What a machine is made of, beside its kernel's functions. */
export interface KernelOptions {
  readonly arch: string;
  readonly config: readonly string[];
  readonly pages: number;
}

/** Thrown when the kernel would BUG; made once a machine, so that throwing allocates nothing. */
export class KernelBug extends Error {
  override readonly name = "KernelBug";
}

/** The functions of a kernel. Operands and answers are numbers (see the module's head). */
export interface KernelFunctions {
  // mm/page_alloc.c, mm/internal.h
  alloc_pages(k: Kernel, gfp: number, order: number): number;
  __get_free_pages(k: Kernel, gfp: number, order: number): number;
  alloc_pages_exact(k: Kernel, size: number, gfp: number): number;
  split_page(k: Kernel, page: number, order: number): void;
  memblock_alloc(k: Kernel, nr: number): number;
  __rmqueue_smallest(k: Kernel, zone: number, order: number): number;
  expand(k: Kernel, zone: number, page: number, low: number, high: number): void;
  check_new_pages(k: Kernel, page: number, order: number): boolean;
  set_pcppage_migratetype(k: Kernel, page: number): void;
  warn_nofail(k: Kernel, gfp: number, order: number): void;
  prep_new_page(k: Kernel, page: number, order: number, gfp: number): void;
  prep_compound_page(k: Kernel, page: number, order: number): void;
  set_compound_order(k: Kernel, page: number, order: number): void;
  kernel_init_pages(k: Kernel, page: number, nr: number): void;
  __free_one_page(k: Kernel, page: number, zone: number, order: number, toTail: boolean): void;
  free_tail_page_prepare(k: Kernel, head: number, page: number): number;
  free_page_is_bad(k: Kernel, page: number): boolean;
  free_pages_prepare(k: Kernel, page: number, order: number, checkFree: boolean): boolean;
  /** 6.1: the check of a page that leaves a per-CPU list; true where it is bad. */
  bulkfree_pcp_prepare(k: Kernel, page: number): boolean;
  free_unref_page(k: Kernel, page: number, order: number): void;
  __free_pages_ok(k: Kernel, page: number, order: number, toTail: boolean): void;
  __free_pages(k: Kernel, page: number, order: number): void;
  free_pages(k: Kernel, addr: number, order: number): void;
  free_pages_exact(k: Kernel, virt: number, size: number): void;
  mark_page_reserved(k: Kernel, page: number): void;
  free_reserved_page(k: Kernel, page: number): void;
  // include/linux/mm.h, page-flags.h, mm/swap.c
  put_page_testzero(k: Kernel, page: number): boolean;
  get_page_unless_zero(k: Kernel, page: number): number;
  get_page(k: Kernel, page: number): void;
  put_page(k: Kernel, page: number): void;
  __folio_put(k: Kernel, folio: number): void;
  compound_head(k: Kernel, page: number): number;
  compound_order(k: Kernel, page: number): number;
  PageHead(k: Kernel, page: number): number;
  folio_nr_pages(k: Kernel, folio: number): number;
  PageTail(k: Kernel, page: number): number;
  PageCompound(k: Kernel, page: number): number;
  virt_to_page(k: Kernel, addr: number): number;
  virt_to_head_page(k: Kernel, addr: number): number;
  page_to_virt(k: Kernel, page: number): number;
  page_address(k: Kernel, page: number): number;
  folio_test_reserved(k: Kernel, folio: number): number;
  clear_page(k: Kernel, addr: number): void;
  table_init(k: Kernel, addr: number, pages: number): void;
  populate(k: Kernel, addr: number): void;
  // The patch, under the names of each version; ptdesc_* and pagetable_* share an entry.
  page_ptdesc(k: Kernel, page: number): number;
  ptdesc_page(k: Kernel, pt: number): number;
  ptdesc_folio(k: Kernel, pt: number): number;
  virt_to_ptdesc(k: Kernel, addr: number): number;
  ptdesc_to_virt(k: Kernel, pt: number): number;
  ptdesc_address(k: Kernel, pt: number): number;
  pagetable_is_reserved(k: Kernel, pt: number): number;
  pagetable_alloc(k: Kernel, gfp: number, order: number): number;
  pagetable_free(k: Kernel, pt: number): void;
  ptdesc_clear(k: Kernel, addr: number): void;
  free_reserved_ptdesc(k: Kernel, pt: number): void;
  // mm/mmu_gather.c, asm-generic/tlb.h. A gather is an index, or NULL where all are in use.
  tlb_gather_mmu(k: Kernel, mm: number, fullmm: boolean): number;
  tlb_adjust_range(k: Kernel, tlb: number, address: number, size: number, cleared: number): void;
  __tlb_remove_page_size(k: Kernel, tlb: number, page: number): boolean;
  tlb_next_batch(k: Kernel, tlb: number): boolean;
  tlb_remove_page(k: Kernel, tlb: number, page: number): void;
  tlb_remove_table(k: Kernel, tlb: number, table: number): void;
  tlb_remove_table_sync_one(k: Kernel): void;
  /** Of a level that is folded: nothing. */
  p4d_free_tlb(k: Kernel, tlb: number, p4d: number, address: number): void;
  pud_free_tlb(k: Kernel, tlb: number, pud: number, address: number): void;
  /** What pagetable_free does in the end. */
  __pagetable_free(k: Kernel, pt: number): void;
  tlb_remove_ptdesc(k: Kernel, tlb: number, pt: number): void;
  tlb_remove_page_ptdesc(k: Kernel, tlb: number, pt: number): void;
  tlb_flush_mmu_tlbonly(k: Kernel, tlb: number): void;
  tlb_table_flush(k: Kernel, tlb: number): void;
  tlb_batch_pages_flush(k: Kernel, tlb: number): void;
  tlb_flush_mmu(k: Kernel, tlb: number): void;
  tlb_finish_mmu(k: Kernel, tlb: number): void;
  __tlb_remove_table(k: Kernel, table: number): void;
  free_page_and_swap_cache(k: Kernel, page: number): void;
  /** Puts `nr` queued pages that stand in `pages` from `first` on. */
  free_pages_and_swap_cache(k: Kernel, pages: Int32Array, first: number, nr: number): void;
  rcu_grace_period(k: Kernel): void;
  // include/linux/mm.h, page-flags.h, vmstat.h, mm/memory.c: constructors, and what they are made of. 6.1 has other names.
  pagetable_pte_ctor(k: Kernel, pt: number): number;
  pagetable_pte_dtor(k: Kernel, pt: number): void;
  pagetable_pmd_ctor(k: Kernel, pt: number): number;
  pagetable_pmd_dtor(k: Kernel, pt: number): void;
  pagetable_pud_ctor(k: Kernel, pt: number): void;
  pagetable_pud_dtor(k: Kernel, pt: number): void;
  /** 6.14: the destructor of every level. */
  pagetable_dtor(k: Kernel, pt: number): void;
  ptlock_init(k: Kernel, pt: number): boolean;
  ptlock_alloc(k: Kernel, pt: number): boolean;
  ptlock_free(k: Kernel, pt: number): void;
  pmd_ptlock_init(k: Kernel, pt: number): boolean;
  pmd_ptlock_free(k: Kernel, pt: number): void;
  __folio_set_pgtable(k: Kernel, page: number): void;
  __folio_clear_pgtable(k: Kernel, page: number): void;
  /** NR_PAGETABLE up (sign 1) or down (sign -1). */
  lruvec_stat_mod_pagetable(k: Kernel, page: number, sign: number): void;
  // mm/memcontrol.c
  /** False where the memcg would be over its limit. */
  __memcg_kmem_charge_page(k: Kernel, page: number, order: number, gfp: number): boolean;
  __memcg_kmem_uncharge_page(k: Kernel, page: number, order: number): void;
  split_page_memcg(k: Kernel, head: number, order: number): void;
  // mm/pgtable-generic.c, mm/hugetlb.c
  pgtable_trans_huge_deposit(k: Kernel, mm: number, pmdp: number, pgtable: number): void;
  pgtable_trans_huge_withdraw(k: Kernel, mm: number, pmdp: number): number;
  huge_pmd_share(k: Kernel, spte: number): void;
  huge_pmd_unshare(k: Kernel, ptep: number): number;
  // arch/s390/mm/pgalloc.c, until 6.6. The mm of a gather is its own.
  page_table_alloc(k: Kernel, mm: number): number;
  page_table_free(k: Kernel, mm: number, table: number): void;
  page_table_free_rcu(k: Kernel, tlb: number, mm: number, table: number): void;
  /** The two bits of a table with PGSTEs in `_refcount`, on its way out. */
  clear_pgste_bits(k: Kernel, page: number): void;
  // arch/powerpc/mm/pgtable-frag.c, arch/powerpc/mm/book3s64/pgtable.c, mmu_context.c
  pte_fragment_alloc(k: Kernel, mm: number, kernel: number): number;
  pte_fragment_free(k: Kernel, table: number, kernel: number): void;
  pte_frag_destroy(k: Kernel, frag: number): void;
  pmd_fragment_alloc(k: Kernel, mm: number): number;
  pmd_fragment_free(k: Kernel, pmd: number): void;
  pmd_frag_destroy(k: Kernel, frag: number): void;
  arch_exit_mmap(k: Kernel, mm: number): void;
  pgtable_free_tlb(k: Kernel, tlb: number, table: number, index: number): void;
  // mm/pgtable-generic.c, or the architecture's own
  pte_free_defer(k: Kernel, pgtable: number): void;
  // arch/m68k/mm/motorola.c
  get_pointer_table(k: Kernel, type: number): number;
  free_pointer_table(k: Kernel, table: number, type: number): number;
  // arch/sparc/mm/srmmu.c
  srmmu_get_nocache(k: Kernel, size: number, align: number): number;
  srmmu_free_nocache(k: Kernel, addr: number, size: number): void;
  pte_alloc_one(k: Kernel): number;
  pte_free(k: Kernel, ptep: number): void;
  // mm/slub.c
  kmem_cache_alloc(k: Kernel, cache: number, gfp: number): number;
  kmem_cache_free(k: Kernel, cache: number, object: number): void;
  // arch/x86/mm/pgtable.c
  pgd_list_add(k: Kernel, pgd: number): void;
  pgd_list_del(k: Kernel, pgd: number): void;
  pgd_set_mm(k: Kernel, pgd: number, mm: number): void;
}

/** What a kernel works on. */
export interface KernelState {
  readonly name: string;
  readonly base: KernelBase;
  readonly arch: ArchTable;
  readonly config: readonly string[];
  readonly layout: Layout;
  readonly map: MemMap;
  /** CONFIG_DEBUG_VM. */
  readonly debugVm: boolean;
  /** Memory, gathers and what else every program finds as it is after boot. */
  readonly arena: Arena;
  /** The memory (see `mem_map.ts`). */
  readonly mem: Int32Array;
  /** Contents of pages that serve as batches: 512 eight-byte units a page, one number each. */
  readonly batches: Int32Array;
  /** 1 for a page that served as a batch since the last reset. */
  readonly wasBatch: Uint8Array;
  /** Those pages. */
  readonly batchPages: Int32Array;
  /** Number of {@linkcode Kernel.batchPages}. */
  nBatchPages: number;
  /** Events of the call that runs (see `events.ts`), and their number. */
  readonly events: Int32Array;
  nEvents: number;
  /** Events for which there was no room: what follows is not to be judged. */
  eventsLost: number;
  /** Which functions' next allocation fails: bit i for FAILABLE[i] of the call table. */
  failNext: number;
  /** Page at which the next allocation takes its block where it can; -1 for wherever the lists say. */
  placeNext: number;
  /** Index of the point (POINTS of the call table) at which `atPoint` is called once; -1 for none. */
  armed: number;
  /** Called at the armed point. */
  atPoint: () => void;
  /** What a BUG throws. */
  readonly bug: KernelBug;
  /** Index into CHECKS of the BUG that was thrown. */
  bugCheck: number;
  /** Page that the BUG is about, or -1. */
  bugPage: number;
  // What the functions read most, taken out of arch, layout and map.
  /** Pages of the machine. */
  readonly nrPages: number;
  /** First page of highmem; `nrPages` without HIGHMEM. */
  readonly highStart: number;
  /** Word of the lowmem zone. */
  readonly lowZone: number;
  /** Word of the highmem zone. */
  readonly highZone: number;
  /** Byte address past the last list node: contents are no nodes. */
  readonly listEnd: number;
  /** `Layout.PG_head`. */
  readonly pgHead: number;
  /** `Layout.PG_reserved`. */
  readonly pgReserved: number;
  /** `Layout.checkAtFree`. */
  readonly checkAtFree: number;
  /** `Layout.checkAtPrep`. */
  readonly checkAtPrep: number;
  /** `Layout.flagsSecond`. */
  readonly flagsSecond: number;
  /** `Layout.buddyMask`. */
  readonly buddyMask: number;
  /** `Layout.buddyValue`. */
  readonly buddyValue: number;
  /** `Layout.buddyBit`. */
  readonly buddyBit: number;
  /** `Layout.orderWord`. */
  readonly orderWord: number;
  /** `Layout.orderShift`. */
  readonly orderShift: number;
  /** `Layout.tableMask`. */
  readonly tableMask: number;
  /** `Layout.tableValue`. */
  readonly tableValue: number;
  /** `Layout.tableBit`. */
  readonly tableBit: number;
  /** SPLIT_PTE_PTLOCKS: each table of PTEs has a lock of its own. */
  readonly splitPte: boolean;
  /** SPLIT_PMD_PTLOCKS: each table of PMDs has one. */
  readonly splitPmd: boolean;
  /** ALLOC_SPLIT_PTLOCKS: these locks come from a slab. */
  readonly allocPtlocks: boolean;
  /** CONFIG_MEMCG, and the program runs in a memcg. */
  readonly memcg: boolean;
  /** Tables of PMDs may be shared (CONFIG_HUGETLB_PMD_PAGE_TABLE_SHARING, 6.1: ARCH_WANT_HUGE_PMD_SHARE). */
  readonly pmdShare: boolean;
  /** State of every object of the slab of locks: LOCK_NONE, LOCK_LIVE, LOCK_FREED. */
  readonly locks: Uint8Array;
  /** Locks handed out so far. */
  nLocks: number;
  /** `mm->pmd_huge_pte`, by mm: a page, or NULL. */
  readonly mmHugePte: Int32Array;
  /** `mm->context.pte_frag` (powerpc), by mm: an address, or NULL. */
  readonly pteFrag: Int32Array;
  /** `mm->context.pmd_frag`. */
  readonly pmdFrag: Int32Array;
  /** First page of the nocache pool (sparc), or NULL while there is none. */
  nocachePool: number;
  /** 1 for each unit of the pool that is in use. */
  readonly nocacheMap: Int32Array;
  /** Of a page that is a slab: its cache, counted from 1, and a bit for each object in use; else 0. */
  readonly slabObjects: Int32Array;
  /** Pages that are slabs. */
  nSlabs: number;
  /** Page tables have PGSTEs: the mms are those of KVM guests (s390). */
  readonly pgste: boolean;
  /** First value that is a descriptor's: 0 where descriptors are struct pages. */
  readonly firstPtdesc: number;
  /** One past the last value that is a descriptor's: `nrPages` where descriptors are struct pages. */
  readonly ptdescEnd: number;
  /** `arch.tableFree`. */
  readonly tableFree: boolean;
  /** `arch.rcuTableFree`. */
  readonly rcuTableFree: boolean;
  /** `arch.noGather`. */
  readonly noGather: boolean;
  /** `arch.needsTableInvalidate`. */
  readonly needsTableInvalidate: boolean;
  /** MAX_TABLE_BATCH: 509 with RCU, 511 without. */
  readonly maxTableBatch: number;
  /** CONFIG_PT_RECLAIM. */
  readonly ptReclaim: boolean;
  /** CONFIG_ASYNC_KERNEL_PGTABLE_FREE. */
  readonly asyncKernelFree: boolean;
  /** CONFIG_MMU_GATHER_PAGE_SIZE. */
  readonly gatherPageSize: boolean;
  /** The gathers (see `mmu_gather.ts`). */
  readonly gathers: Int32Array;
  /** `mm->tlb_flush_pending`, by mm. */
  readonly tlbFlushPending: Int32Array;
  /** Table batches that wait for a grace period, oldest first. */
  readonly rcuQueue: Int32Array;
  /** How many there are. */
  nRcu: number;
  /** Walkers that were given a number. */
  nWalkers: number;
  /** A folio batch on the stack: folios, pages as queued, references of each. */
  readonly folioBatch: Int32Array;
  /** Puts everything back to the state after boot. */
  reset(): void;
  /** Leaves what is large to the next kernel of this size: nobody runs on this one any more. */
  giveUp(): void;
}

/** A kernel. */
export interface Kernel extends KernelState, KernelFunctions {}
