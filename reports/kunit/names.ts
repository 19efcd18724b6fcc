/**
 * Names that people give to what a program calls `p0`, `a0`, `d0`.
 *
 * A value is named after what it is, and after its block where there are
 * several: `block`, `addr`, `ptdesc`; `first_block`, `second_addr`.
 *
 * @module
 */
import { CALLS, type Kind, OP_AT } from "../../core/program/calls.ts";
import { FIRST_SLOT, type Program, STEP_WORDS } from "../../core/program/program.ts";

/** What a kind is called. */
const WORDS: Readonly<Record<Kind, string>> = {
  page: "page",
  folio: "folio",
  ptdesc: "ptdesc",
  virt: "addr",
  mm: "mm",
  gather: "tlb",
  walker: "walker",
  int: "answer",
};

/** What the answers of these calls are called. */
const ANSWERS: Readonly<Record<string, string>> = {
  alloc_pages: "block",
  alloc_page: "page",
  compound_head: "head",
  virt_to_head_page: "head",
  compound_order: "order",
  PageHead: "is_head",
  PageTail: "is_tail",
  PageCompound: "is_compound",
  pagetable_is_reserved: "is_reserved",
  ptdesc_is_reserved: "is_reserved",
  get_page_unless_zero: "speculative",
};

const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];

/** Slots of the mms, by index; the names are those of the test's variables. */
const MMS = ["init_mm", "mm", "other_mm"];

/** For each slot of a program: the slot whose line granted the memory it points to, or itself. */
export function rootsOf(program: Program): Int32Array {
  const { code, slots } = program;
  const roots = Int32Array.from(slots, (_, i) => i);
  for (let pc = 0; pc < code.length; pc += STEP_WORDS) {
    const dst = code[pc + 1]!;
    const call = CALLS[code[pc]!];
    if (code[pc]! >= OP_AT || call === undefined || dst < FIRST_SLOT) continue;
    const from = (code[pc + 6]! & 1) !== 0 ? code[pc + 2]! : -1;
    if (from >= FIRST_SLOT) roots[dst] = roots[from]!;
  }
  return roots;
}

/** The line (instruction) that defines each slot, or -1. */
export function definitionsOf({ code, slots }: Program): Int32Array {
  const lines = new Int32Array(slots.length).fill(-1);
  for (let pc = 0; pc < code.length; pc += STEP_WORDS) {
    const dst = code[pc]! < OP_AT ? code[pc + 1]! : -1;
    if (dst >= 0) lines[dst] = pc / STEP_WORDS;
  }
  return lines;
}

/** A name for each slot. */
export function namesOf(program: Program): string[] {
  const roots = rootsOf(program);
  const lines = definitionsOf(program);
  const blocks = [...new Set([...roots].filter((root, i) => i >= FIRST_SLOT && root >= FIRST_SLOT && lines[i]! >= 0))]
    .filter((root) => program.slots[root]!.kind !== "gather");
  const taken = new Set<string>(MMS);
  return program.slots.map((slot, i) => {
    if (i < FIRST_SLOT) return MMS[i]!;
    const call = lines[i]! < 0 ? undefined : CALLS[program.code[lines[i]! * STEP_WORDS]!];
    const what = ANSWERS[call?.name ?? ""] ?? WORDS[slot.kind];
    const block = blocks.indexOf(roots[i]!);
    const plain = blocks.length > 1 && block >= 0 ? `${ORDINALS[block] ?? `block${block + 1}`}_${what}` : what;
    let name = plain;
    for (let n = 2; taken.has(name); n++) name = `${plain}${n}`;
    taken.add(name);
    return name;
  });
}
