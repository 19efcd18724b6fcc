/**
 * Mistakes in making compound blocks and taking them apart.
 *
 * @module
 */
import { __GFP_COMP } from "../../memory/gfp.ts";
import { W_COMPOUND_HEAD, W_FLAGS, W_LRU_PREV, W_MAPPING } from "../../memory/words.ts";
import {
  prep_compound_page as prep_compound_page_6_1,
  prep_compound_page_6_12,
  prep_new_page,
  set_compound_order as set_compound_order_6_1,
  set_compound_order_6_12,
  W_DEFERRED_LIST,
} from "../alloc.ts";
import { free_pages_prepare_6_12, free_tail_page_prepare_6_12 } from "../free.ts";
import { at, each, keeping, link, type Mutant, mutant } from "./mutant.ts";

const TABLE_OF_ORDER_2 = `
d0 = pagetable_alloc(GFP_PGTABLE_KERNEL, 2)
pagetable_free(d0)`;
const BLOCK_AFTER_TABLE = `
d0 = pagetable_alloc(GFP_PGTABLE_KERNEL, 2)
pagetable_free(d0)
p0 = alloc_pages(GFP_KERNEL, 2)
__free_pages(p0, 2)`;
const DEBUG_VM = { config: ["DEBUG_VM"] };

/** The mutants. */
export const COMPOUND: readonly Mutant[] = [
  mutant("compound-order", "tails-link-to-page-1", "prep_compound_tail is given the page before and not the head", {
    prep_compound_page(k, page, order) {
      prep_compound_page_6_12(k, page, order);
      each(page + 2, (1 << order) - 2, (tail) => k.mem[at(tail, W_COMPOUND_HEAD)] = link(page + 1));
    },
  }, TABLE_OF_ORDER_2),
  mutant("compound-order", "last-tail-forgotten", "the loop over the tails ends one page early", {
    prep_compound_page(k, page, order) {
      const last = page + (1 << order) - 1;
      keeping(k, last, W_COMPOUND_HEAD, -1, () => prep_compound_page_6_12(k, page, order));
    },
  }, TABLE_OF_ORDER_2),
  mutant("compound-order", "head-flag-forgotten", "__SetPageHead is left out of prep_compound_page", {
    prep_compound_page(k, page, order) {
      keeping(k, page, W_FLAGS, k.pgHead, () => prep_compound_page_6_12(k, page, order));
    },
  }, TABLE_OF_ORDER_2),
  mutant("compound-order", "order-off-by-one", "folio_set_order stores the number of halvings, one too many", {
    set_compound_order: (k, page, order) => set_compound_order_6_12(k, page, order + 1),
  }, TABLE_OF_ORDER_2),
  mutant(
    "compound-order",
    "order-in-the-wrong-byte",
    "6.1: the order is stored where the destructor's index belongs",
    {
      set_compound_order(k, page, order) {
        set_compound_order_6_1(k, page, 0);
        k.mem[at(page + 1, W_LRU_PREV)] = (k.mem[at(page + 1, W_LRU_PREV)]! & ~0xff) | order;
      },
    },
    "p0 = alloc_pages(GFP_KERNEL|__GFP_COMP, 2)\n__free_pages(p0, 2)",
    { kernel: "6.1" },
  ),
  mutant("compound-order", "compound-unasked", "prep_new_page makes every block compound, __GFP_COMP or not", {
    prep_new_page: (k, page, order, gfp) => prep_new_page(k, page, order, gfp | __GFP_COMP),
  }, "p0 = alloc_pages(GFP_KERNEL, 1)\n__free_pages(p0, 1)"),
  mutant(
    "compound-order",
    "comp-flag-ignored",
    "prep_new_page looks for __GFP_COMP in flags that were masked already",
    {
      prep_new_page: (k, page, order, gfp) => prep_new_page(k, page, order, gfp & ~__GFP_COMP),
    },
    TABLE_OF_ORDER_2,
  ),
  mutant("compound-order", "free-forgets-tails", "free_tail_page_prepare leaves compound_head as it was", {
    free_tail_page_prepare(k, head, page) {
      return keeping(k, page, W_COMPOUND_HEAD, -1, () => free_tail_page_prepare_6_12(k, head, page));
    },
  }, BLOCK_AFTER_TABLE),
  mutant("compound-order", "free-keeps-head-flag", "the head flag is not among the flags that a free clears", {
    free_pages_prepare(k, page, order, checkFree) {
      return keeping(k, page, W_FLAGS, k.pgHead, () => free_pages_prepare_6_12(k, page, order, checkFree));
    },
  }, BLOCK_AFTER_TABLE),
  mutant(
    "kernel-check",
    "tail-mapping-forgotten",
    "prep_compound_tail does not set TAIL_MAPPING",
    {
      prep_compound_page(k, page, order) {
        prep_compound_page_6_12(k, page, order);
        each(page + 4, (1 << order) - 4, (tail) => k.mem[at(tail, W_MAPPING)] = 0);
      },
    },
    "d0 = pagetable_alloc(GFP_PGTABLE_KERNEL, 3)\npagetable_free(d0)",
    DEBUG_VM,
  ),
  mutant(
    "kernel-check",
    "deferred-list-uninitialised",
    "INIT_LIST_HEAD of _deferred_list is left out",
    {
      prep_compound_page(k, page, order) {
        prep_compound_page_6_12(k, page, order);
        if (order > 1) k.mem[at(page + 2, W_DEFERRED_LIST)] = 0;
      },
    },
    TABLE_OF_ORDER_2,
    DEBUG_VM,
  ),
  mutant(
    "kernel-check",
    "deferred-list-of-order-1",
    "_deferred_list is initialised for order 1 too, where page 2 is another's",
    {
      prep_compound_page(k, page, order) {
        prep_compound_page_6_12(k, page, order);
        const list = at(page + 2, W_DEFERRED_LIST);
        if (order === 1) k.mem[list] = k.mem[list + 2] = list << 2;
      },
    },
    `
d0 = pagetable_alloc(GFP_PGTABLE_KERNEL, 1)
p0 = alloc_page(GFP_KERNEL)
pagetable_free(d0)
__free_page(p0)`,
    DEBUG_VM,
  ),
  mutant(
    "kernel-check",
    "tail-mapping-stays",
    "free_tail_page_prepare leaves TAIL_MAPPING to the next owner",
    {
      free_tail_page_prepare(k, head, page) {
        return keeping(k, page, W_MAPPING, -1, () => free_tail_page_prepare_6_12(k, head, page));
      },
    },
    TABLE_OF_ORDER_2,
    DEBUG_VM,
  ),
  mutant(
    "kernel-check",
    "destructor-forgotten",
    "6.1: set_compound_page_dtor is left out of prep_compound_page",
    {
      prep_compound_page(k, page, order) {
        prep_compound_page_6_1(k, page, order);
        k.mem[at(page + 1, W_LRU_PREV)] = k.mem[at(page + 1, W_LRU_PREV)]! & ~0xff;
      },
    },
    "p0 = alloc_pages(GFP_KERNEL|__GFP_COMP, 2)\nput_page(p0)",
    { kernel: "6.1" },
  ),
];
