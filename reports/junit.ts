/**
 * `junit.xml`: a suite for each kernel with a case for each discipline, and a
 * suite of the stored programs, for CI systems that show such files.
 *
 * @module
 */
import { XMLBuilder } from "fast-xml-parser";
import { failures, suitesOf } from "./suites.ts";
import type { Result } from "../corpus/result.ts";

const BUILDER = new XMLBuilder({
  attributeNamePrefix: "@",
  format: true,
  ignoreAttributes: false,
  suppressEmptyNode: true,
});

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
  const testsuites = {
    "@name": "ptfuzz",
    "@tests": suites.reduce((sum, s) => sum + s.cases.length, 0),
    "@failures": suites.reduce((sum, s) => sum + failures(s), 0),
    testsuite: suites.map((suite) => ({
      "@name": xmlLine(suite.name),
      "@tests": suite.cases.length,
      "@failures": failures(suite),
      testcase: suite.cases.map(({ name, failure }) => ({
        "@classname": `ptfuzz.${xmlLine(suite.name)}`,
        "@name": xmlLine(name),
        ...(failure && { failure: { "@message": xmlLine(failure.message), "#text": xmlText(failure.text) } }),
      })),
    })),
  };
  return BUILDER.build({ "?xml": { "@version": "1.0", "@encoding": "UTF-8" }, testsuites });
}
