/**
 * A worker: searches the cells it is sent, one after the other.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { answerTo, type Sent } from "../pool.ts";
import { exhaustCell, type ExhaustJob } from "./cell.ts";

self.onmessage = (event: MessageEvent<Sent<ExhaustJob>>): void => self.postMessage(answerTo(event.data, exhaustCell));
