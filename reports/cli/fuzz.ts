/**
 * The `fuzz` command: a campaign, its report, its exit status.
 *
 * @module
 */
import { InputError } from "../../core/program/input_error.ts";
import type { CampaignHooks, CampaignOptions, LinuxOptions } from "../../corpus/request.ts";
import type { Result, Timing } from "../../corpus/result.ts";
import { reportJson } from "../json.ts";
import { isAsExpected } from "../matrix.ts";
import { startProgress } from "../progress.ts";
import { renderTerminal } from "../terminal.ts";
import { prepareReportDir, writeReport } from "../write.ts";
import { statusLine } from "./status_line.ts";
import type { Setting } from "./work.ts";

/** Options of `fuzz` as the command line gives them. */
export interface FuzzOptions extends Omit<CampaignOptions, "kernels" | "disciplines"> {
  readonly kernel: readonly string[];
  readonly discipline: readonly string[];
  /** `model`, or `linux`: a kernel that is built. */
  readonly target: "model" | "linux";
  /** Of `--target linux`: a kernel tree or tarball. */
  readonly source?: string;
  readonly report: string;
  readonly format: "text" | "json";
}

/** What `timing.json` says of so many steps in so many milliseconds. */
function timingOf(steps: number, milliseconds: number, workers: number): Timing {
  const seconds = Math.round(milliseconds) / 1000;
  return { seconds, steps, steps_per_second: seconds === 0 ? 0 : Math.round(steps / seconds), workers };
}

/** Steps of a campaign on a real kernel where `--ops` is not given: under a minute on two processors, built before. */
const LINUX_OPS = 4_000_000;

/** What a campaign on a real kernel is asked for: both modes where none was named, and a budget of its own. */
function linuxRequest(request: CampaignOptions, { source }: FuzzOptions, given: Given): LinuxOptions {
  return {
    ...request,
    ops: given.ops ? request.ops : LINUX_OPS,
    mode: given.mode ? request.mode : undefined,
    ...(source !== undefined && { source }),
  };
}

/** Which options were given, and are not defaults. */
export interface Given {
  readonly ops: boolean;
  readonly mode: boolean;
}

/** Runs a campaign; answers the exit status. */
export async function fuzz(options: FuzzOptions, given: Given, setting: Setting): Promise<number> {
  const { io, work } = setting;
  const { ops, seed, workers, kernel: kernels, discipline: disciplines, mode, config, corpus } = options;
  const request: CampaignOptions = {
    ops,
    seed,
    workers,
    kernels,
    disciplines,
    mode,
    config,
    ...(corpus === undefined ? {} : { corpus }),
  };
  if (options.source !== undefined && options.target !== "linux") {
    throw new InputError("--source names the kernel that --target linux builds; add that, or leave --source out");
  }
  const undo = prepareReportDir(options.report);
  const building = statusLine(io);
  const total = options.target === "linux" && !given.ops ? LINUX_OPS : ops;
  const progress = startProgress({ total, enabled: io.terminal, width: io.columns, write: io.err });
  const stop = new AbortController();
  const release = io.onInterrupt(() => {
    progress.stop();
    building.clear();
    undo();
  }, () => {
    progress.stop();
    stop.abort();
  });
  let began = performance.now();
  let ended: number | undefined;
  let result: Result;
  try {
    const hooks: CampaignHooks = {
      signal: stop.signal,
      progress: ({ steps, findings }) => progress.update(steps, findings),
      phase: (phase) => {
        if (phase === "search") {
          building.clear();
          began = performance.now();
        } else ended = performance.now();
      },
    };
    result = options.target === "linux"
      ? await work.runLinuxCampaign(linuxRequest(request, options, given), {
        ...hooks,
        signal: stop.signal,
        building: building.show,
      })
      : await work.runCampaign(request, hooks);
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
