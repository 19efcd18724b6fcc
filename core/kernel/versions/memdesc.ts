/**
 * Frozen page tables whose descriptors are allocated apart: a conjecture, and no
 * release (see `../memdesc.ts` for what it rests on).
 *
 * @module
 */
import type { KernelFunctions } from "../kernel.ts";
import {
  compound_head_memdesc,
  page_ptdesc_memdesc,
  PageCompound_memdesc,
  pagetable_alloc_memdesc,
  pagetable_free_memdesc,
  pagetable_is_reserved_memdesc,
  PageTail_memdesc,
  ptdesc_address_memdesc,
  ptdesc_folio_memdesc,
  ptdesc_page_memdesc,
} from "../memdesc.ts";
import { KERNEL_FROZEN } from "./frozen.ts";

/** The functions of memdesc. */
export const KERNEL_MEMDESC: KernelFunctions = Object.freeze({
  ...KERNEL_FROZEN,
  compound_head: compound_head_memdesc,
  PageTail: PageTail_memdesc,
  PageCompound: PageCompound_memdesc,
  page_ptdesc: page_ptdesc_memdesc,
  ptdesc_page: ptdesc_page_memdesc,
  ptdesc_folio: ptdesc_folio_memdesc,
  ptdesc_address: ptdesc_address_memdesc,
  pagetable_is_reserved: pagetable_is_reserved_memdesc,
  pagetable_alloc: pagetable_alloc_memdesc,
  pagetable_free: pagetable_free_memdesc,
});
