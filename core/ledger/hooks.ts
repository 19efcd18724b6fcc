/**
 * What each call means to the ledger: a hook before it runs, which takes the
 * intent from the arguments, and one after, which observes memory.
 *
 * @module
 */
import { STALE } from "../memory/mem_map.ts";
import { __GFP_COMP } from "../memory/gfp.ts";
import { NULL, PAGE_OFFSET, PAGE_SHIFT, PAGE_SIZE } from "../memory/words.ts";
import {
  BY_EXACT,
  BY_GATHER,
  BY_GATHER_PTDESC,
  BY_ORDER,
  BY_PAGETABLE,
  BY_PUT,
  BY_RESERVED_PAGE,
  BY_RESERVED_PTDESC,
  EXACT,
  KERNEL,
  PAGES,
  PAGETABLE,
  RESERVED,
} from "./families.ts";
import {
  BAD_REFERENCE,
  CORRUPTION,
  DOUBLE_FREE,
  HEAD_MISUSE,
  LATENT,
  LEAK,
  ORDER_MISMATCH,
  TAIL_CAST,
  UNINITIALISED_TABLE,
  USE_AFTER_FREE,
} from "./invariants.ts";
import {
  G_LISTED,
  G_MARKED,
  G_SIZED,
  INTENDED,
  type Ledger,
  LIVE,
  QUEUED,
  RELEASE_ORDER_2,
  VIA_HEAD,
  VIA_ORDER,
  VIA_RECORDED,
} from "./ledger.ts";
import { isFree, orderOf } from "./observe.ts";
import {
  WHY_GATHER_DONE,
  WHY_GET_AT_ZERO,
  WHY_GIVEN_UP,
  WHY_LOOKUP,
  WHY_LOST,
  WHY_NOT_GRANTED,
  WHY_PUT_AT_ZERO,
  WHY_READ_FREE,
  WHY_RELEASED,
  WHY_SPECULATIVE,
  WHY_SPLIT,
  WHY_TAIL_CAST,
  WHY_TAIL_WRITTEN,
  WHY_UNINITIALISED,
  WHY_WRITE_FREE,
} from "./why.ts";

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
function holder(l: Ledger, g: number, pfn: number): number {
  return l.gCompound[g] !== 0 ? l.gFirst[g]! : pfn;
}

function singles(l: Ledger, g: number): boolean {
  const family = l.gFamily[g]!;
  return family === EXACT || family === RESERVED;
}

/** References that the program itself may put. */
function own(l: Ledger, g: number, pfn: number): number {
  return singles(l, g) ? l.refs[pfn]! - l.envRefs[pfn]! : l.gOwnerRefs[g]!;
}

// Allocation.

function granted(l: Ledger, pfn: number, order: number, compound: boolean, family: number): void {
  l.grant(pfn, 1 << order, order, compound && order > 0 ? 1 : 0, family, l.dst);
}

function afterAllocPages(l: Ledger): void {
  if (l.res !== NULL) granted(l, l.res, l.b, (l.a & __GFP_COMP) !== 0, PAGES);
}

function afterAllocPage(l: Ledger): void {
  if (l.res !== NULL) granted(l, l.res, 0, false, PAGES);
}

function afterGetFreePages(l: Ledger): void {
  if (l.res !== NULL) granted(l, pfnOf(l.res), l.b, (l.a & __GFP_COMP) !== 0, PAGES);
}

function afterGetFreePage(l: Ledger): void {
  if (l.res !== NULL) granted(l, pfnOf(l.res), 0, false, PAGES);
}

function afterPagetableAlloc(l: Ledger): void {
  if (l.res !== NULL) granted(l, l.res, l.b, true, PAGETABLE);
}

function orderFor(pages: number): number {
  return pages <= 1 ? 0 : 32 - Math.clz32(pages - 1);
}

function afterAllocExact(l: Ledger): void {
  if (l.res === NULL) return;
  const pages = (l.a + PAGE_SIZE - 1) >> PAGE_SHIFT;
  l.grant(pfnOf(l.res), pages, orderFor(pages), 0, EXACT, l.dst);
}

function afterMemblock(l: Ledger): void {
  if (l.res === NULL) return;
  const first = pfnOf(l.res);
  l.grant(first, l.a, orderFor(l.a), 0, RESERVED, l.dst);
  l.managed -= l.a;
  for (let i = 0; i < l.a; i++) {
    l.reserved[first + i] = 1;
    l.checkReserved(first + i);
  }
}

function beforeSplit(l: Ledger): void {
  const g = l.grantOf[l.a]!;
  l.pending = -1;
  if (!usable(l, l.a, WHY_WRITE_FREE)) return;
  if (l.gState[g] !== LIVE) {
    // It was given up as a whole: whoever frees it does not know of its single pages.
    l.misuse = true;
    return;
  }
  if (l.gCompound[g] !== 0) {
    l.misuse = true;
    l.pending = g;
    return;
  }
  if (singles(l, g) || l.a !== l.gFirst[g] || l.b !== l.gOrder[g] || l.gHeld[g] !== l.gTotal[g]) {
    l.misuse = true;
    l.record(ORDER_MISMATCH, CORRUPTION, WHY_SPLIT, g, l.a, 0, l.b, l.gOrder[g]!);
    return;
  }
  l.pending = g;
}

function afterSplit(l: Ledger): void {
  const g = l.pending;
  if (g < 0) return;
  l.checks[BAD_REFERENCE]!++;
  const first = l.gFirst[g]!;
  const total = l.gTotal[g]!;
  if (l.gCompound[g] !== 0) {
    for (let i = 0; i < total; i++) l.checkRefs(g, first + i);
    return;
  }
  const ownerRefs = l.gOwnerRefs[g]!;
  const slot = l.gSlot[g]!;
  const family = l.gFamily[g]!;
  l.drop(g);
  for (let i = 0; i < total; i++) {
    const single = l.newGrant(first + i, 1, 0, 0, family, slot);
    l.grantOf[first + i] = single;
    if (l.reserved[first + i] !== 0) l.gFlags[single]! |= G_MARKED;
    if (l.onList[first + i] !== 0) l.gFlags[single]! |= G_LISTED;
    if (i === 0) l.gOwnerRefs[single] = ownerRefs;
    else l.refs[first + i] = 1;
    l.checkRefs(single, first + i);
  }
}

// Use of memory and of struct page.

/** Whether a page may be used by the program: a live grant that it has not given up. */
export function usable(l: Ledger, pfn: number, why: number): boolean {
  l.checks[USE_AFTER_FREE]!++;
  const g = l.grantOf[pfn]!;
  // What the kernel took for itself was never the program's.
  if (g >= 0 && l.gFamily[g] !== KERNEL && (l.gState[g] === LIVE || l.gOwnerRefs[g]! > 0)) return true;
  l.misuse = true;
  l.record(USE_AFTER_FREE, CORRUPTION, why, g, pfn, 0, 0, 0);
  return false;
}

/** A lookup reads struct page: without a grant that is latent (struct pages outlive grants today). */
function reads(l: Ledger, pfn: number): void {
  l.checks[USE_AFTER_FREE]!++;
  if (l.grantOf[pfn]! >= 0 || l.writtenOff[pfn]) return;
  l.misuse = true;
  l.record(USE_AFTER_FREE, LATENT, WHY_READ_FREE, -1, pfn, 0, 0, 0);
}

function readsA(l: Ledger): void {
  reads(l, l.a);
}

/** A folio's flags are read: of a tail page that is a BUG (`folio_flags`). */
function readsFolioA(l: Ledger): void {
  reads(l, l.a);
  made(l, l.a, false, false);
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
  if (l.dst >= 0) l.via[l.dst] = l.sa >= 0 ? l.via[l.sa]! : 0;
}

function viaNone(l: Ledger): void {
  if (l.dst >= 0) l.via[l.dst] = 0;
}

/**
 * A descriptor or folio is made of a page.
 *
 * @param looked a head lookup was made
 * @param written it is written through at once
 * @returns whether something was recorded
 */
function made(l: Ledger, pfn: number, looked: boolean, written: boolean): boolean {
  const g = l.grantOf[pfn]!;
  if (looked) l.checks[HEAD_MISUSE]!++;
  else l.checks[TAIL_CAST]!++;
  // Of a page that does not exist nothing is known either.
  if (!(g >= 0) || pfn === l.gFirst[g] || singles(l, g)) return false;
  l.misuse = true;
  const offset = pfn - l.gFirst[g]!;
  const severity = written ? CORRUPTION : LATENT;
  if (looked) l.record(HEAD_MISUSE, severity, WHY_LOOKUP, g, pfn, 0, offset, 0);
  else l.record(TAIL_CAST, severity, written ? WHY_TAIL_WRITTEN : WHY_TAIL_CAST, g, pfn, 0, offset, 0);
  return true;
}

export function descriptor(l: Ledger, pfn: number, looked: boolean, written: boolean): boolean {
  const g = l.grantOf[pfn]!;
  if (g >= 0) l.castFamily(g);
  return made(l, pfn, looked, written);
}

function afterPagePtdesc(l: Ledger): void {
  if (l.res === NULL) return;
  const via = l.sa >= 0 ? l.via[l.sa]! : 0;
  const recorded = descriptor(l, l.res, (via & VIA_HEAD) !== 0, false);
  if (l.dst >= 0) l.via[l.dst] = recorded ? via | VIA_RECORDED : via;
}

function afterPtdescFolio(l: Ledger): void {
  if (l.res === NULL) return;
  const via = l.sa >= 0 ? l.via[l.sa]! : 0;
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
  const first = pfnOf(l.a);
  if (!usable(l, first, WHY_READ_FREE)) return;
  l.checks[UNINITIALISED_TABLE]!++;
  const g = l.grantOf[first]!;
  const end = singles(l, g) ? first + 1 : l.gFirst[g]! + l.gTotal[g]!;
  for (let pfn = first; pfn < end; pfn++) {
    if (l.grantOf[pfn] === g && l.mem[l.map.contents + pfn] === STALE) {
      l.misuse = true;
      l.record(UNINITIALISED_TABLE, CORRUPTION, WHY_UNINITIALISED, g, first, 0, pfn - l.gFirst[g]!, l.gTotal[g]!);
      return;
    }
  }
}

// Release.

function notGranted(l: Ledger, pfn: number): void {
  l.misuse = true;
  l.record(DOUBLE_FREE, CORRUPTION, WHY_NOT_GRANTED, -1, pfn, 0, 0, 0);
  l.record(BAD_REFERENCE, CORRUPTION, WHY_PUT_AT_ZERO, -1, pfn, 0, 0, 0);
}

function givenUp(l: Ledger, g: number, pfn: number): void {
  l.misuse = true;
  l.record(DOUBLE_FREE, CORRUPTION, WHY_GIVEN_UP, g, pfn, 0, l.gState[g]!, 0);
}

function putAtZero(l: Ledger, g: number, pfn: number): void {
  l.misuse = true;
  l.record(BAD_REFERENCE, CORRUPTION, WHY_PUT_AT_ZERO, g, pfn, 0, pfn - l.gFirst[g]!, 0);
}

/** A release of a block, sized by the order claimed; `sized` where a lookup claimed it. */
function beforeRelease(l: Ledger, pfn: number, way: number, claimed: number, sized: boolean): void {
  l.pending = -1;
  l.checks[DOUBLE_FREE]!++;
  l.checks[BAD_REFERENCE]!++;
  const g = l.grantOf[pfn]!;
  if (g < 0) return notGranted(l, pfn);
  if (l.gState[g] !== LIVE) return givenUp(l, g, pfn);
  if (l.refs[pfn]! - l.envRefs[pfn]! <= 0 || own(l, g, pfn) <= 0) return putAtZero(l, g, pfn);
  l.pending = g;
  l.pendingOrder = claimed;
  const order = singles(l, g) ? 0 : l.gOrder[g]!;
  if (claimed !== order) l.misuse = true;
  l.intend(g, way);
  if (sized) {
    l.checks[HEAD_MISUSE]!++;
    if (claimed !== order) l.gFlags[g]! |= G_SIZED;
  }
}

function afterRelease(l: Ledger, pfn: number): void {
  const g = l.pending;
  if (g < 0) return;
  l.pending = -1;
  l.refs[pfn]!--;
  if (singles(l, g)) {
    if (l.refs[pfn] === 0) releaseOne(l, g, pfn);
    return;
  }
  l.gOwnerRefs[g]!--;
  if (l.refs[pfn] === 0) return l.released(g, l.pendingOrder);
  l.gState[g] = INTENDED;
  if (l.gCompound[g] === 0 && l.gTotal[g]! > 1) l.chunked(g);
  l.checkRefs(g, pfn);
  l.checkCompound(g);
}

/** One page of a grant whose pages leave one by one. */
function releaseOne(l: Ledger, g: number, pfn: number): void {
  const free = isFree(l.mem, l.layout, pfn);
  l.leave(g, pfn, free);
  l.judgeRelease(g, free ? LATENT : LEAK);
  if (!free) l.leak(g, 1, WHY_LOST);
  if (l.gHeld[g] === 0) l.drop(g);
}

function viaLookup(l: Ledger): boolean {
  return l.sb >= 0 && (l.via[l.sb]! & VIA_ORDER) !== 0;
}

function beforeFreeOrder(l: Ledger): void {
  beforeRelease(l, l.a, BY_ORDER, l.b, viaLookup(l));
}

function beforeFreeOne(l: Ledger): void {
  beforeRelease(l, l.a, BY_ORDER, 0, false);
}

function afterFreePage(l: Ledger): void {
  afterRelease(l, l.a);
}

function beforeFreePagesOrder(l: Ledger): void {
  l.pending = -1;
  if (l.a !== NULL) beforeRelease(l, pfnOf(l.a), BY_ORDER, l.b, viaLookup(l));
}

function beforeFreePagesOne(l: Ledger): void {
  l.pending = -1;
  if (l.a !== NULL) beforeRelease(l, pfnOf(l.a), BY_ORDER, 0, false);
}

function afterFreeVirt(l: Ledger): void {
  if (l.a !== NULL) afterRelease(l, pfnOf(l.a));
}

function beforePagetableFree(l: Ledger): void {
  beforeRelease(l, l.a, BY_PAGETABLE, orderOf(l.mem, l.layout, l.a), true);
}

function beforePut(l: Ledger): void {
  l.pending = -1;
  l.checks[DOUBLE_FREE]!++;
  l.checks[BAD_REFERENCE]!++;
  const g = l.grantOf[l.a]!;
  if (g < 0) return notGranted(l, l.a);
  const pfn = holder(l, g, l.a);
  if (l.gState[g] !== LIVE && own(l, g, pfn) <= 0) return givenUp(l, g, pfn);
  if (l.refs[pfn]! - l.envRefs[pfn]! <= 0 || own(l, g, pfn) <= 0) return putAtZero(l, g, pfn);
  l.pending = g;
  l.pendingOrder = -1;
  if (l.gState[g] !== LIVE || own(l, g, pfn) > 1) return;
  l.intend(g, BY_PUT);
  sizedByLookup(l, g);
}

/** The release of a grant will be sized by an order lookup on its first page. */
function sizedByLookup(l: Ledger, g: number): void {
  l.checks[HEAD_MISUSE]!++;
  if (singles(l, g) || l.gOrder[g] === 0) return;
  const answer = orderOf(l.mem, l.layout, l.gFirst[g]!);
  if (answer === l.gOrder[g]) return;
  if (l.gCompound[g] === 0) l.misuse = true;
  l.pendingOrder = answer;
  l.gFlags[g]! |= G_SIZED;
}

function afterPut(l: Ledger): void {
  const g = l.pending;
  if (g < 0) return;
  l.pending = -1;
  const pfn = holder(l, g, l.a);
  l.refs[pfn]!--;
  if (singles(l, g)) {
    if (l.refs[pfn] === 0) releaseOne(l, g, pfn);
    return;
  }
  l.gOwnerRefs[g]!--;
  dropped(l, g, pfn);
}

/** A reference of a block was put by somebody: was it the last? */
function dropped(l: Ledger, g: number, pfn: number): void {
  if (l.refs[pfn] === 0) return l.released(g, -1);
  if (l.gOwnerRefs[g] === 0 && l.gState[g] === LIVE) l.gState[g] = INTENDED;
  l.checkRefs(g, pfn);
  l.checkCompound(g);
}

function beforeGet(l: Ledger): void {
  l.pending = -1;
  l.checks[BAD_REFERENCE]!++;
  const g = l.grantOf[l.a]!;
  if (g < 0) {
    usable(l, l.a, WHY_WRITE_FREE);
    l.record(BAD_REFERENCE, CORRUPTION, WHY_GET_AT_ZERO, -1, l.a, 0, 0, 0);
    return;
  }
  const pfn = holder(l, g, l.a);
  if (!usable(l, pfn, WHY_WRITE_FREE)) return;
  if (l.refs[pfn] === 0) {
    l.misuse = true;
    l.record(BAD_REFERENCE, CORRUPTION, WHY_GET_AT_ZERO, g, pfn, 0, pfn - l.gFirst[g]!, 0);
    return;
  }
  l.pending = g;
}

function afterGet(l: Ledger): void {
  const g = l.pending;
  if (g < 0) return;
  const pfn = holder(l, g, l.a);
  l.refs[pfn]!++;
  if (!singles(l, g)) l.gOwnerRefs[g]!++;
  l.checkRefs(g, pfn);
}

function beforeFreeExact(l: Ledger): void {
  l.pending = -1;
  l.checks[DOUBLE_FREE]!++;
  const first = pfnOf(l.a);
  const pages = (l.b + PAGE_SIZE - 1) >> PAGE_SHIFT;
  const g = l.grantOf[first]!;
  for (let i = 0; i < pages && first + i < l.nrPages; i++) {
    const other = l.grantOf[first + i]!;
    if (other < 0) return notGranted(l, first + i);
    if (l.gState[other] !== LIVE) return givenUp(l, other, first + i);
    if (l.refs[first + i]! - l.envRefs[first + i]! <= 0) return putAtZero(l, other, first + i);
    if (other !== g) {
      l.misuse = true;
      l.record(ORDER_MISMATCH, CORRUPTION, WHY_RELEASED, g, first, 0, l.gTotal[g]!, pages);
      return;
    }
  }
  if (first + pages > l.nrPages) l.misuse = true;
  if (!singles(l, g) || first !== l.gFirst[g] || pages !== l.gHeld[g]) l.misuse = true;
  // A page that the owner holds twice outlives the free.
  for (let i = 0; i < pages && singles(l, g); i++) if (own(l, g, first + i) > 1) l.misuse = true;
  l.pending = g;
  l.intend(g, BY_EXACT);
}

function afterFreeExact(l: Ledger): void {
  const g = l.pending;
  if (g < 0) return;
  l.pending = -1;
  const first = pfnOf(l.a);
  if (!singles(l, g)) {
    l.pendingOrder = 0;
    l.refs[first]!--;
    l.gOwnerRefs[g]!--;
    if (l.refs[first] === 0) return l.released(g, -1);
    l.gState[g] = INTENDED;
    return;
  }
  // The free intends the whole grant: its other pages have no owner now either.
  const end = l.gFirst[g]! + l.gTotal[g]!;
  for (let pfn = l.gFirst[g]!; pfn < end; pfn++) {
    if (l.grantOf[pfn] === g) l.refs[pfn] = l.envRefs[pfn]!;
  }
  l.settleSingles(g);
}

// Reserved memory.

function beforeMarkReserved(l: Ledger): void {
  if (usable(l, l.a, WHY_WRITE_FREE)) {
    const g = l.grantOf[l.a]!;
    // PG_reserved is PF_NO_COMPOUND.
    if (l.reserved[l.a] !== 0 || l.gCompound[g] !== 0 || l.gState[g] !== LIVE) l.misuse = true;
    if (l.reserved[l.a] === 0) l.managed--;
    l.reserved[l.a] = 1;
    l.gFlags[g]! |= G_MARKED;
  }
}

function afterReserved(l: Ledger): void {
  l.checkReserved(l.a);
}

function beforeFreeReserved(l: Ledger, way: number): void {
  l.pending = -1;
  l.checks[DOUBLE_FREE]!++;
  const g = l.grantOf[l.a]!;
  if (g < 0) return notGranted(l, l.a);
  if (l.gState[g] !== LIVE) return givenUp(l, g, l.a);
  l.pending = g;
  if (l.onList[l.a] !== 0) l.misuse = true;
  if (l.reserved[l.a] !== 0) {
    l.managed++;
    l.gIntentStep[g] = l.step;
    l.gIntentCall[g] = l.op;
  } else {
    l.misuse = true;
    l.intend(g, way);
  }
}

function beforeFreeReservedPage(l: Ledger): void {
  beforeFreeReserved(l, BY_RESERVED_PAGE);
}

function afterFreeReservedPage(l: Ledger): void {
  const g = l.pending;
  l.reserved[l.a] = 0;
  l.checkReserved(l.a);
  if (g < 0) return;
  l.pending = -1;
  releaseOne(l, g, l.a);
}

function beforeFreeReservedPtdesc(l: Ledger): void {
  beforeFreeReserved(l, BY_RESERVED_PTDESC);
  // It intends the table and frees one page: no larger table may be given to it.
  if (l.pending >= 0 && l.gHeld[l.pending]! > 1) l.misuse = true;
}

function afterFreeReservedPtdesc(l: Ledger): void {
  const g = l.pending;
  l.reserved[l.a] = 0;
  l.checkReserved(l.a);
  if (g < 0) return;
  l.pending = -1;
  // It intends the whole table: all of its pages lose their owner.
  const end = l.gFirst[g]! + l.gTotal[g]!;
  for (let pfn = l.gFirst[g]!; pfn < end; pfn++) {
    if (l.grantOf[pfn] === g) l.refs[pfn] = 0;
  }
  l.settleSingles(g);
}

// mmu_gather.

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

/** A table or page is queued: its owner's token goes to the gather. */
function queue(l: Ledger, pfn: number, way: number, release: number): void {
  l.checks[DOUBLE_FREE]!++;
  if (!gatherLive(l)) return;
  if (release < 0) {
    if (l.ranges[l.a] === 0) l.misuse = true;
  }
  // Whatever is queued may flush, and the range is empty again.
  if (l.ranges[l.a] === 1) l.ranges[l.a] = 0;
  const g = l.grantOf[pfn]!;
  if (g < 0) return notGranted(l, pfn);
  if (l.gState[g] !== LIVE) return givenUp(l, g, pfn);
  // s390 takes the address for the block's first page; a put looks the head up.
  if (release > 0 && pfn !== l.gFirst[g]) l.misuse = true;
  const at = holder(l, g, pfn);
  if (own(l, g, at) <= 0 || l.refs[at] === 0 || singles(l, g)) return putAtZero(l, g, pfn);
  l.intend(g, way);
  l.gOwnerRefs[g]!--;
  l.gState[g] = QUEUED;
  l.gGather[g] = l.gatherIds[l.a]!;
  if (release === RELEASE_ORDER_2) {
    if (l.gOrder[g] !== 2) l.misuse = true;
  } else sizedByLookup(l, g);
}

function beforeRemovePage(l: Ledger): void {
  queue(l, l.b, BY_GATHER, -1);
}

function beforeRemoveTable(l: Ledger): void {
  queue(l, pageOf(l.b), BY_GATHER, l.tablesArePages ? -1 : l.tableRelease);
}

function beforeRemovePtdesc(l: Ledger): void {
  queue(l, pageOf(l.b), BY_GATHER_PTDESC, l.tablesArePages ? -1 : l.tableRelease);
}

function beforeRemovePagePtdesc(l: Ledger): void {
  queue(l, l.b, BY_GATHER_PTDESC, -1);
}

/**
 * A gather puts what was queued (EV_GATHER_PUT), or `__tlb_remove_table` frees
 * it (EV_TABLE): the gather's token goes.
 *
 * @param release a RELEASE_* code
 */
export function gatherReleased(l: Ledger, pfn: number, release: number): void {
  l.checks[DOUBLE_FREE]!++;
  if (pfn < 0 || pfn >= l.nrPages) return;
  const g = l.grantOf[pfn]!;
  const at = g >= 0 ? holder(l, g, pfn) : pfn;
  // The gather's own are the references that neither the owner nor the environment holds.
  if (g < 0 || l.refs[at]! - l.envRefs[at]! - l.gOwnerRefs[g]! <= 0) {
    if (!l.stop && !l.misuse && l.writtenOff[at] === 0) {
      l.record(DOUBLE_FREE, CORRUPTION, WHY_NOT_GRANTED, g, pfn, 0, 0, 0);
    }
    if (g < 0 || l.refs[at] === 0) return;
  }
  l.refs[at]!--;
  if (l.gState[g] === QUEUED) l.gState[g] = INTENDED;
  l.pendingOrder = 0;
  if (l.refs[at] === 0) return l.released(g, release === RELEASE_ORDER_2 ? 2 : -1);
  if (release !== 0 && l.gCompound[g] === 0 && l.gTotal[g]! > 1) l.chunked(g);
  l.checkRefs(g, at);
  l.checkCompound(g);
}

// The environment.

function afterSpeculativeGet(l: Ledger): void {
  const pfn = pageOf(l.a);
  if (l.res !== 0) l.envTaken = true;
  if (l.writtenOff[pfn]) {
    if (l.res !== 0) l.envRefs[pfn]!++;
    return;
  }
  l.checks[BAD_REFERENCE]!++;
  const should = l.refs[pfn]! > 0 ? 1 : 0;
  if (l.res !== should) {
    l.record(BAD_REFERENCE, CORRUPTION, WHY_SPECULATIVE, l.grantOf[pfn]!, pfn, 0, l.res, l.refs[pfn]!);
  }
  if (l.res === 0) return;
  if (l.reserved[pfn] !== 0) l.theoretical = true;
  l.envRefs[pfn]!++;
  l.refs[pfn]!++;
  const g = l.grantOf[pfn]!;
  if (g >= 0) l.checkRefs(g, pfn);
}

/** Whether the environment holds a reference on the page, or on the block it belongs to. */
export function envHolds(l: Ledger, value: number): boolean {
  const page = pageOf(value);
  if (page < 0 || page >= l.nrPages) return true;
  const g = l.grantOf[page]!;
  return l.envRefs[g >= 0 ? holder(l, g, page) : page]! > 0;
}

function beforeEnvPut(l: Ledger): void {
  l.pending = -1;
  const page = pageOf(l.a);
  const g = l.grantOf[page]!;
  const pfn = g >= 0 ? holder(l, g, page) : page;
  if (l.writtenOff[pfn]) {
    if (l.envRefs[pfn]! > 0) l.envRefs[pfn]!--;
    else l.misuse = true;
    return;
  }
  l.checks[BAD_REFERENCE]!++;
  if (l.envRefs[pfn]! <= 0 || l.refs[pfn]! <= 0 || g < 0) {
    l.misuse = true;
    if (l.envRefs[pfn]! > 0) l.envRefs[pfn]!--;
    l.record(BAD_REFERENCE, CORRUPTION, WHY_PUT_AT_ZERO, g, pfn, 0, g >= 0 ? pfn - l.gFirst[g]! : 0, 0);
    return;
  }
  l.pending = g;
}

function afterEnvPut(l: Ledger): void {
  const g = l.pending;
  if (g < 0) return;
  l.pending = -1;
  const pfn = holder(l, g, pageOf(l.a));
  l.envRefs[pfn]!--;
  l.refs[pfn]!--;
  if (singles(l, g)) {
    if (l.refs[pfn] === 0) l.settleSingles(g);
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
  const g = l.grantOf[pfn]!;
  // A name that granted nothing itself stands for the block that it points at.
  const slot = l.sa >= 0 && l.slotPages[l.sa]! > 0 ? l.sa : g >= 0 ? l.gSlot[g]! : -1;
  if (slot < 0) return;
  const end = Math.min(l.nrPages, pfn + l.slotPages[slot]!);
  for (let i = pfn; i < end; i++) {
    const other = l.grantOf[i]!;
    if (other >= 0 && l.gSlot[other] === slot) l.forget(other);
  }
}

/** The hooks by call; calls that mean nothing to the ledger have none. */
export const HOOKS: Readonly<Record<string, Hooks>> = {
  alloc_pages: { after: afterAllocPages },
  alloc_page: { after: afterAllocPage },
  __get_free_pages: { after: afterGetFreePages },
  __get_free_page: { after: afterGetFreePage },
  get_zeroed_page: { after: afterGetFreePage },
  alloc_pages_exact: { after: afterAllocExact },
  split_page: { before: beforeSplit, after: afterSplit },
  memblock_alloc: { after: afterMemblock },
  __free_pages: { before: beforeFreeOrder, after: afterFreePage },
  __free_page: { before: beforeFreeOne, after: afterFreePage },
  free_pages: { before: beforeFreePagesOrder, after: afterFreeVirt },
  free_page: { before: beforeFreePagesOne, after: afterFreeVirt },
  free_pages_exact: { before: beforeFreeExact, after: afterFreeExact },
  put_page: { before: beforePut, after: afterPut },
  get_page: { before: beforeGet, after: afterGet },
  compound_head: { before: readsA, after: viaHead },
  compound_order: { before: readsA, after: viaOrder },
  PageHead: { before: readsA, after: viaNone },
  PageTail: { before: readsA, after: viaNone },
  PageCompound: { before: readsA, after: viaNone },
  virt_to_page: { after: viaNone },
  virt_to_head_page: { before: readsVirtA, after: viaHead },
  page_to_virt: { after: viaNone },
  page_address: { after: viaNone },
  folio_address: { after: viaNone },
  page_folio: { before: readsA, after: afterPageFolio },
  mark_page_reserved: { before: beforeMarkReserved, after: afterReserved },
  free_reserved_page: { before: beforeFreeReservedPage, after: afterFreeReservedPage },
  clear_page: { before: beforeWrite },
  table_init: { before: beforeTableInit },
  populate: { before: beforePopulate },
  page_ptdesc: { after: afterPagePtdesc },
  ptdesc_page: { after: viaKept },
  ptdesc_folio: { after: afterPtdescFolio },
  virt_to_ptdesc: { before: beforeVirtToPtdesc, after: afterVirtToPtdesc },
  ptdesc_to_virt: { after: viaNone },
  ptdesc_address: { after: viaNone },
  ptdesc_is_reserved: { before: readsFolioA, after: viaNone },
  pagetable_is_reserved: { before: readsFolioA, after: viaNone },
  ptdesc_alloc: { after: afterPagetableAlloc },
  pagetable_alloc: { after: afterPagetableAlloc },
  ptdesc_free: { before: beforePagetableFree, after: afterFreePage },
  pagetable_free: { before: beforePagetableFree, after: afterFreePage },
  ptdesc_clear: { before: beforeWrite },
  free_reserved_ptdesc: { before: beforeFreeReservedPtdesc, after: afterFreeReservedPtdesc },
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
  tlb_finish_mmu: { before: beforeFinish, after: afterFinish },
  "env get_page_unless_zero": { after: afterSpeculativeGet },
  "env put_page": { before: beforeEnvPut, after: afterEnvPut },
  "env fail": {},
  "env rcu_grace_period": {},
  "env owner_gone": { before: beforeOwnerGone },
};
