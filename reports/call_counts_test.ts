import { assert, assertEquals } from "@std/assert";
import { callCountLines, short } from "./call_counts.ts";
import { sampleResult } from "./sample_test_data.ts";

Deno.test("counts are cut to at most five letters", () => {
  assertEquals([0, 9999, 10_000, 9_999_999, 10_000_000].map(short), ["0", "9999", "10k", "9999k", "10M"]);
});

Deno.test("a row a call, right and wrong for each kernel, within 80 columns", () => {
  const calls = ["6.1", "v2", "6.6", "6.12", "6.12-without-B1"].flatMap((kernel) => [
    { kernel, call: "tlb_remove_page_ptdesc", right: 12_345, wrong: 7 },
    { kernel, call: "env get_page_unless_zero", right: 1, wrong: 0 },
  ]);
  const lines = callCountLines({ ...sampleResult(), calls }, 80);
  assert(lines.every((l) => l.length <= 80));
  assert(lines.some((l) => /tlb_remove_page_ptdesc\s+12k\/7/.test(l)));
  assertEquals(lines.filter((l) => l.includes("6.12-without-B1")).length, 1);
});
