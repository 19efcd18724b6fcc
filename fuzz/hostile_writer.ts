/**
 * Writes lines of the flat form, and the names that they need: a call that
 * takes a page gets the page of a block, by way of a lookup where the block is
 * known by another name only.
 *
 * @module
 */
import { CALLS, hasCall, namesResult, OP_AT, opOf } from "../core/program/calls.ts";
import { kindIndex } from "../core/program/kinds.ts";
import type { Machine } from "../core/program/machine.ts";
import { FIRST_SLOT, MAX_OFFSET, STEP_WORDS } from "../core/program/program.ts";
import { GONE, HIGH, LIVE, Picture, QUEUED, SINGLE } from "./hostile_picture.ts";
import { Random } from "./random.ts";

/** Kinds as the executor counts them. */
export const PAGE: number = kindIndex("page");
export const FOLIO: number = kindIndex("folio");
export const PTDESC: number = kindIndex("ptdesc");
export const VIRT: number = kindIndex("virt");

/** Most lines of a program. */
export const MAX_STEPS = 256;

const page_to_virt = opOf("page_to_virt");
const page_address = opOf("page_address");
const virt_to_page = opOf("virt_to_page");
const page_folio = opOf("page_folio");
const page_ptdesc = opOf("page_ptdesc");
const ptdesc_page = opOf("ptdesc_page");
const ptdesc_folio = opOf("ptdesc_folio");
const ptdesc_to_virt = opOf("ptdesc_to_virt");
const ptdesc_address = opOf("ptdesc_address");
const virt_to_ptdesc = opOf("virt_to_ptdesc");

/** Kind of each call's result, or -1 where it has no name. */
const RESULT: Int8Array = Int8Array.from(
  CALLS,
  (c) => c.result === "void" || !namesResult(c) ? -1 : kindIndex(c.result),
);

/** A program that is being written, and the picture that goes with it. */
export class Writer {
  /** The program that was written last. */
  readonly code: Int32Array = new Int32Array(MAX_STEPS * STEP_WORDS);
  /** Words that are written. */
  words = 0;
  /** Slots that are used. */
  slots = FIRST_SLOT;
  random: Random = new Random();
  readonly picture: Picture = new Picture();
  /** Kinds of the slots: the ledger's array. */
  readonly kinds: Uint8Array;
  /** Pages of the zone. */
  readonly nrPages: number;
  /** Which calls the kernel has, by opcode. */
  readonly available: readonly boolean[];
  /** Page tables have no reference that could be taken. */
  readonly frozen: boolean;
  /** Descriptors are allocated apart: only a table has one, and its pages belong to no folio. */
  readonly apart: boolean;
  /** Whether wrong use is allowed in this program. */
  hostile = false;
  /** Offset of the pointer that {@linkcode target} chose. */
  targetOffset = 0;
  /** Block that {@linkcode target} chose, or -1. */
  targetBlock = -1;

  constructor(machine: Machine) {
    this.kinds = machine.ledger.kinds;
    this.nrPages = machine.ledger.nrPages;
    this.frozen = machine.ledger.frozenTables;
    this.apart = machine.ledger.apart;
    this.available = CALLS.map((c) => hasCall(machine.kernel.base, c));
    for (let i = 0; i < FIRST_SLOT; i++) this.kinds[i] = kindIndex("mm");
  }

  /** Starts a program. */
  start(random: Random): void {
    this.random = random;
    this.words = 0;
    this.slots = FIRST_SLOT;
    this.picture.clear();
  }

  /**
   * Writes a line.
   *
   * @param offsets page offsets, 10 bits an operand
   * @param which which operands are slots, a bit each
   * @returns the slot of its result, or -1
   */
  write(op: number, a: number, b: number, c: number, offsets: number, which: number): number {
    const { code } = this;
    const at = this.words;
    this.words = at + STEP_WORDS;
    const kind = RESULT[op]!;
    let dst = -1;
    if (kind >= 0) {
      dst = this.slots++;
      this.kinds[dst] = kind;
    }
    code[at] = op;
    code[at + 1] = dst;
    code[at + 2] = a;
    code[at + 3] = b;
    code[at + 4] = c;
    code[at + 5] = offsets;
    code[at + 6] = which;
    code[at + 7] = 0;
    return dst;
  }

  /** Writes `at POINT`: the next line is armed. */
  writeAt(point: number): void {
    const { code } = this;
    const at = this.words;
    this.words = at + STEP_WORDS;
    code.fill(0, at, at + STEP_WORDS);
    code[at] = OP_AT;
    code[at + 1] = -1;
    code[at + 2] = point;
  }

  /** A line with one operand that is a name. */
  one(op: number, slot: number, offset: number): number {
    return this.write(op, slot, 0, 0, offset, 1);
  }

  /** The name of a block's first page as that kind; a lookup is written where it has none. */
  name(b: number, kind: number): number {
    const { names } = this.picture;
    const at = b * 4 + kind;
    const known = names[at]!;
    if (known >= 0) return known;
    const slot = this.#derive(b, kind);
    names[at] = slot;
    return slot;
  }

  #derive(b: number, kind: number): number {
    const { names, traits } = this.picture;
    const page = names[b * 4 + PAGE]!;
    const desc = names[b * 4 + PTDESC]!;
    const virt = names[b * 4 + VIRT]!;
    const exact = (traits[b]! & HIGH) === 0 && this.random.chance(128);
    switch (kind) {
      case PAGE:
        return desc >= 0 ? this.one(ptdesc_page, desc, 0) : this.one(virt_to_page, virt, 0);
      case VIRT:
        if (page >= 0) return this.one(exact ? page_to_virt : page_address, page, 0);
        return this.one(exact && this.available[ptdesc_to_virt]! ? ptdesc_to_virt : ptdesc_address, desc, 0);
      case PTDESC:
        return page >= 0 ? this.one(page_ptdesc, page, 0) : this.one(virt_to_ptdesc, virt, 0);
      default:
        if (desc >= 0) return this.one(ptdesc_folio, desc, 0);
        return this.one(page_folio, this.name(b, PAGE), 0);
    }
  }

  /** The block gets another name, the result of a lookup: sometimes it is used from now on. */
  rename(b: number, kind: number, slot: number): void {
    if (this.random.chance(128)) this.picture.names[b * 4 + kind] = slot;
  }

  /**
   * Some pointer of that kind that is likely to be wrong: of a block that was
   * freed or queued, into its middle, beyond its end, outside of memory, or of
   * any block.
   *
   * @returns its slot, or -1; offset and block are in {@linkcode targetOffset} and {@linkcode targetBlock}
   */
  target(kind: number): number {
    const { picture, random } = this;
    let b = -1;
    let offset = 0;
    switch (random.below(8)) {
      case 0:
      case 1:
        b = picture.find(random, GONE, 0);
        break;
      case 2:
        b = picture.find(random, QUEUED, 0);
        break;
      case 3:
      case 4:
        b = picture.find(random, LIVE, SINGLE);
        if (b >= 0) offset = 1 + random.below(Math.min(MAX_OFFSET, picture.pages[b]!) - 1 || 1);
        break;
      case 5:
        b = picture.find(random, LIVE, 0);
        if (b >= 0) offset = Math.min(MAX_OFFSET, picture.pages[b]! + random.below(4));
        break;
      case 6:
        b = picture.find(random, LIVE, 0);
        if (b >= 0) offset = Math.min(MAX_OFFSET, this.nrPages + random.below(64));
        break;
    }
    if (b < 0) b = picture.find(random, LIVE, 0);
    if (b < 0) b = picture.find(random, 0, 0);
    this.targetBlock = b;
    this.targetOffset = offset;
    return b < 0 ? -1 : this.name(b, kind);
  }

  /** Some name of another kind than the one wanted, for a parameter that is `void *`. */
  otherKind(wanted: number): number {
    const { picture, random } = this;
    this.targetBlock = -1;
    if (random.chance(64) && picture.gathers > 0) return picture.gSlot[random.below(picture.gathers)]!;
    const b = picture.find(random, LIVE, 0);
    this.targetBlock = b;
    if (b < 0) return random.below(FIRST_SLOT);
    const kinds = this.available[page_ptdesc]! ? 4 : 2;
    const pick = random.below(kinds);
    const kind = kinds === 2 ? (pick === 0 ? PAGE : VIRT) : pick;
    return this.name(b, kind === wanted ? (wanted === PAGE ? VIRT : PAGE) : kind);
  }
}
