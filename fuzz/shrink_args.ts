/**
 * Shrinking of what is passed: orders, counts, sizes, page offsets, flags,
 * addresses, repeats, and the header lines.
 *
 * Numbers that mean the same thing shrink together: the order of an allocation
 * and that of its free, the offsets within its block, a size in bytes or pages
 * that is the block's. So each number is tried everywhere at once, then
 * everywhere in one block, then alone.
 *
 * @module
 */
import { CALLS, OP_REPEAT } from "../core/program/calls.ts";
import { DEFAULT_PAGES, FIRST_SLOT, MAX_OFFSET, STEP_WORDS } from "../core/program/program.ts";
import { GFP_FLAGS } from "../core/memory/gfp.ts";
import { PAGE_SIZE } from "../core/memory/words.ts";
import { originsOf, setOffset } from "./shrink_names.ts";
import type { Trial } from "./shrink_trial.ts";

type NumberType = "order" | "count" | "bytes" | "offset" | "gfp" | "address" | "times";

/** A number of the program. */
interface Site {
  readonly type: NumberType;
  readonly value: number;
  /** Line and operand. */
  readonly pc: number;
  readonly w: number;
  /** Name of the block that it is about, or -1. */
  readonly root: number;
}

const GFP_KERNEL = GFP_FLAGS["GFP_KERNEL"]!;
/** The bits of flags that are no mask of others. */
const MODIFIERS: readonly number[] = Object.keys(GFP_FLAGS).filter((n) => n.startsWith("__")).map((n) => GFP_FLAGS[n]!);
const ALL_MODIFIERS = MODIFIERS.reduce((all, bit) => all | bit, 0);
/** What a person writes where the address is of no matter. */
const PLAIN_ADDRESS = 0x1000;

/** Numbers from `least` on that are tried instead of a larger one: the smallest, then nearer and nearer. */
function smaller(value: number, least: number): number[] {
  const tried = new Set<number>();
  for (let v = least; v < Math.min(value, least + 4); v++) tried.add(v);
  for (let step = value - least; step > 0; step >>= 1) if (value - step > least) tried.add(value - step);
  return [...tried].sort((a, b) => a - b);
}

function smallerBytes(value: number): number[] {
  const pages = Math.ceil(value / PAGE_SIZE);
  const fewer = smaller(pages, 1).map((n) => n * PAGE_SIZE);
  return value === pages * PAGE_SIZE ? fewer : [...fewer, pages * PAGE_SIZE];
}

function smallerGfp(value: number): number[] {
  const modifiers = value & ALL_MODIFIERS;
  const base = value & ~ALL_MODIFIERS;
  const tried = [GFP_KERNEL, GFP_KERNEL | modifiers];
  for (const bit of MODIFIERS) if ((modifiers & bit) !== 0) tried.push(base | (modifiers & ~bit));
  return tried.filter((v) => v !== value && (base !== GFP_KERNEL || v !== (GFP_KERNEL | modifiers)));
}

/** What is tried instead of a number, simplest first. */
const SIMPLER: Readonly<Record<NumberType, (value: number) => number[]>> = {
  order: (v) => Array.from({ length: v }, (_, i) => i),
  count: (v) => smaller(v, 1),
  bytes: smallerBytes,
  offset: (v) => smaller(v, 0),
  gfp: smallerGfp,
  address: (v) => v === PLAIN_ADDRESS ? [] : [PLAIN_ADDRESS],
  times: (v) => smaller(v, 1),
};

/** Types in the order in which they are tried. */
const TYPES: readonly NumberType[] = ["times", "order", "count", "bytes", "offset", "gfp", "address"];

function sitesOf(t: Trial): Site[] {
  const { code } = t;
  const origins = originsOf(t);
  const sites: Site[] = [];
  for (let pc = 0; pc < code.length; pc += STEP_WORDS) {
    const op = code[pc]!;
    if (op === OP_REPEAT) sites.push({ type: "times", value: code[pc + 2]!, pc, w: 0, root: -1 });
    const call = CALLS[op];
    if (call === undefined) continue;
    const which = code[pc + 6]!;
    const about = (which & 1) !== 0 ? code[pc + 2]! : code[pc + 1]!;
    const root = about < FIRST_SLOT ? -1 : origins.get(about)?.root ?? -1;
    call.params.forEach(({ type }, w) => {
      const slot = (which >> w & 1) !== 0;
      if (slot) {
        const value = (code[pc + 5]! >>> (10 * w)) & MAX_OFFSET;
        if (value > 0) sites.push({ type: "offset", value, pc, w, root: origins.get(code[pc + 2 + w]!)?.root ?? -1 });
      } else if (type === "order" || type === "bytes" || type === "gfp" || type === "address") {
        sites.push({ type, value: code[pc + 2 + w]!, pc, w, root });
      } else if (type === "count" && call.name !== "fail") sites.push({ type, value: code[pc + 2 + w]!, pc, w, root });
    });
  }
  return sites;
}

function write(code: Int32Array, site: Site, value: number): void {
  if (site.type === "offset") setOffset(code, site.pc, site.w, value);
  else code[site.pc + 2 + site.w] = value;
}

/** Which sites shrink together: everywhere, in one block, alone. */
const SCOPES: readonly ((s: Site) => string)[] = [
  (s) => `${s.value}`,
  (s) => `${s.value} ${s.root}`,
  (s) => `${s.pc} ${s.w}`,
];

/** The code with other sites' numbers following from a block of a smaller order. */
function follow(code: Int32Array, sites: readonly Site[], group: readonly Site[], from: number, to: number): void {
  const roots = new Set(group.map((s) => s.root));
  for (const s of sites) {
    if (!roots.has(s.root)) continue;
    if (s.type === "count" && s.value === 1 << from) write(code, s, 1 << to);
    if (s.type === "bytes" && s.value === PAGE_SIZE << from) write(code, s, PAGE_SIZE << to);
    if (s.type === "offset" && s.value < 1 << from) write(code, s, Math.min(s.value, (1 << to) - 1));
  }
}

function shrinkGroup(t: Trial, sites: readonly Site[], group: readonly Site[]): void {
  const { type, value } = group[0]!;
  for (const simpler of SIMPLER[type](value)) {
    const copy = t.code.slice();
    for (const s of group) write(copy, s, simpler);
    if (type === "order") {
      const linked = copy.slice();
      follow(linked, sites, group, value, simpler);
      if (t.attempt(linked)) return;
    }
    if (t.attempt(copy)) return;
  }
}

/** Makes the numbers that a program passes as simple as they may be. */
export function shrinkNumbers(t: Trial): void {
  for (const type of TYPES) {
    for (const scope of SCOPES) {
      const sites = sitesOf(t);
      const groups = new Map<string, Site[]>();
      for (const s of sites) {
        if (s.type !== type) continue;
        const key = scope(s);
        groups.set(key, [...groups.get(key) ?? [], s]);
      }
      for (const group of groups.values()) {
        // A group before it may have changed what this one says.
        const now = new Map(sitesOf(t).map((s) => [`${s.pc} ${s.w}`, s]));
        const same = group.filter((s) => now.get(`${s.pc} ${s.w}`)?.value === s.value);
        if (same.length > 0) shrinkGroup(t, [...now.values()], same);
      }
    }
  }
}

/** A repeat of one time leaves; its lines stay. */
export function unwrapRepeats(t: Trial): void {
  for (let pc = 0; pc < t.code.length; pc += STEP_WORDS) {
    if (t.code[pc] !== OP_REPEAT) continue;
    const code = new Int32Array(t.code.length - STEP_WORDS);
    code.set(t.code.subarray(0, pc));
    code.set(t.code.subarray(pc + STEP_WORDS), pc);
    if (t.attempt(code)) pc -= STEP_WORDS;
  }
}

/** Leaves out header lines: the size of the zone, and options one by one. */
export function shrinkHeader(t: Trial): void {
  if (t.header.pages !== DEFAULT_PAGES) t.attempt(t.code, { ...t.header, pages: DEFAULT_PAGES });
  for (const name of [...t.header.config]) {
    t.attempt(t.code, { ...t.header, config: t.header.config.filter((c) => c !== name) });
  }
}
