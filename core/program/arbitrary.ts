/**
 * Programs for fast-check.
 *
 * A program is made of an array of tuples of integers ({@linkcode Pick}), each
 * the choices of one line, and every array makes a well-typed program: so
 * whatever a shrinker cuts out of it still is one, and a stored array can be
 * shrunk later.
 *
 * @module
 */
import fc from "fast-check";
import { ARCHS, CONFIGS, kernelNames, parseKernelName } from "../kernel/names.ts";
import type { KernelName } from "../kernel/names.ts";
import { INVARIANTS } from "../ledger/invariants.ts";
import { GFP_FLAGS } from "../memory/gfp.ts";
import { CALLS, FAILABLE, hasCall, namesResult, OP_AT, OP_REPEAT, opOf, POINTS, WORDS } from "./calls.ts";
import type { CallDef, Param } from "./calls.ts";
import { isPointer, KIND_LETTERS } from "./kinds.ts";
import { NULL_OPERAND } from "./operands.ts";
import { MM_SLOT_TABLE } from "./parse.ts";
import { stepCount } from "./print.ts";
import { STEP_WORDS } from "./program.ts";
import type { Claim, Program, Slot } from "./program.ts";

/** The choices of one line: which call, its three operands, and its form (const, offset, at, repeat). */
export type Pick = readonly [call: number, a: number, b: number, c: number, form: number];

/** What {@linkcode program} makes. */
export interface ProgramConstraints {
  /** Kernels to choose from; default all. */
  readonly kernels?: readonly string[];
  /** Architectures to choose from; default all. */
  readonly archs?: readonly string[];
  /** Most lines; default 30. */
  readonly maxSteps?: number;
  /** The largest order; default 10. */
  readonly maxOrder?: number;
  /** Whether environment steps, `at` and `repeat` stand between the calls; default `true`. */
  readonly env?: boolean;
  /** Whether there are claims, which are made up; default `false`. */
  readonly claims?: boolean;
}

const OP_FAIL = opOf("env fail");
const FLAG_BITS: readonly number[] = Object.values(GFP_FLAGS);
/** How often a repeat may run: few times, so that programs stay quick. */
const MAX_TIMES = 8;

interface Operand {
  value: number;
  slot: boolean;
  offset: number;
}

/** Something of a value's kind that may be passed, or NULL where there is nothing. */
function pickValue(slots: readonly Slot[], param: Param, choice: number): Operand {
  const fitting = [...slots.keys()].filter((i) => {
    const { kind, isConst } = slots[i] as Slot;
    return (param.type === "void*" || kind === param.type) && (!isConst || param.isConst || kind === "int");
  }).reverse();
  const value = fitting[choice % (fitting.length + 1)];
  if (value === undefined) return { value: NULL_OPERAND, slot: false, offset: 0 };
  const { kind } = slots[value] as Slot;
  return { value, slot: true, offset: isPointer(kind) && choice % 5 === 4 ? 1 + choice % 7 : 0 };
}

function pickNumber(slots: readonly Slot[], param: Param, choice: number, maxOrder: number): Operand {
  const ints = [...slots.keys()].filter((i) => slots[i]?.kind === "int");
  const int = choice % 4 === 3 ? ints[choice % (ints.length || 1)] : undefined;
  if (int !== undefined) return { value: int, slot: true, offset: 0 };
  const value = {
    order: choice % (maxOrder + 1),
    count: 1 + choice % 8,
    bytes: 1 + choice % 40_000,
    address: choice * 4096,
  }[param.type as "order" | "count" | "bytes" | "address"];
  return { value, slot: false, offset: 0 };
}

function pickGfp(choice: number): Operand {
  const first = FLAG_BITS[choice % FLAG_BITS.length] ?? 0;
  const second = choice % 3 === 0 ? FLAG_BITS[(choice >> 4) % FLAG_BITS.length] ?? 0 : 0;
  return { value: first | second, slot: false, offset: 0 };
}

function pickOperand(slots: readonly Slot[], param: Param, choice: number, maxOrder: number): Operand {
  switch (param.type) {
    case "gfp":
      return pickGfp(choice);
    case "how":
    case "table_type":
    case "index":
    case "flag":
    case "cache":
      return { value: choice % WORDS[param.type].length, slot: false, offset: 0 };
    case "order":
    case "count":
    case "bytes":
    case "address":
      return pickNumber(slots, param, choice, maxOrder);
    default:
      return pickValue(slots, param, choice);
  }
}

/** The steps and slots that choices make; every array of choices makes some. */
export function stepsOf(
  picks: readonly Pick[],
  kernel: KernelName,
  constraints: ProgramConstraints = {},
): { code: Int32Array; slots: readonly Slot[] } {
  const env = constraints.env ?? true;
  const calls = CALLS.filter((c) => hasCall(kernel.base, c) && (env || !c.env));
  const code: number[] = [];
  const slots: Slot[] = [...MM_SLOT_TABLE];
  /** Index of the first word of the repeat that is open, and lines that it still takes. */
  let open = { at: -1, left: 0 };
  for (const [choice, a, b, c, form] of picks) {
    const call = calls[choice % calls.length] as CallDef;
    if (env && open.left === 0 && form % 16 === 15) {
      open = { at: code.length, left: 1 + a % 3 };
      code.push(OP_REPEAT, -1, 1 + b % MAX_TIMES, 0, 0, 0, 0, 0);
    }
    if (call.env && form % 4 === 3) code.push(OP_AT, -1, c % POINTS.length, 0, 0, 0, 0, 0);
    pushCall(code, slots, call, [a, b, c], form, constraints.maxOrder ?? 10);
    if (open.left > 0) {
      open.left--;
      code[open.at + 3] = (code.length - open.at) / STEP_WORDS - 1;
    }
  }
  return { code: Int32Array.from(code), slots };
}

function pushCall(
  code: number[],
  slots: Slot[],
  call: CallDef,
  choices: readonly number[],
  form: number,
  maxOrder: number,
): void {
  const operands = call.id === OP_FAIL
    ? [{ value: (choices[0] ?? 0) % FAILABLE.length, slot: false, offset: 0 }]
    : call.params.map((p, i) => pickOperand(slots, p, choices[i] ?? 0, maxOrder));
  let result = -1;
  if (call.result !== "void" && namesResult(call) && form % 8 !== 7) {
    const first = operands[0];
    const kept = call.constPreserving && first?.slot === true && slots[first.value]?.isConst === true;
    result = slots.length;
    slots.push({ name: `${KIND_LETTERS[call.result]}${result}`, kind: call.result, isConst: kept || form % 8 === 6 });
  }
  const [a, b, c] = operands;
  const offsets = (a?.offset ?? 0) | (b?.offset ?? 0) << 10 | (c?.offset ?? 0) << 20;
  const bits = (a?.slot ? 1 : 0) | (b?.slot ? 2 : 0) | (c?.slot ? 4 : 0);
  code.push(call.id, result, a?.value ?? 0, b?.value ?? 0, c?.value ?? 0, offsets, bits, 0);
}

/** Arrays of choices; they shrink to fewer lines and to smaller choices. */
export function picks(constraints: ProgramConstraints = {}): fc.Arbitrary<Pick[]> {
  const nat = fc.nat(0xffff);
  return fc.array(fc.tuple(nat, nat, nat, nat, nat), { minLength: 1, maxLength: constraints.maxSteps ?? 30 });
}

function claimOf([invariant, step, pages, words]: readonly [number, number, number, number], steps: number): Claim {
  return {
    invariant: INVARIANTS[invariant % INVARIANTS.length]?.id ?? "",
    step: 1 + step % steps,
    pages: pages % 5,
    words: ["", "words", "more words: and #"][words % 3] ?? "",
  };
}

/**
 * fast-check's arbitrary for programs.
 *
 * @internal The type is another library's, and documented there.
 */
export type ProgramArbitrary = import("fast-check").Arbitrary<Program>;

/**
 * Well-typed programs for some kernel, in canonical form: `parseProgram` of
 * their text gives them back. They may misuse memory as they like.
 */
export function program(constraints: ProgramConstraints = {}): ProgramArbitrary {
  const nat = fc.nat(0xffff);
  return fc.record({
    kernel: fc.constantFrom(...(constraints.kernels ?? kernelNames())),
    arch: fc.constantFrom(...(constraints.archs ?? ARCHS)),
    config: fc.subarray(Object.keys(CONFIGS).sort()),
    pages: fc.constantFrom(256, 16, 4096),
    picks: picks(constraints),
    claims: fc.array(fc.tuple(nat, nat, nat, nat), { maxLength: constraints.claims === true ? 4 : 0 }),
  }).map(({ kernel, arch, config, pages, picks, claims }) => {
    const name = parseKernelName(kernel);
    if (name === undefined) throw new Error(`'${kernel}' is not a kernel`);
    const steps = stepsOf(picks, name, constraints);
    const count = stepCount(steps);
    return { comments: [], kernel, arch, config, pages, ...steps, claims: claims.map((c) => claimOf(c, count)) };
  });
}
