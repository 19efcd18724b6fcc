/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Around the functions that the build takes out of arch/powerpc/mm: what of powerpc
 * they use, by the same names for as long as they are compiled. Tables of PUDs are
 * objects of a slab cache, which the driver does not have.
 */
struct ptf_powerpc_mm {
	struct {
		void *pte_frag, *pmd_frag;
	} context;
};

/* mm_context_t of each mm. */
static struct ptf_powerpc_mm powerpc_mms[MAX_MMS];

static void powerpc_reset(void)
{
	memset(powerpc_mms, 0, sizeof(powerpc_mms));
}

#pragma push_macro("mm_struct")
#pragma push_macro("init_mm")
#pragma push_macro("spin_lock")
#pragma push_macro("spin_unlock")
#pragma push_macro("PGALLOC_GFP")
#pragma push_macro("alloc_page")
#pragma push_macro("pagetable_alloc")
#pragma push_macro("tlb_remove_table")
#undef alloc_page
#undef pagetable_alloc
#undef spin_lock
#undef spin_unlock
#define mm_struct ptf_powerpc_mm
#define init_mm powerpc_mms[0]
#define spin_lock(lock) do { } while (0)
#define spin_unlock(lock) do { } while (0)
#define PGALLOC_GFP (GFP_KERNEL | __GFP_ZERO)
#define PTE_FRAG_NR 16
#define PTE_FRAG_SIZE_SHIFT (PAGE_SHIFT - 4)
#define PTE_FRAG_SIZE (1UL << PTE_FRAG_SIZE_SHIFT)
#define PMD_FRAG_NR 4
#define PMD_FRAG_SIZE_SHIFT (PAGE_SHIFT - 2)
#define PMD_FRAG_SIZE (1UL << PMD_FRAG_SIZE_SHIFT)
#define pte_frag_get(context) ((context)->pte_frag)
#define pte_frag_set(context, frag) ((context)->pte_frag = (frag))
#define MAX_PGTABLE_INDEX_SIZE 15
#define PTE_INDEX 0
#define PMD_INDEX 1
#define PUD_INDEX 2
#define __pud_free(table) do { } while (0)
#define tlb_remove_table(tlb, table) remove_table_at(tlb, table)
#define __tlb_remove_table powerpc__tlb_remove_table
#ifdef HAVE_PTDESC
static void powerpc_pte_free_now(struct rcu_head *head);

static void powerpc_deferred(struct rcu_head *head)
{
	is_callback = true;
	powerpc_pte_free_now(head);
	is_callback = false;
}

static void powerpc_call_rcu(struct rcu_head *head)
{
	call_rcu(head, powerpc_deferred);
}

#pragma push_macro("call_rcu")
#undef call_rcu
#define call_rcu(head, func) powerpc_call_rcu(head)
#define pte_free_now powerpc_pte_free_now
#define pte_free_defer powerpc_defer
#define pagetable_alloc(gfp, order) table_alloc(gfp)
#define pagetable_pte_dtor(pt) noted_pte_dtor(pt)
#define pagetable_pmd_dtor(pt) noted_pmd_dtor(pt)
#else
#define alloc_page(gfp) table_alloc(gfp)
#define pgtable_pte_page_dtor(page) noted_pte_dtor(page)
#define pgtable_pmd_page_dtor(page) noted_pmd_dtor(page)
#endif
#define PTF_POWERPC_HERE 1
#include "ptfuzz_arch_functions.h"
#undef PTF_POWERPC_HERE
#undef PTE_INDEX
#undef PMD_INDEX
#undef PUD_INDEX
#undef __pud_free
#undef __tlb_remove_table
#ifdef HAVE_PTDESC
#pragma pop_macro("call_rcu")
#undef pte_free_now
#undef pte_free_defer
#undef pagetable_pte_dtor
#undef pagetable_pmd_dtor
#else
#undef pgtable_pte_page_dtor
#undef pgtable_pmd_page_dtor
#endif
#pragma pop_macro("mm_struct")
#pragma pop_macro("init_mm")
#pragma pop_macro("spin_lock")
#pragma pop_macro("spin_unlock")
#pragma pop_macro("PGALLOC_GFP")
#pragma pop_macro("alloc_page")
#pragma pop_macro("pagetable_alloc")
#pragma pop_macro("tlb_remove_table")

#ifdef HAVE_PTDESC
static void powerpc_pte_free_defer(void *table)
{
	powerpc_defer(NULL, table);
}
#endif
