/**
 * `index.html`: the result as one page that opens from disk and asks no network
 * for anything.
 *
 * The page is its data and two files that are built beforehand (`viewer/built/`,
 * by `deno task viewer`). Its Content-Security-Policy allows that one script and
 * that one style and nothing else, so that even a name that got past the
 * escaping could neither run nor load anything.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { callName, CALLS } from "../core/program/calls.ts";
import { InputError } from "../core/program/input_error.ts";
import { parseProgram } from "../core/program/parse.ts";
import { type Program, STEP_WORDS } from "../core/program/program.ts";
import { recordSteps } from "../core/program/steps/record.ts";
import { machineFor } from "../corpus/machine_for.ts";
import { invariantById, SEVERITIES } from "../core/ledger/invariants.ts";
import type { ReportedFinding, Result } from "../corpus/result.ts";
import {
  canaryWords,
  complaintsOf,
  differenceWords,
  disciplineLabel,
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
} from "./matrix.ts";
import { KUNIT_DIR, type KunitFile, kunitFiles } from "./kunit/files.ts";
import { MEMDESC_WORDS, memdescRows } from "./memdesc_table.ts";
import { recordingLines, recordingsWords } from "./recordings.ts";
import { count, grouped, visible, visibleLines } from "./text.ts";
import type { PageData, PageProgram } from "./viewer/data.ts";

/** Bytes that the programs of a page may take; what does not fit is shown as text. */
const PROGRAMS_LIMIT = 24_000_000;
/** Stops × pages of a program that the page steps through. */
const STEPS_LIMIT = 4_000_000;

/** Columns of what a recording shows. */
const RECORDING_WIDTH = 110;

/** A file of the built viewer. */
function built(name: string): string {
  return Deno.readTextFileSync(new URL(`./viewer/built/${name}`, import.meta.url));
}

/** Every program once, however many findings it shows. */
class Programs {
  readonly layouts: PageData["layouts"][number][] = [];
  readonly programs: PageProgram[] = [];
  readonly #byText = new Map<string, number>();
  #left = PROGRAMS_LIMIT;

  /** Index of a finding's program, or -1 where it is too long. */
  add(text: string): number {
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const index = this.#record(text);
    this.#byText.set(text, index);
    return index;
  }

  #record(text: string): number {
    let program: Program;
    try {
      program = parseProgram(text, "the program of a finding");
    } catch (error) {
      if (error instanceof InputError) return -1;
      throw error;
    }
    if ((program.code.length / STEP_WORDS) * program.pages > STEPS_LIMIT) return -1;
    const { layout: facts, lists, ...steps } = recordSteps(program, machineFor(program));
    const shared = JSON.stringify({ facts, lists });
    let layout = this.layouts.findIndex((l) => JSON.stringify(l) === shared);
    if (layout < 0) layout = this.layouts.push({ facts, lists }) - 1;
    const page: PageProgram = { ...steps, layout };
    this.#left -= JSON.stringify(page).length;
    return this.#left < 0 ? -1 : this.programs.push(page) - 1;
  }
}

/** Bytes that the KUnit tests of a page may take; the others lie beside it all the same. */
const TESTS_LIMIT = 2_000_000;

/** Every KUnit test once. */
class Tests {
  readonly tests: PageData["tests"][number][] = [];
  readonly #files: ReadonlyMap<string, KunitFile>;
  readonly #byName = new Map<string, number>();
  #left = TESTS_LIMIT;

  constructor(findings: readonly ReportedFinding[]) {
    this.#files = kunitFiles(findings);
  }

  of(program: string): Pick<PageData["findings"][number], "test" | "noTest"> {
    const { name, test } = this.#files.get(program)!;
    if (test.reason !== undefined) return { test: -1, noTest: test.reason };
    let index = this.#byName.get(name);
    if (index === undefined) {
      this.#left -= test.text.length;
      const text = this.#left < 0 ? "" : visibleLines(test.text).join("\n") + "\n";
      index = this.tests.push({ file: `${KUNIT_DIR}/${name}`, text }) - 1;
      this.#byName.set(name, index);
    }
    return { test: index, noTest: "" };
  }
}

function findingOf(
  f: ReportedFinding,
  note: Note,
  programs: Programs,
  tests: Tests,
): PageData["findings"][number] {
  return {
    invariant: f.invariant,
    title: findingTitle(f),
    severity: f.severity,
    expected: f.expected,
    kernel: f.kernel,
    arch: f.arch,
    config: f.config,
    discipline: disciplineLabel(f),
    call: f.call,
    at: f.at,
    text: visibleLines(f.program).join("\n") + "\n",
    explanation: f.explanation,
    source: f.source,
    seenBy: seenByWords(f),
    origin: f.origin === undefined ? "" : `${f.origin.file}:${f.origin.line}`,
    why: f.origin?.why ?? "",
    note,
    noteWords: NOTE_WORDS[note],
    program: programs.add(f.program),
    ...tests.of(f.program),
  };
}

function summaryOf(result: Result): string[] {
  const programs = result.cells.reduce((sum, c) => sum + c.programs, 0);
  const expected = result.findings.filter((f) => f.expected).length;
  const wrong = result.replayed.filter((r) => !r.ok).length;
  return [
    ...interruptedWords(result),
    ...(result.recordings.length > 0 ? [`${result.task}: ${recordingsWords(result)}.`] : [
      `${result.task}, ${result.mode} mode: ${count(result.steps, "step")} in ${count(programs, "program")}, ` +
      `${count(expected, "finding")} expected, ${grouped(result.unexpected)} unexpected, seed ${result.seed}.`,
    ]),
    ...(result.pool === null
      ? []
      : [`It began with ${count(result.pool.programs, "program")} of a pool (${result.pool.hash}).`]),
    ...(result.cells.some((c) => c.canary) ? [canaryWords(result)] : []),
    ...(result.replayed.length > 0
      ? [`${count(result.replayed.length, "stored program")} replayed, ${grouped(wrong)} of them not as claimed.`]
      : []),
  ];
}

type Covered = Pick<PageData, "calls" | "callKernels" | "neverCalled" | "never" | "features">;

function callsOf(result: Result): Covered {
  const callKernels = [...new Set(result.calls.map((c) => c.kernel))];
  const counts = new Map(result.calls.map((c) => [`${c.kernel} ${c.call}`, [c.right, c.wrong] as const]));
  const names = [...new Set(result.calls.map((c) => c.call))];
  const features = result.cells.reduce((sum, c) => sum + c.features, 0);
  return {
    never: result.never,
    features: result.never.length === 0
      ? ""
      : `${count(features, "feature")} of behaviour were reached in ${
        count(result.cells.length, "cell")
      } (call, kind ` +
        "and state of its operands, outcome).",
    callKernels,
    calls: names.map((call) => ({ call, counts: callKernels.map((k) => counts.get(`${k} ${call}`) ?? [0, 0]) })),
    neverCalled: names.length === 0 ? [] : CALLS.map(callName).filter((name) => !names.includes(name)),
  };
}

/** What the page shows of a result. */
export function pageData(result: Result): PageData {
  const programs = new Programs();
  const { kernels, rows } = matrixOf(result);
  const tests = new Tests(result.findings);
  const note = notesOf(result);
  const findings = result.findings.map((f) => findingOf(f, note(f), programs, tests));
  const { differences } = result;
  return allVisible({
    tool: result.tool,
    ok: isAsExpected(result),
    summary: summaryOf(result),
    complaints: complaintsOf(result),
    kernels,
    rows: rows.map((row) => ({
      label: row.label,
      note: row.canary ? "canary" : row.hypothetical ? "hypothetical" : "",
      cells: kernels.map((kernel) => row.cells.get(kernel) ?? { text: "-", state: "none" }),
    })),
    findings,
    severities: SEVERITIES.map((id) => ({ id, words: SEVERITY_WORDS[id] })),
    invariants: result.invariants.flatMap(({ id, checks, violations }) => {
      const known = invariantById(id);
      if (known === undefined) return [];
      const { statement, severity, source } = known;
      return [{ id, statement, severity, source, checks, violations }];
    }),
    ...callsOf(result),
    faults: result.faults.map((f) => ({ words: faultWords(f), text: f.program })),
    recordings: result.recordings.map((r) => ({
      file: r.file,
      lines: recordingLines(r, RECORDING_WIDTH).filter((l) => l.kind !== "file"),
    })),
    differences: differences === undefined
      ? []
      : [{ words: differenceWords(differences.programs), text: differences.first }],
    memdesc: { words: MEMDESC_WORDS, rows: memdescRows(result.memdesc) },
    tests: tests.tests,
    layouts: programs.layouts,
    programs: programs.programs,
  });
}

/** The same with every text made {@linkcode visible}: no bidi override of a name turns the rest of the page round. */
function allVisible<T>(value: T): T {
  if (typeof value === "string") return value.split("\n").map(visible).join("\n") as T;
  if (Array.isArray(value)) {
    return (value.length > 0 && typeof value[0] === "number" ? value : value.map(allVisible)) as T;
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, allVisible(v)])) as T;
}

/** JSON inside a `script` element: no `<` can end it or begin a comment. */
function embedded(data: PageData): string {
  return JSON.stringify(data).replaceAll("<", "\\u003c");
}

const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** The text of `index.html`. */
export function reportPage(result: Result): string {
  const script = built("viewer.js");
  const style = built("viewer.css");
  const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; img-src data:; ` +
    "base-uri 'none'; form-action 'none'";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>ptfuzz report</title>
<style>${style}</style>
</head>
<body>
<div id="app"><p>This page needs JavaScript; report.md beside it says the same without.</p></div>
<script type="application/json" id="data">${embedded(pageData(result))}</script>
<script type="module">${script}</script>
</body>
</html>
`;
}
