/**
 * Shows that the search is not inert: every single-line fault of every clean
 * discipline is found within a budget, or is shown to be harmless.
 *
 * @module
 */
import { INVARIANTS } from "../core/ledger/invariants.ts";
import { CALLS } from "../core/program/calls.ts";
import { keyParts, runShard } from "./shard.ts";
import { runJobs } from "./pool.ts";
import { InputError } from "../core/program/input_error.ts";
import { type CellPlan, expectationsOn, planCells, selectDisciplines } from "./cells.ts";
import type { FaultCell, FaultJob, FaultOutcome } from "./fault_cell.ts";
import type { FaultsOptions, WorkHooks } from "../corpus/request.ts";
import type { FaultsShown, ShownFault } from "../corpus/shown.ts";
import { REASONS } from "./fault_reasons.ts";

/** Columns of the output. */
const WIDTH = 80;
/** Workers; their number changes nothing in the result. */
const WORKERS = 2;
const FAULT_WORKER = new URL("./worker_faults.ts", import.meta.url);

/** The cells in which nothing is expected. Hypothetical disciplines have to be named. */
/** Steps that a named discipline must stay clean for. */
const CHECK_OPS = 20_000;

function cleanCells(options: FaultsOptions): CellPlan[] {
  const named = options.disciplines.length > 0;
  const loaded = selectDisciplines(options.disciplines);
  const cells = planCells(loaded, options.kernels, []).filter(({ kernel, loaded: { discipline: d } }) =>
    !d.canary && (named || !d.hypothetical) && expectationsOn(d, kernel).length === 0
  );
  for (const cell of named ? cells : []) checkClean(cell, options);
  if (cells.length > 0) return cells;
  throw new InputError(
    `no discipline asked for is clean on the kernels asked for (${loaded[0]!.discipline.name} is not); ` +
      "a fault in what is broken already shows nothing",
  );
}

/** A discipline of the user's may be broken without saying so. */
function checkClean({ kernel, config, loaded: { discipline: d } }: CellPlan, options: FaultsOptions): void {
  const { arch, pages, name } = d;
  const place = { index: 0, kernel, arch, config, pages, name, compiled: d.compile(kernel) };
  const { kept } = runShard({ ...place, seed: options.seed, first: 0, ops: CHECK_OPS, expectedLeaks: 0 });
  if (kept.length === 0) return;
  const { invariant, call } = keyParts(kept[0]!.key);
  throw new InputError(
    `${name} is not clean on ${kernel} (${INVARIANTS[invariant]!.id} by ${CALLS[call]?.name ?? "its end"}); ` +
      "a fault in what is broken already shows nothing",
  );
}

/**
 * Puts every single-line fault into every clean discipline and prints what
 * became of each.
 *
 * @returns all of it; ok where none was missed
 */
export async function runFaults(
  options: FaultsOptions,
  { print, progress, signal }: WorkHooks,
): Promise<FaultsShown> {
  const cells = cleanCells(options);
  const jobs = cells.map((cell, index): FaultJob => ({
    index,
    text: cell.loaded.text,
    file: cell.loaded.discipline.file,
    kernel: cell.kernel,
    config: cell.config,
    seed: options.seed,
    ops: options.ops,
  }));
  print(`Every single-line fault of every clean discipline, ${options.ops} steps each, seed ${options.seed}.`);
  print("");
  print(row(["discipline", "kernel", "faults", "found", "harmless", "missed", "worst"]));
  const done: FaultCell[] = [];
  let printed = 0;
  let through = 0;
  progress(0, cells.length, "cells");
  await runJobs<FaultJob, FaultCell>(FAULT_WORKER, jobs, WORKERS, {
    signal,
    onOutcome: (cell) => {
      if (cell.stopped) return;
      done[cell.index] = cell;
      for (let next = done[printed]; next !== undefined; next = done[++printed]) print(cellRow(cells[printed]!, next));
      progress(++through, cells.length, "cells");
    },
  });
  // Where it was stopped, some are through behind one that is not.
  for (; printed < cells.length; printed++) if (done[printed]) print(cellRow(cells[printed]!, done[printed]!));
  const all = done.flatMap((c) => c?.outcomes ?? []);
  const rows = cells.flatMap((cell, i) => done[i] === undefined ? [] : [{ cell, outcomes: done[i].outcomes }]);
  if (options.disciplines.length > 0) printGroups("Found:", rows, foundBy, print);
  printGroups("Harmless:", rows, (o) => o.reason, print);
  printReasons(all, print);
  printInvariants(all, print);
  printGroups("Missed:", rows, (o) => o.missed, print);
  print("");
  const stopped = signal.aborted ? `; stopped: ${rows.length} of ${cells.length} cells` : "";
  for (const line of wrap(summary(all) + stopped, WIDTH)) print(line);
  return {
    ok: all.every((o) => o.missed === undefined),
    interrupted: signal.aborted,
    seed: options.seed,
    ops: options.ops,
    cells: rows.map(({ cell: { kernel, config, loaded }, outcomes }) => ({
      discipline: loaded.discipline.name,
      kernel,
      config,
      faults: outcomes.map(shownFault),
    })),
    of: cells.length,
  };
}

function shownFault({ name, hit, needs, reason, missed }: FaultOutcome): ShownFault {
  return {
    fault: name,
    found_by: hit?.invariants ?? [],
    steps: hit?.steps ?? null,
    needs: needs ?? null,
    harmless: REASONS.find((r) => r.id === reason)?.words ?? null,
    missed: missed ?? null,
  };
}

function cellRow({ kernel, loaded }: CellPlan, { outcomes }: FaultCell): string {
  const count = (test: (o: FaultOutcome) => boolean): string => String(outcomes.filter(test).length);
  const worst = Math.max(0, ...outcomes.map((o) => o.hit?.steps ?? 0));
  return row([
    loaded.discipline.name,
    kernel,
    String(outcomes.length),
    count((o) => o.hit !== undefined),
    count((o) => o.reason !== undefined),
    count((o) => o.missed !== undefined),
    String(worst),
  ]);
}

function row([name, kernel, ...numbers]: readonly string[]): string {
  const columns = numbers.map((n) => n.padStart(8)).join(" ");
  return cut(name!, 27).padEnd(28) + cut(kernel!, 8).padEnd(8) + columns;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : text.slice(0, width - 3) + "...";
}

function foundBy(o: FaultOutcome): string | undefined {
  if (o.hit === undefined) return undefined;
  return `${o.hit.invariants.join(", ")}${o.needs === undefined ? "" : ` (with ${o.needs})`}, ${o.hit.steps} steps`;
}

type Rows = readonly { cell: CellPlan; outcomes: readonly FaultOutcome[] }[];

/** One line a fault, the kernels on which it came out the same together. */
function printGroups(
  title: string,
  rows: Rows,
  say: (o: FaultOutcome) => string | undefined,
  print: (line: string) => void,
): void {
  const groups = new Map<string, Map<string, { kernels: string[]; name: string; said: string }>>();
  const kernels = new Map<string, number>();
  for (const { cell, outcomes } of rows) {
    const { name } = cell.loaded.discipline;
    kernels.set(name, (kernels.get(name) ?? 0) + 1);
    for (const o of outcomes) {
      const said = say(o);
      if (said === undefined) continue;
      const group = groups.get(name) ?? new Map();
      groups.set(name, group);
      const key = `${o.name}\n${said}`;
      const line = group.get(key) ?? { kernels: [], name: o.name, said };
      line.kernels.push(cell.kernel);
      group.set(key, line);
    }
  }
  if (groups.size === 0) return;
  print("");
  print(title);
  for (const [name, group] of groups) {
    print(name);
    for (const line of group.values()) {
      const on = line.kernels.length === kernels.get(name) ? "" : ` (${line.kernels.join(", ")})`;
      print(faultLine(line.name, line.said + on));
    }
  }
}

/** What was done on the left, what became of it on the right; long ones take two lines where both must be read. */
function faultLine(name: string, said: string): string {
  const left = WIDTH - 4 - said.length;
  if (left >= 40) return `  ${cut(name, left).padEnd(left)}  ${said}`;
  return `  ${cut(name, WIDTH - 2)}\n${wrap(said, WIDTH - 6).map((l) => `      ${l}`).join("\n")}`;
}

function printReasons(all: readonly FaultOutcome[], print: (line: string) => void): void {
  const used = REASONS.map((r) => ({ ...r, n: all.filter((o) => o.reason === r.id).length })).filter((r) => r.n > 0);
  if (used.length === 0) return;
  print("");
  print("Why they are harmless; beside the right discipline, over the same schedules,");
  print("no invariant broke:");
  for (const { id, words, n } of used) {
    wrap(words, WIDTH - 26).forEach((line, i) => {
      print(i === 0 ? `${String(n).padStart(6)}  ${id.padEnd(17)} ${line}` : " ".repeat(26) + line);
    });
  }
}

function printInvariants(all: readonly FaultOutcome[], print: (line: string) => void): void {
  const counts = new Map<string, number>();
  for (const o of all) for (const id of o.hit?.invariants ?? []) counts.set(id, (counts.get(id) ?? 0) + 1);
  if (counts.size === 0) return;
  print("");
  print("Found by (a fault may break several at once):");
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  for (const line of wrap(sorted.map(([id, n]) => `${id} ${n}`).join(", "), WIDTH - 2)) print(`  ${line}`);
}

function summary(all: readonly FaultOutcome[]): string {
  const count = (test: (o: FaultOutcome) => boolean): number => all.filter(test).length;
  const needs = ["DEBUG_VM", "SMP", "ALLOC_SPLIT_PTLOCKS"].map((option) => ({
    option,
    n: count((o) => o.needs === option),
  }))
    .filter(({ n }) => n > 0).map(({ option, n }) => `${n} with ${option}`).join(", ");
  return `${all.length} faults, ${count((o) => o.hit !== undefined)} found` +
    `${needs === "" ? "" : ` (${needs})`}, ${count((o) => o.reason !== undefined)} harmless, ` +
    `${count((o) => o.missed !== undefined)} missed`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
