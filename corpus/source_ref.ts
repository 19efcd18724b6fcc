/**
 * Where a discipline was read: an entry of its `source`.
 *
 *     arch/mips/kvm/mmu.c:kvm_pgd_alloc                            file and function
 *     arch/mips/kvm/mmu.c:kvm_pgd_alloc 5f3a9c1e                   and the text that was read
 *     arch/arm/mm/pgd.c:pgd_free 6.1=0f3a9c1e 6.12=77b1e2aa        another text in each kernel
 *     6.12 arch/x86/mm/pgtable.c:pgd_ctor 5f3a9c1e                 of one of the discipline's kernels
 *
 * The hashes are written by `deno task sources --accept`.
 *
 * @module
 */
import { KERNEL_BASES, type KernelBase } from "../core/kernel/names.ts";

/** A function that was read. */
export interface SourceRef {
  /** Path from the top of the kernel's tree. */
  readonly path: string;
  /** The function's name; a macro's or a variable's. */
  readonly name: string;
  /** Kernels that the entry is about; none means all of the discipline's. */
  readonly kernels: readonly KernelBase[];
  /** Hash of the text that was read, by kernel; under `""` where one is for all. */
  readonly hashes: ReadonlyMap<KernelBase | "", string>;
}

/** What an entry must look like, for messages. */
export const SOURCE_FORM = 'write FILE:FUNCTION, such as "arch/arm/mm/pgd.c:pgd_alloc"';

const KERNEL = KERNEL_BASES.map((k) => k.replace(".", "\\.")).join("|");
const ENTRY = new RegExp(`^(?:(${KERNEL}) )?([\\w./+-]+):(\\w+)((?: (?:(?:${KERNEL})=)?[0-9a-f]{8})*)$`);

/** Reads an entry; undefined where it is none. */
export function parseSourceRef(text: string): SourceRef | undefined {
  const match = ENTRY.exec(text);
  if (match === null) return undefined;
  const [, only, path, name, rest] = match;
  const hashes = new Map<KernelBase | "", string>();
  for (const word of rest!.split(" ").slice(1)) {
    const [hash, kernel = ""] = word.split("=").reverse();
    if (hashes.has(kernel as KernelBase)) return undefined;
    hashes.set(kernel as KernelBase, hash!);
  }
  // One text for all, or one for each: not both.
  const labelled = [...hashes.keys()].filter((k) => k !== "");
  if (labelled.length > 0 && (hashes.has("") || only !== undefined)) return undefined;
  const kernels = only === undefined ? labelled : [only];
  return { path: path!, name: name!, kernels: kernels as KernelBase[], hashes };
}

/** Writes an entry. */
export function printSourceRef({ path, name, kernels, hashes }: SourceRef): string {
  const only = hashes.size <= 1 && kernels.length === 1 && !hashes.has(kernels[0]!) ? `${kernels[0]} ` : "";
  const words = [...hashes].map(([kernel, hash]) => kernel === "" ? ` ${hash}` : ` ${kernel}=${hash}`);
  return `${only}${path}:${name}${words.join("")}`;
}

/** The hash that an entry has for a kernel, or undefined. */
export function hashFor(ref: SourceRef, kernel: KernelBase): string | undefined {
  return ref.hashes.get(kernel) ?? ref.hashes.get("");
}
