/**
 * A shard: a part of a cell's budget, run by one worker. What it does depends on
 * its job alone, so that neither the number of workers nor their order shows.
 *
 * @module
 */
import type { CompiledDiscipline } from "../corpus/discipline.ts";
import { machineFor } from "../corpus/machine_for.ts";
import { F_CALL, F_INVARIANT, F_PAGES, F_SEVERITY, F_STEP, FINDING_WORDS } from "../core/ledger/finding.ts";
import { CALLS } from "../core/program/calls.ts";
import { Machine } from "../core/program/machine.ts";
import { type Program, type Slot, STEP_WORDS } from "../core/program/program.ts";
import { Digest } from "./digest.ts";
import { Behaviour } from "./behaviour.ts";
import type { Board } from "./pool.ts";
import { DisciplineGenerator } from "./discipline_generator.ts";
import { HostileGenerator } from "./hostile.ts";
import { cover } from "./stored_pool.ts";
import { Tape } from "./tape.ts";
import { programSeed, Random } from "./random.ts";

/** What a shard has to do; plain data, for a worker. */
export interface ShardJob {
  readonly index: number;
  readonly kernel: string;
  readonly arch: string;
  readonly config: readonly string[];
  readonly pages: number;
  /** Name for the seed: the discipline's, or `hostile`. */
  readonly name: string;
  /** The discipline, compiled for the kernel; absent in hostile mode. */
  readonly compiled?: CompiledDiscipline | undefined;
  readonly seed: number;
  /** Number of its first program. */
  readonly first: number;
  /** Steps to run; the program that crosses it is finished. */
  readonly ops: number;
  /** Invariants whose leaks are expected, a bit each. */
  readonly expectedLeaks: number;
  /** Kinds of findings (see {@linkcode findingKey}) whose programs nobody wants: that they show is enough. */
  readonly expected?: readonly number[];
  /** Tapes of programs that an earlier run kept. */
  readonly stored?: readonly Uint16Array[];
  /** Whether programs that reach new behaviour are wanted in the outcome. */
  readonly keepsPool?: boolean;
}

/** A program that reached new behaviour. */
export interface PoolEntry {
  readonly code: Int32Array;
  readonly slots: readonly Slot[];
  readonly tape: Uint16Array;
}

/** One of the first programs that showed something in their shard. */
export interface KeptProgram {
  readonly code: Int32Array;
  readonly slots: readonly Slot[];
  /** What it showed: see {@linkcode findingKey}. */
  readonly key: number;
  /** Severity's index. */
  readonly severity: number;
  /** Step of the finding. */
  readonly step: number;
  /** In hostile mode: no call of the program was misused. */
  readonly innocent: boolean;
}

/** What came of a shard; plain data. */
export interface ShardOutcome {
  readonly index: number;
  readonly programs: number;
  readonly steps: number;
  readonly digest: string;
  /** Features reached. */
  readonly features: number;
  /** How often each call had each outcome, in the programs that were looked at. */
  readonly outcomes: Float64Array;
  /** What reached new behaviour, where that is wanted. */
  readonly pool: readonly PoolEntry[];
  readonly kept: readonly KeptProgram[];
  /** What showed of what is expected. */
  readonly shown: readonly number[];
  readonly checks: Float64Array;
  readonly violations: Float64Array;
  readonly right: Float64Array;
  readonly wrong: Float64Array;
  /** For each path of the discipline, which instructions ever ran with success. */
  readonly seen: readonly Uint8Array[];
}

/** Programs of a shard whose lines and features are looked at. */
const MARKED = 256;

function entryOf(
  generator: Generator,
  words: number,
  tape: Tape,
  { features }: Behaviour,
): PoolEntry & { readonly features: Int32Array } {
  return {
    code: generator.code.slice(0, words),
    slots: generator.names(),
    tape: tape.taken(),
    features: features.list.slice(0, features.n),
  };
}

/** Programs of a discipline that are kept for one finding: by which paths it shows decides how short it can be told. */
const SHOWN = 8;

/** What makes findings of one cell the same: invariant, the call that broke it, pages lost. */
export function findingKey(invariant: number, call: number, pages: number): number {
  return invariant + 32 * (call + 1) + 32 * 256 * pages;
}

/** The parts of a {@linkcode findingKey}. */
export function keyParts(key: number): { invariant: number; call: number; pages: number } {
  return { invariant: key % 32, call: Math.floor(key / 32) % 256 - 1, pages: Math.floor(key / 8192) };
}

interface Generator {
  readonly code: Int32Array;
  readonly slots: number;
  generate(random: Random): number;
  names(): Slot[];
}

/** A machine that has counted nothing yet. */
function freshMachine(job: ShardJob): Machine {
  const machine = machineFor(job);
  machine.ledger.checks.fill(0);
  machine.ledger.violations.fill(0);
  machine.right.fill(0);
  machine.wrong.fill(0);
  return machine;
}

/** The generator of the last discipline: a quarter of a megabyte that the cell's next shard goes on with. */
let generator:
  | { readonly machine: Machine; readonly compiled: CompiledDiscipline; readonly tables: DisciplineGenerator }
  | undefined;

function generatorFor(machine: Machine, compiled: CompiledDiscipline): DisciplineGenerator {
  if (generator?.machine !== machine || generator.compiled !== compiled) {
    const tables = new DisciplineGenerator(compiled, machine.ledger, machine.ledger.nrPages);
    generator = { machine, compiled, tables };
  }
  return generator.tables;
}

/** What the last shard reached, of each kind: half a megabyte that the next takes over. */
const behaviours = new Map<boolean, Behaviour>();

function freshBehaviour(whole: boolean): Behaviour {
  const kept = behaviours.get(whole);
  if (kept !== undefined) {
    kept.reset();
    return kept;
  }
  const made = new Behaviour(whole);
  behaviours.set(whole, made);
  return made;
}

/**
 * Runs a shard.
 *
 * @param board where the number of the program that runs is written, and where it is told to stop
 */
export function runShard(job: ShardJob, board?: Board): ShardOutcome {
  const machine = freshMachine(job);
  const { compiled } = job;
  const hostile = compiled === undefined ? new HostileGenerator(machine) : undefined;
  const tables = compiled && generatorFor(machine, compiled);
  return run(job, machine, compiled, (tables ?? hostile)!, tables, board);
}

/** A program of a shard by its number, as it was about to run: for a worker that died of it. */
export function programOfShard(job: ShardJob, number: number): Program {
  const machine = new Machine(job);
  const { compiled } = job;
  const tables = compiled && new DisciplineGenerator(compiled, machine.ledger, job.pages);
  const generator: Generator = tables ?? new HostileGenerator(machine);
  const words = new Writer(job, generator, tables).write(number);
  const { kernel, arch, config, pages } = job;
  const code = generator.code.slice(0, words);
  return { comments: [], kernel, arch, config, pages, code, slots: generator.names(), claims: [] };
}

/** Writes the programs of a shard. */
class Writer {
  /** Programs that take every path once. */
  readonly tours: number;
  /** Programs that come before chance decides: those, and what an earlier run kept. */
  readonly first: number;
  /** What the last program was drawn of. */
  readonly tape: Tape = new Tape();
  readonly #job: ShardJob;
  readonly #generator: Generator;
  readonly #tables: DisciplineGenerator | undefined;
  readonly #stored: readonly Uint16Array[];
  readonly #random: Random;

  constructor(job: ShardJob, generator: Generator, tables: DisciplineGenerator | undefined) {
    this.#job = job;
    this.#generator = generator;
    this.#tables = tables;
    this.#stored = job.stored ?? [];
    // Every path is taken once before chance decides: a small budget says nothing wrong of a discipline.
    this.tours = tables !== undefined && job.first === 0 ? tables.tours : 0;
    this.first = this.tours + this.#stored.length;
    // Both give the same numbers; what nobody asks for is not written down.
    this.#random = job.keepsPool === true ? this.tape : new Random();
  }

  /** Writes a program by its number; its words. */
  write(number: number): number {
    const job = this.#job;
    if (number < this.tours) return this.#tables!.tour(number);
    const stored = this.#stored[number - this.tours];
    if (stored !== undefined) {
      this.tape.repeat(stored);
      return this.#generator.generate(this.tape);
    }
    this.#random.seed(job.seed, programSeed(job.seed, job.kernel, job.name, job.first + number));
    return this.#generator.generate(this.#random);
  }
}

function run(
  job: ShardJob,
  machine: Machine,
  compiled: CompiledDiscipline | undefined,
  generator: Generator,
  tables: DisciplineGenerator | undefined,
  board: Board | undefined,
): ShardOutcome {
  const l = machine.ledger;
  const hostile = compiled === undefined;
  l.expectedLeaks = job.expectedLeaks;
  const writer = new Writer(job, generator, tables);
  const { tours } = writer;
  const behaviour = freshBehaviour(job.keepsPool === true);
  const digest = new Digest();
  const known = new Map<number, number>();
  const expected = new Set(job.expected);
  const shown = new Set<number>();
  const programsKept: KeptProgram[] = [];
  const seen = compiled === undefined
    ? []
    : [compiled.alloc, ...compiled.use, ...compiled.free, ...compiled.fail].map((p) =>
      new Uint8Array(p.code.length / STEP_WORDS)
    );
  for (const path of tables?.untaken ?? []) seen[path]!.fill(1);
  let unseen = seen.reduce((sum, path) => sum + path.filter((line) => line === 0).length, 0);
  const pool: (PoolEntry & { readonly features: Int32Array })[] = [];
  let steps = 0;
  let programs = 0;
  while (steps < job.ops || programs < writer.first) {
    if (board !== undefined) {
      if (board.stopped) break;
      board.program = programs;
    }
    const words = writer.write(programs);
    machine.features = job.keepsPool === true || programs < MARKED ? behaviour.features : null;
    machine.runCode(generator.code, words, generator.slots);
    const fresh = behaviour.learn(machine);
    if (fresh && job.keepsPool === true && programs >= tours) {
      pool.push(entryOf(generator, words, writer.tape, behaviour));
    }
    steps += machine.steps;
    programs++;
    digest.lines(generator.code, words);
    digest.word(machine.steps);
    digest.words(l.findings, 0, l.nFindings * FINDING_WORDS);
    if (unseen > 0 && programs <= MARKED + tours) unseen -= tables!.mark(machine.ran, machine.slots, seen);
    if (l.nFindings > 0) keep(machine, generator, words, { known, expected, shown, kept: programsKept }, hostile);
    // A program of no steps at all (every line skipped) must not run for ever.
    if (machine.steps === 0) steps++;
  }
  // The machine's next user looks at nothing, and expects nothing.
  machine.features = null;
  l.expectedLeaks = 0;
  return {
    index: job.index,
    features: behaviour.reached,
    outcomes: behaviour.features.outcomes.slice(),
    pool: cover(pool.toSorted((a, b) => a.code.length - b.code.length)).map(({ code, slots, tape }) => ({
      code,
      slots,
      tape,
    })),
    programs,
    steps,
    digest: digest.digits(),
    kept: programsKept,
    shown: [...shown],
    checks: l.checks.slice(),
    violations: l.violations.slice(),
    right: machine.right.slice(0, CALLS.length),
    wrong: machine.wrong.slice(0, CALLS.length),
    seen,
  };
}

/** What a shard has seen of findings. */
interface Findings {
  /** How many programs are kept of each. */
  readonly known: Map<number, number>;
  readonly expected: ReadonlySet<number>;
  /** Expected ones that showed. */
  readonly shown: Set<number>;
  readonly kept: KeptProgram[];
}

/** Keeps a program that shows something new; in hostile mode, only what shows without a misuse. */
function keep(
  machine: Machine,
  generator: Generator,
  words: number,
  { known, expected, shown, kept }: Findings,
  hostile: boolean,
): void {
  const l = machine.ledger;
  if (hostile && machine.misuse && known.size > 64) return;
  for (let i = 0; i < l.nFindings; i++) {
    const at = i * FINDING_WORDS;
    const key = findingKey(l.findings[at + F_INVARIANT]!, l.findings[at + F_CALL]!, l.findings[at + F_PAGES]!);
    if (expected.has(key)) {
      shown.add(key);
      continue;
    }
    const slot = hostile ? (machine.misuse ? -1 - (key % 32) : key) : key;
    const times = known.get(slot) ?? 0;
    if (times >= (hostile ? 1 : SHOWN)) continue;
    known.set(slot, times + 1);
    kept.push({
      code: generator.code.slice(0, words),
      slots: generator.names(),
      key,
      severity: l.findings[at + F_SEVERITY]!,
      step: l.findings[at + F_STEP]!,
      innocent: !machine.misuse,
    });
  }
}
