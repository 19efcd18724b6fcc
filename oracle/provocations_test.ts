import assert from "node:assert/strict";
import { CHECKS } from "../core/kernel/checks.ts";
import { Machine } from "../core/program/machine.ts";
import { STEP_WORDS } from "../core/program/program.ts";
import { Trace } from "../core/program/trace.ts";
import { Random } from "../fuzz/random.ts";
import { Comparer } from "./compare.ts";
import { ProvocationGenerator, provocationProgram, PROVOCATIONS } from "./provocations.ts";
import { paperReport } from "./testing.ts";

for (const p of PROVOCATIONS) {
  for (const kernel of p.kernels) {
    Deno.test(`${kernel} is led to '${CHECKS[p.check]!.text}', whatever blocks stand before`, () => {
      const options = { kernel, arch: p.arch, config: ["DEBUG_VM"], pages: 256 };
      const machine = new Machine(options);
      const trace = new Trace();
      machine.trace = trace;
      machine.heedless = true;
      const generator = new ProvocationGenerator(provocationProgram(p, kernel), machine);
      const random = new Random();
      for (let seed = 0; seed < 20; seed++) {
        random.seed(seed, 1);
        machine.runCode(generator.code, generator.generate(random), generator.slots);
        const comparer = new Comparer(options);
        const out = paperReport(options, trace);
        assert.equal(comparer.compare(trace.code, 0, trace.words / STEP_WORDS, generator.slots, out, 0), undefined);
        assert.ok(comparer.fired[p.check]! > 0, `seed ${seed}`);
      }
    });
  }
}
