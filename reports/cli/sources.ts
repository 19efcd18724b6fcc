/**
 * The `sources` command: have the kernel's functions changed since they were read?
 *
 * @module
 */
import type { Setting } from "./work.ts";

/** Options of `sources` as the command line gives them. */
export interface SourcesCliOptions {
  readonly source?: string;
  readonly discipline: readonly string[];
  readonly accept?: boolean;
}

/** Runs it; answers the exit status. */
export async function sources(options: SourcesCliOptions, { io, work }: Setting): Promise<number> {
  const { source, discipline, accept = false } = options;
  const request = { disciplines: discipline, accept, ...(source !== undefined && { source }) };
  return (await work.runSources(request, (line) => io.out(`${line}\n`))) ? 0 : 1;
}
