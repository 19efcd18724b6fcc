/**
 * Compares what a real kernel did with what the model does, step by step.
 *
 * The model repeats the trace; after every step it must have answered the same,
 * have the same number of free and managed pages, have complained of the same
 * pages for the same reasons, have flushed the same ranges, and hold the same words in every `struct page`
 * that changed. At the end all of memory is compared, so that nothing changed
 * in the model alone.
 *
 * @module
 */
import { C_DTOR, C_GATHER_INACTIVE, CHECKS } from "../core/kernel/checks.ts";
import { createKernel, functionsOf } from "../core/kernel/create.ts";
import type { Kernel } from "../core/kernel/kernel.ts";
import { EV_BAD_PAGE, EV_IPI, EV_TLB_FLUSH, EV_WARN, EVENT_WORDS } from "../core/memory/events.ts";
import { Z_CHARGED, Z_FREE, Z_MANAGED, Z_PAGETABLE } from "../core/memory/mem_map.ts";
import { COMPOUND_PAGE_DTOR } from "../core/kernel/alloc.ts";
import { NULL, PAGE_SHIFT, PAGE_WORDS, PAGE_WORDS_SHIFT, W_INDEX, W_LRU_PREV } from "../core/memory/words.ts";
import { MM_ADDRESS } from "../core/kernel/x86_pgd.ts";
import { RUN } from "../core/program/bindings.ts";
import { CALLS, OP_AT } from "../core/program/calls.ts";
import type { MachineOptions } from "../core/program/machine.ts";
import { FIRST_SLOT, MAX_SLOTS, STEP_WORDS } from "../core/program/program.ts";
import { OP_NOTHING } from "../core/program/trace.ts";
import { isCheck, parseBug, warnFunction } from "./check_text.ts";
import { R_BUG, R_END, R_GONE, R_STEP } from "./linux.ts";

/** Words of a step's report behind its events, less the pages: answer, counts, and how many pages changed. */
const STEP_HEAD = 6;
/** Of a report's events these are compared, and bad pages: a WARNING, a flush of the TLB by a gather, an interrupt of every CPU. */
const E_WARN = 2;
const E_FLUSH = 9;
const E_IPI = 10;

/** One thing that differs. */
export interface Unlike {
  /** What it is: a word of a page, an answer, a count, a complaint. */
  readonly what: string;
  readonly model: string;
  readonly kernel: string;
}

/** The first step at which model and kernel differ. */
export interface Difference {
  /** Index of the step in the trace. */
  readonly step: number;
  readonly unlike: readonly Unlike[];
}

/** Names of a page's words, for people. */
// deno-fmt-ignore
const WORD_NAMES: readonly string[] = [
  "flags", "flags (high)", "lru.next / compound_head", "lru.next (high)", "lru.prev", "lru.prev (high)",
  "mapping", "mapping (high)", "index", "index (high)", "private", "private (high)", "page_type", "_refcount",
  "memcg_data", "memcg_data (high)",
];

/** Checks of the model behind which a real machine does something that cannot be foreseen: wild pointers. */
export function isWild(check: number): boolean {
  return check === C_GATHER_INACTIVE || CHECKS[check]!.text.startsWith("oops:");
}

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}

/** The model's side of the comparison, for one kernel, architecture, configuration and size. */
export class Comparer {
  /** The model. */
  readonly kernel: Kernel;
  readonly #slots = new Int32Array(MAX_SLOTS);
  readonly #operands = { a: 0, b: 0, c: 0 };
  /** What the kernel's pages hold, as far as it was reported. */
  readonly #pages: Int32Array;
  readonly #boot: Int32Array;
  readonly #ordersInPointers: boolean;
  #code: Int32Array = new Int32Array(0);
  #armed = -1;
  /** Times each check fired on both sides. */
  readonly fired: Float64Array = new Float64Array(CHECKS.length);
  /** Where the reports of the next program begin, after {@linkcode compare}. */
  next = 0;
  /** Steps that agreed. */
  steps = 0;

  constructor(options: MachineOptions) {
    const functions = { ...functionsOf(options.kernel), ...options.overrides };
    const k = createKernel(options.kernel, options, {
      ...options.overrides,
      compound_order: (k, page) => {
        this.#lookAtOrder(k, page);
        return functions.compound_order(k, page);
      },
      huge_pmd_share: (k, spte) => {
        this.#lookAtShares(k, spte);
        functions.huge_pmd_share(k, spte);
      },
      huge_pmd_unshare: (k, ptep) => {
        this.#lookAtShares(k, ptep);
        return functions.huge_pmd_unshare(k, ptep);
      },
      // pt_frag_refcount lies where pgd_set_mm stores.
      pte_fragment_free: (k, table, kernel) => {
        this.#lookAtShares(k, table);
        functions.pte_fragment_free(k, table, kernel);
      },
      pmd_fragment_free: (k, pmd) => {
        this.#lookAtShares(k, pmd);
        functions.pmd_fragment_free(k, pmd);
      },
      pte_frag_destroy: (k, frag) => {
        this.#lookAtShares(k, frag);
        functions.pte_frag_destroy(k, frag);
      },
      pmd_frag_destroy: (k, frag) => {
        this.#lookAtShares(k, frag);
        functions.pmd_frag_destroy(k, frag);
      },
      // The driver has no slab caches of tables.
      kmem_cache_free: (k, cache, object) => {
        this.#garbage = true;
        functions.kmem_cache_free(k, cache, object);
      },
      folio_nr_pages: (k, folio) => {
        this.#lookAtNrPages(k, folio);
        return functions.folio_nr_pages(k, folio);
      },
    });
    this.kernel = k;
    this.#ordersInPointers = k.base === "6.1";
    k.reset();
    this.#boot = k.mem.slice(0, k.nrPages * PAGE_WORDS);
    this.#pages = new Int32Array(this.#boot.length);
  }

  /** An order was read out of a pointer: what it is, depends on where memory lies. */
  #garbage = false;
  /** Programs whose comparison ended at such a step. */
  garbled = 0;

  /** 6.1: the order is a byte of page 1's lru.prev, beside the destructor; where that is none, a list was stored over both. */
  #lookAtOrder(k: Kernel, page: number): void {
    if (!this.#ordersInPointers || page < 0 || page + 1 >= k.nrPages) return;
    const w = page << PAGE_WORDS_SHIFT;
    if ((k.mem[w]! & k.pgHead) === 0) return;
    if ((k.mem[w + PAGE_WORDS + W_LRU_PREV]! & 0xff) !== COMPOUND_PAGE_DTOR) this.#garbage = true;
  }

  /** A count of sharers that pgd_set_mm has stored an mm over is half of a pointer. */
  #lookAtShares(k: Kernel, addr: number): void {
    this.#lookAtIndex(k, k.virt_to_page(k, addr));
  }

  /** So is `_folio_nr_pages`, in page 1 of a compound block (from 6.6 on). */
  #lookAtNrPages(k: Kernel, page: number): void {
    if (this.#ordersInPointers || page >>> 0 >= k.nrPages) return;
    if ((k.mem[page << PAGE_WORDS_SHIFT]! & k.pgHead) !== 0) this.#lookAtIndex(k, page + 1);
  }

  #lookAtIndex(k: Kernel, page: number): void {
    if (page >>> 0 < k.nrPages && k.mem[(page << PAGE_WORDS_SHIFT) + W_INDEX]! >= MM_ADDRESS >> 1) this.#garbage = true;
  }

  /** Whether the step is one of those that flush and do nothing else. */
  #direct = false;

  /** Runs a step of the trace on the model; the answer. */
  #run(at: number): number {
    const code = this.#code;
    this.#direct = FLUSHES[code[at]!] === 1;
    const slots = this.#slots;
    const which = code[at + 6]!;
    const offsets = code[at + 5]!;
    const shifts = code[at + 7]!;
    let a = code[at + 2]!;
    let b = code[at + 3]!;
    let c = code[at + 4]!;
    if ((which & 1) !== 0) a = slots[a]!;
    if ((which & 2) !== 0) b = slots[b]!;
    if ((which & 4) !== 0) c = slots[c]!;
    a += (offsets & 1023) << ((shifts & 1) !== 0 ? PAGE_SHIFT : 0);
    b += ((offsets >> 10) & 1023) << ((shifts & 2) !== 0 ? PAGE_SHIFT : 0);
    c += (offsets >> 20) & 1023;
    const operands = this.#operands;
    operands.a = a;
    operands.b = b;
    operands.c = c;
    const result = RUN[code[at]!]!(this.kernel, operands);
    const dst = code[at + 1]!;
    if (dst >= 0) slots[dst] = result;
    return result;
  }

  /**
   * Compares one program.
   *
   * @param code the trace
   * @param first word of its first step
   * @param steps its steps
   * @param out the reports
   * @param from word at which this program's begin
   * @returns the first difference, or undefined; {@linkcode next} is set in either case
   */
  compare(
    code: Int32Array,
    first: number,
    steps: number,
    nrSlots: number,
    out: Int32Array,
    from: number,
  ): Difference | undefined {
    const k = this.kernel;
    const slots = this.#slots;
    k.reset();
    k.atPoint = (): void => {
      const at = this.#armed;
      this.#armed = -1;
      if (at >= 0 && this.#code[at] !== OP_NOTHING) this.#run(at);
    };
    this.#code = code;
    this.#garbage = false;
    this.#armed = -1;
    slots.fill(NULL, FIRST_SLOT, nrSlots);
    for (let i = 0; i < FIRST_SLOT; i++) slots[i] = i;
    this.#pages.set(this.#boot);
    let o = from;
    let found: Difference | undefined;
    for (let i = 0; i < steps; i++) {
      const step = i;
      const at = first + i * STEP_WORDS;
      k.nEvents = 0;
      let result = 0;
      let bug = false;
      if (code[at] === OP_AT) {
        k.armed = code[at + 2]!;
        this.#armed = at + STEP_WORDS;
        i++;
      } else {
        try {
          result = this.#run(at);
        } catch (error) {
          if (error !== k.bug) throw error;
          bug = true;
        }
      }
      if (this.#garbage) {
        this.garbled++;
        this.next = this.#skip(out, o);
        return undefined;
      }
      const kind = out[o]!;
      if (kind !== R_STEP || bug) {
        this.next = this.#skip(out, o);
        const unlike = this.#ended(out, o, bug);
        return unlike && { step, unlike: [unlike] };
      }
      if (found === undefined) {
        o = this.#step(out, o, result);
        if (this.#unlike.length > 0) {
          found = { step, unlike: this.#unlike.splice(0) };
          this.next = this.#skip(out, o);
          return found;
        }
        this.steps++;
      }
    }
    if (out[o] !== R_END) {
      this.next = this.#skip(out, o);
      const unlike = this.#ended(out, o, false);
      return unlike && { step: steps, unlike: [unlike] };
    }
    this.next = o + 1;
    const mem = k.mem;
    const pages = this.#pages;
    for (let i = 0; i < pages.length; i++) {
      if (mem[i] !== pages[i] && !this.#partly(i & 15, mem[i]!, pages[i]!)) {
        return { step: steps, unlike: [this.#word(i >> PAGE_WORDS_SHIFT, i & 15, mem[i]!, pages[i]!, " at the end")] };
      }
    }
    return undefined;
  }

  /**
   * 6.1 stores a block's destructor and order in the low bytes of page 1's
   * lru.prev; above them stay bytes of the pointer that was there, which is
   * another one on each side.
   */
  #partly(word: number, model: number, kernel: number): boolean {
    return this.#ordersInPointers && word === W_LRU_PREV && (model & 0xff) === COMPOUND_PAGE_DTOR &&
      (model & 0xffff) === (kernel & 0xffff);
  }

  readonly #unlike: Unlike[] = [];

  /** Compares a step's report; answers where the next record begins. */
  #step(out: Int32Array, from: number, result: number): number {
    const k = this.kernel;
    const mem = k.mem;
    let o = from + 2;
    const events = out[from + 1]!;
    if (events !== 0 || k.nEvents !== 0) o = this.#events(out, o, events);
    if (out[o] !== result) this.#differs("answer", String(result), String(out[o]));
    const free = mem[k.lowZone + Z_FREE]! + mem[k.highZone + Z_FREE]!;
    if (out[o + 1] !== free) this.#differs("free pages", String(free), String(out[o + 1]));
    const managed = mem[k.lowZone + Z_MANAGED]!;
    if (out[o + 2] !== managed) this.#differs("managed pages", String(managed), String(out[o + 2]));
    const tables = mem[k.lowZone + Z_PAGETABLE]!;
    if (out[o + 3] !== tables) this.#differs("NR_PAGETABLE", String(tables), String(out[o + 3]));
    const charges = mem[k.lowZone + Z_CHARGED]!;
    if (out[o + 4] !== charges) this.#differs("charged pages", String(charges), String(out[o + 4]));
    const changed = out[o + 5]!;
    o += STEP_HEAD;
    for (let n = 0; n < changed; n++) {
      const page = out[o]! & 0xffff;
      const at = page << PAGE_WORDS_SHIFT;
      for (let w = 0; w < PAGE_WORDS; w++) {
        const word = out[o + 1 + w]!;
        if (mem[at + w] !== word && !this.#partly(w, mem[at + w]!, word)) {
          this.#unlike.push(this.#word(page, w, mem[at + w]!, word, ""));
        }
        this.#pages[at + w] = word;
      }
      const contents = mem[k.map.contents + page]!;
      const kind = out[o]! >> 16;
      // What lies in a page that a gather kept a batch in, the gather may have written.
      if (kind !== contents && k.wasBatch[page] === 0) {
        const names = ["what an earlier user left", "zeroes", "table entries"];
        this.#differs(`contents of page ${page}`, names[contents]!, names[kind]!);
      }
      o += 1 + PAGE_WORDS;
    }
    return o;
  }

  #word(page: number, word: number, model: number, kernel: number, when: string): Unlike {
    return { what: `page ${page} ${WORD_NAMES[word]}${when}`, model: hex(model), kernel: hex(kernel) };
  }

  #differs(what: string, model: string, kernel: string): void {
    this.#unlike.push({ what, model, kernel });
  }

  /** Compares complaints, in order. */
  #events(out: Int32Array, from: number, n: number): number {
    const k = this.kernel;
    const e = k.events;
    let o = from;
    let m = 0;
    const next = (): void => {
      while (m < k.nEvents && (COMPARED[e[m * EVENT_WORDS]!] === 0 || this.#isDirect(e[m * EVENT_WORDS]!))) m++;
    };
    for (let i = 0; i < n; i++) {
      const kind = out[o]!;
      const said = saidAt(out, o);
      const complaint = kind <= E_WARN;
      o = after(out, o + 2);
      // What else happens inside a gather is for a ledger to know.
      if (!complaint && ((kind !== E_FLUSH && kind !== E_IPI) || this.#direct)) continue;
      next();
      const c = m * EVENT_WORDS;
      const model = m < k.nEvents ? this.#complaint(c) : "nothing";
      if (model !== said) this.#differs(complaint ? "complaint" : "flush", model, said);
      else if (complaint) this.fired[e[c + 2]!]!++;
      m++;
    }
    for (next(); m < k.nEvents; m++, next()) this.#differs("complaint", this.#complaint(m * EVENT_WORDS), "nothing");
    return o;
  }

  /** A flush that a program asks for itself: the driver has nothing to flush, and no gather is in it. */
  #isDirect(event: number): boolean {
    return this.#direct && (event === EV_TLB_FLUSH || event === EV_IPI);
  }

  #complaint(at: number): string {
    const e = this.kernel.events;
    if (e[at] === EV_IPI) return "an interrupt of every CPU";
    if (e[at] === EV_TLB_FLUSH) return flush(e[at + 1]!, e[at + 2]!, e[at + 3]!);
    const check = CHECKS[e[at + 2]!]!;
    return e[at] === EV_WARN ? `WARNING in ${check.fn}` : `page ${e[at + 1]}: ${check.text}`;
  }

  /** Compares the end of a program that did not come to its own. */
  #ended(out: Int32Array, o: number, bug: boolean): Unlike | undefined {
    const k = this.kernel;
    const model = bug ? `BUG in ${CHECKS[k.bugCheck]!.fn}: ${CHECKS[k.bugCheck]!.text}` : "goes on";
    switch (out[o]) {
      case R_BUG: {
        const dumped = textAt(out, o + 4);
        const said = parseBug(textAt(out, after(out, o + 4) + 2), dumped);
        if (bug && isCheck(k.bugCheck, said)) {
          this.fired[k.bugCheck]!++;
          return undefined;
        }
        // 6.1: the low byte of a pointer that was stored over the destructor; where memory lies so, it is 0, and NULL is called.
        if (bug && k.bugCheck === C_DTOR && said.fn.startsWith("Segfault")) {
          this.garbled++;
          return undefined;
        }
        return { what: "outcome", model, kernel: `BUG in ${said.fn}: ${said.why}` };
      }
      case R_GONE:
        return {
          what: "outcome",
          model,
          kernel: `killed (status ${out[o + 1]}): it ran for ever or broke the machine`,
        };
      case R_END:
        return { what: "outcome", model, kernel: "the program ended" };
      default:
        return { what: "outcome", model, kernel: "goes on" };
    }
  }

  /** Where the next program's reports begin. */
  #skip(out: Int32Array, from: number): number {
    let o = from;
    for (;;) {
      switch (out[o]) {
        case R_STEP: {
          let at = o + 2;
          for (let i = out[o + 1]!; i > 0; i--) at = after(out, at + 2);
          o = at + STEP_HEAD + out[at + STEP_HEAD - 1]! * (1 + PAGE_WORDS);
          break;
        }
        case R_END:
          return o + 1;
        case R_BUG:
          return after(out, after(out, o + 4) + 2);
        case R_GONE:
          return o + 2;
        default:
          throw new Error(`the kernel's report has no record at word ${o}`);
      }
    }
  }
}

/** 1 for calls that flush and do nothing else, by opcode. */
export const FLUSHES: Uint8Array = Uint8Array.from(
  CALLS,
  (c) => c.name.startsWith("flush_tlb_") || c.name === "tlb_remove_table_sync_one" ? 1 : 0,
);

/** 1 for the model's events that are compared. */
const COMPARED: Uint8Array = new Uint8Array(64);
for (const code of [EV_BAD_PAGE, EV_WARN, EV_TLB_FLUSH, EV_IPI]) COMPARED[code] = 1;

function flush(mm: number, start: number, end: number): string {
  return `a flush of mm ${mm} from page ${hex(start)} to ${hex(end)}`;
}

/** An event of a report, in the words of the model's. */
function saidAt(out: Int32Array, at: number): string {
  const page = out[at + 1]!;
  switch (out[at]) {
    case E_WARN:
      return `WARNING in ${warnFunction(textAt(out, at + 2))}`;
    case E_FLUSH:
      return flush(page, out[at + 3]!, out[at + 4]!);
    case E_IPI:
      return "an interrupt of every CPU";
    default:
      return `page ${page}: ${textAt(out, at + 2)}`;
  }
}

/** A text in a report: its length and its bytes. */
function textAt(out: Int32Array, at: number): string {
  return new TextDecoder().decode(new Uint8Array(out.buffer, (at + 1) * 4, out[at]!));
}

/** The word after a text. */
function after(out: Int32Array, at: number): number {
  return at + 1 + ((out[at]! + 3) >> 2);
}
