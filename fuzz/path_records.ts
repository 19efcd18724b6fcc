/**
 * The lines of a discipline's paths as records, which a generator copies into
 * programs without looking at what they say.
 *
 *     word 0 .. 6   the line in flat form (core/program/program.ts), with the discipline's slots
 *          8        what is added to words 1 to 4, two bits each: see BASE_NONE
 *          9        flags
 *         10        fail path that follows when the line fails, or -1
 *         11        index in FAILABLE of what fails then
 *         12        instructions of the line behind this one (of a `repeat`, an `at`)
 *
 * A name is defined by one path, and the names of a path follow one another. So
 * a run of a path takes as many slots in a row, and each name's slot in the
 * program is the discipline's and a number that is the same for all of them.
 *
 * @module
 */
import type { CompiledDiscipline } from "../corpus/discipline.ts";
import type { Ledger } from "../core/ledger/ledger.ts";
import { __GFP_NOFAIL } from "../core/memory/gfp.ts";
import { CALLS, FAIL_PTLOCK, OP_AT, opOf } from "../core/program/calls.ts";
import { FIRST_SLOT, STEP_WORDS } from "../core/program/program.ts";
import { accounts, CONSTRUCTS, GRANTS, linesOf, LOCKS } from "./path_facts.ts";

/** Words of a record. */
export const RECORD_WORDS = 16;
/** Word of a record: what is added to the words before. */
export const RECORD_BASES = 8;
/** ... its flags. */
export const RECORD_FLAGS = 9;
/** ... the fail path. */
export const RECORD_FAIL = 10;
/** ... what fails. */
export const RECORD_FAILING = 11;
/** ... how many records behind it are of the same line. */
export const RECORD_MORE = 12;

/** A word of a line that is no name. */
export const BASE_NONE = 0;
/** A name of the alloc path: the slots that the table took. */
export const BASE_TABLE = 1;
/** A name of the path itself: the slots that this run of it took. */
export const BASE_RUN = 2;

/** Flag: the line may fail. */
export const MAY_FAIL = 1;
/** The line grants memory to its name. */
export const GRANT = 2;
/** It puts in use, or unlinks. */
export const LINKS = 4;
/** It is a path's last. */
export const LAST = 8;
/** More records are of the same line. */
export const LONG = 16;
/** It can fail by the lock that is allocated inside. */
export const LOCK_INSIDE = 32;
/** It can fail by the charge to the memcg. */
export const CHARGED = 64;
/** It can fail by the descriptor, which is allocated apart. */
export const DESCRIPTOR = 128;

const OP_PAGETABLE_ALLOC = opOf("pagetable_alloc");
const OP_POPULATE = opOf("populate");
const OP_UNLINK = opOf("unlink");

/** A path's records and names. */
export interface PathRecords {
  /** Word of its first record. */
  readonly first: number;
  /** Its first name, as a slot of the discipline. */
  readonly slot: number;
  /** How many names it defines. */
  readonly names: number;
}

/** The records of a discipline. */
export interface Records {
  readonly words: Int32Array;
  /** By path: `[alloc]`, uses, frees, fails. */
  readonly paths: readonly PathRecords[];
  /** Fail paths that no line leads to, though a constructor's line stands there: no lock comes from a slab. */
  readonly untaken: readonly number[];
}

/** Slots that a path defines: one after the other. */
function ownOf(code: Int32Array): number[] {
  const own: number[] = [];
  for (let pc = 0; pc < code.length; pc += STEP_WORDS) {
    if (code[pc]! < OP_AT && code[pc + 1]! >= FIRST_SLOT) own.push(code[pc + 1]!);
  }
  if (own.some((slot, i) => slot !== own[0]! + i)) throw new Error("the names of a path do not follow one another");
  return own;
}

/** Whether a word stands for a name: the result's, or an operand's that is not a number. */
function isName(code: Int32Array, pc: number, word: number): boolean {
  return code[pc + word]! >= FIRST_SLOT && (word === 1 || (code[pc + 6]! >> (word - 2) & 1) !== 0);
}

/** Whether an instruction grants memory to a name. */
function grants(code: Int32Array, pc: number): boolean {
  return code[pc]! < OP_AT && GRANTS[code[pc]!] === 1 && code[pc + 1]! >= FIRST_SLOT;
}

/** The fail path to take when a line of the alloc path fails, or -1; undefined where it must not fail. */
function failOf(
  discipline: CompiledDiscipline,
  code: Int32Array,
  pc: number,
  locks: boolean,
  granted: boolean,
): number | undefined {
  const op = code[pc]!;
  if (op >= OP_AT) return undefined;
  const path = discipline.fail.findIndex((f) => f.after === code[pc + 1]!);
  if (LOCKS[op] === 1) return locks && path >= 0 ? path : undefined;
  if (!grants(code, pc)) return undefined;
  if (((code[pc + 2]! | code[pc + 3]!) & __GFP_NOFAIL) !== 0 && CALLS[op]!.params.some((p) => p.type === "gfp")) {
    return undefined;
  }
  // What is held already would leak.
  return path >= 0 ? path : granted ? undefined : -1;
}

/**
 * @param discipline the paths, compiled for a kernel
 * @param ledger of the machine that will run the programs
 */
export function recordsOf(discipline: CompiledDiscipline, ledger: Ledger): Records {
  const words: number[] = [];
  const paths: PathRecords[] = [];
  /** Fail paths that some line leads to, and the names that constructors of the alloc path answer to. */
  const taken = new Set<number>();
  const constructed = new Set<number>();
  const all = [discipline.alloc, ...discipline.use, ...discipline.free, ...discipline.fail];
  for (const path of all) {
    const { code } = path;
    const isAlloc = path === discipline.alloc;
    const own = ownOf(code);
    paths.push({ first: words.length, slot: own[0] ?? FIRST_SLOT, names: own.length });
    const lines = linesOf(code);
    let granted = false;
    lines.forEach((from, line) => {
      const to = lines[line + 1] ?? code.length;
      const fail = isAlloc ? failOf(discipline, code, from, ledger.allocPtlocks, granted) : undefined;
      if (fail !== undefined) taken.add(fail);
      const flags = flagsOf(code, from, to, ledger) | (fail === undefined ? 0 : MAY_FAIL);
      granted ||= (flags & GRANT) !== 0;
      const constructor = LOCKS[code[from]!] === 1;
      if (isAlloc && constructor) constructed.add(code[from + 1]!);
      const failing = constructor ? FAIL_PTLOCK : 0;
      for (let pc = from; pc < to; pc += STEP_WORDS) {
        const bases = basesOf(code, pc, own);
        words.push(...code.subarray(pc, pc + 7), 0, bases, flags, fail ?? -1, failing, (to - from) / STEP_WORDS - 1);
        while (words.length % RECORD_WORDS !== 0) words.push(0);
      }
    });
  }
  const { fail } = discipline;
  const untaken = fail.flatMap((f, i) =>
    constructed.has(f.after) && !taken.has(i) ? [all.length - fail.length + i] : []
  );
  return { words: Int32Array.from(words), paths, untaken };
}

function flagsOf(code: Int32Array, from: number, to: number, ledger: Ledger): number {
  const op = code[from]!;
  let flags = (to === code.length ? LAST : 0) | (to - from > STEP_WORDS ? LONG : 0);
  for (let pc = from; pc < to; pc += STEP_WORDS) {
    if (code[pc] === OP_POPULATE || code[pc] === OP_UNLINK) flags |= LINKS;
  }
  if (op >= OP_AT) return flags;
  if (grants(code, from)) flags |= GRANT;
  if (ledger.allocPtlocks && CONSTRUCTS[op] === 1) flags |= LOCK_INSIDE;
  if (ledger.memcg && accounts(code, from)) flags |= CHARGED;
  if (ledger.apart && op === OP_PAGETABLE_ALLOC) flags |= DESCRIPTOR;
  return flags;
}

function basesOf(code: Int32Array, pc: number, own: readonly number[]): number {
  let bases = 0;
  for (let word = 1; word < 5; word++) {
    const base = !isName(code, pc, word) ? BASE_NONE : own.includes(code[pc + word]!) ? BASE_RUN : BASE_TABLE;
    bases |= base << 2 * (word - 1);
  }
  return bases;
}
