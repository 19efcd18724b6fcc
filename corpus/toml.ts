/**
 * TOML with places: values are read by name and type, and whatever is wrong
 * with one is a sentence that says where it stands.
 *
 * The parser (smol-toml) tells no lines once it is done, so these are looked up
 * in the text; where a file is written in a way that this does not see, a
 * message names the file and the key only.
 *
 * @module
 */
import { parse, TomlError } from "smol-toml";
import { notOneOf } from "../core/program/did_you_mean.ts";
import { InputError, quote } from "../core/program/input_error.ts";
import type { Where } from "../core/program/input_error.ts";

type Values = Readonly<Record<string, unknown>>;

function isTable(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** Reads a whole file. */
export function parseToml(text: string, file: string): TomlTable {
  try {
    return new TomlTable(file, text.split(/\r?\n/), "", parse(text));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const sentence = (error.message.split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "");
    throw new InputError(`this is not TOML: ${sentence}`, { file, line: error.line, column: error.column });
  }
}

/** The table name of a header line (`[free."a b"]` is `free.a b`), or undefined. */
function headerOf(line: string): string | undefined {
  const inner = /^\s*\[\[?(.*?)\]\]?\s*(?:#.*)?$/.exec(line)?.[1];
  return inner?.split(".").map((part) => part.trim().replace(/^(["'])(.*)\1$/, "$2")).join(".");
}

/** One table of a file. */
export class TomlTable {
  /**
   * Usually made by {@linkcode parseToml} and the methods below.
   *
   * @param file the file, for messages
   * @param lines its lines
   * @param name the table's name with its parents' (`free.vm-destroy`), empty for the file itself
   * @param values what stands in it
   * @param index which of a list of tables of that name, from 0
   */
  constructor(
    readonly file: string,
    private readonly lines: readonly string[],
    readonly name: string,
    private readonly values: Values,
    private readonly index?: number,
  ) {}

  /** Index of the table's header, -1 for the file itself, undefined where none is seen. */
  #header(): number | undefined {
    if (this.name === "") return -1;
    let left = this.index ?? 0;
    const found = this.lines.findIndex((line) => headerOf(line) === this.name && left-- === 0);
    return found < 0 ? undefined : found;
  }

  /** Index of the line where a key stands, undefined where none is seen. */
  #lineOf(key: string): number | undefined {
    const header = this.#header();
    if (header === undefined) return undefined;
    for (let i = header + 1; i < this.lines.length; i++) {
      const line = this.lines[i] ?? "";
      if (headerOf(line) !== undefined) return undefined;
      const written = /^\s*(["']?)([^"'=]*?)\1\s*=/.exec(line)?.[2];
      if (written === key) return i;
    }
    return undefined;
  }

  /** Where a key stands, or the table. */
  where(key?: string): Where {
    const line = (key === undefined ? undefined : this.#lineOf(key)) ?? this.#header();
    return line === undefined || line < 0 ? { file: this.file } : { file: this.file, line: line + 1 };
  }

  /** The table as the file writes it: `[free.x]`, `[[expect]]`. */
  title(): string {
    return this.index === undefined ? `[${this.name}]` : `[[${this.name}]]`;
  }

  /** `[free.x].run`, `'name'`. */
  label(key: string): string {
    return this.name === "" ? quote(key) : `${this.title()}.${key}`;
  }

  /** Throws a sentence at a key. */
  fail(sentence: string, key?: string): never {
    throw new InputError(sentence, this.where(key));
  }

  #wrong(key: string, wanted: string): never {
    this.fail(`${this.label(key)} must be ${wanted}`, key);
  }

  /** Keys of the table, in the order of the file. */
  keys(): string[] {
    return Object.keys(this.values);
  }

  /** Whether a key is there. */
  has(key: string): boolean {
    return Object.hasOwn(this.values, key);
  }

  /** Whether a key is there and is a text. */
  isText(key: string): boolean {
    return typeof this.#get(key) === "string";
  }

  #get(key: string): unknown {
    return this.has(key) ? this.values[key] : undefined;
  }

  /** Refuses keys that are none of these. */
  only(keys: readonly string[], what: string): void {
    for (const key of this.keys()) {
      if (!keys.includes(key)) this.fail(notOneOf(key, `a key of ${what}`, keys), key);
    }
  }

  /** A text that must be there and not be empty. */
  text(key: string, example: string): string {
    const value = this.#get(key);
    if (typeof value !== "string" || value.trim() === "") this.#wrong(key, `a text, such as ${example}`);
    return value;
  }

  /** `true` or `false`; default `false`. */
  flag(key: string): boolean {
    const value = this.#get(key);
    if (value === undefined) return false;
    if (typeof value !== "boolean") this.#wrong(key, "true or false");
    return value;
  }

  /** A number, if there is one. */
  number(key: string, wanted: string, ok: (value: number) => boolean): number | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !ok(value)) this.#wrong(key, wanted);
    return value;
  }

  /** A list of texts; default empty. */
  texts(key: string): string[] {
    const value = this.#get(key);
    if (value === undefined) return [];
    if (!Array.isArray(value) || !value.every((v) => typeof v === "string")) this.#wrong(key, "a list of texts");
    return [...value];
  }

  /** A list of names out of some, each once; default empty. */
  names(key: string, what: string, ok: (name: string) => boolean, candidates: readonly string[]): string[] {
    const names = this.texts(key);
    names.forEach((name, i) => {
      if (!ok(name)) this.fail(`in ${this.label(key)}, ${notOneOf(name, what, candidates)}`, key);
      if (names.indexOf(name) !== i) this.fail(`${this.label(key)} names '${name}' twice`, key);
    });
    return names;
  }

  #child(key: string): string {
    return this.name === "" ? key : `${this.name}.${key}`;
  }

  /** A table, if there is one. */
  table(key: string): TomlTable | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    if (!isTable(value)) this.#wrong(key, `a table: [${this.#child(key)}]`);
    return new TomlTable(this.file, this.lines, this.#child(key), value);
  }

  /** A list of tables; default empty. */
  tables(key: string): TomlTable[] {
    const value = this.#get(key);
    if (value === undefined) return [];
    if (!Array.isArray(value) || !value.every(isTable)) this.#wrong(key, `a list of tables: [[${this.#child(key)}]]`);
    return value.map((v: Values, i: number) => new TomlTable(this.file, this.lines, this.#child(key), v, i));
  }

  /** Where a line and column of a text of several lines stand in the file; looked up when asked. */
  placeIn(key: string): (line: number, column: number) => Where {
    return (line, column) => {
      const at = this.#lineOf(key);
      const written = this.#get(key);
      if (at === undefined || typeof written !== "string") return this.where(key);
      const first = /=\s*(?:'''|""")\s*$/.test(this.lines[at] ?? "") ? at + 1 : at;
      const index = first + line - 1;
      const offset = (this.lines[index] ?? "").indexOf(written.split(/\r?\n/)[line - 1] ?? "");
      return offset < 0 ? this.where(key) : { file: this.file, line: index + 1, column: offset + column };
    };
  }
}
