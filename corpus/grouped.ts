/**
 * Numbers as people read them.
 *
 * @module
 */

/** `20000000` as `20,000,000`, on every machine; without what a locale costs to be loaded. */
export function grouped(n: number, separator = ","): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, separator);
}
