/**
 * A result as suites of cases, for the formats of test runners: a suite for
 * each kernel with a case for each discipline, and one of the stored programs.
 *
 * @module
 */
import { disciplineLabel, findingTitle, seenByWords, worstFirst } from "./matrix.ts";
import type { Cell, ReportedFinding, Result } from "../corpus/result.ts";

/** What was tried. */
export interface Case {
  readonly name: string;
  /** First line and text of the failure; missing where it passed. */
  readonly failure?: { readonly message: string; readonly text: string };
}

/** Cases that belong together. */
export interface Suite {
  readonly name: string;
  readonly cases: readonly Case[];
}

function findingText(finding: ReportedFinding): string {
  return [
    `${findingTitle(finding)}, ${finding.severity}: ${finding.explanation}`,
    finding.program.trimEnd(),
    `Kernel source: ${finding.source}. ${seenByWords(finding)}`,
  ].join("\n\n");
}

function cellCase(cell: Cell, findings: ReadonlyMap<string, ReportedFinding>): Case {
  const name = `${disciplineLabel(cell)} (${cell.arch})`;
  if (cell.as_expected) return { name };
  const own = worstFirst(cell.findings.flatMap((s) => findings.get(s) ?? [])).filter((f) => !f.expected);
  const texts = [...cell.complaints, ...own.map(findingText)];
  return {
    name,
    failure: {
      message: cell.complaints[0] ??
        (own[0] === undefined ? "not as expected" : `not expected: ${findingTitle(own[0])}`),
      text: texts.join("\n\n"),
    },
  };
}

/** The suites of a result. */
export function suitesOf(result: Result): Suite[] {
  const findings = new Map(result.findings.map((f) => [f.signature, f]));
  const suites = [...Map.groupBy(result.cells, (c) => c.kernel)].map(([kernel, cells]) => ({
    name: kernel,
    cases: cells.map((c) => cellCase(c, findings)),
  }));
  if (result.replayed.length === 0) return suites;
  const cases = result.replayed.map((r): Case => {
    if (r.ok) return { name: r.file };
    return { name: r.file, failure: { message: r.complaints[0] ?? "not as claimed", text: r.complaints.join("\n") } };
  });
  return [...suites, { name: "stored programs", cases }];
}

/** How many cases of a suite failed. */
export function failures(suite: Suite): number {
  return suite.cases.filter((c) => c.failure !== undefined).length;
}
