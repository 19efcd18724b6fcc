/**
 * Releases and references: a free intends the whole grant, a put drops one
 * reference.
 *
 * @module
 */
import * as $judge from "../judge.ts";
import * as $words from "../../memory/words.ts";
import * as $families from "../families.ts";
import * as $invariants from "../invariants.ts";
import type { Ledger } from "../ledger.ts";
import * as $states from "../states.ts";
import * as $table from "../table.ts";
import * as $why from "../why.ts";
import * as $gather from "./gather.ts";
import type { Hooks } from "./hook.ts";
import * as $hook from "./hook.ts";
import * as $records from "../records.ts";

const {
  GR_COMPOUND,
  GR_FAMILY,
  GR_FIRST,
  GR_FLAGS,
  GR_HELD,
  GR_ORDER,
  GR_OWNER_REFS,
  GR_SHIFT,
  GR_STATE,
  GR_TOTAL,
  L_ENV_REFS,
  L_GRANT,
  L_REFS,
  L_SHIFT,
} = $records;
const { chunked, released, settleSingles } = $judge;
const { NULL, PAGE_SHIFT, PAGE_SIZE } = $words;
const { BY_EXACT, BY_ORDER, BY_PAGETABLE, BY_PUT, NOCACHE, PAGETABLE } = $families;
const { BAD_REFERENCE, CORRUPTION, DOUBLE_FREE, HEAD_MISUSE, LATENT, ORDER_MISMATCH } = $invariants;
const { G_KERNEL, G_SIZED, INTENDED, LIVE, VIA_ORDER } = $states;
const { checkTypeGone } = $table;
const { WHY_GET_AT_ZERO, WHY_RELEASED, WHY_SIZED, WHY_WRITE_FREE } = $why;
const { toLater } = $gather;
const {
  dropped,
  givenUp,
  holder,
  judgePage,
  notGranted,
  own,
  pfnOf,
  putAtZero,
  releaseOne,
  singles,
  sizedByLookup,
  usable,
} = $hook;

/** A release of a block, sized by the order claimed; `sized` where a lookup claimed it. */
function beforeRelease(l: Ledger, pfn: number, way: number, claimed: number, sized: boolean): void {
  l.pending = -1;
  l.checks[DOUBLE_FREE]!++;
  l.checks[BAD_REFERENCE]!++;
  const g = l.pages[(pfn << L_SHIFT) | L_GRANT]!;
  if (g < 0) return notGranted(l, pfn);
  if (l.grants[(g << GR_SHIFT) | GR_STATE] !== LIVE) return givenUp(l, g, pfn);
  if (l.pages[(pfn << L_SHIFT) | L_REFS]! - l.pages[(pfn << L_SHIFT) | L_ENV_REFS]! <= 0 || own(l, g, pfn) <= 0) {
    putAtZero(l, g, pfn);
    if (sized && !singles(l, g) && claimed !== l.grants[(g << GR_SHIFT) | GR_ORDER]) {
      l.record(HEAD_MISUSE, CORRUPTION, WHY_SIZED, g, pfn, 0, claimed, l.grants[(g << GR_SHIFT) | GR_ORDER]!);
    }
    return;
  }
  l.pending = g;
  l.pendingOrder = claimed;
  const order = singles(l, g) ? 0 : l.grants[(g << GR_SHIFT) | GR_ORDER]!;
  if (claimed !== order) l.misuse = true;
  l.intend(g, way);
  checkTypeGone(l, g);
  if (sized) {
    l.checks[HEAD_MISUSE]!++;
    if (claimed !== order) l.grants[(g << GR_SHIFT) | GR_FLAGS]! |= G_SIZED;
  }
}

function afterRelease(l: Ledger, pfn: number): void {
  const g = l.pending;
  if (g < 0) return;
  l.pending = -1;
  l.pages[(pfn << L_SHIFT) | L_REFS]!--;
  if (singles(l, g)) return leftSingle(l, g, pfn, l.pendingOrder);
  l.grants[(g << GR_SHIFT) | GR_OWNER_REFS]!--;
  if (l.pages[(pfn << L_SHIFT) | L_REFS] === 0) return released(l, g, l.pendingOrder);
  l.grants[(g << GR_SHIFT) | GR_STATE] = INTENDED;
  if (l.grants[(g << GR_SHIFT) | GR_COMPOUND] === 0 && l.grants[(g << GR_SHIFT) | GR_TOTAL]! > 1) chunked(l, g);
  l.checkRefs(g, pfn);
  l.checkCompound(g);
}

/** A page with a reference of its own was released: it leaves, unless others hold it. */
function leftSingle(l: Ledger, g: number, pfn: number, order: number): void {
  if (l.pages[(pfn << L_SHIFT) | L_REFS] === 0) releaseOne(l, g, pfn, order);
  else judgePage(l, g, LATENT);
}

function viaLookup(l: Ledger): boolean {
  return l.sb >= 0 && (l.via[l.sb]! & VIA_ORDER) !== 0;
}

function beforeFreeOrder(l: Ledger): void {
  beforeRelease(l, l.a, BY_ORDER, l.b, viaLookup(l));
}

function beforeFreeOne(l: Ledger): void {
  beforeRelease(l, l.a, BY_ORDER, 0, false);
}

function afterFreePage(l: Ledger): void {
  afterRelease(l, l.a);
}

function beforeFreePagesOrder(l: Ledger): void {
  l.pending = -1;
  if (l.a !== NULL) beforeRelease(l, pfnOf(l.a), BY_ORDER, l.b, viaLookup(l));
}

function beforeFreePagesOne(l: Ledger): void {
  l.pending = -1;
  if (l.a !== NULL) beforeRelease(l, pfnOf(l.a), BY_ORDER, 0, false);
}

function afterFreeVirt(l: Ledger): void {
  if (l.a !== NULL) afterRelease(l, pfnOf(l.a));
}

function beforePagetableFree(l: Ledger): void {
  beforeRelease(l, l.a, BY_PAGETABLE, l.lookupOrder(l.a), true);
  const g = l.pending;
  if (g < 0 || (l.grants[(g << GR_SHIFT) | GR_FLAGS]! & G_KERNEL) === 0) return;
  l.grants[(g << GR_SHIFT) | GR_FLAGS]! &= ~G_KERNEL;
  if (!l.asyncKernelFree) return;
  // The worker frees it.
  l.pending = -1;
  toLater(l, g);
}

/** The table is the kernel's own. */
function beforeSetKernel(l: Ledger): void {
  if (!usable(l, l.a, WHY_WRITE_FREE)) return;
  const g = l.pages[(l.a << L_SHIFT) | L_GRANT]!;
  // The flag belongs to a page table that the allocator will see again by pagetable_free.
  if (
    l.grants[(g << GR_SHIFT) | GR_FAMILY] !== PAGETABLE || l.a !== l.grants[(g << GR_SHIFT) | GR_FIRST] ||
    l.grants[(g << GR_SHIFT) | GR_STATE] !== LIVE
  ) l.misuse = true;
  else l.grants[(g << GR_SHIFT) | GR_FLAGS]! |= G_KERNEL;
}

function beforePut(l: Ledger): void {
  l.pending = -1;
  l.checks[DOUBLE_FREE]!++;
  l.checks[BAD_REFERENCE]!++;
  const g = l.pages[(l.a << L_SHIFT) | L_GRANT]!;
  if (g < 0) return notGranted(l, l.a);
  const pfn = holder(l, g, l.a);
  if (l.grants[(g << GR_SHIFT) | GR_STATE] !== LIVE && own(l, g, pfn) <= 0) return givenUp(l, g, pfn);
  if (l.pages[(pfn << L_SHIFT) | L_REFS]! - l.pages[(pfn << L_SHIFT) | L_ENV_REFS]! <= 0 || own(l, g, pfn) <= 0) {
    return putAtZero(l, g, pfn);
  }
  l.pending = g;
  l.pendingOrder = -1;
  if (l.grants[(g << GR_SHIFT) | GR_STATE] !== LIVE || own(l, g, pfn) > 1) return;
  l.intend(g, BY_PUT);
  sizedByLookup(l, g);
}

function afterPut(l: Ledger): void {
  const g = l.pending;
  if (g < 0) return;
  l.pending = -1;
  const pfn = holder(l, g, l.a);
  l.pages[(pfn << L_SHIFT) | L_REFS]!--;
  if (singles(l, g)) return leftSingle(l, g, pfn, 0);
  l.grants[(g << GR_SHIFT) | GR_OWNER_REFS]!--;
  dropped(l, g, pfn);
}

function beforeGet(l: Ledger): void {
  l.pending = -1;
  l.checks[BAD_REFERENCE]!++;
  const g = l.pages[(l.a << L_SHIFT) | L_GRANT]!;
  if (g < 0) {
    usable(l, l.a, WHY_WRITE_FREE);
    l.record(BAD_REFERENCE, CORRUPTION, WHY_GET_AT_ZERO, -1, l.a, 0, 0, 0);
    return;
  }
  const pfn = holder(l, g, l.a);
  if (!usable(l, pfn, WHY_WRITE_FREE)) return;
  // In the pool references count tables of PTEs.
  if (l.grants[(g << GR_SHIFT) | GR_FAMILY] === NOCACHE) l.misuse = true;
  if (l.rawRefsOf(g, pfn) === 0) {
    l.misuse = true;
    l.record(BAD_REFERENCE, CORRUPTION, WHY_GET_AT_ZERO, g, pfn, 0, pfn - l.grants[(g << GR_SHIFT) | GR_FIRST]!, 0);
    return;
  }
  l.pending = g;
}

function afterGet(l: Ledger): void {
  const g = l.pending;
  if (g < 0) return;
  const pfn = holder(l, g, l.a);
  l.pages[(pfn << L_SHIFT) | L_REFS]!++;
  if (!singles(l, g)) l.grants[(g << GR_SHIFT) | GR_OWNER_REFS]!++;
  l.checkRefs(g, pfn);
}

function beforeFreeExact(l: Ledger): void {
  l.pending = -1;
  l.checks[DOUBLE_FREE]!++;
  const first = pfnOf(l.a);
  const pages = (l.b + PAGE_SIZE - 1) >> PAGE_SHIFT;
  const g = l.pages[(first << L_SHIFT) | L_GRANT]!;
  for (let i = 0; i < pages && first + i < l.nrPages; i++) {
    const other = l.pages[((first + i) << L_SHIFT) | L_GRANT]!;
    if (other < 0) return notGranted(l, first + i);
    if (l.grants[(other << GR_SHIFT) | GR_STATE] !== LIVE) return givenUp(l, other, first + i);
    if (l.pages[((first + i) << L_SHIFT) | L_REFS]! - l.pages[((first + i) << L_SHIFT) | L_ENV_REFS]! <= 0) {
      return putAtZero(l, other, first + i);
    }
    if (other !== g) {
      l.misuse = true;
      l.record(ORDER_MISMATCH, CORRUPTION, WHY_RELEASED, g, first, 0, l.grants[(g << GR_SHIFT) | GR_TOTAL]!, pages);
      return;
    }
  }
  if (first + pages > l.nrPages) l.misuse = true;
  if (
    !singles(l, g) || first !== l.grants[(g << GR_SHIFT) | GR_FIRST] || pages !== l.grants[(g << GR_SHIFT) | GR_HELD]
  ) l.misuse = true;
  // A page that the owner holds twice outlives the free.
  for (let i = 0; i < pages && singles(l, g); i++) if (own(l, g, first + i) > 1) l.misuse = true;
  l.pending = g;
  l.intend(g, BY_EXACT);
}

function afterFreeExact(l: Ledger): void {
  const g = l.pending;
  if (g < 0) return;
  l.pending = -1;
  const first = pfnOf(l.a);
  if (!singles(l, g)) {
    l.pendingOrder = 0;
    l.pages[(first << L_SHIFT) | L_REFS]!--;
    l.grants[(g << GR_SHIFT) | GR_OWNER_REFS]!--;
    if (l.pages[(first << L_SHIFT) | L_REFS] === 0) return released(l, g, -1);
    l.grants[(g << GR_SHIFT) | GR_STATE] = INTENDED;
    return;
  }
  // The free intends the whole grant: its other pages have no owner now either.
  const end = l.grants[(g << GR_SHIFT) | GR_FIRST]! + l.grants[(g << GR_SHIFT) | GR_TOTAL]!;
  for (let pfn = l.grants[(g << GR_SHIFT) | GR_FIRST]!; pfn < end; pfn++) {
    if (l.pages[(pfn << L_SHIFT) | L_GRANT] === g) {
      l.pages[(pfn << L_SHIFT) | L_REFS] = l.pages[(pfn << L_SHIFT) | L_ENV_REFS]!;
    }
  }
  settleSingles(l, g);
}

/** The hooks of these calls. */
export const RELEASE_HOOKS: Readonly<Record<string, Hooks>> = {
  __free_pages: { before: beforeFreeOrder, after: afterFreePage },
  __free_page: { before: beforeFreeOne, after: afterFreePage },
  free_pages: { before: beforeFreePagesOrder, after: afterFreeVirt },
  free_page: { before: beforeFreePagesOne, after: afterFreeVirt },
  free_pages_exact: { before: beforeFreeExact, after: afterFreeExact },
  put_page: { before: beforePut, after: afterPut },
  get_page: { before: beforeGet, after: afterGet },
  ptdesc_free: { before: beforePagetableFree, after: afterFreePage },
  pagetable_free: { before: beforePagetableFree, after: afterFreePage },
  ptdesc_set_kernel: { before: beforeSetKernel },
  "env kernel_pgtable_work": {},
};
