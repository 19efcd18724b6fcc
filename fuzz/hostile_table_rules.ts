/**
 * How page tables are constructed, destructed, deposited and shared, right and wrong
 * (see `hostile_use.ts`).
 *
 * @module
 */
import { CALLS, FAIL_PTLOCK, opOf } from "../core/program/calls.ts";
import {
  BUILT,
  DEPOSIT,
  EXACT,
  GONE,
  HIGH,
  LISTED,
  LIVE,
  MARKED,
  PAGES,
  PARTIAL,
  PMD,
  RESERVED,
  SHARED,
  SINGLE,
  SPENT,
  SPLIT,
  TABLE,
  WALKED,
} from "./hostile_picture.ts";
import { type Use, wrongPointer } from "./hostile_use.ts";
import { PAGE, PTDESC, VIRT, type Writer } from "./hostile_writer.ts";

/** What the machine has. */
export interface TableFacts {
  /** The kernel has descriptors: a page table's memory comes from pagetable_alloc. */
  readonly descriptors: boolean;
  /** Locks come from a slab. */
  readonly slabLocks: boolean;
  /** Tables of PMDs have locks of their own. */
  readonly splitPmd: boolean;
  /** Tables of PMDs may be shared. */
  readonly pmdShare: boolean;
  /** Sharers are references. */
  readonly sharesAreRefs: boolean;
}

const env_fail = opOf("env fail");
/** Nothing else is done with such a block. */
const APART = MARKED | LISTED | PARTIAL | SPLIT | DEPOSIT | EXACT | RESERVED;
const NR_MMS = 3;

/** Levels by the constructor's name. */
const LEVELS: Readonly<Record<string, number>> = {
  pgtable_pte_page: 1,
  pgtable_pmd_page: 2,
  pagetable_pte: 1,
  pagetable_pmd: 2,
  pagetable_pud: 3,
  pagetable_p4d: 4,
  pagetable_pgd: 5,
};

function kindOf(name: string): number {
  return CALLS[opOf(name)]!.params[0]!.type === "page" ? PAGE : PTDESC;
}

function ctor(base: string, facts: TableFacts): Use {
  const name = `${base}_ctor`;
  const op = opOf(name);
  const kind = kindOf(name);
  const level = LEVELS[base]!;
  return {
    right(w) {
      const { picture, random } = w;
      const memory = facts.descriptors && kind === PTDESC ? TABLE : random.chance(128) ? TABLE : PAGES;
      const forbid = APART | BUILT | (facts.slabLocks ? SPENT : 0);
      let b = picture.find(random, LIVE | memory, forbid);
      if (b < 0 && kind === PAGE) b = picture.find(random, LIVE | (memory ^ TABLE ^ PAGES), forbid);
      if (b < 0) return false;
      const slot = w.name(b, kind);
      // Where the line is skipped, for want of memory, the failure meets another constructor that is meant right.
      const locks = level === 1 || (level === 2 && facts.splitPmd);
      const fails = level <= 2 && random.chance(20) && (!facts.slabLocks || (locks && w.hostile));
      if (fails) w.write(env_fail, FAIL_PTLOCK, 0, 0, 0, 0);
      w.one(op, slot, 0);
      if (fails && facts.slabLocks) return true;
      picture.traits[b]! |= BUILT | (level === 2 ? PMD : 0);
      picture.ctor[b] = level;
      return true;
    },
    wrong: wrongTable(op, kind, 0),
  };
}

/** A destructor of that level; 0 takes any. */
function dtor(name: string, level: number, slabLocks: boolean): Use {
  const op = opOf(name);
  const kind = kindOf(name);
  const frees = name === "pagetable_dtor_free";
  return {
    right(w) {
      const { picture, random } = w;
      const b = picture.find(
        random,
        LIVE | BUILT | (frees ? TABLE : 0),
        DEPOSIT | SHARED | MARKED | LISTED | (frees || slabLocks ? WALKED : 0),
      );
      if (b < 0 || (level !== 0 && picture.ctor[b] !== level)) return false;
      w.one(op, w.name(b, kind), 0);
      picture.traits[b] = (picture.traits[b]! & ~(BUILT | PMD)) | SPENT;
      if (frees) picture.giveUp(b, GONE);
      return true;
    },
    wrong: wrongTable(op, kind, BUILT),
  };
}

/** A block that was constructed already, or was not; or any wrong pointer. */
function wrongTable(op: number, kind: number, forbid: number): (w: Writer) => boolean {
  const anywhere = wrongPointer(op, kind, false, false);
  return (w) => {
    const b = w.random.chance(128) ? w.picture.find(w.random, LIVE | (BUILT & ~forbid), HIGH | forbid) : -1;
    if (b < 0) return anywhere(w);
    w.one(op, w.name(b, kind), 0);
    return true;
  };
}

function deposit(): Use {
  const op = opOf("pgtable_trans_huge_deposit");
  return {
    right(w) {
      const { picture, random } = w;
      // Where one of the two could not be had, the line is skipped, and the withdrawal is not.
      if (picture.depositPmd !== -1 || !w.hostile) return false;
      const pmd = picture.find(random, LIVE | BUILT | PMD, HIGH | APART | SHARED);
      const pte = picture.find(random, LIVE | SINGLE | (w.apart ? TABLE : 0), HIGH | APART | (PMD | SHARED));
      if (pmd < 0 || pte < 0 || pmd === pte) return false;
      const mm = random.below(NR_MMS);
      const at = w.name(pmd, VIRT);
      w.write(op, mm, at, w.name(pte, PAGE), 0, 7);
      picture.depositPmd = pmd;
      picture.depositPte = pte;
      picture.depositMm = mm;
      picture.traits[pmd]! |= DEPOSIT;
      picture.traits[pte]! |= DEPOSIT;
      return true;
    },
    // A table that is deposited already, one of PMDs in itself, or wherever.
    wrong(w) {
      const { picture, random } = w;
      const pmd = random.chance(128) ? picture.depositPmd : picture.find(random, LIVE, HIGH);
      const pte = random.chance(128) ? picture.depositPte : picture.find(random, 0, HIGH);
      if (pmd < 0 || pte < 0) return false;
      const at = w.name(pmd, VIRT);
      w.write(op, random.below(NR_MMS), at, w.name(pte, PAGE), 0, 7);
      return true;
    },
  };
}

function withdraw(): Use {
  const op = opOf("pgtable_trans_huge_withdraw");
  return {
    right(w) {
      const { picture } = w;
      if (picture.depositPmd < 0) return false;
      w.write(op, picture.depositMm, w.name(picture.depositPmd, VIRT), 0, 0, 3);
      picture.traits[picture.depositPmd]! &= ~DEPOSIT;
      picture.traits[picture.depositPte]! &= ~DEPOSIT;
      picture.depositPmd = -1;
      picture.depositPte = -1;
      return true;
    },
    wrong(w) {
      const { random } = w;
      const slot = w.target(VIRT);
      if (slot < 0) return false;
      w.write(op, random.below(NR_MMS), slot, 0, w.targetOffset << 10, 3);
      return true;
    },
  };
}

function share(facts: TableFacts): Use {
  const op = opOf("huge_pmd_share");
  return {
    right(w) {
      const { picture, random } = w;
      const b = picture.find(random, LIVE | BUILT | PMD, HIGH | APART | SHARED);
      if (b < 0) return false;
      w.one(op, w.name(b, VIRT), 0);
      if (facts.pmdShare) picture.traits[b]! |= SHARED;
      return true;
    },
    wrong: wrongPointer(op, VIRT, false, false),
  };
}

function unshare(facts: TableFacts): Use {
  const op = opOf("huge_pmd_unshare");
  return {
    right(w) {
      const { picture, random } = w;
      let b = picture.find(random, LIVE | BUILT | PMD | SHARED, HIGH);
      // Before B15 a reference of anybody's makes it look shared: there, only what is shared is unshared.
      if (b < 0 && !facts.sharesAreRefs) b = picture.find(random, LIVE | BUILT | PMD, HIGH | APART);
      if (b < 0) return false;
      w.one(op, w.name(b, VIRT), 0);
      picture.traits[b]! &= ~SHARED;
      return true;
    },
    wrong: wrongPointer(op, VIRT, false, false),
  };
}

/** The rules, by the call's name. */
export function tableRules(facts: TableFacts): Readonly<Record<string, Use>> {
  const { slabLocks } = facts;
  return {
    ...Object.fromEntries(Object.keys(LEVELS).map((base) => [`${base}_ctor`, ctor(base, facts)])),
    pgtable_pte_page_dtor: dtor("pgtable_pte_page_dtor", 1, slabLocks),
    pgtable_pmd_page_dtor: dtor("pgtable_pmd_page_dtor", 2, slabLocks),
    pagetable_pte_dtor: dtor("pagetable_pte_dtor", 1, slabLocks),
    pagetable_pmd_dtor: dtor("pagetable_pmd_dtor", 2, slabLocks),
    pagetable_pud_dtor: dtor("pagetable_pud_dtor", 3, slabLocks),
    pagetable_dtor: dtor("pagetable_dtor", 0, slabLocks),
    pagetable_dtor_free: dtor("pagetable_dtor_free", 0, slabLocks),
    pgtable_trans_huge_deposit: deposit(),
    pgtable_trans_huge_withdraw: withdraw(),
    huge_pmd_share: share(facts),
    huge_pmd_unshare: unshare(facts),
  };
}
