import { assertEquals } from "@std/assert";
import { matrixOf } from "./matrix.ts";
import { sampleResult } from "./sample_test_data.ts";

Deno.test("a cell that a stopped run did not come to is not ok", () => {
  const result = sampleResult();
  const cell = { ...result.cells[0]!, discipline: "mine", findings: [], as_expected: true, programs: 0 };
  const words = (interrupted: boolean, programs: number) =>
    matrixOf({ ...result, interrupted, cells: [{ ...cell, programs }] }).rows[0]?.cells.get(cell.kernel)?.text;
  assertEquals([words(true, 0), words(true, 1), words(false, 0)], ["not run", "ok", "ok"]);
});
