import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../core/program/input_error.ts";
import { findSource, hasSource, treeVersion, wrongTree } from "./source.ts";

async function inDirectory(body: (dir: string) => void | Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await body(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** A tree that has no more than its version. */
function makeTree(dir: string, version: number, level: number): void {
  Deno.mkdirSync(join(dir, "arch/um"), { recursive: true });
  Deno.writeTextFileSync(join(dir, "arch/um/Kconfig"), "");
  Deno.writeTextFileSync(join(dir, "Makefile"), `VERSION = ${version}\nPATCHLEVEL = ${level}\n`);
}

Deno.test("without a source the message says how to install one", () =>
  inDirectory((dir) => {
    assert.throws(() => findSource("6.12", undefined, [dir]), (error: Error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, /'apt-get install linux-source-6\.12' puts one there, or name .* with --source$/);
      return true;
    });
    assert.equal(hasSource("6.12", [dir, join(dir, "nowhere")]), false);
  }));

Deno.test("the newest source of the version is taken, be it tarball or tree", () =>
  inDirectory((dir) => {
    Deno.writeTextFileSync(join(dir, "linux-source-6.12.tar.xz"), "");
    Deno.utimeSync(join(dir, "linux-source-6.12.tar.xz"), 1, 1);
    Deno.writeTextFileSync(join(dir, "linux-source-6.1.tar.xz"), "");
    Deno.writeTextFileSync(join(dir, "linux-source-6.12.txt"), "");
    makeTree(join(dir, "linux-source-6.12.7"), 6, 12);
    assert.deepEqual(findSource("6.12", undefined, [dir]), {
      path: join(dir, "linux-source-6.12.7"),
      kind: "tree",
      version: "6.12",
    });
    Deno.utimeSync(join(dir, "linux-source-6.12.tar.xz"), new Date(4e12), new Date(4e12));
    assert.equal(findSource("6.12", undefined, [dir]).kind, "tarball");
    assert.equal(findSource("6.1", undefined, [dir]).path, join(dir, "linux-source-6.1.tar.xz"));
  }));

Deno.test("a tree that is named says its version, and has to be the one asked for", () =>
  inDirectory((dir) => {
    makeTree(dir, 6, 1);
    assert.equal(treeVersion(dir), "6.1");
    assert.equal(findSource("6.1", dir).kind, "tree");
    assert.throws(() => findSource("6.12", dir), /is Linux 6\.1, and kernel 6\.12 was asked for; say --kernel 6\.1$/);
    makeTree(dir, 7, 0);
    assert.throws(() => findSource("6.12", dir), /is Linux 7\.0, .*; ptfuzz models 6\.1 and 6\.12$/);
  }));

Deno.test("what is no tree and no tarball is refused", () =>
  inDirectory((dir) => {
    assert.throws(() => findSource("6.12", dir), /is no kernel tree/);
    assert.throws(() => findSource("6.12", join(dir, "gone")), /does not exist/);
    Deno.writeTextFileSync(join(dir, "file"), "");
    assert.throws(() => findSource("6.12", join(dir, "file")), /is a file, but no tarball/);
  }));

Deno.test("what comes out of a tarball has to be the kernel that was asked for", () =>
  inDirectory((dir) => {
    const source = { path: "mine.tar.xz", kind: "tarball", version: "6.1" } as const;
    assert.match(wrongTree(dir, source)!, /^mine\.tar\.xz is no kernel's tarball/);
    makeTree(dir, 6, 12);
    assert.equal(wrongTree(dir, source), "mine.tar.xz is Linux 6.12, and kernel 6.1 was asked for");
    makeTree(dir, 6, 1);
    assert.equal(wrongTree(dir, source), undefined);
  }));
