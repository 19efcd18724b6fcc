/**
 * Mutants (`deno task mutants`): does every invariant see the mistakes that it
 * is there for?
 *
 * Each mutant of the model runs right code only: its own short program, and
 * programs drawn at random, of raw calls without malice and of disciplines that
 * are clean. What it shows, the kernel as it is does not show in the same
 * program, so it is the mutant's. Then the invariant that has to see it is
 * switched off, alone, and its finding has to be gone.
 *
 * @module
 */
import { type Mutant, mutantProgram, MUTANTS } from "../core/kernel/mutants.ts";
import { F_INVARIANT, FINDING_WORDS } from "../core/ledger/finding.ts";
import { ALL_INVARIANTS, type Invariant, invariantById, INVARIANTS } from "../core/ledger/invariants.ts";
import { Machine } from "../core/program/machine.ts";
import { parseProgram } from "../core/program/parse.ts";
import { findingsOf } from "../core/program/findings.ts";
import type { Program, Slot } from "../core/program/program.ts";
import { missingCall } from "../corpus/load_discipline.ts";
import type { WorkHooks } from "../corpus/request.ts";
import type { MutantsShown, ShownMutant } from "../corpus/shown.ts";
import { expectationsOn, type LoadedDiscipline, selectDisciplines } from "./cells.ts";
import { DisciplineGenerator } from "./discipline_generator.ts";
import { HostileGenerator } from "./hostile.ts";
import { programSeed, Random } from "./random.ts";
import { shrinkProgram, sizeOf } from "./shrink.ts";

/** Steps of programs drawn at random that each mutant gets. */
export const MUTANT_OPS = 200_000;
const SEED = 1;

/** What became of a mutant. */
export interface MutantOutcome {
  readonly mutant: Mutant;
  /** Invariants that its program breaks on it, a bit each. */
  readonly shown: number;
  /** The same with its invariant switched off. */
  readonly without: number;
  /** Steps of random programs until something saw it; -1 where nothing did. */
  readonly steps: number;
  /** Steps of random programs until its invariant saw it; -1 where it never did. */
  readonly stepsToTarget: number;
  /** Invariants that any random program broke on it, a bit each. */
  readonly found: number;
  /** Lines of the smallest program with its invariant's finding: the random one shrunk, or its own. */
  readonly lines: number;
}

function broken(machine: Machine): number {
  const l = machine.ledger;
  let mask = 0;
  for (let i = 0; i < l.nFindings; i++) mask |= 1 << l.findings[i * FINDING_WORDS + F_INVARIANT]!;
  return mask;
}

/** The program of a mutant. */
export function programOf(mutant: Mutant): Program {
  return parseProgram(mutantProgram(mutant), `${mutant.name}.pt`);
}

/** The invariant that has to see a mutant. */
export function targetOf(mutant: Mutant): Invariant {
  const target = invariantById(mutant.invariant);
  if (target === undefined) throw new Error(`mutant ${mutant.name}: there is no invariant '${mutant.invariant}'`);
  return target;
}

/** Runs a mutant's own program: the invariants it breaks, with all of them on, and with its own one off. */
export function showMutant(mutant: Mutant): { shown: number; without: number; right: number } {
  const program = programOf(mutant);
  const unbroken = new Machine(program);
  unbroken.run(program);
  const machine = new Machine({ ...program, overrides: mutant.breaks });
  machine.run(program);
  const shown = broken(machine);
  machine.ledger.enabled = ALL_INVARIANTS & ~(1 << targetOf(mutant).index);
  machine.run(program);
  return { shown, without: broken(machine), right: broken(unbroken) };
}

/** What writes programs into a buffer. */
interface Source {
  readonly code: Int32Array;
  readonly slots: number;
  generate(random: Random): number;
  names(): Slot[];
}

/** Lines of a program on a mutant once it is shrunk. What its target is, the last run of the machine shows. */
function shrunkLines(mutant: Mutant, program: Program, machine: Machine, lines: boolean): number {
  const { id } = targetOf(mutant);
  const shown = findingsOf(machine, program.slots).find((f) => f.invariant === id);
  if (shown === undefined) {
    throw new Error(`mutant ${mutant.name}: ${id} is not shown by the program that is to be shrunk`);
  }
  const target = { invariant: id, call: shown.call, pages: shown.pages };
  return sizeOf(shrinkProgram(program, [target], { lines, machine }))[0];
}

function sourcesFor(mutant: Mutant, machine: Machine, disciplines: readonly LoadedDiscipline[]): Source[] {
  const sources: Source[] = [new HostileGenerator(machine)];
  for (const { discipline: d } of disciplines) {
    if (d.arch !== mutant.arch || d.config.join() !== mutant.config.join() || d.canary) continue;
    if (missingCall(d, mutant.kernel) !== undefined || !d.kernels.includes(mutant.kernel)) continue;
    if (expectationsOn(d, mutant.kernel).length > 0) continue;
    sources.push(new DisciplineGenerator(d.compile(mutant.kernel), machine.ledger, mutant.pages));
  }
  return sources;
}

/** Runs random programs on a mutant until its invariant has seen it or the steps are used up. */
function search(
  mutant: Mutant,
  disciplines: readonly LoadedDiscipline[],
): Omit<MutantOutcome, "mutant" | "shown" | "without"> {
  const machine = new Machine({ ...mutant, overrides: mutant.breaks });
  const right = new Machine(mutant);
  const sources = sourcesFor(mutant, machine, disciplines);
  const target = 1 << targetOf(mutant).index;
  const random = new Random();
  let steps = 0;
  let first = -1;
  let found = 0;
  for (let number = 0; steps < MUTANT_OPS; number++) {
    const source = sources[number % sources.length]!;
    random.seed(SEED, programSeed(SEED, mutant.kernel, mutant.name, number));
    const words = source.generate(random);
    // Calls that are meant wrong break invariants whatever the kernel does.
    if (source instanceof HostileGenerator && source.malice > 0) continue;
    machine.runCode(source.code, words, source.slots);
    steps += Math.max(1, machine.steps);
    if (machine.ledger.nFindings === 0) continue;
    right.ledger.kinds.set(machine.ledger.kinds);
    right.runCode(source.code, words, source.slots);
    const mine = broken(machine) & ~broken(right);
    if (mine === 0) continue;
    found |= mine;
    if (first < 0) first = steps;
    if ((mine & target) === 0) continue;
    const { kernel, arch, config, pages } = mutant;
    const code = source.code.slice(0, words);
    const program: Program = { comments: [], kernel, arch, config, pages, code, slots: source.names(), claims: [] };
    const lines = shrunkLines(mutant, program, machine, source instanceof HostileGenerator);
    return { steps: first, stepsToTarget: steps, found, lines: Math.min(lines, ownLines(mutant, machine)) };
  }
  return { steps: first, stepsToTarget: -1, found, lines: ownLines(mutant, machine) };
}

/** Lines of a mutant's own program once it is shrunk. */
function ownLines(mutant: Mutant, machine: Machine): number {
  const own = programOf(mutant);
  machine.run(own);
  return shrunkLines(mutant, own, machine, true);
}

/** Runs one mutant. */
export function tryMutant(mutant: Mutant, disciplines: readonly LoadedDiscipline[]): MutantOutcome {
  const { shown, without } = showMutant(mutant);
  return { mutant, shown, without, ...search(mutant, disciplines) };
}

function ids(mask: number, first: number): string[] {
  const order = [first, ...INVARIANTS.map((i) => i.index).filter((i) => i !== first)];
  return order.filter((i) => (mask >> i) & 1).map((i) => INVARIANTS[i]!.id);
}

/** Whether the invariant saw the mutant, and only as long as it was switched on. */
function killed({ mutant, shown, without }: MutantOutcome): boolean {
  const bit = 1 << targetOf(mutant).index;
  return (shown & bit) !== 0 && (without & bit) === 0;
}

/** Lines of one mutant: its name, steps, whether the finding goes with the invariant, and what else saw it. */
function rows(o: MutantOutcome): string[] {
  const target = targetOf(o.mutant).index;
  const others = ids((o.shown | o.found) & ~(1 << target), target);
  const gone = killed(o) ? (o.without === 0 ? "alone" : "yes") : "NO";
  const steps = (n: number): string => (n < 0 ? "-" : n.toLocaleString("en-US")).padStart(8);
  const also: string[] = [""];
  others.forEach((id, i) => {
    const text = i + 1 < others.length ? `${id},` : id;
    const last = also[also.length - 1]!;
    if (last === "") also[also.length - 1] = text;
    else if (last.length + 1 + text.length <= 20) also[also.length - 1] = `${last} ${text}`;
    else also.push(text);
  });
  const left = `  ${o.mutant.name.padEnd(29)}${steps(o.steps)}${steps(o.stepsToTarget)}${
    String(o.lines).padStart(5)
  }  ${gone.padEnd(6)}`;
  return also.map((text, i) => `${i === 0 ? left : " ".repeat(left.length)}${text}`.trimEnd());
}

const HEAD = [
  "Each mutant is the model with one function broken, and runs right code only.",
  "  any     steps of random programs until some invariant saw it",
  "  own     until the invariant it stands under did; - where no random program did",
  "  len     lines of the smallest program with its finding: that one or its own,",
  "          shrunk",
  "  off     its finding is gone from its own program with that invariant switched",
  "          off, alone where no other invariant sees it there",
];

/**
 * Runs every mutant and prints the table.
 *
 * @returns all of it; not ok where a mutant survives, a finding stays with its invariant switched off, or an invariant
 * has no mutant
 */
export async function runMutants({ print, progress, signal }: WorkHooks): Promise<MutantsShown> {
  const disciplines = selectDisciplines([]);
  for (const line of HEAD) print(line);
  const without: string[] = [];
  const outcomes: MutantOutcome[] = [];
  for (const invariant of INVARIANTS) {
    if (signal.aborted) break;
    const mine = MUTANTS.filter((m) => m.invariant === invariant.id);
    print("");
    print(`${`${invariant.id} (${mine.length})`.padEnd(31)}     any     own  len  off   also seen by`);
    if (mine.length === 0) {
      print("  NO MUTANT: nothing shows that this invariant can fail");
      without.push(invariant.id);
    }
    for (const mutant of mine) {
      await progress(outcomes.length, MUTANTS.length, "mutants");
      if (signal.aborted) break;
      const outcome = tryMutant(mutant, disciplines);
      for (const line of rows(outcome)) print(line);
      outcomes.push(outcome);
    }
  }
  const interrupted = outcomes.length < MUTANTS.length;
  const kills = outcomes.filter(killed).length;
  print("");
  print(
    `${outcomes.length}${interrupted ? ` of ${MUTANTS.length}` : ""} mutants, ${kills} killed by the invariant that ` +
      `they are for, ${outcomes.filter((o) => o.steps >= 0).length} found by`,
  );
  print(
    `random programs within ${MUTANT_OPS.toLocaleString("en-US")} steps each; seed ${SEED}` +
      `${interrupted ? "; stopped" : ""}.`,
  );
  return {
    ok: without.length === 0 && kills === outcomes.length,
    interrupted,
    seed: SEED,
    ops: MUTANT_OPS,
    mutants: outcomes.map(shownMutant),
    of: MUTANTS.length,
    without_mutant: without,
  };
}

function shownMutant(o: MutantOutcome): ShownMutant {
  const target = targetOf(o.mutant).index;
  const steps = (n: number): number | null => n < 0 ? null : n;
  return {
    name: o.mutant.name,
    kernel: o.mutant.kernel,
    invariant: o.mutant.invariant,
    killed: killed(o),
    alone: killed(o) && o.without === 0,
    steps: steps(o.steps),
    steps_to_own: steps(o.stepsToTarget),
    lines: o.lines,
    also_seen_by: ids((o.shown | o.found) & ~(1 << target), target),
  };
}
