/**
 * What the lines of a discipline's paths are to whoever writes programs of them:
 * which grant memory, which can fail, which walkers and references can come.
 *
 * @module
 */
import type { CompiledDiscipline, CompiledPath } from "../corpus/discipline.ts";
import { AFTER_CALL_RCU, AFTER_PUT, FREE_PENDING } from "../core/kernel/points.ts";
import { WALKER_OF } from "../core/ledger/hooks/mod.ts";
import type { Ledger } from "../core/ledger/ledger.ts";
import { REACH } from "../core/ledger/walkers.ts";
import { __GFP_ACCOUNT } from "../core/memory/gfp.ts";
import { CALLS, OP_AT, OP_REPEAT, opOf } from "../core/program/calls.ts";
import { STEP_WORDS } from "../core/program/program.ts";

const OP_UNLINK = opOf("unlink");
/** The steps that start a walker, with the kind that each starts. */
const WALKS: readonly (readonly [op: number, kind: number])[] = Object.entries(WALKER_OF).map((
  [name, kind],
) => [opOf(name), kind]);

const RESERVING: readonly number[] = [
  opOf("memblock_alloc"),
  opOf("mark_page_reserved"),
  opOf("srmmu_get_nocache"),
  opOf("pte_alloc_one"),
];

/** Calls that grant a part of a page, which other tables share. */
export const GRANTS_PARTS: ReadonlySet<string> = new Set([
  "page_table_alloc",
  "pte_fragment_alloc",
  "pmd_fragment_alloc",
  "get_pointer_table",
  "srmmu_get_nocache",
  "pte_alloc_one",
  "kmem_cache_alloc",
]);

/** Calls that grant pages: their result's name stands for the grant. */
export const GRANTS: Uint8Array = Uint8Array.from(
  CALLS,
  (c) =>
    /^(alloc_page|alloc_pages|__get_free_pages?|get_zeroed_page|alloc_pages_exact|memblock_alloc|ptdesc_alloc|pagetable_alloc)$/
        .test(c.name) || GRANTS_PARTS.has(c.name)
      ? 1
      : 0,
);

/** Allocations that construct inside, and answer NULL where the constructor can get no lock. */
export const CONSTRUCTS: Uint8Array = Uint8Array.from(
  CALLS,
  (c) => /^(page_table_alloc|p[tm][ed]_fragment_alloc)$/.test(c.name) ? 1 : 0,
);

/** Whether the memcg pays for what an instruction allocates. */
export function accounts(code: Int32Array, pc: number): boolean {
  const call = CALLS[code[pc]!]!;
  if (call.name === "pte_fragment_alloc") return code[pc + 3] === 0;
  if (call.name === "pmd_fragment_alloc") return code[pc + 2] !== 0;
  // Objects are charged one by one, which is not modelled.
  if (call.name === "kmem_cache_alloc") return false;
  return call.params.some((p, i) => p.type === "gfp" && (code[pc + 2 + i]! & __GFP_ACCOUNT) !== 0);
}

/** Constructors that fail where they can get no lock. */
export const LOCKS: Uint8Array = Uint8Array.from(CALLS, (c) => c.result === "int" && /_ctor$/.test(c.name) ? 1 : 0);

/** First word of each line of a path; a `repeat` or `at` with its body is one. */
export function linesOf(code: Int32Array): number[] {
  const lines: number[] = [];
  for (let pc = 0; pc < code.length; pc += STEP_WORDS) {
    lines.push(pc);
    if (code[pc] === OP_AT) pc += STEP_WORDS;
    else if (code[pc] === OP_REPEAT) pc += code[pc + 3]! * STEP_WORDS;
  }
  return lines;
}

/** Pages that a path asks for, about. */
export function pagesOf(path: CompiledPath): number {
  let pages = 0;
  for (let pc = 0; pc < path.code.length; pc += STEP_WORDS) {
    const op = path.code[pc]!;
    if (op >= OP_AT || GRANTS[op] === 0) continue;
    const params = CALLS[op]!.params;
    const order = params.findIndex((p) => p.type === "order");
    const bytes = params.findIndex((p) => p.type === "bytes");
    const count = params.findIndex((p) => p.type === "count");
    if (order >= 0) pages += 1 << path.code[pc + 2 + order]!;
    else if (bytes >= 0) pages += path.code[pc + 2 + bytes]! >> 11;
    else if (count >= 0) pages += 2 * path.code[pc + 2 + count]!;
    else pages += 1;
  }
  return pages;
}

/** Whether a path makes a call. */
export function makes({ code }: CompiledPath, op: number): boolean {
  for (let pc = 0; pc < code.length; pc += STEP_WORDS) if (code[pc] === op) return true;
  return false;
}

/**
 * The points that a kernel comes by: by its rules and not by the lines of a
 * discipline, so that a fault in one changes nothing of what is drawn.
 */
export function pointsOf({ tablesArePages, fragments }: Ledger): number[] {
  return [AFTER_PUT, ...(tablesArePages ? [] : [AFTER_CALL_RCU]), ...(fragments ? [FREE_PENDING] : [])];
}

/** Whether a path takes a table out of those that lead to it. */
export function unlinks(path: CompiledPath): boolean {
  return makes(path, OP_UNLINK);
}

/** Steps that start the walkers that can be in the tables of these paths, by how they are unlinked. */
export function walksOf(paths: readonly CompiledPath[], kinds: number): Int32Array {
  let reach = 0;
  for (const { code } of paths) {
    for (let pc = 0; pc < code.length; pc += STEP_WORDS) if (code[pc] === OP_UNLINK) reach |= REACH[code[pc + 4]!]!;
  }
  return Int32Array.from(WALKS.filter(([, kind]) => (reach & kinds & kind) !== 0), ([op]) => op);
}

/** Whether some path makes or marks reserved pages. */
export function reservesMemory(d: CompiledDiscipline): boolean {
  return [d.alloc, ...d.use, ...d.free, ...d.fail].some((p) =>
    RESERVING.some((op) => p.code.some((w, i) => i % STEP_WORDS === 0 && w === op))
  );
}
