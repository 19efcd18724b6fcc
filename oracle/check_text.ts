/**
 * What a kernel says when it complains, and which check of the model that is.
 *
 *     page dumped because: VM_BUG_ON_PAGE(page_ref_count(page) == 0)
 *     BUG: failure at include/linux/mm.h:1126/put_page_testzero()!
 *     page dumped because: nonzero mapcount                  (after "BUG: Bad page state")
 *     WARNING: CPU: 0 PID: 1 at mm/page_alloc.c:4774 __alloc_pages_noprof+0x2f/0x10a0
 *
 * @module
 */
import {
  C_CLEAR_BUDDY,
  C_CLEAR_TABLE,
  C_FLAGS_TAIL,
  C_GET_ZERO,
  C_RESERVED_COMPOUND,
  C_SET_BUDDY,
  C_SET_TABLE,
  CHECKS,
} from "../core/kernel/checks.ts";

/** A BUG as the kernel reported it. */
export interface KernelBug {
  /** Function that it says it was in, or the text of the panic. */
  readonly fn: string;
  /** Why it dumped a page, or nothing. */
  readonly why: string;
}

/**
 * Functions that a macro of include/linux/page-flags.h makes are named after
 * what it is used for; the condition is then the macro's.
 */
const MADE: Readonly<Record<number, { readonly fn: RegExp; readonly why: RegExp }>> = {
  [C_SET_BUDDY]: { fn: /^__SetPageBuddy$/, why: /^VM_BUG_ON_PAGE\(.*\)$/ },
  [C_CLEAR_BUDDY]: { fn: /^__ClearPageBuddy$/, why: /^VM_BUG_ON_PAGE\(.*\)$/ },
  [C_CLEAR_TABLE]: { fn: /^__(folio_clear_pgtable|ClearPageTable)$/, why: /^VM_BUG_ON_(FOLIO|PAGE)\(.*\)$/ },
  [C_SET_TABLE]: { fn: /^__(folio_set_pgtable|SetPageTable)$/, why: /^VM_BUG_ON_(FOLIO|PAGE)\(.*\)$/ },
  [C_FLAGS_TAIL]: { fn: /^(const_)?folio_flags$/, why: /PageTail\(page\)|compound_head & 1/ },
  [C_RESERVED_COMPOUND]: { fn: /^(__)?(Set|Clear)PageReserved$/, why: /PageCompound\(page\)/ },
  [C_GET_ZERO]: { fn: /^folio_get$/, why: /folio_ref_count\(folio\) \+ 127u <= 127u/ },
};

/** Functions that carry another name in 6.12, where the checks moved when folios came. */
const RENAMED: Readonly<Record<string, string>> = {
  // The same BUG_ON in both of powerpc's.
  pmd_fragment_free: "pte_fragment_free",
  __tlb_remove_folio_pages_size: "__tlb_remove_page_size",
  // rmqueue is inlined into its only caller, and a WARN names who has the code.
  get_page_from_freelist: "rmqueue",
};

/** Splits `FILE:LINE/FUNCTION()!`. */
export function parseBug(said: string, dumped: string): KernelBug {
  const at = /^\S+:\d+\/(\w+)\(\)!/.exec(said);
  return { fn: at?.[1] ?? said, why: dumped };
}

/** The function of a WARNING. */
export function warnFunction(said: string): string {
  const fn = (/ at \S+:\d+ ([\w.]+)/.exec(said)?.[1] ?? said).replace(/_noprof$/, "");
  return RENAMED[fn] ?? fn;
}

/** Whether a BUG is the one that the model predicted. */
export function isCheck(which: number, bug: KernelBug): boolean {
  const made = MADE[which];
  if (made !== undefined) return made.fn.test(bug.fn) && made.why.test(bug.why);
  const check = CHECKS[which];
  if (check === undefined || check.fn !== (RENAMED[bug.fn] ?? bug.fn)) return false;
  return bug.why === "" || squeeze(bug.why).includes(squeeze(check.text));
}

/** Without blanks: what the preprocessor made of them differs. */
function squeeze(text: string): string {
  return text.replace(/\s/g, "");
}
