/**
 * One line of a program into the flat form.
 *
 * @module
 */
import { KERNEL_BASES } from "../kernel/names.ts";
import type { KernelName } from "../kernel/names.ts";
import { callByName, CALLS, FAILABLE, hasCall, namesResult, OP_AT, OP_REPEAT, opOf, POINTS } from "./calls.ts";
import type { CallDef } from "./calls.ts";
import { nearest, notOneOf } from "./did_you_mean.ts";
import { GFP_NAMES } from "./gfp_text.ts";
import { quote } from "./input_error.ts";
import { parseOperand } from "./operands.ts";
import type { Operand } from "./operands.ts";
import { MAX_LINES, MAX_SLOTS, MM_SLOTS, STEP_WORDS } from "./program.ts";
import type { Slot } from "./program.ts";
import type { Scanner } from "./scan.ts";

/** Steps that a program may execute, its repeats counted. */
export const MAX_EXECUTED = 1_000_000;
/** Letters of a name. */
export const MAX_NAME = 64;

const OP_FAIL = opOf("env fail");

/** Words that begin a line and can be no name. */
export const KEYWORDS: readonly string[] = [
  "kernel",
  "arch",
  "config",
  "pages",
  "const",
  "env",
  "at",
  "repeat",
  "end",
  "finding",
];
const RESERVED: ReadonlySet<string> = new Set([...KEYWORDS, ...MM_SLOTS, ...GFP_NAMES, "NULL"]);

/** A flat form that is being written. */
export interface Draft {
  /** The kernel whose calls may be made. */
  readonly kernel: KernelName;
  /** The largest order that may be written. */
  readonly maxOrder: number;
  /** Whether environment steps may stand here. */
  readonly env: boolean;
  /** The words so far. */
  readonly code: number[];
  /** The slots so far. */
  readonly slots: Slot[];
  /** The slot of each name that is visible. */
  readonly byName: Map<string, number>;
  /** Names that a line of this text defines. */
  readonly defined: Set<string>;
  /** Names from outside that it uses. */
  readonly takes: Set<string>;
  /** Numbered steps so far. */
  steps: number;
  /** Steps that are executed, repeats counted. */
  executed: number;
  /** The `repeat` that is open: the index of its first word, and its line for messages. */
  repeat: { readonly at: number; readonly line: Scanner; readonly stepsBefore: number } | undefined;
}

function emit(draft: Draft, scan: Scanner, op: number, result: number, operands: readonly Operand[]): void {
  if (draft.code.length >= MAX_LINES * STEP_WORDS) scan.fail(`a program has at most ${MAX_LINES} lines`, 1);
  let offsets = 0;
  let slots = 0;
  operands.forEach((o, i) => {
    offsets |= o.offset << (10 * i);
    if (o.isSlot) slots |= 1 << i;
  });
  const [a, b, c] = operands;
  draft.code.push(op, result, a?.value ?? 0, b?.value ?? 0, c?.value ?? 0, offsets, slots, 0);
}

function literal(value: number): Operand {
  return { value, isSlot: false, offset: 0 };
}

function countStep(draft: Draft, scan: Scanner): void {
  draft.steps++;
  if (draft.repeat === undefined) count(draft, scan, 1);
}

function count(draft: Draft, scan: Scanner, steps: number): void {
  draft.executed += steps;
  if (draft.executed > MAX_EXECUTED) scan.fail(`a program executes at most ${MAX_EXECUTED} steps, repeats counted`, 1);
}

/** Reads a line that is no header and no `finding`. */
export function parseStep(draft: Draft, scan: Scanner): void {
  const start = scan.column();
  const word = scan.word();
  if (word === "end") return closeRepeat(draft, scan, start);
  if (word === "repeat") return openRepeat(draft, scan, start);
  parseSingle(draft, scan, word, start);
}

/** A line that may also stand behind `repeat N`. */
function parseSingle(draft: Draft, scan: Scanner, word: string, start: number): void {
  if (word === "at") parseAt(draft, scan, start);
  else if (word === "env") parseEnv(draft, scan, start);
  else parseCall(draft, scan, word, start);
  countStep(draft, scan);
}

function openRepeat(draft: Draft, scan: Scanner, start: number): void {
  if (draft.repeat !== undefined) scan.fail("a repeat cannot stand inside a repeat; close the first with 'end'", start);
  const times = scan.number("the number behind 'repeat'", 1, MAX_EXECUTED);
  const at = draft.code.length;
  emit(draft, scan, OP_REPEAT, -1, [literal(times), literal(0)]);
  draft.repeat = { at, line: scan, stepsBefore: draft.steps };
  if (scan.done()) return;
  const column = scan.column();
  const word = scan.word();
  if (word === "repeat" || word === "end") scan.fail(`a call must stand behind 'repeat ${times}', or nothing`, column);
  parseSingle(draft, scan, word, column);
  finishRepeat(draft, scan);
}

function closeRepeat(draft: Draft, scan: Scanner, start: number): void {
  if (draft.repeat === undefined) scan.fail("'end' closes a repeat, and none is open", start);
  scan.end("'end'");
  finishRepeat(draft, scan);
}

function finishRepeat(draft: Draft, scan: Scanner): void {
  const open = draft.repeat;
  if (open === undefined) return;
  const instructions = (draft.code.length - open.at) / STEP_WORDS - 1;
  if (instructions === 0) open.line.fail("a repeat needs a line before its 'end'", 1);
  draft.code[open.at + 3] = instructions;
  draft.repeat = undefined;
  count(draft, scan, (draft.code[open.at + 2] ?? 0) * (draft.steps - open.stepsBefore));
}

/** Refuses a repeat that is still open at the end of the text. */
export function finishDraft(draft: Draft): void {
  draft.repeat?.line.fail("no 'end' closes this repeat", 1);
}

function parseAt(draft: Draft, scan: Scanner, start: number): void {
  if (!draft.env) refuseEnv(scan, start);
  const column = scan.column();
  const point = scan.token();
  const index = POINTS.indexOf(point);
  if (index < 0) scan.fail(notOneOf(point, "a point inside a function", POINTS), column);
  const envColumn = scan.column();
  const word = scan.word();
  const named = word !== "env" && scan.eat("=") ? word : undefined;
  const stepColumn = named === undefined ? envColumn : scan.column();
  if ((named === undefined ? word : scan.word()) !== "env") {
    scan.fail(`an environment step ('env ...') must stand behind 'at ${point}'`, envColumn);
  }
  emit(draft, scan, OP_AT, -1, [literal(index)]);
  if (named === undefined) return parseEnv(draft, scan, stepColumn);
  checkName(draft, scan, named, envColumn);
  parseNamed(draft, scan, named, envColumn, true, false);
}

function refuseEnv(scan: Scanner, column: number): never {
  scan.fail(
    "environment steps have no place in a path: they may happen at any time, and the fuzzer makes them",
    column,
  );
}

function parseEnv(draft: Draft, scan: Scanner, start: number): void {
  if (!draft.env) refuseEnv(scan, start);
  const column = scan.column();
  const word = scan.word();
  const call = findCall(draft, scan, word, column, true);
  if (call.id !== OP_FAIL) return emit(draft, scan, call.id, -1, parseArguments(draft, scan, call));
  const nameColumn = scan.column();
  const name = scan.token();
  const index = FAILABLE.indexOf(name);
  if (index < 0) scan.fail(notOneOf(name, "a function that 'env fail' can make fail", FAILABLE), nameColumn);
  scan.end(`'env fail ${name}'`);
  emit(draft, scan, OP_FAIL, -1, [literal(index)]);
}

function parseCall(draft: Draft, scan: Scanner, word: string, start: number): void {
  const isConst = word === "const";
  const nameColumn = isConst ? scan.column() : start;
  const name = isConst ? scan.word() : word;
  if (!scan.eat("=")) {
    if (isConst) scan.fail("'const' needs 'NAME = call(...)' behind it", start);
    if (name === "" || KEYWORDS.includes(name)) {
      scan.fail("a line must be a call, 'NAME = call(...)' or an environment step", start);
    }
    const call = findCall(draft, scan, name, start, false);
    return emit(draft, scan, call.id, -1, parseArguments(draft, scan, call));
  }
  checkName(draft, scan, name, nameColumn);
  const column = scan.column();
  const env = /^env\b/.test(scan.rest());
  if (env) {
    scan.eat("env");
    if (!draft.env) refuseEnv(scan, column);
  }
  parseNamed(draft, scan, name, nameColumn, env, isConst);
}

/** What stands behind `NAME =`, or behind `NAME = env`. */
function parseNamed(
  draft: Draft,
  scan: Scanner,
  name: string,
  nameColumn: number,
  env: boolean,
  isConst: boolean,
): void {
  const callColumn = scan.column();
  const call = findCall(draft, scan, scan.word(), callColumn, env);
  if (env && !namesResult(call)) {
    scan.fail(`env ${call.name} gives no name to its answer: leave out '${name} ='`, nameColumn);
  }
  const operands = parseArguments(draft, scan, call);
  if (call.result === "void") scan.fail(`${call.name} answers nothing, so leave out '${name} ='`, nameColumn);
  const kept = call.constPreserving && operands[0]?.isSlot === true && draft.slots[operands[0].value]?.isConst === true;
  const slot = draft.slots.length;
  if (slot >= MAX_SLOTS) scan.fail(`a program has at most ${MAX_SLOTS} names`, nameColumn);
  draft.slots.push({ name, kind: call.result, isConst: isConst || kept });
  draft.byName.set(name, slot);
  draft.defined.add(name);
  emit(draft, scan, call.id, slot, operands);
}

function checkName(draft: Draft, scan: Scanner, name: string, column: number): void {
  if (name === "") scan.fail("a name must stand before '='", column);
  if (RESERVED.has(name)) scan.fail(`'${name}' is a word of the language; choose another name`, column);
  if (name.length > MAX_NAME) scan.fail(`${quote(name)} is longer than ${MAX_NAME} letters`, column);
  if (draft.defined.has(name)) {
    scan.fail(`'${name}' is defined a second time; give every result a name of its own`, column);
  }
}

function findCall(draft: Draft, scan: Scanner, word: string, column: number, env: boolean): CallDef {
  const prefix = env ? "env " : "";
  if (word === "") scan.fail(`the name of a call must stand here, and ${scan.next()}`, column);
  const call = callByName(prefix + word);
  if (call !== undefined && hasCall(draft.kernel.base, call)) return call;
  const { base, name } = draft.kernel;
  const sentence = `${quote(prefix + word)} is not a call of kernel ${name}`;
  if (call !== undefined) {
    const others = KERNEL_BASES.filter((k) => hasCall(k, call));
    // What v2 calls ptdesc_free was merged as pagetable_free.
    const renamed = /^ptdesc_/.test(word)
      ? word.replace("ptdesc_", "pagetable_")
      : word.replace("pagetable_", "ptdesc_");
    const hint = callNames(draft, env).includes(renamed) ? `; did you mean '${renamed}'?` : "";
    scan.fail(`${sentence}, only of ${others.join(", ")}${hint}`, column);
  }
  const twin = env ? word : `env ${word}`;
  if (callByName(twin) !== undefined && hasCall(base, callByName(twin) as CallDef)) {
    scan.fail(`${sentence}; did you mean '${twin}'?`, column);
  }
  const near = nearest(word, env ? callNames(draft, env) : [...callNames(draft, env), ...KEYWORDS]);
  scan.fail(near === undefined ? sentence : `${sentence}; did you mean '${prefix}${near}'?`, column);
}

function callNames(draft: Draft, env: boolean): string[] {
  return CALLS.filter((c) => c.env === env && hasCall(draft.kernel.base, c)).map((c) => c.name);
}

function parseArguments(draft: Draft, scan: Scanner, call: CallDef): Operand[] {
  const form = `${call.name}(${call.params.map((p) => p.name).join(", ")})`;
  if (!scan.eat("(")) scan.fail(`'(' must stand behind ${call.name}, and ${scan.next()}: ${form}`);
  const operands: Operand[] = [];
  for (const param of call.params) {
    if (operands.length > 0 && !scan.eat(",")) scan.fail(`${form} has another argument here, and ${scan.next()}`);
    const operand = parseOperand(scan, draft, call, param);
    const name = operand.isSlot ? (draft.slots[operand.value] as Slot).name : undefined;
    if (name !== undefined && !draft.defined.has(name) && !MM_SLOTS.includes(name)) draft.takes.add(name);
    operands.push(operand);
  }
  if (!scan.eat(")")) scan.fail(`${form} ends with ')' here, and ${scan.next()}`);
  scan.end(form);
  return operands;
}
