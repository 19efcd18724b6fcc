/**
 * The `sources` command: have the kernel's functions changed since they were read?
 *
 * @module
 */
import { type Format, showing } from "./showing.ts";
import type { Setting } from "./work.ts";

/** Options of `sources` as the command line gives them. */
export interface SourcesCliOptions {
  readonly source?: string;
  readonly discipline: readonly string[];
  readonly accept?: boolean;
  readonly format: Format;
}

/** Runs it; answers the exit status. */
export function sources(options: SourcesCliOptions, setting: Setting): Promise<number> {
  const { source, discipline, accept = false, format } = options;
  const request = { disciplines: discipline, accept, ...(source !== undefined && { source }) };
  return showing("sources", format, setting, (hooks) => setting.work.runSources(request, hooks));
}
