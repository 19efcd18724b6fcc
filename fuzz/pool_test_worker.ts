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
  readonly does: "answers" | "throws" | "dies" | "waits";
}

function run(job: TestJob, board: Board): { index: number; twice: number } {
  board.program = 7 + job.index;
  if (job.does === "throws") throw new Error("what a fault says\nand more of it");
  while (job.does === "waits" && !board.stopped);
  return { index: job.index, twice: 2 * job.index };
}

self.onmessage = (event: MessageEvent<Sent<TestJob>>): void => {
  // Nothing catches this: the worker itself is gone, before it can answer and be given another job.
  if (event.data.job.does === "dies") void Promise.reject(new Error("gone"));
  else self.postMessage(answerTo(event.data, run));
};
