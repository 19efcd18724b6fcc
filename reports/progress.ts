/**
 * A progress line on standard error: share done, steps a second, findings, time
 * left. It is drawn when there is something to say and wiped when the run ends;
 * without a terminal it is silent. It needs no timer, so it keeps no process
 * alive.
 *
 * @module
 */
import { count } from "./text.ts";

/** Milliseconds between two drawings. */
const INTERVAL = 100;
const BAR = 20;

/** What a progress line is told. */
export interface Progress {
  /** So many steps are done, and so many findings known. */
  update(doneSteps: number, findings: number): void;
  /** Wipes the line; what is told later is not drawn. May be called twice. */
  stop(): void;
}

/** How to draw progress. */
export interface ProgressOptions {
  /** Steps of the whole run. */
  readonly total: number;
  /** Whether there is a terminal to draw on. */
  readonly enabled: boolean;
  /** Columns of the terminal; default 80. */
  readonly width?: number;
  /** Where to draw; default standard error. */
  readonly write?: (text: string) => void;
  /** Milliseconds on a clock that only goes forward; default `performance.now`. */
  readonly now?: () => number;
}

const encoder = new TextEncoder();

/** The line after so many milliseconds; pure, so that it can be tested. */
export function progressLine(done: number, total: number, findings: number, elapsed: number, width = 80): string {
  const share = Math.min(1, total === 0 ? 1 : done / total);
  const filled = Math.floor(share * BAR);
  const perSecond = elapsed > 0 ? (done / elapsed) * 1000 : 0;
  const left = perSecond > 0 ? `${duration(Math.max(0, total - done) / perSecond)} left` : "";
  const bar = "█".repeat(filled) + "░".repeat(BAR - filled);
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  const line = `${bar} ${percent}  ${(perSecond / 1e6).toFixed(2)} M steps/s  ${count(findings, "finding")}  ${left}`;
  return line.trimEnd().slice(0, Math.max(0, width - 1));
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Starts a progress line. */
export function startProgress(options: ProgressOptions): Progress {
  if (!options.enabled) return { update() {}, stop() {} };
  const write = options.write ?? ((text: string) => void Deno.stderr.writeSync(encoder.encode(text)));
  const now = options.now ?? (() => performance.now());
  const start = now();
  let drawn = -Infinity;
  let stopped = false;
  return {
    update(doneSteps, findings) {
      const time = now();
      if (stopped || time - drawn < INTERVAL) return;
      drawn = time;
      write(`\r${progressLine(doneSteps, options.total, findings, time - start, options.width)}\x1b[K`);
    },
    stop() {
      if (!stopped && drawn > -Infinity) write("\r\x1b[K");
      stopped = true;
    },
  };
}
