/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Added to the end of mm/memcontrol.c: a memcg for the programs to run in, without
 * the cgroup that user space would make for it, and what is charged to it.
 */
static void ptfuzz_memcg_released(struct percpu_ref *ref)
{
}

struct mem_cgroup *ptfuzz_memcg_new(void)
{
	struct cgroup_subsys_state *root = &root_mem_cgroup->css;
	struct cgroup_subsys_state *css = mem_cgroup_css_alloc(root);

	if (IS_ERR(css))
		return NULL;
	css->cgroup = root->cgroup;
	css->ss = root->ss;
	css->parent = root;
	INIT_LIST_HEAD(&css->sibling);
	INIT_LIST_HEAD(&css->children);
	if (percpu_ref_init(&css->refcnt, ptfuzz_memcg_released, 0, GFP_KERNEL))
		return NULL;
	css->flags |= CSS_ONLINE;
	if (memcg_online_kmem(mem_cgroup_from_css(css)))
		return NULL;
	return mem_cgroup_from_css(css);
}

/*
 * Every program begins with the same charges, and with an empty stock. Programs
 * uncharge what was never charged: far above zero nothing complains of it.
 */
void ptfuzz_memcg_reset(struct mem_cgroup *memcg)
{
	struct memcg_stock_pcp *stock = this_cpu_ptr(&memcg_stock);
	struct page_counter *counter;

	for (counter = &memcg->memory; counter; counter = counter->parent)
		atomic_long_set(&counter->usage, 1L << 20);
	if (stock->cached == memcg)
		stock->nr_pages = 0;
}

/* Pages that are paid for: what was taken from the counter, less what is in stock. */
long ptfuzz_memcg_charged(struct mem_cgroup *memcg)
{
	struct memcg_stock_pcp *stock = this_cpu_ptr(&memcg_stock);

	return page_counter_read(&memcg->memory) - (stock->cached == memcg ? stock->nr_pages : 0);
}
