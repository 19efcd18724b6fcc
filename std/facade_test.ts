import { assert, assertEquals, assertInstanceOf, AssertionError, assertRejects, assertThrows } from "@std/assert";
import * as asserting from "./assert.ts";
import * as colors from "./fmt_colors.ts";
import * as path from "./path.ts";
import * as text from "./text.ts";
import * as yaml from "./yaml.ts";

const FACADES = { assert: asserting, fmt_colors: colors, path, text, yaml };

for (const [name, module] of Object.entries(FACADES)) {
  Deno.test(`std/${name}.d.ts declares only what the package exports`, async () => {
    const types = await Deno.readTextFile(new URL(`./${name}.d.ts`, import.meta.url));
    const declared = [...types.matchAll(/^export (?:function|class|const) (\w+)/gm)].map((match) => match[1] ?? "");
    assert(declared.length > 0);
    assertEquals(declared.filter((one) => !(one in module)), []);
  });
}

Deno.test("the types of @std/assert narrow", async () => {
  const value: unknown = new AssertionError("said");
  assertInstanceOf(value, AssertionError);
  assertEquals(value.message, "said");
  const found: number | undefined = [1].at(0);
  assert(found !== undefined);
  assertEquals(found.toFixed(1), "1.0");
  const error = assertThrows(() => assert(false, "no"), AssertionError, "no");
  assertEquals(error.message, "no");
  assertEquals((await assertRejects(() => Promise.reject(new TypeError("late")), TypeError)).message, "late");
});
