import assert from "node:assert/strict";
import { InputError } from "../core/program/input_error.ts";
import { CORPUS_DIRECTORY, listFiles, listShipped, readProgramFile, readTextFile } from "./files.ts";

/** The message that a call is refused with. */
function refused(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    assert.ok(!error.message.includes("\n"), "a message is one line");
    return error.message;
  }
  return assert.fail("not refused");
}

/** Runs a test in a directory of its own. */
function inDirectory(test: (directory: string) => void): void {
  const directory = Deno.makeTempDirSync();
  try {
    test(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("readProgramFile() reads a program and names the file in what it refuses", () =>
  inDirectory((d) => {
    Deno.writeTextFileSync(`${d}/a.pt`, "kernel 6.12\np0 = alloc_page(GFP_KERNEL)\n__free_page(p0)\n");
    assert.equal(readProgramFile(`${d}/a.pt`).kernel, "6.12");
    Deno.writeTextFileSync(`${d}/a.pt`, "kernel 6.12\npagetable_free(mm0)\n");
    assert.equal(
      refused(() => readProgramFile(`${d}/a.pt`)),
      `${d}/a.pt:2:16: pagetable_free wants a ptdesc as 'pt', and 'mm0' is a mm`,
    );
  }));

Deno.test("readProgramFile() refuses a missing file, a directory and an empty file in a sentence", () =>
  inDirectory((d) => {
    assert.equal(refused(() => readProgramFile(`${d}/none.pt`)), `${d}/none.pt: there is no such file`);
    assert.equal(refused(() => readProgramFile(d)), `${d}: this is a directory, and a file is wanted`);
    Deno.writeTextFileSync(`${d}/empty.pt`, "");
    assert.match(
      refused(() => readProgramFile(`${d}/empty.pt`)),
      /empty\.pt: the file is empty; a program begins with/,
    );
  }));

Deno.test("readTextFile() refuses binary content and what is not UTF-8", () =>
  inDirectory((d) => {
    Deno.writeFileSync(`${d}/elf`, new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]));
    assert.match(refused(() => readTextFile(`${d}/elf`)), /elf: this is binary, and a file of text is wanted$/);
    Deno.writeFileSync(`${d}/latin1`, new Uint8Array([0x23, 0xe9, 0x0a]));
    assert.match(refused(() => readTextFile(`${d}/latin1`)), /latin1: this is not UTF-8/);
  }));

Deno.test("readTextFile() refuses 50 MB without reading them", () =>
  inDirectory((d) => {
    const file = Deno.createSync(`${d}/big.pt`);
    file.truncateSync(50 * 1024 * 1024);
    file.close();
    assert.match(refused(() => readTextFile(`${d}/big.pt`)), /big\.pt: a file of more than 4194304 bytes is not read$/);
  }));

Deno.test("readTextFile() takes exactly maxBytes, and not one more", () =>
  inDirectory((d) => {
    Deno.writeTextFileSync(`${d}/a`, "x".repeat(100));
    assert.equal(readTextFile(`${d}/a`, 100).length, 100);
    assert.match(refused(() => readTextFile(`${d}/a`, 99)), /more than 99 bytes/);
  }));

Deno.test("readTextFile() stops in a device that never ends", { ignore: Deno.build.os === "windows" }, () => {
  assert.match(refused(() => readTextFile("/dev/zero")), /more than 4194304 bytes/);
});

Deno.test("listFiles() goes into directories and sorts by path", () =>
  inDirectory((d) => {
    Deno.mkdirSync(`${d}/b`);
    for (const name of ["b/x.toml", "a.toml", "c.toml", "c.md"]) Deno.writeTextFileSync(`${d}/${name}`, "");
    assert.deepEqual(listFiles(d, ".toml"), ["a.toml", "b/x.toml", "c.toml"].map((f) => `${d}/${f}`));
    assert.deepEqual(listFiles(`${d}/none`, ".toml"), []);
  }));

Deno.test("listShipped() names files below the corpus, wherever it is called from", () => {
  const { disciplines, regressions } = listShipped();
  assert.ok(disciplines.every((f) => f.startsWith(`${CORPUS_DIRECTORY}/disciplines/`) && f.endsWith(".toml")));
  assert.ok(regressions.every((f) => f.startsWith(`${CORPUS_DIRECTORY}/regressions/`) && f.endsWith(".pt")));
  for (const file of regressions) readProgramFile(file);
});

Deno.test("a shipped program that is named without its place, or by its discipline, is what was meant", () => {
  for (const name of ["mips/kvm-pgd", "mips-kvm-pgd", "mips-kvm-pgd.pt"]) {
    assert.match(
      refused(() => readProgramFile(name)),
      /^mips.*: there is no such file; did you mean '.*corpus\/regressions\/mips-kvm-pgd\.pt'\?$/,
    );
  }
  assert.equal(refused(() => readProgramFile("nobody.pt")), "nobody.pt: there is no such file");
  assert.match(refused(() => readProgramFile("corpus/disciplines/mips/kvm-pgd.toml")), /this is a discipline, and a/);
});
