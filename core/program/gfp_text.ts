/**
 * `gfp_t` values as text: flag names joined by `|`.
 *
 * @module
 */
import { GFP_FLAGS } from "../memory/gfp.ts";

const FLAGS: readonly (readonly [name: string, bits: number])[] = Object.entries(GFP_FLAGS);
const ALL_BITS = FLAGS.reduce((all, [, bits]) => all | bits, 0);

/** Names of every flag, for suggestions. */
export const GFP_NAMES: readonly string[] = FLAGS.map(([name]) => name);

/** The bits of one flag name, or of a number (`0`, `0x40`); undefined where it is neither. */
export function gfpBits(word: string): number | undefined {
  if (Object.hasOwn(GFP_FLAGS, word)) return GFP_FLAGS[word];
  if (!/^(?:0|0x[0-9a-f]{1,8})$/i.test(word)) return undefined;
  const bits = Number(word);
  return (bits & ~ALL_BITS) === 0 && bits <= ALL_BITS ? bits : undefined;
}

/**
 * A `gfp_t` with the fewest names, in the order of `GFP_FLAGS`. Bits that no
 * name covers, which only a generator makes, follow as a number.
 */
export function printGfp(bits: number): string {
  const within = FLAGS.filter(([, flag]) => (flag & ~bits) === 0);
  const named = within.reduce((all, [, flag]) => all | flag, 0);
  const left = bits & ~named;
  const names = left === 0 ? [] : [`0x${(left >>> 0).toString(16)}`];
  for (let size = 0; size <= within.length; size++) {
    const found = cover(named, size, within);
    if (found !== undefined) return [...found, ...names].join("|") || "0";
  }
  throw new Error(`the flags within ${bits} do not cover ${named}`);
}

/** The first set of so many flags that has exactly these bits, in the order of the table. */
function cover(bits: number, size: number, flags: typeof FLAGS): string[] | undefined {
  if (size === 0) return bits === 0 ? [] : undefined;
  for (let i = 0; i < flags.length; i++) {
    const [name, flag] = flags[i] as readonly [string, number];
    if ((flag & bits) === 0) continue;
    const rest = cover(bits & ~flag, size - 1, flags.slice(i + 1));
    if (rest !== undefined) return [name, ...rest];
  }
  return undefined;
}
