import assert from "node:assert/strict";
import { __GFP_ACCOUNT, __GFP_COMP } from "../memory/gfp.ts";
import { Z_CHARGED } from "../memory/mem_map.ts";
import { W_LRU_PREV, W_REFCOUNT } from "../memory/words.ts";
import { W_COMPOUND_NR, W_FOLIO_NR_PAGES } from "./alloc.ts";
import { KERNEL_BASES, since } from "./names.ts";
import { freeLists, machine, outcome, poke, refs } from "./testing.ts";

for (const base of KERNEL_BASES) {
  Deno.test(`${base}: a speculative reference acts on the page given, and fails at 0`, () => {
    const k = machine(base, ["DEBUG_VM"]);
    const p = k.alloc_pages(k, __GFP_COMP, 1);
    assert.equal(k.get_page_unless_zero(k, p), 1);
    assert.equal(k.get_page_unless_zero(k, p + 1), 0, "a tail has no reference of its own");
    assert.deepEqual([refs(k, p), refs(k, p + 1)], [2, 0]);
    k.put_page(k, p + 1);
    k.put_page(k, p);
    assert.equal(freeLists(k), "4:0");
    assert.equal(k.get_page_unless_zero(k, p), 0, "nor has a free page");
  });

  Deno.test(`${base}: get_page of a page without references is a BUG with DEBUG_VM, down to -127`, () => {
    const k = machine(base, ["DEBUG_VM"]);
    const p = k.alloc_pages(k, 0, 0);
    for (const [ref, bug] of [[0, true], [-1, true], [-127, true], [-128, false], [1, false]] as const) {
      poke(k, p, W_REFCOUNT, ref);
      const text = outcome(k, () => k.get_page(k, p));
      assert.equal(text, bug ? "folio_get: folio_ref_zero_or_close_to_overflow(folio)" : "ok", `${ref}`);
    }
    const quiet = machine(base);
    quiet.get_page(quiet, 0);
    assert.equal(refs(quiet, 0), 1);
  });
}

Deno.test("6.1 frees a large folio through the destructor that page 1 names", () => {
  for (
    const [dtor, debug, quiet] of [
      [1, "ok", "ok"],
      [0, "destroy_large_folio: oops: compound page destructor", "destroy_large_folio: oops: compound page destructor"],
      [8, "destroy_large_folio: dtor >= NR_COMPOUND_DTORS", "destroy_large_folio: oops: compound page destructor"],
    ] as const
  ) {
    for (const config of [["DEBUG_VM"], []]) {
      const k = machine("6.1", config);
      const p = k.alloc_pages(k, __GFP_COMP, 1);
      poke(k, p + 1, W_LRU_PREV, 0x0100 | dtor);
      assert.equal(outcome(k, () => k.put_page(k, p)), config.length > 0 ? debug : quiet);
    }
  }
});

for (const base of KERNEL_BASES) {
  Deno.test(`${base}: a folio that is put pays for the pages that it says it has, one that is freed for the order`, () => {
    const k = machine(base, ["MEMCG"]);
    const charged = () => k.mem[k.lowZone + Z_CHARGED];
    const take = () => {
      const p = k.alloc_pages(k, __GFP_COMP | __GFP_ACCOUNT, 1);
      poke(k, p + 1, since(base, "6.6") ? W_FOLIO_NR_PAGES : W_COMPOUND_NR, 5);
      return p;
    };
    k.put_page(k, take());
    assert.equal(charged(), 2 - 5);
    k.__free_pages(k, take(), 1);
    assert.equal(charged(), 2 - 5, "2 and 2");
  });
}
