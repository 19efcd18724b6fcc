/**
 * What goes on while people wait: one line that is drawn over on a terminal, and
 * elsewhere a line whenever the work is another.
 *
 * @module
 */
import type { Io } from "./work.ts";

/** A line of status. */
export interface StatusLine {
  show(text: string): void;
  /** Takes it away, before something else is printed. */
  clear(): void;
}

/** A line of status on standard error. */
export function statusLine(io: Io): StatusLine {
  let shown = "";
  return {
    show(text) {
      const kind = text.replace(/[\d_]+/g, "");
      if (io.terminal) io.err(`\r${text.slice(0, io.columns - 1)}\x1b[K`);
      else if (kind !== shown) io.err(`${text}\n`);
      shown = kind;
    },
    clear() {
      if (io.terminal && shown !== "") io.err("\r\x1b[K");
      shown = "";
    },
  };
}
