import assert from "node:assert/strict";
import { DEFAULT_OPS, run } from "./main.ts";

Deno.test("run() joins the command line to this process: help names the default budget", async () => {
  let out = "";
  const io = {
    out: (text: string) => void (out += text),
    err: () => assert.fail("nothing is wrong"),
    terminal: false,
    colour: false,
    columns: 80,
    onInterrupt: () => () => {},
  };
  assert.equal(await run(["fuzz", "--help"], io), 0);
  assert.equal(out.match(/--ops[\s\S]*?default:\s+([\d_]+)/)?.[1]?.replaceAll("_", ""), String(DEFAULT_OPS));
});

Deno.test("a mistake loads none of the work and answers 2", async () => {
  let err = "";
  const io = {
    out: () => assert.fail("nothing to print"),
    err: (text: string) => void (err += text),
    terminal: false,
    colour: false,
    columns: 80,
    onInterrupt: () => () => {},
  };
  assert.equal(await run(["shrnk"], io), 2);
  assert.equal(err, "unknown command 'shrnk'; did you mean 'shrink'?\n");
});

/** Starts ptfuzz as a program. */
function start(args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command("deno", {
    args: ["run", "--quiet", "--no-prompt", "--allow-all", new URL("./main.ts", import.meta.url).href, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { GITHUB_STEP_SUMMARY: "", NO_COLOR: "1" },
  }).spawn();
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** A stored program, a recording, and a small search: what commands are tried with. */
const PROGRAM = "corpus/regressions/mips-kvm-pgd.pt";
const RECORDING = "corpus/traces/mips64el-6.1.trace.gz";
const SMALL = ["--ops", "2000", "--discipline", "arm64/pgd", "--kernel", "6.12"];

/** Command lines with the status that they end with, and the keys that their object has. */
const OBJECTS: readonly (readonly [args: (dir: string) => string[], status: number, keys: readonly string[]])[] = [
  [(dir) => ["fuzz", ...SMALL, "--corpus", `${dir}/pool`, "--report", `${dir}/r`], 0, ["task", "cells", "findings"]],
  [(dir) => ["corpus", "merge", `${dir}/pool`, "--into", `${dir}/all`], 0, ["task", "cells", "taken", "of", "into"]],
  [(dir) => ["trace", RECORDING, "--report", `${dir}/t`], 0, ["task", "recordings", "findings"]],
  [() => ["replay", PROGRAM], 0, ["task", "replayed"]],
  [() => ["shrink", PROGRAM], 0, ["task", "file", "program", "findings", "kunit", "mail"]],
  [() => ["show", PROGRAM], 0, ["task", "stops", "findings"]],
  [(dir) => ["exhaust", "--discipline", "arm64/pgd", "--dir", `${dir}/x`], 0, ["task", "ok", "bounds", "cells", "of"]],
  [() => ["faults", ...SMALL], 0, ["task", "ok", "cells", "of"]],
  [() => ["memdesc", "--discipline", "s390/crst"], 0, ["task", "disciplines"]],
  [(dir) => ["sources", "--source", `${dir}/tree`, "--discipline", "arm64/pgd"], 1, ["task", "ok", "trees", "written"]],
];

Deno.test("--format json prints one object, and nothing else, whatever the command", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${dir}/tree/arch/um`, { recursive: true });
    await Deno.writeTextFile(`${dir}/tree/arch/um/Kconfig`, "");
    await Deno.writeTextFile(`${dir}/tree/Makefile`, "VERSION = 6\nPATCHLEVEL = 12\n");
    for (const [args, status, keys] of OBJECTS) {
      const line = args(dir);
      const { code, stdout, stderr } = await start([...line, "--format", "json"]).output();
      assert.deepEqual([code, text(stderr)], [status, ""], line.join(" "));
      const object = JSON.parse(text(stdout));
      assert.deepEqual(keys.filter((key) => !(key in object)), [], line.join(" "));
      assert.ok(line.join(" ").startsWith(object.task), object.task);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

/** What is wrong with the input, by command. */
const WRONG: readonly (readonly string[])[] = [
  ["fuzz", "--discipline", "nobody/knows"],
  ["fuzz", "--report", "/nonexistent/dir"],
  ["exhaust", "--discipline", "nobody/knows"],
  ["corpus", "merge", "/nonexistent", "--into", "/nonexistent"],
  ["trace", "/nonexistent"],
  ["replay", "/nonexistent"],
  ["shrink", "/nonexistent"],
  ["show", "/nonexistent"],
  ["faults", "--discipline", "canary/forgotten-free"],
  ["memdesc", "--discipline", "nobody/knows"],
  ["sources", "--source", "/nonexistent"],
  ["conform", "/nonexistent"],
  ["linux", "extra"],
  ["bench", "extra"],
  ["mutants", "extra"],
];

Deno.test("what is wrong is one sentence on standard error and status 2, in both formats", async () => {
  for (const args of WRONG) {
    const { code, stdout, stderr } = await start([...args, "--format", "json"]).output();
    assert.deepEqual([code, text(stdout), text(stderr).split("\n").length], [2, "", 2], `${args}: ${text(stderr)}`);
  }
});

/** Command lines that take longer than the test, with what they say when they are stopped. */
const LONG: readonly (readonly [args: (dir: string) => string[], says: RegExp])[] = [
  [() => ["faults"], /stopped: \d+ of \d+ cells\n$/],
  [() => ["mutants"], /^\d+ of \d+ mutants,[^]*stopped\.\n$/m],
  [(dir) => ["exhaust", "--steps", "40", "--dir", `${dir}/x`], /stopped before\s+that: \d+/],
];

Deno.test("Ctrl-C ends long work with status 130 and what is known so far", async () => {
  const dir = await Deno.makeTempDir();
  try {
    for (const [args, says] of LONG) {
      const child = start(args(dir));
      const reader = child.stdout.getReader();
      // It has begun when it says something.
      let out = text((await reader.read()).value ?? new Uint8Array());
      child.kill("SIGINT");
      for (let next = await reader.read(); !next.done; next = await reader.read()) out += text(next.value);
      const err = text(new Uint8Array(await new Response(child.stderr).arrayBuffer()));
      assert.equal((await child.status).code, 130, `${args(dir)}: ${err}`);
      assert.match(out, says);
      assert.match(err, /^ptfuzz: stopping; what is known so far follows/);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
