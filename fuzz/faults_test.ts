import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { findingsOf } from "../core/program/findings.ts";
import { InputError } from "../core/program/input_error.ts";
import { Machine } from "../core/program/machine.ts";
import { parseProgram } from "../core/program/parse.ts";
import { parseDiscipline } from "../corpus/load_discipline.ts";
import { quiet } from "../corpus/quiet_test_data.ts";
import { type FaultOutcome, runFaultCell } from "./fault_cell.ts";
import { faultName, faultsOf } from "./fault_list.ts";
import { REASONS } from "./fault_reasons.ts";
import { runFaults } from "./faults.ts";

const SMALL = `
name = "small"
kernels = ["6.12"]

[alloc]
run = '''
a = __get_free_pages(GFP_KERNEL|__GFP_ZERO, 1)  # two pages
'''

[use.populate]
run = '''
populate(a)
h = virt_to_page(a)
'''

[free.all]
run = '''
free_pages(a, 1)
'''
`;

function outcomes(text: string, ops = 5000): readonly FaultOutcome[] {
  return runFaultCell({ index: 0, text, file: "small.toml", kernel: "6.12", config: [], seed: 1, ops }).outcomes;
}

function outcomeOf(all: readonly FaultOutcome[], name: string): FaultOutcome {
  const one = all.find((o) => o.name === name);
  assert(one !== undefined, `no fault '${name}' among\n${all.map((o) => o.name).join("\n")}`);
  return one;
}

Deno.test("faultsOf() makes every single-line fault of a small discipline", () => {
  const faults = faultsOf(parseDiscipline(SMALL, "small.toml"), "6.12");
  assertEquals(faults.map(faultName), [
    "alloc:1 without a = __get_free_pages(GFP_KERNEL|__GFP_ZERO, 1) and 3 more",
    "alloc:1 __get_free_pages with __GFP_COMP",
    "alloc:1 __get_free_pages without __GFP_ZERO",
    "alloc:1 __get_free_pages order 1 -> 2",
    "alloc:1 __get_free_pages order 1 -> 0",
    "use.populate:1 without populate(a)",
    "use.populate:1 twice populate(a)",
    "use.populate:2 without h = virt_to_page(a)",
    "use.populate:2 virt_to_page a -> virt_to_page(a)",
    "use.populate:2 virt_to_page a -> virt_to_ptdesc(a)",
    "free.all:1 without free_pages(a, 1)",
    "free.all:1 free_pages order 1 -> 2",
    "free.all:1 free_pages order 1 -> 0",
    "free.all:1 twice free_pages(a, 1)",
    "free.all:1 free_pages -> __free_pages(virt_to_page(a), 1)",
    "free.all:1 free_pages -> __free_page(virt_to_page(a))",
    "free.all:1 free_pages -> free_page(a)",
    "free.all:1 free_pages -> free_pages_exact(virt_to_page(a), 0x2000)",
    "free.all:1 free_pages -> free_pages_exact(virt_to_ptdesc(a), 0x2000)",
    "free.all:1 free_pages -> free_pages_exact(a, 0x2000)",
    "free.all:1 free_pages -> put_page(virt_to_page(a))",
    "free.all:1 free_pages -> free_reserved_page(virt_to_page(a))",
    "free.all:1 free_pages -> pagetable_free(virt_to_ptdesc(a))",
    "free.all:1 free_pages -> free_reserved_ptdesc(virt_to_ptdesc(a))",
  ]);
});

Deno.test("each fault is a discipline as somebody could have written it, of as many lines as the right one", () => {
  const lines = (text: string): number[] => {
    const d = parseDiscipline(text, "fault");
    return [d.alloc, ...d.use, ...d.free].map((p) => p.run.trim().split("\n").length);
  };
  for (const fault of faultsOf(parseDiscipline(SMALL, "small.toml"), "6.12")) {
    assertEquals(lines(fault.text), lines(fault.right), faultName(fault));
    assert(fault.text !== fault.right, faultName(fault));
  }
});

Deno.test("a dropped definition takes the lines that used it along, in every path", () => {
  const text = `
name = "two"
kernels = ["6.12"]
[alloc]
run = '''
d = pagetable_alloc(GFP_PGTABLE_USER, 0)
e = pagetable_alloc(GFP_PGTABLE_USER, 0)
p = ptdesc_page(e)
'''
[fail.first]
after = "e"
run = "pagetable_free(d)"
[free.both]
run = '''
f = page_ptdesc(p)
pagetable_free(f)
pagetable_free(d)
'''
`;
  const faults = faultsOf(parseDiscipline(text, "two.toml"), "6.12");
  const drop = (start: string): string[] =>
    faults.find((f) => f.kind === "drop" && f.line.text.startsWith(start))!.fallen.map((l) => l.text);
  assertEquals(drop("e ="), [
    "e = pagetable_alloc(GFP_PGTABLE_USER, 0)",
    "p = ptdesc_page(e)",
    "f = page_ptdesc(p)",
    "pagetable_free(f)",
  ]);
  assertEquals(drop("f ="), ["f = page_ptdesc(p)", "pagetable_free(f)"]);
  // The path for a failure of what is gone is gone too.
  assert(!faults.find((f) => f.kind === "drop" && f.line.text.startsWith("e ="))!.text.includes("[fail."));
});

Deno.test("a forgotten free, a wrong order and a free repeated are found, what is harmless has its reason", () => {
  const all = outcomes(SMALL);
  const found = (name: string): string => outcomeOf(all, name).hit?.invariants.join(", ") ?? "";
  assertEquals(found("free.all:1 without free_pages(a, 1)"), "page-leak");
  assertEquals(found("free.all:1 free_pages -> free_page(a)"), "order-mismatch, page-leak");
  assertMatch(found("free.all:1 twice free_pages(a, 1)"), /double-free/);
  assertEquals(
    found("alloc:1 __get_free_pages without __GFP_ZERO"),
    "uninitialised-table",
  );
  const reason = (name: string): string => outcomeOf(all, name).reason ?? "";
  assertEquals(reason("use.populate:2 without h = virt_to_page(a)"), "reads-only");
  assertEquals(reason("free.all:1 free_pages -> __free_pages(virt_to_page(a), 1)"), "same-function");
  assertEquals(reason("use.populate:1 twice populate(a)"), "same-again");
  assertEquals(all.filter((o) => o.missed !== undefined), []);
});

Deno.test("what the end of the gather, another reference or nobody makes up for is harmless, for that reason", () => {
  const folio = `
name = "folio"
kernels = ["6.12"]
[alloc]
run = '''
p = alloc_pages(GFP_KERNEL|__GFP_COMP|__GFP_ZERO, 1)
get_page(p)
'''
[use.map]
run = "populate(p)"
[free.zap]
run = '''
g = tlb_gather_mmu(mm0)
unlink(p, 0x200000, zap)
tlb_flush_pte_range(g, 0x200000, 0x2000)
tlb_remove_page(g, p)
tlb_flush_pte_range(g, 0x201000, 0x1000)
tlb_remove_page(g, p+1)
tlb_flush_mmu(g)
tlb_finish_mmu(g)
'''
`;
  const zapped = outcomes(folio);
  assertEquals(outcomeOf(zapped, "free.zap:7 without tlb_flush_mmu(g)").reason, "flushed-at-end");
  assertEquals(outcomeOf(zapped, "free.zap:4 tlb_remove_page -> put_page(p)").reason, "not-the-last");
  assertEquals(outcomeOf(zapped, "free.zap:6 tlb_remove_page p+1 -> p+0").reason, "same-block");
  const forever = `
name = "forever"
kernels = ["6.12"]
forever = true
[alloc]
run = '''
d = pagetable_alloc(GFP_PGTABLE_KERNEL, 0)
pagetable_pud_ctor(d)
'''
`;
  const kept = outcomes(forever);
  assertEquals(outcomeOf(kept, "alloc:2 without pagetable_pud_ctor(d)").reason, "never-ends");
});

Deno.test("a fault whose line never ran is missed, not harmless", () => {
  // One program is too few for every use to have run.
  const missed = outcomes(SMALL, 1).filter((o) => o.missed !== undefined);
  assert(missed.length > 0);
  assertMatch(missed[0]!.missed!, /never ran with success|nothing broke/);
});

Deno.test("a gather that its path does not finish strands what is queued", () => {
  const program = (end: string): string[] => {
    const text = `kernel 6.12\np = alloc_page(GFP_KERNEL)\ng = tlb_gather_mmu(mm0)
tlb_flush_pmd_range(g, 0, 0x1000)\ntlb_remove_page(g, p)\n${end}env owner_gone(p)\n`;
    const parsed = parseProgram(text, "gather.pt");
    const machine = new Machine(parsed);
    machine.run(parsed);
    return findingsOf(machine, parsed.slots).map((f) => `${f.invariant} at ${f.step} (${f.pages})`);
  };
  assertEquals(program(""), ["page-leak at 5 (1)"]);
  assertEquals(program("tlb_finish_mmu(g)\n"), []);
});

Deno.test("a reference that the owner never puts keeps its block for ever", () => {
  const program = (put: string): string[] => {
    const text = `kernel 6.12\np = alloc_pages(GFP_KERNEL|__GFP_COMP, 2)\nget_page(p)\n${put}__free_pages(p, 2)
env owner_gone(p)\n`;
    const parsed = parseProgram(text, "put.pt");
    const machine = new Machine(parsed);
    machine.run(parsed);
    return findingsOf(machine, parsed.slots).map((f) => `${f.invariant} at ${f.step} (${f.pages})`);
  };
  assertEquals(program(""), ["page-leak at 4 (4)"]);
  assertEquals(program("put_page(p)\n"), []);
});

Deno.test("every reason has an id and a sentence of its own", () => {
  assertEquals(new Set(REASONS.map((r) => r.id)).size, REASONS.length);
  assertEquals(new Set(REASONS.map((r) => r.words)).size, REASONS.length);
});

Deno.test("runFaults() prints a table of 80 columns and says whether none was missed", async () => {
  const lines: string[] = [];
  const request = { ops: 5000, seed: 1, kernels: ["6.12"], disciplines: ["arm64/pgd"] };
  assert((await runFaults(request, quiet((line) => lines.push(line)))).ok);
  assertMatch(lines.at(-1)!, /^17 faults, \d+ found(?: \(\d+ with DEBUG_VM\))?, \d+ harmless, 0 missed$/);
  assertEquals(lines.filter((line) => line.length > 80), []);
});

Deno.test("runFaults() refuses what is not clean", async () => {
  const request = { ops: 10, seed: 1, kernels: [], disciplines: ["canary/forgotten-free"] };
  await assertRejects(() => runFaults(request, quiet()), InputError, "no discipline asked for is clean");
});
