/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Named points inside functions of mm/page_alloc.c. The build includes this
 * file before that one and changes no line of it: put_page_testzero() is the
 * kernel's own, and where a program armed the point behind it, one step of the
 * environment runs there. A charge that is to fail, and what a bad page prints.
 */
#ifndef PTFUZZ_HOOK_H
#define PTFUZZ_HOOK_H

#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/printk.h>

extern int ptfuzz_armed;
extern void ptfuzz_at_put(void);

static inline bool ptfuzz_put_page_testzero(struct page *page)
{
	bool last = put_page_testzero(page);

	if (unlikely(ptfuzz_armed >= 0))
		ptfuzz_at_put();
	return last;
}

#define put_page_testzero(page) ptfuzz_put_page_testzero(page)

/* A memcg that is over its limit; what was allocated is given back then. */
extern bool ptfuzz_charge_fails(gfp_t gfp);

static inline int ptfuzz_kmem_charge_page(struct page *page, gfp_t gfp, int order)
{
	if (unlikely(ptfuzz_charge_fails(gfp)))
		return -ENOMEM;
	return __memcg_kmem_charge_page(page, gfp, order);
}

#define __memcg_kmem_charge_page(page, gfp, order) ptfuzz_kmem_charge_page(page, gfp, order)

/* What an earlier user left in a page that is allocated; __GFP_ZERO comes after it. */
extern void ptfuzz_alloc_page(struct page *page, unsigned int order);
#define arch_alloc_page(page, order) ptfuzz_alloc_page(page, order)

/* A bad page prints where it was found, at length. */
#define dump_stack() do { } while (0)

#endif
