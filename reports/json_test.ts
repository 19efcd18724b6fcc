import assert from "node:assert/strict";
import { reportJson, timingJson } from "./json.ts";
import { HOSTILE_NAME, sampleFinding, sampleResult, sampleTiming } from "./sample_test_data.ts";

/** The same value with the keys of every object the other way round. */
function reversedKeys<T>(value: T): T {
  if (Array.isArray(value)) return value.map(reversedKeys) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).reverse().map(([k, v]) => [k, reversedKeys(v)])) as T;
}

Deno.test("reportJson() does not depend on the order in which objects were built", () => {
  const result = sampleResult();
  assert.equal(reportJson(reversedKeys(result)), reportJson(result));
  assert.equal(timingJson(reversedKeys(sampleTiming)), timingJson(sampleTiming));
});

Deno.test("reportJson() loses nothing, begins with the schema and ends with a newline", () => {
  const result = sampleResult({ findings: [sampleFinding({ discipline: HOSTILE_NAME })] });
  const text = reportJson(result);
  assert.deepEqual(JSON.parse(text), result);
  assert.ok(text.startsWith('{\n  "schema": 1,\n  "tool"'));
  assert.ok(text.endsWith("}\n"));
});
