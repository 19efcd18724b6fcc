import assert from "node:assert/strict";
import { findingsOf } from "../core/program/findings.ts";
import { Machine } from "../core/program/machine.ts";
import { listShipped, readProgramFile } from "../corpus/files.ts";
import { parseDiscipline } from "../corpus/load_discipline.ts";
import { selectDisciplines } from "./cells.ts";
import { memdescVerdict, onMemdesc, runMemdesc } from "./memdesc.ts";

/** Stored programs that are latent on their kernel, and right where descriptors are apart. */
const RIGHT_THERE = [
  // The lookup answers the table's descriptor for each of its pages.
  "compound-lookup-inside-6.12.pt",
  // Since 6.14 a gather takes descriptors.
  "ptdesc-for-page.pt",
];

Deno.test("what is latent diverges on memdesc: each stored program that is, and can run there", () => {
  let tried = 0;
  for (const file of listShipped().regressions) {
    const program = readProgramFile(file);
    const machine = new Machine(program);
    machine.run(program);
    const findings = findingsOf(machine, program.slots);
    if (findings.length === 0 || findings.some((f) => f.severity !== "latent")) continue;
    const there = onMemdesc(program);
    if (there === undefined) continue;
    tried++;
    assert.equal(there.diverges, true, `${file} does the same on memdesc: it is not latent`);
    const right = RIGHT_THERE.some((name) => file.endsWith(name));
    assert.equal(there.findings.some((f) => f.severity !== "latent"), !right, file);
  }
  assert.ok(tried >= 10, `${tried} programs`);
});

function verdictOf(name: string) {
  return memdescVerdict(selectDisciplines([name])[0]!);
}

Deno.test("each way to break has its reason", () => {
  const why = (name: string) => verdictOf(name).breaks.map((b) => `${b.paths}: ${b.line}: ${b.why}`);
  assert.deepEqual(why("generic/pgd"), [
    "free.pgd-free: d = virt_to_ptdesc(a): memory of `alloc_pages` has no descriptor",
  ]);
  assert.match(why("generic/reserved").join(), /boot memory has no descriptor/);
  assert.match(
    why("x86/pte").join(),
    /free.native: tlb_remove_page\(g, p\): a table's page is queued and put as a page/,
  );
  assert.match(why("x86/pte").join(), /free.paravirt: tlb_remove_table\(g, p\): a struct page is queued/);
  assert.match(why("s390/pte").join(), /an address is queued where the descriptor is taken/);
  assert.match(why("x86/vmap-huge").join(), /free_page\(a\): a table is freed as pages/);
});

Deno.test("what runs runs: generic/pte has nothing to change", () => {
  assert.deepEqual(verdictOf("generic/pte").breaks, []);
  assert.equal(verdictOf("generic/pte").today, "clean");
});

Deno.test("a discipline with calls that memdesc lacks says which", () => {
  assert.equal(verdictOf("generic/pte-v2").lacks, "ptdesc_alloc");
});

Deno.test("what only a second table shows is found by the search", () => {
  const text = `
name = "mine/late"
kernels = ["6.12"]
[alloc]
run = """
d = pagetable_alloc(GFP_KERNEL, 0)
e = pagetable_alloc(GFP_KERNEL, 0)
"""
[free.both]
run = """
pagetable_free(d)
pagetable_free(e)
"""
[fail.second]
after = "e"
run = """
a = ptdesc_address(d)
free_page(a)
"""
`;
  const verdict = memdescVerdict({ discipline: parseDiscipline(text, "late.toml"), text });
  assert.deepEqual(verdict.breaks.map((b) => [b.paths, b.why.slice(0, 26)]), [[
    ["several"],
    "a table is freed as pages:",
  ]]);
});

Deno.test("the verdicts are of real code, sorted, and the same every time", async () => {
  const verdicts = await runMemdesc([], { progress: () => undefined });
  assert.ok(!verdicts.some((v) => /^(canary|hypothetical)\//.test(v.discipline)));
  assert.deepEqual(verdicts.map((v) => v.discipline), verdicts.map((v) => v.discipline).sort());
  assert.deepEqual(await runMemdesc([], { progress: () => undefined }), verdicts);
});
