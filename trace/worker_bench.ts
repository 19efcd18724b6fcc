/**
 * Measures one recording in an isolate of its own, so that its memory is its own too.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { selectDisciplines } from "../fuzz/cells.ts";
import { readRecording } from "./input.ts";
import { traceRecording } from "./run_trace.ts";

/** How fast a recording is read, judged and replayed, repeated to so many bytes. */
export interface RecordingSpeed {
  /** Bytes and events a second. */
  readonly rate: number;
  readonly events: number;
  /** Memory of the process at most, in bytes. */
  readonly peak: number;
}

/** What is to be measured: a file, and to how many bytes it is repeated in each run. */
export interface RecordingRequest {
  readonly file: string;
  readonly lengths: readonly number[];
}

/** What a recording says, as it was read. */
async function partsOf(file: string): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  await readRecording(file, (bytes) => void parts.push(bytes.slice()));
  return parts;
}

async function measure({ file, lengths }: RecordingRequest): Promise<RecordingSpeed[]> {
  const disciplines = selectDisciplines([]).map((l) => l.discipline);
  const parts = await partsOf(file);
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const speeds: RecordingSpeed[] = [];
  for (const length of lengths) {
    const began = performance.now();
    let peak = 0;
    const { recording, bytes: read } = await traceRecording(
      file,
      (push) => {
        for (let done = 0; done < length; done += size) {
          for (const part of parts) push(part);
          peak = Math.max(peak, Deno.memoryUsage().rss);
        }
        return Promise.resolve(true);
      },
      {},
      disciplines,
    );
    const seconds = (performance.now() - began) / 1000;
    speeds.push({ rate: read / seconds, events: recording.events / seconds, peak });
  }
  return speeds;
}

self.onmessage = async ({ data }: MessageEvent<RecordingRequest>): Promise<void> =>
  self.postMessage(await measure(data));
