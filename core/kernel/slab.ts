/**
 * Page tables that are objects of a slab cache, as far as their pages matter: a page
 * is a slab's from its first object to its last, and the allocator sees it by
 * kmem_cache_free only.
 *
 * Who has such tables (6.1 and 6.12): sh its PGDs and, with three levels, PMDs
 * (arch/sh/mm/pgtable.c: pgd_cachep, pmd_cachep), sparc64 PMDs, PUDs and PGDs
 * (arch/sparc/mm/tsb.c: pgtable_cache), powerpc all PUDs, and PGDs of the hash MMU and of
 * nohash (arch/powerpc/mm/init-common.c: PGT_CACHE), x86 with PAE PGDs of 32 bytes, where it
 * shares the kernel's PMDs (arch/x86/mm/pgtable.c: pgd_cache), arm64 PGDs smaller than a page (arch/arm64/mm/pgd.c:
 * pgd_cache), arm with LPAE PGDs by kmalloc (arch/arm/mm/pgd.c, 6.12 as 6.1).
 *
 * Of mm/slub.c there is what a page table can notice: which pages are slabs, by flag (6.1)
 * or type (6.12), how many of their objects are in use (`counters`, over private), and
 * that the last object to come back gives the page back; the real one keeps some empty slabs.
 * A slab has four objects here, and which of them is handed out next is the lowest.
 *
 * @module
 */
import * as $bits from "../memory/bits.ts";
import * as $gfp from "../memory/gfp.ts";
import * as $fragments from "../memory/fragments.ts";
import * as $words from "../memory/words.ts";
import * as $checks from "./checks.ts";
import type { Kernel } from "./kernel.ts";

const { __ffs } = $bits;
const { __GFP_ACCOUNT, __GFP_COMP, __GFP_HIGHMEM, __GFP_ZERO } = $gfp;
const { SLAB_CACHES, SLAB_OBJECTS } = $fragments;
const { NULL, PAGE_SIZE, PAGE_WORDS_SHIFT, W_FLAGS, W_PRIVATE, W_TYPE } = $words;
const { bug, C_SLAB_OBJECT } = $checks;

/** Bytes of an object. */
const SIZE = PAGE_SIZE / SLAB_OBJECTS;
/** PGTY_slab (6.12), as the type's top byte. */
const PGTY_SLAB = 0xf5 << 24;
/** All objects of a slab. */
const ALL = (1 << SLAB_OBJECTS) - 1;

/** Marks a page as a slab's, or as none (`__folio_set_slab`; 6.1: PG_slab, a flag). */
function setSlab(k: Kernel, page: number, slab: boolean): void {
  k.nSlabs += slab ? 1 : -1;
  const w = page << PAGE_WORDS_SHIFT;
  if (k.buddyBit === 0) {
    k.mem[w + W_TYPE] = slab ? PGTY_SLAB : -1;
    return;
  }
  const flag = 1 << k.layout.flagNames.indexOf("slab");
  k.mem[w + W_FLAGS] = slab ? k.mem[w + W_FLAGS]! | flag : k.mem[w + W_FLAGS]! & ~flag;
}

/** Objects of a page that are in use go into its counters. */
function setInUse(k: Kernel, page: number, objects: number): void {
  k.slabObjects[page] = objects;
  let n = 0;
  for (let bits = objects & ALL; bits !== 0; bits &= bits - 1) n++;
  k.mem[(page << PAGE_WORDS_SHIFT) + W_PRIVATE] = n;
}

/** An object of a cache (`mm/slub.c:kmem_cache_alloc`): of a slab that has one, or the first of a new slab. */
export function kmem_cache_alloc(k: Kernel, cache: number, gfp: number): number {
  const mark = (1 + cache) << SLAB_OBJECTS;
  for (let page = 0, left = k.nSlabs; left > 0 && page < k.nrPages; page++) {
    const objects = k.slabObjects[page]!;
    if (objects === 0) continue;
    left--;
    if ((objects & ~ALL) !== mark || (objects & ALL) === ALL) continue;
    const i = __ffs(~objects & ALL);
    setInUse(k, page, objects | 1 << i);
    return k.page_to_virt(k, page) + i * SIZE;
  }
  // What the caller pays for is the object, and a slab is of no other kind for it.
  const page = k.alloc_pages(k, gfp & ~(__GFP_ACCOUNT | __GFP_COMP | __GFP_HIGHMEM | __GFP_ZERO), 0);
  if (page === NULL) return NULL;
  setSlab(k, page, true);
  k.kernel_init_pages(k, page, 1);
  setInUse(k, page, mark | 1);
  return k.page_to_virt(k, page);
}

/**
 * Gives an object back (`mm/slub.c:kmem_cache_free`). Of memory that is no slab of that cache, or an object that is free
 * already, the real one warns and leaves it, or (without debugging) writes a list into it: here it is a BUG.
 */
export function kmem_cache_free(k: Kernel, cache: number, object: number): void {
  const page = k.virt_to_page(k, object);
  const objects = page >>> 0 < k.nrPages ? k.slabObjects[page]! : 0;
  const bit = 1 << Math.floor((object & (PAGE_SIZE - 1)) / SIZE);
  if (objects >> SLAB_OBJECTS !== 1 + cache || (objects & bit) === 0 || cache >= SLAB_CACHES.length) {
    bug(k, C_SLAB_OBJECT, page);
  }
  setInUse(k, page, objects & ~bit);
  if ((objects & ALL) !== bit) return;
  k.slabObjects[page] = 0;
  setSlab(k, page, false);
  k.__free_pages(k, page, 0);
}
