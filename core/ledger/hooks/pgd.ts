/**
 * x86's list of pgds: stores through the descriptor's view (page->lru before
 * 6.6) into words that other views rely on.
 *
 * @module
 */
import * as $memMap from "../../memory/mem_map.ts";
import * as $words from "../../memory/words.ts";
import type { Hooks } from "./hook.ts";
import * as $hook from "./hook.ts";
import * as $use from "./use.ts";
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
  GR_SHIFT,
  GR_STATE,
  GR_TOTAL,
  L_GRANT,
  L_ON_LIST,
  L_SHIFT,
  L_TABLE,
} = $records;
const { LIST_PREV } = $memMap;
const { PAGE_WORDS_SHIFT, W_LRU_NEXT } = $words;
const { pfnOf, usable } = $hook;
const { descriptor } = $use;
const { FRAGMENT } = $families;
const { CORRUPTION, OVERLAY_CLOBBER } = $invariants;
const { G_LISTED, LEVEL_PMD, LIVE, T_DEPOSITED, T_LEVEL } = $states;
const { compoundDamage } = $observe;
const { WHY_CLOBBER_TABLE, WHY_CLOBBER_TAIL, WHY_LIST_BROKEN, WHY_LIST_STATE, WHY_WRITE_FREE } = $why;

/** Whether a list node's neighbours point back at it. */
export function linked(l: Ledger, pfn: number): boolean {
  const node = (l.describing(pfn) << PAGE_WORDS_SHIFT) + W_LRU_NEXT;
  const next = l.mem[node]! >> 2;
  const prev = l.mem[node + LIST_PREV]! >> 2;
  return l.mem[next + LIST_PREV] === node << 2 && l.mem[prev] === node << 2;
}

/** After a store through the descriptor's view of a page: what relied on its words? */
function stored(l: Ledger, pfn: number): void {
  l.checks[OVERLAY_CLOBBER]!++;
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  if (g < 0) return;
  if (l.pages[(pfn << L_SHIFT) | L_ON_LIST] !== 0 && !linked(l, pfn)) {
    l.record(OVERLAY_CLOBBER, CORRUPTION, WHY_LIST_BROKEN, g, pfn, 0, 0, 0);
  }
  if (
    l.grants[(g << GR_SHIFT) | GR_COMPOUND] === 0 ||
    l.grants[(g << GR_SHIFT) | GR_HELD] !== l.grants[(g << GR_SHIFT) | GR_TOTAL]
  ) return;
  const first = l.grants[(g << GR_SHIFT) | GR_FIRST]!;
  const nr = l.mem[(first << PAGE_WORDS_SHIFT) + l.nrPagesWord];
  const damaged = compoundDamage(
    l.mem,
    l.layout,
    first,
    l.grants[(g << GR_SHIFT) | GR_TOTAL]!,
    l.grants[(g << GR_SHIFT) | GR_ORDER]!,
  ) !== -1;
  if (damaged || nr !== l.grants[(g << GR_SHIFT) | GR_TOTAL]) {
    l.record(OVERLAY_CLOBBER, CORRUPTION, WHY_CLOBBER_TAIL, g, pfn, 0, pfn - first, 0);
  }
  l.checkCompound(g);
}

/** pt_list lies over pmd_huge_pte of a table of PMDs, pt_mm over pt_share_count; of any table it is no use. */
function overTable(l: Ledger, pfn: number, mm: boolean): void {
  const state = l.pages[(pfn << L_SHIFT) | L_TABLE]!;
  if ((state & (T_LEVEL | T_DEPOSITED)) === 0) return;
  l.misuse = true;
  if ((state & T_LEVEL) !== LEVEL_PMD || !(mm ? l.pmdShare : l.splitPmd)) return;
  l.record(OVERLAY_CLOBBER, CORRUPTION, WHY_CLOBBER_TABLE, l.pages[(pfn << L_SHIFT) | L_GRANT]!, pfn, 0, mm ? 2 : 1, 0);
}

function before(l: Ledger, listed: number): void {
  const pfn = pfnOf(l.a);
  if (!usable(l, pfn, WHY_WRITE_FREE)) return;
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  if (l.hasDescriptors && !l.headLookup) descriptor(l, pfn, false, true);
  else if (l.grants[(g << GR_SHIFT) | GR_COMPOUND] !== 0 && pfn !== l.grants[(g << GR_SHIFT) | GR_FIRST]) {
    l.misuse = true;
  }
  if (l.grants[(g << GR_SHIFT) | GR_STATE] !== LIVE || l.grants[(g << GR_SHIFT) | GR_FAMILY]! >= FRAGMENT) {
    l.misuse = true;
  }
  overTable(l, pfn, listed < 0);
  if (listed < 0 || l.pages[(pfn << L_SHIFT) | L_ON_LIST] === listed) return;
  l.misuse = true;
  l.record(OVERLAY_CLOBBER, CORRUPTION, WHY_LIST_STATE, l.pages[(pfn << L_SHIFT) | L_GRANT]!, pfn, 0, listed, 0);
}

function beforeAdd(l: Ledger): void {
  before(l, 0);
}

function afterAdd(l: Ledger): void {
  const pfn = pfnOf(l.a);
  l.pages[(pfn << L_SHIFT) | L_ON_LIST] = 1;
  if (l.pages[(pfn << L_SHIFT) | L_GRANT]! >= 0) {
    l.grants[(l.pages[(pfn << L_SHIFT) | L_GRANT]! << GR_SHIFT) | GR_FLAGS]! |= G_LISTED;
  }
  stored(l, pfn);
}

function beforeDel(l: Ledger): void {
  before(l, 1);
}

function afterDel(l: Ledger): void {
  const pfn = pfnOf(l.a);
  l.pages[(pfn << L_SHIFT) | L_ON_LIST] = 0;
  stored(l, pfn);
}

function beforeSetMm(l: Ledger): void {
  before(l, -1);
}

function afterSetMm(l: Ledger): void {
  stored(l, pfnOf(l.a));
}

/** The hooks of the pgd calls. */
export const PGD_HOOKS: Readonly<Record<string, Hooks>> = {
  pgd_list_add: { before: beforeAdd, after: afterAdd },
  pgd_list_del: { before: beforeDel, after: afterDel },
  pgd_set_mm: { before: beforeSetMm, after: afterSetMm },
};
