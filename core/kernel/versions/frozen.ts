/**
 * 6.19 with frozen page tables: `pagetable_alloc` leaves their references at 0, so
 * that nobody can take one. A switch, not a release: the series that would do it
 * ("Fix up page table descriptors", 20251113140448.1814860) was not found merged.
 *
 * A put of such a page is a bug, `__free_pages` may not be used on it, and a
 * gather cannot queue it as a page: `tlb_remove_page_ptdesc` goes the tables' way.
 *
 * @module
 */
import type { KernelFunctions } from "../kernel.ts";
import { __tlb_remove_table_frozen } from "../arch.ts";
import { tlb_remove_page_ptdesc_frozen } from "../mmu_gather.ts";
import { pagetable_alloc_frozen, pagetable_free_frozen } from "../ptdesc.ts";
import { KERNEL_6_19 } from "./6_19.ts";

/** The functions of frozen. */
export const KERNEL_FROZEN: KernelFunctions = Object.freeze({
  ...KERNEL_6_19,
  pagetable_alloc: pagetable_alloc_frozen,
  pagetable_free: pagetable_free_frozen,
  __tlb_remove_table: __tlb_remove_table_frozen,
  tlb_remove_page_ptdesc: tlb_remove_page_ptdesc_frozen,
});
