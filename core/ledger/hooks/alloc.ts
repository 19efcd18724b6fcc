/**
 * Grants: what an allocation hands out, by its arguments.
 *
 * @module
 */
import * as $gfp from "../../memory/gfp.ts";
import * as $words from "../../memory/words.ts";
import * as $families from "../families.ts";
import * as $invariants from "../invariants.ts";
import type { Ledger } from "../ledger.ts";
import * as $states from "../states.ts";
import * as $table from "../table.ts";
import * as $why from "../why.ts";
import type { Hooks } from "./hook.ts";
import * as $hook from "./hook.ts";
import * as $records from "../records.ts";

const {
  GR_COMPOUND,
  GR_FAMILY,
  GR_FIRST,
  GR_FLAGS,
  GR_FROZEN,
  GR_HELD,
  GR_ORDER,
  GR_OWNER_REFS,
  GR_SHIFT,
  GR_SLOT,
  GR_STATE,
  GR_TOTAL,
  L_GRANT,
  L_ON_LIST,
  L_REFS,
  L_RESERVED,
  L_SHIFT,
  L_TABLE,
} = $records;
const { __GFP_ACCOUNT, __GFP_COMP, __GFP_HIGHMEM } = $gfp;
const { MAX_PAGE_ORDER, NULL, PAGE_SHIFT, PAGE_SIZE } = $words;
const { EXACT, FRAGMENT, PAGES, PAGETABLE, RESERVED } = $families;
const { BAD_REFERENCE, CORRUPTION, ORDER_MISMATCH } = $invariants;
const { G_LISTED, G_MARKED, G_TABLE, LIVE, T_OPEN } = $states;
const { charged, checkCharge } = $table;
const { WHY_SPLIT, WHY_WRITE_FREE } = $why;
const { pfnOf, singles, usable } = $hook;

/** What the kernel warns of (`WARN_ON_ONCE_GFP`) or says never to pass is no finding, and it is a misuse. */
function warned(l: Ledger, order: number, gfp: number, never: number): void {
  if (order > MAX_PAGE_ORDER || (gfp & never) !== 0) l.misuse = true;
}

function granted(l: Ledger, pfn: number, order: number, compound: boolean, family: number, gfp: number): void {
  l.grant(pfn, 1 << order, order, compound && order > 0 ? 1 : 0, family, l.dst);
  if (l.memcg && (gfp & __GFP_ACCOUNT) !== 0) charged(l, pfn, 1 << order, false);
}

function afterAllocPages(l: Ledger): void {
  warned(l, l.b, l.a, 0);
  if (l.res !== NULL) granted(l, l.res, l.b, (l.a & __GFP_COMP) !== 0, PAGES, l.a);
}

function afterAllocPage(l: Ledger): void {
  if (l.res !== NULL) granted(l, l.res, 0, false, PAGES, l.a);
}

function afterGetFreePages(l: Ledger): void {
  warned(l, l.b, l.a, __GFP_HIGHMEM);
  if (l.res !== NULL) granted(l, pfnOf(l.res), l.b, (l.a & __GFP_COMP) !== 0, PAGES, l.a);
}

function afterGetFreePage(l: Ledger): void {
  warned(l, 0, l.a, __GFP_HIGHMEM);
  if (l.res !== NULL) granted(l, pfnOf(l.res), 0, false, PAGES, l.a);
}

function afterPagetableAlloc(l: Ledger): void {
  warned(l, l.b, l.a, 0);
  // With a descriptor of its own a table needs no head.
  if (l.res !== NULL) granted(l, l.res, l.b, !l.apart, PAGETABLE, l.a);
}

function orderFor(pages: number): number {
  return pages <= 1 ? 0 : 32 - Math.clz32(pages - 1);
}

function afterAllocExact(l: Ledger): void {
  const pages = (l.a + PAGE_SIZE - 1) >> PAGE_SHIFT;
  warned(l, orderFor(pages), l.b, __GFP_COMP | __GFP_HIGHMEM);
  if (l.res === NULL) return;
  l.grant(pfnOf(l.res), pages, orderFor(pages), 0, EXACT, l.dst);
  if (l.memcg && (l.b & __GFP_ACCOUNT) !== 0) charged(l, pfnOf(l.res), pages, true);
}

function afterMemblock(l: Ledger): void {
  if (l.a > l.nrPages) l.misuse = true;
  if (l.res === NULL) return;
  const first = pfnOf(l.res);
  l.grant(first, l.a, orderFor(l.a), 0, RESERVED, l.dst);
  l.managed -= l.a;
  for (let i = 0; i < l.a; i++) {
    l.pages[((first + i) << L_SHIFT) | L_RESERVED] = 1;
    l.checkReserved(first + i);
  }
}

function beforeSplit(l: Ledger): void {
  const g = l.pages[(l.a << L_SHIFT) | L_GRANT]!;
  l.pending = -1;
  if (!usable(l, l.a, WHY_WRITE_FREE)) return;
  if (l.grants[(g << GR_SHIFT) | GR_STATE] !== LIVE) {
    // It was given up as a whole: whoever frees it does not know of its single pages.
    l.misuse = true;
    return;
  }
  if (l.grants[(g << GR_SHIFT) | GR_COMPOUND] !== 0) {
    l.misuse = true;
    l.pending = g;
    return;
  }
  // VM_BUG_ON(!page_count(page)): a frozen table's page has none.
  if (l.grants[(g << GR_SHIFT) | GR_FROZEN] !== 0 || l.grants[(g << GR_SHIFT) | GR_FAMILY]! >= FRAGMENT) {
    l.misuse = true;
  }
  if (
    singles(l, g) || l.a !== l.grants[(g << GR_SHIFT) | GR_FIRST] || l.b !== l.grants[(g << GR_SHIFT) | GR_ORDER] ||
    l.grants[(g << GR_SHIFT) | GR_HELD] !== l.grants[(g << GR_SHIFT) | GR_TOTAL]
  ) {
    l.misuse = true;
    l.record(ORDER_MISMATCH, CORRUPTION, WHY_SPLIT, g, l.a, 0, l.b, l.grants[(g << GR_SHIFT) | GR_ORDER]!);
    return;
  }
  l.pending = g;
}

function afterSplit(l: Ledger): void {
  const g = l.pending;
  if (g < 0) return;
  l.checks[BAD_REFERENCE]!++;
  const first = l.grants[(g << GR_SHIFT) | GR_FIRST]!;
  const total = l.grants[(g << GR_SHIFT) | GR_TOTAL]!;
  if (l.grants[(g << GR_SHIFT) | GR_COMPOUND] !== 0) {
    for (let i = 0; i < total; i++) l.checkRefs(g, first + i);
    return;
  }
  const ownerRefs = l.grants[(g << GR_SHIFT) | GR_OWNER_REFS]!;
  const slot = l.grants[(g << GR_SHIFT) | GR_SLOT]!;
  const family = l.grants[(g << GR_SHIFT) | GR_FAMILY]!;
  l.drop(g);
  for (let i = 0; i < total; i++) {
    const single = l.newGrant(first + i, 1, 0, 0, family, slot);
    l.pages[((first + i) << L_SHIFT) | L_GRANT] = single;
    if (l.pages[((first + i) << L_SHIFT) | L_RESERVED] !== 0) l.grants[(single << GR_SHIFT) | GR_FLAGS]! |= G_MARKED;
    if (l.pages[((first + i) << L_SHIFT) | L_ON_LIST] !== 0) l.grants[(single << GR_SHIFT) | GR_FLAGS]! |= G_LISTED;
    if ((l.pages[((first + i) << L_SHIFT) | L_TABLE]! & T_OPEN) !== 0) {
      l.grants[(single << GR_SHIFT) | GR_FLAGS]! |= G_TABLE;
    }
    if (i === 0) l.grants[(single << GR_SHIFT) | GR_OWNER_REFS] = ownerRefs;
    else l.pages[((first + i) << L_SHIFT) | L_REFS] = 1;
    l.checkRefs(single, first + i);
    if (l.memcg) checkCharge(l, first + i);
  }
}

/** The hooks of these calls. */
export const ALLOC_HOOKS: Readonly<Record<string, Hooks>> = {
  alloc_pages: { after: afterAllocPages },
  alloc_page: { after: afterAllocPage },
  __get_free_pages: { after: afterGetFreePages },
  __get_free_page: { after: afterGetFreePage },
  get_zeroed_page: { after: afterGetFreePage },
  alloc_pages_exact: { after: afterAllocExact },
  split_page: { before: beforeSplit, after: afterSplit },
  memblock_alloc: { after: afterMemblock },
  ptdesc_alloc: { after: afterPagetableAlloc },
  pagetable_alloc: { after: afterPagetableAlloc },
};
