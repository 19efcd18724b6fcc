import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { findSource, hasSource } from "../oracle/source.ts";
import type { Result } from "../corpus/result.ts";
import { reportKtap } from "./ktap.ts";
import { bigResult, HOSTILE_NAME, sampleCell, sampleResult } from "./sample_test_data.ts";
import { parseWithKunit } from "./kunit_parse_test_data.ts";
import { suitesOf } from "./suites.ts";
import { smallResult } from "./viewer/testing/sample.ts";

const clean = sampleResult({
  findings: [],
  cells: [sampleCell(), sampleCell({ kernel: "6.12" })],
  replayed: [],
  unexpected: 0,
});
const empty = sampleResult({ findings: [], cells: [], replayed: [], unexpected: 0 });

Deno.test("a kernel is a subtest, a discipline a test, and why it failed stands before it", () => {
  const lines = reportKtap(sampleResult()).split("\n");
  assertEquals(lines.slice(0, 6), [
    "KTAP version 1",
    "1..4",
    "  KTAP version 1",
    "  # Subtest: v2",
    "  1..1",
    "  ok 1 s390/crst-half (s390)",
  ]);
  const at = lines.indexOf("  not ok 2 generic/pte (generic)");
  assert(at > 0, lines.join("\n"));
  assertStringIncludes(lines.slice(0, at).join("\n"), "  #   double-free was not expected.");
  assertStringIncludes(lines.slice(0, at).join("\n"), "  #   ptdesc_free(d0)");
});

Deno.test("no name can begin a directive or another test", () => {
  const text = reportKtap(sampleResult({ cells: [sampleCell({ discipline: `a # SKIP\nok 1 b ${HOSTILE_NAME}` })] }));
  assertStringIncludes(text, "  ok 1 a \\x23 SKIP\\nok 1 b <img src=x onerror=alert(1)>");
  assertEquals(text.split("\n").filter((l) => /^\s*(ok|not ok) .*#/.test(l)), []);
  assertEquals(reportKtap(empty), "KTAP version 1\n1..1\nok 1 ptfuzz # SKIP nothing was run\n");
});

const source = hasSource("6.12");

Deno.test({
  name: source
    ? "kunit.py parse reads every test with its result"
    : "kunit.py parse reads every test with its result (skipped: there is no kernel source here; 'apt-get install linux-source-6.12' brings it)",
  ignore: !source,
  async fn() {
    const results: Result[] = [clean, sampleResult(), smallResult(), bigResult(2, 20), empty];
    const read = await parseWithKunit(findSource("6.12"), results.map(reportKtap));
    for (const [i, result] of results.entries()) {
      const cases = suitesOf(result).flatMap((s) => s.cases);
      const failed = cases.filter((c) => c.failure !== undefined).length;
      const said = read[i]!;
      assertEquals(/\[ERROR\]|error:/i.test(said.output.replace(/onerror=/g, "")), false, said.output);
      const [, total, rest] = /Ran (\d+) tests?: (.*)/.exec(said.output) ?? [];
      if (cases.length === 0) {
        assertEquals([total, rest], ["1", "skipped: 1"]);
        continue;
      }
      assertEquals(Number(total), cases.length, said.output);
      const parts = [
        ...(cases.length > failed ? [`passed: ${cases.length - failed}`] : []),
        ...(failed > 0 ? [`failed: ${failed}`] : []),
      ];
      assertEquals(rest, parts.join(", "));
      assertEquals(said.ok, failed === 0);
    }
  },
});
