/**
 * Pages that several tables share: each page is one grant, and its parts come and go
 * by the addresses that the calls name. The page is given up with the last.
 *
 *     GR_PARTS   bits 0-15   parts that are somebody's     1 . 1 1
 *                bits 16-31  parts that a gather holds     . 1 . .
 *     GR_REST                parts that an mm keeps to be given out (powerpc)
 *
 * What memory should say of them follows from these: bits of `_refcount` (s390), a count
 * or bits in `index` (powerpc, m68k), references (32-bit sparc), a slab's counters.
 *
 * @module
 */
import * as $fragments from "../memory/fragments.ts";
import * as $words from "../memory/words.ts";
import * as $families from "./families.ts";
import * as $invariants from "./invariants.ts";
import type { Ledger } from "./ledger.ts";
import * as $observe from "./observe.ts";
import * as $states from "./states.ts";
import * as $walkers from "./walkers.ts";
import * as $why from "./why.ts";
import * as $records from "./records.ts";

const { GR_EXTRA, GR_FAMILY, GR_FIRST, GR_PARTS, GR_REST, GR_SEEN, GR_SHIFT, L_SHIFT, L_TABLE } = $records;
const { MAX_PARTS } = $fragments;
const { PAGE_OFFSET, PAGE_SIZE, PAGE_WORDS_SHIFT, W_INDEX, W_PRIVATE } = $words;
const { FRAGMENT, NOCACHE, PARTS_OF, PMD_FRAGMENT, POINTER_PMD, POINTER_PTE, PTE_FRAGMENT, SLAB } = $families;
const { BAD_REFERENCE, CORRUPTION, FLUSH_BEFORE_FREE, GRACE_PERIOD, SHARED_PAGE, USE_AFTER_FREE } = $invariants;
const { isFree } = $observe;
const { LINK_NONE, T_LEVEL } = $states;
const { leftWhileSeen } = $walkers;
const { WHY_PART_FREE, WHY_PARTS } = $why;

/** Both halves: a table with PGSTEs (s390). */
const WHOLE = 3;
/** Parts that a gather holds stand so many bits higher. */
export const QUEUED_SHIFT = 16;
/** Every part. */
const ALL = (1 << MAX_PARTS) - 1;

function count(bits: number): number {
  let n = 0;
  for (; bits !== 0; bits &= bits - 1) n++;
  return n;
}

/** The parts that a table at an address is, a bit each. */
export function partsAt(l: Ledger, family: number, table: number, bytes = 0): number {
  if (family === FRAGMENT && l.pgste) return WHOLE;
  const size = PAGE_SIZE / PARTS_OF[family]!;
  const first = Math.floor((table & (PAGE_SIZE - 1)) / size);
  const nr = Math.max(1, Math.ceil(bytes / size));
  return (((1 << nr) - 1) << first) & ALL;
}

/** Whether a pointer is a table's first byte. */
export function isPart(l: Ledger, family: number, table: number): boolean {
  const size = family === FRAGMENT && l.pgste ? PAGE_SIZE : PAGE_SIZE / PARTS_OF[family]!;
  return (table & (size - 1)) === 0;
}

/** What s390's parts make of the upper byte of `_refcount`: AA, and PP four bits higher. */
function bitsOf(parts: number): number {
  return ((parts & WHOLE) | ((parts >> QUEUED_SHIFT) & WHOLE) << 4) << 24;
}

/** What stands in `_refcount` beside references. */
export function extraOf(l: Ledger, family: number, parts: number): number {
  if (family !== FRAGMENT) return 0;
  // A table with PGSTEs keeps its bits until it is freed.
  return l.pgste && parts !== 0 ? WHOLE << 24 : bitsOf(parts);
}

/** A grant has these parts now. */
export function setParts(l: Ledger, g: number, parts: number): void {
  l.grants[(g << GR_SHIFT) | GR_PARTS] = parts;
  if (l.grants[(g << GR_SHIFT) | GR_FAMILY] === FRAGMENT) {
    l.grants[(g << GR_SHIFT) | GR_EXTRA] = extraOf(l, FRAGMENT, parts);
  }
}

/** How many parts of a page are in use: somebody's, or a gather's. */
export function inUse(l: Ledger, g: number): number {
  const parts = l.grants[(g << GR_SHIFT) | GR_PARTS]!;
  return count((parts | parts >>> QUEUED_SHIFT) & ALL);
}

/** Parts that an mm keeps. */
export function restOf(l: Ledger, g: number): number {
  return l.grants[(g << GR_SHIFT) | GR_REST]! & 0xff;
}

/** Compares what counts the tables of a page with those that are in use. */
export function checkParts(l: Ledger, g: number): void {
  const family = l.grants[(g << GR_SHIFT) | GR_FAMILY]!;
  const pfn = l.grants[(g << GR_SHIFT) | GR_FIRST]!;
  l.checks[SHARED_PAGE]!++;
  let raw = 0;
  let should = 0;
  const w = pfn << PAGE_WORDS_SHIFT;
  switch (family) {
    case PTE_FRAGMENT:
    case PMD_FRAGMENT:
      raw = l.mem[(l.describing(pfn) << PAGE_WORDS_SHIFT) + W_INDEX]!;
      should = inUse(l, g) + restOf(l, g);
      break;
    case POINTER_PMD:
    case POINTER_PTE:
      raw = l.mem[w + W_INDEX]!;
      should = ((1 << PARTS_OF[family]!) - 1) & ~l.grants[(g << GR_SHIFT) | GR_PARTS]!;
      break;
    case NOCACHE:
      for (let i = 0; i < MAX_PARTS; i++) raw |= l.nocacheMap[(pfn - l.nocachePool) * MAX_PARTS + i]! << i;
      should = l.grants[(g << GR_SHIFT) | GR_PARTS]! & ALL;
      break;
    case SLAB:
      raw = l.mem[w + W_PRIVATE]!;
      should = inUse(l, g);
      break;
  }
  if (raw !== should) l.record(SHARED_PAGE, CORRUPTION, WHY_PARTS, g, pfn, 0, raw, should);
}

/** After a call on a page that is not given up: its references and what counts its tables. */
export function checkShared(l: Ledger, g: number): void {
  l.checks[BAD_REFERENCE]!++;
  l.checkRefs(g, l.grants[(g << GR_SHIFT) | GR_FIRST]!);
  checkParts(l, g);
}

/** A table is put in use: it has to be somebody's part still. */
export function usesPart(l: Ledger, g: number, value: number): void {
  if (value < PAGE_OFFSET) return;
  l.checks[USE_AFTER_FREE]!++;
  const parts = partsAt(l, l.grants[(g << GR_SHIFT) | GR_FAMILY]!, value);
  if ((l.grants[(g << GR_SHIFT) | GR_PARTS]! & parts) === parts) return;
  l.misuse = true;
  l.record(USE_AFTER_FREE, CORRUPTION, WHY_PART_FREE, g, l.grants[(g << GR_SHIFT) | GR_FIRST]!, 0, 0, 0);
}

/** Parts may be another's from here on: nobody may see the tables that they were. */
export function partsLeave(l: Ledger, g: number, parts: number): void {
  if (!l.sharing) return;
  l.checks[FLUSH_BEFORE_FREE]!++;
  l.checks[GRACE_PERIOD]!++;
  if (l.grants[(g << GR_SHIFT) | GR_SEEN] === 0) return;
  for (let i = 0; i < MAX_PARTS; i++) {
    if ((parts >> i & 1) !== 0) leftWhileSeen(l, g, l.nrPages + l.grants[(g << GR_SHIFT) | GR_FIRST]! * MAX_PARTS + i);
  }
}

/** Parts begin as tables to which nothing leads. */
export function partsBegin(l: Ledger, pfn: number, parts: number): void {
  for (let i = 0; i < MAX_PARTS; i++) {
    if ((parts >> i & 1) === 0) continue;
    if (l.sharing) l.gLink[l.nrPages + pfn * MAX_PARTS + i] = LINK_NONE;
    l.partSlot[pfn * MAX_PARTS + i] = l.dst;
  }
}

/** Whether a page was constructed: that of the kernel's own tables is not. */
export function isBuilt(l: Ledger, g: number): boolean {
  return (l.pages[(l.grants[(g << GR_SHIFT) | GR_FIRST]! << L_SHIFT) | L_TABLE]! & T_LEVEL) !== 0;
}

/** Whether the kernel freed the page of a grant, whatever was left of it. */
export function isGone(l: Ledger, g: number): boolean {
  return isFree(l.mem, l.layout, l.grants[(g << GR_SHIFT) | GR_FIRST]!);
}
