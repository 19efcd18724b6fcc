/**
 * A recording as programs on the model, with every invariant.
 *
 * Each table is allocated and given back by the lines of the discipline that it
 * is laid to, in the order of the recording and where the recording says
 * (`env place`); an allocation that contradicts the discipline is made as
 * recorded, and freed by the discipline's path all the same. What the model
 * frees is compared with what the recording says was freed.
 *
 * Programs are of a length that can be read; each begins with the tables that
 * live, and ends where something is broken.
 *
 * @module
 */
import { FINDING_WORDS } from "../core/ledger/finding.ts";
import { INVARIANTS } from "../core/ledger/invariants.ts";
import { MAX_PAGES, MAX_SLOTS, STEP_WORDS } from "../core/program/program.ts";
import type { Machine } from "../core/program/machine.ts";
import { Digest } from "../fuzz/digest.ts";
import { type Form, formOf, machineWithTracepoints } from "./shapes.ts";
import { type Plan, planOf, type Play, type Stage, Table, TableWriter } from "./table_writer.ts";
import { Zone } from "./zone.ts";

/** Events that are collected, and of one program at most. */
const MAX_EVENTS = 1000;
/** Events of one program at least: what is broken ends it, and what follows is written anew. */
const MIN_EVENTS = 16;
/** Slots that a program needs for an event at most. */
const EVENT_SLOTS = 32;
/** Names of the tables that live at most: the program that begins with them needs room for what happens. */
const MAX_LIVE_NAMES = MAX_SLOTS / 2;
/** Pages of the smallest zone. */
const MIN_ZONE = 256;
/** What an event is that is no release of a piece at an offset. */
const ALLOC = -1;

/** What came of the tables of one discipline. */
interface Tally {
  programs: number;
  steps: number;
  /** The program that was counted last. */
  last: number;
}

/** Replays a recording event by event. */
export class Replay {
  /** Tables that were replayed. */
  tables = 0;
  /** Tables for which the zone, or a program, had no room. */
  skipped = 0;
  programs = 0;
  steps = 0;
  /** Programs in which a discipline's tables took part, and the lines of these tables. */
  get byDiscipline(): ReadonlyMap<string, Readonly<Omit<Tally, "last">>> {
    return this.#tallies;
  }

  /** Releases in which model and recording agree. */
  agreed = 0;
  /** Those in which they do not, by kind and path. */
  readonly differing = new Map<string, { play: Play; path: number; recorded: Form; count: number }>();
  readonly digest = new Digest();

  readonly #stage: Stage;
  readonly #zone: Zone;
  readonly #writer = new TableWriter();
  readonly #plans = new Map<Play, Plan>();
  readonly #tallies = new Map<string, Tally>();
  readonly #tallyOf = new Map<Plan, Tally>();
  /** By the logarithm of their pages. */
  readonly #machines: (Machine | undefined)[] = [];
  /** Tables that live, by first page. */
  readonly #live = new Map<number, Table>();
  #liveNames = 0;
  /** Those that lived when the program began. */
  readonly #before: Table[] = [];
  /** Those that are over when what was collected has run. */
  readonly #over: Table[] = [];

  // The events that were collected.
  #n = 0;
  readonly #table: Table[] = [];
  /** Page offset of what was freed, or ALLOC. */
  readonly #offset = new Int32Array(MAX_EVENTS);
  readonly #order = new Int32Array(MAX_EVENTS);
  /** The function that freed. */
  readonly #path = new Int32Array(MAX_EVENTS);
  /** Where the lines of each end in the program that is written. */
  readonly #end = new Int32Array(MAX_EVENTS);

  /** What the kernel freed in the program that runs: page and order. */
  #freed = new Int32Array(1 << 12);
  #nFreed = 0;
  /** Events of the next program. */
  #length = 200;
  /** Something that is not latent ended the program that ran last. */
  #stopped = false;

  /** @param order the largest table's: as many pages keep their neighbours */
  constructor(stage: Stage, order: number) {
    this.#stage = stage;
    this.#zone = new Zone(order);
  }

  /** How often each invariant was checked and broken, by index. */
  get counts(): { readonly checks: Float64Array; readonly violations: Float64Array } {
    const checks = new Float64Array(INVARIANTS.length);
    const violations = new Float64Array(INVARIANTS.length);
    for (const machine of this.#machines) {
      if (machine === undefined) continue;
      for (let i = 0; i < checks.length; i++) {
        checks[i]! += machine.ledger.checks[i]!;
        violations[i]! += machine.ledger.violations[i]!;
      }
    }
    return { checks, violations };
  }

  /** A table was allocated. */
  alloc(play: Play, pfn: number): void {
    // Overlapping tables are no program: the allocator would not have it.
    this.forget(pfn);
    const plan = this.#planOf(play);
    const page = this.#liveNames + plan.names > MAX_LIVE_NAMES ? -1 : this.#zone.take(pfn, play.kind.order);
    if (page < 0) {
      this.skipped++;
      return;
    }
    this.tables++;
    this.#liveNames += plan.names;
    const table = plan.spare.pop() ?? new Table(plan);
    table.begin(pfn, page);
    this.#live.set(pfn, table);
    this.#collect(table, ALLOC, 0, 0);
  }

  /** A piece of a table (or all of it) was given up by a function. */
  free(pfn: number, offset: number, order: number, path: number): void {
    const table = this.#live.get(pfn);
    if (table === undefined) return;
    table.gone = true;
    if (offset === 0 && order === table.plan.play.kind.order) this.#remove(table);
    this.#collect(table, offset, order, path);
  }

  /** A table of which nothing more is known: it takes no further part. */
  forget(pfn: number): void {
    const table = this.#live.get(pfn);
    if (table === undefined) return;
    this.flush();
    if (!table.lives) return;
    this.#remove(table);
    this.#before.splice(this.#before.indexOf(table), 1);
  }

  #planOf(play: Play): Plan {
    const known = this.#plans.get(play);
    if (known !== undefined) return known;
    const name = play.discipline?.name ?? "";
    let tally = this.#tallies.get(name);
    if (tally === undefined) this.#tallies.set(name, tally = { programs: 0, steps: 0, last: 0 });
    const plan = planOf(play, this.#stage);
    this.#plans.set(play, plan);
    this.#tallyOf.set(plan, tally);
    return plan;
  }

  #collect(table: Table, offset: number, order: number, path: number): void {
    const i = this.#n++;
    this.#table[i] = table;
    this.#offset[i] = offset;
    this.#order[i] = order;
    this.#path[i] = path;
    if (this.#n === MAX_EVENTS) this.flush();
  }

  #remove(table: Table): void {
    table.lives = false;
    this.#over.push(table);
    this.#live.delete(table.pfn);
    this.#liveNames -= table.plan.names;
    this.#zone.give(table.pfn);
  }

  /** Runs what was collected. */
  flush(): void {
    for (let from = 0; from < this.#n;) {
      const done = this.#run(from, Math.min(this.#n, from + this.#length));
      this.#length = this.#stopped ? Math.max(MIN_EVENTS, this.#length >> 1) : Math.min(MAX_EVENTS, this.#length * 2);
      if (this.#stopped && done > 0) this.#table[from + done - 1]!.broken = true;
      this.#settle(from, from + done);
      from += done;
      // What was broken takes no further part.
      if (this.#stopped) this.#dropBroken(from);
    }
    // What went in part is not put up again: the rest of it belongs to nobody.
    for (const table of this.#live.values()) if (table.gone || table.broken) this.#remove(table);
    this.#before.length = 0;
    for (const table of this.#live.values()) this.#before.push(table);
    this.#n = 0;
    for (const table of this.#over) table.plan.spare.push(table);
    this.#over.length = 0;
  }

  /** The tables that live after some events. */
  #settle(from: number, to: number): void {
    const before = this.#before;
    for (let i = from; i < to; i++) {
      if (this.#offset[i] === ALLOC) before.push(this.#table[i]!);
      // A table that went in part is not put up again: what is left of it belongs to nobody.
      else this.#table[i]!.freed = true;
    }
    let n = 0;
    for (const table of before) if (!table.freed && !table.broken) before[n++] = table;
    before.length = n;
  }

  #dropBroken(from: number): void {
    let n = from;
    for (let i = from; i < this.#n; i++) {
      const table = this.#table[i]!;
      if (table.broken) continue;
      this.#table[n] = table;
      this.#offset[n] = this.#offset[i]!;
      this.#order[n] = this.#order[i]!;
      this.#path[n] = this.#path[i]!;
      n++;
    }
    this.#n = n;
  }

  /** The machine for tables that end at a page: as much again for whatever else a program takes. */
  #machine(end: number): Machine {
    let log = Math.log2(MIN_ZONE);
    while (1 << log < 2 * end && 1 << log < MAX_PAGES) log++;
    return this.#machines[log] ??= machineWithTracepoints({ ...this.#stage, pages: 1 << log }, {
      free: (page, order) => {
        if (this.#nFreed === this.#freed.length) {
          const larger = new Int32Array(2 * this.#nFreed);
          larger.set(this.#freed);
          this.#freed = larger;
        }
        this.#freed[this.#nFreed++] = page << 4 | order;
      },
    });
  }

  /** Runs one program of events; answers how many of them it got through. */
  #run(from: number, to: number): number {
    const writer = this.#writer;
    writer.begin();
    let last = 0;
    for (const table of this.#before) {
      last = Math.max(last, table.end);
      writer.alloc(table, true);
    }
    let end = from;
    for (; end < to && writer.slotCount <= MAX_SLOTS - EVENT_SLOTS; end++) {
      const table = this.#table[end]!;
      last = Math.max(last, table.end);
      const offset = this.#offset[end]!;
      if (offset === ALLOC) writer.alloc(table, true);
      else writer.piece(table, table.plan.path(this.#path[end]!), offset, this.#order[end]!);
      this.#end[end] = writer.words / STEP_WORDS;
    }
    const count = end - from;
    const machine = this.#machine(last);
    this.#nFreed = 0;
    writer.run({ machine });
    if (machine.ledger.full && count > 1) return this.#run(from, from + (count >> 1));
    this.programs++;
    this.steps += machine.steps;
    this.digest.words(writer.code, 0, writer.words);
    this.digest.word(machine.steps);
    this.digest.words(machine.ledger.findings, 0, machine.ledger.nFindings * FINDING_WORDS);
    // A finding that is not latent ends a program.
    const ran = machine.ran.subarray(0, this.#end[end - 1]).lastIndexOf(1) + 1;
    let done = 0;
    while (done < count && this.#end[from + done]! < ran) done++;
    done = Math.min(count, done + 1);
    this.#stopped = done < count || machine.ledger.stop;
    this.#count(from, from + done);
    this.#compare(from, from + done);
    return done;
  }

  /** Adds up by discipline. */
  #count(from: number, to: number): void {
    let line = 0;
    for (let i = from; i < to; i++) {
      const end = this.#end[i]!;
      const tally = this.#tallyOf.get(this.#table[i]!.plan)!;
      if (tally.last !== this.programs) {
        tally.last = this.programs;
        tally.programs++;
      }
      tally.steps += end - line;
      line = end;
    }
  }

  /** Compares what the model freed with what was recorded, in order. */
  #compare(from: number, to: number): void {
    const freed = this.#freed;
    const n = this.#nFreed;
    let next = 0;
    for (let i = from; i < to; i++) {
      const offset = this.#offset[i]!;
      if (offset === ALLOC) continue;
      const table = this.#table[i]!;
      const wanted = (table.page + offset) << 4 | this.#order[i]!;
      let at = next;
      while (at < n && freed[at] !== wanted) at++;
      if (at < n) {
        next = at + 1;
        this.agreed++;
      } else this.#differs(table, offset, this.#order[i]!, this.#path[i]!);
    }
  }

  #differs({ plan: { play } }: Table, offset: number, order: number, path: number): void {
    const recorded = formOf([{ offset, order }]);
    const key = `${play.kind.id} ${path} ${recorded}`;
    const known = this.differing.get(key);
    if (known !== undefined) known.count++;
    else this.differing.set(key, { play, path, recorded, count: 1 });
  }
}
