/**
 * Linux 6.6, the first with the descriptor. Its source was not read: what
 * changed between 6.1 and 6.12 is 6.12's here, except what is known from the
 * history to have come later (batch rule and folio batches in 6.9, the order of
 * a block compared for order 0 in 6.13 and 6.12 stable, split_large_buddy in 6.10).
 *
 * @module
 */
import { check_new_pages_6_12, prep_compound_page_6_12, set_compound_order_6_12 } from "../alloc.ts";
import {
  bulkfree_pcp_prepare_6_6,
  free_pages_prepare_6_6,
  free_tail_page_prepare_6_12,
  free_unref_page_6_6,
} from "../free.ts";
import { __folio_clear_pgtable_6_6, __folio_set_pgtable_6_12, lruvec_stat_mod_pagetable_6_6 } from "../ctor.ts";
import type { KernelFunctions } from "../kernel.ts";
import { tlb_next_batch_6_6 } from "../mmu_gather.ts";
import { pte_frag_destroy_6_6, pte_fragment_free_6_6 } from "../pte_frag.ts";
import { virt_to_ptdesc } from "../ptdesc.ts";
import { __folio_put_6_12, folio_nr_pages_6_6 } from "../refs.ts";
import { pgd_list_add_6_6, pgd_list_del_6_6, pgd_set_mm_6_6 } from "../x86_pgd.ts";
import { KERNEL_V2 } from "./v2.ts";

/** The functions of 6.6. */
export const KERNEL_6_6: KernelFunctions = Object.freeze({
  ...KERNEL_V2,
  virt_to_ptdesc,
  pte_fragment_free: pte_fragment_free_6_6,
  pte_frag_destroy: pte_frag_destroy_6_6,
  tlb_next_batch: tlb_next_batch_6_6,
  check_new_pages: check_new_pages_6_12,
  prep_compound_page: prep_compound_page_6_12,
  set_compound_order: set_compound_order_6_12,
  free_tail_page_prepare: free_tail_page_prepare_6_12,
  free_pages_prepare: free_pages_prepare_6_6,
  bulkfree_pcp_prepare: bulkfree_pcp_prepare_6_6,
  free_unref_page: free_unref_page_6_6,
  __folio_put: __folio_put_6_12,
  folio_nr_pages: folio_nr_pages_6_6,
  __folio_set_pgtable: __folio_set_pgtable_6_12,
  __folio_clear_pgtable: __folio_clear_pgtable_6_6,
  lruvec_stat_mod_pagetable: lruvec_stat_mod_pagetable_6_6,
  pgd_list_add: pgd_list_add_6_6,
  pgd_list_del: pgd_list_del_6_6,
  pgd_set_mm: pgd_set_mm_6_6,
});
