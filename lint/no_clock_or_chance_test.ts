import { assertEquals } from "@std/assert";
import { lint } from "./testing.ts";

/** The names that the rule reports in a file. */
function reported(file: string, source: string): string[] {
  return lint("no-clock-or-chance", file, source).map((message) => message.split("'")[1] ?? "");
}

const CLOCK: readonly (readonly [source: string, name: string])[] = [
  ["const t = Date.now();", "Date"],
  ["const t = new Date();", "Date"],
  ["const t = new Date(0);", "Date"],
  ["const t = performance.now();", "performance"],
  ["const r = Math.random();", "Math.random"],
  ["const r = Math['random']();", "Math.random"],
  ["const r = Math?.random();", "Math.random"],
  ["const pick = Math.random;", "Math.random"],
  ["crypto.getRandomValues(new Uint8Array(4));", "crypto.getRandomValues"],
  ["const id = crypto.randomUUID();", "crypto.randomUUID"],
  ["setTimeout(() => {}, 1);", "setTimeout"],
  ["setInterval(f, 1);", "setInterval"],
  ["setImmediate(f);", "setImmediate"],
  ["const t = Temporal.Now.instant();", "Temporal.Now"],
  ["const s = AbortSignal.timeout(5);", "AbortSignal.timeout"],
  ["import { randomBytes } from 'node:crypto';", "node:crypto"],
  ["export * from 'node:perf_hooks';", "node:perf_hooks"],
  ["const t = await import('node:timers/promises');", "node:timers/promises"],
  // Ways round.
  ["const t = globalThis.Date.now();", "Date"],
  ["const t = globalThis['Date'].now();", "Date"],
  ["const r = globalThis.Math.random();", "Math.random"],
  ["self.setTimeout(f, 1);", "setTimeout"],
  ["const { random } = Math;", "Math.*"],
  ["const m = Math;", "Math.*"],
  ["const r = Math[name]();", "Math.*"],
  ["const { Date: D } = globalThis;", "globalThis.*"],
  ["const D = (Date as unknown as { now(): number });", "Date"],
  ["const r = (Math as { random(): number }).random();", "Math.*"],
  ["const clock = { Date };", "Date"],
  ["const clock = { now: Date };", "Date"],
  ["class C { clock = performance; }", "performance"],
  ["const x = table[Date];", "Date"],
  ["function f(now = Date.now()) { return now; }", "Date"],
];

const MACHINE: readonly (readonly [source: string, name: string])[] = [
  ["Deno.readTextFileSync('x');", "Deno"],
  ["const { env } = Deno;", "Deno"],
  ["globalThis.Deno.exit(1);", "Deno"],
  ["await fetch('x');", "fetch"],
  ["const n = navigator.hardwareConcurrency;", "navigator"],
  ["const n = process.pid;", "process"],
  ["localStorage.clear();", "localStorage"],
  ["new Worker('x');", "Worker"],
  ["import { readFileSync } from 'node:fs';", "node:fs"],
];

const CLEAN: readonly string[] = [
  "const x = Math.floor(Math.imul(a, b) / Math.max(1, c));",
  "const digest = await crypto.subtle.digest('SHA-256', bytes);",
  "const x = { Date: 1, performance: 2, fetch: 3 };",
  "const x = table.Date + table.performance;",
  "class C { Date() {} performance = 1; }",
  "interface I { Date: number; fetch(): void; at: Date; clock: typeof Date; }",
  "import { Date as day } from './calendar.ts'; export { day };",
  "const text = 'Date.now() and Math.random()'; // Date.now()",
  "self.onmessage = (event) => self.postMessage(event.data);",
  "const signal = AbortSignal.any([]);",
  "const { floor, ...rest } = tables;",
  "import { parse } from 'smol-toml';",
];

for (const file of ["core/kernel/x.ts", "core/x.ts", "fuzz/x.ts", "fuzz/worker/x.ts"]) {
  Deno.test(`no-clock-or-chance reports every clock, timer and random source in ${file}`, () => {
    for (const [source, name] of CLOCK) assertEquals(reported(file, source), [name], source);
  });
  Deno.test(`no-clock-or-chance passes what is a function of its inputs in ${file}`, () => {
    for (const source of CLEAN) assertEquals(reported(file, source), [], source);
  });
}

Deno.test("no-clock-or-chance reports what reaches the machine in core/", () => {
  for (const [source, name] of MACHINE) assertEquals(reported("core/memory/x.ts", source), [name], source);
});

Deno.test("no-clock-or-chance lets fuzz/ use processors, files and workers", () => {
  for (const [source] of MACHINE) assertEquals(reported("fuzz/pool.ts", source), [], source);
});

Deno.test("no-clock-or-chance lets tests of core/ use the machine, but no clock and no dice", () => {
  assertEquals(reported("core/memory/x_test.ts", "Deno.test('x', () => {});"), []);
  assertEquals(reported("core/memory/x_test.ts", "const r = Math.random();"), ["Math.random"]);
});

Deno.test("no-clock-or-chance reports each use once, and all of them", () => {
  assertEquals(reported("fuzz/x.ts", "const { a } = { Date }; setTimeout(() => Date.now(), Math.random());"), [
    "Date",
    "setTimeout",
    "Date",
    "Math.random",
  ]);
});

Deno.test("no-clock-or-chance lets a bench, and everything outside core/ and fuzz/, read the clock", () => {
  for (const file of ["fuzz/bench.ts", "core/program/run_bench.ts", "main.ts", "reports/x.ts", "corpus/x.ts"]) {
    assertEquals(reported(file, "const t = performance.now(); const r = Math.random();"), [], file);
  }
  for (const file of ["fuzz/workbench.ts", "core/bench/x.ts"]) {
    assertEquals(reported(file, "const t = performance.now();"), ["performance"], file);
  }
});

Deno.test("no-clock-or-chance knows a file by its place in the project, not by a folder above it", () => {
  const root = new URL("..", import.meta.url).pathname;
  assertEquals(reported(`${root}core/x.ts`, "Date.now();"), ["Date"]);
  assertEquals(reported(`${root}reports/core/x.ts`, "Date.now();"), []);
  assertEquals(reported("/elsewhere/core/x.ts", "Date.now();"), []);
});

Deno.test("no-clock-or-chance says what is wrong and what would be right", () => {
  assertEquals(lint("no-clock-or-chance", "core/x.ts", "Date.now();"), [
    "'Date' is a clock, a timer or a random source: a result would depend on more than its inputs",
  ]);
  assertEquals(lint("no-clock-or-chance", "core/x.ts", "await fetch('x');"), [
    "'fetch' reaches the machine: core/ reads no file, no network and no environment",
  ]);
});
