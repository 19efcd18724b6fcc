/**
 * powerpc's tables that share a page: of PTEs and, on book3s64, of PMDs.
 *
 * A page is cut into fragments from its first to its last, and none is given out
 * twice. What is not given out yet the mm keeps (`mm->context.pte_frag`, a pointer
 * at the next one), and has its share in the page's count:
 *
 *     pt_frag_refcount   15 = 2 in use + 13 that the mm keeps     1 was freed
 *                        [ x | A | B | 13 still to give ]
 *                                      ^ mm->context.pte_frag
 *
 * Who puts the last share, a table or the mm at its end (arch_exit_mmap), frees the
 * page. `pte_free_defer` (6.6) cannot queue the page's only rcu_head while others use
 * the page: it marks the page active, and the last share waits for a grace period.
 *
 * Read in arch/powerpc/mm/pgtable-frag.c (pte_fragment_alloc, pte_fragment_free,
 * pte_frag_destroy, pte_free_defer, pte_free_now), arch/powerpc/mm/book3s64/pgtable.c
 * (pmd_fragment_alloc, pmd_fragment_free, pgtable_free_tlb, __tlb_remove_table) and
 * arch/powerpc/mm/book3s64/mmu_context.c (destroy_pagetable_cache, pmd_frag_destroy,
 * arch_exit_mmap) of 6.1 and 6.12.
 *
 * @module
 */
import * as $fragments from "../memory/fragments.ts";
import * as $gfp from "../memory/gfp.ts";
import * as $words from "../memory/words.ts";
import * as $checks from "./checks.ts";
import * as $ctor from "./ctor.ts";
import type { Kernel } from "./kernel.ts";
import * as $kernelPgtable from "./kernel_pgtable.ts";

const {
  IS_PAGE,
  MAX_PGTABLE_INDEX_SIZE,
  NO_FRAGMENT,
  PGTABLE_CACHE,
  PMD_FRAG_NR,
  PMD_INDEX,
  PTE_FRAG_NR,
  PTE_INDEX,
  PUD_INDEX,
} = $fragments;
const { __GFP_ACCOUNT, GFP_FLAGS } = $gfp;
const { NULL, PAGE_SIZE, PAGE_WORDS_SHIFT, W_FLAGS, W_INDEX } = $words;
const { bug, C_FRAG_COUNT, C_PGTABLE_INDEX, oops } = $checks;
const { dtorInside, LEVEL_PMD, LEVEL_PTE } = $ctor;
const { call_rcu } = $kernelPgtable;

/** PGALLOC_GFP. */
const PGALLOC_GFP = GFP_FLAGS["GFP_PGTABLE_KERNEL"] as number;
/** mms whose caches are known. */
export const FRAGMENT_MMS = 16;

/** Word of a page's `pt_frag_refcount`; of its descriptor's, where that is allocated apart. */
function pt_frag_refcount(k: Kernel, pt: number): number {
  if (pt >>> 0 >= k.ptdescEnd) oops(k, pt);
  return (pt << PAGE_WORDS_SHIFT) + W_INDEX;
}

/** The next fragment that an mm keeps (`get_pte_from_cache`, `get_pmd_from_cache`): NULL where it keeps none. */
function fromCache(cache: Int32Array, mm: number, size: number): number {
  const ret = cache[mm & (FRAGMENT_MMS - 1)]!;
  if (ret === NO_FRAGMENT) return NULL;
  const next = ret + size;
  cache[mm & (FRAGMENT_MMS - 1)] = (next & (PAGE_SIZE - 1)) === 0 ? NO_FRAGMENT : next;
  return ret;
}

/** The first fragment of a new page, whose others the mm keeps where it keeps none. */
function firstOf(k: Kernel, cache: Int32Array, mm: number, pt: number, nr: number): number {
  const count = pt_frag_refcount(k, pt);
  k.mem[count] = 1;
  const ret = k.page_address(k, k.ptdesc_page(k, pt));
  if (cache[mm & (FRAGMENT_MMS - 1)] === NO_FRAGMENT) {
    k.mem[count] = nr;
    cache[mm & (FRAGMENT_MMS - 1)] = ret + PAGE_SIZE / nr;
  }
  return ret;
}

/**
 * A table of PTEs (`arch/powerpc/mm/pgtable-frag.c:pte_fragment_alloc`).
 *
 * @param kernel 1 for one of the kernel's own: neither constructed nor charged
 */
export function pte_fragment_alloc(k: Kernel, mm: number, kernel: number): number {
  const cached = fromCache(k.pteFrag, mm, PAGE_SIZE / PTE_FRAG_NR);
  if (cached !== NULL) return cached;
  const pt = k.pagetable_alloc(k, kernel !== 0 ? PGALLOC_GFP : PGALLOC_GFP | __GFP_ACCOUNT, 0);
  if (pt === NULL) return NULL;
  if (kernel === 0 && k.pagetable_pte_ctor(k, pt) === 0) {
    k.pagetable_free(k, pt);
    return NULL;
  }
  return firstOf(k, k.pteFrag, mm, pt, PTE_FRAG_NR);
}

/** A table of PMDs (`arch/powerpc/mm/book3s64/pgtable.c:pmd_fragment_alloc`); init_mm's are not charged. */
export function pmd_fragment_alloc(k: Kernel, mm: number): number {
  const cached = fromCache(k.pmdFrag, mm, PAGE_SIZE / PMD_FRAG_NR);
  if (cached !== NULL) return cached;
  const pt = k.pagetable_alloc(k, mm === 0 ? PGALLOC_GFP : PGALLOC_GFP | __GFP_ACCOUNT, 0);
  if (pt === NULL) return NULL;
  if (k.pagetable_pmd_ctor(k, pt) === 0) {
    k.pagetable_free(k, pt);
    return NULL;
  }
  return firstOf(k, k.pmdFrag, mm, pt, PMD_FRAG_NR);
}

/** PG_active, as a bit of the page's flags. */
function PG_active(k: Kernel): number {
  return 1 << k.layout.flagNames.indexOf("active");
}

/** Whether the page was marked by pte_free_defer; it is not any more (`folio_test_clear_active`). */
function clearActive(k: Kernel, pt: number): boolean {
  const w = (k.ptdesc_page(k, pt) << PAGE_WORDS_SHIFT) + W_FLAGS;
  const active = PG_active(k);
  const was = (k.mem[w]! & active) !== 0;
  k.mem[w] = k.mem[w]! & ~active;
  return was;
}

/** `pte_free_now`. */
function pte_free_now(k: Kernel, pt: number): void {
  dtorInside(k, pt, LEVEL_PTE, k.pagetable_pte_dtor);
  k.pagetable_free(k, pt);
}

/** One share is put; whether it was the last. */
function put(k: Kernel, pt: number, shares: number): boolean {
  const count = pt_frag_refcount(k, pt);
  k.mem[count] = k.mem[count]! - shares;
  return k.mem[count] === 0;
}

/** A reserved table is freed as one page; any other must have a share to put. */
function isReserved(k: Kernel, pt: number): boolean {
  if (k.pagetable_is_reserved(k, pt) !== 0) {
    k.free_reserved_ptdesc(k, pt);
    return true;
  }
  if (k.mem[pt_frag_refcount(k, pt)]! <= 0) bug(k, C_FRAG_COUNT, k.ptdesc_page(k, pt));
  return false;
}

/** Frees a table of PTEs (`arch/powerpc/mm/pgtable-frag.c:pte_fragment_free`, 6.12); its page with the last share. */
export function pte_fragment_free_6_6(k: Kernel, table: number, kernel: number): void {
  const pt = k.virt_to_ptdesc(k, table);
  if (isReserved(k, pt) || !put(k, pt, 1)) return;
  if (kernel !== 0) k.pagetable_free(k, pt);
  else if (clearActive(k, pt)) call_rcu(k, pt, -2 - 2 * k.ptdesc_page(k, pt));
  else pte_free_now(k, pt);
}

/** {@linkcode pte_fragment_free_6_6} of the patch: nothing is deferred. */
export function pte_fragment_free_v2(k: Kernel, table: number, kernel: number): void {
  const pt = k.virt_to_ptdesc(k, table);
  if (isReserved(k, pt) || !put(k, pt, 1)) return;
  if (kernel !== 0) k.pagetable_free(k, pt);
  else pte_free_now(k, pt);
}

/** {@linkcode pte_fragment_free_6_6} of 6.1: nothing is deferred, and a page is a page. */
export function pte_fragment_free(k: Kernel, table: number, kernel: number): void {
  const page = k.virt_to_page(k, table);
  if (isReservedPage(k, page) || !put(k, page, 1)) return;
  if (kernel === 0) dtorInside(k, page, LEVEL_PTE, k.pagetable_pte_dtor);
  k.__free_pages(k, page, 0);
}

/** {@linkcode pmd_fragment_free_v2} of 6.1. */
export function pmd_fragment_free(k: Kernel, pmd: number): void {
  const page = k.virt_to_page(k, pmd);
  if (!isReservedPage(k, page) && put(k, page, 1)) freePmdPage(k, page);
}

function freePmdPage(k: Kernel, page: number): void {
  dtorInside(k, page, LEVEL_PMD, k.pagetable_pmd_dtor);
  k.__free_pages(k, page, 0);
}

/** {@linkcode isReserved} with PageReserved(), which takes a tail page as it is. */
function isReservedPage(k: Kernel, page: number): boolean {
  if (page >>> 0 >= k.nrPages) oops(k, page);
  if ((k.mem[(page << PAGE_WORDS_SHIFT) + W_FLAGS]! & k.pgReserved) !== 0) {
    k.free_reserved_page(k, page);
    return true;
  }
  if (k.mem[pt_frag_refcount(k, page)]! <= 0) bug(k, C_FRAG_COUNT, page);
  return false;
}

/** Frees a table of PMDs (`arch/powerpc/mm/book3s64/pgtable.c:pmd_fragment_free`). */
export function pmd_fragment_free_v2(k: Kernel, pmd: number): void {
  const pt = k.virt_to_ptdesc(k, pmd);
  if (isReserved(k, pt) || !put(k, pt, 1)) return;
  dtorInside(k, pt, LEVEL_PMD, k.pagetable_pmd_dtor);
  k.pagetable_free(k, pt);
}

/** Puts the shares of what an mm still keeps of a page (`pte_frag_destroy`, 6.12): a page that was to be freed after a grace period is freed now. */
export function pte_frag_destroy_6_6(k: Kernel, frag: number): void {
  const pt = k.virt_to_ptdesc(k, frag);
  if (!put(k, pt, PTE_FRAG_NR - (frag & (PAGE_SIZE - 1)) / (PAGE_SIZE / PTE_FRAG_NR))) return;
  clearActive(k, pt);
  pte_free_now(k, pt);
}

/** {@linkcode pte_frag_destroy_6_6} of the patch. */
export function pte_frag_destroy_v2(k: Kernel, frag: number): void {
  const pt = k.virt_to_ptdesc(k, frag);
  if (put(k, pt, PTE_FRAG_NR - (frag & (PAGE_SIZE - 1)) / (PAGE_SIZE / PTE_FRAG_NR))) pte_free_now(k, pt);
}

/** {@linkcode pte_frag_destroy_6_6} of 6.1. */
export function pte_frag_destroy(k: Kernel, frag: number): void {
  const page = k.virt_to_page(k, frag);
  if (!put(k, page, PTE_FRAG_NR - (frag & (PAGE_SIZE - 1)) / (PAGE_SIZE / PTE_FRAG_NR))) return;
  dtorInside(k, page, LEVEL_PTE, k.pagetable_pte_dtor);
  k.__free_pages(k, page, 0);
}

/** {@linkcode pmd_frag_destroy_v2} of 6.1. */
export function pmd_frag_destroy(k: Kernel, frag: number): void {
  const page = k.virt_to_page(k, frag);
  if (put(k, page, PMD_FRAG_NR - (frag & (PAGE_SIZE - 1)) / (PAGE_SIZE / PMD_FRAG_NR))) freePmdPage(k, page);
}

/** {@linkcode pte_frag_destroy_v2} for tables of PMDs (`arch/powerpc/mm/book3s64/mmu_context.c:pmd_frag_destroy`). */
export function pmd_frag_destroy_v2(k: Kernel, frag: number): void {
  const pt = k.virt_to_ptdesc(k, frag);
  if (!put(k, pt, PMD_FRAG_NR - (frag & (PAGE_SIZE - 1)) / (PAGE_SIZE / PMD_FRAG_NR))) return;
  dtorInside(k, pt, LEVEL_PMD, k.pagetable_pmd_dtor);
  k.pagetable_free(k, pt);
}

/**
 * The mm ends, before its mappings go (`arch/powerpc/mm/book3s64/mmu_context.c:arch_exit_mmap`,
 * destroy_pagetable_cache): it keeps no fragments. Its name stands for the next mm from
 * here on, whose caches are empty (init_new_context).
 */
export function arch_exit_mmap(k: Kernel, mm: number): void {
  const at = mm & (FRAGMENT_MMS - 1);
  const pte = k.pteFrag[at]!;
  const pmd = k.pmdFrag[at]!;
  k.pteFrag[at] = NO_FRAGMENT;
  k.pmdFrag[at] = NO_FRAGMENT;
  if (pte !== NO_FRAGMENT) k.pte_frag_destroy(k, pte);
  if (pmd !== NO_FRAGMENT) k.pmd_frag_destroy(k, pmd);
}

/** `arch/powerpc/mm/pgtable-frag.c:pte_free_defer`: the page is marked, and this share is put. */
export function pte_free_defer_powerpc(k: Kernel, table: number): void {
  const page = k.ptdesc_folio(k, k.virt_to_ptdesc(k, table));
  if (page >>> 0 >= k.nrPages) oops(k, page);
  const w = (page << PAGE_WORDS_SHIFT) + W_FLAGS;
  k.mem[w] = k.mem[w]! | PG_active(k);
  k.pte_fragment_free(k, table, 0);
}

/** Queues a table, what it is in the low bits of its address (`arch/powerpc/mm/book3s64/pgtable.c:pgtable_free_tlb`). */
export function pgtable_free_tlb(k: Kernel, tlb: number, table: number, index: number): void {
  k.tlb_remove_table(k, tlb, table | index);
}

/** Frees what was queued, by its low bits (`arch/powerpc/mm/book3s64/pgtable.c:__tlb_remove_table`, pgtable_free). */
export function __tlb_remove_table_powerpc(k: Kernel, queued: number): void {
  const index = queued & MAX_PGTABLE_INDEX_SIZE;
  const table = queued & ~MAX_PGTABLE_INDEX_SIZE;
  if (index === PTE_INDEX) k.pte_fragment_free(k, table, 0);
  else if (index === PMD_INDEX) k.pmd_fragment_free(k, table);
  else if (index === PUD_INDEX) k.kmem_cache_free(k, PGTABLE_CACHE, table);
  else bug(k, C_PGTABLE_INDEX, -1);
}

/** {@linkcode pgtable_free_tlb} of sparc64: the low bit says that it is a page (`arch/sparc/include/asm/pgalloc_64.h`). */
export function pgtable_free_tlb_sparc64(k: Kernel, tlb: number, table: number, isPage: number): void {
  k.tlb_remove_table(k, tlb, isPage === IS_PAGE ? table | 1 : table);
}

/** Frees what sparc64 queued: a page of PTEs, or an object (`arch/sparc/mm/init_64.c:pgtable_free`). */
export function __tlb_remove_table_sparc64(k: Kernel, queued: number): void {
  if ((queued & 1) === 0) k.kmem_cache_free(k, PGTABLE_CACHE, queued);
  else pte_free_now(k, k.virt_to_ptdesc(k, queued & ~1));
}
