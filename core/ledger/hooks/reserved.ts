/**
 * Reserved memory: its pages leave one by one.
 *
 * @module
 */
import * as $judge from "../judge.ts";
import * as $families from "../families.ts";
import * as $invariants from "../invariants.ts";
import type { Ledger } from "../ledger.ts";
import * as $parts from "../parts.ts";
import * as $states from "../states.ts";
import * as $why from "../why.ts";
import type { Hooks } from "./hook.ts";
import * as $hook from "./hook.ts";
import * as $records from "../records.ts";

const {
  GR_COMPOUND,
  GR_FAMILY,
  GR_FIRST,
  GR_FLAGS,
  GR_HELD,
  GR_INTENT_CALL,
  GR_INTENT_STEP,
  GR_SHIFT,
  GR_STATE,
  GR_TOTAL,
  L_ENV_REFS,
  L_GRANT,
  L_ON_LIST,
  L_REFS,
  L_RESERVED,
  L_SHIFT,
  L_TABLE,
} = $records;
const { settleSingles } = $judge;
const { BY_RESERVED_PAGE, BY_RESERVED_PTDESC, FRAGMENT } = $families;
const { BAD_REFERENCE, CORRUPTION, DOUBLE_FREE, SHARED_PAGE } = $invariants;
const { inUse } = $parts;
const { G_FOREIGN, G_MARKED, LIVE, T_CHARGED, T_OPEN } = $states;
const { WHY_PARTS_FREED, WHY_REFS, WHY_WRITE_FREE } = $why;
const { givenUp, notGranted, releaseOne, singles, usable } = $hook;

function beforeMarkReserved(l: Ledger): void {
  if (usable(l, l.a, WHY_WRITE_FREE)) {
    const g = l.pages[(l.a << L_SHIFT) | L_GRANT]!;
    // PG_reserved is PF_NO_COMPOUND.
    if (
      l.grants[(g << GR_SHIFT) | GR_FAMILY]! >= FRAGMENT || l.pages[(l.a << L_SHIFT) | L_RESERVED] !== 0 ||
      l.grants[(g << GR_SHIFT) | GR_COMPOUND] !== 0 || l.grants[(g << GR_SHIFT) | GR_STATE] !== LIVE
    ) {
      l.misuse = true;
    }
    if (l.pages[(l.a << L_SHIFT) | L_RESERVED] === 0) l.managed--;
    l.pages[(l.a << L_SHIFT) | L_RESERVED] = 1;
    l.grants[(g << GR_SHIFT) | GR_FLAGS]! |= G_MARKED;
  }
}

function afterReserved(l: Ledger): void {
  l.checkReserved(l.a);
}

function beforeFreeReserved(l: Ledger, way: number): void {
  l.pending = -1;
  l.checks[DOUBLE_FREE]!++;
  const g = l.pages[(l.a << L_SHIFT) | L_GRANT]!;
  if (g < 0) return notGranted(l, l.a);
  if (l.grants[(g << GR_SHIFT) | GR_STATE] !== LIVE) return givenUp(l, g, l.a);
  l.pending = g;
  // What was charged as one is uncharged as one.
  if (
    (l.pages[(l.a << L_SHIFT) | L_TABLE]! & T_CHARGED) !== 0 && l.grants[(g << GR_SHIFT) | GR_TOTAL]! > 1 &&
    !singles(l, g)
  ) l.misuse = true;
  if (l.pages[(l.a << L_SHIFT) | L_ON_LIST] !== 0 || (l.pages[(l.a << L_SHIFT) | L_TABLE]! & T_OPEN) !== 0) {
    l.misuse = true;
  }
  // The pool is boot memory, and its pages are nobody's to free.
  if (l.pages[(l.a << L_SHIFT) | L_RESERVED] !== 0 && l.grants[(g << GR_SHIFT) | GR_FAMILY]! >= FRAGMENT) {
    l.managed++;
    l.misuse = true;
    l.intend(g, way);
  } else if (l.pages[(l.a << L_SHIFT) | L_RESERVED] !== 0) {
    l.managed++;
    l.grants[(g << GR_SHIFT) | GR_INTENT_STEP] = l.step;
    l.grants[(g << GR_SHIFT) | GR_INTENT_CALL] = l.op;
  } else {
    l.misuse = true;
    l.intend(g, way);
  }
}

function beforeFreeReservedPage(l: Ledger): void {
  beforeFreeReserved(l, BY_RESERVED_PAGE);
}

/** The page is an ordinary one again; answers the grant that was given up, or -1. */
function unreserved(l: Ledger): number {
  const g = l.pending;
  l.pages[(l.a << L_SHIFT) | L_RESERVED] = 0;
  l.checkReserved(l.a);
  if (g < 0) return g;
  l.pending = -1;
  discarded(l, g, l.a);
  return g;
}

function afterFreeReservedPage(l: Ledger): void {
  const g = unreserved(l);
  if (g < 0) return;
  // Memory that was never reserved is given up whole by a free.
  if (!singles(l, g) && (l.grants[(g << GR_SHIFT) | GR_FLAGS]! & (G_FOREIGN | G_MARKED)) === G_FOREIGN) {
    return wholeTable(l, g);
  }
  releaseOne(l, g, l.a);
}

/** init_page_count throws away the references that others hold. */
function discarded(l: Ledger, g: number, pfn: number): void {
  if (l.pages[(pfn << L_SHIFT) | L_ENV_REFS] === 0) return;
  l.misuse = true;
  l.record(BAD_REFERENCE, CORRUPTION, WHY_REFS, g, pfn, 0, l.pages[(pfn << L_SHIFT) | L_ENV_REFS]!, 0);
  l.pages[(pfn << L_SHIFT) | L_ENV_REFS] = 0;
}

/** All pages of a grant lose their owner, and one of them was freed. */
function wholeTable(l: Ledger, g: number): void {
  const end = l.grants[(g << GR_SHIFT) | GR_FIRST]! + l.grants[(g << GR_SHIFT) | GR_TOTAL]!;
  if (l.grants[(g << GR_SHIFT) | GR_FAMILY]! >= FRAGMENT) {
    l.checks[SHARED_PAGE]!++;
    const parts = inUse(l, g);
    if (parts > 0) {
      l.record(SHARED_PAGE, CORRUPTION, WHY_PARTS_FREED, g, l.grants[(g << GR_SHIFT) | GR_FIRST]!, 0, parts, 0);
    }
  }
  for (let pfn = l.grants[(g << GR_SHIFT) | GR_FIRST]!; pfn < end; pfn++) {
    if (l.pages[(pfn << L_SHIFT) | L_GRANT] === g) l.pages[(pfn << L_SHIFT) | L_REFS] = 0;
  }
  settleSingles(l, g);
}

function beforeFreeReservedPtdesc(l: Ledger): void {
  beforeFreeReserved(l, BY_RESERVED_PTDESC);
  // It intends the table and frees one page: no larger table may be given to it.
  if (l.pending >= 0 && l.grants[(l.pending << GR_SHIFT) | GR_HELD]! > 1) l.misuse = true;
}

function afterFreeReservedPtdesc(l: Ledger): void {
  const g = unreserved(l);
  if (g < 0) return;
  // It intends the whole table.
  wholeTable(l, g);
}

/** The hooks of these calls. */
export const RESERVED_HOOKS: Readonly<Record<string, Hooks>> = {
  mark_page_reserved: { before: beforeMarkReserved, after: afterReserved },
  free_reserved_page: { before: beforeFreeReservedPage, after: afterFreeReservedPage },
  free_reserved_ptdesc: { before: beforeFreeReservedPtdesc, after: afterFreeReservedPtdesc },
};
