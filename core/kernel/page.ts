/**
 * `struct page` as such: its head, its order, its address and its contents.
 * These lookups take the page's words as they are, which is the point of them:
 * a tail page has no head flag, and a block that is not compound no order.
 *
 * Read in include/linux/page-flags.h (compound_head, PageHead, PageTail,
 * PageCompound), include/linux/mm.h (compound_order, virt_to_head_page,
 * page_to_virt, page_address) and include/asm-generic/memory_model.h of 6.1 and
 * 6.12, which agree. `page_is_fake_head` (hugetlb's vmemmap) is not modelled.
 *
 * @module
 */
import * as $memMap from "../memory/mem_map.ts";
import * as $words from "../memory/words.ts";
import * as $checks from "./checks.ts";
import type { Kernel } from "./kernel.ts";

const { STALE, TABLE_ENTRIES, ZEROED } = $memMap;
const { NULL, PAGE_OFFSET, PAGE_SHIFT, PAGE_WORDS_SHIFT, STRUCT_PAGE_SHIFT, W_COMPOUND_HEAD, W_FLAGS } = $words;
const { bug, C_FLAGS_TAIL, C_OOPS_ADDRESS, oops } = $checks;

/**
 * The head of a tail page, else the page itself
 * (`include/linux/page-flags.h:_compound_head`): bit 0 decides, and nothing
 * checks that the head is one.
 */
export function compound_head(k: Kernel, page: number): number {
  if (page >>> 0 >= k.nrPages) oops(k, page);
  const head = k.mem[(page << PAGE_WORDS_SHIFT) + W_COMPOUND_HEAD]!;
  if ((head & 1) === 0) return page;
  const pfn = (head - 1) >> STRUCT_PAGE_SHIFT;
  if (pfn >>> 0 >= k.nrPages) oops(k, pfn);
  return pfn;
}

/**
 * The order of a head page (`include/linux/mm.h:compound_order`). A tail page
 * and a block that is not compound answer 0.
 */
export function compound_order(k: Kernel, page: number): number {
  if (page >>> 0 >= k.nrPages) oops(k, page);
  const w = page << PAGE_WORDS_SHIFT;
  const mem = k.mem;
  if ((mem[w + W_FLAGS]! & k.pgHead) === 0) return 0;
  if (page + 1 >= k.nrPages) oops(k, page + 1);
  return (mem[w + k.orderWord]! >> k.orderShift) & 0xff;
}

/** Whether the head flag is set (`include/linux/page-flags.h:PageHead`). */
export function PageHead(k: Kernel, page: number): number {
  if (page >>> 0 >= k.nrPages) oops(k, page);
  return (k.mem[(page << PAGE_WORDS_SHIFT) + W_FLAGS]! & k.pgHead) !== 0 ? 1 : 0;
}

/** Whether bit 0 of compound_head is set (`include/linux/page-flags.h:PageTail`). */
export function PageTail(k: Kernel, page: number): number {
  if (page >>> 0 >= k.nrPages) oops(k, page);
  return k.mem[(page << PAGE_WORDS_SHIFT) + W_COMPOUND_HEAD]! & 1;
}

/** Head or tail (`include/linux/page-flags.h:PageCompound`). */
export function PageCompound(k: Kernel, page: number): number {
  if (page >>> 0 >= k.nrPages) oops(k, page);
  return isCompound(k, page) ? 1 : 0;
}

/** {@linkcode PageCompound} of a page that is known to lie in mem_map. */
export function isCompound(k: Kernel, page: number): boolean {
  const w = page << PAGE_WORDS_SHIFT;
  return (k.mem[w + W_FLAGS]! & k.pgHead) !== 0 || (k.mem[w + W_COMPOUND_HEAD]! & 1) !== 0;
}

/** The page that an address lies in: arithmetic only, any address answers something (`virt_to_page`). */
export function virt_to_page(_k: Kernel, addr: number): number {
  return (addr - PAGE_OFFSET) >> PAGE_SHIFT;
}

/** The head of the page that an address lies in (`include/linux/mm.h:virt_to_head_page`). */
export function virt_to_head_page(k: Kernel, addr: number): number {
  return k.compound_head(k, k.virt_to_page(k, addr));
}

/** The address of a page in the linear map: arithmetic only (`include/linux/mm.h:page_to_virt`). */
export function page_to_virt(_k: Kernel, page: number): number {
  return PAGE_OFFSET + (page << PAGE_SHIFT);
}

/** The address of a page, NULL for highmem that is not mapped (`include/linux/mm.h:page_address`). No head lookup. */
export function page_address(k: Kernel, page: number): number {
  return page < k.highStart ? k.page_to_virt(k, page) : NULL;
}

/**
 * Whether PG_reserved is set (`include/linux/page-flags.h:folio_test_reserved`).
 * Of a tail page it is a BUG (`folio_flags`, CONFIG_DEBUG_VM_PGFLAGS).
 */
export function folio_test_reserved(k: Kernel, folio: number): number {
  if (folio >>> 0 >= k.nrPages) oops(k, folio);
  const w = folio << PAGE_WORDS_SHIFT;
  if (k.debugVm && (k.mem[w + W_COMPOUND_HEAD]! & 1) !== 0) bug(k, C_FLAGS_TAIL, folio);
  return (k.mem[w + W_FLAGS]! & k.pgReserved) !== 0 ? 1 : 0;
}

/** The page behind an address that is written or read: it must be memory of the linear map. */
function mapped(k: Kernel, addr: number): number {
  const pfn = (addr - PAGE_OFFSET) >> PAGE_SHIFT;
  if (pfn >>> 0 >= k.highStart) bug(k, C_OOPS_ADDRESS, -1);
  return pfn;
}

/** Zeroes one page, whatever the order of its block (arch's `asm/page.h:clear_page`). */
export function clear_page(k: Kernel, addr: number): void {
  const page = mapped(k, addr);
  k.mem[k.map.contents + page] = ZEROED;
  if (k.wasBatch[page] === BATCH_PAGE) k.wasBatch[page] = BATCH_OVERWRITTEN;
}

/** `wasBatch` of a page: the kernel keeps a gather's batch in it. */
export const BATCH_PAGE = 1;
/** `wasBatch` of a page: somebody else wrote over the batch. */
export const BATCH_OVERWRITTEN = 2;

/** `wasBatch` of a page: the kernel kept a batch in it, and gave it back. */
export const BATCH_GIVEN_BACK = 3;

/** Batches in these pages are gone. */
function overwrite(k: Kernel, page: number, nr: number): void {
  if (k.nBatchPages === 0) return;
  for (let i = page; i < page + nr; i++) {
    if (k.wasBatch[i] === BATCH_PAGE) k.wasBatch[i] = BATCH_OVERWRITTEN;
  }
}

/** Writes empty entries into so many pages (s390 `crst_table_init`, mips `pgd_init`). */
export function table_init(k: Kernel, addr: number, pages: number): void {
  if (pages <= 0) return;
  const first = mapped(k, addr);
  if (first + pages > k.highStart) bug(k, C_OOPS_ADDRESS, -1);
  k.mem.fill(TABLE_ENTRIES, k.map.contents + first, k.map.contents + first + pages);
  overwrite(k, first, pages);
}

/** Puts a table in use (`pmd_populate` and its kind): the entry above is written, the table itself only has to be there. */
export function populate(k: Kernel, table: number): void {
  // A PTE table goes by its page (pgtable_t), in highmem too.
  if (table >= PAGE_OFFSET) mapped(k, table);
}

/** Zeroes pages for `__GFP_ZERO` (`mm/page_alloc.c:kernel_init_pages`); highmem pages too. */
export function kernel_init_pages(k: Kernel, page: number, nr: number): void {
  setContents(k, page, nr, ZEROED);
  overwrite(k, page, nr);
}

/**
 * Contents of fresh pages without `__GFP_ZERO`: whatever the last user left. A batch that
 * somebody freed while a gather or a grace period still held it is gone with that.
 */
export function leaveStale(k: Kernel, page: number, nr: number): void {
  setContents(k, page, nr, STALE);
  overwrite(k, page, nr);
}

function setContents(k: Kernel, page: number, nr: number, what: number): void {
  const mem = k.mem;
  const first = k.map.contents + page;
  for (let i = first + nr - 1; i >= first; i--) mem[i] = what;
}
