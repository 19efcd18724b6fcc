import { assert, assertEquals } from "@std/assert";
import AjvDraft04 from "ajv-draft-04";
import schema from "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json" with { type: "json" };
import { INVARIANTS } from "../core/ledger/invariants.ts";
import type { FindingOrigin, Result } from "../corpus/result.ts";
import { bigResult, HOSTILE_NAME, sampleFinding, sampleResult } from "./sample_test_data.ts";
import { kernelPlaces, reportSarif } from "./sarif.ts";
import { manyResult, smallResult } from "./viewer/testing/sample.ts";

/** What is used of ajv; the package for draft 4, in which SARIF's schema is written, has no types that Deno finds. */
interface Validator {
  addFormat(name: string, valid: (text: string) => boolean): void;
  compile(schema: unknown): ((value: unknown) => boolean) & { readonly errors?: readonly unknown[] | null };
}
const Ajv04 = AjvDraft04 as unknown as new (options: Record<string, boolean>) => Validator;
const ajv = new Ajv04({ strict: false, allErrors: true, unicodeRegExp: false });
// The formats that the schema names.
ajv.addFormat("uri", (text) => URL.canParse(text));
ajv.addFormat("uri-reference", (text) => URL.canParse(text, "file:///") && !/[\s<>"{}|\\^`]/.test(text));
ajv.addFormat("date-time", (text) => !Number.isNaN(Date.parse(text)));
const validate = ajv.compile(schema);

/** The run, of a text that is SARIF 2.1.0. */
function read(result: Result) {
  const log = JSON.parse(reportSarif(result));
  assert(validate(log), JSON.stringify(validate.errors?.slice(0, 5), null, 1));
  return log.runs[0];
}

const ORIGIN: FindingOrigin = {
  file: "corpus/disciplines/mips/kvm-pgd.toml",
  line: 29,
  source: ["arch/mips/kvm/mmu.c:kvm_pgd_alloc"],
  why: "PGD_TABLE_ORDER is 1",
};

Deno.test("what is written is SARIF 2.1.0, by its schema", () => {
  for (const result of [sampleResult(), smallResult(), bigResult(), manyResult(500), sampleResult({ findings: [] })]) {
    read(result);
  }
  const origins = ["/tmp/a b<c>.toml", `dir/${HOSTILE_NAME.toWellFormed()}.toml`, "C:/x y.toml"];
  read(
    sampleResult({ findings: origins.map((file) => sampleFinding({ discipline: file, origin: { ...ORIGIN, file } })) }),
  );
});

Deno.test("the schema would say what is wrong", () => {
  const log = JSON.parse(reportSarif(sampleResult()));
  log.runs[0].results[0].level = "leak";
  assertEquals(validate(log), false);
});

Deno.test("the rules are the invariants, and every result names one", () => {
  const run = read(smallResult());
  const rules: { id: string }[] = run.tool.driver.rules;
  assertEquals(rules.map((r) => r.id), INVARIANTS.map((i) => i.id));
  for (const r of run.results) assertEquals(rules[r.ruleIndex]?.id, r.ruleId);
});

Deno.test("a finding stands at the discipline's line, with the kernel's functions beside it", () => {
  const [r] = read(sampleResult({ findings: [sampleFinding({ origin: ORIGIN, expected: true })] })).results;
  const { artifactLocation, region } = r.locations[0].physicalLocation;
  assertEquals([artifactLocation.uri, artifactLocation.uriBaseId, region.startLine], [ORIGIN.file, "SRCROOT", 29]);
  const beside = r.relatedLocations.map((l: { physicalLocation: { artifactLocation: { uri: string } } }) =>
    l.physicalLocation.artifactLocation.uri
  );
  assertEquals(beside, ["arch/mips/kvm/mmu.c", "include/linux/mm.h"]);
  assertEquals(r.relatedLocations[0].logicalLocations[0].name, "kvm_pgd_alloc");
  assertEquals(r.suppressions[0].justification, "PGD_TABLE_ORDER is 1");
});

Deno.test("fingerprints are those of the signatures: not of order, words or seed", () => {
  const print = (result: Result) =>
    read(result).results.map((r: { partialFingerprints: Record<string, string> }) =>
      r.partialFingerprints["ptfuzzSignature/v1"]
    );
  const [a, b] = [sampleFinding(), sampleFinding({ kernel: "6.12" })];
  const once = print(sampleResult({ findings: [a, b] }));
  assertEquals(
    print(sampleResult({ findings: [b, { ...a, explanation: "other words" }], seed: 7 })).toSorted(),
    once.toSorted(),
  );
  assertEquals(new Set(once).size, 2);
});

Deno.test("unexpected findings are worse than expected ones, and only these are suppressed", () => {
  const { results } = read(smallResult());
  const suppressed: boolean[] = results.map((r: { suppressions?: unknown }) => r.suppressions !== undefined);
  assert(suppressed.includes(true) && suppressed.includes(false));
  assertEquals(suppressed.toSorted((x, y) => Number(x) - Number(y)), suppressed);
});

Deno.test("every place that the invariants name is read from their words", () => {
  for (const { source, id } of INVARIANTS) {
    const files = [...source.matchAll(/[\w-]+\/[\w./-]+\.[chS]/g)].map(([file]) => file);
    assertEquals(kernelPlaces(source).map((p) => p.file), files, id);
  }
  assertEquals(kernelPlaces("mm/page_alloc.c:__free_pages, put_page_testzero"), [
    { file: "mm/page_alloc.c", functions: ["__free_pages", "put_page_testzero"] },
  ]);
  assertEquals(kernelPlaces("include/linux/mm.h:a, mm/slub.c:b").map((p) => p.functions), [["a"], ["b"]]);
});
