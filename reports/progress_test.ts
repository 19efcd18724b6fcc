import assert from "node:assert/strict";
import { countLine, progressLine, startProgress } from "./progress.ts";

Deno.test("the line says share, speed, findings and time left, and fits", () => {
  assert.equal(
    progressLine(5_000_000, 20_000_000, 3, 1000),
    "█████░░░░░░░░░░░░░░░  25%  5.00 M steps/s  3 findings  3 s left",
  );
  assert.ok(progressLine(1, 2e15, 1e9, 1).length < 80);
  assert.equal(progressLine(1, 2, 3, 4, 10).length, 9);
  assert.match(progressLine(0, 0, 0, 0), /100%/);
});

Deno.test("it is drawn at most ten times a second, wiped at the end, and silent afterwards", () => {
  const written: string[] = [];
  let time = 0;
  const progress = startProgress({ total: 100, enabled: true, write: (text) => written.push(text), now: () => time });
  for (; time < 1000; time += 10) progress.update(time / 10, 0);
  assert.equal(written.length, 10);
  progress.stop();
  progress.stop();
  progress.update(100, 0);
  assert.deepEqual(written.slice(10), ["\r\x1b[K"]);
});

Deno.test("without a terminal nothing is written", () => {
  const written: string[] = [];
  const progress = startProgress({ total: 1, enabled: false, write: (text) => written.push(text) });
  progress.update(1, 1);
  progress.stop();
  assert.deepEqual(written, []);
});

Deno.test("other work is counted in its own units, and without a bar where nobody knows how much there is", () => {
  assert.equal(countLine(5, 20, "cells", 1000), "█████░░░░░░░░░░░░░░░  25%  5 of 20 cells  3 s left");
  assert.equal(countLine(0, 20, "cells", 1000), "░░░░░░░░░░░░░░░░░░░░   0%  0 of 20 cells");
  assert.equal(countLine(34, 0, "MB", 1000), "34 MB");
  assert.equal(countLine(1, 2, "x", 1, 10).length, 9);
});
