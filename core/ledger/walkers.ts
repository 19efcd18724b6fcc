/**
 * Walkers: what other CPUs and devices may still see of page tables.
 *
 * Each walker stands in one table, by way of an entry that led to it. It may
 * have come there while the table was in use; from `unlink` on nobody comes any
 * more, and who was there leaves in the way of its kind:
 *
 *     kind     what it is                        it leaves, once the entry is cleared
 *     TLB      the hardware's cache              with a flush that covers the address
 *     IRQ      gup_fast, interrupts off          with an IPI (a flush by IPI is one), or a grace period
 *     RCU      pte_offset_map, rcu_read_lock     with a grace period: an IPI is none
 *     IOMMU    the IOMMU's cache (SVA)           with an IOTLB flush
 *
 * Any of them may also leave by itself (`env walk_end`). How the entry was
 * cleared says who can be there still: locks that the walkers of a kind need
 * keep them out, and where nobody is on the mm there are none.
 *
 * Pages that leave while somebody may still see them break
 * `flush-before-free` (the caches) or `grace-period` (the code).
 *
 * @module
 */
import * as $fragments from "../memory/fragments.ts";
import * as $words from "../memory/words.ts";
import * as $families from "./families.ts";
import * as $invariants from "./invariants.ts";
import type { Ledger } from "./ledger.ts";
import * as $states from "./states.ts";
import * as $why from "./why.ts";
import * as $records from "./records.ts";

const { GR_FAMILY, GR_FIRST, GR_SEEN, GR_SHIFT, GR_STATE, L_GRANT, L_SHIFT, L_TABLE } = $records;
const { MAX_PARTS } = $fragments;
const { PAGE_OFFSET, PAGE_SHIFT, PAGE_SIZE } = $words;
const { FRAGMENT, PARTS_OF } = $families;
const { CORRUPTION, FLUSH_BEFORE_FREE, GRACE_PERIOD } = $invariants;
const { HOW_EXIT, HOW_KERNEL, LINK_CLEARED, LINK_USED, LIVE, T_LOCK } = $states;
const { WHY_SEEN } = $why;

/** Walkers that a program may start; more get no name. */
export const MAX_WALKERS = 64;

/** The hardware's cache of upper levels. */
export const WALK_TLB = 1;
/** gup_fast: interrupts are off. */
export const WALK_IRQ = 2;
/** pte_offset_map: under rcu_read_lock. */
export const WALK_RCU = 4;
/** The IOMMU's cache of kernel tables. */
export const WALK_IOMMU = 8;
/** All kinds. */
export const WALK_ALL = 15;

/** Which kinds can be in a table whose entry was cleared so; the numbers of `HOWS`. */
export const REACH: readonly number[] = [
  /* exclusive */ WALK_TLB | WALK_IRQ,
  /* shared    */ WALK_TLB | WALK_IRQ | WALK_RCU,
  /* exit      */ WALK_TLB,
  /* kernel    */ WALK_TLB | WALK_IOMMU,
  /* zap       */ WALK_TLB,
  /* guest     */ WALK_TLB,
];

/** The walkers of one machine. */
export class Walkers {
  /** Walkers started so far. */
  n = 0;
  /** WALK_ kind of each. */
  readonly kind: Int32Array = new Int32Array(MAX_WALKERS);
  /** Grant of the table that each may see, or -1 once it has left. */
  readonly table: Int32Array = new Int32Array(MAX_WALKERS);
  /** The table itself: that grant, or of a page that tables share the part (`tableAt`). */
  readonly part: Int32Array = new Int32Array(MAX_WALKERS);
  /** 1 where the table had a lock out of the slab when the walker came. */
  readonly locked: Uint8Array = new Uint8Array(MAX_WALKERS);
  /** Name of each, or -1. */
  readonly slot: Int32Array = new Int32Array(MAX_WALKERS);
}

/**
 * Whether a walker of that kind can follow an entry into the table at that page
 * now. Who writes an IOMMU's walk has an IOMMU, whatever the configuration.
 */
export function mayWalk(l: Ledger, kind: number, value: number): boolean {
  const pfn = pageBehind(value);
  if (((l.walkerKinds | WALK_IOMMU) & kind) === 0 || pfn < 0 || pfn >= l.nrPages) return false;
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  return g >= 0 && l.gLink[tableAt(l, value)] === LINK_USED && l.grants[(g << GR_SHIFT) | GR_STATE] === LIVE;
}

function pageBehind(value: number): number {
  return value >= PAGE_OFFSET ? (value - PAGE_OFFSET) >> PAGE_SHIFT : value;
}

/**
 * The table that a pointer of any kind stands for, by the index of its link: a
 * grant's, or, where tables share the page, its part's. The page has to be granted.
 */
export function tableAt(l: Ledger, value: number): number {
  const pfn = pageBehind(value);
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  if (!l.sharing || l.grants[(g << GR_SHIFT) | GR_FAMILY]! < FRAGMENT) return g;
  const size = PAGE_SIZE / PARTS_OF[l.grants[(g << GR_SHIFT) | GR_FAMILY]!]!;
  return l.nrPages + pfn * MAX_PARTS + (value >= PAGE_OFFSET ? Math.floor((value & (PAGE_SIZE - 1)) / size) : 0);
}

/** A walker is in the table now. */
export function walkerStarted(l: Ledger, w: number, kind: number, value: number, slot: number): void {
  const { walkers } = l;
  const g = l.pages[(pageBehind(value) << L_SHIFT) | L_GRANT]!;
  walkers.part[w] = tableAt(l, value);
  walkers.n = w + 1;
  walkers.kind[w] = kind;
  walkers.table[w] = g;
  walkers.slot[w] = slot;
  walkers.locked[w] = (l.pages[(l.grants[(g << GR_SHIFT) | GR_FIRST]! << L_SHIFT) | L_TABLE]! & T_LOCK) !== 0 ? 1 : 0;
  l.grants[(g << GR_SHIFT) | GR_SEEN]!++;
}

/** Whether a walker is in its table still. */
export function walks(l: Ledger, w: number): boolean {
  return w >= 0 && w < l.walkers.n && l.walkers.table[w]! >= 0;
}

/** A walker leaves its table. */
export function walkerEnded(l: Ledger, w: number): void {
  const g = l.walkers.table[w]!;
  if (g < 0) return;
  l.walkers.table[w] = -1;
  l.grants[(g << GR_SHIFT) | GR_SEEN]!--;
}

/** Whether a walker of one of these kinds may still see a grant. */
export function maySee(l: Ledger, g: number, kinds: number): boolean {
  if (l.grants[(g << GR_SHIFT) | GR_SEEN] === 0) return false;
  const { walkers } = l;
  for (let w = 0; w < walkers.n; w++) if (walkers.table[w] === g && (walkers.kind[w]! & kinds) !== 0) return true;
  return false;
}

/** Walkers of these kinds leave one table. */
export function leaveTable(l: Ledger, g: number, kinds: number): void {
  if (l.grants[(g << GR_SHIFT) | GR_SEEN] === 0) return;
  const { walkers } = l;
  for (let w = 0; w < walkers.n; w++) {
    if (walkers.table[w] === g && (walkers.kind[w]! & kinds) !== 0) walkerEnded(l, w);
  }
}

/** Walkers of these kinds leave one of the tables that share a page. */
function leavePart(l: Ledger, table: number, kinds: number): void {
  const { walkers } = l;
  for (let w = 0; w < walkers.n; w++) {
    if (walkers.table[w]! >= 0 && walkers.part[w] === table && (walkers.kind[w]! & kinds) !== 0) walkerEnded(l, w);
  }
}

/** Walkers of these kinds leave the table of a grant that a pointer stands for. */
export function leaveTableAt(l: Ledger, g: number, value: number, kinds: number): void {
  if (l.grants[(g << GR_SHIFT) | GR_SEEN] !== 0) leavePart(l, tableAt(l, value), kinds);
}

/** Code of these kinds that walks anything comes to its end: an IPI (interrupts off), a grace period (both). */
export function walkersDone(l: Ledger, kinds: number): void {
  const { walkers } = l;
  for (let w = 0; w < walkers.n; w++) if ((walkers.kind[w]! & kinds) !== 0) walkerEnded(l, w);
}

/** The entry that leads to a table is cleared: who cannot have been there is not. */
export function unlinked(l: Ledger, value: number, how: number, address: number): void {
  const table = tableAt(l, value);
  l.gLink[table] = LINK_CLEARED;
  l.gHow[table] = how;
  l.gAddress[table] = address;
  l.gUnlinkStep[table] = l.step;
  let gone = WALK_ALL & ~REACH[how]!;
  if (how === HOW_EXIT && l.deadAsid) gone |= WALK_TLB;
  leaveTableAt(l, l.pages[(pageBehind(value) << L_SHIFT) | L_GRANT]!, value, gone);
}

/**
 * The TLB was flushed, for an mm (-1: for all) and pages `first` to `end` of
 * its addresses (unsigned). What is still linked may be walked again at once.
 */
export function tlbFlushed(l: Ledger, mm: number, first: number, end: number): void {
  const { walkers } = l;
  for (let w = 0; w < walkers.n; w++) {
    if (walkers.table[w]! < 0) continue;
    if (walkers.kind[w] === WALK_IRQ) {
      if (l.ipiFlush) walkerEnded(l, w);
      continue;
    }
    const g = walkers.part[w]!;
    if (walkers.kind[w] !== WALK_TLB || l.gLink[g] !== LINK_CLEARED) continue;
    if (l.gHow[g] === HOW_KERNEL && mm > 0) continue;
    const page = l.gAddress[g]! >>> 12;
    if (page >= first >>> 0 && page < end >>> 0) walkerEnded(l, w);
  }
}

/** The IOMMU's cache of kernel tables was flushed. */
export function iotlbFlushed(l: Ledger): void {
  const { walkers } = l;
  for (let w = 0; w < walkers.n; w++) {
    if (walkers.table[w]! < 0 || walkers.kind[w] !== WALK_IOMMU) continue;
    if (l.gLink[walkers.part[w]!] === LINK_CLEARED) walkerEnded(l, w);
  }
}

/**
 * A page of a table leaves while somebody may still see the table.
 *
 * @param table where tables share the page and it does not leave: the one whose part may be another's now; default all
 */
export function leftWhileSeen(l: Ledger, g: number, table = -1): void {
  const { walkers } = l;
  for (let w = 0; w < walkers.n; w++) {
    const at = walkers.part[w]!;
    if (walkers.table[w] !== g || (table >= 0 && at !== table)) continue;
    const kind = walkers.kind[w]!;
    const invariant = (kind & (WALK_TLB | WALK_IOMMU)) !== 0 ? FLUSH_BEFORE_FREE : GRACE_PERIOD;
    const step = l.gLink[at] === LINK_CLEARED ? l.gUnlinkStep[at]! : 0;
    // Whoever gave the table up did it wrong, and that may be long ago.
    l.lateMisuse = true;
    l.record(
      invariant,
      CORRUPTION,
      WHY_SEEN,
      g,
      l.grants[(g << GR_SHIFT) | GR_FIRST]!,
      0,
      walkers.slot[w]! << 4 | kind,
      step,
    );
  }
}
