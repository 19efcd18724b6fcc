/**
 * Where a recording comes from: a file, compressed or not, or standard input.
 *
 * @module
 */
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { InputError } from "../core/program/input_error.ts";

/** Bytes that are decompressed at a time. */
const CHUNK = 1 << 18;

async function open(file: string): Promise<ReadableStream<Uint8Array>> {
  if (file === "-") return Deno.stdin.readable;
  try {
    const opened = await Deno.open(file);
    if ((await opened.stat()).isDirectory) {
      opened.close();
      throw new Deno.errors.IsADirectory();
    }
    return opened.readable;
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
 * @returns whether it was read to its end: false where compressed data end early or are damaged
 * @throws {InputError} where nothing can be read of it
 */
export async function readRecording(file: string, push: (bytes: Uint8Array) => void): Promise<boolean> {
  const bytes = (await open(file))[Symbol.asyncIterator]();
  let first = (await bytes.next()).value as Uint8Array | undefined;
  // A pipe may hand out a single byte first.
  while (first !== undefined && first.length < 2) {
    const more = (await bytes.next()).value as Uint8Array | undefined;
    if (more === undefined) break;
    first = Uint8Array.from([...first, ...more]);
  }
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
    throw new InputError("these are no gzip data that can be read; expected text of ftrace, plain or compressed", {
      file,
    });
  }
}
