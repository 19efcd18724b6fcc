/**
 * Linux 6.14, from the list's history and not from a source tree: a gather frees
 * tables through the generic `__tlb_remove_table` on every architecture, which
 * takes a descriptor and runs the destructor at the end (db6b435d731a).
 *
 * The allocator learned of pages without a reference (`alloc_frozen_pages`), but
 * page tables have theirs still.
 *
 * @module
 */
import { __tlb_remove_table_6_14 } from "../arch.ts";
import { tlb_remove_table_6_14 } from "../mmu_gather.ts";
import { pmd_ptlock_free_6_14, ptlock_free_6_14 } from "../ptlock.ts";
import type { KernelFunctions } from "../kernel.ts";
import { KERNEL_6_12 } from "./6_12.ts";

/** The functions of 6.14. */
export const KERNEL_6_14: KernelFunctions = Object.freeze({
  ...KERNEL_6_12,
  tlb_remove_table: tlb_remove_table_6_14,
  __tlb_remove_table: __tlb_remove_table_6_14,
  ptlock_free: ptlock_free_6_14,
  pmd_ptlock_free: pmd_ptlock_free_6_14,
});
