/**
 * A recording as programs on the model, with every invariant.
 *
 * Each table is allocated and given back by the lines of the discipline that it
 * is laid to, in the order of the recording and where the recording says
 * (`env place`); an allocation that contradicts the discipline is made as
 * recorded, and freed by the discipline's path all the same. What the model
 * frees is compared with what the recording says was freed.
 *
 * The zone is small, so groups of neighbouring pages get a place in it while a
 * table lives there. Programs are of a length that can be read; each begins
 * with the tables that live, and ends where something is broken.
 *
 * @module
 */
import { __GFP_COMP } from "../core/memory/gfp.ts";
import { MAX_PAGE_ORDER } from "../core/memory/words.ts";
import { opOf } from "../core/program/calls.ts";
import { type Finding, findingsOf } from "../core/program/findings.ts";
import { KIND_LETTERS, KINDS } from "../core/program/kinds.ts";
import {
  DEFAULT_PAGES,
  FIRST_SLOT,
  MAX_PAGES,
  MAX_SLOTS,
  MM_SLOTS,
  type Program,
  type Slot,
  STEP_WORDS,
} from "../core/program/program.ts";
import { FINDING_WORDS } from "../core/ledger/finding.ts";
import type { CompiledDiscipline, Discipline } from "../corpus/discipline.ts";
import { Digest } from "../fuzz/digest.ts";
import { freePath } from "./attribute.ts";
import type { Flags } from "./gfp.ts";
import type { Kind } from "./judge.ts";
import { type Form, formOf, record, type Traced, tracedMachine } from "./shapes.ts";
import type { Symbols } from "./symbols.ts";

/** Pages that keep their neighbours at least, as an order. */
const MIN_GROUP_ORDER = 2;
/** Events that are collected, and of one program at most. */
const MAX_EVENTS = 1000;
/** Events of one program at least: what is broken ends it, and what follows is written anew. */
const MIN_EVENTS = 16;

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

/** One recorded event. */
export type Step =
  | { readonly what: "alloc"; readonly play: Play; readonly pfn: number }
  | {
    readonly what: "free";
    readonly pfn: number;
    readonly offset: number;
    readonly order: number;
    readonly path: number;
  }
  | { readonly what: "forget"; readonly pfn: number };

interface Table {
  readonly play: Play;
  readonly pfn: number;
  /** Its page in the zone. */
  readonly page: number;
  /** Its first piece is gone. */
  gone: boolean;
  held: boolean;
}

/** A release that the model made, or did not make, as recorded. */
interface Awaited {
  readonly page: number;
  readonly order: number;
}

/** The names of one table in a program. */
interface Own {
  /** Its number. */
  readonly n: number;
  /** Slots of the discipline's names, by the discipline's slot; -1 where there is none yet. */
  readonly slots: number[];
  /** Slot of the block where it was made as recorded, else -1. */
  page: number;
}

/** What a replay asks of a discipline again and again. */
interface Facts {
  readonly compiled: CompiledDiscipline;
  /** Its alloc path makes one allocation. */
  readonly single: boolean;
  /** By free path: it goes through a gather. */
  readonly gathers: readonly boolean[];
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

const facts = new Map<Discipline, Map<string, Facts>>();

function factsOf(d: Discipline, kernel: string): Facts {
  let own = facts.get(d);
  if (own === undefined) facts.set(d, own = new Map());
  let known = own.get(kernel);
  if (known === undefined) {
    const compiled = d.compile(kernel);
    const { code } = compiled.alloc;
    let allocations = 0;
    for (let pc = 0; pc < code.length; pc += STEP_WORDS) if (ALLOCATES.has(code[pc]!)) allocations++;
    const gathers = d.free.map((f) => /\btlb_\w+\(/.test(f.run));
    own.set(kernel, known = { compiled, single: allocations === 1, gathers });
  }
  return known;
}

/** Writes a program whose tables' names are numbered. */
class Writer {
  /** The steps, {@linkcode Writer.words} of them. */
  code: Int32Array = new Int32Array(1 << 14);
  words = 0;
  readonly #kinds: Slot["kind"][] = MM_SLOTS.map(() => "mm");
  /** Number of the table that a slot belongs to. */
  readonly #numbers: number[] = MM_SLOTS.map(() => -1);
  #tables = 0;
  readonly #ofTable = new Map<Table, Own>();

  /** Slots so far. */
  get slotCount(): number {
    return this.#kinds.length;
  }

  #room(words: number): void {
    if (this.words + words <= this.code.length) return;
    const larger = new Int32Array(this.code.length * 2 + words);
    larger.set(this.code);
    this.code = larger;
  }

  line(op: number, dst: number, a = 0, b = 0, which = 0): void {
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
    this.words += STEP_WORDS;
  }

  #slot(kind: Slot["kind"], n: number): number {
    this.#numbers.push(n);
    return this.#kinds.push(kind) - 1;
  }

  /** The names: the letter of the kind and the table's number, and which of these it is. */
  slots(): Slot[] {
    const taken = new Map<string, number>();
    return this.#kinds.map((kind, i): Slot => {
      if (i < FIRST_SLOT) return { name: MM_SLOTS[i]!, kind, isConst: false };
      const name = `${KIND_LETTERS[kind]}${this.#numbers[i]}`;
      const times = (taken.get(name) ?? 0) + 1;
      taken.set(name, times);
      return { name: times === 1 ? name : `${name}_${times}`, kind, isConst: false };
    });
  }

  alloc(table: Table, kernel: string, place: boolean): void {
    const n = this.#tables++;
    const { discipline, fits, flags, kind } = table.play;
    const known = discipline === undefined ? undefined : factsOf(discipline, kernel);
    const own: Own = { n, slots: new Array(known?.compiled.slots.length ?? 0).fill(-1), page: -1 };
    this.#ofTable.set(table, own);
    if (place) this.line(OP.place, -1, table.page);
    if (known !== undefined && fits && known.single) {
      this.#path(known.compiled, known.compiled.alloc.code, own);
      return;
    }
    own.page = this.#slot("page", n);
    this.line(OP.alloc_pages, own.page, flags.bits | (flags.compound ? __GFP_COMP : 0), kind.order);
  }

  /** The lines of a path, with the names of this table. */
  #path({ slots }: CompiledDiscipline, path: Int32Array, own: Own): void {
    this.#room(path.length);
    const { code } = this;
    const at = this.words;
    for (let i = 0; i < path.length; i++) code[at + i] = path[i]!;
    for (let pc = at; pc < at + path.length; pc += STEP_WORDS) {
      for (let i = 0; i < 3; i++) {
        if (((code[pc + 6]! >> i) & 1) !== 0) code[pc + 2 + i] = this.#own(slots, own, code[pc + 2 + i]!);
      }
      if (code[pc + 1]! >= 0) code[pc + 1] = this.#own(slots, own, code[pc + 1]!);
      code[pc + 7] = 0;
    }
    this.words += path.length;
  }

  /** The slot that stands for one of a discipline's. */
  #own(slots: readonly Slot[], own: Own, s: number): number {
    if (s < FIRST_SLOT) return s;
    const known = own.slots[s]!;
    return known >= 0 ? known : own.slots[s] = this.#slot(slots[s]!.kind, own.n);
  }

  /** Gives a table back by a path of its discipline, or as recorded. */
  free(table: Table, kernel: string, path: number, order: number): void {
    const own = this.#ofTable.get(table)!;
    const { discipline } = table.play;
    const known = discipline === undefined ? undefined : factsOf(discipline, kernel);
    if (known === undefined || (own.page >= 0 && !known.single)) {
      this.line(OP.free_pages, -1, own.page, order, 1);
      return;
    }
    const { code } = known.compiled.free[path]!;
    if (own.page >= 0) this.#nameFor(known.compiled, code, own);
    this.#path(known.compiled, code, own);
    if (known.gathers[path]!) this.line(OP.rcu, -1);
  }

  /** The names that a path takes, for a block that was made as recorded. */
  #nameFor({ alloc, slots }: CompiledDiscipline, free: Int32Array, own: Own): void {
    const taken = new Set<number>();
    for (let pc = 0; pc < free.length; pc += STEP_WORDS) {
      for (let i = 0; i < 3; i++) if (((free[pc + 6]! >> i) & 1) !== 0) taken.add(free[pc + 2 + i]!);
    }
    for (let pc = 0; pc < alloc.code.length; pc += STEP_WORDS) {
      const s = alloc.code[pc + 1]!;
      if (s < FIRST_SLOT || !taken.has(s)) continue;
      const { kind } = slots[s]!;
      if (kind === "page") own.slots[s] = own.page;
      if (kind !== "virt" && kind !== "ptdesc") continue;
      const slot = this.#slot(kind, own.n);
      own.slots[s] = slot;
      this.line(kind === "virt" ? OP.page_to_virt : OP.page_ptdesc, slot, own.page, 0, 1);
    }
  }

  /** A name that points at the table's first page. */
  pointer(table: Table): number {
    const own = this.#ofTable.get(table)!;
    return own.page >= 0 ? own.page : own.slots.find((s) => s >= 0)!;
  }

  program({ kernel, arch, config }: Stage, pages: number): Program {
    const code = this.code.slice(0, this.words);
    return { comments: [], kernel, arch, config, pages, code, slots: this.slots(), claims: [] };
  }

  /** Runs it without making a program of it. */
  run({ machine, allocs, frees }: Traced): void {
    allocs.length = 0;
    frees.length = 0;
    this.#kinds.forEach((kind, i) => machine.ledger.kinds[i] = KIND_OF[kind]);
    machine.runCode(this.code, this.words, this.#kinds.length);
  }
}

/** Indices of kinds. */
const KIND_OF = Object.fromEntries(KINDS.map((kind, i) => [kind, i])) as Readonly<Record<Slot["kind"], number>>;

/** Gives groups of pages a place in the zone while they are in use. */
class Zone {
  readonly #places = new Map<number, { place: number; users: number }>();
  readonly #free: number[];
  readonly #group: number;

  /** @param order the largest table's */
  constructor(order: number) {
    this.#group = 1 << Math.max(MIN_GROUP_ORDER, Math.min(order, MAX_PAGE_ORDER));
    const places = MAX_PAGES / this.#group;
    this.#free = Array.from({ length: places }, (_, i) => places - 1 - i);
  }

  /** The page that stands for a block's first; -1 where there is no room. */
  take(pfn: number, order: number): number {
    if (1 << order > this.#group || pfn % (1 << order) !== 0) return -1;
    const group = Math.floor(pfn / this.#group);
    let own = this.#places.get(group);
    if (own === undefined) {
      const place = this.#free.pop();
      if (place === undefined) return -1;
      this.#places.set(group, own = { place, users: 0 });
    }
    own.users++;
    return own.place * this.#group + pfn % this.#group;
  }

  /** The block is free again. */
  give(pfn: number): void {
    const group = Math.floor(pfn / this.#group);
    const own = this.#places.get(group);
    if (own === undefined || --own.users > 0) return;
    this.#places.delete(group);
    this.#free.push(own.place);
  }
}

/** One way in which a kind of table went, as the model ran it. */
export interface Played {
  readonly play: Play;
  readonly path: number;
  readonly form: Form;
  /** Findings of a program of this table alone, and that program. */
  readonly findings: readonly Finding[];
  readonly program: Program;
  readonly steps: number;
}

/** Replays a recording event by event. */
export class Replay {
  /** Tables that were replayed. */
  tables = 0;
  /** Tables for which the zone had no room. */
  skipped = 0;
  programs = 0;
  steps = 0;
  /** Programs in which a discipline's tables took part, and the lines of these tables. */
  readonly byDiscipline = new Map<string, { programs: number; steps: number }>();
  /** Releases in which model and recording agree. */
  agreed = 0;
  /** Those in which they do not, by kind and path. */
  readonly differing = new Map<string, { play: Play; path: number; recorded: Form; count: number }>();
  readonly digest = new Digest();

  /** How often each invariant was checked and broken, by index. */
  get counts(): { readonly checks: Float64Array; readonly violations: Float64Array } {
    return this.#traced.machine.ledger;
  }

  readonly #stage: Stage;
  readonly #traced: Traced;
  readonly #zone: Zone;
  /** Tables that live, by first page. */
  readonly #live = new Map<number, Table>();
  /** Those that lived when the program began. */
  #before: Table[] = [];
  #steps: { step: Step; table: Table }[] = [];
  /** Events of the next program. */
  #length = 200;
  /** Something that is not latent ended the program that ran last. */
  #stopped = false;

  /** @param order the largest table's: as many pages keep their neighbours */
  constructor(stage: Stage, order: number) {
    this.#stage = stage;
    this.#zone = new Zone(order);
    this.#traced = tracedMachine({ ...stage, pages: MAX_PAGES });
  }

  /** Takes the next event. */
  add(step: Step): void {
    if (step.what === "alloc") {
      // Overlapping tables are no program: the allocator would not have it.
      this.#drop(step.pfn);
      const page = this.#zone.take(step.pfn, step.play.kind.order);
      if (page < 0) {
        this.skipped++;
        return;
      }
      this.tables++;
      const table: Table = { play: step.play, pfn: step.pfn, page, gone: false, held: false };
      this.#live.set(step.pfn, table);
      this.#steps.push({ step, table });
    } else {
      const table = this.#live.get(step.pfn);
      if (table === undefined) return;
      if (step.what === "forget") return this.#drop(step.pfn);
      this.#steps.push({ step, table });
      table.gone = true;
      if (step.offset === 0 && step.order === table.play.kind.order) this.#remove(table);
    }
    if (this.#steps.length >= MAX_EVENTS) this.flush();
  }

  #remove(table: Table): void {
    this.#live.delete(table.pfn);
    this.#zone.give(table.pfn);
  }

  /** A table of which nothing more is known: it takes no further part. */
  #drop(pfn: number): void {
    const table = this.#live.get(pfn);
    if (table === undefined) return;
    this.flush();
    if (this.#live.get(pfn) === table) this.#remove(table);
    this.#before = this.#before.filter((t) => t !== table);
  }

  /** Runs what was collected. */
  flush(): void {
    let before = this.#before;
    let steps = this.#steps;
    this.#steps = [];
    while (steps.length > 0) {
      const done = this.#run(before, steps.slice(0, this.#length));
      this.#length = this.#stopped ? Math.max(MIN_EVENTS, this.#length >> 1) : Math.min(MAX_EVENTS, this.#length * 2);
      const broken = this.#stopped ? steps[done - 1]?.table : undefined;
      before = after(before, steps.slice(0, done)).filter((t) => t !== broken);
      // What was broken takes no further part.
      steps = steps.slice(done).filter((s) => s.table !== broken);
    }
    // What went in part is not put up again: the rest of it belongs to nobody.
    for (const table of [...this.#live.values()]) if (table.gone) this.#remove(table);
    this.#before = [...this.#live.values()];
  }

  /** Runs one program; answers how many of the steps it got through. */
  #run(before: readonly Table[], steps: readonly { step: Step; table: Table }[]): number {
    const { kernel } = this.#stage;
    const writer = new Writer();
    for (const table of before) writer.alloc(table, kernel, true);
    const ends: number[] = [];
    const awaited: (Awaited | undefined)[] = [];
    const begun = new Set<Table>();
    for (const { step, table } of steps) {
      if (writer.slotCount > MAX_SLOTS - 32) break;
      awaited.push(writeStep(writer, step, table, this.#stage, begun));
      ends.push(writer.words / STEP_WORDS);
    }
    const count = ends.length;
    const lines = new Map<string, number>();
    writer.run(this.#traced);
    const { machine } = this.#traced;
    if (machine.ledger.full && count > 1) return this.#run(before, steps.slice(0, count >> 1));
    this.programs++;
    this.steps += machine.steps;
    this.digest.words(writer.code, 0, writer.words);
    this.digest.word(machine.steps);
    this.digest.words(machine.ledger.findings, 0, machine.ledger.nFindings * FINDING_WORDS);
    // A finding that is not latent ends a program.
    const last = machine.ran.subarray(0, ends.at(-1)).lastIndexOf(1) + 1;
    const done = Math.min(count, ends.filter((end) => end < last).length + 1);
    this.#stopped = done < count || machine.ledger.stop;
    for (const [i, { table }] of steps.slice(0, done).entries()) {
      const name = table.play.discipline?.name ?? "";
      lines.set(name, (lines.get(name) ?? 0) + ends[i]! - (i === 0 ? 0 : ends[i - 1]!));
    }
    for (const [name, steps] of lines) {
      const own = this.byDiscipline.get(name) ?? { programs: 0, steps: 0 };
      this.byDiscipline.set(name, { programs: own.programs + 1, steps: own.steps + steps });
    }
    this.#compare(steps.slice(0, done), awaited);
    return done;
  }

  #compare(steps: readonly { step: Step; table: Table }[], awaited: readonly (Awaited | undefined)[]): void {
    const { frees } = this.#traced;
    let next = 0;
    steps.forEach(({ step, table }, i) => {
      const wanted = awaited[i];
      if (wanted === undefined || step.what !== "free") return;
      let at = next;
      while (at < frees.length && (frees[at]!.page !== wanted.page || frees[at]!.order !== wanted.order)) at++;
      if (at < frees.length) {
        next = at + 1;
        this.agreed++;
        return;
      }
      const recorded = formOf([step]);
      const key = `${table.play.kind.id} ${step.path} ${recorded}`;
      const known = this.differing.get(key);
      if (known !== undefined) known.count++;
      else this.differing.set(key, { play: table.play, path: step.path, recorded, count: 1 });
    });
  }
}

/** The tables that live after some steps. */
function after(before: readonly Table[], steps: readonly { step: Step; table: Table }[]): Table[] {
  const live = new Set(before);
  for (const { step, table } of steps) {
    if (step.what === "alloc") live.add(table);
    // A table that went in part is not put up again: what is left of it belongs to nobody.
    else if (step.what === "free") live.delete(table);
  }
  return [...live];
}

/** Writes one event; answers the release that the model should make. */
function writeStep(
  writer: Writer,
  step: Step,
  table: Table,
  { kernel, symbols }: Stage,
  begun: Set<Table>,
): Awaited | undefined {
  if (step.what === "alloc") {
    writer.alloc(table, kernel, true);
    return undefined;
  }
  if (step.what === "forget") return undefined;
  const { discipline } = table.play;
  const path = discipline === undefined ? 0 : freePath(discipline, step.path, symbols);
  const chunk = step.offset > 0;
  if (!begun.has(table)) {
    // Chunks come while somebody else holds page 0.
    if (chunk) writer.line(OP.get, -1, writer.pointer(table), 0, 1);
    table.held = chunk;
    writer.free(table, kernel, path, chunk ? table.play.kind.order : step.order);
    begun.add(table);
  } else if (!chunk && table.held) {
    writer.line(OP.put, -1, writer.pointer(table), 0, 1);
  }
  return { page: table.page + step.offset, order: step.order };
}

function runAlone(
  writer: Writer,
  stage: Stage,
): { program: Program; findings: Finding[]; steps: number; traced: Traced } {
  const program = writer.program(stage, DEFAULT_PAGES);
  const traced = tracedMachine({ ...stage, pages: DEFAULT_PAGES });
  record(traced, program);
  return { program, findings: findingsOf(traced.machine, program.slots), steps: traced.machine.steps, traced };
}

function tableOf(play: Play, literal: boolean): Table {
  return { play: literal ? { ...play, discipline: undefined } : play, pfn: 0, page: 0, gone: false, held: false };
}

/**
 * A program of one table alone: what the way in which it went shows.
 *
 * @param order what was freed
 * @param literal made and freed as recorded, not by the discipline's paths
 */
export function playAlone(play: Play, path: number, order: number, stage: Stage, literal: boolean): Played {
  const table = tableOf(play, literal);
  const { discipline } = table.play;
  const writer = new Writer();
  writer.alloc(table, stage.kernel, false);
  writer.free(table, stage.kernel, discipline === undefined ? 0 : freePath(discipline, path, stage.symbols), order);
  const { program, findings, steps, traced } = runAlone(writer, stage);
  const [page = 0] = traced.allocs.map((a) => a.page);
  const own = traced.frees.filter((f) => f.page >= page && f.page < page + (1 << play.kind.order));
  return {
    play,
    path,
    form: formOf(own.map((f) => ({ offset: f.page - page, order: f.order }))),
    findings,
    program,
    steps,
  };
}

/** A program that frees a table twice. */
export function playTwice(play: Play, stage: Stage): Played {
  const table = tableOf(play, true);
  const writer = new Writer();
  writer.alloc(table, stage.kernel, false);
  for (let i = 0; i < 2; i++) writer.free(table, stage.kernel, 0, play.kind.order);
  const { program, findings, steps } = runAlone(writer, stage);
  return { play, path: -1, form: "", findings, program, steps };
}

/** A program that only allocates the table. */
export function playTable(play: Play, stage: Stage): Played {
  const writer = new Writer();
  writer.alloc(tableOf(play, true), stage.kernel, false);
  const { program, findings, steps } = runAlone(writer, stage);
  return { play, path: -1, form: "", findings, program, steps };
}
