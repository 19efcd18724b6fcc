/**
 * What the command line needs of the rest of ptfuzz, and of the world. `main.ts`
 * supplies both, so that commands can be tested in one process and `reports/`
 * imports nothing of `fuzz/`.
 *
 * @module
 */
import type { ReplayedProgram, Result } from "../../corpus/result.ts";

/** What a campaign is asked for; empty lists mean all. */
export interface CampaignRequest {
  /** Budget in steps, over all cells. */
  readonly ops: number;
  readonly seed: number;
  readonly workers: number;
  readonly kernels: readonly string[];
  /** Names of shipped disciplines, or files. */
  readonly disciplines: readonly string[];
  readonly mode: "discipline" | "hostile";
  readonly config: readonly string[];
}

/** What a campaign tells while it runs. */
export interface CampaignHooks {
  /** Steps done and findings so far. */
  readonly progress: (progress: { steps: number; findings: number }) => void;
  /** Random search begins, or its findings are shrunk: the time between the two is measured. */
  readonly phase: (phase: "search" | "done") => void;
}

/** What the search for single-line faults is asked for. */
export interface FaultsRequest {
  /** Budget in steps for each fault. */
  readonly ops: number;
  readonly seed: number;
  readonly kernels: readonly string[];
  readonly disciplines: readonly string[];
}

/** The work behind the commands; each part is loaded when it is first called. */
export interface Work {
  runCampaign(request: CampaignRequest, hooks: CampaignHooks): Promise<Result>;
  /** Replays stored programs; none named means the whole corpus. */
  replayFiles(files: readonly string[]): Promise<ReplayedProgram[]>;
  /** The text of the smallest program with the same finding. */
  shrinkFile(file: string): Promise<string>;
  /** A stored program step by step. */
  showFile(file: string): Promise<Iterable<string>>;
  /** These print as they go; false where what they show does not hold. */
  runBench(print: (line: string) => void): Promise<boolean>;
  runFaults(request: FaultsRequest, print: (line: string) => void): Promise<boolean>;
  runMutants(print: (line: string) => void): Promise<boolean>;
}

/** Where output goes. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  /** Whether people watch: standard output and error are terminals. */
  readonly terminal: boolean;
  readonly colour: boolean;
  readonly columns: number;
  /** Calls `cleanup` on Ctrl-C until the function that is returned is called. */
  onInterrupt(cleanup: () => void): () => void;
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
