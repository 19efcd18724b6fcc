/**
 * Programs of recorded tables, written by the lines of their disciplines.
 *
 * A recording is replayed in programs without end, so writing one costs a copy
 * of its lines: each path is a template, and of it only the names change, which
 * carry the number of their table.
 *
 * @module
 */
import { __GFP_COMP } from "../core/memory/gfp.ts";
import { opOf } from "../core/program/calls.ts";
import { KIND_LETTERS, kindIndex, KINDS } from "../core/program/kinds.ts";
import { FIRST_SLOT, MAX_SLOTS, MM_SLOTS, type Program, type Slot, STEP_WORDS } from "../core/program/program.ts";
import type { CompiledDiscipline, CompiledPath, Discipline } from "../corpus/discipline.ts";
import { freePath } from "./attribute.ts";
import type { Flags } from "./gfp.ts";
import type { Kind } from "./judge.ts";
import type { Traced } from "./shapes.ts";
import type { Symbols } from "./symbols.ts";

const OP = {
  place: opOf("env place"),
  alloc_pages: opOf("alloc_pages"),
  free_pages: opOf("__free_pages"),
  page_to_virt: opOf("page_to_virt"),
  page_ptdesc: opOf("page_ptdesc"),
  get: opOf("env get_page_unless_zero"),
  put: opOf("env put_page"),
  rcu: opOf("env rcu_grace_period"),
};

/** What a replay needs to know of a kind of table. */
export interface Play {
  readonly kind: Kind;
  readonly flags: Flags;
  /** undefined: made and freed as recorded. */
  readonly discipline: Discipline | undefined;
  /** It allocates as the discipline says. */
  readonly fits: boolean;
}

/** Kernel, architecture and configuration of the model. */
export interface Stage {
  readonly kernel: string;
  readonly arch: string;
  readonly config: readonly string[];
  readonly symbols: Symbols;
}

/** The lines of a path, and where a name stands in them. */
interface Template {
  readonly code: Int32Array;
  /** Words that hold a slot, in the order in which they are named. */
  readonly words: Int32Array;
  /** Of each, the discipline's slot. */
  readonly slots: Int32Array;
}

function templateOf({ code }: CompiledPath): Template {
  const lines = code.slice();
  const words: number[] = [];
  for (let pc = 0; pc < lines.length; pc += STEP_WORDS) {
    for (let i = 0; i < 3; i++) if (((lines[pc + 6]! >> i) & 1) !== 0) words.push(pc + 2 + i);
    words.push(pc + 1);
    lines[pc + 7] = 0;
  }
  const named = words.filter((w) => lines[w]! >= FIRST_SLOT);
  return { code: lines, words: Int32Array.from(named), slots: Int32Array.from(named, (w) => lines[w]!) };
}

/** A name of a discipline. */
interface Name {
  readonly slot: number;
  readonly kind: Slot["kind"];
}

/** The names that a free path takes from the alloc path. */
function takenBy(free: Int32Array, { alloc, slots }: CompiledDiscipline): Name[] {
  const taken = new Set<number>();
  for (let pc = 0; pc < free.length; pc += STEP_WORDS) {
    for (let i = 0; i < 3; i++) if (((free[pc + 6]! >> i) & 1) !== 0) taken.add(free[pc + 2 + i]!);
  }
  const names: Name[] = [];
  for (let pc = 0; pc < alloc.code.length; pc += STEP_WORDS) {
    const slot = alloc.code[pc + 1]!;
    if (slot >= FIRST_SLOT && taken.has(slot)) names.push({ slot, kind: slots[slot]!.kind });
  }
  return names;
}

/** What is asked of one kind of table again and again. */
export interface Plan {
  readonly play: Play;
  /** Its discipline's paths; undefined: made and freed as recorded. */
  readonly compiled: CompiledDiscipline | undefined;
  /** Its alloc path makes one allocation. */
  readonly single: boolean;
  readonly alloc: Template | undefined;
  /** By free path. */
  readonly free: readonly Template[];
  /** By free path: it goes through a gather. */
  readonly gathers: readonly boolean[];
  /** By free path: the names that it takes from the alloc path, in the order in which they are made. */
  readonly taken: readonly (readonly Name[])[];
  /** The free path that a function stands for. */
  path(symbol: number): number;
  /** Names that its allocation takes. */
  readonly names: number;
  /** Tables that are over, to be used again: a long recording has millions. */
  readonly spare: Table[];
}

/** Calls that take a block out of the allocator. */
const ALLOCATES: ReadonlySet<number> = new Set(
  [
    "alloc_pages",
    "alloc_page",
    "__get_free_pages",
    "__get_free_page",
    "get_zeroed_page",
    "pagetable_alloc",
    "ptdesc_alloc",
  ]
    .map(opOf),
);

/** Finds the plan of a kind. */
export function planOf(play: Play, { kernel, symbols }: Stage): Plan {
  const { discipline } = play;
  if (discipline === undefined) {
    const path = () => 0;
    return {
      play,
      compiled: undefined,
      single: false,
      alloc: undefined,
      free: [],
      gathers: [],
      taken: [],
      path,
      names: 1,
      spare: [],
    };
  }
  const compiled = discipline.compile(kernel);
  const { code } = compiled.alloc;
  let allocations = 0;
  for (let pc = 0; pc < code.length; pc += STEP_WORDS) if (ALLOCATES.has(code[pc]!)) allocations++;
  const alloc = templateOf(compiled.alloc);
  const paths = new Map<number, number>();
  return {
    play,
    compiled,
    single: allocations === 1,
    alloc,
    free: compiled.free.map(templateOf),
    taken: compiled.free.map(({ code }) => takenBy(code, compiled)),
    gathers: discipline.free.map((f) => /\btlb_\w+\(/.test(f.run)),
    path(symbol) {
      let path = paths.get(symbol);
      if (path === undefined) paths.set(symbol, path = freePath(discipline, symbol, symbols));
      return path;
    },
    names: Math.max(1, new Set(alloc.slots).size),
    spare: [],
  };
}

/** A table, and its names in the program that is being written. */
export class Table {
  /** Its first page as recorded. */
  pfn = 0;
  /** Its page in the zone. */
  page = 0;
  /** One past its last. */
  end = 0;
  /** It lives, as far as the recording says; of what went in part nobody has the rest. */
  lives = false;
  /** Its first piece is gone. */
  gone = false;
  /** Its first piece went in a program that ran. */
  freed = false;
  /** A program that ran broke it: it takes no further part. */
  broken = false;
  /** Somebody holds its first page. */
  held = false;
  /** Number of the program in which its release began. */
  begun = 0;
  /** Its number in the program. */
  number = 0;
  /** Slot of the block where it was made as recorded, else -1. */
  block = -1;
  /** Slots of the discipline's names, by the discipline's slot; -1 where there is none yet. */
  readonly slots: Int32Array;
  readonly plan: Plan;

  constructor(plan: Plan) {
    this.plan = plan;
    this.slots = new Int32Array(plan.compiled?.slots.length ?? 0).fill(-1);
  }

  /** Begins to live. */
  begin(pfn: number, page: number): void {
    this.pfn = pfn;
    this.page = page;
    this.end = page + (1 << this.plan.play.kind.order);
    this.lives = true;
    this.gone =
      this.freed =
      this.broken =
      this.held =
        false;
    this.begun = 0;
  }
}

/** Writes programs, one after the other, whose tables' names are numbered. */
export class TableWriter {
  /** The steps, {@linkcode TableWriter.words} of them. */
  code: Int32Array = new Int32Array(1 << 14);
  words = 0;
  /** Slots so far. */
  slotCount = 0;
  /** By slot: the index of its kind. */
  readonly #kinds = new Uint8Array(MAX_SLOTS);
  /** By slot: number of the table that it belongs to. */
  readonly #numbers = new Int32Array(MAX_SLOTS);
  #tables = 0;
  /** Number of the program. */
  #program = 0;

  constructor() {
    this.begin();
  }

  /** Begins a new program. */
  begin(): void {
    this.words = 0;
    this.#tables = 0;
    this.#program++;
    this.slotCount = FIRST_SLOT;
    for (let i = 0; i < FIRST_SLOT; i++) this.#kinds[i] = kindIndex("mm");
  }

  #room(words: number): void {
    if (this.words + words <= this.code.length) return;
    const larger = new Int32Array(this.code.length * 2 + words);
    larger.set(this.code);
    this.code = larger;
  }

  #line(op: number, dst: number, a: number, b: number, which: number): void {
    this.#room(STEP_WORDS);
    const { code, words } = this;
    code[words] = op;
    code[words + 1] = dst;
    code[words + 2] = a;
    code[words + 3] = b;
    code[words + 4] = 0;
    code[words + 5] = 0;
    code[words + 6] = which;
    code[words + 7] = 0;
    this.words = words + STEP_WORDS;
  }

  #slot(kind: Slot["kind"], n: number): number {
    const slot = this.slotCount++;
    if (slot >= MAX_SLOTS) throw new Error("a replayed program has too many names");
    this.#kinds[slot] = KIND_OF[kind];
    this.#numbers[slot] = n;
    return slot;
  }

  /** Allocates a table: by its discipline, or as recorded where it does something else. */
  alloc(table: Table, place: boolean): void {
    const { plan, slots } = table;
    table.number = this.#tables++;
    table.block = -1;
    for (let i = 0; i < slots.length; i++) slots[i] = -1;
    if (place) this.#line(OP.place, -1, table.page, 0, 0);
    if (plan.alloc !== undefined && plan.play.fits && plan.single) return this.#path(plan.alloc, table);
    const { flags, kind } = plan.play;
    table.block = this.#slot("page", table.number);
    this.#line(OP.alloc_pages, table.block, flags.bits | (flags.compound ? __GFP_COMP : 0), kind.order, 0);
  }

  /** The lines of a path, with the names of this table. */
  #path({ code: lines, words, slots }: Template, table: Table): void {
    this.#room(lines.length);
    const { code, words: at } = this;
    for (let i = 0; i < lines.length; i++) code[at + i] = lines[i]!;
    for (let i = 0; i < words.length; i++) {
      const s = slots[i]!;
      let slot = table.slots[s]!;
      if (slot < 0) table.slots[s] = slot = this.#slot(table.plan.compiled!.slots[s]!.kind, table.number);
      code[at + words[i]!] = slot;
    }
    this.words = at + lines.length;
  }

  /** Gives a table back by a path of its discipline, or as recorded. */
  free(table: Table, path: number, order: number): void {
    const { plan } = table;
    if (plan.compiled === undefined || (table.block >= 0 && !plan.single)) {
      this.#line(OP.free_pages, -1, table.block, order, 1);
      return;
    }
    if (table.block >= 0) this.#nameFor(plan.taken[path]!, table);
    this.#path(plan.free[path]!, table);
    if (plan.gathers[path]!) this.#line(OP.rcu, -1, 0, 0, 0);
  }

  /** The names that a path takes, for a block that was made as recorded. */
  #nameFor(names: readonly Name[], table: Table): void {
    for (const { slot: s, kind } of names) {
      if (kind === "page") table.slots[s] = table.block;
      if (kind !== "virt" && kind !== "ptdesc") continue;
      const slot = this.#slot(kind, table.number);
      table.slots[s] = slot;
      this.#line(kind === "virt" ? OP.page_to_virt : OP.page_ptdesc, slot, table.block, 0, 1);
    }
  }

  /**
   * Gives up a piece of a table, the first time by a path.
   *
   * Chunks come while somebody else holds page 0, who puts it in the end.
   */
  piece(table: Table, path: number, offset: number, order: number): void {
    const chunk = offset > 0;
    if (table.begun !== this.#program) {
      table.begun = this.#program;
      if (chunk) this.#line(OP.get, -1, pointer(table), 0, 1);
      table.held = chunk;
      this.free(table, path, chunk ? table.plan.play.kind.order : order);
    } else if (!chunk && table.held) this.#line(OP.put, -1, pointer(table), 0, 1);
  }

  /** The names: the letter of the kind and the table's number, and which of these it is. */
  #names(): Slot[] {
    const taken = new Map<string, number>();
    return Array.from(this.#kinds.subarray(0, this.slotCount), (index, i): Slot => {
      const kind = KINDS[index]!;
      if (i < FIRST_SLOT) return { name: MM_SLOTS[i]!, kind, isConst: false };
      const name = `${KIND_LETTERS[kind]}${this.#numbers[i]}`;
      const times = (taken.get(name) ?? 0) + 1;
      taken.set(name, times);
      return { name: times === 1 ? name : `${name}_${times}`, kind, isConst: false };
    });
  }

  /** What was written, as a program to be kept. */
  program({ kernel, arch, config }: Stage, pages: number): Program {
    const code = this.code.slice(0, this.words);
    return { comments: [], kernel, arch, config, pages, code, slots: this.#names(), claims: [] };
  }

  /** Runs it without making a program of it. */
  run({ machine }: Pick<Traced, "machine">): void {
    machine.ledger.kinds.set(this.#kinds.subarray(0, this.slotCount));
    machine.runCode(this.code, this.words, this.slotCount);
  }
}

/** A name that points at the table's first page. */
function pointer(table: Table): number {
  return table.block >= 0 ? table.block : table.slots.find((s) => s >= 0)!;
}

/** Indices of kinds. */
const KIND_OF = Object.fromEntries(KINDS.map((kind, i) => [kind, i])) as Readonly<Record<Slot["kind"], number>>;
