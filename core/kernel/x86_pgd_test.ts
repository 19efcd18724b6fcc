import assert from "node:assert/strict";
import { __GFP_COMP } from "../memory/gfp.ts";
import { LIST_POISON1, LIST_POISON2, LIST_PREV } from "../memory/mem_map.ts";
import { PAGE_SIZE, W_COMPOUND_HEAD, W_INDEX, W_LRU_NEXT, W_LRU_PREV } from "../memory/words.ts";
import type { Kernel } from "./kernel.ts";
import { nodeOf } from "./list.ts";
import { KERNEL_BASES, since } from "./names.ts";
import { freeLists, machine, outcome, poke, word } from "./testing.ts";
import { MM_ADDRESS, MM_SIZE } from "./x86_pgd.ts";

function pgdList(k: Kernel): number[] {
  const pages: number[] = [];
  const head = k.map.pgdList << 2;
  for (let p = k.mem[k.map.pgdList] as number; p !== head; p = k.mem[p >> 2] as number) pages.push(p >> 6);
  return pages;
}

// memdesc has no descriptor for these pages.
for (const base of KERNEL_BASES.filter((b) => !since(b, "memdesc"))) {
  Deno.test(`${base}: pgds are listed newest first and leave with poison`, () => {
    const k = machine(base, ["DEBUG_VM"], 16, "x86");
    const [a, b, c] = [0, 1, 2].map(() => k.__get_free_pages(k, 0, 0)) as [number, number, number];
    for (const pgd of [a, b, c]) k.pgd_list_add(k, pgd);
    assert.deepEqual(pgdList(k), [2, 1, 0]);
    k.pgd_list_del(k, b);
    assert.deepEqual(pgdList(k), [2, 0]);
    assert.deepEqual([word(k, 1, W_LRU_NEXT), word(k, 1, W_LRU_PREV)], [LIST_POISON1, LIST_POISON2]);
    k.pgd_list_del(k, a);
    k.pgd_list_del(k, c);
    assert.equal(k.mem[k.map.pgdList], k.map.pgdList << 2);
    assert.equal(k.mem[k.map.pgdList + LIST_PREV], k.map.pgdList << 2);
    assert.match(outcome(k, () => k.pgd_list_del(k, a)), /oops: list pointer/, "a second list_del meets the poison");
    for (const pgd of [a, b, c]) k.free_pages(k, pgd, 0);
    assert.equal(freeLists(k), "4:0", "the list's words are nobody's business at free");
  });

  Deno.test(`${base}: pgd_set_mm stores a pointer into index`, () => {
    const k = machine(base, [], 16, "x86");
    const pgd = k.__get_free_pages(k, 0, 0);
    k.pgd_set_mm(k, pgd, 2);
    assert.equal(word(k, 0, W_INDEX), MM_ADDRESS + 2 * MM_SIZE);
    assert.equal(word(k, 0, W_INDEX + 1), 0);
  });

  const through = base === "v2" ? "page->lru" : base === "6.1" ? "page->lru" : "pt_list";
  Deno.test(`${base}: a pgd listed by its second page (${through}) is a tail no more, and page 1's counts are gone`, () => {
    const k = machine(base, [], 16, "x86");
    const a = k.__get_free_pages(k, __GFP_COMP, 2);
    poke(k, 1, 3, 5);
    k.pgd_list_add(k, a + PAGE_SIZE);
    assert.equal(k.PageTail(k, 1), 0);
    assert.equal(word(k, 1, W_COMPOUND_HEAD), k.map.pgdList << 2);
    assert.deepEqual([word(k, 1, 3), word(k, 1, 5)], [0, 0], "a pointer is 64 bits wide");
    assert.deepEqual(pgdList(k), [1]);
    const order = k.compound_order(k, 0);
    assert.equal(
      order,
      base === "6.1" || base === "v2" ? (k.map.pgdList << 2) >> 8 & 0xff : 2,
      "6.1 keeps the order there",
    );
  });
}

Deno.test("a page that is on pgd_list and freed is found through the list that it still is on", () => {
  const k = machine("6.12", [], 16, "x86");
  const a = k.__get_free_pages(k, 0, 0);
  k.pgd_list_add(k, a);
  k.free_pages(k, a, 0);
  assert.equal(k.mem[k.map.pgdList], nodeOf(0), "pgd_list leads into the free lists");
});
