/**
 * From a program that shows something to the shortest that shows it.
 *
 * Lines leave first, then what stays is made plain: numbers, names, the order
 * of the environment's lines. All of it is repeated until nothing changes, so
 * that shrinking a second time changes nothing. No clock and no chance: the same
 * program gives the same result everywhere.
 *
 *     p1 = alloc_page(GFP_KERNEL)               a stranger: leaves
 *     p0 = alloc_pages(GFP_ATOMIC, 2)           GFP_KERNEL will do
 *     a0 = page_to_virt(p0)
 *     p2 = virt_to_page(a0)                     p0 again: leaves
 *     env get_page_unless_zero(p2)              moves to the free
 *     d0 = virt_to_ptdesc(a0)
 *     ptdesc_free(d0)
 *     put_page(p1)
 *     env put_page(p2)                          moves to the free
 *
 * A program of disciplines loses whole runs of their paths and lines of the
 * environment, and nothing inside a path.
 *
 * @module
 */
import { CALLS, OP_AT, OP_REPEAT } from "../core/program/calls.ts";
import { claimsOf, findingsOf } from "../core/program/findings.ts";
import type { Machine } from "../core/program/machine.ts";
import { type Claim, type Program, STEP_WORDS } from "../core/program/program.ts";
import { shrinkHeader, shrinkNumbers, unwrapRepeats } from "./shrink_args.ts";
import { cutItems, cutStrangers, cutTail, without } from "./shrink_lines.ts";
import { giveBack, moveEnvironment } from "./shrink_moves.ts";
import { dropUnusedNames, oneLinePerSlot, shortNames, spareNames, useEarlierNames } from "./shrink_names.ts";
import { type ShrinkTarget, Trial } from "./shrink_trial.ts";

export type { ShrinkTarget } from "./shrink_trial.ts";

/** How to shrink. */
export interface ShrinkOptions {
  /**
   * `true`: single lines may leave, and arguments shrink (hostile or stored
   * programs). `false`: whole runs of a discipline's paths leave or stay; which
   * run a line belongs to is word 7 of its step.
   */
  readonly lines: boolean;
  /** A machine for the program's kernel, arch, config and pages; default a new one. */
  readonly machine?: Machine;
  /** The header stays as it is: the machine is a real kernel, which was built with one configuration. */
  readonly keepHeader?: boolean;
  /** Candidates to run at most; default 20000. What is found until then is the result. */
  readonly maxRuns?: number;
}

const MAX_RUNS = 20_000;

/**
 * The smallest program found that shows every target: by the same call, with as
 * many pages lost, and not as a lesser severity. It is as lawful as the first:
 * misuses nothing where that did not, and puts the references that it takes.
 * A target that shows only behind an expected leak is found too; when it can,
 * the result shows it without.
 *
 * @param program a program that shows the targets; an Error says which it does not
 * @returns it with short names, without comments, claiming all that it shows
 */
export function shrinkProgram(program: Program, targets: readonly ShrinkTarget[], options: ShrinkOptions): Program {
  const { lines, machine, keepHeader = false, maxRuns = MAX_RUNS } = options;
  const byRuns = !lines;
  const split = oneLinePerSlot(program);
  const code = lines ? withoutRuns(split.code) : split.code;
  const t = new Trial({ ...program, ...split, code }, targets, byRuns, machine, maxRuns);
  t.attempt(without(t.code, t.slots.length, [], byRuns));
  do {
    toFixedPoint(t, lines, keepHeader);
  } while (t.standAlone());
  t.handBack();
  const short = { ...shortNames(t, lines), ...t.header };
  return {
    comments: [],
    kernel: program.kernel,
    arch: program.arch,
    ...short,
    claims: claimed(program, short, t.machine),
  };
}

/** Shrinks programs that all show the target, and answers the smallest: fewest lines, then smallest numbers, then first. */
export function shortestOf(programs: readonly Program[], target: ShrinkTarget, options: ShrinkOptions): Program {
  let best: Program | undefined;
  for (const program of programs) {
    const shrunk = shrinkProgram(program, [target], options);
    if (best === undefined || isSmaller(sizeOf(shrunk), sizeOf(best))) best = shrunk;
  }
  if (best === undefined) throw new Error("no program was given to be shrunk");
  return best;
}

function isSmaller([lines, numbers]: [number, number], [otherLines, otherNumbers]: [number, number]): boolean {
  return lines < otherLines || (lines === otherLines && numbers < otherNumbers);
}

/** Makes the best program smaller until nothing changes. */
function toFixedPoint(t: Trial, lines: boolean, keepHeader: boolean): void {
  for (let before = -1; before !== t.taken;) {
    before = t.taken;
    cutTail(t, !lines);
    cutStrangers(t, !lines);
    cutItems(t, !lines);
    if (lines) {
      unwrapRepeats(t);
      spareNames(t);
      shrinkNumbers(t);
      if (!keepHeader) shrinkHeader(t);
    }
    useEarlierNames(t, !lines);
    giveBack(t, !lines);
    moveEnvironment(t);
    dropUnusedNames(t);
  }
}

/** The claims of a program that runs by itself, with no leak expected. */
function claimed(program: Program, short: Partial<Program>, machine: Machine): Claim[] {
  const { ledger } = machine;
  const { expectedLeaks } = ledger;
  ledger.expectedLeaks = 0;
  machine.run({ ...program, ...short });
  ledger.expectedLeaks = expectedLeaks;
  return claimsOf(findingsOf(machine, short.slots ?? program.slots));
}

/** Lines that may leave one by one belong to no run. */
function withoutRuns(code: Int32Array): Int32Array {
  const copy = code.slice();
  for (let pc = 0; pc < copy.length; pc += STEP_WORDS) copy[pc + 7] = 0;
  return copy;
}

/**
 * How large a program is: its lines, and the sum of the orders and page offsets
 * on them. A `repeat` is a line; `at` stands on the line of its step.
 */
export function sizeOf(program: Pick<Program, "code">): [lines: number, numbers: number] {
  const { code } = program;
  let lines = 0;
  let numbers = 0;
  for (let pc = 0; pc < code.length; pc += STEP_WORDS) {
    const op = code[pc]!;
    if (op !== OP_AT) lines++;
    if (op === OP_AT || op === OP_REPEAT) continue;
    CALLS[op]?.params.forEach(({ type }, w) => {
      const isSlot = (code[pc + 6]! >> w & 1) !== 0;
      if (isSlot) numbers += (code[pc + 5]! >>> (10 * w)) & 1023;
      else if (type === "order") numbers += code[pc + 2 + w]!;
    });
  }
  return [lines, numbers];
}
