import assert from "node:assert/strict";
import fc from "fast-check";
import { opOf } from "../core/program/calls.ts";
import { InputError } from "../core/program/input_error.ts";
import { FIRST_SLOT, STEP_WORDS } from "../core/program/program.ts";
import { listShipped } from "./files.ts";
import { canRunOn, checkNames, loadDiscipline, missingCall, parseDiscipline } from "./load_discipline.ts";

const MIPS = `name    = "mips/kvm-pgd"
arch    = "mips"
source  = ["arch/mips/kvm/mmu.c:kvm_pgd_alloc"]
kernels = ["6.12"]

[alloc]
run = '''
a = __get_free_pages(GFP_KERNEL, 1)
'''

[use.lookup]
run = "p = virt_to_page(a)"

[free.vm-destroy]
run = '''
d = virt_to_ptdesc(a)
pagetable_free(d)
'''

[fail.pgd]
after = "a"
run = '''
d = virt_to_ptdesc(a)
'''

[[expect]]
kernels = ["6.12"]
invariants = ["family", "page-leak"]
why = "PGD_TABLE_ORDER is 1 without __GFP_COMP, so compound_order answers 0"
shown-by = "regressions/mips-kvm-pgd.pt"
`;

/** The message that a text is refused with. */
function refused(text: string): string {
  try {
    parseDiscipline(text, "mips.toml");
  } catch (error) {
    assert.ok(error instanceof InputError, String(error instanceof Error ? error.stack : error));
    assert.ok(!error.message.includes("\n"), "a message is one line");
    return error.message;
  }
  return assert.fail(`not refused: ${text}`);
}

/** The message for the example with something replaced. */
function changed(from: string, to: string): string {
  assert.ok(MIPS.includes(from), `'${from}' is in the example`);
  return refused(MIPS.replace(from, to));
}

Deno.test("parseDiscipline() reads what the example says", () => {
  const d = parseDiscipline(MIPS, "mips.toml");
  assert.deepEqual([d.name, d.arch, d.kernels, d.config, d.pages], ["mips/kvm-pgd", "mips", ["6.12"], [], 256]);
  assert.deepEqual([d.hypothetical, d.canary, d.frames], [false, false, []]);
  assert.deepEqual([d.alloc.takes, d.use[0]?.takes, d.free[0]?.takes], [[], ["a"], ["a"]]);
  assert.equal(d.fail[0]?.after, "a");
  assert.deepEqual(d.expect[0]?.shownBy, ["regressions/mips-kvm-pgd.pt"]);
  assert.deepEqual(d.expect[0]?.invariants, ["family", "page-leak"]);
});

Deno.test("compile() shares the names of [alloc] and gives each path slots of its own", () => {
  const c = parseDiscipline(MIPS, "mips.toml").compile("6.12");
  assert.deepEqual(c.slots.slice(FIRST_SLOT).map((s) => s.name), ["a", "p", "d", "d"]);
  const first = (code: Int32Array | undefined) => [...(code ?? []).slice(0, 3)];
  assert.deepEqual(first(c.alloc.code), [opOf("__get_free_pages"), 3, c.alloc.code[2]]);
  assert.deepEqual(first(c.use[0]?.code), [opOf("virt_to_page"), 4, 3]);
  assert.deepEqual(first(c.free[0]?.code), [opOf("virt_to_ptdesc"), 5, 3]);
  assert.deepEqual(first(c.fail[0]?.code), [opOf("virt_to_ptdesc"), 6, 3]);
  assert.equal(c.free[0]?.code.length, 2 * STEP_WORDS);
  assert.equal(c.fail[0]?.after, 3);
});

Deno.test("a path may give a name of [alloc] to something of its own, and takes what stood before", () => {
  const d = parseDiscipline(
    MIPS.replace("d = virt_to_ptdesc(a)\np", "a = virt_to_ptdesc(a)\np").replace("(d)", "(a)"),
    "x",
  );
  assert.deepEqual(d.free[0]?.takes, ["a"]);
  assert.deepEqual([...(d.compile("6.12").free[0]?.code ?? [])].filter((_, i) => i % STEP_WORDS === 2), [3, 5]);
});

Deno.test("canRunOn() is whether a kernel has all the calls", () => {
  const d = parseDiscipline(MIPS, "mips.toml");
  assert.deepEqual(["6.12", "6.12-without-B2", "6.6", "v2", "6.1"].map((k) => canRunOn(d, k)), [
    true,
    true,
    true,
    false,
    false,
  ]);
  assert.equal(missingCall(d, "v2"), "pagetable_free");
  assert.equal(d.compile("6.6-without-B1").alloc.code.length, STEP_WORDS);
  assert.throws(() => d.compile("v2"), /'pagetable_free' is not a call of kernel v2, only of 6\.6, 6\.12/);
  assert.throws(() => canRunOn(d, "5.4"), InputError);
});

Deno.test("a name that no line above defines is refused at its line", () => {
  assert.equal(
    changed("d = virt_to_ptdesc(a)\npagetable", "pagetable"),
    "mips.toml:16:16: [free.vm-destroy] uses 'd', which no line above defines",
  );
});

Deno.test("a path does not see the names of another path", () => {
  assert.match(
    changed("\nd = virt_to_ptdesc(a)\npagetable_free(d)", "\npagetable_free(d)"),
    /\[free\.vm-destroy\] uses 'd'/,
  );
});

Deno.test("an unknown call is refused, and so is one that a kernel of the list lacks", () => {
  assert.equal(
    changed("pagetable_free(d)", "pagetable_fre(d)"),
    "mips.toml:17:1: [free.vm-destroy]: 'pagetable_fre' is not a call of kernel 6.12; did you mean 'pagetable_free'?",
  );
  assert.equal(
    changed('kernels = ["6.12"]\n\n', 'kernels = ["6.12", "v2"]\n\n'),
    "mips.toml:17:1: [free.vm-destroy]: 'pagetable_free' is not a call of kernel v2, only of 6.6, 6.12, 6.14, 6.19, frozen, memdesc; did you mean 'ptdesc_free'?",
  );
});

Deno.test("an unknown kernel, architecture, option or invariant is refused with the nearest", () => {
  assert.equal(
    changed('kernels = ["6.12"]\n\n', 'kernels = ["6.13"]\n\n'),
    "mips.toml:4: in 'kernels', '6.13' is not a kernel; did you mean '6.12'?",
  );
  assert.match(changed('"mips"', '"mps"'), /^mips\.toml:2: 'mps' is not an architecture; did you mean 'mips'\?/);
  assert.match(
    changed("arch ", 'config = ["PTY"]\narch '),
    /^mips\.toml:2: in 'config', 'PTY' is not an option; did you mean 'PTI'/,
  );
  assert.match(
    changed('"page-leak"', '"page-leek"'),
    /:28: in \[\[expect\]\]\.invariants, 'page-leek' .* did you mean 'page-leak'/,
  );
  assert.match(
    changed('["6.12"]\ninv', '["6.1"]\ninv'),
    /:27: \[\[expect\]\] names kernel 6\.1, which has no 'virt_to_ptdesc'/,
  );
});

Deno.test("a missing table or key is refused", () => {
  assert.match(refused(""), /^mips\.toml: 'name' must be a text, such as "s390\/crst"/);
  assert.match(refused('name = "x"'), /'kernels' must be a list of kernels, such as \["6\.12"\]/);
  const head = 'name = "x"\nkernels = ["6.12"]\n';
  const alloc = '[alloc]\nrun = "a = __get_free_page(GFP_KERNEL)"\n';
  assert.match(refused(head), /^mips\.toml: the table \[alloc\] with the lines that allocate is missing/);
  assert.match(refused(head + alloc), /^mips\.toml: a table \[free\.NAME\] with lines that free is missing/);
  assert.match(
    refused(`forever = true\n${head}${alloc}[free.x]\nrun = "free_page(a)"`),
    /^mips\.toml:1: 'forever = true' says that nothing frees it, and \[free\.x\] does; take one of them out/,
  );
  assert.ok(parseDiscipline(`forever = true\n${head}${alloc}`, "mips.toml").forever);
  assert.match(refused(`${head}${alloc}[free.x]`), /^mips\.toml:5: \[free\.x\]\.run must be a text/);
  assert.match(
    refused(`${head}${alloc}[free]\nrun = "free_page(a)"`),
    /:6: \[free\] needs a name, such as \[free\.vm-destroy\]/,
  );
  assert.match(
    changed('after = "a"\n', ""),
    /\[fail\.pgd\]\.after must be a text, such as a name that \[alloc\] defines/,
  );
  assert.match(
    changed('after = "a"', 'after = "b"'),
    /^mips\.toml:21: \[fail\.pgd\]\.after: 'b' is not a name that \[alloc\] defines \(a\)/,
  );
});

Deno.test("an endless order is refused", () => {
  assert.equal(
    changed("GFP_KERNEL, 1)", "GFP_KERNEL, 99)"),
    "mips.toml:8:34: [alloc]: __get_free_pages wants an order as 'order' from 0 to 10, and 99 is not one",
  );
  for (const order of ["11", "1e9", "inf", "-1"]) assert.match(changed(", 1)", `, ${order})`), /from 0 to 10/);
});

Deno.test("environment steps, headers and findings have no place in a path", () => {
  assert.match(
    changed("pagetable_free(d)", "env put_page(NULL)"),
    /:17:1: \[free\.vm-destroy\]: environment steps have no place/,
  );
  assert.match(
    changed("pagetable_free(d)", "at __free_pages:after_put env put_page(NULL)"),
    /environment steps have no place/,
  );
  assert.match(changed("pagetable_free(d)", "kernel 6.12"), /a line must be a call/);
  assert.match(changed("pagetable_free(d)", "finding family at 1"), /a line must be a call/);
});

Deno.test("unknown keys are refused with the nearest", () => {
  assert.match(
    changed("source", "sources"),
    /^mips\.toml:3: 'sources' is not a key of a discipline; did you mean 'source'\?/,
  );
  assert.match(changed("after =", "aftr ="), /:21: 'aftr' is not a key of \[fail\.pgd\]; did you mean 'after'\?/);
  assert.match(
    changed("why =", "reason ="),
    /:29: 'reason' is not a key of \[\[expect\]\] \(kernels, invariants, why, shown-by\)/,
  );
});

Deno.test("values of a wrong type are refused", () => {
  for (
    const [line, message] of [
      ["pages = 100", /'pages' must be a power of two from 8 to 4096/],
      ['pages = "256"', /'pages' must be a power of two/],
      ["pages = inf", /'pages' must be a power of two/],
      ["hypothetical = 1", /'hypothetical' must be true or false/],
      ['config = "PTI"', /'config' must be a list of texts/],
      ["frames = [1]", /'frames' must be a list of texts/],
      ["use = 3", /'use' must be a table: \[use\]/],
      ["fail = [1]", /'fail' must be a table: \[fail\]/],
    ] as const
  ) {
    const text = MIPS.replace(/\[use[^]*?\n\n/, "").replace(/\[fail[^]*?\n\n/, "").replace("arch ", `${line}\narch `);
    assert.match(refused(text), message);
  }
  assert.match(changed('name    = "mips/kvm-pgd"', "name = 1"), /^mips\.toml:1: 'name' must be a text/);
});

Deno.test("what is not TOML is refused at its line", () => {
  assert.match(changed('arch    = "mips"', "arch = mips"), /^mips\.toml:2:8: this is not TOML: invalid value/);
  assert.match(
    refused(MIPS.slice(0, MIPS.indexOf("pagetable"))),
    /^mips\.toml:15:7: this is not TOML: unfinished string/,
  );
  assert.match(refused(`${MIPS}[alloc]\n`), /this is not TOML: /);
});

Deno.test("a name that the discipline gives twice is refused", () => {
  assert.match(
    changed("\npagetable_free(d)", "\nd = virt_to_ptdesc(a)"),
    /:17:1: \[free\.vm-destroy\]: 'd' is defined a second time/,
  );
});

Deno.test("checkNames() names both files of one name", () => {
  const a = parseDiscipline(MIPS, "a.toml");
  const b = parseDiscipline(MIPS, "b.toml");
  checkNames([a]);
  assert.throws(() => checkNames([a, b]), {
    message: "b.toml: the name 'mips/kvm-pgd' is already that of a.toml; every discipline has a name of its own",
  });
});

Deno.test("places are found for quoted tables, texts of one line, and CRLF", () => {
  const text =
    'name = "x"\r\nkernels = ["6.12"]\r\nalloc.run = "a = __get_free_page(GFP_KERNEL)"\r\n[ free . "a b" ]\r\nrun = "free_page(b)"\r\n';
  assert.equal(refused(text), "mips.toml:5:18: [free.a b] uses 'b', which no line above defines");
  const inline = 'name = "x"\nkernels = ["6.12"]\nalloc = { run = "b = x()" }\nfree.a = { run = "x()" }';
  assert.equal(refused(inline), "mips.toml: [alloc]: 'x' is not a call of kernel 6.12");
});

Deno.test("parseDiscipline() throws nothing but InputError for texts that are cut or changed", () => {
  const change = fc.tuple(fc.nat(MIPS.length - 1), fc.nat(30), fc.string({ unit: "binary-ascii", maxLength: 8 }));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      let text = MIPS;
      for (const [at, cut, put] of changes) text = text.slice(0, at) + put + text.slice(at + cut);
      try {
        parseDiscipline(text, "x.toml");
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        assert.ok(!error.message.includes("\n"));
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("every shipped discipline loads, under a name of its own", () => {
  checkNames(listShipped().disciplines.map(loadDiscipline));
});
