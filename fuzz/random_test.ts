import assert from "node:assert/strict";
import { programSeed, Random } from "./random.ts";

function draws(a: number, b: number, n = 64): number[] {
  const random = new Random();
  random.seed(a, b);
  return Array.from({ length: n }, () => random.below(65535));
}

Deno.test("Random gives the same numbers for the same seed, and others for another", () => {
  assert.deepEqual(draws(1, 2), draws(1, 2));
  const streams = [draws(1, 2), draws(2, 1), draws(1, 3), draws(2, 2), draws(0, 0), draws(-1, -1)];
  assert.equal(new Set(streams.map(String)).size, streams.length);
});

Deno.test("seed() forgets the half that was left over", () => {
  const random = new Random();
  random.seed(7, 7);
  random.below(10);
  random.seed(7, 8);
  assert.deepEqual(Array.from({ length: 64 }, () => random.below(65535)), draws(7, 8));
});

Deno.test("below(n) stays below n and reaches every number, evenly enough for a chi-square test", () => {
  const random = new Random();
  for (const n of [1, 2, 3, 7, 10, 64, 100, 255]) {
    random.seed(n, 99);
    const counts = new Float64Array(n);
    const each = 2000;
    for (let i = 0; i < n * each; i++) {
      const x = random.below(n);
      assert.ok(x >= 0 && x < n);
      counts[x]!++;
    }
    const chi = counts.reduce((sum, c) => sum + (c - each) ** 2 / each, 0);
    // Six standard deviations of a chi-square of n - 1 degrees.
    assert.ok(chi < n - 1 + 6 * Math.sqrt(2 * n) + 6, `n = ${n}: chi-square ${chi}`);
  }
});

Deno.test("below(65535) uses all of its range", () => {
  const values = draws(5, 5, 20_000);
  assert.ok(Math.min(...values) < 20 && Math.max(...values) > 65515);
});

Deno.test("successive draws do not depend on each other", () => {
  const random = new Random();
  random.seed(3, 4);
  const pairs = new Float64Array(64);
  for (let i = 0; i < 64 * 1000; i++) pairs[random.below(8) * 8 + random.below(8)]!++;
  assert.ok(pairs.every((c) => c > 800 && c < 1200));
});

Deno.test("chance(0) never, chance(256) always, chance(64) one time in four", () => {
  const random = new Random();
  random.seed(1, 1);
  let n = 0;
  for (let i = 0; i < 10_000; i++) {
    assert.equal(random.chance(0), false);
    assert.equal(random.chance(256), true);
    if (random.chance(64)) n++;
  }
  assert.ok(n > 2300 && n < 2700, `${n} of 10000`);
});

Deno.test("programSeed depends on each of its four and is an integer of 32 bits", () => {
  const seeds = [
    programSeed(1, "6.12", "hostile", 0),
    programSeed(2, "6.12", "hostile", 0),
    programSeed(1 + 2 ** 32, "6.12", "hostile", 0),
    programSeed(1, "6.1", "hostile", 0),
    programSeed(1, "6.12", "s390/crst", 0),
    programSeed(1, "6.12h", "ostile", 0),
    programSeed(1, "6.12", "hostile", 1),
  ];
  assert.equal(new Set(seeds).size, seeds.length);
  assert.ok(seeds.every((s) => s === (s | 0)));
});

Deno.test("programSeed of 100000 programs in a row hardly ever repeats", () => {
  const seen = new Set<number>();
  for (let i = 0; i < 100_000; i++) seen.add(programSeed(1, "6.12", "hostile", i));
  // The last step is a bijection of the number: within a cell none repeats at all.
  assert.equal(seen.size, 100_000);
});
