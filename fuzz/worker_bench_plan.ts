/**
 * Reads the disciplines for a bench, in an isolate that is ended then: what reading
 * them takes is no part of what is measured.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import type { Discipline } from "../corpus/discipline.ts";
import { canRunOn } from "../corpus/load_discipline.ts";
import { type Benched, benchedOn } from "./bench_lanes.ts";
import { selectDisciplines } from "./cells.ts";

/** Which disciplines are wanted: those clean on a kernel, so many at most. */
export interface BenchPlan {
  readonly kernel: string;
  readonly most: number;
}

/**
 * The disciplines that are clean on a version, as an isolate that measures them needs them.
 *
 * @param kernel the kernel to run them on: the version, or it without a repair
 * @param most of them at most
 */
function cleanOn(disciplines: readonly Discipline[], kernel: string, most: number): Benched[] {
  const base = kernel.replace(/-without.*/, "");
  return disciplines
    .filter((d) => d.kernels.includes(base) && d.expect.every((e) => !e.kernels.includes(base)) && canRunOn(d, kernel))
    .slice(0, most)
    .map((d) => benchedOn(d, kernel));
}

self.onmessage = ({ data }: MessageEvent<BenchPlan[]>): void => {
  const disciplines = selectDisciplines([]).map((l) => l.discipline);
  self.postMessage(data.map(({ kernel, most }) => cleanOn(disciplines, kernel, most)));
};
