import { assertEquals } from "@std/assert";
import { catalogueTable } from "../corpus/catalogue.ts";
import { listShipped } from "../corpus/files.ts";
import { loadDiscipline } from "../corpus/load_discipline.ts";
import { ARCHS } from "../core/kernel/names.ts";
import { runCampaign } from "../fuzz/campaign.ts";

const FILE = new URL("catalogue.md", import.meta.url);

/** Rows without the padding that the formatter gives them. */
function rows(text: string): string[] {
  return text.split("\n").filter((l) => l.startsWith("|")).map((l) =>
    l.split("|").map((cell) => /^ *-+ *$/.test(cell) ? " --- " : cell.replace(/^ +| +$/g, "")).join("|").replace(
      /\\_/g,
      "_",
    )
  );
}

/** What the stored programs show is in every report, whatever its budget. */
const RESULT = await runCampaign({
  ops: 1000,
  seed: 1,
  workers: 1,
  kernels: [],
  disciplines: [],
  mode: "discipline",
  config: [],
});

Deno.test("docs/catalogue.md is what a run of fuzz shows: 'deno task catalogue' writes it", async () => {
  const disciplines = listShipped().disciplines.map(loadDiscipline);
  const text = await Deno.readTextFile(FILE);
  for (const kernel of ["6.1", "6.12"]) {
    const section = text.split(`## Linux ${kernel}\n`)[1]?.split("\n## ")[0] ?? "";
    assertEquals(rows(section), rows(catalogueTable(disciplines, RESULT, kernel).join("\n")), kernel);
  }
});

Deno.test("every architecture of 6.1 and 6.12 has its PTE or its directory in the catalogue", () => {
  const disciplines = listShipped().disciplines.map(loadDiscipline);
  for (const kernel of ["6.1", "6.12"]) {
    const archs = catalogueTable(disciplines, RESULT, kernel).slice(2).map((row) => row.split("|")[1]!.trim());
    assertEquals(ARCHS.filter((a) => a !== "generic" && !archs.includes(a)), [], kernel);
  }
});
