/**
 * Writes the tables of docs/catalogue.md from a report.
 *
 * @module
 */
import { catalogueTable } from "../corpus/catalogue.ts";
import { listShipped } from "../corpus/files.ts";
import { loadDiscipline } from "../corpus/load_discipline.ts";
import type { Result } from "../corpus/result.ts";
import { writeTable } from "./write_table.ts";

const REPORT = "ptfuzz-report/report.json";

const HELP = `Usage: deno task catalogue [REPORT]

Writes the tables of docs/catalogue.md from the report.json that 'deno task fuzz'
wrote (default: ${REPORT}).`;

async function main(): Promise<void> {
  if (Deno.args.includes("--help")) return console.log(HELP);
  const report = Deno.args[0] ?? REPORT;
  let text: string;
  try {
    text = await Deno.readTextFile(report);
  } catch {
    console.error(`${report} cannot be read; 'deno task fuzz' writes it`);
    Deno.exit(2);
  }
  const result = JSON.parse(text) as Result;
  const file = new URL("../docs/catalogue.md", import.meta.url);
  const disciplines = listShipped().disciplines.map(loadDiscipline);
  for (const kernel of ["6.1", "6.12"]) {
    await writeTable(file, `## Linux ${kernel}`, catalogueTable(disciplines, result, kernel));
  }
}

if (import.meta.main) await main();
