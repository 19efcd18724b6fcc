/**
 * The casts refuse at compile time what `_Generic` refuses: every
 * `@ts-expect-error` below is a test, and `deno check` fails when one of them
 * stops being an error.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  type ConstFolio,
  type ConstMm,
  type ConstPage,
  type ConstPtdesc,
  type ConstVirt,
  type Folio,
  type Mm,
  type Page,
  page_ptdesc,
  type Ptdesc,
  ptdesc_folio,
  ptdesc_page,
  type Virt,
} from "./kinds.ts";
import { NULL } from "./words.ts";

const page = 5 as Page;
const constPage: ConstPage = page;
const folio = 5 as Folio;
const constFolio: ConstFolio = folio;
const pt = 5 as Ptdesc;
const constPt: ConstPtdesc = pt;
const virt = 0x2000_5000 as Virt;
const constVirt: ConstVirt = virt;
const mm = 1 as Mm;
const constMm: ConstMm = mm;

Deno.test("a cast keeps the number, and NULL stays NULL", () => {
  const p: Page = ptdesc_page(pt);
  const f: Folio = ptdesc_folio(pt);
  const d: Ptdesc = page_ptdesc(page);
  assert.deepEqual([p, f, d].map(Number), [5, 5, 5]);
  assert.equal(page_ptdesc(NULL as Page), NULL);
});

Deno.test("a cast of const answers const", () => {
  const p: ConstPage = ptdesc_page(constPt);
  const f: ConstFolio = ptdesc_folio(constPt);
  const d: ConstPtdesc = page_ptdesc(constPage);
  assert.deepEqual([p, f, d].map(Number), [5, 5, 5]);
});

Deno.test("what C refuses does not type-check", () => {
  // @ts-expect-error const is not dropped by assignment: page
  const a: Page = constPage;
  // @ts-expect-error const is not dropped by assignment: folio
  const b: Folio = constFolio;
  // @ts-expect-error const is not dropped by assignment: ptdesc
  const c: Ptdesc = constPt;
  // @ts-expect-error const is not dropped by assignment: void *
  const d: Virt = constVirt;
  // @ts-expect-error const is not dropped by assignment: mm
  const e: Mm = constMm;
  // @ts-expect-error const is not dropped by ptdesc_page
  const f: Page = ptdesc_page(constPt);
  // @ts-expect-error const is not dropped by ptdesc_folio
  const g: Folio = ptdesc_folio(constPt);
  // @ts-expect-error const is not dropped by page_ptdesc
  const h: Ptdesc = page_ptdesc(constPage);
  // @ts-expect-error a page is no folio
  const i: Folio = page;
  // @ts-expect-error a page is no descriptor
  const j: Ptdesc = page;
  // @ts-expect-error a folio is no page
  const l: Page = folio;
  // @ts-expect-error a folio is no descriptor
  const m: Ptdesc = folio;
  // @ts-expect-error a descriptor is no page
  const n: Page = pt;
  // @ts-expect-error a descriptor is no folio
  const o: Folio = pt;
  // @ts-expect-error a page is no const folio either
  const q: ConstFolio = page;
  // @ts-expect-error an address is no page
  const r: Page = virt;
  // @ts-expect-error _Generic has no case for a page
  const s = ptdesc_page(page);
  // @ts-expect-error _Generic has no case for a folio
  const t = ptdesc_folio(folio);
  // @ts-expect-error _Generic has no case for a descriptor
  const u = page_ptdesc(pt);
  // @ts-expect-error _Generic has no case for void *
  const v = page_ptdesc(virt);
  // @ts-expect-error a number is no pointer
  const w = page_ptdesc(5);
  assert.equal([a, b, c, d, e, f, g, h, i, j, l, m, n, o, q, r, s, t, u, v, w].length, 21);
});
