import assert from "node:assert/strict";
import { ARCHS } from "../core/kernel/names.ts";
import { machineFor } from "./machine_for.ts";

const PLACE = { kernel: "6.12", arch: "generic", config: [], pages: 128 };

Deno.test("the machine of a place is one machine, until eight other places were asked for", () => {
  const first = machineFor(PLACE);
  for (const arch of ARCHS.slice(1, 8)) machineFor({ ...PLACE, arch });
  assert.equal(machineFor(PLACE), first);
  for (const arch of ARCHS.slice(1, 9)) machineFor({ ...PLACE, arch });
  assert.notEqual(machineFor(PLACE), first);
});

Deno.test("however many places are asked for, their machines have the large arrays of eight", () => {
  const batches = new Set<Int32Array>();
  const events = new Set<Int32Array>();
  for (const kernel of ["6.1", "6.12"]) {
    for (const arch of ARCHS) {
      const machine = machineFor({ ...PLACE, kernel, arch, pages: 64 });
      batches.add(machine.kernel.batches);
      events.add(machine.kernel.events);
    }
  }
  assert.ok(ARCHS.length >= 9);
  assert.equal(batches.size, 8);
  assert.equal(events.size, 8);
});
