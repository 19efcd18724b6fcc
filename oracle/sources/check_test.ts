import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { parseDiscipline } from "../../corpus/load_discipline.ts";
import { quiet } from "../../corpus/quiet_test_data.ts";
import { InputError } from "../../core/program/input_error.ts";
import { checkTree, hashOf, readVersionFor } from "./check.ts";
import { runSources } from "./run_sources.ts";
import type { SourceTree } from "./tree.ts";

const F = "int f(void)\n{\n\treturn 1;\n}\n";
const HASH = hashOf(["int f(void) { return 1; }"]);

function discipline(source: string, kernels = '"6.1", "6.12"') {
  return parseDiscipline(
    `name = "t"\nkernels = [${kernels}]\nsource = [${source}]\n` +
      `[alloc]\nrun = '''a = __get_free_page(GFP_KERNEL)'''\n[free.x]\nrun = '''free_page(a)'''\n`,
    "t.toml",
  );
}

function fates(
  source: string,
  text: string | undefined,
  version: "6.1" | "6.12" = "6.12",
  kernels = '"6.1", "6.12"',
): string[] {
  const tree: SourceTree = { version, path: "tree", read: (path) => path === "mm/f.c" ? text : undefined };
  return checkTree([discipline(source, kernels)], tree, version).flatMap((c) => [
    c.outgrown ? "outgrown" : "ok",
    ...c.functions.map((f) => f.fate),
  ]);
}

Deno.test("a discipline is outgrown where a function has another text, or is gone, or its file is", () => {
  assertEquals(fates(`"mm/f.c:f ${HASH}"`, F), ["ok", "as read"]);
  assertEquals(fates(`"mm/f.c:f ${HASH}"`, F.replace("1", "2")), ["outgrown", "changed"]);
  assertEquals(fates(`"mm/f.c:f ${HASH}"`, "int g;"), ["outgrown", "no such function"]);
  assertEquals(fates(`"mm/f.c:f ${HASH}"`, undefined), ["outgrown", "no such file"]);
});

Deno.test("comments and white space outgrow nothing, and a name without a hash is only looked for", () => {
  assertEquals(fates(`"mm/f.c:f ${HASH}"`, F.replace("return", "/* why */ return")), ["ok", "as read"]);
  assertEquals(fates(`"mm/f.c:f"`, F), ["ok", "not hashed"]);
});

Deno.test("each kernel has the text that was read in it, and an entry may be about one kernel", () => {
  const both = `"mm/f.c:f 6.1=00000000 6.12=${HASH}"`;
  assertEquals(fates(both, F, "6.12"), ["ok", "as read"]);
  assertEquals(fates(both, F, "6.1"), ["outgrown", "changed"]);
  assertEquals(fates(`"6.1 mm/f.c:f ${HASH}"`, F, "6.12"), []);
  assertEquals(fates(`"6.1 mm/f.c:f ${HASH}"`, F, "6.1"), ["ok", "as read"]);
  assertEquals(fates(`"mm/f.c:f ${HASH}"`, F, "6.1", '"6.12"'), []);
});

Deno.test("a tree is compared with the newest kernel that was read and is no newer", () => {
  assertEquals(["5.10", "6.1", "6.6", "6.12", "6.18", "7.0"].map(readVersionFor), [
    undefined,
    "6.1",
    "6.1",
    "6.12",
    "6.12",
    "6.12",
  ]);
});

/** A tree that looks like a kernel's, with one file, and a discipline beside it. */
async function withFiles(
  version: readonly [number, number],
  run: (tree: string, toml: string, lines: string[], sources: (accept: boolean) => Promise<boolean>) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${dir}/tree/arch/um`, { recursive: true });
    await Deno.mkdir(`${dir}/tree/mm`);
    await Deno.writeTextFile(`${dir}/tree/arch/um/Kconfig`, "");
    await Deno.writeTextFile(`${dir}/tree/Makefile`, `VERSION = ${version[0]}\nPATCHLEVEL = ${version[1]}\n`);
    await Deno.writeTextFile(`${dir}/tree/mm/f.c`, F);
    const toml = `${dir}/t.toml`;
    await Deno.writeTextFile(
      toml,
      `name = "t"\nkernels = ["6.12"]\nsource = ["mm/f.c:f"]\n` +
        `[alloc]\nrun = '''a = __get_free_page(GFP_KERNEL)'''\n[free.x]\nrun = '''free_page(a)'''\n`,
    );
    const lines: string[] = [];
    const options = { source: `${dir}/tree`, disciplines: [toml] };
    const hooks = quiet((line) => lines.push(line));
    await run(
      `${dir}/tree`,
      toml,
      lines,
      async (accept) => (await runSources({ ...options, accept }, hooks)).ok,
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("--accept writes what was read, and a later change is found and named", async () => {
  await withFiles([6, 12], async (tree, toml, lines, sources) => {
    assertEquals(await sources(true), true);
    assertStringIncludes(await Deno.readTextFile(toml), `source  = [\n  "mm/f.c:f ${HASH}",\n]`);
    await Deno.writeTextFile(`${tree}/mm/f.c`, F.replace("1", "2"));
    assertEquals(await sources(false), false);
    assertStringIncludes(lines.join("\n"), "t is outgrown:\n    changed: mm/f.c:f\n");
    assertEquals(await sources(true), true);
    assertEquals(await sources(false), true);
  });
});

Deno.test("--accept refuses a kernel that disciplines are not read from, and an older one is refused altogether", async () => {
  await withFiles([6, 18], async (_tree, _toml, lines, sources) => {
    assertEquals(await sources(false), true);
    assertStringIncludes(lines.join("\n"), "compared with what was read in 6.12");
    await assertRejects(() => sources(true), InputError, "--accept writes what was read in Linux 6.1 and 6.12");
  });
  await withFiles([5, 10], async (_tree, _toml, _lines, sources) => {
    await assertRejects(() => sources(false), InputError, "--source is Linux 5.10, and the oldest");
  });
});
