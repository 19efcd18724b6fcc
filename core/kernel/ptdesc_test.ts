import assert from "node:assert/strict";
import { __GFP_COMP, __GFP_HIGHMEM } from "../memory/gfp.ts";
import { TABLE_ENTRIES, ZEROED } from "../memory/mem_map.ts";
import { NULL, PAGE_OFFSET, PAGE_SIZE } from "../memory/words.ts";
import { draw, freeLists, machine, nrFree, outcome, refs } from "./testing.ts";

for (const base of ["v2", "6.6", "6.12"] as const) {
  Deno.test(`${base}: a table is allocated compound, and pagetable_free gives all of it back`, () => {
    for (const order of [0, 1, 2, 4]) {
      const k = machine(base, ["DEBUG_VM"]);
      const d = k.pagetable_alloc(k, 0, order);
      assert.equal(k.compound_order(k, k.ptdesc_page(k, d)), order);
      assert.equal(k.ptdesc_to_virt(k, d), PAGE_OFFSET);
      assert.equal(k.ptdesc_address(k, d), PAGE_OFFSET);
      k.pagetable_free(k, d);
      assert.equal(freeLists(k), "4:0");
    }
  });

  Deno.test(`${base}: NULL passes through the casts of a failed allocation`, () => {
    const k = machine(base);
    k.failNext = 1;
    assert.equal(k.pagetable_alloc(k, 0, 0), NULL);
    assert.deepEqual([k.page_ptdesc(k, NULL), k.ptdesc_page(k, NULL), k.ptdesc_folio(k, NULL)], [NULL, NULL, NULL]);
  });

  Deno.test(`${base}: virt_to_ptdesc inside a compound table ${base === "v2" ? "answers the head" : "answers a tail"}`, () => {
    const k = machine(base);
    const d = k.pagetable_alloc(k, 0, 2);
    const inside = k.ptdesc_address(k, d) + 2 * PAGE_SIZE + 8;
    assert.equal(k.virt_to_ptdesc(k, inside), base === "v2" ? d : d + 2);
  });

  Deno.test(`${base}: virt_to_ptdesc inside a block that is not compound is a descriptor of nothing`, () => {
    const k = machine(base);
    const a = k.__get_free_pages(k, 0, 2);
    assert.equal(k.virt_to_ptdesc(k, a + PAGE_SIZE), 1);
    k.pagetable_free(k, k.virt_to_ptdesc(k, a));
    assert.equal(draw(k, 0, 4), "b0...");
    assert.equal(nrFree(k), 13, "3 pages are lost");
    assert.equal(refs(k, 1), 0);
  });

  Deno.test(`${base}: a table of highmem has no address`, () => {
    const k = machine(base, ["HIGHMEM"]);
    assert.equal(k.ptdesc_address(k, k.pagetable_alloc(k, __GFP_HIGHMEM, 0)), NULL);
    assert.equal(k.page_address(k, k.alloc_pages(k, __GFP_COMP, 0)), PAGE_OFFSET);
  });
}

Deno.test("v2: ptdesc_clear clears one page, whatever the order", () => {
  const k = machine("v2");
  const a = k.ptdesc_address(k, k.pagetable_alloc(k, 0, 1));
  k.table_init(k, a, 2);
  k.ptdesc_clear(k, a);
  assert.deepEqual([0, 1].map((p) => k.mem[k.map.contents + p]), [ZEROED, TABLE_ENTRIES]);
});

Deno.test("contents are those of the linear map: any other address is an oops", () => {
  const k = machine("6.12");
  for (
    const call of [
      () => k.clear_page(k, 5),
      () => k.table_init(k, PAGE_OFFSET + 15 * PAGE_SIZE, 2),
      () => k.populate(k, PAGE_OFFSET + 16 * PAGE_SIZE),
    ]
  ) assert.match(outcome(k, call), /outside the linear map/);
  assert.equal(outcome(k, () => k.table_init(k, PAGE_OFFSET + 14 * PAGE_SIZE, 2)), "ok");
  assert.equal(outcome(k, () => k.populate(k, PAGE_OFFSET + 16 * PAGE_SIZE - 1)), "ok");
});

Deno.test("virt_to_page is arithmetic; virt_to_head_page looks, and oopses where nothing is", () => {
  const k = machine("6.12");
  assert.equal(outcome(k, () => k.virt_to_page(k, 5)), "ok");
  assert.match(outcome(k, () => k.virt_to_head_page(k, 5)), /outside mem_map/);
});
