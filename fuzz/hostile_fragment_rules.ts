/**
 * How tables that share a page are used right, and how wrong (see `hostile_use.ts`).
 *
 * @module
 */
import {
  IS_OBJECT,
  PGTABLE_CACHE,
  PMD_INDEX,
  PTE_INDEX,
  PUD_INDEX,
  SLAB_CACHES,
  TABLE_PMD,
  TABLE_PTE,
} from "../core/memory/fragments.ts";
import { GFP_FLAGS } from "../core/memory/gfp.ts";
import { opOf } from "../core/program/calls.ts";
import { MAX_FRAGMENTS } from "./hostile_picture.ts";
import type { Rule, Use } from "./hostile_use.ts";
import { VIRT, type Writer } from "./hostile_writer.ts";

/** What of machine and kernel decides how they are used. */
export interface FragmentFacts {
  /** s390's halves can be queued. */
  readonly halves: boolean;
  /** powerpc's fragments can be queued, and deferred. */
  readonly parts: boolean;
  /** sparc64's objects and pages can be queued. */
  readonly pages: boolean;
  /** Locks come from a slab, and constructors whose answer nobody looks at may fail. */
  readonly slabLocks: boolean;
  /** Constructors take descriptors. */
  readonly descriptors: boolean;
  /** Only memory of pagetable_alloc has a descriptor. */
  readonly apart: boolean;
}

/** Tables of s390 and powerpc are all of one mm: its list or page is what a table goes back to. */
const MM = 1;
const INIT_MM = 0;
/** Sorts of tables, as the picture keeps them apart; slab caches follow. */
const HALF = 0;
const PTE = 1;
const PTE_KERNEL = 2;
const PMD = 3;
const POINTER = 4;
const NOCACHE = 6;
const NOCACHE_PTE = 7;
const SLAB = 8;
/** Bytes of a piece of the nocache pool: a table of PMDs. */
const PIECE = 256;
const GFP_KERNEL = GFP_FLAGS["GFP_KERNEL"] as number;

const OP_DEFER = opOf("pte_free_defer");

/** One of the tables of that sort that are live, which it is no longer; -1 where there is none. */
function take({ picture, random }: Writer, sort: number): number {
  const n = picture.nFragments;
  if (n === 0) return -1;
  const from = random.below(n);
  for (let j = 0; j < n; j++) {
    const i = (from + j) % n;
    if (picture.fragmentSort[i] !== sort) continue;
    const slot = picture.fragments[i]!;
    picture.nFragments--;
    picture.fragments[i] = picture.fragments[n - 1]!;
    picture.fragmentSort[i] = picture.fragmentSort[n - 1]!;
    return slot;
  }
  return -1;
}

/** A line that makes a table of a sort. */
function makes(name: string, line: (w: Writer, op: number) => [slot: number, sort: number] | undefined): Rule {
  const op = opOf(name);
  return (w) => {
    const { picture } = w;
    if (picture.nFragments === MAX_FRAGMENTS) return false;
    const made = line(w, op);
    if (made === undefined) return false;
    picture.fragments[picture.nFragments] = made[0];
    picture.fragmentSort[picture.nFragments++] = made[1];
    return true;
  };
}

/** A line on a table of one of some sorts, or on any address. */
function frees(
  name: string,
  sorts: readonly number[],
  line: (w: Writer, op: number, slot: number, sort: number, offset: number) => void,
): Use {
  const op = opOf(name);
  return {
    right(w) {
      const sort = sorts[w.random.below(sorts.length)]!;
      const slot = take(w, sort);
      if (slot < 0) return false;
      line(w, op, slot, sort, 0);
      return true;
    },
    wrong(w) {
      const slot = w.target(VIRT);
      if (slot < 0) return false;
      line(w, op, slot, sorts[w.random.below(sorts.length)]!, w.targetOffset);
      return true;
    },
  };
}

/** A line that queues such a table in a gather that is open, or anything in any. */
function queues(name: string, possible: boolean, sorts: readonly number[], index: (sort: number) => number): Use {
  const op = opOf(name);
  return {
    right(w) {
      const { picture, random } = w;
      const g = possible ? picture.findGather(random, 1) : -1;
      // Of the same mm: another's list would get the page.
      if (g < 0 || picture.gMm[g] !== MM) return false;
      const sort = sorts[random.below(sorts.length)]!;
      const slot = take(w, sort);
      if (slot < 0) return false;
      w.write(op, picture.gSlot[g]!, slot, index(sort), 0, 3);
      if (picture.gRange[g] === 1) picture.gRange[g] = 0;
      return true;
    },
    wrong(w) {
      const { picture, random } = w;
      const g = picture.findGather(random, random.chance(64) ? 0 : 1);
      const slot = g < 0 ? -1 : w.target(VIRT);
      if (slot < 0) return false;
      w.write(op, picture.gSlot[g]!, slot, index(sorts[random.below(sorts.length)]!), w.targetOffset << 10, 3);
      return true;
    },
  };
}

/** powerpc's pte_free_defer of a fragment. */
export const deferFragment: Rule = (w: Writer): boolean => {
  const slot = take(w, PTE);
  if (slot < 0) return false;
  w.write(OP_DEFER, MM, slot, 0, 0, 3);
  return true;
};

/** The rules. */
export function fragmentRules(facts: FragmentFacts): Readonly<Record<string, Use>> {
  const levelOf = (sort: number): number =>
    sort >= SLAB ? (facts.pages ? IS_OBJECT : PUD_INDEX) : sort === PMD ? PMD_INDEX : PTE_INDEX;
  const built = !facts.slabLocks && !facts.apart;
  return {
    page_table_alloc: { right: makes("page_table_alloc", (w, op) => [w.write(op, MM, 0, 0, 0, 1), HALF]) },
    page_table_free: frees("page_table_free", [HALF], (w, op, slot, _, offset) => {
      w.write(op, MM, slot, 0, offset << 10, 3);
    }),
    page_table_free_rcu: queues("page_table_free_rcu", facts.halves, [HALF], () => 0x200000),
    pte_fragment_alloc: {
      right: makes("pte_fragment_alloc", (w, op) => {
        const kernel = w.random.chance(64);
        return [w.write(op, kernel ? INIT_MM : MM, kernel ? 1 : 0, 0, 0, 1), kernel ? PTE_KERNEL : PTE];
      }),
      wrong: makes("pte_fragment_alloc", (w, op) => [w.write(op, MM, 1, 0, 0, 1), PTE]),
    },
    pte_fragment_free: frees("pte_fragment_free", [PTE, PTE_KERNEL], (w, op, slot, sort, offset) => {
      w.write(op, slot, sort === PTE_KERNEL ? 1 : 0, 0, offset, 1);
    }),
    pmd_fragment_alloc: { right: makes("pmd_fragment_alloc", (w, op) => [w.write(op, MM, 0x200000, 0, 0, 1), PMD]) },
    pmd_fragment_free: frees("pmd_fragment_free", [PMD], (w, op, slot, _, offset) => w.one(op, slot, offset)),
    pgtable_free_tlb: queues(
      "pgtable_free_tlb",
      facts.parts || facts.pages,
      facts.pages ? [SLAB + PGTABLE_CACHE] : [PTE, PMD, SLAB + PGTABLE_CACHE],
      levelOf,
    ),
    arch_exit_mmap: {
      right(w) {
        w.one(opOf("arch_exit_mmap"), MM, 0);
        return true;
      },
      wrong(w) {
        w.one(opOf("arch_exit_mmap"), INIT_MM, 0);
        return true;
      },
    },
    get_pointer_table: {
      right: makes("get_pointer_table", (w, op) => {
        const type = built && !facts.descriptors && w.random.chance(128) ? TABLE_PTE : TABLE_PMD;
        return [w.write(op, type, 0, 0, 0, 0), POINTER + type];
      }),
      ...(facts.slabLocks || facts.descriptors
        ? { wrong: makes("get_pointer_table", (w, op) => [w.write(op, TABLE_PTE, 0, 0, 0, 0), POINTER + TABLE_PTE]) }
        : {}),
    },
    free_pointer_table: frees(
      "free_pointer_table",
      [POINTER + TABLE_PMD, POINTER + TABLE_PTE],
      (w, op, slot, sort, offset) => w.write(op, slot, sort - POINTER, 0, offset, 1),
    ),
    srmmu_get_nocache: {
      right: makes("srmmu_get_nocache", (w, op) => [w.write(op, PIECE, PIECE, 0, 0, 0), NOCACHE]),
    },
    srmmu_free_nocache: frees("srmmu_free_nocache", [NOCACHE], (w, op, slot, _, offset) => {
      w.write(op, slot, PIECE, 0, offset, 1);
    }),
    pte_alloc_one: {
      right: makes("pte_alloc_one", (w, op) => built ? [w.write(op, MM, 0, 0, 0, 1), NOCACHE_PTE] : undefined),
      ...(facts.slabLocks || facts.apart
        ? { wrong: makes("pte_alloc_one", (w, op) => [w.write(op, MM, 0, 0, 0, 1), NOCACHE_PTE]) }
        : {}),
    },
    pte_free: frees("pte_free", [NOCACHE_PTE], (w, op, slot, _, offset) => w.write(op, MM, slot, 0, offset << 10, 3)),
    kmem_cache_alloc: {
      right: makes("kmem_cache_alloc", (w, op) => {
        const cache = w.random.below(SLAB_CACHES.length);
        return [w.write(op, cache, GFP_KERNEL, 0, 0, 0), SLAB + cache];
      }),
    },
    kmem_cache_free: frees(
      "kmem_cache_free",
      SLAB_CACHES.map((_, cache) => SLAB + cache),
      (w, op, slot, sort, offset) => w.write(op, sort - SLAB, slot, 0, offset << 10, 2),
    ),
  };
}
