import assert from "node:assert/strict";
import { EV_BAD_PAGE, EV_SURPLUS, EV_WARN } from "../memory/events.ts";
import { __GFP_COMP, __GFP_HIGHMEM, __GFP_NOFAIL, __GFP_NOWARN, __GFP_ZERO } from "../memory/gfp.ts";
import { STALE, TABLE_ENTRIES, ZEROED } from "../memory/mem_map.ts";
import {
  NULL,
  PAGE_OFFSET,
  PAGE_SIZE,
  W_COMPOUND_HEAD,
  W_FLAGS,
  W_INDEX,
  W_LRU_PREV,
  W_MAPPING,
  W_MEMCG,
  W_PRIVATE,
  W_REFCOUNT,
  W_TYPE,
} from "../memory/words.ts";
import { C_FLAGS_PREP, C_MAPCOUNT, C_MAPPING, C_MEMCG, C_REFCOUNT, C_WARN_EXACT, C_WARN_ORDER } from "./checks.ts";
import { KERNEL_BASES } from "./names.ts";
import { draw, events, freeLists, machine, nrFree, outcome, poke, refs, word } from "./testing.ts";

const DEBUG = ["DEBUG_VM"];

for (const base of KERNEL_BASES) {
  Deno.test(`${base}: __GFP_COMP makes head and tails, and only page 0 has a reference`, () => {
    const k = machine(base);
    const p = k.alloc_pages(k, __GFP_COMP, 3);
    assert.equal(draw(k, p, 8), "HTTTTTTT");
    assert.equal(k.compound_order(k, p), 3);
    assert.equal(k.compound_order(k, p + 1), 0, "a tail page has no order");
    assert.equal(k.compound_head(k, p + 7), p);
    assert.deepEqual([0, 1, 7].map((i) => refs(k, p + i)), [1, 0, 0]);
    assert.deepEqual([0, 1].map((i) => k.PageHead(k, p + i)), [1, 0]);
    assert.deepEqual([0, 1].map((i) => k.PageTail(k, p + i)), [0, 1]);
    assert.deepEqual([0, 1].map((i) => k.PageCompound(k, p + i)), [1, 1]);
  });

  Deno.test(`${base}: without __GFP_COMP nothing links the pages of a block`, () => {
    const k = machine(base);
    const p = k.alloc_pages(k, 0, 2);
    assert.equal(draw(k, p, 4), "1...");
    assert.equal(k.compound_order(k, p), 0);
    assert.equal(k.virt_to_head_page(k, k.page_to_virt(k, p + 2) + 123), p + 2);
  });

  Deno.test(`${base}: order 0 never becomes compound`, () => {
    const k = machine(base);
    assert.equal(draw(k, k.alloc_pages(k, __GFP_COMP, 0), 1), "1");
  });

  Deno.test(`${base}: pages are stale unless __GFP_ZERO was asked for`, () => {
    const k = machine(base);
    const contents = (p: number) => k.mem[k.map.contents + p];
    const a = k.__get_free_pages(k, __GFP_ZERO, 1);
    const p = k.virt_to_page(k, a);
    assert.deepEqual([contents(p), contents(p + 1)], [ZEROED, ZEROED]);
    k.table_init(k, a, 2);
    assert.deepEqual([contents(p), contents(p + 1)], [TABLE_ENTRIES, TABLE_ENTRIES]);
    k.clear_page(k, a + PAGE_SIZE);
    assert.deepEqual([contents(p), contents(p + 1)], [TABLE_ENTRIES, ZEROED], "clear_page clears one page");
    k.free_pages(k, a, 1);
    assert.equal(contents(p), TABLE_ENTRIES, "freeing writes nothing");
    assert.equal(k.alloc_pages(k, 0, 1), p);
    assert.deepEqual([contents(p), contents(p + 1)], [STALE, STALE]);
  });

  Deno.test(`${base}: an order that does not exist is a WARN and NULL`, () => {
    const k = machine(base);
    assert.equal(k.alloc_pages(k, 0, 11), NULL);
    assert.deepEqual(events(k, EV_WARN), [[-1, C_WARN_ORDER, -1]]);
    assert.equal(k.alloc_pages(k, __GFP_NOWARN, 11), NULL);
    assert.equal(events(k, EV_WARN).length, 1, "__GFP_NOWARN keeps it silent");
  });

  Deno.test(`${base}: the failure that was asked for hits one allocation, __GFP_NOFAIL uses it up`, () => {
    const k = machine(base);
    k.failNext = 1;
    assert.equal(k.alloc_pages(k, 0, 11), NULL);
    assert.equal(k.failNext, 1, "an impossible order fails before");
    assert.equal(k.alloc_pages(k, 0, 0), NULL);
    assert.equal(k.alloc_pages(k, 0, 0), 0);
    k.failNext = 1 | 2;
    assert.equal(k.alloc_pages(k, __GFP_NOFAIL, 0), 1);
    assert.equal(k.failNext, 2);
  });

  Deno.test(`${base}: alloc_pages_exact gives a reference a page and the surplus back`, () => {
    const k = machine(base);
    const a = k.alloc_pages_exact(k, 4 * PAGE_SIZE + 1, __GFP_COMP | __GFP_HIGHMEM);
    //   0 1 2 3 4 | 5 [6 7] [8 .. 15]
    assert.equal(a, PAGE_OFFSET);
    assert.equal(draw(k, 0, 7), "11111b0b1");
    assert.equal(freeLists(k), "0:5 1:6 3:8");
    assert.deepEqual(events(k, EV_SURPLUS), [[5, 3, 0]]);
    assert.deepEqual(events(k, EV_WARN), [[-1, C_WARN_EXACT, -1]], "__GFP_COMP is stripped with a WARN");
    k.free_pages_exact(k, a, 4 * PAGE_SIZE + 1);
    assert.equal(freeLists(k), "4:0");
  });

  Deno.test(`${base}: alloc_pages_exact of a power of two has no surplus, of nothing or too much it is NULL`, () => {
    const k = machine(base);
    assert.equal(k.alloc_pages_exact(k, PAGE_SIZE, 0), PAGE_OFFSET);
    assert.equal(k.alloc_pages_exact(k, 2 * PAGE_SIZE, 0), PAGE_OFFSET + 2 * PAGE_SIZE);
    assert.deepEqual(events(k, EV_SURPLUS), []);
    assert.equal(k.alloc_pages_exact(k, 0, 0), NULL);
    assert.equal(k.alloc_pages_exact(k, 1 << 24, 0), NULL);
  });

  Deno.test(`${base}: split_page makes single pages`, () => {
    const k = machine(base, DEBUG);
    const p = k.alloc_pages(k, 0, 2);
    k.split_page(k, p, 2);
    assert.equal(draw(k, p, 4), "1111");
    for (let i = 3; i >= 0; i--) k.__free_pages(k, p + i, 0);
    assert.equal(freeLists(k), "4:0");
  });

  Deno.test(`${base}: split_page of a compound or free block is a BUG with DEBUG_VM only`, () => {
    const k = machine(base, DEBUG);
    const p = k.alloc_pages(k, __GFP_COMP, 1);
    assert.equal(outcome(k, () => k.split_page(k, p, 1)), "split_page: PageCompound(page)");
    k.__free_pages(k, p, 1);
    assert.equal(outcome(k, () => k.split_page(k, p, 1)), "split_page: !page_count(page)");
    const q = k.alloc_pages(k, 0, 1);
    k.split_page(k, q, 1);
    assert.equal(outcome(k, () => k.split_page(k, q, 1)), "set_page_refcounted: page_ref_count(page)");
    assert.match(outcome(k, () => k.split_page(k, 12, 3)), /outside mem_map/);
    const quiet = machine(base);
    const r = quiet.alloc_pages(quiet, __GFP_COMP, 1);
    assert.equal(outcome(quiet, () => quiet.split_page(quiet, r, 1)), "ok");
  });

  for (
    const [w, value, check] of [
      [W_TYPE, 0, C_MAPCOUNT],
      [W_MAPPING, 8, C_MAPPING],
      [W_MAPPING + 1, 8, C_MAPPING],
      [W_REFCOUNT, 1, C_REFCOUNT],
      [W_FLAGS, 1, C_FLAGS_PREP],
      [W_MEMCG, 64, C_MEMCG],
    ] as const
  ) {
    for (const config of [[], DEBUG]) {
      const checked = config.length > 0 || base === "6.1" || base === "v2";
      Deno.test(`${base} ${config}: word ${w} of a free page ${checked ? "makes the next block be taken" : "passes unseen"}`, () => {
        const k = machine(base, config);
        k.alloc_pages(k, 0, 2);
        // [4 5 6 7] is next; page 6 is damaged.
        poke(k, 6, w, value);
        assert.equal(k.alloc_pages(k, 0, 2), checked ? 8 : 4);
        assert.deepEqual(events(k, EV_BAD_PAGE), checked ? [[6, check, -1]] : []);
        assert.equal(nrFree(k), checked ? 4 : 8, "the bad block is lost");
      });
    }
  }
}

Deno.test("6.12 on UML: orders 0 to 2, compound and not, as measured (kernel.md, section 3)", () => {
  const k = machine("6.12", DEBUG);
  const p = k.alloc_pages(k, 0, 2);
  assert.deepEqual([0, 1, 2, 3].map((i) => [k.PageHead(k, p + i), k.PageTail(k, p + i), k.compound_order(k, p + i)]), [
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ]);
  assert.deepEqual([0, 1, 2, 3].map((i) => refs(k, p + i)), [1, 0, 0, 0]);
  const two = k.page_to_virt(k, p + 2);
  assert.equal(k.virt_to_ptdesc(k, two), p + 2);
  assert.equal(k.virt_to_head_page(k, two), p + 2);
  const before = nrFree(k);
  k.pagetable_free(k, k.virt_to_ptdesc(k, k.page_to_virt(k, p)));
  assert.equal(nrFree(k), before + 1, "3 pages are lost");
});

Deno.test("6.1 keeps destructor, order and counts in page 1's words", () => {
  const k = machine("6.1");
  const p = k.alloc_pages(k, __GFP_COMP, 3);
  assert.equal(word(k, p + 1, W_LRU_PREV), 0x0301);
  assert.equal(word(k, p + 1, W_LRU_PREV + 1), -1, "compound_mapcount");
  assert.equal(word(k, p + 1, W_MAPPING), 0, "compound_pincount lies over mapping");
  assert.equal(word(k, p + 1, W_MAPPING + 1), 8, "compound_nr");
  assert.equal(word(k, p + 2, W_MAPPING), 0x400, "TAIL_MAPPING");
});

Deno.test("6.12 keeps the order in page 1's flags and an empty list in page 2", () => {
  const k = machine("6.12");
  const p = k.alloc_pages(k, __GFP_COMP, 3);
  assert.equal(word(k, p + 1, W_FLAGS), 3);
  assert.deepEqual([4, 5, 6, 7].map((w) => word(k, p + 1, w)), [-1, -1, 0, 0]);
  assert.equal(word(k, p + 1, W_INDEX), 8, "_folio_nr_pages");
  const list = ((p + 2) << 6) + 16;
  assert.deepEqual([4, 6].map((w) => word(k, p + 2, w)), [list, list]);
  const q = k.alloc_pages(k, __GFP_COMP, 1);
  assert.equal(word(k, q + 2, W_MAPPING), 0, "order 1 has no page 2");
});

Deno.test("a fresh page 0 has lost whatever lay in compound_head and private", () => {
  const k = machine("6.12");
  poke(k, 0, W_PRIVATE + 1, 7);
  const p = k.alloc_pages(k, 0, 4);
  assert.deepEqual([W_COMPOUND_HEAD, W_COMPOUND_HEAD + 1, W_PRIVATE, W_PRIVATE + 1].map((w) => word(k, p, w)), [
    0,
    0,
    0,
    0,
  ]);
});

Deno.test("with DEBUG_VM a fresh page must be neither tail nor referenced", () => {
  const k = machine("6.12", DEBUG);
  k.alloc_pages(k, 0, 4);
  poke(k, 0, W_COMPOUND_HEAD, 65);
  assert.equal(outcome(k, () => k.prep_new_page(k, 0, 0, 0)), "set_page_refcounted: PageTail(page)");
  poke(k, 0, W_COMPOUND_HEAD, 0);
  assert.equal(outcome(k, () => k.prep_new_page(k, 0, 0, 0)), "set_page_refcounted: page_ref_count(page)");
});

Deno.test("a free list that leads in a circle ends the machine, and not the model", () => {
  const k = machine("6.12", DEBUG, 16, "generic", { __rmqueue_smallest: () => 3 });
  poke(k, 3, W_REFCOUNT, 1);
  assert.match(outcome(k, () => k.alloc_pages(k, 0, 0)), /oops: list pointer/);
});
