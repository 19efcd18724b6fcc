/**
 * The flat form as text. `parseProgram(printProgram(p))` is `p` again wherever
 * every slot is defined by one line and slots are numbered in the order of
 * these lines; the owners of discipline mode (word 7) are not part of the text.
 *
 * @module
 */
import { CALLS, FAILABLE, namesResult, OP_AT, OP_REPEAT, opOf, POINTS, wordsOf } from "./calls.ts";
import type { CallDef, Param } from "./calls.ts";
import { printGfp } from "./gfp_text.ts";
import { NULL_OPERAND } from "./operands.ts";
import { DEFAULT_PAGES, STEP_WORDS } from "./program.ts";
import type { Claim, Program } from "./program.ts";

const OP_FAIL = opOf("env fail");

/** A program, or anything that has steps and slots. */
export type Steps = Pick<Program, "code" | "slots">;

function word(program: Steps, index: number, w: number): number {
  return program.code[index * STEP_WORDS + w] ?? 0;
}

function printOperand(program: Steps, index: number, param: Param, i: number): string {
  const value = word(program, index, 2 + i);
  if (((word(program, index, 6) >> i) & 1) !== 0) {
    const offset = (word(program, index, 5) >>> (10 * i)) & 1023;
    const name = program.slots[value]?.name ?? `slot${value}`;
    return offset === 0 ? name : `${name}+${offset}`;
  }
  if (param.type === "gfp") return printGfp(value);
  const words = wordsOf(param.type);
  if (words !== undefined) return words[value] ?? String(value);
  if (param.type === "address") return `0x${value.toString(16)}`;
  return value === NULL_OPERAND ? "NULL" : String(value);
}

/**
 * One instruction as text, without the lines that belong to it: for OP_AT
 * `at POINT`, for OP_REPEAT `repeat N`.
 *
 * @param program whose step it is
 * @param index index of the instruction in `code`, from 0 (not the number of a step: see {@linkcode stepLines})
 */
export function printStep(program: Steps, index: number): string {
  const op = word(program, index, 0);
  if (op === OP_AT) return `at ${POINTS[word(program, index, 2)]}`;
  if (op === OP_REPEAT) return `repeat ${word(program, index, 2)}`;
  if (op === OP_FAIL) return `env fail ${FAILABLE[word(program, index, 2)]}`;
  const call = CALLS[op] as CallDef;
  const args = call.params.map((p, i) => printOperand(program, index, p, i)).join(", ");
  const text = `${call.env ? "env " : ""}${call.name}(${args})`;
  if (!namesResult(call)) return text;
  const slot = program.slots[word(program, index, 1)];
  return slot === undefined ? text : `${slot.isConst ? "const " : ""}${slot.name} = ${text}`;
}

/** The lines of some instructions; `at` stands before what it arms, a repeat of one line before that line. */
function printBlock(program: Steps, from: number, to: number): string[] {
  const lines: string[] = [];
  for (let i = from; i < to; i++) {
    const op = word(program, i, 0);
    if (op === OP_AT) {
      lines.push(`${printStep(program, i)} ${printStep(program, ++i)}`);
    } else if (op === OP_REPEAT) {
      const last = i + word(program, i, 3);
      const body = printBlock(program, i + 1, last + 1);
      if (body.length === 1) lines.push(`${printStep(program, i)} ${body[0]}`);
      else lines.push(printStep(program, i), ...body, "end");
      i = last;
    } else {
      lines.push(printStep(program, i));
    }
  }
  return lines;
}

/** Text of a comment or of a claim's words stays on its line. */
function oneLine(text: string): string {
  return text.replaceAll("\n", " ").trimEnd();
}

function printClaim(claim: Claim): string {
  const pages = claim.pages === 0 ? "" : ` (${claim.pages} ${claim.pages === 1 ? "page" : "pages"})`;
  const words = oneLine(claim.words).trim();
  return `finding ${claim.invariant} at ${claim.step}${pages}${words === "" ? "" : `: ${words}`}`;
}

/** A program as canonical text: headers that are not the default, steps, an empty line, claims. */
export function printProgram(program: Program): string {
  const lines = program.comments.map((c) => `# ${oneLine(c)}`.trimEnd());
  lines.push(`kernel ${program.kernel}`);
  if (program.arch !== "generic") lines.push(`arch ${program.arch}`);
  if (program.config.length > 0) lines.push(`config ${program.config.join(" ")}`);
  if (program.pages !== DEFAULT_PAGES) lines.push(`pages ${program.pages}`);
  lines.push(...printBlock(program, 0, program.code.length / STEP_WORDS));
  if (program.claims.length > 0) lines.push("", ...program.claims.map(printClaim));
  return lines.join("\n") + "\n";
}

/**
 * Which instruction each numbered step is: element 0 is the index in `code` of
 * step 1. `at` and `repeat` have no number.
 */
export function stepLines(program: Pick<Program, "code">): number[] {
  const lines: number[] = [];
  for (let i = 0; i < program.code.length / STEP_WORDS; i++) {
    const op = program.code[i * STEP_WORDS];
    if (op !== OP_AT && op !== OP_REPEAT) lines.push(i);
  }
  return lines;
}

/** How many numbered steps a program has. */
export function stepCount(program: Pick<Program, "code">): number {
  return stepLines(program).length;
}

/** Index in `code` of a step's instruction; the step is counted from 1. Undefined where there is no such step. */
export function codeIndexOfStep(program: Pick<Program, "code">, step: number): number | undefined {
  return stepLines(program)[step - 1];
}
