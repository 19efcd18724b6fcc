import { assertEquals } from "@std/assert";
import { __ffs, ffs } from "./bits.ts";

Deno.test("ffs() counts bits from 1 and __ffs() from 0, up to the sign", () => {
  assertEquals([0, 1, 2, 12, 0x8000, -1, 1 << 31, -1 << 30].map(ffs), [0, 1, 2, 3, 16, 1, 32, 31]);
  assertEquals([1, 2, 12, 0x8000, -1, 1 << 31].map(__ffs), [0, 1, 2, 15, 0, 31]);
});
