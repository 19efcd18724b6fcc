/**
 * What the work behind the command line is asked for, and what it tells while
 * it runs. Empty lists mean all.
 *
 * @module
 */

/** What a campaign is asked for. */
export interface CampaignOptions {
  /** Steps in all, split evenly over the cells. */
  readonly ops: number;
  /** Every random choice follows from it. */
  readonly seed: number;
  /** Threads; their number changes nothing in the result. */
  readonly workers: number;
  /** Kernels; empty: those that each discipline names. */
  readonly kernels: readonly string[];
  /** Disciplines by name or file; empty: all that are shipped. */
  readonly disciplines: readonly string[];
  /** Paths of disciplines, or raw calls in any order. */
  readonly mode: "discipline" | "hostile";
  /** Options added to every cell's configuration. */
  readonly config: readonly string[];
  /** Directory of the pool that is kept between runs. */
  readonly corpus?: string;
}

/** What a campaign on a real kernel is asked for. */
export interface LinuxOptions extends Omit<CampaignOptions, "mode"> {
  /** Absent: both, or disciplines where some are named. */
  readonly mode: CampaignOptions["mode"] | undefined;
  /** A kernel tree or tarball; absent: the newest source package. */
  readonly source?: string;
}

/** What a replay on a real kernel is asked for. */
export interface LinuxReplay {
  /** Stored programs. */
  readonly files: readonly string[];
  /** A kernel tree or tarball; absent: the newest source package. */
  readonly source?: string;
}

/** Who is told that a kernel is being built. */
export interface BuildHooks {
  building(text: string): void;
  /** When it is aborted, so is the build: {@linkcode Interrupted} is thrown. */
  readonly signal?: AbortSignal;
}

/** Who is told how a comparison goes. */
export interface ConformHooks extends WorkHooks, BuildHooks {
  readonly signal: AbortSignal;
}

/** Work was stopped before anything was known. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** Who is told how long work goes. */
export interface WorkHooks {
  /** A line of what it comes to, as soon as it is known. */
  print(line: string): void;
  /**
   * So much is done of so much, of `what`; 0 where nobody knows of how much. What it answers is awaited where the work
   * itself lets nobody else have a turn: else Ctrl-C would not be heard.
   */
  progress(done: number, total: number, what: string): Promise<void> | undefined;
  /** When it is aborted, the work ends with what is known until then. */
  readonly signal: AbortSignal;
}

/** What a caller may want to know while a campaign runs. */
export interface CampaignHooks {
  /** Steps done and findings so far. */
  readonly progress?: (p: { steps: number; findings: number }) => void;
  /** Random search begins, or has ended and its findings are shrunk: the time between the two is measured. */
  readonly phase?: (phase: "search" | "done") => void;
  /** When it is aborted the search ends, and what was found until then is the result. */
  readonly signal?: AbortSignal;
}

/** What the search for single-line faults is asked for. */
export interface FaultsOptions {
  /** Budget in steps for each fault. */
  readonly ops: number;
  /** Every random choice follows from it. */
  readonly seed: number;
  /** Kernels; empty: those that each discipline names. */
  readonly kernels: readonly string[];
  /** Names of shipped disciplines, or files; empty: all that are shipped. */
  readonly disciplines: readonly string[];
}

/** What `conform` is asked for. */
export interface ConformOptions {
  /** `6.1` or `6.12`. */
  readonly kernel: string;
  /** Configuration of the kernel that is built. */
  readonly config: readonly string[];
  /** Programs to draw. */
  readonly programs: number;
  readonly seed: number;
  /** A kernel tree or tarball. */
  readonly source?: string;
  /** Stored programs, in place of drawn ones. */
  readonly files: readonly string[];
  /** Whether to say which calls and checks were reached. */
  readonly coverage: boolean;
}

/** What `trace` is asked for. */
export interface TraceOptions {
  /** Recordings; `-` is standard input. */
  readonly files: readonly string[];
  /** The kernel that was recorded; undefined: what the recording says, or shows. */
  readonly kernel: string | undefined;
  /** Its architecture, likewise. */
  readonly arch: string | undefined;
  /** Disciplines by name or file; empty: all that are shipped. */
  readonly disciplines: readonly string[];
}

/** What `sources` is asked for. */
export interface SourcesOptions {
  /** A kernel tree or tarball; absent: the packages of the distribution. */
  readonly source?: string;
  /** Names of shipped disciplines, or files; empty: all that are shipped. */
  readonly disciplines: readonly string[];
  /** Whether to write the hashes that were found into the disciplines. */
  readonly accept: boolean;
}
