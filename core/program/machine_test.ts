import { assert, assertEquals, assertFalse, assertGreater } from "@std/assert";
import fc from "fast-check";
import { invariantById } from "../ledger/invariants.ts";
import { PAGE_OFFSET, PAGE_SHIFT } from "../memory/words.ts";
import { program as arbitraryProgram } from "./arbitrary.ts";
import { CALLS, OP_AT, opOf } from "./calls.ts";
import { findingsOf } from "./findings.ts";
import { Machine } from "./machine.ts";
import { parseProgram } from "./parse.ts";
import { type Program, STEP_WORDS } from "./program.ts";
import * as $records from "../ledger/records.ts";

const { L_ENV_REFS, L_GRANT, L_REFS, L_SHIFT, L_WRITTEN_OFF } = $records;

function parsed(text: string): Program {
  return parseProgram(text.trimStart().startsWith("kernel") ? text.trimStart() : `kernel 6.12\n${text}`, "test.pt");
}

function ran(text: string): { machine: Machine; program: Program; found: string[] } {
  const program = parsed(text);
  const machine = new Machine(program);
  machine.run(program);
  return { machine, program, found: shown(machine, program) };
}

function shown(machine: Machine, program: Program): string[] {
  return findingsOf(machine, program.slots).map((f) =>
    `${f.invariant} at ${f.step}${f.pages === 0 ? "" : ` (${f.pages})`} by ${f.call}`
  );
}

/** Value of a name. */
function valueOf(machine: Machine, program: Program, name: string): number {
  return machine.slots[program.slots.findIndex((s) => s.name === name)]!;
}

Deno.test("a line with a NULL operand is skipped, and is no step", () => {
  const { machine, program, found } = ran(`
p0 = alloc_pages(GFP_KERNEL|__GFP_NOWARN, 11)
a0 = page_to_virt(p0)
clear_page(a0)
p1 = alloc_page(GFP_KERNEL)`);
  assertEquals(machine.steps, 2);
  assertEquals(valueOf(machine, program, "a0"), -1);
  assertEquals([...machine.ran.subarray(0, 4)], [1, 0, 0, 1]);
  assertEquals(found, []);
});

Deno.test("a line whose function takes NULL runs with it", () => {
  const { machine } = ran("free_pages(NULL, 3)\nd0 = page_ptdesc(NULL)");
  assertEquals(machine.steps, 2);
});

Deno.test("an offset counts pages, of a page as of an address", () => {
  const { machine, program } = ran(`
p0 = alloc_pages(GFP_KERNEL, 2)
a0 = page_to_virt(p0+3)
p1 = virt_to_page(a0)
p2 = compound_head(p0+1)
a1 = page_to_virt(p0)
p3 = virt_to_page(a1+2)`);
  const first = valueOf(machine, program, "p0");
  assertEquals(valueOf(machine, program, "a0"), PAGE_OFFSET + ((first + 3) << PAGE_SHIFT));
  assertEquals(valueOf(machine, program, "p1"), first + 3);
  assertEquals(valueOf(machine, program, "p2"), first + 1);
  assertEquals(valueOf(machine, program, "p3"), first + 2);
});

Deno.test("an offset that leaves memory ends the program and runs nothing", () => {
  const { found } = ran("kernel 6.12\npages 16\np0 = alloc_page(GFP_KERNEL)\nn0 = PageHead(p0+700)\n__free_page(p0)");
  assertEquals(found, ["use-after-free at 2 by PageHead"]);
});

Deno.test("an environment step stands at a point inside a function, and happens there", () => {
  const lines = "p0 = alloc_pages(GFP_KERNEL|__GFP_COMP, 2)\nenv get_page_unless_zero(p0)\n";
  const at = "at __free_pages:after_put env put_page(p0)\n__free_pages(p0, 2)";
  assertEquals(ran(`kernel 6.12\n${lines}${at}`).found, []);
  const before = ran(`kernel 6.12-without-B2\n${lines}${at}`).found;
  assertGreater(before.length, 0);
  assert(before.every((f) => f.includes("at 4")), `${before}`);
});

Deno.test("a point that is never reached leaves its step out", () => {
  const { machine, found } = ran(
    "p0 = alloc_page(GFP_KERNEL)\nat __free_pages:after_put env put_page(p0)\nget_page(p0)",
  );
  assertEquals(machine.steps, 2);
  assertEquals(found, []);
});

Deno.test("repeat runs its lines as often as it says, under one number each", () => {
  const { machine, found } = ran(`
repeat 5
p0 = alloc_page(GFP_KERNEL)
__free_page(p0)
end
p1 = alloc_page(GFP_KERNEL)
__free_page(p1)
__free_page(p1)`);
  assertEquals(machine.steps, 13);
  assertEquals(found.map((f) => f.split(" by")[0]), ["bad-reference at 5", "double-free at 5"]);
});

Deno.test("steps are numbered by their place, without 'at' and 'repeat', in one piece or in several", () => {
  const text = `
p0 = alloc_page(GFP_KERNEL)
env get_page_unless_zero(p0)
repeat 3
p1 = alloc_page(GFP_KERNEL)
at __free_pages:after_put env put_page(p0)
__free_page(p1)
end
d0 = page_ptdesc(p0)
__free_page(p0)
__free_page(p0)`;
  // A step that waits for a point has a number too.
  const expected = [
    "family at 6 by page_ptdesc",
    "bad-reference at 8 by __free_page",
    "double-free at 8 by __free_page",
  ];
  const { machine, program, found } = ran(text);
  assertEquals(found, expected);
  const { code } = program;
  const steps = (from: number, to: number): number[] => {
    const numbers: number[] = [];
    for (let pc = from; pc < to; pc += STEP_WORDS) {
      if (code[pc]! >= OP_AT) continue;
      machine.execute(pc, pc + STEP_WORDS);
      numbers.push(machine.ledger.step);
    }
    return numbers;
  };
  machine.load(program);
  assertEquals(steps(0, code.length), [1, 2, 3, 4, 5, 6, 7, 8]);
  // A piece that ends before its 'at' does not spoil the numbers of the next.
  const doubled = parsed(
    "p0 = alloc_page(GFP_KERNEL)\n__free_page(p0)\n__free_page(p0)\n" +
      "at __free_pages:after_put env put_page(p0)\np1 = alloc_page(GFP_KERNEL)",
  );
  const end = doubled.code.length;
  machine.load(doubled);
  machine.execute(0, end - STEP_WORDS);
  machine.ledger.stop = false;
  machine.execute(end - STEP_WORDS, end);
  assertEquals(machine.ledger.step, 5);
});

Deno.test("the drain puts what the environment holds, finishes gathers and runs callbacks", () => {
  const { machine, found } = ran(`
kernel 6.12
arch arm64
p0 = alloc_page(GFP_KERNEL)
env get_page_unless_zero(p0)
env get_page_unless_zero(p0)
__free_page(p0)
g0 = tlb_gather_mmu(mm0)
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
tlb_flush_pmd_range(g0, 0x200000, 0x1000)
tlb_remove_ptdesc(g0, d0)`);
  assertEquals(found, []);
  assertEquals(machine.ledger.freePages, 256);
  assertEquals(machine.ledger.rawFree(), 256);
});

Deno.test("a leak that shows in the drain is laid to the step that gave the grant up", () => {
  assertEquals(
    ran(`
kernel 6.12-without-B1
p0 = alloc_pages(GFP_KERNEL, 1)
env get_page_unless_zero(p0)
__free_pages(p0, 1)
p1 = alloc_page(GFP_KERNEL)
__free_page(p1)`).found,
    ["order-mismatch at 3 by __free_pages", "page-leak at 3 (1) by __free_pages"],
  );
});

Deno.test("findings stand by step, then by name", () => {
  const { found } = ran(`
kernel v2
arch s390
p0 = alloc_pages(GFP_KERNEL, 2)
a0 = page_to_virt(p0)
d0 = virt_to_ptdesc(a0)
ptdesc_free(d0)`);
  assertEquals(found, [
    "family at 3 by virt_to_ptdesc",
    "family at 4 by ptdesc_free",
    "head-misuse at 4 by ptdesc_free",
    "order-mismatch at 4 by ptdesc_free",
    "page-leak at 4 (3) by ptdesc_free",
  ]);
});

Deno.test("a latent finding lets the program go on, any other ends it", () => {
  const goesOn = ran("p0 = alloc_page(GFP_KERNEL)\nd0 = page_ptdesc(p0)\n__free_page(p0)");
  assertEquals(goesOn.machine.steps, 3);
  const ends = ran("p0 = alloc_pages(GFP_KERNEL, 1)\n__free_page(p0)\np1 = alloc_page(GFP_KERNEL)");
  assertEquals(ends.machine.steps, 2);
});

Deno.test("a program goes on after a leak that is expected, and its pages are written off", () => {
  const program = parsed(
    "p0 = alloc_pages(GFP_KERNEL, 1)\nenv owner_gone(p0)\np1 = alloc_page(GFP_KERNEL)\n__free_page(p1)",
  );
  const machine = new Machine(program);
  machine.ledger.expectedLeaks = 1 << invariantById("page-leak")!.index;
  machine.run(program);
  assertEquals(machine.steps, 4);
  assertEquals(shown(machine, program), ["page-leak at 2 (2) by env owner_gone"]);
  machine.ledger.expectedLeaks = 0;
  machine.run(program);
  assertEquals(machine.steps, 2);
});

Deno.test("what comes of a speculative reference on reserved memory is theoretical", () => {
  const { machine, program } = ran(`
a0 = memblock_alloc(1)
p0 = virt_to_page(a0)
env get_page_unless_zero(p0)
free_reserved_page(p0)`);
  const findings = findingsOf(machine, program.slots);
  assertGreater(findings.length, 0);
  for (const f of findings) assertEquals(f.severity, "theoretical");
});

Deno.test("what the kernel says of a page outside of memory, or of a descriptor, is no theory", () => {
  const outside = "d1 = pagetable_alloc(GFP_KERNEL, 0)\np1 = ptdesc_page(d1)\na1 = page_to_virt(p1)\n" +
    "g1 = tlb_gather_mmu(mm1)\npgtable_free_tlb(g1, a1, PUD_INDEX)";
  // The same on page 0 and on page 4.
  const before = [1, 2, 3, 4].map((i) => `d${i + 4} = pagetable_alloc(GFP_KERNEL, 0)\n`).join("");
  const apart = "config HIGHMEM\nd0 = pagetable_alloc(GFP_KERNEL, 0)\na0 = ptdesc_address(d0)\npgd_list_del(a0)";
  for (const text of [`kernel 6.14\n${outside}`, `kernel 6.14\n${before}${outside}`, `kernel memdesc\n${apart}`]) {
    const { machine, program } = ran(text);
    const checks = findingsOf(machine, program.slots).filter((f) => f.invariant === "kernel-check");
    assertEquals(checks.map((f) => f.severity), ["crash"], text);
  }
});

Deno.test("a call is counted as right or as wrong by what the ledger has against it", () => {
  const { machine } = ran("p0 = alloc_page(GFP_KERNEL)\n__free_page(p0)\n__free_page(p0)");
  const op = opOf("__free_page");
  assertEquals([machine.right[op], machine.wrong[op]], [1, 1]);
  assert(machine.misuse);
  assertFalse(ran("p0 = alloc_page(GFP_KERNEL)\n__free_page(p0)").machine.misuse);
});

Deno.test("a value that is no address is seen where an address is taken, whatever its name says", () => {
  const program = parsed("p0 = alloc_page(GFP_KERNEL)\na0 = page_to_virt(p0)\nclear_page(a0)");
  const machine = new Machine({ ...program, overrides: { page_to_virt: (_k, page) => page } });
  machine.run(program);
  assertEquals(shown(machine, program), ["pointer-kind at 3 by clear_page"]);
});

/** All that a run leaves behind. */
function traceOf(machine: Machine, program: Program): unknown {
  return {
    steps: machine.steps,
    misuse: machine.misuse,
    slots: [...machine.slots.subarray(0, program.slots.length)],
    found: findingsOf(machine, program.slots),
    mem: [...machine.kernel.mem],
  };
}

Deno.test("any program runs to its end, on a used machine as on a fresh one", () => {
  fc.assert(
    fc.property(arbitraryProgram({ maxSteps: 40 }), arbitraryProgram({ maxSteps: 40 }), (program, other) => {
      const small = { ...program, pages: 256 };
      const fresh = new Machine(small);
      fresh.run(small);
      const expected = traceOf(fresh, small);
      const used = new Machine(small);
      used.run({
        ...other,
        kernel: small.kernel,
        code: other.kernel === small.kernel ? other.code : small.code,
        slots: other.kernel === small.kernel ? other.slots : small.slots,
      });
      used.run(small);
      assertEquals(traceOf(used, small), expected);
    }),
    { numRuns: 60 },
  );
});

Deno.test("a program without findings leaves memory and ledger of one mind", () => {
  fc.assert(
    fc.property(arbitraryProgram({ maxSteps: 60 }), (arbitrary) => {
      const program = { ...arbitrary, pages: 256 };
      const machine = new Machine(program);
      machine.run(program);
      const l = machine.ledger;
      if (l.nFindings > 0) return;
      assertEquals(l.rawFree(), l.freePages);
      assertEquals(l.rawManaged(), l.managed);
      for (let pfn = 0; pfn < l.nrPages; pfn++) {
        const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
        const refs = g >= 0 ? l.rawRefsOf(g, pfn) : l.pages[(pfn << L_SHIFT) | L_REFS]!;
        if (l.pages[(pfn << L_SHIFT) | L_WRITTEN_OFF] === 0) assertEquals(l.rawRefs(pfn), refs, `page ${pfn}`);
        assertEquals(l.pages[(pfn << L_SHIFT) | L_ENV_REFS], 0);
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("every call of the table stands in some program (that each runs, hostile mode counts)", () => {
  const seen = new Set<number>();
  fc.assert(
    fc.property(arbitraryProgram({ maxSteps: 60 }), (program) => {
      for (let pc = 0; pc < program.code.length; pc += STEP_WORDS) seen.add(program.code[pc]!);
    }),
    { numRuns: 600, seed: 1 },
  );
  assertEquals(CALLS.filter((c) => !seen.has(c.id)).map((c) => c.name), []);
});

Deno.test("a step inside a call leaves the call its operand and offset", () => {
  const program = parseProgram(
    "kernel 6.12\np0 = alloc_page(GFP_KERNEL)\np1 = alloc_pages(GFP_KERNEL, 1)\nsplit_page(p1, 1)\n" +
      "env get_page_unless_zero(p0)\nat __free_pages:after_put env put_page(p0)\n__free_pages(p1+1, 0)\n",
    "point.pt",
  );
  const machine = new Machine(program);
  machine.load(program);
  machine.execute(0, program.code.length);
  const l = machine.ledger;
  assertEquals(program.slots[l.subject]?.name, "p1");
  assertEquals(l.offset & 1023, 1);
});

Deno.test("a latent finding is said once a step, however often a repeat makes it", () => {
  const program = parseProgram(
    "kernel 6.12\nrepeat 100\np0 = alloc_page(GFP_KERNEL)\nd0 = page_ptdesc(p0)\nend\n",
    "repeat.pt",
  );
  const machine = new Machine(program);
  machine.run(program);
  assertEquals(findingsOf(machine, program.slots).map((f) => `${f.invariant} at ${f.step}`), ["family at 2"]);
});
