import assert from "node:assert/strict";
import { type Death, runJobs } from "./pool.ts";
import type { TestJob } from "./pool_test_worker.ts";
import { programOfShard, runShard, type ShardJob } from "./shard.ts";
import { Machine } from "../core/program/machine.ts";

const WORKER = new URL("./pool_test_worker.ts", import.meta.url);
const jobs = (...does: TestJob["does"][]): TestJob[] => does.map((d, index) => ({ index, does: d }));

Deno.test("outcomes stand in the order of their jobs, whoever ran them", async () => {
  for (const workers of [1, 3]) {
    const outcomes = await runJobs(WORKER, jobs("answers", "answers", "answers", "answers"), workers);
    assert.deepEqual(outcomes.map((o) => (o as unknown as { twice: number }).twice), [0, 2, 4, 6]);
  }
});

Deno.test("a worker that dies is told of with the program it ran, and the others' jobs are done", async () => {
  const deaths: Death<TestJob>[] = [];
  // The one that dies has answered by then, and may have been handed another job: it is the last.
  const all = jobs("answers", "throws", "answers", "answers", "dies");
  const outcomes = await runJobs(WORKER, all, 2, { onDeath: (d) => deaths.push(d) });
  assert.deepEqual(outcomes.filter((o) => o !== undefined).map((o) => o.index).filter((i) => i !== 4), [0, 2, 3]);
  assert.ok(deaths.some((d) => d.job.index === 1 && d.program === 8 && /what a fault says/.test(d.error)));
});

Deno.test("where nobody asks to be told, a worker that dies ends the run", async () => {
  await assert.rejects(runJobs(WORKER, jobs("throws"), 1), /what a fault says/);
});

Deno.test("a run that is told to stop ends what runs and begins nothing more", async () => {
  const stop = new AbortController();
  const started: number[] = [];
  const outcomes = await runJobs(WORKER, jobs("waits", "answers", "answers"), 1, {
    signal: stop.signal,
    onStart: (job) => {
      started.push(job.index);
      stop.abort();
    },
  });
  assert.deepEqual(started, [0]);
  assert.deepEqual(outcomes.map((o) => o.index), [0]);
});

Deno.test("the program of a dead worker is the program that ran", () => {
  const job: ShardJob = {
    index: 0,
    kernel: "6.12",
    arch: "generic",
    config: [],
    pages: 256,
    name: "hostile generic ",
    seed: 5,
    first: 0,
    ops: 1,
    expectedLeaks: 0,
  };
  const program = programOfShard(job, 0);
  const machine = new Machine(program);
  machine.run(program);
  assert.equal(machine.steps, runShard(job).steps);
});
