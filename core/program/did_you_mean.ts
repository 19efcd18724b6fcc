/**
 * Suggestions for words that are not known.
 *
 * @module
 */
import { closestString, levenshteinDistance } from "@std/text";
import { quote } from "./input_error.ts";

/** Longer words are no typing errors, and comparing them would take long. */
const LONGEST = 64;

/** The candidate that may have been meant: at most one letter in three differs; else undefined. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0 || word.length > LONGEST) return undefined;
  // Of equally near ones that of the same length: '6.13' means 6.12 rather than 6.1.
  const off = (candidate: string) => Math.abs(candidate.length - word.length);
  const best = closestString(word, candidates.toSorted((a, b) => off(a) - off(b)));
  const distance = levenshteinDistance(word.toLowerCase(), best.toLowerCase());
  return distance <= Math.floor(Math.max(word.length, best.length) / 3) ? best : undefined;
}

/** `; did you mean 'X'?`, or nothing where no candidate is near. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const best = nearest(word, candidates);
  return best === undefined ? "" : `; did you mean '${best}'?`;
}

/** `'X' is not a WHAT`, with the candidate that is near, or with all of them. */
export function notOneOf(word: string, what: string, candidates: readonly string[]): string {
  const near = didYouMean(word, candidates);
  return `${quote(word)} is not ${what}${near === "" ? ` (${candidates.join(", ")})` : near}`;
}
