/**
 * How often each call ran with right and with wrong arguments, by kernel: what
 * hostile mode has to show for itself.
 *
 * @module
 */
import type { Result } from "../corpus/result.ts";
import { padEnd } from "./text.ts";

/** A number in at most five letters. */
export function short(n: number): string {
  if (n < 10_000) return String(n);
  if (n < 10_000_000) return `${Math.floor(n / 1000)}k`;
  return `${Math.floor(n / 1_000_000)}M`;
}

/** A table: a row a call, for each kernel right and wrong. */
export function callCountLines(result: Result, width: number): string[] {
  const kernels = [...new Set(result.calls.map((c) => c.kernel))];
  const calls = [...new Set(result.calls.map((c) => c.call))];
  const counts = new Map(result.calls.map((c) => [`${c.kernel} ${c.call}`, `${short(c.right)}/${short(c.wrong)}`]));
  const column = Math.max(11, ...kernels.map((k) => k.length));
  const label = Math.max(...calls.map((c) => c.length));
  const fit = Math.max(1, Math.floor((width - label) / (column + 1)));
  const lines: string[] = [];
  for (let at = 0; at < kernels.length; at += fit) {
    const part = kernels.slice(at, at + fit);
    lines.push(" ".repeat(label) + part.map((k) => " " + k.padStart(column)).join(""));
    for (const call of calls) {
      const cells = part.map((k) => " " + (counts.get(`${k} ${call}`) ?? "-").padStart(column));
      if (cells.some((c) => c.trim() !== "-")) lines.push(padEnd(call, label) + cells.join(""));
    }
    lines.push("");
  }
  return lines;
}
