/**
 * Constructors and destructors of page tables: lock, page type, and NR_PAGETABLE.
 *
 * Read in include/linux/mm.h (6.1: pgtable_pte_page_ctor, pgtable_pmd_page_ctor and
 * their destructors; 6.12: pagetable_{pte,pmd,pud}_{ctor,dtor}) and
 * include/linux/page-flags.h (PAGE_TYPE_OPS, FOLIO_TYPE_OPS); 6.14's from its history
 * (db6b435d731a: pagetable_dtor; P4D and PGD constructors).
 *
 *     version   PTE, PMD          PUD         P4D, PGD    destructor
 *     6.1, v2   page, may fail    -           -           of each level
 *     6.6       descriptor        -           -           of each level
 *     6.12      descriptor        since 6.7   -           of each level
 *     6.14      descriptor        yes         yes         one for all
 *
 * The order inside is the kernel's: lock, type, statistics; the destructor takes the
 * same order, so that the lock goes first.
 *
 * @module
 */
import * as $events from "../memory/events.ts";
import * as $memMap from "../memory/mem_map.ts";
import * as $words from "../memory/words.ts";
import * as $checks from "./checks.ts";
import type { Kernel } from "./kernel.ts";

const { EV_DTOR } = $events;
const { Z_PAGETABLE } = $memMap;
const { PAGE_WORDS_SHIFT, W_COMPOUND_HEAD, W_INDEX, W_TYPE } = $words;
const { bug, C_CLEAR_TABLE, C_FLAGS_TAIL, C_SET_TABLE, event, oops } = $checks;

/** Levels as events name them. */
export const LEVEL_PTE = 1;
/** As {@linkcode LEVEL_PTE}. */
export const LEVEL_PMD = 2;

/**
 * Makes a page a page table's (`include/linux/page-flags.h:__SetPageTable`, 6.1): the
 * bit is cleared, whether it is clear already or not.
 */
export function __folio_set_pgtable(k: Kernel, page: number): void {
  if (page >>> 0 >= k.ptdescEnd) oops(k, page);
  const w = (page << PAGE_WORDS_SHIFT) + W_TYPE;
  const type = k.mem[w]!;
  if (k.debugVm && (type & k.tableMask & ~k.tableBit) !== k.tableValue) bug(k, C_SET_TABLE, page);
  k.mem[w] = type & ~k.tableBit;
}

/** {@linkcode __folio_set_pgtable} of 6.12: nothing where it is one; any other type is a BUG. */
export function __folio_set_pgtable_6_12(k: Kernel, page: number): void {
  if (page >>> 0 >= k.ptdescEnd) oops(k, page);
  const w = (page << PAGE_WORDS_SHIFT) + W_TYPE;
  const type = k.mem[w]!;
  if ((type & k.tableMask) === k.tableValue) return;
  if (k.debugVm && type !== -1) bug(k, C_SET_TABLE, page);
  k.mem[w] = k.tableValue;
}

/** The page is none any more (`include/linux/page-flags.h:__ClearPageTable`, 6.1). */
export function __folio_clear_pgtable(k: Kernel, page: number): void {
  if (page >>> 0 >= k.ptdescEnd) oops(k, page);
  const w = (page << PAGE_WORDS_SHIFT) + W_TYPE;
  const type = k.mem[w]!;
  if (k.debugVm && (type & k.tableMask) !== k.tableValue) bug(k, C_CLEAR_TABLE, page);
  k.mem[w] = type | k.tableBit;
}

/** {@linkcode __folio_clear_pgtable} of 6.6, where a type was still a bit: a page without the type is a BUG. */
export function __folio_clear_pgtable_6_6(k: Kernel, page: number): void {
  if (page >>> 0 >= k.ptdescEnd) oops(k, page);
  const w = (page << PAGE_WORDS_SHIFT) + W_TYPE;
  if (k.debugVm && (k.mem[w]! & k.tableMask) !== k.tableValue) bug(k, C_CLEAR_TABLE, page);
  k.mem[w] = -1;
}

/** {@linkcode __folio_clear_pgtable} of 6.12: nothing where there is no type; another type is a BUG. */
export function __folio_clear_pgtable_6_12(k: Kernel, page: number): void {
  if (page >>> 0 >= k.ptdescEnd) oops(k, page);
  const w = (page << PAGE_WORDS_SHIFT) + W_TYPE;
  const type = k.mem[w]!;
  if (type === -1) return;
  if (k.debugVm && (type & k.tableMask) !== k.tableValue) bug(k, C_CLEAR_TABLE, page);
  k.mem[w] = -1;
}

/** NR_PAGETABLE up or down by one page, whatever the order (`include/linux/vmstat.h:inc_lruvec_page_state`, 6.1). */
export function lruvec_stat_mod_pagetable(k: Kernel, _page: number, sign: number): void {
  const w = k.lowZone + Z_PAGETABLE;
  k.mem[w] = (k.mem[w]! + sign) | 0;
}

/**
 * NR_PAGETABLE up or down by the folio's pages (`include/linux/vmstat.h:lruvec_stat_add_folio`,
 * 6.6): a block that is not compound counts as one page. Of a tail page it is a BUG.
 */
export function lruvec_stat_mod_pagetable_6_6(k: Kernel, page: number, sign: number): void {
  const mem = k.mem;
  if (k.debugVm && (mem[(page << PAGE_WORDS_SHIFT) + W_COMPOUND_HEAD]! & 1) !== 0) bug(k, C_FLAGS_TAIL, page);
  const stat = k.lowZone + Z_PAGETABLE;
  mem[stat] = (mem[stat]! + sign * k.folio_nr_pages(k, page)) | 0;
}

/** A table of PTEs (`pagetable_pte_ctor`, 6.1: `pgtable_pte_page_ctor`): 0 where its lock could not be had. */
export function pagetable_pte_ctor(k: Kernel, pt: number): number {
  if (!k.ptlock_init(k, pt)) return 0;
  k.__folio_set_pgtable(k, pt);
  k.lruvec_stat_mod_pagetable(k, pt, 1);
  return 1;
}

/** The end of a table of PTEs (`pagetable_pte_dtor`, 6.1: `pgtable_pte_page_dtor`). */
export function pagetable_pte_dtor(k: Kernel, pt: number): void {
  k.ptlock_free(k, pt);
  k.__folio_clear_pgtable(k, pt);
  k.lruvec_stat_mod_pagetable(k, pt, -1);
}

/** A table of PMDs (`pagetable_pmd_ctor`, 6.1: `pgtable_pmd_page_ctor`): also deposits and sharers begin at none. */
export function pagetable_pmd_ctor(k: Kernel, pt: number): number {
  if (!k.pmd_ptlock_init(k, pt)) return 0;
  k.__folio_set_pgtable(k, pt);
  if (k.pmdShare) k.mem[(pt << PAGE_WORDS_SHIFT) + W_INDEX] = 0;
  k.lruvec_stat_mod_pagetable(k, pt, 1);
  return 1;
}

/** The end of a table of PMDs (`pagetable_pmd_dtor`, 6.1: `pgtable_pmd_page_dtor`). */
export function pagetable_pmd_dtor(k: Kernel, pt: number): void {
  k.pmd_ptlock_free(k, pt);
  k.__folio_clear_pgtable(k, pt);
  k.lruvec_stat_mod_pagetable(k, pt, -1);
}

/** A table of PUDs (6.7), P4Ds or PGDs (6.14): type and statistics, no lock (`pagetable_pud_ctor`, `__pagetable_ctor`). */
export function pagetable_pud_ctor(k: Kernel, pt: number): void {
  k.__folio_set_pgtable(k, pt);
  k.lruvec_stat_mod_pagetable(k, pt, 1);
}

/** The end of a table of PUDs (`pagetable_pud_dtor`, 6.7 to 6.13). */
export function pagetable_pud_dtor(k: Kernel, pt: number): void {
  k.__folio_clear_pgtable(k, pt);
  k.lruvec_stat_mod_pagetable(k, pt, -1);
}

/** The end of a table of any level (`include/linux/mm.h:pagetable_dtor`, 6.14). */
export function pagetable_dtor(k: Kernel, pt: number): void {
  k.ptlock_free(k, pt);
  k.__folio_clear_pgtable(k, pt);
  k.lruvec_stat_mod_pagetable(k, pt, -1);
}

/** {@linkcode pagetable_dtor}, then pagetable_free (`include/linux/mm.h:pagetable_dtor_free`, 6.14). */
export function pagetable_dtor_free(k: Kernel, pt: number): void {
  k.pagetable_dtor(k, pt);
  k.pagetable_free(k, pt);
}

/** A destructor that a function of the kernel's own runs: the ledger is told (`EV_DTOR`). */
export function dtorInside(k: Kernel, pt: number, level: number, dtor: (k: Kernel, pt: number) => void): void {
  event(k, EV_DTOR, pt, level, 0);
  dtor(k, pt);
}
