/**
 * Doubly linked lists through `struct page` (`include/linux/list.h`).
 *
 * A pointer is 64 bits wide, so a store through a page's list also clears the
 * upper halves: on page 1 of a block these are counts. A pointer that cannot
 * be a node's (poison, NULL, an odd or huge value) is an oops, where a real
 * kernel would fault or write somewhere else.
 *
 * @module
 */
import * as $memMap from "../memory/mem_map.ts";
import * as $words from "../memory/words.ts";
import * as $checks from "./checks.ts";
import type { Kernel } from "./kernel.ts";

const { LIST_POISON1, LIST_POISON2, LIST_PREV } = $memMap;
const { PAGE_WORDS_SHIFT, W_LRU_NEXT, W_LRU_PREV } = $words;
const { bug, C_OOPS_LIST } = $checks;

/** Byte address of a page's list node. */
export function nodeOf(page: number): number {
  return ((page << PAGE_WORDS_SHIFT) + W_LRU_NEXT) << 2;
}

/** Whether a pointer may be followed. */
function isNode(k: Kernel, pointer: number): boolean {
  return pointer > 0 && pointer < k.listEnd && (pointer & 3) === 0;
}

/** `list_add` of a page after a head or another node (given as words). */
export function list_add(k: Kernel, page: number, head: number): void {
  const mem = k.mem;
  const next = mem[head]!;
  if (!isNode(k, next)) bug(k, C_OOPS_LIST, page);
  link(k, page, head << 2, next);
}

/** `list_add_tail` of a page before a head. */
export function list_add_tail(k: Kernel, page: number, head: number): void {
  const mem = k.mem;
  const prev = mem[head + LIST_PREV]!;
  if (!isNode(k, prev)) bug(k, C_OOPS_LIST, page);
  link(k, page, prev, head << 2);
}

function link(k: Kernel, page: number, prev: number, next: number): void {
  const mem = k.mem;
  const w = page << PAGE_WORDS_SHIFT;
  const node = (w + W_LRU_NEXT) << 2;
  store(k, (next >> 2) + LIST_PREV, node);
  mem[w + W_LRU_NEXT] = next;
  mem[w + W_LRU_NEXT + 1] = 0;
  mem[w + W_LRU_PREV] = prev;
  mem[w + W_LRU_PREV + 1] = 0;
  store(k, prev >> 2, node);
}

/** Stores a pointer: 64 bits in a page; the heads of lists have no upper halves here. */
function store(k: Kernel, word: number, pointer: number): void {
  k.mem[word] = pointer;
  if (word < k.map.zones) k.mem[word + 1] = 0;
}

/** `list_del` of a page, with poison. */
export function list_del(k: Kernel, page: number): void {
  const mem = k.mem;
  const w = page << PAGE_WORDS_SHIFT;
  const next = mem[w + W_LRU_NEXT]!;
  const prev = mem[w + W_LRU_PREV]!;
  if (!isNode(k, next) || !isNode(k, prev) || (mem[w + W_LRU_NEXT + 1]! | mem[w + W_LRU_PREV + 1]!) !== 0) {
    bug(k, C_OOPS_LIST, page);
  }
  store(k, (next >> 2) + LIST_PREV, prev);
  store(k, prev >> 2, next);
  mem[w + W_LRU_NEXT] = LIST_POISON1;
  mem[w + W_LRU_PREV] = LIST_POISON2;
}

/** The page that a list's pointer leads to. */
export function pageOfNode(k: Kernel, pointer: number): number {
  const page = pointer >> (PAGE_WORDS_SHIFT + 2);
  if ((pointer & ((4 << PAGE_WORDS_SHIFT) - 1)) !== W_LRU_NEXT << 2 || page >>> 0 >= k.ptdescEnd) {
    bug(k, C_OOPS_LIST, -1);
  }
  return page;
}

/**
 * What a stay on a per-CPU list leaves: the page was added in front
 * (`mm/page_alloc.c:free_unref_page_commit`) and deleted again
 * (`free_pcppages_bulk`), so its node is poison, and stays so where the page
 * merges into a block that begins elsewhere.
 */
export function throughPcpList(k: Kernel, page: number): void {
  const mem = k.mem;
  const w = page << PAGE_WORDS_SHIFT;
  mem[w + W_LRU_NEXT] = LIST_POISON1;
  mem[w + W_LRU_NEXT + 1] = 0;
  mem[w + W_LRU_PREV] = LIST_POISON2;
  mem[w + W_LRU_PREV + 1] = 0;
}
