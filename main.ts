/**
 * ptfuzz on the command line: `deno task fuzz`, `deno task replay`, ...
 *
 * This file joins the commands (`reports/cli/`) to the work behind them, which
 * is loaded when a command needs it, and to the process it runs in.
 *
 * @module
 */
import { faultText, run as runCommand } from "./reports/cli/run.ts";
import type { Io, Work } from "./reports/cli/work.ts";
import type { Screen } from "./reports/show_screen.ts";
import { InputError } from "./core/program/input_error.ts";
import { TOOL } from "./corpus/tool.ts";

/** Steps of `fuzz` where `--ops` is not given: under a minute on two processors. */
export const DEFAULT_OPS = 50_000_000;

const work: Work = {
  runCampaign: async (request, hooks) => (await import("./fuzz/campaign.ts")).runCampaign(request, hooks),
  replayFiles: async (files, { progress }) => (await import("./trace/replay_files.ts")).replayFiles(files, progress),
  runTrace: async (request, hooks) => (await import("./trace/run_trace.ts")).runTrace(request, hooks),
  replayOnLinux: async (request, hooks) => (await import("./oracle/replay_linux.ts")).replayOnLinux(request, hooks),
  shrinkFile: async (file) => (await import("./fuzz/shrink_file.ts")).shrinkFile(file),
  showFile: async (file) => {
    const { readProgramFile } = await import("./corpus/files.ts");
    const { showProgram } = await import("./core/program/show.ts");
    return showProgram(readProgramFile(file));
  },
  runLinuxCampaign: async (request, hooks) =>
    (await import("./oracle/run_fuzz_linux.ts")).runLinuxCampaign(request, hooks),
  runConform: async (request, hooks) => (await import("./oracle/run_conform.ts")).runConform(request, hooks),
  runConformMutants: async (request, hooks) =>
    (await import("./oracle/conform_mutants.ts")).runConformMutants(request, hooks),
  runLinux: async (hooks) => (await import("./scripts/linux.ts")).runLinux(hooks),
  runSources: async (request, hooks) => (await import("./oracle/sources/run_sources.ts")).runSources(request, hooks),
  runBench: async (hooks) => {
    const steps = await (await import("./fuzz/bench.ts")).runBench(hooks);
    const recordings = await (await import("./trace/bench.ts")).benchRecordings(hooks);
    return { ...steps, recordings, interrupted: hooks.signal.aborted };
  },
  mergePools: async (dirs, into, { progress }) =>
    (await import("./fuzz/stored_pool.ts")).mergePools(dirs, into, progress),
  runExhaust: async (request, hooks) => (await import("./fuzz/exhaust/run.ts")).runExhaust(request, hooks),
  runFaults: async (request, hooks) => (await import("./fuzz/faults.ts")).runFaults(request, hooks),
  memdescVerdicts: async (disciplines, hooks) => (await import("./fuzz/memdesc.ts")).runMemdesc(disciplines, hooks),
  runMutants: async (hooks) => (await import("./fuzz/mutants.ts")).runMutants(hooks),
};

/** What to call on Ctrl-C: at once, or first what lets the command end by itself. */
const interrupts = new Set<{ readonly cleanup: () => void; readonly windDown?: (() => void) | undefined }>();
let windingDown = false;

/** Ctrl-C: what can write down what it has does so; a second Ctrl-C ends everything. */
function interrupted(): void {
  const gentle = [...interrupts].filter((i) => i.windDown !== undefined);
  if (gentle.length > 0 && !windingDown) {
    windingDown = true;
    for (const { windDown } of gentle) windDown!();
    write(Deno.stderr, "ptfuzz: stopping; what is known so far follows (Ctrl-C again: end at once)\n");
    return;
  }
  for (const { cleanup } of interrupts) cleanup();
  write(Deno.stderr, "ptfuzz: stopped by Ctrl-C; nothing was written\n");
  Deno.exit(130);
}

/** Writes all of a text; a reader that has gone (`| head`) is no error. */
function write(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = new TextEncoder().encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return;
    // A full disk behind a redirection is not our fault.
    throw new InputError(
      `what is printed cannot be written (${error instanceof Error ? error.message : String(error)})`,
    );
  }
}

/** The terminal with its keys, where there is one on both sides. */
function processScreen(): Screen | undefined {
  if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) return undefined;
  const bytes = new Uint8Array(64);
  return {
    // A terminal that nobody told its size says 0.
    size: () => {
      const { columns, rows } = Deno.consoleSize();
      return { columns: columns || 80, rows: rows || 24 };
    },
    enter() {
      Deno.stdin.setRaw(true);
      write(Deno.stdout, "\x1b[?1049h\x1b[?25l");
      return () => {
        write(Deno.stdout, "\x1b[?25h\x1b[?1049l");
        Deno.stdin.setRaw(false);
      };
    },
    async key() {
      const n = await Deno.stdin.read(bytes);
      return n === null ? undefined : new TextDecoder().decode(bytes.subarray(0, n));
    },
    write: (text) => write(Deno.stdout, text),
  };
}

function processIo(): Io {
  const screen = processScreen();
  return {
    out: (text) => write(Deno.stdout, text),
    err: (text) => write(Deno.stderr, text),
    terminal: Deno.stderr.isTerminal(),
    colour: Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR"),
    ...(screen && { screen }),
    columns: Deno.stdout.isTerminal() ? Deno.consoleSize().columns || 80 : 80,
    onInterrupt(cleanup, windDown) {
      const entry = { cleanup, windDown };
      interrupts.add(entry);
      return () => void interrupts.delete(entry);
    },
  };
}

/**
 * Runs a command line in this process.
 *
 * @param args the arguments, the command first
 * @param io where output goes; default this process's
 * @returns the exit status: 0, 1, 2, 70, or 130 after Ctrl-C
 */
export function run(args: readonly string[], io: Io = processIo()): Promise<number> {
  return runCommand(args, { work, io, tool: TOOL, defaultOps: DEFAULT_OPS });
}

if (import.meta.main) {
  Deno.addSignalListener("SIGINT", interrupted);
  globalThis.addEventListener("unhandledrejection", (event) => {
    for (const { cleanup } of interrupts) cleanup();
    write(Deno.stderr, faultText(event.reason));
    Deno.exit(70);
  });
  Deno.exit(await run(Deno.args));
}
