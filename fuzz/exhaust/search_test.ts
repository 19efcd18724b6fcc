import assert from "node:assert/strict";
import { join } from "@std/path";
import type { ExhaustJob } from "./cell.ts";
import { exhaustCell, outcomeOf, runSearch, searchFor } from "./cell.ts";
import { Board } from "../pool.ts";
import { planCells, selectDisciplines } from "../cells.ts";
import { expectedOf } from "../expected.ts";
import { runShard } from "../shard.ts";
import { INVARIANTS } from "../../core/ledger/invariants.ts";
import { callOf } from "../../core/program/findings.ts";
import { keyParts } from "../shard.ts";
import { shrinkProgram, sizeOf } from "../shrink.ts";
import { Canon, hashedByKind } from "./canon.ts";
import { SAME, type World } from "./world.ts";
import { FINDING_WORDS } from "../../core/ledger/finding.ts";
import type { Place } from "../../core/program/machine_state.ts";
import * as $records from "../../core/ledger/records.ts";
const { GR_SHIFT, L_GRANT, L_SHIFT } = $records;

function jobFor(name: string, kernel: string, over: Partial<ExhaustJob> = {}): ExhaustJob {
  const cell = planCells(selectDisciplines([name]), [kernel], [])[0]!;
  const d = cell.loaded.discipline;
  return {
    index: 0,
    kernel,
    arch: d.arch,
    config: cell.config,
    pages: 8,
    name,
    discipline: { text: cell.loaded.text, file: d.file },
    expectedLeaks: expectedOf(cell).leaks,
    steps: 20,
    states: 1_000_000,
    tables: 2,
    references: 2,
    file: "",
    resume: false,
    ...over,
  };
}

function searched(job: ExhaustJob) {
  const { search, compiled } = searchFor(job);
  runSearch(search, job.states, () => true);
  return outcomeOf(job, search, compiled);
}

/** What follows from a state: every move's outcome, findings and hash, in no order. */
function successors(world: World, canon: Canon): string {
  const { ledger } = world.machine;
  const here = world.state.room();
  world.state.save(here);
  const n = world.moves();
  const moves = world.list.slice(0, n);
  const all = new Set<string>();
  for (const move of moves) {
    world.state.restore(here);
    const result = world.move(move, null);
    if (result === SAME) continue;
    const keys: string[] = [];
    for (let i = 0; i < ledger.nFindings; i++) {
      const f = ledger.findings.subarray(i * FINDING_WORDS);
      keys.push(`${f[0]}:${f[2]}:${f[3]}:${f[4]}`);
    }
    canon.hash();
    all.add(
      `${result} ${world.lines} ${keys.sort()} ${result !== 0 || canon.rigid ? "" : `${canon.low} ${canon.high}`}`,
    );
    if (ledger.stop) world.machine.finish();
  }
  world.state.restore(here);
  return [...all].sort().join("\n");
}

/** Every way to each state has the same future: no two states that differ in it have one hash. */
function checkMerging(job: ExhaustJob, states: number): number {
  const { world } = searchFor(job);
  const canon = new Canon(world);
  const futures = new Map<string, { future: string; way: number[] }>();
  const first = world.state.room();
  world.state.save(first);
  let queue: number[][] = [[]];
  let merged = 0;
  while (futures.size < states && queue.length > 0) {
    const next: number[][] = [];
    for (const way of queue) {
      world.state.restore(first);
      for (const move of way) world.move(move, null);
      world.machine.ledger.nFindings = 0;
      canon.hash();
      const hash = `${canon.low} ${canon.high}`;
      const known = futures.get(hash);
      const future = successors(world, canon);
      if (known !== undefined) {
        merged++;
        assert.equal(future, known.future, `${job.name}: ${way}, and ${known.way}`);
        continue;
      }
      futures.set(hash, { future, way });
      const here = world.state.room();
      world.state.save(here);
      const moves = world.list.slice(0, world.moves());
      for (const move of moves) {
        world.state.restore(here);
        if (world.move(move, null) === 0) next.push([...way, move]);
        else if (world.machine.ledger.stop) world.machine.finish();
      }
    }
    queue = next;
  }
  return merged;
}

for (
  const [name, kernel] of [
    ["x86/pte", "6.12"],
    ["s390/crst-half-converted-6.12", "6.12"],
    ["generic/split", "6.1"],
    ["x86/pgd-pti", "6.12"],
    ["arm/highpte", "6.12"],
    ["generic/retract-page-tables", "6.12"],
    ["generic/exact", "6.12"],
  ] as const
) {
  Deno.test(`states with one hash have one future: ${name} on ${kernel}`, () => {
    assert.ok(checkMerging(jobFor(name, kernel), 250) > 20);
  });
}

Deno.test("lines that are not interleaved with others' lose no finding and lengthen none", () => {
  for (
    const [name, kernel] of [["mips/kvm-pgd", "6.12"], ["riscv/pte", "6.12"], [
      "s390/crst-half-converted",
      "v2",
    ]] as const
  ) {
    const job = jobFor(name, kernel, { steps: 9 });
    const merged = searched(job);
    const whole = searched({ ...job, merge: false });
    assert.deepEqual(merged.findings, whole.findings);
    assert.ok(merged.states < whole.states, `${merged.states} of ${whole.states} states`);
  }
});

Deno.test("every field of a state that is hashed changes the hash", () => {
  const { world } = searchFor(jobFor("x86/pgd-pti", "6.12"));
  const canon = new Canon(world);
  // A table, a reference on it, and a gather that holds another.
  for (const kind of [1, 2]) {
    const n = world.moves();
    const move = world.list.slice(0, n).find((m) => (m & 7) === kind)!;
    world.move(move, null);
  }
  const saved = world.state.room();
  world.state.save(saved);
  canon.hash();
  const { low, high } = canon;
  const { pages, grants } = world.machine.ledger;
  const page = Array.from({ length: world.machine.ledger.nrPages }, (_, pfn) => pfn)
    .find((pfn) => pages[(pfn << L_SHIFT) | L_GRANT]! >= 0)!;
  const g = pages[(page << L_SHIFT) | L_GRANT]!;
  const bytes = new Uint8Array(world.state.words.buffer);
  const at = ({ kind }: Place): number => kind === "page" ? page : kind === "grant" ? g : -1;
  for (const place of world.state.places) {
    const i = at(place);
    // How an entry was cleared matters once it is.
    if (i < 0 || ["gHow", "gAddress"].includes(place.name)) continue;
    world.state.restore(saved);
    if (place.bytes) bytes[place.at + i]! ^= 1;
    else world.state.words[place.at + i]! ^= 1;
    canon.hash();
    assert.notDeepEqual([canon.low, canon.high], [low, high], place.name);
  }
  // Which page, grant, name or gather it is has no meaning of its own; when a grant was given up decides nothing.
  const named = ["L_GRANT", "GR_FIRST", "GR_SLOT", "GR_GATHER", "GR_INTENT_STEP", "GR_INTENT_CALL"];
  for (const [name, word] of Object.entries($records)) {
    if (name.endsWith("_SHIFT") || name === "L_WORDS" || named.includes(name)) continue;
    world.state.restore(saved);
    if (name.startsWith("GR_")) grants[(g << GR_SHIFT) | word]! ^= 1;
    else pages[(page << L_SHIFT) | word]! ^= 1;
    canon.hash();
    assert.notDeepEqual([canon.low, canon.high], [low, high], name);
  }
});

Deno.test("fields that the hash knows by their kind only are few", () => {
  assert.ok(hashedByKind().every(({ kind }) => kind !== "memory"));
});

Deno.test("a table that is made anew on other pages is the same state", () => {
  const { world, search } = searchFor(jobFor("riscv/kvm-pgd", "6.12"));
  runSearch(search, 1000, () => true);
  assert.equal(search.complete, true);
  assert.ok(world.tables.length === 2);
  // Two tables of four pages on eight, one reference more or less: few states, however long it goes on.
  assert.ok(search.states.count < 60, String(search.states.count));
});

Deno.test("what random search finds within the bounds is found, and by no longer program", () => {
  for (
    const [name, kernel] of [
      ["mips/kvm-pgd", "6.12"],
      ["s390/crst-half-converted-6.12", "6.12"],
      ["riscv/p4d", "6.12"],
      ["canary/forgotten-free", "6.1"],
      ["x86/vmap-huge", "6.12"],
    ] as const
  ) {
    const job = jobFor(name, kernel);
    const { search, compiled } = searchFor(job);
    runSearch(search, job.states, () => true);
    const found = new Map(outcomeOf(job, search, compiled).findings.map((f) => [f.key, f.lines]));
    const { kept } = runShard({ ...job, compiled, seed: 3, first: 0, ops: 20_000 });
    assert.ok(kept.length > 0);
    for (const { key, code, slots } of kept) {
      const { invariant, call, pages } = keyParts(key);
      const target = { invariant: INVARIANTS[invariant]!.id, call: callOf(call), pages };
      const program = { ...job, comments: [], code, slots, claims: [] };
      const [lines] = sizeOf(shrinkProgram(program, [target], { lines: false }));
      const mine = found.get(key);
      // The shrinker comes as short, from wherever it begins.
      assert.ok(
        mine !== undefined && lines <= mine + 1,
        `${name} ${target.invariant} is shrunk to ${lines} lines, not ${mine}`,
      );
      assert.ok(mine !== undefined && mine <= lines, `${name} ${target.invariant}: ${mine} against ${lines}`);
    }
  }
});

Deno.test("a search that is stopped and resumed is the search that was not stopped", () => {
  const dir = Deno.makeTempDirSync();
  try {
    const job = jobFor("generic/pte", "6.12", { file: join(dir, "a.search") });
    const whole = exhaustCell(job, new Board());
    const stopped = exhaustCell({ ...job, states: 100 }, new Board());
    assert.equal(stopped.done, false);
    assert.ok(stopped.file !== undefined && stopped.states < whole.states);
    const resumed = exhaustCell({ ...job, resume: true }, new Board());
    assert.deepEqual({ ...resumed, bytes: 0 }, { ...whole, bytes: 0 });
    assert.deepEqual([...Deno.readDirSync(dir)], []);
    exhaustCell({ ...job, states: 100 }, new Board());
    assert.throws(
      () => exhaustCell({ ...job, steps: 19, resume: true }, new Board()),
      /another version, discipline or bound/,
    );
    Deno.writeTextFileSync(job.file, "{}\nx");
    assert.throws(() => exhaustCell({ ...job, resume: true }, new Board()), /this is no search/);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
});
