import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { INVARIANTS } from "../core/ledger/invariants.ts";
import { parseProgram } from "../core/program/parse.ts";
import { replayProgram } from "../corpus/replay.ts";
import { runCampaign } from "../fuzz/campaign.ts";
import { runMemdesc } from "../fuzz/memdesc.ts";
import { DEFAULT_OPS } from "../main.ts";
import { memdescMarkdown, memdescTableOf } from "../reports/memdesc_table.ts";

const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));

/** The fenced block of a kind, without the fence. */
function fenced(kind: string): string {
  const from = readme.indexOf("```" + kind + "\n");
  assert(from >= 0, `README has a block of ${kind}`);
  const start = readme.indexOf("\n", from) + 1;
  return readme.slice(start, readme.indexOf("```", start));
}

Deno.test("the finding in README's first screen shows what it claims", () => {
  assert(readme.slice(0, readme.indexOf("finding ")).split("\n").length < 40);
  assertEquals(replayProgram(parseProgram(fenced(""), "README.md")), []);
});

Deno.test("README's discipline is found to release by another family, as README says", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${dir}/mine.toml`, fenced("toml"));
    const options = {
      ops: 40_000,
      seed: 1,
      workers: 1,
      kernels: [],
      mode: "discipline",
      config: [],
    } as const;
    const { findings } = await runCampaign({ ...options, disciplines: [`${dir}/mine.toml`] });
    assertEquals(findings.map((f) => `${f.invariant}, ${f.severity}`), ["family, latent"]);
    assertEquals(findings[0]!.steps, 3);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("README's table of invariants is that of the code", () => {
  const rows = readme.split("\n").map((line) => line.replaceAll("\\*", "*").split("|").map((cell) => cell.trim()));
  for (const i of INVARIANTS) {
    const row = rows.find((cells) => cells[1] === `\`${i.id}\``);
    assertEquals(row?.slice(2, 5), [i.statement, i.severity, i.source], i.id);
  }
});

Deno.test("README names every task, and the default budget", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
  for (const task of Object.keys(tasks)) assertStringIncludes(readme, `\`${task}`);
  assertStringIncludes(readme.replaceAll("_", ""), `\`${DEFAULT_OPS}\``);
});

Deno.test("README's table of what memdesc breaks is what the tool says: `deno task memdesc --write README.md`", async () => {
  assertEquals(memdescTableOf(readme), memdescMarkdown(await runMemdesc([], { progress: () => undefined })));
});
