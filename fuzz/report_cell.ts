/**
 * What a report shows of a cell, from what its shards kept: a worker's job, plain
 * data on both sides, and a function of it alone.
 *
 * @module
 */
import type { ReportedFinding } from "../corpus/result.ts";
import type { Expected } from "./expected.ts";
import { type Place, reportExpected, reportFound, reportHostile } from "./report_finding.ts";
import type { KeptProgram } from "./shard.ts";

/** A cell whose findings are to be shrunk, named and explained. */
export interface CellJob {
  readonly index: number;
  readonly place: Place;
  /** Whether raw calls were made, and no discipline's. */
  readonly hostile: boolean;
  /** What is expected of the cell, with the programs that show it. */
  readonly expected: readonly Expected[];
  /** What else its shards kept, in their order. */
  readonly kept: readonly KeptProgram[];
}

/** What came of it. */
export interface CellReport {
  readonly index: number;
  readonly findings: readonly ReportedFinding[];
  readonly complaints: readonly string[];
}

/** The programs kept for each kind of finding. */
function byKey(kept: readonly KeptProgram[]): KeptProgram[][] {
  return [...Map.groupBy(kept, (k) => k.key).values()];
}

/** Reports a cell. */
export function reportCell({ index, place, hostile, expected, kept }: CellJob): CellReport {
  const complaints: string[] = [];
  const findings = hostile
    ? reportHostile(place, kept, complaints)
    : [...expected.map((e) => reportExpected(place, e)), ...byKey(kept).map((list) => reportFound(place, list))];
  return { index, findings, complaints };
}
