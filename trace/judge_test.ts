import assert from "node:assert/strict";
import { CRST_ALLOC, CRST_FLAGS, findingNames, MMDROP_FREE, only, RCU_FREE, Script, traceText } from "./testing.ts";

const FREED_IN_PART = "a table is freed in part, or a free and an allocation are missing";
const TWICE = "a table is freed twice, or an allocation between the frees is missing";
const AGAIN = "a table's page is allocated while the table lives, or its free is missing";

/** One crst, allocated and freed in order. */
function crst(script: Script, pfn: number): Script {
  return script.alloc(pfn, 2, CRST_FLAGS).stack(CRST_ALLOC).free(pfn, 2).stack(MMDROP_FREE);
}

/** A crst that is not compound, as 6.1 has it. */
function oldCrst(script: Script, pfn: number): Script {
  return script.alloc(pfn, 2, "GFP_KERNEL").stack("crst_table_alloc mm_init copy_process");
}

async function judged(text: string, said = { kernel: "6.12", arch: "s390" }) {
  const result = await traceText(text, said);
  const { tables, uncertain, before } = only(result);
  return {
    findings: findingNames(result.findings),
    uncertain: uncertain.map((u) => `${u.count} ${u.what}`),
    pairs: tables.map((t) => t.pairs),
    live: tables.map((t) => t.live),
    before: before.map((b) => `${b.count} of ${b.order} by ${b.by}`),
    complaints: result.cells.flatMap((c) => c.complaints),
    tables,
    result,
  };
}

Deno.test("a table that is allocated and freed is a pair", async () => {
  const { findings, uncertain, pairs, live } = await judged(crst(new Script(), 0x100).text());
  assert.deepEqual([findings, uncertain, pairs, live], [[], [], [1], [0]]);
});

Deno.test("a softirq between an event and its stack takes neither", async () => {
  const softirq = { context: "s" } as const;
  const script = crst(new Script(), 0x100)
    .alloc(0x200, 2, CRST_FLAGS).stack(CRST_ALLOC)
    .alloc(0x104, 2, CRST_FLAGS)
    .free(0x200, 2, softirq).stack(RCU_FREE, softirq)
    .stack(CRST_ALLOC);
  const { findings, uncertain, tables } = await judged(script.text());
  assert.deepEqual([findings, uncertain], [[], []]);
  assert.deepEqual(tables[0]?.releases.map((r) => `${r.count} ${r.by} ${r.path}`), [
    "1 __mmdrop crst-table-free",
    "1 tlb_remove_table_rcu pmd-free-tlb",
  ]);
  assert.equal(tables[0]?.live, 1);
});

Deno.test("the stack of another event is not taken for a table's that has none", async () => {
  const script = crst(new Script(), 0x100).alloc(0x300, 0, "GFP_ATOMIC").entry("sched_switch: prev_comm=a")
    .stack("schedule crst_table_alloc");
  const { tables, uncertain } = await judged(script.text());
  assert.equal(tables.length, 1);
  assert.deepEqual(uncertain, ["1 an allocation has no stack trace: it may be a page table's"]);
});

Deno.test("CPUs may be interleaved as they like", async () => {
  const a = { cpu: 0 };
  const b = { cpu: 1 };
  const script = new Script()
    .alloc(0x100, 2, CRST_FLAGS, a).alloc(0x104, 2, CRST_FLAGS, b).stack(CRST_ALLOC, b).stack(CRST_ALLOC, a)
    .free(0x104, 2, a).free(0x100, 2, b).stack(MMDROP_FREE, b).stack(RCU_FREE, a);
  const { findings, uncertain, pairs } = await judged(script.text());
  assert.deepEqual([findings, uncertain, pairs], [[], [], [2]]);
});

Deno.test("what was allocated by somebody else is no table, whatever interrupted a table's allocation", async () => {
  const script = crst(new Script(), 0x100)
    .alloc(0x300, 2, "GFP_ATOMIC").stack("__alloc_pages_noprof alloc_skb handle_softirqs crst_table_alloc __pmd_alloc");
  assert.equal((await judged(script.text())).tables[0]?.allocations, 1);
});

Deno.test("a free of a table from before the recording is counted, and is nothing else", async () => {
  const { findings, uncertain, before } = await judged(
    crst(new Script().free(0x700, 2).stack(RCU_FREE), 0x100).text(),
  );
  assert.deepEqual([findings, uncertain, before], [[], [], ["1 of 2 by tlb_remove_table_rcu"]]);
});

Deno.test("order 2 freed as order 0 is an order mismatch, and its three tail pages are named", async () => {
  const script = oldCrst(new Script(), 0x100).free(0x100, 0).stack(MMDROP_FREE);
  const { findings, tables, complaints, result } = await judged(script.text());
  assert.deepEqual(findings, [
    "family by pagetable_free",
    "family by virt_to_ptdesc",
    "head-misuse by pagetable_free",
    "order-mismatch by pagetable_free",
    "page-leak by pagetable_free",
  ]);
  assert.equal(tables[0]?.lost, 3);
  assert.match(result.findings.find((f) => f.invariant === "page-leak")?.explanation ?? "", /0x101\.\.0x103\.$/);
  assert.match(complaints.join(), /s390\/crst allocates order 2, compound .* on 6\.12; crst_table_alloc did so once/);
});

Deno.test("a mismatch that the discipline's paths do not make is shown as it was recorded", async () => {
  const script = crst(new Script(), 0x100).alloc(0x104, 2, CRST_FLAGS).stack(CRST_ALLOC).free(0x104, 1).stack(RCU_FREE);
  const { findings, result } = await judged(script.text());
  assert.ok(findings.includes("order-mismatch by __free_pages"), findings.join());
  assert.match(result.findings[0]?.program ?? "", /__free_pages\(p0, 1\)/);
});

Deno.test("more freed than was allocated is an order mismatch", async () => {
  const script = new Script().alloc(0x100, 2, CRST_FLAGS).stack(CRST_ALLOC).free(0x100, 3).stack(MMDROP_FREE);
  const { findings } = await judged(script.text());
  assert.ok(findings.includes("order-mismatch by __free_pages"), findings.join());
});

Deno.test("the chunks of a block whose page 0 somebody holds are one release", async () => {
  // __free_pages of order 2 while page 0 is held: pages 2 and 3 as order 1, page 1 as order 0; the put comes later.
  const script = oldCrst(new Script(), 0x100)
    .free(0x102, 1).stack("free_unref_page __mmdrop schedule")
    .free(0x101, 0).stack("free_unref_page __mmdrop schedule")
    .free(0x100, 0).stack("free_unref_page __folio_put isolate_migratepages_block");
  const { findings, uncertain, tables, result } = await judged(script.text(), { kernel: "6.1", arch: "s390" });
  assert.deepEqual([findings, uncertain], [[], []]);
  assert.deepEqual(tables[0]?.releases.map((r) => `${r.count} ${r.form}`), ["1 in chunks"]);
  const { replayed } = only(result);
  assert.deepEqual([replayed.agreed, replayed.differing], [3, []]);
});

Deno.test("while page 0 is still held at the end nothing is lost", async () => {
  const script = oldCrst(new Script(), 0x100).free(0x102, 1).stack(MMDROP_FREE).free(0x101, 0).stack(MMDROP_FREE);
  const { findings, uncertain, tables } = await judged(script.text(), { kernel: "6.1", arch: "s390" });
  assert.deepEqual([findings, uncertain, tables[0]?.lost], [[], [], 0]);
});

Deno.test("a table freed page by page was not released as it was granted, and loses nothing", async () => {
  let script = oldCrst(new Script(), 0x100);
  for (let i = 0; i < 4; i++) script = script.free(0x100 + i, 0).stack(MMDROP_FREE);
  const { findings, tables } = await judged(script.text(), { kernel: "6.1", arch: "s390" });
  assert.ok(findings.some((f) => f.startsWith("order-mismatch")), findings.join());
  assert.equal(tables[0]?.lost, 0);
});

Deno.test("a second free is a double free where the recording is whole, and uncertain where it is not", async () => {
  const twice = () => crst(new Script(), 0x100).free(0x100, 2).stack(MMDROP_FREE);
  assert.deepEqual((await judged(twice().text())).findings, [
    "bad-reference by __free_pages",
    "double-free by __free_pages",
  ]);
  for (const text of [twice().text(1), twice().pipe(), twice().line("CPU:1 [LOST 1 EVENTS]").text()]) {
    const { findings, uncertain } = await judged(text);
    assert.deepEqual(findings, []);
    assert.ok(uncertain.includes(`1 ${TWICE}`), uncertain.join());
  }
});

Deno.test("a second free by somebody else is that one's own page: its allocation has no event (alloc_pages_bulk)", async () => {
  const script = crst(new Script(), 0x100).free(0x100, 2).stack("free_unref_page skb_release_data");
  const { findings, uncertain } = await judged(script.text());
  assert.deepEqual([findings, uncertain], [[], []]);
});

Deno.test("a page of a live table allocated again is found in a whole recording of all orders only", async () => {
  const again = () =>
    new Script().alloc(0x100, 2, CRST_FLAGS).stack(CRST_ALLOC).alloc(0x101, 0, "GFP_KERNEL").stack("a b");
  const whole = again().free(0x900, 0).stack("a b").text();
  assert.deepEqual((await judged(whole)).findings, ["use-after-free by mm_page_alloc"]);
  for (const text of [again().text(), again().free(0x900, 0).stack("a b").text(1), again().pipe()]) {
    const { findings, uncertain } = await judged(text);
    assert.deepEqual(findings, []);
    assert.ok(uncertain.includes(`1 ${AGAIN}`), uncertain.join());
  }
});

Deno.test("the clocks of two CPUs may put a free behind the allocation that came after it", async () => {
  const script = new Script().alloc(0x100, 2, CRST_FLAGS).stack(CRST_ALLOC)
    .alloc(0x100, 2, CRST_FLAGS, { cpu: 1 }).stack(CRST_ALLOC, { cpu: 1 })
    .free(0x100, 2).stack(MMDROP_FREE)
    .free(0x100, 2).stack(MMDROP_FREE)
    .free(0x900, 0).stack("a b");
  const { findings, uncertain } = await judged(script.text());
  assert.deepEqual([findings, uncertain], [[], [`1 ${AGAIN}`]]);
});

Deno.test("a table that is not aligned to its order is found", async () => {
  const script = new Script().alloc(0x102, 2, CRST_FLAGS).stack(CRST_ALLOC);
  assert.deepEqual((await judged(script.text())).findings, ["buddy-structure by mm_page_alloc"]);
});

Deno.test("a mismatch across lost events is uncertain, before and after them it is not", async () => {
  const half = (s: Script, pfn: number) => oldCrst(s, pfn);
  const across = half(new Script(), 0x100).line("CPU:0 [LOST 9 EVENTS]").free(0x100, 0).stack(MMDROP_FREE);
  const { findings, uncertain } = await judged(across.text());
  assert.deepEqual(findings, []);
  assert.ok(uncertain.includes(`1 ${FREED_IN_PART}`), uncertain.join());
  const after = half(new Script().line("CPU:0 [LOST 9 EVENTS]"), 0x100).free(0x100, 0).stack(MMDROP_FREE);
  assert.ok((await judged(after.text())).findings.includes("order-mismatch by pagetable_free"));
});

Deno.test("events lost on a CPU are missing since its last line, not since the mark", async () => {
  const other = { cpu: 1 };
  const script = oldCrst(new Script().entry("sched_switch: x", other), 0x100).free(0x100, 0).stack(MMDROP_FREE)
    .line("CPU:1 [LOST 9 EVENTS]").entry("sched_switch: x", other);
  assert.deepEqual((await judged(script.text())).findings, []);
});

Deno.test("lost pages that are allocated again were not lost: the order was wrong, or events are missing", async () => {
  const script = () => oldCrst(new Script(), 0x100).free(0x100, 0).stack(MMDROP_FREE).alloc(0x101, 0).stack("a b");
  const whole = await judged(script().text());
  assert.ok(whole.findings.includes("order-mismatch by pagetable_free"), whole.findings.join());
  assert.equal(whole.tables[0]?.lost, 0);
  const { findings, uncertain } = await judged(script().text(1));
  assert.deepEqual(findings, []);
  assert.ok(uncertain.includes("1 pages that a table lost are allocated again: events are missing"), uncertain.join());
});

Deno.test("page 0 of a table that lost its tails may live on as another table", async () => {
  const pte = "__alloc_pages_noprof page_table_alloc __pte_alloc";
  const script = oldCrst(new Script(), 0x100).free(0x100, 0).stack(MMDROP_FREE)
    .alloc(0x100, 0, CRST_FLAGS).stack(pte).free(0x100, 0).stack(RCU_FREE);
  const { tables } = await judged(script.text());
  assert.deepEqual(tables.map((t) => [t.discipline, t.pairs, t.lost]), [["s390/crst", 0, 3], ["s390/pte", 1, 0]]);
});

Deno.test("a recording filtered by order is told from a leak", async () => {
  const script = new Script();
  for (let i = 0; i < 5; i++) script.alloc(0x100 + 4 * i, 2, CRST_FLAGS).stack(CRST_ALLOC);
  const { findings, uncertain } = await judged(script.text());
  assert.deepEqual(findings, []);
  assert.match(uncertain.join(), /5 tables were never freed, .* do not filter by order/);
});

Deno.test("without stacks the function tracer's events say who allocates", async () => {
  const script = new Script()
    .entry("crst_table_alloc <-__pmd_alloc").alloc(0x100, 2, CRST_FLAGS)
    .entry("crst_table_free <-pgd_free").free(0x100, 2);
  const { tables } = await judged(script.text());
  assert.deepEqual(tables.map((t) => [t.discipline, t.known_by, t.site, t.pairs]), [
    ["s390/crst", "function", "crst_table_alloc", 1],
  ]);
  assert.deepEqual(tables[0]?.releases.map((r) => r.path), ["crst-table-free"]);
});

Deno.test("a function's event counts for one allocation of the same task", async () => {
  const script = new Script()
    .entry("crst_table_alloc <-__pmd_alloc").alloc(0x100, 2, CRST_FLAGS).alloc(0x104, 2, CRST_FLAGS);
  assert.equal((await judged(script.text())).tables[0]?.allocations, 1);
});

Deno.test("without anything order and flags say it, where one discipline has them", async () => {
  const script = new Script().alloc(0x100, 1, "GFP_KERNEL_ACCOUNT|__GFP_ZERO").free(0x100, 1);
  const { tables } = await judged(script.text(), { kernel: "6.1", arch: "x86" });
  assert.deepEqual(tables.map((t) => [t.discipline, t.known_by, t.pairs]), [["x86/pgd-pti", "shape", 1]]);
  const kernel = new Script().alloc(0x100, 1, "GFP_KERNEL").free(0x100, 1);
  assert.deepEqual((await judged(kernel.text(), { kernel: "6.1", arch: "x86" })).tables, []);
});

Deno.test("__GFP_HARDWALL, which cpusets add, changes nothing", async () => {
  const script = new Script().alloc(0x100, 2, "GFP_USER").stack("crst_table_alloc mm_init").free(0x100, 2)
    .stack(MMDROP_FREE);
  const { tables, complaints } = await judged(script.text(), { kernel: "6.1", arch: "s390" });
  assert.deepEqual([tables[0]?.discipline, complaints], ["s390/crst-6.1", []]);
});

Deno.test("a table of a function that no discipline names is listed by its stack", async () => {
  const script = new Script().alloc(0x100, 0, "GFP_KERNEL").stack("__alloc_pages_noprof hugepd_alloc huge_pte_alloc");
  const result = await traceText(script.text(), { kernel: "6.12", arch: "s390" });
  assert.deepEqual(only(result).unexplained, [{
    stack: "order 0 by hugepd_alloc < huge_pte_alloc",
    count: 1,
  }]);
});
