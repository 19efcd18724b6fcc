/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a ledger has to know of the inside of a gather: when it takes a page for
 * a batch and gives it back, and when it puts what was queued. The build
 * includes this before mm/mmu_gather.c and changes no line of it.
 */
#ifndef PTFUZZ_GATHER_H
#define PTFUZZ_GATHER_H

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>
#include <linux/swap.h>
#include <linux/version.h>

extern unsigned long ptfuzz_batch_page(unsigned long addr);
extern void ptfuzz_batch_free(unsigned long addr);
extern void ptfuzz_gather_put(struct page *page, unsigned long nr);
extern void ptfuzz_ipi(void);
extern int ptfuzz_armed;
extern void ptfuzz_at_call_rcu(void);

static inline unsigned long ptfuzz_get_free_pages(gfp_t gfp, unsigned int order)
{
	return ptfuzz_batch_page(__get_free_pages(gfp, order));
}

static inline void ptfuzz_free_pages(unsigned long addr, unsigned int order)
{
	ptfuzz_batch_free(addr);
	free_pages(addr, order);
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
static inline void ptfuzz_put_pages(struct encoded_page **pages, int nr)
{
	for (int i = 0; i < nr; i++) {
		struct page *page = encoded_page_ptr(pages[i]);
		unsigned long refs = 1;

#ifdef ENCODED_PAGE_BIT_NR_PAGES_NEXT
		if (encoded_page_flags(pages[i]) & ENCODED_PAGE_BIT_NR_PAGES_NEXT)
			refs = encoded_nr_pages(pages[++i]);
#endif
		ptfuzz_gather_put(page, refs);
	}
	free_pages_and_swap_cache(pages, nr);
}
#else
static inline void ptfuzz_put_pages(struct page **pages, int nr)
{
	for (int i = 0; i < nr; i++)
		ptfuzz_gather_put(pages[i], 1);
	free_pages_and_swap_cache(pages, nr);
}
#endif

/* The point behind call_rcu() in tlb_table_flush(). */
#define call_rcu(head, func) \
do { \
	(call_rcu)(head, func); \
	if (unlikely(ptfuzz_armed >= 0)) \
		ptfuzz_at_call_rcu(); \
} while (0)

#undef smp_call_function
#define smp_call_function(func, info, wait) ((void)(func), ptfuzz_ipi())
#undef __get_free_page
#undef __get_free_pages
#undef free_page
#undef free_pages_and_swap_cache
#define __get_free_pages(gfp, order) ptfuzz_get_free_pages(gfp, order)
#define __get_free_page(gfp) ptfuzz_get_free_pages(gfp, 0)
#define free_pages(addr, order) ptfuzz_free_pages(addr, order)
#define free_page(addr) ptfuzz_free_pages(addr, 0)
#define free_pages_and_swap_cache(pages, nr) ptfuzz_put_pages(pages, nr)

#endif
