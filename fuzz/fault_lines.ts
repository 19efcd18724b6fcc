/**
 * The lines of a discipline's paths as a person would edit them: which names
 * they define and use, and the discipline's text with some of them changed.
 *
 * @module
 */
import { callByName, type CallDef, CALLS, type Kind } from "../core/program/calls.ts";
import { gfpBits } from "../core/program/gfp_text.ts";
import { MM_SLOTS } from "../core/program/program.ts";
import type { Discipline, Path } from "../corpus/discipline.ts";
import { GRANTS_PARTS } from "./path_facts.ts";

/** A line that does nothing and is no step: it keeps the place of one that was dropped. */
export const NOTHING = "page_to_virt(NULL)";

/** One line of a path. */
export interface Line {
  /** Its path: `alloc`, `use.NAME`, `free.NAME`, `fail.NAME`. */
  readonly table: string;
  /** Its number in the path, from 0. */
  readonly index: number;
  readonly text: string;
  /** The name it defines, or "". */
  readonly name: string;
  /** Its call; undefined where it is no plain call (`repeat`, `end`). */
  readonly call: CallDef | undefined;
  /** Its arguments as written. */
  readonly args: readonly string[];
}

/** A path as lines. */
export interface PathLines {
  readonly table: string;
  readonly after: string | undefined;
  readonly lines: readonly Line[];
}

function lineOf(table: string, index: number, text: string): Line {
  const [, name = "", callName = "", args = ""] = /^(?:const\s+)?(?:(\w+)\s*=\s*)?(\w+)\s*\((.*)\)$/.exec(text) ?? [];
  return {
    table,
    index,
    text,
    name,
    call: callByName(callName),
    args: args.trim() === "" ? [] : args.split(",").map((a) => a.trim()),
  };
}

function pathLines(table: string, path: Path): PathLines {
  const texts = path.run.split("\n").map((t) => t.replace(/#.*/, "").trim()).filter((t) => t !== "");
  return { table, after: path.after, lines: texts.map((text, i) => lineOf(table, i, text)) };
}

/** The paths of a discipline, in the order in which they are compiled. */
export function pathsOf(d: Discipline): PathLines[] {
  return [
    pathLines("alloc", d.alloc),
    ...d.use.map((p) => pathLines(`use.${p.name}`, p)),
    ...d.free.map((p) => pathLines(`free.${p.name}`, p)),
    ...d.fail.map((p) => pathLines(`fail.${p.name}`, p)),
  ];
}

/** Lines that stand in a line's place, by {@linkcode placeOf}. */
export type Edits = ReadonlyMap<string, readonly string[]>;

/** A line's path and number, the number counted from 1 as people do. */
export function placeOf(line: Line): string {
  return `${line.table}:${line.index + 1}`;
}

function toml(
  d: Discipline,
  kernel: string,
  paths: readonly { table: string; after: string | undefined; run: string[] }[],
): string {
  const quoted = (list: readonly string[]): string => `[${list.map((s) => JSON.stringify(s)).join(", ")}]`;
  const head = [
    `name = ${JSON.stringify(d.name)}`,
    `kernels = ${quoted([kernel])}`,
    `arch = ${JSON.stringify(d.arch)}`,
    `config = ${quoted(d.config)}`,
    `pages = ${d.pages}`,
    ...(d.forever ? ["forever = true"] : []),
  ];
  const tables = paths.flatMap(({ table, after, run }) => [
    "",
    `[${table.replace(/\.(.*)$/, (_, name) => `.${JSON.stringify(name)}`)}]`,
    ...(after === undefined ? [] : [`after = ${JSON.stringify(after)}`]),
    "run = '''",
    ...run,
    "'''",
  ]);
  return [...head, ...tables, ""].join("\n");
}

/** The text of a discipline for one kernel, some lines edited; a fail path whose allocation is gone falls. */
export function editedText(d: Discipline, kernel: string, edits: Edits): string {
  const paths = pathsOf(d).map(({ table, after, lines }) => ({
    table,
    after,
    run: lines.flatMap((line) => edits.get(placeOf(line)) ?? [line.text]),
  }));
  const defined = new Set(paths[0]!.run.map((text) => lineOf("alloc", 0, text).name));
  return toml(d, kernel, paths.filter((p) => p.after === undefined || defined.has(p.after)));
}

/** The name that an argument refers to, without its page offset; "" where it is none. */
export function nameIn(arg: string): string {
  return /^([A-Za-z_]\w*)\s*(?:\+\s*\d+)?$/.exec(arg)?.[1] ?? "";
}

/** Names that a line uses. */
export function usedNames(line: Line): string[] {
  return line.args.map(nameIn).filter((n) =>
    n !== "" && !MM_SLOTS.includes(n) && gfpBits(n) === undefined && n !== "NULL"
  );
}

/**
 * The lines that no longer make sense when one is gone: those that use its name,
 * directly or through names that they define. The line itself comes first.
 */
export function fallen(paths: readonly PathLines[], line: Line): Line[] {
  const gone: Line[] = [];
  const dead = new Set<string>();
  const alloc = paths[0]!;
  const walk = (path: PathLines, from: number, names: Set<string>): void => {
    for (const at of path.lines.slice(from)) {
      if (placeOf(at) === placeOf(line) || usedNames(at).some((n) => names.has(n))) {
        gone.push(at);
        if (at.name !== "") names.add(at.name);
      } else if (at.name !== "") names.delete(at.name);
    }
  };
  const own = paths.find((p) => p.table === line.table)!;
  walk(own, line.index, dead);
  if (own === alloc) { for (const path of paths.slice(1)) walk(path, 0, new Set(dead)); }
  return gone;
}

/** The line that defines a name as a line of some path sees it. */
export function definition(paths: readonly PathLines[], at: Line, name: string): Line | undefined {
  const own = paths.find((p) => p.table === at.table)!;
  return own.lines.slice(0, at.index).findLast((l) => l.name === name) ??
    paths[0]!.lines.findLast((l) => l.name === name);
}

/** The call of the program that granted the memory a name stands for, through whatever lookups; undefined where none did. */
export function grantOf(paths: readonly PathLines[], at: Line, arg: string): Line | undefined {
  let line = definition(paths, at, nameIn(arg));
  while (line !== undefined && !grants(line)) {
    const pointer = line.args.map(nameIn).find((n) => n !== "" && !MM_SLOTS.includes(n));
    line = pointer === undefined ? undefined : definition(paths, line, pointer);
  }
  return line;
}

/** Whether a line takes memory. */
export function grants(line: Line): boolean {
  const call = line.call;
  if (call === undefined || call.result === "void" || call.env) return false;
  if (GRANTS_PARTS.has(call.name)) return true;
  return call.params.length > 0 && call.params.every((p) => ["gfp", "order", "bytes", "count"].includes(p.type));
}

/** The kind of the value that an argument names. */
export function kindOf(paths: readonly PathLines[], at: Line, arg: string): Kind | undefined {
  const name = nameIn(arg);
  if (MM_SLOTS.includes(name)) return "mm";
  const result = definition(paths, at, name)?.call?.result;
  return result === "void" ? undefined : result;
}

/** Pages of a line that grants, and the order of the block. */
export function sizeOf(line: Line): { readonly order: number; readonly pages: number } {
  const number = (type: string): number | undefined => {
    const i = line.call?.params.findIndex((p) => p.type === type) ?? -1;
    return i < 0 ? undefined : Number(line.args[i]);
  };
  const order = number("order");
  if (order !== undefined) return { order, pages: 1 << order };
  const bytes = number("bytes");
  const pages = bytes === undefined ? number("count") ?? 1 : Math.ceil(bytes / 4096);
  return { order: Math.ceil(Math.log2(pages)), pages };
}

/** Calls that only look: nothing is changed by them. */
export const LOOKUPS: ReadonlySet<string> = new Set(
  CALLS.filter((c) =>
    !c.env && c.params.length === 1 && c.params[0]!.type !== "gfp" && !/^(tlb_|memblock)/.test(c.name)
  )
    .filter((c) => c.result !== "void").map((c) => c.name),
);
