import { assertEquals, assertMatch } from "@std/assert";
import { parseProgram } from "../core/program/parse.ts";
import { replayFiles, replayProgram } from "./replay.ts";

Deno.test("every program of the corpus shows what it claims, and nothing else", async () => {
  const replayed = await replayFiles([]);
  assertEquals(replayed.filter((r) => !r.ok), []);
  assertEquals(replayed.length >= 60, true);
});

const CRST = `kernel v2
arch s390
p0 = alloc_pages(GFP_KERNEL, 2)
a0 = page_to_virt(p0)
d0 = virt_to_ptdesc(a0)
ptdesc_free(d0)
`;

Deno.test("a finding that is not claimed fails the replay", () => {
  const complaints = replayProgram(parseProgram(CRST, "crst.pt"));
  assertEquals(complaints.length, 5);
  assertMatch(complaints[4]!, /^not claimed: finding page-leak at 4 \(3 pages\)/);
});

Deno.test("a claim that does not show fails the replay", () => {
  const clean =
    "kernel 6.12\nd0 = pagetable_alloc(GFP_KERNEL, 2)\npagetable_free(d0)\n\nfinding page-leak at 2 (3 pages)\n";
  assertEquals(replayProgram(parseProgram(clean, "clean.pt")), [
    "claimed, but does not show: finding page-leak at 2 (3 pages)",
  ]);
});

Deno.test("the number of lost pages is compared, the words after the colon are not", () => {
  const claims = (pages: number) =>
    `${CRST}
finding family at 3: whatever
finding family at 4
finding head-misuse at 4
finding order-mismatch at 4
finding page-leak at 4 (${pages} pages): other words
`;
  assertEquals(replayProgram(parseProgram(claims(3), "crst.pt")), []);
  assertEquals(replayProgram(parseProgram(claims(2), "crst.pt")).length, 2);
});
