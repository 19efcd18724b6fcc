/**
 * A progress line on standard error: share done, steps a second, findings, time
 * left. It is drawn when there is something to say and wiped when the run ends;
 * without a terminal it is silent. It needs no timer, so it keeps no process
 * alive.
 *
 * @module
 */
import { count, grouped } from "./text.ts";

/** Milliseconds between two drawings. */
export const INTERVAL = 100;
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
  const perSecond = elapsed > 0 ? (done / elapsed) * 1000 : 0;
  const speed = `${(perSecond / 1e6).toFixed(2)} M steps/s`;
  return lineOf([bar(done, total), speed, count(findings, "finding"), left(done, total, elapsed)], width);
}

/** The line of work that is counted in something else than steps; `total` is 0 where nobody knows it. */
export function countLine(done: number, total: number, what: string, elapsed: number, width = 80): string {
  if (total === 0) return lineOf([`${grouped(done)} ${what}`], width);
  return lineOf([bar(done, total), `${grouped(done)} of ${grouped(total)} ${what}`, left(done, total, elapsed)], width);
}

function lineOf(parts: readonly string[], width: number): string {
  return parts.filter((part) => part !== "").join("  ").slice(0, Math.max(0, width - 1));
}

function bar(done: number, total: number): string {
  const share = Math.min(1, total === 0 ? 1 : done / total);
  const filled = Math.floor(share * BAR);
  return "█".repeat(filled) + "░".repeat(BAR - filled) + ` ${`${Math.floor(share * 100)}%`.padStart(4)}`;
}

function left(done: number, total: number, elapsed: number): string {
  return done > 0 && elapsed > 0 ? `${duration(Math.max(0, total - done) * elapsed / done / 1000)} left` : "";
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
