import assert from "node:assert/strict";
import fc from "fast-check";
import { program as programs } from "../core/program/arbitrary.ts";
import { type Finding, findingsOf } from "../core/program/findings.ts";
import { kindIndex } from "../core/program/kinds.ts";
import { Machine } from "../core/program/machine.ts";
import { parseProgram } from "../core/program/parse.ts";
import { printProgram } from "../core/program/print.ts";
import { type Program, STEP_WORDS } from "../core/program/program.ts";
import { selectDisciplines } from "./cells.ts";
import { DisciplineGenerator } from "./discipline_generator.ts";
import { Random } from "./random.ts";
import { shrinkProgram, type ShrinkTarget, sizeOf } from "./shrink.ts";
import { L_ENV_REFS, L_SHIFT } from "../core/ledger/records.ts";

function parse(...lines: string[]): Program {
  return parseProgram(lines.join("\n"), "test.pt");
}

function findings(program: Program): Finding[] {
  const machine = new Machine(program);
  machine.run(program);
  return findingsOf(machine, program.slots);
}

/** The lines of a program without its claims. */
function linesOf(program: Program): string[] {
  return printProgram({ ...program, claims: [] }).trimEnd().split("\n");
}

/** The lines that are left of a program when it must show all that it shows, or the targets. */
function shrunk(program: Program, targets: readonly ShrinkTarget[] = findings(program)): string[] {
  return linesOf(shrinkProgram(program, targets, { lines: true }));
}

const HALF_CONVERTED = [
  "kernel v2",
  "arch s390",
  "p0 = alloc_pages(GFP_KERNEL, 2)",
  "a0 = page_to_virt(p0)",
  "d0 = virt_to_ptdesc(a0)",
  "ptdesc_free(d0)",
];
const B1 = [
  "kernel 6.12-without-B1",
  "p0 = alloc_pages(GFP_KERNEL, 2)",
  "env get_page_unless_zero(p0)",
  "__free_pages(p0, 2)",
  "env put_page(p0)",
];
const B2 = [
  "kernel 6.12-without-B2",
  "p0 = alloc_pages(GFP_KERNEL|__GFP_COMP, 1)",
  "env get_page_unless_zero(p0)",
  "at __free_pages:after_put env put_page(p0)",
  "__free_pages(p0, 1)",
];
const GATHERED = [
  "kernel 6.12",
  "arch s390",
  "p0 = alloc_pages(GFP_KERNEL, 2)",
  "a0 = page_to_virt(p0)",
  "g0 = tlb_gather_mmu(mm0)",
  "tlb_remove_ptdesc(g0, a0)",
  "tlb_finish_mmu(g0)",
];
const TAIL = ["kernel 6.12", "p0 = alloc_pages(GFP_KERNEL, 1)", "page_ptdesc(p0+1)"];
const MINIMAL = [HALF_CONVERTED, B1, B2, GATHERED, TAIL];

for (const lines of MINIMAL) {
  Deno.test(`the shortest program stays as it is: ${lines.at(-2)}, ${lines.at(-1)}`, () => {
    assert.deepEqual(shrunk(parse(...lines)), lines);
  });
}

Deno.test("a half-converted crst comes out as the four lines that a person writes", () => {
  const program = parse(
    "# Found by chance.",
    "kernel v2",
    "arch s390",
    "config DEBUG_VM",
    "pages 512",
    "stranger = alloc_page(GFP_KERNEL)",
    "table = alloc_pages(GFP_KERNEL|__GFP_ZERO|__GFP_NOWARN, 2)",
    "where = page_to_virt(table)",
    "again = virt_to_page(where)",
    "env get_page_unless_zero(again)",
    "env fail tlb_next_batch",
    "where2 = page_address(again)",
    "PageHead(table)",
    "desc = virt_to_ptdesc(where2)",
    "put_page(stranger)",
    "ptdesc_free(desc)",
    "after = alloc_page(GFP_KERNEL)",
    "env put_page(table)",
    "env rcu_grace_period()",
  );
  const small = shrinkProgram(program, findings(program), { lines: true });
  assert.deepEqual(linesOf(small), HALF_CONVERTED);
  assert.deepEqual(small.claims.map((c) => `${c.invariant} at ${c.step} ${c.pages}`), [
    "family at 3 0",
    "family at 4 0",
    "head-misuse at 4 0",
    "order-mismatch at 4 0",
    "page-leak at 4 3",
  ]);
});

Deno.test("a speculative reference is taken right before the free and put right behind it", () => {
  const program = parse(
    "kernel 6.12-without-B1",
    "p0 = alloc_pages(GFP_KERNEL, 2)",
    "env get_page_unless_zero(p0)",
    "a0 = page_to_virt(p0)",
    "clear_page(a0)",
    "free_pages(a0, 2)",
    "p1 = alloc_page(GFP_KERNEL)",
    "env put_page(p0)",
  );
  assert.deepEqual(shrunk(program), [
    "kernel 6.12-without-B1",
    "p0 = alloc_pages(GFP_KERNEL, 2)",
    "a0 = page_to_virt(p0)",
    "env get_page_unless_zero(p0)",
    "free_pages(a0, 2)",
    "env put_page(p0)",
  ]);
});

Deno.test("a reference that is left to the drain is put, and a gather finished", () => {
  assert.deepEqual(shrunk(parse(...B1.slice(0, -1))), B1);
  assert.deepEqual(shrunk(parse(...GATHERED.slice(0, -1))), GATHERED);
});

Deno.test("a reference is taken by the name of the block that is there now", () => {
  const program = parse(
    "kernel 6.12-without-B1",
    "p0 = alloc_pages(GFP_KERNEL, 2)",
    "__free_pages(p0, 2)",
    "p1 = alloc_pages(GFP_KERNEL, 2)",
    "env get_page_unless_zero(p0)",
    "__free_pages(p1, 2)",
    "env put_page(p0)",
  );
  assert.deepEqual(shrunk(program), B1);
});

Deno.test("the order of a block, of its free and the offsets within it shrink together", () => {
  const program = parse(
    "kernel 6.12",
    "d0 = pagetable_alloc(GFP_PGTABLE_USER, 5)",
    "p0 = ptdesc_page(d0)",
    "d1 = page_ptdesc(p0+17)",
    "pagetable_free(d0)",
  );
  const tailCast = findings(program).filter((f) => f.invariant === "tail-cast");
  assert.deepEqual(shrunk(program, tailCast), [
    "kernel 6.12",
    "d0 = pagetable_alloc(GFP_KERNEL, 1)",
    "p0 = ptdesc_page(d0)",
    "page_ptdesc(p0+1)",
  ]);
  const free = parse("kernel 6.12", "a0 = __get_free_pages(GFP_ATOMIC, 4)", "free_pages(a0, 5)");
  assert.deepEqual(shrunk(free), ["kernel 6.12", "a0 = __get_free_pages(GFP_KERNEL, 0)", "free_pages(a0, 1)"]);
});

Deno.test("a number of pages that a target names keeps the order", () => {
  const program = parse("kernel 6.12", "p0 = alloc_pages(GFP_KERNEL, 3)", "put_page(p0)");
  const leak = findings(program).filter((f) => f.invariant === "page-leak");
  assert.equal(leak[0]?.pages, 7);
  assert.deepEqual(shrunk(program, leak), linesOf(program));
});

Deno.test("a repeat of one time leaves and its line stays", () => {
  const program = parse("kernel 6.12", "p0 = alloc_page(GFP_KERNEL)", "repeat 5 get_page(p0)", "repeat 9 put_page(p0)");
  const small = shrinkProgram(program, findings(program), { lines: true });
  assert.deepEqual(linesOf(small), ["kernel 6.12", "p0 = alloc_page(GFP_KERNEL)", "repeat 2 put_page(p0)"]);
});

Deno.test("a configuration that a target needs stays, another leaves", () => {
  const program = parse(
    "kernel 6.12",
    "config DEBUG_VM PTI",
    "p0 = alloc_page(GFP_KERNEL)",
    "__free_page(p0)",
    "get_page(p0)",
  );
  const check = findings(program).filter((f) => f.invariant === "kernel-check");
  assert.equal(check.length, 1);
  assert.ok(shrunk(program, check).includes("config DEBUG_VM"));
});

Deno.test("an Error says which target does not show", () => {
  assert.throws(
    () => shrunk(parse(...TAIL), [{ invariant: "page-leak", call: "put_page", pages: 3 }]),
    /^Error: the program to shrink does not show page-leak \(3 pages\) by put_page$/,
  );
});

Deno.test("a machine that was lent keeps the leaks that it expects", () => {
  const program = parse(...HALF_CONVERTED);
  const machine = new Machine(program);
  machine.ledger.expectedLeaks = 5;
  const small = shrinkProgram(program, findings(program), { lines: true, machine });
  assert.equal(machine.ledger.expectedLeaks, 5);
  assert.deepEqual(linesOf(small), HALF_CONVERTED);
});

Deno.test("a target behind an expected leak is found, and shown without it", () => {
  const program = parse(
    "kernel 6.12",
    "p0 = alloc_pages(GFP_KERNEL, 2)",
    "put_page(p0)",
    "p1 = alloc_page(GFP_KERNEL)",
    "put_page(p1)",
    "put_page(p1)",
  );
  const target = { invariant: "double-free", call: "put_page", pages: 0 };
  assert.ok(findings(program).every((f) => f.invariant !== "double-free"));
  assert.deepEqual(shrunk(program, [target]), [
    "kernel 6.12",
    "p0 = alloc_page(GFP_KERNEL)",
    "put_page(p0)",
    "put_page(p0)",
  ]);
});

Deno.test("candidates beyond maxRuns are not tried", () => {
  const program = parse("kernel v2", "arch s390", "p1 = alloc_page(GFP_KERNEL)", ...HALF_CONVERTED.slice(2));
  assert.deepEqual(linesOf(shrinkProgram(program, findings(program), { lines: true, maxRuns: 1 })).length, 7);
});

Deno.test("sizeOf() counts lines, and sums orders and offsets", () => {
  assert.deepEqual(sizeOf(parse(...HALF_CONVERTED)), [4, 2]);
  assert.deepEqual(sizeOf(parse(...B2)), [4, 2]);
  assert.deepEqual(sizeOf(parse(...TAIL)), [2, 2]);
  assert.deepEqual(sizeOf(parse("kernel 6.12", "repeat 3 put_page(NULL)")), [2, 0]);
});

// Programs of disciplines.

/** Gives each line its run, in the order of the lines. */
function withRuns(program: Program, runs: readonly number[]): Program {
  const code = program.code.slice();
  runs.forEach((run, i) => code[i * STEP_WORDS + 7] = run);
  return { ...program, code };
}

function shrunkRuns(program: Program, invariant: string): Program {
  const targets = findings(program).filter((f) => f.invariant === invariant);
  assert.notEqual(targets.length, 0);
  return shrinkProgram(program, targets, { lines: false });
}

Deno.test("paths of a discipline stay whole, and other tables' leave", () => {
  const program = parse(
    "kernel 6.12-without-B1",
    "p0 = alloc_pages(GFP_KERNEL, 2)",
    "p1 = alloc_pages(GFP_KERNEL, 2)",
    "a0 = page_to_virt(p0)",
    "clear_page(a0)",
    "a1 = page_to_virt(p1)",
    "env get_page_unless_zero(a1)",
    "env fail tlb_next_batch",
    "__free_pages(p0, 2)",
    "env owner_gone(p0)",
    "clear_page(a1)",
    "__free_pages(p1, 2)",
    "env owner_gone(p1)",
    "env put_page(a1)",
  );
  const small = shrunkRuns(withRuns(program, [1, 2, 1, 1, 2, 0, 0, 3, 0, 2, 4, 0, 0]), "page-leak");
  assert.deepEqual(linesOf(small), [
    "kernel 6.12-without-B1",
    "p0 = alloc_pages(GFP_KERNEL, 2)",
    "a0 = page_to_virt(p0)",
    "clear_page(a0)",
    "env get_page_unless_zero(p0)",
    "__free_pages(p0, 2)",
    "env put_page(p0)",
  ]);
});

Deno.test("an owner is not gone without the path that it ran", () => {
  const program = parse(
    "kernel 6.12",
    "p0 = alloc_page(GFP_KERNEL)",
    "a0 = page_to_virt(p0)",
    "clear_page(a0)",
    "env owner_gone(p0)",
  );
  assert.deepEqual(linesOf(shrunkRuns(withRuns(program, [1, 2, 2, 0]), "page-leak")), linesOf(program));
});

Deno.test("an error path does not stay without the failure that it is for", () => {
  const program = parse(
    "kernel 6.12",
    "d0 = pagetable_alloc(GFP_KERNEL, 0)",
    "env fail alloc_pages",
    "d1 = pagetable_alloc(GFP_KERNEL, 0)",
    "a0 = ptdesc_address(d0)",
    "env owner_gone(d0)",
  );
  const small = shrunkRuns(withRuns(program, [1, 0, 1, 2, 0]), "page-leak");
  assert.deepEqual(linesOf(small).slice(0, 4), linesOf(program).slice(0, 4));
});

// Properties.

interface Case {
  readonly program: Program;
  readonly targets: readonly Finding[];
}

/** Programs with something to show, and one finding or all of them to keep. */
const cases: fc.Arbitrary<Case> = fc
  .tuple(programs({ maxSteps: 40, maxOrder: 4 }), fc.nat(20))
  .map(([program, choice]) => {
    const all = findings(program);
    return { program, targets: choice % 4 === 0 ? all : all.slice(choice % (all.length || 1)).slice(0, 1) };
  })
  .filter(({ targets }) => targets.length > 0);

function allShow(program: Program, targets: readonly ShrinkTarget[]): void {
  const shown = findings(program);
  for (const { invariant, call, pages } of targets) {
    const same = shown.some((f) => f.invariant === invariant && f.call === call && f.pages === pages);
    assert.ok(same, `${invariant} by ${call} is gone:\n${printProgram(program)}`);
  }
}

/** References and gathers that a program leaves to the drain: the result gives them back. */
function leftToDrain(program: Program): number {
  const machine = new Machine(program);
  const { ledger } = machine;
  program.slots.forEach((slot, i) => ledger.kinds[i] = kindIndex(slot.kind));
  machine.begin(program.code, program.code.length, program.slots.length);
  machine.execute(0, program.code.length);
  let held = 0;
  for (let pfn = 0; pfn < ledger.nrPages; pfn++) held += ledger.pages[(pfn << L_SHIFT) | L_ENV_REFS]!;
  const left = held + ledger.gathers.filter((g) => g === 1).length;
  machine.finish();
  return left;
}

for (const lines of [true, false]) {
  const mode = lines ? "single lines" : "runs";
  Deno.test(`by ${mode}, the result shows every target, claims all that it shows, and replays from its text`, () => {
    fc.assert(
      fc.property(cases, ({ program, targets }) => {
        const small = shrinkProgram(program, targets, { lines });
        allShow(small, targets);
        const again = parseProgram(printProgram(small), "x");
        assert.deepEqual(again, small);
        const shown = findings(again).map(({ invariant, step, pages, words }) => ({ invariant, step, pages, words }));
        assert.deepEqual(small.claims, shown);
      }),
      { numRuns: 150 },
    );
  });

  Deno.test(`by ${mode}, the result is no longer but for what the drain gave back, and shrinking it again changes nothing`, () => {
    fc.assert(
      fc.property(cases, ({ program, targets }) => {
        const small = shrinkProgram(program, targets, { lines });
        assert.ok(sizeOf(small)[0] <= sizeOf(program)[0] + leftToDrain(program), printProgram(small));
        assert.deepEqual(shrinkProgram(small, targets, { lines }), small);
      }),
      { numRuns: 150 },
    );
  });

  Deno.test(`by ${mode}, the result does not depend on the machine or on what it ran before`, () => {
    fc.assert(
      fc.property(cases, ({ program, targets }) => {
        const machine = new Machine(program);
        const once = shrinkProgram(program, targets, { lines, machine });
        assert.deepEqual(shrinkProgram(program, targets, { lines, machine }), once);
        assert.deepEqual(shrinkProgram(program, targets, { lines }), once);
      }),
      { numRuns: 100 },
    );
  });
}

Deno.test("without a misuse at first there is none at the end", () => {
  const misuses = (program: Program): boolean => {
    const machine = new Machine(program);
    machine.run(program);
    return machine.misuse;
  };
  for (const lines of MINIMAL) {
    const program = parse(...lines);
    if (!misuses(program)) assert.ok(!misuses(shrinkProgram(program, findings(program), { lines: true })));
  }
  // On a kernel without a repair, right calls break something: arm's pgd without B1.
  const d = selectDisciplines(["arm/pgd"])[0]!.discipline;
  const kernel = "6.12-without-B1";
  const machine = new Machine({ kernel, arch: d.arch, config: d.config, pages: d.pages });
  const generator = new DisciplineGenerator(d.compile(kernel), machine.ledger, d.pages);
  const random = new Random();
  let shrunk = 0;
  for (let number = 0; number < 400 && shrunk < 20; number++) {
    random.seed(1, number);
    const words = generator.generate(random);
    const code = generator.code.slice(0, words);
    const slots = generator.names();
    const program: Program = {
      comments: [],
      kernel,
      arch: d.arch,
      config: [],
      pages: d.pages,
      code,
      slots,
      claims: [],
    };
    if (findings(program).length === 0 || misuses(program)) continue;
    shrunk++;
    assert.ok(!misuses(shrinkProgram(program, findings(program), { lines: true })));
  }
  assert.equal(shrunk, 20);
});

/** Lines that matter to nobody: about memory of their own, or lookups of a block that is there. */
const PADDING = [
  ["x = alloc_page(GFP_KERNEL)"],
  ["x = alloc_pages(GFP_ATOMIC|__GFP_COMP, 1)", "PageHead(x)"],
  ["x = alloc_page(GFP_KERNEL)", "put_page(x)"],
  ["x = __get_free_page(GFP_KERNEL)", "clear_page(x)", "free_page(x)"],
  ["x = alloc_page(GFP_KERNEL)", "env get_page_unless_zero(x)", "env put_page(x)"],
  ["x = alloc_page(GFP_KERNEL)", "repeat 3 get_page(x)"],
  ["x = tlb_gather_mmu(mm1)", "tlb_finish_mmu(x)"],
  ["env fail tlb_next_batch"],
];

Deno.test("a shortest program that is padded with lines of no matter is found again", () => {
  const pad = fc.tuple(fc.constantFrom(...PADDING), fc.nat(100));
  fc.assert(
    fc.property(fc.constantFrom(...MINIMAL), fc.array(pad, { maxLength: 12 }), (minimal, pads) => {
      const first = minimal.findIndex((l) => l.startsWith("p0"));
      // What 'at' arms fires in the next free: nothing may stand between them.
      const lines = minimal.slice(first).join("\n").replaceAll(/^(at .*)\n/gm, "$1;").split("\n");
      pads.forEach(([padding, at], i) => {
        let place = at % (lines.length + 1);
        for (const line of padding) {
          lines.splice(place, 0, line.replaceAll(/\bx\b/g, `x${i}`));
          place = place + 1 + (at + line.length) % (lines.length - place);
        }
      });
      const program = parse(...minimal.slice(0, first), ...lines.map((l) => l.replace(";", "\n")));
      assert.deepEqual(shrunk(program, findings(parse(...minimal))), minimal);
    }),
    { numRuns: 500 },
  );
});
