import { assertEquals } from "@std/assert";
import type { ReportedFinding } from "../corpus/result.ts";
import { onePerSignature } from "./report_finding.ts";

function finding(signature: string, expected: boolean, program = ""): ReportedFinding {
  return { signature, expected, program } as ReportedFinding;
}

Deno.test("of findings with one signature, what nobody expects is never hidden by what is expected", () => {
  const innocent = finding("s", false);
  const misused = finding("s", true);
  const other = finding("t", true);
  assertEquals(onePerSignature([innocent, misused, other]), [innocent, other]);
  assertEquals(onePerSignature([misused, innocent, other]), [innocent, other]);
});
