/**
 * A worker: searches the cells it is sent, one after the other.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { answerTo, type Sent } from "../pool.ts";
import { exhaustCell, type ExhaustJob } from "./cell.ts";

self.onmessage = async (event: MessageEvent<Sent<ExhaustJob>>): Promise<void> =>
  self.postMessage(await answerTo(event.data, exhaustCell));
