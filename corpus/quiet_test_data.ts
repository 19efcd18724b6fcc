/**
 * Hooks of long work for tests: they take the lines that it prints, and nobody
 * is told how far it is.
 *
 * @module
 */
import type { WorkHooks } from "./request.ts";

/** Hooks that keep the lines, or drop them. */
export function quiet(
  print: (line: string) => void = () => {},
  signal: AbortSignal = new AbortController().signal,
): WorkHooks {
  return { print, progress: () => undefined, signal };
}
