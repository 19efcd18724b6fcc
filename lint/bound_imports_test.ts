import { assertEquals } from "@std/assert";
import { lint } from "./testing.ts";

/** The names that the rule reports in a file. */
function reported(file: string, source: string): string[] {
  return lint("bound-imports", file, source).map((message) => message.split("'")[1] ?? "");
}

const IMPORT = 'import { NULL, type Kernel, released as gone, Ledger, PageHead } from "../memory/words.ts";';

Deno.test("what runs in a step may import no number and no function by its name", () => {
  for (const file of ["core/kernel/free.ts", "core/ledger/hooks/env.ts", "core/memory/events.ts"]) {
    assertEquals(reported(file, IMPORT), ["NULL", "gone", "PageHead"], file);
  }
  for (const file of ["core/program/machine.ts", "fuzz/exhaust/canon.ts"]) {
    assertEquals(reported(file, IMPORT), ["NULL", "gone", "PageHead"], file);
  }
});

Deno.test("bound imports: a module taken into constants, a type, a class and a package are fine", () => {
  const source = `
    import * as $words from "../memory/words.ts";
    import type { Kernel } from "./kernel.ts";
    import { Ledger } from "./ledger.ts";
    import { join } from "@std/path";
    const { NULL } = $words;
  `;
  assertEquals(reported("core/kernel/free.ts", source), []);
});

Deno.test("bound imports: tests, and what runs once a machine or a program, import as they like", () => {
  const files = ["core/kernel/free_test.ts", "core/kernel/create.ts", "core/program/parse.ts", "reports/json.ts"];
  for (const file of files) assertEquals(reported(file, IMPORT), [], file);
});
