/**
 * Lines of 6.12 that a developer could have got wrong, one at a time.
 *
 * @module
 */
import type { Edit } from "./overlay.ts";

/** A patched tree. */
export interface KernelMutant {
  /** Function, and the mistake. */
  readonly name: string;
  readonly edit: Edit;
}

/** Every mutant. */
export const KERNEL_MUTANTS: readonly KernelMutant[] = [];
