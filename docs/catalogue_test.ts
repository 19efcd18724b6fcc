import { assertEquals } from "@std/assert";
import { catalogueTable } from "../corpus/catalogue.ts";
import { listShipped } from "../corpus/files.ts";
import { loadDiscipline } from "../corpus/load_discipline.ts";

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

Deno.test("docs/catalogue.md is what the disciplines say: 'deno task catalogue' writes it", async () => {
  const disciplines = listShipped().disciplines.map(loadDiscipline);
  const text = await Deno.readTextFile(FILE);
  for (const kernel of ["6.1", "6.12"]) {
    const section = text.split(`## Linux ${kernel}\n`)[1]?.split("\n## ")[0] ?? "";
    assertEquals(rows(section), rows(catalogueTable(disciplines, kernel).join("\n")), kernel);
  }
});

Deno.test("every architecture of 6.1 and 6.12 has its PTE or its directory in the catalogue", async () => {
  const disciplines = listShipped().disciplines.map(loadDiscipline);
  for (const kernel of ["6.1", "6.12"]) {
    const archs = catalogueTable(disciplines, kernel).slice(2).map((row) => row.split("|")[1]!.trim());
    const { ARCHS } = await import("../core/kernel/names.ts");
    const missing = ARCHS.filter((a) => a !== "generic" && !archs.includes(a));
    // Tables smaller than a page of a pool of its own (sparc), and of slabs and fragments.
    assertEquals(missing.filter((a) => !["powerpc", "sparc", "sparc64", "sh"].includes(a)), [], kernel);
  }
});
