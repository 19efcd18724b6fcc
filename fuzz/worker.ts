/**
 * A worker: runs the shards it is sent, one after the other.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { answerTo, type Sent } from "./pool.ts";
import { runShard, type ShardJob } from "./shard.ts";

self.onmessage = (event: MessageEvent<Sent<ShardJob>>): void => self.postMessage(answerTo(event.data, runShard));
