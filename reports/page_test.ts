import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { pageData, reportPage } from "./page.ts";
import { bigResult, HOSTILE_NAME, sampleFinding, sampleResult } from "./sample_test_data.ts";
import { kunitFiles } from "./kunit/files.ts";
import { fullResult, longProgram, manyResult, smallResult, stored } from "./viewer/testing/sample.ts";
import type { PageData } from "./viewer/data.ts";
import { parseRoute, routeHash } from "./viewer/route.ts";

/** What a page carries, as its script reads it. */
function embedded(html: string): PageData {
  const from = html.indexOf('id="data">') + 10;
  return JSON.parse(html.slice(from, html.indexOf("</script>", from)));
}

Deno.test("the page carries the whole result, and is the same for the same result", () => {
  const html = reportPage(smallResult());
  assertEquals(embedded(html).findings.length, smallResult().findings.length);
  assertEquals(html, reportPage(smallResult()));
  assertEquals(embedded(html).rows.length, 5);
});

Deno.test("no text of a result can end the script, begin an element or turn the line round", () => {
  for (const result of [smallResult(), sampleResult({ findings: [sampleFinding({ discipline: "</script><b>" })] })]) {
    const html = reportPage(result);
    const data = html.slice(html.indexOf('id="data">') + 10, html.lastIndexOf('<script type="module">'));
    assertEquals(data.replace(/<\/script>\s*$/, "").includes("<"), false);
    assertEquals(["\u202e", "\x1b", "\ud800"].filter((c) => data.includes(c)), []);
    assertEquals(html.match(/<script/g)?.length, 2);
  }
  assert(JSON.stringify(pageData(smallResult())).includes(HOSTILE_NAME.slice(0, 28)));
});

Deno.test("the page allows its own script and style, and nothing from a network", () => {
  const html = reportPage(smallResult());
  assert(
    /content="default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; img-src data:; /.test(html),
  );
  assertEquals(/(src|href)="(?!data:)/.test(html), false);
});

Deno.test("findings of one program share its steps, and kernels of one layout share that", () => {
  const { programs, layouts, findings } = pageData(smallResult());
  assertEquals(programs.length, 5);
  assert(findings.length > 10);
  assert(layouts.length < programs.length);
});

Deno.test("a program that is too long for the page is shown as text, and the page stays small", () => {
  const long = sampleFinding({ program: longProgram(18_000) });
  const { findings, programs } = pageData(sampleResult({ findings: [long, sampleFinding()] }));
  assertEquals([findings[0]!.program, programs.length], [-1, 1]);
  const page = reportPage(manyResult(500));
  assert(page.length < 4_000_000, `${page.length} bytes`);
});

Deno.test("a program that this ptfuzz cannot read does not cost the report", () => {
  const bad = sampleFinding({ program: "kernel 99\n" });
  const { findings } = pageData(sampleResult({ findings: [bad] }));
  assertEquals([findings[0]!.program, findings[0]!.text], [-1, "kernel 99\n"]);
  reportPage(bigResult());
});

Deno.test("the page's KUnit tests are those that lie beside it, each once", () => {
  const result = fullResult();
  const { tests, findings } = pageData(result);
  const files = [...kunitFiles(result.findings).values()].filter((f) => f.test.reason === undefined);
  assertEquals(tests.map((t) => t.file), files.map((f) => `kunit/${f.name}`));
  assertEquals(tests.map((t) => t.text.trim().length > 500), files.map(() => true));
  for (const f of findings) assertEquals(f.test >= 0, f.noTest === "", f.title);
});

Deno.test("the verdict, the canary and what never ran are said", () => {
  const data = pageData(sampleResult());
  assertEquals(data.ok, false);
  assertStringIncludes(data.summary.join(" "), "2 unexpected");
  assertStringIncludes(data.summary.join(" "), "Canaries");
  assertEquals(data.complaints.length, 3);
  assert(data.neverCalled.includes("put_page") && !data.neverCalled.includes("alloc_pages"));
  assertEquals(stored("mips-kvm-pgd").includes("kernel 6.12"), true);
});

Deno.test("an address names a finding and a step, and everything else is the overview", () => {
  assertEquals(parseRoute("#finding/3/step/4"), { finding: 3, step: 4 });
  assertEquals(parseRoute("#finding/3/step/end"), { finding: 3, step: "end" });
  assertEquals(parseRoute("#finding/3"), { finding: 3 });
  for (const hash of ["", "#", "#finding/", "#finding/x", "#finding/1/step/-1", "#finding/1/step/1/2"]) {
    assertEquals(parseRoute(hash), {});
  }
  for (const route of [{}, { finding: 3 }, { finding: 3, step: 0 }, { finding: 3, step: "end" as const }]) {
    assertEquals(parseRoute(routeHash(route)), route);
  }
});
