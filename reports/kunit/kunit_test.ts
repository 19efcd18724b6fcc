import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { callName, CALLS } from "../../core/program/calls.ts";
import { parseProgram } from "../../core/program/parse.ts";
import { readTextFile } from "../../corpus/files.ts";
import { NOT_IN_A_TEST } from "./calls.ts";
import { identifier, kunitTest } from "./kunit.ts";

const read = (name: string) => {
  const file = `corpus/regressions/${name}.pt`;
  return parseProgram(readTextFile(file), file);
};

/** The statements of the function that makes the program's calls. */
function body(text: string, name: string): string[] {
  const from = text.indexOf(`static void ${name}(`);
  return text.slice(text.indexOf("{\n", from) + 2, text.indexOf("\n}\n", from)).split("\n").map((l) => l.trim());
}

Deno.test("kunitTest() of the half-converted crst is the file that a maintainer would take", () => {
  const { text } = kunitTest(read("crst-half-converted-6.12"), "crst-half-converted-6.12.pt");
  assertEquals(text, Deno.readTextFileSync(new URL("./crst_half_converted_6_12_kunit.c", import.meta.url)));
});

Deno.test("kunitTest() makes the calls of the program, one a line, with names that say what a value is", () => {
  const { text } = kunitTest(read("mips-kvm-pgd-held"), "held");
  assertEquals(body(text!, "held_round"), [
    "struct ptdesc *ptdesc;",
    "struct page *page;",
    "bool speculative;",
    "void *addr;",
    "",
    "addr = (void *)__get_free_pages(GFP_KERNEL, 1);",
    "KUNIT_ASSERT_NOT_NULL(test, addr);",
    "page = virt_to_page(addr);",
    "ptdesc = virt_to_ptdesc(addr);",
    "/* As page cache and compaction look at any page. */",
    "speculative = get_page_unless_zero(page);",
    "pagetable_free(ptdesc);",
    "if (speculative)",
    "put_page(page);",
  ]);
});

Deno.test("kunitTest() expects the page that a lookup answers to be the block's first", () => {
  const { text } = kunitTest(read("compound-lookup-inside-6.12"), "inside");
  const lines = body(text!, "inside_test");
  assertEquals(lines.filter((l) => l.startsWith("KUNIT_EXPECT")), [
    'KUNIT_EXPECT_PTR_EQ_MSG(test, ptdesc_page(ptdesc2), ptdesc_page(ptdesc), "addr+2 lies in a tail page\\n");',
  ]);
});

Deno.test("kunitTest() stops before a reference is put that is not there", () => {
  const program = parseProgram(
    "kernel 6.12\nconfig DEBUG_VM\np0 = alloc_page(GFP_KERNEL)\n__free_page(p0)\n__free_page(p0)\n\n" +
      "finding double-free at 3: twice\nfinding kernel-check at 3: BUG\n",
    "twice.pt",
  );
  const lines = body(kunitTest(program, "twice").text!, "twice_test");
  assertEquals(lines.slice(-2), [
    'KUNIT_ASSERT_GT_MSG(test, page_ref_count(page), 0, "twice\\n");',
    "__free_page(page);",
  ]);
});

Deno.test("kunitTest() says in one sentence why a program is no test", () => {
  const reasons: [string, RegExp][] = [
    ["generic-pgd", /^a running kernel shows nothing of family: it keeps no record of what callers were promised$/],
    ["b2-head-after-put", /^a step inside another call/],
    ["reserved-order-2", /^memblock_alloc\(\) is gone when a kernel has booted$/],
    [
      "canary-error-path",
      /^an allocation fails when a test wants it only with fault injection \(env fail alloc_pages\)$/,
    ],
    ["free-page-of-compound", /^the kernel dies at step 2 .*before a test can say anything$/],
    ["b1-repaired", /^a running kernel shows nothing of a program without a finding/],
    ["x86-pgd-6.1", /is static in arch\/x86\/mm\/pgtable\.c$/],
  ];
  for (const [name, reason] of reasons) {
    const test = kunitTest(read(name), name);
    assert(test.reason !== undefined && reason.test(test.reason), `${name}: ${test.reason ?? "a test"}`);
  }
});

Deno.test("kunitTest() says that DEBUG_VM has to be off where a check of it comes first", () => {
  const program = parseProgram(
    "kernel 6.12\np0 = alloc_pages(GFP_KERNEL|__GFP_COMP, 2)\n__free_pages(p0, 1)\n\n" +
      "finding order-mismatch at 2: granted 4 pages, released 2\nfinding page-leak at 2 (2 pages): p0+2..p0+3 are lost\n",
    "short.pt",
  );
  assertStringIncludes(kunitTest(program, "short").text!.replaceAll("\n * ", " "), "CONFIG_DEBUG_VM has to be off");
});

Deno.test("identifier() makes a C name of any name", () => {
  const names = ["s390/crst 6.12", "dir/b1.pt", "6.12", "-", "Größe"].map((n) => identifier(n));
  assertEquals(names, ["s390_crst_6_12", "dir_b1", "ptfuzz_6_12", "ptfuzz", "gr_e"]);
});

Deno.test("every call of the language is written in C, stands for the architecture's own, or has its reason", () => {
  const own = ["table_init", "populate", "unlink", "env owner_gone"];
  const written = [
    "__get_free_pages",
    "__get_free_page",
    "get_zeroed_page",
    "free_pages",
    "free_page",
    "tlb_gather_mmu",
    "tlb_gather_mmu_fullmm",
    "env get_page_unless_zero",
    "env put_page",
    "env rcu_grace_period",
  ];
  for (const call of CALLS) {
    const name = callName(call);
    if (own.includes(name) || written.includes(name) || Object.hasOwn(NOT_IN_A_TEST, name)) continue;
    // The rest is written as it is: the kernel takes what the language takes.
    assert(!call.env, name);
    for (const p of call.params) assert(!["how", "mm", "walker"].includes(p.type), `${name} takes ${p.type}`);
  }
});
