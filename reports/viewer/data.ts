/**
 * What `index.html` carries: everything that the page shows, as JSON.
 *
 * Words are made where the report is written, so that the page's own code knows
 * no table of invariants, calls or kernels and does not change with them.
 *
 * @module
 */
import type { LayoutFacts, Lists } from "../../core/program/steps/fields.ts";
import type { StepThrough } from "../../core/program/steps/step_through.ts";

/** A program step by step; what programs share stands in {@linkcode PageData.layouts}. */
export interface PageProgram extends Omit<StepThrough, "layout" | "lists"> {
  /** Index of its layout. */
  readonly layout: number;
}

/** A finding. */
export interface PageFinding {
  readonly invariant: string;
  readonly title: string;
  readonly severity: string;
  readonly expected: boolean;
  readonly kernel: string;
  readonly arch: string;
  readonly config: readonly string[];
  /** The discipline with its configuration, as the matrix has it. */
  readonly discipline: string;
  readonly call: string;
  /** Step that broke it. */
  readonly at: number;
  /** The program as text. */
  readonly text: string;
  readonly explanation: string;
  readonly source: string;
  readonly seenBy: string;
  /** Where the discipline says it, `FILE:LINE`; empty where there is none. */
  readonly origin: string;
  /** Why the discipline expects it, in its own words; empty where it says nothing. */
  readonly why: string;
  /** `hypothetical` or `canary`: what no kernel does; else empty. */
  readonly note: string;
  /** The same as a sentence. */
  readonly noteWords: string;
  /** Index of its program, or -1 where it is too long for the page. */
  readonly program: number;
  /** Index of its KUnit test, or -1 where it has none. */
  readonly test: number;
  /** Why it has none; empty where it has one. */
  readonly noTest: string;
}

/** A KUnit test. */
export interface PageTest {
  /** Its file, as seen from the page. */
  readonly file: string;
  readonly text: string;
}

/** A worker that died, or what a real kernel did otherwise: words and a program. */
export interface PageProgramText {
  readonly words: string;
  readonly text: string;
}

/** A recording of a running kernel. */
export interface PageRecording {
  readonly file: string;
  /** What it shows. `kind` is `plain`, `contradiction` or `uncertain`. */
  readonly lines: readonly { readonly text: string; readonly kind: string }[];
}

/** One cell of the matrix. */
export interface PageCell {
  readonly text: string;
  /** `ok`, `expected`, `new`, `missing` or `none`. */
  readonly state: string;
}

/** What the page shows. */
export interface PageData {
  readonly tool: string;
  readonly ok: boolean;
  /** The run in sentences. */
  readonly summary: readonly string[];
  readonly complaints: readonly { readonly where: string; readonly complaints: readonly string[] }[];
  readonly kernels: readonly string[];
  readonly rows: readonly {
    readonly label: string;
    readonly note: string;
    /** By kernel, in the order of `kernels`. */
    readonly cells: readonly PageCell[];
  }[];
  readonly findings: readonly PageFinding[];
  /** Severities with what they mean, worst first. */
  readonly severities: readonly { readonly id: string; readonly words: string }[];
  readonly invariants: readonly {
    readonly id: string;
    readonly statement: string;
    readonly severity: string;
    readonly source: string;
    readonly checks: number;
    readonly violations: number;
  }[];
  /** How often each call ran, by kernel of `callKernels`: with right and with wrong arguments. */
  readonly callKernels: readonly string[];
  readonly calls: readonly { readonly call: string; readonly counts: readonly (readonly [number, number])[] }[];
  /** Calls that no program made. */
  readonly neverCalled: readonly string[];
  /** Features of behaviour that were reached, in a sentence; empty where nobody counted. */
  readonly features: string;
  /** What never happened, by kernel: calls, and allocations that never failed. */
  readonly never: readonly {
    readonly kernel: string;
    readonly calls: readonly string[];
    readonly failures: readonly string[];
  }[];
  /** Workers that died. */
  readonly faults: readonly PageProgramText[];
  readonly recordings: readonly PageRecording[];
  /** On a real kernel: what ran otherwise than on the model. */
  readonly differences: readonly PageProgramText[];
  /** What would break with descriptors allocated apart: what that rests on, and rows of Markdown's cells. */
  readonly memdesc: { readonly words: string; readonly rows: readonly (readonly string[])[] };
  readonly tests: readonly PageTest[];
  readonly layouts: readonly { readonly facts: LayoutFacts; readonly lists: Lists }[];
  readonly programs: readonly PageProgram[];
}
