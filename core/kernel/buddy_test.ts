import assert from "node:assert/strict";
import { __GFP_COMP, __GFP_HIGHMEM } from "../memory/gfp.ts";
import { areaWord, LIST_POISON1 } from "../memory/mem_map.ts";
import { MAX_PAGE_ORDER, NULL, W_LRU_NEXT, W_PRIVATE, W_REFCOUNT, W_TYPE } from "../memory/words.ts";
import { nr_free_pages } from "./buddy.ts";
import type { Kernel } from "./kernel.ts";
import { KERNEL_BASES } from "./names.ts";
import { draw, freeLists, machine, nrFree, outcome, poke, word } from "./testing.ts";

for (const base of KERNEL_BASES) {
  Deno.test(`${base}: an allocation splits the smallest block and gives upper halves back`, () => {
    const k = machine(base);
    // 4:[0 ........ 15]
    assert.equal(freeLists(k), "4:0");
    assert.equal(k.alloc_pages(k, 0, 0), 0);
    // 0 [1] [2 3] [4 .. 7] [8 .. 15]
    assert.equal(freeLists(k), "0:1 1:2 2:4 3:8");
    assert.equal(draw(k, 0, 9), "1b0b1.b2...b3");
    assert.equal(k.alloc_pages(k, 0, 1), 2, "the block that fits exactly");
    assert.equal(freeLists(k), "0:1 2:4 3:8");
    assert.equal(nrFree(k), 13);
  });

  Deno.test(`${base}: a free merges with every free buddy up to the whole zone`, () => {
    const k = machine(base);
    const pages = [0, 1, 2, 3].map(() => k.alloc_pages(k, 0, 0));
    assert.deepEqual(pages, [0, 1, 2, 3]);
    k.__free_pages(k, 0, 0);
    k.__free_pages(k, 2, 0);
    assert.equal(freeLists(k), "0:2,0 2:4 3:8", "no buddy is free; the last one freed comes first");
    k.__free_pages(k, 1, 0);
    assert.equal(freeLists(k), "0:2 1:0 2:4 3:8");
    k.__free_pages(k, 3, 0);
    assert.equal(freeLists(k), "4:0");
    assert.equal(nrFree(k), 16);
  });

  Deno.test(`${base}: a placed allocation takes the block where it was placed, once, and leaves the rest free`, () => {
    const k = machine(base);
    k.placeNext = 12;
    assert.equal(k.alloc_pages(k, 0, 1), 12);
    // [0 ........ 7] [8 .. 11] 12 13 [14 15]
    assert.equal(freeLists(k), "1:14 2:8 3:0");
    assert.equal(nrFree(k), 14);
    assert.equal(k.alloc_pages(k, 0, 1), 14, "the next one is where the lists say");
    k.__free_pages(k, 12, 1);
    k.__free_pages(k, 14, 1);
    assert.equal(freeLists(k), "4:0");
  });

  Deno.test(`${base}: a place that is not free, not aligned or outside is left alone`, () => {
    const k = machine(base);
    assert.equal(k.alloc_pages(k, 0, 0), 0);
    for (const place of [0, 3, 16, 1 << 30]) {
      k.placeNext = place;
      assert.equal(k.alloc_pages(k, 0, 1) > 0, true, String(place));
      assert.equal(k.placeNext, -1, "used up");
    }
  });

  Deno.test(`${base}: a block that will soon merge two levels up goes to the tail`, () => {
    const k = machine(base);
    for (let i = 0; i < 16; i++) k.alloc_pages(k, 0, 0);
    k.__free_pages(k, 8, 0);
    k.__free_pages(k, 0, 0);
    assert.equal(freeLists(k), "0:0,8", "to the head where nothing is about to merge");
    // 6 and 7 are free as order 1: page 4's buddy 5 is not, but 4..7 would merge.
    k.__free_pages(k, 6, 0);
    k.__free_pages(k, 7, 0);
    k.__free_pages(k, 4, 0);
    assert.equal(freeLists(k), "0:0,8,4 1:6");
  });

  Deno.test(`${base}: ... of order 1 too, but not where the two levels end at order 11`, () => {
    const k = machine(base);
    for (let i = 0; i < 8; i++) k.alloc_pages(k, 0, 1);
    k.__free_pages(k, 0, 1);
    for (const p of [12, 14, 8]) k.__free_pages(k, p, 1);
    assert.equal(freeLists(k), "1:0,8 2:12");
    const big = machine(base, [], 4096);
    for (let i = 0; i < 8; i++) big.alloc_pages(big, 0, 9);
    for (const p of [2048, 1024, 1536, 0]) big.__free_pages(big, p, 9);
    assert.equal(freeLists(big), "9:0,2048 10:1024");
  });

  Deno.test(`${base}: order 10 is the largest, and an exhausted zone answers NULL`, () => {
    const k = machine(base, [], 2048);
    assert.equal(freeLists(k), "10:0,1024");
    const a = k.alloc_pages(k, __GFP_COMP, MAX_PAGE_ORDER);
    const b = k.alloc_pages(k, 0, MAX_PAGE_ORDER);
    assert.deepEqual([a, b], [0, 1024]);
    assert.equal(k.alloc_pages(k, 0, 0), NULL);
    k.__free_pages(k, b, MAX_PAGE_ORDER);
    k.__free_pages(k, a, MAX_PAGE_ORDER);
    assert.equal(freeLists(k), "10:0,1024");
    assert.equal(nr_free_pages(k), 2048);
  });

  Deno.test(`${base}: merging never crosses zones, and lowmem never takes highmem`, () => {
    const k = machine(base, ["HIGHMEM"], 32);
    assert.equal(freeLists(k, k.lowZone), "4:0");
    assert.equal(freeLists(k, k.highZone), "4:16");
    const high = k.alloc_pages(k, __GFP_HIGHMEM, 4);
    const low = k.alloc_pages(k, __GFP_HIGHMEM, 4);
    assert.deepEqual([high, low], [16, 0], "highmem first, then lowmem");
    assert.equal(k.page_address(k, high), NULL);
    k.__free_pages(k, high, 4);
    assert.equal(k.alloc_pages(k, 0, 0), NULL, "only highmem is left");
    k.__free_pages(k, low, 4);
    assert.equal(freeLists(k, k.lowZone) + " | " + freeLists(k, k.highZone), "4:0 | 4:16");
  });

  Deno.test(`${base}: PageBuddy is a type, private the order; both go when the block is taken`, () => {
    const k = machine(base);
    assert.equal(word(k, 0, W_TYPE), base === "6.1" || base === "v2" ? ~0x80 : 0xf000_0000 | 0);
    assert.equal(word(k, 0, W_PRIVATE), 4);
    k.alloc_pages(k, 0, 4);
    assert.equal(word(k, 0, W_TYPE), -1);
    assert.equal(word(k, 0, W_PRIVATE), 0);
  });

  Deno.test(`${base}: a list pointer that leads nowhere is an oops`, () => {
    const k = machine(base);
    k.alloc_pages(k, 0, 0);
    for (const garbage of [0, 1, LIST_POISON1, 0x7fff_fffc, -4]) {
      k.reset();
      k.alloc_pages(k, 0, 0);
      poke(k, 1, W_LRU_NEXT, garbage);
      assert.match(outcome(k, () => k.alloc_pages(k, 0, 0)), /oops: list pointer/, `pointer ${garbage}`);
    }
  });

  Deno.test(`${base}: an allocation that follows a corrupt pointer into the middle of a page is an oops`, () => {
    const k = machine(base);
    k.mem[areaWord(k.lowZone, 4)] = 64 + 12;
    assert.match(outcome(k, () => k.alloc_pages(k, 0, 0)), /oops: list pointer/);
  });
}

const DEBUG = ["DEBUG_VM"];

Deno.test("with DEBUG_VM a block must be aligned, in its zone, without flags and not buddy", () => {
  const k = machine("6.12", DEBUG);
  k.alloc_pages(k, 0, 4);
  assert.match(outcome(k, () => k.__free_one_page(k, 1, k.lowZone, 1, false)), /pfn & \(\(1 << order\) - 1\)/);
  assert.match(outcome(k, () => k.__free_one_page(k, 0, k.highZone, 1, false)), /bad_range/);
  poke(k, 0, 0, k.pgHead);
  assert.match(outcome(k, () => k.__free_one_page(k, 0, k.lowZone, 1, false)), /PAGE_FLAGS_CHECK_AT_PREP/);
});

Deno.test("with DEBUG_VM a free buddy must have no reference", () => {
  for (const config of [DEBUG, []]) {
    const k = machine("6.12", config);
    k.alloc_pages(k, 0, 0);
    poke(k, 1, W_REFCOUNT, 1);
    const text = outcome(k, () => k.__free_pages(k, 0, 0));
    assert.equal(text, config.length > 0 ? "page_is_buddy: page_count(buddy) != 0" : "ok");
  }
});

Deno.test("with DEBUG_VM a page of another type does not become buddy, and a listed page must be", () => {
  for (const base of ["6.1", "6.12"]) {
    let k = machine(base, DEBUG);
    k.alloc_pages(k, 0, 4);
    poke(k, 0, W_TYPE, 0);
    assert.match(outcome(k, () => k.__free_one_page(k, 0, k.lowZone, 4, false)), /^__SetPageBuddy/);
    k = machine(base, DEBUG);
    poke(k, 0, W_TYPE, base === "6.1" ? -1 : 0xf200_0000 | 0);
    assert.match(outcome(k, () => k.alloc_pages(k, 0, 0)), /^__ClearPageBuddy/);
  }
});

Deno.test("with DEBUG_VM a half outside the zone is found by expand", () => {
  const k: Kernel = machine("6.12", DEBUG);
  assert.match(outcome(k, () => k.expand(k, k.lowZone, 0, 0, 5)), /^expand/);
  const quiet = machine("6.12");
  assert.match(outcome(quiet, () => quiet.expand(quiet, quiet.lowZone, 0, 0, 5)), /outside mem_map/);
});
