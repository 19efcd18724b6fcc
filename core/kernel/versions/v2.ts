/**
 * 6.1's allocator with patch 05/34 of "Split ptdesc from struct page", version 2
 * (1 May 2023).
 *
 * @module
 */
import type { KernelFunctions } from "../kernel.ts";
import { pmd_frag_destroy_v2, pmd_fragment_free_v2, pte_frag_destroy_v2, pte_fragment_free_v2 } from "../pte_frag.ts";
import { virt_to_ptdesc_v2 } from "../ptdesc.ts";
import { KERNEL_6_1 } from "./6_1.ts";

/** The functions of v2: a descriptor is found through the head page. */
export const KERNEL_V2: KernelFunctions = Object.freeze({
  ...KERNEL_6_1,
  virt_to_ptdesc: virt_to_ptdesc_v2,
  pte_fragment_free: pte_fragment_free_v2,
  pte_frag_destroy: pte_frag_destroy_v2,
  pmd_fragment_free: pmd_fragment_free_v2,
  pmd_frag_destroy: pmd_frag_destroy_v2,
});
