/**
 * The KUnit tests of a run's findings: one file for each program that a running
 * kernel shows something of.
 *
 * @module
 */
import { join } from "node:path";
import { parseProgram } from "../../core/program/parse.ts";
import { InputError } from "../../core/program/input_error.ts";
import type { ReportedFinding } from "../../corpus/result.ts";
import { identifier, type KunitTest, kunitTest } from "./kunit.ts";

/** Folder in the report's directory. */
export const KUNIT_DIR = "kunit";

/** A program's test: its file in {@linkcode KUNIT_DIR} and text, or why there is none. */
export interface KunitFile {
  readonly name: string;
  readonly test: KunitTest;
}

/** The tests, by the text of the program that they were made of. */
export function kunitFiles(findings: readonly ReportedFinding[]): Map<string, KunitFile> {
  const files = new Map<string, KunitFile>();
  const taken = new Set<string>();
  for (const f of findings) {
    if (files.has(f.program)) continue;
    const kernel = identifier(`k ${f.kernel}`).slice(1);
    const name = identifier(f.discipline);
    const plain = name.endsWith(kernel) ? name : name + kernel;
    let id = plain;
    for (let n = 2; taken.has(id); n++) id = `${plain}_${n}`;
    const test = testOf(f.program, id);
    if (test.reason === undefined) taken.add(id);
    files.set(f.program, { name: `${id}_kunit.c`, test });
  }
  return files;
}

function testOf(program: string, id: string): KunitTest {
  try {
    return kunitTest(parseProgram(program, id), id);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { reason: error.message };
  }
}

/** What a report says of a finding's test. */
export function kunitWords(file: KunitFile): string {
  return file.test.reason === undefined
    ? `KUnit test: ${join(KUNIT_DIR, file.name)}.`
    : `No KUnit test: ${file.test.reason}.`;
}

/** Writes the tests below a report's directory, and takes away those that an earlier run left there. */
export function writeKunit(dir: string, findings: readonly ReportedFinding[]): void {
  const to = join(dir, KUNIT_DIR);
  const tests = [...kunitFiles(findings).values()].filter((f) => f.test.reason === undefined);
  if (tests.length > 0) Deno.mkdirSync(to, { recursive: true });
  for (const { name, test } of tests) {
    const part = join(to, `.${name}.${Deno.pid}.tmp`);
    Deno.writeTextFileSync(part, test.text!);
    Deno.renameSync(part, join(to, name));
  }
  let there: Deno.DirEntry[];
  try {
    there = [...Deno.readDirSync(to)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  for (const { name } of there) {
    if (/^[a-z0-9_]+_kunit\.c$/.test(name) && !tests.some((t) => t.name === name)) Deno.removeSync(join(to, name));
  }
}
