import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { MUTANTS } from "../core/kernel/mutants.ts";
import { INVARIANTS } from "../core/ledger/invariants.ts";
import { selectDisciplines } from "./cells.ts";
import { showMutant, targetOf, tryMutant } from "./mutants.ts";

for (const invariant of INVARIANTS) {
  Deno.test(`${invariant.id} sees its mutants, and the finding goes when it alone is switched off`, () => {
    const mine = MUTANTS.filter((m) => m.invariant === invariant.id);
    assertGreaterOrEqual(mine.length, 3);
    for (const mutant of mine) {
      const { shown, without, right } = showMutant(mutant);
      const bit = 1 << targetOf(mutant).index;
      assertEquals(right, 0, `${mutant.name}: its program is right code, clean on ${mutant.kernel} as it is`);
      assert((shown & bit) !== 0, `${mutant.name}: ${invariant.id} sees it`);
      assertEquals(without & bit, 0, `${mutant.name}: and is silent when switched off`);
    }
  });
}

Deno.test("what random programs find of a mutant is the same every time", () => {
  const disciplines = selectDisciplines([]);
  for (const name of ["free-pages-twice", "tables-dropped", "zero-flag-ignored"]) {
    const mutant = MUTANTS.find((m) => m.name === name)!;
    const once = tryMutant(mutant, disciplines);
    assertGreaterOrEqual(once.stepsToTarget, 1, name);
    assertEquals(tryMutant(mutant, disciplines), once);
  }
});
