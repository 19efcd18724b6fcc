/**
 * The paths of a discipline as an exhaustive search walks them: each in parts
 * between which anything else may happen.
 *
 * A part is one line that does something, with the lines before it that only
 * concern the table itself: arithmetic on its own pointers, and writes into its
 * own pages. These commute with whatever others do for as long as the table is
 * the owner's, so they are put off to the moment before the next line of their
 * path that does more. What a path has left of them at its end is put off to the
 * table's next path. A schedule that breaks an invariant is as long so, or
 * shorter.
 *
 *     d = pagetable_alloc(...)      part 0
 *     a = ptdesc_address(d)         put off: begins the next path of the table
 *     -- use --
 *     populate(a)                   nothing but such lines: a part of its own
 *     -- free --
 *     f = virt_to_ptdesc(a)
 *     pagetable_free(f)             part 0, two lines
 *
 * @module
 */
import type { CompiledDiscipline, CompiledPath } from "../../corpus/discipline.ts";
import * as $gfp from "../../core/memory/gfp.ts";
import * as $calls from "../../core/program/calls.ts";
import * as $kinds from "../../core/program/kinds.ts";
import * as $program from "../../core/program/program.ts";
import type { Ledger } from "../../core/ledger/ledger.ts";
import * as $pathFacts from "../path_facts.ts";

const { __GFP_NOFAIL } = $gfp;
const { CALLS, FAIL_CHARGE, FAIL_PTDESC, FAIL_PTLOCK, FAILABLE, OP_AT, OP_REPEAT } = $calls;
const { isPointer } = $kinds;
const { FIRST_SLOT, STEP_WORDS } = $program;
const { accounts, CONSTRUCTS, GRANTS, linesOf, LOCKS, unlinks } = $pathFacts;

/** Arithmetic on pointers. */
const ARITHMETIC: ReadonlySet<string> = new Set([
  "virt_to_page",
  "page_to_virt",
  "page_address",
  "folio_address",
  "ptdesc_page",
  "page_ptdesc",
  "ptdesc_folio",
  "ptdesc_to_virt",
  "ptdesc_address",
]);
/** Writes into a table's own pages. */
const CONTENTS: ReadonlySet<string> = new Set(["clear_page", "table_init", "populate", "ptdesc_clear"]);
/** Lines that give nothing up, besides allocations. */
const HARMLESS: ReadonlySet<string> = new Set([
  "compound_head",
  "compound_order",
  "virt_to_head_page",
  "virt_to_ptdesc",
]);

/** What of FAILABLE is a page, and a bit for each batch of a gather. */
const FAIL_PAGES = 0;
const BATCHES = FAILABLE.reduce((bits, name, i) => name.startsWith("tlb_") ? bits | 1 << i : bits, 0);

/** Some lines of a path: [from, to) in words of its code. */
export interface Part {
  readonly from: number;
  readonly to: number;
  /** First word of its last line, the one that does something. */
  readonly last: number;
  /** Lines of text. */
  readonly lines: number;
  /** Name that its line grants into, or -1. */
  readonly grant: number;
  /** Name that its line answers a lock's success into (0: none could be had), or -1. */
  readonly lock: number;
  /** The fail path to take where that fails; -1: none needed; -2: it must not fail. */
  readonly onFail: number;
  /** What of FAILABLE may be made to fail in it, a bit each. */
  readonly failable: number;
  /** Name of the table that its line unlinks or gives up: who walks it may still be there. Else -1. */
  readonly walked: number;
  /** Its line may reach a point inside a function. */
  readonly reaches: boolean;
}

/** A path. */
export interface Walk {
  readonly path: CompiledPath;
  readonly parts: readonly Part[];
  /** What is put off to the table's next path: [from, to) in words, and its lines. */
  readonly rest: { readonly from: number; readonly to: number; readonly lines: number } | null;
  /** Names that it defines. */
  readonly own: readonly number[];
  /** Names that it grants into. */
  readonly grants: readonly number[];
  /** For each part: which names it and those after it use, 1 each. */
  readonly uses: readonly Uint8Array[];
}

/** How a path is walked. */
export type PathKind = "alloc" | "use" | "free" | "fail";

function nameOf(code: Int32Array, pc: number): string {
  return CALLS[code[pc]!]?.name ?? "";
}

/** Compiles paths for one kernel. */
export class Walks {
  /** `[alloc]`, uses, frees, fails, in this order. */
  readonly walks: readonly Walk[];
  readonly kinds: readonly PathKind[];
  /** Some way through a table's paths goes on using what was given up on it. */
  readonly usesGivenUp: boolean;
  /** Index of the first of each kind. */
  readonly firstUse = 1;
  readonly firstFree: number;
  readonly firstFail: number;

  readonly #discipline: CompiledDiscipline;
  readonly #headLookup: boolean;
  readonly #merge: boolean;
  /** Locks of tables come from a slab, and may not be had. */
  readonly #slabLocks: boolean;
  /** Descriptors are allocated apart, and may not be had. */
  readonly #apart: boolean;
  readonly #memcg: boolean;
  /** Some free path unlinks the table: then only such a path frees one that was walked. */
  readonly #freesUnlink: boolean;
  /** No use of a table gives anything up: what was its own stays so until a free or fail path. */
  readonly #usesKeep: boolean;

  /**
   * @param ledger of the machine: what its kernel and configuration do
   * @param merge false: every line is a part of its own, to see that merging them loses nothing
   */
  constructor(discipline: CompiledDiscipline, ledger: Ledger, merge = true) {
    const { headLookup } = ledger;
    this.#merge = merge;
    this.#slabLocks = ledger.allocPtlocks;
    this.#apart = ledger.apart;
    this.#memcg = ledger.memcg;
    this.#freesUnlink = discipline.free.some(unlinks);
    this.#discipline = discipline;
    this.#headLookup = headLookup;
    this.#usesKeep = discipline.use.every(({ code }) => linesOf(code).every((pc) => this.#keeps(code, pc)));
    const { alloc, use, free, fail } = discipline;
    this.firstFree = 1 + use.length;
    this.firstFail = this.firstFree + free.length;
    this.kinds = [
      "alloc",
      ...use.map(() => "use" as const),
      ...free.map(() => "free" as const),
      ...fail.map(() => "fail" as const),
    ];
    // Every way: the alloc path, any use, and any end.
    const ends = [...free, ...fail].map((end) => [alloc, ...use, ...use, end]);
    this.usesGivenUp = ends.some((paths) =>
      usesGivenUp(Int32Array.from(paths.flatMap((p) => [...p.code])), discipline.slots.length)
    );
    this.walks = [alloc, ...use, ...free, ...fail].map((path, i) => this.#walk(path, this.kinds[i]!));
  }

  /** Whether a line leaves every page of the table with its owner. */
  #keeps(code: Int32Array, pc: number): boolean {
    const op = code[pc]!;
    if (op >= OP_AT) return false;
    const name = nameOf(code, pc);
    return GRANTS[op] === 1 || ARITHMETIC.has(name) || CONTENTS.has(name) || HARMLESS.has(name);
  }

  /** Whether a line concerns nobody but its table, while that is the owner's. */
  #isLocal(code: Int32Array, pc: number): boolean {
    if (code[pc]! >= OP_AT) return false;
    const name = nameOf(code, pc);
    return ARITHMETIC.has(name) || CONTENTS.has(name) || (name === "virt_to_ptdesc" && !this.#headLookup);
  }

  #walk(path: CompiledPath, kind: PathKind): Walk {
    const { code } = path;
    const lines = [...linesOf(code), code.length];
    const parts: Part[] = [];
    let owned = kind === "alloc" || this.#usesKeep;
    let from = 0;
    let before = 0;
    const grants: number[] = [];
    for (let i = 0; i + 1 < lines.length; i++) {
      const pc = lines[i]!;
      const to = lines[i + 1]!;
      if (this.#merge && owned && this.#isLocal(code, pc)) continue;
      owned &&= this.#keeps(code, pc);
      let grant = -1;
      let onFail = -2;
      for (let at = pc; at < to; at += STEP_WORDS) {
        const op = code[at]!;
        if (op >= OP_AT || GRANTS[op] === 0) continue;
        grant = code[at + 1]!;
        if (!grants.includes(grant)) grants.push(grant);
      }
      if (kind === "alloc" && grant >= 0 && to - pc === STEP_WORDS && !nofail(code, pc)) {
        const known = this.#discipline.fail.findIndex((f) => f.after === grant);
        if (known >= 0) onFail = known;
        else if (before === 0) onFail = -1;
      }
      let failable = batchesIn(code, pc, to);
      if (onFail !== -2) {
        if (this.#slabLocks && CONSTRUCTS[code[pc]!] === 1) failable |= 1 << FAIL_PTLOCK;
        if (this.#memcg && accounts(code, pc)) failable |= 1 << FAIL_CHARGE;
        failable |= 1 << FAIL_PAGES | (this.#apart && nameOf(code, pc) === "pagetable_alloc" ? 1 << FAIL_PTDESC : 0);
      }
      let lock = -1;
      if (kind === "alloc" && this.#slabLocks && code[pc]! < OP_AT && LOCKS[code[pc]!] === 1) {
        const known = this.#discipline.fail.findIndex((f) => f.after === code[pc + 1]!);
        if (known >= 0) {
          onFail = known;
          lock = code[pc + 1]!;
          failable |= 1 << FAIL_PTLOCK;
        }
      }
      if (grant >= 0) before++;
      const end = endOf(code, pc);
      // Who walks a table that a path gives up without unlinking it could not have got there.
      if (this.#freesUnlink && (kind === "free" || kind === "fail") && !unlinks(path)) end.walked = -1;
      parts.push({
        from,
        to,
        last: pc,
        lines: (to - from) / STEP_WORDS,
        grant,
        lock,
        onFail,
        failable,
        ...end,
      });
      from = to;
    }
    const left = from < code.length ? { from, to: code.length, lines: (code.length - from) / STEP_WORDS } : null;
    // A use that is nothing but such lines is a part; a table's last path has no next one.
    const closes = left !== null && (parts.length === 0 || kind === "free" || kind === "fail");
    if (closes) {
      parts.push({
        ...left,
        last: left.from,
        grant: -1,
        lock: -1,
        onFail: -2,
        failable: 0,
        walked: -1,
        reaches: false,
      });
    }
    const own = new Set<number>();
    for (let pc = 0; pc < code.length; pc += STEP_WORDS) {
      if (code[pc]! < OP_AT && code[pc + 1]! >= FIRST_SLOT) own.add(code[pc + 1]!);
    }
    const uses = parts.map(({ from }) => namesFrom(code, from, this.#discipline.slots.length));
    return { path, parts, rest: closes ? null : left, own: [...own], grants, uses };
  }
}

/** Lines that give memory up. */
const RELEASES = /free|put_page|tlb_remove/;

/**
 * Whether a path goes on using memory that it has given up: then it matters
 * which page that was, and who has it now.
 */
function usesGivenUp(code: Int32Array, names: number): boolean {
  /** What each name was made of: the name that was granted. */
  const root = Int32Array.from({ length: names }, (_, i) => i);
  const given = new Uint8Array(names);
  for (let pc = 0; pc < code.length; pc += STEP_WORDS) {
    const op = code[pc]!;
    if (op >= OP_AT) continue;
    const call = CALLS[op]!;
    const dst = code[pc + 1]!;
    for (let w = 0; w < 3; w++) {
      const name = code[pc + 2 + w]!;
      if ((code[pc + 6]! >> w & 1) === 0 || !isPointer(call.params[w]?.type)) continue;
      if (given[root[name]!] === 1) return true;
      if (RELEASES.test(call.name)) given[root[name]!] = 1;
      if (dst >= 0 && isPointer(call.result)) root[dst] = root[name]!;
    }
  }
  return false;
}

/** Which names the lines from a word on use. */
function namesFrom(code: Int32Array, from: number, names: number): Uint8Array {
  const used = new Uint8Array(names);
  for (let pc = from; pc < code.length; pc += STEP_WORDS) {
    if (code[pc] === OP_AT || code[pc] === OP_REPEAT) continue;
    for (let w = 0; w < 3; w++) if ((code[pc + 6]! >> w & 1) !== 0) used[code[pc + 2 + w]!] = 1;
  }
  return used;
}

function nofail(code: Int32Array, pc: number): boolean {
  const at = CALLS[code[pc]!]!.params.findIndex((p) => p.type === "gfp");
  return at >= 0 && (code[pc + 2 + at]! & __GFP_NOFAIL) !== 0;
}

/** Whether a line is the end of what walkers may see, and of which name. */
function endOf(code: Int32Array, pc: number): { walked: number; reaches: boolean } {
  const call = CALLS[code[pc]!];
  if (call === undefined) return { walked: -1, reaches: true };
  const reaches = RELEASES.test(call.name) || call.name.startsWith("tlb_");
  const w = call.params.findIndex((p, i) => isPointer(p.type) && (code[pc + 6]! >> i & 1) !== 0);
  const ends = call.name === "unlink" || RELEASES.test(call.name);
  return { walked: ends && w >= 0 ? code[pc + 2 + w]! : -1, reaches };
}

/** A gather's batches can be had or not where a gather works. */
function batchesIn(code: Int32Array, pc: number, to: number): number {
  let gathers = false;
  for (; pc < to; pc += STEP_WORDS) gathers ||= CALLS[code[pc]!]?.params.some((p) => p.type === "gather") ?? false;
  return gathers ? BATCHES : 0;
}
