/**
 * Every check that stands in a modelled function of the kernel's source: is it
 * one that the model makes, and if not, why not? Read from the tree that was
 * built, so that a kernel with another check says so.
 *
 * @module
 */
import { join } from "@std/path";
import { CHECKS } from "../core/kernel/checks.ts";

/** The functions that the model has a body for, by file. */
const MODELLED: Readonly<Record<string, readonly string[]>> = {
  "mm/page_alloc.c": [
    "__free_one_page",
    "__del_page_from_free_list",
    "__add_to_free_list",
    "del_page_from_free_list",
    "expand",
    "page_del_and_expand",
    "free_pages_prepare",
    "free_tail_page_prepare",
    "free_tail_pages_check",
    "free_page_is_bad",
    "page_bad_reason",
    "check_new_page",
    "check_new_pages",
    "bad_page",
    "prep_new_page",
    "post_alloc_hook",
    "prep_compound_page",
    "__rmqueue_smallest",
    "rmqueue",
    "split_page",
    "make_alloc_exact",
    "alloc_pages_exact",
    "alloc_pages_exact_noprof",
    "free_pages_exact",
    "__alloc_pages",
    "__alloc_pages_noprof",
    "__free_pages",
    "free_pages",
    "free_one_page",
    "__free_pages_ok",
    "free_unref_page",
    "free_unref_page_prepare",
    "free_unref_page_list",
    "free_unref_folios",
    "free_reserved_page",
    "__free_pages_core",
    "destroy_large_folio",
    "free_compound_page",
  ],
  "mm/internal.h": [
    "set_page_refcounted",
    "page_is_buddy",
    "prep_compound_head",
    "prep_compound_tail",
    "folio_set_order",
  ],
  "mm/mmu_gather.c": [
    "tlb_next_batch",
    "tlb_batch_pages_flush",
    "tlb_batch_list_free",
    "__tlb_remove_page_size",
    "__tlb_remove_folio_pages_size",
    "__tlb_remove_table_free",
    "tlb_remove_table",
    "tlb_remove_table_one",
    "tlb_table_flush",
    "tlb_flush_mmu",
    "tlb_finish_mmu",
    "tlb_gather_mmu",
  ],
  "mm/swap.c": ["__folio_put", "__put_page", "folios_put_refs", "release_pages", "__page_cache_release"],
  "mm/swap_state.c": ["free_page_and_swap_cache", "free_pages_and_swap_cache"],
  "include/linux/mm.h": [
    "put_page_testzero",
    "folio_get",
    "get_page",
    "put_page",
    "compound_order",
    "folio_entire_mapcount",
    "pagetable_alloc_noprof",
    "pagetable_free",
    "virt_to_ptdesc",
    "mark_page_reserved",
    "pagetable_pte_ctor",
    "pagetable_pte_dtor",
    "pagetable_pmd_ctor",
    "pagetable_pmd_dtor",
  ],
  "include/linux/page-flags.h": ["folio_flags", "const_folio_flags", "compound_head"],
  "include/asm-generic/tlb.h": ["__tlb_adjust_range", "tlb_flush_mmu_tlbonly", "tlb_remove_page", "tlb_remove_ptdesc"],
};

/** Checks that the model does not make, by a part of their condition, and why. */
const LEFT: readonly (readonly [condition: string, why: string])[] = [
  ["zone_is_initialized(zone)", "the zone is; no call of the language makes one"],
  ["migratetype == -1", "there is one migrate type"],
  ["page && bad_range(zone, page)", "a block on a list lies in its zone, and the driver's zone has no other memory"],
  ["PageReserved(p)", "asked of pages at hot-plug, which nothing of the language reaches"],
  ["tlb->page_size != page_size", "needs MMU_GATHER_PAGE_SIZE, which UML does not select"],
  ["nr_pages != 1 && page_size", "needs MMU_GATHER_PAGE_SIZE, which UML does not select"],
  ["page_folio(page) != page_folio", "needs MMU_GATHER_PAGE_SIZE, which UML does not select"],
  ["fully_unshared_tables", "no huge page tables are shared on UML"],
  ["n > 0 && !test_bit(PG_head", "flags of a later page of a folio are asked by nothing that is modelled"],
  ["page_pool", "there is no page pool"],
  ["!order || !folio_test_large(folio)", "the order is set where the head flag was set just before"],
  ["!folio_test_large(folio)", "6.12 asks it where free_pages_prepare has just seen the head flag"],
  ["*(unsigned long *)&ptdesc->ptl", "needs split locks, which UML does not have"],
  ["ptdesc->pmd_huge_pte", "needs split PMD locks, which UML does not have"],
];

/** One check of the source. */
export interface SourceCheck {
  readonly file: string;
  readonly fn: string;
  /** Macro and condition, or the reason of a bad page. */
  readonly text: string;
  /** Whether the model makes it. */
  readonly modelled: boolean;
  /** Why not, where that is known. */
  readonly why: string | undefined;
}

/** The body of a function as the kernel's style has it: its name at the start of a line, a brace at the end. */
export function bodyOf(text: string, fn: string): string | undefined {
  const head = new RegExp(`^(?![\\s#/*]).*\\b${fn}\\([^;]*?\\)\\n?\\{?$`, "gm");
  for (const match of text.matchAll(head)) {
    const start = text.indexOf("{", match.index);
    const end = text.indexOf("\n}", start);
    const semicolon = text.indexOf(";", match.index);
    if (start >= 0 && end >= 0 && (semicolon < 0 || start < semicolon)) return text.slice(start, end);
  }
  return undefined;
}

/** What stands between the parentheses that open at an index. */
function argumentsAt(text: string, open: number): string {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === "(") depth++;
    else if (text[i] === ")" && --depth === 0) return text.slice(open + 1, i);
  }
  return text.slice(open + 1);
}

const MACRO =
  /\b(?:VM_BUG_ON(?:_PAGE|_FOLIO|_PGFLAGS)?|BUG_ON|VM_WARN_ON(?:_ONCE|_FOLIO)?|WARN_ON(?:_ONCE(?:_GFP)?)?)\(/g;
const REASON = /\b(?:bad_page\([^,]*,\s*|bad_reason = )"([^"]+)"/g;

function squeeze(text: string): string {
  return text.replace(/\s/g, "");
}

/** Every check of the modelled functions that a tree has. */
export function sourceChecks(tree: string): SourceCheck[] {
  const list: SourceCheck[] = [];
  for (const [file, functions] of Object.entries(MODELLED)) {
    const text = Deno.readTextFileSync(join(tree, file));
    for (const fn of functions) {
      const body = bodyOf(text, fn);
      if (body === undefined) continue;
      const found = [
        ...[...body.matchAll(MACRO)].map((m) =>
          m[0] + argumentsAt(body, m.index + m[0].length - 1).replace(/\s+/g, " ") + ")"
        ),
        ...[...body.matchAll(REASON)].map((m) => m[1]!),
      ];
      for (const said of found) list.push({ file, fn, text: said, ...judged(fn, said) });
    }
  }
  return list;
}

/** Functions that are one for the model. */
const SAME: Readonly<Record<string, string>> = {
  __tlb_remove_folio_pages_size: "__tlb_remove_page_size",
  const_folio_flags: "folio_flags",
  free_tail_pages_check: "free_tail_page_prepare",
};

function same(fn: string): string {
  const plain = fn.replace(/_noprof$/, "");
  return SAME[plain] ?? plain;
}

function judged(fn: string, said: string): Pick<SourceCheck, "modelled" | "why"> {
  const bare = squeeze(said);
  const modelled = CHECKS.some((c) => {
    if (same(c.fn) !== same(fn)) return false;
    const text = squeeze(c.text);
    return [text, ...(OTHER_WORDS[text] ?? [])].some((words) => bare.includes(words));
  });
  return { modelled, why: modelled ? undefined : LEFT.find(([part]) => bare.includes(squeeze(part)))?.[1] };
}

/** Checks that the source of one version writes in other words than the model's table. */
const OTHER_WORDS: Readonly<Record<string, readonly string[]>> = {
  "PageTail(page)": ["page->compound_head&1"],
  "batch->nr>batch->max": ["batch->nr>batch->max-1"],
  "WARN_ON_ONCE_GFP(order>MAX_PAGE_ORDER,gfp)": ["WARN_ON_ONCE_GFP(order>=MAX_ORDER,gfp)"],
};

/** Lines that say it, for people; the checks that are neither modelled nor explained begin with a question mark. */
export function sourceCheckLines(checks: readonly SourceCheck[]): string[] {
  const left = checks.filter((c) => !c.modelled);
  return [
    `checks in the modelled functions' source: ${checks.length}, of which the model makes ${
      checks.length - left.length
    }`,
    ...left.map((c) => `  ${c.why === undefined ? "?" : "-"} ${c.file}:${c.fn}: ${c.text}: ${c.why ?? "not modelled"}`),
  ];
}
