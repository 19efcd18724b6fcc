/**
 * Mistakes in counting references.
 *
 * @module
 */
import { PAGE_SHIFT, W_REFCOUNT } from "../../memory/words.ts";
import { alloc_pages_exact, prep_new_page, split_page } from "../alloc.ts";
import { pagetable_alloc } from "../ptdesc.ts";
import { get_page_unless_zero } from "../refs.ts";
import { at, each, type Mutant, mutant } from "./mutant.ts";

const SPECULATIVE = `
p0 = alloc_page(GFP_KERNEL)
env get_page_unless_zero(p0)
env put_page(p0)
__free_page(p0)`;
const TAIL = `
p0 = alloc_pages(GFP_KERNEL|__GFP_COMP, 1)
get_page(p0+1)
put_page(p0+1)
__free_pages(p0, 1)`;
const SPLIT = `
p0 = alloc_pages(GFP_KERNEL, 1)
split_page(p0, 1)
__free_page(p0)
__free_page(p0+1)`;
const EXACT = "a0 = alloc_pages_exact(0x3000, GFP_KERNEL)\nfree_pages_exact(a0, 0x3000)";
const BLOCK = "p0 = alloc_pages(GFP_KERNEL, 1)\n__free_pages(p0, 1)";

/** The mutants. */
export const REFERENCES: readonly Mutant[] = [
  mutant("bad-reference", "get-at-zero", "get_page_unless_zero adds before it compares", {
    get_page_unless_zero(k, page) {
      k.mem[at(page, W_REFCOUNT)]!++;
      return 1;
    },
  }, "p0 = alloc_page(GFP_KERNEL)\n__free_page(p0)\nenv get_page_unless_zero(p0)"),
  mutant(
    "bad-reference",
    "get-fails-above-one",
    "get_page_unless_zero is written as get_page_if_one",
    {
      get_page_unless_zero: (k, page) => k.mem[at(page, W_REFCOUNT)] === 1 ? get_page_unless_zero(k, page) : 0,
    },
    `
p0 = alloc_page(GFP_KERNEL)
get_page(p0)
env get_page_unless_zero(p0)
env put_page(p0)
put_page(p0)
put_page(p0)`,
  ),
  mutant("bad-reference", "get-takes-two", "the retry of get_page_unless_zero keeps the first reference", {
    get_page_unless_zero: (k, page) => get_page_unless_zero(k, page) & get_page_unless_zero(k, page),
  }, SPECULATIVE),
  mutant("bad-reference", "get-page-on-the-tail", "get_page counts on the page given and not on its folio", {
    get_page(k, page) {
      k.mem[at(page, W_REFCOUNT)]!++;
    },
  }, TAIL),
  mutant(
    "bad-reference",
    "put-page-on-the-tail",
    "put_page drops the reference of the page given and not of its folio",
    {
      put_page(k, page) {
        if (k.put_page_testzero(k, page)) k.__folio_put(k, page);
      },
    },
    TAIL,
  ),
  mutant("bad-reference", "put-keeps-the-last", "put_page_testzero compares and forgets to store", {
    put_page_testzero(k, page) {
      const last = k.mem[at(page, W_REFCOUNT)] === 1;
      if (!last) k.mem[at(page, W_REFCOUNT)]!--;
      return last;
    },
  }, "p0 = alloc_page(GFP_KERNEL)\n__free_page(p0)"),
  mutant("bad-reference", "every-page-referenced", "prep_new_page gives every page of a block a reference", {
    prep_new_page(k, page, order, gfp) {
      prep_new_page(k, page, order, gfp);
      each(page, 1 << order, (p) => k.mem[at(p, W_REFCOUNT)] = 1);
    },
  }, BLOCK),
  mutant("bad-reference", "no-first-reference", "prep_new_page leaves set_page_refcounted to its caller", {
    prep_new_page(k, page, order, gfp) {
      prep_new_page(k, page, order, gfp);
      k.mem[at(page, W_REFCOUNT)] = 0;
    },
  }, BLOCK),
  mutant(
    "bad-reference",
    "frozen-with-a-reference",
    "pagetable_alloc of frozen calls alloc_pages and not alloc_frozen_pages",
    { pagetable_alloc },
    "d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)\npagetable_free(d0)",
    { kernel: "frozen" },
  ),
  mutant("bad-reference", "split-one-short", "split_page's loop ends before the last page", {
    split_page(k, page, order) {
      split_page(k, page, order);
      k.mem[at(page + (1 << order) - 1, W_REFCOUNT)] = 0;
    },
  }, SPLIT),
  mutant("bad-reference", "split-first-again", "split_page's loop begins at page 0, which has its reference", {
    split_page(k, page, order) {
      split_page(k, page, order);
      k.mem[at(page, W_REFCOUNT)]!++;
    },
  }, SPLIT),
  mutant("bad-reference", "exact-without-split", "make_alloc_exact forgets split_page", {
    alloc_pages_exact(k, size, gfp) {
      const addr = alloc_pages_exact(k, size, gfp);
      const nr = ((size - 1) >> PAGE_SHIFT) + 1;
      if (addr >= 0) each(k.virt_to_page(k, addr) + 1, nr - 1, (p) => k.mem[at(p, W_REFCOUNT)] = 0);
      return addr;
    },
  }, EXACT),
  mutant("double-free", "exact-surplus-early", "make_alloc_exact gives back one page of what was asked for", {
    alloc_pages_exact(k, size, gfp) {
      const addr = alloc_pages_exact(k, size, gfp);
      const nr = ((size - 1) >> PAGE_SHIFT) + 1;
      if (addr >= 0 && nr > 1) {
        const last = k.virt_to_page(k, addr) + nr - 1;
        k.__free_pages_ok(k, last, 0, true);
      }
      return addr;
    },
  }, EXACT),
  mutant("page-leak", "exact-keeps-surplus", "make_alloc_exact forgets to give the surplus back", {
    alloc_pages_exact(k, size, gfp) {
      const pages = 1 << (32 - Math.clz32((size - 1) >> PAGE_SHIFT));
      const addr = k.__get_free_pages(k, gfp, 31 - Math.clz32(pages));
      if (addr >= 0) each(k.virt_to_page(k, addr), ((size - 1) >> PAGE_SHIFT) + 1, (p) => k.mem[at(p, W_REFCOUNT)] = 1);
      return addr;
    },
  }, EXACT),
];
