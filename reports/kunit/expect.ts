/**
 * What a KUnit test can see of a finding on a kernel that runs: pages that are
 * lost, references, head flags and orders, and which page a lookup answered.
 *
 * Most invariants are about promises, which no kernel keeps a record of; those
 * findings have no expectation here, and a program that shows nothing else is
 * no test.
 *
 * @module
 */
import { CALLS, type Kind, OP_AT } from "../../core/program/calls.ts";
import { machineFor } from "../../corpus/machine_for.ts";
import { codeIndexOfStep } from "../../core/program/print.ts";
import { type Claim, FIRST_SLOT, type Program, STEP_WORDS } from "../../core/program/program.ts";
import { __GFP_COMP } from "../../core/memory/gfp.ts";
import { NULL, PAGE_OFFSET, PAGE_SHIFT, PAGE_WORDS_SHIFT, W_REFCOUNT } from "../../core/memory/words.ts";
import { definitionsOf, rootsOf } from "./names.ts";

/** Lines of C that stand before or after a step. */
export interface Expectation {
  readonly step: number;
  readonly before: boolean;
  readonly lines: readonly string[];
}

/** All that a program's claims come to. */
export interface Expectations {
  /** Pages that each run of the program loses. */
  readonly lost: number;
  readonly list: readonly Expectation[];
  /** Why there is no test, where the kernel would die before it could say anything. */
  readonly fatal: string | undefined;
}

/** Calls that answer another view of the memory they are given. */
const LOOKUPS: readonly string[] = [
  "compound_head",
  "virt_to_head_page",
  "page_folio",
  "page_ptdesc",
  "virt_to_ptdesc",
];
/** Calls that free what `compound_order` answers. */
const SIZED: readonly string[] = ["pagetable_free", "ptdesc_free"];
/** Calls that put or take a reference of their first operand. */
const COUNTED: readonly string[] = [
  "put_page",
  "get_page",
  "__free_pages",
  "__free_page",
  "free_pages",
  "free_page",
  "pagetable_free",
  "ptdesc_free",
];

/** A value's page as C. */
export function pageText(name: string, kind: Kind): string {
  switch (kind) {
    case "virt":
      return `virt_to_page(${name})`;
    case "ptdesc":
      return `ptdesc_page(${name})`;
    case "folio":
      return `folio_page(${name}, 0)`;
    default:
      return name;
  }
}

/** A string literal of C. */
export function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%")}\\n"`;
}

/** Words about a program's names, about the test's. */
export function inNames(words: string, program: Program, names: readonly string[]): string {
  const byName = new Map(program.slots.map((s, i) => [s.name, names[i]!]));
  return words.replace(/\b[A-Za-z_]\w*\b/g, (word) => byName.get(word) ?? word);
}

/** Reads a program, its names and its memory. */
class Reader {
  readonly program: Program;
  readonly names: readonly string[];
  readonly #roots: Int32Array;
  readonly #lines: Int32Array;

  constructor(program: Program, names: readonly string[]) {
    this.program = program;
    this.names = names;
    this.#roots = rootsOf(program);
    this.#lines = definitionsOf(program);
  }

  /** Word of a step's instruction. */
  pc(step: number): number {
    return (codeIndexOfStep(this.program, step) ?? 0) * STEP_WORDS;
  }

  call(step: number): string {
    return CALLS[this.program.code[this.pc(step)]!]?.name ?? "";
  }

  /** Slot of a step's first operand, or -1; and the pages added to it. */
  operand(step: number): { slot: number; offset: number } {
    const pc = this.pc(step);
    const code = this.program.code;
    const which = code[pc + 6]!;
    if ((which & 1) === 0) return { slot: -1, offset: 0 };
    // Of a gather's calls the second is meant.
    const second = this.program.slots[code[pc + 2]!]?.kind === "gather" && (which & 2) !== 0;
    return second
      ? { slot: code[pc + 3]!, offset: (code[pc + 5]! >> 10) & 1023 }
      : { slot: code[pc + 2]!, offset: code[pc + 5]! & 1023 };
  }

  text(slot: number, offset = 0): string {
    const page = pageText(this.names[slot]!, this.program.slots[slot]!.kind);
    return offset === 0 ? page : `${page} + ${offset}`;
  }

  root(slot: number): number {
    return this.#roots[slot]!;
  }

  /** Order and kind of the block that a slot's line granted; undefined where it granted none with an order. */
  grant(slot: number): { order: number; compound: boolean } | undefined {
    const line = this.#lines[slot]!;
    if (line < 0) return undefined;
    const pc = line * STEP_WORDS;
    const code = this.program.code;
    const call = CALLS[code[pc]!]!;
    const gfp = call.params.findIndex((p) => p.type === "gfp");
    if (gfp < 0 || call.name === "alloc_pages_exact") return undefined;
    const order = call.params.findIndex((p) => p.type === "order");
    if (order >= 0 && ((code[pc + 6]! >> order) & 1) !== 0) return undefined;
    const table = call.name === "pagetable_alloc" || call.name === "ptdesc_alloc";
    return {
      order: order < 0 ? 0 : code[pc + 2 + order]!,
      compound: table || (code[pc + 2 + gfp]! & __GFP_COMP) !== 0,
    };
  }

  /** References on a slot's page when a step is about to run, or has run, on the model. */
  refs(slot: number, offset: number, step: number, after: boolean): number {
    const { program } = this;
    const machine = machineFor(program);
    machine.load(program);
    const pc = this.pc(step);
    machine.execute(0, after ? pc + STEP_WORDS : pc);
    const value = machine.slots[slot]!;
    if (value === NULL) return NULL;
    const pfn = (value >= PAGE_OFFSET ? (value - PAGE_OFFSET) >> PAGE_SHIFT : value) + offset;
    return machine.kernel.mem[(pfn << PAGE_WORDS_SHIFT) + W_REFCOUNT] ?? NULL;
  }
}

/** The expectation of one claim; undefined where a running kernel shows nothing of it. */
function expectation(r: Reader, claim: Claim, words: string): Expectation | undefined {
  const { step } = claim;
  const name = r.call(step);
  const { slot, offset } = r.operand(step);
  const before = (...lines: string[]): Expectation => ({ step, before: true, lines });
  const after = (...lines: string[]): Expectation => ({ step, before: false, lines });
  const root = slot < FIRST_SLOT ? -1 : r.root(slot);
  const granted = root < 0 ? undefined : r.grant(root);
  switch (claim.invariant) {
    case "head-misuse":
    case "tail-cast": {
      const dst = r.program.code[r.pc(step) + 1]!;
      if (LOOKUPS.includes(name) && dst >= FIRST_SLOT && root >= 0) {
        return after(`KUNIT_EXPECT_PTR_EQ_MSG(test, ${r.text(dst)}, ${r.text(root)}, ${quoted(words)});`);
      }
      if (!SIZED.includes(name) || granted === undefined) return undefined;
      return before(
        `KUNIT_EXPECT_EQ_MSG(test, compound_order(${r.text(slot, offset)}), ${granted.order}, ${quoted(words)});`,
      );
    }
    case "double-free":
    case "bad-reference": {
      if (slot < 0) return undefined;
      if (COUNTED.includes(name) && r.refs(slot, offset, step, false) === 0) {
        return before(`KUNIT_ASSERT_GT_MSG(test, page_ref_count(${r.text(slot, offset)}), 0, ${quoted(words)});`);
      }
      const refs = r.refs(slot, offset, step, true);
      if (claim.invariant === "double-free" || refs < 0) return undefined;
      return after(`KUNIT_EXPECT_EQ_MSG(test, page_ref_count(${r.text(slot, offset)}), ${refs}, ${quoted(words)});`);
    }
    case "order-mismatch": {
      const pc = r.pc(step);
      const order = CALLS[r.program.code[pc]!]?.params.findIndex((p) => p.type === "order") ?? -1;
      if (order < 0 || granted === undefined || !granted.compound || root < 0) return undefined;
      const freed = r.program.code[pc + 2 + order]!;
      return before(`KUNIT_ASSERT_EQ_MSG(test, compound_order(${r.text(root)}), ${freed}, ${quoted(words)});`);
    }
    case "compound-order": {
      const dst = r.program.code[r.pc(step) + 1]!;
      const block = root >= 0 ? root : dst;
      const of = block < FIRST_SLOT ? undefined : r.grant(block);
      if (of === undefined) return undefined;
      const page = r.text(block);
      if (!of.compound) return after(`KUNIT_EXPECT_FALSE_MSG(test, PageCompound(${page}), ${quoted(words)});`);
      return after(
        `KUNIT_EXPECT_EQ_MSG(test, compound_order(${page}), ${of.order}, ${quoted(words)});`,
        `for (unsigned int i = 1; i < 1 << ${of.order}; i++)`,
        `\tKUNIT_EXPECT_PTR_EQ_MSG(test, compound_head(${page} + i), ${page}, ${quoted(words)});`,
      );
    }
    default:
      return undefined;
  }
}

/** What a test can expect of a program with these claims. */
export function expectationsOf(program: Program, names: readonly string[]): Expectations {
  const reader = new Reader(program, names);
  let lost = 0;
  const list: Expectation[] = [];
  for (const claim of program.claims) {
    const words = inNames(claim.words || claim.invariant, program, names);
    const e = expectation(reader, claim, words);
    if (claim.invariant === "page-leak" || claim.invariant === "kernel-check") lost += claim.pages;
    else if (e !== undefined) list.push(e);
  }
  const dies = program.claims.find((c) => c.invariant === "kernel-check" && c.pages === 0);
  const guarded = dies !== undefined && list.some((e) => e.step === dies.step && e.before);
  return {
    lost,
    list,
    fatal: dies === undefined || guarded
      ? undefined
      : `the kernel dies at step ${dies.step} (${dies.words || "BUG"}), before a test can say anything`,
  };
}

/** Whether a step stands inside another call: `at POINT`. */
export function hasPoint({ code }: Program): boolean {
  for (let pc = 0; pc < code.length; pc += STEP_WORDS) if (code[pc] === OP_AT) return true;
  return false;
}
