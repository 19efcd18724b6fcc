/**
 * Linux 6.12: page tables have a descriptor, a block's order is the low byte of
 * page 1's flags, a page type is the top byte of its word. 6.6 is given the
 * same layout; what is known to differ there (no `_large_mapcount`, types as
 * bits) decides nothing in the model.
 *
 * Read in include/linux/mm_types.h and include/linux/page-flags.h of 6.12, for
 * a 64-bit kernel with MMU, MEMCG, MEMORY_FAILURE and PAGE_IDLE_FLAG, without
 * LRU_GEN and PG_arch_2.
 *
 * @module
 */
import type { Layout } from "../layout.ts";
import { bitOf, bitsOf } from "./bits.ts";

/** `enum pageflags`. */
// deno-fmt-ignore
const FLAGS: readonly string[] = [
  "locked", "writeback", "referenced", "uptodate", "dirty", "lru", "head", "waiters",
  "active", "workingset", "owner_priv_1", "owner_2", "arch_1", "reserved", "private", "private_2",
  "reclaim", "swapbacked", "unevictable", "mlocked", "hwpoison", "young", "idle",
];

/** The layout of 6.12. */
export const LAYOUT_6_12: Layout = {
  name: "6.12",
  page: {
    flags: { offset: 0, size: 8 },
    lru: { offset: 8, size: 16 },
    buddy_list: { offset: 8, size: 16 },
    pcp_list: { offset: 8, size: 16 },
    mapping: { offset: 24, size: 8 },
    index: { offset: 32, size: 8 },
    private: { offset: 40, size: 8 },
    compound_head: { offset: 8, size: 8 },
    rcu_head: { offset: 8, size: 16 },
    page_type: { offset: 48, size: 4 },
    _mapcount: { offset: 48, size: 4 },
    _refcount: { offset: 52, size: 4 },
    memcg_data: { offset: 56, size: 8 },
  },
  folio: {
    flags: { offset: 0, size: 8 },
    lru: { offset: 8, size: 16 },
    mapping: { offset: 24, size: 8 },
    index: { offset: 32, size: 8 },
    private: { offset: 40, size: 8 },
    _mapcount: { offset: 48, size: 4 },
    _refcount: { offset: 52, size: 4 },
    memcg_data: { offset: 56, size: 8 },
    _flags_1: { offset: 64, size: 8 },
    _head_1: { offset: 72, size: 8 },
    _large_mapcount: { offset: 80, size: 4 },
    _entire_mapcount: { offset: 84, size: 4 },
    _nr_pages_mapped: { offset: 88, size: 4 },
    _pincount: { offset: 92, size: 4 },
    _folio_nr_pages: { offset: 96, size: 4 },
    _flags_2: { offset: 128, size: 8 },
    _head_2: { offset: 136, size: 8 },
    _deferred_list: { offset: 144, size: 16 },
    _flags_3: { offset: 192, size: 8 },
    _head_3: { offset: 200, size: 8 },
    _hugetlb_subpool: { offset: 208, size: 8 },
    _hugetlb_cgroup: { offset: 216, size: 8 },
    _hugetlb_cgroup_rsvd: { offset: 224, size: 8 },
    _hugetlb_hwpoison: { offset: 232, size: 8 },
  },
  ptdesc: {
    __page_flags: { offset: 0, size: 8 },
    pt_rcu_head: { offset: 8, size: 16 },
    pt_list: { offset: 8, size: 16 },
    _pt_pad_1: { offset: 8, size: 8 },
    pmd_huge_pte: { offset: 16, size: 8 },
    __page_mapping: { offset: 24, size: 8 },
    pt_index: { offset: 32, size: 8 },
    pt_mm: { offset: 32, size: 8 },
    pt_frag_refcount: { offset: 32, size: 4 },
    pt_share_count: { offset: 32, size: 4 },
    _pt_pad_2: { offset: 40, size: 8 },
    ptl: { offset: 40, size: 8 },
    __page_type: { offset: 48, size: 4 },
    __page_refcount: { offset: 52, size: 4 },
    pt_memcg_data: { offset: 56, size: 8 },
  },
  tableMatch: [
    ["flags", "__page_flags"],
    ["compound_head", "pt_list"],
    ["compound_head", "_pt_pad_1"],
    ["mapping", "__page_mapping"],
    ["index", "pt_index"],
    ["rcu_head", "pt_rcu_head"],
    ["page_type", "__page_type"],
    ["_refcount", "__page_refcount"],
    ["memcg_data", "pt_memcg_data"],
  ],
  folioMatch: [
    ["flags", "flags", 0],
    ["lru", "lru", 0],
    ["mapping", "mapping", 0],
    ["compound_head", "lru", 0],
    ["index", "index", 0],
    ["private", "private", 0],
    ["_mapcount", "_mapcount", 0],
    ["_refcount", "_refcount", 0],
    ["memcg_data", "memcg_data", 0],
    ["flags", "_flags_1", 1],
    ["compound_head", "_head_1", 1],
    ["flags", "_flags_2", 2],
    ["compound_head", "_head_2", 2],
    ["flags", "_flags_3", 3],
    ["compound_head", "_head_3", 3],
  ],
  flagNames: FLAGS,
  PG_head: bitOf(FLAGS, "head"),
  PG_reserved: bitOf(FLAGS, "reserved"),
  // deno-fmt-ignore
  checkAtFree: bitsOf(FLAGS, "lru", "locked", "private", "private_2", "writeback", "reserved", "active",
    "unevictable", "mlocked"),
  checkAtPrep: ((1 << FLAGS.length) - 1) & ~bitOf(FLAGS, "hwpoison"),
  // The order's byte, PG_has_hwpoisoned (active), PG_large_rmappable (workingset), PG_partially_mapped (reclaim).
  flagsSecond: 0xff | bitsOf(FLAGS, "active", "workingset", "reclaim"),
  buddyMask: 0xff00_0000 | 0,
  buddyValue: 0xf000_0000 | 0,
  buddyBit: 0,
  tableMask: 0xff00_0000 | 0,
  tableValue: 0xf200_0000 | 0,
  tableBit: 0,
  orderField: ["folio", "_flags_1"],
  orderWord: 16,
  orderShift: 0,
};
