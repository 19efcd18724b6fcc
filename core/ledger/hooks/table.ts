/**
 * Page tables as such: constructors and destructors, deposits, sharers.
 *
 * @module
 */
import * as $words from "../../memory/words.ts";
import * as $families from "../families.ts";
import * as $invariants from "../invariants.ts";
import type { Ledger } from "../ledger.ts";
import * as $states from "../states.ts";
import * as $table from "../table.ts";
import * as $why from "../why.ts";
import * as $judge from "../judge.ts";
import type { Hooks } from "./hook.ts";
import * as $hook from "./hook.ts";
import * as $release from "./release.ts";
import * as $use from "./use.ts";
import * as $records from "../records.ts";

const {
  GR_COMPOUND,
  GR_FAMILY,
  GR_FIRST,
  GR_FLAGS,
  GR_INTENT_CALL,
  GR_INTENT_STEP,
  GR_ORDER,
  GR_OWNER_REFS,
  GR_PTDESC,
  GR_SHIFT,
  GR_STATE,
  L_GRANT,
  L_ON_LIST,
  L_REFS,
  L_SHIFT,
  L_TABLE,
} = $records;
const { NULL } = $words;
const { FRAGMENT } = $families;
const { CONSTRUCTOR, CORRUPTION, LEAK, SHARE_COUNT } = $invariants;
const {
  G_TABLE,
  INTENDED,
  LEVEL_P4D,
  LEVEL_PGD,
  LEVEL_PMD,
  LEVEL_PTE,
  LEVEL_PUD,
  LIVE,
  T_DEPOSITED,
  T_DEPOSITS,
  T_LEVEL,
  T_SHARED,
  VIA_HEAD,
} = $states;
const { checkShares, checkType, closeTable, constructed, constructing, destructed, destructing, lockOf } = $table;
const { WHY_DEPOSIT_STATE, WHY_NOT_SHARED, WHY_SHARED, WHY_WRITE_FREE } = $why;
const { writeOff } = $judge;
const { dropped, holder, pfnOf, usable } = $hook;
const { RELEASE_HOOKS } = $release;
const { descriptor, made, viaOf } = $use;

/** A descriptor (a page, before 6.6) is written through: it has to be the first of a live table. */
function written(l: Ledger): boolean {
  l.pending = -1;
  if (!usable(l, l.a, WHY_WRITE_FREE)) return false;
  const g = l.pages[(l.a << L_SHIFT) | L_GRANT]!;
  const looked = (viaOf(l) & VIA_HEAD) !== 0;
  if (l.countsFolios) descriptor(l, l.a, looked, true);
  else made(l, l.a, looked, true);
  // Whoever frees it does not know of it any more, and of a page that tables share its own functions do.
  if (l.grants[(g << GR_SHIFT) | GR_STATE] !== LIVE || l.grants[(g << GR_SHIFT) | GR_FAMILY]! >= FRAGMENT) {
    l.misuse = true;
  }
  l.pending = g;
  return true;
}

function ctor(level: number): Hooks {
  return {
    before(l) {
      if (!written(l)) return;
      constructing(l, l.a);
      // What lies on x86's list has its words in use.
      if (l.pages[(l.a << L_SHIFT) | L_ON_LIST] !== 0) l.misuse = true;
      // The count of who shares it begins anew.
      if ((l.pages[(l.a << L_SHIFT) | L_TABLE]! & T_SHARED) !== 0) l.misuse = true;
      // Before 6.14 ptl keeps pointing at the lock that a destructor freed: such a page has to be freed first.
      if (l.allocPtlocks && lockOf(l, l.a) >= 0) l.misuse = true;
    },
    after(l) {
      if (l.pending < 0) return;
      l.pending = -1;
      // A void one answers 0 as well, and has nothing that can fail.
      if (l.res === 0 && level < LEVEL_PUD) return;
      constructed(l, l.a, level);
      if (level === LEVEL_PMD && l.pmdShare) checkShares(l, l.a);
    },
  };
}

function dtor(level: number): Hooks {
  return {
    before(l) {
      if (written(l)) destructing(l, l.a, level);
    },
    after(l) {
      if (l.pending < 0) return;
      l.pending = -1;
      destructed(l, l.a);
      checkType(l, l.a);
    },
  };
}

/** A destructor ran inside a call (EV_DTOR), on a table that a gather held. */
export function dtorRan(l: Ledger, pfn: number, level: number): void {
  if (pfn < 0 || pfn >= l.nrPages) return;
  const { misuse } = l;
  destructing(l, pfn, level);
  destructed(l, pfn);
  if (misuse || !l.misuse) return;
  // Whoever queued it is to blame, and not the call in which it is freed.
  l.misuse = false;
  l.lateMisuse = true;
}

const FREE_HOOKS = RELEASE_HOOKS["pagetable_free"]!;

/** pagetable_dtor and pagetable_free in one. */
const DTOR_FREE: Hooks = {
  before(l) {
    if (written(l)) {
      destructing(l, l.a, 0);
      // Its ledgers are closed before its pages are given up.
      closeTable(l, l.a);
    }
    FREE_HOOKS.before!(l);
  },
  after: FREE_HOOKS.after!,
};

/** The table of PMDs that deposits lie with: where its locks are not split, the mm. */
function home(l: Ledger): number {
  return l.splitPmd ? pfnOf(l.b) : -1 - l.a;
}

function beforeDeposit(l: Ledger): void {
  l.pending = -1;
  const pmd = pfnOf(l.b);
  l.checks[CONSTRUCTOR]!++;
  if (!usable(l, pmd, WHY_WRITE_FREE) || !usable(l, l.c, WHY_WRITE_FREE)) return;
  const g = l.pages[(l.c << L_SHIFT) | L_GRANT]!;
  if (
    l.grants[(g << GR_SHIFT) | GR_STATE] !== LIVE ||
    l.grants[(l.pages[(pmd << L_SHIFT) | L_GRANT]! << GR_SHIFT) | GR_STATE] !== LIVE || l.c === pmd
  ) l.misuse = true;
  // pmd_huge_pte is there between constructor and destructor only.
  if (
    (l.pages[(pmd << L_SHIFT) | L_TABLE]! & T_LEVEL) !== LEVEL_PMD || l.pages[(pmd << L_SHIFT) | L_ON_LIST] !== 0 ||
    l.pages[(l.c << L_SHIFT) | L_ON_LIST] !== 0
  ) l.misuse = true;
  if (
    l.grants[(g << GR_SHIFT) | GR_FAMILY]! >= FRAGMENT || l.c !== l.grants[(g << GR_SHIFT) | GR_FIRST] ||
    l.grants[(g << GR_SHIFT) | GR_COMPOUND] !== 0
  ) l.misuse = true;
  if (l.apart && (l.grants[(g << GR_SHIFT) | GR_PTDESC] === 0 || l.grants[(g << GR_SHIFT) | GR_ORDER] !== 0)) {
    l.misuse = true;
  }
  if ((l.pages[(l.c << L_SHIFT) | L_TABLE]! & T_DEPOSITED) !== 0) {
    l.misuse = true;
    l.record(CONSTRUCTOR, CORRUPTION, WHY_DEPOSIT_STATE, g, l.c, 0, 0, 0);
    return;
  }
  l.pending = g;
}

function afterDeposit(l: Ledger): void {
  if (l.pending < 0) return;
  l.grants[(l.pending << GR_SHIFT) | GR_FLAGS]! |= G_TABLE;
  l.pending = -1;
  const pmd = pfnOf(l.b);
  l.pages[(l.c << L_SHIFT) | L_TABLE]! |= T_DEPOSITED;
  l.depositHome[l.c] = home(l);
  if (!l.splitPmd) {
    l.mmDeposits[l.a & 15]!++;
    return;
  }
  if ((l.pages[(pmd << L_SHIFT) | L_TABLE]! & T_DEPOSITS) === 0) l.deposits[pmd] = 0;
  l.pages[(pmd << L_SHIFT) | L_TABLE]! |= T_DEPOSITS;
  l.deposits[pmd]!++;
}

function beforeWithdraw(l: Ledger): void {
  l.checks[CONSTRUCTOR]!++;
  const pmd = pfnOf(l.b);
  if (!usable(l, pmd, WHY_WRITE_FREE)) return;
  if (l.splitPmd ? (l.pages[(pmd << L_SHIFT) | L_TABLE]! & T_DEPOSITS) === 0 : l.mmDeposits[l.a & 15] === 0) {
    l.misuse = true;
    l.record(CONSTRUCTOR, CORRUPTION, WHY_DEPOSIT_STATE, l.pages[(pmd << L_SHIFT) | L_GRANT]!, pmd, 0, 1, 0);
  }
}

function afterWithdraw(l: Ledger): void {
  const pmd = pfnOf(l.b);
  if (l.dst >= 0) l.via[l.dst] = 0;
  if (l.res === NULL) return;
  if ((l.pages[(l.res << L_SHIFT) | L_TABLE]! & T_DEPOSITED) === 0 || l.depositHome[l.res] !== home(l)) {
    l.misuse = true;
    l.record(CONSTRUCTOR, CORRUPTION, WHY_DEPOSIT_STATE, l.pages[(l.res << L_SHIFT) | L_GRANT]!, l.res, 0, 1, 0);
    return;
  }
  l.pages[(l.res << L_SHIFT) | L_TABLE]! &= ~T_DEPOSITED;
  if (!l.splitPmd) l.mmDeposits[l.a & 15]!--;
  else if (--l.deposits[pmd]! <= 0) l.pages[(pmd << L_SHIFT) | L_TABLE]! &= ~T_DEPOSITS;
}

/** A table of PMDs of hugetlbfs that is mapped or unmapped; false where there is no sharing, or nothing to share. */
function shared(l: Ledger): boolean {
  l.pending = -1;
  const pfn = pfnOf(l.a);
  if (!usable(l, pfn, WHY_WRITE_FREE)) return false;
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  if (!l.pmdShare) return false;
  if (l.countsFolios) descriptor(l, pfn, false, !l.sharesAreRefs);
  else made(l, pfn, false, !l.sharesAreRefs);
  if (
    l.grants[(g << GR_SHIFT) | GR_STATE] !== LIVE || (l.pages[(pfn << L_SHIFT) | L_TABLE]! & T_LEVEL) !== LEVEL_PMD ||
    l.pages[(pfn << L_SHIFT) | L_ON_LIST] !== 0
  ) l.misuse = true;
  // pt_frag_refcount lies over pt_share_count.
  if (l.grants[(g << GR_SHIFT) | GR_FAMILY]! >= FRAGMENT) l.misuse = true;
  l.pending = g;
  return true;
}

function beforeShare(l: Ledger): void {
  shared(l);
}

function afterShare(l: Ledger): void {
  const g = l.pending;
  if (g < 0) return;
  l.pending = -1;
  const pfn = pfnOf(l.a);
  l.sharers[pfn] = l.shares(pfn) + 1;
  l.pages[(pfn << L_SHIFT) | L_TABLE]! |= T_SHARED;
  if (!l.sharesAreRefs) return checkShares(l, pfn);
  const at = holder(l, g, pfn);
  l.pages[(at << L_SHIFT) | L_REFS]!++;
  l.grants[(g << GR_SHIFT) | GR_OWNER_REFS]!++;
  l.checkRefs(g, at);
}

function beforeUnshare(l: Ledger): void {
  shared(l);
}

function afterUnshare(l: Ledger): void {
  if (l.dst >= 0) l.via[l.dst] = 0;
  const g = l.pending;
  if (g < 0) return;
  l.pending = -1;
  l.checks[SHARE_COUNT]!++;
  const pfn = pfnOf(l.a);
  const sharers = l.shares(pfn);
  const gone = l.res === NULL;
  if (sharers > 0) {
    if (!gone) l.record(SHARE_COUNT, CORRUPTION, WHY_NOT_SHARED, g, pfn, 0, sharers, 0);
    l.sharers[pfn] = sharers - 1;
    if (sharers === 1) l.pages[(pfn << L_SHIFT) | L_TABLE]! &= ~T_SHARED;
  } else if (gone) {
    l.grants[(g << GR_SHIFT) | GR_INTENT_STEP] = l.step;
    l.grants[(g << GR_SHIFT) | GR_INTENT_CALL] = l.op;
    l.record(SHARE_COUNT, LEAK, WHY_SHARED, g, pfn, 0, 0, 0);
    // Nobody destructs or frees it now but whoever puts the last reference, and that is said with it.
    if (l.sharesAreRefs) return writeOff(l, g);
  }
  if (!l.sharesAreRefs) return checkShares(l, pfn);
  if (!gone) return;
  // The reference of a sharer went, or of the table itself.
  const at = holder(l, g, pfn);
  l.pages[(at << L_SHIFT) | L_REFS]!--;
  l.grants[(g << GR_SHIFT) | GR_OWNER_REFS]!--;
  if (l.grants[(g << GR_SHIFT) | GR_OWNER_REFS]! <= 0 && l.grants[(g << GR_SHIFT) | GR_STATE] === LIVE) {
    l.grants[(g << GR_SHIFT) | GR_STATE] = INTENDED;
  }
  l.pendingOrder = 0;
  dropped(l, g, at);
}

/** The hooks of these calls. */
export const TABLE_HOOKS: Readonly<Record<string, Hooks>> = {
  pgtable_pte_page_ctor: ctor(LEVEL_PTE),
  pgtable_pte_page_dtor: dtor(LEVEL_PTE),
  pgtable_pmd_page_ctor: ctor(LEVEL_PMD),
  pgtable_pmd_page_dtor: dtor(LEVEL_PMD),
  pagetable_pte_ctor: ctor(LEVEL_PTE),
  pagetable_pte_dtor: dtor(LEVEL_PTE),
  pagetable_pmd_ctor: ctor(LEVEL_PMD),
  pagetable_pmd_dtor: dtor(LEVEL_PMD),
  pagetable_pud_ctor: ctor(LEVEL_PUD),
  pagetable_pud_dtor: dtor(LEVEL_PUD),
  pagetable_p4d_ctor: ctor(LEVEL_P4D),
  pagetable_pgd_ctor: ctor(LEVEL_PGD),
  pagetable_dtor: dtor(0),
  pagetable_dtor_free: DTOR_FREE,
  pgtable_trans_huge_deposit: { before: beforeDeposit, after: afterDeposit },
  pgtable_trans_huge_withdraw: { before: beforeWithdraw, after: afterWithdraw },
  huge_pmd_share: { before: beforeShare, after: afterShare },
  huge_pmd_unshare: { before: beforeUnshare, after: afterUnshare },
};
