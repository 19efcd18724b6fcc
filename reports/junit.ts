/**
 * `junit.xml`: a suite for each kernel with a case for each discipline, and a
 * suite of the stored programs, for CI systems that show such files.
 *
 * @module
 */
import { create } from "xmlbuilder2";
import { disciplineLabel, findingTitle, seenByWords, worstFirst } from "./matrix.ts";
import type { Cell, ReportedFinding, Result } from "../corpus/result.ts";

interface Case {
  readonly name: string;
  /** First line and text of the failure, or undefined. */
  readonly failure?: { readonly message: string; readonly text: string };
}

interface Suite {
  readonly name: string;
  readonly cases: readonly Case[];
}

/** The text without what XML 1.0 cannot hold: controls, halves of surrogate pairs, U+FFFE and U+FFFF. */
function xmlText(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/[^\P{Cc}\t\n]|[\p{Cs}\ufffe\uffff]/gu, "");
}

/** The same on one line, for an attribute. */
function xmlLine(text: string): string {
  return xmlText(text).replace(/\s+/g, " ").trim();
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

function suitesOf(result: Result): Suite[] {
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

const failures = (suite: Suite): number => suite.cases.filter((c) => c.failure !== undefined).length;

/** The text of `junit.xml`. It names no times: those are in `timing.json`. */
export function reportJunit(result: Result): string {
  const suites = suitesOf(result);
  const root = create({ version: "1.0", encoding: "UTF-8" }).ele("testsuites", {
    name: "ptfuzz",
    tests: suites.reduce((sum, s) => sum + s.cases.length, 0),
    failures: suites.reduce((sum, s) => sum + failures(s), 0),
  });
  for (const suite of suites) {
    const element = root.ele("testsuite", {
      name: xmlLine(suite.name),
      tests: suite.cases.length,
      failures: failures(suite),
    });
    for (const { name, failure } of suite.cases) {
      const testcase = element.ele("testcase", { classname: `ptfuzz.${xmlLine(suite.name)}`, name: xmlLine(name) });
      if (failure === undefined) continue;
      testcase.ele("failure", { message: xmlLine(failure.message) }).txt(xmlText(failure.text));
    }
  }
  return root.end({ prettyPrint: true }) + "\n";
}
