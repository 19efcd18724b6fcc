/**
 * Builds the page's script and style (`deno task viewer`) from `reports/viewer/`
 * into `reports/viewer/built/`.
 *
 * What is built is kept in the repository, so that a report needs no bundler and
 * no network; a test compares it with its sources. Bundling is esbuild's, as
 * this version of Deno brings it.
 *
 * @module
 */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const viewer = (name: string): string => fileURLToPath(new URL(`../reports/viewer/${name}`, import.meta.url));

/** A file by name and content. */
export type Built = readonly [name: string, text: string];

/** Builds both files; writes nothing. */
export async function buildViewer(): Promise<Built[]> {
  const { success, stdout, stderr } = await new Deno.Command("deno", {
    args: ["bundle", "--quiet", "--platform", "browser", "--minify", viewer("main.tsx")],
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).output();
  if (!success) throw new Error(`deno bundle failed:\n${new TextDecoder().decode(stderr)}`);
  const script = new TextDecoder().decode(stdout);
  // Inside a script element only this could end it.
  if (/<\/script|<!--/i.test(script)) throw new Error("the script would end its own element");
  const uplot = Deno.readTextFileSync(createRequire(import.meta.url).resolve("uplot/dist/uPlot.min.css"));
  const style = Deno.readTextFileSync(viewer("style.css"));
  return [["viewer.js", script], ["viewer.css", `${uplot.trim()}\n${style}`]];
}

if (import.meta.main) {
  for (const [name, text] of await buildViewer()) {
    Deno.writeTextFileSync(viewer(`built/${name}`), text);
    console.log(`reports/viewer/built/${name}: ${text.length} bytes`);
  }
}
