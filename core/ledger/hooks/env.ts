/**
 * The environment: speculative references, and owners that are gone.
 *
 * @module
 */
import * as $judge from "../judge.ts";
import * as $invariants from "../invariants.ts";
import * as $observe from "../observe.ts";
import * as $families from "../families.ts";
import type { Ledger } from "../ledger.ts";
import * as $states from "../states.ts";
import * as $why from "../why.ts";
import * as $fragments from "./fragments.ts";
import type { Hooks } from "./hook.ts";
import * as $hook from "./hook.ts";
import * as $records from "../records.ts";

const {
  GR_FAMILY,
  GR_FIRST,
  GR_SHIFT,
  GR_SLOT,
  GR_STATE,
  L_ENV_REFS,
  L_GRANT,
  L_REFS,
  L_RESERVED,
  L_SHIFT,
  L_THEORETICAL,
  L_WRITTEN_OFF,
} = $records;
const { forget, settleSingles } = $judge;
const { BAD_REFERENCE, CORRUPTION } = $invariants;
const { isFree } = $observe;
const { FRAGMENT } = $families;
const { LIVE } = $states;
const { WHY_PUT_AT_ZERO, WHY_SPECULATIVE } = $why;
const { forgetPart } = $fragments;
const { dropped, holder, pageOf, releaseOne, singles } = $hook;

function afterSpeculativeGet(l: Ledger): void {
  const pfn = pageOf(l.a);
  if (l.res !== 0) {
    l.envTaken = true;
    if (pfn >= l.top) l.top = pfn + 1;
  }
  if (l.pages[(pfn << L_SHIFT) | L_WRITTEN_OFF]) {
    if (l.res !== 0) l.pages[(pfn << L_SHIFT) | L_ENV_REFS]!++;
    return;
  }
  l.checks[BAD_REFERENCE]!++;
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  const refs = g >= 0 ? l.rawRefsOf(g, pfn) : l.pages[(pfn << L_SHIFT) | L_REFS]!;
  if (l.res !== (refs > 0 ? 1 : 0)) l.record(BAD_REFERENCE, CORRUPTION, WHY_SPECULATIVE, g, pfn, 0, l.res, refs);
  if (l.res === 0) return;
  if (l.pages[(pfn << L_SHIFT) | L_RESERVED] !== 0) l.pages[(pfn << L_SHIFT) | L_THEORETICAL] = 1;
  l.pages[(pfn << L_SHIFT) | L_ENV_REFS]!++;
  l.pages[(pfn << L_SHIFT) | L_REFS]!++;
  if (g >= 0) l.checkRefs(g, pfn);
}

/** Whether the environment holds a reference on the page, or on the block it belongs to. */
export function envHolds(l: Ledger, value: number): boolean {
  const page = pageOf(value);
  if (page < 0 || page >= l.nrPages) return true;
  const g = l.pages[(page << L_SHIFT) | L_GRANT]!;
  return l.pages[((g >= 0 ? holder(l, g, page) : page) << L_SHIFT) | L_ENV_REFS]! > 0;
}

function beforeEnvPut(l: Ledger): void {
  l.pending = -1;
  const page = pageOf(l.a);
  const g = l.pages[(page << L_SHIFT) | L_GRANT]!;
  const pfn = g >= 0 ? holder(l, g, page) : page;
  if (l.pages[(pfn << L_SHIFT) | L_WRITTEN_OFF]) {
    if (l.pages[(pfn << L_SHIFT) | L_ENV_REFS]! > 0) l.pages[(pfn << L_SHIFT) | L_ENV_REFS]!--;
    else l.misuse = true;
    return;
  }
  l.checks[BAD_REFERENCE]!++;
  if (l.pages[(pfn << L_SHIFT) | L_ENV_REFS]! <= 0 || l.pages[(pfn << L_SHIFT) | L_REFS]! <= 0 || g < 0) {
    l.misuse = true;
    if (l.pages[(pfn << L_SHIFT) | L_ENV_REFS]! > 0) l.pages[(pfn << L_SHIFT) | L_ENV_REFS]!--;
    l.record(
      BAD_REFERENCE,
      CORRUPTION,
      WHY_PUT_AT_ZERO,
      g,
      pfn,
      0,
      g >= 0 ? pfn - l.grants[(g << GR_SHIFT) | GR_FIRST]! : 0,
      0,
    );
    return;
  }
  l.pending = g;
}

/** A page that was written off is free after all: the last reference was somebody's who had it for a moment. */
function foundAgain(l: Ledger, pfn: number): void {
  if (
    l.pages[(pfn << L_SHIFT) | L_GRANT]! >= 0 || l.pages[(pfn << L_SHIFT) | L_WRITTEN_OFF] === 0 ||
    !isFree(l.mem, l.layout, pfn)
  ) return;
  l.pages[(pfn << L_SHIFT) | L_WRITTEN_OFF] = 0;
  l.pages[(pfn << L_SHIFT) | L_REFS] = 0;
  l.freePages++;
}

function afterEnvPut(l: Ledger): void {
  const g = l.pending;
  if (g < 0) return foundAgain(l, pageOf(l.a));
  l.pending = -1;
  const pfn = holder(l, g, pageOf(l.a));
  l.pages[(pfn << L_SHIFT) | L_ENV_REFS]!--;
  l.pages[(pfn << L_SHIFT) | L_REFS]!--;
  if (singles(l, g)) {
    if (l.pages[(pfn << L_SHIFT) | L_REFS] === 0 && l.grants[(g << GR_SHIFT) | GR_STATE] === LIVE) {
      releaseOne(l, g, pfn);
    } else if (l.pages[(pfn << L_SHIFT) | L_REFS] === 0) settleSingles(l, g);
    else l.checkRefs(g, pfn);
    return;
  }
  l.pendingOrder = 0;
  dropped(l, g, pfn);
}

/** The owner forgets all that was granted under the name of the block. */
function beforeOwnerGone(l: Ledger): void {
  const pfn = pageOf(l.a);
  if (pfn >= l.nrPages) return;
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  if (g >= 0 && l.grants[(g << GR_SHIFT) | GR_FAMILY]! >= FRAGMENT) return forgetPart(l, g, l.a);
  // A name that granted nothing itself stands for the block that it points at.
  const slot = l.sa >= 0 && l.slotPages[l.sa]! > 0 ? l.sa : g >= 0 ? l.grants[(g << GR_SHIFT) | GR_SLOT]! : -1;
  if (slot < 0) return;
  const end = Math.min(l.nrPages, pfn + l.slotPages[slot]!);
  for (let i = pfn; i < end; i++) {
    const other = l.pages[(i << L_SHIFT) | L_GRANT]!;
    if (other >= 0 && l.grants[(other << GR_SHIFT) | GR_SLOT] === slot) forget(l, other);
  }
}

/** The hooks of these calls. */
export const ENV_HOOKS: Readonly<Record<string, Hooks>> = {
  "env get_page_unless_zero": { after: afterSpeculativeGet },
  "env put_page": { before: beforeEnvPut, after: afterEnvPut },
  "env fail": {},
  "env owner_gone": { before: beforeOwnerGone },
  "env place": {},
};
