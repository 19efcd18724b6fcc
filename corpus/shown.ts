/**
 * What the commands that prove something come to: what they print for people is
 * made of it, and `--format json` prints it.
 *
 * @module
 */

/** What all of them say. */
export interface Shown {
  /** Whether what is to be shown holds. */
  readonly ok: boolean;
  /** It was stopped: this is what was known until then. */
  readonly interrupted: boolean;
}

/** What became of a fault. */
export interface ShownFault {
  /** Where it was put, and what was done. */
  readonly fault: string;
  /** Invariants that it broke; empty where none. */
  readonly found_by: readonly string[];
  /** Steps until it was found; null where it was not. */
  readonly steps: number | null;
  /** The option that it took to find it; null for none. */
  readonly needs: string | null;
  /** Why it is harmless; null where it is not. */
  readonly harmless: string | null;
  /** It was missed, and this is what is known; null where it was not. */
  readonly missed: string | null;
}

/** What `faults` comes to. */
export interface FaultsShown extends Shown {
  readonly seed: number;
  /** Budget in steps for each fault. */
  readonly ops: number;
  /** Disciplines on kernels that faults were put into, of so many. */
  readonly cells: readonly {
    readonly discipline: string;
    readonly kernel: string;
    readonly config: readonly string[];
    readonly faults: readonly ShownFault[];
  }[];
  readonly of: number;
}

/** What became of a mutant of the model. */
export interface ShownMutant {
  readonly name: string;
  readonly kernel: string;
  /** The invariant that has to see it. */
  readonly invariant: string;
  /** It did, and only as long as it was switched on. */
  readonly killed: boolean;
  /** No other invariant sees it in its own program. */
  readonly alone: boolean;
  /** Steps of random programs until some invariant saw it; null where none did. */
  readonly steps: number | null;
  /** Steps of random programs until its own did; null where it never did. */
  readonly steps_to_own: number | null;
  /** Lines of the smallest program that shows it. */
  readonly lines: number;
  /** What else saw it. */
  readonly also_seen_by: readonly string[];
}

/** What `mutants` comes to. */
export interface MutantsShown extends Shown {
  readonly seed: number;
  /** Steps of random programs that each gets. */
  readonly ops: number;
  readonly mutants: readonly ShownMutant[];
  readonly of: number;
  /** Invariants that no mutant is for. */
  readonly without_mutant: readonly string[];
}

/** What `bench` comes to; null where it was stopped before. */
export interface BenchShown extends Shown {
  /** Discipline mode against fast-check's model runner: medians of pairs. */
  readonly model_run: {
    readonly pairs: number;
    readonly steps_per_second: number;
    readonly fast_check_steps_per_second: number;
    readonly ratio: number;
    readonly lowest: number;
    readonly highest: number;
  } | null;
  /** Each kernel alone in an isolate against the same with all the others: medians of pairs. */
  readonly together: readonly {
    readonly kernel: string;
    readonly pairs: number;
    readonly alone_steps_per_second: number;
    readonly together_steps_per_second: number;
    readonly ratio: number;
  }[];
  /** How fast recordings are read, judged and replayed. */
  readonly recordings: readonly {
    readonly file: string;
    readonly bytes_per_second: number;
    readonly events_per_second: number;
    /** Bytes of memory at most, and the same for a recording four times as long. */
    readonly memory: number;
    readonly memory_of_longer: number;
  }[];
}

/** What `sources` comes to. */
export interface SourcesShown extends Shown {
  readonly trees: readonly {
    /** Version of the tree. */
    readonly version: string;
    /** Version that the disciplines were read from. */
    readonly read: string;
    readonly path: string;
    readonly disciplines: readonly {
      readonly discipline: string;
      readonly file: string;
      readonly outgrown: boolean;
      readonly functions: readonly { readonly function: string; readonly fate: string }[];
    }[];
  }[];
  /** Versions of which there is no source here. */
  readonly skipped: readonly string[];
  /** Files that `--accept` wrote. */
  readonly written: readonly string[];
}

/** Where model and kernel differ in a step. */
export interface ShownDifference {
  /** The program, shrunk where that could be done. */
  readonly program: string;
  /** What is unlike. */
  readonly unlike: readonly { readonly what: string; readonly model: string; readonly linux: string }[];
}

/** What `conform` comes to. */
export interface ConformShown extends Shown {
  readonly kernel: string;
  readonly config: readonly string[];
  /** Hash of the kernel that was built; empty where it was stopped before. */
  readonly build: string;
  readonly seed: number;
  readonly programs: number;
  /** Steps compared. */
  readonly steps: number;
  /** Median of the programs' steps. */
  readonly median: number;
  /** Programs that were run to the BUG that the model predicts, to the step before it, and to that before a wild pointer. */
  readonly fatal: number;
  readonly cut: number;
  readonly wild: number;
  readonly difference: ShownDifference | null;
  /** With `--coverage`: how often each call ran, and each check of the kernel fired, on both sides. */
  readonly calls?: readonly { readonly call: string; readonly count: number }[];
  readonly checks?: readonly { readonly check: string; readonly count: number }[];
}

/** What `conform --mutants` comes to. */
export interface ConformMutantsShown extends Shown {
  readonly mutants: readonly {
    readonly name: string;
    /** Which side was changed. */
    readonly side: "model" | "linux";
    readonly programs: number;
    /** What differed first; null where it was not noticed. */
    readonly noticed: string | null;
  }[];
  readonly of: number;
}

/** What `linux` comes to. */
export interface LinuxShown extends Shown {
  readonly proofs: readonly {
    readonly what: string;
    readonly ok: boolean;
    /** What was seen, in lines. */
    readonly seen: readonly string[];
  }[];
  /** What could not be tried here, with the reason. */
  readonly skipped: readonly string[];
}
