/**
 * `report.md`: the result for people, as GitHub renders it.
 *
 * Everything that is not ours (names of disciplines, files, programs,
 * explanations) is escaped so that it shows as the text it is.
 *
 * @module
 */
import { type KunitFile, kunitFiles, kunitWords } from "./kunit/files.ts";
import { MEMDESC_WORDS, memdescRows } from "./memdesc_table.ts";
import { invariantById } from "../core/ledger/invariants.ts";
import {
  canaryWords,
  complaintsOf,
  differenceWords,
  faultWords,
  findingTitle,
  interruptedWords,
  isAsExpected,
  matrixOf,
  type Note,
  NOTE_WORDS,
  notesOf,
  seenByWords,
  SEVERITY_WORDS,
  worstFirst,
} from "./matrix.ts";
import type { ReportedFinding, Result } from "../corpus/result.ts";
import { recordingLines, recordingsWords } from "./recordings.ts";
import { count, grouped, visible, visibleLines } from "./text.ts";

/** Bytes of a report: GitHub refuses a step's summary of more than 1 MiB, and other steps want to say something too. */
export const MARKDOWN_LIMIT = 1_000_000;

/** Part of the limit that tables may take; the rest is for findings. */
const TABLE_SHARE = 0.4;

const bytes = (text: string): number => new TextEncoder().encode(text).length;

/** Text inside HTML tags, where Markdown's backslashes do not count. */
function escapeHtml(text: string): string {
  return visible(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(
    '"',
    "&quot;",
  );
}

/** What begins markup, as an entity where a backslash would not do (a table's cells, links found by themselves). */
const MARKUP = /[&<>\\|`*_[\]#~!$@{}]|:(?=\/\/)|(?<=\bwww)\./gi;
const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "\\": "&#92;",
  "|": "&#124;",
  ":": "&#58;",
  ".": "&#46;",
};

/** Text on one line of Markdown, in a paragraph, a heading or a table's cell, that shows as it is. */
export function escapeMarkdown(text: string): string {
  return visible(text.trim())
    .replace(MARKUP, (char) => ENTITIES[char] ?? `\\${char}`)
    .replace(/^(\d*)([-+=.)])(?=[\s=-]|$)/, "$1\\$2");
}

/** A fenced block whose fence is longer than any run of backticks in it. */
export function fenced(text: string): string {
  const lines = visibleLines(text);
  const longest = Math.max(2, ...lines.flatMap((line) => line.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return [`${fence}text`, ...lines, fence].join("\n");
}

function findingText(finding: ReportedFinding, kunit: ReadonlyMap<string, KunitFile>, note: Note): string {
  const statement = invariantById(finding.invariant)?.statement;
  const where = `${finding.discipline} on ${finding.kernel}`;
  const config = finding.config.length === 0 ? "" : `, ${finding.config.join(" ")}`;
  const title = `${findingTitle(finding)} in ${where}`;
  const body = [
    `**${finding.severity}**: ${SEVERITY_WORDS[finding.severity]}.` +
    (statement === undefined ? "" : ` What must hold: ${escapeMarkdown(statement)}.`) +
    ` Broken at step ${finding.at} of ${finding.steps}, arch ${escapeMarkdown(finding.arch + config)}.`,
    ...(note === "" ? [] : [NOTE_WORDS[note]]),
    fenced(finding.program),
    ...finding.explanation.split(/\n+/).map(escapeMarkdown).filter((p) => p !== ""),
    `Kernel source: ${escapeMarkdown(finding.source)}. ${escapeMarkdown(seenByWords(finding))}`,
    escapeMarkdown(kunitWords(kunit.get(finding.program)!)),
  ];
  if (!finding.expected) return [`### NEW: ${escapeMarkdown(title)}`, ...body].join("\n\n");
  return [`<details><summary>${escapeHtml(title)}</summary>`, ...body, "</details>"].join("\n\n");
}

/** A table, text to the left and numbers to the right; rows that would take more than `limit` bytes are left out, and a sentence says so. */
function table(
  head: readonly string[],
  align: readonly ("---" | "--:")[],
  rows: readonly (readonly string[])[],
  limit: number,
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const lines = [line(head), line(align)];
  let left = limit - bytes(lines.join("\n"));
  let kept = 0;
  for (const row of rows.map(line)) {
    left -= bytes(row) + 1;
    if (left < 0) break;
    lines.push(row);
    kept++;
  }
  const rest = rows.length - kept;
  return lines.join("\n") +
    (rest === 0 ? "" : `\n\n${count(rest, "more row")} are left out here; \`report.json\` has all of them.`);
}

function heading(result: Result): string {
  const programs = result.cells.reduce((sum, c) => sum + c.programs, 0);
  const expected = result.findings.filter((f) => f.expected).length;
  return [
    `# ptfuzz: ${isAsExpected(result) ? "as expected" : "NOT as expected"}`,
    result.recordings.length > 0
      ? `${escapeMarkdown(result.tool)}, ${escapeMarkdown(result.task)}: ${escapeMarkdown(recordingsWords(result))}.`
      : `${escapeMarkdown(result.tool)}, ${escapeMarkdown(result.task)}, ${escapeMarkdown(result.mode)} mode: ` +
        `${count(result.steps, "step")} in ${count(programs, "program")}, ` +
        `${count(expected, "finding")} expected, **${grouped(result.unexpected)} unexpected**, seed ${result.seed}.`,
    ...interruptedWords(result).map((words) => `**${words}**`),
  ].join("\n\n");
}

function complaints(result: Result, limit: number): string[] {
  const rows = complaintsOf(result).map((c) => [c.where, c.complaints.join(" ")]);
  if (rows.length === 0) return [];
  const cells = rows.map((row) => row.map((text) => escapeMarkdown(text)));
  return ["## Not as expected", table(["Where", "What"], ["---", "---"], cells, limit)];
}

/** Behaviour that no program reached. */
function never(result: Result, limit: number): string[] {
  if (result.never.length === 0) return [];
  const rows = result.never.map((n) =>
    [n.kernel, n.calls.join(", ") || "-", n.failures.join(", ") || "-"].map(escapeMarkdown)
  );
  const features = result.cells.reduce((sum, c) => sum + c.features, 0);
  return [
    "## Never reached",
    `${count(features, "feature")} of behaviour were reached in ${count(result.cells.length, "cell")} ` +
    "(call, kind and state of its operands, outcome). What never happened:",
    table(["Kernel", "Calls that never ran", "Allocations that never failed"], ["---", "---", "---"], rows, limit),
  ];
}

function faults(result: Result): string[] {
  return result.faults.flatMap((f) => [escapeMarkdown(faultWords(f)), fenced(f.program)]);
}

function matrix(result: Result, limit: number): string[] {
  const { kernels, rows } = matrixOf(result);
  if (rows.length === 0) return [];
  const cells = rows.map((row) => [
    escapeMarkdown(row.label) + (row.canary ? " (canary)" : row.hypothetical ? " (hypothetical)" : ""),
    ...kernels.map((kernel) => row.cells.get(kernel)?.text ?? "-"),
  ]);
  return [
    "## Kernels × disciplines",
    table(["Discipline", ...kernels.map(escapeMarkdown)], ["---", ...kernels.map(() => "---" as const)], cells, limit),
  ];
}

function differences({ differences }: Result): string[] {
  if (differences === undefined) return [];
  return ["## Differences", escapeMarkdown(differenceWords(differences.programs)), fenced(differences.first)];
}

function invariants(result: Result, limit: number): string[] {
  if (result.invariants.length === 0) return [];
  const rows = result.invariants.map((i) => [
    escapeMarkdown(i.id),
    escapeMarkdown(invariantById(i.id)?.statement ?? ""),
    grouped(i.checks),
    grouped(i.violations),
  ]);
  return [
    "## Invariants",
    table(["Invariant", "What must hold", "Checks", "Violations"], ["---", "---", "--:", "--:"], rows, limit),
  ];
}

function memdesc(result: Result, limit: number): string[] {
  const rows = memdescRows(result.memdesc);
  if (rows.length === 0) return [];
  return [
    "## If descriptors were allocated apart from struct page",
    MEMDESC_WORDS + " What today's code would break there:",
    table(
      ["Discipline", "Today", "Path", "The line that breaks", "Why"],
      ["---", "---", "---", "---", "---"],
      rows,
      limit,
    ),
  ];
}

function recordings(result: Result, limit: number): string[] {
  if (result.recordings.length === 0) return [];
  const parts = ["## Recordings"];
  let left = limit;
  for (const r of result.recordings) {
    const text = fenced(recordingLines(r, 100).map((l) => l.text).join("\n"));
    left -= bytes(text);
    if (left < 0) return [...parts, "More recordings are left out here; `report.json` has all of them."];
    parts.push(text);
  }
  return parts;
}

function replayed(result: Result): string[] {
  if (result.replayed.length === 0) return [];
  const wrong = result.replayed.filter((r) => !r.ok).length;
  return [`${count(result.replayed.length, "stored program")} replayed, ${grouped(wrong)} of them not as claimed.`];
}

/**
 * The text of `report.md`: findings worst first, the matrix, the invariants,
 * the canary.
 *
 * @param result what a run found
 * @param limit bytes that the text may take; findings that do not fit are counted in a sentence
 */
export function reportMarkdown(result: Result, limit: number = MARKDOWN_LIMIT): string {
  const share = Math.floor((limit * TABLE_SHARE) / 5);
  const top = [
    heading(result),
    ...faults(result),
    ...recordings(result, share),
    ...complaints(result, share),
    ...differences(result),
  ];
  const bottom = [
    ...matrix(result, share),
    ...invariants(result, share),
    ...memdesc(result, share),
    ...(result.recordings.length > 0 ? [] : ["## Canary", escapeMarkdown(canaryWords(result))]),
    ...never(result, share),
    ...replayed(result),
  ];
  const all = worstFirst(result.findings);
  // In the order of the result, as the files are named.
  const kunit = kunitFiles(result.findings);
  const note = notesOf(result);
  const unexpected = all.filter((f) => !f.expected);
  const expected = all.filter((f) => f.expected);

  const joined = (parts: readonly string[]) => parts.join("\n\n") + "\n";
  const reserve = 500;
  let left = limit - bytes(joined([...top, ...bottom])) - reserve;
  let omitted = 0;
  const fitting = (findings: readonly ReportedFinding[]): string[] => {
    const kept: string[] = [];
    for (const finding of findings) {
      const text = findingText(finding, kunit, note(finding));
      const size = bytes(text) + 2;
      if (size > left) {
        omitted++;
        continue;
      }
      left -= size;
      kept.push(text);
    }
    return kept;
  };
  const newOnes = fitting(unexpected);
  const known = fitting(expected);
  return joined([
    ...top,
    ...(newOnes.length === 0 ? [] : ["## Unexpected findings", ...newOnes]),
    ...(known.length === 0 ? [] : ["## Expected findings", ...known]),
    ...(omitted === 0 ? [] : [
      `${count(omitted, "finding")} more ${omitted === 1 ? "is" : "are"} left out here to stay below GitHub's limit; ` +
      "`report.json` has all of them, programs included.",
    ]),
    ...(all.length === 0 ? ["No findings."] : []),
    ...bottom,
  ]);
}
