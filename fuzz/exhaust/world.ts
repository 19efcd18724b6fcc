/**
 * What an exhaustive search walks through: one machine on which a few tables of
 * a discipline come and go, and every step that may be next.
 *
 * Each table has a place with names of its own, so that the lines of all paths
 * of all tables stand in one piece of code that is written once. A move runs
 * some of them; what the environment holds lies in names of its own.
 *
 *     code:   place 0: alloc, uses, frees, fails | gone, get for each name
 *             place 1: ...
 *             put for each reference | rcu | fail for each FAILABLE
 *
 * @module
 */
import * as $points from "../../core/kernel/points.ts";
import type { CompiledDiscipline } from "../../corpus/discipline.ts";
import * as $calls from "../../core/program/calls.ts";
import * as $kinds from "../../core/program/kinds.ts";
import type { Machine } from "../../core/program/machine.ts";
import { MachineState, type Saved } from "../../core/program/machine_state.ts";
import * as $program from "../../core/program/program.ts";
import * as $mmuGather from "../../core/kernel/mmu_gather.ts";
import * as $words from "../../core/memory/words.ts";
import * as $pathFacts from "../path_facts.ts";
import { type Part, type Walk, Walks } from "./paths.ts";
import * as $records from "../../core/ledger/records.ts";

const { GR_SHIFT, GR_SLOT, L_GRANT, L_SHIFT } = $records;
const { AFTER_PUT } = $points;
const { FAILABLE, OP_AT, OP_REPEAT, opOf } = $calls;
const { KIND_PAGE, KIND_VIRT, kindIndex } = $kinds;
const { FIRST_SLOT, STEP_WORDS } = $program;
const { UNITS } = $mmuGather;
const { NULL, PAGE_OFFSET, PAGE_SHIFT } = $words;
const { reservesMemory, walksOf } = $pathFacts;

/** A table's path goes on by a part. */
export const ADVANCE = 0;
/** A path of a table begins; path 0 makes the table. */
export const START = 1;
/** A speculative reference is taken. */
export const GET = 2;
/** It is put. */
export const PUT = 3;
/** A grace period ends. */
export const RCU = 4;
/** Whoever owned what is left of a table is gone. */
export const CLOSE = 5;

/** No table has the place. */
const ABSENT = 0;
/** A path runs. */
const RUNNING = 1;
/** It may be used and freed. */
const READY = 2;
/** Its last path has ended, and something of it is left. */
const CLOSING = 3;

/** A move led to a state. */
export const MOVED = 0;
/** A finding ends the program. */
export const STOPPED = 1;
/** The zone had no memory for a line that has no path for that. */
export const NO_MEMORY = 2;
/** It is the same as another move. */
export const SAME = 3;

/** Of a move: what it does. */
export function kindOfMove(move: number): number {
  return move & 7;
}

/**
 * A move: its kind, the table and its path or name; and what the environment
 * does just before the last of its lines: something fails, somebody walks into
 * the table, or (inside the line) a reference is put. 0 is none of these.
 */
function moveOf(kind: number, table: number, arg: number, fail: number, walk = 0, put = 0): number {
  return kind | table << 3 | arg << 6 | fail << 12 | walk << 16 | put << 20;
}

function wordOf(state: number, path: number, part: number, rest: number): number {
  return state | path << 2 | part << 9 | rest << 20;
}

/** Who is told which lines a move runs, to write them as a program. */
export interface Scribe {
  /** A path of a table begins. */
  path(table: number, walk: Walk, index: number): void;
  /** Lines of a path: [from, to) in words of its code; `index` is the path's. */
  lines(table: number, index: number, from: number, to: number): void;
  fail(which: number): void;
  /** A get or put through a name, `env owner_gone` of one. */
  get(table: number, name: number, held: number): void;
  put(held: number): void;
  rcu(): void;
  /** Somebody walks into the table of a name, by that step of the environment. */
  walk(table: number, name: number, op: number): void;
  /** What follows is done where that point is reached in the line behind it. */
  at(point: number): void;
  gone(table: number, name: number): void;
}

/** Bounds of a search. */
export interface Bounds {
  /** Tables at once. */
  readonly tables: number;
  /** References of the environment at once. */
  readonly references: number;
  /** False: lines that concern only their table are interleaved with others' too. */
  readonly merge?: boolean;
}

/** Gathers at once of one table, and entries of a batch page that a path without `repeat` fills. */
const GATHERS = 2;
const FEW_UNITS = 48;

const OP_GET = opOf("env get_page_unless_zero");
const OP_PUT = opOf("env put_page");
const OP_FAIL = opOf("env fail");
const OP_RCU = opOf("env rcu_grace_period");
const OP_GONE = opOf("env owner_gone");
/** Points inside functions; there is one. */
const POINT = AFTER_PUT;

/** The machine, its tables, and the moves. */
export class World {
  readonly machine: Machine;
  readonly state: MachineState;
  readonly walks: readonly Walk[];
  readonly bounds: Bounds;
  /** A table's path and part, by place. */
  readonly tables: Int32Array;
  /** Names of one table. */
  readonly names: number;
  /** First name that holds what the environment holds. */
  readonly firstHeld: number;
  /** Lines of text that the last move ran. */
  lines = 0;
  /** Moves of the last {@linkcode moves}. */
  readonly list: Int32Array = new Int32Array(512);
  /** Name by name: it grants. */
  readonly grantNames: readonly number[];
  /** Whether a name is a number, a pointer, or a gather: kinds of one table's names. */
  readonly kinds: Uint8Array;

  readonly #paths: Walks;
  /** Word of each path's code, by table and path. */
  readonly #at: Int32Array[];
  readonly #gone: Int32Array[];
  readonly #get: Int32Array[];
  readonly #put: Int32Array;
  readonly #rcu: number;
  /** Steps that start walkers, and their lines by table, name and step. */
  readonly #walkOps: Int32Array;
  readonly #walk: Int32Array[];
  /** What arms a put, for each reference. */
  readonly #arm: Int32Array;
  /** The name of whoever walks: nobody asks for it later. */
  readonly #walker: number;
  readonly #fail: Int32Array;
  readonly #pointers: readonly number[];
  readonly #before: Saved;

  constructor(machine: Machine, discipline: CompiledDiscipline, bounds: Bounds) {
    this.machine = machine;
    this.bounds = bounds;
    const paths = new Walks(discipline, machine.ledger, bounds.merge);
    this.#paths = paths;
    this.walks = paths.walks;
    this.names = discipline.slots.length - FIRST_SLOT;
    this.firstHeld = FIRST_SLOT + bounds.tables * this.names;
    this.kinds = Uint8Array.from(discipline.slots.slice(FIRST_SLOT), (s) => kindIndex(s.kind));
    this.grantNames = [...new Set(paths.walks.flatMap((w) => w.grants))].map((s) => s - FIRST_SLOT);
    const code = new Code();
    this.#at = [];
    this.#gone = [];
    this.#get = [];
    // On reserved memory a speculative reference is theoretical: no real code takes one.
    this.#pointers = reservesMemory(discipline)
      ? []
      : paths.walks[0]!.own.filter((s) => kindIndex(discipline.slots[s]!.kind) <= KIND_VIRT).map((s) => s - FIRST_SLOT);
    for (let t = 0; t < bounds.tables; t++) {
      const base = t * this.names;
      this.#at.push(Int32Array.from(paths.walks, (w) => code.path(w.path.code, base)));
      this.#gone.push(Int32Array.from({ length: this.names }, (_, s) => code.line(OP_GONE, FIRST_SLOT + base + s, 1)));
      this.#get.push(Int32Array.from({ length: this.names }, (_, s) => code.line(OP_GET, FIRST_SLOT + base + s, 1)));
    }
    this.#walker = this.firstHeld + bounds.references;
    const { alloc, use, free, fail } = discipline;
    this.#walkOps = walksOf([alloc, ...use, ...free, ...fail], machine.ledger.walkerKinds);
    const walkers = this.#walkOps.length;
    this.#walk = Array.from(
      { length: bounds.tables },
      (_, t) =>
        Int32Array.from({ length: this.names * walkers }, (_, i) => {
          const name = FIRST_SLOT + t * this.names + Math.floor(i / walkers);
          return code.line(this.#walkOps[i % walkers]!, name, 1, this.#walker);
        }),
    );
    this.#arm = Int32Array.from({ length: bounds.references }, (_, i) => {
      const at = code.line(OP_AT, POINT, 0);
      code.line(OP_PUT, this.firstHeld + i, 1);
      return at;
    });
    this.#put = Int32Array.from({ length: bounds.references }, (_, i) => code.line(OP_PUT, this.firstHeld + i, 1));
    this.#rcu = code.line(OP_RCU, 0, 0);
    this.#fail = Int32Array.from(FAILABLE, (_, i) => code.line(OP_FAIL, i, 0));
    const slots = this.#walker + 1;
    const repeats = paths.walks.some((w) => w.path.code.some((word, i) => i % STEP_WORDS === 0 && word === OP_REPEAT));
    this.state = new MachineState(machine, slots, bounds.tables, repeats ? UNITS : FEW_UNITS, GATHERS * bounds.tables);
    this.tables = this.state.own;
    const { kinds } = machine.ledger;
    for (let i = 0; i < FIRST_SLOT; i++) kinds[i] = kindIndex("mm");
    for (let t = 0; t < bounds.tables; t++) kinds.set(this.kinds, FIRST_SLOT + t * this.names);
    for (let i = 0; i < bounds.references; i++) kinds[this.firstHeld + i] = KIND_PAGE;
    kinds[this.#walker] = kindIndex("walker");
    machine.begin(code.words(), code.length, slots);
    this.tables.fill(ABSENT);
    this.#before = this.state.room();
  }

  /** Whether no path is in the middle: a program may end here. */
  atRest(): boolean {
    for (let t = 0; t < this.tables.length; t++) {
      const state = this.tables[t]! & 3;
      if (state === RUNNING || state === CLOSING) return false;
    }
    return true;
  }

  /** Whether a page was granted to a table, and not all of it is gone. */
  isOwn(t: number, page: number): boolean {
    const { pages, grants, nrPages } = this.machine.ledger;
    if (page >>> 0 >= nrPages) return false;
    const g = pages[(page << L_SHIFT) | L_GRANT]!;
    const name = g >= 0 ? grants[(g << GR_SHIFT) | GR_SLOT]! - FIRST_SLOT - t * this.names : -1;
    return name >= 0 && name < this.names;
  }

  /** Some path goes on using what was given up. */
  get usesGivenUp(): boolean {
    return this.#paths.usesGivenUp;
  }

  /** Whether a table's path, or its next one, may still use a name. */
  isUsed(t: number, name: number): boolean {
    const word = this.tables[t]!;
    if ((word & 3) === READY) return true;
    if ((word & 3) !== RUNNING) return false;
    return this.walks[(word >> 2) & 127]!.uses[(word >> 9) & 1023]![FIRST_SLOT + name] === 1 ||
      // What runs now may be what makes the table ready.
      ((word >> 2) & 127) < this.#paths.firstFree;
  }

  /** Lists every move that is possible now; their number. */
  moves(): number {
    const { tables, list } = this;
    const paths = this.#paths;
    let n = 0;
    for (let t = 0; t < tables.length; t++) {
      if ((tables[t]! & 3) !== CLOSING) continue;
      list[0] = moveOf(CLOSE, t, 0, 0);
      return 1;
    }
    let fresh = false;
    for (let t = 0; t < tables.length; t++) {
      const word = tables[t]!;
      const state = word & 3;
      if (state === ABSENT) {
        if (fresh) continue;
        fresh = true;
        n = this.#variants(n, START, t, 0, this.walks[0]!.parts[0]!);
      } else if (state === RUNNING) {
        n = this.#variants(n, ADVANCE, t, 0, this.walks[(word >> 2) & 127]!.parts[(word >> 9) & 1023]!);
      } else {
        for (let path = 1; path < paths.firstFail; path++) {
          n = this.#variants(n, START, t, path, this.walks[path]!.parts[0]!);
        }
      }
      if (state !== ABSENT) n = this.#gets(n, t);
    }
    n = this.#puts(n, PUT, 0, 0);
    list[n++] = moveOf(RCU, 0, 0, 0);
    return this.#puts(n, RCU, 0, 0);
  }

  /** A part as it is; with what may fail in it, each with whoever may walk; and with a put inside. */
  #variants(n: number, kind: number, t: number, path: number, part: Part): number {
    const { list } = this;
    const walkers = part.walked >= 0 ? this.#walkOps.length : 0;
    for (let walk = 0; walk <= walkers; walk++) {
      list[n++] = moveOf(kind, t, path, 0, walk);
      for (let bit = 0; part.failable >> bit !== 0; bit++) {
        if ((part.failable >> bit & 1) !== 0) list[n++] = moveOf(kind, t, path, bit + 1, walk);
      }
    }
    return part.reaches ? this.#puts(n, kind, t, path) : n;
  }

  /** A get for each page of its own that a name of the table points at, while there is room for another. */
  #gets(n: number, t: number): number {
    if (this.#free() < 0) return n;
    const { slots } = this.machine;
    const base = FIRST_SLOT + t * this.names;
    const from = n;
    for (let i = 0; i < this.#pointers.length; i++) {
      const name = this.#pointers[i]!;
      const page = pageAt(slots[base + name]!);
      if (!this.isOwn(t, page)) continue;
      let known = false;
      for (let j = from; j < n; j++) known ||= pageAt(slots[base + (this.list[j]! >> 6 & 63)]!) === page;
      if (!known) this.list[n++] = moveOf(GET, t, name, 0);
    }
    return n;
  }

  /** A put of each page that the environment holds: as a move, or inside the next line of one. */
  #puts(n: number, kind: number, t: number, path: number): number {
    const { slots } = this.machine;
    for (let i = 0; i < this.bounds.references; i++) {
      const page = slots[this.firstHeld + i]!;
      if (page === NULL) continue;
      let known = false;
      for (let j = 0; j < i; j++) known ||= slots[this.firstHeld + j] === page;
      if (!known) this.list[n++] = kind === PUT ? moveOf(PUT, 0, i, 0) : moveOf(kind, t, path, 0, 0, i + 1);
    }
    return n;
  }

  /** A name that holds nothing for the environment, or -1. */
  #free(): number {
    const { slots } = this.machine;
    for (let i = 0; i < this.bounds.references; i++) if (slots[this.firstHeld + i] === NULL) return i;
    return -1;
  }

  /** Makes a move. What it ran is told to the scribe. */
  move(move: number, scribe: Scribe | null): number {
    const result = this.#make(move, scribe);
    // What the machine stopped at belongs to the move that it is the same as.
    if (result === SAME && this.machine.ledger.stop) this.machine.finish();
    return result;
  }

  #make(move: number, scribe: Scribe | null): number {
    const t = move >> 3 & 7;
    const arg = move >> 6 & 63;
    this.lines = 1;
    switch (move & 7) {
      case ADVANCE: {
        const word = this.tables[t]!;
        this.lines = 0;
        return this.#part(t, (word >> 2) & 127, (word >> 9) & 1023, move, scribe);
      }
      case START:
        return this.#start(t, arg, move, scribe);
      case GET:
        return this.#getPage(t, arg, scribe);
      case PUT:
        scribe?.put(arg);
        this.#run(this.#put[arg]!, STEP_WORDS);
        this.machine.slots[this.firstHeld + arg] = NULL;
        return this.#moved();
      case RCU:
        this.#armed(move, scribe);
        scribe?.rcu();
        this.#run(this.#rcu, STEP_WORDS);
        return this.#reached(move) ? this.#moved() : SAME;
      default:
        return this.#close(t, scribe);
    }
  }

  /** The put inside the next line is armed, where the move has one. */
  #armed(move: number, scribe: Scribe | null): void {
    const put = (move >> 20) - 1;
    if (put < 0) return;
    this.lines++;
    scribe?.at(POINT);
    scribe?.put(put);
    this.#run(this.#arm[put]!, 2 * STEP_WORDS);
  }

  /** Whether the point of an armed put was reached: else the move is the same as one without. */
  #reached(move: number): boolean {
    const put = (move >> 20) - 1;
    if (put < 0) return true;
    this.machine.slots[this.firstHeld + put] = NULL;
    return this.machine.kernel.armed < 0;
  }

  #run(at: number, words: number): void {
    this.machine.execute(at, at + words);
  }

  #moved(): number {
    return this.machine.ledger.stop ? STOPPED : MOVED;
  }

  #getPage(t: number, name: number, scribe: Scribe | null): number {
    const { slots, ledger } = this.machine;
    const held = this.#free();
    scribe?.get(t, name, held);
    this.#run(this.#get[t]![name]!, STEP_WORDS);
    if (ledger.res !== 0) slots[this.firstHeld + held] = pageAt(slots[FIRST_SLOT + t * this.names + name]!);
    return this.#moved();
  }

  #start(t: number, path: number, move: number, scribe: Scribe | null): number {
    const rest = (this.tables[t]! >> 20) - 1;
    this.lines = 0;
    if (rest >= 0) {
      const lines = this.walks[rest]!.rest!;
      scribe?.lines(t, rest, lines.from, lines.to);
      this.#run(this.#at[t]![rest]! + lines.from, lines.to - lines.from);
      this.lines = lines.lines;
      if (this.machine.ledger.stop) return STOPPED;
      if (rest > 0) this.#forget(t, this.walks[rest]!, false);
    }
    scribe?.path(t, this.walks[path]!, path);
    this.#forget(t, this.walks[path]!, true);
    return this.#part(t, path, 0, move, scribe);
  }

  /** Names of a path hold nothing any more; those that it grants into only where `all`. */
  #forget(t: number, walk: Walk, all: boolean): void {
    const base = t * this.names;
    const { own, grants } = walk;
    for (let i = 0; i < own.length; i++) {
      if (all || !grants.includes(own[i]!)) this.#clear(base + own[i]!);
    }
    if (!all) return;
    for (let i = 0; i < grants.length; i++) this.#disown(base + grants[i]!, base + grants[i]! + 1);
  }

  /** What is left of grants under names from `from` to `to` is theirs no more: the names begin anew. */
  #disown(from: number, to: number): void {
    const { pages, grants, nrPages } = this.machine.ledger;
    for (let pfn = 0; pfn < nrPages; pfn++) {
      const g = pages[(pfn << L_SHIFT) | L_GRANT]!;
      const at = (g << GR_SHIFT) | GR_SLOT;
      if (g >= 0 && grants[at]! >= from && grants[at]! < to) grants[at] = -1;
    }
  }

  #clear(slot: number): void {
    const { slots, ledger } = this.machine;
    slots[slot] = NULL;
    ledger.via[slot] = 0;
    ledger.slotPages[slot] = 0;
  }

  #part(t: number, path: number, index: number, move: number, scribe: Scribe | null): number {
    const walk = this.walks[path]!;
    const part = walk.parts[index]!;
    const at = this.#at[t]![path]!;
    const { machine } = this;
    const fail = (move >> 12) & 15;
    this.lines += part.lines;
    if (move >> 12 === 0) {
      scribe?.lines(t, path, part.from, part.to);
      this.#run(at + part.from, part.to - part.from);
      if (machine.ledger.stop) return STOPPED;
    } else {
      scribe?.lines(t, path, part.from, part.last);
      if (part.last > part.from) this.#run(at + part.from, part.last - part.from);
      if (machine.ledger.stop) return STOPPED;
      const walk = (move >> 16 & 15) - 1;
      if (walk >= 0 && !this.#walkIn(t, part.walked - FIRST_SLOT, walk, scribe)) return SAME;
      if (fail !== 0) {
        this.lines++;
        scribe?.fail(fail - 1);
        this.#run(this.#fail[fail - 1]!, STEP_WORDS);
      }
      this.#armed(move, scribe);
      scribe?.lines(t, path, part.last, part.to);
      this.#run(at + part.last, part.to - part.last);
      if (!this.#reached(move)) return SAME;
      if (machine.ledger.stop) return STOPPED;
      // A failure that nobody met: it may as well come later.
      if (fail !== 0 && (machine.kernel.failNext & (1 << (fail - 1))) !== 0) return SAME;
    }
    if (part.grant >= 0 && machine.slots[t * this.names + part.grant] === NULL) return this.#failed(t, part, scribe);
    if (part.lock >= 0 && machine.slots[t * this.names + part.lock] === 0) return this.#failed(t, part, scribe);
    if (index + 1 < walk.parts.length) {
      this.tables[t] = wordOf(RUNNING, path, index + 1, 0);
      return MOVED;
    }
    if (path < this.#paths.firstFree) {
      const left = walk.rest !== null;
      if (!left && path > 0) this.#forget(t, walk, false);
      this.tables[t] = wordOf(READY, 0, 0, left ? path + 1 : 0);
      return MOVED;
    }
    return this.#ended(t);
  }

  /** Somebody walks into the table that a name points at; false where nobody can. */
  #walkIn(t: number, name: number, walk: number, scribe: Scribe | null): boolean {
    const { machine } = this;
    const { walkers } = machine.ledger;
    const before = walkers.n;
    this.lines++;
    scribe?.walk(t, name, this.#walkOps[walk]!);
    this.#run(this.#walk[t]![name * this.#walkOps.length + walk]!, STEP_WORDS);
    machine.slots[this.#walker] = NULL;
    return walkers.n > before;
  }

  /** An allocation failed: the path for that, or no table. */
  #failed(t: number, part: Part, scribe: Scribe | null): number {
    if (part.onFail === -2) return NO_MEMORY;
    if (part.onFail === -1) {
      this.#vacate(t);
      return MOVED;
    }
    const path = this.#paths.firstFail + part.onFail;
    scribe?.path(t, this.walks[path]!, path);
    this.#forget(t, this.walks[path]!, true);
    this.tables[t] = wordOf(RUNNING, path, 0, 0);
    return MOVED;
  }

  #vacate(t: number): void {
    const base = FIRST_SLOT + t * this.names;
    for (let s = 0; s < this.names; s++) this.#clear(base + s);
    this.#disown(base, base + this.names);
    this.tables[t] = ABSENT;
  }

  /** A free or fail path has ended: whoever owned the table's grants is gone, which matters where something is left. */
  #ended(t: number): number {
    const { ledger } = this.machine;
    const before = ledger.nFindings;
    this.state.save(this.#before);
    for (let i = 0; i < this.grantNames.length; i++) {
      if (this.machine.slots[FIRST_SLOT + t * this.names + this.grantNames[i]!] === NULL) continue;
      this.#run(this.#gone[t]![this.grantNames[i]!]!, STEP_WORDS);
      if (ledger.nFindings === before && !ledger.stop) continue;
      this.state.restore(this.#before);
      ledger.nFindings = before;
      this.tables[t] = wordOf(CLOSING, 0, 0, 0);
      return MOVED;
    }
    this.#vacate(t);
    return MOVED;
  }

  #close(t: number, scribe: Scribe | null): number {
    const { ledger } = this.machine;
    this.lines = 0;
    for (let i = 0; i < this.grantNames.length; i++) {
      if (this.machine.slots[FIRST_SLOT + t * this.names + this.grantNames[i]!] === NULL) continue;
      scribe?.gone(t, this.grantNames[i]!);
      this.#run(this.#gone[t]![this.grantNames[i]!]!, STEP_WORDS);
      this.lines++;
      if (ledger.stop) return STOPPED;
    }
    this.#vacate(t);
    return MOVED;
  }
}

/** The page that a pointer of any kind stands for. */
function pageAt(value: number): number {
  return value >= PAGE_OFFSET ? (value - PAGE_OFFSET) >> PAGE_SHIFT : value;
}

/** Writes the code of a world. */
class Code {
  readonly #words: number[] = [];

  get length(): number {
    return this.#words.length;
  }

  /** A path with its names moved by so many. */
  path(code: Int32Array, base: number): number {
    const at = this.#words.length;
    for (let pc = 0; pc < code.length; pc += STEP_WORDS) {
      const op = code[pc]!;
      const which = op < OP_AT ? code[pc + 6]! : 0;
      const moved = (word: number, isName: boolean): number => isName && word >= FIRST_SLOT ? word + base : word;
      this.#words.push(
        op,
        op < OP_AT ? moved(code[pc + 1]!, true) : code[pc + 1]!,
        moved(code[pc + 2]!, (which & 1) !== 0),
        moved(code[pc + 3]!, (which & 2) !== 0),
        moved(code[pc + 4]!, (which & 4) !== 0),
        code[pc + 5]!,
        code[pc + 6]!,
        1,
      );
    }
    return at;
  }

  line(op: number, a: number, which: number, dst = -1): number {
    const at = this.#words.length;
    this.#words.push(op, dst, a, 0, 0, 0, which, 0);
    return at;
  }

  words(): Int32Array {
    return Int32Array.from(this.#words);
  }
}
