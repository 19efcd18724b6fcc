import assert from "node:assert/strict";
import { planCells, selectDisciplines } from "./cells.ts";
import { expectedOf } from "./expected.ts";
import { findingKey, runShard, type ShardJob } from "./shard.ts";
import { machineFor } from "../corpus/machine_for.ts";

const [CRST, PGD] = ["s390/crst-half-converted", "mips/kvm-pgd"].map((name) =>
  planCells(selectDisciplines([name]), [], [])[0]!
);

function jobFor(cell: typeof CRST, over: Partial<ShardJob> = {}): ShardJob {
  const { kernel, config, loaded: { discipline: d } } = cell!;
  const place = { kernel, config, arch: d.arch, pages: d.pages, name: d.name };
  return { ...place, index: 0, compiled: d.compile(kernel), seed: 1, first: 0, ops: 5000, expectedLeaks: 0, ...over };
}

Deno.test("what a shard does depends on its job alone, whatever ran before it in its worker", () => {
  const alone = structuredClone(runShard(jobFor(CRST)));
  runShard(jobFor(PGD, { expectedLeaks: expectedOf(PGD!).leaks }));
  assert.deepEqual(runShard(jobFor(CRST)), alone);
  // The same cell again, by what was made for the last shard and from a copy of its discipline.
  runShard(jobFor(CRST, { first: 1 << 26, keepsPool: true }));
  assert.deepEqual(runShard(jobFor(CRST)), alone);
  assert.deepEqual(runShard(structuredClone(jobFor(CRST))), alone);
  // Hostile mode on the same machine gives its slots other kinds.
  const { compiled: _, ...raw } = jobFor(CRST);
  runShard({ ...raw, name: "hostile" });
  assert.deepEqual(runShard(jobFor(CRST)), alone);
});

Deno.test("a shard leaves a machine behind that expects no leak and looks at nothing", () => {
  const job = jobFor(PGD, { expectedLeaks: expectedOf(PGD!).leaks });
  assert.notEqual(job.expectedLeaks, 0);
  runShard(job);
  const machine = machineFor(job);
  assert.equal(machine.ledger.expectedLeaks, 0);
  assert.equal(machine.features, null);
});

Deno.test("of what is expected a shard says that it showed, and keeps no program", () => {
  const { kept, shown } = runShard(jobFor(CRST));
  assert.deepEqual(shown, []);
  const keys = [...new Set(kept.map((k) => k.key))];
  assert.ok(keys.length > 1);
  const [first, ...others] = keys;
  const part = runShard(jobFor(CRST, { expected: [first!, findingKey(0, 0, 0)] }));
  assert.deepEqual(part.shown, [first]);
  assert.deepEqual([...new Set(part.kept.map((k) => k.key))], others);
});
