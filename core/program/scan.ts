/**
 * Reads one line of a program from left to right, and knows where it is.
 *
 * @module
 */
import { InputError, quote } from "./input_error.ts";
import type { Where } from "./input_error.ts";

const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const TOKEN = /[^\s#]+/y;
const SPACE = /[ \t\r]*/y;
const OPERAND = /[^,()#]*/y;
const INTEGER = /^(?:0[xX][0-9a-fA-F]+|0|[1-9][0-9]*)$/;

/** The number that a text writes, decimal or hexadecimal; undefined where it is none. */
export function integer(text: string): number | undefined {
  return INTEGER.test(text) ? Number(text) : undefined;
}

/** One line being read. */
export class Scanner {
  /** Where the next character is, from 0. */
  pos = 0;

  /**
   * Stands at the line's first character.
   *
   * @param text the line
   * @param place the place of a column of it, from 1
   * @param subject what the line is a part of (`[free.x]`), or empty
   */
  constructor(
    readonly text: string,
    private readonly place: (column: number) => Where,
    readonly subject: string = "",
  ) {}

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.pos;
    const found = pattern.exec(this.text)?.[0] ?? "";
    this.pos += found.length;
    return found;
  }

  /** Column of the next character that is no space, from 1. */
  column(): number {
    this.#match(SPACE);
    return this.pos + 1;
  }

  /** Whether only a comment, or nothing, is left. */
  done(): boolean {
    const at = this.column() - 1;
    return at >= this.text.length || this.text[at] === "#";
  }

  /** The next word (a name), or empty. */
  word(): string {
    this.#match(SPACE);
    return this.#match(WORD);
  }

  /** What stands up to the next space, or empty. */
  token(): string {
    return this.done() ? "" : this.#match(TOKEN);
  }

  /** What stands up to the next comma or parenthesis, without the spaces at its end. */
  operand(): string {
    this.#match(SPACE);
    return this.#match(OPERAND).trimEnd();
  }

  /** Whether this text comes next; if so it is passed over. */
  eat(text: string): boolean {
    this.#match(SPACE);
    if (!this.text.startsWith(text, this.pos)) return false;
    this.pos += text.length;
    return true;
  }

  /** Everything that is left. */
  rest(): string {
    return this.text.slice(this.pos);
  }

  /** What comes next, for a message; it is not passed over. */
  next(): string {
    if (this.done()) return "the line ends";
    const { pos } = this;
    const token = this.token();
    this.pos = pos;
    return `${quote(token)} stands`;
  }

  /** Refuses what is left, if anything is. */
  end(after: string): void {
    if (!this.done()) this.fail(`nothing may follow ${after}, and ${quote(this.token())} does`, this.pos + 1);
  }

  /** The next token as a number within bounds. */
  number(what: string, min: number, max: number): number {
    const column = this.column();
    this.#match(SPACE);
    const text = this.#match(/[^\s#(),:]+/y);
    const value = integer(text);
    if (value === undefined || value < min || value > max) {
      const given = text === "" ? "is missing" : `is ${quote(text)}`;
      this.fail(`${what} ${given}; it must be a whole number from ${min} to ${max}`, column);
    }
    return value;
  }

  /** Throws the sentence at a column, by default where the next thing stands. */
  fail(sentence: string, column: number = this.column()): never {
    throw new InputError(this.subject === "" ? sentence : `${this.subject}: ${sentence}`, this.place(column));
  }

  /** Throws a sentence whose subject is the line's, or this one where it has none. */
  failAs(subject: string, predicate: string, column: number): never {
    throw new InputError(`${this.subject === "" ? subject : this.subject} ${predicate}`, this.place(column));
  }
}
