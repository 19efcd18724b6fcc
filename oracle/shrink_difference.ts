/**
 * Makes a program that shows a difference as short as it can be made by leaving
 * lines out. Every candidate of a round runs in one batch.
 *
 * @module
 */
import { OP_AT, OP_REPEAT } from "../core/program/calls.ts";
import { STEP_WORDS } from "../core/program/program.ts";
import type { Conform } from "./conform.ts";
import type { Difference } from "./compare.ts";
import type { Linux } from "./linux.ts";
import type { Source } from "./programs.ts";

/** A program that differs, and where. */
export interface Shrunk {
  readonly code: Int32Array;
  readonly difference: Difference;
  /** Word of the line that differs, -1 in the drain. */
  readonly pc: number;
}

/** Lines that only make sense together, as word ranges: `at` and what it arms, `repeat` and its body. */
export function linesOf(code: Int32Array): [number, number][] {
  const list: [number, number][] = [];
  for (let at = 0; at < code.length;) {
    const lines = code[at] === OP_AT ? 2 : code[at] === OP_REPEAT ? 1 + code[at + 3]! : 1;
    list.push([at, at + lines * STEP_WORDS]);
    at += lines * STEP_WORDS;
  }
  return list;
}

/** The code without some of them. */
export function without(
  code: Int32Array,
  list: readonly (readonly [number, number])[],
  from: number,
  to: number,
): Int32Array {
  const kept = list.filter((_, i) => i < from || i >= to);
  const words = kept.reduce((n, [a, b]) => n + b - a, 0);
  const result = new Int32Array(words);
  let at = 0;
  for (const [a, b] of kept) {
    result.set(code.subarray(a, b), at);
    at += b - a;
  }
  return result;
}

/** Shrinks; answers undefined where the program does not differ when it is run alone. */
export async function shrinkDifference(
  conform: Conform,
  kernel: Linux,
  source: Source,
  code: Int32Array,
): Promise<Shrunk | undefined> {
  let [best] = await conform.differences(kernel, source, [code]);
  if (best === undefined) return undefined;
  for (let size = linesOf(best.code).length; size >= 1;) {
    const list = linesOf(best.code);
    const candidates: Int32Array[] = [];
    for (let i = 0; i < list.length; i += size) candidates.push(without(best.code, list, i, i + size));
    const found = (await conform.differences(kernel, source, candidates)).find((d) => d !== undefined);
    if (found !== undefined && found.code.length < best.code.length) {
      best = found;
      size = Math.min(size, linesOf(best.code).length);
    } else size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  return best;
}
