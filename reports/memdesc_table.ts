/**
 * Which disciplines would break once descriptors are allocated apart: as text for
 * a terminal, and as the table of the README and of the report.
 *
 * @module
 */
import type { MemdescVerdict } from "../corpus/memdesc.ts";
import { count, listed, wrap } from "./text.ts";

/** What the verdicts rest on, in one sentence. */
export const MEMDESC_WORDS =
  "`memdesc` is a conjecture: 6.19 with page tables that have no reference and descriptors of a slab of their own, " +
  "as kernelnewbies.org/MatthewWilcox/Memdescs has it.";

/** The kernels that had no `pagetable_alloc` yet: their code has nothing to say of it. */
const BEFORE: ReadonlySet<string> = new Set(["6.1", "v2"]);

/** Verdicts by what becomes of the discipline; those of kernels before the descriptor apart. */
export function memdescGroups(verdicts: readonly MemdescVerdict[]): {
  readonly breaks: readonly MemdescVerdict[];
  readonly runs: readonly MemdescVerdict[];
  readonly older: readonly MemdescVerdict[];
} {
  const current = verdicts.filter((v) => !BEFORE.has(v.kernel) && v.lacks === undefined);
  return {
    breaks: current.filter((v) => v.breaks.length > 0),
    runs: current.filter((v) => v.breaks.length === 0),
    older: verdicts.filter((v) => !current.includes(v)),
  };
}

function closing(verdicts: readonly MemdescVerdict[]): string {
  const { breaks, runs, older } = memdescGroups(verdicts);
  const rest = older.length === 0 ? "" : `; ${older.length} are of kernels before the descriptor, and not counted`;
  return `${count(breaks.length, "discipline")} of ${breaks.length + runs.length} would break${rest}.`;
}

/** Text for Markdown: no cell may end early. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** The rows of the table: discipline, what its paths show today, those that break, the line that does, why. */
export function memdescRows(verdicts: readonly MemdescVerdict[]): string[][] {
  return memdescGroups(verdicts).breaks.flatMap((v) =>
    v.breaks.map((b) => [
      `\`${cell(v.discipline)}\``,
      `${v.today} on ${v.kernel}`,
      b.paths.map((p) => cell(p.replace(/^\w+\./, ""))).join(", "),
      `\`${cell(b.line)}\``,
      cell(b.why),
    ])
  );
}

/** The table in Markdown, and a sentence that counts. */
export function memdescMarkdown(verdicts: readonly MemdescVerdict[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(["discipline", "today", "path", "the line that breaks", "why"]),
    line(["---", "---", "---", "---", "---"]),
    ...memdescRows(verdicts).map(line),
    "",
    closing(verdicts),
  ].join("\n");
}

/** The same for a terminal: each discipline with its lines, then those that run. */
export function memdescText(verdicts: readonly MemdescVerdict[], width: number): string[] {
  const { breaks, runs, older } = memdescGroups(verdicts);
  const indented = (text: string, by: string) => wrap(text, width - by.length).map((l) => by + l);
  return [
    ...wrap(MEMDESC_WORDS, width),
    "",
    ...breaks.flatMap((v) => [
      `${v.discipline} breaks (today, on ${v.kernel}: ${v.today})`,
      ...v.breaks.flatMap((b) => [`  ${b.line}`, ...indented(`${b.why} (${b.paths.join(", ")})`, "      ")]),
    ]),
    ...(breaks.length > 0 ? [""] : []),
    ...(runs.length === 0 ? [] : wrap(`These run: ${listed(runs.map((v) => v.discipline))}.`, width)),
    ...(older.length === 0 ? [] : wrap(`Not counted: ${listed(older.map((v) => v.discipline))}.`, width)),
    ...wrap(closing(verdicts), width),
  ];
}

/** Where the table stands in a Markdown file. */
const FROM = "<!-- memdesc: what follows is written by `deno task memdesc --write FILE` -->";
const TO = "<!-- memdesc: end -->";

/** A Markdown file with the table put between its marks; undefined where it has none. */
export function withMemdescTable(text: string, verdicts: readonly MemdescVerdict[]): string | undefined {
  const from = text.indexOf(FROM);
  const to = text.indexOf(TO);
  if (from < 0 || to < from) return undefined;
  return `${text.slice(0, from + FROM.length)}\n\n${memdescMarkdown(verdicts)}\n\n${text.slice(to)}`;
}

/** The table that stands in a Markdown file, its columns not aligned; undefined where it has none. */
export function memdescTableOf(text: string): string | undefined {
  const from = text.indexOf(FROM);
  const to = text.indexOf(TO);
  if (from < 0 || to < from) return undefined;
  return text.slice(from + FROM.length, to).trim().split("\n")
    .map((l) => l.startsWith("|") ? l.replace(/ +\|/g, " |").replace(/(?<=\| )-+(?= \|)/g, "---") : l)
    .join("\n");
}
