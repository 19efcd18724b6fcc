/**
 * The catalogue: which disciplines cover which level of which architecture's
 * page table on which kernel, and what each broke there in a run of `fuzz`.
 *
 * @module
 */
import { parseKernelName } from "../core/kernel/names.ts";
import { type Discipline, type Level, LEVELS } from "./discipline.ts";
import type { Result } from "./result.ts";

/** What a discipline broke on a kernel. */
type Broken = (discipline: Discipline) => readonly string[];

function brokenIn(result: Result, kernel: string): Broken {
  const invariants = new Map(result.findings.map((f) => [f.signature, f.invariant]));
  const cells = new Map(result.cells.filter((c) => c.kernel === kernel).map((c) => [c.discipline, c]));
  return ({ name }) => {
    const cell = cells.get(name);
    if (cell === undefined) throw new Error(`the report has no cell of ${name} on ${kernel}`);
    return [...new Set(cell.findings.map((signature) => invariants.get(signature)!))].sort();
  };
}

/** A cell's disciplines in words: `pte`, `pte-smp: flush-before-free`, `folded`. */
function cellText(disciplines: readonly Discipline[], brokenBy: Broken, level: Level): string {
  const words = disciplines.filter((d) => d.levels.includes(level)).map((d) => {
    const broken = brokenBy(d);
    const name = d.name.slice(d.name.indexOf("/") + 1);
    return broken.length === 0 ? `${name}` : `**${name}**: ${broken.join(", ")}`;
  });
  if (words.length > 0) return words.join("<br>");
  return disciplines.some((d) => d.folded.includes(level)) ? "folded" : "";
}

/**
 * The table of one kernel in Markdown: a row for each architecture, a column for
 * each level. Hypothetical disciplines and canaries are not in it.
 *
 * @param result of a run of every discipline on every kernel
 */
export function catalogueTable(disciplines: readonly Discipline[], result: Result, kernel: string): string[] {
  const broken = brokenIn(result, kernel);
  const mine = disciplines.filter((d) =>
    !d.hypothetical && !d.canary && d.levels.length + d.folded.length > 0 &&
    d.kernels.some((k) => parseKernelName(k)?.name === kernel)
  );
  const archs = [...new Set(mine.map((d) => d.arch))].sort();
  const head = ["architecture", ...LEVELS.map((l) => l.toUpperCase())];
  const rows = archs.map((arch) => {
    const own = mine.filter((d) => d.arch === arch).sort((a, b) => a.name < b.name ? -1 : 1);
    return [arch, ...LEVELS.map((level) => cellText(own, broken, level))];
  });
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}
