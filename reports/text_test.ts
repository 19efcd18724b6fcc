import assert from "node:assert/strict";
import { count, cutMiddle, displayWidth, folded, grouped, listed, visible, visibleLines, wrap } from "./text.ts";

Deno.test("visible() leaves nothing that a terminal would obey", () => {
  assert.equal(visible("a\x1b[31m\n\t\x7f\x9b\u202e\ud800é漢"), "a\\x1b[31m\\n\\x09\\x7f\\x9b\\u{202e}\\u{d800}é漢");
});

Deno.test("visibleLines() keeps lines, and drops carriage returns before their ends only", () => {
  assert.deepEqual(visibleLines("a\r\nb\rc\n\td\n\n"), ["a", "b\\x0dc", "    d"]);
});

Deno.test("cutMiddle() keeps both ends and the width, and cuts only what does not fit", () => {
  assert.equal(cutMiddle("s390/crst", 9), "s390/crst");
  assert.equal(cutMiddle("s390/crst-half", 9), "s390…half");
  assert.equal(cutMiddle("漢漢漢漢漢", 7), "漢…漢");
  assert.ok(displayWidth(cutMiddle("漢".repeat(40), 20)) <= 20);
});

Deno.test("wrap() never exceeds the width and loses no letter", () => {
  const text = `short ${"long".repeat(30)} words ${"漢字".repeat(20)} end`;
  for (const width of [5, 10, 33]) {
    const lines = wrap(text, width);
    assert.ok(lines.every((line) => displayWidth(line) <= width));
    assert.equal(lines.join("").replaceAll(" ", ""), text.replaceAll(" ", ""));
  }
});

Deno.test("numbers and lists read the same on every machine", () => {
  assert.deepEqual([0, 999, 1000, 1234567].map((n) => grouped(n)), ["0", "999", "1,000", "1,234,567"]);
  assert.equal(grouped(20_000_000, "_"), "20_000_000");
  assert.deepEqual([count(1, "page"), count(0, "page")], ["1 page", "0 pages"]);
  assert.deepEqual([listed([]), listed(["a"]), listed(["a", "b", "c"])], ["", "a", "a, b and c"]);
});

Deno.test("folded() leaves a line that fits, and hangs what goes on below its beginning", () => {
  assert.deepEqual(folded("  a  map   of pages", 20), ["  a  map   of pages"]);
  assert.deepEqual(folded("  leak: one two three", 14), ["  leak: one", "    two three"]);
});
