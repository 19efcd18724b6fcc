/**
 * The result on a terminal: findings first, then the matrix, then one line.
 *
 * No line is wider than the terminal. Programs stay programs: what is folded in
 * them are comments and the words of `finding` lines, as comments, so that a
 * program can be copied off the screen and replayed.
 *
 * @module
 */
import { invariantById, type Severity } from "../core/ledger/invariants.ts";
import {
  canaryWords,
  type CellState,
  complaintsOf,
  differenceWords,
  disciplineLabel,
  faultWords,
  findingTitle,
  interruptedWords,
  matrixOf,
  notesOf,
  seenByWords,
  SEVERITY_WORDS,
  worstFirst,
} from "./matrix.ts";
import type { ReportedFinding, Result, WorkerFault } from "../corpus/result.ts";
import { callCountLines } from "./call_counts.ts";
import { type RecordingLine, recordingLines, recordingsWords } from "./recordings.ts";
import { count, cutMiddle, displayWidth, grouped, padEnd, visible, visibleLines, wrap } from "./text.ts";

/** How to print. */
export interface TerminalOptions {
  /** Whether escape sequences for colours may be used. */
  readonly colour: boolean;
  /** Columns of the terminal. */
  readonly width: number;
}

/** Unexpected findings that are printed with their programs; the rest are counted. */
const PRINTED_FINDINGS = 20;
/** Letters of an explanation that are printed. */
const MAX_EXPLANATION = 500;
/** Fewest columns that the layout copes with. */
const MIN_WIDTH = 40;

type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";
type Paint = (style: Style, text: string) => string;

const SGR: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

const SEVERITY_STYLE: Readonly<Record<Severity, Style>> = {
  corruption: "red",
  crash: "red",
  leak: "yellow",
  latent: "cyan",
  theoretical: "dim",
};

const STATE_STYLE: Readonly<Record<CellState, Style>> = {
  ok: "green",
  expected: "cyan",
  new: "red",
  missing: "red",
  none: "dim",
};

/** A program's lines, folded to a width such that it stays a program. */
function programLines(program: string, width: number): string[] {
  return visibleLines(program).flatMap((line) => {
    if (displayWidth(line) <= width) return [line];
    const [first, ...rest] = wrap(line, width);
    if (first === undefined || !/^(#|finding )/.test(line)) return wrap(line, width);
    return [first, ...wrap(rest.join(" "), width - 4).map((words) => `#   ${words}`)];
  });
}

function paragraph(text: string, width: number, indent = "  "): string[] {
  return visibleLines(text).flatMap((line) => wrap(line, width - indent.length)).map((line) => indent + line);
}

/** What fits: the rest of a long explanation is in the report. */
function shortened(text: string): string {
  if (text.length <= MAX_EXPLANATION) return text;
  return `${text.slice(0, text.lastIndexOf(" ", MAX_EXPLANATION))} ... (report.json has all of it)`;
}

function findingLines(finding: ReportedFinding, shown: string | undefined, width: number, paint: Paint): string[] {
  const where = visible(`${disciplineLabel(finding)} on ${finding.kernel}, ${finding.arch}`);
  const title = `${findingTitle(finding)}, ${finding.severity}`;
  const statement = invariantById(finding.invariant)?.statement;
  const [first, ...rest] = wrap(
    `${finding.severity === "theoretical" ? "also" : "NEW"}  ${visible(title)}: ${where}`,
    width,
  );
  return [
    ...[first ?? "", ...rest.map((line) => `  ${line}`.slice(0, width))].map((l) =>
      paint(SEVERITY_STYLE[finding.severity], l)
    ),
    ...paragraph(`${finding.severity}: ${SEVERITY_WORDS[finding.severity]}.`, width),
    ...(statement === undefined ? [] : paragraph(`What must hold: ${statement}.`, width)),
    ...(shown === undefined
      ? ["", ...programLines(finding.program, width - 4).map((line) => `    ${line}`.trimEnd()), ""]
      : paragraph(`Shown by the program of ${shown} above.`, width)),
    ...paragraph(shortened(finding.explanation), width),
    ...paragraph(`Kernel source: ${finding.source}. ${seenByWords(finding)}`, width).map((line) => paint("dim", line)),
    "",
  ];
}

function unexpectedLines(result: Result, width: number, paint: Paint): string[] {
  const unexpected = worstFirst(result.findings).filter((f) => !f.expected);
  const rest = unexpected.slice(PRINTED_FINDINGS).filter((f) => f.severity !== "theoretical").length;
  const theories = unexpected.slice(PRINTED_FINDINGS).length - rest;
  const shown = new Map<string, string>();
  return [
    ...unexpected.slice(0, PRINTED_FINDINGS).flatMap((f) => {
      const lines = findingLines(f, shown.get(f.program), width, paint);
      if (!shown.has(f.program)) shown.set(f.program, findingTitle(f));
      return lines;
    }),
    ...(rest > 0
      ? [...wrap(`${count(rest, "more unexpected finding")}: report.json has all of them.`, width), ""]
      : []),
    ...(theories > 0
      ? [...wrap(`${count(theories, "more theoretical finding")}: report.json has all of them.`, width), ""]
      : []),
  ];
}

function faultLines(fault: WorkerFault, width: number, paint: Paint): string[] {
  return [
    ...wrap(visible(faultWords(fault)), width).map((line) => paint("red", line)),
    "",
    ...programLines(fault.program, width - 4).map((line) => `    ${line}`.trimEnd()),
    "",
  ];
}

function complaintLines(result: Result, width: number, paint: Paint): string[] {
  const wrong = complaintsOf(result);
  if (wrong.length === 0) return [];
  return [
    paint("bold", "Not as expected"),
    ...wrong.flatMap(({ where, complaints }) => paragraph([visible(where) + ":", ...complaints].join(" "), width)),
    "",
  ];
}

/** One line each: what was expected, and is here. */
function expectedLines(result: Result, width: number, paint: Paint): string[] {
  const expected = worstFirst(result.findings).filter((f) => f.expected);
  if (expected.length === 0) return [];
  const note = notesOf(result);
  const titles = expected.map((f) => `${findingTitle(f)} by ${f.call}`);
  const column = Math.min(Math.max(...titles.map(displayWidth)), 44, Math.floor(width * 0.6));
  return [
    paint("bold", "Expected findings"),
    ...expected.map((f, i) => {
      const title = padEnd(cutMiddle(visible(titles[i] as string), column), column);
      const mark = { hypothetical: " (hyp.)", canary: " *", "": "" }[note(f)];
      const where = visible(`${disciplineLabel(f)} on ${f.kernel}`) + mark;
      return `  ${title}  ${cutMiddle(where, width - column - 4)}`;
    }),
    "",
  ];
}

/** Hostile mode: findings of misused programs are counted, and so is what was called how. */
function hostileLines(result: Result, width: number, paint: Paint): string[] {
  return [
    paint("bold", "Calls, with right / wrong arguments"),
    ...callCountLines(result, width),
    ...wrap(
      "0 wrong: no argument of that call is wrong (alloc_page honours every flag; tlb_gather_mmu takes an mm).",
      width,
    ),
    "",
  ];
}

/** On a real kernel: what ran otherwise than on the model, and broke nothing. */
function differenceLines(result: Result, width: number, paint: Paint): string[] {
  if (result.differences === undefined) return [];
  const { programs, first } = result.differences;
  return [
    paint("bold", "Differences"),
    ...paragraph(differenceWords(programs), width),
    "",
    ...programLines(first, width - 4).map((line) => `    ${line}`.trimEnd()),
    "",
  ];
}

interface Column {
  readonly kernel: string;
  readonly head: string;
  readonly width: number;
}

/** The matrix, in as many tables one below the other as the width asks for. */
function matrixLines(result: Result, width: number, paint: Paint): string[] {
  const { kernels, rows } = matrixOf(result);
  if (rows.length === 0) return [];
  const labels = rows.map((r) => visible(r.label) + (r.canary ? " *" : r.hypothetical ? " (hyp.)" : ""));
  const labelWidth = Math.min(Math.max(10, ...labels.map(displayWidth)), Math.floor(width / 2));
  const columns = kernels.map((kernel): Column => {
    const head = cutMiddle(visible(kernel), Math.floor(width / 3));
    const cells = rows.map((r) => (r.cells.get(kernel)?.text ?? "-").length);
    return { kernel, head, width: Math.max(displayWidth(head), ...cells) };
  });
  const lines: string[] = [];
  for (const part of parts(columns, width - labelWidth)) {
    const head = part.map((c) => "  " + padEnd(c.head, c.width)).join("");
    lines.push(paint("bold", (" ".repeat(labelWidth) + head).trimEnd()));
    rows.forEach((row, i) => {
      if (!part.some((c) => row.cells.has(c.kernel))) return;
      const cells = part.map((c) => {
        const { text, state } = row.cells.get(c.kernel) ?? { text: "-", state: "none" as const };
        return "  " + paint(STATE_STYLE[state], text) + " ".repeat(c.width - text.length);
      });
      lines.push(padEnd(cutMiddle(labels[i] as string, labelWidth), labelWidth) + cells.join("").trimEnd());
    });
    lines.push("");
  }
  return lines;
}

/** The columns in groups that fit. */
function parts(columns: readonly Column[], width: number): Column[][] {
  const groups: Column[][] = [];
  let used = Infinity;
  for (const column of columns) {
    used += column.width + 2;
    if (used > width) {
      groups.push([]);
      used = column.width + 2;
    }
    groups.at(-1)?.push(column);
  }
  return groups;
}

const RECORDING_STYLE: Readonly<Record<RecordingLine["kind"], Style | undefined>> = {
  file: "bold",
  plain: undefined,
  contradiction: "red",
  uncertain: "yellow",
};

function recordedLines(result: Result, width: number, paint: Paint): string[] {
  return result.recordings.flatMap((r) => [
    ...recordingLines(r, width).map(({ text, kind }) => {
      const style = RECORDING_STYLE[kind];
      return style === undefined ? text : paint(style, text);
    }),
    "",
  ]);
}

function invariantLines(result: Result, width: number, paint: Paint): string[] {
  const broken = result.invariants.filter((i) => i.violations > 0);
  if (broken.length === 0) return [];
  const column = Math.max(...broken.map((i) => i.id.length));
  return [
    paint("bold", "Invariants broken"),
    ...broken.flatMap((i) => {
      const words = `${i.id.padEnd(column)}  ${grouped(i.violations)} of ${count(i.checks, "check")}`;
      return cutMiddle(`  ${visible(words)}`, width);
    }),
    "",
  ];
}

function lastLine(result: Result, width: number, paint: Paint): string {
  const programs = result.cells.reduce((sum, c) => sum + c.programs, 0);
  const expected = result.findings.filter((f) => f.expected).length;
  const line = result.recordings.length > 0
    ? recordingsWords(result)
    : `${count(result.steps, "step")} in ${count(programs, "program")}, ` +
      `${count(expected, "finding")} expected, ${grouped(result.unexpected)} unexpected, seed ${result.seed}`;
  const style = result.unexpected === 0 ? "green" : "red";
  return wrap(line, width).join("\n").replace(/[\d,]+ unexpected/, (words) => paint(style, words));
}

/**
 * The result as lines for a terminal, a newline at the end of each.
 *
 * @param result what a run found
 * @param options colours and columns
 */
export function renderTerminal(result: Result, options: TerminalOptions): string {
  const width = Math.max(MIN_WIDTH, options.width);
  const paint: Paint = (style, text) => options.colour ? `\x1b[${SGR[style]}m${text}\x1b[0m` : text;
  const partial = interruptedWords(result).flatMap((words) => wrap(words, width).map((l) => paint("yellow", l)));
  const canary = result.cells.some((c) => c.canary) ? [...wrap(visible(canaryWords(result)), width), ""] : [];
  return [
    ...result.faults.flatMap((f) => faultLines(f, width, paint)),
    ...recordedLines(result, width, paint),
    ...unexpectedLines(result, width, paint),
    ...complaintLines(result, width, paint),
    ...differenceLines(result, width, paint),
    ...(result.mode === "hostile" ? hostileLines(result, width, paint) : expectedLines(result, width, paint)),
    ...matrixLines(result, width, paint),
    ...invariantLines(result, width, paint),
    ...canary,
    ...partial,
    lastLine(result, width, paint),
    "",
  ].join("\n");
}
