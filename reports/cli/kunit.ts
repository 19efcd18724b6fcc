/**
 * `shrink --kunit`: a program's KUnit test.
 *
 * @module
 */
import { basename } from "node:path";
import { InputError } from "../../core/program/input_error.ts";
import { parseProgram } from "../../core/program/parse.ts";
import { readProgramFile } from "../../corpus/files.ts";
import { unclaimedCheck } from "../kunit/checked.ts";
import { kunitTest } from "../kunit/kunit.ts";

/**
 * The test of a shrunk program, with the words of the file it came from where that was as short.
 *
 * @throws {InputError} where a running kernel shows nothing of the findings
 */
export function kunitText(shrunk: string, file: string): string {
  const stored = readProgramFile(file);
  const parsed = parseProgram(shrunk, file);
  // What a file says of its program need not be so of a shorter one.
  const isWhole = parsed.code.length === stored.code.length;
  const small = { ...parsed, comments: isWhole ? stored.comments : [] };
  // Shrinking leaves out what only DEBUG_VM asks for (a gather's range): a test has to run there too.
  const whole = unclaimedCheck(small) !== undefined && unclaimedCheck(stored) === undefined;
  const { text, reason } = kunitTest(whole ? stored : small, basename(file));
  if (reason === undefined) return text;
  throw new InputError(`this cannot be a KUnit test: ${reason}; without --kunit the program itself is printed`, {
    file,
  });
}
