import { assertEquals } from "@std/assert";
import { buildViewer } from "./build_viewer.ts";

Deno.test("reports/viewer/built/ is what its sources make; 'deno task viewer' builds it again", async () => {
  for (const [name, text] of await buildViewer()) {
    const kept = await Deno.readTextFile(new URL(`../reports/viewer/built/${name}`, import.meta.url));
    // Not assertEquals() of the texts: the difference of two minified scripts says nothing.
    assertEquals(kept === text, true, `reports/viewer/built/${name} is out of date; run 'deno task viewer'`);
  }
});
