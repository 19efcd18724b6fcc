import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { findChromium } from "./testing/chromium.ts";

const chromium = findChromium();

Deno.test({
  name: chromium === undefined
    ? "the page in a real browser (skipped: there is no chromium here; 'apt-get install chromium' brings it)"
    : "the page in a real browser",
  ignore: chromium === undefined,
  async fn(t) {
    const script = fileURLToPath(new URL("./testing/checks.ts", import.meta.url));
    const { success, stdout, stderr } = await new Deno.Command("deno", {
      args: ["run", "--no-prompt", "--allow-all", script, chromium!],
      stdin: "null",
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const results: Record<string, string | null> = JSON.parse(new TextDecoder().decode(stdout));
    assert(Object.keys(results).length >= 15);
    for (const [name, error] of Object.entries(results)) {
      await t.step(name, () => assertEquals(error, null, error ?? ""));
    }
  },
});
