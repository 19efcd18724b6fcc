/**
 * What came of a release: which pages the kernel freed, which are lost, and how
 * bad that is.
 *
 * @module
 */
import * as $memMap from "../memory/mem_map.ts";
import * as $words from "../memory/words.ts";
import * as $families from "./families.ts";
import * as $invariants from "./invariants.ts";
import type { Ledger } from "./ledger.ts";
import * as $observe from "./observe.ts";
import * as $states from "./states.ts";
import * as $parts from "./parts.ts";
import * as $table from "./table.ts";
import * as $walkers from "./walkers.ts";
import * as $why from "./why.ts";
import * as $records from "./records.ts";

const {
  GR_FAMILY,
  GR_FIRST,
  GR_FLAGS,
  GR_GATHER,
  GR_HELD,
  GR_INTENT_CALL,
  GR_INTENT_STEP,
  GR_ORDER,
  GR_OWNER_REFS,
  GR_RELEASED,
  GR_SEEN,
  GR_SHIFT,
  GR_STATE,
  GR_TOTAL,
  L_GRANT,
  L_ON_LIST,
  L_REFS,
  L_RESERVED,
  L_SHIFT,
  L_TABLE,
  L_WRITTEN_OFF,
} = $records;
const { Z_CHARGED, Z_FREE, Z_PAGETABLE, ZONE_WORDS } = $memMap;
const { NULL } = $words;
const { EXACT, FRAGMENT, RESERVED } = $families;
const {
  BUDDY_STRUCTURE,
  CORRUPTION,
  DOUBLE_FREE,
  FAMILY,
  HEAD_MISUSE,
  LATENT,
  LEAK,
  ORDER_MISMATCH,
  OVERLAY_CLOBBER,
  PAGE_LEAK,
  RESERVED_ACCOUNTING,
  SHARED_PAGE,
} = $invariants;
const { freeUntil, isFree, listedPages } = $observe;
const { G_ASIDE, G_FOREIGN, G_SIZED, G_WAY_SHIFT, INTENDED, LIVE, MAX_GATHERS, QUEUED } = $states;
const { inUse } = $parts;
const { chargesDiffer, leaveLedgers, pagetablesDiffer } = $table;
const { leftWhileSeen } = $walkers;
const {
  WHY_FAMILY_RELEASE,
  WHY_FORGOTTEN,
  WHY_FREE_COUNT,
  WHY_FREED_AGAIN,
  WHY_FREED_ON_LIST,
  WHY_GRANTED_FREE,
  WHY_LOST,
  WHY_PARTS_FREED,
  WHY_RELEASED,
  WHY_RESERVED_FLAG,
  WHY_SIZED,
} = $why;

/** A page leaves its grant; where the kernel did not free it, it is written off. */
export function leave(l: Ledger, g: number, pfn: number, free: boolean): void {
  l.pages[(pfn << L_SHIFT) | L_GRANT] = -1;
  l.pages[(pfn << L_SHIFT) | L_REFS] = 0;
  l.grants[(g << GR_SHIFT) | GR_HELD]!--;
  if (l.pages[(pfn << L_SHIFT) | L_TABLE] !== 0) leaveLedgers(l, g, pfn, free);
  if (!free) {
    l.pages[(pfn << L_SHIFT) | L_WRITTEN_OFF] = 1;
    return;
  }
  if (l.pages[(pfn << L_SHIFT) | L_RESERVED] !== 0) {
    // It left by another way than free_reserved_page: the flag is gone, and managed_pages never saw it.
    l.pages[(pfn << L_SHIFT) | L_RESERVED] = 0;
    l.record(RESERVED_ACCOUNTING, CORRUPTION, WHY_RESERVED_FLAG, g, pfn, 0, pfn, 0);
  }
  if (l.grants[(g << GR_SHIFT) | GR_SEEN] !== 0) leftWhileSeen(l, g);
  l.grants[(g << GR_SHIFT) | GR_RELEASED]!++;
  l.freePages++;
  if (l.pages[(pfn << L_SHIFT) | L_ON_LIST]) {
    l.pages[(pfn << L_SHIFT) | L_ON_LIST] = 0;
    l.record(OVERLAY_CLOBBER, CORRUPTION, WHY_FREED_ON_LIST, g, pfn, 0, 0, 0);
  }
}

/**
 * The last token of a grant is gone: which of its pages did the kernel free?
 *
 * @param over order that the release claimed, or -1; more than granted is corruption
 */
export function released(l: Ledger, g: number, over: number): void {
  l.checks[ORDER_MISMATCH]!++;
  l.checks[PAGE_LEAK]!++;
  const first = l.grants[(g << GR_SHIFT) | GR_FIRST]!;
  const total = l.grants[(g << GR_SHIFT) | GR_TOTAL]!;
  const end = first + total;
  let missing = 0;
  let lost = NULL;
  let free = 0;
  for (let pfn = first; pfn < end; pfn++) {
    if (l.pages[(pfn << L_SHIFT) | L_GRANT] !== g) continue;
    if (pfn >= free) free = freeUntil(l.mem, l.layout, pfn);
    if (pfn >= free && missing++ === 0) lost = pfn;
    leave(l, g, pfn, pfn < free);
  }
  const gone = l.grants[(g << GR_SHIFT) | GR_RELEASED]!;
  const aside = (l.grants[(g << GR_SHIFT) | GR_FLAGS]! & G_ASIDE) !== 0;
  // What frees a frozen page does not ask for references: it must not be given one that has them.
  if (l.frozenTables && missing === 0) l.checkRefs(g, first);
  // Not freed because somebody holds it still: a reference that nobody took.
  if (missing > 0 && !aside) l.checkRefs(g, first);
  let severity = LATENT;
  if (l.grants[(g << GR_SHIFT) | GR_FAMILY]! >= FRAGMENT && gone > 0) {
    l.checks[SHARED_PAGE]!++;
    const parts = inUse(l, g);
    if (parts > 0) {
      severity = CORRUPTION;
      l.record(SHARED_PAGE, CORRUPTION, WHY_PARTS_FREED, g, first, 0, parts, 0);
    }
  }
  if (over > l.grants[(g << GR_SHIFT) | GR_ORDER]! && gone > 0) {
    severity = CORRUPTION;
    l.record(ORDER_MISMATCH, CORRUPTION, WHY_RELEASED, g, first, 0, total, 1 << over);
    neighbours(l, end, first + (1 << over));
  } else if (missing > 0) {
    severity = LEAK;
    if (!aside) l.record(ORDER_MISMATCH, LEAK, WHY_RELEASED, g, first, 0, total, gone);
  }
  judgeRelease(l, g, severity);
  if (missing > 0 && !aside) leak(l, g, missing, WHY_LOST, lost);
  l.drop(g);
}

/** What a release of too many pages did to those behind the block: freed again, or from under their owner. */
export function neighbours(l: Ledger, from: number, to: number): void {
  for (let pfn = from; pfn < to && pfn < l.nrPages; pfn++) {
    const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
    if (g < 0 && l.pages[(pfn << L_SHIFT) | L_WRITTEN_OFF] === 0) {
      l.record(DOUBLE_FREE, CORRUPTION, WHY_FREED_AGAIN, -1, from, 0, pfn, 0);
    } else if (g >= 0 && isFree(l.mem, l.layout, pfn)) {
      l.record(BUDDY_STRUCTURE, CORRUPTION, WHY_GRANTED_FREE, g, l.grants[(g << GR_SHIFT) | GR_FIRST]!, 0, pfn, 0);
    }
  }
}

/**
 * A release while others still hold page 0 of a block that is not compound:
 * the tails have no other owner, so those that the kernel freed leave now
 * (B1), and those that it kept are judged with the last reference.
 */
export function chunked(l: Ledger, g: number): void {
  const first = l.grants[(g << GR_SHIFT) | GR_FIRST]!;
  const end = first + l.grants[(g << GR_SHIFT) | GR_TOTAL]!;
  for (let pfn = first + 1; pfn < end; pfn++) {
    if (l.pages[(pfn << L_SHIFT) | L_GRANT] === g && isFree(l.mem, l.layout, pfn)) leave(l, g, pfn, true);
  }
}

/** Pages with a reference each (exact, reserved): those without one leave; what is not free is lost. */
export function settleSingles(l: Ledger, g: number): void {
  l.checks[ORDER_MISMATCH]!++;
  l.checks[PAGE_LEAK]!++;
  const first = l.grants[(g << GR_SHIFT) | GR_FIRST]!;
  const end = first + l.grants[(g << GR_SHIFT) | GR_TOTAL]!;
  let missing = 0;
  let lost = NULL;
  let held = 0;
  for (let pfn = first; pfn < end; pfn++) {
    if (l.pages[(pfn << L_SHIFT) | L_GRANT] !== g) continue;
    if (l.pages[(pfn << L_SHIFT) | L_REFS]! > 0) {
      held++;
      continue;
    }
    const free = isFree(l.mem, l.layout, pfn);
    if (!free && missing++ === 0) lost = pfn;
    leave(l, g, pfn, free);
  }
  const aside = (l.grants[(g << GR_SHIFT) | GR_FLAGS]! & G_ASIDE) !== 0;
  if (missing > 0 && !aside) {
    l.record(
      ORDER_MISMATCH,
      LEAK,
      WHY_RELEASED,
      g,
      first,
      0,
      l.grants[(g << GR_SHIFT) | GR_TOTAL]!,
      l.grants[(g << GR_SHIFT) | GR_RELEASED]!,
    );
  }
  judgeRelease(l, g, missing > 0 ? LEAK : LATENT);
  if (missing > 0 && !aside) leak(l, g, missing, WHY_LOST, lost);
  if (held === 0) l.drop(g);
  else l.grants[(g << GR_SHIFT) | GR_STATE] = INTENDED;
}

/** `family` and `head-misuse` of a release, as bad as its effect. */
export function judgeRelease(l: Ledger, g: number, severity: number): void {
  l.checks[FAMILY]!++;
  const flags = l.grants[(g << GR_SHIFT) | GR_FLAGS]!;
  const first = l.grants[(g << GR_SHIFT) | GR_FIRST]!;
  if (flags & G_FOREIGN) {
    l.record(
      FAMILY,
      severity,
      WHY_FAMILY_RELEASE,
      g,
      first,
      0,
      l.grants[(g << GR_SHIFT) | GR_FAMILY]!,
      flags >> G_WAY_SHIFT,
    );
  }
  if (flags & G_SIZED) {
    l.record(HEAD_MISUSE, severity, WHY_SIZED, g, first, 0, l.pendingOrder, l.grants[(g << GR_SHIFT) | GR_ORDER]!);
  }
}

/** Lays a leak of pages from the page `lost` on to the step that gave the grant up. */
export function leak(l: Ledger, g: number, pages: number, why: number, lost: number): void {
  const step = l.step;
  const op = l.op;
  if (why === WHY_LOST && l.grants[(g << GR_SHIFT) | GR_STATE] === INTENDED && l.draining === 0) {
    l.step = l.grants[(g << GR_SHIFT) | GR_INTENT_STEP]!;
    l.op = l.grants[(g << GR_SHIFT) | GR_INTENT_CALL]!;
  }
  l.record(
    PAGE_LEAK,
    LEAK,
    why,
    g,
    lost,
    pages,
    lost - l.grants[(g << GR_SHIFT) | GR_FIRST]!,
    l.grants[(g << GR_SHIFT) | GR_TOTAL]!,
  );
  l.step = step;
  l.op = op;
}

/**
 * The owner forgets a grant (`env owner_gone`): it leaks unless it was given
 * up. That is more than a release: references that the owner took beside its
 * own are never put now, and a gather that its path has not finished never is.
 */
export function forget(l: Ledger, g: number): void {
  l.checks[PAGE_LEAK]!++;
  const family = l.grants[(g << GR_SHIFT) | GR_FAMILY]!;
  const owed = family !== EXACT && family !== RESERVED && l.grants[(g << GR_SHIFT) | GR_OWNER_REFS]! > 0;
  const unfinished = l.grants[(g << GR_SHIFT) | GR_STATE] === QUEUED &&
    stranded(l, l.grants[(g << GR_SHIFT) | GR_GATHER]!);
  if (l.grants[(g << GR_SHIFT) | GR_STATE] !== LIVE && !owed && !unfinished) return;
  l.misuse = true;
  const held = l.grants[(g << GR_SHIFT) | GR_HELD]!;
  l.grants[(g << GR_SHIFT) | GR_INTENT_STEP] = l.step;
  l.grants[(g << GR_SHIFT) | GR_INTENT_CALL] = l.op;
  leak(l, g, held, WHY_FORGOTTEN, l.grants[(g << GR_SHIFT) | GR_FIRST]!);
  writeOff(l, g);
}

/** A grant's pages are lost, which was said: nothing more is asked of them. */
export function writeOff(l: Ledger, g: number): void {
  const end = l.grants[(g << GR_SHIFT) | GR_FIRST]! + l.grants[(g << GR_SHIFT) | GR_TOTAL]!;
  for (let pfn = l.grants[(g << GR_SHIFT) | GR_FIRST]!; pfn < end; pfn++) {
    if (l.pages[(pfn << L_SHIFT) | L_GRANT] !== g) continue;
    l.pages[(pfn << L_SHIFT) | L_GRANT] = -1;
    l.pages[(pfn << L_SHIFT) | L_WRITTEN_OFF] = 1;
    // What was lost with it stays counted and charged.
    l.pages[(pfn << L_SHIFT) | L_TABLE] = 0;
  }
  l.drop(g);
}

/** Whether a gather was started and not finished; from now on nobody will. */
export function stranded(l: Ledger, id: number): boolean {
  for (let i = 0; i < MAX_GATHERS; i++) {
    if (l.gathers[i] === 0 || l.gatherIds[i] !== id) continue;
    l.gathers[i] = 2;
    return true;
  }
  return false;
}

/** After a step: free pages, NR_PAGETABLE and charges must be what the grants and the tables' ledgers leave. */
export function checkCounts(l: Ledger): void {
  const { mem, zones } = l;
  l.checks[BUDDY_STRUCTURE]!++;
  const raw = (mem[zones + Z_FREE]! + mem[zones + ZONE_WORDS + Z_FREE]!) | 0;
  const pagetables = mem[zones + Z_PAGETABLE]!;
  const charges = mem[zones + Z_CHARGED]!;
  if (raw !== l.freePages) freeDiffers(l, raw);
  if (pagetables !== l.pagetables) pagetablesDiffer(l, pagetables);
  if (charges !== l.charges) chargesDiffer(l, charges);
}

/** Why the count of free pages is another than the grants leave. */
function freeDiffers(l: Ledger, raw: number): void {
  const should = l.freePages;
  l.freePages = raw;
  if (l.stop) return;
  if (listedPages(l.mem, l.map) !== raw) {
    l.record(BUDDY_STRUCTURE, CORRUPTION, WHY_FREE_COUNT, -1, NULL, 0, raw, should);
    return;
  }
  if (raw > should) {
    // Something was released that no grant held.
    l.record(DOUBLE_FREE, CORRUPTION, WHY_FREE_COUNT, -1, NULL, 0, raw, should);
    return;
  }
  // The kernel took pages and gave them to nobody.
  l.top = l.nrPages;
  let first = NULL;
  for (let pfn = l.nrPages - 1; pfn >= 0; pfn--) {
    if (
      l.pages[(pfn << L_SHIFT) | L_GRANT]! >= 0 || l.pages[(pfn << L_SHIFT) | L_WRITTEN_OFF] !== 0 ||
      isFree(l.mem, l.layout, pfn)
    ) continue;
    l.pages[(pfn << L_SHIFT) | L_WRITTEN_OFF] = 1;
    first = pfn;
  }
  l.record(PAGE_LEAK, LEAK, WHY_LOST, -1, first, should - raw, 0, should - raw);
}
