import assert from "node:assert/strict";
import { type Death, Pool, runJobs } from "./pool.ts";
import type { TestJob, TestOutcome } from "./pool_test_worker.ts";
import { programOfShard, runShard, type ShardJob } from "./shard.ts";
import { Machine } from "../core/program/machine.ts";

const WORKER = new URL("./pool_test_worker.ts", import.meta.url);
const jobs = (...does: TestJob["does"][]): TestJob[] => does.map((d, index) => ({ index, does: d }));

Deno.test("outcomes stand in the order of their jobs, whoever ran them", async () => {
  for (const workers of [1, 3]) {
    const all = jobs("answers", "answers", "answers", "answers");
    const outcomes = await runJobs<TestJob, TestOutcome>(WORKER, all, workers);
    assert.deepEqual(outcomes.map((o) => o.twice), [0, 2, 4, 6]);
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

Deno.test("workers are kept from one list of jobs to the next, and one that died is replaced", async () => {
  using pool = new Pool(WORKER, 1);
  pool.start(1);
  const run = (...does: TestJob["does"][]) => pool.run<TestJob, TestOutcome>(jobs(...does), { onDeath: () => {} });
  const [first] = await run("answers");
  const [second] = await run("answers");
  assert.deepEqual([first!.before, second!.before], [0, 1]);
  assert.deepEqual(await run("throws"), []);
  const [third] = await run("answers");
  assert.equal(third!.before, 0);
});

Deno.test("jobs of a group go to one worker while there are others for the rest; at the end everybody helps", async () => {
  const grouped: TestJob[] = [0, 0, 0, 1, 1, 1].map((group, index) => ({ index, group, does: "answers" }));
  const [one] = await order(grouped, 1);
  assert.deepEqual(one, [0, 1, 2, 3, 4, 5]);
  // In turns as they were laid out, a worker alone would still finish a group before it begins the next.
  const [mixed] = await order([0, 1, 0, 1, 0, 1].map((group, index) => ({ index, group, does: "answers" })), 1);
  assert.deepEqual(mixed, [0, 2, 4, 1, 3, 5]);
  // One group, two workers: the second has nothing of its own, and takes what is left.
  const waiting: TestJob[] = [{ index: 0, group: 0, does: "waits" }, { index: 1, group: 0, does: "answers" }];
  const stop = new AbortController();
  const outcomes = await runJobs<TestJob, TestOutcome>(WORKER, waiting, 2, {
    signal: stop.signal,
    onOutcome: ({ index }) => {
      if (index === 1) stop.abort();
    },
  });
  assert.deepEqual(outcomes.map((o) => o.index), [0, 1]);
});

/** In which order each worker was given jobs. */
async function order(list: readonly TestJob[], workers: number): Promise<number[][]> {
  const given = new Map<unknown, number[]>();
  await runJobs<TestJob, TestOutcome>(WORKER, list, workers, {
    onStart: (job, board) => given.set(board, [...given.get(board) ?? [], job.index]),
  });
  return [...given.values()];
}

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
