/**
 * A worker: runs the shards it is sent, one after the other.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { answer } from "./pool.ts";
import { runShard, type ShardJob } from "./shard.ts";

self.onmessage = (event: MessageEvent<ShardJob>): void => self.postMessage(answer(runShard, event.data));
