/**
 * A program step by step: what each line did to the pages, the ledger, gathers
 * and walkers, as plain data for a terminal or a page to show.
 *
 * A *stop* is what is shown at once: memory after boot, one line (a `repeat`
 * with its body is one), and the drain. Stops carry what changed, not the whole
 * state; {@linkcode StepReader} (`reader.ts`) puts it together.
 *
 * @module
 */
import type { LayoutFacts, Lists } from "./fields.ts";
import type { Block } from "./columns.ts";

/** One line as text. */
export interface Line {
  readonly text: string;
  /** Number of its step; 0 for `end` and for a `repeat` above its body. */
  readonly step: number;
}

/** A gather that is in use. */
export interface GatherFacts {
  /** Number, counted as gathers start: what {@linkcode COL_GATHER} holds. */
  readonly id: number;
  /** Its name in the program. */
  readonly name: string;
  /** What is to be said of it besides what is queued, a phrase each. */
  readonly words: readonly string[];
}

/** A walker on another CPU, and what it may still see. */
export interface WalkerFacts {
  /** Its name in the program. */
  readonly name: string;
  /** What it is, and until when it may look. */
  readonly words: string;
  /** Pages that it may still see. */
  readonly pages: readonly number[];
}

/** What a stop is. */
export type StopKind = "boot" | "line" | "drain";

/** How a line came out. */
export type Outcome = "ran" | "skipped" | "armed" | "not run";

/** One stop. */
export interface Stop {
  readonly kind: StopKind;
  /** Its lines; none for boot and drain. */
  readonly lines: readonly Line[];
  /** Number of its last step; that of the step before for `at` lines and the drain. */
  readonly step: number;
  readonly outcome: Outcome;
  /** What the line answered, such as `a0 = page 248`; empty where it answered nothing. */
  readonly answer: string;
  /** What changed in the columns (see `columns.ts`). */
  readonly changes: readonly number[];
  /** Gathers in use; missing where they are as at the stop before. */
  readonly gathers?: readonly GatherFacts[];
  /** Walkers that may still look; missing where they are as at the stop before. */
  readonly walkers?: readonly WalkerFacts[];
  /** Indexes of the findings that showed here. */
  readonly found: readonly number[];
}

/** What a step broke. */
export interface Found {
  readonly invariant: string;
  readonly severity: string;
  /** Step that broke it, which is not always where it showed. */
  readonly step: number;
  /** Pages lost, else 0. */
  readonly pages: number;
  readonly words: string;
}

/** A program step by step. */
export interface StepThrough {
  readonly kernel: string;
  readonly arch: string;
  readonly config: readonly string[];
  /** Pages of the zone. */
  readonly pages: number;
  /** Names of the words of `struct page` on this kernel. */
  readonly layout: LayoutFacts;
  /** What pointers may name besides pages. */
  readonly lists: Lists;
  readonly stops: readonly Stop[];
  readonly blocks: readonly Block[];
  readonly findings: readonly Found[];
}
