/**
 * Behaviour that a program reaches: what each call met, and what came of it.
 *
 * A feature is a call with the kind and state of what it was given (how the
 * memory was granted, whether it was given up or queued, who holds it), how full
 * the gather is, who walks, and the outcome; and each such step behind the call
 * before it. They are numbers, mixed down to {@linkcode FEATURES}; nothing is
 * allocated in a step.
 *
 * @module
 */
import type { Kernel } from "../kernel/kernel.ts";
import * as $mmuGather from "../kernel/mmu_gather.ts";
import * as $calls from "./calls.ts";
import type { Ledger } from "../ledger/ledger.ts";
import * as $words from "../memory/words.ts";
import * as $records from "../ledger/records.ts";

const {
  GR_COMPOUND,
  GR_FAMILY,
  GR_FIRST,
  GR_ORDER,
  GR_SEEN,
  GR_SHIFT,
  GR_STATE,
  L_ENV_REFS,
  L_GRANT,
  L_RESERVED,
  L_SHIFT,
  L_WRITTEN_OFF,
} = $records;
const { G_ACTIVE, G_LOCAL_NR, G_TABLES, GATHER_WORDS, MAX_GATHERS } = $mmuGather;
const { CALLS } = $calls;
const { NULL, PAGE_OFFSET, PAGE_SHIFT } = $words;

/** How many features are told apart. */
export const FEATURES: number = 1 << 16;

/** Outcomes of a call that are told apart. */
export const OUTCOMES = 4;

/** Calls whose first operand is a gather. */
const ON_GATHER: Uint8Array = Uint8Array.from(CALLS, (c) => c.params[0]?.type === "gather" ? 1 : 0);

function few(n: number): number {
  return n < 3 ? n : n < 8 ? 3 : n < 64 ? 4 : 5;
}

/** Collects the features of programs. */
export class Features {
  /** Features of the program that runs, each once: all, or those that no program before it had. */
  readonly list: Int32Array = new Int32Array(FEATURES);
  /** How many there are. */
  n = 0;
  /** How often each call had each outcome: bit 0 for NULL, bit 1 for a finding. */
  readonly outcomes: Float64Array = new Float64Array(CALLS.length * OUTCOMES);
  readonly #seen: Int32Array = new Int32Array(FEATURES);
  readonly #once: boolean;
  #program = 1;
  #before = 0;

  /** @param once a feature that one program has reached is none of a later one's */
  constructor(once: boolean = false) {
    this.#once = once;
  }

  /** Forgets every program. */
  reset(): void {
    this.n = 0;
    this.outcomes.fill(0);
    this.#seen.fill(0);
    this.#program = 1;
    this.#before = 0;
  }

  /** A program begins. */
  start(): void {
    this.n = 0;
    this.#before = 0;
    if (!this.#once) this.#program++;
  }

  #add(feature: number): void {
    const f = (Math.imul(feature ^ (feature >>> 15), 0x9e3779b1) >>> 16) & (FEATURES - 1);
    if (this.#seen[f] === this.#program) return;
    this.#seen[f] = this.#program;
    this.list[this.n++] = f;
  }

  /** The state of what an operand points at, before the call; of a number, how large it is. */
  subject(l: Ledger, value: number, isPointer: boolean): number {
    if (!isPointer) return value >>> 0 < 12 ? value : 12;
    const pfn = value >= PAGE_OFFSET ? (value - PAGE_OFFSET) >> PAGE_SHIFT : value;
    if (pfn < 0 || pfn >= l.nrPages) return 1;
    const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
    if (g < 0) return 2 | l.pages[(pfn << L_SHIFT) | L_WRITTEN_OFF]!;
    return 4 | l.grants[(g << GR_SHIFT) | GR_STATE]! << 3 | l.grants[(g << GR_SHIFT) | GR_FAMILY]! << 5 |
      l.grants[(g << GR_SHIFT) | GR_COMPOUND]! << 8 | Math.min(3, l.grants[(g << GR_SHIFT) | GR_ORDER]!) << 9 |
      (pfn === l.grants[(g << GR_SHIFT) | GR_FIRST] ? 0 : 1 << 11) |
      few(l.pages[(pfn << L_SHIFT) | L_ENV_REFS]!) << 12 | few(l.grants[(g << GR_SHIFT) | GR_SEEN]!) << 15 |
      l.pages[(pfn << L_SHIFT) | L_RESERVED]! << 18;
  }

  /** A call has run. */
  after(k: Kernel, l: Ledger, op: number, a: number, b: number): void {
    let outcome = l.res === NULL ? 1 : 0;
    if (l.nFindings !== l.stepStart) outcome |= 2;
    if (k.failNext !== 0) outcome |= 4;
    let gather = 0;
    if (k.nRcu > 0) gather = few(k.nRcu);
    if (ON_GATHER[op] === 1 && l.a >>> 0 < MAX_GATHERS) {
      const g = l.a * GATHER_WORDS;
      gather |= few(k.gathers[g + G_LOCAL_NR]!) << 3 | (k.gathers[g + G_ACTIVE] === NULL ? 0 : 64) |
        (k.gathers[g + G_TABLES] === NULL ? 0 : 128);
    }
    const feature = Math.imul(op + 1, 0x85ebca6b) ^ Math.imul(a, 0xc2b2ae35) ^ Math.imul(b, 0x27d4eb2f) ^
      Math.imul(outcome | gather << 3, 0x165667b1);
    this.#add(feature);
    this.#add(feature ^ Math.imul(this.#before, 0x2545f491));
    this.#before = op << 3 | outcome;
    this.outcomes[op * OUTCOMES + (outcome & (OUTCOMES - 1))]!++;
  }
}
