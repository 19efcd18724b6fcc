/**
 * Linux 6.12 (read in 6.12.117).
 *
 * @module
 */
import { warn_nofail_6_12 } from "../alloc.ts";
import { set_pcppage_migratetype_6_12 } from "../buddy.ts";
import { __folio_clear_pgtable_6_12 } from "../ctor.ts";
import { __free_pages_ok_6_12, free_pages_prepare_6_12 } from "../free.ts";
import type { KernelFunctions } from "../kernel.ts";
import { __tlb_remove_page_size_6_12, free_pages_and_swap_cache_6_12 } from "../mmu_gather.ts";
import { KERNEL_6_6 } from "./6_6.ts";

/** The functions of 6.12. */
export const KERNEL_6_12: KernelFunctions = Object.freeze({
  ...KERNEL_6_6,
  set_pcppage_migratetype: set_pcppage_migratetype_6_12,
  warn_nofail: warn_nofail_6_12,
  free_pages_prepare: free_pages_prepare_6_12,
  __free_pages_ok: __free_pages_ok_6_12,
  __tlb_remove_page_size: __tlb_remove_page_size_6_12,
  __folio_clear_pgtable: __folio_clear_pgtable_6_12,
  free_pages_and_swap_cache: free_pages_and_swap_cache_6_12,
});
