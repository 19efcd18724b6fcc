import { assertEquals } from "@std/assert";
import { POINT_TABLE } from "../core/kernel/points.ts";
import { type CallDef, CALLS, namesResult } from "../core/program/calls.ts";

const KERNELS: Readonly<Record<CallDef["kernels"], string>> = {
  all: "all",
  ptdesc: "v2, 6.6 and later",
  "not-6.19": "v2, 6.6 and later, but not 6.19",
  v2: "v2",
  merged: "6.6 and later",
  "before-6.6": "6.1, v2",
  "since-6.12": "6.12 and later",
  "6.6-to-6.12": "6.6, 6.12, frozen",
  "6.12-only": "6.12, frozen",
  "since-6.14": "6.14 and later",
  "6.19-only": "6.19",
};

/** A call as a program writes it. */
function written(call: CallDef): string {
  const params = call.params.map((p) => `${p.isConst ? "const " : ""}${p.type} ${p.name}${p.nullable ? "?" : ""}`);
  const name = call.env ? `env ${call.name}` : call.name;
  const result = namesResult(call) ? `${call.result} = ` : "";
  return call.name === "fail" ? "env fail FUNCTION" : `${result}${name}(${params.join(", ")})`;
}

/** The table of calls, a row each. */
function table(): string[] {
  return CALLS.map((c) =>
    `| \`${written(c)}\` | ${c.doc} | ${KERNELS[c.kernels]} | ${c.source.replaceAll("*", "\\*")} |`
  );
}

Deno.test("docs/calls.md lists every call as the table has it", async () => {
  const file = new URL("calls.md", import.meta.url);
  const text = await Deno.readTextFile(file);
  const rows = text.split("\n").filter((l) => l.startsWith("| `")).map((l) => l.replace(/ +\|/g, " |"));
  assertEquals(rows, table());
});

Deno.test("docs/calls.md lists every point inside a function", async () => {
  const text = await Deno.readTextFile(new URL("calls.md", import.meta.url));
  const rows = text.split("\n").filter((l) => l.startsWith("| at `")).map((l) => l.replace(/ +\|/g, " |"));
  assertEquals(rows, POINT_TABLE.map((p) => `| at \`${p.name}\` | \`${p.step}\` | ${p.doc} |`));
});
