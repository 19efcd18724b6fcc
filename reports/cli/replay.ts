/**
 * The `replay` command: stored programs, and whether they claim the truth.
 *
 * @module
 */
import type { ReplayedProgram, Result } from "../../corpus/result.ts";
import { count, grouped, visible } from "../text.ts";
import { prepareReportDir, writeReport } from "../write.ts";
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
    faults: [],
    cells: [],
    findings: [],
    invariants: [],
    calls: [],
    replayed,
    unexpected: replayed.filter((r) => !r.ok).length,
  };
}

/** Replays stored programs, the whole corpus where none is named; answers the exit status. */
export async function replay(
  files: readonly string[],
  options: { readonly report?: string },
  setting: Setting,
): Promise<number> {
  const { io, work } = setting;
  const undo = options.report === undefined ? () => {} : prepareReportDir(options.report);
  const release = io.onInterrupt(undo);
  let replayed: ReplayedProgram[];
  try {
    replayed = await work.replayFiles(files);
  } catch (error) {
    undo();
    throw error;
  } finally {
    release();
  }
  const wrong = replayed.filter((r) => !r.ok);
  for (const program of wrong) io.out(`${visible(program.file)}: ${visible(program.complaints.join(" "))}\n`);
  io.out(`${count(replayed.length, "program")} replayed, ${grouped(wrong.length)} not as claimed\n`);
  if (options.report !== undefined) {
    const timing = { seconds: 0, steps: 0, steps_per_second: 0, workers: 0 };
    writeReport(options.report, replayResult(replayed, setting.tool), timing);
  }
  return wrong.length === 0 ? 0 : 1;
}
