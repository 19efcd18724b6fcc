/**
 * Where a recording comes from: a file, compressed or not, or standard input.
 *
 * @module
 */
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { InputError } from "../core/program/input_error.ts";
import { Interrupted } from "../corpus/request.ts";

/** Bytes that are decompressed at a time. */
const CHUNK = 1 << 18;

async function open(file: string): Promise<{ stream: ReadableStream<Uint8Array>; size: number }> {
  if (file === "-") return { stream: Deno.stdin.readable, size: 0 };
  try {
    const opened = await Deno.open(file);
    const { isDirectory, size } = await opened.stat();
    if (isDirectory) {
      opened.close();
      throw new Deno.errors.IsADirectory();
    }
    return { stream: opened.readable, size };
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

/** The pieces of a stream, until the signal ends them: standard input may have none for a long time. */
async function* watched(
  stream: ReadableStream<Uint8Array>,
  of: number,
  watch: Watch | undefined,
): AsyncGenerator<Uint8Array> {
  const pieces = stream[Symbol.asyncIterator]();
  const aborted = new Promise<undefined>((resolve) => {
    if (watch?.signal.aborted) resolve(undefined);
    watch?.signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  let read = 0;
  while (true) {
    const piece = await Promise.race([pieces.next(), aborted]);
    if (piece === undefined || piece.done === true) break;
    yield piece.value;
    read += piece.value.length;
    await watch?.progress(read, of);
    if (watch?.signal.aborted) break;
  }
}

/** The bytes of a stream with its first chunk put back. */
async function* withFirst(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

/**
 * Reads a recording, gzip or text, piece by piece.
 *
 * @param file its name, `-` for standard input
 * @param push takes each piece; the bytes are the reader's own afterwards
 * @param watch is told how it goes, and may end it
 * @returns whether it was read to its end: false where compressed data end early or are damaged
 * @throws {InputError} where nothing can be read of it
 */
export async function readRecording(
  file: string,
  push: (bytes: Uint8Array) => void,
  watch?: Watch,
): Promise<boolean> {
  const { stream, size } = await open(file);
  const bytes = watched(stream, size, watch);
  let first = (await bytes.next()).value as Uint8Array | undefined;
  // A pipe may hand out a single byte first.
  while (first !== undefined && first.length < 2) {
    const more = (await bytes.next()).value as Uint8Array | undefined;
    if (more === undefined) break;
    first = Uint8Array.from([...first, ...more]);
  }
  if (first === undefined && watch?.signal.aborted) throw new Interrupted();
  if (first === undefined) throw new InputError("the recording is empty", { file });
  const all = withFirst(first, bytes);
  if (first[0] !== 0x1f || first[1] !== 0x8b) {
    for await (const chunk of all) push(chunk);
    return true;
  }
  let read = 0;
  try {
    for await (const chunk of Readable.from(all).pipe(createGunzip({ chunkSize: CHUNK }))) {
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
