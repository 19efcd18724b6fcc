/**
 * Writes a pool again and again, each time with one program more, and says so
 * each time: for a test that kills it.
 *
 * @module
 */
import { tapeText, writePool } from "./stored_pool.ts";

const dir = Deno.args[0]!;
const entries = [];
for (let n = 1; n < 5000; n++) {
  entries.push({ text: `kernel 6.12\np${n} = alloc_page(GFP_KERNEL)\n`, tape: tapeText(new Uint16Array(200).fill(n)) });
  writePool(dir, "a.pool", "a", entries);
  console.log(n);
}
