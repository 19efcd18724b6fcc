/**
 * What goes on while people wait: one line that is drawn over on a terminal. To
 * what is no terminal a line goes whenever the work is another, and none of how
 * far it is.
 *
 * @module
 */
import { countLine, INTERVAL } from "../progress.ts";
import type { Io } from "./work.ts";

/** A line of status. */
export interface StatusLine {
  /** Says what goes on. */
  show(text: string): void;
  /** So much is done of so much. Where it answers a promise, others get a turn meanwhile. */
  progress(done: number, total: number, what: string): Promise<void> | undefined;
  /** Takes it away, before something else is printed. */
  clear(): void;
}

/** A line of status on standard error. */
export function statusLine(io: Io): StatusLine {
  let shown = "";
  let drawn = -Infinity;
  let turn = 0;
  let of = "";
  let began = 0;
  const draw = (text: string): void => {
    io.err(`\r${text.slice(0, io.columns - 1)}\x1b[K`);
    shown = text;
  };
  return {
    show(text) {
      const kind = text.replace(/[\d_]+/g, "");
      if (io.terminal) draw(text);
      else if (kind !== shown) io.err(`${text}\n`);
      if (!io.terminal) shown = kind;
    },
    progress(done, total, what) {
      const now = performance.now();
      if (of !== `${total} ${what}`) {
        of = `${total} ${what}`;
        began = now;
        drawn = -Infinity;
      }
      if (io.terminal && (now - drawn >= INTERVAL || shown === "")) {
        draw(countLine(done, total, what, now - began, io.columns));
        drawn = now;
      }
      if (now - turn < INTERVAL / 2) return undefined;
      turn = now;
      return new Promise((resolve) => setTimeout(resolve, 0));
    },
    clear() {
      if (io.terminal && shown !== "") io.err("\r\x1b[K");
      shown = "";
    },
  };
}
