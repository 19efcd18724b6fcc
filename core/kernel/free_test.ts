/**
 * Release: B1 and B2, the outcomes of a wrong order (kernel.md, 2.4), and every
 * reason for which a block is set aside.
 *
 * @module
 */
import assert from "node:assert/strict";
import { EV_BAD_PAGE } from "../memory/events.ts";
import { __GFP_COMP } from "../memory/gfp.ts";
import {
  NULL,
  PAGE_OFFSET,
  PAGE_SIZE,
  W_COMPOUND_HEAD,
  W_FLAGS,
  W_LRU_PREV,
  W_MAPPING,
  W_MEMCG,
  W_REFCOUNT,
  W_TYPE,
} from "../memory/words.ts";
import {
  C_COMPOUND_MAPCOUNT,
  C_DEFERRED_LIST,
  C_ENTIRE_MAPCOUNT,
  C_FLAGS_FREE,
  C_LARGE_MAPCOUNT,
  C_MAPCOUNT,
  C_MAPPING,
  C_MEMCG,
  C_NR_PAGES_MAPPED,
  C_PINCOUNT,
  C_REFCOUNT,
  C_TAIL_HEAD,
  C_TAIL_MAPPING,
  C_TAIL_NOT_SET,
} from "./checks.ts";
import type { Kernel } from "./kernel.ts";
import { KERNEL_BASES, type KernelBase, since } from "./names.ts";
import { draw, events, freeLists, machine, nrFree, outcome, poke, refs, word } from "./testing.ts";

const DEBUG = ["DEBUG_VM"];
const CONFIGS: readonly (readonly string[])[] = [[], DEBUG];
const OLD = ["6.1", "v2"];

/** pagetable_free drops a reference, until page tables have none. */
function viaTable(base: KernelBase): ((k: Kernel, p: number) => void)[] {
  return since(base, "frozen") ? [] : [(k, p) => k.pagetable_free(k, p)];
}

for (const base of KERNEL_BASES) {
  for (const config of CONFIGS) {
    Deno.test(`${base} ${config}: __free_pages() returns the tails when page 0 is still held (B1)`, () => {
      const k = machine(base, config);
      const p = k.alloc_pages(k, 0, 3);
      k.get_page(k, p);
      k.__free_pages(k, p, 3);
      //   0  1 [2 3] [4 .. 7]
      assert.equal(draw(k, 0, 8), "1b0b1.b2...");
      k.put_page(k, p);
      assert.equal(freeLists(k), "4:0");
    });

    Deno.test(`${base}-without-B1 ${config}: the tails are lost`, () => {
      const k = machine(`${base}-without-B1`, config);
      const p = k.alloc_pages(k, 0, 3);
      k.get_page(k, p);
      k.__free_pages(k, p, 3);
      assert.equal(draw(k, 0, 8), "1.......");
      k.put_page(k, p);
      assert.equal(freeLists(k), "0:0 3:8");
    });

    Deno.test(`${base} ${config}: a compound block is freed by whoever puts last, in one piece`, () => {
      const k = machine(base, config);
      const p = k.alloc_pages(k, __GFP_COMP, 3);
      k.get_page(k, p + 5);
      assert.equal(refs(k, p), 2, "the reference of a tail is its head's");
      k.__free_pages(k, p, 3);
      assert.equal(nrFree(k), 8);
      k.put_page(k, p + 3);
      assert.equal(freeLists(k), "4:0");
    });

    Deno.test(`${base} ${config}: a put between the put and the head test finds the head sampled before (B2)`, () => {
      const k = machine(base, config);
      const p = k.alloc_pages(k, __GFP_COMP, 3);
      k.get_page(k, p);
      let calls = 0;
      k.armed = 0;
      k.atPoint = () => {
        calls++;
        k.put_page(k, p);
      };
      k.__free_pages(k, p, 3);
      assert.equal(calls, 1);
      assert.equal(k.armed, -1);
      assert.equal(freeLists(k), "4:0");
      assert.equal(nrFree(k), 16);
    });

    Deno.test(`${base}-without-B2 ${config}: the same put frees the tails again`, () => {
      const k = machine(`${base}-without-B2`, config);
      const p = k.alloc_pages(k, __GFP_COMP, 3);
      k.get_page(k, p);
      k.armed = 0;
      k.atPoint = () => k.put_page(k, p);
      const text = outcome(k, () => k.__free_pages(k, p, 3));
      assert.ok(text !== "ok" || nrFree(k) !== 16, "pages 1 to 7 went to the free lists twice");
    });

    // The matrix: allocated, freed with, what becomes of it.
    Deno.test(`${base} ${config}: COMP freed with its order, by pagetable_free and by put_page`, () => {
      for (
        const free of [
          (k: Kernel, p: number) => k.__free_pages(k, p, 2),
          ...viaTable(base),
          (k: Kernel, p: number) => k.put_page(k, p),
          (k: Kernel, p: number) => k.put_page(k, p + 3),
        ]
      ) {
        const k = machine(base, config);
        const p = k.alloc_pages(k, __GFP_COMP, 2);
        free(k, p);
        assert.equal(freeLists(k), "4:0");
        assert.deepEqual(events(k, EV_BAD_PAGE), []);
      }
    });

    Deno.test(`${base} ${config}: COMP freed with a lower order`, () => {
      for (const order of [0, 1]) {
        const k = machine(base, config);
        const p = k.alloc_pages(k, __GFP_COMP, 2);
        const text = outcome(k, () => k.__free_pages(k, p, order));
        const seen = config.length > 0 && (order > 0 || since(base, "6.12"));
        assert.equal(text, seen ? "free_pages_prepare: compound && compound_order(page) != order" : "ok");
        if (!seen) {
          assert.equal(word(k, p, W_FLAGS) & k.pgHead, 0, "the head flag is cleared");
          assert.equal(k.PageTail(k, p + 3), 1, "the last page is still a tail, of a free page");
          assert.equal(nrFree(k), 12 + (1 << order), "the rest is lost");
        }
      }
    });

    Deno.test(`${base} ${config}: not COMP freed with a lower order, or put: the rest is lost and nobody says so`, () => {
      for (
        const free of [
          (k: Kernel, p: number) => k.__free_pages(k, p, 0),
          ...viaTable(base),
          (k: Kernel, p: number) => k.put_page(k, p),
          (k: Kernel, p: number) => k.free_page_and_swap_cache(k, p),
        ]
      ) {
        const k = machine(base, config);
        const p = k.alloc_pages(k, 0, 2);
        assert.equal(outcome(k, () => free(k, p)), "ok");
        assert.deepEqual(events(k, EV_BAD_PAGE), []);
        assert.equal(nrFree(k), 13);
      }
    });

    Deno.test(`${base} ${config}: not COMP freed with a higher order, neighbour in use`, () => {
      const k = machine(base, config);
      const p = k.alloc_pages(k, 0, 1);
      const q = k.alloc_pages(k, 0, 1);
      assert.deepEqual([p, q], [0, 2]);
      assert.equal(outcome(k, () => k.__free_pages(k, p, 2)), "ok");
      if (config.length > 0 || OLD.includes(base)) {
        assert.deepEqual(events(k, EV_BAD_PAGE), [[q, C_REFCOUNT, p]]);
        assert.equal(nrFree(k), 12, "the block is set aside");
      } else {
        assert.deepEqual(events(k, EV_BAD_PAGE), []);
        assert.equal(nrFree(k), 16, "page 2 has two owners: the free lists and q's");
      }
    });

    Deno.test(`${base} ${config}: not COMP freed with a higher order, neighbour a page without references: unseen`, () => {
      const k = machine(base, config);
      k.alloc_pages(k, 0, 2);
      // The program was given 0..3 and takes 2..3 for a block of its own: its tail 3 has no reference.
      poke(k, 2, W_REFCOUNT, 1);
      assert.equal(outcome(k, () => k.__free_pages(k, 2, 1)), "ok");
      assert.deepEqual(events(k, EV_BAD_PAGE), []);
    });

    Deno.test(`${base} ${config}: COMP freed with a higher order`, () => {
      const k = machine(base, config);
      const p = k.alloc_pages(k, __GFP_COMP, 1);
      const q = k.alloc_pages(k, __GFP_COMP, 1);
      const text = outcome(k, () => k.__free_pages(k, p, 2));
      if (config.length > 0) {
        assert.equal(text, "free_pages_prepare: compound && compound_order(page) != order");
      } else if (OLD.includes(base)) {
        assert.deepEqual(events(k, EV_BAD_PAGE), [[q, C_REFCOUNT, p]]);
      } else {
        assert.deepEqual(events(k, EV_BAD_PAGE), []);
        assert.equal(nrFree(k), 16);
      }
    });

    Deno.test(`${base} ${config}: a misaligned block`, () => {
      const k = machine(base, config);
      k.alloc_pages(k, 0, 4);
      poke(k, 1, W_REFCOUNT, 1);
      const text = outcome(k, () => k.__free_pages(k, 1, 1));
      assert.equal(text, config.length > 0 ? "__free_one_page: pfn & ((1 << order) - 1)" : "ok");
    });

    Deno.test(`${base} ${config}: a free of pages beyond the last one, or of an order that cannot be, is an oops`, () => {
      for (const order of [5, 11, 31, 40]) {
        const k = machine(base, config);
        const p = k.alloc_pages(k, 0, 4);
        assert.match(outcome(k, () => k.__free_pages(k, p, order)), /outside mem_map/);
      }
      const k = machine(base, config);
      assert.match(outcome(k, () => k.__free_pages(k, 16, 0)), /outside mem_map/);
      assert.match(outcome(k, () => k.put_page(k, -5)), /outside mem_map/);
    });

    Deno.test(`${base} ${config}: a second free of a freed block`, () => {
      const k = machine(base, config);
      const p = k.alloc_pages(k, 0, 0);
      k.__free_pages(k, p, 0);
      const text = outcome(k, () => k.__free_pages(k, p, 0));
      assert.equal(text, config.length > 0 ? "put_page_testzero: page_ref_count(page) == 0" : "ok");
      assert.equal(refs(k, p), config.length > 0 ? 0 : -1);
    });

    Deno.test(`${base} ${config}: free_pages of NULL is nothing, of an address outside the linear map it is not`, () => {
      const k = machine(base, [...config, "HIGHMEM"]);
      k.free_pages(k, NULL, 3);
      const outside = PAGE_OFFSET + 16 * PAGE_SIZE;
      const text = outcome(k, () => k.free_pages(k, outside, 0));
      assert.match(text, config.length > 0 ? /^free_pages: !virt_addr_valid/ : /outside mem_map/);
      const high = outcome(k, () => k.free_pages(k, PAGE_OFFSET + 8 * PAGE_SIZE, 0));
      assert.equal(high, config.length > 0 ? "free_pages: !virt_addr_valid((void *)addr)" : "ok");
    });

    // Page 0 of a block, by the word that is wrong.
    for (
      const [what, w, bits, check] of [
        ["a type", W_TYPE, ~0x200, C_MAPCOUNT],
        ["a map count", W_TYPE, 0, C_MAPCOUNT],
        ["a mapping", W_MAPPING, 8, C_MAPPING],
        ["a flag (PG_reserved)", W_FLAGS, 0, C_FLAGS_FREE],
        ["a charge", W_MEMCG, 2, C_MEMCG],
      ] as const
    ) {
      for (const order of [0, 4]) {
        Deno.test(`${base} ${config}: ${what} on page 0 of an order-${order} block`, () => {
          const k = machine(base, config);
          const p = k.alloc_pages(k, 0, order);
          poke(k, p, w, w === W_FLAGS ? k.pgReserved : bits);
          k.__free_pages(k, p, order);
          // 6.1 without DEBUG_VM looks at a per-CPU page after its flags were cleared.
          const late = order === 0 && config.length === 0;
          const seen = config.length > 0 || OLD.includes(base) && !(late && w === W_FLAGS);
          assert.deepEqual(events(k, EV_BAD_PAGE), seen ? [[p, check, p]] : []);
          assert.equal(nrFree(k), seen ? 16 - (1 << order) : 16);
          if (seen && w !== W_TYPE) {
            // 6.1's page_mapcount_reset and 6.12's __ClearPageBuddy leave an untyped page as it was.
            assert.equal(word(k, p, W_TYPE), -1);
          }
          if (seen && w === W_TYPE) assert.equal(word(k, p, W_TYPE), OLD.includes(base) ? -1 : bits);
        });
      }
    }

    Deno.test(`${base} ${config}: a mapping with flags (anonymous) is cleared in silence`, () => {
      const k = machine(base, config);
      const p = k.alloc_pages(k, 0, 0);
      poke(k, p, W_MAPPING, 8 | 1);
      k.__free_pages(k, p, 0);
      assert.deepEqual(events(k, EV_BAD_PAGE), []);
      assert.equal(word(k, p, W_MAPPING), 0);
    });

    Deno.test(`${base} ${config}: the last reason that holds is the one that is named`, () => {
      if (config.length === 0) return;
      const k = machine(base, config);
      const p = k.alloc_pages(k, 0, 0);
      poke(k, p, W_TYPE, 0);
      poke(k, p, W_MAPPING, 8);
      poke(k, p, W_FLAGS, k.pgReserved);
      k.__free_pages(k, p, 0);
      assert.deepEqual(events(k, EV_BAD_PAGE), [[p, C_FLAGS_FREE, p]]);
    });

    Deno.test(`${base} ${config}: a reference on a later page of a block`, () => {
      const k = machine(base, config);
      const p = k.alloc_pages(k, 0, 2);
      poke(k, p + 3, W_REFCOUNT, 1);
      k.__free_pages(k, p, 2);
      const seen = config.length > 0 || OLD.includes(base);
      assert.deepEqual(events(k, EV_BAD_PAGE), seen ? [[p + 3, C_REFCOUNT, p]] : []);
    });
  }
}

/** Frees a compound block of order 3 one word of which was changed, with DEBUG_VM; the reasons by page. */
function tails(base: string, page: number, w: number, value: number): number[][] {
  const k = machine(base, DEBUG);
  const p = k.alloc_pages(k, __GFP_COMP, 3);
  poke(k, p + page, w, value);
  assert.equal(outcome(k, () => k.__free_pages(k, p, 3)), "ok");
  const found = events(k, EV_BAD_PAGE);
  assert.equal(nrFree(k), found.length > 0 ? 8 : 16, "a block with a bad page is set aside");
  if (found.length > 0) assert.equal(k.PageTail(k, p + page), 0, "the tail was taken out of the block all the same");
  return found;
}

Deno.test("6.12: the reasons of tail pages, by page", () => {
  assert.deepEqual(tails("6.12", 1, 5, 0), [[1, C_ENTIRE_MAPCOUNT, 0]]);
  assert.deepEqual(tails("6.12", 1, 4, 0), [[1, C_LARGE_MAPCOUNT, 0]]);
  assert.deepEqual(tails("6.12", 1, 6, 1), [[1, C_NR_PAGES_MAPPED, 0]]);
  assert.deepEqual(tails("6.12", 1, 7, 1), [[1, C_PINCOUNT, 0]]);
  assert.deepEqual(tails("6.12", 2, W_LRU_PREV, 0), [[2, C_DEFERRED_LIST, 0]]);
  assert.deepEqual(tails("6.12", 3, W_MAPPING, 0), [], "hugetlb's words: page 3 is not asked");
  assert.deepEqual(tails("6.12", 4, W_MAPPING, 0), [[4, C_TAIL_MAPPING, 0]]);
  assert.deepEqual(tails("6.12", 5, W_COMPOUND_HEAD, 0), [[5, C_TAIL_NOT_SET, 0]]);
  assert.deepEqual(tails("6.12", 6, W_COMPOUND_HEAD, (3 << 6) | 1), [[6, C_TAIL_HEAD, 0]]);
  assert.deepEqual(tails("6.12", 1, W_COMPOUND_HEAD, 0), [[1, C_TAIL_NOT_SET, 0]]);
});

Deno.test("6.1: the reasons of tail pages, by page", () => {
  assert.deepEqual(tails("6.1", 1, 5, 0), [[1, C_COMPOUND_MAPCOUNT, 0]]);
  assert.deepEqual(tails("6.1", 2, W_MAPPING, 0), [], "page 2's mapping is deferred_list.next");
  assert.deepEqual(tails("6.1", 3, W_MAPPING, 0), [[3, C_TAIL_MAPPING, 0]]);
  assert.deepEqual(tails("6.1", 5, W_COMPOUND_HEAD, 0), [[5, C_TAIL_NOT_SET, 0]]);
  assert.deepEqual(tails("6.1", 6, W_COMPOUND_HEAD, (3 << 6) | 1), [[6, C_TAIL_HEAD, 0]]);
});

Deno.test("6.1: page 1 without its head is a BUG of folio_entire_mapcount before it can be bad", () => {
  const k = machine("6.1", DEBUG);
  const p = k.alloc_pages(k, __GFP_COMP, 3);
  poke(k, p + 1, W_COMPOUND_HEAD, 0);
  assert.equal(outcome(k, () => k.__free_pages(k, p, 3)), "folio_entire_mapcount: !folio_test_large(folio)");
});

Deno.test("a tail page that is put directly is a BUG with DEBUG_VM, and goes to -1 without", () => {
  for (const base of KERNEL_BASES.filter((b) => !since(b, "frozen"))) {
    const k = machine(base, DEBUG);
    const p = k.alloc_pages(k, __GFP_COMP, 1);
    assert.equal(outcome(k, () => k.pagetable_free(k, p + 1)), "put_page_testzero: page_ref_count(page) == 0");
    poke(k, p + 1, W_REFCOUNT, 1);
    assert.equal(outcome(k, () => k.pagetable_free(k, p + 1)), "free_pages_prepare: PageTail(page)");
    const quiet = machine(base);
    const q = quiet.alloc_pages(quiet, __GFP_COMP, 1);
    quiet.pagetable_free(quiet, q + 1);
    assert.equal(refs(quiet, q + 1), -1);
  }
});

Deno.test("an order that no free list has: 6.12 frees pageblocks, the others index past free_area", () => {
  for (const base of KERNEL_BASES) {
    const k = machine(base, [], 4096);
    const p = k.alloc_pages(k, 0, 10);
    poke(k, k.alloc_pages(k, 0, 10), W_REFCOUNT, 0);
    const text = outcome(k, () => k.__free_pages(k, p, 11));
    assert.equal(text, since(base, "6.12") ? "ok" : "__free_one_page: oops: order without a free_area");
    if (since(base, "6.12")) assert.equal(nrFree(k), 4096);
  }
});

Deno.test("6.12 frees an order above a pageblock's in pieces that merge again", () => {
  for (const base of KERNEL_BASES) {
    const k = machine(base, DEBUG, 2048);
    const p = k.alloc_pages(k, __GFP_COMP, 10);
    k.__free_pages(k, p, 10);
    assert.equal(freeLists(k), "10:0,1024");
  }
});

Deno.test("6.19 clears whatever type a freed page has; before, it is a bad page where checks are on", () => {
  for (const base of KERNEL_BASES.filter((b) => since(b, "6.12"))) {
    const k = machine(base, DEBUG);
    const p = k.alloc_pages(k, 0, 0);
    poke(k, p, W_TYPE, 0xf2ff_ffff | 0);
    k.__free_pages(k, p, 0);
    assert.equal(nrFree(k), since(base, "6.19") ? 16 : 15);
    assert.equal(events(k, EV_BAD_PAGE).length, since(base, "6.19") ? 0 : 1);
  }
});

Deno.test("frozen: a page table has no reference, none can be taken, and pagetable_free asks for none", () => {
  for (const config of CONFIGS) {
    const k = machine("frozen", config);
    const p = k.pagetable_alloc(k, 0, 2);
    assert.equal(refs(k, p), 0);
    assert.equal(k.get_page_unless_zero(k, p), 0);
    k.pagetable_free(k, p);
    assert.equal(freeLists(k), "4:0");
    const q = k.alloc_pages(k, 0, 0);
    assert.equal(refs(k, q), 1, "other pages have theirs");
    k.put_page(k, q);
    const t = k.pagetable_alloc(k, 0, 0);
    const text = outcome(k, () => k.__free_pages(k, t, 0));
    assert.equal(text, config.length > 0 ? "put_page_testzero: page_ref_count(page) == 0" : "ok");
    if (config.length === 0) assert.deepEqual([refs(k, t), nrFree(k)], [-1, 15], "below 0, and never free again");
  }
});
