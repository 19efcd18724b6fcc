/**
 * The sweep looks at pages that no call ever named, too.
 */
import { assertEquals } from "@std/assert";
import type { Kernel } from "../kernel/kernel.ts";
import { AREA_NR, areaWord } from "../memory/mem_map.ts";
import { PAGE_WORDS_SHIFT, W_FLAGS, W_PRIVATE, W_REFCOUNT, W_TYPE } from "../memory/words.ts";
import { list_add, list_del } from "../kernel/list.ts";
import { Machine } from "../program/machine.ts";
import { findingsOf } from "../program/findings.ts";
import { parseProgram } from "../program/parse.ts";
import { FIRST_SLOT } from "../program/program.ts";
import { F_INVARIANT, F_PFN, F_WHY, FINDING_WORDS } from "./finding.ts";
import { BUDDY_STRUCTURE } from "./invariants.ts";
import { isFree } from "./observe.ts";
import { WHY_FREE_BLOCK } from "./why.ts";

const PROGRAM = parseProgram("kernel 6.12\np0 = alloc_page(GFP_KERNEL)", "a.pt");
/** A page far from those of the program. */
const FAR = 200;

/** What is found where the kernel does something of its own while it allocates. */
function found(does: (k: Kernel) => void): string[] {
  const { alloc_pages } = new Machine(PROGRAM).kernel;
  const machine = new Machine({
    ...PROGRAM,
    overrides: {
      alloc_pages(k, gfp, order) {
        const page = alloc_pages(k, gfp, order);
        does(k);
        return page;
      },
    },
  });
  machine.run(PROGRAM);
  return findingsOf(machine, PROGRAM.slots).map((f) => f.invariant);
}

Deno.test("a page far from all grants that gets a reference is seen by the sweep", () => {
  assertEquals(found(() => {}), []);
  assertEquals(found((k) => k.mem[(FAR << PAGE_WORDS_SHIFT) + W_REFCOUNT] = 1), ["bad-reference"]);
});

Deno.test("a page far from all grants that becomes reserved is seen by the sweep", () => {
  const does = (k: Kernel): number => k.mem[(FAR << PAGE_WORDS_SHIFT) + W_FLAGS]! |= k.pgReserved;
  assertEquals(found((k) => void does(k)), ["reserved-accounting"]);
});

Deno.test("a block far from all grants that leaves its list is seen by the sweep", () => {
  const head = 128;
  assertEquals(
    found((k) => {
      assertEquals(isFree(k.mem, k.layout, head + 1), true);
      list_del(k, head);
    }),
    ["buddy-structure", "page-leak"],
  );
});

Deno.test("isFree() finds the block of a page at every place in it, and of no page behind it", () => {
  const { kernel: k } = new Machine({ ...PROGRAM, pages: 64 });
  const page = k.alloc_pages(k, 0, 0);
  for (let pfn = 0; pfn < k.nrPages; pfn++) assertEquals(isFree(k.mem, k.layout, pfn), pfn !== page, String(pfn));
});

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
    assertEquals(overlaps(page, order), [page], `page ${page}, order ${order}`);
  }
});
