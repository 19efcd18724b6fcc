/**
 * Mistakes that only a walker on another CPU notices: the order TLB, tables,
 * pages, and what stands in for a grace period.
 *
 * @module
 */
import type { Kernel } from "../kernel.ts";
import {
  __tlb_remove_page_size_6_12,
  G_CLEARED,
  G_START,
  GATHER_WORDS,
  rcu_grace_period,
  tlb_adjust_range,
  tlb_flush_mmu_tlbonly,
  tlb_remove_table,
  tlb_remove_table_sync_one,
  tlb_table_flush,
} from "../mmu_gather.ts";
import { type Mutant, mutant } from "./mutant.ts";

const X86 = { arch: "x86" };

/** A table that is in use, seen by a walker, unlinked and given to a gather. */
function seen(walk: string, how: string, remove: string, more = ""): string {
  return `
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
a0 = ptdesc_address(d0)
populate(a0)
w0 = env ${walk}(a0)
unlink(a0, 0x200000, ${how})
g0 = tlb_gather_mmu(mm0)
tlb_flush_pmd_range(g0, 0x200000, 0x1000)
${more}p0 = ptdesc_page(d0)
${remove}(g0, p0)
tlb_finish_mmu(g0)
env rcu_grace_period()`;
}

/** As many pages as fit on the stack, and no memory for a batch. */
const SEVEN_PAGES = `
g0 = tlb_gather_mmu(mm0)
repeat 7
env fail tlb_next_batch
p0 = alloc_page(GFP_KERNEL)
tlb_flush_pte_range(g0, 0x200000, 0x1000)
tlb_remove_page(g0, p0)
end
tlb_finish_mmu(g0)`;
const NO_BATCH = "env fail tlb_remove_table\n";

/** Hands the tables over, and runs their callbacks: nobody was waited for. */
function flushAtOnce(k: Kernel, tlb: number): void {
  tlb_table_flush(k, tlb);
  rcu_grace_period(k);
}

/** The mutants. */
export const WALKERS: readonly Mutant[] = [
  mutant("flush-before-free", "pages-before-flush", "tlb_flush_mmu frees the pages and flushes the TLB afterwards", {
    tlb_flush_mmu(k, tlb) {
      k.tlb_batch_pages_flush(k, tlb);
      k.tlb_flush_mmu_tlbonly(k, tlb);
    },
  }, seen("hw_walk", "exclusive", "tlb_remove_page")),
  mutant("flush-before-free", "flush-forgotten", "tlb_flush_mmu frees what is queued and flushes nothing", {
    tlb_flush_mmu(k, tlb) {
      k.tlb_batch_pages_flush(k, tlb);
    },
  }, seen("hw_walk", "exclusive", "tlb_remove_page")),
  mutant(
    "flush-before-free",
    "no-batch-no-invalidate",
    "tlb_remove_table without a batch frees the table and leaves the flush to tlb_finish_mmu (B13)",
    {
      tlb_remove_table(k, tlb, table) {
        const at = tlb * GATHER_WORDS + G_CLEARED;
        const cleared = k.gathers[at]!;
        k.gathers[at] = 0;
        tlb_remove_table(k, tlb, table);
        k.gathers[at] = cleared;
      },
    },
    seen("hw_walk", "exclusive", "tlb_remove_table", NO_BATCH),
    X86,
  ),
  mutant("flush-before-free", "range-start-forgotten", "__tlb_adjust_range lets the range begin at the last address", {
    tlb_adjust_range(k, tlb, address, size, cleared) {
      tlb_adjust_range(k, tlb, address, size, cleared);
      k.gathers[tlb * GATHER_WORDS + G_START] = address >>> 12;
    },
  }, seen("hw_walk", "exclusive", "tlb_remove_page", "tlb_flush_pmd_range(g0, 0x400000, 0x1000)\n")),
  mutant(
    "grace-period",
    "tables-freed-at-once",
    "tlb_table_flush frees the tables instead of giving them to RCU",
    { tlb_table_flush: flushAtOnce },
    seen("gup_fast", "exclusive", "tlb_remove_table"),
    X86,
  ),
  mutant(
    "grace-period",
    "no-batch-no-ipi",
    "tlb_remove_table without a batch frees the table without tlb_remove_table_sync_one",
    { tlb_remove_table_sync_one() {} },
    seen("gup_fast", "exclusive", "tlb_remove_table", NO_BATCH),
    X86,
  ),
  mutant(
    "grace-period",
    "ipi-for-grace-period",
    "tlb_table_flush takes an IPI for a grace period",
    {
      tlb_table_flush(k, tlb) {
        tlb_flush_mmu_tlbonly(k, tlb);
        tlb_remove_table_sync_one(k);
        flushAtOnce(k, tlb);
      },
    },
    seen("pte_offset_map", "shared", "tlb_remove_table"),
    X86,
  ),
  mutant("gather-twice", "page-queued-twice", "__tlb_remove_page_size enters the page twice", {
    __tlb_remove_page_size(k, tlb, page) {
      __tlb_remove_page_size_6_12(k, tlb, page);
      return __tlb_remove_page_size_6_12(k, tlb, page);
    },
  }, seen("hw_walk", "exclusive", "tlb_remove_page")),
  mutant(
    "gather-twice",
    "table-queued-twice",
    "tlb_remove_table enters the table twice",
    {
      tlb_remove_table(k, tlb, table) {
        tlb_remove_table(k, tlb, table);
        tlb_remove_table(k, tlb, table);
      },
    },
    seen("hw_walk", "exclusive", "tlb_remove_table"),
    X86,
  ),
  mutant("gather-twice", "full-batch-queued-again", "tlb_remove_page queues the page again after it had to flush", {
    tlb_remove_page(k, tlb, page) {
      if (!k.__tlb_remove_page_size(k, tlb, page)) return;
      k.tlb_flush_mmu(k, tlb);
      k.__tlb_remove_page_size(k, tlb, page);
    },
  }, SEVEN_PAGES),
];
