/**
 * What the hostile generator believes of memory while it writes a program: the
 * blocks that it asked for and what became of them. Cheap and not always true
 * (an allocation may fail when the program runs); where it is wrong, lines are
 * skipped or a call that was meant right is a misuse, and the ledger says which.
 *
 * Everything lives in typed arrays that are made once.
 *
 * @module
 */
import type { Random } from "./random.ts";

/** Its owner holds it. */
export const LIVE = 1 << 0;
/** A gather holds it. */
export const QUEUED = 1 << 1;
/** It was freed, or is as soon as others put their references. */
export const GONE = 1 << 2;
/** Granted by `pagetable_alloc`, `ptdesc_alloc`. */
export const TABLE = 1 << 3;
/** Granted by `alloc_pages` and its kind. */
export const PAGES = 1 << 4;
/** Granted by `alloc_pages_exact`. */
export const EXACT = 1 << 5;
/** Granted by `memblock_alloc`. */
export const RESERVED = 1 << 6;
/** One page. */
export const SINGLE = 1 << 7;
/** Compound. */
export const COMPOUND = 1 << 8;
/** Was split into single pages. */
export const SPLIT = 1 << 9;
/** Some of its pages were marked reserved by the program. */
export const MARKED = 1 << 10;
/** Its first page is on pgd_list. */
export const LISTED = 1 << 11;
/** The owner holds references beside its first. */
export const EXTRA = 1 << 12;
/** The environment may hold references. */
export const HELD = 1 << 13;
/** Some of its pages are gone. */
export const PARTIAL = 1 << 14;
/** Perhaps highmem: it has no address. */
export const HIGH = 1 << 15;
/** Of order 2. */
export const ORDER_2 = 1 << 16;
/** More pages than a mask has bits. */
export const LARGE = 1 << 17;
/** A constructor ran on it. */
export const BUILT = 1 << 20;
/** The constructor was a table of PMDs'. */
export const PMD = 1 << 21;
/** Another block is deposited in it, or it is deposited itself. */
export const DEPOSIT = 1 << 22;
/** Others share it. */
export const SHARED = 1 << 23;

/** An entry leads to it. */
export const USED = 1 << 18;
/** A walker may be in it. */
export const WALKED = 1 << 19;
/** It was a table: what a destructor left may stop another constructor. */
export const SPENT = 1 << 24;
/** Several pages that are charged as one: they cannot leave one by one. */
export const CHARGED = 1 << 25;

/** Blocks that are remembered. */
export const MAX_BLOCKS = 48;
/** Gathers that are remembered. */
export const MAX_GATHERS = 12;
/** Tables that share a page that are remembered. */
export const MAX_FRAGMENTS = 24;
/** References that are remembered, of the owner and of the environment each. */
export const MAX_REFS = 16;

/** The order that holds so many pages. */
export function orderFor(pages: number): number {
  return pages <= 1 ? 0 : 32 - Math.clz32(pages - 1);
}

/** References that somebody took beside the first: block and page of each. */
export class References {
  readonly #blocks = new Int32Array(MAX_REFS);
  readonly #pages = new Int32Array(MAX_REFS);
  n = 0;

  /** Remembers one; forgets nothing: false when there is no room. */
  add(block: number, page: number): boolean {
    if (this.n === MAX_REFS) return false;
    this.#blocks[this.n] = block;
    this.#pages[this.n++] = page;
    return true;
  }

  /** Block of a reference. */
  block(i: number): number {
    return this.#blocks[i]!;
  }

  /** Page of a reference, from the block's first. */
  page(i: number): number {
    return this.#pages[i]!;
  }

  /** Forgets one. */
  remove(i: number): void {
    this.n--;
    this.#blocks[i] = this.#blocks[this.n]!;
    this.#pages[i] = this.#pages[this.n]!;
  }

  /** Whether any is on that block. */
  on(block: number): boolean {
    for (let i = 0; i < this.n; i++) if (this.#blocks[i] === block) return true;
    return false;
  }

  /** Forgets those on a block that is forgotten itself. */
  drop(block: number): void {
    for (let i = this.n - 1; i >= 0; i--) if (this.#blocks[i] === block) this.remove(i);
  }
}

/** The blocks and gathers of a program. */
export class Picture {
  /** What each block is: the bits above. */
  readonly traits: Int32Array = new Int32Array(MAX_BLOCKS);
  readonly order: Int32Array = new Int32Array(MAX_BLOCKS);
  readonly pages: Int32Array = new Int32Array(MAX_BLOCKS);
  /** Pages that are still the owner's, a bit each (all bits where LARGE). */
  readonly left: Int32Array = new Int32Array(MAX_BLOCKS);
  /** Pages that were written, a bit each. */
  readonly written: Int32Array = new Int32Array(MAX_BLOCKS);
  /** Pages that the program marked reserved, a bit each. */
  readonly marked: Int32Array = new Int32Array(MAX_BLOCKS);
  /** Slot that the grant went into. */
  readonly granted: Int32Array = new Int32Array(MAX_BLOCKS);
  /** Slot of a name for the first page, by kind (4 a block: page, folio, ptdesc, virt), or -1. */
  readonly names: Int32Array = new Int32Array(MAX_BLOCKS * 4);
  /** Slot that holds the answer of compound_order, or -1. */
  readonly orderName: Int32Array = new Int32Array(MAX_BLOCKS);
  /** Gather that holds pages of it until it is finished, or -1; MAX_GATHERS where there are several. */
  readonly gather: Int32Array = new Int32Array(MAX_BLOCKS);
  /** Index of the constructor that ran on the block. */
  readonly ctor: Int32Array = new Int32Array(MAX_BLOCKS);
  /** Block that a table is deposited in, the table, and the mm; -1 where none is. */
  depositPmd = -1;
  depositPte = -1;
  depositMm = 0;
  blocks = 0;
  /** Pages of all blocks that are not gone. */
  used = 0;

  readonly gSlot: Int32Array = new Int32Array(MAX_GATHERS);
  readonly gMm: Int32Array = new Int32Array(MAX_GATHERS);
  readonly gOpen: Int32Array = new Int32Array(MAX_GATHERS);
  /** Whether the range was adjusted: 1 until something is queued, 2 with fullmm. */
  readonly gRange: Int32Array = new Int32Array(MAX_GATHERS);
  gathers = 0;
  open = 0;

  /** Slots of tables that share a page and are live. */
  readonly fragments: Int32Array = new Int32Array(MAX_FRAGMENTS);
  /** What each of them is. */
  readonly fragmentSort: Int32Array = new Int32Array(MAX_FRAGMENTS);
  nFragments = 0;
  /** References that the program took with get_page. */
  readonly own: References = new References();
  /** References of the environment. */
  readonly env: References = new References();

  /** Walkers: block and slot of each. */
  readonly walkers: References = new References();

  /** Starts a program. */
  clear(): void {
    this.walkers.n = 0;
    this.blocks = 0;
    this.depositPmd = -1;
    this.depositPte = -1;
    this.used = 0;
    this.gathers = 0;
    this.open = 0;
    this.nFragments = 0;
    this.own.n = 0;
    this.env.n = 0;
  }

  /** Remembers a block; where there is no room in place of one that is gone, else of any. */
  add(random: Random, traits: number, pages: number, slot: number, kind: number): number {
    let b = this.blocks;
    if (b < MAX_BLOCKS) this.blocks++;
    else {
      // A reference that the program took has to be put yet.
      b = this.find(random, GONE, EXTRA);
      if (b < 0) b = this.find(random, QUEUED, EXTRA);
      if (b < 0) b = this.find(random, 0, EXTRA);
      // What is deposited with a block that is forgotten stays there.
      if (b === this.depositPmd || b === this.depositPte) this.depositPmd = this.depositPte = -2;
      if ((this.traits[b]! & GONE) === 0) this.used -= this.pages[b]!;
      this.env.drop(b);
      this.walkers.drop(b);
    }
    const order = orderFor(pages);
    if (pages === 1) traits |= SINGLE;
    if (pages > 32) traits |= LARGE;
    if (order === 2) traits |= ORDER_2;
    this.traits[b] = traits | LIVE;
    this.order[b] = order;
    this.pages[b] = pages;
    this.left[b] = pages >= 32 ? -1 : (1 << pages) - 1;
    this.written[b] = 0;
    this.marked[b] = 0;
    this.granted[b] = slot;
    this.names.fill(-1, b * 4, b * 4 + 4);
    this.names[b * 4 + kind] = slot;
    this.orderName[b] = -1;
    this.gather[b] = -1;
    this.used += pages;
    return b;
  }

  /** Some block that has all traits of one mask and none of another, or -1. */
  find(random: Random, need: number, forbid: number): number {
    const n = this.blocks;
    if (n === 0) return -1;
    const traits = this.traits;
    const mask = need | forbid;
    const from = random.below(n);
    for (let i = from; i < n; i++) if ((traits[i]! & mask) === need) return i;
    for (let i = 0; i < from; i++) if ((traits[i]! & mask) === need) return i;
    return -1;
  }

  /** The block is no longer the owner's: QUEUED or GONE. */
  giveUp(b: number, state: number): void {
    const t = this.traits[b]!;
    if ((t & GONE) === 0 && state === GONE) this.used -= this.pages[b]!;
    this.traits[b] = (t & ~(LIVE | QUEUED)) | state;
  }

  /** A gather holds pages of the block; of one that was split several may. */
  queue(b: number, g: number): void {
    const before = this.gather[b]!;
    this.gather[b] = before === -1 || before === g ? g : MAX_GATHERS;
  }

  /** One page left; the block is gone with the last. */
  takePage(b: number, page: number): void {
    this.left[b]! &= ~(1 << page);
    this.marked[b]! &= ~(1 << page);
    this.traits[b]! |= PARTIAL;
    if (this.left[b] === 0) this.giveUp(b, GONE);
  }

  /** A page of the block that is still there. */
  somePage(random: Random, b: number): number {
    const n = this.pages[b]!;
    if (n === 1) return 0;
    const from = random.below(n);
    const left = this.left[b]!;
    if (n > 32) return from;
    for (let i = 0; i < n; i++) {
      const page = (from + i) % n;
      if ((left >> page) & 1) return page;
    }
    return 0;
  }

  /** Remembers a gather, in place of one that is finished where there is no room. */
  addGather(random: Random, slot: number, full: boolean, mm: number): void {
    let g = this.gathers;
    if (g < MAX_GATHERS) this.gathers++;
    else {
      g = this.findGather(random, 0);
      if (g < 0) return;
    }
    this.gSlot[g] = slot;
    this.gOpen[g] = 1;
    this.gMm[g] = mm;
    this.gRange[g] = full ? 2 : 0;
    this.open++;
  }

  /** A gather ends: what it held is gone. */
  finish(g: number): void {
    this.gOpen[g] = 0;
    this.open--;
    for (let b = 0; b < this.blocks; b++) {
      if (this.gather[b] !== g) continue;
      this.gather[b] = -1;
      if ((this.traits[b]! & QUEUED) !== 0) this.giveUp(b, GONE);
    }
  }

  /** Some gather that is open or finished, or -1. */
  findGather(random: Random, open: number): number {
    const n = this.gathers;
    if (n === 0) return -1;
    const from = random.below(n);
    for (let i = 0; i < n; i++) {
      const g = (from + i) % n;
      if (this.gOpen[g] === open) return g;
    }
    return -1;
  }
}
