/**
 * Writes the table of docs/bugs.md: each bug of the past, how soon random search
 * finds it, and how short it is told.
 *
 * @module
 */
import { KNOWN_BUG_STEPS, KNOWN_BUGS, knownBugRow, tryKnownBug } from "../fuzz/known_bugs.ts";
import { writeTable } from "./write_table.ts";

const HELP = `Usage: deno task bugs

Looks for each known bug with random search alone, shrinks what it finds, looks for
anything in the code that is right for ${KNOWN_BUG_STEPS.toLocaleString("en-US")} steps, and writes docs/bugs.md.
Exits 1 where a bug is not found or what is right is not clean.`;

const HEAD = ["id", "what", "command (`deno task ...`)", "breaks", "found after", "lines", "shortest", "right"];

async function main(): Promise<number> {
  if (Deno.args.includes("--help")) {
    console.log(HELP);
    return 0;
  }
  let ok = true;
  const rows = [`| ${HEAD.join(" | ")} |`, `| ${HEAD.map(() => "---").join(" | ")} |`];
  for (const bug of KNOWN_BUGS) {
    const outcome = tryKnownBug(bug, KNOWN_BUG_STEPS);
    const { steps, lines, shortest, broken } = outcome;
    const clean = broken.length === 0 ? "clean" : `broke ${broken.join(", ")}`;
    console.log(
      `${bug.id.padEnd(4)} ${bug.wrong.kernel.padEnd(17)} ${bug.invariant.padEnd(18)}` +
        ` ${String(steps).padStart(6)} steps, ${lines} lines, shortest ${shortest}; ${bug.right.kernel} ${clean}`,
    );
    if (steps < 0 || lines !== shortest || broken.length > 0) ok = false;
    rows.push(knownBugRow(bug, outcome));
  }
  await writeTable(new URL("../docs/bugs.md", import.meta.url), "## Table", rows);
  return ok ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
