/**
 * The newest release that the history of these functions names; from that
 * history and not from a source tree. Freeing a page clears whatever type it has
 * (6.17, 2dfcd1608f3a): a table whose destructor was forgotten no longer shows
 * as a bad page. `pagetable_free` leaves the kernel's tables to a worker
 * (CONFIG_ASYNC_KERNEL_PGTABLE_FREE, 5ba2f0a15564). `ptdesc_to_virt` and `tlb_remove_page_ptdesc` are gone.
 *
 * What came later (allocation by address, e751303e0ad2, March 2026) bears no
 * release's name yet.
 *
 * @module
 */
import { free_pages_prepare_6_17 } from "../free.ts";
import type { KernelFunctions } from "../kernel.ts";
import { pagetable_free_async } from "../kernel_pgtable.ts";
import { KERNEL_6_14 } from "./6_14.ts";

/** The functions of 6.19. */
export const KERNEL_6_19: KernelFunctions = Object.freeze({
  ...KERNEL_6_14,
  free_pages_prepare: free_pages_prepare_6_17,
  pagetable_free: pagetable_free_async,
});
