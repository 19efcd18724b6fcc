/**
 * Tables that share a page (s390 up to 6.6): the page is one grant, and its parts
 * come and go by the addresses that the calls name. It is given up with the last.
 *
 * @module
 */
import { released } from "../judge.ts";
import { NULL, PAGE_SIZE } from "../../memory/words.ts";
import { FRAGMENT } from "../families.ts";
import { BAD_REFERENCE, CORRUPTION, DOUBLE_FREE, LEAK, PAGE_LEAK, USE_AFTER_FREE } from "../invariants.ts";
import type { Ledger } from "../ledger.ts";
import { INTENDED, LEVEL_PTE } from "../states.ts";
import { constructed } from "../table.ts";
import { WHY_FORGOTTEN, WHY_GIVEN_UP, WHY_GRANTED_TWICE } from "../why.ts";
import { type Hooks, notGranted, pfnOf } from "./hook.ts";

/** Both halves: a table with PGSTEs. */
const WHOLE = 3;
/** Parts that a gather holds stand so many bits higher. */
const QUEUED_SHIFT = 8;

/** The parts that a table at an address is, a bit each. */
function partsAt(l: Ledger, table: number): number {
  if (l.pgste) return WHOLE;
  return (table & (PAGE_SIZE - 1)) >= PAGE_SIZE >> 1 ? 2 : 1;
}

/** What the parts make of the upper byte of `_refcount`: AA, and PP four bits higher. */
function bitsOf(parts: number): number {
  return ((parts & WHOLE) | ((parts >> QUEUED_SHIFT) & WHOLE) << 4) << 24;
}

function setParts(l: Ledger, g: number, parts: number): void {
  l.gParts[g] = parts;
  // A table with PGSTEs keeps its bits until it is freed.
  l.gExtra[g] = l.pgste && parts !== 0 ? WHOLE << 24 : bitsOf(parts);
}

/** The name that a table was granted to. */
function named(l: Ledger, pfn: number, parts: number): void {
  l.partSlot[2 * pfn + (parts === 2 ? 1 : 0)] = l.dst;
}

function afterAlloc(l: Ledger): void {
  if (l.res === NULL) return;
  const pfn = pfnOf(l.res);
  const parts = partsAt(l, l.res);
  const g = l.grantOf[pfn]!;
  if (g < 0 || l.gFamily[g] !== FRAGMENT) {
    l.extra = bitsOf(parts);
    l.grant(pfn, 1, 0, 0, FRAGMENT, l.dst);
    l.extra = 0;
    const fresh = l.grantOf[pfn]!;
    if (fresh < 0 || l.gFamily[fresh] !== FRAGMENT) return;
    setParts(l, fresh, parts);
    named(l, pfn, parts);
    constructed(l, pfn, LEVEL_PTE);
    return;
  }
  l.checks[USE_AFTER_FREE]!++;
  const held = l.gParts[g]! | (l.gParts[g]! >> QUEUED_SHIFT);
  if ((held & parts) !== 0) l.record(USE_AFTER_FREE, CORRUPTION, WHY_GRANTED_TWICE, g, pfn, 0, 0, 0);
  setParts(l, g, l.gParts[g]! | parts);
  named(l, pfn, parts);
  l.checks[BAD_REFERENCE]!++;
  l.checkRefs(g, pfn);
}

/** A table is given up: the parts that it is, or 0 where it is not its owner's to give. */
function givesUp(l: Ledger, table: number): number {
  l.pending = -1;
  l.checks[DOUBLE_FREE]!++;
  const pfn = pfnOf(table);
  const g = l.grantOf[pfn]!;
  if (!(g >= 0) || l.gFamily[g] !== FRAGMENT) {
    notGranted(l, pfn);
    return 0;
  }
  const parts = partsAt(l, table);
  if ((l.gParts[g]! & parts) !== parts) {
    l.misuse = true;
    l.record(DOUBLE_FREE, CORRUPTION, WHY_GIVEN_UP, g, pfn, 0, INTENDED, 0);
    return 0;
  }
  // Pointers at its middle are no table's.
  if ((table & ((PAGE_SIZE >> 1) - 1)) !== 0 || (l.pgste && (table & (PAGE_SIZE - 1)) !== 0)) l.misuse = true;
  l.pending = g;
  l.gIntentStep[g] = l.step;
  l.gIntentCall[g] = l.op;
  return parts;
}

/** Parts are gone; the page goes with the last. */
function gone(l: Ledger, g: number): void {
  const pfn = l.gFirst[g]!;
  if (l.gParts[g] !== 0) return l.checkRefs(g, pfn);
  l.gOwnerRefs[g]!--;
  l.refs[pfn]!--;
  l.gState[g] = INTENDED;
  if (l.refs[pfn] === 0) return released(l, g, -1);
  l.checkRefs(g, pfn);
}

function beforeFree(l: Ledger): void {
  const parts = givesUp(l, l.b);
  if (parts !== 0) setParts(l, l.pending, l.gParts[l.pending]! & ~parts);
}

function afterFree(l: Ledger): void {
  const g = l.pending;
  if (g < 0) return;
  l.pending = -1;
  gone(l, g);
}

function beforeFreeRcu(l: Ledger): void {
  if (l.gathers[l.a] !== 1) l.misuse = true;
  const parts = givesUp(l, l.b);
  if (parts === 0) return;
  // Architectures that know no halves take the pointer for something else.
  if (!l.fragments) l.misuse = true;
  setParts(l, l.pending, (l.gParts[l.pending]! & ~parts) | parts << QUEUED_SHIFT);
}

/** The last bit of a half that a gather held is cleared (EV_TABLE with a half in the pointer's low bits). */
export function fragmentReleased(l: Ledger, queued: number): void {
  l.checks[DOUBLE_FREE]!++;
  const pfn = pfnOf(queued);
  const g = pfn >= 0 && pfn < l.nrPages ? l.grantOf[pfn]! : -1;
  const parts = (queued & WHOLE) << QUEUED_SHIFT;
  if (g < 0 || l.gFamily[g] !== FRAGMENT || (l.gParts[g]! & parts) !== parts) {
    if (!l.stop && !l.misuse) notGranted(l, pfn);
    return;
  }
  setParts(l, g, l.gParts[g]! & ~parts);
  // The same call may have released more: what is left is compared when the last is told of.
  if (l.gParts[g] === 0) gone(l, g);
}

/** The owner of a table forgets it: its part of the page is lost, and the page is never given back. */
export function forgetFragment(l: Ledger, g: number, table: number): void {
  l.checks[PAGE_LEAK]!++;
  const parts = partsAt(l, table);
  const pfn = l.gFirst[g]!;
  // The address may be another table's by now.
  if ((l.gParts[g]! & parts) !== parts || l.partSlot[2 * pfn + (parts === 2 ? 1 : 0)] !== l.sa) return;
  l.misuse = true;
  l.record(PAGE_LEAK, LEAK, WHY_FORGOTTEN, g, pfn, 1, 0, 1);
  l.grantOf[pfn] = -1;
  l.writtenOff[pfn] = 1;
  l.drop(g);
}

/** The hooks of these calls. */
export const FRAGMENT_HOOKS: Readonly<Record<string, Hooks>> = {
  page_table_alloc: { after: afterAlloc },
  page_table_free: { before: beforeFree, after: afterFree },
  page_table_free_rcu: { before: beforeFreeRcu, after: afterFreeRcu },
};

function afterFreeRcu(l: Ledger): void {
  const g = l.pending;
  if (g < 0) return;
  l.pending = -1;
  if (l.gParts[g] !== 0 && l.gState[g] !== INTENDED) l.checkRefs(g, l.gFirst[g]!);
}
