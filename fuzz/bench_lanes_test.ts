import assert from "node:assert/strict";
import { benchedOn, lanesOf } from "./bench_lanes.ts";
import { planCells, selectDisciplines } from "./cells.ts";

const BENCHED = planCells(selectDisciplines(["x86/pte", "x86/pud", "riscv/pte"]), ["6.12"], [])
  .map(({ kernel, loaded }) => benchedOn(loaded.discipline, kernel));

Deno.test("both runners make the calls of a discipline, and those of one architecture share a machine", async () => {
  for (const runner of ["generated", "model"] as const) {
    const lanes = await lanesOf(structuredClone(BENCHED), runner);
    assert.equal(new Set(lanes.map((l) => l.machine)).size, 2);
    for (const { machine, run } of lanes) {
      const before = machine.right.reduce((sum, n) => sum + n, 0);
      const steps = run(3, 1);
      assert.ok(steps > 30, `${steps} steps`);
      assert.ok(machine.right.reduce((sum, n) => sum + n, 0) > before);
      assert.equal(run(3, 1), steps, "a seed is a program");
    }
  }
});
