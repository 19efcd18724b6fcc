/**
 * Small words for the page.
 *
 * @module
 */

/** `20000000` as `20,000,000`. */
export function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 page`, `3 pages`. */
export function count(n: number, noun: string): string {
  return `${grouped(n)} ${noun}${n === 1 ? "" : "s"}`;
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** The letter that stands for a block: the same at every step. */
export function blockLetter(id: number): string {
  return LETTERS[id % LETTERS.length]!;
}
