/**
 * The `fuzz` command: a campaign, its report, its exit status.
 *
 * @module
 */
import type { CampaignOptions } from "../../corpus/request.ts";
import type { Result, Timing } from "../../corpus/result.ts";
import { reportJson } from "../json.ts";
import { isAsExpected } from "../matrix.ts";
import { startProgress } from "../progress.ts";
import { renderTerminal } from "../terminal.ts";
import { prepareReportDir, writeReport } from "../write.ts";
import type { Setting } from "./work.ts";

/** Options of `fuzz` as the command line gives them. */
export interface FuzzOptions extends Omit<CampaignOptions, "kernels" | "disciplines"> {
  readonly kernel: readonly string[];
  readonly discipline: readonly string[];
  readonly report: string;
  readonly format: "text" | "json";
}

/** What `timing.json` says of so many steps in so many milliseconds. */
function timingOf(steps: number, milliseconds: number, workers: number): Timing {
  const seconds = Math.round(milliseconds) / 1000;
  return { seconds, steps, steps_per_second: seconds === 0 ? 0 : Math.round(steps / seconds), workers };
}

/** Runs a campaign; answers the exit status. */
export async function fuzz(options: FuzzOptions, setting: Setting): Promise<number> {
  const { io, work } = setting;
  const { ops, seed, workers, kernel: kernels, discipline: disciplines, mode, config } = options;
  const request: CampaignOptions = { ops, seed, workers, kernels, disciplines, mode, config };
  const undo = prepareReportDir(options.report);
  const progress = startProgress({ total: ops, enabled: io.terminal, width: io.columns, write: io.err });
  const stop = new AbortController();
  const release = io.onInterrupt(() => {
    progress.stop();
    undo();
  }, () => {
    progress.stop();
    stop.abort();
  });
  let began = performance.now();
  let ended: number | undefined;
  let result: Result;
  try {
    result = await work.runCampaign(request, {
      signal: stop.signal,
      progress: ({ steps, findings }) => progress.update(steps, findings),
      phase: (phase) => {
        if (phase === "search") began = performance.now();
        else ended = performance.now();
      },
    });
  } catch (error) {
    undo();
    throw error;
  } finally {
    progress.stop();
    release();
  }
  const timing = timingOf(result.steps, (ended ?? performance.now()) - began, workers);
  try {
    writeReport(options.report, result, timing);
  } finally {
    // The result is shown even where the directory was taken away meanwhile.
    io.out(
      options.format === "json" ? reportJson(result) : renderTerminal(result, { colour: io.colour, width: io.columns }),
    );
  }
  if (result.interrupted) return 130;
  if (result.faults.length > 0) return 70;
  return isAsExpected(result) ? 0 : 1;
}
