/**
 * Split page-table locks: one for each table of PTEs, and of PMDs where the
 * architecture says so, in place of `mm->page_table_lock`.
 *
 * Read in include/linux/mm.h (ptlock_init, pmd_ptlock_init, pmd_ptlock_free) and
 * mm/memory.c (ptlock_alloc, ptlock_free) of 6.1 and 6.12, 6.14's ptlock_free in
 * db6b435d731a. The lock lies in the descriptor (`ptl`, over `private`), or, where
 * a spinlock is larger than a word (lockdep, PREEMPT_RT), in a slab object that
 * `ptl` points at (ALLOC_SPLIT_PTLOCKS). CONFIG_TRANSPARENT_HUGEPAGE is taken to
 * be set wherever PMD locks are split.
 *
 * The slab (`page_ptl_cachep`) hands every object out once: which one comes next is
 * nothing that a table may depend on.
 *
 * @module
 */
import * as $memMap from "../memory/mem_map.ts";
import * as $words from "../memory/words.ts";
import * as $checks from "./checks.ts";
import type { Kernel } from "./kernel.ts";

const { LOCK_ADDRESS, LOCK_FREED, LOCK_LIVE, LOCK_SIZE, MAX_LOCKS } = $memMap;
const { PAGE_WORDS_SHIFT, W_LRU_PREV, W_PRIVATE } = $words;
const { bug, C_OOPS_LOCK, C_PMD_HUGE_PTE, C_PTL_USED, oops } = $checks;

/** Bit of `failNext`: FAILABLE of the call table. */
const FAIL_PTLOCK = 1 << 3;

/** The lock's object, from a pointer; an oops where it points at none. */
function lockAt(k: Kernel, pointer: number, pt: number): number {
  const lock = (pointer - LOCK_ADDRESS) / LOCK_SIZE;
  if (lock >>> 0 !== lock || lock >= MAX_LOCKS || k.locks[lock] !== LOCK_LIVE) bug(k, C_OOPS_LOCK, pt);
  return lock;
}

/** Makes a table's lock ready (`include/linux/mm.h:ptlock_init`): false where the slab has none. */
export function ptlock_init(k: Kernel, pt: number): boolean {
  if (pt >>> 0 >= k.ptdescEnd) oops(k, pt);
  if (!k.splitPte) return true;
  const w = (pt << PAGE_WORDS_SHIFT) + W_PRIVATE;
  if (k.debugVm && (k.mem[w]! | k.mem[w + 1]!) !== 0) bug(k, C_PTL_USED, pt);
  if (k.allocPtlocks) return k.ptlock_alloc(k, pt);
  // spin_lock_init: four bytes.
  k.mem[w] = 0;
  return true;
}

/** Takes a lock out of the slab (`mm/memory.c:ptlock_alloc`). */
export function ptlock_alloc(k: Kernel, pt: number): boolean {
  if ((k.failNext & FAIL_PTLOCK) !== 0) {
    k.failNext &= ~FAIL_PTLOCK;
    return false;
  }
  const lock = k.nLocks++ & (MAX_LOCKS - 1);
  k.locks[lock] = LOCK_LIVE;
  const w = (pt << PAGE_WORDS_SHIFT) + W_PRIVATE;
  k.mem[w] = LOCK_ADDRESS + lock * LOCK_SIZE;
  k.mem[w + 1] = 0;
  return true;
}

/**
 * Gives a lock back (`mm/memory.c:ptlock_free`, 6.1 and 6.12). `ptl` keeps pointing
 * at it, and nobody asks whether there is one.
 */
export function ptlock_free(k: Kernel, pt: number): void {
  if (pt >>> 0 >= k.ptdescEnd) oops(k, pt);
  if (!k.allocPtlocks) return;
  k.locks[lockAt(k, k.mem[(pt << PAGE_WORDS_SHIFT) + W_PRIVATE]!, pt)] = LOCK_FREED;
}

/** {@linkcode ptlock_free} since db6b435d731a (6.14): a table without a lock is fine, and `ptl` is NULL afterwards. */
export function ptlock_free_6_14(k: Kernel, pt: number): void {
  if (pt >>> 0 >= k.ptdescEnd) oops(k, pt);
  if (!k.allocPtlocks) return;
  const w = (pt << PAGE_WORDS_SHIFT) + W_PRIVATE;
  if ((k.mem[w]! | k.mem[w + 1]!) === 0) return;
  k.locks[lockAt(k, k.mem[w]!, pt)] = LOCK_FREED;
  k.mem[w] = 0;
  k.mem[w + 1] = 0;
}

/** `include/linux/mm.h:pmd_ptlock_init`: without split PMD locks it does nothing. */
export function pmd_ptlock_init(k: Kernel, pt: number): boolean {
  if (pt >>> 0 >= k.ptdescEnd) oops(k, pt);
  if (!k.splitPmd) return true;
  const w = (pt << PAGE_WORDS_SHIFT) + W_LRU_PREV;
  k.mem[w] = 0;
  k.mem[w + 1] = 0;
  return k.ptlock_init(k, pt);
}

/** `include/linux/mm.h:pmd_ptlock_free`: a deposited table that was never withdrawn is a BUG, until 6.14. */
export function pmd_ptlock_free(k: Kernel, pt: number): void {
  if (pt >>> 0 >= k.ptdescEnd) oops(k, pt);
  if (!k.splitPmd) return;
  const w = (pt << PAGE_WORDS_SHIFT) + W_LRU_PREV;
  if (k.debugVm && (k.mem[w]! | k.mem[w + 1]!) !== 0) bug(k, C_PMD_HUGE_PTE, pt);
  k.ptlock_free(k, pt);
}

/** {@linkcode pmd_ptlock_free} since db6b435d731a (6.14): the destructor of all levels asks for no deposits. */
export function pmd_ptlock_free_6_14(k: Kernel, pt: number): void {
  k.ptlock_free(k, pt);
}
