/**
 * Mistakes in the free lists.
 *
 * @module
 */
import { AREA_NR, AREA_WORDS, LIST_PREV, Z_AREA, Z_FREE } from "../../memory/mem_map.ts";
import { MAX_PAGE_ORDER, NULL, W_LRU_NEXT, W_PRIVATE, W_TYPE } from "../../memory/words.ts";
import { __free_one_page, __rmqueue_smallest, expand } from "../buddy.ts";
import type { Kernel } from "../kernel.ts";
import { list_add, nodeOf } from "../list.ts";
import { at, type Mutant, mutant } from "./mutant.ts";

function setBuddy(k: Kernel, page: number, order: number): void {
  k.mem[at(page, W_PRIVATE)] = order;
  k.mem[at(page, W_TYPE)] = k.buddyBit !== 0 ? k.mem[at(page, W_TYPE)]! & ~k.buddyBit : k.buddyValue;
}

function areaOf(zone: number, order: number): number {
  return zone + Z_AREA + order * AREA_WORDS;
}

/** Puts a page back where list_del took it from: the head of a list. */
function relink(k: Kernel, page: number, area: number): void {
  list_add(k, page, area);
}

/** First block of the smallest order that suffices, before it is taken. */
function candidate(k: Kernel, zone: number, order: number): { page: number; order: number } {
  for (let o = order; o <= MAX_PAGE_ORDER; o++) {
    const first = k.mem[areaOf(zone, o)]!;
    if (first !== areaOf(zone, o) << 2) return { page: first >> 6, order: o };
  }
  return { page: NULL, order };
}

/** expand with the list work of each half replaced. */
function expandWith(half: (k: Kernel, zone: number, page: number, order: number) => void): typeof expand {
  return (k, zone, page, low, high) => {
    for (let size = 1 << high; high-- > low;) {
      size >>= 1;
      half(k, zone, page + size, high);
    }
  };
}

function give(k: Kernel, zone: number, page: number, order: number, area: number): void {
  list_add(k, page, areaOf(zone, area));
  k.mem[areaOf(zone, area) + AREA_NR]!++;
  setBuddy(k, page, order);
}

const ONE_PAGE = "p0 = alloc_page(GFP_KERNEL)\n__free_page(p0)";
const TWO_PAGES = `
p0 = alloc_page(GFP_KERNEL)
p1 = alloc_page(GFP_KERNEL)
__free_page(p0)
__free_page(p1)`;

/** The mutants. */
export const BUDDY: readonly Mutant[] = [
  mutant("buddy-structure", "expand-wrong-list", "expand adds the half to the list of the order before the split", {
    expand: expandWith((k, zone, page, order) => give(k, zone, page, order, Math.min(order + 1, MAX_PAGE_ORDER))),
  }, "p0 = alloc_page(GFP_KERNEL)"),
  mutant("buddy-structure", "expand-no-buddy-flag", "expand forgets set_buddy_order", {
    expand: expandWith((k, zone, page, order) => {
      list_add(k, page, areaOf(zone, order));
      k.mem[areaOf(zone, order) + AREA_NR]!++;
    }),
  }, "p0 = alloc_page(GFP_KERNEL)"),
  mutant("buddy-structure", "expand-nr-free", "expand adds a half and does not count it in nr_free", {
    expand: expandWith((k, zone, page, order) => {
      list_add(k, page, areaOf(zone, order));
      setBuddy(k, page, order);
    }),
  }, "p0 = alloc_page(GFP_KERNEL)"),
  mutant(
    "buddy-structure",
    "expand-gives-back-the-page",
    "expand puts the lower half on the list, which is being handed out",
    {
      expand(k, zone, page, low, high) {
        expand(k, zone, page, low, high);
        if (high > low) give(k, zone, page, low, low);
      },
    },
    "p0 = alloc_page(GFP_KERNEL)",
  ),
  mutant("page-leak", "expand-loses-a-half", "expand stops one order above the one wanted", {
    expand(k, zone, page, low, high) {
      expand(k, zone, page, Math.min(high, low + 1), high);
    },
  }, ONE_PAGE),
  mutant(
    "buddy-structure",
    "merge-leaves-buddy-listed",
    "__free_one_page merges without taking the buddy off its list",
    {
      __free_one_page(k, page, zone, order, toTail) {
        const buddy = page ^ (1 << order);
        const merges = order < MAX_PAGE_ORDER && buddy < k.nrPages && k.mem[at(buddy, W_PRIVATE)] === order &&
          (k.mem[at(buddy, W_TYPE)]! & k.buddyMask) === k.buddyValue;
        __free_one_page(k, page, zone, order, toTail);
        if (merges) relink(k, Math.max(page, buddy), areaOf(zone, order));
      },
    },
    ONE_PAGE,
  ),
  mutant(
    "use-after-free",
    "merge-with-used-buddy",
    "__free_one_page merges with a buddy of order 0 without asking whether it is free",
    {
      __free_one_page(k, page, zone, order, toTail) {
        const buddy = page ^ 1;
        const used = (k.mem[at(buddy, W_TYPE)]! & k.buddyMask) !== k.buddyValue;
        if (order !== 0 || !used) return __free_one_page(k, page, zone, order, toTail);
        k.mem[zone + Z_FREE]!++;
        give(k, zone, page & buddy, 1, 1);
      },
    },
    `
p0 = alloc_page(GFP_KERNEL)
p1 = alloc_page(GFP_KERNEL)
__free_page(p0)
p2 = alloc_pages(GFP_KERNEL, 1)`,
  ),
  mutant(
    "buddy-structure",
    "merged-order-not-stored",
    "__free_one_page stores the order that was freed and not the one merged to",
    {
      __free_one_page(k, page, zone, order, toTail) {
        const buddy = page ^ (1 << order);
        const merges = order < MAX_PAGE_ORDER && buddy < k.nrPages && k.mem[at(buddy, W_PRIVATE)] === order &&
          (k.mem[at(buddy, W_TYPE)]! & k.buddyMask) === k.buddyValue;
        __free_one_page(k, page, zone, order, toTail);
        if (!merges) return;
        for (let first = page & buddy;; first &= first - 1) {
          if ((k.mem[at(first, W_TYPE)]! & k.buddyMask) === k.buddyValue) {
            k.mem[at(first, W_PRIVATE)] = order;
            return;
          }
        }
      },
    },
    ONE_PAGE,
  ),
  mutant("buddy-structure", "free-list-prev-forgotten", "a block is linked in forward only", {
    __free_one_page(k, page, zone, order, toTail) {
      __free_one_page(k, page, zone, order, toTail);
      if ((k.mem[at(page, W_TYPE)]! & k.buddyMask) === k.buddyValue) {
        k.mem[at(page, W_LRU_NEXT) + LIST_PREV] = nodeOf(page);
      }
    },
  }, TWO_PAGES),
  mutant(
    "use-after-free",
    "handed-out-twice",
    "__rmqueue_smallest forgets to take the block off its list",
    {
      __rmqueue_smallest(k, zone, order) {
        const { page, order: from } = candidate(k, zone, order);
        if (page === NULL || from !== order) return __rmqueue_smallest(k, zone, order);
        if ((k.mem[at(page, W_TYPE)]! & k.buddyMask) === k.buddyValue) __rmqueue_smallest(k, zone, order);
        k.mem[areaOf(zone, order)] = nodeOf(page);
        return page;
      },
    },
    `
p0 = alloc_page(GFP_KERNEL)
p1 = alloc_page(GFP_KERNEL)
p2 = alloc_page(GFP_KERNEL)`,
  ),
  mutant("buddy-structure", "rmqueue-keeps-buddy-flag", "the block that is handed out stays PageBuddy", {
    __rmqueue_smallest(k, zone, order) {
      const page = __rmqueue_smallest(k, zone, order);
      if (page !== NULL) setBuddy(k, page, order);
      return page;
    },
  }, "p0 = alloc_page(GFP_KERNEL)"),
  mutant("buddy-structure", "free-count-not-lowered", "NR_FREE_PAGES goes down by one block and not by its pages", {
    __rmqueue_smallest(k, zone, order) {
      const page = __rmqueue_smallest(k, zone, order);
      if (page !== NULL) k.mem[zone + Z_FREE]! += (1 << order) - 1;
      return page;
    },
  }, "p0 = alloc_pages(GFP_KERNEL, 1)\n__free_pages(p0, 1)"),
  mutant(
    "buddy-structure",
    "upper-half-handed-out",
    "__rmqueue_smallest answers the upper half, which expand has given back",
    {
      __rmqueue_smallest(k, zone, order) {
        const { order: from } = candidate(k, zone, order);
        const page = __rmqueue_smallest(k, zone, order);
        return page !== NULL && from > order ? page + (1 << order) : page;
      },
    },
    "p0 = alloc_page(GFP_KERNEL)\np1 = alloc_page(GFP_KERNEL)",
  ),
];
