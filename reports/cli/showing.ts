/**
 * What the commands have in common that prove something and take their time:
 * lines as they are known, or one object; how far it is; Ctrl-C.
 *
 * @module
 */
import type { BuildHooks, WorkHooks } from "../../corpus/request.ts";
import type { Shown } from "../../corpus/shown.ts";
import { statusLine } from "./status_line.ts";
import type { Setting } from "./work.ts";

/** Of standard output. */
export type Format = "text" | "json";

/** The one object of `--format json`: who says it, of what, and what. */
export function objectText(task: string, tool: string, object: object): string {
  return JSON.stringify({ tool, task, ...object }, null, 2) + "\n";
}

/**
 * Runs a command and prints what it comes to; answers the exit status.
 *
 * @param task the command, for the object
 * @param run the work
 */
export async function showing(
  task: string,
  format: Format,
  { io, tool }: Setting,
  run: (hooks: WorkHooks & BuildHooks & { readonly signal: AbortSignal }) => Promise<Shown>,
): Promise<number> {
  const status = statusLine(io);
  const stop = new AbortController();
  const release = io.onInterrupt(status.clear, () => {
    status.clear();
    stop.abort();
  });
  try {
    const shown = await run({
      print(line) {
        if (format === "json") return;
        status.clear();
        io.out(`${line}\n`);
      },
      building: status.show,
      progress: status.progress,
      signal: stop.signal,
    });
    status.clear();
    if (format === "json") io.out(objectText(task, tool, shown));
    return shown.interrupted ? 130 : shown.ok ? 0 : 1;
  } finally {
    status.clear();
    release();
  }
}

/**
 * Runs work that ends at once on Ctrl-C, with its progress on standard error.
 *
 * @param cleanup what is to be undone then, or where the work fails
 */
export async function waiting<T>(
  { io }: Setting,
  cleanup: () => void,
  run: (hooks: Pick<WorkHooks, "progress"> & BuildHooks) => Promise<T>,
): Promise<T> {
  const status = statusLine(io);
  const undo = (): void => {
    status.clear();
    cleanup();
  };
  const release = io.onInterrupt(undo);
  try {
    return await run({ building: status.show, progress: status.progress });
  } catch (error) {
    cleanup();
    throw error;
  } finally {
    status.clear();
    release();
  }
}
