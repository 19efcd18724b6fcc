/**
 * A worker for the pool's tests: it doubles a number, or dies of it.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { answerTo, type Board, type Sent } from "./pool.ts";

/** What the worker is asked for. */
export interface TestJob {
  readonly index: number;
  readonly group?: number;
  readonly does: "answers" | "throws" | "dies" | "waits";
}

/** What it answers. */
export interface TestOutcome {
  readonly index: number;
  readonly twice: number;
  /** Jobs that this worker was sent before. */
  readonly before: number;
}

let sent = 0;

function run(job: TestJob, board: Board): TestOutcome {
  board.program = 7 + job.index;
  if (job.does === "throws") throw new Error("what a fault says\nand more of it");
  while (job.does === "waits" && !board.stopped);
  return { index: job.index, twice: 2 * job.index, before: sent++ };
}

self.onmessage = async (event: MessageEvent<Sent<TestJob>>): Promise<void> => {
  // Nothing catches this: the worker itself is gone, before it can answer and be given another job.
  if (event.data.job.does === "dies") void Promise.reject(new Error("gone"));
  else self.postMessage(await answerTo(event.data, run));
};
