/**
 * An exhaustive search of one cell, and what came of it.
 *
 * @module
 */
import { parseDiscipline } from "../../corpus/load_discipline.ts";
import type { CompiledDiscipline } from "../../corpus/discipline.ts";
import { INVARIANTS, SEVERITIES, THEORETICAL } from "../../core/ledger/invariants.ts";
import { callOf, findingsOf } from "../../core/program/findings.ts";
import { Machine } from "../../core/program/machine.ts";
import { printProgram } from "../../core/program/print.ts";
import type { Program } from "../../core/program/program.ts";
import { type Board, BOARD_FREE } from "../pool.ts";
import { isSaved, loadSearch, saveSearch } from "./file.ts";
import { type Place, signatureOf } from "../report_finding.ts";
import { keyParts } from "../shard.ts";
import { shrinkProgram, sizeOf } from "../shrink.ts";
import { ProgramWriter } from "./program.ts";
import { type Candidate, Search } from "./search.ts";
import { type Bounds, World } from "./world.ts";

/** What to search; plain data, for a worker. */
export interface ExhaustJob extends Bounds {
  readonly index: number;
  readonly kernel: string;
  readonly arch: string;
  readonly config: readonly string[];
  /** Pages of the zone. */
  readonly pages: number;
  readonly name: string;
  readonly discipline: { readonly text: string; readonly file: string };
  /** Invariants whose leaks are expected, a bit each. */
  readonly expectedLeaks: number;
  /** Lines of the longest schedule. */
  readonly steps: number;
  /** States at most. */
  readonly states: number;
  /** Where the search is written down when it is stopped. */
  readonly file: string;
  /** Whether it goes on where the file says. */
  readonly resume: boolean;
}

/** A finding and its shortest program. */
export interface ExhaustFinding {
  readonly key: number;
  readonly invariant: string;
  readonly severity: string;
  readonly signature: string;
  readonly lines: number;
  readonly program: string;
  readonly theoretical: boolean;
}

/** What came of it; plain data. */
export interface ExhaustOutcome {
  readonly index: number;
  readonly states: number;
  readonly transitions: number;
  /** Lines to which every schedule was tried. */
  readonly depth: number;
  /** There is no other state, within the bound or beyond. */
  readonly complete: boolean;
  /** Everything within the bound was tried. */
  readonly done: boolean;
  /** Where a search that was stopped was written down. */
  readonly file?: string;
  /** Schedules that the zone had no memory for. */
  readonly noMemory: number;
  /** Bytes of the table of states. */
  readonly bytes: number;
  readonly findings: readonly ExhaustFinding[];
}

/** Transitions between two looks at whether to stop. */
const SLICE = 5_000;

/** Words of the board: transitions in thousands, states in thousands, and lines. */
const BOARD = BOARD_FREE;

/** Searches a cell; told to stop, it writes down where it was. */
export function exhaustCell(job: ExhaustJob, board: Board): ExhaustOutcome {
  const { search, compiled } = searchFor(job);
  if (job.resume && isSaved(job.file)) loadSearch(job.file, job, search);
  runSearch(search, job.states, ({ transitions, states, depth }) => {
    board.words[BOARD] = Math.floor(transitions / 1000);
    board.words[BOARD + 1] = Math.floor(states.count / 1000);
    board.words[BOARD + 2] = depth;
    return !board.stopped;
  });
  if (search.done) {
    if (isSaved(job.file)) Deno.removeSync(job.file);
    return outcomeOf(job, search, compiled);
  }
  saveSearch(job.file, job, search);
  return { ...outcomeOf(job, search, compiled), file: job.file };
}

/** What a board says of a search. */
export function progressOn(board: Board): { transitions: number; states: number; depth: number } {
  const { words } = board;
  return { transitions: words[BOARD]! * 1000, states: words[BOARD + 1]! * 1000, depth: words[BOARD + 2]! };
}

/** Makes the world and the search of a job. */
export function searchFor(job: ExhaustJob): { search: Search; world: World; compiled: CompiledDiscipline } {
  const compiled = parseDiscipline(job.discipline.text, job.discipline.file).compile(job.kernel);
  const machine = new Machine(job);
  machine.ledger.expectedLeaks = job.expectedLeaks;
  const world = new World(machine, compiled, job);
  return { search: new Search(world, job.steps), world, compiled };
}

/** Goes on until all was tried, too many states were seen, or somebody says to stop. */
export function runSearch(search: Search, states: number, goesOn: (search: Search) => boolean): void {
  while (!search.done && search.states.count < states && goesOn(search)) search.run(SLICE);
}

/** What a search has found so far. */
export function outcomeOf(job: ExhaustJob, search: Search, compiled: CompiledDiscipline): ExhaustOutcome {
  return {
    index: job.index,
    states: search.states.count,
    transitions: search.transitions,
    depth: search.depth,
    complete: search.complete,
    done: search.done,
    noMemory: search.noMemory,
    bytes: search.states.bytes,
    findings: findingsIn(job, search, compiled),
  };
}

function findingsIn(job: ExhaustJob, search: Search, compiled: CompiledDiscipline): ExhaustFinding[] {
  const list: ExhaustFinding[] = [];
  // A machine of their own: the search goes on with the other.
  const machine = new Machine(job);
  const writer = new World(new Machine(job), compiled, job);
  writer.machine.ledger.expectedLeaks = job.expectedLeaks;
  machine.ledger.expectedLeaks = job.expectedLeaks;
  const first = writer.state.room();
  writer.state.save(first);
  for (const [key, { candidates }] of search.found) {
    // What only the end in the middle of a path shows may be the path's own business.
    if (!candidates.some((c) => c.whole)) continue;
    let best: Program | undefined;
    for (const c of [...candidates].sort((a, b) => search.linesOf(a) - search.linesOf(b))) {
      writer.state.restore(first);
      const program = shortest(job, key, programOf(job, search, c, writer, compiled), machine);
      if (best === undefined || sizeOf(program)[0] < sizeOf(best)[0]) best = program;
    }
    list.push(described(job, key, best!));
  }
  return list.sort((a, b) => a.signature < b.signature ? -1 : 1);
}

function programOf(job: ExhaustJob, search: Search, c: Candidate, world: World, compiled: CompiledDiscipline): Program {
  const scribe = new ProgramWriter(world, compiled);
  for (const move of search.movesTo(c.state)) world.move(move, scribe);
  if (c.move >= 0) world.move(c.move, scribe);
  // Whatever it was, the next schedule starts from a machine that is well.
  world.machine.finish();
  const { code, slots } = scribe;
  return {
    comments: [],
    kernel: job.kernel,
    arch: job.arch,
    config: job.config,
    pages: job.pages,
    code,
    slots,
    claims: [],
  };
}

function shortest(job: ExhaustJob, key: number, program: Program, machine: Machine): Program {
  const { invariant, call, pages } = keyParts(key);
  const target = { invariant: INVARIANTS[invariant]!.id, call: callOf(call), pages };
  try {
    return shrinkProgram(program, [target], { lines: false, machine });
  } catch (error) {
    throw new Error(
      `the schedule that showed ${target.invariant} by ${target.call} to the exhaustive search of ${job.name} does not ` +
        `show it as a program:\n${printProgram(program)}`,
      { cause: error },
    );
  }
}

function described(job: ExhaustJob, key: number, program: Program): ExhaustFinding {
  const { invariant, call, pages } = keyParts(key);
  const { id } = INVARIANTS[invariant]!;
  const machine = new Machine(program);
  machine.ledger.expectedLeaks = job.expectedLeaks;
  machine.run(program);
  const finding = findingsOf(machine, program.slots).find((f) =>
    f.invariant === id && f.call === callOf(call) && f.pages === pages
  );
  const severity = finding?.severity ?? SEVERITIES[THEORETICAL]!;
  return {
    key,
    invariant: id,
    severity,
    signature: signatureOf(job as Place, id, callOf(call), pages),
    lines: sizeOf(program)[0],
    program: printProgram(program),
    theoretical: severity === SEVERITIES[THEORETICAL],
  };
}
