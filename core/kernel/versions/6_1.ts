/**
 * Linux 6.1 (read in 6.1.192). It has no descriptor; the functions of `ptdesc.ts`
 * stand in the table so that every kernel has the same shape, and no program
 * for 6.1 can name them.
 *
 * @module
 */
import * as alloc from "../alloc.ts";
import { __tlb_remove_table } from "../arch.ts";
import * as buddy from "../buddy.ts";
import * as ctor from "../ctor.ts";
import * as fragments from "../fragments.ts";
import * as free from "../free.ts";
import * as huge from "../huge.ts";
import type { KernelFunctions } from "../kernel.ts";
import { pte_free_defer } from "../kernel_pgtable.ts";
import * as memcg from "../memcg.ts";
import * as gather from "../mmu_gather.ts";
import * as page from "../page.ts";
import * as ptdesc from "../ptdesc.ts";
import * as pointer from "../pointer_table.ts";
import * as frag from "../pte_frag.ts";
import * as ptlock from "../ptlock.ts";
import * as refs from "../refs.ts";
import * as reserved from "../reserved.ts";
import * as slab from "../slab.ts";
import * as srmmu from "../srmmu.ts";
import * as pgd from "../x86_pgd.ts";

/** The functions of 6.1. */
export const KERNEL_6_1: KernelFunctions = Object.freeze({
  alloc_pages: alloc.alloc_pages,
  __get_free_pages: alloc.__get_free_pages,
  alloc_pages_exact: alloc.alloc_pages_exact,
  split_page: alloc.split_page,
  memblock_alloc: reserved.memblock_alloc,
  __rmqueue_smallest: buddy.__rmqueue_smallest,
  expand: buddy.expand,
  check_new_pages: alloc.check_new_pages,
  set_pcppage_migratetype: buddy.set_pcppage_migratetype,
  warn_nofail: alloc.warn_nofail,
  prep_new_page: alloc.prep_new_page,
  prep_compound_page: alloc.prep_compound_page,
  set_compound_order: alloc.set_compound_order,
  kernel_init_pages: page.kernel_init_pages,
  __free_one_page: buddy.__free_one_page,
  free_tail_page_prepare: free.free_tail_page_prepare,
  free_page_is_bad: free.free_page_is_bad,
  free_pages_prepare: free.free_pages_prepare,
  bulkfree_pcp_prepare: free.bulkfree_pcp_prepare,
  free_unref_page: free.free_unref_page,
  __free_pages_ok: free.__free_pages_ok,
  __free_pages: free.__free_pages,
  free_pages: free.free_pages,
  free_pages_exact: free.free_pages_exact,
  mark_page_reserved: reserved.mark_page_reserved,
  free_reserved_page: reserved.free_reserved_page,
  put_page_testzero: refs.put_page_testzero,
  get_page_unless_zero: refs.get_page_unless_zero,
  get_page: refs.get_page,
  put_page: refs.put_page,
  __folio_put: refs.__folio_put,
  compound_head: page.compound_head,
  compound_order: page.compound_order,
  PageHead: page.PageHead,
  folio_nr_pages: refs.folio_nr_pages,
  PageTail: page.PageTail,
  PageCompound: page.PageCompound,
  virt_to_page: page.virt_to_page,
  virt_to_head_page: page.virt_to_head_page,
  page_to_virt: page.page_to_virt,
  page_address: page.page_address,
  folio_test_reserved: page.folio_test_reserved,
  clear_page: page.clear_page,
  table_init: page.table_init,
  populate: page.populate,
  page_ptdesc: ptdesc.page_ptdesc,
  ptdesc_page: ptdesc.ptdesc_page,
  ptdesc_folio: ptdesc.ptdesc_folio,
  virt_to_ptdesc: ptdesc.virt_to_ptdesc,
  ptdesc_to_virt: ptdesc.ptdesc_to_virt,
  ptdesc_address: ptdesc.ptdesc_address,
  pagetable_is_reserved: ptdesc.pagetable_is_reserved,
  pagetable_alloc: ptdesc.pagetable_alloc,
  pagetable_free: ptdesc.pagetable_free,
  ptdesc_clear: ptdesc.ptdesc_clear,
  free_reserved_ptdesc: ptdesc.free_reserved_ptdesc,
  tlb_gather_mmu: gather.tlb_gather_mmu,
  tlb_adjust_range: gather.tlb_adjust_range,
  __tlb_remove_page_size: gather.__tlb_remove_page_size,
  tlb_next_batch: gather.tlb_next_batch,
  tlb_remove_page: gather.tlb_remove_page,
  tlb_remove_table: gather.tlb_remove_table,
  tlb_remove_table_sync_one: gather.tlb_remove_table_sync_one,
  p4d_free_tlb: gather.p4d_free_tlb,
  pud_free_tlb: gather.pud_free_tlb,
  __pagetable_free: ptdesc.pagetable_free,
  tlb_remove_ptdesc: gather.tlb_remove_ptdesc,
  tlb_remove_page_ptdesc: gather.tlb_remove_page_ptdesc,
  tlb_flush_mmu_tlbonly: gather.tlb_flush_mmu_tlbonly,
  tlb_table_flush: gather.tlb_table_flush,
  tlb_batch_pages_flush: gather.tlb_batch_pages_flush,
  tlb_flush_mmu: gather.tlb_flush_mmu,
  tlb_finish_mmu: gather.tlb_finish_mmu,
  __tlb_remove_table,
  free_page_and_swap_cache: gather.free_page_and_swap_cache,
  free_pages_and_swap_cache: gather.free_pages_and_swap_cache,
  rcu_grace_period: gather.rcu_grace_period,
  pagetable_pte_ctor: ctor.pagetable_pte_ctor,
  pagetable_pte_dtor: ctor.pagetable_pte_dtor,
  pagetable_pmd_ctor: ctor.pagetable_pmd_ctor,
  pagetable_pmd_dtor: ctor.pagetable_pmd_dtor,
  pagetable_pud_ctor: ctor.pagetable_pud_ctor,
  pagetable_pud_dtor: ctor.pagetable_pud_dtor,
  pagetable_dtor: ctor.pagetable_dtor,
  ptlock_init: ptlock.ptlock_init,
  ptlock_alloc: ptlock.ptlock_alloc,
  ptlock_free: ptlock.ptlock_free,
  pmd_ptlock_init: ptlock.pmd_ptlock_init,
  pmd_ptlock_free: ptlock.pmd_ptlock_free,
  __folio_set_pgtable: ctor.__folio_set_pgtable,
  __folio_clear_pgtable: ctor.__folio_clear_pgtable,
  lruvec_stat_mod_pagetable: ctor.lruvec_stat_mod_pagetable,
  __memcg_kmem_charge_page: memcg.__memcg_kmem_charge_page,
  __memcg_kmem_uncharge_page: memcg.__memcg_kmem_uncharge_page,
  split_page_memcg: memcg.split_page_memcg,
  pgtable_trans_huge_deposit: huge.pgtable_trans_huge_deposit,
  pgtable_trans_huge_withdraw: huge.pgtable_trans_huge_withdraw,
  huge_pmd_share: huge.huge_pmd_share,
  huge_pmd_unshare: huge.huge_pmd_unshare,
  page_table_alloc: fragments.page_table_alloc,
  page_table_free: fragments.page_table_free,
  page_table_free_rcu: fragments.page_table_free_rcu,
  clear_pgste_bits: fragments.clear_pgste_bits,
  pte_fragment_alloc: frag.pte_fragment_alloc,
  pte_fragment_free: frag.pte_fragment_free,
  pte_frag_destroy: frag.pte_frag_destroy,
  pmd_fragment_alloc: frag.pmd_fragment_alloc,
  pmd_fragment_free: frag.pmd_fragment_free,
  pmd_frag_destroy: frag.pmd_frag_destroy,
  arch_exit_mmap: frag.arch_exit_mmap,
  pgtable_free_tlb: frag.pgtable_free_tlb,
  pte_free_defer,
  get_pointer_table: pointer.get_pointer_table,
  free_pointer_table: pointer.free_pointer_table,
  srmmu_get_nocache: srmmu.srmmu_get_nocache,
  srmmu_free_nocache: srmmu.srmmu_free_nocache,
  pte_alloc_one: srmmu.pte_alloc_one_srmmu,
  pte_free: srmmu.pte_free_srmmu,
  kmem_cache_alloc: slab.kmem_cache_alloc,
  kmem_cache_free: slab.kmem_cache_free,
  pgd_list_add: pgd.pgd_list_add,
  pgd_list_del: pgd.pgd_list_del,
  pgd_set_mm: pgd.pgd_set_mm,
});
