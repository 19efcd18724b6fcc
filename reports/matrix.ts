/**
 * What several renderings need of a result: the matrix of kernels and
 * disciplines, findings worst first, the verdict, the canary's line.
 *
 * @module
 */
import { SEVERITIES, type Severity } from "../core/ledger/invariants.ts";
import type { Cell, ReportedFinding, Result, WorkerFault } from "../corpus/result.ts";
import { count, grouped, listed } from "./text.ts";

/** How a cell came out, for colours: as expected, something new, something missing, not run. */
export type CellState = "ok" | "expected" | "new" | "missing" | "none";

/** A discipline's row. */
export interface Row {
  /** Its name as given, with the configuration where there is one. */
  readonly label: string;
  readonly hypothetical: boolean;
  readonly canary: boolean;
  /** By kernel. */
  readonly cells: ReadonlyMap<string, { readonly text: string; readonly state: CellState }>;
}

/** Kernels × disciplines. */
export interface Matrix {
  readonly kernels: readonly string[];
  readonly rows: readonly Row[];
}

/** What each severity means, in words. */
export const SEVERITY_WORDS: Readonly<Record<Severity, string>> = {
  corruption: "memory is freed twice, or in use by two",
  crash: "the kernel would BUG",
  leak: "memory is lost until the next boot",
  latent: "harmless today only because page, folio and ptdesc are one piece of memory, or because an order is 0",
  theoretical: "no real code does such an environment step; outside the exit status",
};

/** What is not as expected, and where: cells, then stored programs. */
export function complaintsOf(result: Result): { readonly where: string; readonly complaints: readonly string[] }[] {
  return [
    ...result.cells.filter((c) => c.complaints.length > 0)
      .map((c) => ({ where: `${disciplineLabel(c)} on ${c.kernel}`, complaints: c.complaints })),
    ...result.replayed.filter((r) => !r.ok).map((r) => ({ where: r.file, complaints: r.complaints })),
  ];
}

/** Of a worker that died: where, and what was said. */
export function faultWords(fault: WorkerFault): string {
  return `A worker of ptfuzz died on ${fault.discipline}, ${fault.kernel} (${fault.error}): ` +
    "the rest of its part did not run. Please report it with the program that it ran:";
}

/** Of a run that did not use its budget: why, as a sentence. */
export function interruptedWords(result: Result): string[] {
  if (!result.interrupted) return [];
  const before = result.task === "trace" ? "the recordings were read to their end" : "its budget was used";
  return [`This report is partial: the run was stopped before ${before}.`];
}

/** `s390/crst [DEBUG_VM]`: a discipline with the configuration it ran under. */
export function disciplineLabel(cell: { readonly discipline: string; readonly config: readonly string[] }): string {
  return cell.config.length === 0 ? cell.discipline : `${cell.discipline} [${cell.config.join(", ")}]`;
}

/** What a finding is not, though it was found: a kernel's bug. */
export type Note = "hypothetical" | "canary" | "";

/** The same as sentences. */
export const NOTE_WORDS: Readonly<Record<Note, string>> = {
  hypothetical: "No kernel does this: the discipline is hypothetical.",
  canary: "The discipline is a canary, wrong on purpose: a search that does not find it proves nothing.",
  "": "",
};

/** Says of findings whether their discipline describes what no kernel does. */
export function notesOf(result: Result): (finding: ReportedFinding) => Note {
  const key = (c: Pick<Cell, "kernel" | "arch" | "config" | "discipline">): string =>
    JSON.stringify([c.kernel, c.arch, c.config, c.discipline]);
  const notes = new Map(
    result.cells.map((c): [string, Note] => [key(c), c.canary ? "canary" : c.hypothetical ? "hypothetical" : ""]),
  );
  return (finding) => notes.get(key(finding)) ?? "";
}

/** `page-leak (3 pages)`: the invariant as `finding` lines write it. */
export function findingTitle(finding: ReportedFinding): string {
  return finding.pages === 0 ? finding.invariant : `${finding.invariant} (${count(finding.pages, "page")})`;
}

/** Findings for reading: unexpected before expected, worst first, else in the order of the result. */
export function worstFirst(findings: readonly ReportedFinding[]): ReportedFinding[] {
  const rank = (f: ReportedFinding) => (f.expected ? SEVERITIES.length : 0) + SEVERITIES.indexOf(f.severity);
  return findings.toSorted((a, b) => rank(a) - rank(b));
}

/** Which of the kernel's own checks would have said something, as a sentence. */
export function seenByWords(finding: ReportedFinding): string {
  if (finding.seenBy.length === 0) return "None of the kernel's own checks would have said anything.";
  return `Of the kernel's own checks, ${listed(finding.seenBy)} would have said something.`;
}

/** What is said of programs that a real kernel ran otherwise than the model. */
export function differenceWords(programs: number): string {
  return `${count(programs, "program")} ran otherwise than on the model of this version. That alone is no finding, ` +
    "and outside the exit status: a patch may change behaviour. The first, shrunk:";
}

/** Whether nothing is to be complained about: exit status 0. */
export function isAsExpected(result: Result): boolean {
  return result.unexpected === 0 && result.faults.length === 0 && result.cells.every((c) => c.as_expected) &&
    result.replayed.every((r) => r.ok);
}

/** Canaries that are named where they were not found. */
const NAMED_CANARIES = 5;

/** Whether every canary was found, as a sentence. */
export function canaryWords(result: Result): string {
  const canaries = result.cells.filter((c) => c.canary);
  if (canaries.length === 0) return "No canary ran: nothing shows that this search can find anything.";
  const missed = canaries.filter((c) => c.findings.length === 0).map((c) => `${disciplineLabel(c)} on ${c.kernel}`);
  if (missed.length === 0) {
    return `Canaries, wrong on purpose: ${grouped(canaries.length)} of ${grouped(canaries.length)} found.`;
  }
  const rest = missed.length - NAMED_CANARIES;
  const names = [...missed.slice(0, NAMED_CANARIES), ...(rest > 0 ? [`${rest} more`] : [])];
  return `Canaries, wrong on purpose: ${missed.length} of ${canaries.length} NOT found (${listed(names)}), ` +
    "so the run proves nothing there.";
}

/** The matrix of a result, rows and columns in the order of its cells. */
export function matrixOf(result: Result): Matrix {
  const findings = new Map(result.findings.map((f) => [f.signature, f]));
  const kernels = [...new Set(result.cells.map((c) => c.kernel))];
  const rows = new Map<string, Row & { cells: Map<string, { text: string; state: CellState }> }>();
  const archs = new Map<string, Set<string>>();
  for (const cell of result.cells) {
    const label = disciplineLabel(cell);
    archs.set(label, (archs.get(label) ?? new Set()).add(cell.arch));
  }
  for (const cell of result.cells) {
    const name = disciplineLabel(cell);
    const label = (archs.get(name)?.size ?? 0) > 1 ? `${name} on ${cell.arch}` : name;
    let row = rows.get(label);
    if (row === undefined) {
      row = { label, hypothetical: cell.hypothetical, canary: cell.canary, cells: new Map() };
      rows.set(label, row);
    }
    row.cells.set(cell.kernel, cellWords(cell, findings, result.interrupted));
  }
  return { kernels, rows: [...rows.values()] };
}

function cellWords(
  cell: Cell,
  findings: ReadonlyMap<string, ReportedFinding>,
  interrupted: boolean,
): { text: string; state: CellState } {
  const own = cell.findings.flatMap((signature) => findings.get(signature) ?? []);
  const unexpected = own.filter((f) => !f.expected && f.severity !== "theoretical").length;
  if (unexpected > 0) return { text: `${unexpected} NEW`, state: "new" };
  if (!cell.as_expected) return { text: "missing", state: "missing" };
  const expected = own.filter((f) => f.expected).length;
  if (expected > 0) return { text: `${expected} expected`, state: "expected" };
  if (own.length > 0) return { text: `${own.length} theory`, state: "expected" };
  if (interrupted && cell.programs === 0) return { text: "not run", state: "none" };
  return { text: "ok", state: "ok" };
}
