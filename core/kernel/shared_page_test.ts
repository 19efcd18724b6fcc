import assert from "node:assert/strict";
import { Z_CHARGED } from "../memory/mem_map.ts";
import { findingsOf } from "../program/findings.ts";
import { Machine } from "../program/machine.ts";
import { parseProgram } from "../program/parse.ts";

/** What a program shows, `invariant at step` each. */
function shows(header: string, lines: string): string[] {
  const program = parseProgram(`${header}\n${lines}`, "test.pt");
  const machine = new Machine(program);
  machine.run(program);
  return findingsOf(machine, program.slots).map((f) => `${f.invariant} at ${f.step}`);
}

/** `index` of page 0 of a machine that has run a program. */
function index(header: string, lines: string, name = "a0"): number {
  const program = parseProgram(`${header}\n${lines}`, "test.pt");
  const machine = new Machine(program);
  machine.run(program);
  const slot = program.slots.findIndex((s) => s.name === name);
  const page = machine.kernel.virt_to_page(machine.kernel, machine.slots[slot]!);
  return machine.kernel.mem[page * 16 + 8]!;
}

const POWERPC = "kernel 6.12\narch powerpc";
const M68K = "kernel 6.1\narch m68k";
const SPARC = "kernel 6.12\narch sparc";

const FRAGMENTS = Array.from({ length: 16 }, (_, i) => `a${i} = pte_fragment_alloc(mm0, 0)`).join("\n");

Deno.test("an mm keeps the rest of a page, and its share of the page's count", () => {
  assert.equal(index(POWERPC, "a0 = pte_fragment_alloc(mm0, 0)"), 16);
  assert.equal(index(POWERPC, FRAGMENTS), 16);
  assert.equal(index(POWERPC, `${FRAGMENTS}\na16 = pte_fragment_alloc(mm0, 0)`), 16);
  assert.equal(index(POWERPC, "a0 = pte_fragment_alloc(mm0, 0)\narch_exit_mmap(mm0)"), 1);
  assert.equal(index(POWERPC, "a0 = pmd_fragment_alloc(mm0, 0x200000)"), 4);
});

Deno.test("a page of fragments is freed by whoever puts its last share", () => {
  assert.deepEqual(
    shows(POWERPC, "a0 = pte_fragment_alloc(mm0, 0)\npte_fragment_free(a0, 0)\narch_exit_mmap(mm0)"),
    [],
  );
  assert.deepEqual(
    shows(POWERPC, "a0 = pte_fragment_alloc(mm0, 0)\narch_exit_mmap(mm0)\npte_fragment_free(a0, 0)"),
    [],
  );
  assert.deepEqual(
    shows(POWERPC, `${FRAGMENTS}\n${FRAGMENTS.replace(/a(\d+) = .*/g, "pte_fragment_free(a$1, 0)")}\nfree_page(a0)`),
    ["bad-reference at 33", "double-free at 33"],
  );
});

Deno.test("a fragment is freed once, and not by another's function", () => {
  const two = "a0 = pte_fragment_alloc(mm0, 0)\npte_fragment_free(a0, 0)\npte_fragment_free(a0, 0)";
  assert.deepEqual(shows(POWERPC, two), ["double-free at 3"]);
  assert.deepEqual(shows(POWERPC, "a0 = pte_fragment_alloc(mm0, 0)\nfree_page(a0)"), [
    "constructor at 2",
    "family at 2",
    "page-type at 2",
    "shared-page at 2",
  ]);
  assert.deepEqual(shows(POWERPC, "a0 = pmd_fragment_alloc(mm0, 0)\npte_fragment_free(a0, 0)"), ["family at 2"]);
  assert.deepEqual(
    shows(POWERPC, "a0 = pte_fragment_alloc(mm0, 0)\npopulate(a0)\npte_fragment_free(a0, 0)\npopulate(a0)"),
    [
      "use-after-free at 4",
    ],
  );
});

Deno.test("a page that was deferred waits for a grace period, and a gather's share for its own before that", () => {
  const deferred = `
a0 = pte_fragment_alloc(mm0, 0)
a1 = pte_fragment_alloc(mm0, 0)
arch_exit_mmap(mm0)
populate(a0)
w0 = env pte_offset_map(a0)
unlink(a0, 0x200000, shared)
flush_tlb_range(mm0, 0x200000, 0x400000)
pte_free_defer(mm0, a0)`;
  const gather =
    "g0 = tlb_gather_mmu(mm0)\ntlb_flush_pmd_range(g0, 0x400000, 0x1000)\npgtable_free_tlb(g0, a1, PTE_INDEX)";
  assert.deepEqual(shows(POWERPC, `${deferred}\npte_fragment_free(a1, 0)`), []);
  assert.deepEqual(shows(POWERPC, `${deferred}\n${gather}\ntlb_finish_mmu(g0)`), []);
  // A grace period ends the walker, and the callback that it runs frees the page.
  assert.deepEqual(shows(POWERPC, `${deferred}\npte_fragment_free(a1, 0)\nenv rcu_grace_period()\nfree_page(a1)`), [
    "bad-reference at 11",
    "double-free at 11",
  ]);
});

Deno.test("a pgtable_t is an address where tables share a page, else a page", () => {
  assert.deepEqual(
    shows(
      "kernel 6.12\narch powerpc",
      "a0 = pte_fragment_alloc(mm0, 0)\np0 = virt_to_page(a0)\npte_free_defer(mm0, p0)",
    ),
    ["pointer-kind at 3"],
  );
  const table = "d0 = pagetable_alloc(GFP_KERNEL, 0)\npagetable_pte_ctor(d0)\na0 = ptdesc_address(d0)";
  assert.deepEqual(shows("kernel 6.12\narch x86", `${table}\npte_free_defer(mm0, a0)`), ["pointer-kind at 4"]);
  assert.deepEqual(shows("kernel 6.12\narch s390", `${table}\npte_free_defer(mm0, a0)`), []);
});

Deno.test("m68k marks the tables of a page that can be given in its index, and frees it with the last", () => {
  assert.equal(index(M68K, "a0 = get_pointer_table(TABLE_PTE)\na1 = get_pointer_table(TABLE_PTE)"), 0xfffc);
  assert.equal(index(M68K, "a0 = get_pointer_table(TABLE_PMD)"), 0xfe);
  const lines =
    "a0 = get_pointer_table(TABLE_PMD)\na1 = get_pointer_table(TABLE_PMD)\nn0 = free_pointer_table(a0, TABLE_PMD)";
  assert.deepEqual(shows(M68K, `${lines}\nn1 = free_pointer_table(a1, TABLE_PMD)`), []);
  assert.deepEqual(shows(M68K, `${lines}\nfree_pointer_table(a0, TABLE_PMD)`), [
    "double-free at 4",
    "kernel-check at 4",
  ]);
});

Deno.test("a full page goes to the end of m68k's list, and one with a table to give to its front", () => {
  const eight = Array.from({ length: 9 }, (_, i) => `a${i} = get_pointer_table(TABLE_PMD)`).join("\n");
  // The ninth begins a new page; a table that comes back is given out before the rest of that.
  const program = parseProgram(
    `${M68K}\n${eight}\nfree_pointer_table(a3, TABLE_PMD)\nb0 = get_pointer_table(TABLE_PMD)`,
    "t.pt",
  );
  const machine = new Machine(program);
  machine.run(program);
  const value = (name: string): number => machine.slots[program.slots.findIndex((s) => s.name === name)]!;
  assert.equal(value("b0"), value("a3"));
  assert.notEqual(value("a8") >> 12, value("a0") >> 12);
});

Deno.test("32-bit sparc's pool has no more than its pages, and constructs a page with the first table of PTEs", () => {
  const all = Array.from({ length: 33 }, (_, i) => `a${i} = srmmu_get_nocache(256, 256)`).join("\n");
  const program = parseProgram(`${SPARC}\n${all}`, "t.pt");
  const machine = new Machine(program);
  machine.run(program);
  assert.equal(machine.slots[program.slots.findIndex((s) => s.name === "a32")], -1);
  assert.deepEqual(findingsOf(machine, program.slots), []);
  assert.deepEqual(shows(SPARC, "a0 = pte_alloc_one(mm0)\nsrmmu_free_nocache(a0, 256)\npte_free(mm0, a0)"), [
    "double-free at 3",
    "kernel-check at 3",
  ]);
});

Deno.test("a speculative reference on the pool is theoretical", () => {
  const program = parseProgram(
    `${SPARC}\na0 = pte_alloc_one(mm0)\nenv get_page_unless_zero(a0)\npte_free(mm0, a0)`,
    "t.pt",
  );
  const machine = new Machine(program);
  machine.run(program);
  assert.deepEqual([...new Set(findingsOf(machine, program.slots).map((f) => f.severity))], ["theoretical"]);
});

Deno.test("a slab's page leaves with its last object, by kmem_cache_free and by nothing else", () => {
  const two = "a0 = kmem_cache_alloc(pmd_cache, GFP_KERNEL)\na1 = kmem_cache_alloc(pmd_cache, GFP_KERNEL)";
  assert.deepEqual(shows("kernel 6.12", `${two}\nkmem_cache_free(pmd_cache, a0)\nkmem_cache_free(pmd_cache, a1)`), []);
  assert.deepEqual(shows("kernel 6.12", `${two}\nkmem_cache_free(pgd_cache, a1)`), ["kernel-check at 3"]);
  assert.deepEqual(shows("kernel 6.12", `${two}\nd0 = virt_to_ptdesc(a0)`), ["family at 3"]);
  assert.deepEqual(shows("kernel 6.12", `${two}\nd0 = virt_to_ptdesc(a0)\npagetable_free(d0)`), [
    "family at 3",
    "family at 4",
    "shared-page at 4",
  ]);
});

Deno.test("the first fragment of a page fails without a lock or a charge, and leaves nothing; the others need neither", () => {
  const header = `${POWERPC}\nconfig ALLOC_SPLIT_PTLOCKS MEMCG`;
  for (const what of ["alloc_pages", "ptlock_alloc", "__memcg_kmem_charge_page"]) {
    const lines = `env fail ${what}\na0 = pte_fragment_alloc(mm0, 0)\nb0 = pmd_fragment_alloc(mm0, 0)`;
    const program = parseProgram(`${header}\n${lines}`, "t.pt");
    const machine = new Machine(program);
    const free = machine.ledger.rawFree();
    machine.run(program);
    assert.equal(machine.slots[3], -1, what);
    assert.ok(machine.slots[4]! > 0, what);
    assert.deepEqual(findingsOf(machine, program.slots), []);
    assert.equal(machine.ledger.rawFree(), free - 1);
    assert.equal(machine.kernel.mem[machine.kernel.map.zones + Z_CHARGED], 1);
  }
  const second = "a0 = pte_fragment_alloc(mm0, 0)\nenv fail ptlock_alloc\na1 = pte_fragment_alloc(mm0, 0)";
  const program = parseProgram(`${header}\n${second}`, "t.pt");
  const machine = new Machine(program);
  machine.run(program);
  assert.ok(machine.slots[4]! > machine.slots[3]!);
});

Deno.test("a page of the pool is nobody's to free", () => {
  const lines = "a0 = srmmu_get_nocache(256, 256)\np0 = virt_to_page(a0)\nfree_reserved_page(p0)";
  assert.deepEqual(shows(SPARC, lines), ["family at 3", "shared-page at 3"]);
});
