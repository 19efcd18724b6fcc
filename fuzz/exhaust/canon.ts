/**
 * A state's canonical hash: the same for states that differ only in names.
 *
 * Which page a block lies on, which place a table has, which index a gather:
 * nothing in the kernel depends on these. Pages are hashed by what is in them
 * and by who points at them, and never by their number. Then the buddy
 * allocator's tree is hashed from its leaves up: two halves may change places
 * wherever no block lies across the middle, because the allocator never asks
 * which of two buddies is the lower one. Tables are put in the order of their
 * hashes.
 *
 * What of a page is left out, and why that is sound: the words of `lru`, where
 * the page is on no list and in no compound block. Whoever puts it on a list or
 * into a compound block writes them first; before that, only bit 0 of
 * compound_head is read, and that is hashed. The pointers of lists are hashed by
 * the place of the page in its list. Contents of a free page are written before
 * they are read.
 *
 * Where a path goes on using memory that it has given up, it matters which page
 * that was: then no halves change places.
 *
 * 64 bits in two lanes.
 *
 * @module
 */
import * as $mmuGather from "../../core/kernel/mmu_gather.ts";
import * as $page from "../../core/kernel/page.ts";
import * as $families from "../../core/ledger/families.ts";
import * as $fragments from "../../core/memory/fragments.ts";
import * as $states from "../../core/ledger/states.ts";
import * as $memMap from "../../core/memory/mem_map.ts";
import * as $words from "../../core/memory/words.ts";
import * as $kinds from "../../core/program/kinds.ts";
import type { FieldKind, Place } from "../../core/program/machine_state.ts";
import * as $machineState from "../../core/program/machine_state.ts";
import * as $program from "../../core/program/program.ts";
import type { World } from "./world.ts";
import * as $records from "../../core/ledger/records.ts";

const {
  GR_COMPOUND,
  GR_EXTRA,
  GR_FAMILY,
  GR_FIRST,
  GR_FLAGS,
  GR_FROZEN,
  GR_GATHER,
  GR_HELD,
  GR_INTENT_CALL,
  GR_ORDER,
  GR_OWNER_REFS,
  GR_PARTS,
  GR_PTDESC,
  GR_QUEUED,
  GR_RELEASED,
  GR_REST,
  GR_SEEN,
  GR_SHIFT,
  GR_SLOT,
  GR_STATE,
  GR_TOTAL,
  L_ENV_REFS,
  L_GRANT,
  L_ON_LIST,
  L_REFS,
  L_RESERVED,
  L_SHIFT,
  L_TABLE,
  L_THEORETICAL,
  L_WORDS,
  L_WRITTEN_OFF,
} = $records;
const { G_ACTIVE, G_BATCH_COUNT, G_CLEARED, G_END, G_FULLMM, G_LOCAL, G_LOCAL_NEXT, G_LOCAL_NR } = $mmuGather;
const { G_MM, G_START, G_TABLES, G_USED, GATHER_WORDS, MAX_GATHERS, UNITS } = $mmuGather;
const { BATCH_GIVEN_BACK } = $page;
const { FRAGMENT } = $families;
const { MAX_PARTS, pointerList } = $fragments;
const { LINK_CLEARED, LINK_NONE, LIVE, QUEUED, T_DEPOSITED, T_DEPOSITS } = $states;
const { areaWord, fragmentList, NR_ORDERS, Z_FREE, Z_MANAGED, ZONE_WORDS } = $memMap;
const { NULL, PAGE_OFFSET, PAGE_SHIFT, PAGE_SIZE, PAGE_WORDS_SHIFT, STRUCT_PAGE_SHIFT, W_LRU_NEXT } = $words;
const { KIND_VIRT, kindIndex } = $kinds;
const { FIELDS, ownersOf } = $machineState;
const { FIRST_SLOT } = $program;

const C1 = 0x9e3779b1 | 0;
const C2 = 0x85ebca77 | 0;
const C3 = 0xc2b2ae3d | 0;

/** Who labels a page: a tag in the upper bits of a label. */
const FREE = 1 << 20;
const NAME = 2 << 20;
const ENTRY = 3 << 20;
const BATCH = 4 << 20;
const HELD = 5 << 20;
const LISTED = 6 << 20;
const QUEUE = 7 << 20;
const GRANTED = 8 << 20;
const WALKER = 9 << 20;
const STALE_GATHER = 900;

const KIND_GATHER = kindIndex("gather");

/** Fields that are hashed by name below; any other of the table is hashed as its kind says. */
const BY_NAME: ReadonlySet<string> = new Set(
  (`mem wasBatch batches batchPages gathers rcuQueue nBatchPages failNext nRcu placeNext tlbFlushPending via slotPages ranges ` +
    `gLink gHow gAddress mmHugePte pteFrag pmdFrag fragCache nocachePool grants gatherIds freeIds envTaken freePages managed ` +
    `lockOf deposits depositHome sharers locks nLocks pagetables charges mmDeposits granting live grant page pages ` +
    `slabObjects nocacheMap`)
    .split(" "),
);

/** Fields that {@linkcode Canon} knows only by their kind, for a test to look at. */
export function hashedByKind(): { name: string; kind: FieldKind }[] {
  const { walkers: _, ...tables } = FIELDS;
  return Object.values(tables).flatMap((table) => [...table]).filter(([name, kind]) =>
    !BY_NAME.has(name) && !["scratch", "fixed", "history"].includes(kind)
  ).map(([name, kind]) => ({ name, kind }));
}

/** Where what is looked at page by page lies in a world's state: one array is asked for all of it. */
interface At {
  readonly mem: number;
  readonly contents: number;
  readonly wasBatch: number;
  readonly slabObjects: number;
  readonly pages: number;
  readonly grants: number;
  readonly lockOf: number;
  readonly deposits: number;
  readonly depositHome: number;
  readonly sharers: number;
}

function placesOf({ state, machine }: World): At {
  const kernel = (name: string): number => state.place(name, "kernel").at;
  const ledger = (name: string): number => state.place(name, "ledger").at;
  return {
    mem: kernel("mem"),
    contents: kernel("mem") + machine.kernel.map.contents,
    wasBatch: kernel("wasBatch"),
    slabObjects: kernel("slabObjects"),
    pages: ledger("pages"),
    grants: ledger("grants"),
    lockOf: ledger("lockOf"),
    deposits: ledger("deposits"),
    depositHome: ledger("depositHome"),
    sharers: ledger("sharers"),
  };
}
/** One to one, and every bit of the answer depends on those below it. */
function scattered(x: number): number {
  x = Math.imul(x, C1);
  return x ^ (x >>> 15);
}

/** Hashes the state of a world. */
export class Canon {
  /** The lower half of the last hash. */
  low = 0;
  /** The upper half. */
  high = 0;

  /** No halves changed places in it. */
  rigid = false;

  readonly #world: World;
  readonly #a: Int32Array;
  readonly #b: Int32Array;
  /** 1 where a page and the one before it may not be parted. */
  readonly #glued: Uint8Array;
  /** The tree of what is in the pages, its root at 1. */
  readonly #around: Int32Array;
  readonly #order: Int32Array;
  readonly #rank: Int32Array;
  readonly #sigA: Int32Array;
  readonly #sigB: Int32Array;
  /** Names of each table that lead to a page or a gather, and how many there are. */
  readonly #leading: Uint8Array;
  readonly #leads: Int32Array;
  /** Table of each name. */
  readonly #tableOf: Uint8Array;
  /** T_ bits of any page. */
  #deposited = 0;
  /** Tag of each gather. */
  readonly #gather: Int32Array = new Int32Array(MAX_GATHERS);
  readonly #nGathers: number;
  readonly #orders: number;
  readonly #zones: number;
  readonly #pageExtras: readonly Place[];
  readonly #grantExtras: readonly Place[];
  readonly #rawExtras: readonly Place[];
  readonly #slotExtras: readonly Place[];
  readonly #numberExtras: readonly (() => number)[];
  /** A field names pages in a way that is not known here: nothing may change places. */
  readonly #rigid: boolean;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #at: At;

  constructor(world: World) {
    this.#world = world;
    this.#words = world.state.words;
    this.#at = placesOf(world);
    const n = world.machine.kernel.nrPages;
    this.#a = new Int32Array(n);
    this.#b = new Int32Array(n);
    this.#glued = new Uint8Array(n);
    this.#around = new Int32Array(2 * n);
    const t = world.tables.length;
    this.#order = new Int32Array(t);
    this.#rank = new Int32Array(t);
    this.#sigA = new Int32Array(t);
    this.#sigB = new Int32Array(t);
    this.#leading = new Uint8Array(t * world.names);
    this.#leads = new Int32Array(t);
    this.#tableOf = Uint8Array.from({ length: t * world.names }, (_, name) => Math.floor(name / world.names));
    this.#nGathers = world.machine.kernel.gathers.length / GATHER_WORDS;
    this.#orders = Math.min(NR_ORDERS, 32 - Math.clz32(n));
    this.#zones = world.machine.kernel.highStart < n ? 2 : 1;
    const extra = world.state.places.filter((p) =>
      p.owner !== "machine" && p.owner !== "walkers" && !BY_NAME.has(p.name)
    );
    this.#pageExtras = extra.filter((p) => p.kind === "page");
    this.#grantExtras = extra.filter((p) => p.kind === "grant");
    this.#slotExtras = extra.filter((p) => p.kind === "slot");
    this.#rawExtras = extra.filter((p) => ["link", "gather", "number"].includes(p.kind));
    this.#rigid = world.usesGivenUp || hashedByKind().some(({ kind }) => kind === "link");
    this.#bytes = new Uint8Array(world.state.words.buffer);
    this.#numberExtras = ownersOf(world.machine).filter((o) => o.what !== "walkers").flatMap(({ fields, table }) =>
      [...table].filter(([name, kind]) =>
        (kind === "number" || kind === "link") && !BY_NAME.has(name) && !ArrayBuffer.isView(fields[name])
      ).map(([name]) => (): number => Number(fields[name]))
    );
  }

  /** Hashes the state as it is now into `low` and `high`. */
  hash(): void {
    this.low = 0;
    this.high = 0;
    this.#pages();
    this.#freeLists();
    this.#walkers();
    const deposited = this.#deposits();
    const loose = this.#tables();
    this.#names();
    this.#gathers();
    this.#held();
    const apart = this.#descriptors();
    this.rigid = !loose || deposited || apart || this.#rigid || this.#world.machine.kernel.placeNext >= 0;
    this.#tree(!this.rigid);
    this.#global();
  }

  /** What is in each page, and what the ledger knows of it. */
  #pages(): void {
    const words = this.#words;
    const bytes = this.#bytes;
    const as = this.#a;
    const bs = this.#b;
    const glued = this.#glued;
    const n = as.length;
    const {
      mem,
      contents,
      pages,
      grants,
      lockOf,
      deposits,
      depositHome,
      sharers,
      wasBatch,
      slabObjects,
    } = this.#at;
    let deposited = 0;
    for (let pfn = 0; pfn < n; pfn++) {
      const w = mem + (pfn << PAGE_WORDS_SHIFT);
      const p = pages + (pfn << L_SHIFT);
      const g = words[p + L_GRANT]!;
      let a = scattered(words[w]! ^ 0x3c6ef372);
      let b = Math.imul(a, C2);
      let t = scattered(words[w + 12]! ^ 0x1b873593);
      a = a + t | 0;
      b ^= Math.imul(t, C2);
      t = scattered(words[w + 8]! ^ 0x510e527f);
      a = a + t | 0;
      b ^= Math.imul(t, C2);
      t = scattered(words[w + 13]! ^ 0x05688c2b);
      a = a + t | 0;
      b ^= Math.imul(t, C2);
      t = scattered(words[w + 10]! ^ 0x1f83d9ab);
      a = a + t | 0;
      b ^= Math.imul(t, C2);
      if ((words[w + 1]! | words[w + 9]! | words[w + 11]! | words[w + 14]! | words[w + 15]!) !== 0) {
        for (let i = 1; i < 16; i += i === 1 ? 8 : i === 9 ? 2 : i === 11 ? 3 : 1) {
          t = scattered(words[w + i]! ^ Math.imul(i, 0x35c0fbcf));
          a = a + t | 0;
          b ^= Math.imul(t, C2);
        }
      }
      const state = words[p + L_TABLE]! | words[deposits + pfn]! << 8 | words[sharers + pfn]! << 16;
      const lock = words[lockOf + pfn]! ^ words[depositHome + pfn]! << 16;
      const objects = words[slabObjects + pfn]!;
      if ((state | lock | objects) !== 0) {
        deposited |= state;
        t = scattered(objects ^ 0x7137449);
        a = a + t | 0;
        b ^= Math.imul(t, C2);
        t = scattered(state ^ 0x61c88647);
        a = a + t | 0;
        b ^= Math.imul(t, C2);
        t = scattered(lock ^ 0x69b5dba5);
        a = a + t | 0;
        b ^= Math.imul(t, C2);
      }
      const compound = g >= 0 && words[grants + (g << GR_SHIFT) + GR_COMPOUND] !== 0;
      if (!compound) {
        t = scattered(words[w + 6]! ^ 0x5be0cd19);
        a = a + t | 0;
        b ^= Math.imul(t, C2);
      }
      const bits = (words[w + W_LRU_NEXT]! & 1) | words[p + L_RESERVED]! << 1 | words[p + L_ON_LIST]! << 2 |
        words[p + L_WRITTEN_OFF]! << 3 | words[p + L_THEORETICAL]! << 4;
      if (g < 0) {
        t = scattered(bits ^ words[p + L_ENV_REFS]! << 16 ^ 0x243185be);
        as[pfn] = a + t | 0;
        bs[pfn] = b ^ Math.imul(t, C2);
        glued[pfn] = 0;
        continue;
      }
      const first = words[grants + (g << GR_SHIFT) + GR_FIRST]!;
      const batch = bytes[wasBatch + pfn]!;
      t = scattered(
        (bits | 32 | words[contents + pfn]! << 6 | (batch === BATCH_GIVEN_BACK ? 0 : batch) << 8 |
          (pfn - first) << 12) ^ 0x72be5d74,
      );
      a = a + t | 0;
      b ^= Math.imul(t, C2);
      t = scattered((words[p + L_REFS]! | words[p + L_ENV_REFS]! << 16) ^ 0x00deb1fe);
      as[pfn] = a + t | 0;
      bs[pfn] = b ^ Math.imul(t, C2);
      if (compound) this.#compound(pfn, first, first + this.#world.machine.ledger.grants[(g << GR_SHIFT) | GR_TOTAL]!);
      const inside = pfn > 0 && words[p - L_WORDS + L_GRANT] === g;
      glued[pfn] = inside || (pfn > 0 && this.#sameName(pfn)) ? 1 : 0;
      if (!inside) this.#grant(pfn, g);
    }
    this.#deposited = deposited;
    if (this.#pageExtras.length + this.#grantExtras.length > 0) this.#extras();
  }

  /** Words of a page of a compound block that may point into it; elsewhere `lru` is written before it is read. */
  #compound(pfn: number, first: number, end: number): void {
    const { mem } = this.#world.machine.kernel;
    const w = pfn << PAGE_WORDS_SHIFT;
    const from = first << STRUCT_PAGE_SHIFT;
    const to = end << STRUCT_PAGE_SHIFT;
    const last = pfn - first < 3 ? 8 : 4;
    for (let i = 2; i < last; i += 2) {
      const x = mem[w + i]!;
      const y = mem[w + i + 1]!;
      this.#put(
        pfn,
        (x > from && x < to ? x - from ^ 0x2545f491 : x) ^ Math.imul(i, 0x1e3779b1),
        (y > from && y < to ? y - from ^ 0x2545f491 : y) ^ Math.imul(i, 0x3c6ef35f),
      );
    }
  }

  /** What the ledger knows of a grant, at the first of its pages. */
  #grant(pfn: number, g: number): void {
    const l = this.#world.machine.ledger;
    const state = l.grants[(g << GR_SHIFT) | GR_STATE]!;
    const link = l.gLink[g]!;
    const y = l.grants[(g << GR_SHIFT) | GR_ORDER]! | l.grants[(g << GR_SHIFT) | GR_HELD]! << 5 |
      l.grants[(g << GR_SHIFT) | GR_TOTAL]! << 17 | l.grants[(g << GR_SHIFT) | GR_COMPOUND]! << 29;
    const z = l.grants[(g << GR_SHIFT) | GR_RELEASED]! | l.grants[(g << GR_SHIFT) | GR_FAMILY]! << 12 | state << 16 |
      l.grants[(g << GR_SHIFT) | GR_OWNER_REFS]! << 19;
    const f = l.grants[(g << GR_SHIFT) | GR_FLAGS]! << 8 ^
      (state === LIVE ? 0 : l.grants[(g << GR_SHIFT) | GR_INTENT_CALL]! + 1);
    const v = l.grants[(g << GR_SHIFT) | GR_FROZEN]! | link << 1 | l.grants[(g << GR_SHIFT) | GR_SEEN]! << 4 |
      l.grants[(g << GR_SHIFT) | GR_QUEUED]! << 12;
    this.#put(pfn, y ^ 0x2de92c6f, z ^ 0x4a7484aa);
    this.#put(pfn, f ^ 0x5cb0a9dc, v ^ 0x76f988da);
    if (
      (l.grants[(g << GR_SHIFT) | GR_EXTRA]! | l.grants[(g << GR_SHIFT) | GR_PARTS]! |
        l.grants[(g << GR_SHIFT) | GR_PTDESC]! | l.grants[(g << GR_SHIFT) | GR_REST]!) !== 0
    ) {
      this.#put(pfn, l.grants[(g << GR_SHIFT) | GR_REST]! ^ 0x1e376c08, 0);
      this.#put(
        pfn,
        l.grants[(g << GR_SHIFT) | GR_EXTRA]! ^ 0x27b70a85,
        l.grants[(g << GR_SHIFT) | GR_PARTS]! ^ Math.imul(l.grants[(g << GR_SHIFT) | GR_PTDESC]!, C3) ^ 0x2e1b2138,
      );
    }
    if (link === LINK_CLEARED) this.#put(pfn, l.gAddress[g]! ^ 0x4d2c6dfc, l.gHow[g]! ^ 0x53380d13);
  }

  /**
   * Two words of what is in a page, each told by what it is mixed with from others
   * in its place. They are added and not chained, so that nobody waits for the one before.
   */
  #put(pfn: number, x: number, y: number): void {
    const t = scattered(x);
    const u = scattered(y);
    this.#a[pfn] = this.#a[pfn]! + t + (u << 7 | u >>> 25) | 0;
    this.#b[pfn] = this.#b[pfn]! ^ Math.imul(t, C2) ^ Math.imul(u, C3);
  }

  /**
   * Whether tables are deposited with others, or in an mm: they lead to one another
   * by words that are hashed only then, page numbers and all.
   */
  #deposits(): boolean {
    const { kernel: k } = this.#world.machine;
    let any = false;
    for (let i = 0; i < k.mmHugePte.length; i++) {
      if (k.mmHugePte[i] === NULL) continue;
      any = true;
      this.low = Math.imul(this.low ^ k.mmHugePte[i]! ^ i << 16, C1);
    }
    for (let i = 0; i < k.pteFrag.length; i++) {
      if (k.pteFrag[i] === NULL && k.pmdFrag[i] === NULL) continue;
      any = true;
      this.low = Math.imul(this.low ^ k.pteFrag[i]! ^ i << 12, C1);
      this.high = Math.imul(this.high ^ k.pmdFrag[i]! ^ i << 12, C2);
    }
    for (let type = 0; type < 2; type++) {
      const head = pointerList(k.map.pgdList, type);
      if (k.mem[head] === head << 2) continue;
      any = true;
      this.low = Math.imul(this.low ^ k.mem[head]! ^ type << 28, C3);
    }
    if (k.nocachePool !== NULL) {
      any = true;
      this.low = Math.imul(this.low ^ k.nocachePool, C2);
      for (let i = 0; i < k.nocacheMap.length; i++) {
        this.low = Math.imul(this.low ^ (this.low >>> 15) ^ k.nocacheMap[i]!, C1);
        this.high = Math.imul(this.high ^ (this.high >>> 13) ^ k.nocacheMap[i]!, C2);
      }
    }
    if (this.#world.machine.ledger.sharing && this.#parts()) any = true;
    // Pages with half a table to give are on a list of their mm.
    for (let mm = 0; mm < 3; mm++) {
      const head = fragmentList(k.map, mm);
      if (k.mem[head] === head << 2) continue;
      any = true;
      this.low = Math.imul(this.low ^ k.mem[head]! ^ mm << 24, C1);
    }
    any ||= (this.#deposited & (T_DEPOSITED | T_DEPOSITS)) !== 0;
    for (let pfn = 0; any && pfn < this.#a.length; pfn++) {
      for (let i = 2; i < 6; i++) this.#mix(pfn, k.mem[(pfn << PAGE_WORDS_SHIFT) + i]!);
    }
    return any;
  }

  /** Whether tables share pages: who is linked and seen there is hashed by its place. */
  #parts(): boolean {
    const { ledger: l } = this.#world.machine;
    let any = false;
    for (let pfn = 0; pfn < this.#a.length; pfn++) {
      const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
      if (g < 0 || l.grants[(g << GR_SHIFT) | GR_FAMILY]! < FRAGMENT) continue;
      any = true;
      for (let i = 0; i < MAX_PARTS; i++) {
        const table = l.nrPages + pfn * MAX_PARTS + i;
        if (l.gLink[table] === LINK_NONE) continue;
        this.#mix(pfn, l.gLink[table]! | i << 4);
        if (l.gLink[table] === LINK_CLEARED) this.#mix(pfn, l.gAddress[table]! ^ l.gHow[table]! << 2);
      }
    }
    return any;
  }

  /** Whether descriptors are allocated apart: pages and they lead to one another, and all of it is hashed as it is. */
  #descriptors(): boolean {
    const { kernel: k } = this.#world.machine;
    if (k.firstPtdesc === 0) return false;
    for (let pfn = 0; pfn < this.#a.length; pfn++) this.#mix(pfn, k.mem[(pfn << PAGE_WORDS_SHIFT) + 2]!);
    for (let w = (k.firstPtdesc - 1) << PAGE_WORDS_SHIFT; w < k.map.words; w++) {
      this.low = Math.imul(this.low ^ (this.low >>> 15) ^ k.mem[w]!, C1);
      this.high = Math.imul(this.high ^ (this.high >>> 13) ^ k.mem[w]!, C2);
    }
    const { grant, page, pages, granting, live } = this.#world.machine.ledger.descriptors;
    for (let i = -1; i < grant.length; i++) {
      const x = i < 0 ? granting : grant[i]! ^ page[i]! << 8 ^ pages[i]! << 16;
      const y = i < 0 ? live : page[i]! ^ grant[i]! << 16;
      this.low = Math.imul(this.low ^ (this.low >>> 15) ^ x, C1);
      this.high = Math.imul(this.high ^ (this.high >>> 13) ^ y, C2);
    }
    return true;
  }

  /** Pages that were granted under one name are addressed from one another. */
  #sameName(pfn: number): boolean {
    const { pages, grants } = this.#world.machine.ledger;
    const before = pages[((pfn - 1) << L_SHIFT) | L_GRANT]!;
    const name = before >= 0 ? grants[(before << GR_SHIFT) | GR_SLOT]! : -1;
    return name >= 0 && name === grants[(pages[(pfn << L_SHIFT) | L_GRANT]! << GR_SHIFT) | GR_SLOT];
  }

  #word(place: Place, i: number): number {
    return place.bytes ? this.#bytes[place.at + i]! : this.#world.state.words[place.at + i]!;
  }

  #extras(): void {
    const { pages } = this.#world.machine.ledger;
    for (let pfn = 0; pfn < this.#a.length; pfn++) {
      for (const place of this.#pageExtras) this.#mix(pfn, this.#word(place, pfn));
      const g = pages[(pfn << L_SHIFT) | L_GRANT]!;
      if (g < 0 || (pfn > 0 && pages[((pfn - 1) << L_SHIFT) | L_GRANT] === g)) continue;
      for (const place of this.#grantExtras) this.#mix(pfn, this.#word(place, g));
    }
  }

  #mix(pfn: number, x: number): void {
    const a = Math.imul(this.#a[pfn]! ^ x, C1);
    const b = Math.imul(this.#b[pfn]! + x | 0, C2);
    this.#a[pfn] = a ^ (a >>> 15);
    this.#b[pfn] = b ^ (b >>> 13);
  }

  /** Says of a page who points at it; in whatever order that is said. */
  #label(pfn: number, tag: number, more: number): void {
    if (pfn >>> 0 >= this.#a.length) {
      this.low = Math.imul(this.low ^ tag ^ pfn, C1);
      return;
    }
    this.#a[pfn] = this.#a[pfn]! + scattered(tag ^ Math.imul(more + 0x165667b1 | 0, C2)) | 0;
    this.#b[pfn] = this.#b[pfn]! + scattered(more ^ Math.imul(tag + 0x297a2d39 | 0, C3)) | 0;
  }

  #freeLists(): void {
    const { kernel: k } = this.#world.machine;
    const { mem } = k;
    const n = k.nrPages;
    for (let z = 0; z < this.#zones; z++) {
      for (let order = 0; order < this.#orders; order++) {
        const head = areaWord(k.map.zones + z * ZONE_WORDS, order);
        let at = 0;
        for (let node = mem[head]! >> 2; node !== head && at <= n; node = mem[node]! >> 2) {
          const pfn = (node - W_LRU_NEXT) >> PAGE_WORDS_SHIFT;
          if (pfn >>> 0 >= n) {
            this.low = Math.imul(this.low ^ node, C1);
            break;
          }
          this.#label(pfn, FREE | order << 10 | z << 8, at++);
          const end = pfn + (1 << order);
          for (let i = pfn + 1; i < end && i < n; i++) this.#glued[i] = 1;
        }
      }
    }
    const list = k.map.pgdList;
    if (mem[list] !== list << 2) {
      let at = 0;
      for (let node = mem[list]! >> 2; node !== list && node > 0 && at <= n; node = mem[node]! >> 2) {
        this.#label((node - W_LRU_NEXT) >> PAGE_WORDS_SHIFT, LISTED, at++);
      }
    }
  }

  /** Hashes each table and orders them; whether every pointer of a name is at a page that is granted. */
  #tables(): boolean {
    const world = this.#world;
    const { slots, ledger: l, kernel: k } = world.machine;
    const { tables, names, kinds } = world;
    const { gathers } = k;
    let loose = true;
    for (let t = 0; t < tables.length; t++) {
      let a = scattered(tables[t]! ^ 0x3c6ef372);
      let b = Math.imul(a, C2);
      const base = FIRST_SLOT + t * names;
      let n = t * names;
      for (let s = 0; s < names && tables[t] !== 0; s++) {
        const value = slots[base + s]!;
        const z = l.via[base + s]! | l.slotPages[base + s]! << 8;
        let x = value;
        let y = value;
        if (value === NULL) {
          // Most hold nothing yet, or not any more.
          if (z === 0 && this.#slotExtras.length === 0) continue;
        } else if (kinds[s]! <= KIND_VIRT) {
          const pfn = pageAt(value);
          const own = world.isOwn(t, pfn);
          if (own) {
            x = this.#a[pfn]!;
            y = this.#b[pfn]!;
          }
          // What was given up and is not used any more may lie anywhere.
          const leads = own || world.isUsed(t, s);
          if (leads) this.#leading[n++] = s;
          else x = y = 1;
          if (leads && !own) loose = false;
        } else if (kinds[s] === KIND_GATHER) {
          const g = value * GATHER_WORDS;
          x = gathers[g + G_USED]! | gathers[g + G_MM]! << 2 | gathers[g + G_LOCAL_NR]! << 8 |
            gathers[g + G_CLEARED]! << 16;
          y = gathers[g + G_START]! ^ gathers[g + G_END]!;
          this.#leading[n++] = s;
        }
        const place = Math.imul(z ^ s << 24 ^ 0x510e527f, C3);
        a = a + scattered(x ^ place) | 0;
        b ^= scattered(y + place | 0);
        for (let i = 0; i < this.#slotExtras.length; i++) {
          a = Math.imul(a ^ (a >>> 15) ^ this.#word(this.#slotExtras[i]!, base + s), C1);
        }
      }
      this.#leads[t] = n - t * names;
      this.#sigA[t] = a;
      this.#sigB[t] = b;
      let i = t;
      for (; i > 0 && this.#before(t, this.#order[i - 1]!); i--) this.#order[i] = this.#order[i - 1]!;
      this.#order[i] = t;
    }
    for (let r = 1; r < tables.length; r++) {
      const t = this.#order[r]!;
      const other = this.#order[r - 1]!;
      if (tables[t] === 0 || this.#sigA[t] !== this.#sigA[other] || this.#sigB[t] !== this.#sigB[other]) continue;
      this.#partTwins(loose);
      break;
    }
    for (let r = 0; r < tables.length; r++) this.#rank[this.#order[r]!] = r;
    return loose;
  }

  /** Tables that look the same are told apart by what lies around their pages. */
  #partTwins(loose: boolean): void {
    const world = this.#world;
    const { slots } = world.machine;
    const { tables, names, kinds } = world;
    const n = this.#a.length;
    const tree = this.#around;
    for (let i = 0; i < n; i++) tree[n + i] = Math.imul(this.#a[i]! ^ (this.#a[i]! >>> 16), C2) ^ this.#b[i]!;
    for (let size = 1, first = n; size < n; size <<= 1, first >>= 1) {
      for (let i = 0; i < first; i += 2) {
        const l = tree[first + i]!;
        const r = tree[first + i + 1]!;
        const free = loose && this.#glued[(i + 1) * size] === 0 && !(this.#zones === 2 && first === 2);
        tree[(first + i) >> 1] = free
          ? Math.imul(l + r | 0, C1) ^ Math.imul(l ^ r, C3)
          : Math.imul(l ^ 0x5bd1e995, C1) ^ Math.imul(r, C3);
      }
    }
    for (let t = 0; t < tables.length; t++) {
      if (tables[t] === 0) continue;
      let around = 0;
      for (let s = 0; s < names; s++) {
        const value = slots[FIRST_SLOT + t * names + s]!;
        if (value === NULL || kinds[s]! > KIND_VIRT || !world.isOwn(t, pageAt(value))) continue;
        let h = s;
        for (let i = n + pageAt(value); i > 1 && i < 2 * n; i >>= 1) h = Math.imul(h ^ (h >>> 15) ^ tree[i ^ 1]!, C1);
        around = Math.imul(around ^ h, C2);
      }
      this.#sigA[t] = Math.imul(this.#sigA[t]! ^ around, C3);
    }
    for (let t = 0; t < tables.length; t++) {
      let i = t;
      for (; i > 0 && this.#before(t, this.#order[i - 1]!); i--) this.#order[i] = this.#order[i - 1]!;
      this.#order[i] = t;
    }
  }

  #before(t: number, other: number): boolean {
    const d = this.#sigA[t]! - this.#sigA[other]!;
    return d < 0 || (d === 0 && this.#sigB[t]! < this.#sigB[other]!);
  }

  /** Who walks in which table: by that, tables are told apart that look the same else. */
  #walkers(): void {
    const { walkers, grants, nrPages } = this.#world.machine.ledger;
    for (let w = 0; w < walkers.n; w++) {
      const g = walkers.table[w]!;
      if (g < 0) continue;
      const part = walkers.part[w] === g ? 0 : walkers.part[w]! - nrPages;
      this.#label(grants[(g << GR_SHIFT) | GR_FIRST]!, WALKER, walkers.kind[w]! | walkers.locked[w]! << 8 | part << 9);
    }
  }

  /** Which page each name points at, and who has which gather. */
  #names(): void {
    const world = this.#world;
    const { slots, ledger: l } = world.machine;
    const { tables, names, kinds } = world;
    for (let i = 0; i < this.#nGathers; i++) this.#gather[i] = STALE_GATHER + i;
    for (let r = 0; r < tables.length; r++) {
      const t = this.#order[r]!;
      if (tables[t] === 0) continue;
      const base = FIRST_SLOT + t * names;
      for (let i = 0; i < this.#leads[t]!; i++) {
        const s = this.#leading[t * names + i]!;
        const value = slots[base + s]!;
        if (kinds[s]! <= KIND_VIRT) {
          // A page where an address is meant, or the reverse, is another value.
          this.#label(pageAt(value), NAME | r << 8 | s, value >= PAGE_OFFSET ? 1 + (value & (PAGE_SIZE - 1)) : 0);
        } else if (value >>> 0 < MAX_GATHERS) this.#gather[value] = r << 6 | s;
      }
    }
    for (let pfn = 0; pfn < this.#a.length; pfn++) {
      const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
      if (g < 0 || (pfn > 0 && l.pages[((pfn - 1) << L_SHIFT) | L_GRANT] === g)) continue;
      const name = l.grants[(g << GR_SHIFT) | GR_SLOT]! - FIRST_SLOT;
      if (name >= 0) {
        const t = this.#tableOf[name] ?? tables.length;
        if (t < tables.length && tables[t] !== 0) this.#label(pfn, GRANTED, this.#rank[t]! << 8 | name - t * names);
      }
      if (l.grants[(g << GR_SHIFT) | GR_STATE] !== QUEUED) continue;
      for (let i = 0; i < this.#nGathers; i++) {
        if (l.gathers[i] !== 0 && l.gatherIds[i] === l.grants[(g << GR_SHIFT) | GR_GATHER]) {
          this.#label(pfn, QUEUE, this.#gather[i]!);
        }
      }
    }
  }

  /** What waits in gathers, batches and for a grace period. */
  #gathers(): void {
    const { kernel: k, ledger: l } = this.#world.machine;
    const { gathers, batches } = k;
    let sum = 0;
    for (let i = 0; i < this.#nGathers; i++) {
      const g = i * GATHER_WORDS;
      if (gathers[g + G_USED] === 0 && l.gathers[i] === 0) continue;
      const tag = this.#gather[i]!;
      let a = Math.imul(tag ^ 0x3c6ef372, C1);
      a = Math.imul(a ^ (a >>> 15) ^ gathers[g + G_MM]! ^ gathers[g + G_FULLMM]! << 8 ^ gathers[g + G_USED]! << 9, C1);
      a = Math.imul(a ^ (a >>> 15) ^ gathers[g + G_START]!, C1);
      a = Math.imul(a ^ (a >>> 15) ^ gathers[g + G_END]!, C1);
      a = Math.imul(a ^ (a >>> 15) ^ gathers[g + G_CLEARED]! ^ gathers[g + G_BATCH_COUNT]! << 8, C1);
      a = Math.imul(a ^ (a >>> 15) ^ gathers[g + G_LOCAL_NR]! ^ l.gathers[i]! << 8 ^ l.ranges[i]! << 12, C1);
      sum = sum + (a ^ (a >>> 15)) | 0;
      if (gathers[g + G_USED] === 0) continue;
      const nr = gathers[g + G_LOCAL_NR]!;
      for (let e = 0; e < nr && e < 8; e++) this.#entry(gathers[g + G_LOCAL + e]!, tag, e);
      let at = 1;
      for (let b = gathers[g + G_LOCAL_NEXT]!; b !== NULL && at < 20; b = batches[b * UNITS]!) {
        if (b >>> 0 >= this.#a.length) break;
        this.#label(b, BATCH | at, tag);
        const count = batches[b * UNITS + 1]!;
        sum = sum + Math.imul(count + 1, tag + at) | 0;
        for (let e = 0; e < count && e < UNITS - 2; e++) this.#entry(batches[b * UNITS + 2 + e]!, tag, at << 10 | e);
        at++;
      }
      if (gathers[g + G_ACTIVE] !== NULL) this.#label(gathers[g + G_ACTIVE]!, BATCH | 30, tag);
      if (gathers[g + G_TABLES] !== NULL) this.#tableBatch(gathers[g + G_TABLES]!, tag, 31);
    }
    for (let i = 0; i < k.nRcu; i++) {
      const entry = k.rcuQueue[i]!;
      // A table that waits by its own rcu_head, or a batch.
      if (entry < NULL) this.#label((-2 - entry) >> 1, BATCH | 33 | (entry & 1) << 6, 1000 + i);
      else this.#tableBatch(entry, 1000 + i, 32);
    }
    this.low = Math.imul(this.low ^ sum, C3);
    this.high = Math.imul(this.high + sum | 0, C1);
  }

  #tableBatch(batch: number, tag: number, kind: number): void {
    const { kernel: k } = this.#world.machine;
    this.#label(batch, BATCH | kind, tag);
    if (batch >>> 0 >= this.#a.length) return;
    const at = batch * UNITS + (k.rcuTableFree ? 2 : 0);
    const count = k.batches[at]!;
    this.#label(batch, BATCH | kind | 64, count);
    for (let e = 0; e < count && e < UNITS - 3; e++) this.#entry(k.batches[at + 1 + e]!, tag, kind << 10 | e);
  }

  #entry(value: number, tag: number, at: number): void {
    this.#label(pageAt(value), ENTRY | at, tag << 1 | (value >= PAGE_OFFSET ? 1 : 0));
  }

  #held(): void {
    const world = this.#world;
    const { slots } = world.machine;
    for (let i = 0; i < world.bounds.references; i++) {
      const page = slots[world.firstHeld + i]!;
      if (page !== NULL) this.#label(page, HELD, 0);
    }
  }

  /** From the pages up to the zone. */
  #tree(loose: boolean): void {
    const a = this.#a;
    const b = this.#b;
    const n = a.length;
    for (let i = 0; i < n; i++) {
      a[i] = Math.imul(a[i]! ^ (a[i]! >>> 16), C2);
      b[i] = Math.imul(b[i]! ^ (b[i]! >>> 15), C3);
    }
    for (let size = 1; size < n; size <<= 1) {
      const top = this.#zones === 2 && size * 2 === n;
      for (let i = 0; i < n; i += size * 2) {
        let l = i;
        let r = i + size;
        const free = loose && !top && this.#glued[r] === 0;
        if (free && (a[r]! < a[l]! || (a[r] === a[l] && b[r]! < b[l]!))) {
          l = r;
          r = i;
        }
        let x = Math.imul(a[l]! ^ (free ? 0x7f4a7c15 : 0x5bd1e995), C1) ^ b[r]!;
        let y = Math.imul(b[l]! ^ size, C2) + a[r]! | 0;
        x = Math.imul(x ^ (x >>> 15), C3) + Math.imul(a[r]!, C2) | 0;
        y = Math.imul(y ^ (y >>> 13), C1) ^ Math.imul(b[r]!, C3);
        a[i] = x ^ (x >>> 16);
        b[i] = y ^ (y >>> 15);
      }
    }
  }

  #global(): void {
    const { kernel: k, ledger: l } = this.#world.machine;
    const { mem, tlbFlushPending } = k;
    const z = k.map.zones;
    let a = this.#a[0]! ^ this.low;
    let b = this.#b[0]! + this.high | 0;
    const x = mem[z + Z_FREE]! | mem[z + Z_MANAGED]! << 12;
    const y = l.freePages | l.managed << 12 | k.failNext << 24;
    const w = mem[z + ZONE_WORDS + Z_FREE]! | mem[z + ZONE_WORDS + Z_MANAGED]! << 12;
    const p = tlbFlushPending[0]! | tlbFlushPending[1]! << 8 | tlbFlushPending[2]! << 16;
    a = Math.imul(a ^ (a >>> 15) ^ x, C1);
    b = Math.imul((b ^ (b >>> 13)) + x | 0, C2);
    a = Math.imul(a ^ (a >>> 15) ^ y, C1);
    b = Math.imul((b ^ (b >>> 13)) + y | 0, C2);
    a = Math.imul(a ^ (a >>> 15) ^ w, C1);
    b = Math.imul((b ^ (b >>> 13)) + p | 0, C2);
    a = Math.imul(a ^ (a >>> 15) ^ p, C1);
    b = Math.imul((b ^ (b >>> 13)) + w | 0, C2);
    if (k.placeNext >= 0) a = Math.imul(a ^ (a >>> 15) ^ k.placeNext, C1);
    const counts = l.pagetables | l.charges << 8 | l.nLocks << 16;
    a = Math.imul(a ^ (a >>> 15) ^ counts, C1);
    b = Math.imul((b ^ (b >>> 13)) + counts | 0, C2);
    for (let i = 0; i < k.nLocks && i < k.locks.length; i++) {
      a = Math.imul(a ^ (a >>> 15) ^ k.locks[i]! ^ i << 8, C1);
      b = Math.imul((b ^ (b >>> 13)) + k.locks[i]! + i | 0, C2);
    }
    for (let mm = 0; mm < l.mmDeposits.length; mm++) {
      if (l.mmDeposits[mm] === 0) continue;
      a = Math.imul(a ^ (a >>> 15) ^ l.mmDeposits[mm]! ^ mm << 8, C1);
      b = Math.imul((b ^ (b >>> 13)) + l.mmDeposits[mm]! + (mm << 8) | 0, C2);
    }
    for (let r = 0; r < this.#order.length; r++) {
      const t = this.#order[r]!;
      a = Math.imul(a ^ (a >>> 15) ^ this.#sigA[t]!, C1);
      b = Math.imul((b ^ (b >>> 13)) + this.#sigB[t]! | 0, C2);
    }
    for (const number of this.#numberExtras) {
      a = Math.imul(a ^ (a >>> 15) ^ number(), C1);
      b = Math.imul((b ^ (b >>> 13)) + a | 0, C2);
    }
    const { words } = this.#world.state;
    for (let e = 0; e < this.#rawExtras.length; e++) {
      const place = this.#rawExtras[e]!;
      const at = place.at;
      for (let i = 0; i < place.length; i++) {
        const word = place.bytes ? this.#bytes[at + i]! : words[at + i]!;
        // Mostly nothing is there.
        if (word === 0) continue;
        a = Math.imul(a ^ (a >>> 15) ^ word ^ i << 20 ^ e << 28, C1);
        b = Math.imul((b ^ (b >>> 13)) + word + (i << 16) + e | 0, C2);
      }
    }
    a = Math.imul(a ^ (a >>> 16), C2);
    b = Math.imul(b ^ (b >>> 15), C3);
    this.low = a ^ (a >>> 13);
    this.high = b ^ (b >>> 16);
  }
}

/** The page that a pointer of any kind stands for. */
function pageAt(value: number): number {
  return value >= PAGE_OFFSET ? (value - PAGE_OFFSET) >> PAGE_SHIFT : value;
}
