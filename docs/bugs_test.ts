import { assert, assertEquals } from "@std/assert";
import { KNOWN_BUG_STEPS, KNOWN_BUGS, knownBugRow, tryKnownBug } from "../fuzz/known_bugs.ts";

/** Steps that what is right must stay clean for here; `deno task bugs` gives it 5 million. */
const CLEAN = 50_000;

/** A row without the padding that the formatter gives it. */
function cells(row: string): string[] {
  return row.split("|").map((cell) => cell.trim().replaceAll("\\_", "_"));
}

const rows = (await Deno.readTextFile(new URL("bugs.md", import.meta.url))).split("\n").filter((l) =>
  /^\| [BL]/.test(l)
);

Deno.test("docs/bugs.md has a row for each known bug", () => {
  assertEquals(rows.map((r) => cells(r)[1]), KNOWN_BUGS.map((b) => b.id));
});

for (const [i, bug] of KNOWN_BUGS.entries()) {
  Deno.test(`${bug.id} is found by random search alone, told as short as can be, and its repair is clean`, () => {
    const outcome = tryKnownBug(bug, CLEAN);
    assert(outcome.steps > 0 && outcome.steps < KNOWN_BUG_STEPS, `not found in ${KNOWN_BUG_STEPS} steps`);
    assertEquals(outcome.lines, outcome.shortest, outcome.program);
    assertEquals(outcome.broken, [], `${bug.right.discipline} on ${bug.right.kernel}`);
    assertEquals(cells(knownBugRow(bug, outcome)), cells(rows[i]!), "'deno task bugs' writes docs/bugs.md");
  });
}
