/**
 * Tables that are freed later: RCU's list goes through their own words.
 *
 * @module
 */
import assert from "node:assert/strict";
import { PAGE_OFFSET, PAGE_SIZE, W_LRU_NEXT, W_LRU_PREV, W_REFCOUNT } from "../memory/words.ts";
import type { Kernel } from "./kernel.ts";
import { pte_free_defer, RCU_CALLBACK, RCU_OTHERS } from "./kernel_pgtable.ts";
import { freeLists, machine, outcome, poke, word } from "./testing.ts";

/** The two pointers of a page's rcu_head. */
function head(k: Kernel, page: number): [number, number] {
  return [word(k, page, W_LRU_NEXT), word(k, page, W_LRU_PREV)];
}

function table(k: Kernel): number {
  const pt = k.pagetable_alloc(k, 0, 0);
  k.pagetable_pte_ctor(k, pt);
  return pt;
}

Deno.test("each rcu_head points to the next one, and a table's batch is one of them", () => {
  const k = machine("6.12", [], 16, "x86");
  const [a, b] = [table(k), table(k)];
  pte_free_defer(k, a);
  assert.deepEqual(head(k, a), [0, RCU_CALLBACK]);
  pte_free_defer(k, b);
  assert.deepEqual(head(k, a), [(b << 6) + (W_LRU_NEXT << 2), RCU_CALLBACK]);
  const tlb = k.tlb_gather_mmu(k, 0, false);
  k.tlb_remove_table(k, tlb, table(k));
  k.tlb_finish_mmu(k, tlb);
  const batch = k.rcuQueue[2] as number;
  assert.deepEqual(head(k, b), [PAGE_OFFSET + batch * PAGE_SIZE, RCU_CALLBACK]);
});

Deno.test("the last one points to whoever waits, and the function is cleared before it is called", () => {
  const k = machine("6.12", [], 16, "x86");
  const page = table(k);
  poke(k, page, W_REFCOUNT, 2);
  pte_free_defer(k, page);
  k.rcu_grace_period(k);
  assert.deepEqual(head(k, page), [RCU_OTHERS, 0], "somebody holds the page: its words stay");
  k.put_page(k, page);
  assert.equal(freeLists(k), "4:0");
});

Deno.test("who stores over an rcu_head has RCU go wrong: a page that is freed too early, one that is queued twice", () => {
  const early = machine("6.12", [], 16, "x86");
  const page = table(early);
  pte_free_defer(early, page);
  early.pagetable_pte_dtor(early, page);
  early.pagetable_free(early, page);
  assert.match(outcome(early, () => early.rcu_grace_period(early)), /rcu_head overwritten/);
  const twice = machine("6.12", [], 16, "x86");
  const pt = table(twice);
  pte_free_defer(twice, pt);
  pte_free_defer(twice, pt);
  assert.deepEqual(head(twice, pt), [(pt << 6) + (W_LRU_NEXT << 2), RCU_CALLBACK], "a ring");
  assert.match(outcome(twice, () => twice.rcu_grace_period(twice)), /rcu_head overwritten/);
});
