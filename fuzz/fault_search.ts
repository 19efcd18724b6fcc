/**
 * Looks for a fault the way the fuzzer looks for everything, and where it is not
 * found, lays the wrong discipline beside the right one over the same schedules.
 *
 * @module
 */
import { F_INVARIANT, FINDING_WORDS } from "../core/ledger/finding.ts";
import { INVARIANTS, UNINITIALISED_TABLE } from "../core/ledger/invariants.ts";
import { OP_AT } from "../core/program/calls.ts";
import { Machine } from "../core/program/machine.ts";
import { STEP_WORDS } from "../core/program/program.ts";
import { Digest } from "./digest.ts";
import type { CompiledDiscipline } from "../corpus/discipline.ts";
import { parseDiscipline } from "../corpus/load_discipline.ts";
import { DisciplineGenerator } from "./discipline_generator.ts";
import type { Fault } from "./fault_list.ts";
import { programSeed, Random } from "./random.ts";
import type { Place } from "./report_finding.ts";

/** Where faults are looked for. */
export interface SearchPlace extends Place {
  readonly seed: number;
  /** Steps for each fault. */
  readonly ops: number;
}

/** What gave a fault away. */
export interface Hit {
  /** Invariants that the first program with a finding broke, sorted. */
  readonly invariants: readonly string[];
  /** Steps executed up to its end. */
  readonly steps: number;
}

/** What came of the wrong and of the right discipline over the same schedules. */
export interface Comparison {
  /** The line ran with success, so there was something to see. */
  readonly tried: boolean;
  /** Invariants that the right discipline broke after all. */
  readonly broken: readonly string[];
  /** Both wrote programs of the same length, in enough of which the environment did the same. */
  readonly comparable: boolean;
  /** Every struct page, free list and counter was the same at the end of each program. */
  readonly sameWords: boolean;
  /** As many pages were free and managed at the end of each program. */
  readonly samePages: boolean;
  /** How often a table of the wrong discipline was put in use and found initialised. */
  readonly populated: number;
}

/** Programs at least that must be alike in what the environment did, so that how they end can be compared. */
const ALIKE = 32;
/** Programs whose lines are marked for coverage. */
const MARKED = 256;

let kept: { key: string; machine: Machine } | undefined;

/** The machine of a place; machines are dear to make, so the last one is kept. */
function machineFor(place: SearchPlace): Machine {
  const key = `${place.kernel} ${place.arch} ${place.config.join(",")} ${place.pages}`;
  if (kept?.key !== key) kept = { key, machine: new Machine(place) };
  kept.machine.ledger.expectedLeaks = 0;
  return kept.machine;
}

/** A discipline's programs, run one after the other, and how each left memory. */
export class Trail {
  readonly #place: SearchPlace;
  readonly #compared: boolean;
  readonly #machine: Machine;
  readonly #discipline: CompiledDiscipline;
  readonly #generator: DisciplineGenerator;
  readonly #random = new Random();
  readonly #seen: readonly Uint8Array[];
  readonly #broken = new Set<string>();
  /** Length of each program, in words. */
  readonly lengths: number[] = [];
  /** Free and managed pages after each program. */
  readonly pages: number[] = [];
  /** Armed steps of the environment that ran in each program. */
  readonly points: number[] = [];
  /** A hash of memory after each program, of all words but those that stand for what is written in the pages. */
  readonly memory: string[] = [];
  /** Steps executed by all of them; a program without any counts as one, so that they come to an end. */
  steps = 0;
  /** How often a table was put in use. */
  populated = 0;

  /**
   * @param text the discipline
   * @param compared whether its memory is to be compared with another's
   */
  constructor(text: string, place: SearchPlace, compared = true) {
    this.#place = place;
    this.#compared = compared;
    this.#machine = machineFor(place);
    this.#discipline = parseDiscipline(text, "fault").compile(place.kernel);
    this.#generator = new DisciplineGenerator(this.#discipline, this.#machine.ledger, place.pages);
    this.#seen = pathsIn(this.#discipline).map((p) => new Uint8Array(p.code.length / STEP_WORDS));
  }

  /** Programs run so far. */
  get programs(): number {
    return this.lengths.length;
  }

  /** Runs the next program; the invariants that it broke. */
  next(): string[] {
    const { kernel, name, seed } = this.#place;
    const machine = this.#machine;
    const l = machine.ledger;
    const populated = l.checks[UNINITIALISED_TABLE]!;
    this.#random.seed(seed, programSeed(seed, kernel, name, this.programs));
    const words = this.#generator.generate(this.#random);
    machine.runCode(this.#generator.code, words, this.#generator.slots);
    if (this.programs < MARKED) this.#generator.mark(machine.ran, machine.slots, this.#seen);
    this.steps += Math.max(1, machine.steps);
    this.populated += l.checks[UNINITIALISED_TABLE]! - populated;
    this.lengths.push(words);
    this.points.push(pointsReached(machine, this.#generator.code, words));
    this.pages.push(l.rawFree() + l.rawManaged() * 0x10000);
    if (this.#compared) this.memory.push(memoryOf(machine));
    const broken = Array.from(
      { length: l.nFindings },
      (_, i) => INVARIANTS[l.findings[i * FINDING_WORDS + F_INVARIANT]!]!.id,
    );
    for (const id of broken) this.#broken.add(id);
    return [...new Set(broken)].sort();
  }

  /** Every invariant that broke. */
  get broken(): string[] {
    return [...this.#broken].sort();
  }

  /** Whether a line ever ran with success. */
  ran(table: string, index: number): boolean {
    return this.#seen[pathsIn(this.#discipline).findIndex((p) => p.table === table)]![index] === 1;
  }
}

/** How many steps that were armed for a point inside a call ran. */
function pointsReached({ ran }: Machine, code: Int32Array, words: number): number {
  let reached = 0;
  for (let pc = 0; pc < words; pc += STEP_WORDS) if (code[pc] === OP_AT) reached += ran[pc / STEP_WORDS + 1]!;
  return reached;
}

function memoryOf(machine: Machine): string {
  const { mem, map: { contents, nrPages } } = machine.ledger;
  const digest = new Digest();
  digest.words(mem, 0, contents);
  digest.words(mem, contents + nrPages, mem.length);
  return digest.digits();
}

/** Runs a discipline until an invariant breaks, or the budget is spent: then it answers what it ran. */
export function searchFor(text: string, place: SearchPlace, compared: boolean): Hit | Trail {
  const trail = new Trail(text, place, compared);
  while (trail.steps < place.ops) {
    const invariants = trail.next();
    if (invariants.length > 0) return { invariants, steps: trail.steps };
  }
  return trail;
}

/** Lays what the wrong discipline ran beside the right one, which runs as many programs. */
export function compare(fault: Fault, wrong: Trail, right: Trail): Comparison {
  while (right.programs < wrong.programs) right.next();
  // Where a point inside a call was not reached on one side, the environment did less there.
  const alike = wrong.points.map((n, i) => n === right.points[i]);
  const same = <T>(a: readonly T[], b: readonly T[]): boolean => a.every((x, i) => x === b[i] || !alike[i]);
  return {
    tried: right.ran(fault.line.table, fault.at),
    broken: right.broken,
    comparable: same(wrong.lengths, right.lengths) && alike.filter(Boolean).length >= Math.min(ALIKE, alike.length / 8),
    sameWords: same(wrong.memory, right.memory),
    samePages: same(wrong.pages, right.pages),
    populated: wrong.populated,
  };
}

function pathsIn(d: CompiledDiscipline): { table: string; code: Int32Array }[] {
  const group = (kind: string) => (p: { name: string; code: Int32Array }) => ({
    table: `${kind}.${p.name}`,
    code: p.code,
  });
  return [
    { table: "alloc", code: d.alloc.code },
    ...d.use.map(group("use")),
    ...d.free.map(group("free")),
    ...d.fail.map(group("fail")),
  ];
}
