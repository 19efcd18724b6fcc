/**
 * The `conform` command: the model beside a real kernel.
 *
 * @module
 */
import { InputError } from "../../core/program/input_error.ts";
import { grouped } from "../text.ts";
import { statusLine } from "./status_line.ts";
import type { Setting } from "./work.ts";

/** Options of `conform` as the command line gives them. */
export interface ConformCliOptions {
  readonly kernel: string;
  readonly config: readonly string[];
  readonly programs: number;
  readonly seed: number;
  readonly source?: string;
  readonly coverage?: boolean;
  readonly mutants?: boolean;
}

/** Runs a comparison; answers the exit status. */
export async function conform(
  files: readonly string[],
  options: ConformCliOptions,
  { io, work }: Setting,
): Promise<number> {
  const none = options.config.includes("none");
  if (none && options.config.length > 1) {
    throw new InputError(`--config none leaves everything out, and ${options.config.join(", ")} was asked for too`);
  }
  const config = none ? [] : options.config.length === 0 ? ["DEBUG_VM"] : options.config;
  const { show, clear } = statusLine(io);
  const work_ = options.mutants === true ? work.runConformMutants : work.runConform;
  const { kernel, programs, seed, source, coverage = false } = options;
  const ok = await work_(
    { kernel, config, programs, seed, files, coverage, ...(source !== undefined && { source }) },
    {
      print: (line) => {
        clear();
        io.out(`${line}\n`);
      },
      building: show,
      progress: (n, total) => {
        if (io.terminal) show(`${grouped(n)} of ${grouped(total)} programs`);
      },
      done: clear,
    },
  );
  return ok ? 0 : 1;
}
