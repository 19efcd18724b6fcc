/**
 * A finding in its flat form, as the ledger records it: no object is made in a
 * step. What it says in words is the work of `../program/explain.ts`.
 *
 * @module
 */

/** Words of one finding. */
export const FINDING_WORDS = 11;
/** Index of the invariant. */
export const F_INVARIANT = 0;
/** Step that broke it (from 1). */
export const F_STEP = 1;
/** Index of the severity. */
export const F_SEVERITY = 2;
/** Opcode of the call that broke it. */
export const F_CALL = 3;
/** Pages it is about (lost by a leak), else 0. */
export const F_PAGES = 4;
/** Slot that names the block, or -1. */
export const F_SLOT = 5;
/** First page of the block, or -1. */
export const F_PFN = 6;
/** What exactly: one of the `WHY_` codes. */
export const F_WHY = 7;
/** Two numbers that go with the code (orders, counts, pages, reasons). */
export const F_X = 8;
/** The second of them. */
export const F_Y = 9;
/** Page within the block that it is about. */
export const F_OFFSET = 10;
/** Findings one program may record; more end it. */
export const MAX_FINDINGS = 64;
