/**
 * Mistakes that only a walker on another CPU notices: the order TLB, tables,
 * pages, and what stands in for a grace period.
 *
 * @module
 */
import { EV_DEFERRED } from "../../memory/events.ts";
import { PAGE_WORDS_SHIFT, W_FLAGS } from "../../memory/words.ts";
import { event } from "../checks.ts";
import type { Kernel } from "../kernel.ts";
import { PT_KERNEL } from "../kernel_pgtable.ts";
import {
  __tlb_remove_page_size_6_12,
  G_CLEARED,
  G_START,
  GATHER_WORDS,
  p4d_free_tlb_without_B19,
  rcu_grace_period,
  tlb_adjust_range,
  tlb_flush_mmu_tlbonly,
  tlb_remove_table,
  tlb_remove_table_6_14,
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

const KERNEL_TABLE = `
d0 = pagetable_alloc(GFP_PGTABLE_KERNEL, 0)
ptdesc_set_kernel(d0)
populate(d0)
w0 = env iommu_walk(d0)
unlink(d0, 0x200000, kernel)
flush_tlb_all()
pagetable_free(d0)
env kernel_pgtable_work()`;
const FOLDED = `
d0 = pagetable_alloc(GFP_KERNEL, 2)
a0 = ptdesc_address(d0)
g0 = tlb_gather_mmu_fullmm(mm0)
p4d_free_tlb(g0, a0, 0x0)
tlb_finish_mmu(g0)
pagetable_free(d0)`;
const LOCKED = `
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
n0 = pagetable_pte_ctor(d0)
populate(d0)
w0 = env pte_offset_map(d0)
g0 = tlb_gather_mmu(mm0)
unlink(d0, 0x200000, shared)
tlb_flush_pmd_range(g0, 0x200000, 0x1000)
tlb_remove_ptdesc(g0, d0)
env spin_lock(w0)
tlb_finish_mmu(g0)
env rcu_grace_period()`;
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
  mutant(
    "flush-before-free",
    "tables-before-flush",
    "tlb_flush_mmu hands the tables to RCU and flushes the TLB afterwards: a grace period may end in between",
    {
      tlb_flush_mmu(k, tlb) {
        const at = tlb * GATHER_WORDS + G_CLEARED;
        const cleared = k.gathers[at]!;
        k.gathers[at] = 0;
        k.tlb_table_flush(k, tlb);
        k.gathers[at] = cleared;
        k.tlb_flush_mmu_tlbonly(k, tlb);
        k.tlb_batch_pages_flush(k, tlb);
      },
    },
    seen(
      "hw_walk",
      "exclusive",
      "tlb_remove_table",
      "at tlb_table_flush:after_call_rcu env rcu_grace_period()\n",
    ),
    X86,
  ),
  mutant("flush-before-free", "range-start-forgotten", "__tlb_adjust_range lets the range begin at the last address", {
    tlb_adjust_range(k, tlb, address, size, cleared) {
      tlb_adjust_range(k, tlb, address, size, cleared);
      k.gathers[tlb * GATHER_WORDS + G_START] = address >>> 12;
    },
  }, seen("hw_walk", "exclusive", "tlb_remove_page", "tlb_flush_pmd_range(g0, 0x400000, 0x1000)\n")),
  mutant(
    "flush-before-free",
    "worker-without-flush",
    "the worker frees a table of the kernel as soon as it is queued, and no IOMMU is told",
    {
      pagetable_free(k, pt) {
        k.mem[(pt << PAGE_WORDS_SHIFT) + W_FLAGS]! &= ~PT_KERNEL;
        event(k, EV_DEFERRED, pt, 0, 0);
        k.__pagetable_free(k, pt);
      },
    },
    KERNEL_TABLE,
    { kernel: "6.19", arch: "x86", config: ["ASYNC_KERNEL_PGTABLE_FREE", "IOMMU_SVA"] },
  ),
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
  mutant(
    "gather-twice",
    "folded-level-freed",
    "p4d_free_tlb does not ask whether the level is folded (B19)",
    { p4d_free_tlb: p4d_free_tlb_without_B19 },
    FOLDED,
    { arch: "s390" },
  ),
  mutant(
    "lock-lifetime",
    "lock-before-grace-period",
    "tlb_remove_table frees the lock when it queues, and not after the grace period (B12)",
    {
      tlb_remove_table(k, tlb, table) {
        k.ptlock_free(k, table);
        tlb_remove_table_6_14(k, tlb, table);
      },
    },
    LOCKED,
    { kernel: "6.14", arch: "x86", config: ["ALLOC_SPLIT_PTLOCKS"] },
  ),
  mutant("gather-twice", "full-batch-queued-again", "tlb_remove_page queues the page again after it had to flush", {
    tlb_remove_page(k, tlb, page) {
      if (!k.__tlb_remove_page_size(k, tlb, page)) return;
      k.tlb_flush_mmu(k, tlb);
      k.__tlb_remove_page_size(k, tlb, page);
    },
  }, SEVEN_PAGES),
];
