/**
 * The ledgers of page tables: what constructor and destructor did, what is
 * charged, deposited and shared. All of them are zero when the last table is gone.
 *
 * What is expected comes from the calls' arguments; what is observed are raw words:
 * the page's type, `ptl`, `memcg_data`, `pt_share_count`, NR_PAGETABLE, the memcg's
 * counter, the slab of locks.
 *
 *     grant -> constructor -> (deposit, share, lock) -> destructor -> free
 *        |                                                              |
 *        +------------------ charged, where __GFP_ACCOUNT --------------+
 *
 * @module
 */
import * as $memMap from "../memory/mem_map.ts";
import * as $words from "../memory/words.ts";
import * as $invariants from "./invariants.ts";
import * as $families from "./families.ts";
import type { Ledger } from "./ledger.ts";
import * as $states from "./states.ts";
import * as $walkers from "./walkers.ts";
import * as $why from "./why.ts";
import * as $records from "./records.ts";

const { GR_COMPOUND, GR_FAMILY, GR_FIRST, GR_FLAGS, GR_SHIFT, GR_TOTAL, L_GRANT, L_SHIFT, L_TABLE } = $records;
const { LOCK_ADDRESS, LOCK_LIVE, LOCK_SIZE, MAX_LOCKS, Z_PAGETABLE } = $memMap;
const { NULL, PAGE_WORDS_SHIFT, W_INDEX, W_MEMCG, W_PRIVATE, W_TYPE } = $words;
const { CHARGE, CONSTRUCTOR, CORRUPTION, LATENT, LEAK, LOCK_LIFETIME, OVERLAY_CLOBBER, PAGE_TYPE, SHARE_COUNT } =
  $invariants;
const { SLAB } = $families;
const { G_TABLE, LEVEL_PMD, LEVEL_PTE, T_CHARGED, T_DEPOSITED, T_DEPOSITS, T_LEVEL, T_LOCK, T_SHARED } = $states;
const { maySee, WALK_RCU } = $walkers;
const {
  WHY_CHARGE_WORD,
  WHY_CHARGES,
  WHY_CTOR_AGAIN,
  WHY_DEPOSITS,
  WHY_DTOR_LEVEL,
  WHY_DTOR_WITHOUT,
  WHY_FREED_DEPOSITED,
  WHY_FREED_SHARED,
  WHY_LOCK_GONE,
  WHY_LOCK_KEPT,
  WHY_LOCK_SEEN,
  WHY_NO_DTOR,
  WHY_PAGETABLES,
  WHY_SHARES,
  WHY_TYPE,
  WHY_TYPE_KEPT,
} = $why;

/** The raw type word says that a page is a page table's. */
function isTable(l: Ledger, pfn: number): boolean {
  return (l.mem[(l.describing(pfn) << PAGE_WORDS_SHIFT) + W_TYPE]! & l.layout.tableMask) === l.layout.tableValue;
}

/** Compares a page's type with what constructor and destructor made of it. */
export function checkType(l: Ledger, pfn: number): void {
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  // A slab has a type of its own (6.12).
  if (g >= 0 && l.grants[(g << GR_SHIFT) | GR_FAMILY] === SLAB) return;
  l.checks[PAGE_TYPE]!++;
  const should = (l.pages[(pfn << L_SHIFT) | L_TABLE]! & T_LEVEL) !== 0;
  const type = l.mem[(l.describing(pfn) << PAGE_WORDS_SHIFT) + W_TYPE]!;
  if (should ? isTable(l, pfn) : type === -1) return;
  l.record(PAGE_TYPE, CORRUPTION, WHY_TYPE, l.pages[(pfn << L_SHIFT) | L_GRANT]!, pfn, 0, type, should ? 1 : 0);
}

/** The owner gives pages up by a free: their type has to be gone by then. */
export function checkTypeGone(l: Ledger, g: number): void {
  const first = l.grants[(g << GR_SHIFT) | GR_FIRST]!;
  if ((l.pages[(first << L_SHIFT) | L_TABLE]! & T_LEVEL) === 0) return;
  l.checks[PAGE_TYPE]!++;
  const type = l.mem[(l.describing(first) << PAGE_WORDS_SHIFT) + W_TYPE]!;
  if (isTable(l, first)) l.record(PAGE_TYPE, LATENT, WHY_TYPE_KEPT, g, first, 0, type, 0);
}

/** Pages that a constructor counts for a table. */
function counted(l: Ledger, g: number): number {
  return l.countsFolios && g >= 0 && l.grants[(g << GR_SHIFT) | GR_COMPOUND] !== 0
    ? l.grants[(g << GR_SHIFT) | GR_TOTAL]!
    : 1;
}

/** Whether a table of that level has a lock of its own. */
function hasLock(l: Ledger, level: number): boolean {
  return level === LEVEL_PTE ? l.splitPte : level === LEVEL_PMD && l.splitPmd;
}

/** The object that `ptl` points at; -1 where it points at none. */
export function lockOf(l: Ledger, pfn: number): number {
  const lock = (l.mem[(l.describing(pfn) << PAGE_WORDS_SHIFT) + W_PRIVATE]! - LOCK_ADDRESS) / LOCK_SIZE;
  return lock >>> 0 === lock && lock < MAX_LOCKS ? lock : -1;
}

/** A constructor is about to run on a page: it must be the first. */
export function constructing(l: Ledger, pfn: number): void {
  l.checks[CONSTRUCTOR]!++;
  const level = l.pages[(pfn << L_SHIFT) | L_TABLE]! & T_LEVEL;
  if (level === 0) return;
  l.misuse = true;
  l.record(CONSTRUCTOR, CORRUPTION, WHY_CTOR_AGAIN, l.pages[(pfn << L_SHIFT) | L_GRANT]!, pfn, 0, level, 0);
}

/** A constructor has run, and could. */
export function constructed(l: Ledger, pfn: number, level: number): void {
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  if ((l.pages[(pfn << L_SHIFT) | L_TABLE]! & T_LEVEL) !== 0) l.pagetables = l.mem[l.map.zones + Z_PAGETABLE]!;
  else l.pagetables += counted(l, g);
  l.pages[(pfn << L_SHIFT) | L_TABLE] = (l.pages[(pfn << L_SHIFT) | L_TABLE]! & ~T_LEVEL) | level;
  if (g >= 0) l.grants[(g << GR_SHIFT) | GR_FLAGS]! |= G_TABLE;
  checkType(l, pfn);
  if (!l.allocPtlocks || !hasLock(l, level)) return;
  l.checks[LOCK_LIFETIME]!++;
  const lock = lockOf(l, pfn);
  if (lock < 0 || l.locks[lock] !== LOCK_LIVE) {
    l.record(LOCK_LIFETIME, CORRUPTION, WHY_LOCK_GONE, g, pfn, 0, 1, 0);
    return;
  }
  l.pages[(pfn << L_SHIFT) | L_TABLE]! |= T_LOCK;
  l.lockOf[pfn] = lock;
  l.nLocks++;
}

/** A destructor is about to run on a page, or ran inside a call; level 0 is any level's. */
export function destructing(l: Ledger, pfn: number, level: number): void {
  l.checks[CONSTRUCTOR]!++;
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  const was = l.pages[(pfn << L_SHIFT) | L_TABLE]! & T_LEVEL;
  if (was === 0) {
    l.misuse = true;
    l.record(CONSTRUCTOR, CORRUPTION, WHY_DTOR_WITHOUT, g, pfn, 0, level, 0);
    return;
  }
  // Destructors of two levels differ in the lock that they free; where both have one or none, they are the same.
  if (level !== 0 && l.allocPtlocks && hasLock(l, was) !== hasLock(l, level)) {
    l.misuse = true;
    l.record(CONSTRUCTOR, hasLock(l, was) ? LEAK : CORRUPTION, WHY_DTOR_LEVEL, g, pfn, 0, was, level);
  }
  if ((l.pages[(pfn << L_SHIFT) | L_TABLE]! & T_DEPOSITS) !== 0) {
    l.misuse = true;
    l.record(CONSTRUCTOR, LEAK, WHY_DEPOSITS, g, pfn, 0, l.deposits[pfn]!, 0);
  }
}

/** A lock goes back to the slab: nobody may be in the table who would take it (B12). */
function lockFreed(l: Ledger, pfn: number): void {
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  if (g < 0 || !maySee(l, g, WALK_RCU)) return;
  l.misuse = true;
  const { walkers } = l;
  let w = 0;
  while (walkers.table[w] !== g || walkers.kind[w] !== WALK_RCU) w++;
  l.record(LOCK_LIFETIME, CORRUPTION, WHY_LOCK_SEEN, g, pfn, 0, walkers.slot[w]!, 0);
}

/** A table is none any more. */
export function closeTable(l: Ledger, pfn: number): void {
  const state = l.pages[(pfn << L_SHIFT) | L_TABLE]!;
  if ((state & T_LEVEL) === 0) return;
  l.pagetables -= counted(l, l.pages[(pfn << L_SHIFT) | L_GRANT]!);
  if ((state & T_LOCK) !== 0) l.nLocks--;
  l.pages[(pfn << L_SHIFT) | L_TABLE] = state & ~(T_LEVEL | T_LOCK | T_DEPOSITS);
}

/** A destructor has run. */
export function destructed(l: Ledger, pfn: number): void {
  const state = l.pages[(pfn << L_SHIFT) | L_TABLE]!;
  if ((state & T_LEVEL) === 0) {
    // It was none; what it did to the count is told already.
    l.pagetables = l.mem[l.map.zones + Z_PAGETABLE]!;
    return;
  }
  closeTable(l, pfn);
  if ((state & T_LOCK) === 0) return;
  l.checks[LOCK_LIFETIME]!++;
  lockFreed(l, pfn);
  if (l.locks[l.lockOf[pfn]!] === LOCK_LIVE) {
    l.record(LOCK_LIFETIME, LEAK, WHY_LOCK_KEPT, l.pages[(pfn << L_SHIFT) | L_GRANT]!, pfn, 0, 0, 0);
    l.nLocks++;
  }
}

/**
 * Somebody who found a table takes its lock (`ptlock_ptr`): it has to be there still.
 *
 * @returns whether it was
 */
export function lockUsed(l: Ledger, pfn: number): boolean {
  if (!l.splitPte) return true;
  l.checks[LOCK_LIFETIME]!++;
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  if (g < 0) {
    l.record(LOCK_LIFETIME, CORRUPTION, WHY_LOCK_GONE, g, pfn, 0, 0, 0);
    return false;
  }
  if (!l.allocPtlocks) return true;
  const lock = lockOf(l, pfn);
  if (lock >= 0 && l.locks[lock] === LOCK_LIVE) return true;
  l.record(LOCK_LIFETIME, CORRUPTION, WHY_LOCK_GONE, g, pfn, 0, 1, 0);
  return false;
}

/** A grant's pages are charged. */
export function charged(l: Ledger, first: number, pages: number, each: boolean): void {
  for (let i = 0; i < pages; i++) l.pages[((first + i) << L_SHIFT) | L_TABLE]! |= T_CHARGED;
  l.charges += pages;
  for (let i = 0; i < (each ? pages : 1); i++) checkCharge(l, first + i);
}

/** Compares a page's memcg_data with whether it is charged. */
export function checkCharge(l: Ledger, pfn: number): void {
  l.checks[CHARGE]!++;
  const w = (pfn << PAGE_WORDS_SHIFT) + W_MEMCG;
  const is = (l.mem[w]! | l.mem[w + 1]!) !== 0;
  const should = (l.pages[(pfn << L_SHIFT) | L_TABLE]! & T_CHARGED) !== 0;
  if (is === should) return;
  l.record(
    CHARGE,
    should ? LEAK : CORRUPTION,
    WHY_CHARGE_WORD,
    l.pages[(pfn << L_SHIFT) | L_GRANT]!,
    pfn,
    0,
    pfn,
    should ? 1 : 0,
  );
}

/** Compares pt_share_count of a table with the mms that share it. */
export function checkShares(l: Ledger, pfn: number): void {
  if (l.sharesAreRefs) return;
  l.checks[SHARE_COUNT]!++;
  const raw = l.mem[(l.describing(pfn) << PAGE_WORDS_SHIFT) + W_INDEX]!;
  const should = l.shares(pfn);
  if (raw !== should) {
    l.record(SHARE_COUNT, CORRUPTION, WHY_SHARES, l.pages[(pfn << L_SHIFT) | L_GRANT]!, pfn, 0, raw, should);
  }
}

/**
 * A page of which something is on these ledgers leaves its grant.
 *
 * @param free whether the kernel freed it; what is lost may keep its charge
 */
export function leaveLedgers(l: Ledger, g: number, pfn: number, free: boolean): void {
  const state = l.pages[(pfn << L_SHIFT) | L_TABLE]!;
  l.pages[(pfn << L_SHIFT) | L_TABLE] = 0;
  if ((state & T_CHARGED) !== 0) {
    l.charges--;
    if (!free) l.lostCharges++;
  }
  const level = state & T_LEVEL;
  if (level !== 0) {
    l.checks[CONSTRUCTOR]!++;
    // NR_PAGETABLE counts it for ever now.
    l.record(CONSTRUCTOR, LEAK, WHY_NO_DTOR, g, pfn, 0, level, 0);
    if ((state & T_DEPOSITS) !== 0) l.record(CONSTRUCTOR, LEAK, WHY_DEPOSITS, g, pfn, 0, l.deposits[pfn]!, 0);
  }
  if ((state & T_SHARED) !== 0 && free) {
    l.record(SHARE_COUNT, CORRUPTION, WHY_FREED_SHARED, g, pfn, 0, l.sharers[pfn]!, 0);
  }
  if ((state & T_DEPOSITED) !== 0 && free) {
    l.record(OVERLAY_CLOBBER, CORRUPTION, WHY_FREED_DEPOSITED, g, pfn, 0, 0, 0);
  }
}

/** After a step: NR_PAGETABLE is another than constructors and destructors leave. */
export function pagetablesDiffer(l: Ledger, raw: number): void {
  const should = l.pagetables;
  l.pagetables = raw;
  if (l.stop) return;
  l.record(CONSTRUCTOR, raw > should ? LEAK : CORRUPTION, WHY_PAGETABLES, -1, NULL, 0, raw, should);
}

/** After a step: the memcg pays for another number of pages than is charged. */
export function chargesDiffer(l: Ledger, raw: number): void {
  const should = l.charges;
  l.charges = raw;
  const lost = l.lostCharges;
  l.lostCharges = 0;
  // Pages that are lost may have kept their charge; they are told as lost.
  if (l.stop || (raw > should && raw - should <= lost)) return;
  const severity = raw > should ? LEAK : CORRUPTION;
  l.record(CHARGE, severity, WHY_CHARGES, -1, NULL, raw > should ? raw - should : 0, raw, should);
}

/** At the end of a program: no lock of the slab is anybody's but a table's. */
export function sweepLocks(l: Ledger): void {
  l.checks[LOCK_LIFETIME]!++;
  if (!l.allocPtlocks) return;
  let live = 0;
  for (let i = l.locks.indexOf(LOCK_LIVE); i >= 0; i = l.locks.indexOf(LOCK_LIVE, i + 1)) live++;
  if (live > l.nLocks) l.record(LOCK_LIFETIME, LEAK, WHY_LOCK_KEPT, -1, NULL, 0, live, l.nLocks);
}
