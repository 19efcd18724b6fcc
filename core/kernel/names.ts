/**
 * Names of kernels, architectures and configuration options.
 *
 * @module
 */

/** A version of Linux whose functions are modelled. */
export type KernelBase = "v2" | "6.1" | "6.6" | "6.12" | "6.14" | "6.19" | "frozen" | "memdesc";

/**
 * Every version, oldest first; `v2` is 6.1's allocator plus the patch of 2023.
 *
 * `6.19` is the last release that the history of these functions names: what it
 * has is known from commits, not from a source tree. `frozen` is no release: it
 * is 6.19 with the references of page tables left at 0. `memdesc` goes on from
 * there to descriptors that are allocated apart from struct page: a conjecture.
 */
export const KERNEL_BASES: readonly KernelBase[] = ["6.1", "v2", "6.6", "6.12", "6.14", "6.19", "frozen", "memdesc"];

/** Whether a version is that one or a later one. */
export function since(base: KernelBase, first: KernelBase): boolean {
  return KERNEL_BASES.indexOf(base) >= KERNEL_BASES.indexOf(first);
}

/** A named repair that can be taken out of a kernel (`-without-ID`), with what it repaired. */
export const REPAIRS: Readonly<Record<string, string>> = {
  B1:
    "e320d3012d25: __free_pages frees the tail pages of a block that is not compound when a speculative reference keeps page 0",
  B2: "462a8e08e0e6: __free_pages reads PageHead before it drops its reference",
  B17: "dfa758638fd2: the fragment bits of a table with PGSTEs are cleared in _refcount before its page is freed",
  B13: "d86564a2f085: tlb_remove_table flushes the TLB before it frees a table for which there was no batch",
  B19: "0e311d237d7f: p4d_free_tlb and pud_free_tlb leave a folded level to pgd_free",
  B15: "59d9094df3d7: sharers of a table of PMDs have a count of their own, and are not its references",
};

/** A named repair that was proposed and not taken, and can be put in (`-with-ID`), with what it repairs. */
export const PROPOSALS: Readonly<Record<string, string>> = {
  B3:
    "the tail pages that __free_pages frees while a speculative reference keeps page 0 are uncharged (proposed in 2021, here with the charge read before the put)",
};

/** Options of the kernel's configuration that decide behaviour in the model. */
export const CONFIGS: Readonly<Record<string, string>> = {
  DEBUG_VM: "VM_BUG_ON and the page checks are compiled in",
  HIGHMEM: "the upper half of the zone's pages has no kernel address",
  RCU_TABLE_FREE: "MMU_GATHER_RCU_TABLE_FREE, also where the architecture does not select it",
  SMP:
    "more than one CPU, on architectures where that is a choice (all but arm, arm64, powerpc, riscv, s390, sparc64, x86)",
  IPI_FLUSH: "TLB flushes interrupt the other CPUs (x86 on bare metal, riscv without SBI)",
  IOMMU_SVA: "an IOMMU walks the kernel's own page tables",
  SPLIT_PTLOCKS:
    "SPLIT_PTE_PTLOCKS, and SPLIT_PMD_PTLOCKS where the architecture has them: a table has a lock of its own",
  ALLOC_SPLIT_PTLOCKS: "these locks are larger than a word (lockdep, PREEMPT_RT) and come from a slab, which can fail",
  MEMCG: "the caller is in a memcg, to which __GFP_ACCOUNT charges pages",
  PGSTE: "the mms are those of KVM guests: page tables of s390 have PGSTEs",
  TABLE_FREE: "MMU_GATHER_TABLE_FREE without RCU, where the architecture does not select it",
  MMU_GATHER_PAGE_SIZE: "a gather holds pages of one size and flushes when it changes",
  PT_RECLAIM:
    "tables that were emptied are freed under the mmap lock for read; without a batch they wait for RCU (6.14)",
  ASYNC_KERNEL_PGTABLE_FREE: "a worker frees the kernel's page tables once the IOMMUs have forgotten them (6.19)",
  PTI: "page-table isolation: x86's pgd is of order 1",
};

/** Architectures: `generic`, and every one of 6.1 and 6.12; `sparc` is 32-bit sparc. */
export const ARCHS: readonly string[] = [
  "generic",
  "alpha",
  "arc",
  "arm",
  "arm64",
  "csky",
  "hexagon",
  "loongarch",
  "m68k",
  "microblaze",
  "mips",
  "nios2",
  "openrisc",
  "parisc",
  "powerpc",
  "riscv",
  "s390",
  "sh",
  "sparc",
  "sparc64",
  "um",
  "x86",
  "xtensa",
];

/** The parts of a kernel's name. */
export interface KernelName {
  /** As written, e.g. `6.12-without-B1`. */
  readonly name: string;
  /** The version, e.g. `6.12`. */
  readonly base: KernelBase;
  /** Repairs that are taken out, sorted. */
  readonly without: readonly string[];
  /** Repairs that are put in, sorted. */
  readonly with: readonly string[];
}

/** Splits a kernel's name; undefined where it is none. */
export function parseKernelName(name: string): KernelName | undefined {
  const [base, ...rest] = name.split(/-(?=with(?:out)?-)/);
  if (!KERNEL_BASES.includes(base as KernelBase)) return undefined;
  const without: string[] = [];
  const put: string[] = [];
  for (const part of rest) {
    const [, how, id] = /^(with|without)-(\w+)$/.exec(part) ?? [];
    if (id === undefined || !Object.hasOwn(how === "with" ? PROPOSALS : REPAIRS, id)) return undefined;
    (how === "with" ? put : without).push(id);
  }
  if (new Set(rest).size !== rest.length) return undefined;
  return { name, base: base as KernelBase, without: without.sort(), with: put.sort() };
}

/** Every kernel that may be named: the versions, each without one repair, and each with one that was proposed. */
export function kernelNames(): string[] {
  return [
    ...KERNEL_BASES,
    ...KERNEL_BASES.flatMap((b) => Object.keys(REPAIRS).map((id) => `${b}-without-${id}`)),
    ...KERNEL_BASES.flatMap((b) => Object.keys(PROPOSALS).map((id) => `${b}-with-${id}`)),
  ];
}
