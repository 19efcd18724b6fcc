/**
 * `report.ktap`: the result as the Kernel Test Anything Protocol, version 1
 * (Documentation/dev-tools/ktap.rst), for `tools/testing/kunit/kunit.py parse`
 * and for CI that reads what kselftest and KUnit print.
 *
 * A subtest for each kernel, in it a test for each discipline. What a failure
 * has to say stands before its result, in diagnostic lines.
 *
 * @module
 */
import { type Case, failures, type Suite, suitesOf } from "./suites.ts";
import type { Result } from "../corpus/result.ts";
import { visible, visibleLines } from "./text.ts";

/** A test's name: on one line, and without what would begin a directive. */
function nameText(name: string): string {
  return visible(name).replaceAll("#", "\\x23").trim() || "unnamed";
}

/** Three spaces, so that no text can be taken for `# Subtest:`. */
function diagnostic(text: string): string[] {
  return visibleLines(text).map((line) => `#   ${line}`.trimEnd());
}

function caseLines({ name, failure }: Case, number: number): string[] {
  if (failure === undefined) return [`ok ${number} ${nameText(name)}`];
  const said = failure.text.includes(failure.message) ? failure.text : `${failure.message}\n${failure.text}`;
  return [...diagnostic(said), `not ok ${number} ${nameText(name)}`];
}

function suiteLines(suite: Suite, number: number): string[] {
  const failed = failures(suite);
  return [
    ...[
      "KTAP version 1",
      `# Subtest: ${nameText(suite.name)}`,
      `1..${suite.cases.length}`,
      ...suite.cases.flatMap((c, i) => caseLines(c, i + 1)),
    ].map((line) => `  ${line}`),
    `${failed === 0 ? "ok" : "not ok"} ${number} ${nameText(suite.name)}`,
  ];
}

/** The text of `report.ktap`. */
export function reportKtap(result: Result): string {
  const suites = suitesOf(result);
  const lines = suites.length === 0
    ? ["1..1", "ok 1 ptfuzz # SKIP nothing was run"]
    : [`1..${suites.length}`, ...suites.flatMap((s, i) => suiteLines(s, i + 1))];
  return ["KTAP version 1", ...lines].join("\n") + "\n";
}
