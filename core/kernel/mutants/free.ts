/**
 * Mistakes in releasing blocks.
 *
 * @module
 */
import { NULL, PAGE_SHIFT, PAGE_SIZE, W_FLAGS } from "../../memory/words.ts";
import { page_zone } from "../buddy.ts";
import {
  __free_pages_ok_6_12,
  free_pages as free_pages_right,
  free_pages_prepare_6_12,
  free_unref_page_6_6,
  PAGE_ALLOC_COSTLY_ORDER,
} from "../free.ts";
import type { Kernel } from "../kernel.ts";
import { at, type Mutant, mutant } from "./mutant.ts";

/** `__free_pages` with the release of the tails replaced. */
function freePages(tails: (k: Kernel, page: number, order: number, head: number) => void) {
  return (k: Kernel, page: number, order: number): void => {
    const head = k.PageHead(k, page);
    if (k.put_page_testzero(k, page)) k.free_unref_page(k, page, order);
    else tails(k, page, order, head);
  };
}

const HELD = `
p0 = alloc_pages(GFP_KERNEL, 2)
env get_page_unless_zero(p0)
__free_pages(p0, 2)
env put_page(p0)`;
const HELD_TABLE = `
d0 = pagetable_alloc(GFP_PGTABLE_KERNEL, 2)
p0 = ptdesc_page(d0)
env get_page_unless_zero(p0)
pagetable_free(d0)
env put_page(p0)`;
const BY_ADDRESS = "a0 = __get_free_pages(GFP_KERNEL, 2)\nfree_pages(a0, 2)";
const BY_PUT = "p0 = alloc_pages(GFP_KERNEL|__GFP_COMP, 2)\nput_page(p0)";
const TABLE = "d0 = pagetable_alloc(GFP_PGTABLE_KERNEL, 2)\npagetable_free(d0)";

/** The mutants. */
export const FREE: readonly Mutant[] = [
  mutant("double-free", "free-pages-twice", "free_pages drops the reference itself and then calls __free_pages", {
    free_pages(k, addr, order) {
      free_pages_right(k, addr, order);
      free_pages_right(k, addr, order);
    },
  }, BY_ADDRESS),
  mutant(
    "compound-order",
    "tails-of-a-compound-block",
    "__free_pages frees the tails of a held block whether it is compound or not",
    {
      __free_pages: freePages((k, page, order) => {
        while (order-- > 0) k.free_unref_page(k, page + (1 << order), order);
      }),
    },
    HELD_TABLE,
  ),
  mutant(
    "buddy-structure",
    "chunks-from-page-0",
    "the chunks of a held block are counted from its first page, which is held",
    {
      __free_pages: freePages((k, page, order, head) => {
        if (head === 0) { while (order-- > 0) k.free_unref_page(k, page, order); }
      }),
    },
    HELD,
  ),
  mutant("order-mismatch", "chunk-missing", "the loop over the chunks of a held block ends above order 0", {
    __free_pages: freePages((k, page, order, head) => {
      if (head === 0) { while (--order > 0) k.free_unref_page(k, page + (1 << order), order); }
    }),
  }, HELD),
  mutant("order-mismatch", "largest-chunk-missing", "the loop over the chunks of a held block starts one order low", {
    __free_pages: freePages((k, page, order, head) => {
      if (head === 0) { for (order--; order-- > 0;) k.free_unref_page(k, page + (1 << order), order); }
    }),
  }, HELD),
  mutant("order-mismatch", "free-pages-order-0", "free_pages passes order 0 on", {
    free_pages: (k, addr) => addr === NULL ? undefined : k.__free_pages(k, k.virt_to_page(k, addr), 0),
  }, BY_ADDRESS),
  mutant("order-mismatch", "pagetable-free-order-0", "pagetable_free is __free_page", {
    pagetable_free: (k, pt) => k.__free_pages(k, k.ptdesc_page(k, pt), 0),
  }, TABLE),
  mutant("double-free", "pagetable-free-next-order", "pagetable_free takes folio_nr_pages for folio_order minus one", {
    pagetable_free: (k, pt) => k.__free_pages(k, pt, k.compound_order(k, pt) + 1),
  }, "d0 = pagetable_alloc(GFP_PGTABLE_KERNEL, 2)\nd1 = pagetable_alloc(GFP_PGTABLE_KERNEL, 2)\npagetable_free(d0)"),
  mutant("order-mismatch", "folio-put-order-0", "__folio_put frees a large folio as a small one", {
    __folio_put: (k, folio) => k.free_unref_page(k, folio, 0),
  }, BY_PUT),
  mutant("page-leak", "costly-order-dropped", "free_unref_page returns for orders that the per-CPU lists do not take", {
    free_unref_page(k, page, order) {
      if (order <= PAGE_ALLOC_COSTLY_ORDER) free_unref_page_6_6(k, page, order);
    },
  }, "p0 = alloc_pages(GFP_KERNEL, 4)\n__free_pages(p0, 4)"),
  mutant(
    "page-leak",
    "first-pageblock-only",
    "split_large_buddy frees the first pageblock and returns",
    {
      __free_pages_ok(k, page, order, toTail) {
        __free_pages_ok_6_12(k, page, order > 9 ? 9 : order, toTail);
      },
    },
    "p0 = alloc_pages(GFP_KERNEL, 10)\n__free_pages(p0, 10)",
    { pages: 2048 },
  ),
  mutant("page-leak", "exact-rounds-down", "free_pages_exact rounds the size down", {
    free_pages_exact(k, virt, size) {
      for (let i = 0; i < size >> PAGE_SHIFT; i++) k.free_pages(k, virt + i * PAGE_SIZE, 0);
    },
  }, "a0 = alloc_pages_exact(0x2800, GFP_KERNEL)\nfree_pages_exact(a0, 0x2800)"),
  mutant("double-free", "exact-frees-the-block", "free_pages_exact frees the whole block, surplus and all", {
    free_pages_exact(k, virt, size) {
      const order = 32 - Math.clz32((size - 1) >> PAGE_SHIFT);
      for (let i = 0; i < 1 << order; i++) k.__free_pages_ok(k, k.virt_to_page(k, virt) + i, 0, false);
    },
  }, "a0 = alloc_pages_exact(0x3000, GFP_KERNEL)\nfree_pages_exact(a0, 0x3000)"),
  mutant(
    "kernel-check",
    "prepare-with-order-0",
    "free_unref_page prepares page 0 and forgets that there are tails",
    {
      free_unref_page(k, page, order) {
        if (k.free_pages_prepare(k, page, 0, true)) k.__free_one_page(k, page, page_zone(k, page), order, false);
      },
    },
    TABLE,
    { config: ["DEBUG_VM"] },
  ),
  mutant(
    "kernel-check",
    "flags-not-cleared",
    "free_pages_prepare leaves PAGE_FLAGS_CHECK_AT_PREP to the next owner",
    {
      free_pages_prepare(k, page, order, checkFree) {
        const flags = k.mem[at(page, W_FLAGS)]!;
        const fit = free_pages_prepare_6_12(k, page, order, checkFree);
        k.mem[at(page, W_FLAGS)] = flags;
        return fit;
      },
    },
    TABLE,
    { config: ["DEBUG_VM"] },
  ),
];
