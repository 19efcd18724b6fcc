/**
 * x86's list of all pgds, and the mm that a pgd belongs to: stores through the
 * descriptor's view into words that a page and a compound block use too.
 *
 * Read in arch/x86/mm/pgtable.c (pgd_list_add, pgd_list_del, pgd_set_mm): 6.1
 * goes through `page->lru` and `page->pt_mm`, 6.6 and later through
 * `virt_to_ptdesc(pgd)`. Patch 05 of v2 does not convert x86, so v2 is as 6.1.
 *
 * @module
 */
import * as $words from "../memory/words.ts";
import * as $checks from "./checks.ts";
import type { Kernel } from "./kernel.ts";
import * as $list from "./list.ts";

const { PAGE_WORDS_SHIFT, W_INDEX } = $words;
const { oops } = $checks;
const { list_add, list_del } = $list;

/** Address of mm 0; the others follow. */
export const MM_ADDRESS = 0x1000_0000;
/** Bytes from one mm to the next. */
export const MM_SIZE = 0x400;

function add(k: Kernel, page: number): void {
  if (page >>> 0 >= k.ptdescEnd) oops(k, page);
  list_add(k, page, k.map.pgdList);
}

function del(k: Kernel, page: number): void {
  if (page >>> 0 >= k.ptdescEnd) oops(k, page);
  list_del(k, page);
}

function setMm(k: Kernel, page: number, mm: number): void {
  if (page >>> 0 >= k.ptdescEnd) oops(k, page);
  const w = (page << PAGE_WORDS_SHIFT) + W_INDEX;
  k.mem[w] = MM_ADDRESS + mm * MM_SIZE;
  k.mem[w + 1] = 0;
}

/** Puts a pgd on pgd_list through `page->lru` (6.1). */
export function pgd_list_add(k: Kernel, pgd: number): void {
  add(k, k.virt_to_page(k, pgd));
}

/** Takes a pgd off pgd_list (6.1). */
export function pgd_list_del(k: Kernel, pgd: number): void {
  del(k, k.virt_to_page(k, pgd));
}

/** Stores the mm in `page->pt_mm` (6.1). */
export function pgd_set_mm(k: Kernel, pgd: number, mm: number): void {
  setMm(k, k.virt_to_page(k, pgd), mm);
}

/** Puts a pgd on pgd_list through `ptdesc->pt_list` (6.6). */
export function pgd_list_add_6_6(k: Kernel, pgd: number): void {
  add(k, k.virt_to_ptdesc(k, pgd));
}

/** Takes a pgd off pgd_list (6.6). */
export function pgd_list_del_6_6(k: Kernel, pgd: number): void {
  del(k, k.virt_to_ptdesc(k, pgd));
}

/** Stores the mm in `ptdesc->pt_mm` (6.6). */
export function pgd_set_mm_6_6(k: Kernel, pgd: number, mm: number): void {
  setMm(k, k.virt_to_ptdesc(k, pgd), mm);
}
