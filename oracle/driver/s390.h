/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Around the functions that the build takes out of arch/s390/mm/pgalloc.c: what of
 * s390 they use, by the same names for as long as they are compiled.
 */
struct ptf_s390_mm {
	struct {
		struct list_head pgtable_list;
	} context;
};

/* mm_context_t of each mm. */
static struct ptf_s390_mm s390_mms[MAX_MMS];

static struct ptf_s390_mm *s390_mm_of(struct mmu_gather *tlb)
{
	int i = 0;

	while (i < MAX_MMS - 1 && tlb->mm != mms[i])
		i++;
	return &s390_mms[i];
}

#pragma push_macro("mm_struct")
#pragma push_macro("PTRS_PER_PTE")
#pragma push_macro("_PAGE_INVALID")
#pragma push_macro("CRST_ALLOC_ORDER")
#pragma push_macro("mm_alloc_pgste")
#pragma push_macro("spin_lock_bh")
#pragma push_macro("spin_unlock_bh")
#pragma push_macro("arch_set_page_dat")
#pragma push_macro("gmap_unlink")
#pragma push_macro("dump_page")
#pragma push_macro("alloc_page")
#pragma push_macro("pgtable_pte_page_dtor")
#pragma push_macro("tlb_remove_table")
#pragma push_macro("__tlb_remove_table")
#undef PTRS_PER_PTE
#undef alloc_page
#undef _PAGE_INVALID
#define mm_struct ptf_s390_mm
#define PTRS_PER_PTE 256
#define _PAGE_INVALID PTF_TABLE_ENTRY
#define CRST_ALLOC_ORDER 2
#define mm_alloc_pgste(mm) pgste
#define spin_lock_bh(lock) do { } while (0)
/* The point of page_table_free() between its lock and the last bit. */
#define spin_unlock_bh(lock) \
do { \
	if (!strcmp(__func__, "page_table_free")) \
		at_point(PTF_POINT_page_table_free_pending); \
} while (0)
#define arch_set_page_dat(page, order) do { } while (0)
#define gmap_unlink(mm, table, vmaddr) do { } while (0)
#define dump_page(page, msg) do { } while (0)
#define alloc_page(gfp) table_alloc(gfp)
#define pgtable_pte_page_dtor(page) noted_pte_dtor(page)
#define tlb_remove_table(tlb, table) remove_table_at(tlb, table)
#define __tlb_remove_table s390__tlb_remove_table
#define PTF_S390_HERE 1
#include "ptfuzz_arch_functions.h"
#undef PTF_S390_HERE
#pragma pop_macro("mm_struct")
#pragma pop_macro("PTRS_PER_PTE")
#pragma pop_macro("_PAGE_INVALID")
#pragma pop_macro("CRST_ALLOC_ORDER")
#pragma pop_macro("mm_alloc_pgste")
#pragma pop_macro("spin_lock_bh")
#pragma pop_macro("spin_unlock_bh")
#pragma pop_macro("arch_set_page_dat")
#pragma pop_macro("gmap_unlink")
#pragma pop_macro("dump_page")
#pragma pop_macro("alloc_page")
#pragma pop_macro("pgtable_pte_page_dtor")
#pragma pop_macro("tlb_remove_table")
#pragma pop_macro("__tlb_remove_table")
