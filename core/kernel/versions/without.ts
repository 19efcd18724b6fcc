/**
 * Repairs that can be taken out of a kernel, newest first: without B2 and B1,
 * `__free_pages` is the one that had neither.
 *
 * @module
 */
import { __free_pages_without_B1, __free_pages_without_B2 } from "../free.ts";
import type { KernelFunctions } from "../kernel.ts";

/** What a kernel had before each repair. */
export const WITHOUT: readonly (readonly [string, Partial<KernelFunctions>])[] = Object.freeze(
  [
    ["B2", { __free_pages: __free_pages_without_B2 }],
    ["B1", { __free_pages: __free_pages_without_B1 }],
  ] as const,
);
