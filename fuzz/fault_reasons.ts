/**
 * Why a fault that nothing found is harmless: a closed table. A reason holds
 * when the kind of the change fits it and the wrong discipline came out of the
 * same schedules as the right one; a fault that no reason fits was missed.
 *
 * @module
 */
import {
  BY_GATHER,
  BY_GATHER_PTDESC,
  BY_ORDER,
  BY_PAGETABLE,
  BY_PUT,
  BY_RESERVED_PAGE,
  BY_RESERVED_PTDESC,
  EXACT,
  LEGAL_RELEASES,
  PAGES,
  PAGETABLE,
  RESERVED,
} from "../core/ledger/families.ts";
import { __GFP_COMP, __GFP_HIGHMEM, __GFP_ZERO } from "../core/memory/gfp.ts";
import { gfpBits } from "../core/program/gfp_text.ts";
import {
  definition,
  grantOf,
  grants,
  type Line,
  LOOKUPS,
  nameIn,
  type PathLines,
  placeOf,
  sizeOf,
} from "./fault_lines.ts";
import { type Fault, releaseOf } from "./fault_list.ts";
import type { Comparison } from "./fault_search.ts";

/** A fault that was not found, and all that is known of it. */
export interface Case {
  readonly fault: Fault;
  readonly paths: readonly PathLines[];
  readonly comparison: Comparison;
  /** Whether this architecture queues tables like any page. */
  readonly tablesArePages: boolean;
  /** Whether hardware walks the tables. */
  readonly hardwareWalks: boolean;
  /** Whether the machine has one CPU. */
  readonly oneCpu: boolean;
}

/** One reason. */
export interface Reason {
  readonly id: string;
  /** Why the fault does no harm. */
  readonly words: string;
  readonly holds: (c: Case) => boolean;
}

const RANGE = /^tlb_flush_p\w+_range$/;
const GATHER_START = /^tlb_gather_mmu(_fullmm)?$/;
const INITIALISES = /^(table_init|clear_page|ptdesc_clear)$/;
const COMPOUND_ALLOC = /^(pagetable|ptdesc)_alloc$/;
const FLUSHES = /^(tlb_flush_mmu(_tlbonly)?|flush_tlb_\w+|tlb_remove_table_sync_one|synchronize_rcu)$/;
const RMAPS = /^(tlb_delay_rmap|tlb_flush_rmaps)$/;
const SAME_AGAIN = new RegExp(
  `^(table_init|clear_page|ptdesc_clear|populate|unlink|pgd_set_mm|ptdesc_set_kernel|tlb_flush_p\\w+_range)$|` +
    `${FLUSHES.source}|${RMAPS.source}`,
);

const WAYS: Readonly<Record<string, number>> = {
  __free_pages: BY_ORDER,
  __free_page: BY_ORDER,
  free_pages: BY_ORDER,
  free_page: BY_ORDER,
  put_page: BY_PUT,
  pagetable_free: BY_PAGETABLE,
  ptdesc_free: BY_PAGETABLE,
  free_reserved_page: BY_RESERVED_PAGE,
  free_reserved_ptdesc: BY_RESERVED_PTDESC,
  tlb_remove_page: BY_GATHER,
  tlb_remove_table: BY_GATHER,
  tlb_remove_ptdesc: BY_GATHER_PTDESC,
  tlb_remove_page_ptdesc: BY_GATHER_PTDESC,
};

function callName(line: Line): string {
  return line.call?.name ?? "";
}

function flags(line: Line): number {
  const i = line.call?.params.findIndex((p) => p.type === "gfp") ?? -1;
  if (i < 0) return 0;
  return line.args[i]!.split("|").reduce((all, word) => all | (gfpBits(word.trim()) ?? 0), 0);
}

function changedFlag({ fault }: Case, flag: number): boolean {
  return fault.kind === "flag" && ((flags(fault.line) ^ flags(fault.now)) & flag) !== 0;
}

function dropped({ fault }: Case, test: (line: Line) => boolean): boolean {
  return fault.kind === "drop" && fault.fallen.every(test);
}

function linesOf(c: Case): Line[] {
  return c.paths.flatMap((p) => p.lines);
}

/** The grant that a line with a pointer works on, or that it is. */
function subject(c: Case, line: Line): Line | undefined {
  if (grants(line)) return line;
  return grantOf(c.paths, line, line.args[releaseOf(line)?.at ?? 0] ?? "");
}

function sameLine(a: Line | undefined, b: Line | undefined): boolean {
  return a !== undefined && b !== undefined && placeOf(a) === placeOf(b);
}

/** A line that initialises, or the allocation's flag that does, was taken away or shortened. */
function lessInitialised(c: Case): boolean {
  const { fault } = c;
  if (changedFlag(c, __GFP_ZERO)) return true;
  return INITIALISES.test(callName(fault.line)) && (fault.kind === "drop" || fault.kind === "number");
}

/** Whether something else initialises the memory that the fault is about. */
function initialisedOtherwise(c: Case): boolean {
  const grant = subject(c, c.fault.line);
  if (grant === undefined) return false;
  const zeroed = /^(memblock_alloc|get_zeroed_page)$/.test(callName(grant)) || (flags(grant) & __GFP_ZERO) !== 0;
  if (zeroed && !changedFlag(c, __GFP_ZERO)) return true;
  return linesOf(c).some((l) =>
    INITIALISES.test(callName(l)) && placeOf(l) !== placeOf(c.fault.line) && sameLine(subject(c, l), grant)
  );
}

function populated(c: Case): boolean {
  const grant = subject(c, c.fault.line);
  return linesOf(c).some((l) => callName(l) === "populate" && sameLine(subject(c, l), grant));
}

/** The lines of a path that work on a gather, in order. */
function gatherLines(c: Case, line: Line, gather: string): Line[] {
  return c.paths.find((p) => p.table === line.table)!.lines.filter((l) => l.args[0] === gather);
}

/** The gather that a line starts or works on. */
function gatherOf(line: Line): string {
  return line.call?.result === "gather" ? line.name : nameIn(line.args[0] ?? "");
}

function queues(line: Line): boolean {
  return releaseOf(line)?.at === 1;
}

/** Whether what a line queues goes the way of pages, where the kernel asks for a range. */
function asPage(c: Case, line: Line): boolean {
  return /^tlb_remove_page/.test(callName(line)) || (c.tablesArePages && queues(line));
}

/** Whether a block carries its order: the head flag is set. */
function isCompound(grant: Line): boolean {
  return COMPOUND_ALLOC.test(callName(grant)) || (flags(grant) & __GFP_COMP) !== 0;
}

/** Whether the path gives up another reference of the same block through a gather, which puts it after the flush. */
function othersQueued(c: Case): boolean {
  const { line } = c.fault;
  const grant = subject(c, line);
  const own = c.paths.find((p) => p.table === line.table)!.lines;
  const refs = 1 +
    linesOf(c).filter((l) => callName(l) === "get_page" && sameLine(grantOf(c.paths, l, l.args[0]!), grant)).length;
  return refs > 1 && own.some((l) => queues(l) && placeOf(l) !== placeOf(line) && sameLine(subject(c, l), grant));
}

/** The pages that a call of gather frees are flushed by its end anyway. */
function endsItsGather(c: Case): boolean {
  const { line } = c.fault;
  return gatherLines(c, line, gatherOf(line)).some((l) => callName(l) === "tlb_finish_mmu" && l.index > line.index);
}

function family(grant: Line): number {
  if (COMPOUND_ALLOC.test(callName(grant))) return PAGETABLE;
  if (callName(grant) === "alloc_pages_exact") return EXACT;
  return callName(grant) === "memblock_alloc" ? RESERVED : PAGES;
}

/** What a release comes to: calls with the same answer are one function under several names. */
function function_(c: Case, line: Line): string {
  const name = callName(line);
  if (WAYS[name] === BY_ORDER) return `order ${/_page$/.test(name) ? 0 : line.args[1]}`;
  if (queues(line)) return asPage(c, line) ? "page" : "table";
  return name;
}

function legal(c: Case): boolean {
  const { fault, comparison } = c;
  if (fault.kind !== "release" || !comparison.comparable || !comparison.samePages) return false;
  const grant = subject(c, fault.line);
  const way = WAYS[callName(fault.now)];
  return grant !== undefined && way !== undefined && ((LEGAL_RELEASES[family(grant)]! >> way) & 1) === 1;
}

/** A release that comes before the flush, or a table that does not wait for a grace period. */
function sooner(c: Case): boolean {
  const { line, now } = c.fault;
  return queues(line) && (!queues(now) || (function_(c, line) === "table" && function_(c, now) === "page"));
}

/** The lines of a fault's path that say how what it is about was unlinked. */
function unlinks(c: Case): Line[] {
  const grant = subject(c, c.fault.line);
  return c.paths.find((p) => p.table === c.fault.line.table)!.lines
    .filter((l) => callName(l) === "unlink" && sameLine(subject(c, l), grant));
}

function rangeLines(c: Case): { gather: Line | undefined; before: boolean; asked: boolean } {
  const { line } = c.fault;
  const name = gatherOf(line);
  const lines = gatherLines(c, line, name);
  const at = lines.findIndex((l) => placeOf(l) === placeOf(line));
  const next = lines.findIndex((l, i) => i > at && RANGE.test(callName(l)));
  return {
    gather: definition(c.paths, line, name),
    before: lines.slice(0, at).some((l) => RANGE.test(callName(l))),
    asked: lines.slice(at, next < 0 ? undefined : next).some((l) => asPage(c, l)),
  };
}

/** Every reason, in the order in which they are tried. */
export const REASONS: readonly Reason[] = [
  {
    id: "reads-only",
    words: "only lookups and populate() fell: they change nothing, and no line that stays uses them",
    holds: (c) => dropped(c, (l) => LOOKUPS.has(callName(l)) || callName(l) === "populate") && c.comparison.sameWords,
  },
  {
    id: "not-in-use",
    words: "it is put in use no more, so nobody walks it, and nothing else changed",
    holds: (c) =>
      dropped(c, (l) => LOOKUPS.has(callName(l)) || callName(l) === "populate") && c.comparison.samePages ||
      dropped(c, (l) => callName(l) === "populate"),
  },
  {
    id: "use-optional",
    words: "the whole use fell with the line, and a table may be used never",
    holds: (c) => {
      const { table } = c.fault.line;
      const gone = new Set(c.fault.fallen.map(placeOf));
      const left = c.paths.find((p) => p.table === table)!.lines.filter((l) => !gone.has(placeOf(l)));
      return table.startsWith("use.") && dropped(c, (l) => l.table === table) &&
        left.every((l) => LOOKUPS.has(callName(l))) && c.comparison.samePages;
    },
  },
  {
    id: "fewer-tables",
    words: "with the allocation fell every line that used its memory: a table fewer, and nothing of it is left",
    holds: (c) => c.fault.kind === "drop" && grants(c.fault.line),
  },
  {
    id: "unused-block",
    words: "initialising the block fell together with putting it in use: it is taken and given back",
    holds: (c) =>
      dropped(c, (l) => LOOKUPS.has(callName(l)) || INITIALISES.test(callName(l)) || callName(l) === "populate") &&
      linesOf(c).every((l) =>
        callName(l) !== "populate" || !sameLine(subject(c, l), subject(c, c.fault.line)) ||
        c.fault.fallen.some((f) => sameLine(f, l))
      ),
  },
  {
    id: "empty-gather",
    words: "the gather queues nothing, so nothing waits for its end",
    holds: (c) =>
      dropped(
        c,
        (l) => GATHER_START.test(callName(l)) || RANGE.test(callName(l)) || callName(l) === "tlb_finish_mmu",
      ) &&
      !gatherLines(c, c.fault.line, gatherOf(c.fault.line)).some(queues) && c.comparison.sameWords,
  },
  {
    id: "same-again",
    words: "doing it twice is doing it once",
    holds: (c) =>
      c.fault.kind === "repeat" && SAME_AGAIN.test(callName(c.fault.line)) &&
      (c.comparison.sameWords || callName(c.fault.line) === "unlink"),
  },
  {
    id: "fullmm",
    words: "the gather ends its mm: its range is everything from the start",
    holds: (c) =>
      dropped(c, (l) => RANGE.test(callName(l))) && callName(rangeLines(c).gather!) === "tlb_gather_mmu_fullmm" &&
      c.comparison.sameWords,
  },
  {
    id: "flushed-at-end",
    words: "tlb_finish_mmu flushes what was queued, and what is freed waits for it in the gather",
    holds: (c) =>
      dropped(c, (l) => /^tlb_flush_mmu(_tlbonly)?$/.test(callName(l))) && endsItsGather(c) && c.comparison.samePages,
  },
  {
    id: "never-ends",
    words: "nothing frees the table, so that nobody misses its constructor",
    holds: (c) =>
      dropped(c, (l) => /_ctor$/.test(callName(l))) && c.paths.every((p) => !p.table.startsWith("free.")) &&
      c.comparison.samePages,
  },
  {
    id: "rmaps-unjudged",
    words: "map counts are not modelled: whether rmaps were removed, before or after the flush, is not judged",
    holds: (c) => dropped(c, (l) => RMAPS.test(callName(l))) && c.comparison.sameWords,
  },
  {
    id: "not-shared",
    words: "a sharer fewer: huge_pmd_unshare leaves a table alone that nobody shares",
    holds: (c) => dropped(c, (l) => callName(l) === "huge_pmd_share") && c.comparison.sameWords,
  },
  {
    id: "range-unread",
    words: "the range is set already, or nothing is queued that asks for it, and nobody walks what is",
    holds: (c) => {
      if (!dropped(c, (l) => RANGE.test(callName(l))) || !c.comparison.sameWords) return false;
      const { before, asked } = rangeLines(c);
      return before || !asked;
    },
  },
  {
    id: "range-covers",
    words: "a range is rounded to whole pages and covers the entry all the same",
    holds: (c) =>
      c.fault.kind === "number" && RANGE.test(callName(c.fault.line)) && c.comparison.sameWords &&
      Number(c.fault.now.args[2]) > 0,
  },
  {
    id: "comp-no-effect",
    words:
      "__GFP_COMP says nothing here: order 0, or the call sets it (pagetable_alloc) or takes it off (alloc_pages_exact)",
    holds: (c) =>
      changedFlag(c, __GFP_COMP) && c.comparison.sameWords &&
      (sizeOf(c.fault.line).order === 0 || COMPOUND_ALLOC.test(callName(c.fault.line)) ||
        callName(c.fault.line) === "alloc_pages_exact"),
  },
  {
    id: "slab-zeroed",
    words: "a slab is initialised when it gets its page, and its objects go back as empty tables",
    holds: (c) => changedFlag(c, __GFP_ZERO) && callName(c.fault.line) === "kmem_cache_alloc" && c.comparison.sameWords,
  },
  {
    id: "mm-goes-on",
    words: "the mm goes on, and keeps what it has not given out",
    holds: (c) => dropped(c, (l) => callName(l) === "arch_exit_mmap"),
  },
  {
    id: "next-mm-ends",
    words: "the mm that follows ends as well, and gives up what it keeps",
    holds: (c) => c.fault.kind === "repeat" && callName(c.fault.line) === "arch_exit_mmap",
  },
  {
    id: "walked-by-code",
    words: "no hardware walks these tables, and code is gone with the grace period",
    holds: (c) => !c.hardwareWalks && dropped(c, (l) => /^flush_tlb_/.test(callName(l))) && c.comparison.sameWords,
  },
  {
    id: "order-agrees",
    words: "compound or not, every release gives up the order that was granted",
    holds: (c) =>
      changedFlag(c, __GFP_COMP) && c.comparison.comparable &&
      linesOf(c).filter((l) => WAYS[callName(l)] === BY_ORDER && sameLine(subject(c, l), c.fault.line))
        .every((l) => function_(c, l) === `order ${sizeOf(c.fault.line).order}`),
  },
  {
    id: "order-carried",
    words: "compound memory carries its order and every release asks it: a larger table, and nothing of it is lost",
    holds: (c) =>
      c.fault.kind === "number" && isCompound(c.fault.line) &&
      linesOf(c).every((l) => WAYS[callName(l)] !== BY_ORDER || !sameLine(subject(c, l), c.fault.line)) &&
      sizeOf(c.fault.now).order > sizeOf(c.fault.line).order,
  },
  {
    id: "same-pages",
    words: "a size is rounded to the same number of pages",
    holds: (c) => {
      const i = c.fault.line.call?.params.findIndex((p) => p.type === "bytes") ?? -1;
      const pages = (l: Line): number => Math.ceil(Number(l.args[i]) / 4096);
      return c.fault.kind === "number" && i >= 0 && pages(c.fault.line) === pages(c.fault.now);
    },
  },
  {
    id: "initialised",
    words: "something else initialises the table: uninitialised-table was asked each time it was put in use",
    holds: (c) => lessInitialised(c) && initialisedOtherwise(c) && populated(c) && c.comparison.populated > 0,
  },
  {
    id: "highmem-contents",
    words: "what highmem holds is not judged: populate() takes an address, and highmem has none",
    holds: (c) =>
      lessInitialised(c) && (flags(subject(c, c.fault.line)!) & __GFP_HIGHMEM) !== 0 && c.comparison.sameWords,
  },
  {
    id: "no-table",
    words: "this memory is never put in use as a page table: its contents are not judged",
    holds: (c) => lessInitialised(c) && !populated(c) && c.comparison.sameWords,
  },
  {
    id: "same-function",
    words: "the same function under another name",
    holds: (c) => legal(c) && function_(c, c.fault.line) === function_(c, c.fault.now) && c.comparison.sameWords,
  },
  {
    id: "nobody-left",
    words: "legal and whole, only sooner, when nobody walks it any more: unlinked as exit, or right on one CPU only",
    holds: (c) => legal(c) && sooner(c) && (c.oneCpu || unlinks(c).every((l) => l.args[2] === "exit")),
  },
  {
    id: "not-the-last",
    words:
      "a reference of a block of which the same path gives others to a gather: it leaves with those, after the flush",
    holds: (c) => legal(c) && sooner(c) && othersQueued(c),
  },
  {
    id: "never-walked",
    words: "legal and whole, only sooner, and no line puts it in use, so nobody walks it",
    holds: (c) => legal(c) && sooner(c) && !populated(c),
  },
  {
    id: "unlink-unsaid",
    words: "how the table is unlinked is said no more: nobody is taken to walk what goes this way",
    holds: (c) => dropped(c, (l) => callName(l) === "unlink"),
  },
  {
    id: "legal-release",
    words: "another release that is legal for this family, and gives up the same pages",
    holds: (c) => legal(c) && !sooner(c),
  },
  {
    id: "same-block",
    words: "the lookup of this page leads to the same block, or each page has a reference of its own",
    holds: (c) => {
      const grant = subject(c, c.fault.line);
      const to = Number(/\+\s*(\d+)/.exec(c.fault.now.args.join(","))?.[1] ?? 0);
      if (c.fault.kind !== "offset" || grant === undefined || to >= sizeOf(grant).pages) return false;
      // A gather puts the reference of the page's folio.
      const asked = LOOKUPS.has(callName(c.fault.line)) || (queues(c.fault.line) && isCompound(grant));
      return asked && c.comparison.sameWords;
    },
  },
  {
    id: "note-only",
    words: "pt_mm is a note for others, and no line reads it",
    holds: (c) => dropped(c, (l) => callName(l) === "pgd_set_mm") && c.comparison.samePages,
  },
];

/** The reason why a fault is harmless; undefined where there is none, and the fault was missed. */
export function reasonFor(c: Case): Reason | undefined {
  if (!c.comparison.tried || c.comparison.broken.length > 0) return undefined;
  return REASONS.find((r) => r.holds(c));
}
