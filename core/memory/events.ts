/**
 * What a kernel reports to the ledger while a call runs: events inside the
 * kernel on which legal behaviour depends, and the kernel's own complaints.
 * They are four words each in `Kernel.events`.
 *
 * @module
 */

/** Words of one event: code, and three numbers. */
export const EVENT_WORDS = 4;
/** The kernel took page a for itself (a gather's batch, b = 0 pages, 1 tables). */
export const EV_BATCH_PAGE = 1;
/** The kernel is giving its batch page a back. */
export const EV_BATCH_FREE = 2;
/** A gather (or NO_GATHER's tlb_remove_page) puts b references of the page a that was queued; a is the pfn as queued. */
export const EV_GATHER_PUT = 3;
/** `__tlb_remove_table` runs on the value a as queued (page or address, by architecture). b: 0 from a batch, 1 at once because the batch could not be had. */
export const EV_TABLE = 4;
/** `bad_page` on page a; b = index into the kernel's CHECKS. The block is set aside: c = its first page (`free_pages_prepare`) or -1. */
export const EV_BAD_PAGE = 5;
/** A WARN_ON: b = index into CHECKS. */
export const EV_WARN = 6;
/** alloc_pages_exact gives the surplus back: first page a, b pages. */
export const EV_SURPLUS = 7;
/** A page table's destructor ran inside the kernel, on page a: b = its level, 0 where it is any level's. */
export const EV_DTOR = 9;
/** A descriptor that is allocated apart was freed: a = the descriptor, b = the memdesc of the first page that it led to then, or 0. */
export const EV_PTDESC_FREE = 10;
/** An allocation inside the kernel failed: a = 1 gather batch, 2 table batch. */
export const EV_NO_BATCH = 8;
/** The nocache pool was set up (sparc): first page a, b pages. */
export const EV_POOL = 21;
/** The TLB was flushed for mm a (-1: all), from page number b of its addresses to before c (both unsigned). */
export const EV_TLB_FLUSH = 16;
/** Every other CPU took an interrupt. */
export const EV_IPI = 17;
/** The IOMMU's caches of kernel tables were flushed. */
export const EV_IOTLB_FLUSH = 18;
/** A gather takes the value a, as queued, with b references. */
export const EV_QUEUED = 19;
/** A table that was given up earlier is freed now: page a (a callback of RCU, or the worker for kernel tables). */
export const EV_DEFERRED = 20;
