/**
 * Page tables that are freed later: by RCU one by one, and those of the kernel by
 * a worker once the IOMMUs have forgotten them.
 *
 * `pte_free_defer` and `pte_free_now` were read in mm/pgtable-generic.c of 6.12. What
 * is 6.19's (`CONFIG_ASYNC_KERNEL_PGTABLE_FREE`, 5ba2f0a15564 "mm: introduce deferred
 * freeing for kernel page tables") is known from the commit, and so is
 * `__tlb_remove_table_one` with `CONFIG_PT_RECLAIM` (6.14).
 *
 * A callback that is queued for RCU stands in `k.rcuQueue` among the gathers'
 * batches, which are pages (0 and up): -2 and every second below it is a page whose
 * `pte_free_now` runs, -3 and every second below it one for `__tlb_remove_table`.
 * Its rcu_head lies over the descriptor's `lru`, and RCU's list goes through there:
 * who queues a callback writes its address into the one before, whatever became of
 * that one's page. kernel/rcu/tiny.c:call_rcu, rcu_process_callbacks of 6.1 and 6.12
 * (and rcu_reclaim_tiny: the function is cleared before it is called);
 * kernel/rcu/rcu_segcblist.c and rcu_do_batch of tree.c link and clear alike.
 *
 * @module
 */
import * as $events from "../memory/events.ts";
import * as $memMap from "../memory/mem_map.ts";
import * as $words from "../memory/words.ts";
import * as $checks from "./checks.ts";
import * as $ctor from "./ctor.ts";
import type { Kernel } from "./kernel.ts";
import * as $list from "./list.ts";

const { EV_DEFERRED, EV_IOTLB_FLUSH, EV_TABLE } = $events;
const { KERNEL_PGTABLES } = $memMap;
const { PAGE_OFFSET, PAGE_WORDS_SHIFT, W_FLAGS, W_LRU_NEXT, W_LRU_PREV } = $words;
const { bug, C_OOPS_BATCH, C_OOPS_LIST, C_OOPS_RCU, event, oops } = $checks;
const { dtorInside } = $ctor;
const { list_add, list_del, pageOfNode } = $list;

/** What stands for the address of a callback in an rcu_head: no list goes through it. */
export const RCU_CALLBACK = 0x3100_0000;
/** What stands for the address of the rcu_head of whoever waits for a grace period. */
export const RCU_OTHERS = 0x3200_0000;
/** PT_kernel: PG_referenced (include/linux/page-flags.h of 6.12, bit 2). It is not in PAGE_FLAGS_CHECK_AT_FREE. */
export const PT_KERNEL: number = 1 << 2;

/** `call_rcu` on a descriptor's pt_rcu_head, wherever the descriptor lies. */
export function call_rcu(k: Kernel, pt: number, entry: number): void {
  const w = pt << PAGE_WORDS_SHIFT;
  if (w < 0 || w >= k.mem.length) oops(k, pt);
  k.mem[w + W_LRU_NEXT] = 0;
  k.mem[w + W_LRU_NEXT + 1] = 0;
  k.mem[w + W_LRU_PREV] = RCU_CALLBACK;
  k.mem[w + W_LRU_PREV + 1] = 0;
  queueCallback(k, entry);
}

/** Puts a callback at the end of RCU's list. */
export function queueCallback(k: Kernel, entry: number): void {
  if (k.nRcu >= k.rcuQueue.length) bug(k, C_OOPS_BATCH, -1);
  if (k.nRcu > 0) linkFrom(k, k.rcuQueue[k.nRcu - 1]!, rcuHead(k, entry));
  k.rcuQueue[k.nRcu++] = entry;
}

/** The address of an entry's rcu_head: a batch begins with it. */
function rcuHead(k: Kernel, entry: number): number {
  return entry >= 0 ? k.page_to_virt(k, entry) : wordOf(k, entry) << 2;
}

/** The word at which an entry's rcu_head begins, that is no batch's. */
function wordOf(k: Kernel, entry: number): number {
  const n = -2 - entry;
  const page = n >> 1;
  return (((n & 1) !== 0 ? page : k.page_ptdesc(k, page)) << PAGE_WORDS_SHIFT) + W_LRU_NEXT;
}

/** Writes `next` of an entry's rcu_head; a batch's lies in the batch. */
function linkFrom(k: Kernel, entry: number, next: number): void {
  if (entry >= 0) return;
  const w = wordOf(k, entry);
  k.mem[w] = next;
  k.mem[w + 1] = 0;
}

/**
 * A grace period is waited for: behind the callbacks that are there comes the waiter's,
 * and what is queued from now on is linked from that one, which is no page's.
 */
export function endOfCallbacks(k: Kernel): void {
  if (k.nRcu > 0) linkFrom(k, k.rcuQueue[k.nRcu - 1]!, RCU_OTHERS);
  k.rcuQueue[k.nRcu++] = 0;
}

/** Frees a PTE table after a grace period (`mm/pgtable-generic.c:pte_free_defer`). */
export function pte_free_defer(k: Kernel, pgtable: number): void {
  // pgtable_t is a page, or (s390) an address.
  const page = pgtable >= PAGE_OFFSET ? k.virt_to_page(k, pgtable) : pgtable;
  if (page >>> 0 >= k.nrPages) oops(k, page);
  call_rcu(k, k.page_ptdesc(k, page), -2 - 2 * page);
}

/** `__tlb_remove_table_one` with CONFIG_PT_RECLAIM: a table for which there was no batch waits for a grace period too. */
export function tlb_remove_table_one_rcu(k: Kernel, table: number): void {
  call_rcu(k, table, -3 - 2 * table);
}

/**
 * Runs a callback that is no batch's.
 *
 * @param after the entry behind it; its own where it is the last
 */
export function runDeferred(k: Kernel, entry: number, after: number): void {
  const n = -2 - entry;
  const w = wordOf(k, entry);
  const next = after === entry ? RCU_OTHERS : rcuHead(k, after);
  // Who stored over it has RCU call something else, and go on somewhere else.
  if (k.mem[w] !== next || k.mem[w + 2] !== RCU_CALLBACK) bug(k, C_OOPS_RCU, n >> 1);
  k.mem[w + 2] = 0;
  k.mem[w + 3] = 0;
  const page = n >> 1;
  if ((n & 1) !== 0) {
    event(k, EV_TABLE, page, 0, 0);
    k.__tlb_remove_table(k, page);
    return;
  }
  // pte_free_now: pte_free() is the destructor and pagetable_free().
  const pt = k.page_ptdesc(k, page);
  dtorInside(k, pt, 1, k.pagetable_pte_dtor);
  event(k, EV_DEFERRED, page, 0, 0);
  k.pagetable_free(k, pt);
}

/** Marks a table as the kernel's own (`include/linux/mm.h:ptdesc_set_kernel`, 6.19). */
export function ptdesc_set_kernel(k: Kernel, pt: number): void {
  const page = k.ptdesc_page(k, pt);
  if (page >>> 0 >= k.nrPages) oops(k, page);
  k.mem[(page << PAGE_WORDS_SHIFT) + W_FLAGS]! |= PT_KERNEL;
}

/**
 * `pagetable_free` of 6.19: a table of the kernel is queued through pt_list for a
 * worker (`pagetable_free_kernel`), where CONFIG_ASYNC_KERNEL_PGTABLE_FREE is set.
 */
export function pagetable_free_async(k: Kernel, pt: number): void {
  const page = k.ptdesc_page(k, pt);
  if (page >>> 0 >= k.nrPages) oops(k, page);
  const w = page << PAGE_WORDS_SHIFT;
  if ((k.mem[w + W_FLAGS]! & PT_KERNEL) === 0) return k.__pagetable_free(k, pt);
  k.mem[w + W_FLAGS]! &= ~PT_KERNEL;
  if (!k.asyncKernelFree) return k.__pagetable_free(k, pt);
  list_add(k, page, k.map.pgdList + KERNEL_PGTABLES);
}

/**
 * The worker (`mm/pgtable-generic.c:kernel_pgtable_work_func`): takes the list, has
 * the IOMMUs forget all kernel addresses (`iommu_sva_invalidate_kva_range`), and
 * frees what was on it.
 */
export function kernel_pgtable_work_func(k: Kernel): void {
  const head = k.map.pgdList + KERNEL_PGTABLES;
  const mem = k.mem;
  if (mem[head] === head << 2) return;
  event(k, EV_IOTLB_FLUSH, 0, 0, 0);
  for (let steps = 0; mem[head] !== head << 2; steps++) {
    if (steps > k.nrPages) bug(k, C_OOPS_LIST, -1);
    const page = pageOfNode(k, mem[head]!);
    list_del(k, page);
    event(k, EV_DEFERRED, page, 0, 0);
    k.__pagetable_free(k, page);
  }
}
