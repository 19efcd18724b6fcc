/**
 * Writes the tables of docs/catalogue.md from the disciplines that are shipped.
 *
 * @module
 */
import { catalogueTable } from "../corpus/catalogue.ts";
import { listShipped } from "../corpus/files.ts";
import { loadDiscipline } from "../corpus/load_discipline.ts";
import { writeTable } from "./write_table.ts";

const HELP = `Usage: deno task catalogue

Writes the tables of docs/catalogue.md from the disciplines that are shipped.`;

async function main(): Promise<void> {
  if (Deno.args.includes("--help")) return console.log(HELP);
  const file = new URL("../docs/catalogue.md", import.meta.url);
  const disciplines = listShipped().disciplines.map(loadDiscipline);
  for (const kernel of ["6.1", "6.12"]) {
    await writeTable(file, `## Linux ${kernel}`, catalogueTable(disciplines, kernel));
  }
}

if (import.meta.main) await main();
