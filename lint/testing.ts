/**
 * Runs one rule of the plugin over a source text.
 *
 * @module
 */
import plugin from "./mod.ts";

/** What the rule says about a file with this source: its messages, in order. */
export function lint(rule: string, file: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, file, source)
    .filter((diagnostic) => diagnostic.id === `ptfuzz/${rule}`)
    .toSorted((a, b) => a.range[0] - b.range[0])
    .map((diagnostic) => diagnostic.message);
}
