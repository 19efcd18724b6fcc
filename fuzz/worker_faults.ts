/**
 * A worker: looks for the faults of the cells it is sent, one after the other.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { type FaultJob, runFaultCell } from "./fault_cell.ts";
import { answerTo, type Sent } from "./pool.ts";

self.onmessage = async (event: MessageEvent<Sent<FaultJob>>): Promise<void> =>
  self.postMessage(await answerTo(event.data, runFaultCell));
