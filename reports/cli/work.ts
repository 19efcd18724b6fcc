/**
 * What the command line needs of the rest of ptfuzz, and of the world. `main.ts`
 * supplies both, so that commands can be tested in one process and `reports/`
 * imports nothing of `fuzz/`.
 *
 * @module
 */
import type { Screen } from "../show_screen.ts";
import type {
  BuildHooks,
  CampaignHooks,
  CampaignOptions,
  ConformHooks,
  ConformOptions,
  FaultsOptions,
  LinuxOptions,
  LinuxReplay,
  SourcesOptions,
  TraceOptions,
  WorkHooks,
} from "../../corpus/request.ts";
import type {
  BenchShown,
  ConformMutantsShown,
  ConformShown,
  FaultsShown,
  LinuxShown,
  MutantsShown,
  SourcesShown,
} from "../../corpus/shown.ts";
import type { Exhausted, ExhaustHooks, ExhaustOptions } from "../../corpus/exhausted.ts";
import type { MemdescVerdict } from "../../corpus/memdesc.ts";
import type { ReplayedProgram, Result } from "../../corpus/result.ts";

/** Of work that ends at once on Ctrl-C. */
type ProgressHooks = Pick<WorkHooks, "progress">;

/** The work behind the commands; each part is loaded when it is first called. */
export interface Work {
  runCampaign(request: CampaignOptions, hooks: CampaignHooks): Promise<Result>;
  /** The same on a real kernel, which is built and booted first. */
  runLinuxCampaign(request: LinuxOptions, hooks: CampaignHooks & BuildHooks): Promise<Result>;
  /** Checks recordings of running kernels. */
  runTrace(request: TraceOptions, hooks: Pick<WorkHooks, "progress" | "signal">): Promise<Result>;
  /** Replays stored programs and recordings; none named means the whole corpus. */
  replayFiles(files: readonly string[], hooks: ProgressHooks): Promise<ReplayedProgram[]>;
  /** Replays stored programs on a real kernel. */
  replayOnLinux(request: LinuxReplay, hooks: BuildHooks): Promise<ReplayedProgram[]>;
  /** The text of the smallest program with the same finding. */
  shrinkFile(file: string): Promise<string>;
  /** A stored program step by step. */
  showFile(file: string): Promise<Iterable<string>>;
  /** The model against a real kernel; not ok where they differ. */
  runConform(request: ConformOptions, hooks: ConformHooks): Promise<ConformShown>;
  /** Single lines of kernel and model changed: does the comparison see it? */
  runConformMutants(request: ConformOptions, hooks: ConformHooks): Promise<ConformMutantsShown>;
  /** What only a real kernel shows. */
  runLinux(hooks: ConformHooks): Promise<LinuxShown>;
  /** Disciplines beside the kernel's source; not ok where one is outgrown. */
  runSources(request: SourcesOptions, hooks: WorkHooks): Promise<SourcesShown>;
  runBench(hooks: WorkHooks): Promise<BenchShown>;
  /** Joins pools into a directory. */
  mergePools(
    dirs: readonly string[],
    into: string,
    hooks: ProgressHooks,
  ): Promise<{ cells: number; taken: number; of: number }>;
  runExhaust(request: ExhaustOptions, hooks: ExhaustHooks): Promise<Exhausted>;
  runFaults(request: FaultsOptions, hooks: WorkHooks): Promise<FaultsShown>;
  /** What becomes of the disciplines named (all that are shipped) once descriptors are allocated apart. */
  memdescVerdicts(disciplines: readonly string[], hooks: ProgressHooks): Promise<readonly MemdescVerdict[]>;
  runMutants(hooks: WorkHooks): Promise<MutantsShown>;
}

/** Where output goes. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  /** Whether people watch: standard error is a terminal. */
  readonly terminal: boolean;
  readonly colour: boolean;
  readonly columns: number;
  /** The terminal with its keys; missing where input or output is none. */
  readonly screen?: Screen;
  /**
   * Calls `cleanup` on Ctrl-C until the function that is returned is called. Then the process ends, unless `windDown`
   * is given: the first Ctrl-C calls that instead, and the command ends by itself.
   */
  onInterrupt(cleanup: () => void, windDown?: () => void): () => void;
}

/** All that commands are made of. */
export interface Setting {
  readonly work: Work;
  readonly io: Io;
  /** Name and version of ptfuzz. */
  readonly tool: string;
  /** Default of `fuzz --ops`. */
  readonly defaultOps: number;
}
