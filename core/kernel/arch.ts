/**
 * How the architectures free what a gather has queued.
 *
 * Read in arch/{arm,arm64,riscv,s390,x86}/include/asm/tlb.h, arch/s390/mm/pgalloc.c
 * and the architectures' Kconfig of 6.1 and 6.12. Paravirtual x86 (KVM, Xen,
 * Hyper-V) is what "x86" means; arm is SMP without LPAE. riscv selects
 * MMU_GATHER_RCU_TABLE_FREE in 6.12 and not in 6.1; the change came with 6.8,
 * from the list's history, so 6.6 is as 6.1.
 *
 * @module
 */
import * as $words from "../memory/words.ts";
import * as $checks from "./checks.ts";
import * as $ctor from "./ctor.ts";
import type { ArchTable, Kernel } from "./kernel.ts";
import type { KernelBase } from "./names.ts";
import * as $names from "./names.ts";

const { PAGE_WORDS_SHIFT, W_TYPE } = $words;
const { oops } = $checks;
const { dtorInside, LEVEL_PTE } = $ctor;
const { ARCHS, since } = $names;

/** CRST_ALLOC_ORDER (s390): a region, segment or pgd table has 16 KB. */
export const CRST_ALLOC_ORDER = 2;

function arch(name: string, more: Partial<ArchTable>): ArchTable {
  return Object.freeze({
    name,
    tableFree: false,
    rcuTableFree: false,
    noGather: false,
    tableKind: "page",
    needsTableInvalidate: true,
    smp: true,
    hardwareWalk: true,
    gupFast: true,
    ipiFlush: true,
    deadAsid: true,
    splitPmd: false,
    pmdShare: false,
    ...more,
  });
}

/** What selects MMU_GATHER_RCU_TABLE_FREE flushes without an interrupt (paravirtual x86: the hypervisor does it). */
const RCU = { tableFree: true, rcuTableFree: true, ipiFlush: false } as const;

/** Where SMP is a choice of the configuration: `config SMP`. Of these, mips, loongarch and sh have gup_fast (Kconfig). */
const UNIPROCESSOR: ReadonlySet<string> = new Set(
  "alpha arc csky hexagon loongarch m68k microblaze mips nios2 openrisc parisc sh sparc um xtensa".split(" "),
);

/**
 * Every architecture, as 6.12 has it. Those that are not named select no
 * MMU_GATHER_TABLE_FREE (Kconfig of each): tlb_remove_table is tlb_remove_page.
 */
export const ARCH_TABLES: Readonly<Record<string, ArchTable>> = Object.freeze({
  ...Object.fromEntries(ARCHS.map((name) => [name, arch(name, { smp: !UNIPROCESSOR.has(name), gupFast: false })])),
  generic: arch("generic", {}),
  mips: arch("mips", { smp: false }),
  loongarch: arch("loongarch", { smp: false }),
  sh: arch("sh", { smp: false }),
  // ARCH_ENABLE_SPLIT_PMD_PTLOCK of PPC_BOOK3S_64.
  // Its tables are freed by address and level (arch/powerpc/mm/book3s64/pgtable.c); tlb_needs_table_invalidate is radix_enabled().
  powerpc: arch("powerpc", { ...RCU, tableKind: "virt", splitPmd: true }),
  // Flushes are broadcast; gup_fast needs LPAE.
  arm: arch("arm", { gupFast: false, ipiFlush: false, tableKind: "ptdesc" }),
  // MMU_GATHER_RCU_TABLE_FREE if SMP; tlb_needs_table_invalidate() is false: no hardware walks the tables.
  sparc64: arch("sparc64", { ...RCU, tableKind: "virt", needsTableInvalidate: false, hardwareWalk: false }),
  x86: arch("x86", { ...RCU, deadAsid: false, splitPmd: true, pmdShare: true }),
  arm64: arch("arm64", { ...RCU, tableKind: "ptdesc", splitPmd: true, pmdShare: true }),
  riscv: arch("riscv", { ...RCU, tableKind: "ptdesc", splitPmd: true, pmdShare: true }),
  s390: arch("s390", { ...RCU, noGather: true, tableKind: "virt", splitPmd: true }),
});

/**
 * An architecture on a kernel with a configuration. 6.1 has no descriptor to
 * queue, and where tlb_remove_table is tlb_remove_page it takes pages. Since 6.14
 * `__tlb_remove_table` is the generic one everywhere and takes a descriptor, and
 * frozen tables, which nobody can put, always go that way.
 *
 * @returns undefined where there is no such architecture
 */
export function archTable(name: string, base: KernelBase, config: readonly string[]): ArchTable | undefined {
  const table = Object.hasOwn(ARCH_TABLES, name) ? ARCH_TABLES[name] : undefined;
  if (table === undefined) return undefined;
  let { tableFree, rcuTableFree, tableKind, ipiFlush, gupFast } = table;
  // HAVE_GUP_FAST came with it.
  if (name === "riscv" && !since(base, "6.12")) tableFree = rcuTableFree = gupFast = false;
  if (config.includes("TABLE_FREE")) tableFree = true;
  if (config.includes("RCU_TABLE_FREE")) {
    tableFree = rcuTableFree = true;
    // It is there for those whose flush interrupts nobody.
    ipiFlush = false;
    // arm selects it, and HAVE_GUP_FAST, with LPAE.
    if (name === "arm") gupFast = true;
  }
  if (config.includes("IPI_FLUSH")) ipiFlush = true;
  if (since(base, "frozen")) tableFree = true;
  // powerpc and sparc64 keep their own (__HAVE_ARCH_TLB_REMOVE_TABLE).
  if (since(base, "6.14") && name !== "powerpc" && name !== "sparc64") tableKind = "ptdesc";
  else if (tableKind === "ptdesc" && (base === "6.1" || !tableFree)) tableKind = "page";
  const smp = table.smp || config.includes("SMP");
  return arch(name, { ...table, tableFree, rcuTableFree, tableKind, smp, ipiFlush, gupFast });
}

/**
 * Architectures that differ from one another in how a gather frees tables, the
 * first of each kind: what raw calls in any order need to be tried on.
 */
export const DISTINCT_ARCHS: readonly string[] = ARCHS.filter((name, i) =>
  ARCHS.findIndex((other) => sameRules(name, other)) === i
);

function sameRules(a: string, b: string): boolean {
  const rules = ({ name: _, ...rest }: ArchTable) => JSON.stringify(rest);
  return rules(ARCH_TABLES[a]!) === rules(ARCH_TABLES[b]!);
}

/**
 * Frees a table that is a page (x86, arm64, riscv, arm
 * `asm/tlb.h:__tlb_remove_table`). The argument is `void *`: a descriptor is
 * taken too, as it has the page's address.
 */
export function __tlb_remove_table(k: Kernel, table: number): void {
  k.free_page_and_swap_cache(k, table);
}

/** 6.6 on s390: still by tag, but a crst table leaves through its descriptor. From the list's history (6326c26c1514). */
export function __tlb_remove_table_s390_6_6(k: Kernel, table: number): void {
  k.pagetable_free(k, k.virt_to_ptdesc(k, table & ~3));
}

/**
 * 6.12 on s390: compound_order decides what the table is. A crst table that is
 * not compound is taken for a PTE table: destructor, one page freed.
 */
export function __tlb_remove_table_s390_6_12(k: Kernel, table: number): void {
  const ptdesc = k.virt_to_ptdesc(k, table);
  const page = k.ptdesc_page(k, ptdesc);
  if (k.compound_order(k, page) !== CRST_ALLOC_ORDER) dtorInside(k, page, LEVEL_PTE, k.pagetable_pte_dtor);
  k.pagetable_free(k, ptdesc);
}

/**
 * Destructs a table and frees it by its descriptor, on every architecture
 * (`include/asm-generic/tlb.h:__tlb_remove_table`, 6.14: pagetable_dtor_free).
 * From the list's history, not from a source tree.
 */
export function __tlb_remove_table_6_14(k: Kernel, table: number): void {
  dtorInside(k, table, 0, k.pagetable_dtor);
  k.pagetable_free(k, table);
}

/**
 * {@linkcode __tlb_remove_table_6_14} of the kernels that are switches: it destructs
 * what is still a page table's, so that they run the disciplines of 6.12, which
 * destruct before they queue, as well as those of 6.14.
 */
export function __tlb_remove_table_frozen(k: Kernel, table: number): void {
  if (table >>> 0 >= k.ptdescEnd) oops(k, table);
  const type = k.mem[(table << PAGE_WORDS_SHIFT) + W_TYPE]!;
  if ((type & k.tableMask) === k.tableValue) dtorInside(k, table, 0, k.pagetable_dtor);
  k.pagetable_free(k, table);
}
