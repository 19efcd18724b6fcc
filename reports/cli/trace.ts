/**
 * The `trace` command: recordings of running kernels.
 *
 * @module
 */
import type { Result } from "../../corpus/result.ts";
import { reportJson } from "../json.ts";
import { isAsExpected } from "../matrix.ts";
import { renderTerminal } from "../terminal.ts";
import { prepareReportDir, writeReport } from "../write.ts";
import { statusLine } from "./status_line.ts";
import type { Setting } from "./work.ts";

/** Options of `trace` as the command line gives them. */
export interface TraceCliOptions {
  readonly kernel?: string;
  readonly arch?: string;
  readonly discipline: readonly string[];
  readonly report: string;
  readonly format: "text" | "json";
}

/** Checks recordings; answers the exit status. */
export async function trace(files: readonly string[], options: TraceCliOptions, setting: Setting): Promise<number> {
  const { io, work } = setting;
  const { kernel, arch, discipline: disciplines, report, format } = options;
  const undo = prepareReportDir(report);
  const status = statusLine(io);
  const stop = new AbortController();
  const release = io.onInterrupt(() => {
    status.clear();
    undo();
  }, () => {
    status.clear();
    stop.abort();
  });
  const began = performance.now();
  let result: Result;
  try {
    result = await work.runTrace({ files, kernel, arch, disciplines }, {
      progress: status.progress,
      signal: stop.signal,
    });
  } catch (error) {
    undo();
    throw error;
  } finally {
    status.clear();
    release();
  }
  const seconds = Math.round(performance.now() - began) / 1000;
  const { steps } = result;
  const steps_per_second = seconds === 0 ? 0 : Math.round(steps / seconds);
  try {
    writeReport(report, result, { seconds, steps, steps_per_second, workers: 1 });
  } finally {
    io.out(
      format === "json" ? reportJson(result) : renderTerminal(result, { colour: io.colour, width: io.columns }),
    );
  }
  if (result.interrupted) return 130;
  return isAsExpected(result) ? 0 : 1;
}
