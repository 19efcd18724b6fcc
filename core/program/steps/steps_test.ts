import { assert, assertEquals } from "@std/assert";
import { parseProgram } from "../parse.ts";
import { COL_LINK, LINKS } from "./columns.ts";
import { COL_BLOCK, COL_FREE_ORDER, COL_GATHER, COL_REFS, COL_STATE, COLUMNS } from "./columns.ts";
import {
  apply,
  difference,
  FREE,
  GIVEN_UP,
  GRANTED,
  KERNEL_OWN,
  LOST,
  PAGE_STATES,
  QUEUED,
  RESERVED,
} from "./columns.ts";
import { StepReader } from "./reader.ts";
import { recordSteps } from "./record.ts";
import { Machine } from "../machine.ts";
import { PAGE_WORDS } from "../../memory/words.ts";
import { program } from "../arbitrary.ts";
import fc from "fast-check";

function read(text: string): StepReader {
  return new StepReader(recordSteps(parseProgram(text, "test.pt")));
}

/** States of the first pages, a name each. */
function states(reader: StepReader, at: number, pages: number): string[] {
  reader.goTo(at);
  return Array.from({ length: pages }, (_, pfn) => PAGE_STATES[reader.column(pfn, COL_STATE)]!.name);
}

const HELD = `kernel v2
arch s390
p0 = alloc_pages(GFP_KERNEL, 2)
a0 = page_to_virt(p0)
d0 = virt_to_ptdesc(a0)
env get_page_unless_zero(p0)
ptdesc_free(d0)
env put_page(p0)
`;

Deno.test("a page is granted, given up while others hold it, and lost when the last reference goes", () => {
  const reader = read(HELD);
  assertEquals(states(reader, 0, 1), ["free"]);
  assertEquals(states(reader, 1, 5), ["granted", "granted", "granted", "granted", "free"]);
  assertEquals(states(reader, 5, 4), ["given up", "given up", "given up", "given up"]);
  assertEquals(states(reader, 6, 4), ["free", "lost", "lost", "lost"]);
  // A lost page still says whose it was.
  assertEquals(reader.program.blocks[reader.column(1, COL_BLOCK)]?.name, "p0");
  assertEquals(reader.column(0, COL_BLOCK), -1);
});

Deno.test("what a gather holds names its gather, and its batch is the kernel's own", () => {
  const reader = read(`kernel 6.12
arch arm64
g0 = tlb_gather_mmu(mm0)
d0 = pagetable_alloc(GFP_KERNEL, 0)
tlb_flush_pmd_range(g0, 0x200000, 0x1000)
tlb_remove_ptdesc(g0, d0)
tlb_finish_mmu(g0)
`);
  reader.goTo(4);
  const queued = Array.from({ length: 256 }, (_, pfn) => pfn).filter((p) => reader.column(p, COL_STATE) === QUEUED);
  assertEquals(queued.length, 1);
  assertEquals(reader.column(queued[0]!, COL_GATHER), reader.gathers()[0]!.id);
  assertEquals(reader.queuedIn(reader.gathers()[0]!.id), queued);
  assertEquals(reader.gathers()[0]!.name, "g0");
  assert(reader.gathers()[0]!.words.some((w) => w.startsWith("range 0x")), reader.gathers()[0]!.words.join());
  assertEquals(reader.counts()[KERNEL_OWN], 1);
  reader.goTo(5);
  // Finished, and the table still waits for a grace period.
  assertEquals(reader.gathers(), []);
  assertEquals(reader.column(queued[0]!, COL_STATE), QUEUED);
  reader.goTo(99);
  assertEquals(reader.stop.kind, "drain");
  assertEquals(reader.counts()[FREE], 256);
});

Deno.test("a walker sees the pages of its table until it leaves", () => {
  const reader = read(`kernel 6.12
arch x86
d0 = pagetable_alloc(GFP_PGTABLE_USER, 1)
a0 = ptdesc_address(d0)
populate(a0)
w0 = env pte_offset_map(a0)
unlink(a0, 0x200000, shared)
env walk_end(w0)
`);
  const seen = reader.program.stops.map((_, at) => {
    reader.goTo(at);
    return [LINKS[reader.column(0, COL_LINK)], ...reader.walkers().map((w) => `${w.name} ${w.pages.join(" ")}`)].join();
  });
  assertEquals(seen.slice(3, 7), [
    "an entry leads to it",
    "an entry leads to it,w0 0 1",
    "the entry to it was cleared,w0 0 1",
    "the entry to it was cleared",
  ]);
});

Deno.test("reserved memory is said to be reserved, and a free block has its order", () => {
  const reader = read("kernel 6.12\na0 = memblock_alloc(2)\n");
  reader.goTo(1);
  assertEquals(reader.counts()[RESERVED], 2);
  reader.goTo(0);
  assertEquals(reader.column(0, COL_FREE_ORDER), 8);
  assertEquals(reader.column(1, COL_FREE_ORDER), -1);
});

Deno.test("a line says what it answered, that it was skipped, or that the program had ended", () => {
  const reader = read(`kernel 6.12
env fail alloc_pages
p0 = alloc_page(GFP_KERNEL)
put_page(p0)
p1 = alloc_pages(GFP_KERNEL, 1)
at __free_pages:after_put env put_page(p1)
repeat 2 __free_pages(p1, 1)
put_page(p1)
`);
  assertEquals(
    reader.program.stops.map((s) => [s.kind, s.outcome, s.answer, s.lines[0]?.text ?? ""]),
    [
      ["boot", "ran", "", ""],
      ["line", "ran", "", "env fail alloc_pages"],
      ["line", "ran", "p0 = NULL", "p0 = alloc_page(GFP_KERNEL)"],
      ["line", "skipped", "", "put_page(p0)"],
      ["line", "ran", "p1 = page 0", "p1 = alloc_pages(GFP_KERNEL, 1)"],
      ["line", "armed", "", "at __free_pages:after_put env put_page(p1)"],
      ["line", "ran", "", "repeat 2 __free_pages(p1, 1)"],
      ["line", "not run", "", "put_page(p1)"],
      ["drain", "ran", "", ""],
    ],
  );
  assertEquals(reader.program.stops.map((s) => s.step), [0, 1, 2, 3, 4, 5, 6, 7, 7]);
  assertEquals(reader.stopOfStep(6), 6);
  assertEquals(reader.stopOfStep(99), 7);
});

Deno.test("a repeat of several lines is one stop, and each of its steps leads there", () => {
  const reader = read(
    "kernel 6.12\nrepeat 3\np0 = alloc_page(GFP_KERNEL)\nput_page(p0)\nend\np1 = alloc_page(GFP_KERNEL)\n",
  );
  assertEquals(reader.program.stops[1]?.lines.map((l) => [l.step, l.text]), [
    [0, "repeat 3"],
    [1, "  p0 = alloc_page(GFP_KERNEL)"],
    [2, "  put_page(p0)"],
    [0, "end"],
  ]);
  assertEquals([1, 2, 3].map((step) => reader.stopOfStep(step)), [1, 1, 2]);
});

Deno.test("findings stand where they showed, with the step they are laid to", () => {
  const { program } = read(HELD);
  const found = program.stops.map((s) =>
    s.found.map((i) => `${program.findings[i]!.invariant} ${program.findings[i]!.step}`)
  );
  assertEquals(found[3], ["family 3"]);
  assert(found[6]!.includes("page-leak 5"), JSON.stringify(found));
});

Deno.test("words have the names of the kernel's layout, and mean what they say", () => {
  const meaning = (text: string, at: number, pfn: number, offset: number) => {
    const reader = read(text);
    reader.goTo(at);
    return reader.rows(pfn).find((r) => r.offset === offset)!;
  };
  const compound = "p0 = alloc_pages(GFP_KERNEL|__GFP_COMP, 2)\n";
  assertEquals(meaning(`kernel 6.12\n${compound}`, 1, 0, 0).meaning, "head");
  assertEquals(meaning(`kernel 6.12\n${compound}`, 1, 1, 0).meaning, "order 2 of the block; no flag");
  assertEquals(meaning(`kernel 6.12\n${compound}`, 1, 1, 0).folio, "_flags_1");
  assertEquals(meaning(`kernel 6.12\n${compound}`, 1, 3, 8).meaning, "tail of page 0");
  assertEquals(meaning(`kernel 6.12\n${compound}`, 1, 3, 24).meaning, "TAIL_MAPPING");
  assertEquals(meaning(`kernel 6.1\n${compound}`, 1, 1, 16).meaning, "order 2 of the block");
  assertEquals(meaning("kernel 6.12\np0 = alloc_page(GFP_KERNEL)\n", 0, 0, 48).meaning, "buddy");
  assertEquals(meaning("kernel 6.1\np0 = alloc_page(GFP_KERNEL)\n", 0, 0, 48).meaning, "buddy");
  assertEquals(meaning("kernel 6.12\np0 = alloc_page(GFP_KERNEL)\n", 0, 0, 40).meaning, "order 8 of the free block");
  assertEquals(meaning("kernel 6.12\np0 = alloc_page(GFP_KERNEL)\n", 0, 0, 8).meaning, "free list of order 8");
  assertEquals(meaning("kernel 6.12\np0 = alloc_page(GFP_KERNEL)\n", 1, 0, 32).ptdesc.split(", ")[0], "pt_index");
  assertEquals(meaning("kernel 6.1\np0 = alloc_page(GFP_KERNEL)\n", 1, 0, 32).ptdesc, "");
});

Deno.test("the reader's state at any stop, from any other, is the machine's memory then", () => {
  fc.assert(
    fc.property(program({ maxSteps: 150 }), fc.infiniteStream(fc.nat()), (p, jumps) => {
      const reader = new StepReader(recordSteps(p));
      const n = reader.program.stops.length;
      const fresh = (at: number) => {
        const other = new StepReader(reader.program);
        for (let i = 0; i <= at; i++) other.goTo(i);
        return Array.from(
          { length: p.pages },
          (_, pfn) => other.column(pfn, COL_REFS) * 8 + other.column(pfn, COL_STATE),
        );
      };
      for (let i = 0; i < 5; i++) {
        const at = jumps.next().value! % n;
        reader.goTo(at);
        const here = Array.from(
          { length: p.pages },
          (_, pfn) => reader.column(pfn, COL_REFS) * 8 + reader.column(pfn, COL_STATE),
        );
        assertEquals(here, fresh(at));
      }
      reader.goTo(n - 1);
      const machine = new Machine(p);
      machine.run(p);
      const words: number[] = [];
      for (let pfn = 0; pfn < p.pages; pfn++) {
        for (let w = 0; w < PAGE_WORDS; w++) words.push(reader.column(pfn, w));
      }
      assertEquals(words, [...machine.ledger.mem.subarray(0, p.pages * PAGE_WORDS)]);
      assertEquals(reader.program.findings.length, machine.ledger.nFindings);
    }),
    { numRuns: 40 },
  );
});

Deno.test("difference() and apply() are each other's reverse", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: -2, max: 2 }), fc.integer({ min: -2, max: 2 }))), (pairs) => {
      const before = Int32Array.from(pairs, ([a]) => a);
      const after = Int32Array.from(pairs, ([, b]) => b);
      const state = before.slice();
      apply(state, difference(before, after));
      assertEquals(state, after);
    }),
  );
  assertEquals(difference(Int32Array.of(0, 0, 0, 1), Int32Array.of(5, 5, 5, 1)), [0, 3, 5]);
});

Deno.test("every state has a name, and every column its place", () => {
  assertEquals([FREE, GRANTED, RESERVED, QUEUED, GIVEN_UP, KERNEL_OWN, LOST], PAGE_STATES.map((_, i) => i));
  assertEquals(COLUMNS, PAGE_WORDS + 8);
});
