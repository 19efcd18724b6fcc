/**
 * `docs/ptdesc-v2.md` is what it says: its programs are files of the corpus,
 * every function of the patch has its section, and what the text says about a
 * program's findings is what the program shows.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { CALLS, hasCall } from "../core/program/calls.ts";
import { InputError } from "../core/program/input_error.ts";
import { parseProgram } from "../core/program/parse.ts";
import { listShipped, readProgramFile } from "../corpus/files.ts";
import { replayProgram } from "../corpus/replay.ts";

const ROOT = new URL("../", import.meta.url);
const DOC = Deno.readTextFileSync(new URL("docs/ptdesc-v2.md", ROOT));

/** The functions and casts that patch 05/34 adds, in its order, and the layout that it stands on. */
const PATCH = [
  "tlb_remove_ptdesc",
  "tlb_remove_page_ptdesc",
  "virt_to_ptdesc",
  "ptdesc_to_virt",
  "ptdesc_address",
  "ptdesc_is_reserved",
  "ptdesc_alloc",
  "ptdesc_free",
  "ptdesc_clear",
  "free_reserved_ptdesc",
  "ptdesc_page",
  "ptdesc_folio",
  "page_ptdesc",
] as const;

/** The headings of the review's remarks. */
const REMARKS = [
  '"Do we ever use compound pages for page tables?"',
  "MIPS and s390 crst",
  "The name ptdesc_alloc",
  "Descriptor and memory together",
  "The name page_table_alloc",
] as const;

/** A program of the document: the file that it names and the text that it prints. */
interface Block {
  readonly file: string;
  readonly text: string;
}

/** Every fenced block, with the file named in the comment before it. */
function blocks(): Block[] {
  const fenced = [...DOC.matchAll(/^(?:<!-- (\S+) -->\n\n?)?^```(\w*)\n([\s\S]*?)^```$/gm)];
  return fenced.map(([, file, language, text]) => {
    assert(file !== undefined, `no file is named before the block that begins with ${text?.slice(0, 60)}`);
    assertEquals(language, "text", file);
    return { file, text: text as string };
  });
}

/** The text outside of the programs. */
const PROSE = DOC.replace(/^```[\s\S]*?^```$/gm, "");

/** Labels of links and the file that each leads to. */
const LINKS = new Map(
  [...PROSE.matchAll(/^\[([^\]]+)\]: \.\.\/(\S+)$/gm)].map(([, l, f]) => [l as string, f as string]),
);

/** The text under a heading, up to the next heading. */
function section(heading: string): string {
  const lines = PROSE.split("\n");
  const at = lines.indexOf(`### ${heading}`);
  assert(at >= 0, `no section '### ${heading}'`);
  const end = lines.findIndex((line, i) => i > at && /^#{1,3} /.test(line));
  return lines.slice(at + 1, end < 0 ? undefined : end).join("\n");
}

/** Labels of the corpus that a text uses. */
function labels(text: string): string[] {
  const uses = text.replace(/^\[[^\]]+\]: .*$/gm, "");
  return [...uses.matchAll(/\[([a-z0-9][a-z0-9.-]+)\](?!\()/g)].map((m) => m[1] as string);
}

/** The file that a label leads to. */
function fileOf(label: string): string {
  const file = LINKS.get(label);
  assert(file !== undefined, `[${label}] leads nowhere`);
  return file;
}

/** Every file of the corpus that the document names. */
const FILES = [...new Set([...blocks().map((b) => b.file), ...LINKS.values()])].sort();

Deno.test("every program in the document is its file, byte for byte", () => {
  const all = blocks();
  assert(all.length >= 25, `only ${all.length} programs`);
  for (const { file, text } of all) assertEquals(text, Deno.readTextFileSync(new URL(file, ROOT)), file);
  assertEquals(new Set(all.map((b) => b.file)).size, all.length, "a program stands there twice");
});

Deno.test("every fence of the document belongs to a program", () => {
  assertEquals((DOC.match(/^```/gm) ?? []).length, 2 * blocks().length);
});

Deno.test("every file that the document names is shipped, and every label is used and leads to one", () => {
  const shipped = new Set(listShipped().regressions.map((f) => f.slice(f.lastIndexOf("corpus/"))));
  for (const file of FILES) assert(shipped.has(file), `${file} is not in the corpus`);
  const used = labels(PROSE);
  for (const label of used) fileOf(label);
  for (const label of LINKS.keys()) assert(used.includes(label), `nothing uses [${label}]`);
  for (const [, name] of PROSE.matchAll(/corpus\/regressions\/(\S+?\.pt)/g)) {
    assert(shipped.has(`corpus/regressions/${name}`), `${name} is not in the corpus`);
  }
});

Deno.test("every file that the document names shows what it claims", () => {
  for (const file of FILES) assertEquals(replayProgram(readProgramFile(path(file))), [], file);
});

Deno.test("every file that the document names says in its first line what it is", () => {
  for (const file of FILES) assert(Deno.readTextFileSync(new URL(file, ROOT)).startsWith("# "), file);
});

Deno.test("the functions of the patch are the descriptor's calls that v2 has", () => {
  const calls = CALLS.filter((c) => hasCall("v2", c) && c.kernels !== "all" && c.kernels !== "before-6.6").map((c) =>
    c.name
  );
  assertEquals(calls.sort(), [...PATCH].sort());
});

Deno.test("every function of the patch has a section: right for, goes wrong, as merged, with programs", () => {
  for (const name of [...PATCH, "TABLE_MATCH"]) {
    const text = section(`\`${name}\``);
    for (const word of ["Right for", "Goes wrong", "As merged"]) assert(text.includes(word), `${name}: no '${word}'`);
    assert(labels(text).length > 0 || text.includes("<!-- corpus/"), `${name}: no program`);
  }
});

Deno.test("every function of the patch has a row in the summary, with a program that calls it", () => {
  const rows = new Map([...PROSE.matchAll(/^\| `(\w+)` +\|.*$/gm)].map((m) => [m[1] as string, m[0]]));
  assertEquals([...rows.keys()].sort(), [...PATCH, "TABLE_MATCH"].sort());
  for (const [name, row] of rows) {
    const [label, ...more] = labels(row);
    assert(label !== undefined && more.length === 0, `${name}: a row names one program`);
    // 6.12 has it under the name of the memory; the layout is shown by a store through it.
    const call = name === "TABLE_MATCH"
      ? "pgd_list_add("
      : `${name.replace("ptdesc_is_", "(ptdesc|pagetable)_is_")}\\(`;
    const text = Deno.readTextFileSync(new URL(fileOf(label), ROOT));
    assert(
      name === "TABLE_MATCH" ? text.includes(call) : new RegExp(call).test(text),
      `${label} does not call ${name}`,
    );
  }
});

Deno.test("every remark of the review has a section; all but the last, a name only, have a program", () => {
  for (const heading of REMARKS) {
    const text = section(heading);
    const shown = labels(text).length > 0 || text.includes("<!-- corpus/");
    assert(shown || text.includes("No program can show this"), heading);
  }
});

Deno.test("what the document says of v2 and 6.12 side by side is what the programs find", () => {
  const lines = [...PROSE.matchAll(/^- (\S+) \[([^\]]+)\]: (.+)$/gm)];
  assert(lines.length >= 12, `only ${lines.length} lines compare kernels`);
  for (const [, kernel, label, said] of lines) {
    const program = readProgramFile(path(fileOf(label as string)));
    assertEquals(program.kernel, kernel, label);
    const found = [...new Set(program.claims.map((c) => c.invariant))];
    assertEquals(said === "clean" ? [] : [...said!.matchAll(/`([a-z-]+)`/g)].map((m) => m[1]), found, label);
  }
});

Deno.test("what the document says is clean is clean", () => {
  for (const [, label] of PROSE.matchAll(/\[([a-z0-9.-]+)\], clean/g)) {
    assertEquals(readProgramFile(path(fileOf(label as string))).claims.length, 0, label);
  }
});

Deno.test("DEBUG_VM has nothing to say about the half-converted crst", () => {
  for (const label of ["crst-half-converted", "crst-half-converted-6.12"]) {
    const text = Deno.readTextFileSync(new URL(fileOf(label), ROOT));
    const checked = text.replace("arch s390\n", "arch s390\nconfig DEBUG_VM\n");
    assert(checked !== text, label);
    assertEquals(replayProgram(parseProgram(checked, label)), [], label);
  }
});

Deno.test("a program that frees a const descriptor is refused", () => {
  const text = "kernel v2\nd0 = ptdesc_alloc(GFP_KERNEL, 1)\nconst p0 = ptdesc_page(d0)\n" +
    "const d1 = page_ptdesc(p0)\nptdesc_free(d1)\n";
  assertThrows(() => parseProgram(text, "const.pt"), InputError, "that is not const");
});

Deno.test("no line of the document is longer than 120 columns", () => {
  for (const [i, line] of DOC.split("\n").entries()) assert(line.length <= 120, `line ${i + 1}: ${line.length}`);
});

Deno.test("anchors lead to headings", () => {
  const slug = (h: string) => h.toLowerCase().replace(/[^\w\- ]/g, "").replaceAll(" ", "-");
  const headings = new Set([...PROSE.matchAll(/^#+ (.+)$/gm)].map((m) => slug(m[1] as string)));
  for (const [, anchor] of PROSE.matchAll(/\]\(#([^)]+)\)/g)) assert(headings.has(anchor as string), `#${anchor}`);
});

function path(file: string): string {
  return decodeURIComponent(new URL(file, ROOT).pathname);
}
