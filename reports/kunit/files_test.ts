import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { HOSTILE_NAME, sampleFinding } from "../sample_test_data.ts";
import { kunitFiles, kunitWords, writeKunit } from "./files.ts";

Deno.test("kunitFiles() makes one file of a program, whatever it shows, and another name for the next", () => {
  const findings = [
    sampleFinding(),
    sampleFinding({ invariant: "order-mismatch" }),
    sampleFinding({
      program: sampleFinding().program.replace("p0 = alloc", "p1 = alloc_page(GFP_KERNEL)\np0 = alloc"),
    }),
    sampleFinding({ program: "kernel v2\np0 = alloc_page(GFP_KERNEL)\n__free_page(p0)\n" }),
    sampleFinding({ program: HOSTILE_NAME, discipline: HOSTILE_NAME }),
  ];
  const files = [...kunitFiles(findings).values()];
  assertEquals(files.map((f) => f.test.reason === undefined && f.name), [
    "s390_crst_half_v2_kunit.c",
    "s390_crst_half_v2_2_kunit.c",
    false,
    false,
  ]);
  assertEquals(kunitWords(files[0]!), "KUnit test: kunit/s390_crst_half_v2_kunit.c.");
});

Deno.test("writeKunit() leaves no test of an earlier run, and no file of anybody else, behind or away", () => {
  const dir = Deno.makeTempDirSync();
  try {
    writeKunit(dir, []);
    assertEquals([...Deno.readDirSync(dir)], []);
    writeKunit(dir, [sampleFinding({ discipline: "old" })]);
    Deno.writeTextFileSync(join(dir, "kunit", "mine.c"), "");
    writeKunit(dir, [sampleFinding()]);
    assertEquals([...Deno.readDirSync(join(dir, "kunit"))].map((e) => e.name).sort(), [
      "mine.c",
      "s390_crst_half_v2_kunit.c",
    ]);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
});
