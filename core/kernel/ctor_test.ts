import assert from "node:assert/strict";
import { LOCK_FREED, LOCK_LIVE, Z_CHARGED, Z_PAGETABLE } from "../memory/mem_map.ts";
import { __GFP_ACCOUNT } from "../memory/gfp.ts";
import { NULL, PAGE_OFFSET, PAGE_WORDS_SHIFT, W_INDEX, W_MEMCG, W_PRIVATE, W_TYPE } from "../memory/words.ts";
import { C_CLEAR_TABLE, C_FLAGS_TAIL, C_OOPS_LOCK, C_PMD_HUGE_PTE, C_PTL_USED, CHECKS } from "./checks.ts";
import type { Kernel } from "./kernel.ts";
import { machine } from "./testing.ts";

const word = (k: Kernel, page: number, w: number): number => k.mem[(page << PAGE_WORDS_SHIFT) + w]!;
const pagetables = (k: Kernel): number => k.mem[k.lowZone + Z_PAGETABLE]!;
const charges = (k: Kernel): number => k.mem[k.lowZone + Z_CHARGED]!;

function bugs(k: Kernel, check: number, run: () => void): void {
  assert.throws(run, (error) => error === k.bug);
  assert.equal(CHECKS[k.bugCheck]?.text, CHECKS[check]?.text);
}

Deno.test("a table's type is the top byte of its word in 6.12, and a bit that is cleared in 6.1", () => {
  const now = machine("6.12");
  const d = now.pagetable_alloc(now, 0, 0);
  assert.equal(now.pagetable_pte_ctor(now, d), 1);
  assert.equal(word(now, d, W_TYPE) >>> 0, 0xf2000000);
  now.pagetable_pte_dtor(now, d);
  assert.equal(word(now, d, W_TYPE), -1);
  const before = machine("6.1");
  const p = before.alloc_pages(before, 0, 0);
  before.pagetable_pte_ctor(before, p);
  assert.equal(word(before, p, W_TYPE), ~0x200);
  before.pagetable_pte_dtor(before, p);
  assert.equal(word(before, p, W_TYPE), -1);
});

Deno.test("NR_PAGETABLE counts a compound table's pages since 6.6, and tables before", () => {
  const now = machine("6.12");
  const d = now.pagetable_alloc(now, 0, 2);
  now.pagetable_pud_ctor(now, d);
  assert.equal(pagetables(now), 4);
  const p = now.alloc_pages(now, 0, 2);
  now.pagetable_pud_ctor(now, p);
  assert.equal(pagetables(now), 5, "a block that is not compound is one");
  now.pagetable_pud_dtor(now, d);
  assert.equal(pagetables(now), 1);
  const before = machine("6.1");
  const q = before.alloc_pages(before, 4, 2);
  before.pagetable_pmd_ctor(before, q);
  assert.equal(pagetables(before), 1);
});

Deno.test("a destructor without a constructor is silent in 6.12, and a BUG where a type is a bit", () => {
  const now = machine("6.12", ["DEBUG_VM"]);
  const d = now.pagetable_alloc(now, 0, 0);
  now.pagetable_pte_dtor(now, d);
  assert.equal(pagetables(now), -1);
  for (const name of ["6.1", "6.6"]) {
    const k = machine(name, ["DEBUG_VM"]);
    const p = k.alloc_pages(k, 0, 0);
    bugs(k, C_CLEAR_TABLE, () => k.pagetable_pte_dtor(k, p));
  }
});

Deno.test("the constructor of a tail page is a BUG where the folio's flags are asked for", () => {
  const k = machine("6.12", ["DEBUG_VM"]);
  const d = k.pagetable_alloc(k, 0, 1);
  bugs(k, C_FLAGS_TAIL, () => k.pagetable_pte_ctor(k, d + 1));
});

Deno.test("a lock comes from the slab and goes back to it; one that cannot be had leaves the table as it was", () => {
  const k = machine("6.12", ["ALLOC_SPLIT_PTLOCKS"], 16, "x86");
  const d = k.pagetable_alloc(k, 0, 0);
  k.failNext |= 1 << 3;
  assert.equal(k.pagetable_pmd_ctor(k, d), 0);
  assert.equal(word(k, d, W_TYPE), -1);
  assert.equal(pagetables(k), 0);
  assert.equal(k.pagetable_pmd_ctor(k, d), 1);
  assert.equal(k.locks[0], LOCK_LIVE);
  k.pagetable_pmd_dtor(k, d);
  assert.equal(k.locks[0], LOCK_FREED);
  assert.notEqual(word(k, d, W_PRIVATE), 0, "6.12 leaves ptl as it is");
  bugs(k, C_OOPS_LOCK, () => k.pagetable_pmd_dtor(k, d));
});

Deno.test("ptlock_init finds ptl in use: DEBUG_VM says so", () => {
  const k = machine("6.12", ["ALLOC_SPLIT_PTLOCKS", "DEBUG_VM"], 16, "x86");
  const d = k.pagetable_alloc(k, 0, 0);
  k.pagetable_pte_ctor(k, d);
  bugs(k, C_PTL_USED, () => k.pagetable_pte_ctor(k, d));
});

Deno.test("6.14's ptlock_free takes a table without a lock, and forgets the lock of one that has", () => {
  const k = machine("6.14", ["ALLOC_SPLIT_PTLOCKS"], 16, "x86");
  const d = k.pagetable_alloc(k, 0, 0);
  k.pagetable_pud_ctor(k, d);
  k.pagetable_dtor(k, d);
  k.pagetable_pte_ctor(k, d);
  k.pagetable_dtor(k, d);
  assert.equal(word(k, d, W_PRIVATE), 0);
  assert.equal(pagetables(k), 0);
});

Deno.test("PMDs have no lock of their own where the architecture does not select it", () => {
  const k = machine("6.12", ["ALLOC_SPLIT_PTLOCKS"], 16, "mips");
  const d = k.pagetable_alloc(k, 0, 0);
  k.pagetable_pmd_ctor(k, d);
  assert.equal(k.nLocks, 0);
});

Deno.test("deposits: the newest comes back first, then the oldest; the last leaves pmd_huge_pte NULL", () => {
  for (const config of [["SPLIT_PTLOCKS"], []]) {
    const k = machine("6.12", [...config, "DEBUG_VM"], 16, "x86");
    const pmd = k.pagetable_alloc(k, 0, 0);
    const at = k.page_address(k, pmd);
    k.pagetable_pmd_ctor(k, pmd);
    const [a, b, c] = [0, 0, 0].map(() => k.alloc_pages(k, 0, 0)) as [number, number, number];
    for (const p of [a, b, c]) k.pgtable_trans_huge_deposit(k, 0, at, p);
    const back = [0, 0, 0].map(() => k.pgtable_trans_huge_withdraw(k, 0, at));
    assert.deepEqual(back, [c, a, b]);
    k.pagetable_pmd_dtor(k, pmd);
  }
  const k = machine("6.12", ["SPLIT_PTLOCKS", "DEBUG_VM"], 16, "x86");
  const pmd = k.pagetable_alloc(k, 0, 0);
  k.pagetable_pmd_ctor(k, pmd);
  k.pgtable_trans_huge_deposit(k, 0, k.page_address(k, pmd), k.alloc_pages(k, 0, 0));
  bugs(k, C_PMD_HUGE_PTE, () => k.pagetable_pmd_dtor(k, pmd));
});

Deno.test("huge_pmd_unshare answers NULL as often as the table was shared, then the table", () => {
  const k = machine("6.12", ["SPLIT_PTLOCKS"], 16, "x86");
  const d = k.pagetable_alloc(k, 0, 0);
  const at = k.page_address(k, d);
  k.pagetable_pmd_ctor(k, d);
  k.huge_pmd_share(k, at);
  k.huge_pmd_share(k, at);
  assert.equal(word(k, d, W_INDEX), 2);
  assert.deepEqual([0, 0, 0].map(() => k.huge_pmd_unshare(k, at)), [NULL, NULL, at]);
  const before = machine("6.12-without-B15", ["SPLIT_PTLOCKS"], 16, "x86");
  const e = before.pagetable_alloc(before, 0, 0);
  before.get_page_unless_zero(before, e);
  assert.equal(before.huge_pmd_unshare(before, PAGE_OFFSET + (e << 12)), NULL, "a reference is taken for a sharer");
});

Deno.test("a charge is page 0's until the block is split, and is taken off by the order of the free", () => {
  const k = machine("6.12", ["MEMCG"]);
  const p = k.alloc_pages(k, __GFP_ACCOUNT, 2);
  assert.equal(charges(k), 4);
  assert.deepEqual([0, 1].map((i) => word(k, p + i, W_MEMCG) !== 0), [true, false]);
  k.split_page(k, p, 2);
  assert.ok([0, 1, 2, 3].every((i) => word(k, p + i, W_MEMCG) === word(k, p, W_MEMCG)));
  for (let i = 0; i < 4; i++) k.__free_pages(k, p + i, 0);
  assert.equal(charges(k), 0);
  const q = k.alloc_pages(k, __GFP_ACCOUNT, 2);
  k.__free_pages(k, q, 0);
  assert.equal(charges(k), 3, "three pages and their charge are lost");
});

Deno.test("B3: while page 0 is held, the tails that are freed stay charged; with the repair they do not", () => {
  for (const [name, left] of [["6.12", 3], ["6.1", 3], ["6.12-with-B3", 0]] as const) {
    const k = machine(name, ["MEMCG"]);
    const p = k.alloc_pages(k, __GFP_ACCOUNT, 2);
    k.get_page_unless_zero(k, p);
    k.__free_pages(k, p, 2);
    k.put_page(k, p);
    assert.equal(charges(k), left, name);
  }
});
