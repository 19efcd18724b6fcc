/**
 * A worker: looks for the faults of the cells it is sent, one after the other.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { type FaultCell, type FaultJob, runFaultCell } from "./fault_cell.ts";

/** What a worker answers: a cell's outcome, or what went wrong in ptfuzz itself. */
export type FaultAnswer = { readonly cell: FaultCell } | { readonly error: string };

self.onmessage = (event: MessageEvent<FaultJob>): void => {
  let answer: FaultAnswer;
  try {
    answer = { cell: runFaultCell(event.data) };
  } catch (error) {
    answer = { error: error instanceof Error ? error.stack ?? error.message : String(error) };
  }
  self.postMessage(answer);
};
