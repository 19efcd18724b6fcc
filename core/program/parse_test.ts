import assert from "node:assert/strict";
import { KERNEL_BASES } from "../kernel/names.ts";
import { CALLS, hasCall, OP_AT, OP_REPEAT, opOf, wordsOf } from "./calls.ts";
import { InputError } from "./input_error.ts";
import { parseProgram } from "./parse.ts";
import { FIRST_SLOT, MAX_LINES, MAX_SLOTS, STEP_WORDS } from "./program.ts";
import type { Program } from "./program.ts";

const CRST = `# A crst table allocated the old way and freed the new way.
kernel v2
arch s390
p0 = alloc_pages(GFP_KERNEL, 2)
a0 = page_to_virt(p0)
d0 = virt_to_ptdesc(a0)
ptdesc_free(d0)

finding family at 3: p0 came from alloc_pages, d0 takes it for a page table's descriptor
finding page-leak at 4 (3 pages): p0+1..p0+3 belong to nobody
`;

function parse(steps: string, kernel = "6.12"): Program {
  return parseProgram(`kernel ${kernel}\n${steps}\n`, "x.pt");
}

/** The words of one instruction. */
function words(p: Program, index: number): number[] {
  return [...p.code.subarray(index * STEP_WORDS, (index + 1) * STEP_WORDS)];
}

/** The message that a text is refused with. */
function refused(text: string): string {
  try {
    parseProgram(text, "x.pt");
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    assert.ok(!error.message.includes("\n"), "a message is one line");
    return error.message;
  }
  return assert.fail(`not refused: ${text}`);
}

/** The message for steps below `kernel 6.12`: the first of them is line 2. */
function stepsRefused(steps: string): string {
  return refused(`kernel 6.12\n${steps}\n`);
}

Deno.test("parseProgram() reads headers, steps, slots and claims", () => {
  const p = parseProgram(CRST, "crst.pt");
  assert.deepEqual(p.comments, ["A crst table allocated the old way and freed the new way."]);
  assert.deepEqual([p.kernel, p.arch, p.config, p.pages], ["v2", "s390", [], 256]);
  assert.deepEqual(p.slots.slice(FIRST_SLOT), [
    { name: "p0", kind: "page", isConst: false },
    { name: "a0", kind: "virt", isConst: false },
    { name: "d0", kind: "ptdesc", isConst: false },
  ]);
  assert.deepEqual(words(p, 1), [opOf("page_to_virt"), 4, 3, 0, 0, 0, 1, 0]);
  assert.deepEqual(words(p, 3), [opOf("ptdesc_free"), -1, 5, 0, 0, 0, 1, 0]);
  assert.equal(p.claims[0]?.words, "p0 came from alloc_pages, d0 takes it for a page table's descriptor");
  assert.deepEqual([p.claims[1]?.step, p.claims[1]?.pages], [4, 3]);
});

Deno.test("parseProgram() reads config and pages, whatever their order", () => {
  const p = parseProgram(
    "pages 512\nconfig PTI DEBUG_VM # both\narch x86\nkernel 6.12-without-B2\nmm_ = get_zeroed_page(0)",
    "x",
  );
  assert.deepEqual([p.kernel, p.arch, p.config, p.pages], ["6.12-without-B2", "x86", ["DEBUG_VM", "PTI"], 512]);
});

Deno.test("parseProgram() takes spaces, tabs, CRLF, comments behind a line, and hexadecimal numbers", () => {
  const p = parseProgram(
    "kernel 6.12\r\n\r\n\tp0  =  alloc_pages ( GFP_KERNEL | __GFP_COMP ,0x2 ) # four pages\r\n__free_pages(p0 + 0x1,2)",
    "x",
  );
  const q = parse("p0 = alloc_pages(GFP_KERNEL|__GFP_COMP, 2)\n__free_pages(p0+1, 2)");
  assert.deepEqual(p.code, q.code);
});

Deno.test("parseProgram() keeps page offsets of all three operands apart", () => {
  const p = parse("p0 = alloc_page(GFP_KERNEL)\ng = tlb_gather_mmu(mm0)\ntlb_remove_page(g, p0+1023)");
  assert.deepEqual(words(p, 2), [opOf("tlb_remove_page"), -1, 4, 3, 0, 1023 << 10, 3, 0]);
});

Deno.test("parseProgram() takes NULL for any value and the mms without a definition", () => {
  const p = parse("put_page(NULL)\npgd_set_mm(NULL, init_mm)");
  assert.deepEqual(words(p, 0), [opOf("put_page"), -1, -1, 0, 0, 0, 0, 0]);
  assert.deepEqual(words(p, 1), [opOf("pgd_set_mm"), -1, -1, 0, 0, 0, 2, 0]);
});

Deno.test("parseProgram() takes an answered number where an order is wanted", () => {
  const p = parse("p0 = alloc_page(GFP_KERNEL)\nn0 = compound_order(p0)\n__free_pages(p0, n0)");
  assert.deepEqual(words(p, 2), [opOf("__free_pages"), -1, 3, 4, 0, 0, 3, 0]);
});

Deno.test("parseProgram() reads environment steps, also at a point", () => {
  const p = parse(
    "p0 = alloc_page(GFP_KERNEL)\nenv get_page_unless_zero(p0)\nat __free_pages:after_put env put_page(p0)\n" +
      "env fail tlb_next_batch\nenv rcu_grace_period()\nenv owner_gone(p0)",
  );
  assert.deepEqual(
    [...p.code].filter((_, i) => i % STEP_WORDS === 0),
    ["alloc_page", "env get_page_unless_zero"].map(opOf).concat(OP_AT)
      .concat(["env put_page", "env fail", "env rcu_grace_period", "env owner_gone"].map(opOf)),
  );
  assert.deepEqual(words(p, 4), [opOf("env fail"), -1, 1, 0, 0, 0, 0, 0]);
});

Deno.test("parseProgram() reads a repeat of one line and of a block alike", () => {
  const one = parse("repeat 509 p0 = alloc_page(GFP_KERNEL)");
  const block = parse("repeat 509\np0 = alloc_page(GFP_KERNEL)\nend");
  assert.deepEqual(one.code, block.code);
  assert.deepEqual(words(one, 0), [OP_REPEAT, -1, 509, 1, 0, 0, 0, 0]);
});

Deno.test("parseProgram() keeps const through calls that preserve it", () => {
  const p = parse("const p0 = alloc_page(GFP_KERNEL)\nh0 = compound_head(p0)\na0 = page_to_virt(h0)");
  assert.deepEqual(p.slots.slice(FIRST_SLOT).map((s) => s.isConst), [true, true, false]);
});

Deno.test("parseProgram() takes any kind for void *", () => {
  for (const call of ["virt_to_page(p0)", "tlb_remove_table(g0, p0+1)", "clear_page(mm0)", "env owner_gone(g0)"]) {
    parse(`p0 = alloc_page(GFP_KERNEL)\ng0 = tlb_gather_mmu(mm1)\n${call}`);
  }
});

Deno.test("a call that the kernel does not have is named, with the nearest it has", () => {
  assert.equal(
    refused("kernel v2\np0 = alloc_page(GFP_KERNEL)\nd0 = page_ptdesc(p0)\nptdesc_fre(d0)"),
    "x.pt:4:1: 'ptdesc_fre' is not a call of kernel v2; did you mean 'ptdesc_free'?",
  );
  assert.equal(stepsRefused("ptdesc_clear(NULL)"), "x.pt:2:1: 'ptdesc_clear' is not a call of kernel 6.12, only of v2");
  assert.equal(
    stepsRefused("ptdesc_free(NULL)"),
    "x.pt:2:1: 'ptdesc_free' is not a call of kernel 6.12, only of v2; did you mean 'pagetable_free'?",
  );
  assert.equal(stepsRefused("kmalloc(1)"), "x.pt:2:1: 'kmalloc' is not a call of kernel 6.12");
  assert.match(
    refused("kernel 6.1\npagetable_free(NULL)"),
    /:2:1: 'pagetable_free' is not a call of kernel 6\.1, only of 6\.6, 6\.12/,
  );
  assert.match(
    stepsRefused("owner_gone(mm0)"),
    /'owner_gone' is not a call of kernel 6\.12; did you mean 'env owner_gone'\?/,
  );
  assert.match(stepsRefused("env free_page(NULL)"), /'env free_page' is not a call .*; did you mean 'free_page'\?/);
  assert.match(stepsRefused("repaet 3"), /did you mean 'repeat'\?/);
});

Deno.test("a wrongly typed operand is refused with the kind that is wanted and the one it has", () => {
  const p0 = "p0 = alloc_page(GFP_KERNEL)\n";
  assert.equal(
    stepsRefused(`${p0}pagetable_free(p0)`),
    "x.pt:3:16: pagetable_free wants a ptdesc as 'pt', and 'p0' is a page",
  );
  assert.match(stepsRefused(`${p0}__free_pages(p0, p0)`), /wants an order as 'order', and 'p0' is a page/);
  assert.match(stepsRefused(`${p0}n0 = PageHead(p0)\nput_page(n0)`), /wants a page as 'page', and 'n0' is an int/);
  assert.match(stepsRefused("put_page(5)"), /wants a page as 'page', and '5' is neither NULL, NAME nor NAME\+PAGES/);
  assert.match(stepsRefused("__free_pages(NULL, NULL)"), /'NULL' is neither a whole number from 0 to 31 nor a name/);
  assert.match(stepsRefused(`const ${p0}put_page(p0)`), /wants a page as 'page' that is not const, and 'p0' is const/);
  assert.match(stepsRefused("g = tlb_gather_mmu(mm0+1)"), /'mm0' is a mm, and only a page, folio, ptdesc or virt/);
});

Deno.test("names are defined once and before they are used", () => {
  assert.equal(stepsRefused("put_page(p0)"), "x.pt:2:10: put_page uses 'p0', which no line above defines");
  assert.match(stepsRefused("put_page(p0)\np0 = alloc_page(0)"), /which no line above defines/);
  assert.match(stepsRefused("p = alloc_page(0)\np = alloc_page(0)"), /^x\.pt:3:1: 'p' is defined a second time/);
  assert.match(stepsRefused("mm0 = alloc_page(0)"), /'mm0' is a word of the language/);
  assert.match(stepsRefused("NULL = alloc_page(0)"), /'NULL' is a word of the language/);
  assert.match(stepsRefused(`${"x".repeat(65)} = alloc_page(0)`), /is longer than 64 letters/);
  assert.match(stepsRefused("table0 = alloc_page(0)\nput_page(tabel0)"), /did you mean 'table0'\?/);
});

Deno.test("numbers are refused outside their bounds", () => {
  assert.match(stepsRefused("alloc_pages(0, 32)"), /x\.pt:2:16: .*an order as 'order' from 0 to 31, and 32 is not one/);
  assert.match(stepsRefused("memblock_alloc(0)"), /a count as 'nr' from 1 to 4096, and 0 is not one/);
  assert.match(stepsRefused("alloc_pages_exact(67108865, 0)"), /a size in bytes as 'size' from 1 to 67108864/);
  assert.match(stepsRefused("alloc_pages(0, 1e9)"), /'1e9' is neither a whole number/);
  assert.match(stepsRefused("alloc_pages(0, -1)"), /'-1' is neither a whole number/);
  assert.match(stepsRefused("alloc_pages(0, 010)"), /'010' is neither a whole number/);
  assert.match(stepsRefused("p = alloc_page(0)\nput_page(p+1024)"), /must add a whole number of pages from 0 to 1023/);
  parse("alloc_pages(0, 31)\nalloc_pages_exact(67108864, 0)\nmemblock_alloc(4096)");
});

Deno.test("gfp flags that do not exist are refused with the nearest", () => {
  assert.match(stepsRefused("alloc_page(GFP_KERNAL)"), /'GFP_KERNAL' is not a gfp flag; did you mean 'GFP_KERNEL'\?/);
  assert.match(stepsRefused("alloc_page(GFP_KERNEL|)"), /'' is not a gfp flag, such as GFP_KERNEL\|__GFP_ZERO/);
  assert.match(stepsRefused("alloc_page(0xffff0000)"), /'0xffff0000' is not a gfp flag/);
});

Deno.test("headers are refused when unknown, repeated, missing or late", () => {
  assert.match(refused("p0 = alloc_page(0)"), /^x\.pt:1:1: a program begins with its kernel, such as 'kernel 6\.12'/);
  assert.match(refused("kernel 6.13\n"), /^x\.pt:1:8: '6\.13' is not a kernel; did you mean '6\.12'\?/);
  assert.match(refused("kernel"), /a kernel must stand here: 6\.1, v2/);
  assert.match(stepsRefused("arch s39"), /'s39' is not an architecture; did you mean 's390'\?/);
  assert.match(stepsRefused("config DEBUG"), /'DEBUG' is not an option/);
  assert.match(stepsRefused("config PTI PTI"), /'PTI' stands here twice/);
  assert.match(stepsRefused("pages 300"), /the number of pages is 300; it must be a power of two/);
  assert.match(stepsRefused("pages 4"), /the number of pages is '4'; it must be a whole number from 8 to 4096/);
  assert.match(stepsRefused("kernel v2"), /'kernel' stands here a second time/);
  assert.match(stepsRefused("put_page(NULL)\narch x86"), /'arch' must stand above the first step/);
});

Deno.test("repeats are refused when nested, empty, open, endless, or without a beginning", () => {
  assert.match(stepsRefused("repeat 2\nrepeat 2"), /^x\.pt:3:1: a repeat cannot stand inside a repeat/);
  assert.match(stepsRefused("repeat 2\nend"), /^x\.pt:2:1: a repeat needs a line before its 'end'/);
  assert.match(stepsRefused("repeat 2\nput_page(NULL)"), /^x\.pt:2:1: no 'end' closes this repeat/);
  assert.match(stepsRefused("end"), /'end' closes a repeat, and none is open/);
  assert.match(stepsRefused("repeat 0 put_page(NULL)"), /must be a whole number from 1 to 1000000/);
  assert.match(
    stepsRefused("repeat 500001\nput_page(NULL)\nput_page(NULL)\nend"),
    /executes at most 1000000 steps, repeats counted/,
  );
  parse("repeat 1000000 put_page(NULL)");
});

Deno.test("environment steps are refused when unknown, named, or at no point", () => {
  assert.match(
    stepsRefused("env fail alloc_page"),
    /^x\.pt:2:10: 'alloc_page' is not a function that .* did you mean 'alloc_pages'/,
  );
  assert.match(stepsRefused("r = env get_page_unless_zero(NULL)"), /gives no name to its answer/);
  assert.match(
    stepsRefused("at put_page:after env rcu_grace_period()"),
    /'put_page:after' is not a point inside a function/,
  );
  assert.match(
    stepsRefused("at __free_pages:after_put put_page(NULL)"),
    /an environment step \('env \.\.\.'\) must stand behind/,
  );
});

Deno.test("findings are refused when they claim what cannot be", () => {
  const step = "put_page(NULL)\n";
  assert.match(stepsRefused(`${step}finding page-leek at 1`), /did you mean 'page-leak'\?/);
  assert.match(
    stepsRefused(`${step}finding page-leak at 2`),
    /the number of the step is '2'; it must be a whole number from 1 to 1/,
  );
  assert.match(stepsRefused("finding page-leak at 1"), /a finding needs a step above it/);
  assert.match(stepsRefused(`${step}finding page-leak at 1 (0 pages)`), /the number of pages is '0'/);
  assert.match(stepsRefused(`${step}finding page-leak at 1 (3 words)`), /'pages\)' must stand behind their number/);
  assert.match(stepsRefused(`${step}finding page-leak at 1\n${step}`), /steps stand above the 'finding' lines/);
});

Deno.test("steps are numbered without at, repeat and end", () => {
  const steps = "repeat 2\nat __free_pages:after_put env rcu_grace_period()\nput_page(NULL)\nend\nput_page(NULL)\n";
  parse(`${steps}finding page-leak at 3`);
  assert.match(stepsRefused(`${steps}finding page-leak at 4`), /from 1 to 3/);
});

Deno.test("an empty program is refused, with and without headers", () => {
  assert.match(refused(""), /^x\.pt: the file is empty; a program begins with its kernel/);
  assert.match(refused("# nothing\n\n"), /the file is empty/);
  assert.match(refused("kernel 6.12\narch x86\n"), /the program has no steps below its headers/);
});

Deno.test("a truncated program is refused at the line that is cut", () => {
  const cuts = new Map([
    ["ptdesc_free(d0", /^x\.pt:7:15: ptdesc_free\(pt\) ends with '\)' here, and the line ends/],
    ["ptdesc_free(", /^x\.pt:7:13: ptdesc_free wants a ptdesc as 'pt', and nothing stands there/],
    ["ptdesc_fr", /^x\.pt:7:1: 'ptdesc_fr' is not a call of kernel v2; did you mean 'ptdesc_free'\?/],
    ["ptdesc_free", /^x\.pt:7:12: '\(' must stand behind ptdesc_free, and the line ends/],
  ]);
  const whole = CRST.slice(0, CRST.indexOf("ptdesc_free(d0)"));
  for (const [cut, message] of cuts) assert.match(refused(whole + cut), message);
});

Deno.test("a program with too much behind, or with too few arguments, is refused", () => {
  assert.match(
    stepsRefused("__free_pages(NULL)"),
    /^x\.pt:2:18: __free_pages\(page, order\) has another argument here/,
  );
  assert.match(stepsRefused("put_page(NULL, 1)"), /put_page\(page\) ends with '\)' here, and ',' stands/);
  assert.match(
    stepsRefused("put_page(NULL) put_page(NULL)"),
    /nothing may follow put_page\(page\), and 'put_page\(NULL\)' does/,
  );
  assert.match(stepsRefused("x = put_page(NULL)"), /put_page answers nothing, so leave out 'x ='/);
  assert.match(stepsRefused("= put_page(NULL)"), /a name must stand before '='/);
  assert.match(stepsRefused("const put_page(NULL)"), /'const' needs 'NAME = call/);
  assert.match(stepsRefused("??"), /a line must be a call/);
});

Deno.test("binary and endless programs are refused before they are read", () => {
  assert.match(refused("kernel 6.12\n\0"), /^x\.pt: this is binary, and a program is text/);
  assert.match(refused("#".repeat(5_000_000)), /more than 4194304 bytes/);
});

Deno.test("a program may have MAX_LINES instructions and MAX_SLOTS names, and not one more", () => {
  const lines = Array<string>(MAX_LINES).fill("put_page(NULL)").join("\n");
  assert.equal(parse(lines).code.length, MAX_LINES * STEP_WORDS);
  assert.match(stepsRefused(`${lines}\nput_page(NULL)`), /:20002:1: a program has at most 20000 lines/);
  const names = Array.from({ length: MAX_SLOTS - FIRST_SLOT }, (_, i) => `p${i} = alloc_page(0)`).join("\n");
  assert.equal(parse(names).slots.length, MAX_SLOTS);
  assert.match(stepsRefused(`${names}\nx = alloc_page(0)`), /a program has at most 4096 names/);
});

Deno.test("what a message repeats of the input is short and harmless to a terminal", () => {
  const message = stepsRefused(`put_page(${"\u001b[31m".repeat(1000)})`);
  assert.ok(message.length < 400 && !message.includes("\u001b"), message);
});

Deno.test("every call of the table can be written", () => {
  const all = CALLS.filter((c) => c.id !== opOf("env fail"));
  for (const call of all) {
    const kernel = KERNEL_BASES.findLast((k) => hasCall(k, call))!;
    const args = call.params.map((p) =>
      p.type === "gfp"
        ? "GFP_KERNEL"
        : wordsOf(p.type) !== undefined
        ? wordsOf(p.type)![0]
        : "order count bytes address".includes(p.type)
        ? "1"
        : "NULL"
    );
    const p = parse(`${call.env ? "env " : ""}${call.name}(${args.join(", ")})`, kernel);
    assert.equal(p.code[0], call.id);
  }
});
