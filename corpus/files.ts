/**
 * Files of text: what users name, and what is shipped.
 *
 * @module
 */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { dirname, isAbsolute, join } from "@std/path";
import { InputError } from "../core/program/input_error.ts";
import { MAX_TEXT_BYTES, parseProgram } from "../core/program/parse.ts";
import type { Program } from "../core/program/program.ts";

/** Why a file cannot be read, in words. */
function reason(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
    return "it may not be read";
  }
  if (error instanceof Deno.errors.IsADirectory) return "this is a directory, and a file is wanted";
  return `it cannot be read (${error instanceof Error ? error.message : String(error)})`;
}

/** Up to `max` bytes of a file and one more, so that a longer one is known; pipes have no size to ask for. */
function readBytes(path: string, max: number): Uint8Array {
  using file = Deno.openSync(path);
  const info = file.statSync();
  if (info.isDirectory) throw new Deno.errors.IsADirectory();
  if (info.isFile && info.size > max) return new Uint8Array(max + 1);
  let bytes = new Uint8Array(info.isFile ? info.size + 1 : 65_536);
  let length = 0;
  for (;;) {
    const read = file.readSync(bytes.subarray(length));
    if (read === null) return bytes.subarray(0, length);
    length += read;
    if (length > max) return bytes.subarray(0, length);
    if (length === bytes.length) {
      const more = new Uint8Array(Math.min(2 * length, max + 1));
      more.set(bytes);
      bytes = more;
    }
  }
}

/**
 * The text of a file. A missing, binary, or too long file is an
 * {@linkcode InputError}; no more than `maxBytes` of it are read.
 */
export function readTextFile(path: string, maxBytes: number = MAX_TEXT_BYTES): string {
  let bytes: Uint8Array;
  try {
    bytes = readBytes(path, maxBytes);
  } catch (error) {
    throw new InputError(reason(error), { file: path });
  }
  if (bytes.length > maxBytes) {
    throw new InputError(`a file of more than ${maxBytes} bytes is not read`, { file: path });
  }
  if (bytes.includes(0)) throw new InputError("this is binary, and a file of text is wanted", { file: path });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new InputError("this is not UTF-8, and a file of text is wanted", { file: path });
  }
}

/** Reads a stored program (`.pt`). */
export function readProgramFile(path: string): Program {
  if (/\.toml$/.test(path)) {
    throw new InputError("this is a discipline, and a stored program (.pt) is wanted; --discipline takes it", {
      file: path,
    });
  }
  let text: string;
  try {
    text = readTextFile(path);
  } catch (error) {
    const missing = error instanceof InputError && error.message.endsWith("there is no such file");
    const shipped = missing ? shippedLike(path) : undefined;
    if (shipped === undefined) throw error;
    throw new InputError(`there is no such file; did you mean '${shipped}'?`, { file: path });
  }
  return parseProgram(text, path);
}

/** The shipped program that somebody means who names it without its place, or by its discipline. */
function shippedLike(path: string): string | undefined {
  const plain = (name: string) => name.replace(/\.pt$/, "").replace(/^.*regressions\//, "").replaceAll("/", "-");
  const found = listShipped().regressions.find((file) => plain(file) === plain(path));
  return found === undefined ? undefined : relative(Deno.cwd(), found);
}

/** What is shipped, as paths. */
export interface Shipped {
  /** `corpus/disciplines/**` + `/*.toml`, sorted. */
  readonly disciplines: readonly string[];
  /** `corpus/regressions/**` + `/*.pt`, sorted. */
  readonly regressions: readonly string[];
}

/** Directory of the corpus that is shipped, without a slash at its end. */
export const CORPUS_DIRECTORY: string = fileURLToPath(new URL(".", import.meta.url)).replace(/\/$/, "");

/** Files below a directory with this ending, sorted; none where there is no such directory. */
export function listFiles(directory: string, ending: string): string[] {
  const found: string[] = [];
  const walk = (at: string): void => {
    for (const entry of Deno.readDirSync(at)) {
      const path = `${at}/${entry.name}`;
      if (entry.isDirectory) walk(path);
      else if (entry.name.endsWith(ending)) found.push(path);
    }
  };
  try {
    walk(directory);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw new InputError(reason(error), { file: directory });
  }
  return found.sort();
}

/** The disciplines and stored programs that are shipped with ptfuzz, sorted by path. */
export function listShipped(): Shipped {
  return {
    disciplines: listFiles(`${CORPUS_DIRECTORY}/disciplines`, ".toml"),
    regressions: listFiles(`${CORPUS_DIRECTORY}/regressions`, ".pt"),
  };
}

/**
 * Where a program that a discipline's `shown-by` names lies: beside the
 * discipline's file, or else in the corpus that is shipped.
 */
export function shownByFile(disciplineFile: string, name: string): string {
  const candidates = isAbsolute(name) ? [name] : [join(dirname(disciplineFile), name), join(CORPUS_DIRECTORY, name)];
  for (const candidate of candidates) {
    try {
      if (Deno.statSync(candidate).isFile) return candidate;
    } catch {
      // Not there: the next may be.
    }
  }
  throw new InputError(`shown-by names '${name}', and there is no such file: ${candidates.join(", or ")}`, {
    file: disciplineFile,
  });
}
