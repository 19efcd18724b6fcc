/**
 * Text for people: control characters made visible, widths, cutting, wrapping.
 *
 * Names of disciplines, paths and comments are anyone's text. What reaches a
 * terminal goes through {@linkcode visible}, so that an escape sequence in a
 * name is read and not obeyed.
 *
 * @module
 */
import { grouped } from "../corpus/grouped.ts";

export { grouped };

/** Controls, formats (bidi overrides, zero widths), line separators and halves of surrogate pairs. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const MARK = /^\p{M}$/u;
const WIDE =
  /^[\p{sc=Han}\p{sc=Hangul}\p{sc=Hira}\p{sc=Kana}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]$/u;

/**
 * The text on one line with nothing in it that a terminal would obey: a line
 * feed is shown as `\n`, ESC as `\x1b`, a bidi override as `\u{202e}`.
 */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (char) => {
    if (char === "\n") return "\\n";
    const code = char.codePointAt(0) as number;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** The lines of a text, each {@linkcode visible}; tabs become spaces, trailing empty lines go. */
export function visibleLines(text: string): string[] {
  return text.trimEnd().split(/\r?\n/).map((line) => visible(line.replaceAll("\t", "    ")));
}

/** Columns that a terminal needs for a text without control characters. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const char of text) width += charWidth(char);
  return width;
}

function charWidth(char: string): number {
  if (char < "\u0300") return 1;
  return MARK.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
}

/** The longest beginning of a text that fits into so many columns. */
function beginning(chars: readonly string[], width: number): string {
  let used = 0;
  let text = "";
  for (const char of chars) {
    used += charWidth(char);
    if (used > width) break;
    text += char;
  }
  return text;
}

/**
 * The text itself where it fits, else its two ends around an ellipsis: names
 * differ at their ends (`s390/crst ... half-converted`).
 */
export function cutMiddle(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  const chars = [...text];
  const head = beginning(chars, Math.ceil((width - 1) / 2));
  const tail = beginning(chars.toReversed(), Math.floor((width - 1) / 2));
  return `${head}…${[...tail].toReversed().join("")}`;
}

/** The text followed by spaces up to a width. */
export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

/**
 * The text broken at spaces into lines of at most so many columns; a word that
 * is longer than a line is broken where the line ends.
 */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (let word of text.split(" ")) {
    if (line !== "" && displayWidth(line) + 1 + displayWidth(word) > width) {
      lines.push(line);
      line = "";
    }
    while (displayWidth(word) > width) {
      if (line !== "") lines.push(line);
      line = "";
      const part = beginning([...word], width);
      lines.push(part);
      word = word.slice(part.length);
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** A line as it is where it fits; else broken at spaces, with what goes on indented below its beginning. */
export function folded(line: string, width: number): string[] {
  if (displayWidth(line) <= width) return [line];
  const indent = /^ */.exec(line)![0];
  const [first = "", ...rest] = wrap(line.slice(indent.length), width - indent.length - 2);
  return [indent + first, ...rest.map((l) => `${indent}  ${l}`)];
}

/** `1 page`, `3 pages`. */
export function count(n: number, noun: string): string {
  return `${grouped(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(items: readonly string[], word = "and"): string {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join(", ")} ${word} ${items.at(-1)}`;
}
