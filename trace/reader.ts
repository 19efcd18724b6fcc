/**
 * ftrace text into events, as it streams by.
 *
 *     busybox-518   [001] ..s1.    82.508311: mm_page_free: page=000000003d82bc18 pfn=0xa2a8 order=0
 *     TASK-PID      CPU   FLAGS    TIMESTAMP  EVENT         what include/trace/events/kmem.h prints
 *     busybox-518   [001] ..s1.    82.508325: <stack trace>
 *      => free_unref_page                        innermost first
 *
 * Works on bytes: nothing is allocated for a line, and what is kept does not
 * grow with the recording. Read in kernel/trace/trace_output.c (the prefix),
 * trace.c (`CPU:1 [LOST 7 EVENTS]`, `##### CPU 1 buffer started ####`, the
 * header's count of entries) and include/trace/events/kmem.h of 6.1 and 6.12.
 * `page=` is a hashed pointer; a page is its `pfn=`, in decimal before 5.13.
 *
 * A task's name may hold anything, `[001]` and `: ` included: a prefix is
 * looked for until one is found that is whole.
 *
 * @module
 */
import type { Flags } from "./gfp.ts";
import { readFlags } from "./gfp.ts";
import { Symbols, UNKNOWN } from "./symbols.ts";

const NL = 0x0a;
const CR = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const HASH = 0x23;
const DOT = 0x2e;
const COLON = 0x3a;
const EQUALS = 0x3d;
const GREATER = 0x3e;
const LESS = 0x3c;
const MINUS = 0x2d;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const ZERO = 0x30;
const NINE = 0x39;

/** A line that is longer is no line of ftrace. */
const MAX_LINE = 1 << 16;
/** Larger orders are damage: no architecture's allocator has them. */
const MAX_ORDER = 14;
/** Digits of the largest pfn that is one number. */
const MAX_PFN_DIGITS = 13;
/** Texts of flags that are kept at most. */
const MAX_FLAGS = 1 << 12;

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const KMEM = ascii("kmem:");
const MM_PAGE = ascii("mm_page_");
const ALLOC = ascii("alloc:");
const FREE = ascii("free:");
const STACK = ascii("stack trace");
const KERNEL_STACK = ascii("kernel_stack:");
const CPU = ascii("CPU:");
const PAGE = ascii("page=");
const PFN = ascii("pfn=");
const ORDER = ascii("order=");
const MIGRATETYPE = ascii("migratetype=");
const GFP = ascii("gfp_flags=");

/** What a reader's owner wants of a stack trace: nothing more. */
export const STACK_DONE = 0;
/** The next frame. */
export const STACK_NEXT = 1;

/** Where an event stands: its CPU, what it interrupted, who ran. */
export interface Place {
  /** Number of the line, from 1. */
  line: number;
  /** Of the prefix. */
  cpu: number;
  /** 0 task, 1 softirq, 2 hardirq, 3 NMI; -1 where the recording does not say (`noirq-info`). */
  level: number;
  /** -1 where none is read. */
  pid: number;
}

/** Who is told of events, in the order of the recording. */
export interface Events {
  /** `mm_page_alloc`; flags is a number of {@linkcode Reader.flags}. */
  alloc(at: Place, pfn: number, order: number, flags: number): void;
  /** `mm_page_free`. */
  free(at: Place, pfn: number, order: number): void;
  /** Any other event: a stack trace that follows is its. */
  other(at: Place): void;
  /** The function tracer saw a function begin. */
  enters(at: Place, symbol: number): void;
  /** A stack trace begins. */
  stack(at: Place): number;
  /** Its next frame; asked for as long as STACK_NEXT is answered. */
  frame(symbol: number): number;
  /** A stack trace is over. */
  stackEnd(): void;
  /** Something is missing here, of that CPU or (-1) of any. */
  gap(line: number, cpu: number, sinceStart: boolean): void;
  /** A comment: `# KERNEL: 6.12.117`. */
  comment(text: string): void;
}

/** Counts of what was read. */
export interface Counts {
  lines: number;
  bytes: number;
  /** Lines that ftrace's header counts: events and stack traces. */
  entries: number;
  /** mm_page_alloc and mm_page_free. */
  events: number;
  stacks: number;
  /** Allocations that answered NULL. */
  failed: number;
  /** Lines of an event that cannot be read. */
  damaged: number;
  /** Lines that are none of ftrace's. */
  foreign: number;
  /** Events that the kernel says were lost; the marks, where it does not know. */
  lost: number;
  /** Entries that are earlier than the one before them, and those of them that are much earlier. */
  back: number;
  farBack: number;
  /** CPUs that have an entry. */
  cpus: number;
}

/** How much earlier is much: 10 ms of a clock in seconds, and as little as one can tell of a counter. */
const FAR_BACK = 10_000;
const FAR_BACK_COUNTER = 10_000_000;

function has(buf: Uint8Array, at: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i++) if (buf[at + i] !== word[i]) return false;
  return true;
}

/** Reads a recording. */
export class Reader {
  /** Names of functions. */
  readonly symbols: Symbols;
  /** Texts of flags. */
  readonly flags: Flags[] = [];
  readonly counts: Counts = {
    lines: 0,
    bytes: 0,
    entries: 0,
    events: 0,
    stacks: 0,
    failed: 0,
    damaged: 0,
    foreign: 0,
    lost: 0,
    back: 0,
    farBack: 0,
    cpus: 0,
  };
  /** Timestamp of the last entry, without its point; its CPU, and which CPUs were seen. */
  #stamp = 0;
  #cpu = -1;
  readonly #cpus = new Set<number>();
  readonly #to: Events;
  readonly #at: Place = { line: 0, cpu: 0, level: 0, pid: -1 };
  readonly #flagNames = new Symbols();
  /** Of each name in #flagNames: its number in flags, or -1. */
  readonly #flagOf: number[] = [];
  /** What is being read: a piece that was handed over, or the line that began in the one before. */
  #buf: Uint8Array = new Uint8Array(0);
  /** The beginning of a line whose end is not there yet. */
  readonly #rest = new Uint8Array(MAX_LINE + 1);
  #length = 0;
  /** The rest of a line that is too long. */
  #skipping = false;
  /** In a stack trace: 0 not, 1 unwanted frames, 2 wanted ones. */
  #stack = 0;
  // What the last operand was, and where it ended.
  #value = 0;
  #next = 0;

  constructor(to: Events, symbols: Symbols) {
    this.#to = to;
    this.symbols = symbols;
  }

  /** Takes the next bytes, which are the caller's again afterwards. */
  push(chunk: Uint8Array): void {
    this.counts.bytes += chunk.length;
    let from = 0;
    if (this.#length > 0 || this.#skipping) {
      const first = chunk.indexOf(NL);
      this.#keep(chunk, 0, first < 0 ? chunk.length : first);
      if (first < 0) return;
      this.#endRest();
      from = first + 1;
    }
    const end = chunk.lastIndexOf(NL) + 1;
    if (end > from) {
      this.#buf = chunk;
      this.#lines(from, end);
      from = end;
    }
    this.#keep(chunk, from, chunk.length);
  }

  /** There are no more bytes. */
  end(): void {
    if (this.#length > 0) this.#endRest();
    this.#leaveStack();
  }

  /** Puts aside what belongs to a line that goes on. */
  #keep(chunk: Uint8Array, from: number, to: number): void {
    if (this.#skipping) return;
    if (this.#length + to - from > MAX_LINE) {
      this.#skipping = true;
      this.#length = 0;
      this.#tooLong();
      return;
    }
    this.#rest.set(chunk.subarray(from, to), this.#length);
    this.#length += to - from;
  }

  /** The line that went on is over. */
  #endRest(): void {
    const length = this.#length;
    this.#length = 0;
    if (this.#skipping) {
      this.#skipping = false;
      return;
    }
    this.#rest[length] = NL;
    this.#buf = this.#rest;
    this.#line(0, length);
  }

  #tooLong(): void {
    this.counts.lines++;
    this.counts.foreign++;
  }

  /** Reads whole lines. */
  #lines(p: number, end: number): void {
    const buf = this.#buf;
    while (p < end) {
      let e = p;
      while (buf[e] !== NL) e++;
      if (this.#stack === 1 && buf[p] === SPACE && buf[p + 1] === EQUALS && buf[p + 2] === GREATER) this.counts.lines++;
      else if (e - p > MAX_LINE) this.#tooLong();
      else this.#line(p, e);
      p = e + 1;
    }
  }

  #line(p: number, e: number): void {
    const buf = this.#buf;
    this.#at.line = ++this.counts.lines;
    if (e > p && buf[e - 1] === CR) e--;
    let i = p;
    while (i < e && (buf[i] === SPACE || buf[i] === TAB)) i++;
    if (buf[i] === EQUALS && buf[i + 1] === GREATER) {
      if (this.#stack === 2) this.#frame(i + 2, e);
      return;
    }
    if (i === e) return;
    this.#leaveStack();
    if (buf[p] === HASH) this.#comment(p, e);
    else if (has(buf, p, CPU) && this.#lost(p, e)) return;
    else if (!this.#entry(p, i, e)) this.#strange(p, e);
  }

  #leaveStack(): void {
    if (this.#stack === 0) return;
    const wanted = this.#stack === 2;
    this.#stack = 0;
    if (wanted) this.#to.stackEnd();
  }

  #frame(from: number, e: number): void {
    const buf = this.#buf;
    while (from < e && buf[from] === SPACE) from++;
    if (this.#to.frame(this.symbols.keep(buf, from, e)) === STACK_DONE) {
      this.#stack = 1;
      this.#to.stackEnd();
    }
  }

  #text(p: number, e: number): string {
    return new TextDecoder().decode(this.#buf.subarray(p, e));
  }

  #comment(p: number, e: number): void {
    const text = this.#text(p, Math.min(e, p + 1000));
    const started = /^#+ CPU (\d+) buffer started #+$/.exec(text);
    if (started) this.#to.gap(this.counts.lines, Number(started[1]), true);
    else this.#to.comment(text);
  }

  /** `CPU:1 [LOST 7 EVENTS]`, or `[7 EVENTS DROPPED]` as trace-cmd says it. */
  #lost(p: number, e: number): boolean {
    const match = /^CPU:(\d+) \[(?:LOST (?:(\d+) )?EVENTS|(\d+) EVENTS DROPPED|EVENTS DROPPED)\]$/.exec(
      this.#text(p, Math.min(e, p + 100)),
    );
    if (match === null) return false;
    this.counts.lost += Number(match[2] ?? match[3] ?? 1);
    this.#to.gap(this.counts.lines, Number(match[1]), false);
    return true;
  }

  /** A line that is not ftrace's, or not any more. */
  #strange(p: number, e: number): void {
    const text = this.#text(p, Math.min(e, p + 500));
    // Half of an entry, or an event's name without its prefix: an event is missing here.
    if (/\[\d{3,}\]|mm_page_(alloc|free)|<stack|pfn=/.test(text)) {
      this.counts.damaged++;
      this.#to.gap(this.counts.lines, -1, false);
    } else this.counts.foreign++;
  }

  /** Reads an entry; false where the line is none. `first` is where its first letter stands. */
  #entry(p: number, first: number, e: number): boolean {
    const buf = this.#buf;
    for (let i = first;; i++) {
      while (i < e && buf[i] !== OPEN) i++;
      if (i >= e) return false;
      let cpu = 0;
      let j = i + 1;
      for (; buf[j]! >= ZERO && buf[j]! <= NINE && j < i + 7; j++) cpu = cpu * 10 + buf[j]! - ZERO;
      if (j === i + 1 || buf[j] !== CLOSE || buf[j + 1] !== SPACE) continue;
      const q = this.#afterStamp(j + 2, e);
      if (q < 0) continue;
      if (cpu !== this.#cpu) this.#anotherCpu(cpu);
      this.#at.cpu = cpu;
      this.#at.pid = this.#pid(p, i);
      this.counts.entries++;
      this.#event(q, e);
      return true;
    }
  }

  /** Reads flags and timestamp; answers where the event's name begins, or -1. */
  #afterStamp(k: number, e: number): number {
    const buf = this.#buf;
    while (k < e && buf[k] === SPACE) k++;
    let level = -1;
    let t = k;
    while (t < e && buf[t] !== SPACE) t++;
    if (t >= e) return -1;
    if (buf[t - 1] !== COLON) {
      const c = buf[k + 2];
      level = c === 0x73 ? 1 : c === 0x68 || c === 0x48 ? 2 : c === 0x7a || c === 0x5a ? 3 : 0;
      if (t - k < 4 || t - k > 6) return -1;
      while (t < e && buf[t] === SPACE) t++;
      k = t;
      while (t < e && buf[t] !== SPACE) t++;
      if (t >= e || buf[t - 1] !== COLON) return -1;
    }
    if (t - k < 2) return -1;
    let stamp = 0;
    let far = FAR_BACK_COUNTER;
    for (let i = k; i < t - 1; i++) {
      const c = buf[i]!;
      if (c >= ZERO && c <= NINE) stamp = stamp * 10 + c - ZERO;
      else if (c === DOT) far = FAR_BACK;
      else return -1;
    }
    while (t < e && buf[t] === SPACE) t++;
    if (t >= e) return -1;
    this.#at.level = level;
    if (stamp < this.#stamp) this.#backInTime(stamp, far);
    this.#stamp = stamp;
    return t;
  }

  /** ftrace writes its entries in the order of time: between these two something is not where it was. */
  #backInTime(stamp: number, far: number): void {
    this.counts.back++;
    if (this.#stamp - stamp > far) this.counts.farBack++;
  }

  #anotherCpu(cpu: number): void {
    this.#cpu = cpu;
    this.#cpus.add(cpu);
    this.counts.cpus = this.#cpus.size;
  }

  /** The number between the last `-` and the CPU, past a thread group's in brackets. */
  #pid(p: number, i: number): number {
    const buf = this.#buf;
    i--;
    while (i > p && buf[i] === SPACE) i--;
    if (buf[i] === 0x29) {
      while (i > p && buf[i] !== 0x28) i--;
      i--;
      while (i > p && buf[i] === SPACE) i--;
    }
    let pid = 0;
    let unit = 1;
    for (; i > p && buf[i]! >= ZERO && buf[i]! <= NINE; i--) {
      pid += (buf[i]! - ZERO) * unit;
      unit *= 10;
    }
    return buf[i] === MINUS && unit > 1 ? pid : -1;
  }

  #event(q: number, e: number): void {
    const buf = this.#buf;
    if (buf[q] === LESS || has(buf, q, KERNEL_STACK)) {
      while (q < e && buf[q] !== LESS) q++;
      if (!has(buf, q + 1, STACK)) {
        // <user stack trace>: its frames are not the kernel's.
        this.#stack = 1;
        return;
      }
      this.counts.stacks++;
      this.#stack = this.#to.stack(this.#at) === STACK_NEXT ? 2 : 1;
      return;
    }
    if (has(buf, q, KMEM)) q += KMEM.length;
    if (!has(buf, q, MM_PAGE)) return this.#otherEvent(q, e);
    const name = q + MM_PAGE.length;
    if (has(buf, name, FREE)) {
      if (this.#page(name + FREE.length, e) && this.#next === e) {
        this.counts.events++;
        this.#to.free(this.#at, this.#value, this.#order);
      } else this.#damage();
    } else if (has(buf, name, ALLOC)) {
      if (!this.#page(name + ALLOC.length, e) || !this.#alloc(e)) this.#damage();
    } else this.#otherEvent(q, e);
  }

  /** The event is there, and what it says is not. */
  #damage(): void {
    this.counts.damaged++;
    this.#to.other(this.#at);
    this.#to.gap(this.counts.lines, -1, false);
  }

  #order = 0;

  /** `page=... pfn=... order=...`: the page into #value, the order, and where they end. */
  #page(i: number, e: number): boolean {
    const buf = this.#buf;
    while (i < e && buf[i] === SPACE) i++;
    if (!has(buf, i, PAGE)) return false;
    while (i < e && buf[i] !== SPACE) i++;
    if (!has(buf, ++i, PFN) || !this.#pfn(i + PFN.length, e)) return false;
    i = this.#next;
    if (buf[i] !== SPACE || !has(buf, ++i, ORDER)) return false;
    let order = 0;
    const from = i += ORDER.length;
    for (; i < e && buf[i]! >= ZERO && buf[i]! <= NINE && i < from + 3; i++) order = order * 10 + buf[i]! - ZERO;
    if (i === from || order > MAX_ORDER) return false;
    this.#order = order;
    let next = i;
    while (next < e && buf[next] === SPACE) next++;
    this.#next = next;
    return next === e || next > i;
  }

  #pfn(i: number, e: number): boolean {
    const buf = this.#buf;
    let pfn = 0;
    const hex = buf[i] === ZERO && buf[i + 1] === 0x78;
    if (hex) i += 2;
    const from = i;
    for (; i < e && i <= from + MAX_PFN_DIGITS; i++) {
      const c = buf[i]!;
      const digit = c <= NINE ? c - ZERO : hex && c >= 0x61 && c <= 0x66 ? c - 0x57 : -1;
      if (digit < 0) break;
      pfn = pfn * (hex ? 16 : 10) + digit;
    }
    this.#next = i;
    this.#value = pfn;
    return i > from && i <= from + MAX_PFN_DIGITS;
  }

  /** `migratetype=0 gfp_flags=GFP_KERNEL`. */
  #alloc(e: number): boolean {
    const buf = this.#buf;
    let i = this.#next;
    if (!has(buf, i, MIGRATETYPE)) return false;
    i += MIGRATETYPE.length;
    while (i < e && buf[i] !== SPACE) {
      if (buf[i]! < ZERO || buf[i]! > NINE) return false;
      i++;
    }
    if (!has(buf, ++i, GFP)) return false;
    i += GFP.length;
    while (e > i && buf[e - 1] === SPACE) e--;
    const flags = this.#flagsAt(i, e);
    if (flags < 0) return false;
    this.counts.events++;
    // An allocation that failed is printed as page 0, which no allocator hands out.
    if (this.#value === 0) {
      this.counts.failed++;
      this.#to.other(this.#at);
    } else this.#to.alloc(this.#at, this.#value, this.#order, flags);
    return true;
  }

  #flagsAt(i: number, e: number): number {
    const names = this.#flagNames;
    const known = names.find(this.#buf, i, e);
    // A symbol ends at a blank or a dot, and flags have none.
    if (names.end !== e) return -1;
    if (known !== UNKNOWN) return this.#flagOf[known]!;
    const flags = readFlags(this.#text(i, e));
    const id = flags === undefined || this.flags.length === MAX_FLAGS ? UNKNOWN : names.keep(this.#buf, i, e);
    if (id === UNKNOWN) return -1;
    this.#flagOf[id] = this.flags.length;
    return this.flags.push(flags as Flags) - 1;
  }

  /** `pgd_alloc <-mm_init` of the function tracer; any other event only takes its place. */
  #otherEvent(q: number, e: number): void {
    const buf = this.#buf;
    let i = q;
    while (i < e && buf[i] !== SPACE) i++;
    if (buf[i + 1] === LESS && buf[i + 2] === MINUS) {
      const symbol = this.symbols.find(buf, q, i);
      if (symbol !== UNKNOWN) return this.#to.enters(this.#at, symbol);
    } // An event's name ends with a colon: this one's line was cut within it.
    else if (i === e && buf[i - 1] !== COLON) return this.#damage();
    this.#to.other(this.#at);
  }
}
