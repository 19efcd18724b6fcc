/**
 * Exhaustive searches (`deno task exhaust`): every cell, on so many workers.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { SEVERITIES } from "../../core/ledger/invariants.ts";
import { InputError } from "../../core/program/input_error.ts";
import type { Exhausted, ExhaustedCell, ExhaustHooks, ExhaustOptions } from "../../corpus/exhausted.ts";
import { type CellPlan, planCells, selectDisciplines } from "../cells.ts";
import { type ExpectedFindings, expectedOf } from "../expected.ts";
import { runJobs } from "../pool.ts";
import { signatureOf } from "../report_finding.ts";
import { type ExhaustJob, type ExhaustOutcome, progressOn } from "./cell.ts";

const WORKER = new URL("./worker.ts", import.meta.url);

/** Searches every cell. */
export async function runExhaust(options: ExhaustOptions, hooks: ExhaustHooks): Promise<Exhausted> {
  const cells = planCells(selectDisciplines(options.disciplines), options.kernels, options.config);
  const expected = cells.map((cell) => expectedOf(cell));
  const jobs = cells.map((cell, index) => jobOf(cell, index, expected[index]!, options));
  const undo = prepareDir(options.dir);
  hooks.planned(jobs.map((j) => ({ kernel: j.kernel, discipline: j.name })));
  const done: ExhaustedCell[] = [];
  const faults: Exhausted["faults"][number][] = [];
  try {
    await runJobs<ExhaustJob, ExhaustOutcome>(WORKER, jobs, options.workers, {
      signal: hooks.signal,
      onStart: (job, board) => hooks.started(job.index, () => progressOn(board)),
      onOutcome: (outcome) => {
        const cell = cellOf(cells[outcome.index]!, jobs[outcome.index]!, expected[outcome.index]!, outcome);
        done[outcome.index] = cell;
        hooks.ended(cell);
      },
      onDeath: ({ job, error }) => {
        // What a person got wrong (another search's file) is no fault.
        const wrong = /^InputError: (.*)/.exec(error);
        if (wrong !== null) throw new InputError(wrong[1]!);
        faults.push({ kernel: job.kernel, discipline: job.name, error: error.split("\n")[0]! });
      },
    });
  } finally {
    undo();
  }
  return { cells: done.filter((c) => c !== undefined), faults };
}

function jobOf(cell: CellPlan, index: number, expected: ExpectedFindings, options: ExhaustOptions): ExhaustJob {
  const d = cell.loaded.discipline;
  const label = [d.name, cell.kernel, ...cell.config, `${options.pages}-${options.steps}`].join("_");
  return {
    index,
    kernel: cell.kernel,
    arch: d.arch,
    config: cell.config,
    pages: options.pages,
    name: d.name,
    discipline: { text: cell.loaded.text, file: d.file },
    expectedLeaks: expected.leaks,
    steps: options.steps,
    tables: options.tables,
    references: options.references,
    states: options.states,
    file: join(options.dir, `${label.replaceAll(/[^\w.-]/g, "-")}.search`),
    resume: options.resume,
  };
}

function cellOf(plan: CellPlan, job: ExhaustJob, expected: ExpectedFindings, o: ExhaustOutcome): ExhaustedCell {
  const keys = new Set(o.findings.map((f) => f.key));
  return {
    index: o.index,
    kernel: job.kernel,
    config: job.config,
    discipline: job.name,
    canary: plan.loaded.discipline.canary,
    states: o.states,
    transitions: o.transitions,
    depth: o.depth,
    done: o.done,
    complete: o.complete,
    noMemory: o.noMemory,
    bytes: o.bytes,
    findings: o.findings.map(({ key, invariant, severity, signature, lines, program }) => ({
      invariant,
      severity: SEVERITIES.find((s) => s === severity)!,
      signature,
      expected: expected.byKey.has(key),
      lines,
      program,
    })),
    missing: [...expected.byKey.values()].filter((e) => !keys.has(e.key)).map((e) =>
      signatureOf({ ...job }, e.finding.invariant, e.finding.call, e.finding.pages)
    ),
    ...(o.file === undefined ? {} : { file: o.file }),
  };
}

/** Makes the directory, and answers what takes it away where nothing is in it. */
function prepareDir(dir: string): () => void {
  try {
    Deno.mkdirSync(dirname(join(dir, "x")), { recursive: true });
    const probe = join(dir, `.${Deno.pid}.tmp`);
    Deno.writeTextFileSync(probe, "");
    Deno.removeSync(probe);
  } catch (error) {
    throw new InputError(
      `--dir ${dir}: a search that is stopped cannot be written there (${
        error instanceof Error ? error.message.replace(/\s*\(os error.*/, "") : error
      }); name a directory that may be written`,
    );
  }
  return () => {
    try {
      Deno.removeSync(dir);
    } catch {
      // Something is in it.
    }
  };
}
