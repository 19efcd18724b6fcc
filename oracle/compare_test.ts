import assert from "node:assert/strict";
import fc from "fast-check";
import type { KernelFunctions } from "../core/kernel/kernel.ts";
import { MUTANTS } from "../core/kernel/mutants.ts";
import { Machine, type MachineOptions } from "../core/program/machine.ts";
import { parseProgram } from "../core/program/parse.ts";
import { Trace } from "../core/program/trace.ts";
import { HostileGenerator } from "../fuzz/hostile.ts";
import { Random } from "../fuzz/random.ts";
import { Comparer } from "./compare.ts";
import { paperReport } from "./testing.ts";

const OPTIONS: MachineOptions = { kernel: "6.12", arch: "generic", config: ["DEBUG_VM"], pages: 256 };

/** What a program runs, after findings too. */
function traced(text: string): { trace: Trace; machine: Machine } {
  const program = parseProgram(text, "test");
  const machine = new Machine({ ...program });
  const trace = new Trace();
  machine.trace = trace;
  machine.heedless = true;
  machine.run(program);
  return { trace, machine };
}

/** Compares a trace with what a kernel on paper reports of it. */
function compared(
  trace: Trace,
  options: MachineOptions,
  changed: Partial<KernelFunctions>,
  edit?: (out: Int32Array) => void,
) {
  const out = paperReport(options, trace, changed);
  edit?.(out);
  const comparer = new Comparer(options);
  const difference = comparer.compare(trace.code, 0, trace.words / 8, 4096, out, 0);
  return { difference, comparer, out };
}

const HALF = `kernel 6.12
config DEBUG_VM
p0 = alloc_pages(GFP_KERNEL, 2)
d0 = page_ptdesc(p0)
pagetable_free(d0)
p1 = alloc_pages(GFP_KERNEL|__GFP_COMP, 1)
__free_pages(p1, 1)
`;

Deno.test("a kernel that does the same has no difference, and every word of its report was read", () => {
  const { trace } = traced(HALF);
  const { difference, comparer, out } = compared(trace, OPTIONS, {});
  assert.equal(difference, undefined);
  assert.equal(comparer.next, out.length);
});

Deno.test("programs of every kind agree with a kernel on paper", () => {
  const machine = new Machine(OPTIONS);
  const generator = new HostileGenerator(machine);
  const random = new Random();
  const trace = new Trace();
  machine.trace = trace;
  fc.assert(
    fc.property(fc.nat(), fc.boolean(), (seed, heedless) => {
      random.seed(seed, 1);
      machine.heedless = heedless;
      machine.runCode(generator.code, generator.generate(random), generator.slots);
      const { difference, comparer, out } = compared(trace, OPTIONS, {});
      if (machine.kernel.bugCheck >= 0 || trace.endless >= 0) return;
      assert.equal(difference, undefined);
      assert.equal(comparer.next, out.length);
    }),
    { numRuns: 100 },
  );
});

Deno.test("any word that is another is a difference, at the step whose report has it", () => {
  const { trace } = traced(HALF);
  const whole = paperReport(OPTIONS, trace);
  // Records: kind, events, answer, free, managed, NR_PAGETABLE, charges, changed pages, each its number and 16 words.
  const starts: number[] = [];
  for (let at = 0; whole[at] === 1; at += 8 + whole[at + 7]! * 17) starts.push(at);
  assert.ok(starts.length > 5, "five steps and the drain");
  starts.forEach((at, step) => {
    const pages = Array.from({ length: whole[at + 7]! }, (_, n) => at + 8 + n * 17);
    for (
      const word of [
        at + 2,
        at + 3,
        at + 4,
        at + 5,
        at + 6,
        ...pages.flatMap((p) => Array.from({ length: 16 }, (_, w) => p + 1 + w)),
      ]
    ) {
      const { difference } = compared(trace, OPTIONS, {}, (out) => out[word] = out[word]! ^ 1);
      assert.equal(difference?.step, step, `word ${word - at} of step ${step}`);
    }
  });
});

Deno.test("a page that changed in the model alone is found at the end", () => {
  const { trace } = traced(HALF);
  const out = paperReport(OPTIONS, trace);
  // The last page that is reported is left out, as if it had not changed.
  let last = 0;
  for (let at = 0; out[at] === 1; at += 8 + out[at + 7]! * 17) if (out[at + 7]! > 0) last = at;
  const end = last + 8 + out[last + 7]! * 17;
  const shorter = Int32Array.from([...out.subarray(0, end - 17), ...out.subarray(end)]);
  shorter[last + 7]!--;
  const difference = new Comparer(OPTIONS).compare(trace.code, 0, trace.words / 8, 4096, shorter, 0);
  assert.match(difference!.unlike[0]!.what, /^page \d+ .* at the end$/);
});

Deno.test("a BUG that only one side has is a difference", () => {
  const text = "kernel 6.12\nconfig DEBUG_VM\np0 = alloc_pages(GFP_KERNEL|__GFP_COMP, 1)\n__free_pages(p0, 0)\n";
  const { trace, machine } = traced(text);
  assert.ok(machine.kernel.bugCheck >= 0);
  assert.equal(compared(trace, OPTIONS, {}).difference, undefined);
  const silent = paperReport({ ...OPTIONS, config: [] }, trace);
  const difference = new Comparer(OPTIONS).compare(trace.code, 0, trace.words / 8, 4096, silent, 0);
  assert.deepEqual(difference?.unlike, [{
    what: "outcome",
    model: "BUG in free_pages_prepare: compound && compound_order(page) != order",
    kernel: "goes on",
  }]);
  const other = new Comparer({ ...OPTIONS, config: [] })
    .compare(trace.code, 0, trace.words / 8, 4096, paperReport(OPTIONS, trace), 0);
  assert.equal(other?.unlike[0]?.model, "goes on");
});

Deno.test("a complaint that only one side has is a difference", () => {
  const text =
    "kernel 6.12\nconfig DEBUG_VM\np0 = alloc_page(GFP_KERNEL)\n__free_pages(p0, 20)\np1 = alloc_pages(GFP_KERNEL, 20)\n";
  const { trace } = traced(text);
  const { difference } = compared(trace, OPTIONS, {
    alloc_pages: () => -1,
    check_new_pages: () => false,
  });
  assert.notEqual(difference, undefined);
});

// What expand-nr-free damages is no word of a page; it shows where the allocator asks for it.
for (const mutant of MUTANTS.filter((m) => m.kernel === "6.12" && m.name !== "expand-nr-free").slice(0, 24)) {
  Deno.test(`a kernel with the mistake of ${mutant.name} is found by the program that shows it`, () => {
    const config = mutant.config.length > 0 ? `config ${mutant.config.join(" ")}\n` : "";
    const { trace } = traced(`kernel 6.12\narch ${mutant.arch}\n${config}pages ${mutant.pages}\n${mutant.run}`);
    const options = { kernel: "6.12", arch: mutant.arch, config: mutant.config, pages: mutant.pages };
    assert.notEqual(compared(trace, options, mutant.breaks).difference, undefined);
  });
}
