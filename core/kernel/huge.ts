/**
 * What huge pages keep in page tables: tables of PTEs that wait in a table of PMDs
 * until a huge page is split, and tables of PMDs that several mms share.
 *
 * Read in mm/pgtable-generic.c (pgtable_trans_huge_deposit, pgtable_trans_huge_withdraw),
 * mm/hugetlb.c (huge_pmd_share, huge_pmd_unshare), include/linux/mm_types.h
 * (ptdesc_pmd_pts_inc and its kind) of 6.1.192 and 6.12.117; what sharing was before
 * 59d9094df3d7 (B15) in that commit.
 *
 * Deposits are a list through the `lru` of the deposited pages, whose head is
 * `pmd_huge_pte` of the table of PMDs, or of the mm where PMD locks are not split.
 *
 * @module
 */
import * as $memMap from "../memory/mem_map.ts";
import * as $words from "../memory/words.ts";
import * as $checks from "./checks.ts";
import type { Kernel } from "./kernel.ts";
import * as $list from "./list.ts";

const { LIST_PREV, PAGE_POINTER } = $memMap;
const { NULL, PAGE_WORDS_SHIFT, STRUCT_PAGE_SHIFT, W_INDEX, W_LRU_NEXT, W_LRU_PREV, W_REFCOUNT } = $words;
const { bug, C_OOPS_DEPOSIT, oops } = $checks;
const { list_add, list_del, nodeOf, pageOfNode } = $list;

/** mms that have deposits of their own; as many as a program names. */
export const DEPOSIT_MMS = 16;

/** What a table's list and counts are words of: its page, or its descriptor where that is allocated apart. */
function describing(k: Kernel, page: number): number {
  if (page >>> 0 >= k.nrPages) oops(k, page);
  return k.firstPtdesc === 0 ? page : k.page_ptdesc(k, page);
}

/** `pmd_huge_pte(mm, pmdp)`. */
function deposits(k: Kernel, mm: number, pmdp: number): number {
  if (!k.splitPmd) return k.mmHugePte[mm & (DEPOSIT_MMS - 1)]!;
  const page = describing(k, k.virt_to_page(k, pmdp));
  const pointer = k.mem[(page << PAGE_WORDS_SHIFT) + W_LRU_PREV]!;
  if (pointer === 0) return NULL;
  const pgtable = (pointer - PAGE_POINTER) >> STRUCT_PAGE_SHIFT;
  if (pgtable >>> 0 >= k.ptdescEnd || (pointer & 63) !== 0) bug(k, C_OOPS_DEPOSIT, page);
  return pgtable;
}

function setDeposits(k: Kernel, mm: number, pmdp: number, pgtable: number): void {
  if (!k.splitPmd) {
    k.mmHugePte[mm & (DEPOSIT_MMS - 1)] = pgtable;
    return;
  }
  const w = (describing(k, k.virt_to_page(k, pmdp)) << PAGE_WORDS_SHIFT) + W_LRU_PREV;
  k.mem[w] = pgtable === NULL ? 0 : PAGE_POINTER + (pgtable << STRUCT_PAGE_SHIFT);
  k.mem[w + 1] = 0;
}

/** Leaves a table of PTEs with a table of PMDs, first in first out (`mm/pgtable-generic.c:pgtable_trans_huge_deposit`). */
export function pgtable_trans_huge_deposit(k: Kernel, mm: number, pmdp: number, page: number): void {
  const pgtable = describing(k, page);
  const first = deposits(k, mm, pmdp);
  const mem = k.mem;
  const w = (pgtable << PAGE_WORDS_SHIFT) + W_LRU_NEXT;
  if (first === NULL) {
    mem[w] = nodeOf(pgtable);
    mem[w + 1] = 0;
    mem[w + LIST_PREV] = nodeOf(pgtable);
    mem[w + LIST_PREV + 1] = 0;
  } else list_add(k, pgtable, (first << PAGE_WORDS_SHIFT) + W_LRU_NEXT);
  setDeposits(k, mm, pmdp, pgtable);
}

/** Takes one back (`mm/pgtable-generic.c:pgtable_trans_huge_withdraw`). Where there is none, a real machine follows NULL. */
export function pgtable_trans_huge_withdraw(k: Kernel, mm: number, pmdp: number): number {
  const pgtable = deposits(k, mm, pmdp);
  if (pgtable === NULL) bug(k, C_OOPS_DEPOSIT, -1);
  const next = k.mem[(pgtable << PAGE_WORDS_SHIFT) + W_LRU_NEXT]!;
  if (next === nodeOf(pgtable)) setDeposits(k, mm, pmdp, NULL);
  else {
    setDeposits(k, mm, pmdp, pageOfNode(k, next));
    list_del(k, pgtable);
  }
  return k.firstPtdesc === 0 ? pgtable : k.ptdesc_page(k, pgtable);
}

/** Word of a table's share count. */
function shareCount(k: Kernel, addr: number): number {
  return (describing(k, k.virt_to_page(k, addr)) << PAGE_WORDS_SHIFT) + W_INDEX;
}

/**
 * Another mm maps a table of PMDs of hugetlbfs (`mm/hugetlb.c:huge_pmd_share`, less the
 * search for it): one sharer more in `pt_share_count`.
 */
export function huge_pmd_share(k: Kernel, spte: number): void {
  if (!k.pmdShare) return;
  const w = shareCount(k, spte);
  k.mem[w] = k.mem[w]! + 1;
}

/**
 * An mm unmaps such a table (`mm/hugetlb.c:huge_pmd_unshare`). Where others share it,
 * the PUD entry is cleared and they keep it: NULL. Where nobody does, the entry stays,
 * and whoever tears the mm's tables down finds the table behind it: its address.
 */
export function huge_pmd_unshare(k: Kernel, ptep: number): number {
  if (!k.pmdShare) return ptep;
  const w = shareCount(k, ptep);
  if (k.mem[w]! === 0) return ptep;
  k.mem[w] = k.mem[w]! - 1;
  return NULL;
}

/** {@linkcode huge_pmd_share} before 59d9094df3d7 (B15): a sharer is a reference on the page. */
export function huge_pmd_share_without_B15(k: Kernel, spte: number): void {
  if (k.pmdShare) k.get_page(k, k.virt_to_page(k, spte));
}

/**
 * {@linkcode huge_pmd_unshare} before 59d9094df3d7 (B15): more than one reference is taken
 * for sharers, whoever holds them.
 */
export function huge_pmd_unshare_without_B15(k: Kernel, ptep: number): number {
  if (!k.pmdShare) return ptep;
  const page = k.virt_to_page(k, ptep);
  const folio = k.compound_head(k, page);
  if (k.mem[(folio << PAGE_WORDS_SHIFT) + W_REFCOUNT]! === 1) return ptep;
  k.put_page(k, page);
  return NULL;
}
