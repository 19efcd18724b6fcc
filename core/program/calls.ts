/**
 * The one table that describes the calls of the program language.
 *
 * The parser, the flat form, the hostile generator, "did you mean", coverage
 * and the printers all follow from it. What a call runs stands in `bindings.ts`,
 * what the ledger makes of it in `core/ledger/hooks/`; both are checked against
 * this table when they are loaded.
 *
 * @module
 */
import { type KernelBase, since } from "../kernel/names.ts";
import { POINT_TABLE } from "../kernel/points.ts";
import { HOWS } from "../ledger/states.ts";
import { PGTABLE_INDEXES, SLAB_CACHES } from "../memory/fragments.ts";

/** Types whose operands are words: how an entry is cleared, what a table is, yes or no. */
export type WordType = "how" | "table_type" | "index" | "flag" | "cache";

/** Words that an operand may be, by type; their places are the numbers that stand for them in the flat form. */
export const WORDS: Readonly<Record<WordType, readonly string[]>> = {
  how: HOWS,
  table_type: ["TABLE_PMD", "TABLE_PTE"],
  index: PGTABLE_INDEXES,
  flag: ["0", "1"],
  cache: SLAB_CACHES,
};

/** The words that operands of a type may be; undefined where they are no words. */
export function wordsOf(type: ParamType): readonly string[] | undefined {
  return Object.hasOwn(WORDS, type) ? WORDS[type as WordType] : undefined;
}

/** What a value is. `int` is an order, a count or a yes/no that a call answered. */
export type Kind = "page" | "folio" | "ptdesc" | "virt" | "mm" | "gather" | "walker" | "int";

/**
 * What a parameter takes: a value of one kind, `void*` (any kind: a wrong one
 * is a finding and not a syntax error), a number written in the program, or one
 * of {@linkcode WORDS}.
 */
export type ParamType = Kind | "void*" | "gfp" | "order" | "count" | "bytes" | "address" | WordType;

/** One parameter of a call. */
export interface Param {
  /** The kernel's name for it. */
  readonly name: string;
  /** What it takes. */
  readonly type: ParamType;
  /** `true` where the kernel's parameter points to const: a const value may be passed. */
  readonly isConst: boolean;
  /** `true` where the kernel goes on with NULL; elsewhere a line with a NULL operand is skipped. */
  readonly nullable: boolean;
}

/**
/**
 * Which kernels have a call: all, those with a descriptor, v2 only, those with the
 * API as merged (6.6 and later), or `not-6.19`: those with a descriptor but 6.19,
 * which dropped it. Of constructors and destructors: those before 6.6, since 6.12
 * (6.7 really), those with a destructor for each level (6.6 to 6.12), those with one
 * for PUDs (6.12), and 6.14 and later. The kernels that are switches keep what 6.12
 * has, so that its disciplines run there.
 */
export type Availability =
  | "all"
  | "ptdesc"
  | "v2"
  | "merged"
  | "not-6.19"
  | "before-6.6"
  | "since-6.12"
  | "6.6-to-6.12"
  | "6.12-only"
  | "since-6.14"
  | "6.19-only";

/** One call of the language. */
export interface CallDef {
  /** Its index in {@linkcode CALLS}, and its opcode in the flat form. */
  readonly id: number;
  /** The kernel's exact name; environment steps are written with `env ` before it. */
  readonly name: string;
  /** Its parameters in the kernel's order. */
  readonly params: readonly Param[];
  /** What it answers, or `void`. */
  readonly result: Kind | "void";
  /** `true` where the answer is as const as the first argument (`_Generic` in C). */
  readonly constPreserving: boolean;
  /** An environment step: what others may do at any time. */
  readonly env: boolean;
  /** Which kernels have it. */
  readonly kernels: Availability;
  /** Kernel file and function it follows. */
  readonly source: string;
  /** One line for `--help` and documentation. */
  readonly doc: string;
}

function param(spec: string): Param {
  const nullable = spec.endsWith("?");
  const isConst = spec.startsWith("const ");
  const [name, type] = spec.replace(/\?$/, "").replace(/^const /, "").split(":");
  return { name: name as string, type: type as ParamType, isConst, nullable };
}

const defs: CallDef[] = [];

function def(
  name: string,
  params: string,
  result: Kind | "void",
  source: string,
  doc: string,
  more: { kernels?: Availability; env?: true; constPreserving?: true } = {},
): void {
  defs.push(Object.freeze({
    id: defs.length,
    name,
    params: params === "" ? [] : params.split(", ").map(param),
    result,
    constPreserving: more.constPreserving ?? false,
    env: more.env ?? false,
    kernels: more.kernels ?? "all",
    source,
    doc,
  }));
}

const PTDESC = { kernels: "ptdesc" } as const;
const V2 = { kernels: "v2" } as const;
const NOT_6_19 = { kernels: "not-6.19" } as const;
const MERGED = { kernels: "merged" } as const;
const BEFORE_6_6 = { kernels: "before-6.6" } as const;
const LEVEL_DTORS = { kernels: "6.6-to-6.12" } as const;
const PUD_DTOR = { kernels: "6.12-only" } as const;
const SINCE_6_12 = { kernels: "since-6.12" } as const;
const SINCE_6_14 = { kernels: "since-6.14" } as const;
const ENV = { env: true } as const;

// Allocation.
def(
  "alloc_pages",
  "gfp:gfp, order:order",
  "page",
  "mm/page_alloc.c:__alloc_pages",
  "2^order pages; compound only with __GFP_COMP",
);
def("alloc_page", "gfp:gfp", "page", "include/linux/gfp.h:alloc_page", "alloc_pages of order 0");
def(
  "__get_free_pages",
  "gfp:gfp, order:order",
  "virt",
  "mm/page_alloc.c:__get_free_pages",
  "the address of 2^order pages, never highmem",
);
def("__get_free_page", "gfp:gfp", "virt", "include/linux/gfp.h:__get_free_page", "__get_free_pages of order 0");
def("get_zeroed_page", "gfp:gfp", "virt", "mm/page_alloc.c:get_zeroed_page", "one zeroed page");
def(
  "alloc_pages_exact",
  "size:bytes, gfp:gfp",
  "virt",
  "mm/page_alloc.c:alloc_pages_exact",
  "as many pages as size needs, each with a reference of its own",
);
def(
  "split_page",
  "page:page, order:order",
  "void",
  "mm/page_alloc.c:split_page",
  "makes 2^order single pages of a block that is not compound",
);
def(
  "memblock_alloc",
  "nr:count",
  "virt",
  "mm/memblock.c:memblock_alloc, mm/mm_init.c:reserve_bootmem_region",
  "nr reserved pages as the boot allocator leaves them: PG_reserved and a reference each, outside managed_pages",
);

// Release.
def(
  "__free_pages",
  "page:page, order:order",
  "void",
  "mm/page_alloc.c:__free_pages",
  "drops a reference; the last one frees 2^order pages",
);
def("__free_page", "page:page", "void", "include/linux/gfp.h:__free_page", "__free_pages of order 0");
def(
  "free_pages",
  "addr:virt?, order:order",
  "void",
  "mm/page_alloc.c:free_pages",
  "__free_pages by address; address 0 is nothing",
);
def("free_page", "addr:virt?", "void", "include/linux/gfp.h:free_page", "free_pages of order 0");
def(
  "free_pages_exact",
  "virt:void*, size:bytes",
  "void",
  "mm/page_alloc.c:free_pages_exact",
  "frees what alloc_pages_exact gave, page by page",
);
def(
  "put_page",
  "page:page",
  "void",
  "include/linux/mm.h:put_page",
  "drops a reference of the page's folio; the last one frees folio_order",
);
def("get_page", "page:page", "void", "include/linux/mm.h:get_page", "takes a reference on the page's folio");

// Lookups.
def(
  "compound_head",
  "const page:page",
  "page",
  "include/linux/page-flags.h:compound_head",
  "the head of a tail page, else the page",
  { constPreserving: true },
);
def(
  "compound_order",
  "const page:page",
  "int",
  "include/linux/mm.h:compound_order",
  "the order of a head page; 0 without a head flag",
);
def("PageHead", "const page:page", "int", "include/linux/page-flags.h:PageHead", "whether the head flag is set");
def(
  "PageTail",
  "const page:page",
  "int",
  "include/linux/page-flags.h:PageTail",
  "whether bit 0 of compound_head is set",
);
def("PageCompound", "const page:page", "int", "include/linux/page-flags.h:PageCompound", "head or tail");
def(
  "virt_to_page",
  "const addr:void*",
  "page",
  "include/asm-generic/memory_model.h, arch's asm/page.h:virt_to_page",
  "the page an address lies in",
);
def(
  "virt_to_head_page",
  "const x:void*",
  "page",
  "include/linux/mm.h:virt_to_head_page",
  "compound_head of virt_to_page",
);
def(
  "page_to_virt",
  "const page:page",
  "virt",
  "include/linux/mm.h:page_to_virt",
  "the address of a page in the linear map",
);
def(
  "page_address",
  "const page:page",
  "virt",
  "include/linux/mm.h:page_address",
  "the address of a page; NULL for highmem",
);
def(
  "folio_address",
  "const folio:folio",
  "virt",
  "include/linux/mm.h:folio_address",
  "page_address of the folio's page",
);
def(
  "page_folio",
  "const page:page",
  "folio",
  "include/linux/page-flags.h:page_folio",
  "the folio of a page, through compound_head",
  { constPreserving: true },
);

// Reserved memory.
def(
  "mark_page_reserved",
  "page:page",
  "void",
  "include/linux/mm.h:mark_page_reserved",
  "sets PG_reserved and takes the page out of managed_pages",
);
def(
  "free_reserved_page",
  "page:page",
  "void",
  "mm/page_alloc.c:free_reserved_page",
  "frees one reserved page and puts it back into managed_pages",
);

// Contents.
def("clear_page", "addr:void*", "void", "arch's asm/page.h:clear_page", "zeroes one page");
def(
  "table_init",
  "addr:virt, pages:count",
  "void",
  "arch's own (s390 crst_table_init, mips pgd_init)",
  "writes empty entries into so many pages of a table",
);
def(
  "populate",
  "table:void*",
  "void",
  "arch's own (pmd_populate, pud_populate, ...)",
  "puts a table in use: from here it is walked",
);

def(
  "unlink",
  "table:void*, address:address, how:how",
  "void",
  "arch's own (pmd_clear, pud_clear, pmdp_collapse_flush, ...)",
  "clears the entry that leads to a table; how (exclusive, shared, exit, kernel, zap, guest) says who may be in it still",
);

// Page table descriptors.
def(
  "page_ptdesc",
  "const page:page?",
  "ptdesc",
  "include/linux/mm_types.h:page_ptdesc",
  "the page's words under a descriptor's names; no head lookup",
  { kernels: "ptdesc", constPreserving: true },
);
def(
  "ptdesc_page",
  "const pt:ptdesc?",
  "page",
  "include/linux/mm_types.h:ptdesc_page",
  "the descriptor's words under a page's names",
  { kernels: "ptdesc", constPreserving: true },
);
def(
  "ptdesc_folio",
  "const pt:ptdesc?",
  "folio",
  "include/linux/mm_types.h:ptdesc_folio",
  "the descriptor's words under a folio's names",
  { kernels: "ptdesc", constPreserving: true },
);
def(
  "virt_to_ptdesc",
  "const x:void*",
  "ptdesc",
  "include/linux/mm.h:virt_to_ptdesc",
  "v2: through the head page; as merged: through the exact page",
  PTDESC,
);
def(
  "ptdesc_to_virt",
  "const pt:ptdesc",
  "virt",
  "include/linux/mm.h:ptdesc_to_virt",
  "page_to_virt of the descriptor's page",
  NOT_6_19,
);
def(
  "ptdesc_address",
  "const pt:ptdesc",
  "virt",
  "include/linux/mm.h:ptdesc_address",
  "folio_address of the descriptor's folio",
  PTDESC,
);
def("ptdesc_is_reserved", "pt:ptdesc", "int", "v2 include/linux/mm.h:ptdesc_is_reserved", "folio_test_reserved", V2);
def(
  "pagetable_is_reserved",
  "pt:ptdesc",
  "int",
  "include/linux/mm.h:pagetable_is_reserved",
  "folio_test_reserved",
  MERGED,
);
def(
  "ptdesc_alloc",
  "gfp:gfp, order:order",
  "ptdesc",
  "v2 include/linux/mm.h:ptdesc_alloc",
  "alloc_pages with __GFP_COMP",
  V2,
);
def(
  "pagetable_alloc",
  "gfp:gfp, order:order",
  "ptdesc",
  "include/linux/mm.h:pagetable_alloc",
  "alloc_pages with __GFP_COMP",
  MERGED,
);
def("ptdesc_free", "pt:ptdesc", "void", "v2 include/linux/mm.h:ptdesc_free", "__free_pages of compound_order", V2);
def(
  "pagetable_free",
  "pt:ptdesc",
  "void",
  "include/linux/mm.h:pagetable_free",
  "__free_pages of compound_order",
  MERGED,
);
def(
  "ptdesc_clear",
  "x:void*",
  "void",
  "v2 include/linux/mm.h:ptdesc_clear",
  "clear_page: one page, whatever the order",
  V2,
);
def(
  "free_reserved_ptdesc",
  "pt:ptdesc",
  "void",
  "include/linux/mm.h:free_reserved_ptdesc",
  "free_reserved_page: one page, whatever the order",
  PTDESC,
);

// mmu_gather.
def("tlb_gather_mmu", "mm:mm", "gather", "mm/mmu_gather.c:tlb_gather_mmu", "starts a gather on an mm");
def(
  "tlb_gather_mmu_fullmm",
  "mm:mm",
  "gather",
  "mm/mmu_gather.c:tlb_gather_mmu_fullmm",
  "starts a gather that ends the mm",
);
def(
  "tlb_flush_pte_range",
  "tlb:gather, address:address, size:bytes",
  "void",
  "include/asm-generic/tlb.h:tlb_flush_pte_range",
  "adjusts the range and notes that PTEs were cleared",
);
def(
  "tlb_flush_pmd_range",
  "tlb:gather, address:address, size:bytes",
  "void",
  "include/asm-generic/tlb.h:tlb_flush_pmd_range",
  "adjusts the range and notes that PMDs were cleared (pte_free_tlb)",
);
def(
  "tlb_flush_pud_range",
  "tlb:gather, address:address, size:bytes",
  "void",
  "include/asm-generic/tlb.h:tlb_flush_pud_range",
  "adjusts the range and notes that PUDs were cleared (pmd_free_tlb)",
);
def(
  "tlb_flush_p4d_range",
  "tlb:gather, address:address, size:bytes",
  "void",
  "include/asm-generic/tlb.h:tlb_flush_p4d_range",
  "adjusts the range and notes that P4Ds were cleared (pud_free_tlb)",
);
def(
  "tlb_remove_page",
  "tlb:gather, page:page",
  "void",
  "include/asm-generic/tlb.h:tlb_remove_page",
  "queues a page; its reference is put after the flush",
);
def(
  "tlb_remove_table",
  "tlb:gather, table:void*",
  "void",
  "mm/mmu_gather.c:tlb_remove_table",
  "queues a table for the architecture's __tlb_remove_table",
);
def(
  "tlb_remove_ptdesc",
  "tlb:gather, pt:void*",
  "void",
  "include/asm-generic/tlb.h:tlb_remove_ptdesc",
  "tlb_remove_table under the descriptor's name",
  PTDESC,
);
def(
  "tlb_remove_page_ptdesc",
  "tlb:gather, pt:ptdesc",
  "void",
  "include/asm-generic/tlb.h:tlb_remove_page_ptdesc",
  "tlb_remove_page of the descriptor's page",
  NOT_6_19,
);
def(
  "tlb_flush_mmu",
  "tlb:gather",
  "void",
  "mm/mmu_gather.c:tlb_flush_mmu",
  "flushes the TLB, then frees tables, then pages",
);
def(
  "tlb_flush_mmu_tlbonly",
  "tlb:gather",
  "void",
  "include/asm-generic/tlb.h:tlb_flush_mmu_tlbonly",
  "flushes the TLB where something was cleared, and frees nothing",
);
def(
  "tlb_remove_page_size",
  "tlb:gather, page:page, size:bytes",
  "void",
  "include/asm-generic/tlb.h:tlb_remove_page_size",
  "tlb_remove_page of a page of that size",
);
def(
  "__tlb_remove_folio_pages",
  "tlb:gather, page:page, nr_pages:count",
  "int",
  "mm/mmu_gather.c:__tlb_remove_folio_pages",
  "queues pages of one folio, a reference each; 1 where the caller has to flush",
  { kernels: "since-6.12" },
);
def(
  "tlb_change_page_size",
  "tlb:gather, size:bytes",
  "void",
  "include/asm-generic/tlb.h:tlb_change_page_size",
  "flushes where pages of another size were queued (MMU_GATHER_PAGE_SIZE)",
);
def(
  "tlb_delay_rmap",
  "tlb:gather",
  "int",
  "include/asm-generic/tlb.h:tlb_delay_rmap",
  "puts rmap removal off until after the flush: at most one batch page from here on",
  MERGED,
);
def(
  "tlb_flush_rmaps",
  "tlb:gather",
  "void",
  "mm/mmu_gather.c:tlb_flush_rmaps",
  "ends what tlb_delay_rmap began",
  MERGED,
);
def(
  "p4d_free_tlb",
  "tlb:gather, p4d:virt, address:address",
  "void",
  "arch/s390/include/asm/tlb.h:p4d_free_tlb, include/asm-generic/pgtable-nop4d.h",
  "frees a p4d table; folded, as here, it is the pgd, and nothing is done",
);
def(
  "pud_free_tlb",
  "tlb:gather, pud:virt, address:address",
  "void",
  "arch/s390/include/asm/tlb.h:pud_free_tlb, include/asm-generic/pgtable-nopud.h",
  "frees a pud table; folded, as here, it is the pgd, and nothing is done",
);
def(
  "tlb_remove_table_sync_one",
  "",
  "void",
  "mm/mmu_gather.c:tlb_remove_table_sync_one",
  "an IPI that waits for gup_fast (not for RCU); nothing without MMU_GATHER_RCU_TABLE_FREE",
);
def("synchronize_rcu", "", "void", "kernel/rcu/tree.c:synchronize_rcu", "waits for a grace period");
def(
  "flush_tlb_range",
  "mm:mm, start:address, end:address",
  "void",
  "arch's own (flush_tlb_range, pmdp_collapse_flush)",
  "flushes the TLB of an mm for these addresses",
);
def("flush_tlb_mm", "mm:mm", "void", "arch's own (flush_tlb_mm)", "flushes the TLB of an mm");
def("flush_tlb_all", "", "void", "arch's own (flush_tlb_all)", "flushes every TLB");
def(
  "flush_tlb_kernel_range",
  "start:address, end:address",
  "void",
  "arch's own (flush_tlb_kernel_range)",
  "flushes the TLB for these addresses of the kernel",
);
def(
  "pte_free_defer",
  "mm:mm, pgtable:void*",
  "void",
  "mm/pgtable-generic.c:pte_free_defer, arch/powerpc/mm/pgtable-frag.c:pte_free_defer",
  "pte_free after a grace period, by the table's own rcu_head (a page, on powerpc and s390 an address)",
  MERGED,
);
def(
  "ptdesc_set_kernel",
  "pt:ptdesc",
  "void",
  "include/linux/mm.h:ptdesc_set_kernel",
  "marks a table as the kernel's: pagetable_free leaves it to a worker (ASYNC_KERNEL_PGTABLE_FREE)",
  { kernels: "6.19-only" },
);
def("tlb_finish_mmu", "tlb:gather", "void", "mm/mmu_gather.c:tlb_finish_mmu", "flushes and ends a gather");

// Constructors and destructors. The first answer 0 where the table's lock could not be had.
def(
  "pgtable_pte_page_ctor",
  "page:page",
  "int",
  "include/linux/mm.h:pgtable_pte_page_ctor",
  "lock, type and statistics of a table of PTEs; 0 where there is no lock to be had",
  BEFORE_6_6,
);
def(
  "pgtable_pte_page_dtor",
  "page:page",
  "void",
  "include/linux/mm.h:pgtable_pte_page_dtor",
  "the end of a table of PTEs",
  BEFORE_6_6,
);
def(
  "pgtable_pmd_page_ctor",
  "page:page",
  "int",
  "include/linux/mm.h:pgtable_pmd_page_ctor",
  "lock, type and statistics of a table of PMDs; 0 where there is no lock to be had",
  BEFORE_6_6,
);
def(
  "pgtable_pmd_page_dtor",
  "page:page",
  "void",
  "include/linux/mm.h:pgtable_pmd_page_dtor",
  "the end of a table of PMDs",
  BEFORE_6_6,
);
def(
  "pagetable_pte_ctor",
  "ptdesc:ptdesc",
  "int",
  "include/linux/mm.h:pagetable_pte_ctor",
  "lock, type and statistics of a table of PTEs; 0 where there is no lock to be had",
  MERGED,
);
def(
  "pagetable_pte_dtor",
  "ptdesc:ptdesc",
  "void",
  "include/linux/mm.h:pagetable_pte_dtor",
  "the end of a table of PTEs",
  LEVEL_DTORS,
);
def(
  "pagetable_pmd_ctor",
  "ptdesc:ptdesc",
  "int",
  "include/linux/mm.h:pagetable_pmd_ctor",
  "lock, type and statistics of a table of PMDs; 0 where there is no lock to be had",
  MERGED,
);
def(
  "pagetable_pmd_dtor",
  "ptdesc:ptdesc",
  "void",
  "include/linux/mm.h:pagetable_pmd_dtor",
  "the end of a table of PMDs",
  LEVEL_DTORS,
);
def(
  "pagetable_pud_ctor",
  "ptdesc:ptdesc",
  "void",
  "include/linux/mm.h:pagetable_pud_ctor",
  "type and statistics of a table of PUDs",
  SINCE_6_12,
);
def(
  "pagetable_pud_dtor",
  "ptdesc:ptdesc",
  "void",
  "include/linux/mm.h:pagetable_pud_dtor",
  "the end of a table of PUDs",
  PUD_DTOR,
);
def(
  "pagetable_p4d_ctor",
  "ptdesc:ptdesc",
  "void",
  "include/linux/mm.h:pagetable_p4d_ctor",
  "type and statistics of a table of P4Ds",
  SINCE_6_14,
);
def(
  "pagetable_pgd_ctor",
  "ptdesc:ptdesc",
  "void",
  "include/linux/mm.h:pagetable_pgd_ctor",
  "type and statistics of a table of PGDs",
  SINCE_6_14,
);
def(
  "pagetable_dtor",
  "ptdesc:ptdesc",
  "void",
  "include/linux/mm.h:pagetable_dtor",
  "the end of a table of any level",
  SINCE_6_14,
);
def(
  "pagetable_dtor_free",
  "ptdesc:ptdesc",
  "void",
  "include/linux/mm.h:pagetable_dtor_free",
  "pagetable_dtor, then pagetable_free",
  SINCE_6_14,
);

// Huge pages: deposited and shared tables.
def(
  "pgtable_trans_huge_deposit",
  "mm:mm, pmdp:virt, pgtable:page",
  "void",
  "mm/pgtable-generic.c:pgtable_trans_huge_deposit",
  "leaves a table of PTEs with the table of PMDs at pmdp, until a huge page is split",
);
def(
  "pgtable_trans_huge_withdraw",
  "mm:mm, pmdp:virt",
  "page",
  "mm/pgtable-generic.c:pgtable_trans_huge_withdraw",
  "takes back what was deposited last",
);
def(
  "huge_pmd_share",
  "spte:virt",
  "void",
  "mm/hugetlb.c:huge_pmd_share",
  "one mm more maps a table of PMDs of hugetlbfs",
);
def(
  "huge_pmd_unshare",
  "ptep:virt",
  "virt",
  "mm/hugetlb.c:huge_pmd_unshare",
  "an mm unmaps such a table: NULL where others share it, else its address, for the caller to free",
);

// s390's tables of half a page.
def(
  "page_table_alloc",
  "mm:mm",
  "virt",
  "arch/s390/mm/pgalloc.c:page_table_alloc",
  "a table of 2 KB, perhaps the other half of a page that has one already; with PGSTE a whole page",
  BEFORE_6_6,
);
def(
  "page_table_free",
  "mm:mm, table:virt",
  "void",
  "arch/s390/mm/pgalloc.c:page_table_free",
  "frees such a table; its page with the last of them",
  BEFORE_6_6,
);
def(
  "page_table_free_rcu",
  "tlb:gather, table:virt, vmaddr:address",
  "void",
  "arch/s390/mm/pgalloc.c:page_table_free_rcu",
  "queues such a table, its half in the low bits of the pointer",
  BEFORE_6_6,
);

// powerpc's tables that share a page.
def(
  "pte_fragment_alloc",
  "mm:mm, kernel:flag",
  "virt",
  "arch/powerpc/mm/pgtable-frag.c:pte_fragment_alloc",
  "a table of PTEs: of the page that the mm keeps the rest of, or of a new one; kernel 1: it is not constructed",
);
def(
  "pte_fragment_free",
  "table:virt, kernel:flag",
  "void",
  "arch/powerpc/mm/pgtable-frag.c:pte_fragment_free",
  "frees such a table; its page with the last share of it",
);
def(
  "pmd_fragment_alloc",
  "mm:mm, vmaddr:address",
  "virt",
  "arch/powerpc/mm/book3s64/pgtable.c:pmd_fragment_alloc",
  "a table of PMDs: of the page that the mm keeps the rest of, or of a new one",
);
def(
  "pmd_fragment_free",
  "pmd:virt",
  "void",
  "arch/powerpc/mm/book3s64/pgtable.c:pmd_fragment_free",
  "frees such a table; its page with the last share of it",
);
def(
  "pgtable_free_tlb",
  "tlb:gather, table:virt, index:index",
  "void",
  "arch/powerpc/mm/book3s64/pgtable.c:pgtable_free_tlb, arch/sparc/include/asm/pgalloc_64.h:pgtable_free_tlb",
  "queues a table, in the low bits of its pointer its level (powerpc), or whether it is a page (sparc64: false, true)",
);
def(
  "arch_exit_mmap",
  "mm:mm",
  "void",
  "arch/powerpc/mm/book3s64/mmu_context.c:arch_exit_mmap, destroy_pagetable_cache",
  "the mm gives up what it keeps of pages (pte_frag_destroy, pmd_frag_destroy); its name stands for the next mm from here on",
);

// m68k's.
def(
  "get_pointer_table",
  "type:table_type",
  "virt",
  "arch/m68k/mm/motorola.c:get_pointer_table",
  "a table of PTEs, or of PMDs or PGDs (TABLE_PMD): of a page that has one to give, or of a new one",
);
def(
  "free_pointer_table",
  "table:virt, type:table_type",
  "int",
  "arch/m68k/mm/motorola.c:free_pointer_table",
  "gives it back: 1 where its page was freed with it",
);

// 32-bit sparc's.
def(
  "srmmu_get_nocache",
  "size:bytes, align:bytes",
  "virt",
  "arch/sparc/mm/srmmu.c:srmmu_get_nocache",
  "a piece of the pool of uncached pages (2 pages here, set up with the first)",
);
def(
  "srmmu_free_nocache",
  "addr:virt, size:bytes",
  "void",
  "arch/sparc/mm/srmmu.c:srmmu_free_nocache",
  "gives such a piece back",
);
def(
  "pte_alloc_one",
  "mm:mm",
  "virt",
  "arch/sparc/mm/srmmu.c:pte_alloc_one",
  "a user's table of PTEs in the pool; the first in its page constructs it",
);
def(
  "pte_free",
  "mm:mm, ptep:virt",
  "void",
  "arch/sparc/mm/srmmu.c:pte_free",
  "gives such a table back; the last in its page destructs it",
);

// Tables that are objects of a slab cache.
def(
  "kmem_cache_alloc",
  "cachep:cache, flags:gfp",
  "virt",
  "mm/slub.c:kmem_cache_alloc",
  "an object of a slab cache of page tables",
);
def(
  "kmem_cache_free",
  "cachep:cache, x:virt",
  "void",
  "mm/slub.c:kmem_cache_free",
  "gives such an object back",
);

// x86's list of pgds: stores through the descriptor's view.
def(
  "pgd_list_add",
  "pgd:virt",
  "void",
  "arch/x86/mm/pgtable.c:pgd_list_add",
  "puts a pgd on pgd_list through pt_list (lru before 6.6)",
);
def("pgd_list_del", "pgd:virt", "void", "arch/x86/mm/pgtable.c:pgd_list_del", "takes a pgd off pgd_list");
def("pgd_set_mm", "pgd:virt, mm:mm", "void", "arch/x86/mm/pgtable.c:pgd_set_mm", "stores the mm in pt_mm (index)");

// The environment.
def(
  "get_page_unless_zero",
  "page:void*",
  "int",
  "include/linux/mm.h:get_page_unless_zero (mm/gup.c, mm/compaction.c, mm/huge_memory.c:split_huge_pages_all)",
  "a speculative reference on the page given, or that an address lies in; fails at 0",
  ENV,
);
def("put_page", "page:void*", "void", "include/linux/mm.h:put_page", "puts a speculative reference", ENV);
def(
  "fail",
  "function:count",
  "void",
  "mm/page_alloc.c:__alloc_pages_slowpath, CONFIG_FAIL_PAGE_ALLOC",
  "the next allocation made by the function named fails",
  ENV,
);
def(
  "rcu_grace_period",
  "",
  "void",
  "kernel/rcu/tree.c:rcu_core",
  "a grace period ends: callbacks queued before it run",
  ENV,
);
def(
  "owner_gone",
  "page:void*",
  "void",
  "the end of a path of a discipline",
  "whoever owned the block has forgotten it",
  ENV,
);
def(
  "place",
  "pfn:address",
  "void",
  "mm/page_alloc.c:rmqueue (which block the lists offer is the doing of everybody else who allocates)",
  "the next allocation takes the block at this page, where it is free",
  ENV,
);

// Walkers: what other CPUs and devices do. What each may still see is the ledger's to know.
def(
  "gup_fast",
  "table:void*",
  "walker",
  "mm/gup.c:gup_fast",
  "another CPU, with interrupts off, follows an entry into a table that is in use",
  ENV,
);
def(
  "pte_offset_map",
  "table:void*",
  "walker",
  "mm/pgtable-generic.c:__pte_offset_map",
  "another CPU, under rcu_read_lock, follows an entry into a table that is in use",
  { env: true, kernels: "merged" },
);
def(
  "hw_walk",
  "table:void*",
  "walker",
  "the hardware's page walk (a TLB that caches upper levels)",
  "the hardware caches an entry that leads to a table that is in use",
  ENV,
);
def(
  "iommu_walk",
  "table:void*",
  "walker",
  "drivers/iommu/iommu-sva.c:iommu_sva_bind_device",
  "an IOMMU that shares the kernel's page tables caches an entry that leads to a table in use (IOMMU_SVA)",
  ENV,
);
def(
  "spin_lock",
  "walker:walker",
  "void",
  "mm/pgtable-generic.c:__pte_offset_map_lock",
  "an RCU walker takes the lock of the table that it is in",
  { env: true, kernels: "merged" },
);
def(
  "kernel_pgtable_work",
  "",
  "void",
  "mm/pgtable-generic.c:kernel_pgtable_work_func",
  "the worker runs that frees the kernel's page tables",
  { env: true, kernels: "6.19-only" },
);
def(
  "walk_end",
  "walker:walker",
  "void",
  "mm/gup.c:gup_fast, mm/pgtable-generic.c:pte_unmap; a cache's own eviction",
  "a walker leaves its table",
  ENV,
);

/** Every call, by opcode. */
export const CALLS: readonly CallDef[] = Object.freeze(defs);

/** Functions that `env fail` may name; its operand in the flat form is the index here. */
export const FAILABLE: readonly string[] = Object.freeze([
  "alloc_pages",
  "tlb_next_batch",
  "tlb_remove_table",
  "ptlock_alloc",
  "ptdesc_alloc",
  "__memcg_kmem_charge_page",
]);
/** Index in {@linkcode FAILABLE} of the lock of a table. */
export const FAIL_PTLOCK = 3;
/** Index in {@linkcode FAILABLE} of a descriptor that is allocated apart. */
export const FAIL_PTDESC = 4;
/** Index in {@linkcode FAILABLE} of the charge of an allocation with `__GFP_ACCOUNT`. */
export const FAIL_CHARGE = 5;
/** How many of {@linkcode FAILABLE}, from index 1 on, are batches of a gather. */
export const BATCHES = 2;

/** Points inside functions where an environment step may be placed: `at FUNCTION:POINT env ...`. */
export const POINTS: readonly string[] = Object.freeze(POINT_TABLE.map((p) => p.name));

/** Opcode of `at`: the next instruction runs when the point (operand a) is next reached. */
export const OP_AT: number = defs.length;
/** Opcode of `repeat`: the next b instructions run a times. */
export const OP_REPEAT: number = defs.length + 1;

/** Whether a kernel has a call. */
export function hasCall(kernel: KernelBase, call: CallDef): boolean {
  const early = !since(kernel, "6.6");
  const release = kernel === "6.14" || kernel === "6.19";
  switch (call.kernels) {
    case "all":
      return true;
    case "v2":
      return kernel === "v2";
    case "ptdesc":
      return kernel !== "6.1";
    case "not-6.19":
      return kernel !== "6.1" && kernel !== "6.19";
    case "merged":
      return !early;
    case "before-6.6":
      return early;
    case "since-6.12":
      return since(kernel, "6.12");
    case "6.6-to-6.12":
      return !early && !release;
    case "6.12-only":
      return since(kernel, "6.12") && !release;
    case "since-6.14":
      return since(kernel, "6.14");
    case "6.19-only":
      return kernel === "6.19";
  }
}

/** Whether a line may give the call's answer a name: of the environment's steps, only walkers have one. */
export function namesResult(call: CallDef): boolean {
  return call.result !== "void" && (!call.env || call.result === "walker");
}

/** A call as it stands in a program: `env ` before the environment's. */
export function callName(call: CallDef): string {
  return (call.env ? "env " : "") + call.name;
}

const byName = new Map<string, CallDef>(defs.map((d) => [callName(d), d]));

/** The call of that name (`env ` before it for environment steps), or undefined. */
export function callByName(name: string): CallDef | undefined {
  return byName.get(name);
}

/** The opcode of a call that is known to exist. */
export function opOf(name: string): number {
  const call = byName.get(name);
  if (call === undefined) throw new Error(`no call '${name}' in the table`);
  return call.id;
}
