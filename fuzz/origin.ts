/**
 * Where a discipline says what broke: its file and line, the functions it was
 * read from, and the reason it gives.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { isAbsolute, relative } from "@std/path";
import { parseKernelName } from "../core/kernel/names.ts";
import type { FindingOrigin, ReportedFinding } from "../corpus/result.ts";
import { CORPUS_DIRECTORY } from "../corpus/files.ts";
import { type CellPlan, expectationsOn } from "./cells.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** A file's name as reports carry it: what is shipped as seen from the repository, whoever's machine it is on. */
function reportedFile(file: string): string {
  const shipped = isAbsolute(file) && file.startsWith(`${CORPUS_DIRECTORY}/`);
  return (shipped ? relative(ROOT, file) : file).replaceAll("\\", "/");
}

/**
 * The line of a discipline's text that makes a call: in a path that frees or
 * fails, else anywhere, else the line with its name. Lines count from 1.
 */
export function lineOfCall(text: string, call: string): number {
  const lines = text.split("\n");
  const calls = (line: string) => !line.trimStart().startsWith("#") && line.includes(`${call}(`);
  let table = "";
  let first: number | undefined;
  for (const [i, line] of lines.entries()) {
    const header = /^\s*\[\[?\s*([\w-]+)/.exec(line);
    if (header !== null) table = header[1]!;
    if (!calls(line)) continue;
    if (table === "free" || table === "fail") return i + 1;
    first ??= i + 1;
  }
  return first ?? Math.max(0, lines.findIndex((line) => /^\s*name\s*=/.test(line))) + 1;
}

/** The finding with where its discipline says it; one of no discipline as it is. */
export function withOrigin(finding: ReportedFinding, cell: CellPlan | undefined): ReportedFinding {
  if (cell === undefined) return finding;
  const { discipline, text } = cell.loaded;
  const base = parseKernelName(cell.kernel)?.base;
  const expects = expectationsOn(discipline, cell.kernel).find((e) => e.invariants.includes(finding.invariant));
  const origin: FindingOrigin = {
    file: reportedFile(discipline.file),
    line: lineOfCall(text, finding.call),
    source: discipline.source
      .filter(({ kernels }) => kernels.length === 0 || (base !== undefined && kernels.includes(base)))
      .map(({ path, name }) => `${path}:${name}`),
    why: finding.expected ? expects?.why ?? "" : "",
  };
  return { ...finding, origin };
}
