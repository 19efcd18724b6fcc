import { assert, assertEquals, assertNotStrictEquals } from "@std/assert";
import { createKernel, functionsOf } from "./create.ts";
import { MUTANTS } from "./mutants.ts";

Deno.test("a mutant has one function of its kernel changed", () => {
  for (const m of MUTANTS) {
    const changed = Object.keys(m.breaks);
    assertEquals(changed.length, 1, m.name);
    const name = changed[0] as keyof typeof m.breaks;
    const right = createKernel(m.kernel, m);
    assertNotStrictEquals(m.breaks[name], right[name], m.name);
    assertEquals(typeof functionsOf(m.kernel)[name], "function", m.name);
  }
});

Deno.test("mutants have names of their own, and each says its mistake in one sentence", () => {
  assertEquals(new Set(MUTANTS.map((m) => m.name)).size, MUTANTS.length);
  assertEquals(new Set(MUTANTS.map((m) => m.mistake)).size, MUTANTS.length);
  for (const m of MUTANTS) {
    assert(m.name.length <= 28, `${m.name} is too long for the table`);
    assert(m.mistake.length <= 110 && !m.mistake.endsWith("."), m.name);
  }
});
