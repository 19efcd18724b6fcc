/**
 * Makes a kernel: the functions of its version, less the repairs that its name
 * takes out, over a memory of its own.
 *
 * @module
 */
import { __ffs } from "../memory/bits.ts";
import { Arena } from "../memory/arena.ts";
import { EVENT_WORDS } from "../memory/events.ts";
import { NO_FRAGMENT } from "../memory/fragments.ts";
import type { Layout } from "../memory/layout.ts";
import { layoutOf } from "../memory/layouts/mod.ts";
import {
  areaWord,
  KERNEL_PGTABLES,
  LIST_PREV,
  MAX_LOCKS,
  type MemMap,
  memMap,
  NR_ORDERS,
  PAGES_TO_FREE,
  STALE,
  Z_END,
  Z_MANAGED,
  Z_START,
  ZONE_WORDS,
} from "../memory/mem_map.ts";
import { MAX_PAGE_ORDER, NULL, PAGE_WORDS_SHIFT, W_LRU_NEXT, W_LRU_PREV, W_TYPE } from "../memory/words.ts";
import { __tlb_remove_table_s390_6_12, __tlb_remove_table_s390_6_6, archTable } from "./arch.ts";
import { __free_one_page } from "./buddy.ts";
import { DEPOSIT_MMS } from "./huge.ts";
import { type ArchTable, type Kernel, KernelBug, type KernelFunctions, type KernelOptions } from "./kernel.ts";
import { __tlb_remove_table_s390, bootFragmentLists } from "./fragments.ts";
import { nodeOf } from "./list.ts";
import { bootPointerLists } from "./pointer_table.ts";
import {
  __tlb_remove_table_powerpc,
  __tlb_remove_table_sparc64,
  FRAGMENT_MMS,
  pgtable_free_tlb_sparc64,
  pte_free_defer_powerpc,
} from "./pte_frag.ts";
import { NOCACHE_UNITS } from "./srmmu.ts";
import { bootPtdescs } from "./memdesc.ts";
import {
  GATHER_WORDS,
  MAX_GATHERS,
  MAX_MMS,
  MAX_TABLE_BATCH,
  MAX_TABLE_BATCH_RCU,
  PAGEVEC_SIZE,
  UNITS,
} from "./mmu_gather.ts";
import { ARCHS, CONFIGS, type KernelBase, type KernelName, kernelNames, parseKernelName, since } from "./names.ts";
import { KERNEL_6_1 } from "./versions/6_1.ts";
import { KERNEL_6_12 } from "./versions/6_12.ts";
import { KERNEL_6_14 } from "./versions/6_14.ts";
import { KERNEL_6_19 } from "./versions/6_19.ts";
import { KERNEL_6_6 } from "./versions/6_6.ts";
import { KERNEL_FROZEN } from "./versions/frozen.ts";
import { KERNEL_MEMDESC } from "./versions/memdesc.ts";
import { KERNEL_V2 } from "./versions/v2.ts";
import { WITH, WITHOUT } from "./versions/without.ts";

/** Events that one call may report: more than a full gather puts, and a few hundred table batches. */
const MAX_EVENTS = 1 << 15;
/** Table batches that may wait for a grace period. */
const MAX_RCU = 1 << 14;
/**
 * The large arrays of kernels that were given up, by the number of pages; batches are all zeros.
 * Left to the garbage collector they outlive their kernel for long, and a campaign makes hundreds.
 */
const SPARE = new Map<number, { readonly batches: Int32Array; readonly events: Int32Array }>();

/** Bounds of `pages`. */
const MIN_PAGES = 8;
const MAX_PAGES = 4096;

const VERSIONS: Readonly<Record<KernelBase, KernelFunctions>> = {
  "6.1": KERNEL_6_1,
  v2: KERNEL_V2,
  "6.6": KERNEL_6_6,
  "6.12": KERNEL_6_12,
  "6.14": KERNEL_6_14,
  "6.19": KERNEL_6_19,
  frozen: KERNEL_FROZEN,
  memdesc: KERNEL_MEMDESC,
};

/** s390's own `__tlb_remove_table`; from 6.14 on it has none. */
const S390: Readonly<Partial<Record<KernelBase, KernelFunctions["__tlb_remove_table"]>>> = {
  "6.1": __tlb_remove_table_s390,
  v2: __tlb_remove_table_s390,
  "6.6": __tlb_remove_table_s390_6_6,
  "6.12": __tlb_remove_table_s390_6_12,
};

/** What of the functions is powerpc's own on every kernel: it has `__HAVE_ARCH_TLB_REMOVE_TABLE` in 6.14 too, as the list says. */
const POWERPC: Partial<KernelFunctions> = {
  __tlb_remove_table: __tlb_remove_table_powerpc,
  pte_free_defer: pte_free_defer_powerpc,
};

/** What is sparc64's own; that it has its own `__tlb_remove_table` in 6.14 too is the list's word again. */
const SPARC64: Partial<KernelFunctions> = {
  __tlb_remove_table: __tlb_remove_table_sparc64,
  pgtable_free_tlb: pgtable_free_tlb_sparc64,
};

function parsed(name: string): KernelName {
  const parts = parseKernelName(name);
  if (parts === undefined) throw new Error(`no kernel '${name}'; there are ${kernelNames().join(", ")}`);
  return parts;
}

/**
 * The functions of a kernel, as every architecture but s390 has them.
 *
 * @throws {Error} where there is no such kernel
 */
export function functionsOf(name: string): KernelFunctions {
  const { base, without, with: put } = parsed(name);
  let functions = VERSIONS[base];
  for (const [id, changed] of WITHOUT) {
    if (without.includes(id)) functions = Object.freeze({ ...functions, ...changed });
  }
  for (const [id, changed] of WITH) {
    if (put.includes(id)) functions = Object.freeze({ ...functions, ...changed });
  }
  return functions;
}

/**
 * A machine that runs a kernel. All fields are assigned here, in one order, so
 * that every kernel has the same hidden class, whatever its version.
 */
class Machine implements Kernel {
  readonly name: string;
  readonly base: KernelBase;
  readonly arch: ArchTable;
  readonly config: readonly string[];
  readonly layout: Layout;
  readonly map: MemMap;
  readonly debugVm: boolean;
  readonly mem: Int32Array;
  readonly batches: Int32Array;
  readonly wasBatch: Uint8Array;
  readonly batchPages: Int32Array;
  nBatchPages: number;
  readonly events: Int32Array;
  nEvents: number;
  eventsLost: number;
  failNext: number;
  placeNext: number;
  armed: number;
  atPoint: () => void;
  readonly bug: KernelBug;
  bugCheck: number;
  bugPage: number;
  readonly nrPages: number;
  readonly highStart: number;
  readonly lowZone: number;
  readonly highZone: number;
  readonly listEnd: number;
  readonly pgHead: number;
  readonly pgReserved: number;
  readonly checkAtFree: number;
  readonly checkAtPrep: number;
  readonly flagsSecond: number;
  readonly buddyMask: number;
  readonly buddyValue: number;
  readonly buddyBit: number;
  readonly orderWord: number;
  readonly orderShift: number;
  readonly tableMask: number;
  readonly tableValue: number;
  readonly tableBit: number;
  readonly splitPte: boolean;
  readonly splitPmd: boolean;
  readonly allocPtlocks: boolean;
  readonly memcg: boolean;
  readonly pmdShare: boolean;
  readonly locks: Uint8Array;
  nLocks: number;
  readonly mmHugePte: Int32Array;
  readonly pteFrag: Int32Array;
  readonly pmdFrag: Int32Array;
  nocachePool: number;
  readonly nocacheMap: Int32Array;
  readonly slabObjects: Int32Array;
  nSlabs: number;
  readonly pgste: boolean;
  readonly firstPtdesc: number;
  readonly ptdescEnd: number;
  readonly tableFree: boolean;
  readonly rcuTableFree: boolean;
  readonly noGather: boolean;
  readonly needsTableInvalidate: boolean;
  readonly maxTableBatch: number;
  readonly ptReclaim: boolean;
  readonly asyncKernelFree: boolean;
  readonly gatherPageSize: boolean;
  readonly gathers: Int32Array;
  readonly tlbFlushPending: Int32Array;
  readonly rcuQueue: Int32Array;
  nRcu: number;
  nWalkers: number;
  readonly folioBatch: Int32Array;
  /** Memory, gathers and what else a program finds as it is after boot. */
  readonly arena: Arena;
  readonly alloc_pages: KernelFunctions["alloc_pages"];
  readonly __get_free_pages: KernelFunctions["__get_free_pages"];
  readonly alloc_pages_exact: KernelFunctions["alloc_pages_exact"];
  readonly split_page: KernelFunctions["split_page"];
  readonly memblock_alloc: KernelFunctions["memblock_alloc"];
  readonly __rmqueue_smallest: KernelFunctions["__rmqueue_smallest"];
  readonly expand: KernelFunctions["expand"];
  readonly check_new_pages: KernelFunctions["check_new_pages"];
  readonly set_pcppage_migratetype: KernelFunctions["set_pcppage_migratetype"];
  readonly warn_nofail: KernelFunctions["warn_nofail"];
  readonly prep_new_page: KernelFunctions["prep_new_page"];
  readonly prep_compound_page: KernelFunctions["prep_compound_page"];
  readonly set_compound_order: KernelFunctions["set_compound_order"];
  readonly kernel_init_pages: KernelFunctions["kernel_init_pages"];
  readonly __free_one_page: KernelFunctions["__free_one_page"];
  readonly free_tail_page_prepare: KernelFunctions["free_tail_page_prepare"];
  readonly free_page_is_bad: KernelFunctions["free_page_is_bad"];
  readonly free_pages_prepare: KernelFunctions["free_pages_prepare"];
  readonly bulkfree_pcp_prepare: KernelFunctions["bulkfree_pcp_prepare"];
  readonly free_unref_page: KernelFunctions["free_unref_page"];
  readonly __free_pages_ok: KernelFunctions["__free_pages_ok"];
  readonly __free_pages: KernelFunctions["__free_pages"];
  readonly free_pages: KernelFunctions["free_pages"];
  readonly free_pages_exact: KernelFunctions["free_pages_exact"];
  readonly mark_page_reserved: KernelFunctions["mark_page_reserved"];
  readonly free_reserved_page: KernelFunctions["free_reserved_page"];
  readonly put_page_testzero: KernelFunctions["put_page_testzero"];
  readonly get_page_unless_zero: KernelFunctions["get_page_unless_zero"];
  readonly get_page: KernelFunctions["get_page"];
  readonly put_page: KernelFunctions["put_page"];
  readonly __folio_put: KernelFunctions["__folio_put"];
  readonly compound_head: KernelFunctions["compound_head"];
  readonly compound_order: KernelFunctions["compound_order"];
  readonly PageHead: KernelFunctions["PageHead"];
  readonly folio_nr_pages: KernelFunctions["folio_nr_pages"];
  readonly PageTail: KernelFunctions["PageTail"];
  readonly PageCompound: KernelFunctions["PageCompound"];
  readonly virt_to_page: KernelFunctions["virt_to_page"];
  readonly virt_to_head_page: KernelFunctions["virt_to_head_page"];
  readonly page_to_virt: KernelFunctions["page_to_virt"];
  readonly page_address: KernelFunctions["page_address"];
  readonly folio_test_reserved: KernelFunctions["folio_test_reserved"];
  readonly clear_page: KernelFunctions["clear_page"];
  readonly table_init: KernelFunctions["table_init"];
  readonly populate: KernelFunctions["populate"];
  readonly page_ptdesc: KernelFunctions["page_ptdesc"];
  readonly ptdesc_page: KernelFunctions["ptdesc_page"];
  readonly ptdesc_folio: KernelFunctions["ptdesc_folio"];
  readonly virt_to_ptdesc: KernelFunctions["virt_to_ptdesc"];
  readonly ptdesc_to_virt: KernelFunctions["ptdesc_to_virt"];
  readonly ptdesc_address: KernelFunctions["ptdesc_address"];
  readonly pagetable_is_reserved: KernelFunctions["pagetable_is_reserved"];
  readonly pagetable_alloc: KernelFunctions["pagetable_alloc"];
  readonly pagetable_free: KernelFunctions["pagetable_free"];
  readonly ptdesc_clear: KernelFunctions["ptdesc_clear"];
  readonly free_reserved_ptdesc: KernelFunctions["free_reserved_ptdesc"];
  readonly tlb_gather_mmu: KernelFunctions["tlb_gather_mmu"];
  readonly tlb_adjust_range: KernelFunctions["tlb_adjust_range"];
  readonly __tlb_remove_page_size: KernelFunctions["__tlb_remove_page_size"];
  readonly tlb_next_batch: KernelFunctions["tlb_next_batch"];
  readonly tlb_remove_page: KernelFunctions["tlb_remove_page"];
  readonly tlb_remove_table: KernelFunctions["tlb_remove_table"];
  readonly tlb_remove_table_sync_one: KernelFunctions["tlb_remove_table_sync_one"];
  readonly p4d_free_tlb: KernelFunctions["p4d_free_tlb"];
  readonly pud_free_tlb: KernelFunctions["pud_free_tlb"];
  readonly __pagetable_free: KernelFunctions["__pagetable_free"];
  readonly tlb_remove_ptdesc: KernelFunctions["tlb_remove_ptdesc"];
  readonly tlb_remove_page_ptdesc: KernelFunctions["tlb_remove_page_ptdesc"];
  readonly tlb_flush_mmu_tlbonly: KernelFunctions["tlb_flush_mmu_tlbonly"];
  readonly tlb_table_flush: KernelFunctions["tlb_table_flush"];
  readonly tlb_batch_pages_flush: KernelFunctions["tlb_batch_pages_flush"];
  readonly tlb_flush_mmu: KernelFunctions["tlb_flush_mmu"];
  readonly tlb_finish_mmu: KernelFunctions["tlb_finish_mmu"];
  readonly __tlb_remove_table: KernelFunctions["__tlb_remove_table"];
  readonly free_page_and_swap_cache: KernelFunctions["free_page_and_swap_cache"];
  readonly free_pages_and_swap_cache: KernelFunctions["free_pages_and_swap_cache"];
  readonly rcu_grace_period: KernelFunctions["rcu_grace_period"];
  readonly pagetable_pte_ctor: KernelFunctions["pagetable_pte_ctor"];
  readonly pagetable_pte_dtor: KernelFunctions["pagetable_pte_dtor"];
  readonly pagetable_pmd_ctor: KernelFunctions["pagetable_pmd_ctor"];
  readonly pagetable_pmd_dtor: KernelFunctions["pagetable_pmd_dtor"];
  readonly pagetable_pud_ctor: KernelFunctions["pagetable_pud_ctor"];
  readonly pagetable_pud_dtor: KernelFunctions["pagetable_pud_dtor"];
  readonly pagetable_dtor: KernelFunctions["pagetable_dtor"];
  readonly ptlock_init: KernelFunctions["ptlock_init"];
  readonly ptlock_alloc: KernelFunctions["ptlock_alloc"];
  readonly ptlock_free: KernelFunctions["ptlock_free"];
  readonly pmd_ptlock_init: KernelFunctions["pmd_ptlock_init"];
  readonly pmd_ptlock_free: KernelFunctions["pmd_ptlock_free"];
  readonly __folio_set_pgtable: KernelFunctions["__folio_set_pgtable"];
  readonly __folio_clear_pgtable: KernelFunctions["__folio_clear_pgtable"];
  readonly lruvec_stat_mod_pagetable: KernelFunctions["lruvec_stat_mod_pagetable"];
  readonly __memcg_kmem_charge_page: KernelFunctions["__memcg_kmem_charge_page"];
  readonly __memcg_kmem_uncharge_page: KernelFunctions["__memcg_kmem_uncharge_page"];
  readonly split_page_memcg: KernelFunctions["split_page_memcg"];
  readonly pgtable_trans_huge_deposit: KernelFunctions["pgtable_trans_huge_deposit"];
  readonly pgtable_trans_huge_withdraw: KernelFunctions["pgtable_trans_huge_withdraw"];
  readonly huge_pmd_share: KernelFunctions["huge_pmd_share"];
  readonly huge_pmd_unshare: KernelFunctions["huge_pmd_unshare"];
  readonly page_table_alloc: KernelFunctions["page_table_alloc"];
  readonly page_table_free: KernelFunctions["page_table_free"];
  readonly page_table_free_rcu: KernelFunctions["page_table_free_rcu"];
  readonly clear_pgste_bits: KernelFunctions["clear_pgste_bits"];
  readonly pte_fragment_alloc: KernelFunctions["pte_fragment_alloc"];
  readonly pte_fragment_free: KernelFunctions["pte_fragment_free"];
  readonly pte_frag_destroy: KernelFunctions["pte_frag_destroy"];
  readonly pmd_fragment_alloc: KernelFunctions["pmd_fragment_alloc"];
  readonly pmd_fragment_free: KernelFunctions["pmd_fragment_free"];
  readonly pmd_frag_destroy: KernelFunctions["pmd_frag_destroy"];
  readonly arch_exit_mmap: KernelFunctions["arch_exit_mmap"];
  readonly pgtable_free_tlb: KernelFunctions["pgtable_free_tlb"];
  readonly pte_free_defer: KernelFunctions["pte_free_defer"];
  readonly get_pointer_table: KernelFunctions["get_pointer_table"];
  readonly free_pointer_table: KernelFunctions["free_pointer_table"];
  readonly srmmu_get_nocache: KernelFunctions["srmmu_get_nocache"];
  readonly srmmu_free_nocache: KernelFunctions["srmmu_free_nocache"];
  readonly pte_alloc_one: KernelFunctions["pte_alloc_one"];
  readonly pte_free: KernelFunctions["pte_free"];
  readonly kmem_cache_alloc: KernelFunctions["kmem_cache_alloc"];
  readonly kmem_cache_free: KernelFunctions["kmem_cache_free"];
  readonly pgd_list_add: KernelFunctions["pgd_list_add"];
  readonly pgd_list_del: KernelFunctions["pgd_list_del"];
  readonly pgd_set_mm: KernelFunctions["pgd_set_mm"];

  constructor(
    name: string,
    base: KernelBase,
    arch: ArchTable,
    layout: Layout,
    options: KernelOptions,
    f: KernelFunctions,
  ) {
    const apart = since(base, "memdesc");
    const map = memMap(options.pages, apart);
    this.name = name;
    this.base = base;
    this.arch = arch;
    this.config = Object.freeze([...options.config].sort());
    this.layout = layout;
    this.map = map;
    this.debugVm = options.config.includes("DEBUG_VM");
    const arena = new Arena(
      4 *
          (map.words + map.nrPages + MAX_GATHERS * GATHER_WORDS + MAX_MMS + DEPOSIT_MMS + 2 * FRAGMENT_MMS +
            NOCACHE_UNITS) +
        64,
    );
    this.arena = arena;
    this.mem = arena.words(map.words);
    const spare = SPARE.get(map.nrPages);
    SPARE.delete(map.nrPages);
    this.batches = spare?.batches ?? new Int32Array(map.nrPages * UNITS);
    this.wasBatch = new Uint8Array(map.nrPages);
    this.batchPages = new Int32Array(map.nrPages);
    this.nBatchPages = 0;
    this.events = spare?.events ?? new Int32Array(MAX_EVENTS * EVENT_WORDS);
    this.nEvents = 0;
    this.eventsLost = 0;
    this.failNext = 0;
    this.placeNext = -1;
    this.armed = -1;
    this.atPoint = nothing;
    this.bug = new KernelBug();
    this.bugCheck = -1;
    this.bugPage = -1;
    this.nrPages = map.nrPages;
    this.highStart = options.config.includes("HIGHMEM") ? map.nrPages >> 1 : map.nrPages;
    this.lowZone = map.zones;
    this.highZone = map.zones + ZONE_WORDS;
    this.listEnd = ((apart ? map.words : map.contents) - LIST_PREV) << 2;
    this.pgHead = layout.PG_head;
    this.pgReserved = layout.PG_reserved;
    this.checkAtFree = layout.checkAtFree;
    this.checkAtPrep = layout.checkAtPrep;
    this.flagsSecond = layout.flagsSecond;
    this.buddyMask = layout.buddyMask;
    this.buddyValue = layout.buddyValue;
    this.buddyBit = layout.buddyBit;
    this.orderWord = layout.orderWord;
    this.orderShift = layout.orderShift;
    this.tableMask = layout.tableMask;
    this.tableValue = layout.tableValue;
    this.tableBit = layout.tableBit;
    this.allocPtlocks = options.config.includes("ALLOC_SPLIT_PTLOCKS");
    this.splitPte = this.allocPtlocks || options.config.includes("SPLIT_PTLOCKS");
    this.splitPmd = this.splitPte && arch.splitPmd;
    this.memcg = options.config.includes("MEMCG");
    // 6.12 (fs/Kconfig) shares only where PMD locks are split.
    this.pmdShare = arch.pmdShare && (this.splitPmd || base === "6.1" || base === "v2");
    this.locks = new Uint8Array(MAX_LOCKS);
    this.nLocks = 0;
    this.mmHugePte = arena.words(DEPOSIT_MMS).fill(NULL);
    this.pteFrag = arena.words(FRAGMENT_MMS).fill(NO_FRAGMENT);
    this.pmdFrag = arena.words(FRAGMENT_MMS).fill(NO_FRAGMENT);
    this.nocachePool = NULL;
    this.nocacheMap = arena.words(NOCACHE_UNITS);
    this.slabObjects = arena.words(map.nrPages);
    this.nSlabs = 0;
    this.pgste = options.config.includes("PGSTE");
    this.firstPtdesc = map.firstPtdesc;
    this.ptdescEnd = map.firstPtdesc + map.nrPages;
    this.tableFree = arch.tableFree;
    this.rcuTableFree = arch.rcuTableFree;
    this.noGather = arch.noGather;
    this.needsTableInvalidate = arch.needsTableInvalidate;
    this.ptReclaim = options.config.includes("PT_RECLAIM");
    this.asyncKernelFree = options.config.includes("ASYNC_KERNEL_PGTABLE_FREE");
    this.gatherPageSize = options.config.includes("MMU_GATHER_PAGE_SIZE");
    this.maxTableBatch = arch.rcuTableFree ? MAX_TABLE_BATCH_RCU : MAX_TABLE_BATCH;
    this.gathers = arena.words(MAX_GATHERS * GATHER_WORDS);
    this.tlbFlushPending = arena.words(MAX_MMS);
    this.rcuQueue = new Int32Array(MAX_RCU);
    this.nRcu = 0;
    this.nWalkers = 0;
    this.folioBatch = new Int32Array(3 * PAGEVEC_SIZE);
    this.alloc_pages = f.alloc_pages;
    this.__get_free_pages = f.__get_free_pages;
    this.alloc_pages_exact = f.alloc_pages_exact;
    this.split_page = f.split_page;
    this.memblock_alloc = f.memblock_alloc;
    this.__rmqueue_smallest = f.__rmqueue_smallest;
    this.expand = f.expand;
    this.check_new_pages = f.check_new_pages;
    this.set_pcppage_migratetype = f.set_pcppage_migratetype;
    this.warn_nofail = f.warn_nofail;
    this.prep_new_page = f.prep_new_page;
    this.prep_compound_page = f.prep_compound_page;
    this.set_compound_order = f.set_compound_order;
    this.kernel_init_pages = f.kernel_init_pages;
    this.__free_one_page = f.__free_one_page;
    this.free_tail_page_prepare = f.free_tail_page_prepare;
    this.free_page_is_bad = f.free_page_is_bad;
    this.free_pages_prepare = f.free_pages_prepare;
    this.bulkfree_pcp_prepare = f.bulkfree_pcp_prepare;
    this.free_unref_page = f.free_unref_page;
    this.__free_pages_ok = f.__free_pages_ok;
    this.__free_pages = f.__free_pages;
    this.free_pages = f.free_pages;
    this.free_pages_exact = f.free_pages_exact;
    this.mark_page_reserved = f.mark_page_reserved;
    this.free_reserved_page = f.free_reserved_page;
    this.put_page_testzero = f.put_page_testzero;
    this.get_page_unless_zero = f.get_page_unless_zero;
    this.get_page = f.get_page;
    this.put_page = f.put_page;
    this.__folio_put = f.__folio_put;
    this.compound_head = f.compound_head;
    this.compound_order = f.compound_order;
    this.PageHead = f.PageHead;
    this.folio_nr_pages = f.folio_nr_pages;
    this.PageTail = f.PageTail;
    this.PageCompound = f.PageCompound;
    this.virt_to_page = f.virt_to_page;
    this.virt_to_head_page = f.virt_to_head_page;
    this.page_to_virt = f.page_to_virt;
    this.page_address = f.page_address;
    this.folio_test_reserved = f.folio_test_reserved;
    this.clear_page = f.clear_page;
    this.table_init = f.table_init;
    this.populate = f.populate;
    this.page_ptdesc = f.page_ptdesc;
    this.ptdesc_page = f.ptdesc_page;
    this.ptdesc_folio = f.ptdesc_folio;
    this.virt_to_ptdesc = f.virt_to_ptdesc;
    this.ptdesc_to_virt = f.ptdesc_to_virt;
    this.ptdesc_address = f.ptdesc_address;
    this.pagetable_is_reserved = f.pagetable_is_reserved;
    this.pagetable_alloc = f.pagetable_alloc;
    this.pagetable_free = f.pagetable_free;
    this.ptdesc_clear = f.ptdesc_clear;
    this.free_reserved_ptdesc = f.free_reserved_ptdesc;
    this.tlb_gather_mmu = f.tlb_gather_mmu;
    this.tlb_adjust_range = f.tlb_adjust_range;
    this.__tlb_remove_page_size = f.__tlb_remove_page_size;
    this.tlb_next_batch = f.tlb_next_batch;
    this.tlb_remove_page = f.tlb_remove_page;
    this.tlb_remove_table = f.tlb_remove_table;
    this.tlb_remove_table_sync_one = f.tlb_remove_table_sync_one;
    this.p4d_free_tlb = f.p4d_free_tlb;
    this.pud_free_tlb = f.pud_free_tlb;
    this.__pagetable_free = f.__pagetable_free;
    this.tlb_remove_ptdesc = f.tlb_remove_ptdesc;
    this.tlb_remove_page_ptdesc = f.tlb_remove_page_ptdesc;
    this.tlb_flush_mmu_tlbonly = f.tlb_flush_mmu_tlbonly;
    this.tlb_table_flush = f.tlb_table_flush;
    this.tlb_batch_pages_flush = f.tlb_batch_pages_flush;
    this.tlb_flush_mmu = f.tlb_flush_mmu;
    this.tlb_finish_mmu = f.tlb_finish_mmu;
    this.__tlb_remove_table = f.__tlb_remove_table;
    this.free_page_and_swap_cache = f.free_page_and_swap_cache;
    this.free_pages_and_swap_cache = f.free_pages_and_swap_cache;
    this.rcu_grace_period = f.rcu_grace_period;
    this.pagetable_pte_ctor = f.pagetable_pte_ctor;
    this.pagetable_pte_dtor = f.pagetable_pte_dtor;
    this.pagetable_pmd_ctor = f.pagetable_pmd_ctor;
    this.pagetable_pmd_dtor = f.pagetable_pmd_dtor;
    this.pagetable_pud_ctor = f.pagetable_pud_ctor;
    this.pagetable_pud_dtor = f.pagetable_pud_dtor;
    this.pagetable_dtor = f.pagetable_dtor;
    this.ptlock_init = f.ptlock_init;
    this.ptlock_alloc = f.ptlock_alloc;
    this.ptlock_free = f.ptlock_free;
    this.pmd_ptlock_init = f.pmd_ptlock_init;
    this.pmd_ptlock_free = f.pmd_ptlock_free;
    this.__folio_set_pgtable = f.__folio_set_pgtable;
    this.__folio_clear_pgtable = f.__folio_clear_pgtable;
    this.lruvec_stat_mod_pagetable = f.lruvec_stat_mod_pagetable;
    this.__memcg_kmem_charge_page = f.__memcg_kmem_charge_page;
    this.__memcg_kmem_uncharge_page = f.__memcg_kmem_uncharge_page;
    this.split_page_memcg = f.split_page_memcg;
    this.pgtable_trans_huge_deposit = f.pgtable_trans_huge_deposit;
    this.pgtable_trans_huge_withdraw = f.pgtable_trans_huge_withdraw;
    this.huge_pmd_share = f.huge_pmd_share;
    this.huge_pmd_unshare = f.huge_pmd_unshare;
    this.page_table_alloc = f.page_table_alloc;
    this.page_table_free = f.page_table_free;
    this.page_table_free_rcu = f.page_table_free_rcu;
    this.clear_pgste_bits = f.clear_pgste_bits;
    this.pte_fragment_alloc = f.pte_fragment_alloc;
    this.pte_fragment_free = f.pte_fragment_free;
    this.pte_frag_destroy = f.pte_frag_destroy;
    this.pmd_fragment_alloc = f.pmd_fragment_alloc;
    this.pmd_fragment_free = f.pmd_fragment_free;
    this.pmd_frag_destroy = f.pmd_frag_destroy;
    this.arch_exit_mmap = f.arch_exit_mmap;
    this.pgtable_free_tlb = f.pgtable_free_tlb;
    this.pte_free_defer = f.pte_free_defer;
    this.get_pointer_table = f.get_pointer_table;
    this.free_pointer_table = f.free_pointer_table;
    this.srmmu_get_nocache = f.srmmu_get_nocache;
    this.srmmu_free_nocache = f.srmmu_free_nocache;
    this.pte_alloc_one = f.pte_alloc_one;
    this.pte_free = f.pte_free;
    this.kmem_cache_alloc = f.kmem_cache_alloc;
    this.kmem_cache_free = f.kmem_cache_free;
    this.pgd_list_add = f.pgd_list_add;
    this.pgd_list_del = f.pgd_list_del;
    this.pgd_set_mm = f.pgd_set_mm;
    bootMemory(this);
    bootFragmentLists(this);
    bootPointerLists(this);
    if (apart) bootPtdescs(this);
    arena.keep();
  }

  /** Memory as after boot, no gather, nothing armed. */
  reset(): void {
    this.arena.reset();
    this.nEvents = 0;
    this.eventsLost = 0;
    this.failNext = 0;
    this.placeNext = -1;
    this.armed = -1;
    this.atPoint = nothing;
    this.bugCheck = -1;
    this.bugPage = -1;
    this.nRcu = 0;
    this.nWalkers = 0;
    if (this.nLocks > 0) this.locks.fill(0, 0, Math.min(this.nLocks, MAX_LOCKS));
    this.nLocks = 0;
    this.nSlabs = 0;
    this.nocachePool = NULL;
    this.clearBatches();
  }

  /** No page is or was a gather's batch. */
  private clearBatches(): void {
    for (let i = 0; i < this.nBatchPages; i++) {
      const page = this.batchPages[i]!;
      this.wasBatch[page] = 0;
      this.batches.fill(0, page * UNITS, (page + 1) * UNITS);
    }
    this.nBatchPages = 0;
  }

  giveUp(): void {
    this.clearBatches();
    SPARE.set(this.nrPages, { batches: this.batches, events: this.events });
  }
}

function nothing(): void {}

/**
 * Every page initialised as `__init_single_page` does and given to the buddy
 * allocator in the largest blocks that alignment allows
 * (`mm/memblock.c:__free_pages_memory`, `mm/page_alloc.c:__free_pages_core`).
 */
function bootMemory(k: Kernel): void {
  const { mem, map } = k;
  for (let page = 0; page < k.nrPages; page++) {
    const w = page << PAGE_WORDS_SHIFT;
    mem[w + W_TYPE] = -1;
    mem[w + W_LRU_NEXT] = nodeOf(page);
    mem[w + W_LRU_PREV] = nodeOf(page);
    mem[map.contents + page] = STALE;
  }
  emptyList(mem, map.pgdList);
  emptyList(mem, map.pgdList + PAGES_TO_FREE);
  emptyList(mem, map.pgdList + KERNEL_PGTABLES);
  bootZone(k, map, k.lowZone, 0, k.highStart);
  bootZone(k, map, k.highZone, k.highStart, k.nrPages);
}

function bootZone(k: Kernel, _map: MemMap, zone: number, start: number, end: number): void {
  const { mem } = k;
  mem[zone + Z_START] = start;
  mem[zone + Z_END] = end;
  mem[zone + Z_MANAGED] = end - start;
  for (let order = 0; order < NR_ORDERS; order++) emptyList(mem, areaWord(zone, order));
  for (let page = start; page < end;) {
    let order = page === 0 ? MAX_PAGE_ORDER : Math.min(MAX_PAGE_ORDER, __ffs(page));
    while (page + (1 << order) > end) order--;
    __free_one_page(k, page, zone, order, true);
    page += 1 << order;
  }
}

/** INIT_LIST_HEAD. */
function emptyList(mem: Int32Array, head: number): void {
  mem[head] = head << 2;
  mem[head + LIST_PREV] = head << 2;
}

/**
 * Makes a kernel.
 *
 * @param name a version, with `-without-ID` for each repair that is taken out
 * @param overrides functions to replace: a mutant
 * @throws {Error} where the name, the architecture, an option of the configuration or the number of pages is none
 */
export function createKernel(name: string, options: KernelOptions, overrides?: Partial<KernelFunctions>): Kernel {
  const { base } = parsed(name);
  for (const option of options.config) {
    if (!Object.hasOwn(CONFIGS, option)) {
      throw new Error(`no configuration option '${option}'; there are ${Object.keys(CONFIGS).join(", ")}`);
    }
  }
  const { pages } = options;
  if (!Number.isInteger(pages) || pages < MIN_PAGES || pages > MAX_PAGES || (pages & (pages - 1)) !== 0) {
    throw new Error(
      `a machine cannot have ${pages} pages; a power of two from ${MIN_PAGES} to ${MAX_PAGES} would be right`,
    );
  }
  const arch = archTable(options.arch, base, options.config);
  if (arch === undefined) throw new Error(`no architecture '${options.arch}'; there are ${ARCHS.join(", ")}`);
  const functions: KernelFunctions = {
    ...functionsOf(name),
    ...(arch.name === "s390" && S390[base] !== undefined ? { __tlb_remove_table: S390[base] } : {}),
    ...(arch.name === "powerpc" ? POWERPC : {}),
    ...(arch.name === "sparc64" ? SPARC64 : {}),
    ...overrides,
  };
  return new Machine(name, base, arch, layoutOf(base), options, functions);
}
