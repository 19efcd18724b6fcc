/**
 * A program in its flat form: what the executor runs, the generator writes and
 * the shrinker cuts. Text (`parse.ts`, `print.ts`) is the form on disk.
 *
 * Each step is {@linkcode STEP_WORDS} words of one `Int32Array`:
 *
 *     word 0  opcode: an index into CALLS, or OP_AT, OP_REPEAT
 *          1  slot that takes the result, or -1
 *          2  operand a    a slot, or a number where the parameter is one
 *          3  operand b
 *          4  operand c
 *          5  page offsets of the operands (`p0+2`): a | b << 10 | c << 20
 *          6  which operands are slots: bit 0 = a, bit 1 = b, bit 2 = c
 *          7  run: lines of one run of a discipline's path have the same number (from 1); 0 elsewhere
 *
 * Operand NULL (`NULL` in text) is the number -1 without a slot bit.
 *
 * Slots 0 to 2 are the mms `init_mm`, `mm0` and `mm1`, which every program has.
 * OP_AT (a = index into POINTS) arms the instruction after it, which the normal
 * flow passes over. OP_REPEAT (a = times, b = instructions) repeats what follows.
 *
 * Steps are numbered from 1 in the order in which they stand; `at` and `repeat`
 * lines and `end` have no number of their own, an armed line has.
 *
 * @module
 */
import type { Kind } from "./calls.ts";

/** Words of one step. */
export const STEP_WORDS = 8;
/** Slots of the mms that every program has, by name. */
export const MM_SLOTS: readonly string[] = ["init_mm", "mm0", "mm1"];
/** First slot for a program's own names. */
export const FIRST_SLOT = 3;
/** Slots a program may use. */
export const MAX_SLOTS = 4096;
/** Lines a program may have: more is refused as input. */
export const MAX_LINES = 20_000;
/** The largest page offset of an operand. */
export const MAX_OFFSET = 1023;
/** Pages of a zone: the default, and the bounds of `pages N` (a power of two). */
export const DEFAULT_PAGES = 256;
/** Smallest zone. */
export const MIN_PAGES = 8;
/** Largest zone. */
export const MAX_PAGES = 4096;

/** A named value. */
export interface Slot {
  /** Its name in the text. */
  readonly name: string;
  /** What it is. */
  readonly kind: Kind;
  /** Whether it is const. */
  readonly isConst: boolean;
}

/** A `finding` line: what the program claims. */
export interface Claim {
  /** Id of an invariant. */
  readonly invariant: string;
  /** Number of the step. */
  readonly step: number;
  /** `(N pages)`, or 0 where the line names none. */
  readonly pages: number;
  /** The words after the colon; not compared. */
  readonly words: string;
}

/** A program. */
export interface Program {
  /** Leading comment lines, without the `#`. */
  readonly comments: readonly string[];
  /** Kernel, e.g. `6.12-without-B1`. */
  readonly kernel: string;
  /** Architecture. */
  readonly arch: string;
  /** Configuration options, sorted. */
  readonly config: readonly string[];
  /** Pages of the zone. */
  readonly pages: number;
  /** The steps. */
  readonly code: Int32Array;
  /** Names by slot, the mms first. */
  readonly slots: readonly Slot[];
  /** What it claims; empty means clean. */
  readonly claims: readonly Claim[];
}
