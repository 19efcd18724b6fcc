/**
 * The catalogue: which disciplines cover which level of which architecture's
 * page table on which kernel, and what each is expected to break there.
 *
 * @module
 */
import { parseKernelName } from "../core/kernel/names.ts";
import { type Discipline, type Level, LEVELS } from "./discipline.ts";

/** A cell's disciplines in words: `pte`, `pte-smp: flush-before-free`, `folded`. */
function cellText(disciplines: readonly Discipline[], kernel: string, level: Level): string {
  const words = disciplines.filter((d) => d.levels.includes(level)).map((d) => {
    const broken = [...new Set(d.expect.filter((e) => e.kernels.includes(kernel)).flatMap((e) => e.invariants))];
    const name = d.name.slice(d.name.indexOf("/") + 1);
    return broken.length === 0 ? `${name}` : `**${name}**: ${broken.join(", ")}`;
  });
  if (words.length > 0) return words.join("<br>");
  return disciplines.some((d) => d.folded.includes(level)) ? "folded" : "";
}

/**
 * The table of one kernel in Markdown: a row for each architecture, a column for
 * each level. Hypothetical disciplines and canaries are not in it.
 */
export function catalogueTable(disciplines: readonly Discipline[], kernel: string): string[] {
  const mine = disciplines.filter((d) =>
    !d.hypothetical && !d.canary && d.levels.length + d.folded.length > 0 &&
    d.kernels.some((k) => parseKernelName(k)?.name === kernel)
  );
  const archs = [...new Set(mine.map((d) => d.arch))].sort();
  const head = ["architecture", ...LEVELS.map((l) => l.toUpperCase())];
  const rows = archs.map((arch) => {
    const own = mine.filter((d) => d.arch === arch).sort((a, b) => a.name < b.name ? -1 : 1);
    return [arch, ...LEVELS.map((level) => cellText(own, kernel, level))];
  });
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}
