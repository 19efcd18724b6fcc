/**
 * The words of a page under the names that `struct page`, `struct folio` and
 * `struct ptdesc` have for them, and what they mean.
 *
 * Names come from the layout of the kernel at hand, as data: nothing here
 * touches a machine.
 *
 * @module
 */
import type { Field } from "../../memory/layout.ts";
import { STRUCT_PAGE_SHIFT, W_PRIVATE, W_TYPE } from "../../memory/words.ts";

type Fields = Readonly<Record<string, Field>>;

/** What the words' names come from: a kernel's layout, the part of it that is data. */
export interface LayoutFacts {
  readonly name: string;
  readonly page: Fields;
  readonly folio: Fields;
  readonly ptdesc: Fields | null;
  /** Page flags by bit. */
  readonly flagNames: readonly string[];
  readonly buddyMask: number;
  readonly buddyValue: number;
  readonly buddyBit: number;
  readonly orderWord: number;
  readonly orderShift: number;
}

/** A word, or two that are one 64-bit field. */
export interface FieldRow {
  /** First byte. */
  readonly offset: number;
  /** Names as a page, a folio and a descriptor; empty where there is none. */
  readonly page: string;
  readonly folio: string;
  readonly ptdesc: string;
  /** The bits, in hex. */
  readonly raw: string;
  /** What they mean. */
  readonly meaning: string;
}

/** Addresses that are no page's: heads of lists, poison. */
export type Lists = readonly (readonly [address: number, name: string])[];

/** First byte and size of each row. */
const ROWS: readonly (readonly [offset: number, size: number])[] = [
  [0, 8],
  [8, 8],
  [16, 8],
  [24, 8],
  [32, 8],
  [40, 8],
  [48, 4],
  [52, 4],
  [56, 8],
];

/** Fields of `struct page` that are there on one page of a compound block only (6.1). */
const ONLY_ON: readonly (readonly [name: RegExp, index: number])[] = [
  [/^(compound_(dtor|order|mapcount|pincount|nr)|_private_1)$/, 1],
  [/^deferred_list$/, 2],
];

/** Names of fields that lie in some bytes, with `.next` and `.prev` for the halves of a list node. */
function names(fields: Fields | null, at: number, size: number, index: number): string {
  if (fields === null) return "";
  const list: string[] = [];
  for (const [name, f] of Object.entries(fields)) {
    if (f.offset >= at + size || f.offset + f.size <= at) continue;
    if (/^_pt_pad/.test(name) || ONLY_ON.some(([only, i]) => only.test(name) && i !== index)) continue;
    if (f.size <= 8) list.push(name);
    else list.push(`${name}.${f.offset === at ? "next" : /rcu_head/.test(name) ? "func" : "prev"}`);
  }
  return list.join(", ");
}

/** Page types of 6.12 by their top byte (`enum pagetype`), and of 6.1 by the bit that is cleared. */
const TYPES: Readonly<Record<number, string>> = {
  0xf0: "buddy",
  0xf1: "offline",
  0xf2: "table",
  0xf3: "guard",
  0xf4: "hugetlb",
  0xf5: "slab",
};
const TYPE_BITS: readonly (readonly [number, string])[] = [[0x80, "buddy"], [0x100, "offline"], [0x200, "table"], [
  0x400,
  "guard",
]];

/** The page type in words. */
export function typeWords(layout: LayoutFacts, word: number): string {
  if (word === -1) return "no type";
  if (layout.buddyBit === 0) return TYPES[word >>> 24] ?? `_mapcount ${word}`;
  if ((word & 0xf000_0000) !== (0xf000_0000 | 0)) return `_mapcount ${word}`;
  return TYPE_BITS.filter(([bit]) => (word & bit) === 0).map(([, name]) => name).join(", ") || "no type";
}

function flagWords(layout: LayoutFacts, word: number, index: number): string {
  // The order of a block that is as in 6.12 lies in the low byte of page 1's flags.
  const orderHere = index === 1 && layout.orderWord === 16 && layout.orderShift === 0;
  const order = orderHere ? word & 0xff : 0;
  const flags = orderHere ? word & ~0xff : word;
  const set = layout.flagNames.filter((_, bit) => (flags >>> bit) & 1);
  return [...(order > 0 ? [`order ${order} of the block`] : []), set.length === 0 ? "no flag" : set.join(", ")].join(
    "; ",
  );
}

/**
 * A pointer of the model in words: it is the byte address of a list node, or of
 * a `struct page` with bit 0 for a tail.
 */
function pointerWords(value: number, nrPages: number, lists: Lists): string {
  if (value === 0) return "0";
  const list = lists.find(([address]) => address === value);
  if (list !== undefined) return list[1];
  if (value < 0 || value >= nrPages << STRUCT_PAGE_SHIFT) return "not a list node";
  const pfn = value >> STRUCT_PAGE_SHIFT;
  if ((value & 1) !== 0) return `tail of page ${pfn}`;
  const offset = value & ((1 << STRUCT_PAGE_SHIFT) - 1);
  return offset === 8 ? `page ${pfn}` : `page ${pfn}, byte ${offset}`;
}

/**
 * The words of a page.
 *
 * @param word a word of any page
 * @param pfn the page
 * @param index which page of its block it is, from 0: decides what a folio calls it
 * @param lists see {@linkcode Lists}
 */
export function fieldRows(
  layout: LayoutFacts,
  word: (pfn: number, w: number) => number,
  pfn: number,
  index: number,
  nrPages: number,
  lists: Lists,
): FieldRow[] {
  const buddy = (word(pfn, W_TYPE) & layout.buddyMask) === layout.buddyValue;
  return ROWS.map(([offset, size]) => {
    const w = offset >> 2;
    const low = word(pfn, w);
    const high = size === 8 ? word(pfn, w + 1) : 0;
    const hex = (n: number) => (n >>> 0).toString(16).padStart(8, "0");
    return {
      offset,
      page: names(layout.page, offset, size, index),
      folio: index > 3 ? "" : names(layout.folio, index * 64 + offset, size, index),
      ptdesc: names(layout.ptdesc, offset, size, index),
      raw: size === 8 ? `${hex(high)}_${hex(low)}` : hex(low),
      meaning: meaning(layout, offset, low, high, index, buddy, (value) => pointerWords(value, nrPages, lists)),
    };
  });
}

function meaning(
  layout: LayoutFacts,
  offset: number,
  low: number,
  high: number,
  index: number,
  buddy: boolean,
  pointer: (value: number) => string,
): string {
  switch (offset) {
    case 0:
      return flagWords(layout, low, index);
    case 8:
      return pointer(low);
    case 16: {
      // 6.1 keeps destructor, order and mapcount of a compound block here, on its page 1.
      if (index === 1 && layout.orderWord === 20) {
        const order = (low >> layout.orderShift) & 0xff;
        if (order > 0) return `order ${order} of the block`;
      }
      if (index > 0 && high !== 0) return String(low);
      return pointer(low);
    }
    case 24:
      return low === 0x400 && high === 0 ? "TAIL_MAPPING" : low === 0 && high === 0 ? "0" : String(low);
    case W_PRIVATE << 2:
      return buddy ? `order ${low} of the free block` : String(low);
    case 48:
      return typeWords(layout, low);
    default:
      return String(low);
  }
}
