import { assertEquals } from "@std/assert";
import { lint } from "./testing.ts";

/** What the rule says about one import, or "". */
function verdict(file: string, target: string, source = `import { x } from "${target}";`): string {
  return lint("imports-one-way", file, source).join("\n");
}

/** A file of each place, and a way to name one file of each other place from there. */
const PLACES = [
  "core/memory",
  "core/kernel",
  "core/ledger",
  "core/program",
  "corpus",
  "fuzz",
  "oracle",
  "trace",
  "reports",
  "std",
  "lint",
] as const;

/** Row imports column; the order is that of PLACES, `x` is allowed. */
const TABLE = [
  //                m k l p c f o t r s l
  /* core/memory */ "x........x.",
  /* core/kernel */ "xx.......x.",
  /* core/ledger */ "x.x......x.",
  /* core/program */ "xxxx.....x.",
  /* corpus      */ "xxxxx....x.",
  /* fuzz        */ "xxxxxx...x.",
  /* oracle      */ "xxxxxxx..x.",
  /* trace       */ "xxxxxx.x.x.",
  /* reports     */ "xxxxx...xx.",
  /* std         */ ".........x.",
  /* lint        */ ".........xx",
];

Deno.test("imports-one-way allows what the layout allows, and nothing else", () => {
  const seen = PLACES.map((from) =>
    PLACES.map((to) => {
      const up = "../".repeat(from.split("/").length);
      return verdict(`${from}/a.ts`, `${up}${to}/b.ts`) === "" ? "x" : ".";
    }).join("")
  );
  assertEquals(seen, TABLE);
});

Deno.test("imports-one-way says who must not import what", () => {
  assertEquals(
    verdict("core/ledger/sweep.ts", "../kernel/kernel.ts"),
    "core/ledger/ must not import core/kernel/kernel.ts",
  );
  assertEquals(
    verdict("core/kernel/versions/v2.ts", "../../ledger/x.ts"),
    "core/kernel/ must not import core/ledger/x.ts",
  );
});

Deno.test("imports-one-way counts types, exports, lazy imports, import types and workers", () => {
  for (
    const source of [
      `import type { K } from "../kernel/names.ts";`,
      `import { type K } from "../kernel/names.ts";`,
      `import "../kernel/names.ts";`,
      `import * as k from "../kernel/names.ts";`,
      `export { k } from "../kernel/names.ts";`,
      `export type { K } from "../kernel/names.ts";`,
      `export * from "../kernel/names.ts";`,
      `const k = await import("../kernel/names.ts");`,
      `type K = import("../kernel/names.ts").K;`,
      `const u = new URL("../kernel/names.ts", import.meta.url);`,
    ]
  ) {
    assertEquals(verdict("core/ledger/x.ts", "", source), "core/ledger/ must not import core/kernel/names.ts", source);
  }
});

Deno.test("imports-one-way lets reports/ use the types of fuzz/, and only those", () => {
  const types = [
    `import type { C } from "../fuzz/campaign.ts";`,
    `import { type C, type D } from "../fuzz/campaign.ts";`,
    `export type { C } from "../fuzz/campaign.ts";`,
    `type C = import("../fuzz/campaign.ts").C;`,
  ];
  for (const source of types) assertEquals(verdict("reports/x.ts", "", source), "", source);
  const values = [
    `import { type C, d } from "../fuzz/campaign.ts";`,
    `import "../fuzz/campaign.ts";`,
    `export * from "../fuzz/campaign.ts";`,
  ];
  for (const source of values) {
    assertEquals(verdict("reports/x.ts", "", source), "reports/ must not import fuzz/campaign.ts", source);
  }
  assertEquals(
    verdict("fuzz/x.ts", "", `import type { R } from "../reports/result.ts";`),
    "fuzz/ must not import reports/result.ts",
  );
});

Deno.test("imports-one-way keeps everything from importing the root, by path or by name", () => {
  assertEquals(verdict("fuzz/x.ts", "../main.ts"), "fuzz/ must not import main.ts");
  assertEquals(verdict("core/program/x.ts", "../../mod.ts"), "core/program/ must not import mod.ts");
  assertEquals(verdict("core/program/x.ts", "@ptfuzz/ptfuzz"), "core/program/ must not import mod.ts");
});

Deno.test("imports-one-way lets the root, the scripts and the tests import anything", () => {
  for (const file of ["main.ts", "mod.ts", "scripts/ci.ts"]) {
    for (const place of PLACES) assertEquals(verdict(file, `./${place}/x.ts`), "");
  }
  assertEquals(verdict("core/ledger/ledger_test.ts", "../kernel/kernel.ts"), "");
});

Deno.test("imports-one-way passes packages, neighbours and files that are no modules", () => {
  assertEquals(verdict("core/ledger/x.ts", "@std/assert"), "");
  assertEquals(verdict("core/ledger/x.ts", "smol-toml"), "");
  assertEquals(verdict("core/ledger/deep/x.ts", "../invariants.ts"), "");
  assertEquals(verdict("core/program/x.ts", "../kernel/versions/v2.ts"), "");
  assertEquals(verdict("corpus/x.ts", "", `const u = new URL("../reports", import.meta.url);`), "");
});
