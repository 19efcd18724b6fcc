/**
 * Masks of flag bits from an `enum pageflags`.
 *
 * @module
 */

/** The bit of a flag in an enum written as a list of names. */
export function bitOf(flags: readonly string[], name: string): number {
  const i = flags.indexOf(name);
  if (i < 0) throw new Error(`no page flag '${name}'; there are ${flags.join(", ")}`);
  return 1 << i;
}

/** The bits of several flags. */
export function bitsOf(flags: readonly string[], ...names: string[]): number {
  return names.reduce((mask, name) => mask | bitOf(flags, name), 0);
}
