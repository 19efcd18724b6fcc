/**
 * What a mutant is, and what mutants are made with.
 *
 * @module
 */
import { PAGE_WORDS_SHIFT, STRUCT_PAGE_SHIFT } from "../../memory/words.ts";
import type { Kernel, KernelFunctions } from "../kernel.ts";

/** The model with one function broken, the way a kernel developer could have written it. */
export interface Mutant {
  readonly name: string;
  /** Kernel that it is a mutant of. */
  readonly kernel: string;
  readonly arch: string;
  readonly config: readonly string[];
  readonly pages: number;
  /** The mistake that it stands for, in one sentence. */
  readonly mistake: string;
  /** The function, broken. */
  readonly breaks: Partial<KernelFunctions>;
  /** Id of the invariant that has to see it. */
  readonly invariant: string;
  /** Right code, clean on the kernel as it is, in which the invariant sees the mistake: lines without a header. */
  readonly run: string;
}

/** What a mutant may leave out: 6.12, generic, no configuration, 256 pages. */
export type Where = Partial<Pick<Mutant, "kernel" | "arch" | "config" | "pages">>;

/** Makes a mutant. */
export function mutant(
  invariant: string,
  name: string,
  mistake: string,
  breaks: Partial<KernelFunctions>,
  run: string,
  where: Where = {},
): Mutant {
  return Object.freeze({
    name,
    kernel: where.kernel ?? "6.12",
    arch: where.arch ?? "generic",
    config: where.config ?? [],
    pages: where.pages ?? 256,
    mistake,
    breaks,
    invariant,
    run: run.trim() + "\n",
  });
}

/** Index of a word of a page. */
export function at(page: number, word: number): number {
  return (page << PAGE_WORDS_SHIFT) + word;
}

/** What a tail of the block stores in compound_head. */
export function link(head: number): number {
  return (head << STRUCT_PAGE_SHIFT) | 1;
}

/** A function that works on every page of a range. */
export function each(first: number, nr: number, work: (page: number) => void): void {
  for (let page = first; page < first + nr; page++) work(page);
}

/** The model's own function with a page's word put back to what it was before. */
export function keeping<T>(k: Kernel, page: number, word: number, mask: number, run: () => T): T {
  const before = k.mem[at(page, word)]! & mask;
  const result = run();
  k.mem[at(page, word)] = (k.mem[at(page, word)]! & ~mask) | before;
  return result;
}
