/**
 * mmu_gather: a queued table's token is the gather's until the gather, or a grace
 * period, gives it up.
 *
 * @module
 */
import * as $judge from "../judge.ts";
import * as $words from "../../memory/words.ts";
import * as $families from "../families.ts";
import * as $invariants from "../invariants.ts";
import type { Ledger } from "../ledger.ts";
import * as $states from "../states.ts";
import * as $walkers from "../walkers.ts";
import * as $why from "../why.ts";
import * as $fragments from "./fragments.ts";
import type { Hooks } from "./hook.ts";
import * as $hook from "./hook.ts";
import * as $records from "../records.ts";

const {
  GR_COMPOUND,
  GR_FAMILY,
  GR_FIRST,
  GR_GATHER,
  GR_ORDER,
  GR_OWNER_REFS,
  GR_QUEUED,
  GR_SHIFT,
  GR_STATE,
  GR_TOTAL,
  L_ENV_REFS,
  L_GRANT,
  L_REFS,
  L_SHIFT,
  L_TABLE,
  L_WRITTEN_OFF,
} = $records;
const { chunked, released } = $judge;
const { NULL } = $words;
const { BY_GATHER, BY_GATHER_PTDESC, BY_PAGETABLE, FRAGMENT } = $families;
const { CORRUPTION, DOUBLE_FREE, GATHER_TWICE, USE_AFTER_FREE } = $invariants;
const {
  DESTRUCTS_ALL,
  DESTRUCTS_ANY,
  DESTRUCTS_NONE,
  DESTRUCTS_PTE,
  INTENDED,
  LIVE,
  QUEUED,
  RELEASE_LOOKUP,
  RELEASE_ORDER_2,
  RELEASE_PUT,
  T_LEVEL,
} = $states;
const { leaveTable, WALK_TLB } = $walkers;
const { WHY_GATHER_DONE, WHY_NOT_GRANTED, WHY_QUEUED_TWICE } = $why;
const { deferPart, partFreed, queueRaw, sharesPage } = $fragments;
const { givenUp, holder, notGranted, own, pageOf, putAtZero, singles, sizedByLookup } = $hook;

function gatherStarted(l: Ledger): void {
  l.gathers[l.res] = 1;
  l.gatherIds[l.res] = ++l.nGathers;
}

function afterGatherStart(l: Ledger): void {
  if (l.res === NULL) return;
  gatherStarted(l);
  l.ranges[l.res] = 0;
}

function afterGatherFullmm(l: Ledger): void {
  if (l.res === NULL) return;
  gatherStarted(l);
  l.ranges[l.res] = 2;
}

function gatherLive(l: Ledger): boolean {
  if (l.gathers[l.a] === 1) return true;
  l.misuse = true;
  l.record(USE_AFTER_FREE, CORRUPTION, WHY_GATHER_DONE, -1, NULL, 0, 0, 0);
  return false;
}

function beforeFlush(l: Ledger): void {
  if (gatherLive(l) && l.ranges[l.a] === 1) l.ranges[l.a] = 0;
}

function beforeFinish(l: Ledger): void {
  gatherLive(l);
}

function beforeRange(l: Ledger): void {
  if (gatherLive(l) && l.ranges[l.a] === 0) l.ranges[l.a] = 1;
}

function afterFinish(l: Ledger): void {
  l.gathers[l.a] = 0;
}

/** Whether a table's destructor runs on the way; where it will and there is nothing to destruct, that is a misuse. */
function willDestruct(l: Ledger, g: number, destructs: number): boolean {
  if (destructs === DESTRUCTS_NONE || (destructs === DESTRUCTS_PTE && l.grants[(g << GR_SHIFT) | GR_ORDER] === 2)) {
    return false;
  }
  if (
    destructs !== DESTRUCTS_ANY &&
    (l.pages[(l.grants[(g << GR_SHIFT) | GR_FIRST]! << L_SHIFT) | L_TABLE]! & T_LEVEL) === 0
  ) l.misuse = true;
  return true;
}

/** A table or page is queued: its owner's token goes to the gather. */
function queue(l: Ledger, pfn: number, way: number, release: number, destructs: number, refs = 1): void {
  l.checks[DOUBLE_FREE]!++;
  if (!gatherLive(l)) return;
  if (release < 0) {
    if (l.ranges[l.a] === 0) l.misuse = true;
  }
  // Whatever is queued may flush, and the range is empty again.
  if (l.ranges[l.a] === 1) l.ranges[l.a] = 0;
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  if (g < 0) return notGranted(l, pfn);
  const at = holder(l, g, pfn);
  if (l.grants[(g << GR_SHIFT) | GR_STATE] === QUEUED && own(l, g, at) < refs) {
    l.checks[GATHER_TWICE]!++;
    l.record(GATHER_TWICE, CORRUPTION, WHY_QUEUED_TWICE, g, pfn, 0, 1, 0);
    return givenUp(l, g, pfn);
  }
  if (l.grants[(g << GR_SHIFT) | GR_STATE] !== LIVE && own(l, g, at) < refs) return givenUp(l, g, pfn);
  // The gather ends its mm: the hardware walks nothing of it any more.
  if (l.ranges[l.a] === 2 && l.deadAsid) leaveTable(l, g, WALK_TLB);
  // s390 takes the address for the block's first page, and so does a destructor; a put looks the head up.
  if ((release > 0 || destructs !== DESTRUCTS_NONE) && pfn !== l.grants[(g << GR_SHIFT) | GR_FIRST]) l.misuse = true;
  if (
    own(l, g, at) < refs || l.pages[(at << L_SHIFT) | L_REFS] === 0 ||
    (singles(l, g) && l.grants[(g << GR_SHIFT) | GR_TOTAL]! > 1)
  ) return putAtZero(l, g, pfn);
  l.intend(g, way, willDestruct(l, g, destructs));
  l.grants[(g << GR_SHIFT) | GR_OWNER_REFS]! -= refs;
  l.grants[(g << GR_SHIFT) | GR_STATE] = QUEUED;
  l.grants[(g << GR_SHIFT) | GR_GATHER] = l.gatherIds[l.a]!;
  if (release === RELEASE_ORDER_2) {
    if (l.grants[(g << GR_SHIFT) | GR_ORDER] !== 2) l.misuse = true;
  } else sizedByLookup(l, g);
}

/** sparc64 queues a page of PTEs: it is destructed and freed by its descriptor. */
export function queuePage(l: Ledger, pfn: number): void {
  queue(l, pfn, l.hasDescriptors ? BY_GATHER_PTDESC : BY_GATHER, RELEASE_LOOKUP, DESTRUCTS_ALL);
}

function beforeRemovePage(l: Ledger): void {
  queue(l, l.b, BY_GATHER, -1, DESTRUCTS_NONE);
}

/** Each page is mapped once, and each mapping holds a reference of the folio. */
function beforeRemoveFolioPages(l: Ledger): void {
  const g = l.pages[(l.b << L_SHIFT) | L_GRANT]!;
  if (g >= 0 && l.b + l.c > l.grants[(g << GR_SHIFT) | GR_FIRST]! + l.grants[(g << GR_SHIFT) | GR_TOTAL]!) {
    l.misuse = true;
  }
  queue(l, l.b, BY_GATHER, -1, DESTRUCTS_NONE, l.c);
}

function beforeRemoveTable(l: Ledger): void {
  if (l.queuesParts || l.queuesPages) return queueRaw(l);
  // s390 frees tables by pagetable_free, under whatever name they were queued.
  const way = !l.tablesArePages && l.tableRelease === RELEASE_LOOKUP ? BY_GATHER_PTDESC : BY_GATHER;
  queue(l, pageOf(l.b), way, l.tablesArePages ? -1 : l.tableRelease, l.tableDestructs);
}

function beforeRemovePtdesc(l: Ledger): void {
  if (l.queuesParts || l.queuesPages) return queueRaw(l);
  queue(l, pageOf(l.b), BY_GATHER_PTDESC, l.tablesArePages ? -1 : l.tableRelease, l.tableDestructs);
}

/** `pte_free_defer`: the table's token goes to RCU. */
function beforeDefer(l: Ledger): void {
  l.pending = -1;
  if (l.queuesParts || sharesPage(l, l.b)) return deferPart(l);
  const pfn = pageOf(l.b);
  l.checks[DOUBLE_FREE]!++;
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  if (g < 0) return notGranted(l, pfn);
  if (l.grants[(g << GR_SHIFT) | GR_STATE] !== LIVE) return givenUp(l, g, pfn);
  const at = holder(l, g, pfn);
  if (pfn !== l.grants[(g << GR_SHIFT) | GR_FIRST]) l.misuse = true;
  if (own(l, g, at) <= 0 || l.pages[(at << L_SHIFT) | L_REFS] === 0 || singles(l, g)) return putAtZero(l, g, pfn);
  l.intend(g, BY_PAGETABLE, willDestruct(l, g, DESTRUCTS_ALL));
  toLater(l, g);
  sizedByLookup(l, g);
}

/** What is given up now and freed later, by no gather. */
export function toLater(l: Ledger, g: number): void {
  l.grants[(g << GR_SHIFT) | GR_OWNER_REFS]!--;
  l.grants[(g << GR_SHIFT) | GR_STATE] = QUEUED;
  l.grants[(g << GR_SHIFT) | GR_GATHER] = -1;
  l.grants[(g << GR_SHIFT) | GR_QUEUED]!++;
}

function beforeRemovePagePtdesc(l: Ledger): void {
  const frozen = l.frozenTables;
  // powerpc's __tlb_remove_table takes an address.
  if (frozen && (l.queuesParts || l.queuesPages)) l.misuse = true;
  queue(l, l.b, BY_GATHER_PTDESC, frozen ? l.tableRelease : -1, frozen ? l.tableDestructs : DESTRUCTS_NONE);
}

/** A gather takes references of a page (EV_QUEUED): are they those that it was given? */
export function gatherTook(l: Ledger, pfn: number, refs: number): void {
  l.checks[GATHER_TWICE]!++;
  if (pfn < 0 || pfn >= l.nrPages) return;
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  // Of tables that share a page each has its own place on the ledger.
  if (g >= 0 && l.grants[(g << GR_SHIFT) | GR_FAMILY]! >= FRAGMENT) return;
  if (g >= 0) {
    const at = holder(l, g, pfn);
    l.grants[(g << GR_SHIFT) | GR_QUEUED]! += refs;
    if (
      l.grants[(g << GR_SHIFT) | GR_QUEUED]! <=
        l.pages[(at << L_SHIFT) | L_REFS]! - l.pages[(at << L_SHIFT) | L_ENV_REFS]! -
          l.grants[(g << GR_SHIFT) | GR_OWNER_REFS]!
    ) return;
  } else if (l.pages[(pfn << L_SHIFT) | L_WRITTEN_OFF] !== 0) return;
  if (!l.stop && !l.misuse) l.record(GATHER_TWICE, CORRUPTION, WHY_QUEUED_TWICE, g, pfn, 0, 0, 0);
}

/**
 * A gather puts what was queued (EV_GATHER_PUT), or `__tlb_remove_table` frees
 * it (EV_TABLE): the gather's token goes.
 *
 * @param release a RELEASE_* code
 * @param refs references that it puts at once
 */
export function gatherReleased(l: Ledger, pfn: number, release: number, refs = 1): void {
  l.checks[DOUBLE_FREE]!++;
  if (pfn < 0 || pfn >= l.nrPages) return;
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  const at = g >= 0 ? holder(l, g, pfn) : pfn;
  // The gather's own are the references that neither the owner nor the environment holds.
  if (
    g < 0 ||
    l.pages[(at << L_SHIFT) | L_REFS]! - l.pages[(at << L_SHIFT) | L_ENV_REFS]! -
          l.grants[(g << GR_SHIFT) | GR_OWNER_REFS]! < refs
  ) {
    if (!l.stop && !l.misuse && l.pages[(at << L_SHIFT) | L_WRITTEN_OFF] === 0) {
      l.record(DOUBLE_FREE, CORRUPTION, WHY_NOT_GRANTED, g, pfn, 0, 0, 0);
    }
    if (g < 0 || l.pages[(at << L_SHIFT) | L_REFS] === 0) return;
  }
  l.pages[(at << L_SHIFT) | L_REFS]! -= refs;
  l.grants[(g << GR_SHIFT) | GR_QUEUED]! -= refs;
  if (release === RELEASE_PUT && l.flushedAtUnmap) leaveTable(l, g, WALK_TLB);
  if (l.grants[(g << GR_SHIFT) | GR_STATE] === QUEUED && l.grants[(g << GR_SHIFT) | GR_QUEUED]! <= 0) {
    l.grants[(g << GR_SHIFT) | GR_STATE] = INTENDED;
  }
  l.pendingOrder = 0;
  if (l.pages[(at << L_SHIFT) | L_REFS]! <= 0) return released(l, g, release === RELEASE_ORDER_2 ? 2 : -1);
  if (release !== 0 && l.grants[(g << GR_SHIFT) | GR_COMPOUND] === 0 && l.grants[(g << GR_SHIFT) | GR_TOTAL]! > 1) {
    chunked(l, g);
  }
  // Memory is as after the call: gathers may have put others that are still to be told of.
  if (l.grants[(g << GR_SHIFT) | GR_QUEUED]! > 0) return;
  l.checkRefs(g, at);
  l.checkCompound(g);
}

/** The hooks of these calls. */
export const GATHER_HOOKS: Readonly<Record<string, Hooks>> = {
  tlb_gather_mmu: { after: afterGatherStart },
  tlb_gather_mmu_fullmm: { after: afterGatherFullmm },
  tlb_flush_pte_range: { before: beforeRange },
  tlb_flush_pmd_range: { before: beforeRange },
  tlb_flush_pud_range: { before: beforeRange },
  tlb_flush_p4d_range: { before: beforeRange },
  tlb_remove_page: { before: beforeRemovePage },
  tlb_remove_table: { before: beforeRemoveTable },
  tlb_remove_ptdesc: { before: beforeRemovePtdesc },
  tlb_remove_page_ptdesc: { before: beforeRemovePagePtdesc },
  tlb_flush_mmu: { before: beforeFlush },
  tlb_flush_mmu_tlbonly: { before: beforeFlush },
  tlb_remove_page_size: { before: beforeRemovePage },
  __tlb_remove_folio_pages: { before: beforeRemoveFolioPages },
  tlb_change_page_size: { before: beforeFlush },
  tlb_delay_rmap: { before: beforeFinish },
  tlb_flush_rmaps: { before: beforeFinish },
  p4d_free_tlb: { before: beforeFinish },
  pud_free_tlb: { before: beforeFinish },
  tlb_remove_table_sync_one: {},
  flush_tlb_range: {},
  flush_tlb_mm: {},
  flush_tlb_all: {},
  flush_tlb_kernel_range: {},
  pte_free_defer: { before: beforeDefer, after: partFreed },
  tlb_finish_mmu: { before: beforeFinish, after: afterFinish },
};
