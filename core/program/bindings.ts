/**
 * What each call of the table does: which function of the kernel runs, on the
 * operands that the executor put into the ledger's a, b and c.
 *
 * @module
 */
import * as $ctor from "../kernel/ctor.ts";
import type { Kernel } from "../kernel/kernel.ts";
import * as $kernelPgtable from "../kernel/kernel_pgtable.ts";
import * as $mmuGather from "../kernel/mmu_gather.ts";
import type { Hook } from "../ledger/hooks/mod.ts";
import * as $hooks from "../ledger/hooks/mod.ts";
import type { Ledger } from "../ledger/ledger.ts";
import * as $walkers from "../ledger/walkers.ts";
import * as $gfp from "../memory/gfp.ts";
import * as $words from "../memory/words.ts";
import * as $calls from "./calls.ts";

const { pagetable_dtor_free } = $ctor;
const { kernel_pgtable_work_func, ptdesc_set_kernel } = $kernelPgtable;
const {
  __tlb_remove_folio_pages,
  CLEARED_P4DS,
  CLEARED_PMDS,
  CLEARED_PTES,
  CLEARED_PUDS,
  flush_tlb,
  G_MM,
  GATHER_WORDS,
  tlb_change_page_size,
  tlb_delay_rmap,
  tlb_flush_rmaps,
} = $mmuGather;
const { HOOKS, pageOf } = $hooks;
const { MAX_WALKERS } = $walkers;
const { __GFP_ZERO } = $gfp;
const { NULL } = $words;
const { callName, CALLS } = $calls;

/** Where a call finds its operands: the ledger, or whoever repeats what ran. */
export interface Operands {
  /** The first operand: a page, an address, an index or a number. */
  readonly a: number;
  /** The second. */
  readonly b: number;
  /** The third. */
  readonly c: number;
}

/** Runs one call; 0 where it answers nothing. */
export type Run = (k: Kernel, l: Operands) => number;

const range = (cleared: number): Run => (k, l) => (k.tlb_adjust_range(k, l.a, l.b, l.c, cleared), 0);

/** A walker changes nothing in memory: it gets a number. */
const walker: Run = (k) => k.nWalkers === MAX_WALKERS ? NULL : k.nWalkers++;

const runs: Readonly<Record<string, Run>> = {
  alloc_pages: (k, l) => k.alloc_pages(k, l.a, l.b),
  alloc_page: (k, l) => k.alloc_pages(k, l.a, 0),
  __get_free_pages: (k, l) => k.__get_free_pages(k, l.a, l.b),
  __get_free_page: (k, l) => k.__get_free_pages(k, l.a, 0),
  get_zeroed_page: (k, l) => k.__get_free_pages(k, l.a | __GFP_ZERO, 0),
  alloc_pages_exact: (k, l) => k.alloc_pages_exact(k, l.a, l.b),
  split_page: (k, l) => (k.split_page(k, l.a, l.b), 0),
  memblock_alloc: (k, l) => k.memblock_alloc(k, l.a),
  __free_pages: (k, l) => (k.__free_pages(k, l.a, l.b), 0),
  __free_page: (k, l) => (k.__free_pages(k, l.a, 0), 0),
  free_pages: (k, l) => (k.free_pages(k, l.a, l.b), 0),
  free_page: (k, l) => (k.free_pages(k, l.a, 0), 0),
  free_pages_exact: (k, l) => (k.free_pages_exact(k, l.a, l.b), 0),
  put_page: (k, l) => (k.put_page(k, l.a), 0),
  get_page: (k, l) => (k.get_page(k, l.a), 0),
  compound_head: (k, l) => k.compound_head(k, l.a),
  compound_order: (k, l) => k.compound_order(k, l.a),
  PageHead: (k, l) => k.PageHead(k, l.a),
  PageTail: (k, l) => k.PageTail(k, l.a),
  PageCompound: (k, l) => k.PageCompound(k, l.a),
  virt_to_page: (k, l) => k.virt_to_page(k, l.a),
  virt_to_head_page: (k, l) => k.virt_to_head_page(k, l.a),
  page_to_virt: (k, l) => k.page_to_virt(k, l.a),
  page_address: (k, l) => k.page_address(k, l.a),
  folio_address: (k, l) => k.page_address(k, l.a),
  page_folio: (k, l) => k.compound_head(k, l.a),
  mark_page_reserved: (k, l) => (k.mark_page_reserved(k, l.a), 0),
  free_reserved_page: (k, l) => (k.free_reserved_page(k, l.a), 0),
  clear_page: (k, l) => (k.clear_page(k, l.a), 0),
  table_init: (k, l) => (k.table_init(k, l.a, l.b), 0),
  populate: (k, l) => (k.populate(k, l.a), 0),
  unlink: () => 0,
  tlb_flush_mmu_tlbonly: (k, l) => (k.tlb_flush_mmu_tlbonly(k, l.a), 0),
  tlb_remove_page_size: (k, l) => (k.tlb_remove_page(k, l.a, l.b), 0),
  __tlb_remove_folio_pages: (k, l) => __tlb_remove_folio_pages(k, l.a, l.b, l.c),
  tlb_change_page_size: (k, l) => (tlb_change_page_size(k, l.a, l.b), 0),
  tlb_delay_rmap: (k, l) => tlb_delay_rmap(k, l.a),
  tlb_flush_rmaps: (k, l) => (tlb_flush_rmaps(k, l.a), 0),
  p4d_free_tlb: (k, l) => (k.p4d_free_tlb(k, l.a, l.b, l.c), 0),
  pud_free_tlb: (k, l) => (k.pud_free_tlb(k, l.a, l.b, l.c), 0),
  tlb_remove_table_sync_one: (k) => (k.tlb_remove_table_sync_one(k), 0),
  synchronize_rcu: () => 0,
  flush_tlb_range: (k, l) => (flush_tlb(k, l.a, l.b, l.c), 0),
  flush_tlb_mm: (k, l) => (flush_tlb(k, l.a, 0, -1), 0),
  flush_tlb_all: (k) => (flush_tlb(k, -1, 0, -1), 0),
  flush_tlb_kernel_range: (k, l) => (flush_tlb(k, 0, l.a, l.b), 0),
  pte_free_defer: (k, l) => (k.pte_free_defer(k, l.b), 0),
  ptdesc_set_kernel: (k, l) => (ptdesc_set_kernel(k, l.a), 0),
  page_ptdesc: (k, l) => k.page_ptdesc(k, l.a),
  ptdesc_page: (k, l) => k.ptdesc_page(k, l.a),
  ptdesc_folio: (k, l) => k.ptdesc_folio(k, l.a),
  virt_to_ptdesc: (k, l) => k.virt_to_ptdesc(k, l.a),
  ptdesc_to_virt: (k, l) => k.ptdesc_to_virt(k, l.a),
  ptdesc_address: (k, l) => k.ptdesc_address(k, l.a),
  ptdesc_is_reserved: (k, l) => k.pagetable_is_reserved(k, l.a),
  pagetable_is_reserved: (k, l) => k.pagetable_is_reserved(k, l.a),
  ptdesc_alloc: (k, l) => k.pagetable_alloc(k, l.a, l.b),
  pagetable_alloc: (k, l) => k.pagetable_alloc(k, l.a, l.b),
  ptdesc_free: (k, l) => (k.pagetable_free(k, l.a), 0),
  pagetable_free: (k, l) => (k.pagetable_free(k, l.a), 0),
  ptdesc_clear: (k, l) => (k.ptdesc_clear(k, l.a), 0),
  free_reserved_ptdesc: (k, l) => (k.free_reserved_ptdesc(k, l.a), 0),
  tlb_gather_mmu: (k, l) => k.tlb_gather_mmu(k, l.a, false),
  tlb_gather_mmu_fullmm: (k, l) => k.tlb_gather_mmu(k, l.a, true),
  tlb_flush_pte_range: range(CLEARED_PTES),
  tlb_flush_pmd_range: range(CLEARED_PMDS),
  tlb_flush_pud_range: range(CLEARED_PUDS),
  tlb_flush_p4d_range: range(CLEARED_P4DS),
  tlb_remove_page: (k, l) => (k.tlb_remove_page(k, l.a, l.b), 0),
  tlb_remove_table: (k, l) => (k.tlb_remove_table(k, l.a, l.b), 0),
  tlb_remove_ptdesc: (k, l) => (k.tlb_remove_ptdesc(k, l.a, l.b), 0),
  tlb_remove_page_ptdesc: (k, l) => (k.tlb_remove_page_ptdesc(k, l.a, l.b), 0),
  tlb_flush_mmu: (k, l) => (k.tlb_flush_mmu(k, l.a), 0),
  tlb_finish_mmu: (k, l) => (k.tlb_finish_mmu(k, l.a), 0),
  pgtable_pte_page_ctor: (k, l) => k.pagetable_pte_ctor(k, l.a),
  pgtable_pte_page_dtor: (k, l) => (k.pagetable_pte_dtor(k, l.a), 0),
  pgtable_pmd_page_ctor: (k, l) => k.pagetable_pmd_ctor(k, l.a),
  pgtable_pmd_page_dtor: (k, l) => (k.pagetable_pmd_dtor(k, l.a), 0),
  pagetable_pte_ctor: (k, l) => k.pagetable_pte_ctor(k, l.a),
  pagetable_pte_dtor: (k, l) => (k.pagetable_pte_dtor(k, l.a), 0),
  pagetable_pmd_ctor: (k, l) => k.pagetable_pmd_ctor(k, l.a),
  pagetable_pmd_dtor: (k, l) => (k.pagetable_pmd_dtor(k, l.a), 0),
  pagetable_pud_ctor: (k, l) => (k.pagetable_pud_ctor(k, l.a), 0),
  pagetable_pud_dtor: (k, l) => (k.pagetable_pud_dtor(k, l.a), 0),
  pagetable_p4d_ctor: (k, l) => (k.pagetable_pud_ctor(k, l.a), 0),
  pagetable_pgd_ctor: (k, l) => (k.pagetable_pud_ctor(k, l.a), 0),
  pagetable_dtor: (k, l) => (k.pagetable_dtor(k, l.a), 0),
  pagetable_dtor_free: (k, l) => (pagetable_dtor_free(k, l.a), 0),
  pgtable_trans_huge_deposit: (k, l) => (k.pgtable_trans_huge_deposit(k, l.a, l.b, l.c), 0),
  pgtable_trans_huge_withdraw: (k, l) => k.pgtable_trans_huge_withdraw(k, l.a, l.b),
  huge_pmd_share: (k, l) => (k.huge_pmd_share(k, l.a), 0),
  huge_pmd_unshare: (k, l) => k.huge_pmd_unshare(k, l.a),
  page_table_alloc: (k, l) => k.page_table_alloc(k, l.a),
  page_table_free: (k, l) => (k.page_table_free(k, l.a, l.b), 0),
  page_table_free_rcu: (k, l) => (k.page_table_free_rcu(k, l.a, k.gathers[l.a * GATHER_WORDS + G_MM]!, l.b), 0),
  pte_fragment_alloc: (k, l) => k.pte_fragment_alloc(k, l.a, l.b),
  pte_fragment_free: (k, l) => (k.pte_fragment_free(k, l.a, l.b), 0),
  pmd_fragment_alloc: (k, l) => k.pmd_fragment_alloc(k, l.a),
  pmd_fragment_free: (k, l) => (k.pmd_fragment_free(k, l.a), 0),
  pgtable_free_tlb: (k, l) => (k.pgtable_free_tlb(k, l.a, l.b, l.c), 0),
  arch_exit_mmap: (k, l) => (k.arch_exit_mmap(k, l.a), 0),
  get_pointer_table: (k, l) => k.get_pointer_table(k, l.a),
  free_pointer_table: (k, l) => k.free_pointer_table(k, l.a, l.b),
  srmmu_get_nocache: (k, l) => k.srmmu_get_nocache(k, l.a, l.b),
  srmmu_free_nocache: (k, l) => (k.srmmu_free_nocache(k, l.a, l.b), 0),
  pte_alloc_one: (k) => k.pte_alloc_one(k),
  pte_free: (k, l) => (k.pte_free(k, l.b), 0),
  kmem_cache_alloc: (k, l) => k.kmem_cache_alloc(k, l.a, l.b),
  kmem_cache_free: (k, l) => (k.kmem_cache_free(k, l.a, l.b), 0),
  pgd_list_add: (k, l) => (k.pgd_list_add(k, l.a), 0),
  pgd_list_del: (k, l) => (k.pgd_list_del(k, l.a), 0),
  pgd_set_mm: (k, l) => (k.pgd_set_mm(k, l.a, l.b), 0),
  "env get_page_unless_zero": (k, l) => k.get_page_unless_zero(k, pageOf(l.a)),
  "env put_page": (k, l) => (k.put_page(k, pageOf(l.a)), 0),
  "env fail": (k, l) => (k.failNext |= 1 << l.a, 0),
  "env rcu_grace_period": (k) => (k.rcu_grace_period(k), 0),
  "env owner_gone": () => 0,
  "env place": (k, l) => (k.placeNext = l.a, 0),
  "env gup_fast": walker,
  "env pte_offset_map": walker,
  "env hw_walk": walker,
  "env iommu_walk": walker,
  "env spin_lock": () => 0,
  "env kernel_pgtable_work": (k) => (kernel_pgtable_work_func(k), 0),
  "env walk_end": () => 0,
};

/** The hook of a call that has none. */
export function noHook(_l: Ledger): void {}

function table<T>(what: string, of: (name: string) => T | undefined): T[] {
  return CALLS.map((call) => {
    const name = callName(call);
    const entry = of(name);
    if (entry === undefined) throw new Error(`call '${name}' of the table has no ${what}`);
    return entry;
  });
}

/** What runs, by opcode. */
export const RUN: readonly Run[] = table("function in core/program/bindings.ts; add it", (name) => runs[name]);
const hooks = table("hooks in core/ledger/hooks; add them", (name) => HOOKS[name]);
/** The ledger's hook before a call, by opcode. */
export const BEFORE: readonly Hook[] = hooks.map((h) => h.before ?? noHook);
/** The ledger's hook after a call, by opcode. */
export const AFTER: readonly Hook[] = hooks.map((h) => h.after ?? noHook);

for (const name of [...Object.keys(runs), ...Object.keys(HOOKS)]) {
  if (!CALLS.some((call) => callName(call) === name)) {
    throw new Error(
      `'${name}' is bound (core/program/bindings.ts or core/ledger/hooks) and is no call of the table; remove it`,
    );
  }
}
