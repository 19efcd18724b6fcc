/**
 * What an exhaustive search is asked for, and what came of it.
 *
 * @module
 */
import type { Severity } from "../core/ledger/invariants.ts";

/** What `exhaust` is asked for. Empty lists mean all. */
export interface ExhaustOptions {
  /** Kernels; empty: those that each discipline names. */
  readonly kernels: readonly string[];
  /** Disciplines by name or file; empty: all that are shipped. */
  readonly disciplines: readonly string[];
  /** Options added to every cell's configuration. */
  readonly config: readonly string[];
  /** Pages of the zone. */
  readonly pages: number;
  /** Lines of the longest schedule. */
  readonly steps: number;
  /** Tables at once. */
  readonly tables: number;
  /** References of the environment at once. */
  readonly references: number;
  /** States of one cell at most. */
  readonly states: number;
  /** Threads; their number changes nothing in the result. */
  readonly workers: number;
  /** Where searches that are stopped are written down. */
  readonly dir: string;
  /** Go on with those that were. */
  readonly resume: boolean;
}

/** A finding of an exhaustive search, with its shortest program. */
export interface ExhaustedFinding {
  readonly invariant: string;
  readonly severity: Severity;
  readonly signature: string;
  /** Whether the discipline expects it. */
  readonly expected: boolean;
  /** Lines of the program. */
  readonly lines: number;
  readonly program: string;
}

/** One kernel × discipline, searched. */
export interface ExhaustedCell {
  readonly index: number;
  readonly kernel: string;
  readonly config: readonly string[];
  readonly discipline: string;
  readonly canary: boolean;
  /** Distinct states. */
  readonly states: number;
  /** Moves from one state to the next, and those that a finding ended. */
  readonly transitions: number;
  /** Lines to which every schedule was tried. */
  readonly depth: number;
  /** Every schedule within the bound was tried. */
  readonly done: boolean;
  /** There is no state beyond the bound either. */
  readonly complete: boolean;
  /** Moves that were not made, because the zone had no memory left for them. */
  readonly noMemory: number;
  /** Bytes of all that is kept of the states. */
  readonly bytes: number;
  readonly findings: readonly ExhaustedFinding[];
  /** Signatures of expected findings that no schedule within the bound shows. */
  readonly missing: readonly string[];
  /** Where a search that was stopped was written down. */
  readonly file?: string;
}

/** A cell whose worker died. */
export interface ExhaustFault {
  readonly kernel: string;
  readonly discipline: string;
  readonly error: string;
}

/** What came of it all. */
export interface Exhausted {
  readonly cells: readonly ExhaustedCell[];
  readonly faults: readonly ExhaustFault[];
}

/** Who is told how it goes. */
export interface ExhaustHooks {
  readonly signal: AbortSignal;
  /** How many cells there are, and the names in them. */
  planned(cells: readonly { readonly kernel: string; readonly discipline: string }[]): void;
  /** A cell begins; `progress` answers how far it is. */
  started(index: number, progress: () => { transitions: number; states: number; depth: number }): void;
  /** A cell ends, in whatever order they do. */
  ended(cell: ExhaustedCell): void;
}
