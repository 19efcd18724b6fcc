// SPDX-License-Identifier: GPL-2.0
/*
 * Runs programs of ptfuzz on this kernel's own functions.
 *
 * Boot ends in ptfuzz_main(), which serves batches of programs. A batch and
 * what was seen of it lie in a file that both sides map; a line on standard
 * input says that there is a batch, a line on standard output that it is done.
 *
 * Each batch runs in a forked copy of this process, with memory of its own:
 * a BUG() ends that copy, and the next one goes on with the next program. The
 * copy has no timer and nothing else to run, so that all that happens to its
 * memory is done by the program.
 *
 * A program has the allocator to itself: while it runs the zone consists of an
 * aligned block of pages, the arena, and of nothing else, with no watermarks
 * and with the per-CPU lists off (zone_pcp_disable). Every program starts from
 * the same memory, so page numbers can be compared, and list pointers too.
 *
 * After every step each struct page that changed is reported, word by word,
 * in the terms of the other side: a pointer to a struct page of the arena is its
 * index times 64 and the offset, a list head of the zone is what the other
 * side calls it.
 */
#include <linux/mm.h>
#include <linux/mm_types.h>
#include <linux/swap.h>
#include <linux/gfp.h>
#include <linux/slab.h>
#include <linux/console.h>
#include <linux/fault-inject.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/memcontrol.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/page-flags.h>
#include <linux/page-isolation.h>
#include <linux/panic_notifier.h>
#include <linux/rcupdate.h>
#include <linux/reboot.h>
#include <linux/string.h>
#include <linux/version.h>
#include <linux/vmstat.h>
#include <linux/wait.h>
#include <asm/pgalloc.h>
#include <asm/tlb.h>
#include <mem_user.h>
#include "internal.h"
#include "ptfuzz_calls.h"
#include "ptfuzz_arch_functions.h"

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#define HAVE_PTDESC 1
#endif
#ifndef NR_PAGE_ORDERS
#define NR_PAGE_ORDERS MAX_ORDER	/* before 6.8 */
#endif

/* What of the C library is used; UML is linked with it. */
extern int fork(void);
extern int waitpid(int pid, int *status, int options);
extern void _exit(int status) __attribute__((noreturn));
extern long read(int fd, void *buf, unsigned long n);
extern long write(int fd, const void *buf, unsigned long n);
extern int open(const char *name, int flags, ...);
extern void *mmap(void *addr, unsigned long len, int prot, int flags, int fd, long offset);
extern int setrlimit(unsigned int what, const unsigned long *limits);
extern int prctl(int option, ...);
extern int setpgid(int pid, int group);
extern int *__errno_location(void);

#define HOST_EINTR 4
#define HOST_O_RDWR 2
#define HOST_PROT_RWX 7
#define HOST_MAP_SHARED 1
#define HOST_MAP_PRIVATE 2
#define HOST_MAP_FIXED 16
#define HOST_RLIMIT_CPU 0
#define HOST_RLIMIT_CORE 4
#define HOST_PR_SET_PDEATHSIG 1

/* The file that both sides map; all in 32-bit words. */
enum {
	S_MAGIC,	/* PTFUZZ_MAGIC: which driver answers */
	S_BYTES,	/* size of the file */
	S_IN,		/* word at which the programs begin */
	S_OUT,		/* word at which the reports begin */
	S_NR,		/* programs of the batch */
	S_NEXT,		/* program that runs or is next */
	S_IN_AT,	/* word at which it begins */
	S_OUT_AT,	/* word at which its report begins */
	S_OUT_END,	/* word after the last that may be written */
	S_FULL,		/* 1: there was no room for the report of S_NEXT */
	S_SYM,		/* addresses of static data: fail_page_alloc */
	S_NR_SHOWN = 12,	/* two of bad_page's counters, 0 for none */
	S_RCU = 18,	/* rcu_ctrlblk of kernel/rcu/tiny.c */
	S_MM_MAP = 16,	/* 1: sizeof(struct page), for the record */
	S_WORDS = 64,
};

/* Header of a program. */
enum { P_STEPS, P_PAGES, P_ARCH, P_SLOTS, P_AREA, P_PGD_LIST, P_EVENTS, P_FLAGS, P_WORDS = 8 };

/* Kinds of report records. */
enum { R_STEP = 1, R_END, R_BUG, R_GONE };
/* Kinds of events. */
enum { E_BAD_PAGE = 1, E_WARN, E_BATCH_PAGE, E_BATCH_FREE, E_GATHER_PUT, E_TABLE, E_NR_FREE,
       E_QUEUED, E_TLB_FLUSH, E_IPI, E_PTE_DTOR, E_POINT, E_DEFERRED, E_PMD_DTOR };

#define STEP_WORDS 8
#define MAX_ARENA 1024
#define MAX_SLOTS 4096
#define MAX_GATHERS 16
#define MAX_MMS 3
#define MAX_WALKERS 64
#define NO_VALUE (-1)

static u32 *shared;
static u32 *out, *out_end;
static struct page *arena;
static unsigned long arena_addr;
static int pages;
static struct zone *zone;

static int slots[MAX_SLOTS];
static struct mmu_gather gathers[MAX_GATHERS];
static bool gather_used[MAX_GATHERS];
static struct mm_struct *mms[MAX_MMS];
static LIST_HEAD(pgd_list);
static int arch;
static int fail_next;
static int walkers;
static u32 area_word, pgd_list_word;
/* Tables of PMDs may be shared on the architecture that is played. */
static bool pmd_share;
/* tlb_needs_table_invalidate(), for asm/tlb.h. */
bool ptfuzz_table_invalidate = true;
/* mm->pmd_huge_pte of each mm: UML has no huge pages. */
static struct page *mm_huge_pte[MAX_MMS];

#ifdef CONFIG_MEMCG
/* memcg.h, behind mm/memcontrol.c */
extern struct mem_cgroup *ptfuzz_memcg_new(void);
extern void ptfuzz_memcg_reset(struct mem_cgroup *memcg);
extern long ptfuzz_memcg_charged(struct mem_cgroup *memcg);
static struct mem_cgroup *memcg;
/* What memcg_data of a page says that is charged to it. */
static unsigned long objcg_kmem;
static long charged_before;
#endif

int ptfuzz_armed = -1;
static const s32 *armed_step;

/* fail_page_alloc of mm/fail_page_alloc.c (6.1: mm/page_alloc.c), which is static. */
struct fail_page_alloc {
	struct fault_attr attr;
	bool ignore_gfp_highmem;
	bool ignore_gfp_reclaim;
	u32 min_order;
};
static struct fail_page_alloc *injector;
static unsigned long *counter[2];

/* ------------------------------------------------------------------ values */

static struct page *to_page(int value)
{
	return value == NO_VALUE ? NULL : arena + value;
}

static unsigned long to_virt(int value)
{
	return value == NO_VALUE ? 0 : arena_addr + (unsigned long)(value - PTF_PAGE_OFFSET);
}

static void *to_any(int value)
{
	return value >= PTF_PAGE_OFFSET ? (void *)to_virt(value) : (void *)to_page(value);
}

static int from_page(const struct page *page)
{
	return page ? (int)(page - arena) : NO_VALUE;
}

static int from_virt(const void *virt)
{
	return virt ? (int)((unsigned long)virt - arena_addr) + PTF_PAGE_OFFSET : NO_VALUE;
}

static gfp_t to_gfp(int flags)
{
	/* The zone has no reserves to give: what cannot be had fails. */
	gfp_t gfp = __GFP_NOMEMALLOC;

#define PTF_GFP(bit, kernel) do { if (flags & (1 << (bit))) gfp |= (kernel); } while (0);
	PTF_GFP_FLAGS
#undef PTF_GFP
	return gfp;
}

/* Behind a program's callbacks comes this one, when a grace period is waited for. */
static struct rcu_head rcu_others;
static void pte_free_now(struct rcu_head *head);
#ifdef PTF_POWERPC
#ifdef HAVE_PTDESC
static void powerpc_deferred(struct rcu_head *head);
static void powerpc_pte_free_defer(void *table);
#else
#define powerpc_deferred pte_free_now
#endif
static void powerpc__tlb_remove_table(void *table);
static void powerpc_reset(void);
#endif
#ifdef PTF_S390
/* mm_context_t::pgtable_list of an mm. */
static struct list_head *s390_list(int mm);
static void s390__tlb_remove_table(void *table);
/* The mms are KVM guests': tables with PGSTEs. */
static bool pgste;
#endif

/* ------------------------------------------------------------------ report */

static void put(u32 word)
{
	if (out < out_end)
		*out = word;
	out++;
}

/* A 64-bit word of a struct page, as the other side would have it. */
static void put_word(unsigned long value)
{
	unsigned long base = (unsigned long)arena, end = (unsigned long)(arena + pages);

	if (value >= base && value < end) {
		unsigned long offset = value - base;

		put((offset / sizeof(struct page)) * 64 + offset % sizeof(struct page));
		put(0);
		return;
	}
	if (value >= (unsigned long)zone->free_area &&
	    value < (unsigned long)(zone->free_area + NR_PAGE_ORDERS)) {
		int order = (value - (unsigned long)zone->free_area) / sizeof(struct free_area);
		unsigned long list = (unsigned long)&zone->free_area[order].free_list[MIGRATE_UNMOVABLE];

		if (value == list) {
			put(area_word + order * 16);
			put(0);
			return;
		}
	}
	/* RCU's list goes through a page's rcu_head, to the next one's or to a batch. */
	if (value >= arena_addr && value < arena_addr + ((unsigned long)pages << PAGE_SHIFT)) {
		put(from_virt((void *)value));
		put(0);
		return;
	}
	if (value == (unsigned long)&rcu_others) {
		put(PTF_RCU_OTHERS);
		put(0);
		return;
	}
	if (value == (unsigned long)pte_free_now
#ifdef PTF_POWERPC
	    || value == (unsigned long)powerpc_deferred
#endif
	    ) {
		put(PTF_RCU_CALLBACK);
		put(0);
		return;
	}
	if (value == (unsigned long)&pgd_list) {
		put(pgd_list_word);
		put(0);
		return;
	}
#ifdef PTF_S390
	for (int i = 0; i < MAX_MMS; i++) {
		static const u32 words[MAX_MMS] = { PTF_FRAGMENT_LISTS };

		if (value == (unsigned long)s390_list(i)) {
			put(pgd_list_word + words[i] * 4);
			put(0);
			return;
		}
	}
#endif
	for (int i = 0; i < MAX_MMS; i++) {
		if (value == (unsigned long)mms[i]) {
			put(PTF_MM_ADDRESS + i * PTF_MM_SIZE);
			put(0);
			return;
		}
	}
#ifdef CONFIG_MEMCG
	if (value == objcg_kmem) {
		put(PTF_OBJCG_KMEM);
		put(0);
		return;
	}
#endif
	put(value);
	put(value >> 32);
}

/* A list pointer: poison is a small number here, and would be taken for one elsewhere. */
static void put_list(const void *pointer, const void *poison, u32 word)
{
	if (pointer != poison) {
		put_word((unsigned long)pointer);
		return;
	}
	put(word);
	put(0);
}

static void put_page_words(int i)
{
	struct page *page = arena + i;
	const unsigned long *contents = (const unsigned long *)(arena_addr + ((unsigned long)i << PAGE_SHIFT));
	u32 kind = 0;

	if (contents[0] == 0 && contents[7] == 0 && contents[256] == 0 && contents[511] == 0)
		kind = 1;
	else if (contents[0] == PTF_TABLE_ENTRY && contents[511] == PTF_TABLE_ENTRY)
		kind = 2;
#ifdef PTF_S390
	/* A table and its PGSTEs, which are zeroes. */
	else if (pgste && contents[0] == PTF_TABLE_ENTRY && contents[256] == 0 && contents[511] == 0)
		kind = 1;
#endif
	put(i | kind << 16);
	put(page->flags & PTF_FLAGS_MASK);
	put(0);
	put_list(page->lru.next, LIST_POISON1, PTF_LIST_POISON1);
	put_list(page->lru.prev, LIST_POISON2, PTF_LIST_POISON2);
	put_word((unsigned long)page->mapping);
	put_word(page->index);
	put_word(page->private);
	put(page->page_type);
	put(atomic_read(&page->_refcount));
#ifdef CONFIG_MEMCG
	put_word(page->memcg_data);
#else
	put_word(0);
#endif
}

static u32 *events;		/* where the step's number of events stands */

static void put_text(u32 kind, u32 page, const char *text, unsigned int len)
{
	u32 words = (len + 3) / 4;

	put(kind);
	put(page);
	put(len);
	for (u32 i = 0; i < words; i++) {
		u32 w = 0;

		memcpy(&w, text + i * 4, min(4u, len - i * 4));
		put(w);
	}
	if (events && events < out_end)
		(*events)++;
}

static bool running;

/* What a ledger has to know of the inside of a gather, where a program asks for it (P_EVENTS). */
static bool wants_events;

static void note(u32 kind, u32 value)
{
	if (wants_events && events)
		put_text(kind, value, NULL, 0);
}

/* Page and the number of its references. */
static void note_pages(u32 kind, u32 page, u32 nr)
{
	if (wants_events && events)
		put_text(kind, page, (const char *)&nr, sizeof(nr));
}

/* gather.h: the page of a batch comes and goes, and what was queued is put. */
unsigned long ptfuzz_batch_page(unsigned long addr)
{
	if (addr)
		note(E_BATCH_PAGE, from_page(virt_to_page((void *)addr)));
	return addr;
}

void ptfuzz_batch_free(unsigned long addr)
{
	note(E_BATCH_FREE, from_page(virt_to_page((void *)addr)));
}

void ptfuzz_gather_put(struct page *page, unsigned long nr)
{
	note_pages(E_GATHER_PUT, from_page(page), nr);
}

/* tlb_flush() of asm/tlb.h as the build has it: which pages of which mm's addresses. */
void ptfuzz_tlb_flush(struct mmu_gather *tlb)
{
	bool whole = tlb->fullmm || tlb->need_flush_all;
	u32 range[2] = { whole ? 0 : tlb->start >> PAGE_SHIFT, whole ? ~0U : PFN_UP(tlb->end) };
	int mm = -1;

	if (!running || !events)
		return;
	for (int i = 0; i < MAX_MMS; i++)
		if (tlb->mm == mms[i])
			mm = i;
	put_text(E_TLB_FLUSH, mm, (const char *)range, sizeof(range));
}

/* gather.h: an interrupt for every other CPU. */
void ptfuzz_ipi(void)
{
	if (running && events)
		put_text(E_IPI, 0, NULL, 0);
}

/* free_area[].nr_free, whenever they changed. */
static u32 nr_free_seen[NR_PAGE_ORDERS];

static void note_nr_free(void)
{
	u32 now[NR_PAGE_ORDERS];

	if (!wants_events)
		return;
	for (int o = 0; o < NR_PAGE_ORDERS; o++)
		now[o] = zone->free_area[o].nr_free;
	if (!memcmp(now, nr_free_seen, sizeof(now)))
		return;
	memcpy(nr_free_seen, now, sizeof(now));
	put_text(E_NR_FREE, 0, (const char *)now, sizeof(now));
}

#ifdef CONFIG_MEMCG
static int charged(void)
{
	return ptfuzz_memcg_charged(memcg) - charged_before;
}
#else
static int charged(void)
{
	return 0;
}
#endif

/* ----------------------------------------------------- what the kernel says */

extern char __start_once[], __end_once[];

static u32 bad_pfn = ~0U;
static char dumped[256];
static u32 *step_start;
static int step_index;

static void gone(const char *text, unsigned int len) __attribute__((noreturn));

/* What dump.h puts in the place of dump_page(). */
void ptfuzz_dump_page(const struct page *page, const char *reason)
{
	pr_warn("page dumped because: %s\n", reason);
}

/* The kernel is about to die: report it, and end this process. */
static void gone(const char *text, unsigned int len)
{
	out = step_start;
	put(R_BUG);
	put(step_index);
	events = NULL;
	put_text(0, 0, dumped, strlen(dumped));
	put_text(0, 0, text, len);
	shared[S_OUT_AT] = out - shared;
	shared[S_FULL] = out > out_end;
	_exit(3);
}

static const char *after(const char *s, unsigned int n, const char *what)
{
	const char *p = strnstr(s, what, n);

	return p ? p + strlen(what) : NULL;
}

static void say(const char *text)
{
	write(1, text, strlen(text));
}

static void ptfuzz_write(struct console *con, const char *s, unsigned int n)
{
	const char *p;

	if (!running) {
		write(1, s, n);
		return;
	}
	while (n && s[n - 1] == '\n')
		n--;
	p = after(s, n, "BUG: Bad page state in process");
	if (p) {
		p = after(p, n - (p - s), "pfn:");
		bad_pfn = p ? simple_strtoul(p, NULL, 16) : 0;
		return;
	}
	p = after(s, n, "page dumped because: ");
	if (p) {
		unsigned int len = n - (p - s);

		if (bad_pfn != ~0U) {
			put_text(E_BAD_PAGE, bad_pfn - page_to_pfn(arena), p, len);
			bad_pfn = ~0U;
			/* "allow a burst of 60 reports, then keep quiet": not here. */
			for (int i = 0; i < 2; i++)
				if (counter[i])
					*counter[i] = 0;
			return;
		}
		len = min_t(unsigned int, len, sizeof(dumped) - 1);
		memcpy(dumped, p, len);
		dumped[len] = 0;
		return;
	}
	p = after(s, n, "WARNING: ");
	if (p) {
		put_text(E_WARN, 0, p, n - (p - s));
		/* _ONCE is once a step here: a shorter program says the same. */
		memset(__start_once, 0, __end_once - __start_once);
		return;
	}
	p = after(s, n, "BUG: failure at ");
	if (p)
		gone(p, n - (p - s));
	p = after(s, n, "Kernel panic - not syncing: ");
	if (p)
		gone(p, n - (p - s));
}

static struct console ptfuzz_console = {
	.name = "ptfuzz",
	.write = ptfuzz_write,
	.flags = CON_ENABLED | CON_ANYTIME,
	.index = -1,
};

static int ptfuzz_panic(struct notifier_block *nb, unsigned long event, void *text)
{
	if (running)
		gone(text, strlen(text));
	say("\n");
	say(text);
	say("\n");
	return NOTIFY_DONE;
}

static struct notifier_block ptfuzz_panic_block = { .notifier_call = ptfuzz_panic, .priority = INT_MAX };

/* ---------------------------------------------------------------- the arena */

static struct page shadow[MAX_ARENA];
static struct page boot_pages[MAX_ARENA];
static struct zone boot_zone;
static struct per_cpu_pages boot_pcp;
static unsigned long boot_total;
/* Callbacks that a program left behind are dropped with it: rcucblist, donetail and curtail. */
static unsigned long *rcu_ctrlblk_words;
static unsigned long boot_rcu[3];

/* Pages whose contents a program may have changed. */
static bool written[MAX_ARENA];

static bool arena_made;

/* The pages as free memory after boot; the zone is theirs alone. */
static void make_arena(int nr)
{
	int order = ilog2(nr);

	pages = nr;
	zone->zone_start_pfn = page_to_pfn(arena);
	zone->spanned_pages = nr;
	zone->present_pages = nr;
	atomic_long_set(&zone->managed_pages, nr);
	/* Far below zero: what is on the lists can be had, however the count of free pages was damaged. */
	for (int i = 0; i < NR_WMARK; i++)
		zone->_watermark[i] = -(1L << 30);
	zone->watermark_boost = 0;
	zone->nr_reserved_highatomic = 0;
	for (int i = 0; i < MAX_NR_ZONES; i++)
		zone->lowmem_reserve[i] = 0;
	set_pageblock_migratetype(arena, MIGRATE_UNMOVABLE);
	for (int o = 0; o < NR_PAGE_ORDERS; o++) {
		for (int t = 0; t < MIGRATE_TYPES; t++)
			INIT_LIST_HEAD(&zone->free_area[o].free_list[t]);
		zone->free_area[o].nr_free = 0;
	}
	zone->flags = 0;
	for (int i = 0; i < NR_VM_ZONE_STAT_ITEMS; i++)
		atomic_long_set(&zone->vm_stat[i], 0);
	atomic_long_set(&zone->vm_stat[NR_FREE_PAGES], nr);
	for (int i = 0; i < nr; i++) {
		struct page *page = arena + i;

		page->flags &= ~PTF_FLAGS_MASK;
		INIT_LIST_HEAD(&page->lru);
		page->mapping = NULL;
		page->index = 0;
		page->private = 0;
		page->page_type = -1;
		set_page_count(page, 0);
#ifdef CONFIG_MEMCG
		page->memcg_data = 0;
#endif
	}
	/* What a larger zone left behind the end of this one must not look like a free buddy. */
	for (int i = nr; i < MAX_ARENA; i++) {
		arena[i].page_type = -1;
		arena[i].private = 0;
		set_page_count(arena + i, 1);
	}
	set_page_private(arena, order);
	__SetPageBuddy(arena);
	list_add(&arena->lru, &zone->free_area[order].free_list[MIGRATE_UNMOVABLE]);
	zone->free_area[order].nr_free = 1;

	memcpy(boot_pages, arena, nr * sizeof(struct page));
	memcpy(&boot_zone, zone, sizeof(*zone));
	memcpy(&boot_pcp, raw_cpu_ptr(zone->per_cpu_pageset), sizeof(boot_pcp));
	boot_total = totalram_pages();
	if (!arena_made) {
		rcu_barrier();
		memcpy(boot_rcu, rcu_ctrlblk_words, sizeof(boot_rcu));
	}
	for (int i = 0; i < nr; i++)
		written[i] = true;
	arena_made = true;
}

static unsigned long *contents_of(int i)
{
	return (unsigned long *)(arena_addr + ((unsigned long)i << PAGE_SHIFT));
}

/* Contents that are neither zeroes nor a table: those words that put_page_words() looks at. */
static void make_stale(int i)
{
	unsigned long *contents = contents_of(i);

	contents[0] = contents[7] = contents[256] = contents[511] = PTF_STALE;
}

/* Called by hook.h: pages are allocated, and hold what their last user left. */
void ptfuzz_alloc_page(struct page *page, unsigned int order)
{
	int first = page - arena;

	if (!running)
		return;
	for (int i = first; i < first + (1 << order); i++) {
		if (i < 0 || i >= pages)
			continue;
		make_stale(i);
		written[i] = true;
	}
}

static void restore(void)
{
	for (int i = 0; i < pages; i++) {
		if (written[i])
			make_stale(i);
		written[i] = false;
	}
	memcpy(arena, boot_pages, pages * sizeof(struct page));
	memcpy(shadow, boot_pages, pages * sizeof(struct page));
	memcpy(zone, &boot_zone, sizeof(*zone));
	memcpy(raw_cpu_ptr(zone->per_cpu_pageset), &boot_pcp, sizeof(boot_pcp));
	atomic_long_set(&_totalram_pages, boot_total);
	memcpy(rcu_ctrlblk_words, boot_rcu, sizeof(boot_rcu));
	INIT_LIST_HEAD(&pgd_list);
#ifdef PTF_S390
	for (int i = 0; i < MAX_MMS; i++)
		INIT_LIST_HEAD(s390_list(i));
#endif
#ifdef PTF_POWERPC
	powerpc_reset();
#endif
	atomic_long_set(&zone->zone_pgdat->vm_stat[NR_PAGETABLE], 0);
#ifdef CONFIG_MEMCG
	ptfuzz_memcg_reset(memcg);
	charged_before = ptfuzz_memcg_charged(memcg);
#endif
	memset(mm_huge_pte, 0, sizeof(mm_huge_pte));
	memset(gather_used, 0, sizeof(gather_used));
	for (int i = 0; i < MAX_MMS; i++)
		atomic_set(&mms[i]->tlb_flush_pending, 0);
	memset(__start_once, 0, __end_once - __start_once);
	for (int i = 0; i < 2; i++)
		if (counter[i])
			*counter[i] = 0;
	injector->attr.probability = 0;
	fail_next = 0;
	walkers = 0;
	ptfuzz_armed = -1;
	bad_pfn = ~0U;
	dumped[0] = 0;
	for (int o = 0; o < NR_PAGE_ORDERS; o++)
		nr_free_seen[o] = zone->free_area[o].nr_free;
}

/* -------------------------------------------------------- what archs do */

/* A table's descriptor, and what every version has under another name. */
#ifdef HAVE_PTDESC
typedef struct ptdesc table_desc;
#define desc_page(pt) ptdesc_page(pt)
#define virt_to_desc(virt) virt_to_ptdesc(virt)
#define desc_alloc(gfp) pagetable_alloc(gfp, 0)
#define desc_free(pt) pagetable_free(pt)
#define desc_pte_dtor(pt) pagetable_pte_dtor(pt)
#define desc_pmd_dtor(pt) pagetable_pmd_dtor(pt)
#else
typedef struct page table_desc;
#define desc_page(pt) (pt)
#define virt_to_desc(virt) virt_to_page(virt)
#define desc_alloc(gfp) alloc_pages(gfp, 0)
#define desc_free(pt) __free_page(pt)
#define desc_pte_dtor(pt) pgtable_pte_page_dtor(pt)
#define desc_pmd_dtor(pt) pgtable_pmd_page_dtor(pt)
#endif

/* Destructors that a function of the kernel's own runs: the ledger is told, and of a callback that frees. */
static bool is_callback;

static void noted_pte_dtor(table_desc *pt)
{
	note(E_PTE_DTOR, from_page(desc_page(pt)));
	if (is_callback)
		note(E_DEFERRED, from_page(desc_page(pt)));
	desc_pte_dtor(pt);
}

static void noted_pmd_dtor(table_desc *pt)
{
	note(E_PMD_DTOR, from_page(desc_page(pt)));
	desc_pmd_dtor(pt);
}

/* arch/sparc/mm/init_64.c:__pte_free */
static void sparc64_pte_free(void *pte)
{
	table_desc *pt = virt_to_desc(pte);

	noted_pte_dtor(pt);
	desc_free(pt);
}

/* Tables as the architectures take them; asm/tlb.h and pgalloc.c of each. */
void __tlb_remove_table(void *table)
{
	note(E_TABLE, (struct page *)table >= arena && (struct page *)table < arena + pages ?
			      from_page(table) : from_virt(table));
	switch (arch) {
	case PTF_ARCH_S390:
#ifdef HAVE_PTDESC
		/* arch/s390/mm/pgalloc.c:__tlb_remove_table, 6.12 */
		{
			struct ptdesc *ptdesc = virt_to_ptdesc(table);
			struct page *page = ptdesc_page(ptdesc);

			if (compound_order(page) == 2) {
				pagetable_free(ptdesc);
				return;
			}
			noted_pte_dtor(ptdesc);
			pagetable_free(ptdesc);
		}
#elif defined(PTF_S390)
		s390__tlb_remove_table(table);
#else
		/* arch/s390/mm/pgalloc.c:__tlb_remove_table, 6.1: bits 0 and 1 clear */
		free_pages((unsigned long)table & ~3UL, 2);
#endif
		return;
#ifdef PTF_POWERPC
	case PTF_ARCH_POWERPC:
		powerpc__tlb_remove_table(table);
		return;
#endif
	case PTF_ARCH_SPARC64:
		/* arch/sparc: pgalloc_64.h:__tlb_remove_table, init_64.c:pgtable_free; the driver has no slab cache of tables */
		if ((unsigned long)table & 1)
			sparc64_pte_free((void *)((unsigned long)table & ~1UL));
		return;
	default:
		free_page_and_swap_cache((struct page *)table);
	}
}

/* mm/pgtable-generic.c, which is compiled with huge pages only; pte_free() of asm-generic/pgalloc.h. */
static void pte_free_now(struct rcu_head *head)
{
#ifdef HAVE_PTDESC
	struct ptdesc *ptdesc = page_ptdesc(container_of(head, struct page, rcu_head));

	is_callback = true;
	noted_pte_dtor(ptdesc);
	is_callback = false;
	pagetable_free(ptdesc);
#endif
}

/*
 * What the callbacks before this one queued (powerpc's pte_fragment_free) waits for
 * another grace period. On this kernel the next switch of tasks is one: it is put
 * aside until the program's step is over.
 */
static unsigned long *queued_meanwhile[2];

static void rcu_others_now(struct rcu_head *head)
{
	unsigned long **words = (unsigned long **)rcu_ctrlblk_words;

	queued_meanwhile[0] = words[0];
	queued_meanwhile[1] = words[2];
	words[0] = NULL;
	words[1] = words[2] = (unsigned long *)words;
}

static void grace_period(void)
{
	unsigned long **words = (unsigned long **)rcu_ctrlblk_words;

	queued_meanwhile[0] = NULL;
	call_rcu(&rcu_others, rcu_others_now);
	__preempt_count_sub(PREEMPT_OFFSET);
	rcu_barrier();
	__preempt_count_add(PREEMPT_OFFSET);
	if (!queued_meanwhile[0])
		return;
	words[0] = queued_meanwhile[0];
	words[2] = queued_meanwhile[1];
}

static bool tables_are_pages(void)
{
	return arch == PTF_ARCH_NO_TABLE_FREE;
}

/* arch/s390/include/asm/tlb.h: MMU_GATHER_NO_GATHER frees pages at once. */
static void remove_page(struct mmu_gather *tlb, struct page *page)
{
	note_pages(E_QUEUED, from_page(page), 1);
	if (arch == PTF_ARCH_S390) {
		note_pages(E_GATHER_PUT, from_page(page), 1);
		free_page_and_swap_cache(page);
	} else {
		tlb_remove_page(tlb, page);
	}
}

/* arch/x86/mm/pgtable.c: pgd_list_add, pgd_list_del, pgd_set_mm. */
#ifdef HAVE_PTDESC
static void pgd_list_add(void *pgd)
{
	struct ptdesc *ptdesc = virt_to_ptdesc(pgd);

	list_add(&ptdesc->pt_list, &pgd_list);
}

static void pgd_list_del(void *pgd)
{
	struct ptdesc *ptdesc = virt_to_ptdesc(pgd);

	list_del(&ptdesc->pt_list);
}

static void pgd_set_mm(void *pgd, struct mm_struct *mm)
{
	virt_to_ptdesc(pgd)->pt_mm = mm;
}
#else
static void pgd_list_add(void *pgd)
{
	struct page *page = virt_to_page(pgd);

	list_add(&page->lru, &pgd_list);
}

static void pgd_list_del(void *pgd)
{
	struct page *page = virt_to_page(pgd);

	list_del(&page->lru);
}

static void pgd_set_mm(void *pgd, struct mm_struct *mm)
{
	virt_to_page(pgd)->pt_mm = mm;
}
#endif

/* Where pt_share_count lies (include/linux/mm_types.h), which UML does not have. */
static int *share_count(struct page *page)
{
	return (int *)&page->index;
}

/* mm/hugetlb.c: huge_pmd_share, huge_pmd_unshare, less what finds the table. */
static void share_pmd(void *spte)
{
	if (pmd_share)
		++*share_count(virt_to_page(spte));
}

static void *unshare_pmd(void *ptep)
{
	if (!pmd_share || !*share_count(virt_to_page(ptep)))
		return ptep;
	--*share_count(virt_to_page(ptep));
	return NULL;
}

/* mm/pgtable-generic.c, which is compiled with huge pages only. */
static struct page **deposits_of(int mm, void *pmdp)
{
	return &mm_huge_pte[mm];
}

static void deposit(int mm, void *pmdp, struct page *pgtable)
{
	struct page **head = deposits_of(mm, pmdp);

	if (!*head)
		INIT_LIST_HEAD(&pgtable->lru);
	else
		list_add(&pgtable->lru, &(*head)->lru);
	*head = pgtable;
}

static struct page *withdraw(int mm, void *pmdp)
{
	struct page **head = deposits_of(mm, pmdp);
	struct page *pgtable = *head;

	*head = list_first_entry_or_null(&pgtable->lru, struct page, lru);
	if (*head)
		list_del(&pgtable->lru);
	return pgtable;
}

/*
 * Boot is over, so pages of the boot allocator are made of pages of the buddy
 * allocator: the rest of the block goes back as __free_pages_core() gives it,
 * and the pages are as memblock and reserve_bootmem_region() leave them.
 */
static noinline unsigned long __ref boot_pages_alloc(int nr)
{
	int order, i, end, first, given = 0;
	struct page *page;

	if (nr <= 0 || nr > 1024)
		return 0;
	order = get_order((unsigned long)nr << PAGE_SHIFT);
	page = alloc_pages(GFP_KERNEL | __GFP_NOWARN | __GFP_NOMEMALLOC, order);
	if (!page)
		return 0;
	first = page - arena;
	end = first + (1 << order);
	for (i = first + nr; i < end;) {
		int rest = __ffs(i);

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
		__free_pages_core(arena + i, rest, MEMINIT_EARLY);
#else
		__free_pages_core(arena + i, rest);
#endif
		i += 1 << rest;
		given += 1 << rest;
	}
	adjust_managed_page_count(page, -(long)(nr + given));
	for (i = first; i < first + nr; i++) {
		struct page *p = arena + i;

		p->flags &= ~PTF_FLAGS_MASK;
		p->flags |= 1UL << PG_reserved;
		set_page_count(p, 1);
		INIT_LIST_HEAD(&p->lru);
		p->mapping = NULL;
		p->index = 0;
		p->private = 0;
		p->page_type = -1;
#ifdef CONFIG_MEMCG
		p->memcg_data = 0;
#endif
		memset(page_address(p), 0, PAGE_SIZE);
	}
	return (unsigned long)page_address(page);
}

/* ---------------------------------------------------------------- the steps */

static void inject(void)
{
	injector->attr.probability = 100;
	atomic_set(&injector->attr.times, 1);
}

/* A charge is about to be made, of memory that could be had. */
bool ptfuzz_charge_fails(gfp_t gfp)
{
	if (!(fail_next & PTF_FAIL___memcg_kmem_charge_page))
		return false;
	fail_next &= ~PTF_FAIL___memcg_kmem_charge_page;
	return !(gfp & __GFP_NOFAIL);
}

/* Whether the failure was used; it is off then. */
static bool injected(void)
{
	bool used = atomic_read(&injector->attr.times) == 0;

	injector->attr.probability = 0;
	return used;
}

/* A failure that was asked for is used up by the next allocation that is possible at all. */
#define may_fail(possible, allocation)			\
({							\
	bool asked = fail_next & 1;			\
	typeof(allocation) got;				\
							\
	if (asked)					\
		inject();				\
	got = (allocation);				\
	if (asked) {					\
		injected();				\
		if (possible)				\
			fail_next &= ~1;		\
	}						\
	got;						\
})

static bool is_order(int order)
{
	return (unsigned int)order <= PTF_MAX_PAGE_ORDER;
}

static struct page *get_pages(int gfp, int order)
{
	return may_fail(is_order(order), alloc_pages(to_gfp(gfp), order));
}

static unsigned long get_free_pages(int gfp, int order)
{
	return may_fail(is_order(order), __get_free_pages(to_gfp(gfp), order));
}

/* For functions of the architectures: a table of order 0. */
static table_desc *table_alloc(gfp_t gfp)
{
	return may_fail(true, desc_alloc(gfp | __GFP_NOMEMALLOC));
}

/* ... and tables that are queued by their address. */
static void remove_table_at(struct mmu_gather *tlb, void *table)
{
	note_pages(E_QUEUED, from_virt(table), 1);
	if (tables_are_pages())
		tlb_remove_page(tlb, table);
	else
		tlb_remove_table(tlb, table);
}

#ifdef PTF_POWERPC
#include "ptfuzz_powerpc.h"
#endif

#ifdef PTF_S390
static void at_point(int point);
#include "ptfuzz_s390.h"

static struct list_head *s390_list(int mm)
{
	return &s390_mms[mm].context.pgtable_list;
}
#endif

static void gather_alloc(int which)
{
	if (fail_next & (1 | which))
		inject();
}

static void gather_alloc_done(int which)
{
	if (!(fail_next & (1 | which)))
		return;
	if (injected())
		fail_next &= fail_next & which ? ~which : ~1;
}

static int start_gather(int mm, bool full)
{
	for (int i = 0; i < MAX_GATHERS; i++) {
		if (gather_used[i])
			continue;
		gather_used[i] = true;
		if (full)
			tlb_gather_mmu_fullmm(&gathers[i], mms[mm]);
		else
			tlb_gather_mmu(&gathers[i], mms[mm]);
		return i;
	}
	return NO_VALUE;
}

static int range_start(int address)
{
	return address;
}

static int __ref run_call(int op, int a, int b, int c)
{
	struct mmu_gather *tlb = &gathers[a & (MAX_GATHERS - 1)];
	unsigned long addr, *entry;
	int result;

	switch (op) {
	case PTF_alloc_pages:
		return from_page(get_pages(a, b));
	case PTF_alloc_page:
		return from_page(get_pages(a, 0));
	case PTF___get_free_pages:
		return from_virt((void *)get_free_pages(a, b));
	case PTF___get_free_page:
		return from_virt((void *)get_free_pages(a, 0));
	case PTF_get_zeroed_page:
		return from_virt((void *)may_fail(true, get_zeroed_page(to_gfp(a))));
	case PTF_alloc_pages_exact:
		return from_virt(may_fail(a > 0 && is_order(get_order((unsigned int)a)),
					  alloc_pages_exact((unsigned int)a, to_gfp(b))));
	case PTF_split_page:
		split_page(to_page(a), b);
		return 0;
	case PTF_memblock_alloc:
		return from_virt((void *)boot_pages_alloc(a));
	case PTF___free_pages:
		__free_pages(to_page(a), b);
		return 0;
	case PTF___free_page:
		__free_page(to_page(a));
		return 0;
	case PTF_free_pages:
		free_pages(to_virt(a), b);
		return 0;
	case PTF_free_page:
		free_page(to_virt(a));
		return 0;
	case PTF_free_pages_exact:
		free_pages_exact((void *)to_virt(a), (unsigned int)b);
		return 0;
	case PTF_put_page:
		put_page(to_page(a));
		return 0;
	case PTF_get_page:
		get_page(to_page(a));
		return 0;
	case PTF_compound_head:
		return from_page(compound_head(to_page(a)));
	case PTF_compound_order:
		return compound_order(to_page(a));
	case PTF_PageHead:
		return PageHead(to_page(a));
	case PTF_PageTail:
		return PageTail(to_page(a));
	case PTF_PageCompound:
		return PageCompound(to_page(a));
	case PTF_virt_to_page:
		return from_page(virt_to_page((void *)to_virt(a)));
	case PTF_virt_to_head_page:
		return from_page(virt_to_head_page((void *)to_virt(a)));
	case PTF_page_to_virt:
		return from_virt(page_to_virt(to_page(a)));
	case PTF_page_address:
		return from_virt(page_address(to_page(a)));
	case PTF_folio_address:
		return from_virt(folio_address((struct folio *)to_page(a)));
	case PTF_page_folio:
		return from_page((struct page *)page_folio(to_page(a)));
	case PTF_mark_page_reserved:
		mark_page_reserved(to_page(a));
		return 0;
	case PTF_free_reserved_page:
		free_reserved_page(to_page(a));
		return 0;
	case PTF_clear_page:
		clear_page((void *)to_virt(a));
		return 0;
	case PTF_table_init:
		entry = (unsigned long *)to_virt(a);
		for (unsigned long i = 0; i < (unsigned long)b * (PAGE_SIZE / sizeof(*entry)); i++)
			entry[i] = PTF_TABLE_ENTRY;
		for (int i = 0, first = (a - PTF_PAGE_OFFSET) >> PAGE_SHIFT; i < b; i++)
			if (first + i >= 0 && first + i < MAX_ARENA)
				written[first + i] = true;
		return 0;
	case PTF_populate:
		return 0;
#ifdef HAVE_PTDESC
	case PTF_page_ptdesc:
		return from_page((struct page *)page_ptdesc(to_page(a)));
	case PTF_ptdesc_page:
		return from_page(ptdesc_page((struct ptdesc *)to_page(a)));
	case PTF_ptdesc_folio:
		return from_page((struct page *)ptdesc_folio((struct ptdesc *)to_page(a)));
	case PTF_virt_to_ptdesc:
		return from_page((struct page *)virt_to_ptdesc((void *)to_virt(a)));
	case PTF_ptdesc_to_virt:
		return from_virt(ptdesc_to_virt((struct ptdesc *)to_page(a)));
	case PTF_ptdesc_address:
		return from_virt(ptdesc_address((struct ptdesc *)to_page(a)));
	case PTF_pagetable_is_reserved:
		return pagetable_is_reserved((struct ptdesc *)to_page(a));
	case PTF_pagetable_alloc:
		return from_page((struct page *)may_fail(is_order(b), pagetable_alloc(to_gfp(a), b)));
	case PTF_pagetable_free:
		pagetable_free((struct ptdesc *)to_page(a));
		return 0;
	case PTF_free_reserved_ptdesc:
		free_reserved_ptdesc((struct ptdesc *)to_page(a));
		return 0;
#endif
	case PTF_tlb_gather_mmu:
		return start_gather(a, false);
	case PTF_tlb_gather_mmu_fullmm:
		return start_gather(a, true);
	case PTF_tlb_flush_pte_range:
		tlb_flush_pte_range(tlb, (unsigned int)range_start(b), (unsigned int)c);
		return 0;
	case PTF_tlb_flush_pmd_range:
		tlb_flush_pmd_range(tlb, (unsigned int)range_start(b), (unsigned int)c);
		return 0;
	case PTF_tlb_flush_pud_range:
		tlb_flush_pud_range(tlb, (unsigned int)range_start(b), (unsigned int)c);
		return 0;
	case PTF_tlb_flush_p4d_range:
		tlb_flush_p4d_range(tlb, (unsigned int)range_start(b), (unsigned int)c);
		return 0;
	case PTF_tlb_remove_page:
		gather_alloc(2);
		remove_page(tlb, to_page(b));
		gather_alloc_done(2);
		return 0;
	case PTF_tlb_remove_table:
		note_pages(E_QUEUED, b, 1);
		if (tables_are_pages()) {
			gather_alloc(2);
			tlb_remove_page(tlb, to_page(b));
			gather_alloc_done(2);
			return 0;
		}
		gather_alloc(4);
		tlb_remove_table(tlb, to_any(b));
		gather_alloc_done(4);
		return 0;
#ifdef HAVE_PTDESC
	case PTF_tlb_remove_ptdesc:
		note_pages(E_QUEUED, b, 1);
		if (tables_are_pages()) {
			gather_alloc(2);
			tlb_remove_page(tlb, to_page(b));
			gather_alloc_done(2);
			return 0;
		}
		gather_alloc(4);
		tlb_remove_ptdesc(tlb, to_any(b));
		gather_alloc_done(4);
		return 0;
	case PTF_tlb_remove_page_ptdesc:
		gather_alloc(2);
		if (arch == PTF_ARCH_S390) {
			remove_page(tlb, ptdesc_page((struct ptdesc *)to_page(b)));
		} else {
			note_pages(E_QUEUED, b, 1);
			tlb_remove_page_ptdesc(tlb, (struct ptdesc *)to_page(b));
		}
		gather_alloc_done(2);
		return 0;
#endif
	case PTF_tlb_flush_mmu:
		tlb_flush_mmu(tlb);
		return 0;
	case PTF_tlb_flush_mmu_tlbonly:
		tlb_flush_mmu_tlbonly(tlb);
		return 0;
	case PTF_tlb_remove_page_size:
		gather_alloc(2);
		if (arch == PTF_ARCH_S390) {
			remove_page(tlb, to_page(b));
		} else {
			note_pages(E_QUEUED, b, 1);
			tlb_remove_page_size(tlb, to_page(b), c);
		}
		gather_alloc_done(2);
		return 0;
	case PTF_tlb_change_page_size:
		tlb_change_page_size(tlb, b);
		return 0;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	case PTF___tlb_remove_folio_pages:
		{
			bool full;

			note_pages(E_QUEUED, b, c);
			if (arch == PTF_ARCH_S390) {
				/* arch/s390/include/asm/tlb.h:__tlb_remove_folio_pages */
				struct encoded_page *encoded_pages[] = {
					encode_page(to_page(b), ENCODED_PAGE_BIT_NR_PAGES_NEXT),
					encode_nr_pages(c),
				};

				note_pages(E_GATHER_PUT, b, c);
				free_pages_and_swap_cache(encoded_pages, ARRAY_SIZE(encoded_pages));
				return 0;
			}
			gather_alloc(2);
			full = __tlb_remove_folio_pages(tlb, to_page(b), c, false);
			gather_alloc_done(2);
			return full;
		}
	/* tlb_delay_rmap() is SMP's alone, and what it sets is there everywhere. */
	case PTF_tlb_delay_rmap:
		if (arch == PTF_ARCH_S390)
			return 0;
		tlb->delayed_rmap = 1;
		return 1;
	case PTF_tlb_flush_rmaps:
		tlb->delayed_rmap = 0;
		return 0;
#endif
	case PTF_tlb_finish_mmu:
		tlb_finish_mmu(tlb);
		gather_used[a & (MAX_GATHERS - 1)] = false;
		return 0;
#ifdef HAVE_PTDESC
	case PTF_pagetable_pte_ctor:
		return pagetable_pte_ctor((struct ptdesc *)to_page(a));
	case PTF_pagetable_pte_dtor:
		pagetable_pte_dtor((struct ptdesc *)to_page(a));
		return 0;
	case PTF_pagetable_pmd_ctor:
		result = pagetable_pmd_ctor((struct ptdesc *)to_page(a));
		if (result && pmd_share)
			*share_count(to_page(a)) = 0;
		return result;
	case PTF_pagetable_pmd_dtor:
		pagetable_pmd_dtor((struct ptdesc *)to_page(a));
		return 0;
	case PTF_pagetable_pud_ctor:
		pagetable_pud_ctor((struct ptdesc *)to_page(a));
		return 0;
	case PTF_pagetable_pud_dtor:
		pagetable_pud_dtor((struct ptdesc *)to_page(a));
		return 0;
#else
	case PTF_pgtable_pte_page_ctor:
		return pgtable_pte_page_ctor(to_page(a));
	case PTF_pgtable_pte_page_dtor:
		pgtable_pte_page_dtor(to_page(a));
		return 0;
	case PTF_pgtable_pmd_page_ctor:
		result = pgtable_pmd_page_ctor(to_page(a));
		if (result && pmd_share)
			*share_count(to_page(a)) = 0;
		return result;
	case PTF_pgtable_pmd_page_dtor:
		pgtable_pmd_page_dtor(to_page(a));
		return 0;
#endif
	case PTF_pgtable_trans_huge_deposit:
		deposit(a, (void *)to_virt(b), to_page(c));
		return 0;
	case PTF_pgtable_trans_huge_withdraw:
		return from_page(withdraw(a, (void *)to_virt(b)));
	case PTF_huge_pmd_share:
		share_pmd((void *)to_virt(a));
		return 0;
	case PTF_huge_pmd_unshare:
		return from_virt(unshare_pmd((void *)to_virt(a)));
#ifdef PTF_S390
	case PTF_page_table_alloc:
		return from_virt(page_table_alloc(&s390_mms[a]));
	case PTF_page_table_free:
		page_table_free(&s390_mms[a], (void *)to_virt(b));
		return 0;
	case PTF_page_table_free_rcu:
		gather_alloc(tables_are_pages() ? 2 : 4);
		page_table_free_rcu(tlb, (void *)to_virt(b), (unsigned int)c);
		gather_alloc_done(tables_are_pages() ? 2 : 4);
		return 0;
#endif
	case PTF_pgd_list_add:
		pgd_list_add((void *)to_virt(a));
		return 0;
	case PTF_pgd_list_del:
		pgd_list_del((void *)to_virt(a));
		return 0;
	case PTF_pgd_set_mm:
		pgd_set_mm((void *)to_virt(a), mms[b]);
		return 0;
	case PTF_env_get_page_unless_zero:
		return get_page_unless_zero(a >= PTF_PAGE_OFFSET ? virt_to_page((void *)to_virt(a)) : to_page(a));
	case PTF_env_put_page:
		put_page(a >= PTF_PAGE_OFFSET ? virt_to_page((void *)to_virt(a)) : to_page(a));
		return 0;
	case PTF_env_fail:
		fail_next |= 1 << a;
		return 0;
	case PTF_pgtable_free_tlb:
		gather_alloc(tables_are_pages() ? 2 : 4);
		if (arch == PTF_ARCH_SPARC64)
			/* arch/sparc/include/asm/pgalloc_64.h */
			remove_table_at(tlb, (void *)(to_virt(b) | (c == PTF_IS_PAGE)));
#ifdef PTF_POWERPC
		else
			pgtable_free_tlb(tlb, (void *)to_virt(b), c);
#endif
		gather_alloc_done(tables_are_pages() ? 2 : 4);
		return 0;
#ifdef PTF_POWERPC
	case PTF_pte_fragment_alloc:
		return from_virt(pte_fragment_alloc(&powerpc_mms[a], b));
	case PTF_pte_fragment_free:
		pte_fragment_free((void *)to_virt(a), b);
		return 0;
	case PTF_pmd_fragment_alloc:
		return from_virt(pmd_fragment_alloc(&powerpc_mms[a], 0));
	case PTF_pmd_fragment_free:
		pmd_fragment_free((void *)to_virt(a));
		return 0;
	/* destroy_pagetable_cache() is what it does; and init_new_context() of the next mm. */
	case PTF_arch_exit_mmap:
		destroy_pagetable_cache(&powerpc_mms[a]);
		memset(&powerpc_mms[a], 0, sizeof(powerpc_mms[a]));
		return 0;
#endif
	case PTF_pte_free_defer:
#if defined(PTF_POWERPC) && defined(HAVE_PTDESC)
		if (arch == PTF_ARCH_POWERPC) {
			powerpc_pte_free_defer((void *)to_virt(b));
			return 0;
		}
#endif
		/* pgtable_t is a page, or (s390) an address. */
		call_rcu(&(b >= PTF_PAGE_OFFSET ? virt_to_page((void *)to_virt(b)) : to_page(b))->rcu_head, pte_free_now);
		return 0;
	case PTF_env_rcu_grace_period:
		grace_period();
		return 0;
	case PTF_env_owner_gone:
		return 0;
	case PTF_env_place:
		/* Blocks are compared by handle: where the kernel takes one from is its own business. */
		return 0;
	case PTF_unlink:
	case PTF_env_walk_end:
	case PTF_env_spin_lock:
		return 0;
	/* Flushes and waits change nothing in memory; there is one CPU, and nothing runs before env rcu_grace_period. */
	case PTF_flush_tlb_range:
	case PTF_flush_tlb_mm:
	case PTF_flush_tlb_all:
	case PTF_flush_tlb_kernel_range:
	case PTF_synchronize_rcu:
		return 0;
	case PTF_tlb_remove_table_sync_one:
#ifdef CONFIG_MMU_GATHER_RCU_TABLE_FREE
		tlb_remove_table_sync_one();
#endif
		return 0;
	/* arch/s390/include/asm/tlb.h: the mm has three levels, and neither is a level of its own. */
	case PTF_p4d_free_tlb:
	case PTF_pud_free_tlb:
		return 0;
	/* Who walks changes nothing in memory: a number is all there is to it. */
	case PTF_env_gup_fast:
	case PTF_env_pte_offset_map:
	case PTF_env_hw_walk:
	case PTF_env_iommu_walk:
		return walkers == MAX_WALKERS ? NO_VALUE : walkers++;
	}
	return NO_VALUE;
}

/* Fetches the operands of a step and runs it. */
static int run_step(const s32 *step)
{
	int a = step[2], b = step[3], c = step[4], offsets = step[5], which = step[6], shifts = step[7];
	int result;

	if (which & 1)
		a = slots[a];
	if (which & 2)
		b = slots[b];
	if (which & 4)
		c = slots[c];
	a += (offsets & 1023) << (shifts & 1 ? PAGE_SHIFT : 0);
	b += ((offsets >> 10) & 1023) << (shifts & 2 ? PAGE_SHIFT : 0);
	c += (offsets >> 20) & 1023;
	result = run_call(step[0], a, b, c);
	if (step[1] >= 0)
		slots[step[1]] = result;
	return result;
}

/* A point was reached: the step that was armed for it runs. */
static void at_point(int point)
{
	if (ptfuzz_armed != point)
		return;
	ptfuzz_armed = -1;
	if (running && armed_step) {
		note(E_POINT, 0);
		run_step(armed_step);
	}
}

/* The point behind put_page_testzero() in __free_pages(): called by hook.h. */
void ptfuzz_at_put(void)
{
	at_point(PTF_POINT___free_pages_after_put);
}

/* The point behind call_rcu() in tlb_table_flush(): called by gather.h. */
void ptfuzz_at_call_rcu(void)
{
	at_point(PTF_POINT_tlb_table_flush_after_call_rcu);
}

/* --------------------------------------------------------------- a program */

static bool changed(int i)
{
	const unsigned long *a = (const unsigned long *)(arena + i);
	const unsigned long *b = (const unsigned long *)(shadow + i);

	for (unsigned int w = 0; w < sizeof(struct page) / sizeof(*a); w++)
		if (a[w] != b[w])
			return true;
	return false;
}

/* Calls that write a page's contents and not its struct page: which page that was, or -1. */
static int wrote(const s32 *step)
{
	int a = step[2];

	if (step[0] != PTF_clear_page && step[0] != PTF_table_init)
		return -1;
	if (step[6] & 1)
		a = slots[a];
	a += (step[5] & 1023) << PAGE_SHIFT;
	return (a - PTF_PAGE_OFFSET) >> PAGE_SHIFT;
}

static void report_step(int result, u32 *nr_events, int content)
{
	u32 *nr_changed;

	put(result);
	put(atomic_long_read(&zone->vm_stat[NR_FREE_PAGES]));
	put(atomic_long_read(&zone->managed_pages));
	put(atomic_long_read(&zone->zone_pgdat->vm_stat[NR_PAGETABLE]));
	put(charged());
	nr_changed = out;
	put(0);
	for (int i = 0; i < pages; i++) {
		if (i != content && !changed(i))
			continue;
		shadow[i] = arena[i];
		put_page_words(i);
		written[i] = true;
		if (nr_changed < out_end)
			(*nr_changed)++;
	}
	(void)nr_events;
}

static void run_program(const s32 *p)
{
	int nr = p[P_STEPS];
	const s32 *code = p + P_WORDS;

	arch = p[P_ARCH];
	area_word = p[P_AREA];
	pgd_list_word = p[P_PGD_LIST];
	pmd_share = p[P_FLAGS] & PTF_FLAG_PMD_SHARE;
	ptfuzz_table_invalidate = !(p[P_FLAGS] & PTF_FLAG_NO_INVALIDATE);
#ifdef PTF_S390
	pgste = p[P_FLAGS] & PTF_FLAG_PGSTE;
#endif
#ifdef CONFIG_MEMCG
	current->active_memcg = memcg;
#endif
	wants_events = p[P_EVENTS];
	if (pages != p[P_PAGES])
		make_arena(p[P_PAGES]);
	restore();
	for (int i = 0; i < p[P_SLOTS]; i++)
		slots[i] = i < MAX_MMS ? i : NO_VALUE;
	running = true;
	for (int i = 0; i < nr; i++) {
		const s32 *step = code + i * STEP_WORDS;
		int result, content;

		step_start = out;
		step_index = i;
		put(R_STEP);
		events = out;
		put(0);
		if (step[0] == PTF_OP_AT) {
			ptfuzz_armed = step[2];
			armed_step = step + STEP_WORDS;
			i++;
			result = 0;
			content = -1;
		} else {
			content = wrote(step);
			result = run_step(step);
		}
		note_nr_free();
		report_step(result, events, content);
	}
	running = false;
	put(R_END);
}

/* The programs of a batch from the next one on; in a process of its own. */
static void serve(void) __attribute__((noreturn));
static void serve(void)
{
	unsigned long limits[2] = { 60, 60 };

	setrlimit(HOST_RLIMIT_CPU, limits);
	prctl(HOST_PR_SET_PDEATHSIG, 9);
	/* A kernel that dies kills its process group: not the parent with it. */
	setpgid(0, 0);
	current->flags |= PF_MEMALLOC;
	out_end = shared + shared[S_OUT_END];
	make_arena((shared + shared[S_IN_AT])[P_PAGES]);
	/*
	 * cond_resched() must not end a grace period: that is a step of the program.
	 * Nor may it between two programs, where callbacks of the first still wait.
	 */
	__preempt_count_add(PREEMPT_OFFSET);
	while (shared[S_NEXT] < shared[S_NR]) {
		const s32 *p = (s32 *)(shared + shared[S_IN_AT]);

		out = shared + shared[S_OUT_AT];
		step_start = out;
		step_index = 0;
		run_program(p);
		if (out > out_end) {
			shared[S_FULL] = 1;
			break;
		}
		shared[S_OUT_AT] = out - shared;
		shared[S_IN_AT] += P_WORDS + p[P_STEPS] * STEP_WORDS;
		shared[S_NEXT]++;
	}
	_exit(0);
}

static void batch(void)
{
	while (shared[S_NEXT] < shared[S_NR] && !shared[S_FULL]) {
		const s32 *p = (s32 *)(shared + shared[S_IN_AT]);
		u32 before = shared[S_NEXT];
		int status = 0, pid;

		pid = fork();
		if (pid == 0)
			serve();
		if (pid < 0)
			panic("ptfuzz: no process");
		while (waitpid(pid, &status, 0) != pid)
			;
		if (status == 0 || shared[S_FULL])
			continue;
		p = (s32 *)(shared + shared[S_IN_AT]);
		if (status != 3 << 8) {
			/* Killed: it ran for ever, or worse. */
			u32 *at = shared + shared[S_OUT_AT];

			at[0] = R_GONE;
			at[1] = status;
			shared[S_OUT_AT] += 2;
		}
		shared[S_IN_AT] += P_WORDS + p[P_STEPS] * STEP_WORDS;
		shared[S_NEXT]++;
		(void)before;
	}
}

/* ------------------------------------------------------------------- boot */

static char shared_name[256];

static int __init ptfuzz_param(char *text)
{
	strscpy(shared_name, text, sizeof(shared_name));
	return 1;
}
__setup("ptfuzz=", ptfuzz_param);

extern unsigned long uml_physmem, high_physmem;
extern int phys_mapping(unsigned long phys, unsigned long long *offset_out);
extern unsigned long uml_reserved;

/* Memory is a file that processes share: from here on each has its own. */
static void make_private(void)
{
	unsigned long start = PFN_UP(__pa(uml_reserved)) << PAGE_SHIFT;
	unsigned long end = __pa(high_memory);
	unsigned long long offset;
	int fd = phys_mapping(start, &offset);

	if (mmap(__va(start), end - start, HOST_PROT_RWX, HOST_MAP_PRIVATE | HOST_MAP_FIXED, fd, offset) !=
	    __va(start))
		panic("ptfuzz: memory cannot be made private");
}

static int __init ptfuzz_main(void)
{
	unsigned long long size;
	char c;
	int fd;

	if (!shared_name[0])
		return 0;
	fd = open(shared_name, HOST_O_RDWR);
	if (fd < 0)
		panic("ptfuzz: cannot open %s", shared_name);
	if (read(fd, &c, 1) < 0)
		panic("ptfuzz: cannot read %s", shared_name);
	{
		u32 head[S_WORDS];
		extern long pread(int fd, void *buf, unsigned long n, long offset);

		pread(fd, head, sizeof(head), 0);
		size = head[S_BYTES];
	}
	shared = mmap(NULL, size, 3, HOST_MAP_SHARED, fd, 0);
	if (shared == (void *)-1L)
		panic("ptfuzz: cannot map %s", shared_name);
	memcpy(&injector, shared + S_SYM, 8);
	memcpy(&counter[0], shared + S_NR_SHOWN, 8);
	memcpy(&counter[1], shared + S_NR_SHOWN + 2, 8);
	memcpy(&rcu_ctrlblk_words, shared + S_RCU, 8);
	injector->ignore_gfp_highmem = false;
	injector->ignore_gfp_reclaim = false;
	injector->min_order = 0;
	injector->attr.interval = 1;
	injector->attr.verbose = 0;
	injector->attr.probability = 0;
	atomic_set(&injector->attr.space, 0);

#ifdef CONFIG_MEMCG
	memcg = ptfuzz_memcg_new();
	if (!memcg)
		panic("ptfuzz: no memcg");
	objcg_kmem = (unsigned long)rcu_access_pointer(memcg->objcg) | MEMCG_DATA_KMEM;
#endif
	for (int i = 0; i < MAX_MMS; i++)
		mms[i] = kzalloc(sizeof(struct mm_struct) + 256, GFP_KERNEL);
	arena = alloc_pages(GFP_KERNEL, 10);
	arena_addr = (unsigned long)page_address(arena);
	zone = page_zone(arena);
	page_group_by_mobility_disabled = 1;
	init_waitqueue_head(&zone->zone_pgdat->kswapd_wait);
	zone_pcp_disable(zone);
	console_loglevel = 8;
	register_console(&ptfuzz_console);
	atomic_notifier_chain_register(&panic_notifier_list, &ptfuzz_panic_block);
	shared[S_MM_MAP] = sizeof(struct page);
	shared[S_MAGIC] = PTF_MAGIC;
	make_private();
	say("\nptfuzz: ready\n");
	while (true) {
		long n = read(0, &c, 1);

		if (n == 0 || (n == 1 && c == 'q'))
			break;
		/* A timer's signal can end the wait. */
		if (n < 0 && *__errno_location() != HOST_EINTR)
			panic("ptfuzz: no orders");
		if (n != 1 || c != 'r')
			continue;
		batch();
		say("\nptfuzz: done\n");
	}
	_exit(0);
}
late_initcall_sync(ptfuzz_main);
