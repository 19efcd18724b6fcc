/**
 * Measures one recording in an isolate of its own, so that its memory is its own too.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { selectDisciplines } from "../fuzz/cells.ts";
import { readRecording } from "./input.ts";
import { traceRecording } from "./run_trace.ts";

/** Bytes that are handed over at a time. */
const CHUNK = 1 << 18;

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

async function bytesOf(file: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  await readRecording(file, (bytes) => void parts.push(bytes.slice()));
  const bytes = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  parts.reduce((at, p) => {
    bytes.set(p, at);
    return at + p.length;
  }, 0);
  return bytes;
}

async function measure({ file, lengths }: RecordingRequest): Promise<RecordingSpeed[]> {
  const disciplines = selectDisciplines([]).map((l) => l.discipline);
  const bytes = await bytesOf(file);
  const speeds: RecordingSpeed[] = [];
  for (const length of lengths) {
    const began = performance.now();
    let peak = 0;
    const { recording, bytes: read } = await traceRecording(
      file,
      (push) => {
        for (let done = 0; done < length; done += bytes.length) {
          for (let at = 0; at < bytes.length; at += CHUNK) push(bytes.subarray(at, at + CHUNK));
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
