/**
 * What ptfuzz throws when its input is wrong. The command line prints the
 * message, which is one sentence, and exits with status 2; nothing else that is
 * thrown is the user's fault.
 *
 * @module
 */

/** A place in a file; lines and columns count from 1. */
export interface Where {
  /** The file as the user named it. */
  readonly file: string;
  /** Line, where it is known. */
  readonly line?: number;
  /** Column, where it is known. */
  readonly column?: number;
}

/**
 * Wrong input. The message says where, what, and what would be right:
 *
 *     crst.pt:4:1: 'ptdesc_fre' is not a call of kernel v2; did you mean 'ptdesc_free'?
 */
export class InputError extends Error {
  /** The kind of error, as stack traces show it. */
  override readonly name = "InputError";
  /** Where it is, if it is anywhere. */
  readonly where: Where | undefined;

  /**
   * Makes the message of a sentence and a place.
   *
   * @param sentence what is wrong and what would be right, without a place
   * @param where the place, which is printed before it
   */
  constructor(sentence: string, where?: Where) {
    super(where === undefined ? oneLine(sentence) : `${formatWhere(where)}: ${oneLine(sentence)}`);
    this.where = where;
  }
}

/** `FILE:LINE:COLUMN`, as much of it as is known. */
export function formatWhere(where: Where): string {
  const { file, line, column } = where;
  return [oneLine(file), line, line === undefined ? undefined : column].filter((part) => part !== undefined).join(":");
}

/** The longest piece of the input that a message repeats. */
const QUOTED = 60;

/** A piece of the input as a message shows it: in quotes, on one line, and not longer than a line. */
export function quote(text: string): string {
  const shown = text.length > QUOTED ? `${text.slice(0, QUOTED)}...` : text;
  return `'${oneLine(shown)}'`;
}

/** Control characters would break the one line, or the terminal. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
