/**
 * Which functions a recorded stack names, and what that says.
 *
 * @module
 */
import type { Discipline } from "../corpus/discipline.ts";
import type { Symbols } from "./symbols.ts";

/** Between an allocation's event and whoever wanted it. */
export const ALLOC_INNER = 1;
/** Between a free's event and whoever gave up. */
export const FREE_INNER = 2;
/** It allocates page tables, or what a discipline describes. */
export const TABLE = 4;
/** It gives page tables up. */
export const TABLE_FREE = 8;
/** It says which architecture or kernel this is: see {@linkcode evidence}. */
export const TELLS = 16;

const words = (text: string): string[] => text.trim().split(/\s+/);

/** The allocator itself, 6.1 to today (mm/page_alloc.c, mm/mempolicy.c, include/linux/gfp.h), and the tracer. */
const INNER = words(`
  trace_event_buffer_commit trace_event_buffer_lock_reserve __ftrace_trace_stack ftrace_trace_stack __trace_stack
  trace_event_raw_event_mm_page_alloc __traceiter_mm_page_alloc trace_event_raw_event_mm_page_free
  __traceiter_mm_page_free perf_trace_mm_page_alloc perf_trace_mm_page_free`);

const ALLOC = words(`
  __alloc_pages __alloc_pages_noprof __alloc_pages_nodemask alloc_pages alloc_pages_noprof alloc_pages_current
  alloc_pages_mpol alloc_pages_mpol_noprof __alloc_frozen_pages_noprof alloc_frozen_pages_noprof
  alloc_pages_node_noprof __get_free_pages get_free_pages_noprof get_zeroed_page get_zeroed_page_noprof
  alloc_pages_exact alloc_pages_exact_noprof __folio_alloc __folio_alloc_noprof folio_alloc folio_alloc_noprof
  pagetable_alloc pagetable_alloc_noprof __pagetable_alloc`);

const FREE = words(`
  free_pages_prepare free_pcp_prepare free_unref_page_prepare free_unref_page_commit free_unref_page
  free_unref_page_list free_unref_folios free_one_page __free_pages_ok __free_pages_core __free_frozen_pages
  free_frozen_pages ___free_pages __free_pages free_pages free_page_and_swap_cache free_pages_and_swap_cache
  free_swap_cache release_pages folios_put_refs __folio_put folio_put __put_page put_page __page_cache_release
  __put_compound_page free_compound_page destroy_large_folio pagetable_free __pagetable_free pagetable_dtor_free
  __tlb_remove_table tlb_remove_table_free __tlb_remove_table_free free_pages_exact`);

/** What allocates page tables where no discipline says so: mm/memory.c, asm-generic/pgalloc.h, and the architectures. */
const TABLES = words(`
  __pte_alloc __pte_alloc_kernel pte_alloc_one pte_alloc_one_kernel __pte_alloc_one __pte_alloc_one_kernel
  __pmd_alloc pmd_alloc_one __pud_alloc pud_alloc_one __p4d_alloc p4d_alloc_one pgd_alloc _pgd_alloc __pgd_alloc
  crst_table_alloc page_table_alloc page_table_alloc_pgste vmem_crst_alloc vmem_pte_alloc base_pgt_alloc
  base_crst_alloc pte_fragment_alloc pmd_fragment_alloc hugepd_alloc kvm_pgd_alloc stage2_alloc_pgd`);

/** What frees page tables and nothing else but batches of the gather (tlb_batch_pages_flush frees users' pages too). */
const TABLES_FREE = words(`
  tlb_remove_table_rcu __mmdrop pgd_free _pgd_free __pgd_free pmd_free pud_free p4d_free pte_free pte_free_kernel
  crst_table_free page_table_free page_table_free_rcu page_table_free_pgste pte_fragment_free
  pmd_fragment_free`);

/** Marks every function that decides something. */
export function markFunctions(symbols: Symbols, disciplines: readonly Discipline[]): void {
  for (const name of [...INNER, ...ALLOC]) symbols.mark(name, ALLOC_INNER);
  for (const name of [...INNER, ...FREE]) symbols.mark(name, FREE_INNER);
  for (const name of TABLES) symbols.mark(name, TABLE);
  for (const name of TABLES_FREE) symbols.mark(name, TABLE_FREE);
  for (const name of Object.keys(TELLING)) symbols.mark(name, TELLS);
  for (const { frames, free } of disciplines) {
    for (const name of frames) symbols.mark(name, TABLE);
    for (const path of free) for (const name of path.frames) symbols.mark(name, TABLE_FREE);
  }
}

/** What a function's name gives away. */
export interface Evidence {
  readonly arch?: string;
  /** The oldest kernel that has it, and the first that has it no more. */
  readonly since?: string;
  readonly before?: string;
}

const archs = (arch: string, names: string): [string, Evidence][] => words(names).map((name) => [name, { arch }]);

/** Functions that only one architecture, or only some kernels, have. */
const TELLING: Readonly<Record<string, Evidence>> = Object.fromEntries([
  ...archs(
    "s390",
    `__s390x_sys_clone __s390x_sys_execve __s390x_sys_exit_group __s390x_sys_close __s390x_sys_munmap
    do_dat_exception pgm_check_handler psw_idle_exit crst_table_alloc`,
  ),
  ...archs(
    "x86",
    `do_syscall_64 entry_SYSCALL_64_after_hwframe x64_sys_call __x64_sys_execve __x64_sys_exit_group
    __x64_sys_munmap __x64_sys_mmap asm_exc_page_fault exc_page_fault do_user_addr_fault`,
  ),
  ...archs("arm64", "el0_svc do_el0_svc el0t_64_sync el0t_64_sync_handler el0_da __arm64_sys_execve"),
  ...archs("arm", "ret_fast_syscall __dabt_usr __pabt_usr do_DataAbort"),
  ...archs("riscv", "do_trap_ecall_u ret_from_exception __riscv_sys_execve"),
  ...archs("mips", "syscall_common handle_sys handle_sys64 tlb_do_page_fault_0 tlb_do_page_fault_1"),
  // Memory allocation profiling (6.10) gave the allocator's functions their suffix, and took the old names away.
  ...words("__alloc_pages_noprof get_free_pages_noprof __folio_alloc_noprof pagetable_alloc_noprof").map((
    name,
  ): [string, Evidence] => [name, { since: "6.12" }]),
  ...words("__alloc_pages __get_free_pages __folio_alloc").map((name): [string, Evidence] => [name, {
    before: "6.12",
  }]),
]);

/** What a function's name says. */
export function evidence(name: string): Evidence {
  return Object.hasOwn(TELLING, name) ? TELLING[name]! : {};
}
