/**
 * Faults put into recordings that are right. Whatever can be told apart is
 * found at the table that it was put into; the rest is counted as uncertain or
 * leaves no trace; nothing is found anywhere else.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Random } from "../fuzz/random.ts";
import type { Result } from "../corpus/result.ts";
import { only, shippedText, traceText } from "./testing.ts";

/** Faults of a kind in each recording. */
const SEEDS = 12;

/** The first lines of a recording, cut after whole entries, its header counting what is left. */
async function shortened(name: string, length: number): Promise<string[]> {
  const lines = (await shippedText(name)).split("\n").slice(0, length);
  while (!/: mm_page_/.test(lines.at(-1)!)) lines.pop();
  lines.pop();
  const entries = lines.filter((l) => / \[\d+\] /.test(l)).length;
  return lines.map((l) => l.replace(/entries-written: \d+\/\d+/, `entries-written: ${entries}/${entries}`));
}

/** An entry that stands for a table, and the lines that belong to it. */
interface Entry {
  readonly what: "alloc" | "free";
  readonly pfn: string;
  readonly order: number;
  readonly at: number;
}

const EVENT = /: mm_page_(alloc|free): page=\w+ pfn=(0x[\da-f]+) order=(\d+)/;

/** The allocations of tables of more than one page, and the frees of those, by the text alone. */
function tableEvents(lines: readonly string[], order: number): Entry[] {
  const live = new Set<string>();
  const found: Entry[] = [];
  const stacks = lines.slice(0, 50).some((line) => /<stack trace>/.test(line));
  lines.forEach((line, at) => {
    const [, what, pfn, digits] = EVENT.exec(line) ?? [];
    if (what === undefined || Number(digits) !== order) return;
    const stack = lines.slice(at + 1, at + 5).join(" ");
    if (what === "alloc") {
      if (stacks && !/crst_table_alloc|pgd_alloc/.test(stack)) return;
      live.add(pfn!);
    } else if (!live.delete(pfn!)) return;
    found.push({ what: what as Entry["what"], pfn: pfn!, order, at });
  });
  return found;
}

/** Index one past an entry's own lines: its stack, where that follows at once. */
function endOf(lines: readonly string[], at: number): number {
  if (!/<stack trace>/.test(lines[at + 1] ?? "")) return at + 1;
  let end = at + 2;
  while (/^ =>/.test(lines[end] ?? "")) end++;
  return end;
}

const RECORDINGS = [
  { name: "s390x-6.1", length: 6000, order: 2, stacks: true },
  { name: "s390x-6.12", length: 10_000, order: 2, stacks: true },
  { name: "mips64el-6.1", length: 25_000, order: 1, stacks: true },
  { name: "x86_64-6.1.raw", length: 6000, order: 1, stacks: false },
];

/** A number below any other, not only below 65,536. */
function far(random: Random, n: number): number {
  return (random.below(1 << 15) * (1 << 15) + random.below(1 << 15)) % n;
}

/** Unexpected findings, and everything else that would make the status 1. */
function complaints(result: Result): string[] {
  return [
    ...result.findings.filter((f) => !f.expected).map((f) => `${f.signature}: ${f.explanation}`),
    ...result.cells.flatMap((c) => c.complaints),
  ];
}

/** Uncertain things in all. */
function doubts(result: Result): number {
  return only(result).uncertain.reduce((sum, u) => sum + u.count, 0);
}

/** What is found is at that table. */
function foundAt(result: Result, pfn: string, what: string): void {
  const { findings } = result;
  assert.ok(findings.length > 0, `${what} at ${pfn} is not found: ${JSON.stringify(only(result).uncertain)}`);
  for (const f of findings) {
    assert.match(f.explanation, new RegExp(`\\b${pfn}\\b|${pfn}\\.\\.`), `${what}: ${f.signature}`);
  }
}

for (const { name, length, order, stacks } of RECORDINGS) {
  const lines = await shortened(name, length);
  const events = tableEvents(lines, order);
  const seeds = (body: (random: Random, seed: number) => Promise<void>) => async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = new Random();
      random.seed(seed, 0);
      await body(random, seed);
    }
  };
  const pick = (random: Random, what: Entry["what"]): Entry => {
    const own = events.filter((e) => e.what === what);
    return own[random.below(own.length)]!;
  };

  Deno.test(`${name}: as recorded, nothing is found and nothing is uncertain`, async () => {
    assert.ok(events.length > 50, String(events.length));
    const result = await traceText(lines.join("\n"));
    assert.deepEqual([complaints(result), only(result).uncertain, only(result).replayed.differing], [[], [], []]);
  });

  Deno.test(
    `${name}: the order of a free changed is found at its table`,
    seeds(async (random) => {
      const { at, pfn } = pick(random, "free");
      const other = [0, order + 1, ...(order > 1 ? [order - 1] : [])];
      const text = lines.with(at, lines[at]!.replace(`order=${order}`, `order=${other[random.below(other.length)]}`));
      foundAt(await traceText(text.join("\n")), pfn, "a free of another order");
    }),
  );

  Deno.test(
    `${name}: the order of an allocation changed is found at its table, or the discipline is contradicted`,
    seeds(async (random) => {
      const { at, pfn } = pick(random, "alloc");
      const text = lines.with(at, lines[at]!.replace(`order=${order}`, `order=${order + 1}`)).join("\n");
      const result = await traceText(text);
      if (stacks) {
        const freed = events.some((e) => e.what === "free" && e.pfn === pfn && e.at > at);
        // Where another table stands behind it already, the two are taken for one page that was granted twice.
        if (freed && doubts(result) === 0) foundAt(result, pfn, "an allocation of another order");
        assert.ok(result.cells.some((c) => c.complaints.length > 0));
      } else {
        // Order and flags are all that told the table: its free stands alone now.
        assert.deepEqual(complaints(result), []);
        const before = only(await traceText(lines.join("\n"))).before[0]!.count;
        assert.ok((only(result).before[0]?.count ?? 0) >= before);
      }
    }),
  );

  Deno.test(
    `${name}: a free that stands there twice is a double free at its table, or uncertain without stacks`,
    seeds(async (random) => {
      const { at, pfn } = pick(random, "free");
      const end = endOf(lines, at);
      const text = [...lines.slice(0, end), ...lines.slice(at, end), ...lines.slice(end)].join("\n");
      const result = await traceText(text);
      // A stack that does not follow at once belongs to the first of the two.
      if (stacks && (end > at + 1 || result.findings.length > 0)) foundAt(result, pfn, "a second free");
      else assert.deepEqual(complaints(result), []);
      assert.ok(doubts(result) > 0);
    }),
  );

  Deno.test(
    `${name}: an allocation that stands there twice is found where all orders are recorded, else uncertain`,
    seeds(async (random) => {
      const { at } = pick(random, "alloc");
      const end = endOf(lines, at);
      const text = [...lines.slice(0, end), ...lines.slice(at, end), ...lines.slice(end)].join("\n");
      const result = await traceText(text);
      assert.deepEqual(complaints(result), []);
      assert.ok(doubts(result) > 0);
    }),
  );

  Deno.test(
    `${name}: an event that is missing is uncertain`,
    seeds(async (random) => {
      const { at } = pick(random, random.below(2) === 0 ? "alloc" : "free");
      const text = [...lines.slice(0, at), ...lines.slice(endOf(lines, at))].join("\n");
      const result = await traceText(text);
      assert.deepEqual(complaints(result), []);
      assert.ok(doubts(result) > 0);
    }),
  );

  Deno.test(
    `${name}: 200 entries that are missing in a row are uncertain`,
    seeds(async (random) => {
      const { at } = events[random.below(events.length)]!;
      const text = [...lines.slice(0, at), ...lines.slice(endOf(lines, at + 200))].join("\n");
      const result = await traceText(text);
      assert.deepEqual(complaints(result), []);
      assert.ok(doubts(result) > 0);
    }),
  );

  Deno.test(
    `${name}: an entry under another CPU's number makes no finding`,
    seeds(async (random) => {
      const { at } = events[random.below(events.length)]!;
      const text = lines.with(at, lines[at]!.replace(/\[(\d+)\]/, (_, cpu) => cpu === "000" ? "[001]" : "[000]"));
      assert.deepEqual(complaints(await traceText(text.join("\n"))), []);
    }),
  );

  Deno.test(
    `${name}: entries in each other's place make no finding`,
    seeds(async (random) => {
      const { at } = events[random.below(events.length)]!;
      const end = endOf(lines, at);
      const next = endOf(lines, end);
      const text = [...lines.slice(0, at), ...lines.slice(end, next), ...lines.slice(at, end), ...lines.slice(next)];
      assert.deepEqual(complaints(await traceText(text.join("\n"))), []);
    }),
  );

  Deno.test(
    `${name}: a line cut in half makes no finding`,
    seeds(async (random, seed) => {
      const at = seed % 2 === 0 ? events[random.below(events.length)]!.at : 12 + random.below(lines.length - 12);
      const text = lines.with(at, lines[at]!.slice(0, lines[at]!.length >> 1)).join("\n");
      const result = await traceText(text);
      assert.deepEqual(complaints(result), [], lines[at]);
      if (EVENT.test(lines[at]!)) assert.ok(doubts(result) > 0);
    }),
  );

  Deno.test(
    `${name}: a line cut anywhere makes no finding`,
    seeds(async (random) => {
      const { at } = events[random.below(events.length)]!;
      const text = lines.with(at, lines[at]!.slice(0, random.below(lines[at]!.length))).join("\n");
      assert.deepEqual(complaints(await traceText(text)), [], text.slice(at, at + 1));
    }),
  );

  Deno.test(
    `${name}: one byte in a hundred changed makes no finding`,
    seeds(async (random) => {
      const bytes = new TextEncoder().encode(lines.join("\n"));
      for (let i = 0; i < bytes.length / 100; i++) {
        const at = far(random, bytes.length);
        bytes[at] = bytes[at]! ^ 1 << random.below(8);
      }
      const result = await traceText(bytes);
      assert.deepEqual(complaints(result), []);
      assert.ok(doubts(result) > 0);
    }),
  );
}
