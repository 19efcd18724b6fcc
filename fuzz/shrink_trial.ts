/**
 * One shrinking: the smallest program so far, and whether another may take its
 * place.
 *
 * A candidate is taken when it shows every target as badly as the first program
 * did and stays as lawful as that was: it misuses nothing where the first did
 * not, puts no reference that nobody took, leaves no more references and
 * gathers to the drain (a person writes the put), and in a discipline's program
 * every allocation that succeeded or failed still does, since a path follows
 * from that.
 *
 * @module
 */
import { callByName, CALLS, OP_AT, OP_REPEAT, opOf } from "../core/program/calls.ts";
import { kindIndex } from "../core/program/kinds.ts";
import { Machine } from "../core/program/machine.ts";
import { FIRST_SLOT, type Program, type Slot, STEP_WORDS } from "../core/program/program.ts";
import { F_CALL, F_INVARIANT, F_PAGES, F_SEVERITY, F_STEP, F_WHY, FINDING_WORDS } from "../core/ledger/finding.ts";
import { ALL_INVARIANTS, BAD_REFERENCE, invariantById, LATENT, THEORETICAL } from "../core/ledger/invariants.ts";
import { MAX_GATHERS } from "../core/ledger/states.ts";
import { NULL } from "../core/memory/words.ts";
import * as $records from "../core/ledger/records.ts";

const { L_ENV_REFS, L_SHIFT } = $records;

/** What a shrunk program must still show. */
export interface ShrinkTarget {
  /** Id of the invariant. */
  readonly invariant: string;
  /** The call that broke it, as findings name it (`env ` before the environment's). */
  readonly call: string;
  /** Pages lost, else 0. */
  readonly pages: number;
  /** The reason that must still be given; absent: any. */
  readonly why?: number;
}

/** Code that was run, and what of it the next candidates are compared with. */
interface Outcome {
  /** Whether it may take the place of the best. */
  taken: boolean;
  /** Last step at which a target shows for the first time. */
  lastStep: number;
  /** Step after which nothing ran, or 0 where everything ran. */
  stopped: number;
  /** References that the environment held and gathers that were open at the end. */
  held: number;
  open: number;
}

interface Wanted {
  readonly invariant: number;
  readonly op: number;
  readonly pages: number;
  readonly why: number;
  /** The severity's class: see {@linkcode classOf}. */
  badness: number;
}

const OP_ENV_PUT = opOf("env put_page");
/** Classes of severity: real damage, or one that must not be mistaken for it. */
const REAL = 0;
const NONE = 3;
/** Every leak is one that the program goes on behind. */
const ALL_LEAKS = ALL_INVARIANTS;
/** What a slot held: unknown where its line never ran. */
const UNKNOWN = 2;

function classOf(severity: number): number {
  return severity === LATENT ? 1 : severity === THEORETICAL ? 2 : REAL;
}

/** The header lines that a shrinking may change. */
export interface Header {
  readonly config: readonly string[];
  readonly pages: number;
}

/** The smallest program so far, and the machine that judges candidates. */
export class Trial {
  /** The best code. */
  code: Int32Array;
  /** Its configuration and zone. */
  header: Header;
  /** Its slots; they are renumbered at the very end only. */
  readonly slots: readonly Slot[];
  /** Values of the slots at the end of the best code. */
  values: Int32Array = new Int32Array(0);
  /** Last step of the best code at which a target shows for the first time. */
  lastStep = 0;
  /** Step of the best code after which nothing ran; 0 where everything did. */
  stopped = 0;
  /** Programs run. */
  runs = 0;
  /** Candidates taken. */
  taken = 0;

  readonly #program: Program;
  readonly #byRuns: boolean;
  readonly #maxRuns: number;
  readonly #wanted: Wanted[];
  readonly #kinds: Uint8Array;
  /** What each slot of a path held: 1 for NULL, 0 for a value, UNKNOWN. */
  readonly #null: Uint8Array;
  readonly #failed: Set<number> = new Set();
  readonly #machines: Map<string, Machine> = new Map();
  #machine: Machine;
  #held = 0;
  #open = 0;
  readonly #targets: readonly ShrinkTarget[];
  /** Leaks that the caller's machine expects. */
  readonly #callers: number;
  #mayMisuse = true;
  #mayPutAtZero = true;

  /**
   * @param program the program to shrink; it must show the targets
   * @param targets what must still show
   * @param byRuns whether its lines belong to the paths of disciplines
   * @param machine a machine for the program's kernel, arch, config and pages
   * @param maxRuns candidates to run at most
   */
  constructor(
    program: Program,
    targets: readonly ShrinkTarget[],
    byRuns: boolean,
    machine: Machine | undefined,
    maxRuns: number,
  ) {
    this.#program = program;
    this.#byRuns = byRuns;
    this.#maxRuns = maxRuns;
    this.code = program.code;
    this.slots = program.slots;
    this.header = { config: program.config, pages: program.pages };
    this.#machine = machine ?? new Machine(program);
    this.#machines.set(headerKey(this.header), this.#machine);
    this.#kinds = Uint8Array.from(program.slots, (s) => kindIndex(s.kind));
    this.#null = new Uint8Array(program.slots.length).fill(UNKNOWN);
    this.#wanted = targets.map((t) => wantedOf(t));
    this.#targets = targets;
    this.#callers = this.#machine.ledger.expectedLeaks;
    // By itself a program ends at its first leak; in a campaign it goes on behind an expected one.
    const missing = this.#first(0);
    if (missing === undefined || this.#first(this.#callers) === undefined || this.#first(ALL_LEAKS) === undefined) {
      return;
    }
    throw new Error(`the program to shrink does not show ${missing}`);
  }

  /** The machine on which the best program runs; run it again before reading findings. */
  get machine(): Machine {
    return this.#machine;
  }

  /**
   * Where the program still goes on behind leaks: whether the best shows the
   * targets when it does not, as it is from then on.
   */
  standAlone(): boolean {
    return this.#machine.ledger.expectedLeaks !== 0 && this.#first(0) === undefined;
  }

  /** Whether the best runs to its end and leaves references or gathers to the drain. */
  get owes(): boolean {
    return this.stopped === 0 && this.#held + this.#open > 0;
  }

  /** Gives a machine that the caller lent back as it was. */
  handBack(): void {
    for (const { ledger } of this.#machines.values()) ledger.expectedLeaks = this.#callers;
  }

  /**
   * Runs the best program as one that goes on behind some leaks, and remembers
   * what candidates are measured by; where a target does not show, it says
   * which, and nothing changes.
   */
  #first(leaks: number): string | undefined {
    const before = this.#machine.ledger.expectedLeaks;
    for (const { ledger } of this.#machines.values()) ledger.expectedLeaks = leaks;
    const outcome = this.#run(this.#machine, this.code);
    const l = this.#machine.ledger;
    const badness = this.#wanted.map((w) => {
      let least = NONE;
      for (let at = 0; at < l.nFindings * FINDING_WORDS; at += FINDING_WORDS) {
        if (matches(l.findings, at, w)) least = Math.min(least, classOf(l.findings[at + F_SEVERITY]!));
      }
      return least;
    });
    // Once known, a target's badness stays.
    const missing = badness.findIndex((b, i) => b === NONE || (this.taken > 0 && b !== this.#wanted[i]!.badness));
    if (missing >= 0) {
      for (const { ledger } of this.#machines.values()) ledger.expectedLeaks = before;
      const { invariant, call, pages } = this.#targets[missing]!;
      return `${invariant}${pages === 0 ? "" : ` (${pages} pages)`} by ${call}`;
    }
    this.#wanted.forEach((w, i) => w.badness = badness[i]!);
    this.#mayMisuse = this.#machine.misuse;
    this.#mayPutAtZero = putsAtZero(this.#machine);
    this.#judge(this.#machine, outcome);
    const last = outcome.stopped === 0 ? Infinity : outcome.stopped;
    forEachStep(this.code, (pc, step) => {
      const dst = this.code[pc + 1]!;
      if (dst >= FIRST_SLOT && step <= last) this.#null[dst] = this.#machine.slots[dst] === NULL ? 1 : 0;
    });
    this.#failed.clear();
    this.#take(this.code, this.header, outcome);
    return undefined;
  }

  /**
   * Tries a candidate; it becomes the best when it may.
   *
   * @param code its code, over the same slots; `undefined` is no candidate
   * @returns whether it is the best now
   */
  attempt(code: Int32Array | undefined, header: Header = this.header): boolean {
    if (code === undefined || code.length === 0) return false;
    if (header === this.header && same(code, this.code)) return false;
    const key = hash(code, header === this.header ? "" : headerKey(header));
    if (this.#failed.has(key) || this.runs >= this.#maxRuns) return false;
    const machine = header === this.header ? this.#machine : this.#machineFor(header);
    const outcome = this.#run(machine, code);
    this.#judge(machine, outcome);
    if (!outcome.taken || !this.#lawful(machine, code, outcome)) {
      this.#failed.add(key);
      return false;
    }
    if (header !== this.header) this.#failed.clear();
    this.#machine = machine;
    this.#take(code, header, outcome);
    return true;
  }

  #take(code: Int32Array, header: Header, outcome: Outcome): void {
    this.taken++;
    this.code = code;
    this.header = header;
    this.lastStep = outcome.lastStep;
    this.stopped = outcome.stopped;
    this.#held = outcome.held;
    this.#open = outcome.open;
    this.values = this.#machine.slots.slice(0, this.slots.length);
  }

  #run(machine: Machine, code: Int32Array): Outcome {
    this.runs++;
    const l = machine.ledger;
    l.kinds.set(this.#kinds);
    machine.begin(code, code.length, this.slots.length);
    machine.execute(0, code.length);
    const stopped = l.stop ? l.step : 0;
    let held = 0;
    let open = 0;
    for (let pfn = 0; pfn < l.nrPages; pfn++) held += l.pages[(pfn << L_SHIFT) | L_ENV_REFS]!;
    for (let g = 0; g < MAX_GATHERS; g++) open += l.gathers[g]! === 1 ? 1 : 0;
    machine.finish();
    return { taken: false, lastStep: 0, stopped, held, open };
  }

  /** Whether every target shows, and where. */
  #judge(machine: Machine, outcome: Outcome): void {
    const { findings, nFindings } = machine.ledger;
    outcome.lastStep = 0;
    for (const w of this.#wanted) {
      let step = 0;
      for (let at = 0; at < nFindings * FINDING_WORDS; at += FINDING_WORDS) {
        if (!matches(findings, at, w) || classOf(findings[at + F_SEVERITY]!) !== w.badness) continue;
        if (step === 0 || findings[at + F_STEP]! < step) step = findings[at + F_STEP]!;
      }
      if (step === 0) return;
      outcome.lastStep = Math.max(outcome.lastStep, step);
    }
    outcome.taken = true;
  }

  #lawful(machine: Machine, code: Int32Array, outcome: Outcome): boolean {
    if (machine.misuse && !this.#mayMisuse) return false;
    if (!this.#mayPutAtZero && putsAtZero(machine)) return false;
    if (outcome.stopped === 0 && (outcome.held > this.#held || (!this.#byRuns && outcome.open > this.#open))) {
      // A path that the end of the program cuts short leaves its gather to the drain.
      return false;
    }
    return !this.#byRuns || this.#samePaths(machine, code, outcome);
  }

  /** Whether what the lines of paths answered is NULL exactly where it was. */
  #samePaths(machine: Machine, code: Int32Array, outcome: Outcome): boolean {
    const last = outcome.stopped === 0 ? Infinity : outcome.stopped;
    let agree = true;
    forEachStep(code, (pc, step) => {
      const dst = code[pc + 1]!;
      if (dst < FIRST_SLOT || step > last) return;
      if (this.#null[dst] !== (machine.slots[dst] === NULL ? 1 : 0)) agree = false;
    });
    return agree;
  }

  #machineFor(header: Header): Machine {
    const key = headerKey(header);
    let machine = this.#machines.get(key);
    if (machine === undefined) {
      const { kernel, arch } = this.#program;
      machine = new Machine({ kernel, arch, ...header });
      machine.ledger.enabled = this.#machine.ledger.enabled;
      machine.ledger.expectedLeaks = this.#machine.ledger.expectedLeaks;
      this.#machines.set(key, machine);
    }
    return machine;
  }
}

function wantedOf(target: ShrinkTarget): Wanted {
  const invariant = invariantById(target.invariant);
  if (invariant === undefined) throw new Error(`'${target.invariant}' is not an invariant`);
  return {
    invariant: invariant.index,
    op: callByName(target.call)?.id ?? -1,
    pages: target.pages,
    why: target.why ?? -1,
    badness: NONE,
  };
}

function matches(f: Int32Array, at: number, w: Wanted): boolean {
  if (f[at + F_INVARIANT] !== w.invariant || f[at + F_PAGES] !== w.pages) return false;
  if (w.why >= 0 && f[at + F_WHY] !== w.why) return false;
  const op = f[at + F_CALL]!;
  return op === w.op || (w.op < 0 && CALLS[op] === undefined);
}

function putsAtZero({ ledger }: Machine): boolean {
  const { findings, nFindings } = ledger;
  for (let at = 0; at < nFindings * FINDING_WORDS; at += FINDING_WORDS) {
    if (findings[at + F_CALL] === OP_ENV_PUT && findings[at + F_INVARIANT] === BAD_REFERENCE) return true;
  }
  return false;
}

/** Calls `f` with the first word and the number of each step. */
export function forEachStep(code: Int32Array, f: (pc: number, step: number) => void): void {
  let step = 0;
  for (let pc = 0; pc < code.length; pc += STEP_WORDS) {
    if (code[pc] !== OP_AT && code[pc] !== OP_REPEAT) f(pc, ++step);
  }
}

function headerKey({ config, pages }: Header): string {
  return `${pages} ${config.join(" ")}`;
}

function same(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** 53 bits of a hash: a collision only costs one candidate. */
function hash(code: Int32Array, salt: string): number {
  let a = 0x811c9dc5 | 0;
  let b = 0x1b873593 | 0;
  for (let i = 0; i < salt.length; i++) a = Math.imul(a ^ salt.charCodeAt(i), 0x01000193);
  for (let i = 0; i < code.length; i++) {
    a = Math.imul(a ^ code[i]!, 0x01000193);
    b = Math.imul(b + code[i]! | 0, 0x85ebca6b);
    a ^= a >>> 15;
    b ^= b >>> 13;
  }
  return (a >>> 0) * 0x20_0000 + (b >>> 11);
}
