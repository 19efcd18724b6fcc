/**
 * Mistakes in counting the tables that share a page.
 *
 * @module
 */
import { fragmentList } from "../../memory/mem_map.ts";
import { SRMMU_PTE_TABLE_SIZE } from "../../memory/fragments.ts";
import { PAGE_SIZE, W_INDEX, W_REFCOUNT } from "../../memory/words.ts";
import { clear_pgste_bits_without_B17, page_table_alloc, page_table_free } from "../fragments.ts";
import { free_pointer_table } from "../pointer_table.ts";
import { kmem_cache_free } from "../slab.ts";
import { pte_alloc_one_srmmu } from "../srmmu.ts";
import { pte_frag_destroy_6_6, pte_fragment_alloc, pte_fragment_free_6_6 } from "../pte_frag.ts";
import { dtorInside, LEVEL_PTE } from "../ctor.ts";
import type { Kernel } from "../kernel.ts";
import { list_add, list_del } from "../list.ts";
import { FREE_PENDING, reachPoint } from "../points.ts";
import { at, type Mutant, mutant } from "./mutant.ts";

const POWERPC = { arch: "powerpc" } as const;
const M68K = { kernel: "6.1", arch: "m68k" } as const;
const SPARC = { arch: "sparc" } as const;
const SH = { arch: "sh" } as const;
const S390 = { kernel: "6.1", arch: "s390" } as const;
const TWO = `
a0 = page_table_alloc(mm0)
a1 = page_table_alloc(mm0)
page_table_free(mm0, a0)
page_table_free(mm0, a1)`;

const FRAGMENTS_OF_TWO = `
a0 = pte_fragment_alloc(mm0, 0)
a1 = pte_fragment_alloc(mm0, 0)
pte_fragment_free(a0, 0)`;

/** A gather takes the lower half, and a grace period ends while the upper half is given up. */
const HALVES = `
a0 = page_table_alloc(mm0)
a1 = page_table_alloc(mm0)
g0 = tlb_gather_mmu(mm0)
page_table_free_rcu(g0, a0, 0x200000)
tlb_finish_mmu(g0)`;

/** Changes the half's bit that says it is in use, and the page's place on the list, as the lock keeps them together. */
function noTable(k: Kernel, mm: number, table: number): number {
  const page = k.virt_to_page(k, table);
  const bit = (table & (PAGE_SIZE - 1)) >= PAGE_SIZE / 2 ? 1 : 0;
  k.mem[at(page, W_REFCOUNT)]! ^= 1 << (bit + 24);
  if ((k.mem[at(page, W_REFCOUNT)]! >>> 24 & 3) === 0) list_del(k, page);
  else list_add(k, page, fragmentList(k.map, mm));
  return page;
}

/** The mutants. */
export const FRAGMENTS: readonly Mutant[] = [
  mutant(
    "page-leak",
    "pgste-bits-kept",
    "a table with PGSTEs is freed with its bits in _refcount (B17)",
    {
      clear_pgste_bits: clear_pgste_bits_without_B17,
    },
    "a0 = page_table_alloc(mm0)\npage_table_free(mm0, a0)",
    { ...S390, config: ["PGSTE"] },
  ),
  mutant(
    "constructor",
    "half-freed-without-pending",
    "page_table_free clears the AA bit and sets no PP bit: a callback for the other half finds nothing left either",
    {
      page_table_free(k, mm, table) {
        const page = noTable(k, mm, table);
        reachPoint(k, FREE_PENDING);
        if (k.mem[at(page, W_REFCOUNT)]! >>> 24 !== 0) return;
        dtorInside(k, page, LEVEL_PTE, k.pagetable_pte_dtor);
        k.__free_pages(k, page, 0);
      },
    },
    HALVES + "\nat page_table_free:pending env rcu_grace_period()\npage_table_free(mm0, a1)",
    S390,
  ),
  mutant(
    "bad-reference",
    "other-half-too",
    "page_table_free clears the bit of the wrong half as well",
    {
      page_table_free(k, mm, table) {
        const page = k.virt_to_page(k, table);
        page_table_free(k, mm, table);
        k.mem[at(page, W_REFCOUNT)] = k.mem[at(page, W_REFCOUNT)]! & 0xff_ffff;
      },
    },
    TWO,
    S390,
  ),
  mutant(
    "use-after-free",
    "half-handed-out-twice",
    "page_table_alloc forgets which half it found free",
    {
      page_table_alloc(k, mm) {
        const before = k.mem[fragmentList(k.map, mm)];
        const addr = page_table_alloc(k, mm);
        return before === fragmentList(k.map, mm) << 2 ? addr : addr & ~(PAGE_SIZE - 1);
      },
    },
    TWO,
    S390,
  ),
  mutant(
    "shared-page",
    "share-put-twice",
    "pte_fragment_free puts two shares of its page",
    {
      pte_fragment_free(k, table, kernel) {
        const page = k.virt_to_page(k, table);
        k.mem[at(page, W_INDEX)] = k.mem[at(page, W_INDEX)]! - 1;
        pte_fragment_free_6_6(k, table, kernel);
      },
    },
    FRAGMENTS_OF_TWO,
    POWERPC,
  ),
  mutant(
    "page-leak",
    "rest-put-short",
    "pte_frag_destroy puts one share less than the mm keeps",
    {
      pte_frag_destroy(k, frag) {
        const page = k.virt_to_page(k, frag);
        k.mem[at(page, W_INDEX)] = k.mem[at(page, W_INDEX)]! + 1;
        pte_frag_destroy_6_6(k, frag);
      },
    },
    `${FRAGMENTS_OF_TWO}
pte_fragment_free(a1, 0)
arch_exit_mmap(mm0)`,
    POWERPC,
  ),
  mutant(
    "use-after-free",
    "fragment-given-twice",
    "pte_fragment_alloc does not go on to the next fragment",
    {
      pte_fragment_alloc(k, mm, kernel) {
        const before = k.pteFrag[mm]!;
        const table = pte_fragment_alloc(k, mm, kernel);
        if (table === before) k.pteFrag[mm] = before;
        return table;
      },
    },
    "a0 = pte_fragment_alloc(mm0, 0)\na1 = pte_fragment_alloc(mm0, 0)\na2 = pte_fragment_alloc(mm0, 0)",
    POWERPC,
  ),
  mutant(
    "constructor",
    "last-fragment-not-destructed",
    "pte_fragment_free frees every page as one of the kernel's own",
    {
      pte_fragment_free(k, table) {
        pte_fragment_free_6_6(k, table, 1);
      },
    },
    "a0 = pte_fragment_alloc(mm0, 0)\narch_exit_mmap(mm0)\npte_fragment_free(a0, 0)",
    POWERPC,
  ),
  mutant(
    "grace-period",
    "deferred-page-not-marked",
    "pte_free_defer does not mark the page, and the last share frees it at once",
    {
      pte_free_defer(k, table) {
        k.pte_fragment_free(k, table, 0);
      },
    },
    `
a0 = pte_fragment_alloc(mm0, 0)
populate(a0)
w0 = env pte_offset_map(a0)
arch_exit_mmap(mm0)
unlink(a0, 0x200000, shared)
flush_tlb_range(mm0, 0x200000, 0x400000)
pte_free_defer(mm0, a0)`,
    POWERPC,
  ),
  mutant(
    "shared-page",
    "neighbour-marked-free",
    "free_pointer_table marks the table behind it free as well",
    {
      free_pointer_table(k, table, type) {
        const page = k.virt_to_page(k, table);
        k.mem[at(page, W_INDEX)] = k.mem[at(page, W_INDEX)]! | 2;
        return free_pointer_table(k, table, type);
      },
    },
    `
a0 = get_pointer_table(TABLE_PTE)
a1 = get_pointer_table(TABLE_PTE)
free_pointer_table(a0, TABLE_PTE)`,
    M68K,
  ),
  mutant(
    "bad-reference",
    "table-of-the-pool-not-put",
    "pte_free gives the piece back and keeps the reference on its page",
    {
      pte_free(k, ptep) {
        k.srmmu_free_nocache(k, ptep, SRMMU_PTE_TABLE_SIZE);
      },
    },
    "a0 = pte_alloc_one(mm0)\na1 = pte_alloc_one(mm0)\npte_free(mm0, a1)",
    SPARC,
  ),
  mutant(
    "constructor",
    "pool-page-constructed-twice",
    "pte_alloc_one constructs the page for every table in it",
    {
      pte_alloc_one(k) {
        const table = pte_alloc_one_srmmu(k);
        const page = k.virt_to_page(k, table);
        if (k.mem[at(page, W_REFCOUNT)]! > 2) k.pagetable_pte_ctor(k, page);
        return table;
      },
    },
    "a0 = pte_alloc_one(mm0)\na1 = pte_alloc_one(mm0)",
    SPARC,
  ),
  mutant(
    "shared-page",
    "piece-kept-in-the-map",
    "srmmu_free_nocache leaves the piece's bit set",
    {
      srmmu_free_nocache() {},
    },
    "a0 = srmmu_get_nocache(256, 256)\nsrmmu_free_nocache(a0, 256)",
    SPARC,
  ),
  mutant(
    "shared-page",
    "slab-freed-with-objects",
    "kmem_cache_free gives the page back with the first object",
    {
      kmem_cache_free(k, cache, object) {
        const page = k.virt_to_page(k, object);
        k.slabObjects[page] = (k.slabObjects[page]! & ~15) | 1 << ((object & (PAGE_SIZE - 1)) >> 10);
        kmem_cache_free(k, cache, object);
      },
    },
    `
a0 = kmem_cache_alloc(pmd_cache, GFP_KERNEL)
a1 = kmem_cache_alloc(pmd_cache, GFP_KERNEL)
kmem_cache_free(pmd_cache, a0)`,
    SH,
  ),
];
