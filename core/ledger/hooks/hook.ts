/**
 * What a hook is, and what hooks share: whose a page is, who may use it, and
 * what is wrong when nobody may.
 *
 * @module
 */
import * as $judge from "../judge.ts";
import * as $words from "../../memory/words.ts";
import * as $families from "../families.ts";
import * as $invariants from "../invariants.ts";
import type { Ledger } from "../ledger.ts";
import * as $states from "../states.ts";
import * as $observe from "../observe.ts";
import * as $why from "../why.ts";
import * as $records from "../records.ts";

const {
  GR_COMPOUND,
  GR_FAMILY,
  GR_FIRST,
  GR_FLAGS,
  GR_HELD,
  GR_ORDER,
  GR_OWNER_REFS,
  GR_SHIFT,
  GR_STATE,
  GR_TOTAL,
  L_ENV_REFS,
  L_GRANT,
  L_REFS,
  L_SHIFT,
} = $records;
const { judgeRelease, leak, leave, released } = $judge;
const { PAGE_OFFSET, PAGE_SHIFT } = $words;
const { EXACT, KERNEL, RESERVED } = $families;
const { BAD_REFERENCE, CORRUPTION, DOUBLE_FREE, HEAD_MISUSE, LATENT, LEAK, ORDER_MISMATCH, USE_AFTER_FREE } =
  $invariants;
const { G_ASIDE, G_FOREIGN, G_SIZED, INTENDED, LIVE } = $states;
const { isFree } = $observe;
const { WHY_GIVEN_UP, WHY_LOST, WHY_NOT_GRANTED, WHY_PUT_AT_ZERO, WHY_REFS, WHY_RELEASED } = $why;

/** A hook. */
export type Hook = (l: Ledger) => void;

/** The hooks of one call. */
export interface Hooks {
  readonly before?: Hook;
  readonly after?: Hook;
}

export function pfnOf(virt: number): number {
  return (virt - PAGE_OFFSET) >> PAGE_SHIFT;
}

/** The page that a pointer of any kind stands for: the environment finds pages by their number. */
export function pageOf(value: number): number {
  return value >= PAGE_OFFSET ? pfnOf(value) : value;
}

/** The page that holds the references of a page's block: the head where it was granted compound. */
export function holder(l: Ledger, g: number, pfn: number): number {
  return l.grants[(g << GR_SHIFT) | GR_COMPOUND] !== 0 ? l.grants[(g << GR_SHIFT) | GR_FIRST]! : pfn;
}

export function singles(l: Ledger, g: number): boolean {
  const family = l.grants[(g << GR_SHIFT) | GR_FAMILY]!;
  return family === EXACT || family === RESERVED;
}

/** References that the program itself may put. */
export function own(l: Ledger, g: number, pfn: number): number {
  return singles(l, g)
    ? l.pages[(pfn << L_SHIFT) | L_REFS]! - l.pages[(pfn << L_SHIFT) | L_ENV_REFS]!
    : l.grants[(g << GR_SHIFT) | GR_OWNER_REFS]!;
}

/** Whether a page may be used by the program: a live grant that it has not given up. */
export function usable(l: Ledger, pfn: number, why: number): boolean {
  l.checks[USE_AFTER_FREE]!++;
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  // What the kernel took for itself was never the program's.
  if (
    g >= 0 && l.grants[(g << GR_SHIFT) | GR_FAMILY] !== KERNEL &&
    (l.grants[(g << GR_SHIFT) | GR_STATE] === LIVE || l.grants[(g << GR_SHIFT) | GR_OWNER_REFS]! > 0)
  ) return true;
  l.misuse = true;
  l.record(USE_AFTER_FREE, CORRUPTION, why, g, pfn, 0, 0, 0);
  return false;
}

export function notGranted(l: Ledger, pfn: number): void {
  l.misuse = true;
  l.record(DOUBLE_FREE, CORRUPTION, WHY_NOT_GRANTED, -1, pfn, 0, 0, 0);
  l.record(BAD_REFERENCE, CORRUPTION, WHY_PUT_AT_ZERO, -1, pfn, 0, 0, 0);
}

export function givenUp(l: Ledger, g: number, pfn: number): void {
  l.misuse = true;
  l.record(DOUBLE_FREE, CORRUPTION, WHY_GIVEN_UP, g, pfn, 0, l.grants[(g << GR_SHIFT) | GR_STATE]!, 0);
  // What it puts is somebody else's: the environment's, or a gather's.
  l.record(BAD_REFERENCE, CORRUPTION, WHY_PUT_AT_ZERO, g, pfn, 0, 0, 0);
}

export function putAtZero(l: Ledger, g: number, pfn: number): void {
  l.misuse = true;
  l.record(BAD_REFERENCE, CORRUPTION, WHY_PUT_AT_ZERO, g, pfn, 0, pfn - l.grants[(g << GR_SHIFT) | GR_FIRST]!, 0);
}

/** One page of a grant whose pages leave one by one; or 2^order of them, where the release claimed so many. */
export function releaseOne(l: Ledger, g: number, pfn: number, order = 0): void {
  const aside = (l.grants[(g << GR_SHIFT) | GR_FLAGS]! & G_ASIDE) !== 0;
  const end = Math.min(pfn + (1 << order), l.nrPages);
  let missing = 0;
  let lost = pfn;
  let severity = LATENT;
  for (let p = pfn; p < end; p++) {
    if (l.pages[(p << L_SHIFT) | L_GRANT] !== g) {
      severity = CORRUPTION;
      continue;
    }
    // The kernel frees the pages behind the first whatever holds them.
    if (p > pfn && l.pages[(p << L_SHIFT) | L_REFS]! > 0) {
      l.record(BAD_REFERENCE, CORRUPTION, WHY_REFS, g, p, 0, l.pages[(p << L_SHIFT) | L_REFS]!, 0);
    }
    const free = isFree(l.mem, l.layout, p);
    if (!free && missing++ === 0) lost = p;
    leave(l, g, p, free);
  }
  if (severity === CORRUPTION) {
    l.record(ORDER_MISMATCH, CORRUPTION, WHY_RELEASED, g, pfn, 0, l.grants[(g << GR_SHIFT) | GR_TOTAL]!, 1 << order);
  } else if (missing > 0) severity = LEAK;
  judgePage(l, g, severity);
  if (missing > 0 && !aside) leak(l, g, missing, WHY_LOST, lost);
  if (l.grants[(g << GR_SHIFT) | GR_HELD] === 0) l.drop(g);
}

/** `family` of one page's release; the grant's other pages have theirs before them. */
export function judgePage(l: Ledger, g: number, severity: number): void {
  judgeRelease(l, g, severity);
  l.grants[(g << GR_SHIFT) | GR_FLAGS]! &= ~(G_FOREIGN | G_SIZED);
}

/** A reference of a block was put by somebody: was it the last? */
export function dropped(l: Ledger, g: number, pfn: number): void {
  if (l.pages[(pfn << L_SHIFT) | L_REFS] === 0) return released(l, g, -1);
  if (l.grants[(g << GR_SHIFT) | GR_OWNER_REFS] === 0 && l.grants[(g << GR_SHIFT) | GR_STATE] === LIVE) {
    l.grants[(g << GR_SHIFT) | GR_STATE] = INTENDED;
  }
  l.checkRefs(g, pfn);
  l.checkCompound(g);
}

/** The release of a grant will be sized by an order lookup on its first page. */
export function sizedByLookup(l: Ledger, g: number): void {
  l.checks[HEAD_MISUSE]!++;
  if (singles(l, g) || l.grants[(g << GR_SHIFT) | GR_ORDER] === 0) return;
  const answer = l.lookupOrder(l.grants[(g << GR_SHIFT) | GR_FIRST]!);
  if (answer === l.grants[(g << GR_SHIFT) | GR_ORDER]) return;
  if (l.grants[(g << GR_SHIFT) | GR_COMPOUND] === 0) l.misuse = true;
  l.pendingOrder = answer;
  l.grants[(g << GR_SHIFT) | GR_FLAGS]! |= G_SIZED;
}
