/**
 * What a comparison reached, and why it did not reach the rest.
 *
 * @module
 */
import {
  C_CLEAR_TABLE,
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
  C_NR_PAGES_MAPPED,
  C_PINCOUNT,
  C_SET_BUDDY,
  C_WARN_NOFAIL,
  CHECKS,
} from "../core/kernel/checks.ts";
import { isWild } from "./compare.ts";
import { callName, CALLS, hasCall } from "../core/program/calls.ts";
import type { SourceVersion } from "./source.ts";

/** Checks of one version only. */
const ONLY: Readonly<Record<number, SourceVersion>> = {
  [C_ENTIRE_LARGE]: "6.1",
  [C_DTOR]: "6.1",
  [C_COMPOUND_MAPCOUNT]: "6.1",
  [C_WARN_NOFAIL]: "6.1",
  [C_CLEAR_TABLE]: "6.12",
  [C_ENTIRE_MAPCOUNT]: "6.12",
  [C_LARGE_MAPCOUNT]: "6.12",
  [C_NR_PAGES_MAPPED]: "6.12",
  [C_PINCOUNT]: "6.12",
  [C_DEFERRED_LIST]: "6.12",
  [C_FLAGS_TAIL]: "6.12",
};

/** Why a check cannot be reached with the calls of the language. */
const UNREACHABLE: Readonly<Record<number, string>> = {
  [C_FREE_FLAGS]: "free_pages_prepare has cleared these flags of every page that comes here",
  [C_FREE_RANGE]: "the driver passes no page outside the zone: what lies there is not the program's",
  [C_EXPAND_RANGE]: "a block on a list lies in the zone, and so does its half",
  [C_FREE_PAGES_ADDR]: "every address that the driver passes is in the linear map, as UML has no highmem",
  [C_GATHER_NR]: "batch->nr is counted by the function itself, and compared with max before",
  [C_MEMCG]: "no call of the language writes memcg_data; charges are not in it yet",
  [C_SET_BUDDY]: "with DEBUG_VM, free_page_is_bad has set the page aside, whatever type it has",
  [C_LARGE_MAPCOUNT]: "a list stored over page 1 breaks _entire_mapcount too, which is looked at first",
  [C_NR_PAGES_MAPPED]: "no call of the language stores there: it lies over mapping of page 1",
  [C_PINCOUNT]: "no call of the language stores there: it lies over mapping of page 1",
};

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
  const mine = CALLS.filter((c) => hasCall(kernel, c));
  const never = mine.filter((c) => calls[c.id] === 0);
  lines.push(`calls: ${mine.length - never.length} of ${mine.length} ran on both`);
  for (const call of never) lines.push(`  never: ${callName(call)}`);
  CHECKS.forEach((check, i) => {
    if (ONLY[i] !== undefined && ONLY[i] !== kernel) return;
    const name = `${check.kind} in ${check.fn}: ${check.text}`;
    if (fired[i]! > 0) lines.push(`${String(fired[i]).padStart(9)}  ${name}`);
    else if (isWild(i)) lines.push(`        -  ${name}: ${WILD}`);
    else if (UNREACHABLE[i] !== undefined) lines.push(`        -  ${name}: ${UNREACHABLE[i]}`);
    else if (!debugVm && check.kind !== "WARN") lines.push(`        -  ${name}: not compiled in, or not asked`);
    else lines.push(`        0  ${name}`);
  });
  return lines;
}

/** Checks that could have been reached and were not. */
export function notReached(kernel: SourceVersion, fired: Float64Array): number[] {
  return CHECKS.flatMap((_, i) =>
    fired[i] === 0 && !isWild(i) && UNREACHABLE[i] === undefined && (ONLY[i] ?? kernel) === kernel ? [i] : []
  );
}

/** Checks with the reason why they cannot be reached. */
export const NEVER_FIRES: Readonly<Record<number, string>> = UNREACHABLE;
