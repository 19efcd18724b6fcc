/**
 * How fast recordings are read, judged and replayed, and whether memory grows
 * with their length: the shipped recordings, repeated.
 *
 * @module
 */
import type { WorkHooks } from "../corpus/request.ts";
import type { BenchShown } from "../corpus/shown.ts";
import { selectDisciplines } from "../fuzz/cells.ts";
import { readRecording } from "./input.ts";
import { shippedRecordings } from "./replay_files.ts";
import { traceRecording } from "./run_trace.ts";

/** Bytes that are read of each. */
const BYTES = 150_000_000;
/** Bytes that are handed over at a time. */
const CHUNK = 1 << 18;

const millions = (n: number): string => (n / 1e6).toFixed(n < 1e7 ? 2 : 0);

/** Prints a line for each shipped recording, and answers the same. */
export async function benchRecordings({ print, progress, signal }: WorkHooks): Promise<BenchShown["recordings"]> {
  if (signal.aborted) return [];
  const disciplines = selectDisciplines([]).map((l) => l.discipline);
  print("recordings, one core, repeated to 150 MB and to four times that:");
  const measured: BenchShown["recordings"][number][] = [];
  const files = shippedRecordings();
  for (const file of files) {
    await progress(measured.length, files.length, "recordings");
    if (signal.aborted) break;
    const parts: Uint8Array[] = [];
    await readRecording(file, (bytes) => void parts.push(bytes.slice()));
    const bytes = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
    parts.reduce((at, p) => {
      bytes.set(p, at);
      return at + p.length;
    }, 0);
    let peak = 0;
    const run = async (length: number) => {
      const began = performance.now();
      peak = 0;
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
      return { rate: read / seconds, events: recording.events / seconds, peak };
    };
    const short = await run(BYTES);
    const long = await run(4 * BYTES);
    const name = file.replace(/^.*\//, "");
    measured.push({
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
  return measured;
}
