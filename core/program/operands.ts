/**
 * Operands of a call: a name, a name and a page offset, NULL, a number, flags.
 *
 * @module
 */
import { didYouMean, notOneOf } from "./did_you_mean.ts";
import { type CallDef, type Kind, type Param, wordsOf } from "./calls.ts";
import { GFP_NAMES, gfpBits } from "./gfp_text.ts";
import { quote } from "./input_error.ts";
import { MAX_OFFSET, MAX_PAGES } from "./program.ts";
import type { Slot } from "./program.ts";
import { integer } from "./scan.ts";
import type { Scanner } from "./scan.ts";

/** An operand as the flat form holds it. */
export interface Operand {
  /** A slot, or a number. */
  readonly value: number;
  /** Whether it is a slot. */
  readonly isSlot: boolean;
  /** Pages added to a slot's value. */
  readonly offset: number;
}

/** What the operands of a line may refer to. */
export interface Names {
  /** Every slot. */
  readonly slots: readonly Slot[];
  /** The slot of each name that a line above defines. */
  readonly byName: ReadonlyMap<string, number>;
  /** The largest order that may be written. */
  readonly maxOrder: number;
}

/** The largest order of a program: more than any kernel has, so that "too large" can be tried. */
export const MAX_ORDER_OPERAND = 31;
/** The largest size in bytes. */
export const MAX_BYTES: number = 2 ** 26;
/** The largest address of a mapping. */
export const MAX_ADDRESS: number = 2 ** 31 - 1;
/** NULL of every kind. */
export const NULL_OPERAND: number = -1;

/** Kinds whose values are pages in a row. */
const OFFSET_KINDS: ReadonlySet<Kind> = new Set(["page", "folio", "ptdesc", "virt"]);

type NumberType = "order" | "count" | "bytes" | "address";

function bounds(type: NumberType, maxOrder: number): readonly [min: number, max: number] {
  return { order: [0, maxOrder], count: [1, MAX_PAGES], bytes: [1, MAX_BYTES], address: [0, MAX_ADDRESS] }[type] as [
    number,
    number,
  ];
}

function isNumberType(type: string): type is NumberType {
  return type === "order" || type === "count" || type === "bytes" || type === "address";
}

/** `a page`, `an order`. */
function article(kind: string): string {
  if (kind === "bytes") return "a size in bytes";
  return `${/^[aio]/.test(kind) ? "an" : "a"} ${kind}`;
}

/** `put_page wants a page as 'page'`. */
function wants(call: CallDef, param: Param): string {
  return `${call.name} wants ${param.type === "void*" ? "a pointer" : article(param.type)} as '${param.name}'`;
}

/** Reads one operand; the scanner stands at it. */
export function parseOperand(scan: Scanner, names: Names, call: CallDef, param: Param): Operand {
  const column = scan.column();
  const text = scan.operand();
  if (text === "") scan.fail(`${wants(call, param)}, and nothing stands there`, column);
  if (param.type === "gfp") return { value: parseGfp(scan, text, column), isSlot: false, offset: 0 };
  const words = wordsOf(param.type);
  if (words !== undefined) return parseWord(scan, call, param, words, text, column);
  if (isNumberType(param.type)) return parseNumber(scan, names, call, param, param.type, text, column);
  if (text === "NULL") return { value: NULL_OPERAND, isSlot: false, offset: 0 };
  return parseValue(scan, names, call, param, text, column);
}

function parseGfp(scan: Scanner, text: string, column: number): number {
  let bits = 0;
  for (const part of text.split("|")) {
    const word = part.trim();
    const flag = gfpBits(word);
    if (flag === undefined) {
      const near = didYouMean(word, GFP_NAMES);
      scan.fail(`${quote(word)} is not a gfp flag${near === "" ? ", such as GFP_KERNEL|__GFP_ZERO" : near}`, column);
    }
    bits |= flag;
  }
  return bits;
}

function parseWord(
  scan: Scanner,
  call: CallDef,
  param: Param,
  words: readonly string[],
  text: string,
  column: number,
): Operand {
  const value = words.indexOf(text);
  const what = param.type === "how"
    ? `a way in which ${call.name} clears an entry`
    : `a '${param.name}' of ${call.name}`;
  if (value < 0) scan.fail(notOneOf(text, what, words), column);
  return { value, isSlot: false, offset: 0 };
}

function parseNumber(
  scan: Scanner,
  names: Names,
  call: CallDef,
  param: Param,
  type: NumberType,
  text: string,
  column: number,
): Operand {
  const [min, max] = bounds(type, names.maxOrder);
  const slot = names.byName.get(text);
  if (slot !== undefined) {
    const { kind } = names.slots[slot] as Slot;
    if (kind !== "int") scan.fail(`${wants(call, param)}, and ${quote(text)} is ${article(kind)}`, column);
    return { value: slot, isSlot: true, offset: 0 };
  }
  const value = integer(text);
  if (value !== undefined && value >= min && value <= max) return { value, isSlot: false, offset: 0 };
  if (value !== undefined) scan.fail(`${wants(call, param)} from ${min} to ${max}, and ${text} is not one`, column);
  scan.fail(
    `${wants(call, param)}, and ${quote(text)} is neither a whole number from ${min} to ${max} ` +
      "nor a name that a line above defines",
    column,
  );
}

function parseValue(
  scan: Scanner,
  names: Names,
  call: CallDef,
  param: Param,
  text: string,
  column: number,
): Operand {
  const [, name, plus] = /^([A-Za-z_][A-Za-z0-9_]*)\s*(?:\+\s*(\S*))?$/.exec(text) ?? [];
  if (name === undefined) {
    scan.fail(`${wants(call, param)}, and ${quote(text)} is neither NULL, NAME nor NAME+PAGES`, column);
  }
  const value = names.byName.get(name);
  if (value === undefined) {
    const near = didYouMean(name, [...names.byName.keys()]);
    scan.failAs(call.name, `uses ${quote(name)}, which no line above defines${near}`, column);
  }
  const slot = names.slots[value] as Slot;
  if (param.type !== "void*" && slot.kind !== param.type) {
    scan.fail(`${wants(call, param)}, and ${quote(name)} is ${article(slot.kind)}`, column);
  }
  if (slot.isConst && !param.isConst && slot.kind !== "int") {
    scan.fail(`${wants(call, param)} that is not const, and ${quote(name)} is const`, column);
  }
  return { value, isSlot: true, offset: plus === undefined ? 0 : parseOffset(scan, slot, plus, column) };
}

function parseOffset(scan: Scanner, slot: Slot, text: string, column: number): number {
  if (!OFFSET_KINDS.has(slot.kind)) {
    scan.fail(
      `${quote(slot.name)} is ${article(slot.kind)}, and only a page, folio, ptdesc or virt has pages to add`,
      column,
    );
  }
  const offset = integer(text);
  if (offset === undefined || offset > MAX_OFFSET) {
    scan.fail(`${quote(`${slot.name}+${text}`)} must add a whole number of pages from 0 to ${MAX_OFFSET}`, column);
  }
  return offset;
}
