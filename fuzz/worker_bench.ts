/**
 * Measures in an isolate of its own what it is asked.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { CALLS } from "../core/program/calls.ts";
import { type Benched, type Lane, lanesOf, type Runner } from "./bench_lanes.ts";

/** What runs on a kernel, and who runs it: told before anything is asked of it. */
export interface BenchSetting {
  readonly kernel: string;
  readonly runner: Runner;
  readonly disciplines: readonly Benched[];
}

/** What is to be measured. */
export interface BenchRequest {
  readonly kernel: string;
  /** Programs on each discipline in a turn, and turns. */
  readonly programs: number;
  readonly turns: number;
  readonly seed: number;
}

/** What is answered. */
export interface BenchAnswer {
  /** Steps/s. */
  readonly rate: number;
  /** How often each call ran, by opcode. */
  readonly mix: number[];
  /** Executed lines of a program, on the average. */
  readonly length: number;
  readonly disciplines: number;
}

const settings = new Map<string, Promise<Lane[]>>();

async function measure({ kernel, programs, turns, seed }: BenchRequest): Promise<BenchAnswer> {
  const lanes = await settings.get(kernel)!;
  let steps = 0;
  let time = 0;
  for (let turn = 0; turn < turns; turn++) {
    const start = performance.now();
    for (const lane of lanes) steps += lane.run(programs, seed * 1000 + turn);
    time += performance.now() - start;
  }
  const machines = [...new Set(lanes.map((l) => l.machine))];
  return {
    rate: steps / time * 1000,
    mix: CALLS.map((c) => machines.reduce((sum, m) => sum + m.right[c.id]! + m.wrong[c.id]!, 0)),
    length: steps / (programs * turns * lanes.length),
    disciplines: lanes.length,
  };
}

self.onmessage = async ({ data }: MessageEvent<BenchSetting | BenchRequest>): Promise<void> => {
  if ("disciplines" in data) settings.set(data.kernel, lanesOf(data.disciplines, data.runner));
  else self.postMessage(await measure(data));
};
