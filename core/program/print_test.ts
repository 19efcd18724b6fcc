import assert from "node:assert/strict";
import fc from "fast-check";
import { program } from "./arbitrary.ts";
import { GFP_FLAGS } from "../memory/gfp.ts";
import { gfpBits, printGfp } from "./gfp_text.ts";
import { InputError } from "./input_error.ts";
import { parseProgram } from "./parse.ts";
import { codeIndexOfStep, printProgram, printStep, stepCount, stepLines } from "./print.ts";
import { STEP_WORDS } from "./program.ts";

const CANONICAL = `# What is kept is what stands above the first header.
#
# kernel 1.0 is no header.
kernel v2
arch s390
config DEBUG_VM PTI
pages 512
p0 = alloc_pages(GFP_KERNEL|__GFP_COMP, 2)
const h0 = compound_head(p0+1)
n0 = compound_order(h0)
env get_page_unless_zero(p0)
env fail alloc_pages
at __free_pages:after_put env put_page(p0)
repeat 3 put_page(NULL)
repeat 2 at __free_pages:after_put env rcu_grace_period()
repeat 509
b0 = alloc_page(GFP_ATOMIC|__GFP_ZERO)
__free_pages(b0, n0)
end
g0 = tlb_gather_mmu(mm0)
tlb_flush_pmd_range(g0, 0x1000, 4096)

finding page-leak at 10 (1 page): words: with # and colon
finding page-leak at 10 (3 pages)
finding double-free at 12
`;

Deno.test("printProgram() gives canonical text back letter by letter", () => {
  assert.equal(printProgram(parseProgram(CANONICAL, "x")), CANONICAL);
});

Deno.test("every program is the same after printing and parsing", () => {
  fc.assert(
    fc.property(program({ claims: true, maxOrder: 31 }), (p) => {
      const text = printProgram(p);
      assert.deepEqual(parseProgram(text, "x"), p);
      assert.equal(printProgram(parseProgram(text, "x")), text);
    }),
    { numRuns: 500 },
  );
});

Deno.test("comments and words never leave their line", () => {
  const line = fc.string({ unit: "binary", maxLength: 20 }).map((s) => s.replaceAll("\0", ""));
  fc.assert(fc.property(fc.array(line), line, (comments, words) => {
    const p = { ...parseProgram("kernel v2\nput_page(NULL)", "x"), comments };
    const claimed = { ...p, claims: [{ invariant: "page-leak", step: 1, pages: 0, words }] };
    const once = parseProgram(printProgram(claimed), "x");
    assert.equal(once.comments.length, comments.length);
    assert.equal(once.claims.length, 1);
    assert.deepEqual(parseProgram(printProgram(once), "x"), once);
  }));
});

Deno.test("printGfp() uses the fewest names", () => {
  const bits = (text: string) => text.split("|").reduce((all, n) => all | (GFP_FLAGS[n] ?? assert.fail(n)), 0);
  for (
    const [written, printed] of [
      ["GFP_KERNEL", "GFP_KERNEL"],
      ["__GFP_COMP|GFP_KERNEL", "GFP_KERNEL|__GFP_COMP"],
      ["GFP_KERNEL|__GFP_ZERO", "GFP_PGTABLE_KERNEL"],
      ["GFP_KERNEL|__GFP_ACCOUNT", "GFP_KERNEL_ACCOUNT"],
      ["GFP_KERNEL|__GFP_ACCOUNT|__GFP_ZERO", "GFP_PGTABLE_USER"],
      ["GFP_PGTABLE_USER|__GFP_HIGHMEM", "GFP_PGTABLE_USER|__GFP_HIGHMEM"],
      ["GFP_NOWAIT|__GFP_NOWARN", "GFP_NOWAIT"],
    ] as const
  ) assert.equal(printGfp(bits(written)), printed);
});

Deno.test("every gfp_t can be printed and read again, bits without a name too", () => {
  for (let bits = 0; bits < 2048; bits++) {
    const read = printGfp(bits).split("|").reduce((all, word) => all | (gfpBits(word) ?? assert.fail(word)), 0);
    assert.equal(read, bits);
  }
});

Deno.test("stepLines() numbers what at, repeat and end do not", () => {
  const p = parseProgram(CANONICAL, "x");
  assert.equal(stepCount(p), 12);
  assert.equal(stepLines(p).length, 12);
  assert.equal(codeIndexOfStep(p, 6), 6, "the armed line behind `at`");
  assert.equal(printStep(p, codeIndexOfStep(p, 6) ?? -1), "env put_page(p0)");
  assert.equal(printStep(p, codeIndexOfStep(p, 10) ?? -1), "__free_pages(b0, n0)");
  assert.equal(codeIndexOfStep(p, 0), undefined);
  assert.equal(codeIndexOfStep(p, 13), undefined);
  assert.equal(p.code.length / STEP_WORDS, 12 + 2 + 3);
});

/** Runs the parser; anything but an InputError of one line is a fault. */
function survives(text: string): void {
  try {
    const p = parseProgram(text, "x");
    assert.deepEqual(parseProgram(printProgram(p), "x"), { ...p });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    assert.ok(!error.message.includes("\n") && error.message.startsWith("x"));
  }
}

Deno.test("parseProgram() throws nothing but InputError, whatever the text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), survives), { numRuns: 1000 });
  const bytes = fc.uint8Array({ maxLength: 300 });
  fc.assert(fc.property(bytes, (b) => survives(new TextDecoder().decode(b))), { numRuns: 1000 });
});

Deno.test("parseProgram() throws nothing but InputError for words of the language in any order", () => {
  const word = fc.constantFrom(
    ..."kernel v2 6.12 arch s390 config PTI pages 512 p0 p1 = ( ) , | + 0x1 7 99999999999 NULL GFP_KERNEL __GFP_COMP const env at"
      .split(" "),
    ..."repeat end finding page-leak : # __free_pages:after_put fail alloc_pages alloc_page put_page compound_order mm0"
      .split(" "),
    "__proto__",
    "constructor",
    "\n",
    "\n",
    "\nkernel 6.12\n",
    "\np0 = alloc_page(0)\n",
  );
  fc.assert(fc.property(fc.array(word, { maxLength: 60 }), (words) => survives(`kernel 6.12\n${words.join(" ")}`)), {
    numRuns: 2000,
  });
});

Deno.test("parseProgram() throws nothing but InputError for programs that are cut, doubled or changed", () => {
  const change = fc.tuple(fc.nat(), fc.nat(20), fc.string({ unit: "binary-ascii", maxLength: 6 }));
  fc.assert(
    fc.property(program({ claims: true }), fc.array(change, { minLength: 1, maxLength: 4 }), (p, changes) => {
      let text = printProgram(p);
      for (const [at, cut, put] of changes) {
        const from = at % text.length;
        text = text.slice(0, from) + put + text.slice(from + cut) || " ";
      }
      survives(text);
    }),
    { numRuns: 1000 },
  );
});
