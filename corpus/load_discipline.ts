/**
 * Reads disciplines from TOML.
 *
 * @module
 */
import { ARCHS, CONFIGS, kernelNames, parseKernelName } from "../core/kernel/names.ts";
import { invariantById, INVARIANTS } from "../core/ledger/invariants.ts";
import { MAX_PAGE_ORDER } from "../core/memory/words.ts";
import { CALLS, hasCall } from "../core/program/calls.ts";
import { notOneOf } from "../core/program/did_you_mean.ts";
import { InputError, quote } from "../core/program/input_error.ts";
import { kernelOf, MM_SLOT_TABLE, parseLines } from "../core/program/parse.ts";
import type { Lines } from "../core/program/parse.ts";
import { DEFAULT_PAGES, MAX_PAGES, MIN_PAGES, STEP_WORDS } from "../core/program/program.ts";
import {
  type CompiledDiscipline,
  type Discipline,
  type Expectation,
  type Level,
  LEVELS,
  type Path,
} from "./discipline.ts";
import { readTextFile } from "./files.ts";
import { parseSourceRef, SOURCE_FORM, type SourceRef } from "./source_ref.ts";
import { parseToml } from "./toml.ts";
import type { TomlTable } from "./toml.ts";

const KEYS = [
  "name",
  "kernels",
  "arch",
  "levels",
  "folded",
  "config",
  "source",
  "pages",
  "hypothetical",
  "forever",
  "canary",
  "frames",
  "alloc",
  "use",
  "free",
  "fail",
  "expect",
];

/** A path whose lines are not parsed yet. */
interface RawPath {
  readonly name: string;
  readonly run: string;
  readonly table: TomlTable;
  readonly frames: readonly string[];
  readonly after?: string;
}

interface RawPaths {
  readonly alloc: RawPath;
  readonly use: readonly RawPath[];
  readonly free: readonly RawPath[];
  readonly fail: readonly RawPath[];
}

const RUN = "'''a = __get_free_pages(GFP_KERNEL, 1)'''";

function rawPath(table: TomlTable, name: string, keys: readonly string[]): RawPath {
  table.only(keys, table.title());
  const path = {
    name,
    run: table.text("run", RUN),
    table,
    frames: keys.includes("frames") ? table.texts("frames") : [],
  };
  return keys.includes("after") ? { ...path, after: table.text("after", "a name that [alloc] defines") } : path;
}

function rawGroup(root: TomlTable, group: string, keys: readonly string[]): RawPath[] {
  const table = root.table(group);
  if (table === undefined) return [];
  return table.keys().map((name) => {
    if (name === "run" && table.isText(name)) {
      table.fail(`[${group}] needs a name, such as [${group}.vm-destroy]`, name);
    }
    return rawPath(table.table(name) as TomlTable, name, keys);
  });
}

function rawPaths(root: TomlTable): RawPaths {
  const alloc = root.table("alloc");
  if (alloc === undefined) return root.fail("the table [alloc] with the lines that allocate is missing");
  const free = rawGroup(root, "free", ["run", "frames"]);
  const forever = root.flag("forever");
  if (free.length === 0 && !forever) {
    root.fail("a table [free.NAME] with lines that free is missing; where nothing frees it, write 'forever = true'");
  }
  if (free.length > 0 && forever) {
    root.fail(
      `'forever = true' says that nothing frees it, and [free.${free[0]!.name}] does; take one of them out`,
      "forever",
    );
  }
  return {
    alloc: rawPath(alloc, "alloc", ["run"]),
    use: rawGroup(root, "use", ["run"]),
    free,
    fail: rawGroup(root, "fail", ["run", "after"]),
  };
}

/** A discipline's paths for one kernel: plain data, for workers. */
function compile(
  raw: RawPaths,
  kernel: string,
  takes: Map<RawPath, readonly string[]> = new Map(),
): CompiledDiscipline {
  let slots = MM_SLOT_TABLE;
  const lines = (path: RawPath, names?: ReadonlyMap<string, number>): Lines => {
    const parsed = parseLines(path.run, {
      kernel,
      subject: path.table.title(),
      place: path.table.placeIn("run"),
      slots,
      ...(names === undefined ? {} : { names }),
      maxOrder: MAX_PAGE_ORDER,
    });
    if (parsed.code.length === 0) path.table.fail(`${path.table.label("run")} has no line with a call`, "run");
    slots = parsed.slots;
    takes.set(path, parsed.takes);
    return parsed;
  };
  const { code, names } = lines(raw.alloc);
  const path = (p: RawPath) => ({ name: p.name, code: lines(p, names).code });
  const use = raw.use.map(path);
  const free = raw.free.map(path);
  const fail = raw.fail.map((p) => ({ ...path(p), after: failedSlot(p, names) }));
  return { alloc: { name: "alloc", code }, use, free, fail, slots };
}

/** The slot of the allocation whose failure a [fail.NAME] path handles. */
function failedSlot(path: RawPath, names: ReadonlyMap<string, number>): number {
  const slot = names.get(path.after ?? "");
  if (slot === undefined || slot < MM_SLOT_TABLE.length) {
    const candidates = [...names.keys()].slice(MM_SLOT_TABLE.length);
    path.table.fail(
      `${path.table.label("after")}: ${notOneOf(path.after ?? "", "a name that [alloc] defines", candidates)}`,
      "after",
    );
  }
  return slot;
}

function isKernel(name: string): boolean {
  return parseKernelName(name) !== undefined;
}

const KERNELS = kernelNames();

function someKernels(table: TomlTable): string[] {
  const kernels = table.names("kernels", "a kernel", isKernel, KERNELS);
  if (kernels.length === 0) {
    table.fail(`${table.label("kernels")} must be a list of kernels, such as ["6.12"]`, "kernels");
  }
  return kernels;
}

function expectation(table: TomlTable): Expectation {
  table.only(["kernels", "invariants", "why", "shown-by"], table.title());
  const ids = INVARIANTS.map((i) => i.id);
  const invariants = table.names("invariants", "an invariant", (id) => invariantById(id) !== undefined, ids);
  if (invariants.length === 0) {
    table.fail(`${table.label("invariants")} must be a list of invariants, such as ["page-leak"]`, "invariants");
  }
  return {
    kernels: someKernels(table),
    invariants,
    why: table.has("why") ? table.text("why", "a sentence") : "",
    shownBy: table.isText("shown-by") ? [table.text("shown-by", '"regressions/x.pt"')] : table.texts("shown-by"),
  };
}

function pagesOf(root: TomlTable): number {
  const wanted = `a power of two from ${MIN_PAGES} to ${MAX_PAGES}`;
  const ok = (n: number) => Number.isInteger(n) && n >= MIN_PAGES && n <= MAX_PAGES && (n & (n - 1)) === 0;
  return root.number("pages", wanted, ok) ?? DEFAULT_PAGES;
}

function archOf(root: TomlTable): string {
  if (!root.has("arch")) return "generic";
  const arch = root.text("arch", '"s390"');
  if (!ARCHS.includes(arch)) root.fail(notOneOf(arch, "an architecture", ARCHS), "arch");
  return arch;
}

/**
 * Reads a discipline. Its paths are compiled for every kernel it names, so that
 * whatever is wrong with a line is said here.
 *
 * @param text the TOML text
 * @param file its name, for messages
 */
export function parseDiscipline(text: string, file: string): Discipline {
  const root = parseToml(text, file);
  root.only(KEYS, "a discipline");
  const name = root.text("name", '"s390/crst"');
  const kernels = someKernels(root);
  const raw = rawPaths(root);
  // What a path takes from [alloc] is the same on every kernel.
  const takes = new Map<RawPath, readonly string[]>();
  const compiled = new Map(kernels.map((kernel) => [kernel, compile(raw, kernel, takes)]));
  const path = (p: RawPath): Path => ({
    name: p.name,
    run: p.run,
    takes: takes.get(p) ?? [],
    frames: p.frames,
    ...(p.after === undefined ? {} : { after: p.after }),
  });
  const discipline: Discipline = {
    file,
    name,
    kernels,
    arch: archOf(root),
    config: root.names("config", "an option", (o) => Object.hasOwn(CONFIGS, o), Object.keys(CONFIGS)).sort(),
    levels: levelsOf(root, "levels"),
    folded: levelsOf(root, "folded"),
    source: sources(root, kernels),
    pages: pagesOf(root),
    hypothetical: root.flag("hypothetical"),
    forever: root.flag("forever"),
    canary: root.flag("canary"),
    frames: root.texts("frames"),
    alloc: path(raw.alloc),
    use: raw.use.map(path),
    free: raw.free.map(path),
    fail: raw.fail.map(path),
    expect: root.tables("expect").map(expectation),
    compile(kernel) {
      const known = compiled.get(kernel);
      if (known !== undefined) return known;
      kernelOf(kernel);
      const made = compile(raw, kernel);
      compiled.set(kernel, made);
      return made;
    },
  };
  checkExpectations(discipline, root);
  return discipline;
}

function levelsOf(root: TomlTable, key: string): Level[] {
  return root.names(key, "a level of a page table", (l) => LEVELS.includes(l as Level), LEVELS) as Level[];
}

/** The functions that the discipline was read from. */
function sources(root: TomlTable, kernels: readonly string[]): SourceRef[] {
  return root.texts("source").map((text) => {
    const ref = parseSourceRef(text);
    if (ref === undefined) return root.fail(`in 'source', ${quote(text)} is none: ${SOURCE_FORM}`, "source");
    const other = ref.kernels.find((k) => !kernels.some((own) => parseKernelName(own)?.base === k));
    if (other !== undefined) {
      root.fail(`in 'source', ${quote(text)} is about ${other}, and 'kernels' names ${kernels.join(", ")}`, "source");
    }
    return ref;
  });
}

/** An expectation for a kernel that lacks one of the calls could never come true. */
function checkExpectations(discipline: Discipline, root: TomlTable): void {
  discipline.expect.forEach(({ kernels }, i) => {
    for (const kernel of kernels) {
      const call = missingCall(discipline, kernel);
      if (call !== undefined) {
        root.tables("expect")[i]?.fail(`[[expect]] names kernel ${kernel}, which has no '${call}'`, "kernels");
      }
    }
  });
}

/** The first call of a discipline's lines that a kernel does not have; undefined where it has all. */
export function missingCall(discipline: Discipline, kernel: string): string | undefined {
  const { base } = kernelOf(kernel);
  const { alloc, use, free, fail } = discipline.compile(discipline.kernels[0] as string);
  for (const { code } of [alloc, ...use, ...free, ...fail]) {
    for (let i = 0; i < code.length; i += STEP_WORDS) {
      const call = CALLS[code[i] as number];
      if (call !== undefined && !hasCall(base, call)) return call.name;
    }
  }
  return undefined;
}

/** Whether a kernel, named by the discipline or not, has all its calls. An unknown kernel is an InputError. */
export function canRunOn(discipline: Discipline, kernel: string): boolean {
  return missingCall(discipline, kernel) === undefined;
}

/** Reads a discipline's file. */
export function loadDiscipline(path: string): Discipline {
  return parseDiscipline(readTextFile(path), path);
}

/** Refuses two disciplines of one name. */
export function checkNames(disciplines: readonly Discipline[]): void {
  const seen = new Map<string, string>();
  for (const { name, file } of disciplines) {
    const other = seen.get(name);
    if (other !== undefined) {
      throw new InputError(
        `the name ${quote(name)} is already that of ${other}; every discipline has a name of its own`,
        { file },
      );
    }
    seen.set(name, file);
  }
}
