import assert from "node:assert/strict";
import { CORPUS_DIRECTORY, readTextFile } from "../corpus/files.ts";
import { runTrace } from "./run_trace.ts";
import { CRST_ALLOC, CRST_FLAGS, MMDROP_FREE, only, Script, traceText, traceTexts } from "./testing.ts";

const CRST = { kernel: "6.12", arch: "s390" };

/** A crst as 6.12 has it, freed whole. */
const right = (): string =>
  new Script().alloc(0x100, 2, CRST_FLAGS).stack(CRST_ALLOC).free(0x100, 2).stack(MMDROP_FREE).text();

/** One that is not compound, freed as order 0. */
const halfConverted = (): string =>
  new Script().alloc(0x100, 2, "GFP_KERNEL").stack(CRST_ALLOC).free(0x100, 0).stack(MMDROP_FREE).text();

Deno.test("a finding says which line of its discipline's file makes the call", async () => {
  const { findings } = await traceText(halfConverted(), CRST);
  const leak = findings.find((f) => f.invariant === "page-leak");
  assert.equal(leak?.origin?.file, "corpus/disciplines/s390/crst.toml");
  assert.ok(leak.origin.source.includes("arch/s390/mm/pgalloc.c:crst_table_free"), leak.origin.source.join());
  const line = readTextFile(`${CORPUS_DIRECTORY}/disciplines/s390/crst.toml`).split("\n")[leak.origin.line - 1]!;
  assert.match(line, new RegExp(`\\b${leak.call}\\(`));
});

Deno.test("what one recording contradicts no other recording makes good", async () => {
  const both = await traceTexts([halfConverted(), right()], CRST);
  const [cell, ...others] = both.cells;
  assert.deepEqual([cell?.discipline, cell?.as_expected, others], ["s390/crst", false, []]);
  assert.equal(cell?.complaints.length, 2);
  assert.equal(cell?.programs, 2);
  const reverse = await traceTexts([right(), halfConverted()], CRST);
  assert.deepEqual(reverse.cells[0]?.complaints, cell?.complaints);
});

/** So many tables of PTEs that live at once, side by side as a large process has them. */
function manyTables(n: number): string {
  const script = new Script();
  const alloc = "__alloc_pages_noprof pte_alloc_one __pte_alloc handle_mm_fault exc_page_fault";
  const free = "free_unref_folios folios_put_refs free_pages_and_swap_cache tlb_remove_table_rcu rcu_do_batch";
  for (let i = 0; i < n; i++) script.alloc(0x10000 + i, 0, "GFP_KERNEL_ACCOUNT|__GFP_ZERO").stack(alloc);
  for (let i = 0; i < n; i++) script.free(0x10000 + i, 0).stack(free);
  return script.text();
}

Deno.test("of more tables than a program has names for some are left out of the replay, and that is said", async () => {
  const { tables, replayed, uncertain } = only(await traceText(manyTables(4000), { kernel: "6.12", arch: "x86" }));
  assert.deepEqual([tables[0]?.allocations, tables[0]?.pairs, uncertain], [4000, 4000, []]);
  assert.equal(replayed.tables + replayed.skipped, 4000);
  assert.ok(replayed.tables >= 500 && replayed.skipped > 0, JSON.stringify(replayed));
  assert.deepEqual([replayed.agreed, replayed.differing], [replayed.tables, []]);
});

Deno.test("a recording that is stopped is judged as far as it was read, and the result is partial", async () => {
  const stop = new AbortController();
  const progress = () => {
    stop.abort();
    return undefined;
  };
  const files = ["s390x-6.1", "s390x-6.12"].map((name) => `${CORPUS_DIRECTORY}/traces/${name}.trace.gz`);
  const request = { kernel: undefined, arch: undefined, disciplines: [], files };
  const { interrupted, recordings } = await runTrace(request, { progress, signal: stop.signal });
  assert.deepEqual([interrupted, recordings.length], [true, 1]);
  assert.ok(recordings[0]!.entries > 0);
});

/** The entries of the half-converted recording, each with its frames, and the comments before them. */
async function halfConvertedEntries(): Promise<{ comments: string; entries: string[] }> {
  const file = await Deno.open(`${CORPUS_DIRECTORY}/traces/s390x-6.12-halfconverted.all0.trace.gz`);
  const text = await new Response(file.readable.pipeThrough(new DecompressionStream("gzip"))).text();
  const lines = text.split("\n");
  const comments = lines.filter((line) => line.startsWith("#")).join("\n");
  const entries: string[] = [];
  for (const line of lines.filter((l) => l !== "" && !l.startsWith("#"))) {
    if (line.startsWith(" =>")) entries[entries.length - 1] += `\n${line}`;
    else entries.push(line);
  }
  return { comments, entries };
}

Deno.test("what only one CPU recorded, and what is not in the order of time, is uncertain and no finding", async () => {
  const { comments, entries } = await halfConvertedEntries();
  const half = entries.length >> 1;
  const ofCpu0 = entries.filter((e) => e.includes("[000]"));
  const counted = comments.replace(/\d+\/\d+/, `${ofCpu0.length}/${ofCpu0.length}`);
  const swapped = entries.map((_, i) => entries[i ^ 1] ?? entries[i]!);
  for (
    const [name, text, said] of [
      ["one CPU's", [counted, ...ofCpu0], "only one of 2 CPUs has entries"],
      [
        "halves exchanged",
        [comments, ...entries.slice(half), ...entries.slice(0, half)],
        "earlier than the one before",
      ],
      ["neighbours exchanged", [comments, ...swapped], "earlier than the one before"],
      ["as it was", [comments, ...entries], ""],
    ] as const
  ) {
    const result = await traceText(text.join("\n"), CRST);
    const uncertain = only(result).uncertain.map((u) => u.what);
    const contradictions = result.cells.flatMap((cell) => cell.complaints);
    const isWhole = said === "";
    assert.equal(result.unexpected === 0, !isWhole, name);
    assert.equal(contradictions.length === 0, !isWhole, name);
    assert.equal(uncertain.some((what) => what.includes(said)), !isWhole, `${name}: ${uncertain}`);
  }
});

Deno.test("stacks that have lost their events contradict nothing", async () => {
  const { comments, entries } = await halfConvertedEntries();
  const withoutSome = entries.filter((e, i) => e.includes("<stack trace>") || i % 20 !== 0);
  const result = await traceText([comments.replace(/^.*entries-in-buffer.*$/m, ""), ...withoutSome].join("\n"), CRST);
  assert.deepEqual([result.unexpected, result.cells.flatMap((cell) => cell.complaints)], [0, []]);
});
