/**
 * Measures in an isolate of its own what it is asked.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { CALLS } from "../core/program/calls.ts";
import { type BenchAnswer, type BenchRequest, cleanLanes, type Lane, runGenerated, runModel } from "./bench.ts";

const lanes = new Map<string, Lane[]>();

function lanesOf(kernel: string, most: number): Lane[] {
  if (!lanes.has(kernel)) lanes.set(kernel, cleanLanes(kernel.replace(/-without.*/, ""), kernel, most));
  return lanes.get(kernel)!;
}

function measure(request: BenchRequest): BenchAnswer {
  const { kernels, programs, turns, seed } = request;
  const run = request.runner === "generated" ? runGenerated : runModel;
  const steps = kernels.map(() => 0);
  const time = kernels.map(() => 0);
  for (let turn = 0; turn < turns; turn++) {
    kernels.forEach((kernel, i) => {
      const mine = lanesOf(kernel, request.lanes);
      const start = performance.now();
      steps[i]! += run(mine, programs, seed * 1000 + turn);
      time[i]! += performance.now() - start;
    });
  }
  const all = kernels.flatMap((kernel) => lanesOf(kernel, request.lanes));
  const machines = [...new Set(all.map((l) => l.machine))];
  return {
    rates: kernels.map((_, i) => steps[i]! / time[i]! * 1000),
    mix: CALLS.map((c) => machines.reduce((sum, m) => sum + m.right[c.id]! + m.wrong[c.id]!, 0)),
    length: steps.reduce((sum, n) => sum + n, 0) / (programs * turns * all.length),
    disciplines: all.length,
  };
}

self.onmessage = (event: MessageEvent<BenchRequest>): void => self.postMessage(measure(event.data));
