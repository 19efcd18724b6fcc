import assert from "node:assert/strict";
import { validateXML } from "xmllint-wasm";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { reportJunit } from "./junit.ts";
import { bigResult, HOSTILE_NAME, sampleCell, sampleResult } from "./sample_test_data.ts";

interface Case {
  name: string;
  failure?: { message: string; "#text": string };
}
interface Suites {
  tests: string;
  failures: string;
  testsuite: { name: string; tests: string; failures: string; testcase: Case[] }[];
}

function parsed(xml: string): Suites {
  assert.equal(XMLValidator.validate(xml), true);
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "",
    isArray: (name: string) => ["testsuite", "testcase"].includes(name),
  });
  return parser.parse(xml).testsuites;
}

Deno.test("a suite for each kernel, a case for each discipline, and a suite of stored programs", () => {
  const suites = parsed(reportJunit(sampleResult()));
  assert.deepEqual(suites.testsuite.map((s) => [s.name, s.tests, s.failures]), [
    ["v2", "1", "0"],
    ["6.12", "3", "2"],
    ["6.6", "1", "0"],
    ["stored programs", "2", "1"],
  ]);
  assert.deepEqual([suites.tests, suites.failures], ["7", "3"]);
});

Deno.test("a failure holds the complaints and the unexpected findings with their programs", () => {
  const failure = parsed(reportJunit(sampleResult())).testsuite[1]?.testcase[1]?.failure;
  assert.equal(failure?.message, "double-free was not expected.");
  assert.match(failure?.["#text"] ?? "", /double-free, corruption[\s\S]*p0 = alloc_pages\(GFP_KERNEL, 2\)/);
});

Deno.test("what XML cannot hold is left out, the rest survives", () => {
  const name = `${HOSTILE_NAME}\u0000\u0008\ufffe\uffff]]>"'`;
  const xml = reportJunit(
    sampleResult({ cells: [sampleCell({ discipline: name, as_expected: false, complaints: [name] })] }),
  );
  // deno-lint-ignore no-control-regex
  assert.ok(!/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]|\p{Cs}/u.test(xml));
  const [testcase] = parsed(xml).testsuite[0]?.testcase ?? [];
  assert.ok(testcase?.name.startsWith("<img src=x onerror=alert(1)>`|*_[a](http://b)# [31mred"), testcase?.name);
  assert.match(testcase?.failure?.["#text"] ?? "", /\]\]>"'$/);
});

Deno.test("a large and an empty result are well-formed", () => {
  parsed(reportJunit(bigResult()));
  assert.equal(XMLValidator.validate(reportJunit(sampleResult({ cells: [], replayed: [] }))), true);
});

Deno.test("junit.xml is valid by Jenkins' schema, whatever the names are", async () => {
  const schema = await Deno.readTextFile(new URL("./schemas/junit.xsd", import.meta.url));
  const texts = [sampleResult(), bigResult(), sampleResult({ cells: [], replayed: [] })].map(reportJunit);
  const valid = await validateXML({ xml: texts.map((contents, i) => ({ fileName: `${i}.xml`, contents })), schema });
  assert.deepEqual(valid.errors, []);
  const wrong = texts[0]!.replace("<testcase ", '<testcase nam="x" ');
  assert.equal((await validateXML({ xml: [{ fileName: "wrong.xml", contents: wrong }], schema })).valid, false);
});
