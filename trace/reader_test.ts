import assert from "node:assert/strict";
import { type Events, type Place, Reader, STACK_NEXT } from "./reader.ts";
import { Symbols, UNKNOWN } from "./symbols.ts";

/** Reads text and gives what the reader told, a word each. */
function told(text: string, chunk = Infinity, enter = "pgd_alloc"): { words: string[]; reader: Reader } {
  const words: string[] = [];
  const symbols = new Symbols();
  symbols.mark(enter, 1);
  const at = (p: Place) => `${p.cpu}${p.level < 0 ? "?" : ".shz"[p.level]}${p.pid}`;
  const events: Events = {
    alloc: (p, pfn, order, flags) =>
      void words.push(`alloc ${at(p)} ${pfn.toString(16)} ${order} ${reader.flags[flags]?.text}`),
    free: (p, pfn, order) => void words.push(`free ${at(p)} ${pfn.toString(16)} ${order}`),
    other: (p) => void words.push(`other ${at(p)}`),
    enters: (p, symbol) => void words.push(`enters ${at(p)} ${symbols.names[symbol]}`),
    stack: (p) => {
      words.push(`stack ${at(p)}`);
      return STACK_NEXT;
    },
    frame: (symbol) => {
      words.push(symbol === UNKNOWN ? "?" : symbols.names[symbol]!);
      return STACK_NEXT;
    },
    stackEnd: () => void words.push("end"),
    gap: (line, cpu, start) => void words.push(`gap ${line} ${cpu} ${start}`),
    comment: (comment) => void words.push(comment),
  };
  const reader = new Reader(events, symbols);
  const bytes = new TextEncoder().encode(text);
  for (let i = 0; i < bytes.length; i += chunk) reader.push(bytes.slice(i, Math.min(bytes.length, i + chunk)));
  reader.end();
  return { words, reader };
}

const PREFIX = "            init-1       [001] .....    10.113075: ";
const FREE = "mm_page_free: page=0000000011484524 pfn=0x2908 order=2";
const ALLOC = "mm_page_alloc: page=0000000011484524 pfn=0x2908 order=2 migratetype=0 gfp_flags=GFP_KERNEL|__GFP_ZERO";

Deno.test("events are read with CPU, context, task, page, order and flags", () => {
  assert.deepEqual(told(`${PREFIX}${ALLOC}\n${PREFIX}${FREE}\n`).words, [
    "alloc 1.1 2908 2 GFP_KERNEL|__GFP_ZERO",
    "free 1.1 2908 2",
  ]);
});

for (
  const [what, line, word] of [
    ["in a softirq", `          <idle>-0       [000] d.s1.    82.5: ${FREE}`, "free 0s0 2908 2"],
    ["in a hardirq", `          <idle>-0       [000] d.h1.    82.5: ${FREE}`, "free 0h0 2908 2"],
    ["in a hardirq within a softirq", `          <idle>-0       [000] d.H1.    82.5: ${FREE}`, "free 0h0 2908 2"],
    ["with four flags, as before 5.15", `          <idle>-0       [000] ..s1    82.5: ${FREE}`, "free 0s0 2908 2"],
    ["without flags (noirq-info)", `          <idle>-0       [000]    82.5: ${FREE}`, "free 0?0 2908 2"],
    ["with a thread group", `       a.out-4711    (   4711) [000] .....    82.5: ${FREE}`, "free 0.4711 2908 2"],
    ["of a task with blanks in its name", `     Web Content-99      [003] .....    82.5: ${FREE}`, "free 3.99 2908 2"],
    [
      "of a task that calls itself a prefix",
      `  a [001] ... 1: -7       [002] .....    82.5: ${FREE}`,
      "free 2.7 2908 2",
    ],
    ["of more than 1000 CPUs", `          <idle>-0       [1023] .....    82.5: ${FREE}`, "free 1023.0 2908 2"],
    ["with another clock", `          <idle>-0       [000] .....    8251234567: ${FREE}`, "free 0.0 2908 2"],
    ["with kmem: before it", `${PREFIX}kmem:${FREE}`, "free 1.1 2908 2"],
    ["with blanks behind its name (trace-cmd)", `${PREFIX}${FREE.replace(": ", ":         ")}`, "free 1.1 2908 2"],
    ["with a page in decimal, as before 5.13", `${PREFIX}${FREE.replace("0x2908", "10504")}`, "free 1.1 2908 2"],
    ["with a page beyond 32 bits", `${PREFIX}${FREE.replace("2908", "1234567890")}`, "free 1.1 1234567890 2"],
    ["of a console with CR", `${PREFIX}${FREE}\r`, "free 1.1 2908 2"],
  ] as const
) {
  Deno.test(`an event ${what} is read`, () => assert.deepEqual(told(`${line}\n`).words, [word]));
}

Deno.test("a recording is read the same wherever it is cut into pieces", () => {
  const text = [
    "# tracer: nop",
    PREFIX + ALLOC,
    `${PREFIX}<stack trace>`,
    " => crst_table_alloc",
    " => mm_init.constprop.0.isra.0",
    "CPU:1 [LOST 7 EVENTS]",
    PREFIX + FREE,
  ].join("\n");
  const whole = told(text).words;
  assert.deepEqual(whole.slice(1), [
    "alloc 1.1 2908 2 GFP_KERNEL|__GFP_ZERO",
    "stack 1.1",
    "crst_table_alloc",
    "mm_init",
    "end",
    "gap 6 1 false",
    "free 1.1 2908 2",
  ]);
  for (let chunk = 1; chunk < 60; chunk++) assert.deepEqual(told(text, chunk).words, whole, String(chunk));
});

Deno.test("frames may carry offsets, sizes, addresses and the names of copies", () => {
  const frames = [" => a+0x12/0x40", " => b.part.0", " => c <ffffffff81000000>", "=> d (ffffffff81000000)", " => .e"];
  const { words } = told([`${PREFIX}<stack trace>`, ...frames].join("\n"));
  assert.deepEqual(words, ["stack 1.1", "a", "b", "c", "d", "e", "end"]);
});

Deno.test("frames of a user stack are not the kernel's", () => {
  assert.deepEqual(told(`${PREFIX}${FREE}\n${PREFIX}<user stack trace>\n => crst_table_alloc\n`).words, [
    "free 1.1 2908 2",
  ]);
});

Deno.test("a batched free is another event: each has an mm_page_free of its own", () => {
  const { words, reader } = told(`${PREFIX}${FREE.replace("free", "free_batched")}\n`);
  assert.deepEqual([words, reader.counts.events], [["other 1.1"], 0]);
});

Deno.test("an allocation that failed is none", () => {
  const failed = ALLOC.replace(/page=\S+ pfn=\S+/, "page=0000000000000000 pfn=0x0");
  const { words, reader } = told(`${PREFIX}${failed}\n`);
  assert.deepEqual([words, reader.counts.failed], [["other 1.1"], 1]);
});

Deno.test("the function tracer's events are told of functions that are looked for", () => {
  const { words } = told(`${PREFIX}pgd_alloc <-mm_init\n${PREFIX}schedule <-do_exit\n`);
  assert.deepEqual(words, ["enters 1.1 pgd_alloc", "other 1.1"]);
  assert.deepEqual(told(`${PREFIX}sched_swi\n`).words, ["other 1.1", "gap 1 -1 false"], "cut within its name");
});

Deno.test("events that the kernel lost, and CPUs that began late, are gaps", () => {
  const { words, reader } = told(
    "CPU:3 [LOST 12 EVENTS]\nCPU:0 [LOST EVENTS]\nCPU:2 [5 EVENTS DROPPED]\n##### CPU 1 buffer started ####\n",
  );
  assert.deepEqual(words, ["gap 1 3 false", "gap 2 0 false", "gap 3 2 false", "gap 4 1 true"]);
  assert.equal(reader.counts.lost, 12 + 1 + 5);
});

Deno.test("an event cut anywhere is damage, or nothing, and never another event", () => {
  for (const event of [ALLOC, FREE]) {
    const line = PREFIX + event;
    const whole = told(`${line}\n`).words;
    for (let cut = 1; cut < line.length; cut++) {
      const { words, reader } = told(`${line.slice(0, cut)}\n`);
      const { damaged, foreign, lines } = reader.counts;
      // `GFP_KERNEL|__GFP` is a text of flags as good as another.
      if (event === ALLOC && line.slice(0, cut).includes("gfp_flags=") && damaged === 0) continue;
      assert.ok(words.every((w) => !whole.includes(w)), `${cut}: ${words}`);
      const said = damaged + foreign === 1 || words.join() === "other 1.1" || line.slice(0, cut).trim() === "";
      assert.ok(said, `${cut}: ${line.slice(0, cut)} ${JSON.stringify({ damaged, foreign, lines })}`);
    }
  }
});

for (
  const bad of [
    "mm_page_free: page=0000000011484524 pfn=0x2908 order=15",
    "mm_page_free: page=0000000011484524 pfn=0x290g order=2",
    "mm_page_free: page=0000000011484524 pfn=0x order=2",
    "mm_page_free: page=0000000011484524 pfn=0x12345678901234 order=2",
    "mm_page_free: pfn=0x2908 order=2",
    "mm_page_free: page=0000000011484524 pfn=0x2908 order=2 more",
    "mm_page_alloc: page=0000000011484524 pfn=0x2908 order=2 migratetype=x gfp_flags=GFP_KERNEL",
    "mm_page_alloc: page=0000000011484524 pfn=0x2908 order=2 migratetype=0 gfp_flags=GFP_K\x7fRNEL",
    "mm_page_alloc: page=0000000011484524 pfn=0x2908 order=2 migratetype=0 gfp_flags=",
  ]
) {
  Deno.test(`damaged: ${JSON.stringify(bad.slice(0, 200))}`, () => {
    const { words, reader } = told(`${PREFIX}${bad}\n`);
    assert.deepEqual([words, reader.counts.damaged], [["other 1.1", "gap 1 -1 false"], 1]);
  });
}

Deno.test("lines of others are counted, and nothing is made of them", () => {
  const { words, reader } = told("[   12.345678] random: crng init done\n\nWelcome!\n");
  assert.deepEqual([words, reader.counts.foreign, reader.counts.entries], [[], 2, 0]);
});

Deno.test("a line without an end does not take memory without end", () => {
  const { words, reader } = told(`${"x".repeat(300_000)}\n${PREFIX}${FREE}\n`, 1000);
  assert.deepEqual([words, reader.counts.foreign], [["free 1.1 2908 2"], 1]);
});
