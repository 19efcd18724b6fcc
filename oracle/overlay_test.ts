import assert from "node:assert/strict";
import { join } from "node:path";
import { applyEdits, makeOverlay } from "./overlay.ts";

async function inDirectories(body: (tree: string, to: string) => void): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const tree = join(dir, "tree");
    Deno.mkdirSync(join(tree, "mm"), { recursive: true });
    Deno.mkdirSync(join(tree, "include/config"), { recursive: true });
    Deno.writeTextFileSync(join(tree, "Makefile"), "top");
    Deno.writeTextFileSync(join(tree, "mm/page_alloc.c"), "one\ntwo\n");
    Deno.writeTextFileSync(join(tree, "mm/Makefile"), "obj-y\n");
    Deno.writeTextFileSync(join(tree, ".config"), "left over");
    Deno.writeTextFileSync(join(tree, "include/config/auto.conf"), "left over");
    body(tree, join(dir, "overlay"));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const read = (...path: string[]) => Deno.readTextFileSync(join(...path));

Deno.test("an overlay shows the tree with the files that are added or changed", () =>
  inDirectories((tree, to) => {
    makeOverlay(tree, to, new Map([["mm/ptfuzz.c", "driver"], ["mm/Makefile", "obj-y more\n"]]));
    assert.equal(read(to, "Makefile"), "top");
    assert.equal(read(to, "mm/page_alloc.c"), "one\ntwo\n");
    assert.equal(read(to, "mm/ptfuzz.c"), "driver");
    assert.equal(read(to, "mm/Makefile"), "obj-y more\n");
    assert.equal(read(tree, "mm/Makefile"), "obj-y\n");
    assert.deepEqual([...Deno.readDirSync(join(tree, "mm"))].map((e) => e.name).sort(), ["Makefile", "page_alloc.c"]);
  }));

Deno.test("what a build inside the tree left is not in the overlay", () =>
  inDirectories((tree, to) => {
    makeOverlay(tree, to, new Map());
    assert.throws(() => read(to, ".config"), Deno.errors.NotFound);
    assert.throws(() => read(to, "include/config/auto.conf"), Deno.errors.NotFound);
  }));

Deno.test("a file that was changed for one build is the tree's again for the next", () =>
  inDirectories((tree, to) => {
    makeOverlay(tree, to, new Map([["mm/page_alloc.c", "one\n2\n"]]));
    assert.equal(read(to, "mm/page_alloc.c"), "one\n2\n");
    assert.equal(read(to, "mm/Makefile"), "obj-y\n");
    makeOverlay(tree, to, new Map());
    assert.equal(read(to, "mm/page_alloc.c"), "one\ntwo\n");
    assert.equal(read(tree, "mm/page_alloc.c"), "one\ntwo\n");
  }));

Deno.test("a file whose text is the same is not written again, so that nothing is built for it", () =>
  inDirectories((tree, to) => {
    const files = new Map([["mm/ptfuzz.c", "driver"]]);
    makeOverlay(tree, to, files);
    Deno.utimeSync(join(to, "mm/ptfuzz.c"), 1, 1);
    makeOverlay(tree, to, files);
    assert.equal(Deno.statSync(join(to, "mm/ptfuzz.c")).mtime?.getTime(), 1000);
  }));

Deno.test("an edit wants its text there exactly once", () =>
  inDirectories((tree) => {
    const files = new Map<string, string>();
    applyEdits(tree, files, [{ file: "mm/page_alloc.c", find: "two", replace: "$& $1" }]);
    assert.equal(files.get("mm/page_alloc.c"), "one\n$& $1\n");
    assert.throws(
      () => applyEdits(tree, files, [{ file: "mm/page_alloc.c", find: "three", replace: "" }]),
      /^InputError: mm\/page_alloc\.c has the text to be changed 0 times/,
    );
  }));

Deno.test("a folder that was a link becomes one of its own before anything is written into it", () =>
  inDirectories((tree, to) => {
    makeOverlay(tree, to, new Map());
    assert.ok(Deno.lstatSync(join(to, "mm")).isSymlink);
    makeOverlay(tree, to, new Map([["mm/page_alloc.c", "changed"], ["mm/new/file.c", "new"]]));
    assert.equal(read(to, "mm/page_alloc.c"), "changed");
    assert.equal(read(to, "mm/new/file.c"), "new");
    assert.equal(read(to, "mm/Makefile"), "obj-y\n");
    assert.equal(read(tree, "mm/page_alloc.c"), "one\ntwo\n");
    assert.deepEqual([...Deno.readDirSync(join(tree, "mm"))].map((e) => e.name).sort(), ["Makefile", "page_alloc.c"]);
  }));
