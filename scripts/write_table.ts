/**
 * Writes a table into a document of ours, in the formatter's shape.
 *
 * @module
 */

/** Puts the rows of a table behind a heading, in the place of what stands there up to the next heading. */
export async function writeTable(file: URL, heading: string, rows: readonly string[]): Promise<void> {
  const text = await Deno.readTextFile(file);
  const head = `${heading}\n`;
  const at = text.indexOf(head);
  if (at < 0) throw new Error(`${file.pathname} has no heading '${heading}'`);
  const start = at + head.length;
  const next = text.indexOf("\n## ", start);
  const end = next < 0 ? text.length : next;
  await Deno.writeTextFile(file, `${text.slice(0, start)}\n${rows.join("\n")}\n${text.slice(end)}`);
  const { success } = await new Deno.Command("deno", { args: ["fmt", "--quiet", file.pathname] }).output();
  if (!success) throw new Error(`deno fmt refuses ${file.pathname}`);
}
