/**
 * Tables that share a page (`../parts.ts`): s390's halves up to 6.6, powerpc's
 * fragments, m68k's pointer tables, 32-bit sparc's pool, slab caches.
 *
 * @module
 */
import * as $bits from "../../memory/bits.ts";
import * as $judge from "../judge.ts";
import * as $memdesc from "../../memory/memdesc.ts";
import * as $fragments from "../../memory/fragments.ts";
import * as $words from "../../memory/words.ts";
import * as $families from "../families.ts";
import * as $invariants from "../invariants.ts";
import type { Ledger } from "../ledger.ts";
import * as $ledger from "../ledger.ts";
import * as $parts from "../parts.ts";
import * as $states from "../states.ts";
import * as $table from "../table.ts";
import * as $walkers from "../walkers.ts";
import * as $why from "../why.ts";
import type { Hooks } from "./hook.ts";
import * as $hook from "./hook.ts";
import * as $gather from "./gather.ts";
import * as $reserved from "./reserved.ts";
import * as $records from "../records.ts";

const {
  GR_EXTRA,
  GR_FAMILY,
  GR_FIRST,
  GR_FLAGS,
  GR_GATHER,
  GR_INTENT_CALL,
  GR_INTENT_STEP,
  GR_OWNER_REFS,
  GR_PARTS,
  GR_QUEUED,
  GR_REST,
  GR_SHIFT,
  GR_STATE,
  L_GRANT,
  L_REFS,
  L_RESERVED,
  L_SHIFT,
  L_TABLE,
  L_WRITTEN_OFF,
} = $records;
const { __ffs } = $bits;
const { released, stranded } = $judge;
const { ptdescOf } = $memdesc;
const { IS_OBJECT, IS_PAGE, MAX_PARTS, PGTABLE_CACHE, PTE_INDEX, TABLE_PMD } = $fragments;
const { NULL, PAGE_OFFSET } = $words;
const {
  BY_PART,
  FRAGMENT,
  NOCACHE,
  PAGES,
  PARTS_OF,
  PMD_FRAGMENT,
  POINTER_PMD,
  POINTER_PTE,
  PTE_FRAGMENT,
  RESERVED,
  SLAB,
} = $families;
const { CONSTRUCTOR, CORRUPTION, DOUBLE_FREE, FAMILY, LATENT, LEAK, PAGE_LEAK, USE_AFTER_FREE } = $invariants;
const { FRAGMENT_MMS } = $ledger;
const {
  checkShared,
  extraOf,
  inUse,
  isBuilt,
  isGone,
  isPart,
  partsAt,
  partsBegin,
  partsLeave,
  QUEUED_SHIFT,
  restOf,
  setParts,
} = $parts;
const { CACHE_SHIFT, G_CAST, INTENDED, LEVEL_PMD, LEVEL_PTE, LIVE, PART_DEFERRED, QUEUED } = $states;
const { charged, constructed } = $table;
const { leaveTableAt, WALK_TLB } = $walkers;
const { WHY_FAMILY_CAST, WHY_FAMILY_RELEASE, WHY_FORGOTTEN, WHY_GIVEN_UP, WHY_GRANTED_TWICE, WHY_NO_DTOR } = $why;
const { notGranted, pfnOf } = $hook;
const { queuePage } = $gather;
const { RESERVED_HOOKS } = $reserved;

export { usesPart } from "../parts.ts";

/** Bits of `GR_PARTS` that a gather holds. */
const HELD = (1 << MAX_PARTS) - 1;

/** Where an mm's rest of a page stands in `fragCache`. */
function cacheOf(mm: number, family: number): number {
  return 2 * (mm & (FRAGMENT_MMS - 1)) + (family === PMD_FRAGMENT ? 1 : 0);
}

/**
 * A call has answered a table.
 *
 * @returns the page's grant where it is a new one; -1 where it shares one that was there, or there is nothing to judge
 */
function took(l: Ledger, family: number, bytes = 0): number {
  const pfn = pfnOf(l.res);
  const parts = partsAt(l, family, l.res, bytes);
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  if (g >= 0 && l.grants[(g << GR_SHIFT) | GR_FAMILY] === family) {
    l.checks[USE_AFTER_FREE]!++;
    const held = (l.grants[(g << GR_SHIFT) | GR_PARTS]! | l.grants[(g << GR_SHIFT) | GR_PARTS]! >>> QUEUED_SHIFT) &
      HELD;
    if ((held & parts) !== 0 || l.grants[(g << GR_SHIFT) | GR_STATE] !== LIVE) {
      l.record(USE_AFTER_FREE, CORRUPTION, WHY_GRANTED_TWICE, g, pfn, 0, 0, 0);
    }
    setParts(l, g, l.grants[(g << GR_SHIFT) | GR_PARTS]! | parts);
    partsBegin(l, pfn, parts);
    return -1;
  }
  l.extra = extraOf(l, family, parts);
  l.ofTables = family === PTE_FRAGMENT || family === PMD_FRAGMENT;
  if (l.apart && l.ofTables) l.descriptors.granting = ptdescOf(l.mem, pfn);
  l.grant(pfn, 1, 0, 0, family, l.dst);
  l.extra = 0;
  l.ofTables = false;
  const fresh = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  if (fresh < 0 || l.grants[(fresh << GR_SHIFT) | GR_FAMILY] !== family) return -1;
  setParts(l, fresh, parts);
  partsBegin(l, pfn, parts);
  return fresh;
}

function afterAlloc(l: Ledger): void {
  if (l.res === NULL) return;
  const fresh = took(l, FRAGMENT);
  if (fresh >= 0) constructed(l, l.grants[(fresh << GR_SHIFT) | GR_FIRST]!, LEVEL_PTE);
  else shared(l);
}

/** After a table of a page that was there: what counts them. */
function shared(l: Ledger): void {
  const g = l.pages[(pfnOf(l.res) << L_SHIFT) | L_GRANT]!;
  if (g >= 0 && PARTS_OF[l.grants[(g << GR_SHIFT) | GR_FAMILY]!] !== 0) checkShared(l, g);
}

/** powerpc: the mm of a new page keeps its rest, unless it keeps another's. */
function afterFragment(l: Ledger, family: number, level: number, account: boolean): void {
  if (l.res === NULL) return;
  const at = cacheOf(l.a, family);
  const fresh = took(l, family);
  if (fresh >= 0) {
    if (level !== 0) constructed(l, l.grants[(fresh << GR_SHIFT) | GR_FIRST]!, level);
    if (l.memcg && account) charged(l, l.grants[(fresh << GR_SHIFT) | GR_FIRST]!, 1, false);
    if (l.fragCache[at]! < 0) {
      l.grants[(fresh << GR_SHIFT) | GR_REST] = PARTS_OF[family]! - 1;
      l.fragCache[at] = fresh;
    }
  } else {
    const g = l.pages[(pfnOf(l.res) << L_SHIFT) | L_GRANT]!;
    if (g >= 0 && g === l.fragCache[at]) {
      l.grants[(g << GR_SHIFT) | GR_REST]!--;
      if (restOf(l, g) === 0) l.fragCache[at] = -1;
    }
    // What the kernel has for itself is not constructed, and a user's is: one page has one kind.
    if (g >= 0 && family === PTE_FRAGMENT && isBuilt(l, g) !== (l.b === 0)) l.misuse = true;
  }
  shared(l);
}

function afterPteFragment(l: Ledger): void {
  // The kernel's own are init_mm's, and only they.
  if ((l.a === 0) !== (l.b !== 0)) l.misuse = true;
  afterFragment(l, PTE_FRAGMENT, l.b !== 0 ? 0 : LEVEL_PTE, l.b === 0);
}

function afterPmdFragment(l: Ledger): void {
  afterFragment(l, PMD_FRAGMENT, LEVEL_PMD, l.a !== 0);
}

/** Nobody looks whether the constructor got a lock, and the memory was never pagetable_alloc's. */
function beforePointer(l: Ledger): void {
  if (l.a !== TABLE_PMD && (l.allocPtlocks || l.hasDescriptors)) l.misuse = true;
}

/** m68k: memory of get_zeroed_page is taken for a descriptor, by which its tables of PTEs are constructed. */
function afterPointer(l: Ledger): void {
  const family = l.a === TABLE_PMD ? POINTER_PMD : POINTER_PTE;
  if (l.res === NULL) return;
  const fresh = took(l, family);
  if (fresh >= 0 && family === POINTER_PTE) {
    constructed(l, l.grants[(fresh << GR_SHIFT) | GR_FIRST]!, LEVEL_PTE);
    if (l.hasDescriptors) {
      l.checks[FAMILY]!++;
      l.grants[(fresh << GR_SHIFT) | GR_FLAGS]! |= G_CAST;
      l.record(FAMILY, LATENT, WHY_FAMILY_CAST, fresh, l.grants[(fresh << GR_SHIFT) | GR_FIRST]!, 0, PAGES, 0);
    }
  }
  shared(l);
}

function afterNocache(l: Ledger): void {
  if (l.res === NULL) return;
  took(l, NOCACHE, l.a);
  shared(l);
}

/** 32-bit sparc: the first table of PTEs in a page constructs it. */
function beforePteAlloc(l: Ledger): void {
  if (l.allocPtlocks || l.apart) l.misuse = true;
}

function afterPteAlloc(l: Ledger): void {
  if (l.res === NULL) return;
  took(l, NOCACHE);
  const g = l.pages[(pfnOf(l.res) << L_SHIFT) | L_GRANT]!;
  if (g >= 0 && l.grants[(g << GR_SHIFT) | GR_FAMILY] === NOCACHE) {
    if (l.grants[(g << GR_SHIFT) | GR_EXTRA]!++ === 0) constructed(l, l.grants[(g << GR_SHIFT) | GR_FIRST]!, LEVEL_PTE);
  }
  shared(l);
}

/** The pool was set up (EV_POOL): its pages are reserved, and nobody's until tables are cut out of them. */
export function poolMade(l: Ledger, first: number, pages: number): void {
  l.nocachePool = first;
  l.managed -= pages;
  for (let pfn = first; pfn < first + pages; pfn++) {
    l.pages[(pfn << L_SHIFT) | L_RESERVED] = 1;
    // What the call makes of it is looked at when the call is through.
    l.extra = l.rawRefs(pfn) - 1;
    l.grant(pfn, 1, 0, 0, NOCACHE, -1);
    const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
    if (g >= 0) l.grants[(g << GR_SHIFT) | GR_EXTRA] = 0;
  }
}

/** A slab cache's object. */
function afterSlab(l: Ledger): void {
  if (l.res === NULL) return;
  const fresh = took(l, SLAB);
  if (fresh >= 0) l.grants[(fresh << GR_SHIFT) | GR_REST] = l.a << CACHE_SHIFT;
  shared(l);
}

/**
 * A table is given up: the parts that it is, or 0 where it is not its owner's to give.
 *
 * @param bytes of it, where calls say so
 */
function givesUp(l: Ledger, table: number, family: number, bytes = 0): number {
  l.pending = -1;
  l.checks[DOUBLE_FREE]!++;
  const pfn = pfnOf(table);
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  if (!(g >= 0)) {
    l.misuse = true;
    if (l.pages[(pfn << L_SHIFT) | L_WRITTEN_OFF] === 0) notGranted(l, pfn);
    return 0;
  }
  if (l.grants[(g << GR_SHIFT) | GR_FAMILY] !== family) {
    l.misuse = true;
    l.record(FAMILY, CORRUPTION, WHY_FAMILY_RELEASE, g, pfn, 0, l.grants[(g << GR_SHIFT) | GR_FAMILY]!, BY_PART);
    return 0;
  }
  const parts = partsAt(l, family, table, bytes);
  if ((l.grants[(g << GR_SHIFT) | GR_PARTS]! & parts) !== parts) {
    l.misuse = true;
    l.record(DOUBLE_FREE, CORRUPTION, WHY_GIVEN_UP, g, pfn, 0, INTENDED, 0);
    return 0;
  }
  // Pointers at its middle are no table's.
  if (!isPart(l, family, table)) l.misuse = true;
  l.pending = g;
  l.grants[(g << GR_SHIFT) | GR_INTENT_STEP] = l.step;
  l.grants[(g << GR_SHIFT) | GR_INTENT_CALL] = l.op;
  return parts;
}

/**
 * Parts are gone; the page goes with the last.
 *
 * @param deferred the page waits for a grace period, if one of its tables was to
 */
function gone(l: Ledger, g: number, deferred = false): void {
  const pfn = l.grants[(g << GR_SHIFT) | GR_FIRST]!;
  if (inUse(l, g) !== 0 || restOf(l, g) !== 0 || l.grants[(g << GR_SHIFT) | GR_FAMILY] === NOCACHE) {
    // With parts in use it must not be free: `released` says so.
    if (!isGone(l, g)) return checkShared(l, g);
  } else if (deferred && (l.grants[(g << GR_SHIFT) | GR_REST]! & PART_DEFERRED) !== 0 && !isGone(l, g)) {
    l.grants[(g << GR_SHIFT) | GR_OWNER_REFS]!--;
    l.grants[(g << GR_SHIFT) | GR_STATE] = QUEUED;
    l.grants[(g << GR_SHIFT) | GR_GATHER] = -1;
    l.grants[(g << GR_SHIFT) | GR_QUEUED]!++;
    return;
  }
  l.grants[(g << GR_SHIFT) | GR_OWNER_REFS]!--;
  l.pages[(pfn << L_SHIFT) | L_REFS]!--;
  l.grants[(g << GR_SHIFT) | GR_STATE] = INTENDED;
  if (isGone(l, g) || l.pages[(pfn << L_SHIFT) | L_REFS] === 0) return released(l, g, -1);
  l.checkRefs(g, pfn);
}

/** The owner's parts lose it; where the page is cut again they may be another's at once. */
function lose(l: Ledger, parts: number): void {
  const g = l.pending;
  setParts(l, g, l.grants[(g << GR_SHIFT) | GR_PARTS]! & ~parts);
  if (
    l.grants[(g << GR_SHIFT) | GR_FAMILY] !== PTE_FRAGMENT && l.grants[(g << GR_SHIFT) | GR_FAMILY] !== PMD_FRAGMENT
  ) partsLeave(l, g, parts);
}

function beforeFree(l: Ledger): void {
  const parts = givesUp(l, l.b, FRAGMENT);
  if (parts !== 0) lose(l, parts);
}

export function partFreed(l: Ledger): void {
  const g = l.pending;
  if (g < 0) return;
  l.pending = -1;
  gone(l, g, true);
}

function afterTableFree(l: Ledger): void {
  const g = l.pending;
  // A callback that ran inside the call may have been the last, and taken the page with it.
  if (
    g >= 0 && (l.pages[(pfnOf(l.b) << L_SHIFT) | L_GRANT] !== g || l.grants[(g << GR_SHIFT) | GR_STATE] === INTENDED)
  ) l.pending = -1;
  partFreed(l);
}

function queue(l: Ledger, table: number, family: number): void {
  if (l.gathers[l.a] !== 1) l.misuse = true;
  const parts = givesUp(l, table, family);
  if (parts === 0) return;
  const g = l.pending;
  if (l.ranges[l.a] === 2 && l.deadAsid) leaveTableAt(l, g, table, WALK_TLB);
  setParts(l, g, (l.grants[(g << GR_SHIFT) | GR_PARTS]! & ~parts) | parts << QUEUED_SHIFT);
  const at = l.grants[(g << GR_SHIFT) | GR_FIRST]! * MAX_PARTS;
  for (let i = 0; i < MAX_PARTS; i++) if ((parts >> i & 1) !== 0) l.partGather[at + i] = l.gatherIds[l.a]!;
}

function beforeFreeRcu(l: Ledger): void {
  queue(l, l.b, FRAGMENT);
  // Architectures that know no halves take the pointer for something else.
  if (!l.fragments) l.misuse = true;
}

function afterQueue(l: Ledger): void {
  const g = l.pending;
  if (g < 0) return;
  l.pending = -1;
  if (l.grants[(g << GR_SHIFT) | GR_PARTS] !== 0 && l.grants[(g << GR_SHIFT) | GR_STATE] === LIVE) checkShared(l, g);
}

/** Families of what powerpc queues, by the low bits of the pointer; sparc64 queues objects beside pages. */
const BY_INDEX: readonly number[] = [PTE_FRAGMENT, PMD_FRAGMENT, SLAB, SLAB];

/** What is queued says in its low bits what it is; a page of sparc64 is queued like any table. */
function beforeFreeTlb(l: Ledger): void {
  l.pending = -1;
  if (l.c === IS_PAGE) {
    if (!l.queuesPages) l.misuse = true;
    return queuePage(l, pfnOf(l.b));
  }
  queueIndexed(l, l.b, l.c);
}

function queueIndexed(l: Ledger, table: number, index: number): void {
  queue(l, table, BY_INDEX[index] ?? SLAB);
  if (index === IS_OBJECT ? !l.queuesPages : !l.queuesParts) l.misuse = true;
  const g = l.pending;
  if (g < 0) return;
  if (index === PTE_INDEX && !isBuilt(l, g)) l.misuse = true;
  if (
    l.grants[(g << GR_SHIFT) | GR_FAMILY] === SLAB &&
    l.grants[(g << GR_SHIFT) | GR_REST]! >> CACHE_SHIFT !== PGTABLE_CACHE
  ) l.misuse = true;
}

/** tlb_remove_table of an address whose low bits nobody has set: a table of PTEs (powerpc), or an object (sparc64). */
export function queueRaw(l: Ledger): void {
  if (l.b < PAGE_OFFSET) {
    l.misuse = true;
    return;
  }
  queueIndexed(l, l.b, l.queuesPages ? IS_OBJECT : PTE_INDEX);
  l.pending = -1;
}

/** A part that a gather held is given back (EV_TABLE). */
export function partReleased(l: Ledger, queued: number): void {
  const family = l.queuesPages ? SLAB : l.queuesParts ? BY_INDEX[queued & 3]! : FRAGMENT;
  l.checks[DOUBLE_FREE]!++;
  const pfn = pfnOf(queued);
  const g = pfn >= 0 && pfn < l.nrPages ? l.pages[(pfn << L_SHIFT) | L_GRANT]! : -1;
  const half = family === FRAGMENT ? queued & 3 : g >= 0 ? partsAt(l, family, queued) : 0;
  // Objects of a slab are others' as soon as they are back.
  const parts = half << QUEUED_SHIFT;
  if (
    g < 0 || l.grants[(g << GR_SHIFT) | GR_FAMILY] !== family ||
    (l.grants[(g << GR_SHIFT) | GR_PARTS]! & parts) !== parts
  ) {
    if (!l.stop && !l.misuse) notGranted(l, pfn);
    return;
  }
  setParts(l, g, l.grants[(g << GR_SHIFT) | GR_PARTS]! & ~parts);
  if (family === FRAGMENT || family === SLAB) partsLeave(l, g, half);
  // The same call may have released more: what is left is compared when the last is told of.
  if (inUse(l, g) === 0 && restOf(l, g) === 0) gone(l, g, true);
}

/** Early tables of powerpc are reserved pages, which free_reserved_ptdesc takes. */
function reservedTable(l: Ledger): boolean {
  const g = l.pages[(pfnOf(l.a) << L_SHIFT) | L_GRANT]!;
  return g >= 0 && l.grants[(g << GR_SHIFT) | GR_FAMILY] === RESERVED;
}

const FREE_RESERVED = RESERVED_HOOKS["free_reserved_ptdesc"]!;

/** Runs a hook of another call on the page of the first operand. */
function onPage(l: Ledger, hook: (l: Ledger) => void): void {
  const { a } = l;
  l.a = pfnOf(a);
  hook(l);
  l.a = a;
}

/** That the table before was a reserved page: from a hook before to the one after. */
const RESERVED_PENDING = -2;

function freesFragment(family: number): Hooks {
  return {
    before(l) {
      l.pendingOrder = 0;
      if (reservedTable(l)) {
        onPage(l, FREE_RESERVED.before!);
        l.pendingOrder = RESERVED_PENDING;
        return;
      }
      const parts = givesUp(l, l.a, family);
      if (parts === 0) return;
      const g = l.pending;
      if (family === PTE_FRAGMENT && isBuilt(l, g) === (l.b !== 0)) l.misuse = true;
      lose(l, parts);
    },
    after(l) {
      if (l.pendingOrder === RESERVED_PENDING) return onPage(l, FREE_RESERVED.after!);
      const g = l.pending;
      if (g < 0) return;
      l.pending = -1;
      gone(l, g, family === PTE_FRAGMENT && l.b === 0);
    },
  };
}

/** powerpc's pte_free_defer: the part is given up, and the page waits for a grace period when its last share is put. */
export function deferPart(l: Ledger): void {
  const parts = givesUp(l, l.b, PTE_FRAGMENT);
  if (parts === 0) return;
  const g = l.pending;
  // With descriptors apart there is no folio to mark.
  if (!isBuilt(l, g) || !l.queuesParts || l.apart) l.misuse = true;
  l.grants[(g << GR_SHIFT) | GR_REST]! |= PART_DEFERRED;
  lose(l, parts);
}

/** Whether the page that an address lies in is one that tables share. */
export function sharesPage(l: Ledger, value: number): boolean {
  if (value < PAGE_OFFSET) return false;
  const g = l.pages[(pfnOf(value) << L_SHIFT) | L_GRANT]!;
  return g >= 0 && l.grants[(g << GR_SHIFT) | GR_FAMILY]! >= FRAGMENT;
}

/** powerpc: the mm's rests are given up. */
function beforeExit(l: Ledger): void {
  // init_mm does not end.
  if (l.a === 0) l.misuse = true;
  for (let i = 0; i < 2; i++) {
    const g = l.fragCache[cacheOf(l.a, PTE_FRAGMENT) + i]!;
    if (g < 0) continue;
    l.grants[(g << GR_SHIFT) | GR_REST]! &= PART_DEFERRED;
    if (inUse(l, g) !== 0) continue;
    l.grants[(g << GR_SHIFT) | GR_INTENT_STEP] = l.step;
    l.grants[(g << GR_SHIFT) | GR_INTENT_CALL] = l.op;
  }
}

function afterExit(l: Ledger): void {
  for (let i = 0; i < 2; i++) {
    const at = cacheOf(l.a, PTE_FRAGMENT) + i;
    const g = l.fragCache[at]!;
    l.fragCache[at] = -1;
    if (g >= 0) gone(l, g);
  }
}

function pointerFamily(l: Ledger): number {
  return l.b === TABLE_PMD ? POINTER_PMD : POINTER_PTE;
}

function beforeFreePointer(l: Ledger): void {
  const parts = givesUp(l, l.a, pointerFamily(l));
  if (parts !== 0) lose(l, parts);
}

function beforeFreeNocache(l: Ledger): void {
  const parts = givesUp(l, l.a, NOCACHE, l.b);
  if (parts === 0) return;
  // The kernel knows no sizes but powers of two, and gives back what lies under them.
  if ((l.b & (l.b - 1)) !== 0 || l.b < 256 || (l.a & (l.b - 1)) !== 0) l.misuse = true;
  lose(l, parts);
}

function beforePteFree(l: Ledger): void {
  const parts = givesUp(l, l.b, NOCACHE);
  if (parts === 0) return;
  const g = l.pending;
  if (l.grants[(g << GR_SHIFT) | GR_EXTRA] === 0) l.misuse = true;
  else l.grants[(g << GR_SHIFT) | GR_EXTRA]!--;
  lose(l, parts);
}

/** The last table of a page of the pool destructs it. */
function afterPteFree(l: Ledger): void {
  const g = l.pending;
  if (g < 0) return;
  l.checks[CONSTRUCTOR]!++;
  if (l.grants[(g << GR_SHIFT) | GR_EXTRA] === 0 && isBuilt(l, g)) {
    l.record(CONSTRUCTOR, LEAK, WHY_NO_DTOR, g, l.grants[(g << GR_SHIFT) | GR_FIRST]!, 0, LEVEL_PTE, 0);
  }
  partFreed(l);
}

function beforeFreeSlab(l: Ledger): void {
  const parts = givesUp(l, l.b, SLAB);
  if (parts === 0) return;
  if (l.grants[(l.pending << GR_SHIFT) | GR_REST]! >> CACHE_SHIFT !== l.a) l.misuse = true;
  lose(l, parts);
}

/** The owner of a table forgets it: its part of the page is lost, and the page is never given back. */
export function forgetPart(l: Ledger, g: number, table: number): void {
  l.checks[PAGE_LEAK]!++;
  const family = l.grants[(g << GR_SHIFT) | GR_FAMILY]!;
  const parts = partsAt(l, family, table);
  const pfn = l.grants[(g << GR_SHIFT) | GR_FIRST]!;
  const slot = pfn * MAX_PARTS + __ffs(parts);
  const queued = (l.grants[(g << GR_SHIFT) | GR_PARTS]! >>> QUEUED_SHIFT & parts) === parts;
  // The address may be another table's by now.
  if (l.partSlot[slot] !== l.sa || (!queued && (l.grants[(g << GR_SHIFT) | GR_PARTS]! & parts) !== parts)) return;
  // A gather that its path did not finish never gives it back.
  if (queued && !stranded(l, l.partGather[slot]!)) return;
  l.misuse = true;
  l.record(PAGE_LEAK, LEAK, WHY_FORGOTTEN, g, pfn, 1, 0, 1);
  if (family === NOCACHE) {
    // The pool has the page all the same.
    l.partSlot[slot] = -1;
    return;
  }
  for (let i = 0; i < l.fragCache.length; i++) if (l.fragCache[i] === g) l.fragCache[i] = -1;
  l.pages[(pfn << L_SHIFT) | L_GRANT] = -1;
  l.pages[(pfn << L_SHIFT) | L_WRITTEN_OFF] = 1;
  l.pages[(pfn << L_SHIFT) | L_TABLE] = 0;
  l.drop(g);
}

/** The hooks of these calls. */
export const FRAGMENT_HOOKS: Readonly<Record<string, Hooks>> = {
  page_table_alloc: { after: afterAlloc },
  page_table_free: { before: beforeFree, after: afterTableFree },
  page_table_free_rcu: { before: beforeFreeRcu, after: afterQueue },
  pte_fragment_alloc: { after: afterPteFragment },
  pte_fragment_free: freesFragment(PTE_FRAGMENT),
  pmd_fragment_alloc: { after: afterPmdFragment },
  pmd_fragment_free: freesFragment(PMD_FRAGMENT),
  pgtable_free_tlb: { before: beforeFreeTlb, after: afterQueue },
  arch_exit_mmap: { before: beforeExit, after: afterExit },
  get_pointer_table: { before: beforePointer, after: afterPointer },
  free_pointer_table: { before: beforeFreePointer, after: partFreed },
  srmmu_get_nocache: { after: afterNocache },
  srmmu_free_nocache: { before: beforeFreeNocache, after: partFreed },
  pte_alloc_one: { before: beforePteAlloc, after: afterPteAlloc },
  pte_free: { before: beforePteFree, after: afterPteFree },
  kmem_cache_alloc: { after: afterSlab },
  kmem_cache_free: { before: beforeFreeSlab, after: partFreed },
};
