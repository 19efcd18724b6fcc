/**
 * The pool between runs: what reached new behaviour, a file a cell.
 *
 *     # ptfuzz pool 1
 *     # cell s390/crst
 *     # tape 3q2+7w...
 *     kernel 6.12
 *     arch s390
 *     d0 = pagetable_alloc(...)
 *     ---
 *
 * Programs are text and stay good; the tape before each lets a search begin with it.
 * Where a later version's generator makes another program of a tape, that is one
 * more to begin with.
 * A file holds a set cover of the features that its programs reach, short ones
 * first, in one order: its bytes follow from the programs alone. It is written
 * under another name and renamed.
 *
 * @module
 */
import { join } from "@std/path";
import { Features } from "../core/program/features.ts";
import { InputError } from "../core/program/input_error.ts";
import { Machine } from "../core/program/machine.ts";
import { parseProgram } from "../core/program/parse.ts";
import { printProgram } from "../core/program/print.ts";
import type { Program } from "../core/program/program.ts";
import { readTextFile } from "../corpus/files.ts";
import type { WorkHooks } from "../corpus/request.ts";
import { Digest } from "./digest.ts";
import { sizeOf } from "./shrink.ts";

const HEAD = "# ptfuzz pool 1";
const CELL = "# cell ";
const TAPE = "# tape ";
const END = "---";
const SUFFIX = ".pool";
/** More than this of one file is not read. */
const MAX_BYTES = 1 << 28;

/** What a pool belongs to. */
export interface PoolCell {
  readonly kernel: string;
  readonly arch: string;
  readonly config: readonly string[];
  readonly name: string;
}

/** A stored program. */
export interface Entry {
  readonly text: string;
  /** The tape, in base64; empty where there is none. */
  readonly tape: string;
}

/** The file of a cell. */
export function poolFile(cell: PoolCell): string {
  const label = [cell.name, cell.kernel, cell.arch, ...cell.config].join("_");
  return label.replaceAll(/[^\w.-]/g, "-") + SUFFIX;
}

/** Base64 of a tape. */
export function tapeText(numbers: Uint16Array): string {
  let text = "";
  for (const n of numbers) text += String.fromCharCode(n & 255, n >> 8);
  return btoa(text);
}

/** The tape of a text; undefined where it is none. */
export function tapeOf(text: string): Uint16Array | undefined {
  let bytes: string;
  try {
    bytes = atob(text);
  } catch {
    return undefined;
  }
  if (bytes.length === 0 || bytes.length % 2 !== 0) return undefined;
  return Uint16Array.from(
    { length: bytes.length / 2 },
    (_, i) => bytes.charCodeAt(2 * i) | bytes.charCodeAt(2 * i + 1) << 8,
  );
}

function textOf(name: string, entries: readonly Entry[]): string {
  return [HEAD, CELL + name, ...entries.map((e) => `${TAPE}${e.tape}\n${e.text.trimEnd()}\n${END}`)].join("\n") + "\n";
}

function parsePool(text: string, file: string): { name: string; entries: Entry[] } {
  const [head, cell, ...lines] = text.trimEnd().split("\n");
  if (head !== HEAD || cell === undefined || !cell.startsWith(CELL)) {
    throw new InputError(`this is no pool of this version; a pool begins with '${HEAD}'`, { file, line: 1, column: 1 });
  }
  const entries: Entry[] = [];
  let tape = "";
  let from = 0;
  lines.forEach((line, i) => {
    if (line.startsWith(TAPE.trimEnd()) && i === from) tape = line.slice(TAPE.length);
    if (line !== END) return;
    const program = lines.slice(from, i).filter((l, j) => !(j === 0 && l.startsWith(TAPE.trimEnd())));
    entries.push({ text: program.join("\n") + "\n", tape });
    tape = "";
    from = i + 1;
  });
  if (from !== lines.length) {
    throw new InputError(`the last program does not end with '${END}'; the file was cut`, {
      file,
      line: lines.length + 2,
      column: 1,
    });
  }
  return { name: cell.slice(CELL.length), entries };
}

/** The pools of a directory, by file name; none where there is no directory. */
export function readPools(dir: string): Map<string, { name: string; entries: Entry[] }> {
  let names: string[];
  try {
    names = [...Deno.readDirSync(dir)].filter((e) => e.isFile && e.name.endsWith(SUFFIX) && !e.name.startsWith("."))
      .map((e) => e.name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Map();
    throw new InputError(`a directory is wanted (${error instanceof Error ? error.message : error})`, { file: dir });
  }
  return new Map(names.map((name) => {
    const file = join(dir, name);
    return [name, parsePool(readTextFile(file, MAX_BYTES), file)];
  }));
}

/** A hash of all that pools hold. */
export function hashOf(pools: ReadonlyMap<string, { name: string; entries: readonly Entry[] }>): string {
  const digest = new Digest();
  for (const [file, { name, entries }] of [...pools].sort(([a], [b]) => a < b ? -1 : 1)) {
    digest.text(file + textOf(name, entries));
  }
  return digest.digits();
}

/** Makes the directory and finds out whether it may be written. */
export function preparePool(dir: string): void {
  try {
    Deno.mkdirSync(dir, { recursive: true });
    const probe = join(dir, ".probe.tmp");
    Deno.writeTextFileSync(probe, "");
    Deno.removeSync(probe);
  } catch (error) {
    throw new InputError(
      `it cannot be written (${error instanceof Error ? error.message : error}); name a directory that may be`,
      {
        file: dir,
      },
    );
  }
}

/** Writes a cell's pool whole, or not at all. */
export function writePool(dir: string, file: string, name: string, entries: readonly Entry[]): void {
  const temporary = join(dir, `.${file}.tmp`);
  const to = Deno.openSync(temporary, { write: true, create: true, truncate: true });
  try {
    const bytes = new TextEncoder().encode(textOf(name, entries));
    for (let done = 0; done < bytes.length;) done += to.writeSync(bytes.subarray(done));
    to.syncDataSync();
  } finally {
    to.close();
  }
  Deno.renameSync(temporary, join(dir, file));
}

interface Weighed extends Entry {
  readonly lines: number;
  readonly features: Int32Array;
}

/** Machines are dear: one is kept for the last kernel, architecture, configuration and size. */
class Scales {
  #key = "";
  #machine: Machine | undefined;
  readonly #features = new Features();

  weigh(entry: Entry, file: string): Weighed {
    const program = parseProgram(entry.text, file);
    const machine = this.#machineFor(program);
    machine.features = this.#features;
    machine.run(program);
    return { ...entry, lines: sizeOf(program)[0], features: this.#features.list.slice(0, this.#features.n) };
  }

  #machineFor(program: Program): Machine {
    const key = `${program.kernel} ${program.arch} ${program.config.join()} ${program.pages}`;
    if (this.#machine === undefined || this.#key !== key) this.#machine = new Machine(program);
    this.#key = key;
    return this.#machine;
  }
}

/**
 * Programs that reach all that these reach, short ones first: none of them could
 * be left out. The order in which they are given changes nothing.
 */
export function coverOf(entries: readonly Entry[], file: string): Entry[] {
  const scales = new Scales();
  const byText = new Map<string, Entry>();
  for (const e of entries) {
    const known = byText.get(e.text);
    if (known === undefined || e.tape < known.tape) byText.set(e.text, e);
  }
  const weighed = [...byText.values()].map((e) => scales.weigh(e, file))
    .sort((a, b) => a.lines - b.lines || (a.text < b.text ? -1 : 1));
  return cover(weighed).map(({ text, tape }) => ({ text, tape }));
}

/** What of a list reaches all that the list reaches, its first before its last; none of it could be left out. */
export function cover<T extends { readonly features: Int32Array }>(list: readonly T[]): T[] {
  const times = new Map<number, number>();
  const chosen = list.filter(({ features }) => {
    const fresh = features.some((f) => !times.has(f));
    if (fresh) { for (const f of features) times.set(f, (times.get(f) ?? 0) + 1); }
    return fresh;
  });
  // The longest first: what shorter ones reach together it is not needed for.
  const gone = new Set<T>();
  for (const e of chosen.toReversed()) {
    if (!e.features.every((f) => times.get(f)! > 1)) continue;
    for (const f of e.features) times.set(f, times.get(f)! - 1);
    gone.add(e);
  }
  return chosen.filter((e) => !gone.has(e));
}

/** A program as an entry. */
export function entryOf(program: Program, tape: Uint16Array): Entry {
  return { text: printProgram({ ...program, claims: [], comments: [] }), tape: tapeText(tape) };
}

/** Joins pools into a directory; how many programs of how many it took. */
export async function mergePools(
  dirs: readonly string[],
  into: string,
  progress?: WorkHooks["progress"],
): Promise<{ cells: number; taken: number; of: number }> {
  const all = new Map<string, { name: string; entries: Entry[] }>();
  for (const dir of dirs) {
    const pools = readPools(dir);
    if (pools.size === 0) {
      throw new InputError("there is no pool in it; 'deno task fuzz --corpus DIR' makes one", { file: dir });
    }
    for (const [file, { name, entries }] of pools) {
      const known = all.get(file);
      if (known === undefined) all.set(file, { name, entries: [...entries] });
      else known.entries.push(...entries);
    }
  }
  preparePool(into);
  let taken = 0;
  let of = 0;
  let done = 0;
  for (const [file, { name, entries }] of [...all].sort(([a], [b]) => a < b ? -1 : 1)) {
    await progress?.(done++, all.size, "cells");
    const cover = coverOf(entries, join(into, file));
    writePool(into, file, name, cover);
    taken += cover.length;
    of += entries.length;
  }
  return { cells: all.size, taken, of };
}
