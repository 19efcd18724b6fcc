import assert from "node:assert/strict";
import { bigResult, HOSTILE_NAME, sampleCell, sampleFinding, sampleResult } from "./sample_test_data.ts";
import { renderTerminal } from "./terminal.ts";
import { displayWidth } from "./text.ts";

const plain = { colour: false, width: 80 };

Deno.test("no line of a large result is wider than the terminal", () => {
  for (const width of [40, 80, 132]) {
    for (const line of renderTerminal(bigResult(), { colour: false, width }).split("\n")) {
      assert.ok(displayWidth(line) <= width, `${displayWidth(line)}: ${line}`);
    }
  }
});

Deno.test("the sample reads like this", () => {
  const text = renderTerminal(sampleResult(), plain);
  assert.ok(text.startsWith("NEW  double-free, corruption: generic/pte on 6.12, generic\n"), text);
  assert.match(text, /^s390\/crst-half {4}1 expected {2}missing {5}-$/m);
  assert.match(text, /^generic\/canary \* {2}- {11}1 expected {2}-$/m);
  assert.ok(text.endsWith("400,000 steps in 5,000 programs, 2 findings expected, 2 unexpected, seed 1\n"), text);
});

Deno.test("a clean result is a table and a line", () => {
  const result = sampleResult({ cells: [sampleCell()], findings: [], invariants: [], replayed: [], unexpected: 0 });
  assert.equal(
    renderTerminal(result, plain),
    "                v2\ns390/crst-half  ok\n\n100,000 steps in 1,000 programs, 0 findings expected, 0 unexpected, seed 1\n"
      .replace("100,000", "400,000"),
  );
});

Deno.test("a folded program can still be replayed: folded words are comments", () => {
  const text = renderTerminal(sampleResult({ cells: [], findings: [sampleFinding()] }), plain);
  const program = text.split("\n").filter((line) => /^ {4}\S/.test(line)).map((line) => line.slice(4));
  assert.deepEqual(program.slice(0, 3), ["kernel v2", "arch s390", "p0 = alloc_pages(GFP_KERNEL, 2)"]);
  assert.deepEqual(program.slice(-2), [
    "finding page-leak at 4 (3 pages): p0+1..p0+3 belong to nobody, because",
    "#   compound_order(p0) is 0 for a block of order 2",
  ]);
});

Deno.test("colours are used where asked for, and no escape of anyone's text passes", () => {
  assert.ok(renderTerminal(sampleResult(), { colour: true, width: 80 }).includes("\x1b[31m2 unexpected\x1b[0m"));
  const findings = [
    sampleFinding({ discipline: HOSTILE_NAME, program: HOSTILE_NAME, explanation: HOSTILE_NAME, source: HOSTILE_NAME }),
  ];
  const cells = [
    sampleCell({ discipline: HOSTILE_NAME, kernel: HOSTILE_NAME, as_expected: false, complaints: [HOSTILE_NAME] }),
  ];
  const text = renderTerminal(sampleResult({ findings, cells }), plain);
  assert.ok(!/[^\P{C}\n]/u.test(text), JSON.stringify(text));
  assert.match(text, /\\x1b\[31mred/);
});

Deno.test("what no real code does is not called new, nor counted as unexpected", () => {
  const findings = Array.from(
    { length: 50 },
    (_, i) => sampleFinding({ discipline: `d${i}`, severity: i < 5 ? "corruption" : "theoretical" }),
  );
  const text = renderTerminal(sampleResult({ findings, unexpected: 5 }), plain);
  assert.deepEqual([text.match(/^NEW /gm)?.length, text.match(/^also /gm)?.length], [5, 15]);
  assert.match(text, /^30 more theoretical findings: report\.json has all of them\.$/m);
  assert.doesNotMatch(text, /more unexpected/);
});

Deno.test("many unexpected findings are counted and not all printed", () => {
  const findings = Array.from({ length: 50 }, (_, i) => sampleFinding({ discipline: `d${i}` }));
  assert.match(
    renderTerminal(sampleResult({ findings }), plain),
    /^30 more unexpected findings: report\.json has all of them\.$/m,
  );
});

Deno.test("an expected finding of what no kernel does is marked as such", () => {
  const out = renderTerminal(
    sampleResult({
      cells: [
        sampleCell({ discipline: "a/real" }),
        sampleCell({ discipline: "a/thought", hypothetical: true }),
        sampleCell({ discipline: "a/canary", canary: true }),
      ],
      findings: ["real", "thought", "canary"].map((d) => sampleFinding({ discipline: `a/${d}`, expected: true })),
    }),
    { colour: false, width: 80 },
  );
  assert.match(out, /a\/real on v2\n.*a\/thought on v2 \(hyp\.\)\n.*a\/canary on v2 \*\n/);
});
