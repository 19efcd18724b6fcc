/**
 * A search that was stopped, as a file: to go on with it later.
 *
 * One line of JSON, then the arrays as they are. The file is written under
 * another name and renamed when it is whole.
 *
 * @module
 */
import { InputError } from "../../core/program/input_error.ts";
import { TOOL } from "../../corpus/tool.ts";
import type { ExhaustJob } from "./cell.ts";
import type { Search, SearchDump } from "./search.ts";

const MAGIC = "ptfuzz-exhaust 1";

interface Head {
  readonly magic: string;
  /** What the search was of: {@linkcode identityOf}. */
  readonly identity: string;
  /** Bytes of each array. */
  readonly sizes: readonly number[];
  readonly numbers: SearchDump["numbers"];
  readonly found: SearchDump["found"];
}

/** All that decides what a search sees; how many states it may take is not of it. */
function identityOf(job: ExhaustJob): string {
  const { kernel, arch, config, pages, name, discipline, expectedLeaks, steps, tables, references } = job;
  return JSON.stringify([
    TOOL,
    kernel,
    arch,
    config,
    pages,
    name,
    discipline.text,
    expectedLeaks,
    steps,
    tables,
    references,
  ]);
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Writes a search down. */
export function saveSearch(file: string, job: ExhaustJob, search: Search): void {
  const { arrays, numbers, found } = search.dump();
  const head: Head = {
    magic: MAGIC,
    identity: identityOf(job),
    sizes: arrays.map((a) => a.byteLength),
    numbers,
    found,
  };
  const temporary = `${file}.${Deno.pid}.tmp`;
  const to = Deno.openSync(temporary, { write: true, create: true, truncate: true });
  try {
    for (const part of [new TextEncoder().encode(JSON.stringify(head) + "\n"), ...arrays.map(bytesOf)]) {
      for (let done = 0; done < part.length;) done += to.writeSync(part.subarray(done));
    }
    to.syncDataSync();
  } finally {
    to.close();
  }
  Deno.renameSync(temporary, file);
}

/** Whether a search that was stopped lies there. */
export function isSaved(file: string): boolean {
  try {
    return Deno.statSync(file).isFile;
  } catch {
    return false;
  }
}

/**
 * Puts a search into the state of one that was stopped.
 *
 * @throws {InputError} where the file is none, or of another search
 */
export function loadSearch(file: string, job: ExhaustJob, search: Search): void {
  const bytes = Deno.readFileSync(file);
  const end = bytes.indexOf(10);
  let head: Head | undefined;
  try {
    head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, Math.max(0, end)))) as Head;
  } catch {
    head = undefined;
  }
  if (head?.magic !== MAGIC || bytes.length !== end + 1 + head.sizes.reduce((sum, n) => sum + n, 0)) {
    throw new InputError("this is no search that 'deno task exhaust' has stopped; leave --resume out to begin anew", {
      file,
    });
  }
  if (head.identity !== identityOf(job)) {
    throw new InputError(
      `this is a search of another version, discipline or bound; with the same options it can be resumed, ` +
        `without --resume it begins anew`,
      { file },
    );
  }
  let at = end + 1;
  const parts = head.sizes.map((size) => {
    const part = bytes.slice(at, at + size);
    at += size;
    return part;
  });
  search.restore(parts, head.numbers, head.found);
}
