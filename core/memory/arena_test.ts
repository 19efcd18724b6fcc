import { assertEquals } from "@std/assert";
import { Arena } from "./arena.ts";

Deno.test("an arena sets its arrays back to what they held when they were kept", () => {
  const arena = new Arena(64);
  const words = arena.words(3);
  const bytes = arena.bytes(3);
  const more = arena.words(2).fill(-1);
  words[1] = 7;
  arena.keep();
  words.fill(5);
  bytes.fill(6);
  more.fill(0);
  arena.reset();
  assertEquals([[...words], [...bytes], [...more]], [[0, 7, 0], [0, 0, 0], [-1, -1]]);
});

Deno.test("an arena sets arrays back where they were put, and those that stayed", () => {
  const arena = new Arena(64);
  const words = arena.words(4).fill(-1);
  const bytes = arena.bytes(2);
  arena.keep();
  const elsewhere = new Int32Array(3).fill(9);
  bytes.fill(1);
  arena.follow(new Map([[words, elsewhere]]));
  arena.reset();
  assertEquals([[...elsewhere], [...bytes]], [[-1, -1, -1], [0, 0]]);
});
