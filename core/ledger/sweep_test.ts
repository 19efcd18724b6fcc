import assert from "node:assert/strict";
import { list_add } from "../kernel/list.ts";
import { AREA_NR, areaWord } from "../memory/mem_map.ts";
import { PAGE_WORDS_SHIFT, W_PRIVATE, W_TYPE } from "../memory/words.ts";
import { Machine } from "../program/machine.ts";
import { FIRST_SLOT } from "../program/program.ts";
import { F_INVARIANT, F_PFN, F_WHY, FINDING_WORDS } from "./finding.ts";
import { BUDDY_STRUCTURE } from "./invariants.ts";
import { WHY_FREE_BLOCK } from "./why.ts";

/** Pages at which the sweep found a free block in another, with a block of that order put on its list by hand. */
function overlaps(page: number, order: number): number[] {
  const machine = new Machine({ kernel: "6.12", arch: "x86", config: [], pages: 64 });
  const { kernel: k, ledger: l } = machine;
  machine.begin(new Int32Array(0), 0, FIRST_SLOT);
  const area = areaWord(k.lowZone, order);
  list_add(k, page, area);
  k.mem[area + AREA_NR]!++;
  k.mem[(page << PAGE_WORDS_SHIFT) + W_TYPE] = k.buddyValue;
  k.mem[(page << PAGE_WORDS_SHIFT) + W_PRIVATE] = order;
  machine.finish();
  return Array.from({ length: l.nFindings }, (_, i) => l.findings.subarray(i * FINDING_WORDS))
    .filter((f) => f[F_INVARIANT] === BUDDY_STRUCTURE && f[F_WHY] === WHY_FREE_BLOCK)
    .map((f) => f[F_PFN]!);
}

Deno.test("after boot no free block lies in another; one that does is found at its first page, whatever its order", () => {
  // All 64 pages are one block, of order 6.
  for (const [page, order] of [[6, 1], [17, 0], [48, 4], [32, 5]] as const) {
    assert.deepEqual(overlaps(page, order), [page], `page ${page}, order ${order}`);
  }
});
