/**
 * Lines of 6.12 that a developer could have got wrong, one at a time.
 *
 * @module
 */
import type { Edit } from "./overlay.ts";

/** A patched tree. */
export interface KernelMutant {
  /** Function, and the mistake. */
  readonly name: string;
  readonly edit: Edit;
}

const PAGE_ALLOC = "mm/page_alloc.c";
const GATHER = "mm/mmu_gather.c";
const MM = "include/linux/mm.h";

function mutant(name: string, file: string, find: string, replace: string): KernelMutant {
  return { name, edit: { file, find, replace } };
}

/** Every mutant; what rebuilds most comes last. */
export const KERNEL_MUTANTS: readonly KernelMutant[] = [
  mutant(
    "__free_pages: the head flag is read after the put",
    PAGE_ALLOC,
    "\telse if (!head) {\n",
    "\telse if (!PageHead(page)) {\n",
  ),
  mutant(
    "__free_pages: the tails of a held block are lost",
    PAGE_ALLOC,
    "\t\twhile (order-- > 0)\n\t\t\tfree_unref_page(page + (1 << order), order);",
    "\t\t(void)order;",
  ),
  mutant(
    "__free_pages: the loop over the chunks ends above order 0",
    PAGE_ALLOC,
    "\t\twhile (order-- > 0)\n\t\t\tfree_unref_page(page + (1 << order), order);",
    "\t\twhile (--order > 0)\n\t\t\tfree_unref_page(page + (1 << order), order);",
  ),
  mutant(
    "__free_pages: the chunks are counted from the block's own order",
    PAGE_ALLOC,
    "\t\t\tfree_unref_page(page + (1 << order), order);",
    "\t\t\tfree_unref_page(page + (1 << order), 0);",
  ),
  mutant(
    "free_pages_prepare: the order of a compound block is not compared",
    PAGE_ALLOC,
    "\tVM_BUG_ON_PAGE(compound && compound_order(page) != order, page);\n",
    "",
  ),
  mutant(
    "prep_new_page: blocks of order 1 are not made compound",
    PAGE_ALLOC,
    "\tif (order && (gfp_flags & __GFP_COMP))\n\t\tprep_compound_page(page, order);",
    "\tif (order > 1 && (gfp_flags & __GFP_COMP))\n\t\tprep_compound_page(page, order);",
  ),
  mutant(
    "prep_compound_page: the last tail is forgotten",
    PAGE_ALLOC,
    "\tfor (i = 1; i < nr_pages; i++)\n\t\tprep_compound_tail(page, i);",
    "\tfor (i = 1; i < nr_pages - 1; i++)\n\t\tprep_compound_tail(page, i);",
  ),
  mutant(
    "split_page: page 1 gets no reference",
    PAGE_ALLOC,
    "\tfor (i = 1; i < (1 << order); i++)\n\t\tset_page_refcounted(page + i);",
    "\tfor (i = 2; i < (1 << order); i++)\n\t\tset_page_refcounted(page + i);",
  ),
  mutant(
    "make_alloc_exact: the first page of the surplus is kept",
    PAGE_ALLOC,
    "\t\tfor (page += nr; page < last; page++)",
    "\t\tfor (page += nr + 1; page < last; page++)",
  ),
  mutant(
    "free_reserved_page: the references are not made one",
    PAGE_ALLOC,
    "\tinit_page_count(page);\n\t__free_page(page);",
    "\t__free_page(page);",
  ),
  mutant(
    "free_reserved_page: managed_pages is not adjusted",
    PAGE_ALLOC,
    "\t__free_page(page);\n\tadjust_managed_page_count(page, 1);",
    "\t__free_page(page);",
  ),
  mutant(
    "free_tail_page_prepare: the deferred list is not looked at",
    PAGE_ALLOC,
    "\t\tif (unlikely(!list_empty(&folio->_deferred_list))) {",
    "\t\tif (0) {",
  ),
  mutant(
    "free_tail_page_prepare: compound_head of a tail stays",
    PAGE_ALLOC,
    "\tpage->mapping = NULL;\n\tclear_compound_head(page);\n\treturn ret;",
    "\tpage->mapping = NULL;\n\treturn ret;",
  ),
  mutant(
    "free_tail_page_prepare: a lost tail flag is not noticed",
    PAGE_ALLOC,
    '\tif (unlikely(!PageTail(page))) {\n\t\tbad_page(page, "PageTail not set");',
    '\tif (0) {\n\t\tbad_page(page, "PageTail not set");',
  ),
  mutant(
    "page_bad_reason: references are not a reason",
    PAGE_ALLOC,
    "\tif (unlikely(page_ref_count(page) != 0))\n\t\tbad_reason",
    "\tif (0)\n\t\tbad_reason",
  ),
  mutant(
    "__free_one_page: the alignment is not checked",
    PAGE_ALLOC,
    "\tVM_BUG_ON_PAGE(pfn & ((1 << order) - 1), page);\n",
    "",
  ),
  mutant(
    "__free_one_page: merging stops one order early",
    PAGE_ALLOC,
    "\twhile (order < MAX_PAGE_ORDER) {\n\t\tint buddy_mt",
    "\twhile (order < MAX_PAGE_ORDER - 3) {\n\t\tint buddy_mt",
  ),
  mutant(
    "__free_one_page: a block always goes to the front of its list",
    PAGE_ALLOC,
    "\t\tto_tail = buddy_merge_likely(pfn, buddy_pfn, page, order);",
    "\t\tto_tail = false;",
  ),
  mutant(
    "post_alloc_hook: only the first page is zeroed",
    PAGE_ALLOC,
    "\t\tkernel_init_pages(page, 1 << order);\n\n\tset_page_owner",
    "\t\tkernel_init_pages(page, 1);\n\n\tset_page_owner",
  ),
  mutant(
    "__tlb_remove_folio_pages_size: a batch is full one entry late",
    GATHER,
    "\tif (batch->nr >= batch->max - 1) {",
    "\tif (batch->nr >= batch->max) {",
  ),
  mutant("__tlb_remove_folio_pages_size: the range is not asked for", GATHER, "\tVM_BUG_ON(!tlb->end);\n", ""),
  mutant("tlb_batch_list_free: the batches are not freed", GATHER, "\t\tfree_pages((unsigned long)batch, 0);\n", ""),
  mutant(
    "tlb_remove_table_free: no grace period",
    GATHER,
    "\tcall_rcu(&batch->rcu, tlb_remove_table_rcu);",
    "\t__tlb_remove_table_free(batch);",
  ),
  mutant(
    "tlb_remove_table_one: the table is forgotten",
    GATHER,
    "\ttlb_remove_table_sync_one();\n\t__tlb_remove_table(table);",
    "\ttlb_remove_table_sync_one();",
  ),
  mutant(
    "__tlb_remove_table_free: the first table is skipped",
    GATHER,
    "\tfor (i = 0; i < batch->nr; i++)\n\t\t__tlb_remove_table(batch->tables[i]);",
    "\tfor (i = 1; i < batch->nr; i++)\n\t\t__tlb_remove_table(batch->tables[i]);",
  ),
  mutant(
    "pagetable_free: always order 0",
    MM,
    "\t__free_pages(page, compound_order(page));",
    "\t__free_pages(page, 0);",
  ),
];
