/**
 * How the rest of the gather's calls is used, and what waits for others: flushes,
 * IPIs, grace periods, tables that are freed later (see `hostile_use.ts`).
 *
 * @module
 */
import { opOf } from "../core/program/calls.ts";
import { FIRST_SLOT } from "../core/program/program.ts";
import { HIGH, LIVE, ORDER_2, PAGES, PARTIAL, QUEUED, SINGLE, SPLIT, TABLE } from "./hostile_picture.ts";
import { deferFragment } from "./hostile_fragment_rules.ts";
import { BUILT, GONE, PMD } from "./hostile_picture.ts";
import { KEPT, type Rule, type Use, wrongPointer } from "./hostile_use.ts";
import { PAGE, PTDESC, VIRT, type Writer } from "./hostile_writer.ts";

/** Calls that no argument makes wrong, with the reason. */
export const NEVER_WRONG_TIME: Readonly<Record<string, string>> = {
  tlb_remove_table_sync_one: "it takes nothing",
  synchronize_rcu: "it takes nothing",
  flush_tlb_range: "a flush too many does no harm",
  flush_tlb_mm: "a flush too many does no harm",
  flush_tlb_all: "it takes nothing",
  flush_tlb_kernel_range: "a flush too many does no harm",
  "env spin_lock": "who walks a table may take its lock",
  "env kernel_pgtable_work": "it takes nothing",
};

const tlb_flush_mmu = opOf("tlb_flush_mmu");
const tlb_flush_pte_range = opOf("tlb_flush_pte_range");

/** A line on an open gather, or on one that is finished. */
function onGather(name: string, line: (w: Writer, op: number, gather: number) => void): Use {
  const op = opOf(name);
  const rule = (open: number): Rule => (w) => {
    const g = w.picture.findGather(w.random, open);
    if (g < 0) return false;
    line(w, op, w.picture.gSlot[g]!);
    if (w.picture.gRange[g] === 1) w.picture.gRange[g] = 0;
    return true;
  };
  return { right: rule(1), wrong: rule(0) };
}

function plain(name: string, line: (w: Writer, op: number) => void): Use {
  const op = opOf(name);
  return {
    right: (w) => {
      line(w, op);
      return true;
    },
  };
}

/** A folded level: its table is the pgd, whoever holds that. */
function folded(name: string): Use {
  const op = opOf(name);
  const rule = (open: number): Rule => (w) => {
    const { picture, random } = w;
    const g = picture.findGather(random, open);
    const b = picture.find(random, LIVE, HIGH | PARTIAL);
    if (g < 0 || b < 0) return false;
    w.write(op, picture.gSlot[g]!, w.name(b, VIRT), random.below(16) * 4096, 0, 3);
    return true;
  };
  return { right: rule(1), wrong: rule(0) };
}

/** A page of a size, or pages of a folio; the gather is flushed at once, as its answer may ask for. */
function page(name: string, operand: (w: Writer) => number, wrongOperand: number, flush: boolean): Use {
  const op = opOf(name);
  const rule = (open: number, wrong: boolean): Rule => (w) => {
    const { picture, random } = w;
    const g = picture.findGather(random, open);
    if (g < 0) return false;
    const b = picture.find(random, LIVE | PAGES | SINGLE, KEPT | SPLIT | PARTIAL);
    if (b < 0) return false;
    if (open === 1) w.write(tlb_flush_pte_range, picture.gSlot[g]!, 0x1000, 0x1000, 0, 1);
    w.write(op, picture.gSlot[g]!, w.name(b, PAGE), wrong ? wrongOperand : operand(w), 0, 3);
    picture.giveUp(b, QUEUED);
    picture.queue(b, g);
    if (flush && open === 1) w.one(tlb_flush_mmu, picture.gSlot[g]!, 0);
    if (picture.gRange[g] === 1) picture.gRange[g] = 0;
    return true;
  };
  return { right: rule(1, false), wrong: (w) => rule(flush && w.random.chance(128) ? 1 : 0, true)(w) };
}

/** What of the machine decides how pte_free_defer is used. */
export interface DeferFacts {
  /** The kind of a pgtable_t. */
  readonly pgtableKind: number;
  /** Tables share a page (powerpc). */
  readonly queuesParts: boolean;
  /** Descriptors are allocated apart. */
  readonly apart: boolean;
}

function defer({ pgtableKind, queuesParts, apart }: DeferFacts): Use {
  const op = opOf("pte_free_defer");
  return {
    right: (w) => {
      if (queuesParts) return !apart && deferFragment(w);
      const { picture, random } = w;
      const b = picture.find(random, LIVE | TABLE | BUILT, (KEPT & ~BUILT) | PARTIAL | SPLIT | ORDER_2 | PMD);
      if (b < 0 || picture.ctor[b] !== 1) return false;
      w.write(op, random.below(FIRST_SLOT), w.name(b, pgtableKind), 0, 0, 3);
      picture.giveUp(b, GONE);
      return true;
    },
    wrong: (w) => {
      w.targetOffset = 0;
      const slot = w.random.chance(64) ? w.otherKind(pgtableKind) : w.target(pgtableKind);
      if (slot < 0) return false;
      w.write(op, w.random.below(FIRST_SLOT), slot, 0, w.targetOffset << 10, 3);
      if (w.targetBlock >= 0) w.picture.giveUp(w.targetBlock, GONE);
      return true;
    },
  };
}

function setKernel(): Use {
  const op = opOf("ptdesc_set_kernel");
  return {
    right: (w) => {
      const b = w.picture.find(w.random, LIVE | TABLE, PARTIAL | SPLIT);
      if (b < 0) return false;
      w.one(op, w.name(b, PTDESC), 0);
      return true;
    },
    wrong: wrongPointer(op, PTDESC, false, false),
  };
}

function lock(): Use {
  const op = opOf("env spin_lock");
  return {
    right: (w) => {
      const { walkers } = w.picture;
      if (walkers.n === 0) return false;
      w.one(op, walkers.page(w.random.below(walkers.n)), 0);
      return true;
    },
  };
}

const address = (w: Writer): number => w.random.below(0x400) * 0x1000;

/** The rules, by the call's name; `env ` before it for the environment's. */
export function timeRules(facts: DeferFacts): Readonly<Record<string, Use>> {
  return { ...RULES, pte_free_defer: defer(facts) };
}

const RULES: Readonly<Record<string, Use>> = {
  tlb_flush_mmu_tlbonly: onGather("tlb_flush_mmu_tlbonly", (w, op, g) => w.one(op, g, 0)),
  tlb_change_page_size: onGather("tlb_change_page_size", (w, op, g) => {
    w.write(op, g, 4096 << w.random.below(4), 0, 0, 1);
  }),
  tlb_delay_rmap: onGather("tlb_delay_rmap", (w, op, g) => w.one(op, g, 0)),
  tlb_flush_rmaps: onGather("tlb_flush_rmaps", (w, op, g) => w.one(op, g, 0)),
  tlb_remove_page_size: page("tlb_remove_page_size", () => 4096, 4096, false),
  __tlb_remove_folio_pages: page("__tlb_remove_folio_pages", () => 1, 2, true),
  p4d_free_tlb: folded("p4d_free_tlb"),
  pud_free_tlb: folded("pud_free_tlb"),
  tlb_remove_table_sync_one: plain("tlb_remove_table_sync_one", (w, op) => w.write(op, 0, 0, 0, 0, 0)),
  synchronize_rcu: plain("synchronize_rcu", (w, op) => w.write(op, 0, 0, 0, 0, 0)),
  flush_tlb_range: plain("flush_tlb_range", (w, op) => {
    w.write(op, w.random.below(FIRST_SLOT), address(w), address(w), 0, 1);
  }),
  flush_tlb_mm: plain("flush_tlb_mm", (w, op) => w.one(op, w.random.below(FIRST_SLOT), 0)),
  flush_tlb_all: plain("flush_tlb_all", (w, op) => w.write(op, 0, 0, 0, 0, 0)),
  flush_tlb_kernel_range: plain("flush_tlb_kernel_range", (w, op) => w.write(op, address(w), address(w), 0, 0, 0)),
  ptdesc_set_kernel: setKernel(),
  "env spin_lock": lock(),
  "env kernel_pgtable_work": plain("env kernel_pgtable_work", (w, op) => w.write(op, 0, 0, 0, 0, 0)),
};
