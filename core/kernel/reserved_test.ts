import assert from "node:assert/strict";
import { EV_BAD_PAGE } from "../memory/events.ts";
import { __GFP_COMP } from "../memory/gfp.ts";
import { Z_MANAGED, ZEROED } from "../memory/mem_map.ts";
import { NULL, PAGE_OFFSET, PAGE_SIZE, W_FLAGS } from "../memory/words.ts";
import { KERNEL_BASES, since } from "./names.ts";
import type { Kernel } from "./kernel.ts";
import { draw, events, freeLists, machine, nrFree, outcome, refs, word } from "./testing.ts";

const DEBUG = ["DEBUG_VM"];
const managed = (k: Kernel) => k.mem[k.lowZone + Z_MANAGED];

for (const base of KERNEL_BASES) {
  Deno.test(`${base}: memblock_alloc leaves reserved, zeroed pages outside managed_pages`, () => {
    const k = machine(base, DEBUG);
    const a = k.memblock_alloc(k, 3);
    //  R R R [3] [4 .. 7] [8 .. 15]
    assert.equal(a, PAGE_OFFSET);
    assert.equal(draw(k, 0, 5), "RRRb0b2");
    assert.equal(freeLists(k), "0:3 2:4 3:8");
    assert.deepEqual([0, 1, 2].map((p) => refs(k, p)), [1, 1, 1]);
    assert.deepEqual([0, 1, 2].map((p) => k.mem[k.map.contents + p]), [ZEROED, ZEROED, ZEROED]);
    assert.equal(managed(k), 13);
    if (!since(base, "memdesc")) assert.equal(k.pagetable_is_reserved(k, k.virt_to_ptdesc(k, a)), 1);
    else assert.match(outcome(k, () => k.virt_to_ptdesc(k, a)), /^page_ptdesc/, "boot memory has no descriptor");
  });

  Deno.test(`${base}: memblock_alloc of one page, of all, of too many and of none`, () => {
    const k = machine(base, DEBUG);
    assert.equal(k.memblock_alloc(k, 1), PAGE_OFFSET);
    assert.equal(k.memblock_alloc(k, 16), NULL);
    assert.equal(k.memblock_alloc(k, 0), NULL);
    assert.equal(k.memblock_alloc(k, 1025), NULL);
    assert.equal(managed(k), 15);
    const whole = machine(base, DEBUG);
    assert.equal(whole.memblock_alloc(whole, 16), PAGE_OFFSET);
    assert.equal(nrFree(whole), 0);
  });

  Deno.test(`${base}: reserved pages go back one by one, and are managed again`, () => {
    const k = machine(base, DEBUG);
    k.memblock_alloc(k, 3);
    for (const p of [1, 0, 2]) k.free_reserved_page(k, p);
    assert.equal(freeLists(k), "4:0");
    assert.equal(managed(k), 16);
    assert.deepEqual(events(k, EV_BAD_PAGE), []);
  });

  Deno.test(`${base}: free_reserved_ptdesc frees one page of a table`, () => {
    if (since(base, "memdesc")) return;
    const k = machine(base, DEBUG);
    const a = k.memblock_alloc(k, 4);
    k.free_reserved_ptdesc(k, k.virt_to_ptdesc(k, a));
    assert.equal(draw(k, 0, 4), "b0RRR");
    assert.equal(managed(k), 13);
  });

  Deno.test(`${base}: free_reserved_page throws other references away`, () => {
    const k = machine(base, DEBUG);
    k.memblock_alloc(k, 1);
    k.get_page(k, 0);
    k.free_reserved_page(k, 0);
    assert.equal(refs(k, 0), 0);
    assert.equal(freeLists(k), "4:0");
  });

  Deno.test(`${base}: mark_page_reserved sets the flag and takes the page out of managed_pages`, () => {
    const k = machine(base);
    const p = k.alloc_pages(k, 0, 0);
    k.mark_page_reserved(k, p);
    assert.equal(word(k, p, W_FLAGS), k.pgReserved);
    assert.equal(managed(k), 15);
    assert.equal(k.folio_test_reserved(k, p), 1);
  });

  Deno.test(`${base}: PG_reserved in a compound block, or asked of a tail, is a BUG with DEBUG_VM only`, () => {
    const k = machine(base, DEBUG);
    const p = k.alloc_pages(k, __GFP_COMP, 1);
    assert.match(outcome(k, () => k.mark_page_reserved(k, p)), /^SetPageReserved/);
    assert.match(outcome(k, () => k.free_reserved_page(k, p + 1)), /^SetPageReserved/);
    if (since(base, "memdesc")) return;
    assert.equal(outcome(k, () => k.pagetable_is_reserved(k, p + 1)), "folio_flags: PageTail(page)");
    const quiet = machine(base);
    const q = quiet.alloc_pages(quiet, __GFP_COMP, 1);
    assert.equal(outcome(quiet, () => quiet.mark_page_reserved(quiet, q + 1)), "ok");
    assert.equal(quiet.pagetable_is_reserved(quiet, q + 1), 1);
  });

  Deno.test(`${base}: a highmem page is counted in its own zone`, () => {
    const k = machine(base, ["HIGHMEM"], 32);
    k.mark_page_reserved(k, 20);
    assert.deepEqual([managed(k), k.mem[k.highZone + Z_MANAGED]], [16, 15]);
    assert.match(outcome(k, () => k.clear_page(k, PAGE_OFFSET + 20 * PAGE_SIZE)), /outside the linear map/);
  });
}
