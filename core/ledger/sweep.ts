/**
 * The full sweep at the end of a program: every page, every free list and every
 * grant against the raw words.
 *
 * @module
 */
import * as $bits from "../memory/bits.ts";
import * as $judge from "./judge.ts";
import * as $memMap from "../memory/mem_map.ts";
import * as $words from "../memory/words.ts";
import * as $hooks from "./hooks/mod.ts";
import * as $invariants from "./invariants.ts";
import * as $families from "./families.ts";
import type { Ledger } from "./ledger.ts";
import * as $states from "./states.ts";
import * as $observe from "./observe.ts";
import * as $table from "./table.ts";
import * as $why from "./why.ts";
import * as $records from "./records.ts";

const {
  GR_FAMILY,
  GR_FIRST,
  GR_HELD,
  GR_OWNER_REFS,
  GR_SHIFT,
  GR_STATE,
  L_GRANT,
  L_ON_LIST,
  L_RESERVED,
  L_SHIFT,
  L_TABLE,
  L_WRITTEN_OFF,
} = $records;
const { __ffs } = $bits;
const { leak } = $judge;
const { AREA_NR, areaWord, LIST_PREV, NR_ORDERS, Z_END, Z_START, ZONE_WORDS } = $memMap;
const { NULL, PAGE_WORDS, PAGE_WORDS_SHIFT, W_FLAGS, W_LRU_NEXT, W_PRIVATE, W_REFCOUNT } = $words;
const { linked } = $hooks;
const { BAD_REFERENCE, BUDDY_STRUCTURE, CORRUPTION, LEAK, OVERLAY_CLOBBER, PAGE_LEAK, RESERVED_ACCOUNTING } =
  $invariants;
const { KERNEL } = $families;
const { INTENDED, LIVE, T_SHARED } = $states;
const { isBuddy } = $observe;
const { checkCharge, checkShares, checkType, sweepLocks } = $table;
const {
  WHY_FREE_BLOCK,
  WHY_FREE_COUNT,
  WHY_FREE_LIST,
  WHY_GRANTED_FREE,
  WHY_LIST_BROKEN,
  WHY_LOST,
  WHY_MANAGED,
  WHY_REFS,
  WHY_RESERVED_FLAG,
} = $why;

/** Scratch of the sweep, made once a machine. */
export class Sweep {
  /** Pages that lie in a block of a free list, a bit each. */
  readonly #free: Int32Array;

  constructor(nrPages: number) {
    this.#free = new Int32Array((nrPages + 31) >> 5);
  }

  /** Checks everything; findings are laid to the ledger's current step. */
  run(l: Ledger): void {
    l.checks[BUDDY_STRUCTURE]!++;
    const pages = this.#walkFreeLists(l);
    const raw = l.rawFree();
    if (pages >= 0 && raw !== pages) l.record(BUDDY_STRUCTURE, CORRUPTION, WHY_FREE_COUNT, -1, NULL, 0, raw, pages);
    this.#pages(l);
    l.checks[RESERVED_ACCOUNTING]!++;
    const managed = l.rawManaged();
    sweepLocks(l);
    if (managed !== l.managed) l.record(RESERVED_ACCOUNTING, CORRUPTION, WHY_MANAGED, -1, NULL, 0, managed, l.managed);
  }

  /** Marks the pages of every free block; their number, or -1 where a list is broken. */
  #walkFreeLists(l: Ledger): number {
    const free = this.#free;
    const mem = l.mem;
    for (let i = 0; i < free.length; i++) free[i] = 0;
    let pages = 0;
    for (let z = 0; z < 2; z++) {
      const zone = l.map.zones + z * ZONE_WORDS;
      const start = mem[zone + Z_START]!;
      const end = mem[zone + Z_END]!;
      for (let order = 0; order < NR_ORDERS; order++) {
        const head = areaWord(zone, order);
        let before = head;
        let node = mem[head]! >> 2;
        let count = 0;
        while (node !== head) {
          const pfn = (node - W_LRU_NEXT) >> PAGE_WORDS_SHIFT;
          const sound = node >= 0 && (node & (PAGE_WORDS - 1)) === W_LRU_NEXT && pfn >= start &&
            pfn + (1 << order) <= end;
          if (!sound || count > l.nrPages || mem[node + LIST_PREV] !== before << 2) {
            l.record(BUDDY_STRUCTURE, CORRUPTION, WHY_FREE_LIST, -1, sound ? pfn : NULL, 0, order, 0);
            return -1;
          }
          if (
            (pfn & ((1 << order) - 1)) !== 0 || !isBuddy(mem, l.layout, pfn) ||
            mem[(pfn << PAGE_WORDS_SHIFT) + W_PRIVATE] !== order
          ) {
            l.record(BUDDY_STRUCTURE, CORRUPTION, WHY_FREE_BLOCK, -1, pfn, 0, order, 0);
            return -1;
          }
          const taken = this.#mark(pfn, order);
          if (taken >= 0) {
            l.record(BUDDY_STRUCTURE, CORRUPTION, WHY_FREE_BLOCK, -1, taken, 0, order, 0);
            return -1;
          }
          pages += 1 << order;
          count++;
          before = node;
          node = mem[node]! >> 2;
        }
        if (mem[head + AREA_NR] !== count) {
          l.record(BUDDY_STRUCTURE, CORRUPTION, WHY_FREE_LIST, -1, NULL, 0, order, 0);
          return -1;
        }
      }
    }
    return pages;
  }

  /** Marks the pages of a free block, which is aligned; answers the first that is in another one, or -1. */
  #mark(first: number, order: number): number {
    const free = this.#free;
    const bits = order < 5 ? (1 << (1 << order)) - 1 << (first & 31) : -1;
    const end = first + (1 << order);
    for (let i = first >> 5; i << 5 < end; i++) {
      const twice = free[i]! & bits;
      if (twice !== 0) return (i << 5) + __ffs(twice);
      free[i]! |= bits;
    }
    return -1;
  }

  #isFree(pfn: number): boolean {
    return (this.#free[pfn >> 5]! >> (pfn & 31) & 1) !== 0;
  }

  /** Whether the pages of which nothing was ever booked are as after boot: free, without a reference, not reserved. */
  #untouched(l: Ledger): boolean {
    const { mem, top } = l;
    const reserved = l.layout.PG_reserved;
    const end = l.nrPages << PAGE_WORDS_SHIFT;
    let set = 0;
    for (let w = top << PAGE_WORDS_SHIFT; w < end; w += PAGE_WORDS) {
      set |= mem[w + W_REFCOUNT]! | (mem[w + W_FLAGS]! & reserved);
    }
    const free = this.#free;
    for (let i = (top + 31) >> 5; i < free.length; i++) if (free[i] !== -1) return false;
    for (let pfn = top; pfn < l.nrPages && (pfn & 31) !== 0; pfn++) if (!this.#isFree(pfn)) return false;
    return set === 0;
  }

  /** After the drain no gather holds anything, nor does the kernel: what they did not give back is lost. */
  #owned(l: Ledger, g: number): void {
    if (l.grants[(g << GR_SHIFT) | GR_STATE] === LIVE && l.grants[(g << GR_SHIFT) | GR_FAMILY] !== KERNEL) return;
    // The program took a reference and never put it.
    if (l.grants[(g << GR_SHIFT) | GR_OWNER_REFS]! > 0 && l.grants[(g << GR_SHIFT) | GR_STATE] === INTENDED) {
      l.misuse = true;
    }
    l.grants[(g << GR_SHIFT) | GR_STATE] = INTENDED;
    leak(l, g, l.grants[(g << GR_SHIFT) | GR_HELD]!, WHY_LOST, l.grants[(g << GR_SHIFT) | GR_FIRST]!);
  }

  /** Each page is free, granted, or written off; and its words are as they should be. */
  #pages(l: Ledger): void {
    l.checks[PAGE_LEAK]!++;
    l.checks[BAD_REFERENCE]!++;
    l.checks[OVERLAY_CLOBBER]!++;
    const mem = l.mem;
    const n = this.#untouched(l) ? l.top : l.nrPages;
    let lost = 0;
    let firstLost = -1;
    for (let pfn = 0; pfn < n; pfn++) {
      const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
      const w = pfn << PAGE_WORDS_SHIFT;
      if (l.pages[(pfn << L_SHIFT) | L_WRITTEN_OFF] !== 0 && g < 0) continue;
      const free = this.#isFree(pfn);
      if (g < 0 && !free) {
        if (lost++ === 0) firstLost = pfn;
        continue;
      }
      if (g >= 0 && free) l.record(BUDDY_STRUCTURE, CORRUPTION, WHY_GRANTED_FREE, g, pfn, 1, 0, 0);
      const refs = g >= 0 ? l.rawRefsOf(g, pfn) : 0;
      if (mem[w + W_REFCOUNT] !== refs) {
        l.record(BAD_REFERENCE, CORRUPTION, WHY_REFS, g, pfn, 0, refs, mem[w + W_REFCOUNT]!);
      }
      const reserved = (mem[w + W_FLAGS]! & l.layout.PG_reserved) !== 0 ? 1 : 0;
      if (reserved !== l.pages[(pfn << L_SHIFT) | L_RESERVED]) {
        l.record(RESERVED_ACCOUNTING, CORRUPTION, WHY_RESERVED_FLAG, g, pfn, 0, pfn, reserved);
      }
      if (g < 0) continue;
      this.#owned(l, g);
      if (l.grants[(g << GR_SHIFT) | GR_FIRST] === pfn) {
        l.checkCompound(g);
        if (l.memcg) checkCharge(l, pfn);
      }
      checkType(l, pfn);
      if ((l.pages[(pfn << L_SHIFT) | L_TABLE]! & T_SHARED) !== 0) checkShares(l, pfn);
      if (l.pages[(pfn << L_SHIFT) | L_ON_LIST] !== 0 && !linked(l, pfn)) {
        l.record(OVERLAY_CLOBBER, CORRUPTION, WHY_LIST_BROKEN, g, pfn, 0, 0, 0);
      }
    }
    if (lost > 0) l.record(PAGE_LEAK, LEAK, WHY_LOST, -1, firstLost, lost, 0, lost);
  }
}
