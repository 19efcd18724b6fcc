/**
 * mmu_gather: pages and page tables wait in batches until the TLB is flushed,
 * tables on most architectures for a grace period as well.
 *
 * Read in mm/mmu_gather.c and include/asm-generic/tlb.h of 6.1 and 6.12.
 *
 *     gather            batch page           batch page
 *     local, 8 entries  next, nr, 510 ...    next, nr, 510 ...     (up to 19)
 *         +---------------->+------------------->
 *     table batch       rcu_head, nr, 509 tables
 *
 * Batches are pages of the allocator, and a batch that cannot be had is part
 * of what is modelled: pages are then flushed early, a table is freed at once.
 *
 * Numbers that stand for pointers: a batch page is its pfn, -1 is NULL. Each
 * page has 512 units in `k.batches`: a gather batch holds next and nr (`max` is
 * a constant) and entries from unit 2, a table batch the rcu_head in 0 and 1,
 * nr in 2 and tables from 3 (without RCU nr in 0, tables from 1).
 *
 * @module
 */
import * as $events from "../memory/events.ts";
import * as $gfp from "../memory/gfp.ts";
import * as $memMap from "../memory/mem_map.ts";
import * as $words from "../memory/words.ts";
import * as $buddy from "./buddy.ts";
import * as $checks from "./checks.ts";
import * as $ctor from "./ctor.ts";
import * as $free from "./free.ts";
import type { Kernel } from "./kernel.ts";
import * as $memcg from "./memcg.ts";
import * as $kernelPgtable from "./kernel_pgtable.ts";
import * as $page from "./page.ts";
import * as $points from "./points.ts";
import * as $list from "./list.ts";

const { EV_BATCH_FREE, EV_BATCH_PAGE, EV_GATHER_PUT, EV_IPI, EV_NO_BATCH, EV_QUEUED, EV_TABLE, EV_TLB_FLUSH } = $events;
const { GFP_FLAGS } = $gfp;
const { LIST_PREV, PAGES_TO_FREE, STALE } = $memMap;
const { NULL, PAGE_WORDS_SHIFT, W_LRU_NEXT, W_PRIVATE, W_REFCOUNT } = $words;
const { page_zone } = $buddy;
const { bug, C_GATHER_END, C_GATHER_INACTIVE, C_GATHER_NR, C_OOPS_BATCH, C_OOPS_LIST, event } = $checks;
const { dtorInside } = $ctor;
const { free_one_page, PAGE_ALLOC_COSTLY_ORDER } = $free;
const { mem_cgroup_uncharge } = $memcg;
const { endOfCallbacks, queueCallback, runDeferred, tlb_remove_table_one_rcu } = $kernelPgtable;
const { BATCH_GIVEN_BACK, BATCH_OVERWRITTEN, BATCH_PAGE } = $page;
const { AFTER_CALL_RCU, reachPoint } = $points;
const { list_add, list_del, pageOfNode, throughPcpList } = $list;

/** Gathers that may be in use at once. */
export const MAX_GATHERS = 16;
/** mms whose pending flushes are counted. */
export const MAX_MMS = 16;
/** Words of a gather in `k.gathers`. */
export const GATHER_WORDS = 32;
/** MMU_GATHER_BUNDLE: entries on the stack. */
export const MMU_GATHER_BUNDLE = 8;
/** MAX_GATHER_BATCH: entries of a batch page. */
export const MAX_GATHER_BATCH = 510;
/** MAX_GATHER_BATCH_COUNT: batch pages of a gather. */
export const MAX_GATHER_BATCH_COUNT = 19;
/** MAX_TABLE_BATCH with MMU_GATHER_RCU_TABLE_FREE. */
export const MAX_TABLE_BATCH_RCU = 509;
/** MAX_TABLE_BATCH without. */
export const MAX_TABLE_BATCH = 511;
/** PAGEVEC_SIZE (6.12): folios of a folio batch. */
export const PAGEVEC_SIZE = 31;
/** Eight-byte units of a page. */
export const UNITS = 512;

/** 1 while the gather is between tlb_gather_mmu and tlb_finish_mmu. */
export const G_USED = 0;
/** The mm. */
export const G_MM = 1;
/** fullmm. */
export const G_FULLMM = 2;
/** start of the range, as a page number. */
export const G_START = 3;
/** end of the range, as a page number; -1 (~0) with fullmm, 0 for none. */
export const G_END = 4;
/** cleared_ptes and its kind, and freed_tables: the CLEARED_ bits. */
export const G_CLEARED = 5;
/** batch_count. */
export const G_BATCH_COUNT = 6;
/** The table batch. */
export const G_TABLES = 7;
/** The active batch; -1 is the one on the stack. */
export const G_ACTIVE = 8;
/** local.next. */
export const G_LOCAL_NEXT = 9;
/** local.nr. */
export const G_LOCAL_NR = 10;
/** delayed_rmap. */
export const G_DELAYED = 11;
/** page_size. */
export const G_PAGE_SIZE = 20;
/** The entries on the stack. */
export const G_LOCAL = 12;

/** cleared_ptes. */
export const CLEARED_PTES = 1;
/** cleared_pmds. */
export const CLEARED_PMDS = 2;
/** cleared_puds. */
export const CLEARED_PUDS = 4;
/** cleared_p4ds. */
export const CLEARED_P4DS = 8;
/** freed_tables. */
export const FREED_TABLES = 16;

/** Batch page: next. */
const B_NEXT = 0;
/** Batch page: nr. */
const B_NR = 1;
/** Batch page: first entry. */
const B_ENTRIES = 2;
/** ENCODED_PAGE_BIT_NR_PAGES_NEXT: the next entry says how many pages. */
const NR_PAGES_NEXT = 1 << 24;
/** An entry that is put at once. */
const ENTRY = new Int32Array(2);
/** TASK_SIZE, as a page number. */
const TASK_END = 0x7fff_ffff;

const GFP_NOWAIT = GFP_FLAGS["GFP_NOWAIT"] as number;

/** The words of a gather that is in use; any other is a BUG, whatever the configuration: its memory is gone. */
function gatherWord(k: Kernel, tlb: number): number {
  const g = tlb * GATHER_WORDS;
  if (tlb >>> 0 >= MAX_GATHERS || k.gathers[g + G_USED]! === 0) bug(k, C_GATHER_INACTIVE, -1);
  return g;
}

/** `__tlb_reset_range`. With fullmm the range is everything, so that it never looks empty. */
function resetRange(k: Kernel, g: number): void {
  const gathers = k.gathers;
  if (gathers[g + G_FULLMM]! !== 0) {
    gathers[g + G_START] = -1;
    gathers[g + G_END] = -1;
  } else {
    gathers[g + G_START] = TASK_END;
    gathers[g + G_END] = 0;
  }
  gathers[g + G_CLEARED] = 0;
}

/** Starts a gather (`mm/mmu_gather.c:__tlb_gather_mmu`); NULL where all are in use (a limit of the model). */
export function tlb_gather_mmu(k: Kernel, mm: number, fullmm: boolean): number {
  const gathers = k.gathers;
  for (let tlb = 0; tlb < MAX_GATHERS; tlb++) {
    const g = tlb * GATHER_WORDS;
    if (gathers[g + G_USED]! !== 0) continue;
    gathers[g + G_USED] = 1;
    gathers[g + G_MM] = mm;
    gathers[g + G_FULLMM] = fullmm ? 1 : 0;
    gathers[g + G_LOCAL_NEXT] = NULL;
    gathers[g + G_LOCAL_NR] = 0;
    gathers[g + G_ACTIVE] = NULL;
    gathers[g + G_BATCH_COUNT] = 0;
    gathers[g + G_TABLES] = NULL;
    gathers[g + G_DELAYED] = 0;
    gathers[g + G_PAGE_SIZE] = 0;
    resetRange(k, g);
    const pending = k.tlbFlushPending;
    pending[mm & (MAX_MMS - 1)] = pending[mm & (MAX_MMS - 1)]! + 1;
    return tlb;
  }
  return NULL;
}

/**
 * Widens the range and notes what was cleared
 * (`include/asm-generic/tlb.h:__tlb_adjust_range`, tlb_flush_pte_range and its kind).
 *
 * @param cleared CLEARED_ bits
 */
export function tlb_adjust_range(k: Kernel, tlb: number, address: number, size: number, cleared: number): void {
  const g = gatherWord(k, tlb);
  const gathers = k.gathers;
  const first = address >>> 12;
  // A range that ends at 0 is empty; any other ends at 1 or later.
  const end = ((address >>> 0) + (size >>> 0) + 4095) / 4096 | 0;
  if (gathers[g + G_START]! >>> 0 > first) gathers[g + G_START] = first;
  if (gathers[g + G_END]! >>> 0 < end) gathers[g + G_END] = end;
  gathers[g + G_CLEARED] = gathers[g + G_CLEARED]! | cleared;
}

/** Flushes the TLB where something was cleared, and starts an empty range (`include/asm-generic/tlb.h:tlb_flush_mmu_tlbonly`). */
export function tlb_flush_mmu_tlbonly(k: Kernel, tlb: number): void {
  const g = gatherWord(k, tlb);
  const gathers = k.gathers;
  if (gathers[g + G_CLEARED]! === 0) return;
  const whole = gathers[g + G_FULLMM]! !== 0;
  event(k, EV_TLB_FLUSH, gathers[g + G_MM]!, whole ? 0 : gathers[g + G_START]!, whole ? -1 : gathers[g + G_END]!);
  resetRange(k, g);
}

/**
 * The next batch for pages: one that is there already, or a new page
 * (`mm/mmu_gather.c:tlb_next_batch`). False where there is none, by the limit
 * or for want of memory: the caller has to flush.
 */
export function tlb_next_batch(k: Kernel, tlb: number): boolean {
  const g = gatherWord(k, tlb);
  const gathers = k.gathers;
  const batches = k.batches;
  const active = gathers[g + G_ACTIVE]!;
  if (active !== NULL) mustBeBatch(k, active);
  const next = active === NULL ? gathers[g + G_LOCAL_NEXT]! : batches[active * UNITS + B_NEXT]!;
  if (next !== NULL) {
    mustBeBatch(k, next);
    gathers[g + G_ACTIVE] = next;
    return true;
  }
  if (gathers[g + G_BATCH_COUNT]! === MAX_GATHER_BATCH_COUNT) return false;
  const batch = batchPage(k, 1);
  if (batch === NULL) return false;
  gathers[g + G_BATCH_COUNT] = gathers[g + G_BATCH_COUNT]! + 1;
  batches[batch * UNITS + B_NEXT] = NULL;
  batches[batch * UNITS + B_NR] = 0;
  if (active === NULL) gathers[g + G_LOCAL_NEXT] = batch;
  else batches[active * UNITS + B_NEXT] = batch;
  gathers[g + G_ACTIVE] = batch;
  return true;
}

/**
 * A page for a batch, with GFP_NOWAIT: NULL happens.
 *
 * @param which 1 for pages, 2 for tables; also the bit of `failNext`
 */
function batchPage(k: Kernel, which: number): number {
  let addr = NULL;
  if ((k.failNext & (1 << which)) !== 0) k.failNext &= ~(1 << which);
  else addr = k.__get_free_pages(k, GFP_NOWAIT, 0);
  if (addr === NULL) {
    event(k, EV_NO_BATCH, which, 0, 0);
    return NULL;
  }
  const page = k.virt_to_page(k, addr);
  const was = k.wasBatch[page]!;
  if (was === 0) k.batchPages[k.nBatchPages++] = page;
  // Who freed a batch that a gather still uses has given it to two: each writes over the other's.
  k.wasBatch[page] = was === 0 || was === BATCH_GIVEN_BACK ? BATCH_PAGE : BATCH_OVERWRITTEN;
  event(k, EV_BATCH_PAGE, page, which - 1, 0);
  return page;
}

/** A batch page that is about to be read or written: what is not its own any more leads anywhere. */
function mustBeBatch(k: Kernel, page: number): void {
  if (page >>> 0 >= k.nrPages || k.wasBatch[page] === BATCH_OVERWRITTEN) bug(k, C_OOPS_BATCH, page);
  k.mem[k.map.contents + page] = STALE;
}

/** Gives a batch page back. */
function freeBatchPage(k: Kernel, page: number): void {
  event(k, EV_BATCH_FREE, page, 0, 0);
  k.wasBatch[page] = BATCH_GIVEN_BACK;
  k.free_pages(k, k.page_to_virt(k, page), 0);
}

/** Puts a page into the active batch, and answers how many are in it then. */
function enqueue(k: Kernel, g: number, page: number): number {
  const gathers = k.gathers;
  const active = gathers[g + G_ACTIVE]!;
  if (active === NULL) {
    const nr = gathers[g + G_LOCAL_NR]!;
    gathers[g + G_LOCAL + nr] = page;
    gathers[g + G_LOCAL_NR] = nr + 1;
    return nr + 1;
  }
  mustBeBatch(k, active);
  const batches = k.batches;
  const b = active * UNITS;
  const nr = batches[b + B_NR]!;
  if (nr >>> 0 >= MAX_GATHER_BATCH) bug(k, C_OOPS_BATCH, active);
  batches[b + B_ENTRIES + nr] = page;
  batches[b + B_NR] = nr + 1;
  return nr + 1;
}

/** nr of the active batch. */
function activeNr(k: Kernel, g: number): number {
  const active = k.gathers[g + G_ACTIVE]!;
  return active === NULL ? k.gathers[g + G_LOCAL_NR]! : k.batches[active * UNITS + B_NR]!;
}

/** max of the active batch. */
function activeMax(k: Kernel, g: number): number {
  return k.gathers[g + G_ACTIVE]! === NULL ? MMU_GATHER_BUNDLE : MAX_GATHER_BATCH;
}

/**
 * Queues a page, true where the caller has to flush
 * (`mm/mmu_gather.c:__tlb_remove_page_size`, 6.1): a batch is full at max.
 * NO_GATHER (s390) has flushed at unmap and frees at once.
 */
export function __tlb_remove_page_size(k: Kernel, tlb: number, page: number): boolean {
  const g = gatherWord(k, tlb);
  if (k.noGather) return putNow(k, page);
  if (k.debugVm && k.gathers[g + G_END]! === 0) bug(k, C_GATHER_END, -1);
  event(k, EV_QUEUED, page, 1, 0);
  if (enqueue(k, g, page) === activeMax(k, g) && !k.tlb_next_batch(k, tlb)) return true;
  if (k.debugVm && activeNr(k, g) > activeMax(k, g)) bug(k, C_GATHER_NR, page);
  return false;
}

/**
 * {@linkcode __tlb_remove_page_size} of 6.12 (`__tlb_remove_folio_pages_size`):
 * there must always be room for a page and a count, so a batch is full one
 * entry earlier: after 7 on the stack, 509 in a page.
 */
export function __tlb_remove_page_size_6_12(k: Kernel, tlb: number, page: number): boolean {
  const g = gatherWord(k, tlb);
  if (k.noGather) return putNow(k, page);
  return removeFolioPages(k, tlb, g, page, 1);
}

/**
 * Queues so many pages of a folio, which the caller maps as often; 1 where he has
 * to flush (`mm/mmu_gather.c:__tlb_remove_folio_pages_size`, 6.12). More than one
 * take two entries: the page with a flag, and their number.
 */
export function __tlb_remove_folio_pages(k: Kernel, tlb: number, page: number, nr: number): number {
  const g = gatherWord(k, tlb);
  if (!k.noGather) return removeFolioPages(k, tlb, g, page, nr) ? 1 : 0;
  // s390's own: one folio is put at once.
  event(k, EV_QUEUED, page, nr, 0);
  ENTRY[0] = page | NR_PAGES_NEXT;
  ENTRY[1] = nr;
  k.free_pages_and_swap_cache(k, ENTRY, 0, 2);
  return 0;
}

function removeFolioPages(k: Kernel, tlb: number, g: number, page: number, nr: number): boolean {
  if (k.debugVm && k.gathers[g + G_END]! === 0) bug(k, C_GATHER_END, -1);
  let entries = enqueue(k, g, nr === 1 ? page : page | NR_PAGES_NEXT);
  if (nr !== 1) entries = enqueue(k, g, nr);
  event(k, EV_QUEUED, page, nr, 0);
  if (entries >= activeMax(k, g) - 1 && !k.tlb_next_batch(k, tlb)) return true;
  if (k.debugVm && activeNr(k, g) > activeMax(k, g) - 1) bug(k, C_GATHER_NR, page);
  return false;
}

/** s390's `__tlb_remove_page_size`. */
function putNow(k: Kernel, page: number): boolean {
  event(k, EV_QUEUED, page, 1, 0);
  event(k, EV_GATHER_PUT, page, 1, 0);
  k.free_page_and_swap_cache(k, page);
  return false;
}

/** Queues a page, and flushes where there is no room for another (`include/asm-generic/tlb.h:tlb_remove_page`). */
export function tlb_remove_page(k: Kernel, tlb: number, page: number): void {
  if (k.__tlb_remove_page_size(k, tlb, page)) k.tlb_flush_mmu(k, tlb);
}

/**
 * Queues a table (`mm/mmu_gather.c:tlb_remove_table`). Without
 * MMU_GATHER_TABLE_FREE it is a page like any other. Without a batch the TLB is
 * flushed and the table freed at once, after an IPI (`tlb_remove_table_one`):
 * enough for walkers with interrupts off, not a grace period.
 */
export function tlb_remove_table(k: Kernel, tlb: number, table: number): void {
  removeTable(k, tlb, table, k.needsTableInvalidate, false);
}

/** {@linkcode tlb_remove_table} before d86564a2f085 (B13): without a batch nothing is flushed. */
export function tlb_remove_table_without_B13(k: Kernel, tlb: number, table: number): void {
  removeTable(k, tlb, table, false, false);
}

/**
 * Queues a table.
 *
 * @param invalidate without a batch, flush first
 * @param deferred without a batch, leave it to RCU (PT_RECLAIM)
 */
function removeTable(k: Kernel, tlb: number, table: number, invalidate: boolean, deferred: boolean): void {
  if (!k.tableFree) {
    k.tlb_remove_page(k, tlb, table);
    return;
  }
  const g = gatherWord(k, tlb);
  event(k, EV_QUEUED, table, 1, 0);
  const gathers = k.gathers;
  const batches = k.batches;
  const nrAt = k.rcuTableFree ? 2 : 0;
  let batch = gathers[g + G_TABLES]!;
  if (batch === NULL) {
    batch = batchPage(k, 2);
    gathers[g + G_TABLES] = batch;
    if (batch === NULL) {
      if (invalidate) k.tlb_flush_mmu_tlbonly(k, tlb);
      if (deferred) return tlb_remove_table_one_rcu(k, table);
      k.tlb_remove_table_sync_one(k);
      event(k, EV_TABLE, table, 1, 0);
      k.__tlb_remove_table(k, table);
      return;
    }
    batches[batch * UNITS + nrAt] = 0;
  }
  mustBeBatch(k, batch);
  const b = batch * UNITS + nrAt;
  const nr = batches[b]!;
  if (nr >>> 0 >= k.maxTableBatch) bug(k, C_OOPS_BATCH, batch);
  batches[b + 1 + nr] = table;
  batches[b] = nr + 1;
  if (nr + 1 === k.maxTableBatch) k.tlb_table_flush(k, tlb);
}

/**
 * {@linkcode tlb_remove_table} since 6.14 (`include/asm-generic/tlb.h`): where tables are
 * pages, the destructor runs before the page is queued, elsewhere at the end.
 */
export function tlb_remove_table_6_14(k: Kernel, tlb: number, table: number): void {
  if (!k.tableFree) dtorInside(k, k.ptdesc_page(k, table), 0, k.pagetable_dtor);
  removeTable(k, tlb, table, k.needsTableInvalidate, k.ptReclaim);
}

/**
 * Frees a p4d table (`include/asm-generic/tlb.h`, arch/s390/include/asm/tlb.h,
 * arch/x86/include/asm/pgalloc.h): where the level is folded it is the pgd, which
 * pgd_free frees. Every mm has three levels here.
 */
export function p4d_free_tlb(_k: Kernel, _tlb: number, _p4d: number, _address: number): void {}

/** {@linkcode p4d_free_tlb} for the pud table. */
export function pud_free_tlb(_k: Kernel, _tlb: number, _pud: number, _address: number): void {}

/** {@linkcode p4d_free_tlb} that does not ask whether the level is folded (B19). */
export function p4d_free_tlb_without_B19(k: Kernel, tlb: number, p4d: number, address: number): void {
  k.tlb_adjust_range(k, tlb, address, 4096, FREED_TABLES);
  k.tlb_remove_table(k, tlb, queuedAs(k, p4d));
}

/** {@linkcode pud_free_tlb} that does not ask whether the level is folded (B19). */
export function pud_free_tlb_without_B19(k: Kernel, tlb: number, pud: number, address: number): void {
  k.tlb_adjust_range(k, tlb, address, 4096, FREED_TABLES | CLEARED_P4DS);
  k.tlb_remove_table(k, tlb, queuedAs(k, pud));
}

/** A table's address as the architecture queues it. */
function queuedAs(k: Kernel, addr: number): number {
  return k.arch.tableKind === "virt" ? addr : k.virt_to_page(k, addr);
}

/** A flush that is no gather's (`flush_tlb_range` and its kind): mm -1 is all of them; every address with end -1. */
export function flush_tlb(k: Kernel, mm: number, start: number, end: number): void {
  const last = end < 0 ? -1 : (end + 4095) / 4096 | 0;
  event(k, EV_TLB_FLUSH, mm, start >>> 12, last);
}

/** Flushes before pages of another size are queued (`include/asm-generic/tlb.h:tlb_change_page_size`). */
export function tlb_change_page_size(k: Kernel, tlb: number, size: number): void {
  const g = gatherWord(k, tlb);
  if (!k.gatherPageSize) return;
  const gathers = k.gathers;
  const before = gathers[g + G_PAGE_SIZE]!;
  if (before !== 0 && before !== size && gathers[g + G_FULLMM]! === 0) k.tlb_flush_mmu(k, tlb);
  gathers[g + G_PAGE_SIZE] = size;
}

/** Whether rmap removal is put off until after the flush: batches are limited then (`tlb_delay_rmap`; s390 has none). */
export function tlb_delay_rmap(k: Kernel, tlb: number): number {
  const g = gatherWord(k, tlb);
  if (k.noGather) return 0;
  k.gathers[g + G_DELAYED] = 1;
  return 1;
}

/** The flush is done: mappings are removed (`mm/mmu_gather.c:tlb_flush_rmaps`). Map counts are not modelled. */
export function tlb_flush_rmaps(k: Kernel, tlb: number): void {
  k.gathers[gatherWord(k, tlb) + G_DELAYED] = 0;
}

/** {@linkcode tlb_next_batch} since 6.2: with rmap removals pending there is one batch beside that on the stack. */
export function tlb_next_batch_6_6(k: Kernel, tlb: number): boolean {
  const g = gatherWord(k, tlb);
  if (k.gathers[g + G_DELAYED]! !== 0 && k.gathers[g + G_ACTIVE]! !== NULL) return false;
  return tlb_next_batch(k, tlb);
}

/** Sends an IPI and waits for it (`mm/mmu_gather.c:tlb_remove_table_sync_one`); nothing where tables do not wait for RCU. */
export function tlb_remove_table_sync_one(k: Kernel): void {
  if (k.rcuTableFree) event(k, EV_IPI, 0, 0, 0);
}

/** {@linkcode tlb_remove_table} under the descriptor's name: it takes `void *` (`include/asm-generic/tlb.h`). */
export function tlb_remove_ptdesc(k: Kernel, tlb: number, pt: number): void {
  k.tlb_remove_table(k, tlb, pt);
}

/** {@linkcode tlb_remove_page} of the descriptor's page (`include/asm-generic/tlb.h`). */
export function tlb_remove_page_ptdesc(k: Kernel, tlb: number, pt: number): void {
  k.tlb_remove_page(k, tlb, k.ptdesc_page(k, pt));
}

/** {@linkcode tlb_remove_page_ptdesc} of frozen: a table that nobody can put is queued as a table. */
export function tlb_remove_page_ptdesc_frozen(k: Kernel, tlb: number, pt: number): void {
  k.tlb_remove_table(k, tlb, pt);
}

/** Hands the tables over: to RCU, or frees them (`mm/mmu_gather.c:tlb_table_flush`). */
export function tlb_table_flush(k: Kernel, tlb: number): void {
  const g = gatherWord(k, tlb);
  const batch = k.gathers[g + G_TABLES]!;
  if (batch === NULL) return;
  if (k.needsTableInvalidate) k.tlb_flush_mmu_tlbonly(k, tlb);
  if (k.rcuTableFree) {
    queueCallback(k, batch);
    if (k.armed >= 0) reachPoint(k, AFTER_CALL_RCU);
  } else {
    freeTables(k, batch);
  }
  k.gathers[g + G_TABLES] = NULL;
}

/** `__tlb_remove_table_free`. */
function freeTables(k: Kernel, batch: number): void {
  mustBeBatch(k, batch);
  const batches = k.batches;
  const b = batch * UNITS + (k.rcuTableFree ? 2 : 0);
  const nr = batches[b]!;
  if (nr >>> 0 > k.maxTableBatch) bug(k, C_OOPS_BATCH, batch);
  for (let i = 1; i <= nr; i++) {
    const table = batches[b + i]!;
    event(k, EV_TABLE, table, 0, 0);
    k.__tlb_remove_table(k, table);
  }
  freeBatchPage(k, batch);
}

/** A grace period ends: callbacks queued before it run, oldest first (`mm/mmu_gather.c:tlb_remove_table_rcu`). */
export function rcu_grace_period(k: Kernel): void {
  const nr = k.nRcu;
  endOfCallbacks(k);
  for (let i = 0; i < nr; i++) {
    const entry = k.rcuQueue[i]!;
    if (entry < NULL) runDeferred(k, entry, i + 1 < nr ? k.rcuQueue[i + 1]! : entry);
    else freeTables(k, entry);
  }
  // What a callback queued (powerpc's pte_free_now) waits for the next grace period.
  for (let i = nr + 1; i < k.nRcu; i++) k.rcuQueue[i - nr - 1] = k.rcuQueue[i]!;
  k.nRcu -= nr + 1;
}

/** Frees the queued pages, the batch on the stack first (`mm/mmu_gather.c:tlb_batch_pages_flush`). */
export function tlb_batch_pages_flush(k: Kernel, tlb: number): void {
  const g = gatherWord(k, tlb);
  const gathers = k.gathers;
  const batches = k.batches;
  let nr = gathers[g + G_LOCAL_NR]!;
  let batch = gathers[g + G_LOCAL_NEXT]!;
  if (nr !== 0) {
    k.free_pages_and_swap_cache(k, gathers, g + G_LOCAL, nr);
    gathers[g + G_LOCAL_NR] = 0;
    while (batch !== NULL) {
      mustBeBatch(k, batch);
      const b = batch * UNITS;
      nr = batches[b + B_NR]!;
      if (nr >>> 0 > MAX_GATHER_BATCH) bug(k, C_OOPS_BATCH, batch);
      if (nr === 0) break;
      k.free_pages_and_swap_cache(k, batches, b + B_ENTRIES, nr);
      batches[b + B_NR] = 0;
      batch = batches[b + B_NEXT]!;
    }
  }
  gathers[g + G_ACTIVE] = NULL;
}

/** TLB, then tables, then pages (`mm/mmu_gather.c:tlb_flush_mmu`). */
export function tlb_flush_mmu(k: Kernel, tlb: number): void {
  k.tlb_flush_mmu_tlbonly(k, tlb);
  if (k.tableFree) k.tlb_table_flush(k, tlb);
  if (!k.noGather) k.tlb_batch_pages_flush(k, tlb);
}

/**
 * Flushes and ends a gather (`mm/mmu_gather.c:tlb_finish_mmu`). When another
 * gather works on the same mm, everything is flushed, as for fullmm.
 */
export function tlb_finish_mmu(k: Kernel, tlb: number): void {
  const g = gatherWord(k, tlb);
  const gathers = k.gathers;
  const mm = gathers[g + G_MM]! & (MAX_MMS - 1);
  if (k.tlbFlushPending[mm]! > 1) {
    gathers[g + G_FULLMM] = 1;
    resetRange(k, g);
    gathers[g + G_CLEARED] = FREED_TABLES;
  }
  k.tlb_flush_mmu(k, tlb);
  if (!k.noGather) batchListFree(k, g);
  k.tlbFlushPending[mm] = k.tlbFlushPending[mm]! - 1;
  gathers[g + G_USED] = 0;
}

/** `tlb_batch_list_free`. A list longer than its limit was overwritten and may have no end. */
function batchListFree(k: Kernel, g: number): void {
  let batch = k.gathers[g + G_LOCAL_NEXT]!;
  for (let i = 0; batch !== NULL; i++) {
    if (i === MAX_GATHER_BATCH_COUNT) bug(k, C_OOPS_BATCH, batch);
    mustBeBatch(k, batch);
    const next = k.batches[batch * UNITS + B_NEXT]!;
    freeBatchPage(k, batch);
    batch = next;
  }
  k.gathers[g + G_LOCAL_NEXT] = NULL;
}

/** put_page of the page's folio (`mm/swap_state.c:free_page_and_swap_cache`); there is no swap cache. */
export function free_page_and_swap_cache(k: Kernel, page: number): void {
  k.put_page(k, page);
}

/**
 * Puts every page of a batch (`mm/swap_state.c:free_pages_and_swap_cache`,
 * `mm/swap.c:release_pages`, 6.1). A reference that is not there is a BUG.
 * Compound blocks are freed at once; single pages wait on a list through their
 * `lru`, to which each is added in front, so they are freed last one first.
 */
export function free_pages_and_swap_cache(k: Kernel, pages: Int32Array, first: number, nr: number): void {
  const head = k.map.pgdList + PAGES_TO_FREE;
  const mem = k.mem;
  mem[head] = head << 2;
  mem[head + LIST_PREV] = head << 2;
  for (let i = first; i < first + nr; i++) {
    const page = pages[i]!;
    const folio = k.compound_head(k, page);
    event(k, EV_GATHER_PUT, page, 1, 0);
    if (!k.put_page_testzero(k, folio)) continue;
    if (k.PageHead(k, folio) !== 0) k.__folio_put(k, folio);
    else list_add(k, folio, head);
  }
  freeUnrefPageList(k, head);
}

/** `mm/page_alloc.c:free_unref_page_list` (6.1): all are prepared, then those that are fit are freed. */
function freeUnrefPageList(k: Kernel, head: number): void {
  const mem = k.mem;
  const end = head << 2;
  let steps = 0;
  for (let node = mem[head]!; node !== end;) {
    if (++steps > MAX_GATHER_BATCH) bug(k, C_OOPS_LIST, -1);
    const page = pageOfNode(k, node);
    node = mem[(page << PAGE_WORDS_SHIFT) + W_LRU_NEXT]!;
    if (!k.free_pages_prepare(k, page, 0, k.debugVm)) list_del(k, page);
    else k.set_pcppage_migratetype(k, page);
  }
  steps = 0;
  for (let node = mem[head]!; node !== end;) {
    if (++steps > MAX_GATHER_BATCH) bug(k, C_OOPS_LIST, -1);
    const page = pageOfNode(k, node);
    node = mem[(page << PAGE_WORDS_SHIFT) + W_LRU_NEXT]!;
    list_del(k, page);
    if (k.bulkfree_pcp_prepare(k, page)) continue;
    k.__free_one_page(k, page, page_zone(k, page), 0, false);
  }
}

/**
 * {@linkcode free_pages_and_swap_cache} of 6.12: in folio batches of 31, whose
 * heads are looked up before the first is put. `folios_put_refs` does not ask
 * whether there is a reference to drop.
 */
export function free_pages_and_swap_cache_6_12(k: Kernel, pages: Int32Array, first: number, nr: number): void {
  const batch = k.folioBatch;
  const end = first + nr;
  let n = 0;
  for (let i = first; i < end; i++) {
    const entry = pages[i]!;
    const page = entry & ~NR_PAGES_NEXT;
    batch[PAGEVEC_SIZE + n] = page;
    batch[2 * PAGEVEC_SIZE + n] = entry === page ? 1 : pages[++i]!;
    batch[n] = k.compound_head(k, page);
    if (++n < PAGEVEC_SIZE) continue;
    foliosPutRefs(k, batch, n);
    n = 0;
  }
  if (n > 0) foliosPutRefs(k, batch, n);
}

/** `mm/swap.c:folios_put_refs` (6.12). */
function foliosPutRefs(k: Kernel, batch: Int32Array, nr: number): void {
  const mem = k.mem;
  let left = 0;
  for (let i = 0; i < nr; i++) {
    const folio = batch[i]!;
    const refs = batch[2 * PAGEVEC_SIZE + i]!;
    event(k, EV_GATHER_PUT, batch[PAGEVEC_SIZE + i]!, refs, 0);
    const w = (folio << PAGE_WORDS_SHIFT) + W_REFCOUNT;
    const ref = mem[w]! - refs;
    mem[w] = ref;
    if (ref === 0) batch[left++] = folio;
  }
  if (k.memcg) {
    for (let i = 0; i < left; i++) mem_cgroup_uncharge(k, batch[i]!);
  }
  freeUnrefFolios(k, batch, left);
}

/** `mm/page_alloc.c:free_unref_folios` (6.12): all are prepared and keep their order in `private`, large ones freed on the way, then the rest. */
function freeUnrefFolios(k: Kernel, batch: Int32Array, nr: number): void {
  const mem = k.mem;
  let left = 0;
  for (let i = 0; i < nr; i++) {
    const folio = batch[i]!;
    const order = k.compound_order(k, folio);
    if (!k.free_pages_prepare(k, folio, order, true)) continue;
    if (order > PAGE_ALLOC_COSTLY_ORDER) {
      free_one_page(k, folio, order, false);
      continue;
    }
    batch[left++] = folio;
    mem[(folio << PAGE_WORDS_SHIFT) + W_PRIVATE] = order;
    mem[(folio << PAGE_WORDS_SHIFT) + W_PRIVATE + 1] = 0;
  }
  for (let i = 0; i < left; i++) {
    const folio = batch[i]!;
    // A folio that is in the batch twice has lost its order by the second time, or has a free block's.
    const w = (folio << PAGE_WORDS_SHIFT) + W_PRIVATE;
    const order = mem[w]!;
    mem[w] = 0;
    mem[w + 1] = 0;
    throughPcpList(k, folio);
    k.__free_one_page(k, folio, page_zone(k, folio), order, false);
  }
}
