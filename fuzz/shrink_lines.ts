/**
 * Shrinking by leaving lines out: single ones, or whole runs of a discipline's
 * paths.
 *
 * @module
 */
import { OP_AT, OP_REPEAT, opOf } from "../core/program/calls.ts";
import { FIRST_SLOT, STEP_WORDS } from "../core/program/program.ts";
import { forEachStep, type Trial } from "./shrink_trial.ts";

/** Instructions (indices into the code) that leave together. */
export type Item = readonly number[];

/** Programs of more lines are not cut behind every step, and of more items not tried with any two left out. */
const FEW_LINES = 30;
const OP_GET = opOf("env get_page_unless_zero");
const OP_PUT = opOf("env put_page");
const OP_OWNER_GONE = opOf("env owner_gone");

/**
 * The code without some instructions, and without what cannot stand without
 * them: lines that use a name whose line is gone, an `at` without its armed
 * line, a `repeat` without a body; and in a discipline's program the rest of
 * the path of any line that leaves.
 *
 * @param code the code; every slot is defined by one line
 * @param slots how many slots it has
 * @param leaving indices of the instructions that leave
 * @param byRuns whether lines belong to runs of paths
 */
export function without(code: Int32Array, slots: number, leaving: Iterable<number>, byRuns: boolean): Int32Array {
  const cut = new Cut(code, slots, byRuns);
  for (const i of leaving) cut.drop(i);
  let kept = cut.write();
  // A path leaves as a whole, and may take others with it.
  while (cut.again) kept = cut.write();
  return kept;
}

class Cut {
  /** A run was taken apart: what was written is to be written again without it. */
  again = false;
  readonly #code: Int32Array;
  readonly #runs: Int32Array | undefined;
  readonly #gone: Uint8Array;
  readonly #goneRuns: Set<number> = new Set();
  readonly #defined: Uint8Array;
  readonly #out: Int32Array;

  constructor(code: Int32Array, slots: number, byRuns: boolean) {
    this.#code = code;
    this.#runs = byRuns ? runsOf(code) : undefined;
    this.#gone = new Uint8Array(code.length / STEP_WORDS);
    this.#defined = new Uint8Array(slots);
    this.#out = new Int32Array(code.length);
  }

  drop(i: number): void {
    this.#gone[i] = 1;
    const run = this.#runs?.[i] ?? 0;
    if (run !== 0 && !this.#goneRuns.has(run)) {
      this.#goneRuns.add(run);
      this.again = true;
    }
  }

  write(): Int32Array {
    this.again = false;
    this.#defined.fill(0);
    const end = this.#block(0, this.#gone.length, 0);
    return this.#out.slice(0, end);
  }

  /** Writes what stays of the instructions from `from` to `to`; the words written so far. */
  #block(from: number, to: number, end: number): number {
    const code = this.#code;
    for (let i = from; i < to; i++) {
      const pc = i * STEP_WORDS;
      const op = code[pc];
      if (op === OP_REPEAT) {
        const last = Math.min(to - 1, i + code[pc + 3]!);
        if (this.#gone[i] === 0) {
          const body = this.#block(i + 1, last + 1, end + STEP_WORDS);
          if (body > end + STEP_WORDS) {
            this.#copy(pc, end);
            this.#out[end + 3] = (body - end) / STEP_WORDS - 1;
            end = body;
          }
        }
        i = last;
        continue;
      }
      const line = op === OP_AT ? i + 1 : i;
      if (line < to && this.#stays(i) && this.#stays(line)) {
        for (; i < line; i++) end = this.#copy(i * STEP_WORDS, end);
        end = this.#copy(line * STEP_WORDS, end);
        const dst = code[line * STEP_WORDS + 1]!;
        if (dst >= 0) this.#defined[dst] = 1;
      }
      i = line;
    }
    return end;
  }

  #copy(pc: number, end: number): number {
    for (let w = 0; w < STEP_WORDS; w++) this.#out[end + w] = this.#code[pc + w]!;
    return end + STEP_WORDS;
  }

  #stays(i: number): boolean {
    if (this.#gone[i] !== 0) return false;
    const run = this.#runs?.[i] ?? 0;
    if (run !== 0 && this.#goneRuns.has(run)) return false;
    const pc = i * STEP_WORDS;
    for (let w = 0, which = this.#code[pc + 6]!; which !== 0; w++, which >>= 1) {
      if ((which & 1) === 0) continue;
      const slot = this.#code[pc + 2 + w]!;
      if (slot < FIRST_SLOT || this.#defined[slot] === 1) continue;
      this.drop(i);
      return false;
    }
    return true;
  }
}

/**
 * The run of each instruction, 0 for the environment's. What a path's end makes
 * of its owner (`env owner_gone`) belongs to the path: without the path it
 * would be a leak that no code makes.
 */
function runsOf(code: Int32Array): Int32Array {
  const runs = new Int32Array(code.length / STEP_WORDS);
  let last = 0;
  for (let i = 0; i < runs.length; i++) {
    const op = code[i * STEP_WORDS];
    // A repeat goes with its first line.
    const run = code[i * STEP_WORDS + 7]! || (op === OP_REPEAT ? code[(i + 1) * STEP_WORDS + 7] ?? 0 : 0);
    if (run !== 0) last = run;
    runs[i] = op === OP_OWNER_GONE && run === 0 ? last : run;
  }
  return runs;
}

/**
 * What may leave, in the order of the lines: single lines and repeats, or runs
 * of paths and the environment's lines. A speculative reference leaves with its
 * put.
 */
export function itemsOf(code: Int32Array, byRuns: boolean): Item[] {
  const runs = byRuns ? runsOf(code) : undefined;
  const items: number[][] = [];
  /** Items that later lines may belong to: runs by number, references by name. */
  const byRun = new Map<number, number[]>();
  const gets = new Map<string, number[][]>();
  for (let i = 0; i < code.length / STEP_WORDS; i++) {
    const pc = i * STEP_WORDS;
    const op = code[pc];
    if (op === OP_AT) continue;
    const run = runs?.[i] ?? 0;
    const name = `${code[pc + 2]} ${code[pc + 5]}`;
    const known = run !== 0 ? byRun.get(run) : op === OP_PUT ? gets.get(name)?.shift() : undefined;
    if (known !== undefined) {
      known.push(i);
      continue;
    }
    const item = [i];
    items.push(item);
    if (run !== 0) byRun.set(run, item);
    else if (op === OP_GET) gets.set(name, [...gets.get(name) ?? [], item]);
  }
  return items;
}

/**
 * Leaves out what stands behind the last target, or behind the step where the
 * program stops, or else what it can of the last lines: a gather is finished
 * and a reference put behind what shows.
 */
export function cutTail(t: Trial, byRuns: boolean): void {
  const lines = t.code.length / STEP_WORDS;
  const cutBehind = (step: number): boolean => {
    const leaving: number[] = [];
    for (let i = unitEnd(t.code, step); i < lines; i++) leaving.push(i);
    if (leaving.length === 0) return false;
    // A path that the end of the program cuts short is no path that was taken apart.
    if (t.attempt(without(t.code, t.slots.length, leaving, false))) return true;
    return byRuns && t.attempt(without(t.code, t.slots.length, leaving, true));
  };
  if (cutBehind(t.lastStep)) return;
  // What a path's last lines bring to light, the end of the program may as well.
  for (let step = 1; byRuns && lines <= FEW_LINES && step < t.lastStep; step++) if (cutBehind(step)) return;
  if (t.stopped !== 0) {
    cutBehind(t.stopped);
    return;
  }
  let step = t.lastStep + 1;
  while (lines <= FEW_LINES && step < lines && !cutBehind(step)) step++;
}

/** Index behind the line (or the whole repeat) in which a step stands. */
function unitEnd(code: Int32Array, step: number): number {
  let at = 0;
  forEachStep(code, (pc, n) => {
    if (n === step) at = pc / STEP_WORDS;
  });
  for (let i = 0; i <= at; i++) {
    if (code[i * STEP_WORDS] !== OP_REPEAT) continue;
    const last = i + code[i * STEP_WORDS + 3]!;
    if (at <= last) return last + 1;
    i = last;
  }
  return at + 1;
}

/**
 * Leaves out everything that shares no name with a line that the targets are
 * laid to, with and without the lines that name nothing.
 */
export function cutStrangers(t: Trial, byRuns: boolean): void {
  const { code } = t;
  const runs = byRuns ? runsOf(code) : undefined;
  const first = new Map<number, number>();
  /** A node for each slot, and behind them one for each line or run. */
  const nodeOf = (i: number): number => {
    const run = runs?.[i] ?? 0;
    if (run !== 0 && !first.has(run)) first.set(run, i);
    return t.slots.length + (first.get(run) ?? i);
  };
  const kin = new Kin(t.slots.length + code.length / STEP_WORDS);
  for (let i = 0; i < code.length / STEP_WORDS; i++) {
    for (const slot of slotsOf(code, i * STEP_WORDS)) kin.join(nodeOf(i), slot);
  }
  let home = -1;
  forEachStep(code, (pc, step) => {
    if (step === t.lastStep) home = kin.find(nodeOf(pc / STEP_WORDS));
  });
  const strangers: number[] = [];
  const nameless: number[] = [];
  for (const item of itemsOf(code, byRuns)) {
    const i = item[0]!;
    if (code[i * STEP_WORDS] === OP_REPEAT) continue;
    if (kin.find(nodeOf(i)) === home) continue;
    const named = item.some((j) => slotsOf(code, j * STEP_WORDS).length > 0);
    (named ? strangers : nameless).push(...item);
  }
  if (strangers.length + nameless.length === 0) return;
  if (t.attempt(without(code, t.slots.length, [...strangers, ...nameless], byRuns))) return;
  if (strangers.length > 0) t.attempt(without(code, t.slots.length, strangers, byRuns));
}

/** The program's own names on a line. */
function slotsOf(code: Int32Array, pc: number): number[] {
  const slots: number[] = [];
  const op = code[pc]!;
  if (op === OP_AT || op === OP_REPEAT) return slots;
  if (code[pc + 1]! >= FIRST_SLOT) slots.push(code[pc + 1]!);
  for (let w = 0; w < 3; w++) {
    if ((code[pc + 6]! >> w & 1) !== 0 && code[pc + 2 + w]! >= FIRST_SLOT) slots.push(code[pc + 2 + w]!);
  }
  return slots;
}

/** Union-find. */
class Kin {
  readonly #parent: Int32Array;

  constructor(size: number) {
    this.#parent = Int32Array.from({ length: size }, (_, i) => i);
  }

  find(i: number): number {
    while (this.#parent[i] !== i) i = this.#parent[i] = this.#parent[this.#parent[i]!]!;
    return i;
  }

  join(a: number, b: number): void {
    this.#parent[this.find(a)] = this.find(b);
  }
}

/** Leaves out halves, quarters, ..., single items, from the end; then any two at once. */
export function cutItems(t: Trial, byRuns: boolean): void {
  const cut = (items: readonly Item[]): boolean => t.attempt(without(t.code, t.slots.length, items.flat(), byRuns));
  let items = itemsOf(t.code, byRuns);
  for (let size = items.length >> 1; size >= 1; size >>= 1) {
    for (let end = items.length; end > 0;) {
      const start = Math.max(0, end - size);
      if (cut(items.slice(start, end))) {
        items = itemsOf(t.code, byRuns);
        end = Math.min(start, items.length);
      } else end = start;
    }
  }
  if (items.length > FEW_LINES) return;
  for (let j = items.length - 1; j > 0; j--) {
    for (let i = j - 1; i >= 0; i--) {
      if (!cut([items[i]!, items[j]!])) continue;
      items = itemsOf(t.code, byRuns);
      j = items.length;
      break;
    }
  }
}
