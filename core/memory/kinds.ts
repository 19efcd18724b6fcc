/**
 * Kinds of numbers. `struct page *`, `struct folio *` and `struct ptdesc *` are
 * all a pfn in the model; here the compiler keeps them apart, as C does, and
 * keeps a pointer to const from becoming one that may be written through.
 *
 * What `_Generic` refuses in `include/linux/mm_types.h` does not type-check:
 *
 *     ptdesc_page(page)          error: a page is no descriptor
 *     page_ptdesc(constPage)     a const descriptor
 *
 * @module
 */

declare const kind: unique symbol;
declare const writable: unique symbol;

type Const<K extends string> = number & { readonly [kind]: K };
type Mutable<K extends string> = Const<K> & { readonly [writable]: true };

/** `const struct page *`. */
export type ConstPage = Const<"page">;
/** `struct page *`. */
export type Page = Mutable<"page">;
/** `const struct folio *`. */
export type ConstFolio = Const<"folio">;
/** `struct folio *`. */
export type Folio = Mutable<"folio">;
/** `const struct ptdesc *`. */
export type ConstPtdesc = Const<"ptdesc">;
/** `struct ptdesc *`. */
export type Ptdesc = Mutable<"ptdesc">;
/** `const void *`: an address in the linear map. */
export type ConstVirt = Const<"virt">;
/** `void *`. */
export type Virt = Mutable<"virt">;
/** `const struct mm_struct *`. */
export type ConstMm = Const<"mm">;
/** `struct mm_struct *`. */
export type Mm = Mutable<"mm">;
/** `struct mmu_gather *`. */
export type Gather = Mutable<"gather">;

/** The descriptor's words under a page's names, as const as they were (`include/linux/mm_types.h:ptdesc_page`). */
export function ptdesc_page(pt: Ptdesc): Page;
/** @ignore */
export function ptdesc_page(pt: ConstPtdesc): ConstPage;
export function ptdesc_page(pt: ConstPtdesc): ConstPage {
  return pt as number as ConstPage;
}

/** The descriptor's words under a folio's names, as const as they were (`include/linux/mm_types.h:ptdesc_folio`). */
export function ptdesc_folio(pt: Ptdesc): Folio;
/** @ignore */
export function ptdesc_folio(pt: ConstPtdesc): ConstFolio;
export function ptdesc_folio(pt: ConstPtdesc): ConstFolio {
  return pt as number as ConstFolio;
}

/** The page's words under a descriptor's names, as const as they were (`include/linux/mm_types.h:page_ptdesc`). */
export function page_ptdesc(page: Page): Ptdesc;
/** @ignore */
export function page_ptdesc(page: ConstPage): ConstPtdesc;
export function page_ptdesc(page: ConstPage): ConstPtdesc {
  return page as number as ConstPtdesc;
}
