/**
 * Mistakes that become possible once descriptors are allocated apart.
 *
 * @module
 */
import { __GFP_COMP } from "../../memory/gfp.ts";
import { D_ORDER, D_PAGE, MEMDESC_PTDESC, PAGE_ADDRESS } from "../../memory/memdesc.ts";
import { NULL, STRUCT_PAGE_SHIFT, W_REFCOUNT } from "../../memory/words.ts";
import type { Kernel } from "../kernel.ts";
import {
  page_ptdesc_memdesc,
  pagetable_alloc_memdesc,
  ptdesc_cache_alloc,
  ptdesc_cache_free,
  setMemdescs,
} from "../memdesc.ts";
import { at, type Mutant, mutant } from "./mutant.ts";

const MEMDESC = { kernel: "memdesc" } as const;
const TABLE = "d0 = pagetable_alloc(GFP_PGTABLE_USER, 1)\npagetable_free(d0)";
const TWO = `
d0 = pagetable_alloc(GFP_PGTABLE_USER, 1)
a0 = ptdesc_address(d0)
d1 = pagetable_alloc(GFP_PGTABLE_USER, 1)
d2 = virt_to_ptdesc(a0+1)
pagetable_free(d2)
pagetable_free(d1)`;

/** pagetable_free of memdesc, step by step. */
function freed(k: Kernel, pt: number, order: (page: number, order: number) => void): void {
  const page = k.ptdesc_page(k, pt);
  order(page, k.mem[at(pt, D_ORDER)]!);
}

/** The mutants. */
export const MEMDESCS: readonly Mutant[] = [
  mutant(
    "descriptor",
    "no-unwind",
    "pagetable_alloc keeps the descriptor when the pages cannot be had",
    {
      pagetable_alloc(k, gfp, order) {
        const pt = ptdesc_cache_alloc(k, gfp);
        if (pt === NULL) return NULL;
        const page = k.alloc_pages(k, gfp & ~__GFP_COMP, order);
        if (page === NULL) return NULL;
        k.mem[at(page, W_REFCOUNT)] = 0;
        k.mem[at(pt, D_PAGE)] = PAGE_ADDRESS + (page << STRUCT_PAGE_SHIFT);
        k.mem[at(pt, D_ORDER)] = order;
        setMemdescs(k, page, order, (pt << STRUCT_PAGE_SHIFT) | MEMDESC_PTDESC);
        return pt;
      },
    },
    "env fail alloc_pages\nd0 = pagetable_alloc(GFP_PGTABLE_USER, 0)",
    MEMDESC,
  ),
  mutant(
    "descriptor",
    "descriptor-kept",
    "pagetable_free frees the pages and forgets the descriptor",
    {
      pagetable_free: (k, pt) =>
        freed(k, pt, (page, order) => {
          setMemdescs(k, page, order, 0);
          k.free_unref_page(k, page, order);
        }),
    },
    TABLE,
    MEMDESC,
  ),
  mutant(
    "descriptor",
    "descriptor-first",
    "pagetable_free frees the descriptor while the pages lead to it",
    {
      pagetable_free: (k, pt) =>
        freed(k, pt, (page, order) => {
          ptdesc_cache_free(k, pt);
          setMemdescs(k, page, order, 0);
          k.free_unref_page(k, page, order);
        }),
    },
    TABLE,
    MEMDESC,
  ),
  mutant(
    "descriptor",
    "first-page-only",
    "pagetable_alloc writes the memdesc of page 0 only",
    {
      pagetable_alloc(k, gfp, order) {
        const pt = pagetable_alloc_memdesc(k, gfp, order);
        if (pt !== NULL && order > 0) setMemdescs(k, k.ptdesc_page(k, pt) + 1, 0, 0);
        return pt;
      },
    },
    TABLE,
    MEMDESC,
  ),
  mutant(
    "descriptor",
    "order-of-the-caller",
    "pagetable_alloc stores no order in the descriptor",
    {
      pagetable_alloc(k, gfp, order) {
        const pt = pagetable_alloc_memdesc(k, gfp, order);
        if (pt !== NULL) k.mem[at(pt, D_ORDER)] = 0;
        return pt;
      },
    },
    TABLE,
    MEMDESC,
  ),
  mutant(
    "descriptor",
    "lookup-of-the-neighbour",
    "page_ptdesc masks one bit of the pointer too many",
    {
      page_ptdesc: (k, page) => page === NULL ? NULL : page_ptdesc_memdesc(k, page) | 1,
    },
    TWO,
    MEMDESC,
  ),
];
