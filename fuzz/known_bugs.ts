/**
 * The bugs of the past that the model has to find by itself: for each, the
 * discipline that states what the code did and the kernel that has the bug, and
 * the discipline and kernel that are right. Random search finds the first without
 * any stored program, shrinks what it found, and finds nothing in the second.
 *
 * @module
 */
import { INVARIANTS } from "../core/ledger/invariants.ts";
import { callOf } from "../core/program/findings.ts";
import { printProgram } from "../core/program/print.ts";
import { expectationsOn } from "./cells.ts";
import { Draw, type Side } from "./draw.ts";
import { type ExhaustJob, outcomeOf, runSearch, searchFor } from "./exhaust/cell.ts";
import { keyParts } from "./shard.ts";
import { shrinkProgram, sizeOf } from "./shrink.ts";

/** A bug of the past. */
export interface KnownBug {
  /** Its name, as the kernels that have it are named. */
  readonly id: string;
  /** What went wrong. */
  readonly what: string;
  readonly wrong: Side;
  /** The invariant that it breaks. */
  readonly invariant: string;
  /** The call that breaks it, where others break it too. */
  readonly call?: string;
  readonly right: Side;
}

/** Every bug, by its name. */
export const KNOWN_BUGS: readonly KnownBug[] = [
  {
    id: "B1",
    what: "a speculative reference at `__free_pages` of a block that is not compound loses the tails (e320d3012d25)",
    wrong: { discipline: "canary/lost-tails", kernel: "6.12-without-B1" },
    invariant: "page-leak",
    right: { discipline: "canary/lost-tails", kernel: "6.12" },
  },
  {
    id: "B2",
    what: "`__free_pages` reads PageHead after its put (462a8e08e0e6)",
    wrong: { discipline: "bugs/b2-head-after-put", kernel: "6.12-without-B2" },
    invariant: "double-free",
    right: { discipline: "bugs/b2-head-after-put", kernel: "6.12" },
  },
  {
    id: "B3",
    what: "the charge of the tails is lost on B1's path (6.12 as it is)",
    wrong: { discipline: "x86/pgd-charged", kernel: "6.12" },
    invariant: "charge",
    right: { discipline: "x86/pgd-charged", kernel: "6.12-with-B3" },
  },
  {
    id: "B8",
    what: "`pmd_free_tlb` without the destructor (c283610e44ec, 9de45f736f21)",
    wrong: { discipline: "hypothetical/pmd-free-tlb-no-dtor", kernel: "6.12" },
    invariant: "constructor",
    right: { discipline: "x86/pmd-lock", kernel: "6.12" },
  },
  {
    id: "B12",
    what: "the destructor frees the lock of a table that others still find (db6b435d731a)",
    wrong: { discipline: "hypothetical/pt-reclaim-dtor-first", kernel: "6.12" },
    invariant: "lock-lifetime",
    right: { discipline: "bugs/b12-repaired", kernel: "6.14" },
  },
  {
    id: "B13",
    what: "a table is freed before the TLB flush where its batch cannot be had (d86564a2f085)",
    wrong: { discipline: "bugs/b13-no-invalidate", kernel: "6.12-without-B13" },
    invariant: "flush-before-free",
    right: { discipline: "bugs/b13-no-invalidate", kernel: "6.12" },
  },
  {
    id: "B15",
    what: "a table's references are its count of sharers (59d9094df3d7, CVE-2024-57883)",
    wrong: { discipline: "x86/hugetlb-pmd-share", kernel: "6.12-without-B15" },
    invariant: "share-count",
    right: { discipline: "x86/hugetlb-pmd-share", kernel: "6.12" },
  },
  {
    id: "B17",
    what: "s390 leaves the bits of a table with PGSTEs in `_refcount` (dfa758638fd2)",
    wrong: { discipline: "s390/pte-pgste-6.1", kernel: "6.1-without-B17" },
    invariant: "page-leak",
    call: "page_table_free",
    right: { discipline: "s390/pte-pgste-6.1", kernel: "6.1" },
  },
  {
    id: "B19",
    what: "a folded level is freed as itself and again as the pgd (0e311d237d7f)",
    wrong: { discipline: "bugs/b19-folded", kernel: "6.12-without-B19" },
    invariant: "gather-twice",
    right: { discipline: "bugs/b19-folded", kernel: "6.12" },
  },
  {
    id: "B24",
    what: "an address where `tlb_remove_table` takes a page (cf77ee54362a)",
    wrong: { discipline: "bugs/b24-address-for-page", kernel: "6.12" },
    invariant: "pointer-kind",
    right: { discipline: "x86/pmd", kernel: "6.12" },
  },
  {
    id: "B28",
    what: "a block of `alloc_pages` is given to `pagetable_free` (review of July 2026)",
    wrong: { discipline: "hypothetical/vmemmap-block-6.19", kernel: "6.19" },
    invariant: "page-leak",
    right: { discipline: "x86/hot-remove", kernel: "6.12" },
  },
  {
    id: "L1",
    what: "MIPS KVM's directory, order 1 and not compound, is given to `pagetable_free` (6.12 as it is)",
    wrong: { discipline: "mips/kvm-pgd", kernel: "6.12" },
    invariant: "page-leak",
    right: { discipline: "mips/kvm-pgd-6.1", kernel: "6.1" },
  },
  {
    id: "L4",
    what: "hypothetical: `free_reserved_ptdesc` of a table of four pages frees one",
    wrong: { discipline: "hypothetical/reserved-order-2", kernel: "6.12" },
    invariant: "page-leak",
    right: { discipline: "generic/reserved", kernel: "6.12" },
  },
  {
    id: "L5",
    what: "hypothetical: s390's `__tlb_remove_table` takes a crst table that is not compound for a page of PTEs",
    wrong: { discipline: "s390/crst-half-converted-6.12", kernel: "6.12" },
    invariant: "page-leak",
    call: "tlb_remove_ptdesc",
    right: { discipline: "s390/crst", kernel: "6.12" },
  },
];

/** What came of a bug. */
export interface KnownBugOutcome {
  /** Steps of random programs up to the end of the first that shows it; -1 where none did. */
  readonly steps: number;
  /** Lines of that program once it is shrunk. */
  readonly lines: number;
  /** Lines of the shortest schedule that shows the same, as the exhaustive search knows it. */
  readonly shortest: number;
  /** The shrunk program. */
  readonly program: string;
  /** Invariants that the right side broke beyond what is expected of it. */
  readonly broken: readonly string[];
}

/** Steps that a search may take. */
export const KNOWN_BUG_STEPS = 5_000_000;
/** Whether a finding is the bug's. */
function isOf(bug: KnownBug, key: number): boolean {
  const { invariant, call } = keyParts(key);
  return INVARIANTS[invariant]!.id === bug.invariant && (bug.call === undefined || callOf(call) === bug.call);
}

/**
 * Looks for a bug where it is, and for anything where it is not.
 *
 * @param clean steps that the right side must stay clean for
 */
export function tryKnownBug(bug: KnownBug, clean: number): KnownBugOutcome {
  const broken = brokenBy(bug.right, clean);
  const draw = new Draw(bug.wrong);
  while (draw.steps < KNOWN_BUG_STEPS) {
    const hit = draw.next().find(({ key }) => isOf(bug, key));
    if (hit === undefined) continue;
    const { invariant, call, pages } = keyParts(hit.key);
    const target = { invariant: INVARIANTS[invariant]!.id, call: callOf(call), pages };
    const small = shrinkProgram(draw.program, [target], { lines: false });
    const shortest = shortestFor(draw, hit.key);
    return { steps: draw.steps, lines: sizeOf(small)[0], shortest, program: printProgram(small), broken };
  }
  return { steps: -1, lines: 0, shortest: 0, program: "", broken };
}

/** What a side breaks that nobody expects of it. */
function brokenBy(side: Side, steps: number): string[] {
  const draw = new Draw(side);
  const expected = new Set(
    expectationsOn(draw.cell.loaded.discipline, side.kernel).flatMap((e) => e.invariants as string[]),
  );
  const broken = new Set<string>();
  while (draw.steps < steps) {
    for (const { invariant } of draw.next()) if (!expected.has(invariant)) broken.add(invariant);
  }
  return [...broken].sort();
}

/** Lines of the shortest schedule with a finding, of all those of one table and one reference. */
function shortestFor({ place, cell }: Draw, key: number): number {
  const { discipline: d, text } = cell.loaded;
  const job: ExhaustJob = {
    ...place,
    index: 0,
    pages: 8,
    discipline: { text, file: d.file },
    expectedLeaks: 0,
    steps: 20,
    states: 100_000,
    tables: 1,
    references: 1,
    file: "",
    resume: false,
  };
  const { search, compiled } = searchFor(job);
  runSearch(search, job.states, () => true);
  return outcomeOf(job, search, compiled).findings.find((f) => f.key === key)?.lines ?? -1;
}

/** Rows of Markdown: each bug, how to find it, and what came of it. */
export function knownBugRow(bug: KnownBug, o: KnownBugOutcome): string {
  const command = `fuzz --kernel ${bug.wrong.kernel} --discipline ${bug.wrong.discipline}`;
  const by = bug.call === undefined ? "" : ` by \`${bug.call}\``;
  return `| ${bug.id} | ${bug.what} | \`${command}\` | \`${bug.invariant}\`${by} | ` +
    `${
      o.steps.toLocaleString("en-US")
    } | ${o.lines} | ${o.shortest} | \`${bug.right.discipline}\` on ${bug.right.kernel} |`;
}
