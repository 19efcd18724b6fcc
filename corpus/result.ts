/**
 * The one result object of a run; every rendering is made of it.
 *
 * It is a function of the inputs alone: neither the time nor the number of
 * workers nor the machine goes into it (those are in {@linkcode Timing}).
 *
 * @module
 */
import type { Severity } from "../core/ledger/invariants.ts";
import type { MemdescVerdict } from "./memdesc.ts";

/** Where a discipline says what broke. */
export interface FindingOrigin {
  /** The discipline's file; of shipped ones as seen from the repository. */
  readonly file: string;
  /** The line with the call, from 1. */
  readonly line: number;
  /** Kernel files and functions that the discipline was read from, `FILE:FUNCTION` each. */
  readonly source: readonly string[];
  /** Why it expects the finding; empty where it says nothing, or does not expect it. */
  readonly why: string;
}

/** One finding, shrunk, as the report shows it. */
export interface ReportedFinding {
  /** Id of the invariant. */
  readonly invariant: string;
  /** How bad it is. */
  readonly severity: Severity;
  /** What makes it the same as another: kernel, arch, config, discipline, invariant, calls, pages. */
  readonly signature: string;
  /** Whether the discipline (or the stored program) expects it. */
  readonly expected: boolean;
  /** Kernel. */
  readonly kernel: string;
  /** Architecture. */
  readonly arch: string;
  /** Options of the kernel's configuration, sorted. */
  readonly config: readonly string[];
  /** Name of the discipline, or `hostile`. */
  readonly discipline: string;
  /** Executed lines of the program. */
  readonly steps: number;
  /** The call that broke it, `env ` before it for the environment's. */
  readonly call: string;
  /** Number of the step that broke it, from 1. */
  readonly at: number;
  /** Pages it is about (lost by a leak), else 0. */
  readonly pages: number;
  /** The program as text, its claims included. */
  readonly program: string;
  /** What happened, in words. */
  readonly explanation: string;
  /** Kernel source it rests on. */
  readonly source: string;
  /** Which of the kernel's own checks would have said something; empty where none would. */
  readonly seenBy: readonly string[];
  /** Where its discipline says it; missing where there is none. */
  readonly origin?: FindingOrigin;
}

/** One kernel × discipline. */
export interface Cell {
  /** Kernel. */
  readonly kernel: string;
  /** Architecture. */
  readonly arch: string;
  /** Options of the kernel's configuration, sorted. */
  readonly config: readonly string[];
  /** Name of the discipline, or `hostile`. */
  readonly discipline: string;
  /** The discipline describes what no kernel does. */
  readonly hypothetical: boolean;
  /** It is wrong on purpose: a run that does not find it fails. */
  readonly canary: boolean;
  /** Programs that were generated and run. */
  readonly programs: number;
  /** Features of behaviour that the programs that were looked at reached. */
  readonly features: number;
  /** Executed lines. */
  readonly steps: number;
  /** Signatures of its findings, expected or not. */
  readonly findings: readonly string[];
  /** Neither more nor less was found than expected, and every line of every path ran. */
  readonly as_expected: boolean;
  /** Where not as expected: why, a sentence each. */
  readonly complaints: readonly string[];
  /** Hash of every program run and its outcome, in order: 16 hex digits. */
  readonly digest: string;
}

/** How often an invariant was checked and broken. */
export interface InvariantCount {
  /** Id of the invariant. */
  readonly id: string;
  /** Times it was checked. */
  readonly checks: number;
  /** Times it was broken. */
  readonly violations: number;
}

/** How often a call ran on a kernel. */
export interface CallCount {
  /** Kernel. */
  readonly kernel: string;
  /** Name of the call, `env ` before it for the environment's. */
  readonly call: string;
  /** Executed with operands the ledger has nothing against. */
  readonly right: number;
  /** Executed with operands that break an invariant. */
  readonly wrong: number;
}

/** A stored program that was replayed, and whether it claims the truth. */
export interface ReplayedProgram {
  /** File it was read from. */
  readonly file: string;
  /** It shows what it claims. */
  readonly ok: boolean;
  /** What differs, a sentence each. */
  readonly complaints: readonly string[];
}

/** What a run began with, beside its options. */
export interface PoolUsed {
  /** Programs in it that are of this run's cells. */
  readonly programs: number;
  /** Hash of all that was in it: 16 hex digits. */
  readonly hash: string;
}

/** What no program of a kernel did. */
export interface NeverReached {
  /** Kernel. */
  readonly kernel: string;
  /** Calls that it has and that never ran. */
  readonly calls: readonly string[];
  /** Calls that may answer NULL and never did. */
  readonly failures: readonly string[];
}

/** A worker that died: a fault of ptfuzz itself. */
export interface WorkerFault {
  /** Kernel. */
  readonly kernel: string;
  /** Name of the discipline, or `hostile`. */
  readonly discipline: string;
  /** The program that ran, as text. */
  readonly program: string;
  /** What was said, in one line. */
  readonly error: string;
}

/** Programs that a real kernel ran otherwise than the model, where that broke nothing. */
export interface Difference {
  /** How many. */
  readonly programs: number;
  /** The first of them, shrunk, and what differs. */
  readonly first: string;
}

/** One way in which a recording's tables were given back. */
export interface RecordedRelease {
  /** The function that gave them up, as the stacks name it; empty where none does. */
  readonly by: string;
  /** The discipline's path `[free.NAME]` that this is; empty where it names none. */
  readonly path: string;
  /** What went, as pieces `first page:order`: `0:2` for a block of order 2 as a whole. */
  readonly form: string;
  /** Whether this is the whole of a table, at once or in the chunks of one `__free_pages`. */
  readonly whole: boolean;
  /** How often. */
  readonly count: number;
}

/** Page tables of one place in the code, as a recording shows them. */
export interface RecordedTables {
  /** The discipline that they are laid to; empty for none. */
  readonly discipline: string;
  /** How that is known: `stack`, `function` (the function tracer's events) or `shape` (order and flags). */
  readonly known_by: string;
  /** The function that allocates; empty by shape. */
  readonly site: string;
  /** Who calls it, and how often. */
  readonly callers: readonly { readonly name: string; readonly count: number }[];
  /** Order. */
  readonly order: number;
  /** Whether the blocks are compound. */
  readonly compound: boolean;
  /** `gfp_flags`. */
  readonly flags: string;
  /** Allocations. */
  readonly allocations: number;
  /** Allocations whose release was seen, as a whole. */
  readonly pairs: number;
  /** Allocations that live when the recording ends. */
  readonly live: number;
  /** Pages of tables that were freed in part, which nobody gave up. */
  readonly lost: number;
  /** How they went. */
  readonly releases: readonly RecordedRelease[];
  /** Where the recording contradicts the discipline's file, a sentence each. */
  readonly contradictions: readonly string[];
}

/** Frees of page tables that were allocated before the recording began. */
export interface RecordedBefore {
  /** The function that gave them up; empty where the recording has no stacks. */
  readonly by: string;
  /** Order. */
  readonly order: number;
  /** How often. */
  readonly count: number;
}

/** A recording of a running kernel, and what it shows. */
export interface Recording {
  /** File it was read from. */
  readonly file: string;
  /** Kernel that it is compared with. */
  readonly kernel: string;
  /** Architecture; empty where nothing says it. */
  readonly arch: string;
  /** How kernel and architecture are known. */
  readonly known: string;
  /** Lines read. */
  readonly lines: number;
  /** Entries of the trace: events and stack traces. */
  readonly entries: number;
  /** `mm_page_alloc` and `mm_page_free`. */
  readonly events: number;
  /** What is known of whether all is there. */
  readonly complete: string;
  /** Page tables, by place in the code. */
  readonly tables: readonly RecordedTables[];
  /** Frees of tables from before the recording. */
  readonly before: readonly RecordedBefore[];
  /** Stacks of page tables that no discipline explains. */
  readonly unexplained: readonly { readonly stack: string; readonly count: number }[];
  /** What looks wrong and may be a gap in the recording: no findings. */
  readonly uncertain: readonly { readonly what: string; readonly count: number }[];
  /** What the model made of the same events. */
  readonly replayed: RecordedReplay;
}

/** A recording as programs on the model. */
export interface RecordedReplay {
  /** Tables that were put up where the recording says. */
  readonly tables: number;
  /** Tables for which the model's zone had no room. */
  readonly skipped: number;
  /** Programs. */
  readonly programs: number;
  /** Steps. */
  readonly steps: number;
  /** Releases that model and recording agree on. */
  readonly agreed: number;
  /** Releases that they do not agree on, a sentence for each kind. */
  readonly differing: readonly string[];
}

/** What a run found. */
export interface Result {
  /** Version of this object's form. */
  readonly schema: 1;
  /** Name and version of the tool. */
  readonly tool: string;
  /** `fuzz`, `replay` or `trace`. */
  readonly task: string;
  /** `discipline` or `hostile`. */
  readonly mode: string;
  /** Seed of every random choice. */
  readonly seed: number;
  /** Executed lines of generated programs. */
  readonly steps: number;
  /** The run was stopped before its budget was used. */
  readonly interrupted: boolean;
  /** The pool that the run began with, and the hash of what was in it; null without one. */
  readonly pool: PoolUsed | null;
  /** Behaviour that was never reached, by kernel. */
  readonly never: readonly NeverReached[];
  /** Workers that died; the rest of their shards was not run. */
  readonly faults: readonly WorkerFault[];
  /** Every kernel × discipline. */
  readonly cells: readonly Cell[];
  /** Every finding, worst first, unexpected before expected. */
  readonly findings: readonly ReportedFinding[];
  /** Every invariant. */
  readonly invariants: readonly InvariantCount[];
  /** Every call that ran. */
  readonly calls: readonly CallCount[];
  /** What becomes of the disciplines once descriptors are allocated apart. */
  readonly memdesc: readonly MemdescVerdict[];
  /** Stored programs that were replayed, where the task replays. */
  readonly replayed: readonly ReplayedProgram[];
  /** Recordings of running kernels, where the task reads them. */
  readonly recordings: readonly Recording[];
  /** Findings that were not expected, plus expected ones that did not show. */
  readonly unexpected: number;
  /** On a real kernel: what it does otherwise than the model of its version. Absent where there is no such thing. */
  readonly differences?: Difference | undefined;
}

/** What depends on time. */
export interface Timing {
  /** Of the generated programs and their shrinking. */
  readonly seconds: number;
  /** Executed lines. */
  readonly steps: number;
  /** Steps a second, over all workers. */
  readonly steps_per_second: number;
  /** Threads. */
  readonly workers: number;
}
