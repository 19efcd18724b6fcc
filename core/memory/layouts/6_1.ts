/**
 * Linux 6.1: the words of page tables are fields of `struct page` itself, there
 * is no descriptor; order, destructor and counts of a compound block are fields
 * of page 1, and a page type is a bit that is cleared.
 *
 * Read in include/linux/mm_types.h and include/linux/page-flags.h of 6.1, for a
 * 64-bit kernel with MMU, MEMCG, MEMORY_FAILURE and PAGE_IDLE_FLAG, without
 * LRU_GEN and PG_uncached.
 *
 * @module
 */
import type { Layout } from "../layout.ts";
import { bitOf, bitsOf } from "./bits.ts";

/** `enum pageflags`. */
// deno-fmt-ignore
const FLAGS: readonly string[] = [
  "locked", "referenced", "uptodate", "dirty", "lru", "active", "workingset", "waiters",
  "error", "slab", "owner_priv_1", "arch_1", "reserved", "private", "private_2", "writeback",
  "head", "mappedtodisk", "reclaim", "swapbacked", "unevictable", "mlocked", "hwpoison", "young",
  "idle", "arch_2",
];

/** The layout of 6.1. */
export const LAYOUT_6_1: Layout = {
  name: "6.1",
  page: {
    flags: { offset: 0, size: 8 },
    lru: { offset: 8, size: 16 },
    buddy_list: { offset: 8, size: 16 },
    pcp_list: { offset: 8, size: 16 },
    mapping: { offset: 24, size: 8 },
    index: { offset: 32, size: 8 },
    private: { offset: 40, size: 8 },
    compound_head: { offset: 8, size: 8 },
    compound_dtor: { offset: 16, size: 1 },
    compound_order: { offset: 17, size: 1 },
    compound_mapcount: { offset: 20, size: 4 },
    compound_pincount: { offset: 24, size: 4 },
    compound_nr: { offset: 28, size: 4 },
    _private_1: { offset: 32, size: 8 },
    deferred_list: { offset: 24, size: 16 },
    _pt_pad_1: { offset: 8, size: 8 },
    pmd_huge_pte: { offset: 16, size: 8 },
    _pt_pad_2: { offset: 24, size: 8 },
    pt_mm: { offset: 32, size: 8 },
    pt_frag_refcount: { offset: 32, size: 4 },
    pt_share_count: { offset: 32, size: 4 },
    ptl: { offset: 40, size: 8 },
    rcu_head: { offset: 8, size: 16 },
    _mapcount: { offset: 48, size: 4 },
    page_type: { offset: 48, size: 4 },
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
    __head: { offset: 72, size: 8 },
    _folio_dtor: { offset: 80, size: 1 },
    _folio_order: { offset: 81, size: 1 },
    _total_mapcount: { offset: 84, size: 4 },
    _pincount: { offset: 88, size: 4 },
    _folio_nr_pages: { offset: 92, size: 4 },
    _private_1: { offset: 96, size: 8 },
  },
  ptdesc: null,
  tableMatch: [],
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
    ["compound_head", "__head", 1],
    ["compound_dtor", "_folio_dtor", 1],
    ["compound_order", "_folio_order", 1],
    ["compound_mapcount", "_total_mapcount", 1],
    ["compound_pincount", "_pincount", 1],
    ["compound_nr", "_folio_nr_pages", 1],
    ["_private_1", "_private_1", 1],
  ],
  flagNames: FLAGS,
  PG_head: bitOf(FLAGS, "head"),
  PG_reserved: bitOf(FLAGS, "reserved"),
  // deno-fmt-ignore
  checkAtFree: bitsOf(FLAGS, "lru", "locked", "private", "private_2", "writeback", "reserved", "slab", "active",
    "unevictable", "mlocked"),
  checkAtPrep: ((1 << FLAGS.length) - 1) & ~bitOf(FLAGS, "hwpoison"),
  // PG_double_map is PG_workingset, PG_has_hwpoisoned is PG_error.
  flagsSecond: bitsOf(FLAGS, "workingset", "error"),
  buddyMask: 0xf000_0080 | 0,
  buddyValue: 0xf000_0000 | 0,
  buddyBit: 0x80,
  tableMask: 0xf000_0200 | 0,
  tableValue: 0xf000_0000 | 0,
  tableBit: 0x200,
  orderField: ["page", "compound_order"],
  orderWord: 16 + 4,
  orderShift: 8,
};
