/**
 * A worker: runs the shards it is sent, one after the other.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { runShard, type ShardJob, type ShardOutcome } from "./shard.ts";

/** What a worker answers: an outcome, or what went wrong in ptfuzz itself. */
export type WorkerAnswer = { readonly outcome: ShardOutcome } | { readonly index: number; readonly error: string };

self.onmessage = (event: MessageEvent<ShardJob>): void => {
  let answer: WorkerAnswer;
  try {
    answer = { outcome: runShard(event.data) };
  } catch (error) {
    answer = { index: event.data.index, error: error instanceof Error ? error.stack ?? error.message : String(error) };
  }
  self.postMessage(answer);
};
