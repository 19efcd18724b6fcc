/**
 * Measures the shrinker against the exhaustive search: every finding that random
 * search makes of every discipline, from 20 seeds each, shrunk, beside the
 * shortest program that there is.
 *
 *     deno run --allow-read scripts/measure_shrinking.ts [SEEDS]
 *
 * @module
 */
import { INVARIANTS } from "../core/ledger/invariants.ts";
import { callOf } from "../core/program/findings.ts";
import { Machine } from "../core/program/machine.ts";
import { printProgram } from "../core/program/print.ts";
import type { Program } from "../core/program/program.ts";
import { type CellPlan, planCells, selectDisciplines } from "../fuzz/cells.ts";
import { type ExhaustJob, outcomeOf, runSearch, searchFor } from "../fuzz/exhaust/cell.ts";
import { expectedOf } from "../fuzz/expected.ts";
import { type KeptProgram, keyParts, runShard } from "../fuzz/shard.ts";
import { shortestOf, shrinkProgram, sizeOf } from "../fuzz/shrink.ts";

/** Steps of random search for each seed. */
const OPS = 20_000;

const seeds = Number(Deno.args[0] ?? 20);
const kinds = new Set<string>();
const longer = new Map<number, number>();
const times: number[] = [];
let changed = 0;
let unknown = 0;

for (const cell of planCells(selectDisciplines([]), [], [])) {
  if (expectedOf(cell).byKey.size > 0) measure(cell, jobOf(cell));
}

const total = [...longer.values()].reduce((sum, n) => sum + n, 0);
times.sort((a, b) => a - b);
console.log(`${kinds.size} findings from ${seeds} seeds each: ${total} programs shrunk`);
for (const [lines, n] of [...longer].sort((a, b) => a[0] - b[0])) {
  const words = lines === 0 ? "of the shortest length" : `longer by ${lines}`;
  console.log(`${String(n).padStart(7)}  ${(100 * n / total).toFixed(1).padStart(5)} %  ${words}`);
}
console.log(`${String(changed).padStart(7)}  changed when shrunk again`);
console.log(`${String(unknown).padStart(7)}  that the exhaustive search does not know within its bounds`);
console.log(
  `median ${times[times.length >> 1]?.toFixed(2)} ms, 95th in a hundred ${
    times[Math.floor(times.length * 0.95)]?.toFixed(2)
  } ms`,
);

function jobOf(cell: CellPlan): ExhaustJob {
  const { discipline: d, text } = cell.loaded;
  return {
    index: 0,
    kernel: cell.kernel,
    arch: d.arch,
    config: cell.config,
    pages: 8,
    name: d.name,
    discipline: { text, file: d.file },
    expectedLeaks: expectedOf(cell).leaks,
    steps: 20,
    states: 5_000_000,
    tables: 2,
    references: 2,
    file: "",
    resume: false,
  };
}

function measure(cell: CellPlan, job: ExhaustJob): void {
  const { search, compiled } = searchFor(job);
  runSearch(search, job.states, () => true);
  const shortest = new Map(outcomeOf(job, search, compiled).findings.map((f) => [f.key, f.lines]));
  const { pages } = cell.loaded.discipline;
  for (let seed = 1; seed <= seeds; seed++) {
    const { kept } = runShard({ ...job, compiled, pages, seed, first: 1, ops: OPS });
    for (const key of new Set(kept.map((k) => k.key))) {
      kinds.add(`${job.name} ${job.kernel} ${key}`);
      shrinkOne({ ...job, pages }, key, kept.filter((k) => k.key === key), shortest.get(key));
    }
  }
}

function shrinkOne(job: ExhaustJob, key: number, kept: readonly KeptProgram[], shortest: number | undefined): void {
  const { invariant, call, pages } = keyParts(key);
  const target = { invariant: INVARIANTS[invariant]!.id, call: callOf(call), pages };
  const programs = kept.map(({ code, slots }): Program => ({
    comments: [],
    kernel: job.kernel,
    arch: job.arch,
    config: job.config,
    pages: job.pages,
    code,
    slots,
    claims: [],
  }));
  const options = { lines: false, machine: new Machine(programs[0]!) };
  const began = performance.now();
  const program = shortestOf(programs, target, options);
  times.push((performance.now() - began) / programs.length);
  if (printProgram(shrinkProgram(program, [target], options)) !== printProgram(program)) changed++;
  if (shortest === undefined) {
    unknown++;
    return;
  }
  const more = sizeOf(program)[0] - shortest;
  longer.set(more, (longer.get(more) ?? 0) + 1);
}
