/**
 * Where a recording comes from: a file, compressed or not, or standard input.
 *
 * @module
 */
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { InputError } from "../core/program/input_error.ts";
import { Interrupted } from "../corpus/request.ts";

/** Bytes that are read, or decompressed, at a time. */
const CHUNK = 1 << 19;

/** What bytes are read from. */
interface Source {
  /** Bytes in all; 0 where nobody knows. */
  readonly size: number;
  read(into: Uint8Array): number | null | Promise<number | null>;
  close(): void;
}

async function open(file: string): Promise<Source> {
  if (file === "-") return { size: 0, read: (into) => Deno.stdin.read(into), close: () => {} };
  try {
    const opened = await Deno.open(file);
    const { isDirectory, isFile, size } = await opened.stat();
    if (isDirectory) {
      opened.close();
      throw new Deno.errors.IsADirectory();
    }
    // What is on a disk is there: waiting for a thread that reads it costs more than reading it.
    const read = (into: Uint8Array) => isFile ? opened.readSync(into) : opened.read(into);
    return { size, read, close: () => opened.close() };
  } catch (error) {
    throw new InputError(reason(error), { file });
  }
}

function reason(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
    return "it may not be read";
  }
  if (error instanceof Deno.errors.IsADirectory) return "this is a directory, and a recording is wanted";
  return `it cannot be read (${error instanceof Error ? error.message : String(error)})`;
}

/** How reading goes, for who wants to know. */
export interface Watch {
  /** So many bytes of the file were read, of so many; 0 where nobody knows of how many. */
  progress(read: number, of: number): Promise<void> | undefined;
  /** When it is aborted, the recording ends there. */
  readonly signal: AbortSignal;
}

/** The same source, until the signal ends it: standard input may have nothing for a long time. */
function watched(source: Source, watch: Watch | undefined): Source {
  if (watch === undefined) return source;
  const { signal } = watch;
  const aborted = new Promise<null>((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener("abort", () => resolve(null), { once: true });
  });
  let done = 0;
  return {
    ...source,
    async read(into) {
      if (done > 0) await watch.progress(done, source.size);
      if (signal.aborted) return null;
      const read = source.read(into);
      const n = read instanceof Promise ? await Promise.race([read, aborted]) : read;
      done += n ?? 0;
      return n;
    },
  };
}

/** Fills a buffer as far as the source goes, or as far as is enough; answers how far that was. */
async function fill(source: Source, buffer: Uint8Array, enough: number): Promise<number> {
  let length = 0;
  while (length < enough) {
    const n = await source.read(buffer.subarray(length));
    if (n === null) break;
    length += n;
  }
  return length;
}

/** The first bytes of a source, and all others. */
async function* pieces(source: Source, first: Uint8Array): AsyncGenerator<Uint8Array> {
  yield first;
  for (;;) {
    const buffer = new Uint8Array(CHUNK);
    const n = await source.read(buffer);
    if (n === null) return;
    yield buffer.subarray(0, n);
  }
}

/**
 * Reads a recording, gzip or text, piece by piece.
 *
 * @param file its name, `-` for standard input
 * @param push takes each piece, and is done with the bytes when it returns
 * @param watch is told how it goes, and may end it
 * @returns whether it was read to its end: false where compressed data end early or are damaged
 * @throws {InputError} where nothing can be read of it
 */
export async function readRecording(
  file: string,
  push: (bytes: Uint8Array) => void,
  watch?: Watch,
): Promise<boolean> {
  const opened = await open(file);
  const source = watched(opened, watch);
  try {
    const buffer = new Uint8Array(CHUNK);
    // A pipe may hand out a single byte first.
    let n = await fill(source, buffer, 2);
    if (n === 0 && watch?.signal.aborted) throw new Interrupted();
    if (n === 0) throw new InputError("the recording is empty", { file });
    if (buffer[0] === 0x1f && buffer[1] === 0x8b) {
      return await readGzip(file, pieces(source, buffer.subarray(0, n)), push, watch);
    }
    while (n > 0) {
      push(buffer.subarray(0, n));
      n = await fill(source, buffer, 1);
    }
    return true;
  } finally {
    opened.close();
  }
}

async function readGzip(
  file: string,
  packed: AsyncIterable<Uint8Array>,
  push: (bytes: Uint8Array) => void,
  watch: Watch | undefined,
): Promise<boolean> {
  let read = 0;
  try {
    for await (const chunk of Readable.from(packed).pipe(createGunzip({ chunkSize: CHUNK }))) {
      read += (chunk as Uint8Array).length;
      push(chunk as Uint8Array);
    }
    return true;
  } catch (error) {
    if (error instanceof InputError || (error as { code?: string }).code?.startsWith("Z_") !== true) throw error;
    if (read > 0) return false;
    if (watch?.signal.aborted) throw new Interrupted();
    throw new InputError("these are no gzip data that can be read; expected text of ftrace, plain or compressed", {
      file,
    });
  }
}
