/**
 * Mistakes in what page tables carry beside their pages: constructors and
 * destructors, types, charges, locks, deposits, sharers.
 *
 * @module
 */
import { OBJCG_KMEM, Z_CHARGED, Z_PAGETABLE } from "../../memory/mem_map.ts";
import { NULL, W_INDEX, W_MEMCG, W_TYPE } from "../../memory/words.ts";
import {
  dtorInside,
  lruvec_stat_mod_pagetable_6_6,
  pagetable_pmd_ctor,
  pagetable_pte_ctor,
  pagetable_pud_dtor,
} from "../ctor.ts";
import { alloc_pages } from "../alloc.ts";
import { __memcg_kmem_charge_page, FAIL_CHARGE, split_page_memcg } from "../memcg.ts";
import { __GFP_ACCOUNT } from "../../memory/gfp.ts";
import { tlb_remove_table_6_14 } from "../mmu_gather.ts";
import { ptlock_alloc } from "../ptlock.ts";
import { at, type Mutant, mutant } from "./mutant.ts";

const PTE = `
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
n0 = pagetable_pte_ctor(d0)
pagetable_pte_dtor(d0)
pagetable_free(d0)`;
const PMD = `
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
n0 = pagetable_pmd_ctor(d0)
pagetable_pmd_dtor(d0)
pagetable_free(d0)`;
const CRST_PUD = `
d0 = pagetable_alloc(GFP_PGTABLE_USER, 2)
pagetable_pud_ctor(d0)
pagetable_pud_dtor(d0)
pagetable_free(d0)`;
const S390_PTE = `
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
n0 = pagetable_pte_ctor(d0)
a0 = ptdesc_to_virt(d0)
g0 = tlb_gather_mmu(mm0)
tlb_flush_pmd_range(g0, 0x100000, 0x1000)
tlb_remove_ptdesc(g0, a0)
tlb_finish_mmu(g0)
env rcu_grace_period()`;
const DEPOSIT = `
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
n0 = pagetable_pmd_ctor(d0)
a0 = ptdesc_address(d0)
d1 = pagetable_alloc(GFP_PGTABLE_USER, 0)
n1 = pagetable_pte_ctor(d1)
p1 = ptdesc_page(d1)
pgtable_trans_huge_deposit(mm0, a0, p1)
p2 = pgtable_trans_huge_withdraw(mm0, a0)
d2 = page_ptdesc(p2)
pagetable_pte_dtor(d2)
pagetable_free(d2)
pagetable_pmd_dtor(d0)
pagetable_free(d0)`;
const SHARE = `
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
n0 = pagetable_pmd_ctor(d0)
a0 = ptdesc_address(d0)
huge_pmd_share(a0)
a1 = huge_pmd_unshare(a0)
a2 = huge_pmd_unshare(a0)
d1 = virt_to_ptdesc(a2)
pagetable_pmd_dtor(d1)
pagetable_free(d1)`;
const CHARGED = "p0 = alloc_pages(GFP_KERNEL_ACCOUNT, 2)\n__free_pages(p0, 2)";
const EXACT = "a0 = alloc_pages_exact(0x3000, GFP_KERNEL_ACCOUNT)\nfree_pages_exact(a0, 0x3000)";
const SPLIT = `
p0 = alloc_pages(GFP_KERNEL_ACCOUNT, 1)
split_page(p0, 1)
__free_page(p0)
__free_page(p0+1)`;
const HELD = `
p0 = alloc_pages(GFP_KERNEL_ACCOUNT, 2)
env get_page_unless_zero(p0)
__free_pages(p0, 2)
env put_page(p0)`;

const SLAB = { arch: "x86", config: ["ALLOC_SPLIT_PTLOCKS"] } as const;
const X86 = { arch: "x86", config: ["SPLIT_PTLOCKS"] } as const;
const MEMCG = { config: ["MEMCG"] } as const;

/** The mutants. */
export const TABLES: readonly Mutant[] = [
  mutant("constructor", "ctor-counts-twice", "pagetable_pte_ctor counts the table a second time after the lock", {
    pagetable_pte_ctor(k, pt) {
      const made = pagetable_pte_ctor(k, pt);
      k.lruvec_stat_mod_pagetable(k, pt, 1);
      return made;
    },
  }, PTE),
  mutant("constructor", "dtor-does-not-count", "pagetable_pmd_dtor forgets NR_PAGETABLE", {
    pagetable_pmd_dtor(k, pt) {
      k.pmd_ptlock_free(k, pt);
      k.__folio_clear_pgtable(k, pt);
    },
  }, PMD),
  mutant(
    "constructor",
    "dtor-counts-one-page",
    "lruvec_stat_sub_folio takes one page off, whatever the order that was added",
    {
      lruvec_stat_mod_pagetable(k, page, sign) {
        if (sign > 0) lruvec_stat_mod_pagetable_6_6(k, page, sign);
        else k.mem[k.lowZone + Z_PAGETABLE] = k.mem[k.lowZone + Z_PAGETABLE]! - 1;
      },
    },
    CRST_PUD,
  ),
  mutant(
    "constructor",
    "no-dtor-in-the-gather",
    "s390's __tlb_remove_table frees a table of PTEs as it is",
    {
      __tlb_remove_table: (k, table) => k.pagetable_free(k, k.virt_to_ptdesc(k, table)),
    },
    S390_PTE,
    { arch: "s390" },
  ),
  mutant(
    "constructor",
    "withdraws-another",
    "pgtable_trans_huge_withdraw answers the page behind the one deposited",
    {
      pgtable_trans_huge_withdraw: (k, _mm, pmdp) => k.virt_to_page(k, pmdp),
    },
    DEPOSIT,
    X86,
  ),
  mutant("page-type", "ctor-sets-no-type", "__folio_set_pgtable is left out for PUDs", {
    pagetable_pud_ctor: (k, pt) => k.lruvec_stat_mod_pagetable(k, pt, 1),
  }, CRST_PUD),
  mutant("page-type", "dtor-keeps-the-type", "pagetable_pte_dtor clears no type", {
    pagetable_pte_dtor(k, pt) {
      k.ptlock_free(k, pt);
      k.lruvec_stat_mod_pagetable(k, pt, -1);
    },
  }, PTE),
  mutant("page-type", "ctor-sets-guard", "__folio_set_pgtable writes the type of a guard page", {
    __folio_set_pgtable(k, page) {
      k.mem[at(page, W_TYPE)] = 0xf300_0000 | 0;
    },
  }, PMD),
  mutant("page-type", "pud-dtor-keeps-the-type", "pagetable_pud_dtor clears no type", {
    pagetable_pud_dtor(k, pt) {
      const type = k.mem[at(pt, W_TYPE)]!;
      pagetable_pud_dtor(k, pt);
      k.mem[at(pt, W_TYPE)] = type;
    },
  }, CRST_PUD),
  mutant(
    "charge",
    "charges-one-page",
    "__memcg_kmem_charge_page charges one page, whatever the order",
    {
      __memcg_kmem_charge_page(k, page, _order) {
        k.mem[k.lowZone + Z_CHARGED] = k.mem[k.lowZone + Z_CHARGED]! + 1;
        k.mem[at(page, W_MEMCG)] = OBJCG_KMEM;
        return true;
      },
    },
    CHARGED,
    MEMCG,
  ),
  mutant(
    "charge",
    "never-uncharged",
    "free_pages_prepare asks for PageMemcgKmem of a page that has no bit for it",
    {
      __memcg_kmem_uncharge_page(k, page) {
        k.mem[at(page, W_MEMCG)] = 0;
      },
    },
    CHARGED,
    MEMCG,
  ),
  mutant(
    "charge",
    "nobody-is-charged",
    "__memcg_kmem_charge_page leaves memcg_data to its caller",
    {
      __memcg_kmem_charge_page(k, _page, order) {
        k.mem[k.lowZone + Z_CHARGED] = k.mem[k.lowZone + Z_CHARGED]! + (1 << order);
        return true;
      },
    },
    CHARGED,
    MEMCG,
  ),
  mutant(
    "charge",
    "failed-charge-stays",
    "__memcg_kmem_charge_page takes the pages off the limit before it finds that they are too many",
    {
      __memcg_kmem_charge_page(k, page, order, gfp) {
        if (__memcg_kmem_charge_page(k, page, order, gfp)) return true;
        k.mem[k.lowZone + Z_CHARGED] = k.mem[k.lowZone + Z_CHARGED]! + (1 << order);
        return false;
      },
    },
    "env fail __memcg_kmem_charge_page\np0 = alloc_pages(GFP_KERNEL_ACCOUNT, 2)",
    MEMCG,
  ),
  mutant(
    "page-leak",
    "failed-charge-keeps-pages",
    "alloc_pages answers NULL where the charge failed, and keeps what it took",
    {
      alloc_pages(k, gfp, order) {
        if ((k.failNext & FAIL_CHARGE) === 0 || !k.memcg || (gfp & __GFP_ACCOUNT) === 0) {
          return alloc_pages(k, gfp, order);
        }
        k.failNext &= ~FAIL_CHARGE;
        alloc_pages(k, gfp & ~__GFP_ACCOUNT, order);
        return NULL;
      },
    },
    "env fail __memcg_kmem_charge_page\np0 = alloc_pages(GFP_KERNEL_ACCOUNT, 2)",
    MEMCG,
  ),
  mutant("charge", "split-keeps-the-charge", "split_page_memcg is left out", { split_page_memcg() {} }, SPLIT, MEMCG),
  mutant(
    "charge",
    "split-off-by-one",
    "split_page_memcg ends one page early",
    {
      split_page_memcg(k, head, order) {
        split_page_memcg(k, head, order);
        k.mem[at(head + (1 << order) - 1, W_MEMCG)] = 0;
      },
    },
    EXACT,
    MEMCG,
  ),
  mutant(
    "charge",
    "tails-keep-the-charge",
    "B3: __free_pages frees the tails of a held block and leaves their charge",
    {
      __free_pages(k, page, order) {
        const head = k.PageHead(k, page);
        if (k.put_page_testzero(k, page)) k.free_unref_page(k, page, order);
        else if (head === 0) { while (order-- > 0) k.free_unref_page(k, page + (1 << order), order); }
      },
    },
    HELD,
    { kernel: "6.12-with-B3", config: ["MEMCG"] },
  ),
  mutant(
    "lock-lifetime",
    "lock-not-freed",
    "pagetable_pte_dtor forgets the lock",
    {
      pagetable_pte_dtor(k, pt) {
        k.__folio_clear_pgtable(k, pt);
        k.lruvec_stat_mod_pagetable(k, pt, -1);
      },
    },
    PTE,
    SLAB,
  ),
  mutant(
    "lock-lifetime",
    "pmd-lock-not-freed",
    "pmd_ptlock_free ends before ptlock_free",
    { pmd_ptlock_free() {} },
    PMD,
    {
      ...SLAB,
      kernel: "6.12",
    },
  ),
  mutant(
    "lock-lifetime",
    "lock-freed-by-the-ctor",
    "pagetable_pte_ctor gives the lock back on its way out",
    {
      pagetable_pte_ctor(k, pt) {
        const made = pagetable_pte_ctor(k, pt);
        k.ptlock_free(k, pt);
        return made;
      },
    },
    "d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)\nn0 = pagetable_pte_ctor(d0)",
    SLAB,
  ),
  mutant(
    "lock-lifetime",
    "lock-leaked",
    "ptlock_alloc takes a lock and tries again",
    {
      ptlock_alloc(k, pt) {
        ptlock_alloc(k, pt);
        return ptlock_alloc(k, pt);
      },
    },
    PMD,
    SLAB,
  ),
  mutant(
    "lock-lifetime",
    "dtor-before-the-grace-period",
    "B12: tlb_remove_table runs the destructor before it queues the table",
    {
      tlb_remove_table(k, tlb, table) {
        dtorInside(k, table, 0, k.pagetable_dtor);
        tlb_remove_table_6_14(k, tlb, table);
      },
    },
    `
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
n0 = pagetable_pte_ctor(d0)
a0 = ptdesc_address(d0)
populate(a0)
w0 = env pte_offset_map(d0)
unlink(d0, 0x200000, shared)
g0 = tlb_gather_mmu(mm0)
tlb_flush_pmd_range(g0, 0x200000, 0x1000)
tlb_remove_ptdesc(g0, d0)
tlb_finish_mmu(g0)
env rcu_grace_period()`,
    { ...SLAB, kernel: "6.14" },
  ),
  mutant("share-count", "share-not-counted", "huge_pmd_share forgets to count", { huge_pmd_share() {} }, SHARE, X86),
  mutant(
    "share-count",
    "unshare-not-counted",
    "huge_pmd_unshare clears the entry and leaves the count",
    {
      huge_pmd_unshare: (k, ptep) => k.mem[at(k.virt_to_page(k, ptep), W_INDEX)]! === 0 ? ptep : NULL,
    },
    SHARE,
    X86,
  ),
  mutant(
    "share-count",
    "shared-is-one",
    "huge_pmd_unshare compares the count with 1, as the references before it",
    {
      huge_pmd_unshare(k, ptep) {
        const w = at(k.virt_to_page(k, ptep), W_INDEX);
        if (k.mem[w]! <= 1) return ptep;
        k.mem[w] = k.mem[w]! - 1;
        return NULL;
      },
    },
    SHARE,
    X86,
  ),
  mutant(
    "share-count",
    "ctor-keeps-the-count",
    "pagetable_pmd_ctor does not set pt_share_count to 0",
    {
      pagetable_pmd_ctor(k, pt) {
        const w = at(pt, W_INDEX);
        const before = k.mem[w]!;
        const made = pagetable_pmd_ctor(k, pt);
        k.mem[w] = before;
        return made;
      },
    },
    `
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
a0 = ptdesc_address(d0)
pgd_set_mm(a0, mm0)
n0 = pagetable_pmd_ctor(d0)
pagetable_pmd_dtor(d0)
pagetable_free(d0)`,
    X86,
  ),
];
