/**
 * Every single-line fault of a discipline: a line dropped, a number off by one,
 * a line repeated, an address where a page is taken, the wrong free, a flag of
 * the allocation left out or put in.
 *
 * A fault is text: the discipline as somebody could have written it by mistake.
 * What the parser refuses, a compiler would refuse too, and it is no fault. A
 * line that is dropped leaves a line that does nothing in its place, so that the
 * fuzzer makes the same schedules of the right discipline and of the wrong one.
 *
 * @module
 */
import { parseKernelName } from "../core/kernel/names.ts";
import { __GFP_COMP, __GFP_ZERO } from "../core/memory/gfp.ts";
import { type CallDef, CALLS, hasCall, type Kind, type Param } from "../core/program/calls.ts";
import { gfpBits, printGfp } from "../core/program/gfp_text.ts";
import { InputError } from "../core/program/input_error.ts";
import { VOID_MEMORY, voidRule } from "../core/program/kinds.ts";
import type { Discipline } from "../corpus/discipline.ts";
import { parseDiscipline } from "../corpus/load_discipline.ts";
import {
  editedText,
  fallen,
  grantOf,
  kindOf,
  type Line,
  NOTHING,
  type PathLines,
  pathsOf,
  placeOf,
  sizeOf,
} from "./fault_lines.ts";

/** What was done to the line. */
export type FaultKind = "drop" | "number" | "offset" | "repeat" | "pointer" | "release" | "flag";

/** One fault. */
export interface Fault {
  readonly kind: FaultKind;
  /** The line, as it should be. */
  readonly line: Line;
  /** What was done, for people; with {@linkcode placeOf} its name. */
  readonly what: string;
  /** `drop`: the line and those that fell with it. */
  readonly fallen: readonly Line[];
  /** The other kinds: the line as it is now. */
  readonly now: Line;
  /** The wrong discipline. */
  readonly text: string;
  /** The right one, with as many lines. */
  readonly right: string;
  /** Index of the line in its path there. */
  readonly at: number;
}

/** How a call releases: which argument it takes, and how it is told how much. */
interface Release {
  readonly call: CallDef;
  /** Index of the pointer. */
  readonly at: 0 | 1;
  readonly size: "order" | "bytes" | "none";
}

const RELEASE_NAMES: readonly string[] = [
  "__free_pages",
  "__free_page",
  "free_pages",
  "free_page",
  "free_pages_exact",
  "put_page",
  "free_reserved_page",
  "pagetable_free",
  "ptdesc_free",
  "free_reserved_ptdesc",
  "tlb_remove_page",
  "tlb_remove_table",
  "tlb_remove_ptdesc",
  "tlb_remove_page_ptdesc",
];

const RELEASES: readonly Release[] = RELEASE_NAMES.map((name) => {
  const call = CALLS.find((c) => c.name === name && !c.env)!;
  const size = call.params[1]?.type;
  return {
    call,
    at: call.params[0]!.type === "gather" ? 1 : 0,
    size: size === "order" || size === "bytes" ? size : "none",
  };
});

/** How a line gives memory up; undefined where it does not. */
export function releaseOf(line: Line): Release | undefined {
  return RELEASES.find((r) => r.call === line.call);
}

/** Casts by the kinds they lead from and to: the ones that a driver's author would take. */
const CASTS: Readonly<Record<string, string>> = {
  "page virt": "page_address",
  "page ptdesc": "page_ptdesc",
  "virt page": "virt_to_page",
  "virt ptdesc": "virt_to_ptdesc",
  "ptdesc page": "ptdesc_page",
  "ptdesc virt": "ptdesc_address",
};
const POINTERS: readonly Kind[] = ["page", "ptdesc", "virt"];
/** Name for the value of a cast that a fault needs. */
const CAST_NAME = "cast";

/** All that is needed to make the faults of one discipline on one kernel. */
class Maker {
  readonly faults: Fault[] = [];
  readonly #d: Discipline;
  readonly #kernel: string;
  readonly #paths: readonly PathLines[];
  readonly #seen = new Set<string>();

  constructor(d: Discipline, kernel: string) {
    this.#d = d;
    this.#kernel = kernel;
    this.#paths = pathsOf(d);
  }

  make(): void {
    for (const path of this.#paths) {
      for (const line of path.lines) {
        if (line.call === undefined) continue;
        this.#drop(line);
        line.args.forEach((arg, i) => this.#argument(line, line.call!.params[i]!, arg, i));
        if (line.call.result === "void") this.#repeat(line);
        this.#otherReleases(line);
      }
    }
  }

  #has(call: CallDef): boolean {
    return hasCall(parseKernelName(this.#kernel)!.base, call);
  }

  #add(
    kind: FaultKind,
    line: Line,
    what: string,
    now: readonly string[],
    right: readonly string[],
    gone: readonly Line[],
  ): void {
    const edits = new Map(gone.map((l): [string, readonly string[]] => [placeOf(l), [NOTHING]]));
    if (gone.length === 0) edits.set(placeOf(line), now);
    const text = editedText(this.#d, this.#kernel, edits);
    if (this.#seen.has(text) || !parses(text)) return;
    this.#seen.add(text);
    const padded = gone.length === 0 ? new Map([[placeOf(line), right]]) : new Map();
    this.faults.push({
      kind,
      line,
      what,
      fallen: gone,
      now: lineFrom(line, now.at(-1)!),
      text,
      right: editedText(this.#d, this.#kernel, padded),
      at: line.index + (gone.length === 0 ? right.indexOf(line.text) : 0),
    });
  }

  #drop(line: Line): void {
    const gone = fallen(this.#paths, line);
    const more = gone.length === 1 ? "" : ` and ${gone.length - 1} more`;
    this.#add("drop", line, `without ${line.text}${more}`, [NOTHING], [line.text], gone);
  }

  #repeat(line: Line): void {
    this.#add("repeat", line, `twice ${line.text}`, [line.text, line.text], [line.text, NOTHING], []);
  }

  /** The line with one argument changed, and a cast before it where one is needed. */
  #changed(kind: FaultKind, line: Line, i: number, arg: string, what: string, cast?: string): void {
    const now = lineText(line, line.call!.name, line.args.map((a, n) => n === i ? arg : a));
    const before = cast === undefined ? [] : [`${CAST_NAME} = ${cast}`];
    const right = [...before.map(() => NOTHING), line.text];
    this.#add(kind, line, `${line.call!.name} ${what}`, [...before, now], right, []);
  }

  #argument(line: Line, param: Param, arg: string, i: number): void {
    if (param.type === "gfp") return this.#flags(line, arg, i);
    if (param.type === "order" || param.type === "count" || param.type === "bytes") {
      const n = Number(arg);
      const print = (value: number): string => arg.startsWith("0x") ? `0x${value.toString(16)}` : String(value);
      if (Number.isInteger(n)) {
        for (const to of [n + 1, n - 1]) {
          if (to >= 0) this.#changed("number", line, i, print(to), `${param.name} ${arg} -> ${print(to)}`);
        }
      }
      return;
    }
    const plus = /^(\w+)\s*\+\s*(\d+)$/.exec(arg);
    if (plus !== null) {
      for (const to of [Number(plus[2]) + 1, Number(plus[2]) - 1]) {
        this.#changed("offset", line, i, `${plus[1]}+${to}`, `${arg} -> ${plus[1]}+${to}`);
      }
    }
    // A call that finds its page by any pointer is the same for all of them.
    if (param.type === "void*" && voidRule(line.call!) !== VOID_MEMORY) this.#otherPointers(line, arg, i);
  }

  /** An address where a page is taken, and every other kind that `void *` lets pass. */
  #otherPointers(line: Line, arg: string, i: number): void {
    const from = kindOf(this.#paths, line, arg);
    for (const to of POINTERS) {
      const cast = CASTS[`${from} ${to}`];
      if (cast !== undefined) {
        this.#changed("pointer", line, i, CAST_NAME, `${arg} -> ${cast}(${arg})`, `${cast}(${arg})`);
      }
    }
  }

  #flags(line: Line, arg: string, i: number): void {
    const words = arg.split("|").map((w) => w.trim());
    const bits = words.reduce((all, word) => all | (gfpBits(word) ?? 0), 0);
    const without = (flag: string, bit: number): string => {
      const rest = words.filter((w) => w !== flag);
      return rest.length > 0 && rest.length < words.length ? rest.join("|") : printGfp(bits & ~bit);
    };
    if (bits & __GFP_COMP) this.#changed("flag", line, i, without("__GFP_COMP", __GFP_COMP), "without __GFP_COMP");
    else this.#changed("flag", line, i, `${arg}|__GFP_COMP`, "with __GFP_COMP");
    // get_zeroed_page adds it by itself.
    if (bits & __GFP_ZERO && line.call?.name !== "get_zeroed_page") {
      this.#changed("flag", line, i, without("__GFP_ZERO", __GFP_ZERO), "without __GFP_ZERO");
    }
  }

  /** Every other call that gives memory up, with the same pointer. */
  #otherReleases(line: Line): void {
    const own = releaseOf(line);
    if (own === undefined) return;
    const arg = line.args[own.at]!;
    const gather = own.at === 1 ? line.args[0]! : this.#gatherAt(line);
    for (const other of RELEASES) {
      if (other.call === line.call || !this.#has(other.call)) continue;
      if (other.at === 1 && gather === undefined) continue;
      for (const kind of this.#kindsFor(other, line, arg)) this.#release(line, other, arg, kind, gather);
    }
  }

  #kindsFor(other: Release, line: Line, arg: string): Kind[] {
    const type = other.call.params[other.at]!.type;
    if (type !== "void*") return [type as Kind];
    return POINTERS.filter((k) =>
      k === kindOf(this.#paths, line, arg) || CASTS[`${kindOf(this.#paths, line, arg)} ${k}`]
    );
  }

  #release(line: Line, other: Release, arg: string, kind: Kind, gather: string | undefined): void {
    const from = kindOf(this.#paths, line, arg);
    const cast = from === kind ? undefined : CASTS[`${from} ${kind}`];
    if (from !== kind && cast === undefined) return;
    const rest = (pointer: string): string[] => [
      ...(other.at === 1 ? [gather!] : []),
      pointer,
      ...(other.size === "none" ? [] : [this.#size(line, other)]),
    ];
    const shown = lineText(line, other.call.name, rest(cast === undefined ? arg : `${cast}(${arg})`));
    const now = lineText(line, other.call.name, rest(cast === undefined ? arg : CAST_NAME));
    const before = cast === undefined ? [] : [`${CAST_NAME} = ${cast}(${arg})`];
    const right = [...before.map(() => NOTHING), line.text];
    this.#add("release", line, `${line.call!.name} -> ${shown}`, [...before, now], right, []);
  }

  /** The size that fits: the line's own, else that of the block. */
  #size(line: Line, other: Release): string {
    const own = releaseOf(line)!;
    const given = own.size === "none" ? undefined : Number(line.args[own.at + 1]);
    const single = /^(__free_page|free_page|free_reserved_page)$/.test(line.call!.name);
    const grant = grantOf(this.#paths, line, line.args[own.at]!);
    let order = single || grant === undefined ? 0 : sizeOf(grant).order;
    if (own.size === "order") order = given!;
    if (other.size === "order") return String(order);
    const pages = single || grant === undefined ? 1 : own.size === "order" ? 1 << order : sizeOf(grant).pages;
    return `0x${(4096 * pages).toString(16)}`;
  }

  /** A gather that is there when the line runs. */
  #gatherAt(line: Line): string | undefined {
    const own = this.#paths.find((p) => p.table === line.table)!;
    return own.lines.slice(0, line.index).findLast((l) => l.call?.result === "gather")?.name;
  }
}

function lineText(line: Line, call: string, args: readonly string[]): string {
  const define = /^(?:const\s+)?\w+\s*=\s*/.exec(line.text)?.[0] ?? "";
  return `${define}${call}(${args.join(", ")})`;
}

function lineFrom(line: Line, text: string): Line {
  const [, call = "", args = ""] = /(\w+)\((.*)\)$/.exec(text) ?? [];
  return {
    ...line,
    text,
    call: CALLS.find((c) => c.name === call && !c.env),
    args: args === "" ? [] : args.split(",").map((a) => a.trim()),
  };
}

function parses(text: string): boolean {
  try {
    parseDiscipline(text, "fault");
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/** Every single-line fault of a discipline on a kernel, in the order of its lines. */
export function faultsOf(d: Discipline, kernel: string): Fault[] {
  const maker = new Maker(d, kernel);
  maker.make();
  return maker.faults;
}

/** A fault's name: the line, and what was done to it. */
export function faultName(fault: Fault): string {
  return `${placeOf(fault.line)} ${fault.what}`;
}
