/**
 * 32-bit sparc's tables: pieces of a pool of pages that are not cached, which boot
 * memory was set aside for. A table of PTEs or PMDs has 256 bytes, a PGD 1 KB.
 *
 * The pool never gives a page back. Tables of PTEs of user mms count in their page's
 * `_refcount`: the first (1 to 2) constructs the page, the last (2 to 1) destructs it.
 *
 * Read in arch/sparc/mm/srmmu.c (__srmmu_get_nocache, srmmu_free_nocache,
 * srmmu_nocache_init, pte_alloc_one, pte_free) of 6.1 and 6.12, which differ in the
 * constructor's name. Which free piece of the pool a table gets is nothing that it may
 * depend on: here it is the first (the kernel goes on from the last one, lib/bitext.c).
 * The pool is set up with the first table here, and has few pages.
 *
 * @module
 */
import * as $events from "../memory/events.ts";
import * as $fragments from "../memory/fragments.ts";
import * as $words from "../memory/words.ts";
import * as $checks from "./checks.ts";
import * as $ctor from "./ctor.ts";
import type { Kernel } from "./kernel.ts";

const { EV_POOL } = $events;
const { NOCACHE_PAGES, NOCACHE_UNIT, SRMMU_PTE_TABLE_SIZE } = $fragments;
const { NULL, PAGE_SIZE, PAGE_WORDS_SHIFT, W_REFCOUNT } = $words;
const { bug, C_NOCACHE_ALIGN, C_NOCACHE_BITS, C_NOCACHE_RANGE, C_NOCACHE_SIZE, event } = $checks;
const { dtorInside, LEVEL_PTE } = $ctor;

/** Units of a page. */
const UNITS = PAGE_SIZE / NOCACHE_UNIT;

/** Sets the pool up (`srmmu_nocache_init`); false where there is no memory. */
function havePool(k: Kernel): boolean {
  if (k.nocachePool !== NULL) return true;
  const addr = k.memblock_alloc(k, NOCACHE_PAGES);
  if (addr === NULL) return false;
  k.nocachePool = k.virt_to_page(k, addr);
  event(k, EV_POOL, k.nocachePool, NOCACHE_PAGES, 0);
  return true;
}

/** So many bytes of the pool, zeroed (`srmmu_get_nocache`); NULL where it has none. */
export function srmmu_get_nocache(k: Kernel, size: number, align: number): number {
  const units = Math.max(1, Math.ceil(size / NOCACHE_UNIT));
  const step = Math.max(1, Math.ceil(align / NOCACHE_UNIT));
  if (!havePool(k)) return NULL;
  const map = k.nocacheMap;
  for (let at = 0; at + units <= map.length; at += step) {
    let n = 0;
    while (n < units && map[at + n] === 0) n++;
    if (n < units) continue;
    map.fill(1, at, at + units);
    return k.page_to_virt(k, k.nocachePool) + at * NOCACHE_UNIT;
  }
  return NULL;
}

/** Gives a piece back (`srmmu_free_nocache`): each of these checks is a BUG, whatever the configuration. */
export function srmmu_free_nocache(k: Kernel, addr: number, size: number): void {
  const pool = k.nocachePool === NULL ? -1 : k.page_to_virt(k, k.nocachePool);
  if (pool < 0 || addr < pool || addr + size > pool + NOCACHE_PAGES * PAGE_SIZE) bug(k, C_NOCACHE_RANGE, -1);
  if ((size & (size - 1)) !== 0) bug(k, C_NOCACHE_SIZE, -1);
  if (((addr - pool) & (size - 1)) !== 0) bug(k, C_NOCACHE_ALIGN, -1);
  const at = Math.floor((addr - pool) / NOCACHE_UNIT);
  // bit_map_clear: a bit that is clear already is a BUG.
  for (let i = at; i < at + Math.floor(size / NOCACHE_UNIT); i++) {
    if (k.nocacheMap[i] === 0) bug(k, C_NOCACHE_BITS, -1);
    k.nocacheMap[i] = 0;
  }
}

/** A user's table of PTEs (`arch/sparc/mm/srmmu.c:pte_alloc_one`). Where the constructor fails the piece is lost: it cannot, without split locks. */
export function pte_alloc_one_srmmu(k: Kernel): number {
  const ptep = k.srmmu_get_nocache(k, SRMMU_PTE_TABLE_SIZE, SRMMU_PTE_TABLE_SIZE);
  if (ptep === NULL) return NULL;
  const page = k.virt_to_page(k, ptep);
  const w = (page << PAGE_WORDS_SHIFT) + W_REFCOUNT;
  k.mem[w] = k.mem[w]! + 1;
  if (k.mem[w] !== 2 || k.pagetable_pte_ctor(k, k.page_ptdesc(k, page)) !== 0) return ptep;
  k.mem[w] = k.mem[w]! - 1;
  return NULL;
}

/** Its end (`arch/sparc/mm/srmmu.c:pte_free`). */
export function pte_free_srmmu(k: Kernel, ptep: number): void {
  const page = k.virt_to_page(k, ptep);
  const w = (page << PAGE_WORDS_SHIFT) + W_REFCOUNT;
  k.mem[w] = k.mem[w]! - 1;
  if (k.mem[w] === 1) dtorInside(k, k.page_ptdesc(k, page), LEVEL_PTE, k.pagetable_pte_dtor);
  k.srmmu_free_nocache(k, ptep, SRMMU_PTE_TABLE_SIZE);
}

/** Bits of the pool's map, one for each unit. */
export const NOCACHE_UNITS: number = NOCACHE_PAGES * UNITS;
