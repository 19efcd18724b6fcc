/**
 * Writes the tables of docs/catalogue.md from the disciplines that are shipped.
 *
 * @module
 */
import { catalogueTable } from "../corpus/catalogue.ts";
import { listShipped } from "../corpus/files.ts";
import { loadDiscipline } from "../corpus/load_discipline.ts";

if (import.meta.main) {
  const file = new URL("../docs/catalogue.md", import.meta.url);
  const disciplines = listShipped().disciplines.map(loadDiscipline);
  let text = await Deno.readTextFile(file);
  for (const kernel of ["6.1", "6.12"]) {
    const head = `## Linux ${kernel}\n`;
    const start = text.indexOf(head) + head.length;
    const next = text.indexOf("\n## ", start);
    const end = next < 0 ? text.length : next;
    text = text.slice(0, start) + `\n${catalogueTable(disciplines, kernel).join("\n")}\n` + text.slice(end);
  }
  await Deno.writeTextFile(file, text);
}
