/**
 * What a finding says, in one line of words.
 *
 * @module
 */
import { CHECKS } from "../kernel/checks.ts";
import { FAMILY_NAMES } from "../ledger/families.ts";
import { F_CALL, F_OFFSET, F_PAGES, F_PFN, F_SLOT, F_WHY, F_X, F_Y } from "../ledger/finding.ts";
import * as why from "../ledger/why.ts";
import { WALK_IOMMU, WALK_IRQ, WALK_RCU, WALK_TLB } from "../ledger/walkers.ts";
import { CALLS } from "./calls.ts";
import { KINDS } from "./kinds.ts";
import type { Machine } from "./machine.ts";
import type { Slot } from "./program.ts";

const STATES = ["gone", "live", "queued in a gather", "given up"];
/** Levels of tables, as constructors and destructors name them; 0 is any. */
const LEVELS = ["any level", "PTEs", "PMDs", "PUDs", "P4Ds", "PGDs"];

/** The words of one finding. */
export function explain(f: Int32Array, slots: readonly Slot[], machine: Machine): string {
  const slot = f[F_SLOT]!;
  const name = slot >= 0 ? slots[slot]?.name ?? `slot ${slot}` : f[F_PFN]! >= 0 ? `page ${f[F_PFN]}` : "memory";
  const call = CALLS[f[F_CALL]!]?.name ?? "the program's end";
  const pages = f[F_PAGES]!;
  const x = f[F_X]!;
  const y = f[F_Y]!;
  const offset = f[F_OFFSET]!;
  const at = (offset: number): string => offset === 0 ? name : `${name}+${offset}`;
  const check = (): string => {
    const c = CHECKS[x];
    return c === undefined ? `check ${x}` : `${c.text} in ${c.fn}()`;
  };
  switch (f[F_WHY]) {
    case why.WHY_NOT_GRANTED:
      return `${call} releases ${at(offset)}, which no live grant holds`;
    case why.WHY_GIVEN_UP:
      return `${call} releases ${name}, which is ${STATES[x]} already`;
    case why.WHY_READ_FREE:
      return `${call} reads ${at(offset)}, which its owner has given up or never had`;
    case why.WHY_WRITE_FREE:
      return `${call} uses ${at(offset)}, which no live grant holds`;
    case why.WHY_GRANTED_TWICE:
      return `${call} hands out page ${f[F_PFN]}, which ${name} still holds`;
    case why.WHY_LOST:
      if (slot < 0) return `${pages} pages from page ${f[F_PFN]} on are neither free nor anybody's`;
      return pages === 1 ? `${at(x)} belongs to nobody` : `${at(x)}..${at(x + pages - 1)} belong to nobody`;
    case why.WHY_FORGOTTEN:
      return `the owner of ${name} is gone and never released its ${pages === 1 ? "page" : `${pages} pages`}`;
    case why.WHY_RELEASED:
      return `granted ${x} ${x === 1 ? "page" : "pages"}, released ${y}`;
    case why.WHY_SPLIT:
      return `${name} is split as order ${x} and was granted as order ${y}`;
    case why.WHY_HEAD:
      return `head flag or order of ${name} is not as granted (order ${y})`;
    case why.WHY_TAIL:
      return `${at(x)} is not linked to its head as granted`;
    case why.WHY_SIZED:
      return `compound_order(${at(offset)}) is ${x} for a block of order ${y}, and it sized the free`;
    case why.WHY_LOOKUP:
      return `the head lookup inside ${name} answers ${at(x)}, and not ${name}`;
    case why.WHY_TAIL_CAST:
      return `a descriptor or folio is made of ${at(x)}, which is not the first page of its block`;
    case why.WHY_TAIL_WRITTEN:
      return `a descriptor is made of ${at(x)}, not the first page of its block, and written through`;
    case why.WHY_REFS:
      return `_refcount of ${slot < 0 ? `page ${f[F_PFN]}` : at(offset)} is ${y}, and should be ${x}`;
    case why.WHY_GET_AT_ZERO:
      return `${call} takes a reference on ${at(offset)}, which has none`;
    case why.WHY_PUT_AT_ZERO:
      return `${call} puts a reference of ${at(offset)} that it does not hold`;
    case why.WHY_SPECULATIVE:
      return `a speculative reference on ${name} ${x === 1 ? "succeeded" : "failed"} with ${y} references`;
    case why.WHY_FAMILY_CAST:
      return `${name} came from ${FAMILY_NAMES[x]}, ${call} takes it for a page table's descriptor`;
    case why.WHY_FAMILY_RELEASE:
      return `${call} releases memory of ${FAMILY_NAMES[x]}`;
    case why.WHY_KIND:
      return `${call} is given a ${KINDS[x]} where it takes a ${KINDS[y]}`;
    case why.WHY_CLOBBER_TAIL:
      return `${call} writes pt_list of ${at(x)} over what makes it a tail page`;
    case why.WHY_LIST_STATE:
      return x === 0 ? `${name} is on pgd_list already` : `${name} is not on pgd_list`;
    case why.WHY_FREED_ON_LIST:
      return `${name} is freed while pgd_list still links it through pt_list`;
    case why.WHY_LIST_BROKEN:
      return `pgd_list no longer links ${name}: its pt_list was overwritten`;
    case why.WHY_FREE_COUNT:
      return `${x} pages are free, and ${y} should be`;
    case why.WHY_GRANTED_FREE:
      return `${at(offset)} is granted and lies in a free block`;
    case why.WHY_FREED_AGAIN:
      return `${call} frees page ${x} again, which is free already`;
    case why.WHY_FREE_LIST:
      return `the free list of order ${x} is broken`;
    case why.WHY_FREE_BLOCK:
      return `page ${f[F_PFN]} on the free list of order ${x} is no sound free block`;
    case why.WHY_MANAGED:
      return `managed_pages is ${x}, and should be ${y}`;
    case why.WHY_RESERVED_FLAG:
      return `PG_reserved of page ${x} is ${y === 1 ? "set" : "clear"}`;
    case why.WHY_BUG:
      return `BUG: ${check()}`;
    case why.WHY_BAD_PAGE:
      return `bad_page: ${check()}`;
    case why.WHY_UNINITIALISED:
      return `${name} is put in use, and ${at(x)} was written by nobody`;
    case why.WHY_OUTSIDE:
      return `${call} reaches outside of memory, as far as page ${x}: the last is ${machine.ledger.nrPages - 1}`;
    case why.WHY_GATHER_DONE:
      return `${call} uses a gather that was finished`;
    case why.WHY_SEEN:
      return `${name} is freed while ${walker(x, slots)} may still see it: ${cleared(x & 15, y)}`;
    case why.WHY_QUEUED_TWICE:
      if (x === 1) return `${call} queues ${name}, which a gather holds already`;
      return `${call} gives a gather ${name}, which it was not given, or twice`;
    case why.WHY_CTOR_AGAIN:
      return `${call} constructs ${at(offset)}, which is a table of ${LEVELS[x]} already`;
    case why.WHY_DTOR_WITHOUT:
      return `${call} destructs ${at(offset)}, which is no constructed table`;
    case why.WHY_DTOR_LEVEL:
      return `${call} destructs ${at(offset)} as a table of ${LEVELS[y]}, and it was constructed as one of ${
        LEVELS[x]
      }`;
    case why.WHY_NO_DTOR:
      return `${at(offset)} is freed, and the destructor of its table of ${LEVELS[x]} never ran`;
    case why.WHY_PAGETABLES:
      return `NR_PAGETABLE is ${x}, and should be ${y}`;
    case why.WHY_TYPE:
      return `page_type of ${slot < 0 ? `page ${f[F_PFN]}` : at(offset)} is 0x${
        (x >>> 0).toString(16)
      }, and should be ${y === 1 ? "a page table's" : "none"}`;
    case why.WHY_TYPE_KEPT:
      return `${call} gives ${at(offset)} up with page_type 0x${(x >>> 0).toString(16)}`;
    case why.WHY_CHARGES:
      return `${x} ${x === 1 ? "page is" : "pages are"} charged to the memcg, and ${y} should be`;
    case why.WHY_CHARGE_WORD:
      return `memcg_data of ${at(offset)} is ${y === 1 ? "not set" : "set"}, and it is ${y === 1 ? "" : "not "}charged`;
    case why.WHY_LOCK_GONE:
      return x === 1
        ? `${call} takes the lock of ${at(offset)}, which its destructor has freed`
        : `${call} takes the lock of ${at(offset)}, whose table is free`;
    case why.WHY_LOCK_KEPT:
      return `the lock of ${slot < 0 ? "a table" : at(offset)} outlives its table`;
    case why.WHY_LOCK_SEEN:
      return `${call} frees the lock of ${at(offset)} while pte_offset_map (${
        slots[x]?.name ?? "a walker"
      }) may still take it`;
    case why.WHY_SHARED:
      return `${call} takes ${at(offset)} for shared, and nobody shares it`;
    case why.WHY_NOT_SHARED:
      return `${call} takes ${at(offset)} for unshared, and ${x} others share it`;
    case why.WHY_SHARES:
      return `pt_share_count of ${at(offset)} is ${x}, and should be ${y}`;
    case why.WHY_FREED_SHARED:
      return `${at(offset)} is freed while ${x} others share it`;
    case why.WHY_DEPOSITS:
      return `${at(offset)} ends with ${x} deposited ${x === 1 ? "table" : "tables"} in it`;
    case why.WHY_FREED_DEPOSITED:
      return `${at(offset)} is freed while it is deposited`;
    case why.WHY_DEPOSIT_STATE:
      return x === 0 ? `${at(offset)} is deposited already` : `${call} takes a table that is not deposited there`;
    case why.WHY_CLOBBER_TABLE:
      return `${call} writes ${at(offset)} over ${x === 1 ? "pmd_huge_pte" : "pt_share_count"} of a table of PMDs`;
    case why.WHY_PARTS:
      return `what counts the tables that share the page of ${name} says ${x}, and should say ${y}`;
    case why.WHY_PARTS_FREED:
      return `the page of ${name} is freed while ${x === 1 ? "a part of it is" : `${x} parts of it are`} in use`;
    case why.WHY_PART_FREE:
      return `${call} uses ${name}, a part of its page that was given back`;
    case why.WHY_NO_PTDESC:
      return `${at(offset)} came from ${FAMILY_NAMES[x]} and has no descriptor: ${call} finds none`;
    case why.WHY_PTDESC_FREE:
      return `${call} uses descriptor ${x}, which is free`;
    case why.WHY_PTDESC_LINK:
      return `${at(x)} does not lead to the descriptor of ${name}`;
    case why.WHY_PTDESC_BACK:
      return `the descriptor of ${name} leads to page ${x} and says order ${y}`;
    case why.WHY_PTDESC_STALE:
      return `page ${f[F_PFN]} leads to a descriptor that is freed`;
    case why.WHY_PTDESC_COUNT:
      return `${x} ${x === 1 ? "descriptor is" : "descriptors are"} not free, and there ${
        y === 1 ? "is 1 table" : `are ${y} tables`
      }`;
    case why.WHY_PTDESC_OTHER:
      return `the lookup of ${at(x)} answers another table's descriptor`;
    default:
      return `reason ${f[F_WHY]}`;
  }
}

/** A walker, by its name and what it is. */
function walker(x: number, slots: readonly Slot[]): string {
  const name = slots[x >> 4]?.name;
  return `${WALKER_NAMES[x & 15]}${name === undefined ? "" : ` (${name})`}`;
}

/** What was missing. */
function cleared(kind: number, step: number): string {
  return step === 0 ? "nothing has cleared the entry" : `the entry was cleared in step ${step}, and no ${ENDS[kind]}`;
}

const WALKER_NAMES: Readonly<Record<number, string>> = {
  [WALK_TLB]: "the hardware's walk cache",
  [WALK_IRQ]: "gup_fast",
  [WALK_RCU]: "an RCU walker",
  [WALK_IOMMU]: "the IOMMU's cache",
};

const ENDS: Readonly<Record<number, string>> = {
  [WALK_TLB]: "flush has covered it since",
  [WALK_IRQ]: "IPI or grace period came since",
  [WALK_RCU]: "grace period came since",
  [WALK_IOMMU]: "IOTLB flush came since",
};
