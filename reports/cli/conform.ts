/**
 * The `conform` command: the model beside a real kernel.
 *
 * @module
 */
import { InputError } from "../../core/program/input_error.ts";
import { type Format, showing } from "./showing.ts";
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
  readonly format: Format;
}

/** Runs a comparison; answers the exit status. */
export function conform(files: readonly string[], options: ConformCliOptions, setting: Setting): Promise<number> {
  const none = options.config.includes("none");
  if (none && options.config.length > 1) {
    throw new InputError(`--config none leaves everything out, and ${options.config.join(", ")} was asked for too`);
  }
  const config = none ? [] : options.config.length === 0 ? ["DEBUG_VM"] : options.config;
  const { kernel, programs, seed, source, coverage = false, mutants = false, format } = options;
  const request = { kernel, config, programs, seed, files, coverage, ...(source !== undefined && { source }) };
  const { runConform, runConformMutants } = setting.work;
  return showing(
    mutants ? "conform --mutants" : "conform",
    format,
    setting,
    (hooks) => mutants ? runConformMutants(request, hooks) : runConform(request, hooks),
  );
}
