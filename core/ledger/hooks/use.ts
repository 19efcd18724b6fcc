/**
 * Lookups, casts, and contents: what a page may be taken for, and who may read
 * and write it.
 *
 * @module
 */
import * as $memMap from "../../memory/mem_map.ts";
import * as $words from "../../memory/words.ts";
import * as $families from "../families.ts";
import * as $invariants from "../invariants.ts";
import type { Ledger } from "../ledger.ts";
import * as $states from "../states.ts";
import * as $why from "../why.ts";
import * as $walkers from "../walkers.ts";
import * as $fragments from "./fragments.ts";
import type { Hooks } from "./hook.ts";
import * as $hook from "./hook.ts";
import * as $records from "../records.ts";

const { GR_FAMILY, GR_FIRST, GR_OWNER_REFS, GR_SHIFT, GR_STATE, GR_TOTAL, L_GRANT, L_SHIFT, L_WRITTEN_OFF } = $records;
const { STALE } = $memMap;
const { NULL } = $words;
const { EXACT, FRAGMENT } = $families;
const { CORRUPTION, HEAD_MISUSE, LATENT, TAIL_CAST, UNINITIALISED_TABLE, USE_AFTER_FREE } = $invariants;
const { LINK_USED, LIVE, VIA_HEAD, VIA_ORDER, VIA_RECORDED } = $states;
const { WHY_LOOKUP, WHY_READ_FREE, WHY_TAIL_CAST, WHY_TAIL_WRITTEN, WHY_UNINITIALISED, WHY_WRITE_FREE } = $why;
const { tableAt } = $walkers;
const { usesPart } = $fragments;
const { pageOf, pfnOf, usable } = $hook;

/** A lookup reads struct page: without a grant that is latent (struct pages outlive grants today). */
function reads(l: Ledger, pfn: number): void {
  l.checks[USE_AFTER_FREE]!++;
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  if (
    l.pages[(pfn << L_SHIFT) | L_WRITTEN_OFF] ||
    (g >= 0 && (l.grants[(g << GR_SHIFT) | GR_STATE] === LIVE || l.grants[(g << GR_SHIFT) | GR_OWNER_REFS]! > 0))
  ) return;
  l.misuse = true;
  l.record(USE_AFTER_FREE, LATENT, WHY_READ_FREE, g, pfn, 0, 0, 0);
}

function readsA(l: Ledger): void {
  reads(l, l.a);
}

/** A descriptor is taken for its folio: of a tail page that is none. */
function folioOfA(l: Ledger): void {
  const via = viaOf(l);
  if ((via & VIA_RECORDED) === 0) made(l, l.a, (via & VIA_HEAD) !== 0, false);
}

/** A folio's flags are read: of a tail page that is a BUG (`folio_flags`). */
function readsFolioA(l: Ledger): void {
  reads(l, l.a);
  folioOfA(l);
}

/** How the first operand was made; a page at an offset from it was not made so. */
export function viaOf(l: Ledger): number {
  return l.sa >= 0 && (l.offset & 1023) === 0 ? l.via[l.sa]! : 0;
}

function readsVirtA(l: Ledger): void {
  reads(l, pfnOf(l.a));
}

function viaHead(l: Ledger): void {
  if (l.dst >= 0) l.via[l.dst] = VIA_HEAD;
}

function viaOrder(l: Ledger): void {
  if (l.dst >= 0) l.via[l.dst] = VIA_ORDER;
}

function viaKept(l: Ledger): void {
  if (l.dst >= 0) l.via[l.dst] = viaOf(l);
}

/**
 * A descriptor or folio is made of a page.
 *
 * @param looked a head lookup was made
 * @param written it is written through at once
 * @returns whether something was recorded
 */
export function made(l: Ledger, pfn: number, looked: boolean, written: boolean): boolean {
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  if (looked) l.checks[HEAD_MISUSE]!++;
  else l.checks[TAIL_CAST]!++;
  // Of a page that does not exist nothing is known either.
  if (!(g >= 0) || pfn === l.grants[(g << GR_SHIFT) | GR_FIRST] || l.grants[(g << GR_SHIFT) | GR_FAMILY] === EXACT) {
    return false;
  }
  l.misuse = true;
  const offset = pfn - l.grants[(g << GR_SHIFT) | GR_FIRST]!;
  const severity = written ? CORRUPTION : LATENT;
  if (looked) l.record(HEAD_MISUSE, severity, WHY_LOOKUP, g, pfn, 0, offset, 0);
  else l.record(TAIL_CAST, severity, written ? WHY_TAIL_WRITTEN : WHY_TAIL_CAST, g, pfn, 0, offset, 0);
  return true;
}

export function descriptor(l: Ledger, pfn: number, looked: boolean, written: boolean): boolean {
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  if (g >= 0) l.castFamily(g);
  return made(l, pfn, looked, written);
}

function afterPagePtdesc(l: Ledger): void {
  if (l.res === NULL) return;
  const via = viaOf(l);
  const recorded = descriptor(l, l.res, (via & VIA_HEAD) !== 0, false);
  if (l.dst >= 0) l.via[l.dst] = recorded ? via | VIA_RECORDED : via;
}

function afterPtdescFolio(l: Ledger): void {
  if (l.res === NULL) return;
  const via = viaOf(l);
  if (l.dst >= 0) l.via[l.dst] = via;
  if (via & VIA_RECORDED) return;
  if (made(l, l.res, (via & VIA_HEAD) !== 0, false) && l.dst >= 0) l.via[l.dst] = via | VIA_RECORDED;
}

function afterPageFolio(l: Ledger): void {
  if (l.dst >= 0) l.via[l.dst] = VIA_HEAD;
  if (made(l, l.res, true, false) && l.dst >= 0) l.via[l.dst] = VIA_HEAD | VIA_RECORDED;
}

function beforeVirtToPtdesc(l: Ledger): void {
  if (l.headLookup) reads(l, pfnOf(l.a));
}

function afterVirtToPtdesc(l: Ledger): void {
  const recorded = descriptor(l, l.res, l.headLookup, false);
  if (l.dst >= 0) l.via[l.dst] = (l.headLookup ? VIA_HEAD : 0) | (recorded ? VIA_RECORDED : 0);
}

function beforeWrite(l: Ledger): void {
  usable(l, pfnOf(l.a), WHY_WRITE_FREE);
}

function beforeTableInit(l: Ledger): void {
  const first = pfnOf(l.a);
  for (let i = 0; i < l.b && first + i < l.nrPages; i++) {
    if (!usable(l, first + i, WHY_WRITE_FREE)) return;
  }
}

function beforePopulate(l: Ledger): void {
  const first = pageOf(l.a);
  if (!usable(l, first, WHY_READ_FREE)) return;
  l.checks[UNINITIALISED_TABLE]!++;
  const g = l.pages[(first << L_SHIFT) | L_GRANT]!;
  if (l.grants[(g << GR_SHIFT) | GR_FAMILY]! >= FRAGMENT) usesPart(l, g, l.a);
  l.gLink[tableAt(l, l.a)] = LINK_USED;
  const end = l.grants[(g << GR_SHIFT) | GR_FIRST]! + l.grants[(g << GR_SHIFT) | GR_TOTAL]!;
  for (let pfn = first; pfn < end; pfn++) {
    if (l.pages[(pfn << L_SHIFT) | L_GRANT] === g && l.mem[l.map.contents + pfn] === STALE) {
      l.misuse = true;
      l.record(
        UNINITIALISED_TABLE,
        CORRUPTION,
        WHY_UNINITIALISED,
        g,
        first,
        0,
        pfn - l.grants[(g << GR_SHIFT) | GR_FIRST]!,
        l.grants[(g << GR_SHIFT) | GR_TOTAL]!,
      );
      return;
    }
  }
}

/** The hooks of these calls. */
export const USE_HOOKS: Readonly<Record<string, Hooks>> = {
  compound_head: { before: readsA, after: viaHead },
  compound_order: { before: readsA, after: viaOrder },
  PageHead: { before: readsA },
  PageTail: { before: readsA },
  PageCompound: { before: readsA },
  virt_to_page: {},
  virt_to_head_page: { before: readsVirtA, after: viaHead },
  page_to_virt: {},
  page_address: {},
  folio_address: {},
  page_folio: { before: readsA, after: afterPageFolio },
  clear_page: { before: beforeWrite },
  table_init: { before: beforeTableInit },
  populate: { before: beforePopulate },
  page_ptdesc: { after: afterPagePtdesc },
  ptdesc_page: { after: viaKept },
  ptdesc_folio: { after: afterPtdescFolio },
  virt_to_ptdesc: { before: beforeVirtToPtdesc, after: afterVirtToPtdesc },
  ptdesc_to_virt: {},
  ptdesc_address: { before: folioOfA },
  ptdesc_is_reserved: { before: readsFolioA },
  pagetable_is_reserved: { before: readsFolioA },
  ptdesc_clear: { before: beforeWrite },
};
