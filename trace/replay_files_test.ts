import assert from "node:assert/strict";
import { InputError } from "../core/program/input_error.ts";
import { compareFigures, replayFiles, shippedRecordings } from "./replay_files.ts";

Deno.test("every shipped recording shows its figures", async () => {
  const files = shippedRecordings();
  assert.ok(files.length >= 5, files.join());
  for (const { file, complaints } of await replayFiles(files)) assert.deepEqual(complaints, [], file);
});

Deno.test("a line too many, one too few and another order are told", () => {
  assert.deepEqual(compareFigures(["a", "b"], ["a", "b"]), []);
  assert.deepEqual(compareFigures(["a", "  b"], ["a", "c"]), [
    "should say and does not: 'b'.",
    "says and should not: 'c'.",
  ]);
  assert.deepEqual(compareFigures(["a", "b"], ["b", "a"]), ["says the same in another order."]);
});

Deno.test("a recording without figures is refused in a sentence", async () => {
  await assert.rejects(replayFiles(["/nonexistent/x.trace.gz"]), (error) => {
    assert.ok(error instanceof InputError);
    assert.match(error.message, /x\.figures: there is no such file; 'deno task trace FILE' only reads it$/);
    return true;
  });
});
