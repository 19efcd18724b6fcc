/**
 * Every assertion of the layouts is broken once, as the kernel's compiler would
 * see it broken.
 *
 * @module
 */
import assert from "node:assert/strict";
import { checkLayout, type Field, type Layout } from "./layout.ts";
import { LAYOUT_6_1 } from "./layouts/6_1.ts";
import { LAYOUT_6_12 } from "./layouts/6_12.ts";
import { layoutOf } from "./layouts/mod.ts";
import { LAYOUT_V2 } from "./layouts/v2.ts";

const LAYOUTS = [LAYOUT_6_1, LAYOUT_V2, LAYOUT_6_12];

type Fields = Readonly<Record<string, Field>>;

function moved(fields: Fields, name: string, by = 8): Fields {
  const f = fields[name] as Field;
  return { ...fields, [name]: { ...f, offset: f.offset + by } };
}

function escape(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
}

for (const layout of LAYOUTS) {
  Deno.test(`layout ${layout.name} holds`, () => checkLayout(layout));

  for (const row of layout.folioMatch) {
    const [pg, fl, nr] = row;
    Deno.test(`layout ${layout.name}: FOLIO_MATCH(${pg}, ${fl}) of page ${nr} fails when ${fl} moves`, () => {
      const broken: Layout = { ...layout, folio: moved(layout.folio, fl) };
      assert.throws(() => checkLayout(broken), /FOLIO_MATCH/);
      assert.throws(() => checkLayout({ ...broken, folioMatch: [row] }), escape(`FOLIO_MATCH(${pg}, ${fl})`));
    });
  }

  for (const row of layout.tableMatch) {
    const [pg, pt] = row;
    Deno.test(`layout ${layout.name}: TABLE_MATCH(${pg}, ${pt}) fails when ${pt} moves`, () => {
      const broken: Layout = { ...layout, ptdesc: moved(layout.ptdesc as Fields, pt) };
      assert.throws(() => checkLayout(broken), /TABLE_MATCH/);
      assert.throws(() => checkLayout({ ...broken, tableMatch: [row] }), escape(`TABLE_MATCH(${pg}, ${pt})`));
    });
  }

  if (layout.ptdesc !== null) {
    Deno.test(`layout ${layout.name}: sizeof(struct ptdesc) <= sizeof(struct page) fails with one word more`, () => {
      const ptdesc = { ...layout.ptdesc, more: { offset: 64, size: 8 } };
      assert.throws(() => checkLayout({ ...layout, ptdesc }), /sizeof\(struct ptdesc\) is 72/);
    });
  }

  for (const name of ["flags", "lru", "compound_head", "mapping", "index", "private", "page_type", "_refcount"]) {
    Deno.test(`layout ${layout.name}: words.ts has to agree on ${name}`, () => {
      const page = moved(layout.page, name, name === "flags" ? 8 : -8);
      assert.throws(() => checkLayout({ ...layout, page, folioMatch: [], tableMatch: [] }), escape(`page.${name}`));
    });
  }

  Deno.test(`layout ${layout.name}: the order is read where its field lies`, () => {
    assert.throws(() => checkLayout({ ...layout, orderWord: layout.orderWord + 1 }), /the order is read at word/);
    assert.throws(() => checkLayout({ ...layout, orderShift: layout.orderShift + 8 }), /the order is read at word/);
  });

  Deno.test(`layout ${layout.name}: a field must lie inside its struct, aligned`, () => {
    const page = { ...layout.page, late: { offset: 60, size: 8 } };
    assert.throws(() => checkLayout({ ...layout, page }), /page\.late lies at bytes 60 to 67/);
    const folio = { ...layout.folio, odd: { offset: 130, size: 4 } };
    assert.throws(() => checkLayout({ ...layout, folio }), /folio\.odd of 4 bytes at byte 130 is not aligned/);
  });

  Deno.test(`layout ${layout.name}: an assertion about a field that is not there says so`, () => {
    assert.throws(() => checkLayout({ ...layout, folioMatch: [["flags", "flogs", 0]] }), /no field 'flogs'/);
  });

  Deno.test(`layout ${layout.name}: a page without a type is not buddy`, () => {
    assert.throws(() => checkLayout({ ...layout, buddyValue: -1 & layout.buddyMask }), /buddy/);
  });
}

Deno.test("flag bits are where enum pageflags puts them", () => {
  assert.equal(LAYOUT_6_1.PG_reserved, 1 << 12);
  assert.equal(LAYOUT_6_1.PG_head, 1 << 16);
  assert.equal(LAYOUT_6_12.PG_head, 1 << 6);
  assert.equal(LAYOUT_6_12.PG_reserved, 1 << 13);
  assert.equal(LAYOUT_6_12.flagsSecond, 0xff | 1 << 8 | 1 << 9 | 1 << 16);
  assert.equal(LAYOUT_6_1.checkAtFree & LAYOUT_6_1.PG_head, 0, "a head flag alone is no reason at free");
});

Deno.test("v2's assertions end with ptl, and its descriptor knows no RCU head and no memcg", () => {
  assert.deepEqual(LAYOUT_V2.tableMatch.at(-1), ["ptl", "ptl"]);
  assert.equal(LAYOUT_V2.ptdesc?.["pt_rcu_head"], undefined);
  assert.equal(LAYOUT_V2.ptdesc?.["pt_memcg_data"], undefined);
  assert.equal(LAYOUT_V2.ptdesc?.["_pt_s390_gaddr"]?.offset, LAYOUT_V2.page["mapping"]?.offset);
});

Deno.test("every kernel has a layout, and no other name has", () => {
  assert.equal(layoutOf("6.6"), LAYOUT_6_12);
  assert.equal(layoutOf("6.1"), LAYOUT_6_1);
  assert.throws(() => layoutOf("5.4"), /no layout for kernel '5\.4'; there are 6\.1, v2, 6\.6, 6\.12/);
});
