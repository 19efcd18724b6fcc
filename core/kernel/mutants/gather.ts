/**
 * Mistakes in mmu_gather. Those that only a walker on another CPU would notice
 * (the order TLB, tables, pages; a table freed before its grace period) are in
 * `walkers.ts`.
 *
 * @module
 */
import { NULL, PAGE_OFFSET, PAGE_SHIFT, W_REFCOUNT } from "../../memory/words.ts";
import type { Kernel } from "../kernel.ts";
import {
  __tlb_remove_page_size_6_12,
  free_pages_and_swap_cache_6_12,
  G_ACTIVE,
  G_END,
  G_LOCAL,
  G_LOCAL_NEXT,
  G_LOCAL_NR,
  G_TABLES,
  G_USED,
  GATHER_WORDS,
  PAGEVEC_SIZE,
  rcu_grace_period,
  tlb_adjust_range,
  tlb_batch_pages_flush,
  tlb_finish_mmu,
  tlb_next_batch,
  tlb_remove_table,
  tlb_table_flush,
  UNITS,
} from "../mmu_gather.ts";
import { at, type Mutant, mutant } from "./mutant.ts";

const X86 = { arch: "x86" };
const DEBUG_VM = { config: ["DEBUG_VM"] };

const PAGE = `
g0 = tlb_gather_mmu(mm0)
p0 = alloc_page(GFP_KERNEL)
tlb_flush_pte_range(g0, 0x200000, 0x1000)
tlb_remove_page(g0, p0)
tlb_finish_mmu(g0)`;
const FLUSHED_TWICE = `
g0 = tlb_gather_mmu(mm0)
p0 = alloc_page(GFP_KERNEL)
tlb_flush_pte_range(g0, 0x200000, 0x1000)
tlb_remove_page(g0, p0)
tlb_flush_mmu(g0)
tlb_finish_mmu(g0)`;
const TABLE = `
g0 = tlb_gather_mmu(mm0)
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
p0 = ptdesc_page(d0)
tlb_flush_pmd_range(g0, 0x200000, 0x1000)
tlb_remove_table(g0, p0)
tlb_finish_mmu(g0)
env rcu_grace_period()`;
const NO_BATCH = TABLE.replace("tlb_remove_table(", "env fail tlb_remove_table\ntlb_remove_table(");

const TWO_CALLBACKS = `
repeat 2
g0 = tlb_gather_mmu(mm0)
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
p0 = ptdesc_page(d0)
tlb_flush_pmd_range(g0, 0x200000, 0x1000)
tlb_remove_table(g0, p0)
tlb_finish_mmu(g0)
end
env rcu_grace_period()`;
const TWO_ROUNDS = `
g0 = tlb_gather_mmu(mm0)
repeat 8
p0 = alloc_page(GFP_KERNEL)
tlb_flush_pte_range(g0, 0x200000, 0x1000)
tlb_remove_page(g0, p0)
end
tlb_flush_mmu(g0)
repeat 8
p1 = alloc_page(GFP_KERNEL)
tlb_flush_pte_range(g0, 0x200000, 0x1000)
tlb_remove_page(g0, p1)
end
tlb_finish_mmu(g0)`;

function pages(nr: number, fail = ""): string {
  return `
g0 = tlb_gather_mmu(mm0)
repeat ${nr}
${fail}p0 = alloc_page(GFP_KERNEL)
tlb_flush_pte_range(g0, 0x200000, 0x1000)
tlb_remove_page(g0, p0)
end
tlb_finish_mmu(g0)`.trim();
}

function tables(nr: number): string {
  return `
g0 = tlb_gather_mmu(mm0)
repeat ${nr}
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
p0 = ptdesc_page(d0)
tlb_flush_pmd_range(g0, 0x200000, 0x1000)
tlb_remove_table(g0, p0)
end
tlb_finish_mmu(g0)
env rcu_grace_period()`.trim();
}

function gather(k: Kernel, tlb: number, field: number): number {
  return k.gathers[tlb * GATHER_WORDS + field]!;
}

/** The mutants. */
export const GATHER: readonly Mutant[] = [
  mutant("page-leak", "finish-without-flush", "tlb_finish_mmu leaves the flush to its caller", {
    tlb_finish_mmu(k, tlb) {
      k.gathers[tlb * GATHER_WORDS + G_LOCAL_NR] = 0;
      tlb_finish_mmu(k, tlb);
    },
  }, PAGE),
  mutant("page-leak", "stack-batch-skipped", "tlb_batch_pages_flush begins with the first batch page", {
    tlb_batch_pages_flush(k, tlb) {
      const nr = gather(k, tlb, G_LOCAL_NR);
      if (nr !== 0) k.gathers[tlb * GATHER_WORDS + G_LOCAL] = k.gathers[tlb * GATHER_WORDS + G_LOCAL + nr - 1]!;
      if (nr !== 0) k.gathers[tlb * GATHER_WORDS + G_LOCAL_NR] = nr > 1 ? nr - 1 : 0;
      tlb_batch_pages_flush(k, tlb);
    },
  }, pages(3)),
  mutant("page-leak", "batch-pages-skipped", "tlb_batch_pages_flush frees the batch on the stack only", {
    tlb_batch_pages_flush(k, tlb) {
      const next = gather(k, tlb, G_LOCAL_NEXT);
      if (next !== NULL) k.batches[next * UNITS + 1] = 0;
      tlb_batch_pages_flush(k, tlb);
    },
  }, pages(12)),
  mutant("page-leak", "batch-pages-not-freed", "tlb_finish_mmu forgets tlb_batch_list_free", {
    tlb_finish_mmu(k, tlb) {
      k.tlb_flush_mmu(k, tlb);
      k.gathers[tlb * GATHER_WORDS + G_LOCAL_NEXT] = NULL;
      tlb_finish_mmu(k, tlb);
    },
  }, pages(12)),
  mutant("page-leak", "second-batch-over-the-first", "tlb_next_batch does not look whether a batch is there already", {
    tlb_next_batch(k, tlb) {
      if (gather(k, tlb, G_ACTIVE) === NULL) k.gathers[tlb * GATHER_WORDS + G_LOCAL_NEXT] = NULL;
      return tlb_next_batch(k, tlb);
    },
  }, TWO_ROUNDS),
  mutant("page-leak", "swap-cache-remainder", "free_pages_and_swap_cache frees full folio batches only", {
    free_pages_and_swap_cache(k, list, first, nr) {
      free_pages_and_swap_cache_6_12(k, list, first, nr < PAGEVEC_SIZE ? nr : nr - nr % PAGEVEC_SIZE);
    },
  }, pages(60)),
  mutant(
    "page-leak",
    "tables-dropped",
    "tlb_table_flush forgets call_rcu",
    {
      tlb_table_flush(k, tlb) {
        k.gathers[tlb * GATHER_WORDS + G_TABLES] = NULL;
      },
    },
    TABLE,
    X86,
  ),
  mutant(
    "page-leak",
    "no-batch-no-free",
    "tlb_remove_table returns when it cannot have a batch",
    {
      tlb_remove_table(k, tlb, table) {
        const had = gather(k, tlb, G_TABLES) !== NULL;
        if (had || (k.failNext & 4) === 0) return tlb_remove_table(k, tlb, table);
        k.failNext &= ~4;
      },
    },
    NO_BATCH,
    X86,
  ),
  mutant(
    "page-leak",
    "last-callback-only",
    "rcu_grace_period runs the callback that was queued last",
    {
      rcu_grace_period(k) {
        const nr = k.nRcu;
        k.nRcu = 0;
        for (let i = Math.max(0, nr - 1); i < nr; i++) runCallback(k, k.rcuQueue[i]!);
      },
    },
    TWO_CALLBACKS,
    X86,
  ),
  mutant("double-free", "queued-pages-put-twice", "tlb_batch_pages_flush leaves the count of the batch as it was", {
    tlb_batch_pages_flush(k, tlb) {
      const nr = gather(k, tlb, G_LOCAL_NR);
      tlb_batch_pages_flush(k, tlb);
      k.gathers[tlb * GATHER_WORDS + G_LOCAL_NR] = nr;
    },
  }, FLUSHED_TWICE),
  mutant(
    "double-free",
    "callbacks-run-twice",
    "the list of callbacks is not emptied before it is run",
    {
      rcu_grace_period(k) {
        for (let i = 0; i < k.nRcu; i++) runCallback(k, k.rcuQueue[i]!);
      },
    },
    TABLE,
    X86,
  ),
  mutant(
    "double-free",
    "table-batch-queued-twice",
    "tlb_table_flush hands the batch to RCU and keeps it as the gather's",
    {
      tlb_table_flush(k, tlb) {
        const batch = gather(k, tlb, G_TABLES);
        tlb_table_flush(k, tlb);
        k.gathers[tlb * GATHER_WORDS + G_TABLES] = batch;
      },
    },
    TABLE.replace("tlb_finish", "tlb_flush_mmu(g0)\ntlb_finish"),
    X86,
  ),
  mutant(
    "order-mismatch",
    "s390-order-1",
    "CRST_ALLOC_ORDER is taken for the order of an 8 KB table",
    {
      __tlb_remove_table: (k, table) => k.free_pages(k, table & ~3, 1),
    },
    `
a0 = __get_free_pages(GFP_KERNEL, 2)
g0 = tlb_gather_mmu(mm0)
tlb_remove_table(g0, a0)
tlb_finish_mmu(g0)
env rcu_grace_period()`,
    { kernel: "6.1", arch: "s390" },
  ),
  mutant(
    "order-mismatch",
    "table-freed-as-a-page",
    "__tlb_remove_table is __free_page",
    {
      __tlb_remove_table: (k, table) => k.__free_pages(k, table, 0),
    },
    `
g0 = tlb_gather_mmu(mm0)
d0 = pagetable_alloc(GFP_PGTABLE_USER, 1)
tlb_remove_ptdesc(g0, d0)
tlb_finish_mmu(g0)
env rcu_grace_period()`,
    { arch: "arm64" },
  ),
  mutant(
    "pointer-kind",
    "table-queued-by-address",
    "tlb_remove_ptdesc queues the table's address, as s390 does",
    {
      tlb_remove_ptdesc: (k, tlb, pt) => k.tlb_remove_table(k, tlb, k.ptdesc_to_virt(k, pt)),
    },
    `
g0 = tlb_gather_mmu(mm0)
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
tlb_remove_ptdesc(g0, d0)
tlb_finish_mmu(g0)
env rcu_grace_period()`,
    { arch: "arm64" },
  ),
  mutant(
    "pointer-kind",
    "s390-table-queued-by-page",
    "s390: tlb_remove_table queues the page, as x86 does",
    {
      tlb_remove_table: (k, tlb, table) => tlb_remove_table(k, tlb, (table - PAGE_OFFSET) >> PAGE_SHIFT),
    },
    `
a0 = __get_free_pages(GFP_KERNEL, 2)
g0 = tlb_gather_mmu(mm0)
tlb_remove_table(g0, a0)
tlb_finish_mmu(g0)
env rcu_grace_period()`,
    { kernel: "6.1", arch: "s390" },
  ),
  mutant(
    "kernel-check",
    "next-batch-without-memory",
    "tlb_next_batch answers true when the page could not be had",
    {
      tlb_next_batch: (k, tlb) => tlb_next_batch(k, tlb) || true,
    },
    pages(10, "env fail tlb_next_batch\n"),
    DEBUG_VM,
  ),
  mutant(
    "kernel-check",
    "full-batch-not-flushed",
    "tlb_remove_page ignores that it has to flush",
    {
      tlb_remove_page: (k, tlb, page) => void k.__tlb_remove_page_size(k, tlb, page),
    },
    pages(30, "env fail tlb_next_batch\n").replace("\n", "\ng1 = tlb_gather_mmu(mm1)\n").replace(
      "tlb_finish",
      "tlb_finish_mmu(g1)\ntlb_finish",
    ),
  ),
  mutant(
    "kernel-check",
    "range-end-forgotten",
    "__tlb_adjust_range moves the start only",
    {
      tlb_adjust_range(k, tlb, address, size, cleared) {
        tlb_adjust_range(k, tlb, address, size, cleared);
        k.gathers[tlb * GATHER_WORDS + G_END] = 0;
      },
    },
    PAGE,
    DEBUG_VM,
  ),
  mutant(
    "kernel-check",
    "full-table-batch-kept",
    "tlb_remove_table compares with the entries of a batch without an rcu_head",
    {
      tlb_table_flush: (k, tlb) => keepFullBatch(k, tlb),
    },
    tables(510),
    { arch: "x86", pages: 1024 },
  ),
  mutant(
    "bad-reference",
    "gather-takes-a-reference",
    "__tlb_remove_page_size takes a reference for the gather, and nobody drops it",
    {
      __tlb_remove_page_size(k, tlb, page) {
        k.mem[at(page, W_REFCOUNT)]!++;
        return __tlb_remove_page_size_6_12(k, tlb, page);
      },
    },
    PAGE,
  ),
  mutant("kernel-check", "gather-freed-before-flush", "tlb_finish_mmu gives the gather up before it flushes", {
    tlb_finish_mmu(k, tlb) {
      k.gathers[tlb * GATHER_WORDS + G_USED] = 0;
      k.tlb_flush_mmu(k, tlb);
    },
  }, PAGE),
];

/** `tlb_remove_table_rcu` for one batch, x86. */
function runCallback(k: Kernel, batch: number): void {
  const { nRcu } = k;
  const [first, second] = [k.rcuQueue[0]!, k.rcuQueue[1]!];
  k.nRcu = 1;
  k.rcuQueue[0] = batch;
  rcu_grace_period(k);
  k.nRcu = nRcu;
  k.rcuQueue[0] = first;
  k.rcuQueue[1] = second;
}

function keepFullBatch(k: Kernel, tlb: number): void {
  const batch = gather(k, tlb, G_TABLES);
  if (batch !== NULL && k.batches[batch * UNITS + 2] !== k.maxTableBatch) tlb_table_flush(k, tlb);
}
