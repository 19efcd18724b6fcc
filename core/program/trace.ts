/**
 * What ran: every call that a machine executed, in order and with nothing left
 * to decide, so that another kernel can do the same.
 *
 * A trace is the flat form without its control: repeats are unrolled, lines that
 * were skipped or refused are left out, the drain's calls stand at its end with
 * numbers for operands. Word 7 of a step says which of its operands count in
 * pages of {@linkcode PAGE_SHIFT} bits: bit 0 = a, bit 1 = b. A step behind
 * {@linkcode OP_AT} runs where the point is reached.
 *
 * @module
 */
import * as $gfp from "../memory/gfp.ts";
import * as $words from "../memory/words.ts";
import * as $calls from "./calls.ts";
import * as $kinds from "./kinds.ts";
import * as $program from "./program.ts";

const { __GFP_NOFAIL } = $gfp;
const { MAX_PAGE_ORDER, NULL } = $words;
const { CALLS, OP_AT, opOf } = $calls;
const { KIND_VIRT } = $kinds;
const { STEP_WORDS } = $program;

/** A step that does nothing: an armed line that was reached and skipped takes its point with it. */
export const OP_NOTHING: number = OP_AT + 2;

/** Which operand of a call are flags, and which the order; -1 for none. */
const FLAGS_OF: Int8Array = Int8Array.from(CALLS, (c) => c.params.findIndex((p) => p.type === "gfp"));
const ORDER_OF: Int8Array = Int8Array.from(CALLS, (c) => c.params.findIndex((p) => p.type === "order"));
const OP_EXACT = opOf("alloc_pages_exact");

/** Takes down what runs; it grows where it must. */
export class Trace {
  /** The steps, {@linkcode STEP_WORDS} words each. */
  code: Int32Array = new Int32Array(1 << 14);
  /** Words in use. */
  words = 0;
  /** Word of the program at which each step stands, or -1 for the drain's. */
  pcs: Int32Array = new Int32Array(1 << 11);
  /** Word of the step at which a kernel would try for ever (`__GFP_NOFAIL` and no memory), or -1. */
  endless = -1;
  /** Word of the armed step, and whether it ran when it was reached. */
  #armed = -1;

  /** A program begins. */
  start(): void {
    this.words = 0;
    this.endless = -1;
    this.#armed = -1;
  }

  /** A call of the program is about to run. */
  step(code: Int32Array, pc: number, kinds: Uint8Array): void {
    const at = this.#room(pc);
    const to = this.code;
    for (let i = 0; i < 7; i++) to[at + i] = code[pc + i]!;
    const which = code[pc + 6]!;
    to[at + 7] = ((which & 1) !== 0 && kinds[code[pc + 2]!] === KIND_VIRT ? 1 : 0) |
      ((which & 2) !== 0 && kinds[code[pc + 3]!] === KIND_VIRT ? 2 : 0);
  }

  /** A call of the drain is about to run. */
  drain(op: number, a: number): void {
    // A point that was not reached is not armed any more.
    this.reached();
    this.#armed = -1;
    const at = this.#room(-1);
    this.code.fill(0, at, at + STEP_WORDS);
    this.code[at] = op;
    this.code[at + 1] = -1;
    this.code[at + 2] = a;
  }

  /** A line is armed: it and the next one. */
  arm(code: Int32Array, pc: number, kinds: Uint8Array): void {
    this.step(code, pc, kinds);
    const at = this.words;
    this.step(code, pc + STEP_WORDS, kinds);
    // The opcode again, for fired().
    this.code[at + 7] = this.code[at + 7]! | this.code[at]! << 8;
    this.#armed = at;
  }

  /** The point was reached; unless {@linkcode fired} follows, the armed step was skipped. */
  reached(): void {
    if (this.#armed >= 0) this.code[this.#armed] = OP_NOTHING;
  }

  /** The armed step runs after all. */
  fired(): void {
    const at = this.#armed;
    if (at >= 0) this.code[at] = this.code[at + 7]! >> 8;
    this.#armed = -1;
  }

  /** What a call answered: an allocation that may not fail and did is where a kernel would not go on. */
  answered(op: number, a: number, b: number, result: number): void {
    const flags = FLAGS_OF[op]!;
    if (result !== NULL || flags < 0 || this.endless >= 0) return;
    if (((flags === 0 ? a : b) & __GFP_NOFAIL) === 0) return;
    const order = ORDER_OF[op] === 1 ? b : op === OP_EXACT ? Math.ceil(Math.log2(Math.max(a, 1) / 4096)) : 0;
    if (order <= MAX_PAGE_ORDER && !(op === OP_EXACT && a <= 0)) this.endless = this.words - STEP_WORDS;
  }

  #room(pc: number): number {
    const at = this.words;
    this.words += STEP_WORDS;
    if (this.words > this.code.length) {
      const larger = new Int32Array(this.code.length * 2);
      larger.set(this.code);
      this.code = larger;
      const pcs = new Int32Array(this.pcs.length * 2);
      pcs.set(this.pcs);
      this.pcs = pcs;
    }
    this.pcs[at / STEP_WORDS] = pc;
    return at;
  }
}
