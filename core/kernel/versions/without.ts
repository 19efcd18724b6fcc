/**
 * Repairs that can be taken out of a kernel, newest first: without B2 and B1,
 * `__free_pages` is the one that had neither. And repairs that no kernel took,
 * which can be put in.
 *
 * @module
 */
import { __free_pages_with_B3, __free_pages_without_B1, __free_pages_without_B2 } from "../free.ts";
import { clear_pgste_bits_without_B17 } from "../fragments.ts";
import { huge_pmd_share_without_B15, huge_pmd_unshare_without_B15 } from "../huge.ts";
import type { KernelFunctions } from "../kernel.ts";
import { p4d_free_tlb_without_B19, pud_free_tlb_without_B19, tlb_remove_table_without_B13 } from "../mmu_gather.ts";

/** What a kernel had before each repair. */
export const WITHOUT: readonly (readonly [string, Partial<KernelFunctions>])[] = Object.freeze(
  [
    ["B17", { clear_pgste_bits: clear_pgste_bits_without_B17 }],
    ["B19", { p4d_free_tlb: p4d_free_tlb_without_B19, pud_free_tlb: pud_free_tlb_without_B19 }],
    ["B15", { huge_pmd_share: huge_pmd_share_without_B15, huge_pmd_unshare: huge_pmd_unshare_without_B15 }],
    ["B13", { tlb_remove_table: tlb_remove_table_without_B13 }],
    ["B2", { __free_pages: __free_pages_without_B2 }],
    ["B1", { __free_pages: __free_pages_without_B1 }],
  ] as const,
);

/** What a kernel would have with each repair that was proposed. */
export const WITH: readonly (readonly [string, Partial<KernelFunctions>])[] = Object.freeze(
  [["B3", { __free_pages: __free_pages_with_B3 }]] as const,
);
