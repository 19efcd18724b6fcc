import { assert, assertEquals } from "@std/assert";
import { INVARIANTS } from "../core/ledger/invariants.ts";
import { findingsOf } from "../core/program/findings.ts";
import { Machine } from "../core/program/machine.ts";
import { readProgramFile } from "../corpus/files.ts";
import { Draw } from "../fuzz/draw.ts";

/** Steps of each discipline. */
const STEPS = 100_000;

/** The cells of a Markdown row. */
function cells(row: string): string[] {
  return row.split("|").slice(1, -1).map((cell) => cell.trim());
}

const verdicts = await Deno.readTextFile(new URL("verdicts.md", import.meta.url));
const section = verdicts.split("## Correct code that stays clean\n")[1]!.split("\n## ")[0]!;
const rows = section.split("\n").filter((l) => l.startsWith("|")).map(cells).slice(2);

/** What a discipline breaks, as the table writes it: `family (latent)`. */
function brokenBy(discipline: string, kernel: string): string[] {
  const draw = new Draw({ discipline, kernel });
  const broken = new Set<string>();
  while (draw.steps < STEPS) {
    if (draw.next().length === 0) continue;
    for (const f of findingsOf(draw.machine, draw.program.slots)) broken.add(`${f.invariant} (${f.severity})`);
  }
  return [...broken].sort();
}

Deno.test("the table of what stays clean has every row", () => {
  assertEquals(rows.length, 14);
  for (const [, , on] of rows) assert(on!.length > 0);
});

for (const [code, , on, breaks] of rows) {
  Deno.test(`${code}: breaks ${breaks === "" ? "nothing" : breaks}`, () => {
    const wanted = breaks === "" ? [] : breaks!.split(", ").sort();
    for (const w of wanted) assert(INVARIANTS.some((i) => w.startsWith(`${i.id} (`)), w);
    for (const what of on!.split(", ")) {
      const [, name = "", kernel] = /^`([^`]+)`(?: (\S+))?$/.exec(what) ?? [];
      if (!name.endsWith(".pt")) {
        assertEquals(brokenBy(name, kernel!), wanted, what);
        continue;
      }
      const program = readProgramFile(new URL(`../corpus/regressions/${name}`, import.meta.url).pathname);
      const machine = new Machine(program);
      machine.run(program);
      assertEquals(findingsOf(machine, program.slots).map((f) => f.invariant), [], name);
    }
  });
}
