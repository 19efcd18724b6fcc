import assert from "node:assert/strict";
import { SEVERITIES, type Severity } from "../core/ledger/invariants.ts";
import { escapeMarkdown, fenced, MARKDOWN_LIMIT, reportMarkdown } from "./markdown.ts";
import { bigResult, HOSTILE_NAME, sampleCell, sampleFinding, sampleResult } from "./sample_test_data.ts";

const size = (text: string) => new TextEncoder().encode(text).length;

Deno.test("escapeMarkdown() leaves no tag, cell border, link, emphasis or code", () => {
  const text = escapeMarkdown(HOSTILE_NAME);
  assert.ok(!/[<>|]|\p{C}/u.test(text), text);
  assert.ok(!/(?<!\\)[`*_[\]#]/.test(text.replace(/&#\d+;/g, "")), text);
  assert.ok(text.startsWith("&lt;img src=x onerror=alert(1)&gt;\\`&#124;\\*\\_\\[a\\]"));
  assert.ok(text.endsWith("&amp;amp;"));
});

Deno.test("escapeMarkdown() starts no list or rule, and leaves versions and functions alone", () => {
  assert.deepEqual(
    ["- a", "1. a", "---", "6.12", "-x", "mm/page_alloc.c", "+ b", "\\|"].map(escapeMarkdown),
    ["\\- a", "1\\. a", "\\---", "6.12", "-x", "mm/page\\_alloc.c", "\\+ b", "&#92;&#124;"],
  );
});

Deno.test("fenced() takes a fence longer than any run of backticks inside", () => {
  assert.equal(fenced("a\n"), "```text\na\n```");
  assert.equal(fenced("```\n`````x\n"), "``````text\n```\n`````x\n``````");
});

Deno.test("the report names findings first, unexpected before expected, then matrix, invariants and canary", () => {
  const text = reportMarkdown(sampleResult());
  const places = [
    "# ptfuzz: NOT as expected",
    "## Unexpected findings",
    "### NEW: double-free in generic/pte on 6.12",
    "## Expected findings",
    "page-leak (3 pages)",
    "## Kernels × disciplines",
    "| s390/crst-half | 1 expected | missing | - |",
    "| generic/pte | - | 1 NEW | ok |",
    "## Invariants",
    "Canaries, wrong on purpose: 1 of 1 found.",
  ].map((part) => text.indexOf(part));
  assert.ok(!places.includes(-1), JSON.stringify(places) + text);
  assert.deepEqual(places, places.toSorted((a, b) => a - b));
  assert.match(text, /Of the kernel's own checks, DEBUG\\_VM and page\\_owner would have said something/);
});

Deno.test("a canary that was not found is said", () => {
  const text = reportMarkdown(sampleResult({ cells: [sampleCell({ canary: true, as_expected: false })] }));
  assert.match(text, /wrong on purpose: 1 of 1 NOT found \(s390\/crst-half on v2\)/);
});

Deno.test("no name of anyone reaches HTML outside of a fence", () => {
  const names = { discipline: HOSTILE_NAME, explanation: HOSTILE_NAME, source: HOSTILE_NAME };
  for (const expected of [false, true]) {
    const findings = [sampleFinding({ ...names, expected, program: "kernel v2\n# ```\n" })];
    const text = reportMarkdown(sampleResult({
      findings,
      cells: [sampleCell({ discipline: HOSTILE_NAME, as_expected: false, complaints: [HOSTILE_NAME] })],
      replayed: [{ file: HOSTILE_NAME, ok: false, complaints: [HOSTILE_NAME] }],
    }));
    assert.ok(!text.includes("<img"));
    assert.ok(!text.includes("\x1b"));
  }
});

Deno.test("a report stays below the limit and says how many findings are left out", () => {
  const findings = Array.from(
    { length: 3000 },
    (_, i) => sampleFinding({ discipline: `d${i}`, program: "kernel v2\n" + "# x\n".repeat(100) }),
  );
  const cells = findings.map((f) =>
    sampleCell({
      discipline: f.discipline.repeat(50),
      findings: [f.signature],
      as_expected: false,
      complaints: [f.program],
    })
  );
  const text = reportMarkdown(sampleResult({ findings, cells }));
  assert.ok(size(text) <= MARKDOWN_LIMIT, String(size(text)));
  assert.ok(size(text) > MARKDOWN_LIMIT / 2);
  const left = Number(/([\d,]+) findings more are left out here/.exec(text)?.[1]?.replace(",", ""));
  assert.equal(left, 3000 - (text.match(/^### NEW/gm) ?? []).length);
  assert.ok(size(reportMarkdown(bigResult(), 20_000)) <= 20_000);
});

Deno.test("500 findings stay within 1 MiB, and the worst are there first", () => {
  const findings = Array.from({ length: 500 }, (_, i) =>
    sampleFinding({
      discipline: `table/${i}`,
      severity: SEVERITIES[i % SEVERITIES.length]!,
      expected: i % 2 === 0,
      program: `kernel 6.12\n${"p0 = alloc_page(GFP_KERNEL)\nput_page(p0)\n".repeat(50)}`,
    }));
  const text = reportMarkdown(sampleResult({ findings }));
  assert.ok(new TextEncoder().encode(text).length < 2 ** 20);
  const shown = [...text.matchAll(/^\*\*(\w+)\*\*: /gm)].map(([, severity]) =>
    SEVERITIES.indexOf(severity as Severity)
  );
  const fresh = shown.slice(0, 250);
  assert.deepEqual(fresh, fresh.toSorted());
  assert.equal(fresh.filter((s) => s === 0).length, 50);
});
