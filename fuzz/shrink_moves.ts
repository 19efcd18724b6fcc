/**
 * The environment's lines, as a person writes them: what is taken is given
 * back, and each line stands next to what it matters to. A reference is taken as
 * late and put as early as it still matters.
 *
 * @module
 */
import { CALLS, OP_AT, OP_REPEAT, opOf } from "../core/program/calls.ts";
import { STEP_WORDS } from "../core/program/program.ts";
import { WALKER_OF } from "../core/ledger/hooks/mod.ts";
import type { Trial } from "./shrink_trial.ts";

/** Words of a line that moves as one: [from, to). */
type Unit = readonly [from: number, to: number];

const OP_GET = opOf("env get_page_unless_zero");
const OP_PUT = opOf("env put_page");
const OP_FINISH = opOf("tlb_finish_mmu");
const LATE: ReadonlySet<number> = new Set([OP_AT, OP_GET, opOf("env fail"), ...Object.keys(WALKER_OF).map(opOf)]);
const EARLY: ReadonlySet<number> = new Set([OP_PUT, opOf("env rcu_grace_period")]);

function unitsOf(code: Int32Array): Unit[] {
  const units: Unit[] = [];
  for (let pc = 0; pc < code.length;) {
    const op = code[pc];
    const more = op === OP_AT ? 1 : op === OP_REPEAT ? code[pc + 3]! : 0;
    const end = pc + (1 + more) * STEP_WORDS;
    units.push([pc, end]);
    pc = end;
  }
  return units;
}

/** The code with two units that stand one behind the other exchanged. */
function exchanged(code: Int32Array, [from, middle]: Unit, [, to]: Unit): Int32Array {
  const copy = code.slice();
  copy.set(code.subarray(middle, to), from);
  copy.set(code.subarray(from, middle), from + to - middle);
  return copy;
}

/** Whether a unit defines a name that the line behind it uses. */
function feeds(code: Int32Array, [from, to]: Unit, [line]: Unit): boolean {
  for (let pc = from; pc < to; pc += STEP_WORDS) {
    const dst = code[pc + 1]!;
    if (dst < 0 || code[pc]! === OP_REPEAT) continue;
    for (let w = 0; w < 3; w++) {
      if ((code[line + 6]! >> w & 1) !== 0 && code[line + 2 + w] === dst) return true;
    }
  }
  return false;
}

/**
 * Writes at the end what the drain would do by itself: a put for each reference
 * that is taken, and in a program of single lines the end of each gather. This
 * is the one thing that makes a program longer.
 */
export function giveBack(t: Trial, byRuns: boolean): void {
  if (!t.owes) return;
  const { code } = t;
  const taken = new Map<string, Int32Array>();
  for (let pc = 0; pc < code.length; pc += STEP_WORDS) {
    const op = code[pc]!;
    const line = code.slice(pc, pc + STEP_WORDS);
    const of = `${line[2]} ${line[5]}`;
    if (op === OP_GET) taken.set(`${of} ${pc}`, lineOn(OP_PUT, line[2]!, line[5]!, line[6]!));
    else if (op === OP_PUT) forget(taken, `${of} `);
    else if (byRuns) continue;
    else if (CALLS[op]?.result === "gather" && line[1]! >= 0) {
      taken.set(`gather ${line[1]}`, lineOn(OP_FINISH, line[1]!, 0, 1));
    } else if (op === OP_FINISH) taken.delete(`gather ${line[2]}`);
  }
  if (taken.size === 0) return;
  const longer = new Int32Array(code.length + taken.size * STEP_WORDS);
  longer.set(code);
  let end = code.length;
  for (const line of taken.values()) {
    longer.set(line, end);
    end += STEP_WORDS;
  }
  t.attempt(longer);
}

/** A line on one operand. */
function lineOn(op: number, operand: number, offsets: number, which: number): Int32Array {
  return Int32Array.of(op, -1, operand, 0, 0, offsets, which, 0);
}

function forget(taken: Map<string, unknown>, prefix: string): void {
  for (const key of taken.keys()) {
    if (!key.startsWith(prefix)) continue;
    taken.delete(key);
    return;
  }
}

/** Moves the environment's lines as near as they may stand to what they matter to. */
export function moveEnvironment(t: Trial): void {
  const swap = (i: number): boolean => {
    const units = unitsOf(t.code);
    const a = units[i];
    const b = units[i + 1];
    if (a === undefined || b === undefined || feeds(t.code, a, b)) return false;
    return t.attempt(exchanged(t.code, a, b));
  };
  const opAt = (i: number): number => t.code[unitsOf(t.code)[i]?.[0] ?? -1] ?? -1;
  const n = unitsOf(t.code).length;
  for (let last = n - 2; last >= 0; last--) {
    for (let i = last; LATE.has(opAt(i)) && !LATE.has(opAt(i + 1)) && swap(i);) i++;
  }
  for (let first = 1; first < n; first++) {
    for (let i = first; i > 0 && EARLY.has(opAt(i)) && !EARLY.has(opAt(i - 1)) && swap(i - 1);) i--;
  }
}
