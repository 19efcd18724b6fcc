/**
 * Calls of the program language as statements of C.
 *
 * @module
 */
import { type CallDef, callName, type Kind } from "../../core/program/calls.ts";

/** An operand as C, and what it is. */
export interface COperand {
  readonly text: string;
  readonly kind: Kind | "number" | "NULL";
}

/** Types of the variables. */
export const C_TYPES: Readonly<Record<Kind, string>> = {
  page: "struct page *",
  folio: "struct folio *",
  ptdesc: "struct ptdesc *",
  virt: "void *",
  mm: "struct mm_struct *",
  gather: "struct mmu_gather ",
  walker: "int ",
  int: "int ",
};

const WALKER = "a walker is on another CPU, and at a place that a test cannot choose";

/** Why a call cannot stand in a test that runs on a booted kernel. */
export const NOT_IN_A_TEST: Readonly<Record<string, string>> = {
  memblock_alloc: "memblock_alloc() is gone when a kernel has booted",
  pgd_list_add: "pgd_list_add() is static in arch/x86/mm/pgtable.c",
  pgd_list_del: "pgd_list_del() is static in arch/x86/mm/pgtable.c",
  pgd_set_mm: "pgd_set_mm() is static in arch/x86/mm/pgtable.c",
  pgtable_trans_huge_deposit: "pgtable_trans_huge_deposit() wants a PMD of a process, with huge pages",
  pgtable_trans_huge_withdraw: "pgtable_trans_huge_withdraw() wants a PMD of a process, with huge pages",
  huge_pmd_share: "huge_pmd_share() wants the mappings of two processes",
  huge_pmd_unshare: "huge_pmd_unshare() wants the mappings of two processes",
  page_table_alloc: "page_table_alloc() is s390's, and takes the mm of a process",
  page_table_free: "page_table_free() is s390's, and takes the mm of a process",
  page_table_free_rcu: "page_table_free_rcu() is s390's, and takes the mm of a process",
  pte_fragment_alloc: "pte_fragment_alloc() is powerpc's, and takes the mm of a process",
  pte_fragment_free: "pte_fragment_free() is powerpc's",
  pmd_fragment_alloc: "pmd_fragment_alloc() is powerpc's, and takes the mm of a process",
  pmd_fragment_free: "pmd_fragment_free() is powerpc's",
  pgtable_free_tlb: "pgtable_free_tlb() is powerpc's, and takes the mm of a process",
  arch_exit_mmap: "arch_exit_mmap() is powerpc's, and takes the mm of a process",
  get_pointer_table: "get_pointer_table() is m68k's",
  free_pointer_table: "free_pointer_table() is m68k's",
  srmmu_get_nocache: "srmmu_get_nocache() is 32-bit sparc's",
  srmmu_free_nocache: "srmmu_free_nocache() is 32-bit sparc's",
  pte_alloc_one: "pte_alloc_one() of a pool of pages is 32-bit sparc's",
  pte_free: "pte_free() of a pool of pages is 32-bit sparc's",
  kmem_cache_alloc: "the slab caches of page tables are the architectures' own",
  kmem_cache_free: "the slab caches of page tables are the architectures' own",
  "env place": "which block the allocator gives is not a test's to say",
  "env gup_fast": WALKER,
  "env pte_offset_map": WALKER,
  "env hw_walk": WALKER,
  "env iommu_walk": WALKER,
  "env walk_end": WALKER,
  "env spin_lock": WALKER,
  "env kernel_pgtable_work": "the worker for the kernel's tables runs when it likes",
  flush_tlb_range: "flush_tlb_range() wants a mapping of a process",
  flush_tlb_mm: "flush_tlb_mm() wants the mm of a process",
  pte_free_defer: "pte_free_defer() wants the mm of a process",
  "env fail": "an allocation fails when a test wants it only with fault injection",
};

/** `(unsigned long)` where the kernel takes an address as a number. */
function number(a: COperand): string {
  return a.kind === "NULL" ? "0" : `(unsigned long)${/^\w+$/.test(a.text) ? a.text : `(${a.text})`}`;
}

/** The page that a speculative reference is taken on. */
function asPage(a: COperand): string {
  switch (a.kind) {
    case "virt":
      return `virt_to_page(${a.text})`;
    case "folio":
      return `folio_page(${a.text}, 0)`;
    case "ptdesc":
      return `ptdesc_page(${a.text})`;
    default:
      return a.text;
  }
}

/** How a call is written, where that is not its name and its operands. */
const WRITTEN: Readonly<Record<string, (args: readonly COperand[]) => string>> = {
  __get_free_pages: ([gfp, order]) => `(void *)__get_free_pages(${gfp!.text}, ${order!.text})`,
  __get_free_page: ([gfp]) => `(void *)__get_free_page(${gfp!.text})`,
  get_zeroed_page: ([gfp]) => `(void *)get_zeroed_page(${gfp!.text})`,
  free_pages: ([addr, order]) => `free_pages(${number(addr!)}, ${order!.text})`,
  free_page: ([addr]) => `free_page(${number(addr!)})`,
  virt_to_page: ([addr]) => `virt_to_page(${addr!.text})`,
  table_init: ([addr, pages]) => `memset(${addr!.text}, 0, ${pages!.text} * PAGE_SIZE)`,
  tlb_gather_mmu: ([mm]) => mm!.text,
  tlb_gather_mmu_fullmm: ([mm]) => mm!.text,
  "env get_page_unless_zero": ([page]) => `get_page_unless_zero(${asPage(page!)})`,
  "env put_page": ([page]) => `put_page(${asPage(page!)})`,
  "env rcu_grace_period": () => "rcu_barrier()",
};

/** The call as an expression. */
export function callText(call: CallDef, args: readonly COperand[]): string {
  const name = callName(call);
  return WRITTEN[name]?.(args) ?? `${call.name}(${args.map((a) => a.text).join(", ")})`;
}

/** A value's page number `n`, counted in pages from it. */
export function pagesOn(name: string, kind: Kind, n: number): string {
  if (n === 0) return kind === "gather" ? `&${name}` : name;
  switch (kind) {
    case "virt":
      return `${name} + ${n} * PAGE_SIZE`;
    case "ptdesc":
      return `page_ptdesc(ptdesc_page(${name}) + ${n})`;
    case "folio":
      return `(struct folio *)folio_page(${name}, ${n})`;
    default:
      return `${name} + ${n}`;
  }
}
