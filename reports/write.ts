/**
 * Writes the report's files.
 *
 * Nothing is ever half written: every file is first written under a temporary
 * name in the report's directory, and when all of them are there they are
 * renamed. What would make that fail is looked for before the run, so that a
 * long run is not lost to a mistyped `--report`.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { InputError } from "../core/program/input_error.ts";
import { reportJson, timingJson } from "./json.ts";
import { reportJunit } from "./junit.ts";
import { writeKunit } from "./kunit/files.ts";
import { reportKtap } from "./ktap.ts";
import { MARKDOWN_LIMIT, reportMarkdown } from "./markdown.ts";
import { reportPage } from "./page.ts";
import { reportSarif } from "./sarif.ts";
import type { Result, Timing } from "../corpus/result.ts";
import { visible } from "./text.ts";

/** Files of a report. */
export const REPORT_FILES: readonly string[] = [
  "report.json",
  "timing.json",
  "report.md",
  "junit.xml",
  "report.ktap",
  "ptfuzz.sarif",
  "index.html",
];

/** The file that GitHub shows below a run; empty or unset elsewhere. */
function summaryFile(): string | undefined {
  return Deno.env.get("GITHUB_STEP_SUMMARY") || undefined;
}

const temporary = (dir: string, name: string): string => join(dir, `.${name}.${Deno.pid}.tmp`);

/** What the system said, in words. */
function reason(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such directory";
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
    return "it may not be written";
  }
  if (error instanceof Deno.errors.NotADirectory) return "part of the path is a file";
  const text = error instanceof Error ? error.message : String(error);
  if (/os error 30/.test(text)) return "it is on a read-only file system";
  if (/os error 28/.test(text)) return "the disk is full";
  return visible(text.replace(/ \(os error \d+\)/, "").replace(/: \w+ '.*'$/, ""));
}

function stat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It was never there, or is not ours any more.
  }
}

/**
 * Sees to it that a report can be written to a directory, which is made where
 * only its last part is missing.
 *
 * @param dir the directory, as the user gave it
 * @returns a function that takes the directory away again where it was made here and is still empty
 * @throws {InputError} where the report could not be written there
 */
export function prepareReportDir(dir: string): () => void {
  const said = `--report ${visible(dir)}`;
  if (dir.trim() === "" || dir.includes("\0")) {
    throw new InputError(`--report '${visible(dir)}': expected the path of a directory`);
  }
  checkSummary();
  let made = false;
  try {
    const info = stat(dir);
    if (info === undefined) {
      const parent = stat(dirname(dir));
      if (parent === undefined) {
        throw new InputError(
          `${said}: there is no directory '${visible(dirname(dir))}' to make it in; make that first`,
        );
      }
      Deno.mkdirSync(dir);
      made = true;
    } else if (!info.isDirectory) {
      throw new InputError(`${said}: is a file; expected a directory, or a name that is not in use`);
    }
    for (const name of REPORT_FILES) {
      if (stat(join(dir, name))?.isDirectory) {
        throw new InputError(
          `${said}: '${name}' in it is a directory, where a file of the report belongs; move it away`,
        );
      }
    }
    const probe = temporary(dir, "probe");
    Deno.writeTextFileSync(probe, "", { createNew: true });
    Deno.removeSync(probe);
  } catch (error) {
    if (made) remove(dir);
    if (error instanceof InputError) throw error;
    throw new InputError(`${said}: ${reason(error)}; expected a directory that can be written`);
  }
  return () => {
    if (made) remove(dir);
  };
}

function checkSummary(): void {
  const file = summaryFile();
  if (file === undefined) return;
  try {
    Deno.openSync(file, { append: true, create: true }).close();
  } catch (error) {
    throw new InputError(`GITHUB_STEP_SUMMARY=${visible(file)}: ${reason(error)}; expected a file that can be written`);
  }
}

/**
 * Writes the files of a report, all or none of them, and the KUnit tests of the findings below `kunit/`, and
 * appends the Markdown to `$GITHUB_STEP_SUMMARY` where that is set.
 *
 * @throws {InputError} where the directory does not take them
 */
export function writeReport(dir: string, result: Result, timing: Timing): void {
  writeFiles(dir, [
    ["report.json", reportJson(result)],
    ["timing.json", timingJson(timing)],
    ["report.md", reportMarkdown(result)],
    ["junit.xml", reportJunit(result)],
    ["report.ktap", reportKtap(result)],
    ["ptfuzz.sarif", reportSarif(result)],
    ["index.html", reportPage(result)],
  ]);
  try {
    writeKunit(dir, result.findings);
  } catch (error) {
    throw new InputError(`--report ${visible(dir)}: the KUnit tests were not written, because ${reason(error)}`);
  }
  appendSummary(result);
}

/** Replaces files in a directory, all or none of them. */
export function writeFiles(dir: string, files: readonly (readonly [name: string, text: string])[]): void {
  try {
    for (const [name, text] of files) {
      if (stat(join(dir, name))?.isDirectory) {
        throw new InputError(`${visible(join(dir, name))}: is a directory; expected a file`);
      }
      Deno.writeTextFileSync(temporary(dir, name), text);
    }
    for (const [name] of files) Deno.renameSync(temporary(dir, name), join(dir, name));
  } catch (error) {
    for (const [name] of files) remove(temporary(dir, name));
    if (error instanceof InputError) throw error;
    throw new InputError(`--report ${visible(dir)}: the report was not written, because ${reason(error)}`);
  }
}

function appendSummary(result: Result): void {
  const file = summaryFile();
  if (file === undefined) return;
  try {
    // GitHub drops the whole summary of a step when it is too large: what is there already counts.
    const limit = MARKDOWN_LIMIT - (stat(file)?.size ?? 0);
    Deno.writeTextFileSync(file, reportMarkdown(result, limit), { append: true });
  } catch (error) {
    throw new InputError(`GITHUB_STEP_SUMMARY=${visible(file)}: the summary was not written, because ${reason(error)}`);
  }
}
