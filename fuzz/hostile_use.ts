/**
 * What the rules of the hostile generator have in common: how each call is used
 * right, and how wrong.
 *
 * A rule writes one line (and lookups that it needs) and says whether it could.
 * What is right here is what the ledger has nothing against.
 *
 * @module
 */
import { PAGE_SIZE } from "../core/memory/words.ts";
import { BUILT, COMPOUND, DEPOSIT, EXACT, GONE, LISTED, MARKED, RESERVED, SPLIT, WALKED } from "./hostile_picture.ts";
import type { Writer } from "./hostile_writer.ts";

/** Writes a call; false where there is nothing to use it on. */
export type Rule = (w: Writer) => boolean;

/** How a call is used. */
export interface Use {
  readonly right: Rule;
  /** Absent where no argument is wrong to the ledger. */
  readonly wrong?: Rule;
}

/** Pages of these are blocks of their own: a descriptor or folio may be made of each. */
export const APART: number = EXACT | SPLIT;
/** Pages of these have a reference each. */
export const SINGLES: number = EXACT | RESERVED | SPLIT;
/** With these a block cannot be released by its family. */
export const KEPT: number = MARKED | LISTED | WALKED | BUILT | DEPOSIT;

/** Bytes that round up to so many pages. */
export function bytesOf(w: Writer, pages: number): number {
  return pages * PAGE_SIZE - (w.random.chance(128) ? 0 : w.random.below(PAGE_SIZE));
}

/** A line on a pointer that is likely to be wrong; what it gives up is given up. */
export function wrongPointer(op: number, kind: number, isVoid: boolean, releases: boolean): Rule {
  return (w) => {
    const other = isVoid && w.random.chance(64);
    w.targetOffset = 0;
    const slot = other ? w.otherKind(kind) : w.target(kind);
    if (slot < 0) return false;
    w.one(op, slot, w.targetOffset);
    if (releases && w.targetBlock >= 0) w.picture.giveUp(w.targetBlock, GONE);
    return true;
  };
}

/** Whether the page of a block stands for the block: its first, any of a compound block, or one that is single. */
export function leads(traits: number, page: number): boolean {
  return page === 0 || (traits & (COMPOUND | SINGLES)) !== 0;
}
