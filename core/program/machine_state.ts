/**
 * The whole state of a machine between two steps, to be saved and restored: for
 * a search that goes back to where it was.
 *
 * All arrays that hold state are moved into one buffer, so that saving and
 * restoring is one copy. What each field of kernel and ledger is stands in one
 * table, {@linkcode FIELDS}; a field that is not in it is refused when a state is
 * made, so that no new one is forgotten in silence.
 *
 * @module
 */
import * as $mmuGather from "../kernel/mmu_gather.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Machine } from "./machine.ts";

const { GATHER_WORDS, UNITS } = $mmuGather;

/**
 * What a field is:
 *
 * - `memory`: the array that kernel and ledger share
 * - `page`: a plain value for each page
 * - `grant`: a plain value for each grant; `slot`: for each name; `gather`: for each gather
 * - `link`: it names pages, grants, names or gathers, and whoever compares states has to know it
 * - `number`: a number or flag
 * - `history`: state that tells when and by whom, and decides nothing but how a finding is worded
 * - `scratch`: used within a step, or counts
 * - `fixed`: never changes once the machine is made
 */
export type FieldKind =
  | "memory"
  | "page"
  | "grant"
  | "slot"
  | "gather"
  | "link"
  | "number"
  | "history"
  | "scratch"
  | "fixed";

function kinds(lists: Partial<Record<FieldKind, string>>): ReadonlyMap<string, FieldKind> {
  const map = new Map<string, FieldKind>();
  for (const [kind, names] of Object.entries(lists)) {
    for (const name of names.trim().split(/\s+/)) map.set(name, kind as FieldKind);
  }
  return map;
}

/** What the fields of a kernel, of a ledger, of its walkers and of its book of descriptors are. */
export const FIELDS: Readonly<Record<"kernel" | "ledger" | "walkers" | "descriptors", ReadonlyMap<string, FieldKind>>> =
  {
    kernel: kinds({
      memory: "mem",
      page: "wasBatch slabObjects",
      link: "batches batchPages gathers rcuQueue placeNext mmHugePte pteFrag pmdFrag nocachePool",
      number: "nBatchPages failNext nRcu tlbFlushPending locks nLocks nocacheMap",
      history: "nWalkers nSlabs",
      scratch: "events nEvents eventsLost armed atPoint bug bugCheck bugPage folioBatch",
      fixed: `name base arch config layout map debugVm nrPages highStart lowZone highZone listEnd pgHead pgReserved
        checkAtFree checkAtPrep flagsSecond buddyMask buddyValue buddyBit orderWord orderShift tableFree rcuTableFree
        noGather needsTableInvalidate maxTableBatch ptReclaim asyncKernelFree gatherPageSize arena tableMask tableValue tableBit splitPte splitPmd allocPtlocks
        memcg pmdShare firstPtdesc ptdescEnd pgste`,
    }),
    ledger: kinds({
      memory: "mem",
      page: "lockOf deposits depositHome sharers",
      grant: "gLink gHow gAddress",
      slot: "via slotPages",
      gather: "gathers ranges",
      link: "pages grants gatherIds freeIds fragCache nocachePool",
      number: "nocacheMap envTaken freePages managed pagetables charges nLocks mmDeposits locks",
      history: "partSlot partGather gUnlinkStep nFreeIds nIds nGathers top",
      scratch:
        `op step a b c sa sb subject offset dst res draining findings nFindings full stepStart stop misuse lateMisuse pending
        pendingOrder checks violations lostCharges extra ofTables`,
      fixed:
        `arena layout map nrPages zones nrPagesWord enabled expectedLeaks kinds tableRelease tableKind tablesArePages headLookup
        hasDescriptors frozenTables walkerKinds ipiFlush deadAsid flushedAtUnmap asyncKernelFree walkers countsFolios
        splitPte splitPmd allocPtlocks memcg pmdShare sharesAreRefs tableDestructs apart descriptors pgste fragments sharing queuesParts queuesPages pgtableKind`,
    }),
    walkers: kinds({ link: "kind table part locked", history: "n slot" }),
    descriptors: kinds({ number: "granting live grant page pages", fixed: "first" }),
  };

/** Fields that hold state. */
const STATE: ReadonlySet<FieldKind> = new Set([
  "memory",
  "page",
  "grant",
  "slot",
  "gather",
  "link",
  "number",
  "history",
]);
/** Kept apart: only what is in use of it is saved. */
const BATCHES = "batches";
/** Split locks that a program of a search can ask for. */
const LOCKS = 256;
/** Batches that may wait for a grace period. */
const QUEUE = 64;

/** An object's fields by name. */
export type Fields = Record<string, unknown>;

/** An object of a machine, and what its fields are. */
export interface Owner {
  readonly what: keyof typeof FIELDS;
  readonly fields: Fields;
  readonly table: ReadonlyMap<string, FieldKind>;
}

/** The objects that hold a machine's state. */
export function ownersOf({ kernel, ledger }: Machine): Owner[] {
  const objects = { kernel, ledger, walkers: ledger.walkers, descriptors: ledger.descriptors };
  return Object.entries(objects).map(([what, fields]) => ({
    what: what as Owner["what"],
    fields: fields as unknown as Fields,
    table: FIELDS[what as Owner["what"]],
  }));
}

type Typed = Int32Array | Uint8Array;

/**
 * Numbers and flags that {@linkcode putNumbers} and {@linkcode takeNumbers} name. What else of the tables is a number
 * is found by its name, which takes longer.
 */
const NUMBERS = (
  "kernel.nBatchPages kernel.failNext kernel.nRcu ledger.envTaken ledger.freePages ledger.managed ledger.nFreeIds " +
  "ledger.nIds ledger.nGathers kernel.placeNext kernel.nWalkers walkers.n kernel.nLocks ledger.nLocks ledger.pagetables " +
  "ledger.charges descriptors.granting descriptors.live ledger.top"
).split(" ");

function putNumbers(k: Kernel, l: Ledger, to: Int32Array, at: number): void {
  to[at] = k.nBatchPages;
  to[at + 1] = k.failNext;
  to[at + 2] = k.nRcu;
  to[at + 3] = l.envTaken ? 1 : 0;
  to[at + 4] = l.freePages;
  to[at + 5] = l.managed;
  to[at + 6] = l.nFreeIds;
  to[at + 7] = l.nIds;
  to[at + 8] = l.nGathers;
  to[at + 9] = k.placeNext;
  to[at + 10] = k.nWalkers;
  to[at + 11] = l.walkers.n;
  to[at + 12] = k.nLocks;
  to[at + 13] = l.nLocks;
  to[at + 14] = l.pagetables;
  to[at + 15] = l.charges;
  to[at + 16] = l.descriptors.granting;
  to[at + 17] = l.descriptors.live;
  to[at + 18] = l.top;
}

function takeNumbers(k: Kernel, l: Ledger, from: Int32Array, at: number): void {
  k.nBatchPages = from[at]!;
  k.failNext = from[at + 1]!;
  k.nRcu = from[at + 2]!;
  l.envTaken = from[at + 3] !== 0;
  l.freePages = from[at + 4]!;
  l.managed = from[at + 5]!;
  l.nFreeIds = from[at + 6]!;
  l.nIds = from[at + 7]!;
  l.nGathers = from[at + 8]!;
  k.placeNext = from[at + 9]!;
  k.nWalkers = from[at + 10]!;
  l.walkers.n = from[at + 11]!;
  k.nLocks = from[at + 12]!;
  l.nLocks = from[at + 13]!;
  l.pagetables = from[at + 14]!;
  l.charges = from[at + 15]!;
  l.descriptors.granting = from[at + 16]!;
  l.descriptors.live = from[at + 17]!;
  l.top = from[at + 18]!;
}

/** What a step leaves behind and the next one does not want. */
function clearScratch(k: Kernel, l: Ledger): void {
  k.nEvents = 0;
  k.eventsLost = 0;
  k.armed = -1;
  l.nFindings = 0;
  l.stepStart = 0;
  l.full = false;
  l.stop = false;
  l.misuse = false;
  l.pending = -1;
  l.draining = 0;
}

/**
 * Refuses what the table does not know, and what it knows and is not there.
 *
 * @throws {Error} naming the field and what to do
 */
export function checkFields(owner: object, what: string, table: ReadonlyMap<string, FieldKind>): void {
  for (const [name, value] of Object.entries(owner)) {
    if (typeof value === "function" && !table.has(name)) continue;
    if (!table.has(name)) {
      throw new Error(
        `core/program/machine_state.ts does not say what '${name}' of the ${what} is; ` +
          `add it to FIELDS, or what it holds is lost where a search goes back`,
      );
    }
  }
  for (const name of table.keys()) {
    if (!Object.hasOwn(owner, name)) {
      throw new Error(`core/program/machine_state.ts speaks of '${name}', which the ${what} has not; remove it`);
    }
  }
}

/** Where an array lies in the buffer, in words (or bytes, for arrays of bytes). */
export interface Place {
  readonly name: string;
  readonly owner: Owner["what"] | "machine";
  readonly kind: FieldKind;
  readonly bytes: boolean;
  readonly at: number;
  readonly length: number;
}

/** A state that was written down. */
export interface Saved {
  /** {@linkcode MachineState.words}. */
  readonly words: Int32Array;
  /** Numbers, and what is in use of batch pages. */
  readonly rest: Int32Array;
}

/** A machine whose state can be saved and restored. */
export class MachineState {
  /** The machine. */
  readonly machine: Machine;
  /** The buffer: all arrays of the state. */
  readonly words: Int32Array;
  /** Words that are the caller's own, saved and restored with the rest. */
  readonly own: Int32Array;
  /** Where each array lies. */
  readonly places: readonly Place[];
  readonly #batchUnits: number;
  /** Numbers that are found by name, and whose they are. */
  readonly #others: readonly { readonly owner: Fields; readonly name: string }[];

  /**
   * @param machine its arrays are moved
   * @param slots how many names its program has
   * @param own words for the caller
   * @param batchUnits entries of a batch page that can be in use
   * @param gathers gathers that can be in use at once
   */
  constructor(machine: Machine, slots: number, own: number, batchUnits: number, gathers: number) {
    this.machine = machine;
    this.#batchUnits = Math.min(batchUnits, UNITS);
    for (const { what, fields, table } of ownersOf(machine)) checkFields(fields, what, table);
    this.#others = ownersOf(machine).flatMap(({ what, fields, table }) =>
      [...table].filter(([name, kind]) =>
        STATE.has(kind) && !NUMBERS.includes(`${what}.${name}`) && !ArrayBuffer.isView(fields[name])
      ).map(([name]) => ({ owner: fields, name }))
    );
    const lists = this.#arrays(slots, gathers);
    let total = 0;
    for (const { length, bytes } of lists) total += bytes ? (length + 3) >> 2 : length;
    const buffer = new ArrayBuffer((total + own) * 4);
    this.words = new Int32Array(buffer);
    const moved = new Map<Typed, Typed>();
    const places: Place[] = [];
    let at = 0;
    for (const { name, owner, kind, array, length, bytes, holder } of lists) {
      let to = moved.get(array);
      if (to === undefined) {
        to = bytes ? new Uint8Array(buffer, at * 4, length) : new Int32Array(buffer, at * 4, length);
        to.set(array.subarray(0, length));
        moved.set(array, to);
        places.push({ name, owner, kind, bytes, at: bytes ? at * 4 : at, length });
        at += bytes ? (length + 3) >> 2 : length;
      }
      (holder as Fields)[name] = to;
    }
    machine.kernel.arena.follow(moved);
    machine.ledger.arena.follow(moved);
    this.places = places;
    this.own = new Int32Array(buffer, at * 4, own);
  }

  #arrays(slots: number, gathers: number): {
    name: string;
    owner: Place["owner"];
    kind: FieldKind;
    array: Typed;
    length: number;
    bytes: boolean;
    holder: unknown;
  }[] {
    const list = [];
    for (const { what, fields, table } of ownersOf(this.machine)) {
      for (const [name, kind] of table) {
        const array = fields[name];
        if (!STATE.has(kind) || name === BATCHES) continue;
        if (!(array instanceof Int32Array) && !(array instanceof Uint8Array)) continue;
        const length = lengthOf(name, what, kind, array, slots, gathers);
        list.push({ name, owner: what, kind, array, length, bytes: array instanceof Uint8Array, holder: fields });
      }
    }
    const { slots: values } = this.machine;
    list.push({
      name: "slots",
      owner: "machine" as const,
      kind: "slot" as const,
      array: values as Typed,
      length: slots,
      bytes: false,
      holder: this.machine,
    });
    return list;
  }

  /** Where an array of the kernel or ledger lies. */
  place(name: string, owner: Place["owner"]): Place {
    const found = this.places.find((p) => p.name === name && p.owner === owner);
    if (found === undefined) throw new Error(`no array '${name}' of the ${owner} in the state`);
    return found;
  }

  /** Room for a state. */
  room(): Saved {
    const rest = NUMBERS.length + this.#others.length + this.machine.kernel.nrPages * this.#batchUnits;
    return { words: new Int32Array(this.words.length), rest: new Int32Array(rest) };
  }

  /** Writes the state down. */
  save(saved: Saved): void {
    saved.words.set(this.words);
    const to = saved.rest;
    const { kernel: k, ledger } = this.machine;
    putNumbers(k, ledger, to, 0);
    let at = NUMBERS.length;
    for (let i = 0; i < this.#others.length; i++) {
      const { owner, name } = this.#others[i]!;
      to[at++] = Number(owner[name]);
    }
    const { batches, batchPages } = k;
    const n = this.#batchUnits;
    for (let i = 0; i < k.nBatchPages; i++) {
      const from = batchPages[i]! * UNITS;
      for (let u = 0; u < n; u++) to[at + u] = batches[from + u]!;
      at += n;
    }
  }

  /** Goes back to a state that was written down. */
  restore(saved: Saved): void {
    this.words.set(saved.words);
    const from = saved.rest;
    const { kernel: k, ledger } = this.machine;
    takeNumbers(k, ledger, from, 0);
    clearScratch(k, ledger);
    const { batches, batchPages } = k;
    const n = this.#batchUnits;
    let at = NUMBERS.length;
    for (let i = 0; i < this.#others.length; i++) {
      const { owner, name } = this.#others[i]!;
      owner[name] = typeof owner[name] === "boolean" ? from[at++] !== 0 : from[at++]!;
    }
    for (let i = 0; i < k.nBatchPages; i++) {
      const to = batchPages[i]! * UNITS;
      for (let u = 0; u < n; u++) batches[to + u] = from[at + u]!;
      at += n;
    }
  }
}

/** How much of an array a program of so many names and gathers can use. */
function lengthOf(name: string, owner: string, kind: FieldKind, array: Typed, slots: number, gathers: number): number {
  if (kind === "slot") return slots;
  if (name === "rcuQueue") return Math.min(QUEUE, array.length);
  if (name === "gathers" && owner === "kernel") return Math.min(gathers * GATHER_WORDS, array.length);
  if (name === "locks") return Math.min(LOCKS, array.length);
  return array.length;
}
