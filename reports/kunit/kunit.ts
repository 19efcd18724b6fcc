/**
 * A program as a KUnit test in C, for a maintainer to take into a tree.
 *
 * It makes the program's calls, one a line, and expects what the finding says
 * is broken. Pages that are lost are counted over many rounds, so that what the
 * rest of a busy machine takes and gives meanwhile does not count.
 *
 * @module
 */
import { callName, CALLS, FAILABLE, OP_AT, OP_REPEAT, opOf } from "../../core/program/calls.ts";
import { printGfp } from "../../core/program/gfp_text.ts";
import { NULL_OPERAND } from "../../core/program/operands.ts";
import { codeIndexOfStep, printProgram } from "../../core/program/print.ts";
import { FIRST_SLOT, type Program, STEP_WORDS } from "../../core/program/program.ts";
import { PAGE_SIZE } from "../../core/memory/words.ts";
import { C_TYPES, callText, type COperand, NOT_IN_A_TEST, pagesOn } from "./calls.ts";
import { unclaimedCheck } from "./checked.ts";
import { type Expectations, expectationsOf, hasPoint, inNames, quoted } from "./expect.ts";
import { definitionsOf, namesOf } from "./names.ts";

/** A test, or why there is none. */
export type KunitTest =
  | { readonly text: string; readonly reason?: undefined }
  | { readonly text?: undefined; readonly reason: string };

const OP_OWNER_GONE = opOf("env owner_gone");
const OP_UNLINK = opOf("unlink");
const OP_POPULATE = opOf("populate");
const OP_TABLE_INIT = opOf("table_init");
const OP_GET = opOf("env get_page_unless_zero");
const OP_PUT = opOf("env put_page");
const OP_FAIL = opOf("env fail");
/** Columns of a comment. */
const WIDTH = 80;

/** A name as an identifier of C. */
export function identifier(name: string): string {
  const word = name.toLowerCase().replace(/\.pt$/, "").replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "");
  return /^[a-z]/.test(word) ? word : `ptfuzz_${word}`.replace(/_$/, "");
}

/** Why a program cannot run on a booted kernel; undefined where it can. */
function unfit(program: Program): string | undefined {
  if (hasPoint(program)) return "a step inside another call ('at') cannot be had from outside";
  for (let pc = 0; pc < program.code.length; pc += STEP_WORDS) {
    const op = program.code[pc]!;
    if (op === OP_REPEAT) continue;
    const call = CALLS[op]!;
    const why = NOT_IN_A_TEST[callName(call)];
    if (why !== undefined) {
      return op === OP_FAIL ? `${why} (env fail ${FAILABLE[program.code[pc + 2]!]})` : why;
    }
    const gfp = call.params.findIndex((p) => p.type === "gfp");
    if (gfp >= 0 && /0x|^0$/.test(printGfp(program.code[pc + 2 + gfp]!))) {
      return `${call.name}() is given gfp flags that have no name`;
    }
  }
  return undefined;
}

/** Writes the statements. */
class Writer {
  readonly #program: Program;
  readonly #names: readonly string[];
  readonly #expect: Expectations;
  readonly #counted: boolean;
  readonly #steps = new Map<number, number>();
  /** Speculative references that are held: the C name of the answer, by operand. */
  readonly #held = new Map<string, string>();
  readonly #speculative: string[] = [];

  constructor(program: Program, names: readonly string[], expect: Expectations) {
    this.#program = program;
    this.#names = names;
    this.#expect = expect;
    this.#counted = expect.lost > 0;
    const last = program.code.length / STEP_WORDS;
    for (let step = 1; step <= last; step++) {
      const i = codeIndexOfStep(program, step);
      if (i !== undefined) this.#steps.set(i, step);
    }
  }

  operand(pc: number, i: number): COperand {
    const { code, slots } = this.#program;
    const type = CALLS[code[pc]!]!.params[i]!.type;
    const value = code[pc + 2 + i]!;
    if (((code[pc + 6]! >> i) & 1) !== 0) {
      const kind = slots[value]!.kind;
      const offset = (code[pc + 5]! >>> (10 * i)) & 1023;
      const name = kind === "mm" && value === 0 ? "&init_mm" : this.#names[value]!;
      return { text: pagesOn(name, kind, offset), kind };
    }
    if (type === "gfp") return { text: printGfp(value).replaceAll("|", " | "), kind: "number" };
    if (type === "address") return { text: `0x${value.toString(16)}`, kind: "number" };
    if (type === "bytes" && value % PAGE_SIZE === 0) {
      return { text: value === PAGE_SIZE ? "PAGE_SIZE" : `${value / PAGE_SIZE} * PAGE_SIZE`, kind: "number" };
    }
    return value === NULL_OPERAND ? { text: "NULL", kind: "NULL" } : { text: String(value), kind: "number" };
  }

  /** The statements of some instructions. */
  block(from: number, to: number): string[] {
    const { code } = this.#program;
    const lines: string[] = [];
    for (let i = from; i < to; i++) {
      const pc = i * STEP_WORDS;
      if (code[pc] === OP_REPEAT) {
        const last = i + code[pc + 3]!;
        const body = this.block(i + 1, last + 1);
        lines.push(`for (unsigned int i = 0; i < ${code[pc + 2]}; i++) {`, ...body.map((l) => `\t${l}`), "}");
        i = last;
        continue;
      }
      lines.push(...this.#step(i, pc));
    }
    return lines;
  }

  #step(i: number, pc: number): string[] {
    const step = this.#steps.get(i) ?? 0;
    const mine = this.#counted ? [] : this.#expect.list.filter((e) => e.step === step);
    return [
      ...mine.filter((e) => e.before).flatMap((e) => e.lines),
      ...this.#call(pc),
      ...mine.filter((e) => !e.before).flatMap((e) => e.lines),
    ];
  }

  #call(pc: number): string[] {
    const { code } = this.#program;
    const op = code[pc]!;
    const call = CALLS[op]!;
    const args = call.params.map((_, i) => this.operand(pc, i));
    const dst = code[pc + 1]!;
    if (op === OP_OWNER_GONE) return [`/* Here the owner of ${args[0]!.text} forgets it. */`];
    if (op === OP_POPULATE) return [`/* Here ${args[0]!.text} is put in use: the hardware walks it from now on. */`];
    if (op === OP_UNLINK) return [`/* Here the entry that leads to ${args[0]!.text} is cleared. */`];
    const text = callText(call, args);
    if (op === OP_GET) {
      const name = dst >= FIRST_SLOT
        ? this.#names[dst]!
        : `speculative${this.#speculative.length === 0 ? "" : this.#speculative.length + 1}`;
      if (dst < FIRST_SLOT) this.#speculative.push(name);
      this.#held.set(args[0]!.text, name);
      return ["/* As page cache and compaction look at any page. */", `${name} = ${text};`];
    }
    if (op === OP_PUT) {
      const held = this.#held.get(args[0]!.text);
      return held === undefined ? [`${text};`] : [`if (${held})`, `\t${text};`];
    }
    if (op === OP_TABLE_INIT) return [`/* What the architecture writes into an empty table. */`, `${text};`];
    if (call.result === "gather") {
      return dst < 0 ? [] : [`${call.name}(&${this.#names[dst]}, ${text});`];
    }
    if (dst < FIRST_SLOT || call.result === "void") return [`${text};`];
    const name = this.#names[dst]!;
    const allocates = call.params.some((p) => p.type === "gfp");
    return [
      `${name} = ${text};`,
      ...(allocates ? [`KUNIT_ASSERT_NOT_NULL(test, ${name});`] : []),
    ];
  }

  /** The variables of the program. */
  variables(): string[] {
    const lines = definitionsOf(this.#program);
    const list = this.#program.slots.flatMap((slot, i) => {
      if (i < FIRST_SLOT || lines[i]! < 0) return [];
      const constant = slot.isConst && /\*/.test(C_TYPES[slot.kind]) ? "const " : "";
      return [`${constant}${C_TYPES[slot.kind]}${this.#names[i]};`];
    });
    if (this.#speculative.length > 0) list.push(`bool ${this.#speculative.join(", ")};`);
    return list.sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  }
}

/** Which of mm0 and mm1 a program uses. */
function mms({ code }: Program): number[] {
  const used = new Set<number>();
  for (let pc = 0; pc < code.length; pc += STEP_WORDS) {
    if (code[pc]! >= OP_AT) continue;
    for (let i = 0; i < 3; i++) {
      const slot = code[pc + 2 + i]!;
      if (((code[pc + 6]! >> i) & 1) !== 0 && (slot === 1 || slot === 2)) used.add(slot);
    }
  }
  return [...used].sort();
}

/** The architecture, where it decides what the calls do: how its gather takes tables. */
function where({ arch, code }: Program): string {
  for (let pc = 0; pc < code.length; pc += STEP_WORDS) {
    const call = code[pc]! < OP_AT ? CALLS[code[pc]!] : undefined;
    if (arch !== "generic" && call?.params[0]?.type === "gather") return ` on ${arch}`;
  }
  return "";
}

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length + 4 <= WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function comment(paragraphs: readonly (readonly string[])[]): string[] {
  const body = paragraphs.flatMap((p, i) => i === 0 ? p : ["", ...p]);
  return ["/*", ...body.map((line) => ` * ${line.replaceAll("*/", "* /")}`.trimEnd()), " */"];
}

const COUNT = `/*
 * Free pages, exactly: what waits for a grace period or lies on a per-CPU list
 * is given back first.
 */
static long count_free_pages(void)
{
	struct zone *zone;
	long pages = 0;

	rcu_barrier();
	drain_all_pages(NULL);
	for_each_populated_zone(zone)
		pages += zone_page_state_snapshot(zone, NR_FREE_PAGES);
	return pages;
}
`;

const INCLUDES: readonly (readonly [file: string, needs: RegExp | undefined])[] = [
  ["kunit/test.h", undefined],
  ["linux/gfp.h", undefined],
  ["linux/math.h", /DIV_ROUND_CLOSEST/],
  ["linux/mm.h", undefined],
  ["linux/mmzone.h", /for_each_populated_zone/],
  ["linux/rcupdate.h", /rcu_barrier/],
  ["linux/sched/mm.h", /mm_alloc|mmput/],
  ["linux/string.h", /memset/],
  ["linux/vmstat.h", /zone_page_state_snapshot/],
  ["asm/pgalloc.h", /GFP_PGTABLE/],
  ["asm/tlb.h", /tlb_/],
];

/**
 * The test of a program's claims.
 *
 * @param program a program that claims what it shows
 * @param name what the test is called, such as the file of the program
 */
export function kunitTest(program: Program, name: string): KunitTest {
  const reason = unfit(program);
  if (reason !== undefined) return { reason };
  const names = namesOf(program);
  const expect = expectationsOf(program, names);
  if (expect.fatal !== undefined) return { reason: expect.fatal };
  if (expect.lost === 0 && expect.list.length === 0) {
    const what = [...new Set(program.claims.map((c) => c.invariant))].join(", ");
    return {
      reason: `a running kernel shows nothing of ${what || "a program without a finding"}: ` +
        "it keeps no record of what callers were promised",
    };
  }
  const id = identifier(name);
  const writer = new Writer(program, names, expect);
  const body = writer.block(0, program.code.length / STEP_WORDS);
  const variables = writer.variables();
  const used = mms(program).map((slot) => names[slot]!);
  const makeMms = used.flatMap((mm) => [`${mm} = mm_alloc();`, `KUNIT_ASSERT_NOT_NULL(test, ${mm});`]);
  const endMms = used.map((mm) => `mmput(${mm});`);
  const statements = expect.lost > 0
    ? counted(program, names, id, { body, variables, used, makeMms, endMms, lost: expect.lost })
    : single(id, { body, variables, used, makeMms, endMms });
  const code = [
    ...statements,
    "",
    `static struct kunit_case ${id}_cases[] = {`,
    `\tKUNIT_CASE(${id}_test),`,
    "\t{}",
    "};",
    "",
    `static struct kunit_suite ${id}_suite = {`,
    `\t.name = "${id}",`,
    `\t.test_cases = ${id}_cases,`,
    "};",
    "",
    `kunit_test_suite(${id}_suite);`,
  ].join("\n");
  const checked = unclaimedCheck(program);
  const says = program.claims.map((c) => wrapped(`${c.invariant}: ${inNames(c.words, program, names)}.`));
  const head = comment([
    ...(program.comments.length > 0 ? [wrapped(program.comments.join(" "))] : []),
    says.flat(),
    [
      ...wrapped(`Made by ptfuzz of this program, for Linux ${program.kernel}${where(program)}:`),
      "",
      ...printProgram({ ...program, comments: [], claims: [] }).trimEnd().split("\n").map((line) => `    ${line}`),
    ],
    ...(checked === undefined
      ? []
      : [wrapped(`CONFIG_DEBUG_VM has to be off: with it the kernel stops before, with ${checked}.`)]),
    wrapped(
      `To run it, build it in: save it as mm/${id}_kunit.c and add 'obj-$(CONFIG_KUNIT) += ${id}_kunit.o' ` +
        "to mm/Makefile.",
    ),
  ]);
  const includes = INCLUDES.filter(([, needs]) => needs === undefined || needs.test(code + COUNT.repeat(expect.lost)))
    .map(([file]) => `#include <${file}>`);
  return {
    text: [
      "// SPDX-License-Identifier: GPL-2.0",
      ...head,
      ...includes,
      "",
      ...(expect.lost > 0 ? [COUNT] : []),
      code,
      "",
    ].join("\n"),
  };
}

interface Parts {
  readonly body: readonly string[];
  readonly variables: readonly string[];
  readonly used: readonly string[];
  readonly makeMms: readonly string[];
  readonly endMms: readonly string[];
}

function functionText(head: string, variables: readonly string[], body: readonly string[]): string[] {
  return [
    head,
    "{",
    ...variables.map((v) => `\t${v}`),
    ...(variables.length > 0 ? [""] : []),
    ...body.map((line) => `\t${line}`),
    "}",
  ];
}

/** Runs the calls once, with the expectations between them. */
function single(id: string, { body, variables, used, makeMms, endMms }: Parts): string[] {
  return functionText(
    `static void ${id}_test(struct kunit *test)`,
    [...used.map((mm) => `struct mm_struct *${mm};`), ...variables],
    [...makeMms, ...body, ...endMms],
  );
}

/** Runs the calls many times and counts free pages before and after. */
function counted(
  program: Program,
  names: readonly string[],
  id: string,
  { body, variables, used, makeMms, endMms, lost }: Parts & { lost: number },
): string[] {
  const params = ["struct kunit *test", ...used.map((mm) => `struct mm_struct *${mm}`)].join(", ");
  const round = `${id}_round(${["test", ...used].join(", ")});`;
  const words = program.claims.filter((c) => c.pages > 0).map((c) => inNames(c.words, program, names)).join("; ");
  // Many, against the noise of a busy machine; but a small one must not run dry before the pages are counted.
  const rounds = lost <= 4 ? 500 : lost <= 20 ? 100 : 16;
  return [
    `#define ROUNDS ${rounds}`,
    "",
    ...functionText(`static void ${id}_round(${params})`, variables, body),
    "",
    ...functionText(
      `static void ${id}_test(struct kunit *test)`,
      [
        ...used.map((mm) => `struct mm_struct *${mm};`),
        "long before, after, lost;",
      ],
      [
        ...makeMms,
        "/* What the first round leaves in caches is not lost. */",
        round,
        "before = count_free_pages();",
        "for (unsigned int i = 0; i < ROUNDS; i++)",
        `\t${round}`,
        "after = count_free_pages();",
        "/* What the rest of the machine took and gave meanwhile is less than a page a round. */",
        "lost = DIV_ROUND_CLOSEST(before - after, ROUNDS);",
        "KUNIT_EXPECT_EQ_MSG(test, lost, 0L,",
        `\t\t    ${quoted(words).replace('"', '"each round loses %ld pages: ')}, lost);`,
        ...endMms,
      ],
    ),
  ];
}
