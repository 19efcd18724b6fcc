import assert from "node:assert/strict";
import { CHECKS } from "./checks.ts";
import { createKernel, functionsOf } from "./create.ts";
import { __GFP_COMP } from "../memory/gfp.ts";
import { ARCHS, KERNEL_BASES, kernelNames } from "./names.ts";
import { KERNEL_6_12 } from "./versions/6_12.ts";
import { KERNEL_6_6 } from "./versions/6_6.ts";
import { KERNEL_V2 } from "./versions/v2.ts";
import { KERNEL_6_1 } from "./versions/6_1.ts";
import type { KernelFunctions } from "./kernel.ts";
import { freeLists, machine, outcome } from "./testing.ts";

const OPTIONS = { arch: "generic", config: [], pages: 16 } as const;

Deno.test("every kernel that can be named can be made on every architecture, and boots the same memory", () => {
  for (const name of kernelNames()) {
    for (const arch of ARCHS) {
      const k = createKernel(name, { ...OPTIONS, arch });
      assert.equal(freeLists(k), "4:0");
      assert.equal(k.name, name);
    }
  }
});

Deno.test("all kernels have the same fields in the same order", () => {
  const keys = Object.keys(createKernel("6.12", OPTIONS)).join();
  for (const name of kernelNames()) assert.equal(Object.keys(createKernel(name, OPTIONS)).join(), keys);
  assert.equal(Object.keys(createKernel("6.12", OPTIONS, { compound_order: () => 0 })).join(), keys);
});

Deno.test("a kernel has every function of the table of its version", () => {
  for (const name of kernelNames()) {
    const k = createKernel(name, OPTIONS);
    const functions = functionsOf(name);
    assert.deepEqual(Object.keys(functions), Object.keys(KERNEL_6_1));
    for (const f of Object.keys(functions) as (keyof KernelFunctions)[]) {
      assert.equal(k[f], functions[f], `${name} ${f}`);
    }
  }
});

function changed(a: KernelFunctions, b: KernelFunctions): string[] {
  return (Object.keys(a) as (keyof KernelFunctions)[]).filter((f) => a[f] !== b[f]);
}

Deno.test("a version says only what it changes over the one before", () => {
  assert.deepEqual(changed(KERNEL_6_1, KERNEL_V2), [
    "virt_to_ptdesc",
    "pte_fragment_free",
    "pte_frag_destroy",
    "pmd_fragment_free",
    "pmd_frag_destroy",
  ]);
  assert.equal(changed(KERNEL_V2, KERNEL_6_6).length, 19);
  assert.deepEqual(changed(KERNEL_6_6, KERNEL_6_12), [
    "set_pcppage_migratetype",
    "warn_nofail",
    "free_pages_prepare",
    "__free_pages_ok",
    "__tlb_remove_page_size",
    "free_pages_and_swap_cache",
    "__folio_clear_pgtable",
  ]);
  for (const base of KERNEL_BASES) {
    assert.deepEqual(changed(functionsOf(base), functionsOf(`${base}-without-B1`)), ["__free_pages"]);
    assert.deepEqual(changed(functionsOf(base), functionsOf(`${base}-without-B2`)), ["__free_pages"]);
    assert.deepEqual(changed(functionsOf(base), functionsOf(`${base}-with-B3`)), ["__free_pages"]);
    assert.deepEqual(changed(functionsOf(base), functionsOf(`${base}-without-B15`)), [
      "huge_pmd_share",
      "huge_pmd_unshare",
    ]);
  }
  assert.equal(functionsOf("6.12-without-B2-without-B1").__free_pages, functionsOf("6.12-without-B1").__free_pages);
});

Deno.test("a mutant's function is called by the others", () => {
  const k = machine("6.12", [], 16, "generic", { compound_order: () => 0 });
  const d = k.pagetable_alloc(k, 0, 2);
  k.pagetable_free(k, d);
  assert.equal(freeLists(k), "0:0 2:4 3:8");
});

Deno.test("an unknown kernel, architecture, option or number of pages is refused in a sentence", () => {
  assert.throws(() => createKernel("6.13", OPTIONS), /no kernel '6\.13'; there are 6\.1, v2/);
  assert.throws(() => createKernel("6.12-without-B9", OPTIONS), /no kernel/);
  assert.throws(() => functionsOf("5.4"), /no kernel '5\.4'/);
  assert.throws(() => createKernel("6.12", { ...OPTIONS, arch: "vax" }), /no architecture 'vax'; there are generic/);
  assert.throws(() => createKernel("6.12", { ...OPTIONS, arch: "toString" }), /no architecture 'toString'/);
  assert.throws(
    () => createKernel("6.12", { ...OPTIONS, config: ["DEBUG"] }),
    /no configuration option 'DEBUG'; there are DEBUG_VM/,
  );
  for (const pages of [0, 4, 17, 8192, 1.5, NaN]) {
    assert.throws(
      () => createKernel("6.12", { ...OPTIONS, pages }),
      /a machine cannot have .* pages; a power of two from 8 to 4096/,
    );
  }
});

Deno.test("reset brings everything back to the state after boot", () => {
  const k = machine("6.12", ["DEBUG_VM"], 32, "arm64");
  const fresh = k.mem.slice();
  for (let round = 0; round < 2; round++) {
    const p = k.alloc_pages(k, __GFP_COMP, 2);
    const tlb = k.tlb_gather_mmu(k, 1, false);
    k.tlb_adjust_range(k, tlb, 4096, 4096, 2);
    k.tlb_remove_table(k, tlb, k.alloc_pages(k, 0, 0));
    k.tlb_flush_mmu(k, tlb);
    outcome(k, () => k.__free_pages(k, p, 1));
    k.failNext = 7;
    k.armed = 0;
    k.reset();
    assert.deepEqual(k.mem, fresh);
    assert.deepEqual([k.nEvents, k.failNext, k.armed, k.bugCheck, k.bugPage, k.nRcu], [0, 0, -1, -1, -1, 0]);
    assert.ok(k.gathers.every((w) => w === 0));
    assert.ok(k.batches.every((w) => w === 0));
    assert.ok(k.tlbFlushPending.every((w) => w === 0));
  }
});

Deno.test("a kernel that is given up leaves its batches to the next of its size alone, all zeros", () => {
  const k = machine("6.12", [], 32, "arm64");
  const tlb = k.tlb_gather_mmu(k, 1, false);
  k.tlb_remove_table(k, tlb, k.alloc_pages(k, 0, 0));
  assert.ok(k.batches.some((w) => w !== 0), "a batch was in use");
  k.giveUp();
  assert.notEqual(createKernel("6.6", { ...OPTIONS, pages: 64 }).batches, k.batches);
  const next = createKernel("6.6", { ...OPTIONS, pages: 32 });
  assert.equal(next.batches, k.batches);
  assert.equal(next.events, k.events);
  assert.ok(next.batches.every((w) => w === 0));
  assert.notEqual(createKernel("6.6", { ...OPTIONS, pages: 32 }).batches, k.batches, "one has them");
});

Deno.test("a BUG throws the kernel's one object and says which check, of which page", () => {
  const k = machine("6.12", ["DEBUG_VM"]);
  try {
    k.put_page(k, 3);
    assert.fail("no BUG");
  } catch (e) {
    assert.equal(e, k.bug);
    assert.deepEqual([CHECKS[k.bugCheck]?.text, k.bugPage], ["page_ref_count(page) == 0", 3]);
  }
});

Deno.test("every check names its function, its condition and where it was read", () => {
  for (const { fn, text, kind, source } of CHECKS) {
    assert.ok(source.includes(`:${fn}`) && /^(include|mm|arch|kernel)\/[\w/.-]+:/.test(source), source);
    assert.ok(text.length > 0);
    assert.ok(["BUG", "bad_page", "WARN"].includes(kind));
  }
  assert.equal(new Set(CHECKS.map((c) => c.source + c.text)).size, CHECKS.length);
});
