/**
 * What the tests of the kernel functions share: a machine, the check that a
 * call ends in, and a machine's free lists as text.
 *
 * @module
 */
import { AREA_NR, areaWord, NR_ORDERS, Z_FREE } from "../memory/mem_map.ts";
import { EVENT_WORDS } from "../memory/events.ts";
import { PAGE_WORDS_SHIFT, W_COMPOUND_HEAD, W_FLAGS, W_PRIVATE, W_REFCOUNT, W_TYPE } from "../memory/words.ts";
import { CHECKS } from "./checks.ts";
import { createKernel } from "./create.ts";
import { type Kernel, KernelBug, type KernelFunctions } from "./kernel.ts";

/** A machine of 16 pages, or as many as said. */
export function machine(
  name: string,
  config: readonly string[] = [],
  pages = 16,
  arch = "generic",
  overrides: Partial<KernelFunctions> = {},
): Kernel {
  return createKernel(name, { arch, config, pages }, overrides);
}

/** The check that the call ends in, or "ok". */
export function outcome(k: Kernel, call: () => void): string {
  try {
    call();
  } catch (e) {
    if (!(e instanceof KernelBug)) throw e;
    return `${CHECKS[k.bugCheck]?.fn}: ${CHECKS[k.bugCheck]?.text}`;
  }
  return "ok";
}

/** Events of one code since `nEvents` was 0, as [a, b, c]. */
export function events(k: Kernel, code: number): number[][] {
  const found: number[][] = [];
  for (let i = 0; i < k.nEvents; i++) {
    const e = k.events.subarray(i * EVENT_WORDS, (i + 1) * EVENT_WORDS);
    if (e[0] === code) found.push([e[1], e[2], e[3]] as number[]);
  }
  return found;
}

/** The free lists of a zone, each from its head: `1:2,6 3:8`. */
export function freeLists(k: Kernel, zone = k.lowZone): string {
  const text: string[] = [];
  for (let order = 0; order < NR_ORDERS; order++) {
    const area = areaWord(zone, order);
    const pages: number[] = [];
    for (let p = k.mem[area] as number; p !== area << 2; p = k.mem[p >> 2] as number) pages.push(p >> 6);
    if (pages.length !== k.mem[area + AREA_NR]) text.push(`(nr_free ${k.mem[area + AREA_NR]})`);
    if (pages.length > 0) text.push(`${order}:${pages}`);
  }
  return text.join(" ");
}

/** NR_FREE_PAGES of a zone. */
export function nrFree(k: Kernel, zone = k.lowZone): number {
  return k.mem[zone + Z_FREE] as number;
}

/** One word of a page. */
export function word(k: Kernel, page: number, w: number): number {
  return k.mem[(page << PAGE_WORDS_SHIFT) + w] as number;
}

/** Stores a word of a page. */
export function poke(k: Kernel, page: number, w: number, value: number): void {
  k.mem[(page << PAGE_WORDS_SHIFT) + w] = value;
}

/** A page's references. */
export function refs(k: Kernel, page: number): number {
  return word(k, page, W_REFCOUNT);
}

/** Pages as one letter each: H head, T tail, R reserved, b first of a free block with its order, 1.. references, . nothing. */
export function draw(k: Kernel, first: number, nr: number): string {
  let text = "";
  for (let p = first; p < first + nr; p++) {
    if ((word(k, p, W_TYPE) & k.buddyMask) === k.buddyValue) text += `b${word(k, p, W_PRIVATE)}`;
    else if (word(k, p, W_COMPOUND_HEAD) & 1) text += "T";
    else if (word(k, p, W_FLAGS) & k.pgHead) text += "H";
    else if (word(k, p, W_FLAGS) & k.pgReserved) text += "R";
    else if (refs(k, p) !== 0) text += refs(k, p);
    else text += ".";
  }
  return text;
}
