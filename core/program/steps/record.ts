/**
 * Runs a program and takes down every stop (see `step_through.ts`).
 *
 * What is shown is read from the machine's memory and ledger here and nowhere
 * else: a gather's facts by {@linkcode gathersOf}, walkers' by
 * {@linkcode walkersOf}, a page's by the columns.
 *
 * @module
 */
import { G_END, G_FULLMM, G_MM, G_START, GATHER_WORDS } from "../../kernel/mmu_gather.ts";
import { FAMILY_NAMES, KERNEL } from "../../ledger/families.ts";
import * as states from "../../ledger/states.ts";
import { WALK_IOMMU, WALK_IRQ, WALK_RCU, WALK_TLB } from "../../ledger/walkers.ts";
import type { Layout } from "../../memory/layout.ts";
import {
  areaWord,
  LIST_POISON1,
  LIST_POISON2,
  type MemMap,
  NR_ORDERS,
  PAGES_TO_FREE,
  ZONE_WORDS,
} from "../../memory/mem_map.ts";
import { NULL, PAGE_OFFSET, PAGE_SHIFT, PAGE_WORDS, PAGE_WORDS_SHIFT, W_PRIVATE, W_TYPE } from "../../memory/words.ts";
import { CALLS, OP_AT, OP_REPEAT } from "../calls.ts";
import { type Finding, findingsOf } from "../findings.ts";
import { Machine } from "../machine.ts";
import { printStep } from "../print.ts";
import { MM_SLOTS, type Program, type Slot, STEP_WORDS } from "../program.ts";
import {
  type Block,
  COL_BLOCK,
  COL_CONTENTS,
  COL_ENV_REFS,
  COL_FREE_ORDER,
  COL_GATHER,
  COL_LINK,
  COL_REFS,
  COL_STATE,
  COLUMNS,
  difference,
  FREE,
  GIVEN_UP,
  GRANTED,
  KERNEL_OWN,
  LOST,
  QUEUED,
  RESERVED,
} from "./columns.ts";
import type { LayoutFacts, Lists } from "./fields.ts";
import type { Found, GatherFacts, Line, Outcome, StepThrough, Stop, StopKind, WalkerFacts } from "./step_through.ts";
import * as $records from "../../ledger/records.ts";

const {
  GR_COMPOUND,
  GR_FAMILY,
  GR_FIRST,
  GR_GATHER,
  GR_ORDER,
  GR_SHIFT,
  GR_SLOT,
  GR_STATE,
  GR_TOTAL,
  L_ENV_REFS,
  L_GRANT,
  L_REFS,
  L_RESERVED,
  L_SHIFT,
} = $records;

/** The part of a layout that names words. */
export function layoutFacts(layout: Layout): LayoutFacts {
  const { name, page, folio, ptdesc, flagNames, buddyMask, buddyValue, buddyBit, orderWord, orderShift } = layout;
  return { name, page, folio, ptdesc, flagNames, buddyMask, buddyValue, buddyBit, orderWord, orderShift };
}

/** The heads of lists in memory, and what a deleted node holds. */
function listsOf(map: MemMap): Lists {
  const areas = [0, ZONE_WORDS].flatMap((zone) =>
    Array.from({ length: NR_ORDERS }, (_, order): [number, string] => [
      areaWord(map.zones + zone, order) << 2,
      `free list of order ${order}`,
    ])
  );
  return [
    ...areas,
    [map.pgdList << 2, "pgd_list"],
    [(map.pgdList + PAGES_TO_FREE) << 2, "a list on the stack"],
    [LIST_POISON1, "LIST_POISON1"],
    [LIST_POISON2, "LIST_POISON2"],
  ];
}

/** A value in words. */
function valueWords(slot: Slot, value: number): string {
  if (slot.kind === "int") return String(value);
  if (value === NULL) return "NULL";
  if (slot.kind === "gather" || slot.kind === "walker" || slot.kind === "mm") return `${slot.kind} ${value}`;
  if (value >= PAGE_OFFSET) return `the address of page ${(value - PAGE_OFFSET) >> PAGE_SHIFT}`;
  return slot.kind === "page" ? `page ${value}` : `the ${slot.kind} of page ${value}`;
}

/** Name of the slot of a kind that holds a value; the last one that was given it. */
function nameOf(machine: Machine, program: Program, kind: string, value: number): string {
  const slot = program.slots.findLastIndex((s, i) => s.kind === kind && machine.slots[i] === value);
  return program.slots[slot]?.name ?? `${kind} ${value}`;
}

/** Gathers in use, and what waits for a grace period. */
export function gathersOf(machine: Machine, program: Program): GatherFacts[] {
  const { ledger: l, kernel: k } = machine;
  const list: GatherFacts[] = [];
  l.gathers.forEach((state, i) => {
    if (state !== 1) return;
    const word = (w: number) => k.gathers[i * GATHER_WORDS + w]!;
    const hex = (page: number) => `0x${(page * (1 << PAGE_SHIFT)).toString(16)}`;
    const range = word(G_FULLMM) !== 0
      ? "fullmm: the range is everything"
      : word(G_END) === 0
      ? "the range is empty"
      : `range ${hex(word(G_START))} to ${hex(word(G_END))}`;
    const mm = MM_SLOTS[word(G_MM)];
    list.push({
      id: l.gatherIds[i]!,
      name: nameOf(machine, program, "gather", i),
      words: [...(mm === undefined ? [] : [mm]), range],
    });
  });
  return list;
}

/** What each kind of walker is, and how it leaves once the entry to its table is cleared. */
const WALKERS: Readonly<Record<number, string>> = {
  [WALK_TLB]: "the hardware's walk cache; leaves with a flush that covers the address",
  [WALK_IRQ]: "gup_fast, interrupts off; leaves with an IPI or a grace period",
  [WALK_RCU]: "pte_offset_map, rcu_read_lock; leaves with a grace period",
  [WALK_IOMMU]: "the IOMMU's cache; leaves with an IOTLB flush",
};

/** Walkers that may still look at a table, and its pages. */
export function walkersOf(machine: Machine, program: Program): WalkerFacts[] {
  const { ledger: l } = machine;
  const list: WalkerFacts[] = [];
  for (let w = 0; w < l.walkers.n; w++) {
    const g = l.walkers.table[w]!;
    if (g < 0) continue;
    list.push({
      name: program.slots[l.walkers.slot[w]!]?.name ?? `walker ${w}`,
      words: WALKERS[l.walkers.kind[w]!] ?? "",
      pages: Array.from(
        { length: l.grants[(g << GR_SHIFT) | GR_TOTAL]! },
        (_, i) => l.grants[(g << GR_SHIFT) | GR_FIRST]! + i,
      ),
    });
  }
  return list;
}

/** Takes the columns from a machine. */
class Columns {
  readonly #machine: Machine;
  readonly #program: Program;
  readonly blocks: Block[] = [];
  readonly #ids = new Map<string, number>();
  readonly #lastBlock: Int32Array;

  constructor(machine: Machine, program: Program) {
    this.#machine = machine;
    this.#program = program;
    this.#lastBlock = new Int32Array(program.pages).fill(-1);
  }

  take(): Int32Array {
    const { ledger: l, kernel: k } = this.#machine;
    const n = l.nrPages;
    const to = new Int32Array(n * COLUMNS);
    let freeUntil = 0;
    for (let pfn = 0; pfn < n; pfn++) {
      const w = pfn << PAGE_WORDS_SHIFT;
      for (let i = 0; i < PAGE_WORDS; i++) to[i * n + pfn] = l.mem[w + i]!;
      const isHead = (l.mem[w + W_TYPE]! & l.layout.buddyMask) === l.layout.buddyValue;
      const order = isHead ? l.mem[w + W_PRIVATE]! : -1;
      if (isHead && order >= 0 && order < 31) freeUntil = Math.max(freeUntil, pfn + (1 << order));
      const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
      const set = (column: number, value: number) => to[column * n + pfn] = value;
      set(COL_FREE_ORDER, order);
      set(COL_STATE, g >= 0 ? this.#state(g, pfn) : pfn < freeUntil ? FREE : LOST);
      if (g >= 0) this.#lastBlock[pfn] = this.#block(g);
      else if (pfn < freeUntil) this.#lastBlock[pfn] = -1;
      set(COL_BLOCK, this.#lastBlock[pfn]!);
      set(COL_REFS, l.pages[(pfn << L_SHIFT) | L_REFS]!);
      set(COL_ENV_REFS, l.pages[(pfn << L_SHIFT) | L_ENV_REFS]!);
      set(
        COL_GATHER,
        g >= 0 && l.grants[(g << GR_SHIFT) | GR_STATE] === states.QUEUED ? l.grants[(g << GR_SHIFT) | GR_GATHER]! : 0,
      );
      set(COL_LINK, g >= 0 ? l.gLink[g]! : 0);
      set(COL_CONTENTS, l.mem[k.map.contents + pfn]!);
    }
    return to;
  }

  #state(g: number, pfn: number): number {
    const l = this.#machine.ledger;
    if (l.grants[(g << GR_SHIFT) | GR_FAMILY] === KERNEL) return KERNEL_OWN;
    if (l.grants[(g << GR_SHIFT) | GR_STATE] === states.QUEUED) return QUEUED;
    if (l.grants[(g << GR_SHIFT) | GR_STATE] === states.INTENDED) return GIVEN_UP;
    return l.pages[(pfn << L_SHIFT) | L_RESERVED] !== 0 ? RESERVED : GRANTED;
  }

  #block(g: number): number {
    const l = this.#machine.ledger;
    const slot = l.grants[(g << GR_SHIFT) | GR_SLOT]!;
    const block: Block = {
      name: this.#program.slots[slot]?.name ?? `page ${l.grants[(g << GR_SHIFT) | GR_FIRST]}`,
      first: l.grants[(g << GR_SHIFT) | GR_FIRST]!,
      pages: l.grants[(g << GR_SHIFT) | GR_TOTAL]!,
      order: l.grants[(g << GR_SHIFT) | GR_ORDER]!,
      compound: l.grants[(g << GR_SHIFT) | GR_COMPOUND] !== 0,
      family: FAMILY_NAMES[l.grants[(g << GR_SHIFT) | GR_FAMILY]!] ?? "",
    };
    const key = JSON.stringify(block);
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.blocks.push(block) - 1;
      this.#ids.set(key, id);
    }
    return id;
  }
}

/** Lines of the instructions from `from` to `to`, and the number of the last step. */
function linesOf(program: Program, from: number, to: number, step: number): { lines: Line[]; step: number } {
  const lines: Line[] = [];
  const op = (i: number) => program.code[i * STEP_WORDS]!;
  for (let i = from; i < to; i++) {
    if (op(i) === OP_AT) {
      lines.push({ text: `${printStep(program, i)} ${printStep(program, ++i)}`, step: ++step });
    } else if (op(i) === OP_REPEAT) {
      const count = program.code[i * STEP_WORDS + 3]!;
      const body = linesOf(program, i + 1, i + 1 + count, step);
      step = body.step;
      if (body.lines.length === 1) {
        lines.push({ text: `${printStep(program, i)} ${body.lines[0]!.text}`, step });
      } else {
        lines.push({ text: printStep(program, i), step: 0 });
        lines.push(...body.lines.map((l) => ({ ...l, text: `  ${l.text}` })), { text: "end", step: 0 });
      }
      i += count;
    } else {
      lines.push({ text: printStep(program, i), step: ++step });
    }
  }
  return { lines, step };
}

/** How many instructions the one at this index is, with those that belong to it. */
function length(program: Program, at: number): number {
  const op = program.code[at * STEP_WORDS]!;
  return op === OP_AT ? 2 : op === OP_REPEAT ? 1 + program.code[at * STEP_WORDS + 3]! : 1;
}

/** What the last line of some instructions answered. */
function answerOf(machine: Machine, program: Program, at: number): string {
  const call = CALLS[program.code[at * STEP_WORDS]!];
  const dst = program.code[at * STEP_WORDS + 1]!;
  const slot = program.slots[dst];
  if (call === undefined || call.result === "void" || slot === undefined) return "";
  return `${slot.name} = ${valueWords(slot, machine.slots[dst]!)}`;
}

function foundOf(f: Finding): Found {
  return { invariant: f.invariant, severity: f.severity, step: f.step, pages: f.pages, words: f.words };
}

/** Runs a program, on a machine for its place, and takes down every stop. */
export function recordSteps(program: Program, machine: Machine = new Machine(program)): StepThrough {
  machine.load(program);
  const columns = new Columns(machine, program);
  const stops: Stop[] = [];
  const findings: Found[] = [];
  let before: Int32Array = new Int32Array(program.pages * COLUMNS);
  let said = { gathers: "[]", walkers: "[]" };
  let seen = 0;

  const push = (kind: StopKind, lines: readonly Line[], step: number, outcome: Outcome, answer: string): void => {
    const after = columns.take();
    const gathers = gathersOf(machine, program);
    const walkers = walkersOf(machine, program);
    const saying = { gathers: JSON.stringify(gathers), walkers: JSON.stringify(walkers) };
    const fresh = findingsOf(machine, program.slots, seen).map(foundOf);
    seen = machine.ledger.nFindings;
    stops.push({
      kind,
      lines,
      step,
      outcome,
      answer,
      changes: difference(before, after),
      ...(saying.gathers !== said.gathers && { gathers }),
      ...(saying.walkers !== said.walkers && { walkers }),
      found: fresh.map((f) => findings.push(f) - 1),
    });
    before = after;
    said = saying;
  };

  push("boot", [], 0, "ran", "");
  const end = program.code.length / STEP_WORDS;
  let step = 0;
  for (let at = 0; at < end;) {
    const n = length(program, at);
    const of = linesOf(program, at, at + n, step);
    step = of.step;
    const over = machine.ledger.stop;
    if (!over) machine.execute(at * STEP_WORDS, (at + n) * STEP_WORDS);
    const op = program.code[at * STEP_WORDS]!;
    const ran = machine.ran.subarray(at, at + n).some((r) => r === 1);
    const outcome: Outcome = over ? "not run" : op === OP_AT ? "armed" : ran ? "ran" : "skipped";
    push("line", of.lines, step, outcome, outcome === "ran" && n === 1 ? answerOf(machine, program, at) : "");
    at += n;
  }
  machine.finish();
  push("drain", [], step, "ran", "");
  return {
    kernel: program.kernel,
    arch: program.arch,
    config: program.config,
    pages: program.pages,
    layout: layoutFacts(machine.kernel.layout),
    lists: listsOf(machine.kernel.map),
    stops,
    blocks: columns.blocks,
    findings,
  };
}
