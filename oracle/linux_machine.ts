/**
 * A machine whose calls a real kernel makes: the ledger judges that kernel's
 * own words, and asks nothing of the model.
 *
 * A program is drawn and run on the model first. That is the guide: it says
 * which calls there will be, in which order, and the drain's at the end (a
 * trace, `core/program/trace.ts`). The kernel makes them all at once and reports
 * what it saw after each. Then the machine runs the program again with these
 * reports in the place of the model's memory: after each step every word of
 * every page, the free lists' heads and counts, the counts of free and managed
 * pages, complaints, and what a gather took, put and gave back are the kernel's.
 *
 * Where the kernel answered otherwise than the guide foresaw, other lines may be
 * skipped and other things drained. From there on the guide goes on alone, from
 * the kernel's memory; that makes another trace, with more of it right, and the
 * kernel runs that one. It is repeated until a whole program was the kernel's.
 *
 * A step inside another call (`at`) is run by the kernel where it stands; what
 * it answered there is taken from the guide. Where only one of them came by that
 * place nothing is found in the program: it is a difference.
 *
 * @module
 */
import { CHECKS } from "../core/kernel/checks.ts";
import { LEVEL_PMD, LEVEL_PTE } from "../core/kernel/ctor.ts";
import type { Kernel } from "../core/kernel/kernel.ts";
import {
  EV_BAD_PAGE,
  EV_BATCH_FREE,
  EV_BATCH_PAGE,
  EV_DEFERRED,
  EV_DTOR,
  EV_GATHER_PUT,
  EV_IPI,
  EV_QUEUED,
  EV_TABLE,
  EV_TLB_FLUSH,
  EV_WARN,
  EVENT_WORDS,
} from "../core/memory/events.ts";
import {
  AREA_NR,
  areaWord,
  LIST_PREV,
  NR_ORDERS,
  STALE,
  Z_CHARGED,
  Z_FREE,
  Z_MANAGED,
  Z_PAGETABLE,
} from "../core/memory/mem_map.ts";
import { NULL, PAGE_WORDS, PAGE_WORDS_SHIFT, W_LRU_NEXT, W_PRIVATE, W_TYPE } from "../core/memory/words.ts";
import { RUN } from "../core/program/bindings.ts";
import { CALLS, OP_AT } from "../core/program/calls.ts";
import { Machine, type MachineOptions, type RealKernel } from "../core/program/machine.ts";
import { kindIndex } from "../core/program/kinds.ts";
import { type Program, STEP_WORDS } from "../core/program/program.ts";
import { Trace } from "../core/program/trace.ts";
import { driverArch, driverFlags } from "./archs.ts";
import { parseBug } from "./check_text.ts";
import { type Comparer, type Difference, FLUSHES, isWild } from "./compare.ts";
import { type Header, PROGRAM_WORDS, R_BUG, R_GONE, R_STEP } from "./linux.ts";
import type { BatchRunner } from "./sync_linux.ts";
import * as $records from "../core/ledger/records.ts";

const { GR_FIRST, GR_SHIFT, L_GRANT, L_SHIFT } = $records;

/** Kinds of a report's events; see `driver/ptfuzz.c`. */
const E_BAD_PAGE = 1;
const E_WARN = 2;
const E_BATCH_PAGE = 3;
const E_BATCH_FREE = 4;
const E_GATHER_PUT = 5;
const E_TABLE = 6;
const E_NR_FREE = 7;
const E_QUEUED = 8;
const E_TLB_FLUSH = 9;
const E_IPI = 10;
const E_PTE_DTOR = 11;
const E_POINT = 12;
const E_DEFERRED = 13;
const E_PMD_DTOR = 14;
/** The ledger's event for each; the kernel's complaints have their own. */
const LEDGERS: Readonly<Record<number, number>> = {
  [E_BATCH_PAGE]: EV_BATCH_PAGE,
  [E_BATCH_FREE]: EV_BATCH_FREE,
  [E_TABLE]: EV_TABLE,
  [E_IPI]: EV_IPI,
  [E_DEFERRED]: EV_DEFERRED,
};

/** Times that a program is traced anew at most. */
const MAX_ROUNDS = 12;

const ALLOCATES: readonly boolean[] = CALLS.map((c) => c.params.some((p) => p.type === "gfp"));

/** What the kernel said of itself in a program. */
export interface Said {
  /** Step of the trace, from 0. */
  readonly step: number;
  /** The kernel's words. */
  readonly text: string;
}

/** A program that the kernel ran: its steps, and where its reports begin. */
interface Ran {
  readonly code: Int32Array;
  readonly words: number;
  /** The trace went on to a step that no kernel is given: see {@linkcode LinuxMachine.runnable}. */
  readonly isCut: boolean;
  readonly out: Int32Array;
  readonly at: number;
}

/** A machine on a real kernel. */
export class LinuxMachine extends Machine implements RealKernel {
  readonly #linux: BatchRunner;
  readonly #guide: Machine;
  readonly #first = new Trace();
  readonly #pages: Int32Array;
  readonly #boot: Int32Array;
  readonly #nrFree = new Int32Array(NR_ORDERS);
  readonly #bootNrFree: Int32Array;
  readonly #header: Omit<Header, "steps" | "slots">;
  #program: Ran = { code: new Int32Array(0), words: 0, isCut: false, out: new Int32Array(0), at: 0 };
  /** Word of the report that comes next. */
  #out = 0;
  /** Words of the trace that the kernel has run. */
  #checked = 0;
  /** The guide goes on alone. */
  #alone = false;
  /** Points that the guide came by and the kernel did not. */
  #points = 0;
  #isBeside = false;
  /** Word of the step that was armed last. */
  #armed = 0;
  /** It does so because the kernel went another way. */
  #strayed = false;
  #settling = false;
  /** BUGs, bad pages and warnings of the program that ran last, in the kernel's words. */
  readonly said: Said[] = [];
  /** Programs that did not come to an end within {@linkcode MAX_ROUNDS}. */
  unsettled = 0;

  constructor(options: MachineOptions, linux: BatchRunner) {
    super(options);
    this.#linux = linux;
    this.#guide = new Machine(options);
    this.#guide.trace = this.#first;
    this.real = this;
    this.trace = new Trace();
    const k = this.kernel;
    k.reset();
    this.#boot = k.mem.slice(0, k.nrPages * PAGE_WORDS);
    this.#pages = this.#boot.slice();
    this.#bootNrFree = Int32Array.from({ length: NR_ORDERS }, (_, o) => k.mem[areaWord(k.lowZone, o) + AREA_NR]!);
    this.#header = {
      pages: k.nrPages,
      arch: driverArch(k.arch),
      area: areaWord(k.lowZone, 0) << 2,
      pgdList: k.map.pgdList << 2,
      events: 1,
      flags: driverFlags(k),
    };
  }

  /** The model that draws the programs: give it to generators. */
  get guide(): Machine {
    return this.#guide;
  }

  /** What the guide ran last. */
  get guided(): Trace {
    return this.#first;
  }

  /** Steps of a trace that a kernel may be given: none that follows a wild pointer or tries for ever. */
  static runnable(machine: Machine, trace: Trace): number {
    const all = trace.words / STEP_WORDS;
    if (trace.endless >= 0) return trace.endless / STEP_WORDS;
    const check = machine.kernel.bugCheck;
    return check >= 0 && isWild(check) ? all - 1 : all;
  }

  /** Adds a trace to the kernel's batch; the word of its first step. */
  add(code: Int32Array, steps: number, slots: number): number {
    return this.#linux.add({ ...this.#header, steps, slots }, code) + PROGRAM_WORDS;
  }

  /**
   * Judges a program that the kernel has run already.
   *
   * @param first word of its first step in the kernel's batch; `at` is the word at which its reports begin
   * @returns false where it has to be run again, step by step: {@linkcode Machine.runCode}
   */
  judge(
    code: Int32Array,
    words: number,
    slots: number,
    { first, steps, isCut, at }: { first: number; steps: number; isCut: boolean; at: number },
  ): boolean {
    this.#program = {
      code: this.#linux.in.subarray(first, first + steps * STEP_WORDS),
      words: steps * STEP_WORDS,
      isCut,
      out: this.#linux.out,
      at,
    };
    this.#settling = true;
    super.begin(code, words, slots);
    this.#start();
    this.execute(0, words);
    this.finish();
    this.#settling = false;
    return !this.#strayed;
  }

  override begin(code: Int32Array, words: number, slots: number): void {
    if (!this.#settling) this.#settle(code, words, slots);
    super.begin(code, words, slots);
    this.#start();
  }

  override finish(): void {
    super.finish();
    // What ran inside a call on one side only, the ledger has booked for the other.
    if (this.#isBeside) this.ledger.nFindings = 0;
  }

  /** Finds the trace that the program makes on this kernel, and has it run. */
  #settle(code: Int32Array, words: number, slots: number): void {
    const guide = this.#guide;
    guide.ledger.kinds.set(this.ledger.kinds);
    guide.ledger.enabled = this.ledger.enabled;
    guide.ledger.expectedLeaks = this.ledger.expectedLeaks;
    guide.runCode(code, words, slots);
    let trace = this.#first;
    let steps = LinuxMachine.runnable(guide, trace);
    for (let round = 0;; round++) {
      const first = this.add(trace.code, steps, slots);
      this.#linux.start();
      this.#linux.wait();
      const isCut = steps < trace.words / STEP_WORDS;
      if (this.judge(code, words, slots, { first, steps, isCut, at: 0 })) break;
      if (round === MAX_ROUNDS) {
        this.unsettled++;
        break;
      }
      trace = this.trace!;
      steps = LinuxMachine.runnable(this, trace);
    }
    // The reports stay as they are until the next batch.
    this.#program = { ...this.#program, code: this.#program.code.slice() };
  }

  /** Runs a program as the model runs it and compares: the first difference, and the word of its line. */
  compared(program: Program, comparer: Comparer): { difference: Difference; pc: number } | undefined {
    const guide = this.#guide;
    for (let i = 0; i < program.slots.length; i++) guide.ledger.kinds[i] = kindIndex(program.slots[i]!.kind);
    guide.ledger.expectedLeaks = 0;
    guide.runCode(program.code, program.code.length, program.slots.length);
    const steps = LinuxMachine.runnable(guide, this.#first);
    if (steps <= 0) return undefined;
    const first = this.add(this.#first.code, steps, program.slots.length);
    this.#linux.start();
    this.#linux.wait();
    const { in: code, out } = this.#linux;
    const difference = comparer.compare(code, first, steps, program.slots.length, out, 0);
    return difference && { difference, pc: this.#first.pcs[Math.min(difference.step, steps - 1)] ?? -1 };
  }

  #start(): void {
    this.#out = this.#program.at;
    this.#checked = 0;
    this.#alone = false;
    this.#strayed = false;
    this.#points = 0;
    this.#isBeside = false;
    const fire = this.kernel.atPoint;
    this.kernel.atPoint = () => {
      this.#points++;
      fire();
    };
    this.said.length = 0;
    this.#pages.set(this.#boot);
    this.#nrFree.set(this.#bootNrFree);
  }

  /** Whether the trace so far is what the kernel ran; an armed line counts as it was written. */
  #follows(): boolean {
    const mine = this.trace!;
    const { code, words } = this.#program;
    if (mine.words > words) return false;
    for (let at = this.#checked; at < mine.words; at += STEP_WORDS) {
      const armed = at >= STEP_WORDS && code[at - STEP_WORDS] === OP_AT;
      if (armed) this.#armed = at;
      for (let w = armed ? 1 : 0; w < (armed ? STEP_WORDS - 1 : STEP_WORDS); w++) {
        if (mine.code[at + w] !== code[at + w]) return false;
      }
    }
    // Whether an armed step was to run is known once its place was reached.
    return this.#points === 0 || mine.code[this.#armed] === code[this.#armed];
  }

  /** Makes a call: see the module's head. */
  call(op: number): number {
    const k = this.kernel;
    let result = 0;
    let dead = false;
    try {
      result = RUN[op]!(k, this.ledger);
    } catch (error) {
      if (error !== k.bug) throw error;
      dead = true;
    }
    if (!this.#alone && !this.#follows()) {
      this.#alone = true;
      // Behind the step that no kernel is given there is nothing to run again.
      this.#strayed = !this.#program.isCut || this.trace!.words <= this.#program.words;
    }
    if (this.#alone) {
      if (dead) throw k.bug;
      return result;
    }
    const from = this.#checked;
    this.#checked = this.trace!.words;
    for (let at = from; at < this.#checked; at += STEP_WORDS) {
      const isArmed = at >= STEP_WORDS && this.#program.code[at - STEP_WORDS] === OP_AT;
      if (!isArmed) result = this.#report(op, at / STEP_WORDS);
    }
    if (this.#points !== 0) this.#isBeside = true;
    return result;
  }

  /** Takes the report of one step. */
  #report(op: number, step: number): number {
    const k = this.kernel;
    const { out } = this.#program;
    let o = this.#out;
    // A flush that the program asks for itself is its word: there is nothing to flush on one CPU.
    if (FLUSHES[op] === 0) k.nEvents = 0;
    if (out[o] !== R_STEP) this.#died(step, o);
    const events = out[o + 1]!;
    o += 2;
    for (let i = 0; i < events; i++) o = this.#event(op, step, o);
    const result = out[o]!;
    k.mem[k.lowZone + Z_FREE] = out[o + 1]!;
    k.mem[k.lowZone + Z_MANAGED] = out[o + 2]!;
    k.mem[k.lowZone + Z_PAGETABLE] = out[o + 3]!;
    k.mem[k.lowZone + Z_CHARGED] = out[o + 4]!;
    const changed = out[o + 5]!;
    o += 6;
    const pages = this.#pages;
    for (let i = 0; i < changed; i++) {
      const page = out[o]! & 0xffff;
      const kind = out[o]! >> 16;
      pages.set(out.subarray(o + 1, o + 1 + PAGE_WORDS), page << PAGE_WORDS_SHIFT);
      const contents = k.map.contents + page;
      // Zeroes that should be there and are not: the model's word for it is the caller's promise.
      if (k.mem[contents] !== STALE && k.mem[contents] !== kind && k.wasBatch[page] === 0) k.mem[contents] = STALE;
      o += 1 + PAGE_WORDS;
    }
    this.#out = o;
    k.mem.set(pages);
    this.#lists(k);
    return result;
  }

  /** The heads of the free lists: what the pages' own pointers and the kernel's counts say. */
  #lists(k: Kernel): void {
    const { mem, layout } = k;
    for (let order = 0; order < NR_ORDERS; order++) {
      const head = areaWord(k.lowZone, order);
      mem[head] = head << 2;
      mem[head + LIST_PREV] = head << 2;
      mem[head + AREA_NR] = this.#nrFree[order]!;
    }
    for (let page = 0; page < k.nrPages; page++) {
      const w = page << PAGE_WORDS_SHIFT;
      if ((mem[w + W_TYPE]! & layout.buddyMask) !== layout.buddyValue) continue;
      const order = mem[w + W_PRIVATE]!;
      if (order < 0 || order >= NR_ORDERS) continue;
      const head = areaWord(k.lowZone, order);
      const node = w + W_LRU_NEXT;
      if (mem[node + LIST_PREV] === head << 2) mem[head] = node << 2;
      if (mem[node] === head << 2) mem[head + LIST_PREV] = node << 2;
    }
  }

  /** Takes one event; answers where the next begins. */
  #event(op: number, step: number, o: number): number {
    const { out } = this.#program;
    const kind = out[o]!;
    const value = out[o + 1]!;
    const next = after(out, o + 2);
    switch (kind) {
      case E_NR_FREE:
        this.#nrFree.set(out.subarray(o + 3, o + 3 + NR_ORDERS));
        break;
      case E_POINT:
        this.#points--;
        break;
      case E_PTE_DTOR:
        this.#push(EV_DTOR, value, LEVEL_PTE, 0);
        break;
      case E_PMD_DTOR:
        this.#push(EV_DTOR, value, LEVEL_PMD, 0);
        break;
      case E_QUEUED:
        this.#push(EV_QUEUED, value, out[o + 3]!, 0);
        break;
      case E_GATHER_PUT:
        this.#push(EV_GATHER_PUT, value, out[o + 3]!, 0);
        break;
      case E_TLB_FLUSH:
        this.#push(EV_TLB_FLUSH, value, out[o + 3]!, out[o + 4]!);
        break;
      case E_BAD_PAGE: {
        const text = textAt(out, o + 2);
        this.said.push({ step, text: `Bad page state: ${text}` });
        const check = CHECKS.findIndex((c) => c.kind === "bad_page" && c.text === text);
        const g = value >= 0 && value < this.kernel.nrPages ? this.ledger.pages[(value << L_SHIFT) | L_GRANT]! : -1;
        this.#push(
          EV_BAD_PAGE,
          value,
          check,
          ALLOCATES[op]! ? NULL : g >= 0 ? this.ledger.grants[(g << GR_SHIFT) | GR_FIRST]! : value,
        );
        break;
      }
      case E_WARN:
        this.said.push({ step, text: `WARNING: ${textAt(out, o + 2)}` });
        this.#push(EV_WARN, NULL, NULL, NULL);
        break;
      default: {
        const event = LEDGERS[kind];
        // Where tables do not wait for RCU there is no such interrupt: user-mode Linux is built with RCU.
        if (event === EV_IPI && !this.kernel.rcuTableFree) break;
        if (event !== undefined) this.#push(event, value, 0, 0);
      }
    }
    return next;
  }

  #push(code: number, a: number, b: number, c: number): void {
    const k = this.kernel;
    const e = k.nEvents * EVENT_WORDS;
    if (e >= k.events.length) return;
    k.events[e] = code;
    k.events[e + 1] = a;
    k.events[e + 2] = b;
    k.events[e + 3] = c;
    k.nEvents++;
  }

  /** The kernel is dead. */
  #died(step: number, o: number): never {
    const k = this.kernel;
    const { out } = this.#program;
    k.bugPage = NULL;
    k.bugCheck = NULL;
    if (out[o] === R_BUG) {
      const why = textAt(out, o + 4);
      const bug = parseBug(textAt(out, after(out, o + 4) + 2), why);
      // A panic without a place is its own text: "Segfault with no mm".
      const where = /^\w+$/.test(bug.fn) ? `BUG in ${bug.fn}()` : `panic: ${bug.fn}`;
      this.said.push({ step, text: bug.why === "" ? where : `${bug.why} in ${bug.fn}()` });
      const text = why.replace(/\s/g, "");
      k.bugCheck = CHECKS.findIndex((c) =>
        c.kind === "BUG" && c.fn === bug.fn && text.includes(c.text.replace(/\s/g, ""))
      );
    } else if (out[o] === R_GONE) {
      this.said.push({ step, text: `it ran for ever or broke the machine (status ${out[o + 1]})` });
    } else throw new Error(`the kernel's report has no record at word ${o}`);
    throw k.bug;
  }
}

/** A text in a report. */
function textAt(out: Int32Array, at: number): string {
  return new TextDecoder().decode(new Uint8Array(out.buffer, out.byteOffset + (at + 1) * 4, out[at]!).slice());
}

/** The word after a text. */
function after(out: Int32Array, at: number): number {
  return at + 1 + ((out[at]! + 3) >> 2);
}
