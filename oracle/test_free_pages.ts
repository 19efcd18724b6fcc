/**
 * `lib/test_free_pages.c` of the kernel, which came with the repair of B1
 * (e320d3012d25): the file as the tree has it, run inside a KUnit test that
 * counts the pages lost.
 *
 * @module
 */
import { join } from "@std/path";
import { InputError } from "../core/program/input_error.ts";
import type { KunitFile } from "./run_kunit.ts";

const FILE = "lib/test_free_pages.c";

/**
 * The test for mm/.
 *
 * @param tree the kernel tree
 * @param rounds rounds in place of the file's 1000 * 1000, for a kernel that loses pages in each; undefined: as it is
 */
export function testFreePages(tree: string, rounds?: number): KunitFile {
  const text = Deno.readTextFileSync(join(tree, FILE));
  const loop = "i < 1000 * 1000";
  if (text.split(loop).length !== 2) throw new InputError(`${FILE} has not the loop that is looked for: ${loop}`);
  const own = rounds === undefined ? text : text.replace(loop, `i < ${rounds}`);
  return { name: "ptfuzz_test_free_pages.c", text: `${HEAD}\n${own}\n${TAIL}` };
}

const HEAD = `#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/vmstat.h>

/* The test calls it, and not the boot. */
#undef module_init
#undef module_exit
#define module_init(f)
#define module_exit(f)
`;

const TAIL = `
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

static void free_pages_lost(struct kunit *test, void (*run)(void), const char *what)
{
	long before = count_free_pages();

	run();
	KUNIT_EXPECT_EQ_MSG(test, before - count_free_pages(), 0L, "%s: %ld pages lost\\n", what,
			    before - count_free_pages());
}

static void whole_file(void)
{
	m_in();
	m_ex();
}

static void plain(void)
{
	test_free_pages(GFP_KERNEL);
}

static void compound(void)
{
	test_free_pages(GFP_KERNEL | __GFP_COMP);
}

static void test_free_pages_whole(struct kunit *test)
{
	free_pages_lost(test, whole_file, "test_free_pages.c");
}

static void test_free_pages_plain(struct kunit *test)
{
	free_pages_lost(test, plain, "GFP_KERNEL");
}

static void test_free_pages_compound(struct kunit *test)
{
	free_pages_lost(test, compound, "GFP_KERNEL | __GFP_COMP");
}

static struct kunit_case ptfuzz_test_free_pages_cases[] = {
	KUNIT_CASE(test_free_pages_whole),
	KUNIT_CASE(test_free_pages_plain),
	KUNIT_CASE(test_free_pages_compound),
	{}
};

static struct kunit_suite ptfuzz_test_free_pages_suite = {
	.name = "test_free_pages",
	.test_cases = ptfuzz_test_free_pages_cases,
};

kunit_test_suite(ptfuzz_test_free_pages_suite);
`;
