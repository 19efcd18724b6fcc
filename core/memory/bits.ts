/**
 * The lowest bit that is set, by the kernel's names (`include/asm-generic/bitops/ffs.h`, `__ffs.h`).
 *
 * `word & -word` would be right as well, but V8 negates a number as a double, since 0 may become -0.
 *
 * @module
 */

/** Number of the lowest bit that is set, counted from 1; 0 where none is. */
export function ffs(word: number): number {
  return 32 - Math.clz32(word & (~word + 1));
}

/** Number of the lowest bit that is set, counted from 0; -1 where none is, of which the kernel's says nothing. */
export function __ffs(word: number): number {
  return ffs(word) - 1;
}
