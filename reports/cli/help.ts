/**
 * What `--help` says besides the options.
 *
 * @module
 */
import { INVARIANTS } from "../../core/ledger/invariants.ts";
import { wrap } from "../text.ts";

/** Columns of help. */
export const HELP_WIDTH = 80;

/** Exit statuses, with what they say. */
export const EXIT_STATUSES: readonly (readonly [status: number, words: string])[] = [
  [0, "as expected"],
  [1, "findings that were not expected, or expected ones missing; sources: a discipline is outgrown"],
  [2, "the input is wrong; one sentence says what, where, and what would be right"],
  [70, "a fault of ptfuzz itself: please report it"],
  [130, "stopped by Ctrl-C"],
];

/** Terms and what they mean in two columns. */
function definitions(title: string, rows: readonly (readonly [term: string, words: string])[]): string {
  const column = Math.max(...rows.map(([term]) => term.length)) + 4;
  const lines = rows.flatMap(([term, words]) =>
    wrap(words, HELP_WIDTH - column).map((line, i) => `  ${i === 0 ? term : ""}`.padEnd(column) + line)
  );
  return [title, ...lines].join("\n");
}

/** How to record, for `trace --help`. */
export const TRACE_HELP: string = wrap(
  "Record with scripts/record.sh (see docs/recording.md): the events kmem:mm_page_alloc and kmem:mm_page_free " +
    "with stack traces, all orders. What may be a gap in the recording is counted as uncertain, and is no finding.",
  HELP_WIDTH,
).join("\n");

/** The exit statuses, for `--help`. */
export function exitStatusHelp(): string {
  return "\n" + definitions("Exit status:", EXIT_STATUSES.map(([status, words]) => [String(status), words]));
}

/** The invariants, from their table, for `--help`. */
export function invariantsHelp(): string {
  return "\n" + definitions("Invariants, checked after every step:", INVARIANTS.map((i) => [i.id, i.statement]));
}
