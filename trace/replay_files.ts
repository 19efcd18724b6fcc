/**
 * Replays what is stored: programs, and recordings with the figures beside
 * them.
 *
 *     corpus/traces/s390x-6.1.trace.gz
 *     corpus/traces/s390x-6.1.figures       what `deno task trace` must say of it
 *
 * @module
 */
import { InputError } from "../core/program/input_error.ts";
import { CORPUS_DIRECTORY, listFiles, readTextFile } from "../corpus/files.ts";
import { recordingFacts } from "../corpus/recording_facts.ts";
import { replayFiles as replayPrograms } from "../corpus/replay.ts";
import type { WorkHooks } from "../corpus/request.ts";
import type { ReplayedProgram, Result } from "../corpus/result.ts";
import { runTrace } from "./run_trace.ts";

const RECORDING = /\.trace(\.gz)?$/;

/** The recordings that are shipped, sorted. */
export function shippedRecordings(): string[] {
  const directory = `${CORPUS_DIRECTORY}/traces`;
  return [...listFiles(directory, ".trace.gz"), ...listFiles(directory, ".trace")].sort();
}

/** What a recording's figures are compared with: its facts, and its findings. */
export function figuresOf(result: Result): string[] {
  return [
    ...result.recordings.flatMap(recordingFacts),
    ...result.findings.map((f) => `finding ${f.signature}${f.expected ? ", expected" : ""}`),
  ];
}

/** The lines that should be there and are not, and the reverse; a sentence each. */
export function compareFigures(wanted: readonly string[], found: readonly string[]): string[] {
  const missing = wanted.filter((line) => !found.includes(line));
  const fresh = found.filter((line) => !wanted.includes(line));
  const order = missing.length + fresh.length === 0 && wanted.join("\n") !== found.join("\n");
  return [
    ...missing.map((line) => `should say and does not: '${line.trim()}'.`),
    ...fresh.map((line) => `says and should not: '${line.trim()}'.`),
    ...(order ? ["says the same in another order."] : []),
  ];
}

async function replayRecording(file: string): Promise<ReplayedProgram> {
  const figures = file.replace(RECORDING, ".figures");
  let text: string;
  try {
    text = readTextFile(figures);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(
      `a recording is replayed against its figures, and ${error.message}; 'deno task trace FILE' only reads it`,
      { file },
    );
  }
  const wanted = text.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "" && !line.startsWith("#"));
  const result = await runTrace({ files: [file], kernel: undefined, arch: undefined, disciplines: [] });
  const complaints = compareFigures(wanted, figuresOf(result));
  return { file, ok: complaints.length === 0, complaints };
}

/** Replays files, programs and recordings, or the whole corpus where none is named. */
export async function replayFiles(
  files: readonly string[],
  progress?: WorkHooks["progress"],
): Promise<ReplayedProgram[]> {
  const recordings = files.length === 0 ? shippedRecordings() : files.filter((f) => RECORDING.test(f));
  const programs = files.filter((f) => !RECORDING.test(f));
  const replayed = files.length > 0 && programs.length === 0 ? [] : await replayPrograms(programs, progress);
  for (const [i, file] of recordings.entries()) {
    await progress?.(i, recordings.length, "recordings");
    replayed.push(await replayRecording(file));
  }
  return replayed;
}
