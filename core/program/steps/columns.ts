/**
 * What is known of each page after a step, as columns of one `Int32Array`: the
 * raw words of its `struct page`, and beside them what the ledger says. Column
 * by column, because pages of one block change alike: a change is then a run.
 *
 * Nothing here touches a machine, so that the report's page reads the same form.
 *
 * @module
 */
import { PAGE_WORDS } from "../../memory/words.ts";

/** Columns 0 to 15 are the words; from here on is what was worked out. */
export const COL_STATE: number = PAGE_WORDS;
/** Order of the free block that begins at the page, or -1. */
export const COL_FREE_ORDER: number = PAGE_WORDS + 1;
/** Index of the block (see {@linkcode Block}) that holds the page or held it last, or -1. */
export const COL_BLOCK: number = PAGE_WORDS + 2;
/** References that the ledger expects. */
export const COL_REFS: number = PAGE_WORDS + 3;
/** How many of them are the environment's. */
export const COL_ENV_REFS: number = PAGE_WORDS + 4;
/** Number of the gather in which the page is queued, counted as they start, or 0. */
export const COL_GATHER: number = PAGE_WORDS + 5;
/** Contents of the page: what its last user left, zeroes, or empty table entries. */
export const COL_CONTENTS: number = PAGE_WORDS + 6;
/** Whether an entry leads to the table: see {@linkcode LINKS}. */
export const COL_LINK: number = PAGE_WORDS + 7;
/** Columns of a page. */
export const COLUMNS: number = PAGE_WORDS + 8;

/** What a page is. */
export interface PageState {
  /** In words. */
  readonly name: string;
  /** What it means, in a sentence. */
  readonly words: string;
}

/** On a free list of the buddy allocator. */
export const FREE = 0;
/** Its owner holds it. */
export const GRANTED = 1;
/** Reserved memory that its owner holds. */
export const RESERVED = 2;
/** A gather holds it. */
export const QUEUED = 3;
/** Its owner gave it up; others still hold references. */
export const GIVEN_UP = 4;
/** The kernel took it for a gather's batch. */
export const KERNEL_OWN = 5;
/** Neither free nor anybody's. */
export const LOST = 6;

/** States by index. */
export const PAGE_STATES: readonly PageState[] = [
  { name: "free", words: "on a free list of the buddy allocator" },
  { name: "granted", words: "its owner holds it" },
  { name: "reserved", words: "reserved memory that its owner holds" },
  { name: "queued", words: "a gather holds it, or it waits for a grace period" },
  { name: "given up", words: "its owner gave it up, others still hold references" },
  { name: "batch", words: "the kernel took it for a gather's batch" },
  { name: "lost", words: "neither free nor anybody's" },
];

/** Contents by index. */
export const CONTENTS: readonly string[] = ["what its last user left", "zeroes", "empty table entries"];

/** By what leads to a table, in words. */
export const LINKS: readonly string[] = ["never put in use", "an entry leads to it", "the entry to it was cleared"];

/** Memory that was granted in one piece. */
export interface Block {
  /** Name that the program gave it; `page N` where it has none. */
  readonly name: string;
  /** First page. */
  readonly first: number;
  /** Pages granted. */
  readonly pages: number;
  /** Order asked for. */
  readonly order: number;
  /** Whether it was asked for with `__GFP_COMP`. */
  readonly compound: boolean;
  /** What granted it. */
  readonly family: string;
}

/**
 * What differs between two states, as triples (index, run, value): `run`
 * elements from `index` on have become `value`.
 */
export function difference(before: Int32Array, after: Int32Array): number[] {
  const runs: number[] = [];
  for (let i = 0; i < after.length; i++) {
    const value = after[i]!;
    if (value === before[i]) continue;
    let end = i + 1;
    while (end < after.length && after[end] === value && before[end] !== value) end++;
    runs.push(i, end - i, value);
    i = end - 1;
  }
  return runs;
}

/** Applies what {@linkcode difference} answered. */
export function apply(state: Int32Array, runs: readonly number[]): void {
  for (let i = 0; i < runs.length; i += 3) state.fill(runs[i + 2]!, runs[i]!, runs[i]! + runs[i + 1]!);
}
