// SPDX-License-Identifier: GPL-2.0
/*
 * The half-converted crst on 6.12: crst_table_free is
 * pagetable_free(virt_to_ptdesc).
 *
 * family: block came from alloc_pages, ptdesc takes it for a page table's
 * descriptor.
 * family: pagetable_free releases memory of alloc_pages, and not all of it.
 * head-misuse: compound_order(block) is 0 for a block of order 2, and it sized
 * the free.
 * order-mismatch: granted 4 pages, released 1.
 * page-leak: block+1..block+3 belong to nobody.
 *
 * Made by ptfuzz of this program, for Linux 6.12:
 *
 *     kernel 6.12
 *     arch s390
 *     p0 = alloc_pages(GFP_KERNEL, 2)
 *     a0 = page_to_virt(p0)
 *     d0 = virt_to_ptdesc(a0)
 *     pagetable_free(d0)
 *
 * To run it, build it in: save it as mm/crst_half_converted_6_12_kunit.c and
 * add 'obj-$(CONFIG_KUNIT) += crst_half_converted_6_12_kunit.o' to mm/Makefile.
 */
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/rcupdate.h>
#include <linux/vmstat.h>

/*
 * Free pages, exactly: what waits for a grace period or lies on a per-CPU list
 * is given back first.
 */
static long count_free_pages(void)
{
	struct zone *zone;
	long pages = 0;

	rcu_barrier();
	drain_all_pages(NULL);
	for_each_populated_zone(zone)
		pages += zone_page_state_snapshot(zone, NR_FREE_PAGES);
	return pages;
}

#define ROUNDS 500

static void crst_half_converted_6_12_round(struct kunit *test)
{
	struct ptdesc *ptdesc;
	struct page *block;
	void *addr;

	block = alloc_pages(GFP_KERNEL, 2);
	KUNIT_ASSERT_NOT_NULL(test, block);
	addr = page_to_virt(block);
	ptdesc = virt_to_ptdesc(addr);
	pagetable_free(ptdesc);
}

static void crst_half_converted_6_12_test(struct kunit *test)
{
	long before, after, lost;

	/* What the first round leaves in caches is not lost. */
	crst_half_converted_6_12_round(test);
	before = count_free_pages();
	for (unsigned int i = 0; i < ROUNDS; i++)
		crst_half_converted_6_12_round(test);
	after = count_free_pages();
	/* What the rest of the machine took and gave meanwhile is less than a page a round. */
	lost = DIV_ROUND_CLOSEST(before - after, ROUNDS);
	KUNIT_EXPECT_EQ_MSG(test, lost, 0L,
			    "each round loses %ld pages: block+1..block+3 belong to nobody\n", lost);
}

static struct kunit_case crst_half_converted_6_12_cases[] = {
	KUNIT_CASE(crst_half_converted_6_12_test),
	{}
};

static struct kunit_suite crst_half_converted_6_12_suite = {
	.name = "crst_half_converted_6_12",
	.test_cases = crst_half_converted_6_12_cases,
};

kunit_test_suite(crst_half_converted_6_12_suite);
