/**
 * What a comparison reached, and why it did not reach the rest.
 *
 * @module
 */
import {
  C_COMPOUND_MAPCOUNT,
  C_DEFERRED_LIST,
  C_DTOR,
  C_ENTIRE_LARGE,
  C_ENTIRE_MAPCOUNT,
  C_EXPAND_RANGE,
  C_FLAGS_TAIL,
  C_FREE_FLAGS,
  C_FREE_PAGES_ADDR,
  C_FREE_RANGE,
  C_GATHER_NR,
  C_LARGE_MAPCOUNT,
  C_MEMCG,
  C_NOCACHE_ALIGN,
  C_NOCACHE_BITS,
  C_NOCACHE_RANGE,
  C_NOCACHE_SIZE,
  C_NR_PAGES_MAPPED,
  C_PGTABLE_INDEX,
  C_PINCOUNT,
  C_PMD_HUGE_PTE,
  C_POINTER_FREE,
  C_PTL_USED,
  C_REFCOUNTED_TAIL,
  C_SET_BUDDY,
  C_SET_TABLE,
  C_TAIL_HEAD,
  C_TAIL_MAPPING,
  C_WARN_NOFAIL,
  CHECKS,
} from "../core/kernel/checks.ts";
import { isWild } from "./compare.ts";
import { callName, CALLS, hasCall } from "../core/program/calls.ts";
import { NOT_MADE, whyNotMade } from "./programs.ts";
import type { SourceVersion } from "./source.ts";

/** Checks of one version only. */
const ONLY: Readonly<Record<number, SourceVersion>> = {
  [C_ENTIRE_LARGE]: "6.1",
  [C_DTOR]: "6.1",
  [C_COMPOUND_MAPCOUNT]: "6.1",
  [C_WARN_NOFAIL]: "6.1",
  [C_SET_TABLE]: "6.12",
  [C_ENTIRE_MAPCOUNT]: "6.12",
  [C_LARGE_MAPCOUNT]: "6.12",
  [C_NR_PAGES_MAPPED]: "6.12",
  [C_PINCOUNT]: "6.12",
  [C_DEFERRED_LIST]: "6.12",
  [C_FLAGS_TAIL]: "6.12",
};

/** Why a check cannot be reached with the calls of the language; on one version, where one is named. */
const NOT_BUILT = "of a call that no kernel here is built with (see the calls that are left out)";
const UNREACHABLE: readonly (readonly [check: number, why: string, kernel?: SourceVersion])[] = [
  [C_PGTABLE_INDEX, "pgtable_free_tlb takes the levels of the language, and the driver has no tables of PUDs to free"],
  [C_POINTER_FREE, NOT_BUILT],
  [C_NOCACHE_RANGE, NOT_BUILT],
  [C_NOCACHE_SIZE, NOT_BUILT],
  [C_NOCACHE_ALIGN, NOT_BUILT],
  [C_NOCACHE_BITS, NOT_BUILT],
  [C_FREE_FLAGS, "free_pages_prepare has cleared these flags of every page that comes here"],
  [C_FREE_RANGE, "the driver passes no page outside the zone: what lies there is not the program's"],
  [C_EXPAND_RANGE, "a block on a list lies in the zone, and so does its half"],
  [C_FREE_PAGES_ADDR, "every address that the driver passes is in the linear map, as UML has no highmem"],
  [C_GATHER_NR, "batch->nr is counted by the function itself, and compared with max before"],
  [C_MEMCG, "nothing writes memcg_data where there is no memcg"],
  [C_SET_BUDDY, "with DEBUG_VM, free_page_is_bad has set the page aside, whatever type it has", "6.1"],
  [C_LARGE_MAPCOUNT, "a list stored over page 1 breaks _entire_mapcount too, which is looked at first"],
  [C_NR_PAGES_MAPPED, "no call of the language stores there: it lies over mapping of page 1"],
  [C_PINCOUNT, "no call of the language stores there: it lies over mapping of page 1"],
  [C_PTL_USED, "user-mode Linux has one CPU, and tables no locks of their own"],
  [C_PMD_HUGE_PTE, "user-mode Linux has no huge pages, and tables of PMDs no locks of their own"],
  [C_COMPOUND_MAPCOUNT, "no call of the language stores there: it lies over mapping of page 1"],
  [C_TAIL_MAPPING, "nothing but prep_compound_tail and the free itself stores to mapping of a tail"],
  [
    C_TAIL_HEAD,
    "what is stored over compound_head is even, but by a list_del through another tail, and there the comparison ends",
  ],
  [
    C_REFCOUNTED_TAIL,
    "a tail whose head has no head flag: 6.12 clears both together, or stops at the order that is not the block's",
    "6.12",
  ],
  [
    C_ENTIRE_LARGE,
    "a list that takes PageTail from page 1 is stored over the order too, and which one is read then, depends on where memory lies",
    "6.1",
  ],
];

/** Whether a kernel has a check; those of memdesc are no real kernel's. */
function isChecked(check: number, kernel: SourceVersion): boolean {
  return (ONLY[check] ?? kernel) === kernel && !CHECKS[check]!.source.endsWith(" memdesc");
}

/** Why a check cannot be reached on a kernel, or undefined. */
function unreachable(check: number, kernel: SourceVersion): string | undefined {
  return UNREACHABLE.find(([c, , only]) => c === check && (only ?? kernel) === kernel)?.[1];
}

/** Which wild checks are compared up to the step before. */
const WILD = "a real machine follows a wild pointer there, and what it finds depends on where memory lies";

/** Lines that say what was reached, for people. */
export function coverageLines(
  kernel: SourceVersion,
  debugVm: boolean,
  calls: Float64Array,
  fired: Float64Array,
): string[] {
  const lines: string[] = [];
  const mine = CALLS.filter((c) => hasCall(kernel, c) && !NOT_MADE.includes(callName(c)));
  const never = mine.filter((c) => calls[c.id] === 0);
  lines.push(`calls: ${mine.length - never.length} of ${mine.length} ran on both`);
  for (const call of never) lines.push(`  never: ${callName(call)}`);
  for (const name of NOT_MADE) lines.push(`  left out: ${name}: ${whyNotMade(name)}`);
  CHECKS.forEach((check, i) => {
    if (!isChecked(i, kernel)) return;
    const name = `${check.kind} in ${check.fn}: ${check.text}`;
    if (fired[i]! > 0) lines.push(`${String(fired[i]).padStart(9)}  ${name}`);
    else if (isWild(i)) lines.push(`        -  ${name}: ${WILD}`);
    else if (unreachable(i, kernel) !== undefined) lines.push(`        -  ${name}: ${unreachable(i, kernel)}`);
    else if (!debugVm && check.kind !== "WARN") lines.push(`        -  ${name}: not compiled in, or not asked`);
    else lines.push(`        0  ${name}`);
  });
  return lines;
}

/** Whether every call ran, and every check fired that could have. */
export function everythingReached(
  kernel: SourceVersion,
  debugVm: boolean,
  calls: Float64Array,
  fired: Float64Array,
): boolean {
  return CALLS.every((c) => !hasCall(kernel, c) || NOT_MADE.includes(callName(c)) || calls[c.id]! > 0) &&
    CHECKS.every((check, i) =>
      fired[i]! > 0 || isWild(i) || unreachable(i, kernel) !== undefined || !isChecked(i, kernel) ||
      (!debugVm && check.kind !== "WARN")
    );
}
