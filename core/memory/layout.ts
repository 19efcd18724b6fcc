/**
 * A kernel's layout: under which names the words of `struct page` go, and where
 * the facts lie that differ between kernels.
 *
 * A layout is data (`layouts/`), written down from the kernel's headers and
 * checked when it is loaded by what the kernel checks when it is compiled:
 * TABLE_MATCH, FOLIO_MATCH and `sizeof(struct ptdesc) <= sizeof(struct page)`
 * (`include/linux/mm_types.h`). Beyond these, the constants of `words.ts` have
 * to agree with it, as kernel and ledger read memory through them.
 *
 * @module
 */
import * as $words from "./words.ts";

const {
  PAGE_WORDS,
  W_COMPOUND_HEAD,
  W_FLAGS,
  W_INDEX,
  W_LRU_NEXT,
  W_LRU_PREV,
  W_MAPPING,
  W_MEMCG,
  W_PRIVATE,
  W_REFCOUNT,
  W_TYPE,
} = $words;

/** A field: its first byte and its size in bytes. */
export interface Field {
  /** First byte, counted from the first page of the block. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

/** What the ledger and the kernel functions read of a layout. */
export interface Layout {
  readonly name: string;
  readonly page: Readonly<Record<string, Field>>;
  readonly folio: Readonly<Record<string, Field>>;
  /** `struct ptdesc`; null where the kernel has none. */
  readonly ptdesc: Readonly<Record<string, Field>> | null;
  /** `TABLE_MATCH(pg, pt)`, in the kernel's order. */
  readonly tableMatch: readonly (readonly [string, string])[];
  /** `FOLIO_MATCH(pg, fl)` with the page whose field it is (0, 1, 2, 3). */
  readonly folioMatch: readonly (readonly [string, string, number])[];
  /** `enum pageflags`: page flags by bit of word 0. */
  readonly flagNames: readonly string[];
  /** Some of them as bit masks. */
  readonly PG_head: number;
  readonly PG_reserved: number;
  /** PAGE_FLAGS_CHECK_AT_FREE. */
  readonly checkAtFree: number;
  /** PAGE_FLAGS_CHECK_AT_PREP. */
  readonly checkAtPrep: number;
  /** Flags that a free clears on page 1 of a compound block (6.12: PAGE_FLAGS_SECOND; 6.1: PG_double_map, PG_has_hwpoisoned). */
  readonly flagsSecond: number;
  /** A page is buddy where (type word & buddyMask) === buddyValue. */
  readonly buddyMask: number;
  readonly buddyValue: number;
  /** PG_buddy where a type is a bit that is cleared (6.1), 0 where it is the top byte (6.12). */
  readonly buddyBit: number;
  /** A page is a page table's where (type word & tableMask) === tableValue. */
  readonly tableMask: number;
  readonly tableValue: number;
  /** PG_table where a type is a bit that is cleared (6.1), 0 where it is the top byte (6.12). */
  readonly tableBit: number;
  /** The field that holds the order: a field of `page` on page 1 (6.1), or of `folio` (6.12). */
  readonly orderField: readonly ["page" | "folio", string];
  /** The order of a compound block: word relative to its head page's first word, and shift of its byte. */
  readonly orderWord: number;
  readonly orderShift: number;
}

/** sizeof(struct page). */
export const SIZEOF_PAGE: number = PAGE_WORDS * 4;
/** sizeof(struct folio) at most: four pages. */
const SIZEOF_FOLIO = 4 * SIZEOF_PAGE;

/** Which word of `words.ts` stands for which field of `struct page`, and the byte of the field it begins at. */
const WORDS: readonly (readonly [string, number, string, number])[] = [
  ["W_FLAGS", W_FLAGS, "flags", 0],
  ["W_LRU_NEXT", W_LRU_NEXT, "lru", 0],
  ["W_COMPOUND_HEAD", W_COMPOUND_HEAD, "compound_head", 0],
  ["W_LRU_PREV", W_LRU_PREV, "lru", 8],
  ["W_MAPPING", W_MAPPING, "mapping", 0],
  ["W_INDEX", W_INDEX, "index", 0],
  ["W_PRIVATE", W_PRIVATE, "private", 0],
  ["W_TYPE", W_TYPE, "page_type", 0],
  ["W_TYPE", W_TYPE, "_mapcount", 0],
  ["W_REFCOUNT", W_REFCOUNT, "_refcount", 0],
  ["W_MEMCG", W_MEMCG, "memcg_data", 0],
];

type Fields = Readonly<Record<string, Field>>;

function fieldOf(layout: Layout, struct: string, fields: Fields, name: string): Field {
  const f = fields[name];
  if (f === undefined) {
    throw new Error(
      `layout ${layout.name}: struct ${struct} has no field '${name}'; add it or take it out of the assertions`,
    );
  }
  return f;
}

function checkBounds(layout: Layout, struct: string, fields: Fields, size: number): void {
  for (const [name, f] of Object.entries(fields)) {
    if (f.offset < 0 || f.size <= 0 || f.offset + f.size > size) {
      throw new Error(
        `layout ${layout.name}: ${struct}.${name} lies at bytes ${f.offset} to ${f.offset + f.size - 1}, ` +
          `but struct ${struct} has ${size} bytes`,
      );
    }
    if (f.offset % Math.min(f.size, 8) !== 0) {
      throw new Error(`layout ${layout.name}: ${struct}.${name} of ${f.size} bytes at byte ${f.offset} is not aligned`);
    }
  }
}

/** The end of the last field: what the compiler would make of sizeof. */
function sizeOf(fields: Fields): number {
  let end = 0;
  for (const f of Object.values(fields)) end = Math.max(end, f.offset + f.size);
  return Math.ceil(end / 8) * 8;
}

/**
 * Checks a layout as the kernel's static assertions do, and against `words.ts`.
 *
 * @throws {Error} naming the first assertion that does not hold
 */
export function checkLayout(layout: Layout): void {
  const { page, folio, ptdesc } = layout;
  checkBounds(layout, "page", page, SIZEOF_PAGE);
  checkBounds(layout, "folio", folio, SIZEOF_FOLIO);
  for (const [pg, fl, nr] of layout.folioMatch) {
    const a = fieldOf(layout, "page", page, pg).offset + nr * SIZEOF_PAGE;
    const b = fieldOf(layout, "folio", folio, fl).offset;
    if (a !== b) {
      throw new Error(
        `layout ${layout.name}: FOLIO_MATCH(${pg}, ${fl}): page ${nr}'s ${pg} lies at byte ${a}, ` +
          `folio.${fl} at ${b}; it has to be ${a}`,
      );
    }
  }
  if (ptdesc !== null) {
    for (const [pg, pt] of layout.tableMatch) {
      const a = fieldOf(layout, "page", page, pg).offset;
      const b = fieldOf(layout, "ptdesc", ptdesc, pt).offset;
      if (a !== b) {
        throw new Error(
          `layout ${layout.name}: TABLE_MATCH(${pg}, ${pt}): page.${pg} lies at byte ${a}, ` +
            `ptdesc.${pt} at ${b}; it has to be ${a}`,
        );
      }
    }
    const size = sizeOf(ptdesc);
    if (size > SIZEOF_PAGE) {
      throw new Error(
        `layout ${layout.name}: sizeof(struct ptdesc) is ${size}, more than sizeof(struct page), which is ${SIZEOF_PAGE}`,
      );
    }
    checkBounds(layout, "ptdesc", ptdesc, SIZEOF_PAGE);
  }
  for (const [constant, word, name, plus] of WORDS) {
    const offset = fieldOf(layout, "page", page, name).offset + plus;
    if (word * 4 !== offset) {
      throw new Error(
        `layout ${layout.name}: ${constant} is word ${word}, but page.${name} begins at byte ${offset}; ` +
          `it has to be word ${offset / 4}`,
      );
    }
  }
  const [struct, name] = layout.orderField;
  const order = fieldOf(layout, struct, layout[struct], name).offset + (struct === "page" ? SIZEOF_PAGE : 0);
  if (layout.orderWord !== order >> 2 || layout.orderShift !== (order & 3) * 8) {
    throw new Error(
      `layout ${layout.name}: the order is read at word ${layout.orderWord}, shift ${layout.orderShift}, ` +
        `but ${name} lies at byte ${order}: word ${order >> 2}, shift ${(order & 3) * 8}`,
    );
  }
  if ((layout.buddyValue & layout.buddyMask) !== layout.buddyValue || (-1 & layout.buddyMask) === layout.buddyValue) {
    throw new Error(
      `layout ${layout.name}: buddyValue lies outside buddyMask, or a page without a type is taken for buddy`,
    );
  }
  if (
    (layout.tableValue & layout.tableMask) !== layout.tableValue || (-1 & layout.tableMask) === layout.tableValue ||
    (layout.buddyValue & layout.tableMask) === layout.tableValue && layout.tableBit === 0
  ) {
    throw new Error(
      `layout ${layout.name}: tableValue lies outside tableMask, or a page without a type or a buddy is taken for a table`,
    );
  }
  if ((layout.checkAtPrep & layout.PG_head) === 0 || (layout.checkAtFree & layout.PG_reserved) === 0) {
    throw new Error(`layout ${layout.name}: PG_head has to be among checkAtPrep, PG_reserved among checkAtFree`);
  }
}
