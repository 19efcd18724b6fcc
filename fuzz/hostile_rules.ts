/**
 * How memory is asked for, looked up and written, right and wrong (see
 * `hostile_use.ts`).
 *
 * @module
 */
import {
  __GFP_ACCOUNT,
  __GFP_COMP,
  __GFP_HIGHMEM,
  __GFP_NOFAIL,
  __GFP_RETRY_MAYFAIL,
  __GFP_ZERO,
  GFP_FLAGS,
} from "../core/memory/gfp.ts";

import { opOf } from "../core/program/calls.ts";
import { MAX_PAGES } from "../core/program/program.ts";
import { CHARGED, COMPOUND, EXACT, HIGH, LIVE, PAGES, PARTIAL, RESERVED, TABLE, USED } from "./hostile_picture.ts";
import { APART, bytesOf, type Rule, type Use, wrongPointer } from "./hostile_use.ts";
import { FOLIO, PAGE, PTDESC, VIRT, type Writer } from "./hostile_writer.ts";

const GFP_KERNEL = GFP_FLAGS["GFP_KERNEL"] as number;
const GFPS: Int32Array = Int32Array.of(
  GFP_KERNEL,
  GFP_KERNEL,
  GFP_KERNEL | __GFP_COMP,
  GFP_KERNEL | __GFP_COMP | __GFP_ZERO,
  GFP_KERNEL | __GFP_ZERO,
  GFP_KERNEL | __GFP_HIGHMEM,
  GFP_KERNEL | __GFP_HIGHMEM | __GFP_COMP,
  GFP_FLAGS["GFP_PGTABLE_USER"] as number,
  (GFP_FLAGS["GFP_PGTABLE_USER"] as number) | __GFP_COMP,
  GFP_FLAGS["GFP_PGTABLE_KERNEL"] as number,
  GFP_FLAGS["GFP_ATOMIC"] as number,
  GFP_FLAGS["GFP_NOWAIT"] as number,
  GFP_KERNEL | __GFP_NOFAIL,
  GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_COMP,
  GFP_KERNEL | __GFP_ACCOUNT,
  0,
);
const ORDERS: Uint8Array = Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 4, 5);

/** No room: a zone that is nearly full answers NULL, which ends what can be done with the block. */
function full(w: Writer): boolean {
  return w.picture.used * 8 > w.nrPages * 7 && !w.random.chance(16);
}

function someOrder(w: Writer): number {
  const { random } = w;
  if (random.chance(3)) return 6 + random.below(5);
  if (w.picture.used * 2 > w.nrPages) return random.below(2);
  return ORDERS[random.below(ORDERS.length)]!;
}

function add(w: Writer, traits: number, pages: number, slot: number, kind: number, zeroed: boolean): void {
  const b = w.picture.add(w.random, traits, pages, slot, kind);
  if (zeroed) w.picture.written[b] = -1;
}

/** alloc_pages and its kind; `never` are flags that it must not be given. */
function alloc(name: string, kind: number, family: number, ordered: boolean, zeroed: boolean, never: number): Use {
  const op = opOf(name);
  const write = (w: Writer, gfp: number, order: number): boolean => {
    const slot = w.write(op, gfp, order, 0, 0, 0);
    if (order > 10) return true;
    let traits = family;
    if (order > 0 && (family === TABLE || (gfp & __GFP_COMP) !== 0)) traits |= COMPOUND;
    if (kind !== VIRT && (gfp & __GFP_HIGHMEM) !== 0) traits |= HIGH;
    if (order > 0 && (gfp & __GFP_ACCOUNT) !== 0) traits |= CHARGED;
    add(w, traits, 1 << order, slot, kind, zeroed || (gfp & __GFP_ZERO) !== 0);
    return true;
  };
  const right: Rule = (w) =>
    !full(w) && write(w, GFPS[w.random.below(GFPS.length)]! & ~never, ordered ? someOrder(w) : 0);
  if (!ordered && never === 0) return { right };
  return {
    right,
    // An order that no list has, or a flag that the function cannot honour.
    wrong: (w) => {
      if (ordered && (never === 0 || w.random.chance(128))) return write(w, GFP_KERNEL, 11 + w.random.below(21));
      return !full(w) && write(w, GFP_KERNEL | never, ordered ? someOrder(w) : 0);
    },
  };
}

function allocExact(): Use {
  const op = opOf("alloc_pages_exact");
  const never = __GFP_COMP | __GFP_HIGHMEM;
  const write = (w: Writer, gfp: number, pages: number): boolean => {
    const slot = w.write(op, bytesOf(w, pages), gfp, 0, 0, 0);
    if (pages <= 32) add(w, EXACT, pages, slot, VIRT, (gfp & __GFP_ZERO) !== 0);
    return true;
  };
  const few = (w: Writer): number => 1 + w.random.below(w.random.chance(128) ? 4 : 12);
  return {
    right: (w) =>
      !full(w) &&
      write(w, GFPS[w.random.below(GFPS.length)]! & ~never, w.random.chance(4) ? 1 + w.random.below(1024) : few(w)),
    wrong: (w) =>
      w.random.chance(128)
        ? write(w, GFP_KERNEL, 1026 + w.random.below(1000))
        : !full(w) && write(w, GFP_KERNEL | (w.random.chance(128) ? __GFP_COMP : __GFP_HIGHMEM), few(w)),
  };
}

function memblock(): Use {
  const op = opOf("memblock_alloc");
  return {
    right: (w) => {
      if (full(w)) return false;
      const pages = w.random.chance(100) ? 1 : 1 + w.random.below(8);
      add(w, RESERVED, pages, w.write(op, pages, 0, 0, 0, 0), VIRT, true);
      return true;
    },
    // More than there is.
    wrong: (w) => {
      const pages = w.nrPages + 1 + w.random.below(64);
      if (pages > MAX_PAGES) return false;
      w.write(op, pages, 0, 0, 0, 0);
      return true;
    },
  };
}

/** Memory of which a descriptor may be made. */
const DESCRIBED = TABLE | RESERVED;

/**
 * A lookup of a live block's page.
 *
 * @param need traits that the block must have one of, or 0
 * @param answers kind of the answer, or -1; of the first page it is another name for the block
 * @param toHead whether it answers the head of a compound block
 * @param any whether any page of the block may be given
 */
function lookup(name: string, kind: number, need: number, answers: number, toHead: boolean, any: boolean): Use {
  const op = opOf(name);
  const nullable = name === "page_ptdesc" || name === "ptdesc_page" || name === "ptdesc_folio";
  const isVoid = name.startsWith("virt_to_");
  return {
    right: (w) => {
      const { picture, random } = w;
      if (nullable && random.chance(4)) {
        w.write(op, -1, 0, 0, 0, 0);
        return true;
      }
      // Other names come from page 0: it has to be there still.
      const folio = w.apart && FOLIO_LOOKUPS.has(name);
      if (folio && name === "ptdesc_folio") return false;
      const families = w.apart && need === DESCRIBED ? TABLE : need;
      const b = findFamily(w, families, (kind === VIRT ? HIGH : 0) | (any ? 0 : PARTIAL) | (folio ? TABLE : 0));
      if (b < 0) return false;
      let page = picture.somePage(random, b);
      // A head lookup answers a compound block from any of its pages.
      const apart = need === 0 ? APART | COMPOUND : APART;
      if (!any && (picture.traits[b]! & apart) === 0) page = 0;
      const slot = w.one(op, w.name(b, kind), page);
      if (answers >= 0 && (page === 0 || (toHead && (picture.traits[b]! & COMPOUND) !== 0))) w.rename(b, answers, slot);
      if (answers < 0 && name === "compound_order" && page === 0) picture.orderName[b] = slot;
      return true;
    },
    wrong: wrongPointer(op, kind, isVoid, false),
  };
}

/** Lookups that lead to a folio: a table whose descriptor is apart has none. */
const FOLIO_LOOKUPS: ReadonlySet<string> = new Set([
  "compound_head",
  "virt_to_head_page",
  "page_folio",
  "folio_address",
  "ptdesc_folio",
]);

/** A live block of one of the families named (0 for any). */
function findFamily(w: Writer, families: number, forbid: number): number {
  const { picture, random } = w;
  if (families === 0) return picture.find(random, LIVE, forbid);
  if (families !== (TABLE | RESERVED)) return picture.find(random, LIVE | families, forbid);
  const first = random.chance(64) ? RESERVED : TABLE;
  const b = picture.find(random, LIVE | first, forbid);
  return b >= 0 ? b : picture.find(random, LIVE | (families & ~first), forbid);
}

function clear(name: string): Use {
  const op = opOf(name);
  return {
    right: (w) => {
      const { picture, random } = w;
      const b = picture.find(random, LIVE, HIGH);
      if (b < 0) return false;
      const page = picture.somePage(random, b);
      w.one(op, w.name(b, VIRT), page);
      if (page < 32) picture.written[b]! |= 1 << page;
      return true;
    },
    wrong: wrongPointer(op, VIRT, true, false),
  };
}

const table_init = opOf("table_init");

function tableInit(): Use {
  return {
    right: (w) => {
      const { picture, random } = w;
      const b = picture.find(random, LIVE, HIGH | PARTIAL);
      if (b < 0) return false;
      const n = picture.pages[b]!;
      const from = random.chance(128) ? 0 : random.below(n);
      initialise(w, b, from, random.chance(128) ? n - from : 1 + random.below(n - from));
      return true;
    },
    wrong: (w) => {
      const slot = w.target(VIRT);
      if (slot < 0) return false;
      const n = w.picture.pages[w.targetBlock]!;
      w.write(table_init, slot, n + (w.random.chance(128) ? 1 + w.random.below(8) : 0), 0, w.targetOffset, 1);
      return true;
    },
  };
}

function initialise(w: Writer, b: number, from: number, pages: number): void {
  const { picture } = w;
  w.write(table_init, w.name(b, VIRT), pages, 0, from, 1);
  if (pages === picture.pages[b]) picture.written[b] = -1;
  else if (from + pages <= 32) picture.written[b]! |= ((1 << pages) - 1) << from;
}

function populate(): Use {
  const op = opOf("populate");
  return {
    right: (w) => {
      const { picture, random } = w;
      const b = picture.find(random, LIVE, HIGH | PARTIAL);
      if (b < 0) return false;
      const pages = picture.pages[b]!;
      const mask = pages >= 32 ? -1 : (1 << pages) - 1;
      if ((picture.written[b]! & mask) !== mask) initialise(w, b, 0, pages);
      w.one(op, w.name(b, VIRT), random.chance(192) ? 0 : Math.min(1023, random.below(pages)));
      picture.traits[b]! |= USED;
      return true;
    },
    wrong: (w) => {
      // A table that nobody wrote is the most likely mistake.
      const b = w.random.chance(128) ? w.picture.find(w.random, LIVE, HIGH) : -1;
      if (b < 0) return wrongPopulate(w);
      w.one(op, w.name(b, VIRT), 0);
      return true;
    },
  };
}

const wrongPopulate = wrongPointer(opOf("populate"), VIRT, false, false);

/** The rules, by the call's name. */
export const RULES: Readonly<Record<string, Use>> = {
  alloc_pages: alloc("alloc_pages", PAGE, PAGES, true, false, 0),
  alloc_page: alloc("alloc_page", PAGE, PAGES, false, false, 0),
  __get_free_pages: alloc("__get_free_pages", VIRT, PAGES, true, false, __GFP_HIGHMEM),
  __get_free_page: alloc("__get_free_page", VIRT, PAGES, false, false, __GFP_HIGHMEM),
  get_zeroed_page: alloc("get_zeroed_page", VIRT, PAGES, false, true, __GFP_HIGHMEM),
  alloc_pages_exact: allocExact(),
  memblock_alloc: memblock(),
  ptdesc_alloc: alloc("ptdesc_alloc", PTDESC, TABLE, true, false, 0),
  pagetable_alloc: alloc("pagetable_alloc", PTDESC, TABLE, true, false, 0),
  clear_page: clear("clear_page"),
  ptdesc_clear: clear("ptdesc_clear"),
  table_init: tableInit(),
  populate: populate(),
  compound_head: lookup("compound_head", PAGE, 0, PAGE, true, true),
  compound_order: lookup("compound_order", PAGE, 0, -1, false, true),
  PageHead: lookup("PageHead", PAGE, 0, -1, false, true),
  PageTail: lookup("PageTail", PAGE, 0, -1, false, true),
  PageCompound: lookup("PageCompound", PAGE, 0, -1, false, true),
  virt_to_page: lookup("virt_to_page", VIRT, 0, PAGE, false, true),
  virt_to_head_page: lookup("virt_to_head_page", VIRT, 0, PAGE, true, true),
  page_to_virt: lookup("page_to_virt", PAGE, 0, -1, false, true),
  page_address: lookup("page_address", PAGE, 0, VIRT, false, true),
  folio_address: lookup("folio_address", FOLIO, 0, VIRT, false, false),
  page_folio: lookup("page_folio", PAGE, 0, FOLIO, true, false),
  page_ptdesc: lookup("page_ptdesc", PAGE, DESCRIBED, PTDESC, false, false),
  ptdesc_page: lookup("ptdesc_page", PTDESC, DESCRIBED, PAGE, false, false),
  ptdesc_folio: lookup("ptdesc_folio", PTDESC, DESCRIBED, FOLIO, false, false),
  virt_to_ptdesc: lookup("virt_to_ptdesc", VIRT, DESCRIBED, PTDESC, true, false),
  ptdesc_to_virt: lookup("ptdesc_to_virt", PTDESC, DESCRIBED, -1, false, false),
  ptdesc_address: lookup("ptdesc_address", PTDESC, DESCRIBED, VIRT, false, false),
  ptdesc_is_reserved: lookup("ptdesc_is_reserved", PTDESC, DESCRIBED, -1, false, false),
  pagetable_is_reserved: lookup("pagetable_is_reserved", PTDESC, DESCRIBED, -1, false, false),
};
