/**
 * Descriptors that are allocated apart from struct page (kernel `memdesc`): the
 * ledger's book of which table each belongs to, and what must hold between the
 * two. The raw words are read as the layout has them (`../memory/memdesc.ts`).
 *
 *     table's pages  --- memdesc --->  descriptor
 *       page 0      <--- way back ----
 *
 * What hooks are told of a descriptor is the first page of its table, by the
 * book: so they judge a call the same whatever a descriptor is made of.
 *
 * @module
 */
import * as $memdesc from "../memory/memdesc.ts";
import * as $words from "../memory/words.ts";
import * as $families from "./families.ts";
import * as $invariants from "./invariants.ts";
import type { Ledger } from "./ledger.ts";
import * as $observe from "./observe.ts";
import * as $states from "./states.ts";
import * as $why from "./why.ts";
import * as $records from "./records.ts";

const { GR_FAMILY, GR_FIRST, GR_FLAGS, GR_ORDER, GR_PTDESC, GR_SHIFT, GR_STATE, GR_TOTAL, L_GRANT, L_SHIFT } = $records;
const { D_LIVE, D_ORDER, MEMDESC_PTDESC, pageBehind, ptdescOf } = $memdesc;
const { NULL, PAGE_WORDS, PAGE_WORDS_SHIFT, STRUCT_PAGE_SHIFT } = $words;
const { DESCRIBABLE } = $families;
const { CORRUPTION, CRASH, DESCRIPTOR, FAMILY, LEAK } = $invariants;
const { orderOf } = $observe;
const { G_CAST, LIVE } = $states;
const {
  WHY_FAMILY_CAST,
  WHY_NO_PTDESC,
  WHY_PTDESC_BACK,
  WHY_PTDESC_COUNT,
  WHY_PTDESC_FREE,
  WHY_PTDESC_LINK,
  WHY_PTDESC_OTHER,
  WHY_PTDESC_STALE,
} = $why;

/** The book of descriptors; empty where they are struct pages. */
export class Descriptors {
  /** Value of the first descriptor; 0 where they are struct pages. */
  readonly first: number;
  /** Grant whose descriptor each is, or -1. */
  readonly grant: Int32Array;
  /** First page of the table that each belongs or belonged to; NULL where it never had one. */
  readonly page: Int32Array;
  /** Pages of that table. */
  readonly pages: Int32Array;
  /** Descriptor that an allocation is about to book. */
  granting = 0;
  /** Descriptors that should not be free. */
  live = 0;

  constructor(first: number, n: number) {
    this.first = first;
    this.grant = new Int32Array(n);
    this.page = new Int32Array(n);
    this.pages = new Int32Array(n);
  }

  /** Starts a program. */
  reset(): void {
    this.grant.fill(-1);
    this.page.fill(NULL);
    this.granting = 0;
    this.live = 0;
  }

  /** Whether a value is a descriptor's. */
  has(value: number): boolean {
    const id = value - this.first;
    return this.first !== 0 && id >= 0 && id < this.grant.length;
  }

  /** The page that a pointer stands for: a descriptor's first page, anything else itself. */
  behind(value: number): number {
    return this.has(value) ? this.page[value - this.first]! : value;
  }

  /** A grant gets the descriptor that was just allocated. */
  book(g: number, pfn: number, pages: number): number {
    const pt = this.granting;
    const id = pt - this.first;
    this.grant[id] = g;
    this.page[id] = pfn;
    this.pages[id] = pages;
    this.live++;
    return pt;
  }

  /** A grant is gone, and its descriptor has to be free. */
  gone(pt: number): void {
    this.grant[pt - this.first] = -1;
    this.live--;
  }
}

/** Whether a descriptor that a program passes is that of a table; of one that is free it is recorded. */
export function tableBehind(l: Ledger, value: number): boolean {
  const d = l.descriptors;
  if (!d.has(value)) return true;
  l.checks[DESCRIPTOR]!++;
  if (d.grant[value - d.first]! >= 0) return true;
  l.misuse = true;
  l.record(DESCRIPTOR, CORRUPTION, WHY_PTDESC_FREE, -1, NULL, 0, value - d.first, 0);
  return false;
}

/**
 * A page is asked for its descriptor: memory that is no page table's has none,
 * whatever family it is of.
 */
export function asked(l: Ledger, pfn: number): void {
  l.checks[DESCRIPTOR]!++;
  if (pfn < 0 || pfn >= l.nrPages) return;
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  if (g < 0) {
    l.misuse = true;
    return;
  }
  if (l.grants[(g << GR_SHIFT) | GR_PTDESC] !== 0) return;
  l.misuse = true;
  const family = l.grants[(g << GR_SHIFT) | GR_FAMILY]!;
  l.record(DESCRIPTOR, CRASH, WHY_NO_PTDESC, g, pfn, 0, family, 0);
  if (((DESCRIBABLE >> family) & 1) !== 0) return;
  l.grants[(g << GR_SHIFT) | GR_FLAGS]! |= G_CAST;
  l.record(FAMILY, CRASH, WHY_FAMILY_CAST, g, l.grants[(g << GR_SHIFT) | GR_FIRST]!, 0, family, 0);
}

/** A lookup answered a descriptor: that of the table that the page belongs to? */
export function answered(l: Ledger, pfn: number, pt: number): void {
  if (pfn < 0 || pfn >= l.nrPages) return;
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  if (g < 0 || l.grants[(g << GR_SHIFT) | GR_PTDESC] === pt) return;
  l.record(DESCRIPTOR, CORRUPTION, WHY_PTDESC_OTHER, g, pfn, 0, pfn - l.grants[(g << GR_SHIFT) | GR_FIRST]!, 0);
}

/** Every page of a live table leads to its descriptor, which leads back and knows the order. */
export function checkDescriptor(l: Ledger, g: number): void {
  l.checks[DESCRIPTOR]!++;
  const mem = l.mem;
  const pt = l.grants[(g << GR_SHIFT) | GR_PTDESC]!;
  const first = l.grants[(g << GR_SHIFT) | GR_FIRST]!;
  for (let pfn = first; pfn < first + l.grants[(g << GR_SHIFT) | GR_TOTAL]!; pfn++) {
    if (ptdescOf(mem, pfn) === pt) continue;
    l.record(DESCRIPTOR, CORRUPTION, WHY_PTDESC_LINK, g, pfn, 0, pfn - first, 0);
    return;
  }
  const order = mem[(pt << PAGE_WORDS_SHIFT) + D_ORDER]!;
  if (pageBehind(mem, pt) === first && order === l.grants[(g << GR_SHIFT) | GR_ORDER]) return;
  l.record(DESCRIPTOR, CORRUPTION, WHY_PTDESC_BACK, g, first, 0, pageBehind(mem, pt), order);
}

/**
 * The kernel freed a descriptor (EV_PTDESC_FREE): no page may lead to it any
 * more, and none may have led to it then.
 *
 * @param memdesc of the page that it led back to, when it was freed
 */
export function descriptorFreed(l: Ledger, pt: number, memdesc: number): void {
  const d = l.descriptors;
  if (!d.has(pt)) return;
  l.checks[DESCRIPTOR]!++;
  const id = pt - d.first;
  const first = d.page[id]!;
  // One that was never booked went back because its pages could not be had.
  if (first < 0) return;
  const g = d.grant[id]!;
  const link = (pt << STRUCT_PAGE_SHIFT) | MEMDESC_PTDESC;
  let stale = memdesc === link ? first : NULL;
  for (let pfn = first; stale < 0 && pfn < first + d.pages[id]!; pfn++) if (ptdescOf(l.mem, pfn) === pt) stale = pfn;
  if (stale >= 0) l.record(DESCRIPTOR, CORRUPTION, WHY_PTDESC_STALE, g, stale, 0, stale - first, 0);
}

/** After a step: as many descriptors are not free as there are tables. */
export function checkDescriptors(l: Ledger): void {
  l.checks[DESCRIPTOR]!++;
  const d = l.descriptors;
  const raw = l.mem[(d.first << PAGE_WORDS_SHIFT) - PAGE_WORDS + D_LIVE]!;
  if (raw === d.live) return;
  l.record(DESCRIPTOR, raw > d.live ? LEAK : CORRUPTION, WHY_PTDESC_COUNT, -1, NULL, 0, raw, d.live);
  d.live = raw;
}

/** What an order lookup on a page would answer, from the raw words: its descriptor's order, or that of its head. */
export function describedOrder(l: Ledger, pfn: number): number {
  const pt = ptdescOf(l.mem, pfn);
  return l.descriptors.has(pt) ? l.mem[(pt << PAGE_WORDS_SHIFT) + D_ORDER]! : orderOf(l.mem, l.layout, pfn);
}

/** Whether a page is a live table's: it belongs to no folio. */
export function isTables(l: Ledger, pfn: number): boolean {
  if (pfn < 0 || pfn >= l.nrPages) return false;
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  return g >= 0 && l.grants[(g << GR_SHIFT) | GR_PTDESC] !== 0 && l.grants[(g << GR_SHIFT) | GR_STATE]! >= LIVE;
}
