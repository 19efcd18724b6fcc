/**
 * Kinds: as numbers for the executor, and as letters for whoever makes up names.
 *
 * @module
 */
import { type CallDef, CALLS, type Kind, type ParamType } from "./calls.ts";

/** Kinds by index. */
export const KINDS: readonly Kind[] = ["page", "folio", "ptdesc", "virt", "mm", "gather", "walker", "int"];
/** Letter that the names of a kind begin with where nobody chose them. */
export const KIND_LETTERS: Readonly<Record<Kind, string>> = {
  page: "p",
  folio: "f",
  ptdesc: "d",
  virt: "a",
  mm: "m",
  gather: "g",
  walker: "w",
  int: "n",
};

/** Index of a kind. */
export function kindIndex(kind: Kind): number {
  return KINDS.indexOf(kind);
}

/** Index of `page`. */
export const KIND_PAGE: number = kindIndex("page");
/** Index of `virt`. */
export const KIND_VIRT: number = kindIndex("virt");
/** Index of `walker`. */
export const KIND_WALKER: number = kindIndex("walker");
/** Index of `ptdesc`: kinds up to this one are names for a struct page. */
export const KIND_PTDESC: number = kindIndex("ptdesc");

/** An operand that is a number. */
export const CLASS_NUMBER = 0;
/** A page, folio or descriptor: a pfn. */
export const CLASS_PAGE = 1;
/** An address. */
export const CLASS_VIRT = 2;
/** A pointer of any kind. */
export const CLASS_ANY = 3;
/** An mm or a gather. */
export const CLASS_HANDLE = 4;

/** What an operand is to the executor. */
export function classOf(type: ParamType): number {
  switch (type) {
    case "page":
    case "folio":
    case "ptdesc":
      return CLASS_PAGE;
    case "virt":
      return CLASS_VIRT;
    case "void*":
      return CLASS_ANY;
    case "mm":
    case "gather":
    case "walker":
      return CLASS_HANDLE;
    default:
      return CLASS_NUMBER;
  }
}

/** Takes nothing through `void *`, or takes any kind. */
export const VOID_NONE = 0;
/** Operand a must be an address. */
export const VOID_ADDRESS = 1;
/** Operand b must be what the architecture's tables are queued as. */
export const VOID_TABLE = 2;
/** Operand a must point at memory, as a page, folio, descriptor or address. */
export const VOID_MEMORY = 3;

/** Operand b must be a pgtable_t: a page, or where several tables share one an address. */
export const VOID_PGTABLE = 4;

/** Calls beside the environment's that find memory by any pointer to it. */
const ANY_MEMORY: ReadonlySet<string> = new Set(["populate", "unlink"]);

/** What a call expects behind its `void *`. */
export function voidRule(call: CallDef): number {
  if (call.env || ANY_MEMORY.has(call.name)) return call.params[0]?.type === "void*" ? VOID_MEMORY : VOID_NONE;
  if (call.params[0]?.type === "void*") return VOID_ADDRESS;
  if (call.params[1]?.name === "pgtable" && call.params[1].type === "void*") return VOID_PGTABLE;
  return call.params[1]?.type === "void*" ? VOID_TABLE : VOID_NONE;
}

/** Operand a is a block of 2^b pages. */
export const SPAN_ORDER = 1;
/** Operand a is a block of b pages. */
export const SPAN_COUNT = 2;
/** Operand a is a block of b bytes. */
export const SPAN_BYTES = 3;

/** How far a call reaches from its first operand: a SPAN_* code, or 0 for one page. */
export function spanRule(call: CallDef): number {
  const [first, second] = call.params;
  if (first === undefined || second === undefined || classOf(first.type) === CLASS_NUMBER) return 0;
  if (classOf(first.type) === CLASS_HANDLE) return 0;
  if (second.type === "order") return SPAN_ORDER;
  if (second.type === "count") return SPAN_COUNT;
  return second.type === "bytes" ? SPAN_BYTES : 0;
}

/** Operand a, b, c is there and may not be NULL: a line without it is skipped. */
export const NEEDS_A = 1;
/** As {@linkcode NEEDS_A}, for b. */
export const NEEDS_B = 2;
/** As {@linkcode NEEDS_A}, for c. */
export const NEEDS_C = 4;
/** Operand a points at memory. */
export const POINTER_A = 8;
/** Operand b points at memory. */
export const POINTER_B = 16;
/** Something goes through `void *`: see {@linkcode VOID_RULES}. */
export const HAS_VOID = 32;
/** It reaches further than one page: see {@linkcode SPAN_RULES}. */
export const HAS_SPAN = 64;
/** It answers a pointer at memory. */
export const ANSWERS_POINTER = 128;
/** The environment does it only where it can: the ledger is asked first. */
export const ASKS_FIRST = 256;
/** Operand c points at memory: as a page, nothing else occurs. */
export const POINTER_C = 512;

/** Whether values of a type point at memory: pages in a row. */
export function isPointer(type: ParamType | "void" | undefined): boolean {
  if (type === undefined || type === "void") return false;
  const c = classOf(type);
  return c !== CLASS_NUMBER && c !== CLASS_HANDLE;
}

function traitsOf(call: CallDef): number {
  let traits = 0;
  call.params.forEach((p, i) => {
    if (!p.nullable) traits |= NEEDS_A << i;
  });
  if (isPointer(call.params[0]?.type)) traits |= POINTER_A;
  if (isPointer(call.params[1]?.type)) traits |= POINTER_B;
  if (isPointer(call.params[2]?.type)) traits |= POINTER_C;
  if (voidRule(call) !== VOID_NONE) traits |= HAS_VOID;
  if (spanRule(call) !== 0) traits |= HAS_SPAN;
  if (isPointer(call.result)) traits |= ANSWERS_POINTER;
  if (call.env && (call.name === "put_page" || [call.result, call.params[0]?.type].includes("walker"))) {
    traits |= ASKS_FIRST;
  }
  return traits;
}

/** What the executor has to look at, by opcode: the bits above. */
export const TRAITS: Uint16Array = Uint16Array.from(CALLS, traitsOf);
/** `void *` rules, by opcode. */
export const VOID_RULES: Uint8Array = Uint8Array.from(CALLS, voidRule);
/** Span rules, by opcode. */
export const SPAN_RULES: Uint8Array = Uint8Array.from(CALLS, spanRule);
