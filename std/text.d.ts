/** Options of {@linkcode closestString}. */
export interface ClosestStringOptions {
  /** Whether case counts; default `false`. */
  readonly caseSensitive?: boolean;
  /** The distance between two words; default {@linkcode levenshteinDistance}. */
  readonly compareFn?: (a: string, b: string) => number;
}
/** The most similar of some words; throws where there are none. */
export function closestString(
  givenWord: string,
  possibleWords: ReadonlyArray<string>,
  options?: ClosestStringOptions,
): string;
/** How many letters must be added, removed or replaced to make one word of the other. */
export function levenshteinDistance(str1: string, str2: string): number;
