/**
 * Page tables as a recording shows them: which blocks live, who made them, how
 * they went, and what cannot be.
 *
 * Only blocks that were allocated for page tables are followed, so memory is in
 * proportion to what lives, not to the recording. An allocation is a page
 * table's by its stack (the first function outside the allocator is one that
 * makes page tables), by the function tracer's event before it, or, in a
 * recording without either, by order and flags.
 *
 * A stack follows its event on the same CPU; a softirq may come between the
 * two. So events wait for theirs, last in, first out, and by what they
 * interrupted where the recording tells.
 *
 * What is odd is taken down with its lines and judged at the end, when it is
 * known what the recording lacks (`evidence.ts`).
 *
 * @module
 */
import { ALLOC_INNER, FREE_INNER, TABLE, TABLE_FREE, TELLS } from "./functions.ts";
import { Gaps } from "./gaps.ts";
import { type Events, type Place, STACK_DONE, STACK_NEXT } from "./reader.ts";
import { type Symbols, UNKNOWN } from "./symbols.ts";

/** How it is known that an allocation is a page table's. */
export type By = "stack" | "function" | "shape";
const BY: readonly By[] = ["stack", "function", "shape"];

/** Allocations that look the same: one place in the code, one order, one set of flags. */
export interface Kind {
  readonly id: number;
  readonly by: By;
  /** The function that allocated; UNKNOWN by shape. */
  readonly site: number;
  /** Who called it, and that one's caller; UNKNOWN where the recording does not say. */
  readonly callers: readonly [number, number];
  readonly order: number;
  /** Number of the flags' text. */
  readonly flags: number;
  /** The stack of the first, from the site on. */
  readonly stack: readonly number[];
  allocations: number;
  /** First line. */
  readonly line: number;
}

/** How a release went. */
export type How = "whole" | "chunked" | "before";
const HOWS: readonly How[] = ["whole", "chunked", "before"];

/** Releases that look the same. */
export interface Release {
  /** The kind of what was freed; -1 for a table from before the recording. */
  readonly kind: number;
  /** The first function outside the allocator; UNKNOWN where the recording does not say. */
  readonly path: number;
  /** Order that the event names; of chunks the block's. */
  readonly order: number;
  readonly how: How;
  count: number;
}

/** A block that lives, or (a ghost) that did. */
interface Block {
  kind: number;
  /** Line of its allocation, or of its release. */
  line: number;
  /** It took the page of a table that lived, as far as the recording says. */
  doubt: Oddity | undefined;
  /** Of a ghost: its first page was allocated since, and not by a table's function as far as the recording says. */
  taken: boolean;
}

/** A block of which a part was given up. */
export interface Part {
  readonly kind: number;
  readonly pfn: number;
  readonly line: number;
  /** Pieces that were released, page offset and order, in the order of the recording. */
  readonly pieces: { readonly offset: number; readonly order: number; path: number; readonly line: number }[];
  /** Pages released. */
  released: number;
  /** Line at which one of the lost pages was allocated to somebody else, or 0. */
  again: number;
}

/** What cannot be, if the recording is whole. */
export interface Oddity {
  readonly what: "double-free" | "granted-twice" | "misaligned" | "too-many";
  readonly kind: number;
  readonly path: number;
  readonly pfn: number;
  /** Order of the event that shows it. */
  readonly order: number;
  /** Lines between which nothing may be missing. */
  readonly from: number;
  readonly to: number;
  /** CPU of the event that shows it. */
  readonly cpu: number;
  /** The clocks of two CPUs may have put the events into another order. */
  reordered: boolean;
}

/** Who follows the tables one by one. */
export interface Tables {
  allocated(kind: Kind, pfn: number): void;
  /** A piece of a table (or all of it) is given up. */
  released(kind: Kind, pfn: number, offset: number, order: number, path: number): void;
  /** It is not known any more what became of a table. */
  lostSight(pfn: number): void;
}

/** An event that waits for its stack. */
interface Pending {
  cpu: number;
  level: number;
  what: "alloc" | "free" | "other";
  pfn: number;
  order: number;
  flags: number;
  line: number;
  /** Of a free: the kind of the block that it released, or -1. */
  kind: number;
  /** Of a free of a block that lives no more: what it was. */
  ghost: Block | undefined;
  /** Of a free: the page that the block begins at, and whether all of it went. */
  base: number;
  piece: Part["pieces"][number] | undefined;
  /** Of the function tracer: the function that runs, or UNKNOWN. */
  entered: number;
}

/** Lines within which the clocks of two CPUs may put events into another order. */
const SKEW = 1000;
/** Freed tables that are remembered, to know a second free by. */
const MAX_GHOSTS = 1 << 16;
/** Oddities that are kept one by one. */
const MAX_ODDITIES = 10_000;
/** Different places that are told apart. */
const MAX_KINDS = 10_000;
/** Events of one CPU that wait: task, softirq, hardirq, NMI. */
const MAX_WAITING = 4;
/** Frames of a stack that are kept. */
const MAX_FRAMES = 8;
/** Stacks that are searched to their ends for what tells architecture and kernel. */
const SEARCHED_STACKS = 2000;
/** Allocations without any stack before it is clear that the recording has none. */
const STACKLESS = 64;

const NO_FRAMES: readonly number[] = [];

const REGION_SHIFT = 512;
const REGIONS = 1 << 16;

/** Judges the events of one recording. */
export class Judge implements Events {
  readonly kinds: Kind[] = [];
  readonly releases = new Map<number, Release>();
  readonly oddities: Oddity[] = [];
  /** Oddities that there was no room for. */
  moreOddities = 0;
  /** Blocks that went in part, by first page. */
  readonly parts: ReadonlyMap<number, Part>;
  /** Parts whose lost pages were allocated again: something is missing there. */
  readonly reused: Part[] = [];
  /** Blocks of which every page was given up, but not as a whole and not as `__free_pages` does in chunks. */
  readonly inPieces: Part[] = [];
  readonly gaps = new Gaps();
  /** Comments, the first of each key. */
  readonly comments: string[] = [];
  /** Allocations without a stack in a recording with stacks. */
  withoutStack = 0;
  /** Tables' functions that free what somebody else allocated, as far as the recording says. */
  foreign = 0;
  /** Stacks whose event is not there. */
  orphans = 0;
  /** Frees of order 0: the recording is not filtered by order. */
  orderZero = 0;
  /** Functions that tell architecture or kernel. */
  readonly tells = new Set<number>();

  readonly #symbols: Symbols;
  readonly #live = new Map<number, Block>();
  readonly #ghosts = new Map<number, Block>();
  /** Ghosts by the low bits of their pages, so that most events need no look-up. */
  readonly #ghostsNear = new Int32Array(REGIONS);
  /** Live tables by order, and by region of 512 pages, so that most events need no look-up. */
  readonly #byOrder = new Int32Array(16);
  readonly #byRegion = new Int32Array(REGIONS);
  readonly #parts = new Map<number, Part>();
  readonly #partsByOrder = new Int32Array(16);
  /** Parts by the low bits of their pages. */
  readonly #partsNear = new Int32Array(REGIONS);
  readonly #kindOf = new Map<number, Map<number, number>>();
  readonly #waiting: Pending[] = [];
  // What is over is used again: a long recording has millions of them.
  readonly #sparePending: Pending[] = [];
  readonly #spareBlocks: Block[] = [];
  readonly #entered = new Map<number, { symbol: number; pid: number; level: number }>();
  readonly #tables: Tables | undefined;
  readonly #byShape: (order: number, flags: number) => boolean;
  #anyStack = false;
  #stackless = 0;
  #searched = 0;
  // The stack that is being read.
  #whose: Pending | undefined;
  readonly #frames: number[] = [];
  #inner = 0;

  /**
   * @param byShape whether an allocation of that order and those flags is a page table's, for recordings without stacks
   * @param tables who follows the tables
   */
  constructor(symbols: Symbols, byShape: (order: number, flags: number) => boolean, tables?: Tables) {
    this.#symbols = symbols;
    this.#byShape = byShape;
    this.#tables = tables;
    this.parts = this.#parts;
  }

  /** Tables that live now. */
  get live(): number {
    return this.#live.size;
  }

  /** How many tables of each kind live. */
  liveByKind(): Map<number, number> {
    const counts = new Map<number, number>();
    for (const { kind } of this.#live.values()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return counts;
  }

  // What the reader tells.

  alloc(at: Place, pfn: number, order: number, flags: number): void {
    this.#seen(at);
    this.#overlaps(pfn, order, at.line, at.cpu);
    const ghost = this.#ghostAt(pfn);
    if (ghost !== undefined) ghost.taken = true;
    const pending = this.#pending(at, "alloc", pfn, order);
    pending.flags = flags;
    if (this.#anyStack || this.#stackless < STACKLESS) return this.#wait(pending);
    this.#settleAlloc(pending, NO_FRAMES);
    this.#sparePending.push(pending);
  }

  free(at: Place, pfn: number, order: number): void {
    this.#seen(at);
    if (order === 0) this.orderZero++;
    // An allocation whose stack never came is settled before its page goes.
    for (let i = this.#waiting.length - 1; i >= 0; i--) {
      const w = this.#waiting[i]!;
      if (w.what === "alloc" && w.pfn === pfn) this.#abandon(i);
    }
    const pending = this.#pending(at, "free", pfn, order);
    this.#release(pending);
    if (this.#anyStack || this.#stackless < STACKLESS) return this.#wait(pending);
    this.#settleFree(pending, UNKNOWN);
    this.#sparePending.push(pending);
  }

  other(at: Place): void {
    this.#seen(at);
    if (this.#anyStack || this.#waiting.length > 0) this.#wait(this.#pending(at, "other", -1, 0));
  }

  enters(at: Place, symbol: number): void {
    this.other(at);
    if ((this.#symbols.marks[symbol]! & (TABLE | TABLE_FREE)) === 0) return;
    this.#entered.set(at.cpu, { symbol, pid: at.pid, level: at.level });
  }

  stack(at: Place): number {
    this.gaps.seen(at.cpu, at.line);
    this.#anyStack = true;
    this.#whose = undefined;
    for (let i = this.#waiting.length - 1; i >= 0; i--) {
      const w = this.#waiting[i]!;
      if (w.cpu !== at.cpu) continue;
      if (w.level < at.level) break;
      if (w.level === at.level || at.level < 0) {
        this.#whose = w;
        this.#unwait(i);
        break;
      }
      this.#abandon(i);
    }
    if (this.#whose === undefined) {
      this.orphans++;
      return STACK_DONE;
    }
    if (this.#whose.what === "other") {
      this.#sparePending.push(this.#whose);
      this.#whose = undefined;
      return STACK_DONE;
    }
    this.#frames.length = 0;
    this.#inner = this.#whose.what === "alloc" ? ALLOC_INNER : FREE_INNER;
    return STACK_NEXT;
  }

  frame(symbol: number): number {
    const marks = symbol === UNKNOWN ? 0 : this.#symbols.marks[symbol]!;
    const frames = this.#frames;
    if ((marks & TELLS) !== 0) this.tells.add(symbol);
    if (frames.length === 0 && (marks & this.#inner) !== 0) return STACK_NEXT;
    if (frames.length < MAX_FRAMES) frames.push(symbol);
    if (this.#searched < SEARCHED_STACKS) return STACK_NEXT;
    const first = frames[0]!;
    const table = first !== UNKNOWN && (this.#symbols.marks[first]! & TABLE) !== 0;
    return this.#inner === ALLOC_INNER && table && frames.length < MAX_FRAMES ? STACK_NEXT : STACK_DONE;
  }

  stackEnd(): void {
    const pending = this.#whose;
    this.#whose = undefined;
    this.#searched++;
    if (pending === undefined) return;
    if (pending.what === "alloc") this.#settleAlloc(pending, this.#frames);
    else if (pending.what === "free") this.#settleFree(pending, this.#frames[0] ?? UNKNOWN);
    this.#sparePending.push(pending);
  }

  gap(line: number, cpu: number, sinceStart: boolean): void {
    this.gaps.add(line, cpu, sinceStart);
  }

  comment(text: string): void {
    // The second header of recordings that were joined: another boot, or a stretch that nobody saw.
    if (/^# tracer:/.test(text) && this.comments.some((c) => /^# tracer:/.test(c))) {
      this.gaps.add(this.#line, -1, false);
    }
    if (this.comments.length < 1000 && /^# ?[\w-]+: |entries-in-buffer/.test(text)) this.comments.push(text);
  }

  /** The recording is over. */
  end(): void {
    while (this.#waiting.length > 0) this.#abandon(this.#waiting.length - 1);
  }

  // Events and their stacks.

  #line = 0;

  #seen(at: Place): void {
    this.#line = at.line;
    this.gaps.seen(at.cpu, at.line);
  }

  #pending(at: Place, what: Pending["what"], pfn: number, order: number): Pending {
    const { cpu, level, line } = at;
    let entered = UNKNOWN;
    if (what !== "other" && this.#entered.size > 0) {
      const e = this.#entered.get(cpu);
      if (e !== undefined && e.pid === at.pid && e.level === level) {
        entered = e.symbol;
        this.#entered.delete(cpu);
      }
    }
    const p = this.#sparePending.pop();
    if (p === undefined) {
      return {
        cpu,
        level,
        what,
        pfn,
        order,
        flags: 0,
        line,
        kind: -1,
        ghost: undefined,
        base: -1,
        piece: undefined,
        entered,
      };
    }
    p.cpu = cpu;
    p.level = level;
    p.what = what;
    p.pfn = pfn;
    p.order = order;
    p.flags = 0;
    p.line = line;
    p.kind = -1;
    p.ghost = undefined;
    p.base = -1;
    p.piece = undefined;
    p.entered = entered;
    return p;
  }

  /** The event waits for its stack; whatever it did not interrupt waits in vain. */
  #wait(pending: Pending): void {
    let same = 0;
    for (let i = this.#waiting.length - 1; i >= 0; i--) {
      const w = this.#waiting[i]!;
      if (w.cpu !== pending.cpu) continue;
      if (pending.level >= 0 ? w.level >= pending.level : ++same >= MAX_WAITING) this.#abandon(i);
    }
    this.#waiting.push(pending);
  }

  /** An event has no stack. */
  #abandon(i: number): void {
    const pending = this.#waiting[i]!;
    this.#unwait(i);
    if (pending.what !== "other") {
      if (!this.#anyStack) this.#stackless++;
      else if (pending.what === "alloc") this.withoutStack++;
      if (pending.what === "alloc") this.#settleAlloc(pending, NO_FRAMES);
      else this.#settleFree(pending, UNKNOWN);
    }
    this.#sparePending.push(pending);
  }

  /** Takes an event out of those that wait. */
  #unwait(i: number): void {
    const waiting = this.#waiting;
    for (let k = i + 1; k < waiting.length; k++) waiting[k - 1] = waiting[k]!;
    waiting.pop();
  }

  #settleAlloc(p: Pending, frames: readonly number[]): void {
    const kind = this.#kind(p, frames);
    if (kind === undefined) return;
    kind.allocations++;
    if (p.pfn % (1 << p.order) !== 0) this.#odd("misaligned", kind.id, UNKNOWN, p.pfn, p.order, p.line, p.line, p.cpu);
    // Who got the page first is gone: an event of that is missing, or the page was granted twice.
    this.#overlaps(p.pfn, p.order, p.line, p.cpu);
    this.#noGhost(p.pfn);
    const doubt = this.#doubt !== undefined && this.#doubt.to === p.line ? this.#doubt : undefined;
    this.#insert(p.pfn, this.#block(kind.id, p.line, doubt));
    this.#tables?.allocated(kind, p.pfn);
  }

  #kind(p: Pending, frames: readonly number[]): Kind | undefined {
    let by: By = "stack";
    let site = frames[0] ?? UNKNOWN;
    if (frames.length === 0 && p.entered !== UNKNOWN) {
      by = "function";
      site = p.entered;
    } else if (frames.length === 0 && !this.#anyStack && this.#byShape(p.order, p.flags)) {
      by = "shape";
    }
    if (by !== "shape" && (site === UNKNOWN || (this.#symbols.marks[site]! & TABLE) === 0)) return undefined;
    const callers = [frames[1] ?? UNKNOWN, frames[2] ?? UNKNOWN] as const;
    // Numbers of symbols are below 2^14, and UNKNOWN is one less than the first.
    const place = ((site + 1) * 0x8000 + callers[0] + 1) * 0x8000 + callers[1] + 1;
    const look = (p.flags * 16 + p.order) * 3 + BY.indexOf(by);
    let looks = this.#kindOf.get(place);
    if (looks === undefined) this.#kindOf.set(place, looks = new Map());
    let id = looks.get(look);
    if (id === undefined) {
      if (this.kinds.length === MAX_KINDS) return undefined;
      id = this.kinds.length;
      looks.set(look, id);
      const { order, flags, line } = p;
      this.kinds.push({ id, by, site, callers, order, flags, stack: [...frames], allocations: 0, line });
    }
    return this.kinds[id];
  }

  #settleFree(p: Pending, path: number): void {
    if (path === UNKNOWN) path = p.entered;
    if (p.piece !== undefined) p.piece.path = path;
    if (p.kind >= 0) {
      const kind = this.kinds[p.kind]!;
      if (p.piece === undefined) this.#count(p.kind, path, p.order, "whole");
      this.#tables?.released(kind, p.base, p.pfn - p.base, p.order, path);
      return;
    }
    const table = path !== UNKNOWN && (this.#symbols.marks[path]! & TABLE_FREE) !== 0;
    if (p.ghost !== undefined && table && this.kinds[p.ghost.kind]!.order === p.order) {
      // A page that was a table may have become a batch of the gather, which the same function frees.
      if (p.ghost.taken) this.foreign += p.order > 0 ? 1 : 0;
      else if (p.ghost.doubt === undefined) {
        this.#odd("double-free", p.ghost.kind, path, p.pfn, p.order, p.ghost.line, p.line, p.cpu);
      }
    } else if (p.ghost === undefined && table) this.#count(-1, path, p.order, "before");
    else if (p.ghost === undefined && !this.#anyStack && p.order > 0 && this.#looksFreed(p.order)) {
      this.#count(-1, UNKNOWN, p.order, "before");
    }
  }

  /** Without stacks: whether tables of that order have been seen. */
  #looksFreed(order: number): boolean {
    return this.#byOrder[order]! > 0 || this.kinds.some((k) => k.by === "shape" && k.order === order);
  }

  #count(kind: number, path: number, order: number, how: How): void {
    const key = (((kind + 1) * 0x8000 + path + 1) * 16 + order) * 3 + HOWS.indexOf(how);
    const known = this.releases.get(key);
    if (known !== undefined) known.count++;
    else this.releases.set(key, { kind, path, order, how, count: 1 });
  }

  #odd(
    what: Oddity["what"],
    kind: number,
    path: number,
    pfn: number,
    order: number,
    from: number,
    to: number,
    cpu: number,
  ): Oddity {
    const oddity: Oddity = { what, kind, path, pfn, order, from, to, cpu, reordered: false };
    if (this.oddities.length < MAX_ODDITIES) this.oddities.push(oddity);
    else this.moreOddities++;
    return oddity;
  }

  /** The page that was granted twice last. */
  #doubt: Oddity | undefined;

  // Blocks.

  #block(kind: number, line: number, doubt: Oddity | undefined): Block {
    const block = this.#spareBlocks.pop();
    if (block === undefined) return { kind, line, doubt, taken: false };
    block.kind = kind;
    block.line = line;
    block.doubt = doubt;
    block.taken = false;
    return block;
  }

  /** A block is nobody's any more; an event that waits may know it yet. */
  #spare(block: Block): void {
    if (this.#whose?.ghost === block) return;
    for (const w of this.#waiting) if (w.ghost === block) return;
    this.#spareBlocks.push(block);
  }

  #insert(pfn: number, block: Block): void {
    this.#live.set(pfn, block);
    this.#byOrder[this.kinds[block.kind]!.order]!++;
    this.#byRegion[Math.floor(pfn / REGION_SHIFT) & (REGIONS - 1)]!++;
  }

  #remove(pfn: number, block: Block): void {
    this.#live.delete(pfn);
    this.#byOrder[this.kinds[block.kind]!.order]!--;
    this.#byRegion[Math.floor(pfn / REGION_SHIFT) & (REGIONS - 1)]!--;
  }

  /** Whether a table may live where a block of that order begins. */
  #nobody(pfn: number, order: number): boolean {
    if (this.#live.size === 0) return true;
    const first = Math.floor(pfn / REGION_SHIFT);
    const last = Math.floor((pfn + (1 << order) - 1) / REGION_SHIFT);
    for (let r = first; r <= last; r++) if (this.#byRegion[r & (REGIONS - 1)] !== 0) return false;
    return true;
  }

  /** The live block that a page lies in, as its first page; -1 for none. */
  #holder(pfn: number): number {
    if (this.#live.has(pfn)) return pfn;
    for (let order = 1; order < 16; order++) {
      if (this.#byOrder[order] === 0) continue;
      const base = pfn - pfn % (1 << order);
      const block = base === pfn ? undefined : this.#live.get(base);
      if (block !== undefined && this.kinds[block.kind]!.order === order) return base;
    }
    return -1;
  }

  #partAt(pfn: number): Part | undefined {
    return this.#partsNear[pfn & (REGIONS - 1)] === 0 ? undefined : this.#parts.get(pfn);
  }

  #partOf(pfn: number): Part | undefined {
    for (let order = 1; order < 16; order++) {
      if (this.#partsByOrder[order] === 0) continue;
      const part = this.#partAt(pfn - pfn % (1 << order));
      if (part !== undefined && this.kinds[part.kind]!.order === order) return part;
    }
    return undefined;
  }

  /** A block is allocated: whatever table it takes pages of cannot live there any more. */
  #overlaps(pfn: number, order: number, line: number, cpu: number): void {
    if (this.#parts.size > 0) this.#overlapsParts(pfn, order, line);
    if (this.#nobody(pfn, order)) return;
    for (let page = pfn; page < pfn + (1 << order); page++) {
      const base = page === pfn ? this.#holder(page) : this.#live.has(page) ? page : -1;
      if (base < 0) continue;
      const block = this.#live.get(base)!;
      this.#doubt = this.#odd("granted-twice", block.kind, UNKNOWN, base, order, block.line, line, cpu);
      this.#remove(base, block);
      this.#spare(block);
      this.#tables?.lostSight(base);
    }
  }

  #overlapsParts(pfn: number, order: number, line: number): void {
    const end = pfn + (1 << order);
    const holder = this.#partOf(pfn);
    if (holder !== undefined) this.#reuse(holder, pfn, end, line);
    for (let page = pfn + 1; page < end; page++) {
      const part = this.#partAt(page);
      if (part !== undefined) this.#reuse(part, pfn, end, line);
    }
  }

  /** Pages are allocated: if one of them is lost, as far as the recording says, then something is missing. */
  #reuse(part: Part, from: number, to: number, line: number): void {
    const end = Math.min(to, part.pfn + (1 << this.kinds[part.kind]!.order));
    for (let page = Math.max(from, part.pfn); page < end; page++) {
      if (isReleased(part, page - part.pfn)) continue;
      part.again = line;
      this.#noPart(part);
      if (this.reused.length < MAX_ODDITIES) this.reused.push(part);
      this.#tables?.lostSight(part.pfn);
      return;
    }
  }

  /** A free: what it does to the table that it hits, if it hits one. */
  #release(p: Pending): void {
    const { pfn, order, line } = p;
    const base = this.#nobody(pfn, order) ? -1 : this.#holder(pfn);
    if (base >= 0) {
      const block = this.#live.get(base)!;
      const own = this.kinds[block.kind]!.order;
      p.kind = block.kind;
      p.base = base;
      this.#remove(base, block);
      const { doubt } = block;
      if (doubt !== undefined && doubt.cpu !== p.cpu && line - doubt.to < SKEW) doubt.reordered = true;
      if (base === pfn && order === own) {
        block.line = line;
        return this.#ghost(pfn, block);
      }
      const { kind, line: from } = block;
      this.#spare(block);
      if (pfn + (1 << order) > base + (1 << own)) {
        this.#odd("too-many", kind, UNKNOWN, pfn, order, from, line, p.cpu);
        return this.#ghost(base, this.#block(kind, line, undefined));
      }
      const part: Part = { kind, pfn: base, line: from, pieces: [], released: 0, again: 0 };
      this.#parts.set(base, part);
      this.#partsByOrder[own]!++;
      this.#partsNear[base & (REGIONS - 1)]!++;
      return this.#piece(part, p);
    }
    const part = this.#parts.size > 0 ? this.#partOf(pfn) : undefined;
    if (part !== undefined && !isReleased(part, pfn - part.pfn)) {
      p.kind = part.kind;
      p.base = part.pfn;
      return this.#piece(part, p);
    }
    p.ghost = this.#ghostAt(pfn);
  }

  #noPart(part: Part): void {
    if (!this.#parts.delete(part.pfn)) return;
    this.#partsByOrder[this.kinds[part.kind]!.order]!--;
    this.#partsNear[part.pfn & (REGIONS - 1)]!--;
  }

  #piece(part: Part, p: Pending): void {
    const piece = { offset: p.pfn - part.pfn, order: p.order, path: UNKNOWN, line: p.line };
    part.pieces.push(piece);
    p.piece = piece;
    part.released += 1 << p.order;
    if (part.released < 1 << this.kinds[part.kind]!.order) return;
    this.#noPart(part);
    this.#ghost(part.pfn, this.#block(part.kind, p.line, undefined));
    if (isChunked(part)) this.#count(part.kind, UNKNOWN, this.kinds[part.kind]!.order, "chunked");
    else if (this.inPieces.length < MAX_ODDITIES) this.inPieces.push(part);
    else this.moreOddities++;
  }

  #ghostAt(pfn: number): Block | undefined {
    return this.#ghostsNear[pfn & (REGIONS - 1)] === 0 ? undefined : this.#ghosts.get(pfn);
  }

  /** Nothing is known any more of who had a page. */
  #noGhost(pfn: number): void {
    const ghost = this.#ghostAt(pfn);
    if (ghost === undefined) return;
    this.#ghosts.delete(pfn);
    this.#ghostsNear[pfn & (REGIONS - 1)]!--;
    this.#spare(ghost);
  }

  /** A block that lived is a ghost from now on. */
  #ghost(pfn: number, block: Block): void {
    this.#noGhost(pfn);
    block.taken = false;
    this.#ghosts.set(pfn, block);
    this.#ghostsNear[pfn & (REGIONS - 1)]!++;
    if (this.#ghosts.size <= MAX_GHOSTS) return;
    for (const oldest of this.#ghosts.keys()) {
      this.#noGhost(oldest);
      return;
    }
  }
}

/** Whether a page of a block was released already. */
export function isReleased(part: Part, offset: number): boolean {
  for (const p of part.pieces) if (offset >= p.offset && offset < p.offset + (1 << p.order)) return true;
  return false;
}

/**
 * Whether the pieces are those that `__free_pages` makes of a block that is not
 * compound while somebody else holds page 0: pages 2^n on as order n, and page
 * 0 whenever it is put. Together that is one release.
 */
export function isChunked(part: Part): boolean {
  return part.pieces.every((p) => p.offset === (p.order === 0 && p.offset === 0 ? 0 : 1 << p.order));
}
