/**
 * What of an architecture the driver plays: how it frees tables and pages.
 *
 * @module
 */
import type { ArchTable, Kernel } from "../core/kernel/kernel.ts";

/** tlb_remove_table is tlb_remove_page. */
export const ARCH_NO_TABLE_FREE = 0;
/** Tables wait in batches for a grace period, `__tlb_remove_table` takes a page. */
export const ARCH_TABLE_FREE = 1;
/** s390: tables by address, pages at once. */
export const ARCH_S390 = 2;

/** powerpc: tables by address, and what they are in its low bits. */
export const ARCH_POWERPC = 3;

/** sparc64: tables by address, the low bit says that it is a page. */
export const ARCH_SPARC64 = 4;

/** The driver's number for an architecture. */
export function driverArch(arch: ArchTable): number {
  if (arch.name === "s390") return ARCH_S390;
  if (arch.name === "powerpc") return ARCH_POWERPC;
  if (arch.name === "sparc64") return ARCH_SPARC64;
  return arch.tableFree ? ARCH_TABLE_FREE : ARCH_NO_TABLE_FREE;
}

/** Tables of PMDs may be shared. */
export const FLAG_PMD_SHARE = 1;
/** The mms are KVM guests' (s390). */
export const FLAG_PGSTE = 2;

/** Tables need no flush before they are freed: the hardware does not walk them. */
export const FLAG_NO_INVALIDATE = 4;

/** What else the driver plays, a bit each. */
export function driverFlags(k: Kernel): number {
  return (k.pmdShare ? FLAG_PMD_SHARE : 0) | (k.pgste ? FLAG_PGSTE : 0) |
    (k.needsTableInvalidate ? 0 : FLAG_NO_INVALIDATE);
}
