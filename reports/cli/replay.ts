/**
 * The `replay` command: stored programs, and whether they claim the truth.
 *
 * @module
 */
import type { ReplayedProgram, Result } from "../../corpus/result.ts";
import { count, grouped, visible } from "../text.ts";
import { prepareReportDir, writeReport } from "../write.ts";
import { InputError } from "../../core/program/input_error.ts";
import { statusLine } from "./status_line.ts";
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
  const building = statusLine(io);
  const undo = options.report === undefined ? () => {} : prepareReportDir(options.report);
  const release = io.onInterrupt(undo);
  let replayed: ReplayedProgram[];
  try {
    replayed = target === "linux"
      ? await work.replayOnLinux({ files, ...(source !== undefined && { source }) }, { building: building.show })
      : await work.replayFiles(files);
  } catch (error) {
    undo();
    throw error;
  } finally {
    building.clear();
    release();
  }
  const wrong = replayed.filter((r) => !r.ok);
  for (const program of wrong) io.out(`${visible(program.file)}: ${visible(program.complaints.join(" "))}\n`);
  const recordings = replayed.filter((r) => /\.trace(\.gz)?$/.test(r.file)).length;
  const programs = count(replayed.length - recordings, "program");
  const what = recordings === 0 ? programs : `${programs} and ${count(recordings, "recording")}`;
  io.out(`${what} replayed, ${grouped(wrong.length)} not as claimed\n`);
  if (options.report !== undefined) {
    const timing = { seconds: 0, steps: 0, steps_per_second: 0, workers: 0 };
    writeReport(options.report, replayResult(replayed, setting.tool), timing);
  }
  return wrong.length === 0 ? 0 : 1;
}
