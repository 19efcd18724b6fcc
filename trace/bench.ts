/**
 * How fast recordings are read, judged and replayed, and whether memory grows
 * with their length: the shipped recordings, repeated, each in an isolate of its
 * own.
 *
 * @module
 */
import type { WorkHooks } from "../corpus/request.ts";
import type { BenchShown } from "../corpus/shown.ts";
import { ask } from "../fuzz/ask.ts";
import { shippedRecordings } from "./replay_files.ts";
import type { RecordingRequest, RecordingSpeed } from "./worker_bench.ts";

/** Bytes that are read of each. */
const BYTES = 150_000_000;

const millions = (n: number): string => (n / 1e6).toFixed(n < 1e7 ? 2 : 0);

/** Asks an isolate, and ends it: the next begins with nothing of it. */
function measured(file: string, lengths: readonly number[]): Promise<RecordingSpeed[]> {
  const worker = new Worker(new URL("./worker_bench.ts", import.meta.url), { type: "module" });
  const request: RecordingRequest = { file, lengths };
  return ask<RecordingSpeed[]>(worker, request).finally(() => worker.terminate());
}

/** Prints a line for each shipped recording, and answers the same. */
export async function benchRecordings({ print, progress, signal }: WorkHooks): Promise<BenchShown["recordings"]> {
  if (signal.aborted) return [];
  print("recordings, one core, repeated to 150 MB and to four times that:");
  const done: BenchShown["recordings"][number][] = [];
  const files = shippedRecordings();
  for (const file of files) {
    await progress(done.length, files.length, "recordings");
    if (signal.aborted) break;
    const [short, long] = await measured(file, [BYTES, 4 * BYTES]) as [RecordingSpeed, RecordingSpeed];
    const name = file.replace(/^.*\//, "");
    done.push({
      file: name,
      bytes_per_second: Math.round(long.rate),
      events_per_second: Math.round(long.events),
      memory: short.peak,
      memory_of_longer: long.peak,
    });
    print(
      `  ${name}: ${millions(long.rate)} MB/s, ${millions(long.events)} million events/s; ` +
        `memory at most ${millions(short.peak)} MB, then ${millions(long.peak)} MB`,
    );
  }
  return done;
}
