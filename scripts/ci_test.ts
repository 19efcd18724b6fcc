import { assertEquals } from "@std/assert";
import { readSkipped, readTestCount } from "./ci.ts";

Deno.test("readTestCount() reads the summary of deno test", () => {
  assertEquals(readTestCount("x ... ok (1ms)\n\nok | 12 passed | 0 failed (3s)\n\n"), { passed: 12, failed: 0 });
  assertEquals(readTestCount("\nFAILED | 1 passed (3 steps) | 2 failed (1 step) (29ms)\n"), { passed: 1, failed: 2 });
  assertEquals(readTestCount("ok | 1 passed (1 step) | 0 failed | 2 ignored (1ms)\n"), { passed: 1, failed: 0 });
});

Deno.test("readTestCount() reads through colours", () => {
  assertEquals(readTestCount("\x1b[0m\x1b[32mok\x1b[0m | 7 passed | 0 failed \x1b[38;5;245m(29ms)\x1b[0m\n"), {
    passed: 7,
    failed: 0,
  });
});

Deno.test("readTestCount() takes the last summary, and not one that a test printed in the middle of a line", () => {
  assertEquals(readTestCount("ok | 1 passed | 0 failed (1ms)\n...\nFAILED | 5 passed | 1 failed (1ms)\n"), {
    passed: 5,
    failed: 1,
  });
  assertEquals(readTestCount("said: ok | 9 passed | 0 failed\n"), undefined);
});

Deno.test("readTestCount() answers undefined where no test was run", () => {
  assertEquals(readTestCount("error: Type checking failed.\n"), undefined);
  assertEquals(readTestCount(""), undefined);
});

Deno.test("tests that were left out are named, with the reason that their name gives", () => {
  const output = "./a_test.ts => one ... ok (1ms)\n" +
    "\x1b[38;5;245m./b_test.ts => \x1b[0mtwo (skipped: there is no chromium here) ... \x1b[33mignored\x1b[0m (0ms)\n" +
    "ok | 1 passed | 0 failed | 1 ignored (1s)\n";
  assertEquals(readSkipped(output), ["./b_test.ts => two (skipped: there is no chromium here)"]);
});
