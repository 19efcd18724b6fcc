/**
 * m68k's tables that share a page (the Motorola MMU): 8 of PGDs or PMDs, 16 of PTEs.
 *
 * A page's `index` has a bit for each of its tables that can be given (PD_MARKBITS),
 * and through its `lru` it is on the list of its type; pages with a table to give come
 * first. A page whose tables are all back is freed.
 *
 * Read in arch/m68k/mm/motorola.c (get_pointer_table, free_pointer_table) of 6.1 and
 * 6.12, which differ in the constructor's name. The pages come from get_zeroed_page and
 * go by free_page; those of tables of PTEs are constructed, through virt_to_ptdesc since
 * 6.6, and nobody looks whether that worked: there are no split locks without SMP.
 * mmu_page_ctor and mmu_page_dtor change how the page is cached, and nothing of it.
 * `init_pointer_table` (tables of head.S, at boot) is not modelled: they are never freed.
 *
 * @module
 */
import * as $bits from "../memory/bits.ts";
import * as $fragments from "../memory/fragments.ts";
import * as $gfp from "../memory/gfp.ts";
import * as $memMap from "../memory/mem_map.ts";
import * as $words from "../memory/words.ts";
import * as $checks from "./checks.ts";
import * as $ctor from "./ctor.ts";
import type { Kernel } from "./kernel.ts";
import * as $list from "./list.ts";

const { __ffs } = $bits;
const { POINTER_TABLE_BYTES, pointerList, TABLE_PTE } = $fragments;
const { __GFP_ZERO, GFP_FLAGS } = $gfp;
const { LIST_PREV } = $memMap;
const { NULL, PAGE_SIZE, PAGE_WORDS_SHIFT, W_INDEX, W_LRU_NEXT } = $words;
const { bug, C_POINTER_FREE, oops } = $checks;
const { dtorInside, LEVEL_PTE } = $ctor;
const { list_add, list_add_tail, list_del, pageOfNode } = $list;

const GFP_KERNEL = GFP_FLAGS["GFP_KERNEL"] as number;

/** `ptable_mask`. */
export function ptable_mask(type: number): number {
  return (1 << (PAGE_SIZE / POINTER_TABLE_BYTES[type]!)) - 1;
}

/** Word of `PD_MARKBITS`. */
function PD_MARKBITS(k: Kernel, page: number): number {
  if (page >>> 0 >= k.nrPages) oops(k, page);
  return (page << PAGE_WORDS_SHIFT) + W_INDEX;
}

/** A table of that type, of a page that has one to give, or the first of a new page. */
export function get_pointer_table(k: Kernel, type: number): number {
  const { mem } = k;
  const head = pointerList(k.map.pgdList, type);
  const first = mem[head] === head << 2 ? NULL : pageOfNode(k, mem[head]!);
  const mask = first === NULL ? 0 : mem[PD_MARKBITS(k, first)]!;
  if (mask === 0) {
    const addr = k.__get_free_pages(k, GFP_KERNEL | __GFP_ZERO, 0);
    if (addr === NULL) return NULL;
    const page = k.virt_to_page(k, addr);
    if (type === TABLE_PTE) k.pagetable_pte_ctor(k, k.virt_to_ptdesc(k, addr));
    mem[PD_MARKBITS(k, page)] = ptable_mask(type) - 1;
    // list_add_tail(new, dp): before what was the first.
    list_add_tail(k, page, first === NULL ? head : (first << PAGE_WORDS_SHIFT) + W_LRU_NEXT);
    return addr;
  }
  const table = __ffs(mask);
  mem[PD_MARKBITS(k, first)] = mask & ~(1 << table);
  if (mem[PD_MARKBITS(k, first)] === 0) {
    list_del(k, first);
    list_add_tail(k, first, head);
  }
  return k.page_to_virt(k, first) + table * POINTER_TABLE_BYTES[type]!;
}

/** Gives a table back: 1 where its page was freed. */
export function free_pointer_table(k: Kernel, table: number, type: number): number {
  const { mem } = k;
  const page = k.virt_to_page(k, table);
  const bit = 1 << Math.floor((table & (PAGE_SIZE - 1)) / POINTER_TABLE_BYTES[type]!);
  const bits = PD_MARKBITS(k, page);
  if ((mem[bits]! & bit) !== 0) bug(k, C_POINTER_FREE, page);
  mem[bits] = mem[bits]! | bit;
  const head = pointerList(k.map.pgdList, type);
  if (mem[bits] === ptable_mask(type)) {
    list_del(k, page);
    if (type === TABLE_PTE) dtorInside(k, k.virt_to_ptdesc(k, table), LEVEL_PTE, k.pagetable_pte_dtor);
    k.free_pages(k, k.page_to_virt(k, page), 0);
    return 1;
  }
  if (mem[head] !== ((page << PAGE_WORDS_SHIFT) + W_LRU_NEXT) << 2) {
    list_del(k, page);
    list_add(k, page, head);
  }
  return 0;
}

/** Both lists are empty. */
export function bootPointerLists(k: Kernel): void {
  for (let type = 0; type <= TABLE_PTE; type++) {
    const head = pointerList(k.map.pgdList, type);
    k.mem[head] = head << 2;
    k.mem[head + LIST_PREV] = head << 2;
  }
}
