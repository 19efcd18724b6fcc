/**
 * The `memdesc` command: which disciplines would break once descriptors are
 * allocated apart from struct page.
 *
 * @module
 */
import { basename, dirname } from "@std/path";
import { InputError } from "../../core/program/input_error.ts";
import { readTextFile } from "../../corpus/files.ts";
import { memdescMarkdown, memdescText, withMemdescTable } from "../memdesc_table.ts";
import { visible } from "../text.ts";
import { writeFiles } from "../write.ts";
import { objectText, waiting } from "./showing.ts";
import type { Setting } from "./work.ts";

/** Options of `memdesc` as the command line gives them. */
export interface MemdescOptions {
  readonly discipline: readonly string[];
  readonly format: "text" | "markdown" | "json";
  readonly write?: string;
}

/** Prints the verdicts, or puts their table into a file; answers the exit status. */
export async function memdesc(options: MemdescOptions, setting: Setting): Promise<number> {
  const { io, work } = setting;
  const verdicts = await waiting(setting, () => {}, (hooks) => work.memdescVerdicts(options.discipline, hooks));
  if (options.write !== undefined) {
    const text = withMemdescTable(readTextFile(options.write), verdicts);
    if (text === undefined) {
      throw new InputError("the marks '<!-- memdesc: ... -->' that the table goes between are missing", {
        file: options.write,
      });
    }
    writeFiles(dirname(options.write), [[basename(options.write), text]]);
    return 0;
  }
  if (options.format === "json") io.out(objectText("memdesc", setting.tool, { disciplines: verdicts }));
  else if (options.format === "markdown") io.out(memdescMarkdown(verdicts) + "\n");
  else for (const line of memdescText(verdicts, io.columns)) io.out(visible(line) + "\n");
  return 0;
}
