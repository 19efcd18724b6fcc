/**
 * Reads a {@linkcode StepThrough}: the state at any stop, forward and back.
 *
 * Every so many stops the state is kept, so that a step back in a long program
 * costs no more than a step ahead.
 *
 * @module
 */
import { apply, COL_BLOCK, COL_GATHER, COL_STATE, COLUMNS, FREE, PAGE_STATES } from "./columns.ts";
import { type FieldRow, fieldRows } from "./fields.ts";
import type { GatherFacts, StepThrough, Stop, WalkerFacts } from "./step_through.ts";

/** Stops between two kept states. */
const KEEP = 64;

/** The state at one stop. */
export class StepReader {
  readonly program: StepThrough;
  /** Index of the stop. */
  at = 0;
  /** The columns. */
  readonly #state: Int32Array;
  readonly #kept: Int32Array[] = [];
  #touched: ReadonlySet<number> = new Set();
  #changed: ReadonlySet<number> = new Set();

  constructor(program: StepThrough) {
    this.program = program;
    this.#state = new Int32Array(program.pages * COLUMNS);
    apply(this.#state, program.stops[0]!.changes);
    this.#kept.push(this.#state.slice());
  }

  /** The stop. */
  get stop(): Stop {
    return this.program.stops[this.at]!;
  }

  /** Goes to a stop; one before the first or after the last is the first or last. */
  goTo(at: number): void {
    const to = Math.max(0, Math.min(this.program.stops.length - 1, at));
    if (to === this.at) return;
    if (to < this.at) {
      // From a state before it, so that what changed at the stop is seen to change.
      const kept = Math.floor(Math.max(0, to - 1) / KEEP);
      this.#state.set(this.#kept[kept]!);
      this.at = kept * KEEP;
    }
    this.#touched = new Set();
    this.#changed = new Set();
    while (this.at < to) {
      const { changes } = this.program.stops[++this.at]!;
      if (this.at === to) this.#arrive(changes);
      else apply(this.#state, changes);
      if (this.at % KEEP === 0 && this.#kept.length === this.at / KEEP) this.#kept.push(this.#state.slice());
    }
  }

  #arrive(changes: readonly number[]): void {
    const { pages } = this.program;
    const touched = new Set<number>();
    for (let i = 0; i < changes.length; i += 3) {
      for (let at = changes[i]!; at < changes[i]! + changes[i + 1]!; at++) touched.add(at % pages);
    }
    const blocks = () => [...touched].map((pfn) => this.column(pfn, COL_BLOCK)).filter((id) => id >= 0);
    const before = blocks();
    apply(this.#state, changes);
    this.#touched = touched;
    this.#changed = new Set([...before, ...blocks()].sort((a, b) => a - b));
  }

  /** Pages that changed at this stop; none at the first. */
  get touched(): ReadonlySet<number> {
    return this.#touched;
  }

  /** Indexes of blocks that have, or had, a page that changed at this stop. */
  get changed(): ReadonlySet<number> {
    return this.#changed;
  }

  /** A column of a page. */
  column(pfn: number, column: number): number {
    return this.#state[column * this.program.pages + pfn]!;
  }

  /** The words of a page under its three names. */
  rows(pfn: number): FieldRow[] {
    const { layout, pages, lists } = this.program;
    const block = this.program.blocks[this.column(pfn, COL_BLOCK)];
    const index = this.column(pfn, COL_STATE) === FREE || block === undefined ? 0 : pfn - block.first;
    return fieldRows(layout, (p, w) => this.column(p, w), pfn, index, pages, lists);
  }

  /** How many pages are in each state, by index. */
  counts(): number[] {
    const counts = PAGE_STATES.map(() => 0);
    for (let pfn = 0; pfn < this.program.pages; pfn++) counts[this.column(pfn, COL_STATE)]!++;
    return counts;
  }

  /** Gathers in use. */
  gathers(): readonly GatherFacts[] {
    return this.#last((stop) => stop.gathers) ?? [];
  }

  /** Pages that are queued in a gather. */
  queuedIn(gather: number): number[] {
    const pages: number[] = [];
    for (let pfn = 0; pfn < this.program.pages; pfn++) if (this.column(pfn, COL_GATHER) === gather) pages.push(pfn);
    return pages;
  }

  /** Walkers that may still look. */
  walkers(): readonly WalkerFacts[] {
    return this.#last((stop) => stop.walkers) ?? [];
  }

  #last<T>(of: (stop: Stop) => T | undefined): T | undefined {
    for (let i = this.at; i >= 0; i--) {
      const value = of(this.program.stops[i]!);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** Index of the stop at which a step runs; that of the nearest before where no stop has its number. */
  stopOfStep(step: number): number {
    const { stops } = this.program;
    const exact = stops.findIndex((s) => s.lines.some((line) => line.step === step));
    if (exact >= 0) return exact;
    return Math.max(0, stops.findLastIndex((s) => s.kind !== "drain" && s.step <= step));
  }

  /** Rows of pages that are not free at every stop: the others have nothing to show. */
  busyRows(columns: number): number[] {
    const { pages, stops } = this.program;
    const busy = new Set<number>();
    const from = COL_STATE * pages;
    for (const { changes } of stops.slice(1)) {
      for (let i = 0; i < changes.length; i += 3) {
        const first = Math.max(changes[i]!, from);
        const end = Math.min(changes[i]! + changes[i + 1]!, from + pages);
        for (let at = first; at < end; at++) busy.add(Math.floor((at - from) / columns));
      }
    }
    return [...busy].sort((a, b) => a - b);
  }
}
