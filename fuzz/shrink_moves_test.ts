import { assertEquals } from "@std/assert";
import { parseProgram } from "../core/program/parse.ts";
import { printProgram } from "../core/program/print.ts";
import { giveBack } from "./shrink_moves.ts";
import type { Trial } from "./shrink_trial.ts";

/** The lines that giveBack() writes behind a program of single lines. */
function written(...lines: string[]): string[] {
  const program = parseProgram(["kernel 6.12", ...lines].join("\n"), "test.pt");
  let code = program.code;
  const trial = {
    owes: true,
    code,
    attempt(longer: Int32Array) {
      code = longer;
      return true;
    },
  };
  giveBack(trial as unknown as Trial, false);
  return printProgram({ ...program, code }).trimEnd().split("\n").slice(1 + lines.length);
}

Deno.test("giveBack() puts each reference that is still taken, as often as it was taken", () => {
  assertEquals(
    written(
      "p0 = alloc_page(GFP_KERNEL)",
      "p1 = alloc_page(GFP_KERNEL)",
      "env get_page_unless_zero(p0)",
      "env get_page_unless_zero(p1)",
      "env put_page(p0)",
      "env get_page_unless_zero(p1)",
    ),
    ["env put_page(p1)", "env put_page(p1)"],
  );
});

Deno.test("giveBack() finishes the gathers that are open, whatever slots the others have", () => {
  const begins = Array.from({ length: 32 }, (_, i) => `g${i} = tlb_gather_mmu(mm0)`);
  const ends = Array.from({ length: 32 }, (_, i) => `tlb_finish_mmu(g${i})`).filter((_, i) => i !== 30);
  assertEquals(written(...begins, ...ends, "tlb_finish_mmu(g1)"), ["tlb_finish_mmu(g30)"]);
});
