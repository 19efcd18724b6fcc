/**
 * How the gather's calls, pgd_list's and the environment's steps are used right,
 * and how wrong (see `hostile_use.ts`).
 *
 * @module
 */
import { AFTER_CALL_RCU, AFTER_PUT } from "../core/kernel/points.ts";
import { BATCHES, FAIL_CHARGE, opOf } from "../core/program/calls.ts";
import {
  DESTRUCTS_ALL,
  DESTRUCTS_ANY,
  DESTRUCTS_NONE,
  RELEASE_LOOKUP,
  RELEASE_ORDER_2,
  RELEASE_PART,
} from "../core/ledger/states.ts";
import { DEFAULT_PAGES, FIRST_SLOT } from "../core/program/program.ts";

import {
  BUILT,
  COMPOUND,
  DEPOSIT,
  EXACT,
  EXTRA,
  GONE,
  HELD,
  HIGH,
  LISTED,
  LIVE,
  MARKED,
  ORDER_2,
  PAGES,
  PARTIAL,
  PMD,
  QUEUED,
  RESERVED,
  SINGLE,
  SPLIT,
  TABLE,
} from "./hostile_picture.ts";
import { KEPT, type Rule, type Use } from "./hostile_use.ts";
import { PAGE, PTDESC, VIRT, type Writer } from "./hostile_writer.ts";

/** What of machine and kernel decides how tables are queued. */
export interface GatherFacts {
  /** tlb_remove_table goes the way of tlb_remove_page. */
  readonly tablesArePages: boolean;
  /** Kind that tlb_remove_table takes. */
  readonly tableKind: number;
  /** A RELEASE_* code. */
  readonly tableRelease: number;
  /** A DESTRUCTS_* code. */
  readonly tableDestructs: number;
  /** pgd_list goes through the descriptor: a page table's memory only. */
  readonly listNeedsTable: boolean;
  /** Tables wait for a grace period. */
  readonly rcu: boolean;
  /** `__GFP_ACCOUNT` charges, which may fail. */
  readonly memcg: boolean;
  /** Page tables have no reference: they are never queued as pages, and none is taken on them. */
  readonly frozen: boolean;
}

const RANGES: Int32Array = Int32Array.from(
  ["tlb_flush_pte_range", "tlb_flush_pmd_range", "tlb_flush_pud_range", "tlb_flush_p4d_range"].map(opOf),
);
const env_rcu_grace_period = opOf("env rcu_grace_period");
/** Gathers that are open at once, of the 16 that there are. */
const MAX_OPEN = 8;

function gather(name: string, fullmm: boolean): Use {
  const op = opOf(name);
  return {
    right: (w) => {
      if (w.picture.open >= MAX_OPEN) return false;
      const mm = w.random.below(FIRST_SLOT);
      const slot = w.write(op, mm, 0, 0, 0, 1);
      w.picture.addGather(w.random, slot, fullmm, mm);
      return true;
    },
  };
}

function adjust(w: Writer, op: number, g: number): void {
  const { picture, random } = w;
  w.write(
    op,
    picture.gSlot[g]!,
    random.below(0x8000) * 0x10000 + random.below(16) * 4096,
    4096 << random.below(10),
    0,
    1,
  );
  if (picture.gRange[g] === 0) picture.gRange[g] = 1;
}

function range(name: string): Use {
  const op = opOf(name);
  return {
    right: (w) => {
      const g = w.picture.findGather(w.random, 1);
      if (g < 0) return false;
      adjust(w, op, g);
      return true;
    },
    wrong: (w) => {
      const g = w.picture.findGather(w.random, 0);
      if (g < 0) return false;
      adjust(w, op, g);
      return true;
    },
  };
}

/** Ends or flushes a gather; where tables wait for RCU, a grace period may end inside. */
function flush(name: string, ends: boolean, tablesArePages: boolean): Use {
  const op = opOf(name);
  const rule = (open: number): Rule => (w) => {
    const { picture, random } = w;
    const g = picture.findGather(random, open);
    if (g < 0) return false;
    if (!tablesArePages && random.chance(32)) {
      w.writeAt(AFTER_CALL_RCU);
      w.write(env_rcu_grace_period, 0, 0, 0, 0, 0);
    }
    w.one(op, picture.gSlot[g]!, 0);
    if (open === 0) return true;
    if (picture.gRange[g] === 1) picture.gRange[g] = 0;
    if (ends) picture.finish(g);
    return true;
  };
  return { right: rule(1), wrong: rule(0) };
}

/** A table that __tlb_remove_table may destruct, or one that it leaves alone; -1 for none. */
function destructed(w: Writer, destructs: number, forbid: number): number {
  const { picture, random } = w;
  const rest = forbid & ~BUILT;
  if (destructs === DESTRUCTS_ALL) return picture.find(random, LIVE | TABLE | BUILT, rest);
  if (destructs === DESTRUCTS_ANY) return picture.find(random, LIVE | TABLE, rest);
  if (random.chance(128)) return picture.find(random, LIVE | TABLE | ORDER_2, forbid);
  const b = picture.find(random, LIVE | TABLE | BUILT, rest | ORDER_2 | PMD);
  return b >= 0 && picture.ctor[b] === 1 ? b : -1;
}

/**
 * Queues a page or table.
 *
 * @param kind kind of the second operand
 * @param families whose memory it takes
 * @param batched it goes the way of pages: the range must have been adjusted
 * @param release how the architecture frees it, where it goes the way of tables
 * @param isVoid the second operand is `void *`
 * @param destructs what is destructed on the way
 */
function remove(
  name: string,
  kind: number,
  families: number,
  batched: boolean,
  release: number,
  isVoid: boolean,
  destructs = DESTRUCTS_NONE,
): Use {
  const op = opOf(name);
  const firstOnly = kind === PTDESC || (!batched && release !== 0);
  const find = (w: Writer, need: number, forbid: number): number => {
    const { picture, random } = w;
    const first = random.chance(128) ? TABLE : PAGES;
    if ((families & first) !== 0) {
      const b = picture.find(random, need | first, forbid);
      if (b >= 0) return b;
    }
    const rest = families & ~first;
    return rest === 0 ? -1 : picture.find(random, need | rest, forbid);
  };
  return {
    right: (w) => {
      const { picture, random } = w;
      // Only parts of pages are freed so, and they have their own calls.
      if (!batched && release === RELEASE_PART) return false;
      const g = picture.findGather(random, 1);
      if (g < 0) return false;
      const forbid = KEPT | (kind === VIRT ? HIGH : 0);
      let b = -1;
      if (!batched && release === RELEASE_ORDER_2) b = find(w, LIVE | ORDER_2, forbid | SPLIT | PARTIAL);
      else {
        const one = random.chance(128) ? SINGLE : COMPOUND;
        if (destructs !== DESTRUCTS_NONE) {
          b = destructed(w, destructs, forbid | SPLIT | PARTIAL);
          if (b < 0) return false;
        } else b = find(w, LIVE | one, forbid | SPLIT | PARTIAL);
        if (b < 0 && (families & PAGES) !== 0) b = picture.find(random, LIVE | PAGES | SPLIT, forbid);
      }
      if (b < 0) return false;
      const split = (picture.traits[b]! & SPLIT) !== 0;
      const page = firstOnly && !split ? 0 : picture.somePage(random, b);
      if (batched && picture.gRange[g] === 0) adjust(w, RANGES[random.below(4)]!, g);
      w.write(op, picture.gSlot[g]!, w.name(b, kind), 0, page << 10, 3);
      if (picture.gRange[g] === 1) picture.gRange[g] = 0;
      if (split) picture.takePage(b, page);
      else picture.giveUp(b, QUEUED);
      picture.queue(b, g);
      return true;
    },
    wrong: (w) => {
      const { picture, random } = w;
      const g = picture.findGather(random, random.chance(64) ? 0 : 1);
      if (g < 0) return false;
      w.targetOffset = 0;
      const slot = isVoid && random.chance(64) ? w.otherKind(kind) : w.target(kind);
      if (slot < 0) return false;
      if (batched && picture.gRange[g] === 0 && random.chance(128)) adjust(w, RANGES[random.below(4)]!, g);
      w.write(op, picture.gSlot[g]!, slot, 0, w.targetOffset << 10, 3);
      if (w.targetBlock >= 0) {
        picture.giveUp(w.targetBlock, QUEUED);
        picture.queue(w.targetBlock, g);
      }
      return true;
    },
  };
}

/** pgd_list: what it stores in must be a first page, and a page table's from 6.6 on. */
function list(name: string, listed: number, facts: GatherFacts): Use {
  const op = opOf(name);
  return {
    right: (w) => {
      const { picture, random } = w;
      const forbid = HIGH | PARTIAL | BUILT | DEPOSIT | (listed === 0 ? LISTED : 0);
      const need = LIVE | (listed === 1 ? LISTED : 0);
      let b = -1;
      if (facts.listNeedsTable) {
        b = picture.find(random, need | TABLE, forbid);
        if (!w.apart && (b < 0 || random.chance(48))) {
          const reserved = picture.find(random, need | RESERVED, forbid);
          if (reserved >= 0) b = reserved;
        }
      } else b = picture.find(random, need, forbid);
      if (b < 0) return false;
      const slot = w.name(b, VIRT);
      if (listed < 0) w.write(op, slot, random.below(FIRST_SLOT), 0, 0, 3);
      else w.one(op, slot, 0);
      if (listed === 0) picture.traits[b]! |= LISTED;
      if (listed === 1) picture.traits[b]! &= ~LISTED;
      return true;
    },
    wrong: (w) => {
      const { picture, random } = w;
      const twice = listed >= 0 && random.chance(96)
        ? picture.find(random, LIVE | (listed === 0 ? LISTED : 0), HIGH)
        : -1;
      const slot = twice >= 0 ? w.name(twice, VIRT) : w.target(VIRT);
      if (slot < 0) return false;
      const offset = twice >= 0 ? 0 : w.targetOffset;
      if (listed < 0) w.write(op, slot, random.below(FIRST_SLOT), 0, offset, 3);
      else w.one(op, slot, offset);
      return true;
    },
  };
}

const env_put_page = opOf("env put_page");
const __free_pages = opOf("__free_pages");
const free_pages = opOf("free_pages");

function envGet(frozen: boolean): Use {
  const op = opOf("env get_page_unless_zero");
  return {
    right: (w) => {
      const { picture, random } = w;
      // What is gone may be anybody's by now, boot memory too, where a reference is theoretical.
      const forbid = RESERVED | MARKED | (w.hostile ? 0 : GONE | QUEUED);
      const b = picture.find(random, random.chance(224) ? LIVE : 0, forbid);
      if (b < 0) return false;
      const traits = picture.traits[b]!;
      const page = picture.somePage(random, b);
      const first = random.chance(192) && (traits & (SPLIT | PARTIAL)) === 0 ? 0 : page;
      // Tails have no reference of their own: there the get fails.
      const none = frozen && (traits & TABLE) !== 0;
      const taken = !none && (traits & LIVE) !== 0 && (first === 0 || (traits & (SPLIT | EXACT)) !== 0);
      if (taken) {
        if (!picture.env.add(b, first)) return false;
        picture.traits[b]! |= HELD;
      }
      w.one(op, w.name(b, random.chance(200) || (traits & HIGH) !== 0 ? PAGE : VIRT), first);
      return true;
    },
    wrong: outside(op),
  };
}

function envPut(): Use {
  return {
    right: (w) => {
      const { picture, random } = w;
      const { env } = picture;
      if (env.n === 0) return false;
      const i = random.below(env.n);
      const b = env.block(i);
      const page = env.page(i);
      const traits = picture.traits[b]!;
      env.remove(i);
      if (!env.on(b)) picture.traits[b]! &= ~HELD;
      const inside = (traits & (LIVE | PAGES | SPLIT | KEPT | HIGH)) === (LIVE | PAGES) && page === 0 &&
        random.chance(160);
      if (!inside) {
        w.one(env_put_page, w.name(b, PAGE), page);
        return true;
      }
      // The put comes between the owner's own put and what it decides from the answer.
      const slot = w.name(b, PAGE);
      const byAddress = random.chance(64);
      const freed = byAddress ? w.name(b, VIRT) : slot;
      w.writeAt(AFTER_PUT);
      w.one(env_put_page, slot, 0);
      w.write(byAddress ? free_pages : __free_pages, freed, picture.order[b]!, 0, 0, 1);
      picture.giveUp(b, GONE);
      return true;
    },
    wrong: outside(env_put_page),
  };
}

/** A page that is outside of memory; in a zone too large for that, of any block. */
function outside(op: number): Rule {
  return (w) => {
    const { picture, random } = w;
    const b = picture.find(random, 0, 0);
    if (b < 0) return false;
    w.one(op, w.name(b, PAGE), Math.min(1023, w.nrPages + random.below(64)));
    return true;
  };
}

function ownerGone(): Use {
  const op = opOf("env owner_gone");
  return {
    right: (w) => {
      const { picture, random } = w;
      // Pages wait in a gather until it is finished, and for whoever took a reference.
      const b = picture.find(random, GONE, EXTRA);
      if (b < 0 || picture.gather[b]! >= 0) return false;
      w.one(op, picture.granted[b]!, 0);
      return true;
    },
    wrong: (w) => {
      const b = w.picture.find(w.random, LIVE, 0);
      if (b < 0) return false;
      w.one(op, w.picture.granted[b]!, 0);
      w.picture.giveUp(b, GONE);
      return true;
    },
  };
}

function fail(memcg: boolean): Use {
  const op = opOf("env fail");
  return {
    right: (w) => {
      // A lock's failure goes with the constructor that it is meant for (hostile_table_rules.ts).
      const charge = memcg && w.random.chance(64);
      w.write(op, charge ? FAIL_CHARGE : w.random.below(1 + BATCHES), 0, 0, 0, 0);
      return true;
    },
  };
}

function gracePeriod(): Use {
  const op = opOf("env rcu_grace_period");
  return {
    right: (w) => {
      w.write(op, 0, 0, 0, 0, 0);
      return true;
    },
  };
}

function place(): Use {
  const op = opOf("env place");
  return {
    right: (w) => {
      w.write(op, w.random.below(DEFAULT_PAGES), 0, 0, 0, 0);
      return true;
    },
  };
}

/** The rules, by the call's name; `env ` before it for the environment's. */
export function gatherRules(facts: GatherFacts): Readonly<Record<string, Use>> {
  const { tablesArePages, tableKind, tableRelease, frozen, tableDestructs, memcg } = facts;
  // A table that is queued as a descriptor is a page table's memory.
  const any = tableKind === PTDESC ? TABLE : TABLE | PAGES;
  const ptdescKind = tablesArePages ? PTDESC : tableKind;
  return {
    tlb_gather_mmu: gather("tlb_gather_mmu", false),
    tlb_gather_mmu_fullmm: gather("tlb_gather_mmu_fullmm", true),
    tlb_flush_pte_range: range("tlb_flush_pte_range"),
    tlb_flush_pmd_range: range("tlb_flush_pmd_range"),
    tlb_flush_pud_range: range("tlb_flush_pud_range"),
    tlb_flush_p4d_range: range("tlb_flush_p4d_range"),
    tlb_remove_page: remove("tlb_remove_page", PAGE, frozen ? PAGES : TABLE | PAGES, true, 0, false),
    // What s390 frees by pagetable_free has to come from pagetable_alloc.
    tlb_remove_table: remove(
      "tlb_remove_table",
      tableKind,
      !tablesArePages && tableRelease === RELEASE_LOOKUP ? TABLE : any,
      tablesArePages,
      tableRelease,
      true,
      tableDestructs,
    ),
    tlb_remove_ptdesc: remove(
      "tlb_remove_ptdesc",
      ptdescKind,
      TABLE,
      tablesArePages,
      tableRelease,
      true,
      tableDestructs,
    ),
    tlb_remove_page_ptdesc: remove(
      "tlb_remove_page_ptdesc",
      PTDESC,
      TABLE,
      !frozen,
      frozen && tableRelease === RELEASE_PART ? RELEASE_PART : 0,
      false,
      frozen ? tableDestructs : DESTRUCTS_NONE,
    ),
    tlb_flush_mmu: flush("tlb_flush_mmu", false, tablesArePages),
    tlb_finish_mmu: flush("tlb_finish_mmu", true, tablesArePages),
    pgd_list_add: list("pgd_list_add", 0, facts),
    pgd_list_del: list("pgd_list_del", 1, facts),
    pgd_set_mm: list("pgd_set_mm", -1, facts),
    "env get_page_unless_zero": envGet(frozen),
    "env put_page": envPut(),
    "env fail": fail(memcg),
    "env rcu_grace_period": gracePeriod(),
    "env owner_gone": ownerGone(),
    "env place": place(),
  };
}
