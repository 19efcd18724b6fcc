/**
 * `junit.xml`: a suite for each kernel with a case for each discipline, and a
 * suite of the stored programs, for CI systems that show such files.
 *
 * @module
 */
import { create } from "xmlbuilder2";
import { failures, suitesOf } from "./suites.ts";
import type { Result } from "../corpus/result.ts";

/** The text without what XML 1.0 cannot hold: controls, halves of surrogate pairs, U+FFFE and U+FFFF. */
function xmlText(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/[^\P{Cc}\t\n]|[\p{Cs}\ufffe\uffff]/gu, "");
}

/** The same on one line, for an attribute. */
function xmlLine(text: string): string {
  return xmlText(text).replace(/\s+/g, " ").trim();
}

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
