/**
 * Hostile mode: raw calls in any order with any argument. It proves that the
 * invariants see misuse, and that what the model does to calls that are used
 * right breaks none of them.
 *
 * Each program draws its own weights (swarm testing) and its malice: how often
 * a call is used wrong. A program ends at the first finding that is not latent,
 * so without malice it goes deep, and with much of it every mistake is made:
 *
 *     malice   programs   calls meant wrong   lines
 *     none     1 in 4     none                20-200   a finding is a fault of model or ledger
 *     low      1 in 4     1 in 64             20-200
 *     medium   1 in 4     1 in 12             20-120
 *     high     1 in 4     1 in 3              20-60
 *
 * @module
 */
import { callName, CALLS } from "../core/program/calls.ts";
import { KIND_LETTERS, KINDS } from "../core/program/kinds.ts";
import type { Ledger } from "../core/ledger/ledger.ts";
import type { Machine } from "../core/program/machine.ts";
import { FIRST_SLOT, MM_SLOTS, type Slot, STEP_WORDS } from "../core/program/program.ts";
import { fragmentRules } from "./hostile_fragment_rules.ts";
import { gatherRules } from "./hostile_gather_rules.ts";
import { putOwn, RELEASE_RULES } from "./hostile_release_rules.ts";
import { RULES } from "./hostile_rules.ts";
import { NEVER_WRONG_TIME, timeRules } from "./hostile_time_rules.ts";
import { NEVER_WRONG_WALKS, WALK_RULES } from "./hostile_walk_rules.ts";
import { tableRules } from "./hostile_table_rules.ts";
import type { Use } from "./hostile_use.ts";
import { MAX_STEPS, Writer } from "./hostile_writer.ts";
import type { Random } from "./random.ts";

/** Shortest program that is aimed at, in lines. */
const SHORTEST = 20;
/** Longest, by malice: what follows a mistake that ends the program was written for nothing. */
const LONGEST: Uint8Array = Uint8Array.of(200, 200, 120, 60);
/** Lines that are kept for the last action, lookups included, and for putting what is held. */
const MAX_LAST = 48;
/** In 256ths: how often a call is meant wrong. */
const MALICE: Uint8Array = Uint8Array.of(0, 4, 21, 85);
/** How likely a call is drawn, by swarm; a call that is left out has none. */
const WEIGHTS: Uint8Array = Uint8Array.of(1, 2, 4, 8);
/** Times that a call without anything to use it on is drawn again. */
const TRIES = 8;

/** Calls that no argument makes wrong to the ledger, with the reason. */
export const NEVER_WRONG: Readonly<Record<string, string>> = {
  alloc_page: "it takes flags only, and honours them all",
  tlb_gather_mmu: "every program has its mms, and a gather too many answers NULL",
  tlb_gather_mmu_fullmm: "every program has its mms, and a gather too many answers NULL",
  page_table_alloc: "every program has its mms",
  pmd_fragment_alloc: "every program has its mms",
  srmmu_get_nocache: "a pool that has no such piece answers NULL",
  kmem_cache_alloc: "it takes flags only, and honours them all",
  "env fail": "it names one of the functions that may fail",
  "env rcu_grace_period": "it takes nothing",
  "env place": "where the block is not free, the lists say which it is",
  ...NEVER_WRONG_WALKS,
  ...NEVER_WRONG_TIME,
};

/** Calls that can be wrong on some machines: those whose constructor can fail, or takes memory for what it is not. */
export const SOMETIMES_WRONG: Readonly<Record<string, (l: Ledger) => boolean>> = {
  get_pointer_table: (l) => l.allocPtlocks || l.hasDescriptors,
  pte_alloc_one: (l) => l.allocPtlocks || l.apart,
};

/** Writes programs of raw calls into a buffer of its own. */
export class HostileGenerator {
  readonly #writer: Writer;
  /** The calls that the kernel has, and how each is used. */
  readonly #uses: readonly Use[];
  readonly #allocs: readonly number[];
  /** Calls by weight: each stands here as often as its weight says. */
  readonly #wheel: Uint8Array;
  #wheelSize = 0;
  /** How often calls of the program that was written last are meant wrong, in 256ths. */
  malice = 0;

  /**
   * @param machine the machine that will run the programs: kernel, architecture, size, and the ledger's kinds
   * @param without calls that are never made; default none
   */
  constructor(machine: Machine, without: readonly string[] = []) {
    this.#writer = new Writer(machine);
    const l = machine.ledger;
    const rules: Readonly<Record<string, Use>> = {
      ...RULES,
      ...RELEASE_RULES,
      ...WALK_RULES,
      ...timeRules(l),
      ...gatherRules({
        tablesArePages: l.tablesArePages,
        tableKind: l.tableKind,
        tableRelease: l.tableRelease,
        tableDestructs: l.tableDestructs,
        listNeedsTable: l.hasDescriptors && !l.headLookup,
        rcu: machine.kernel.rcuTableFree,
        memcg: l.memcg,
        frozen: l.frozenTables,
      }),
      ...fragmentRules({
        halves: l.fragments,
        parts: l.queuesParts,
        pages: l.queuesPages,
        slabLocks: l.allocPtlocks,
        descriptors: l.hasDescriptors,
        apart: l.apart,
      }),
      ...tableRules({
        descriptors: l.countsFolios,
        slabLocks: l.allocPtlocks,
        splitPmd: l.splitPmd,
        pmdShare: l.pmdShare,
        sharesAreRefs: l.sharesAreRefs,
      }),
    };
    const calls = CALLS.filter((c) => this.#writer.available[c.id] && !without.includes(callName(c)));
    this.#uses = calls.map((c) => {
      const name = callName(c);
      const use = rules[name];
      if (use === undefined) throw new Error(`the hostile generator has no rule for '${name}'; add it`);
      const never = Object.hasOwn(NEVER_WRONG, name) || (SOMETIMES_WRONG[name]?.(l) ?? true) === false;
      if ((use.wrong === undefined) !== never) {
        throw new Error(`NEVER_WRONG and the rule for '${name}' disagree`);
      }
      return use;
    });
    this.#allocs = calls.flatMap((c, i) => c.params.some((p) => p.type === "gfp") ? [i] : []);
    this.#wheel = new Uint8Array(calls.length * 8);
  }

  /** The program that was written last. */
  get code(): Int32Array {
    return this.#writer.code;
  }

  /** Slots that it uses. */
  get slots(): number {
    return this.#writer.slots;
  }

  /** Writes one program; its length in words. */
  generate(random: Random): number {
    const w = this.#writer;
    w.start(random);
    const malice = random.below(MALICE.length);
    this.malice = MALICE[malice]!;
    w.hostile = this.malice > 0;
    this.#swarm(random);
    const target = (SHORTEST + random.below(LONGEST[malice]! - SHORTEST + 1)) * STEP_WORDS;
    const limit = Math.min(target, (MAX_STEPS - MAX_LAST) * STEP_WORDS);
    while (w.words < limit) this.#act(w, random);
    while (w.picture.own.n > 0) putOwn(w, w.picture.own.n - 1);
    return w.words;
  }

  #swarm(random: Random): void {
    const wheel = this.#wheel;
    let n = 0;
    for (let i = 0; i < this.#uses.length; i++) {
      if (!random.chance(180)) continue;
      for (let k = WEIGHTS[random.below(WEIGHTS.length)]!; k > 0; k--) wheel[n++] = i;
    }
    this.#wheelSize = n;
  }

  #act(w: Writer, random: Random): void {
    const uses = this.#uses;
    for (let i = 0; i < TRIES && this.#wheelSize > 0; i++) {
      const use = uses[this.#wheel[random.below(this.#wheelSize)]!]!;
      if (use.wrong !== undefined && this.malice > 0 && random.chance(this.malice)) {
        if (use.wrong(w)) return;
      } else if (use.right(w)) return;
    }
    // Nothing to use them on: there have to be blocks first.
    uses[this.#allocs[random.below(this.#allocs.length)]!]!.right(w);
  }

  /** Names of the program's slots; made when a finding is kept, not for every program. */
  names(): Slot[] {
    const w = this.#writer;
    const list: Slot[] = MM_SLOTS.map((name) => ({ name, kind: "mm", isConst: false }));
    const counts = new Map<string, number>();
    for (let slot = FIRST_SLOT; slot < w.slots; slot++) {
      const kind = KINDS[w.kinds[slot]!]!;
      const n = counts.get(kind) ?? 0;
      counts.set(kind, n + 1);
      list.push({ name: `${KIND_LETTERS[kind]}${n}`, kind, isConst: false });
    }
    return list;
  }
}
