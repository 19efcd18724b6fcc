/**
 * A hash of a text, for keys and for telling drivers apart.
 *
 * @module
 */

/** FNV-1a of a text, as a positive number of 31 bits. */
export function textHash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 1;
}
