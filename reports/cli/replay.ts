/**
 * The `replay` command: stored programs, and whether they claim the truth.
 *
 * @module
 */
import type { ReplayedProgram, Result } from "../../corpus/result.ts";
import { count, grouped, visible } from "../text.ts";
import { prepareReportDir, writeReport } from "../write.ts";
import { InputError } from "../../core/program/input_error.ts";
import { reportJson } from "../json.ts";
import { type Format, waiting } from "./showing.ts";
import type { Setting } from "./work.ts";

/** The result object of a replay, for its report. */
export function replayResult(replayed: readonly ReplayedProgram[], tool: string): Result {
  return {
    schema: 1,
    tool,
    task: "replay",
    mode: "discipline",
    seed: 0,
    steps: 0,
    interrupted: false,
    pool: null,
    never: [],
    faults: [],
    cells: [],
    findings: [],
    invariants: [],
    calls: [],
    memdesc: [],
    replayed,
    recordings: [],
    unexpected: replayed.filter((r) => !r.ok).length,
  };
}

/** Options of `replay` as the command line gives them. */
export interface ReplayOptions {
  readonly report?: string;
  readonly format: Format;
  /** `model`, or `linux`: a kernel that is built. */
  readonly target: "model" | "linux";
  /** Of `--target linux`: a kernel tree or tarball. */
  readonly source?: string;
}

/** Replays stored programs, the whole corpus where none is named; answers the exit status. */
export async function replay(
  files: readonly string[],
  options: ReplayOptions,
  setting: Setting,
): Promise<number> {
  const { io, work } = setting;
  const { target, source } = options;
  if (source !== undefined && target !== "linux") {
    throw new InputError("--source names the kernel that --target linux builds; add that, or leave --source out");
  }
  if (target === "linux" && files.length === 0) {
    throw new InputError("--target linux replays the files that are named; name one, such as a finding of 'fuzz'");
  }
  const undo = options.report === undefined ? () => {} : prepareReportDir(options.report);
  const replayed = await waiting(
    setting,
    undo,
    (hooks) =>
      target === "linux"
        ? work.replayOnLinux({ files, ...(source !== undefined && { source }) }, hooks)
        : work.replayFiles(files, hooks),
  );
  const result = replayResult(replayed, setting.tool);
  if (options.format === "json") io.out(reportJson(result));
  else for (const line of replayLines(replayed)) io.out(`${line}\n`);
  if (options.report !== undefined) {
    writeReport(options.report, result, { seconds: 0, steps: 0, steps_per_second: 0, workers: 0 });
  }
  return result.unexpected === 0 ? 0 : 1;
}

/** What is not as claimed, and how much was replayed. */
function replayLines(replayed: readonly ReplayedProgram[]): string[] {
  const wrong = replayed.filter((r) => !r.ok);
  const recordings = replayed.filter((r) => /\.trace(\.gz)?$/.test(r.file)).length;
  const programs = count(replayed.length - recordings, "program");
  const what = recordings === 0 ? programs : `${programs} and ${count(recordings, "recording")}`;
  return [
    ...wrong.map((program) => `${visible(program.file)}: ${visible(program.complaints.join(" "))}`),
    `${what} replayed, ${grouped(wrong.length)} not as claimed`,
  ];
}
