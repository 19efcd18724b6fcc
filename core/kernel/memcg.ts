/**
 * Charges of kernel memory: pages that the caller's memcg pays for.
 *
 * Read in mm/memcontrol.c (__memcg_kmem_charge_page, __memcg_kmem_uncharge_page,
 * uncharge_folio, split_page_memcg) and include/linux/memcontrol.h (PageMemcgKmem) of 6.1 and 6.12.
 * With MEMCG the program runs in one memcg, below its limit unless `env fail
 * __memcg_kmem_charge_page` says otherwise; without, `__GFP_ACCOUNT` changes nothing.
 *
 *     order 2, __GFP_ACCOUNT:   page         0      1  2  3
 *                               memcg_data   objcg  -  -  -      4 pages are charged
 *     split_page:               memcg_data   objcg  objcg  objcg  objcg
 *
 * @module
 */
import * as $gfp from "../memory/gfp.ts";
import * as $memMap from "../memory/mem_map.ts";
import * as $words from "../memory/words.ts";
import * as $checks from "./checks.ts";
import type { Kernel } from "./kernel.ts";

const { __GFP_NOFAIL } = $gfp;
const { OBJCG_KMEM, Z_CHARGED } = $memMap;
const { PAGE_WORDS_SHIFT, W_MEMCG } = $words;
const { oops } = $checks;

/** MEMCG_DATA_KMEM. */
const KMEM = 2;

/** Whether a page itself says that it is charged. */
export function isCharged(k: Kernel, page: number): boolean {
  return (k.mem[(page << PAGE_WORDS_SHIFT) + W_MEMCG]! & KMEM) !== 0;
}

/** Takes pages off the memcg's bill (`mm/memcontrol.c:obj_cgroup_uncharge_pages`). */
export function uncharge(k: Kernel, pages: number): void {
  const counter = k.lowZone + Z_CHARGED;
  k.mem[counter] = k.mem[counter]! - pages;
}

/** Bit of `failNext`: FAILABLE of the call table. */
export const FAIL_CHARGE: number = 1 << 5;

/**
 * Charges a block; its first page remembers whom (`mm/memcontrol.c:__memcg_kmem_charge_page`).
 * False where the limit forbids it; an allocation that must not fail goes beyond the limit.
 */
export function __memcg_kmem_charge_page(k: Kernel, page: number, order: number, gfp: number): boolean {
  if ((k.failNext & FAIL_CHARGE) !== 0) {
    k.failNext &= ~FAIL_CHARGE;
    if ((gfp & __GFP_NOFAIL) === 0) return false;
  }
  const mem = k.mem;
  const counter = k.lowZone + Z_CHARGED;
  mem[counter] = mem[counter]! + (1 << order);
  const w = (page << PAGE_WORDS_SHIFT) + W_MEMCG;
  mem[w] = OBJCG_KMEM;
  mem[w + 1] = 0;
  return true;
}

/**
 * Uncharges what is freed (`mm/memcontrol.c:__memcg_kmem_uncharge_page`): as many pages
 * as the free's order says, where the page's folio is charged at all (`PageMemcgKmem`).
 */
export function __memcg_kmem_uncharge_page(k: Kernel, page: number, order: number): void {
  const mem = k.mem;
  const w = (k.compound_head(k, page) << PAGE_WORDS_SHIFT) + W_MEMCG;
  if ((mem[w]! & KMEM) === 0) return;
  uncharge(k, 1 << order);
  mem[w] = 0;
  mem[w + 1] = 0;
}

/**
 * Uncharges a folio whose last reference was put (`mm/memcontrol.c:uncharge_folio`):
 * as many pages as it says that it has, which no free's order has a part in.
 */
export function mem_cgroup_uncharge(k: Kernel, folio: number): void {
  const mem = k.mem;
  const w = (folio << PAGE_WORDS_SHIFT) + W_MEMCG;
  if ((mem[w]! & KMEM) === 0) return;
  uncharge(k, k.folio_nr_pages(k, folio));
  mem[w] = 0;
  mem[w + 1] = 0;
}

/** Every page of a block remembers whom the first was charged to (`mm/memcontrol.c:split_page_memcg`). */
export function split_page_memcg(k: Kernel, head: number, order: number): void {
  const mem = k.mem;
  const folio = k.compound_head(k, head);
  const from = (folio << PAGE_WORDS_SHIFT) + W_MEMCG;
  const data = mem[from]!;
  if (data === 0) return;
  if (folio + (1 << order) > k.nrPages) oops(k, folio + (1 << order) - 1);
  for (let i = 1; i < 1 << order; i++) {
    const w = ((folio + i) << PAGE_WORDS_SHIFT) + W_MEMCG;
    mem[w] = data;
    mem[w + 1] = mem[from + 1]!;
  }
}
