/**
 * Version 2 of "Split ptdesc from struct page" (1 May 2023): 6.1's `struct page`
 * with the series' descriptor over it. It stood on 6.4, where the compound
 * order is still a byte of page 1.
 *
 * Against 6.12: no `pt_rcu_head` and no memcg word (both came with v5),
 * `_pt_s390_gaddr` in the place of `mapping`, seven assertions that end with
 * `TABLE_MATCH(ptl, ptl)`, and nothing after `ptl`. From the list's history, not from a source tree.
 *
 * @module
 */
import type { Layout } from "../layout.ts";
import { LAYOUT_6_1 } from "./6_1.ts";

/** The layout of v2. */
export const LAYOUT_V2: Layout = {
  ...LAYOUT_6_1,
  name: "v2",
  ptdesc: {
    __page_flags: { offset: 0, size: 8 },
    pt_list: { offset: 8, size: 16 },
    _pt_pad_1: { offset: 8, size: 8 },
    pmd_huge_pte: { offset: 16, size: 8 },
    _pt_s390_gaddr: { offset: 24, size: 8 },
    pt_mm: { offset: 32, size: 8 },
    pt_frag_refcount: { offset: 32, size: 4 },
    ptl: { offset: 40, size: 8 },
  },
  tableMatch: [
    ["flags", "__page_flags"],
    ["compound_head", "pt_list"],
    ["compound_head", "_pt_pad_1"],
    ["pmd_huge_pte", "pmd_huge_pte"],
    ["mapping", "_pt_s390_gaddr"],
    ["pt_mm", "pt_mm"],
    ["ptl", "ptl"],
  ],
};
