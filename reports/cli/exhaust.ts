/**
 * The `exhaust` command: every schedule within bounds, and what that says.
 *
 * @module
 */
import type { Exhausted, ExhaustedCell, ExhaustOptions } from "../../corpus/exhausted.ts";
import { count, cutMiddle, grouped, padEnd, visible, wrap } from "../text.ts";
import { type Format, objectText } from "./showing.ts";
import type { Setting } from "./work.ts";

/** Options of `exhaust` as the command line gives them. */
export interface ExhaustCliOptions extends Omit<ExhaustOptions, "kernels" | "disciplines" | "resume"> {
  readonly kernel: readonly string[];
  readonly discipline: readonly string[];
  readonly resume?: boolean;
  readonly format: Format;
}

/** Milliseconds between two drawings of progress. */
const INTERVAL = 250;
const NUMBER_WIDTHS = [11, 13, 12] as const;

/** Searches; answers the exit status. */
export async function exhaust(options: ExhaustCliOptions, setting: Setting): Promise<number> {
  const { io, work } = setting;
  const { kernel: kernels, discipline: disciplines, config, pages, steps, tables, references, states, workers, dir } =
    options;
  const width = Math.max(60, io.columns);
  const print = (line: string): void => {
    if (options.format === "text") io.out(`${line}\n`);
  };
  const stop = new AbortController();
  const clock = new Clock();
  const lines = new Map<number, string>();
  const running = new Map<number, () => { transitions: number; states: number; depth: number }>();
  let table: Table | undefined;
  let next = 0;
  const draw = (): void => {
    if (!io.terminal || running.size === 0) return;
    const all = [...running.values()].map((progress) => progress());
    const sum = (of: (p: { transitions: number; states: number }) => number): number =>
      all.reduce((n, p) => n + of(p), 0);
    const text =
      `${grouped(next)} of ${grouped(table?.cells ?? 0)} cells; now ${grouped(sum((p) => p.states))} states, ` +
      `${grouped(sum((p) => p.transitions))} transitions, ${Math.max(...all.map((p) => p.depth))} lines`;
    io.err(`\r${text.slice(0, width - 1)}\x1b[K`);
  };
  const wipe = (): void => {
    if (io.terminal) io.err("\r\x1b[K");
  };
  const timer = io.terminal ? setInterval(draw, INTERVAL) : undefined;
  const release = io.onInterrupt(wipe, () => stop.abort());
  let result: Exhausted;
  try {
    result = await work.runExhaust(
      {
        kernels,
        disciplines,
        config,
        pages,
        steps,
        tables,
        references,
        states,
        workers,
        dir,
        resume: options.resume === true,
      },
      {
        signal: stop.signal,
        planned: (cells) => {
          table = new Table(cells, width);
          for (const line of table.head(options)) print(line);
        },
        started: (index, progress) => {
          running.set(index, progress);
          clock.start(index);
        },
        ended: (cell) => {
          running.delete(cell.index);
          clock.end(cell.index);
          lines.set(cell.index, table!.row(cell));
          wipe();
          for (let line = lines.get(next); line !== undefined; line = lines.get(++next)) print(line);
        },
      },
    );
  } finally {
    if (timer !== undefined) clearInterval(timer);
    wipe();
    release();
  }
  for (let i = next; lines.size > 0 && i <= Math.max(...lines.keys()); i++) if (lines.has(i)) print(lines.get(i)!);
  for (const line of report(result, clock, options, width)) print(line);
  const interrupted = stop.signal.aborted;
  if (options.format === "json") {
    const bounds = { pages, steps, tables, references, states };
    const ok = result.faults.length === 0 && isAsExpected(result);
    io.out(objectText("exhaust", setting.tool, { ok, interrupted, bounds, ...result, of: table?.cells ?? 0 }));
  }
  if (interrupted) return 130;
  if (result.faults.length > 0) return 70;
  return isAsExpected(result) ? 0 : 1;
}

/** How long cells took. */
class Clock {
  /** Summed over the workers. */
  milliseconds = 0;
  readonly #began: Map<number, number> = new Map();
  #first = Infinity;
  #last = 0;

  start(index: number): void {
    const now = performance.now();
    this.#first = Math.min(this.#first, now);
    this.#began.set(index, now);
  }

  end(index: number): void {
    this.#last = performance.now();
    this.milliseconds += this.#last - this.#began.get(index)!;
  }

  /** From the first that began to the last that ended. */
  get elapsed(): number {
    return Math.max(0, this.#last - this.#first);
  }
}

/** A row for each cell. */
class Table {
  readonly cells: number;
  readonly #name: number;
  readonly #kernel: number;

  constructor(cells: readonly { readonly kernel: string; readonly discipline: string }[], width: number) {
    this.cells = cells.length;
    this.#kernel = Math.min(16, Math.max(6, ...cells.map((c) => visible(c.kernel).length)));
    const left = width - this.#kernel - 1 - NUMBER_WIDTHS.reduce((sum, n) => sum + n, 0) - 1;
    this.#name = Math.min(left, Math.max(10, ...cells.map((c) => visible(c.discipline).length)));
  }

  head(o: ExhaustCliOptions): string[] {
    return [
      `Every schedule of at most ${count(o.steps, "line")} on ${count(o.pages, "page")}, with ${
        count(o.tables, "table")
      } and`,
      `${count(o.references, "reference")} of the environment at once.`,
      "",
      this.#line("discipline", "kernel", ["states", "transitions", "tried"]),
    ];
  }

  row(cell: ExhaustedCell): string {
    const tried = cell.complete ? "all" : cell.done ? `to ${count(cell.depth, "line")}` : `STOP at ${cell.depth}`;
    return this.#line(visible(cell.discipline), visible(cell.kernel), [
      grouped(cell.states),
      grouped(cell.transitions),
      tried,
    ]);
  }

  #line(name: string, kernel: string, numbers: readonly string[]): string {
    return padEnd(cutMiddle(name, this.#name), this.#name) + " " +
      padEnd(cutMiddle(kernel, this.#kernel), this.#kernel) +
      numbers.map((n, i) => n.padStart(NUMBER_WIDTHS[i]!)).join("");
  }
}

/** Nothing but what is expected, and every canary found where its search is through. */
function isAsExpected({ cells }: Exhausted): boolean {
  return cells.every((c) =>
    c.findings.every((f) => f.expected || f.severity === "theoretical") &&
    (!c.canary || !c.done || c.findings.some((f) => f.expected))
  );
}

/** `1.2e-9`, in words that a terminal can show. */
function chance(states: readonly number[]): string {
  // Two of n states have the same hash of 64 bits: n (n - 1) / 2 pairs.
  const p = states.reduce((sum, n) => sum + n * (n - 1) / 2, 0) / 2 ** 64;
  return p === 0 ? "0" : p.toExponential(1);
}

function report(result: Exhausted, clock: Clock, options: ExhaustCliOptions, width: number): string[] {
  const { cells } = result;
  const lines: string[] = [""];
  const known = new Set<string>();
  for (const cell of cells) {
    for (const f of cell.findings.filter((x) => !x.expected)) {
      lines.push(...wrap(`NEW  ${visible(f.signature)}, ${f.severity}, ${count(f.lines, "line")}`, width));
      if (!known.has(f.program)) lines.push("", ...f.program.trimEnd().split("\n").map((l) => `    ${visible(l)}`), "");
      known.add(f.program);
    }
    if (cell.canary && cell.done && !cell.findings.some((f) => f.expected)) {
      lines.push(
        ...wrap(`The canary ${cell.discipline} was not found on ${cell.kernel}: this search proves nothing.`, width),
      );
    }
    for (const signature of cell.missing.filter(() => cell.done)) {
      lines.push(...wrap(`Expected, and in no schedule within these bounds: ${visible(signature)}`, width));
    }
    if (cell.file !== undefined) {
      lines.push(
        ...wrap(
          `Stopped: ${visible(cell.discipline)} on ${cell.kernel}; --resume goes on with it (${cell.file})`,
          width,
        ),
      );
    }
  }
  for (const f of result.faults) {
    lines.push(...wrap(`ptfuzz: a worker died on ${f.discipline}, ${f.kernel}: ${visible(f.error)}`, width));
  }
  return [...lines, ...summary(cells, clock, options, width)];
}

function summary(cells: readonly ExhaustedCell[], clock: Clock, options: ExhaustCliOptions, width: number): string[] {
  const sum = (of: (c: ExhaustedCell) => number): number => cells.reduce((n, c) => n + of(c), 0);
  const states = sum((c) => c.states);
  const transitions = sum((c) => c.transitions);
  const seconds = clock.elapsed / 1000;
  const each = clock.milliseconds / 1000;
  const largest = cells.reduce<ExhaustedCell | undefined>(
    (a, b) => a === undefined || b.bytes > a.bytes ? b : a,
    undefined,
  );
  const findings = cells.flatMap((c) => c.findings);
  const expected = findings.filter((f) => f.expected).length;
  const complete = cells.filter((c) => c.complete).length;
  const done = cells.filter((c) => c.done && !c.complete).length;
  const stopped = cells.length - complete - done;
  const full = sum((c) => c.noMemory);
  const words = [
    `${count(states, "state")}, ${count(transitions, "transition")} in ${seconds.toFixed(1)} s: ${
      rate(transitions / seconds)
    } transitions/s, ${rate(states / seconds)} states/s; ` +
    `of one worker ${rate(transitions / each)} and ${rate(states / each)}.`,
    ...(largest === undefined ? [] : [
      `The largest cell took ${Math.ceil(largest.bytes / 2 ** 20)} MB, ${
        Math.round(largest.bytes / largest.states)
      } bytes a state; ` +
      `two different states were taken for one with a chance of ${chance(cells.map((c) => c.states))}.`,
    ]),
    `No other state at all: ${count(complete, "cell")}; none within ${count(options.steps, "line")}: ${
      grouped(done)
    } more` + (stopped === 0 ? "." : `; stopped before that: ${grouped(stopped)}.`),
    ...(full === 0 ? [] : [
      `${count(full, "move")} not made, because the zone had no memory left for a line that has no [fail] path.`,
    ]),
    `${count(expected, "finding")} expected, ${findings.length - expected} new.`,
  ];
  return words.flatMap((w) => wrap(w, width));
}

function rate(n: number): string {
  if (!Number.isFinite(n)) return "0";
  return n >= 1e6 ? `${(n / 1e6).toFixed(2)} M` : `${Math.round(n / 1000)} k`;
}
