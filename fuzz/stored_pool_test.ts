import assert from "node:assert/strict";
import { join } from "@std/path";
import { coverOf, type Entry, hashOf, mergePools, readPools, tapeOf, tapeText, writePool } from "./stored_pool.ts";

const text = (...lines: string[]): string => ["kernel 6.12", ...lines].join("\n") + "\n";
const ALLOC = text("p0 = alloc_page(GFP_KERNEL)");
const FREE = text("p0 = alloc_page(GFP_KERNEL)", "__free_page(p0)");
const LONG = text("p0 = alloc_page(GFP_KERNEL)", "p1 = alloc_page(GFP_KERNEL)", "__free_page(p0)", "__free_page(p1)");
const OTHER = text("d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)", "pagetable_free(d0)");
const entries = (...texts: string[]): Entry[] =>
  texts.map((t, i) => ({ text: t, tape: tapeText(Uint16Array.of(i, 65535)) }));

async function inDir(run: (dir: string) => void | Promise<void>): Promise<void> {
  const dir = Deno.makeTempDirSync();
  try {
    await run(dir);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

Deno.test("a tape comes back from its text", () => {
  const tape = Uint16Array.of(0, 1, 255, 256, 65535);
  assert.deepEqual(tapeOf(tapeText(tape)), tape);
  assert.equal(tapeOf("not base64!"), undefined);
});

Deno.test("a cover reaches all, prefers short programs, and has none that could be left out", () => {
  const free = ["p0 = alloc_page(GFP_KERNEL)", "__free_page(p0)"];
  const twice = text(...free, ...free.map((l) => l.replace("p0", "p1")));
  const thrice = twice + free.map((l) => l.replace("p0", "p2") + "\n").join("");
  // The second time says what a free is followed by, the third nothing more.
  const cover = coverOf(entries(thrice, OTHER, twice), "x.pool").map((e) => e.text);
  assert.deepEqual(cover, [OTHER, twice]);
});

Deno.test("merging gives the same bytes whatever the order of its inputs, and merging that changes nothing", () =>
  inDir(async (dir) => {
    const [a, b, ab, ba, again] = ["a", "b", "ab", "ba", "again"].map((n) => join(dir, n)) as [
      string,
      string,
      string,
      string,
      string,
    ];
    Deno.mkdirSync(a);
    Deno.mkdirSync(b);
    writePool(a, "x.pool", "x", entries(LONG, OTHER));
    writePool(b, "x.pool", "x", entries(FREE, LONG));
    writePool(b, "y.pool", "y", entries(ALLOC));
    assert.deepEqual(await mergePools([a, b], ab), { cells: 2, taken: 3, of: 5 });
    await mergePools([b, a, b], ba);
    await mergePools([ab], again);
    for (const file of ["x.pool", "y.pool"]) {
      const bytes = Deno.readTextFileSync(join(ab, file));
      assert.equal(Deno.readTextFileSync(join(ba, file)), bytes);
      assert.equal(Deno.readTextFileSync(join(again, file)), bytes);
    }
    assert.equal(hashOf(readPools(ab)), hashOf(readPools(ba)));
  }));

Deno.test("what is no pool, or half of one, is one sentence", () =>
  inDir(async (dir) => {
    const file = join(dir, "x.pool");
    Deno.writeTextFileSync(file, "kernel v2\n");
    assert.throws(() => readPools(dir), /x\.pool:1:1: this is no pool of this version/);
    Deno.writeTextFileSync(file, "# ptfuzz pool 1\n# cell x\n# tape AA==\nkernel v2\n");
    assert.throws(() => readPools(dir), /does not end with '---'; the file was cut/);
    await assert.rejects(() => mergePools([join(dir, "none")], dir), /there is no pool in it/);
  }));

Deno.test("killed at any moment, a pool is whole and has all that was said to be saved", () =>
  inDir(async (dir) => {
    const writer = new URL("./stored_pool_test_writer.ts", import.meta.url);
    for (let i = 0; i < 20; i++) {
      const command = new Deno.Command("deno", {
        args: ["run", "--no-prompt", "--allow-read", "--allow-write", "--no-check", writer.href, dir],
        stdout: "piped",
        stderr: "null",
      });
      const child = command.spawn();
      // After so many lines, which is no moment that the writer knows.
      let said = "";
      const decoder = new TextDecoder();
      for await (const chunk of child.stdout) {
        said += decoder.decode(chunk, { stream: true });
        if (said.split("\n").length > 3 + 7 * i) {
          child.kill("SIGKILL");
          break;
        }
      }
      await child.status;
      const saved = Math.max(...said.split("\n").slice(0, -1).map(Number));
      const pool = readPools(dir).get("a.pool")!;
      assert.ok(pool.entries.length >= saved, `${pool.entries.length} of ${saved}`);
      assert.ok(pool.entries.every((e) => e.text.startsWith("kernel 6.12\n") && tapeOf(e.tape)?.length === 200));
    }
  }));
