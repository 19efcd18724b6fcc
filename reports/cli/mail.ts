/**
 * `shrink --mail`: a program's finding for a kernel mailing list.
 *
 * @module
 */
import { InputError } from "../../core/program/input_error.ts";
import { readProgramFile } from "../../corpus/files.ts";
import { findingMail } from "../mail.ts";
import { kunitText } from "./kunit.ts";

/** The mail of a shrunk program, with the words of the file it came from and its KUnit test. */
export function mailText(shrunk: string, file: string, tool: string): string {
  const { comments } = readProgramFile(file);
  return findingMail(shrunk, comments, file, tool, testOf(shrunk, file));
}

/** A shrunk program's KUnit test, or why there is none. */
export function testOf(shrunk: string, file: string): { text: string } | { reason: string } {
  try {
    return { text: kunitText(shrunk, file) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { reason: /this cannot be a KUnit test: (.*); without --kunit/s.exec(error.message)?.[1] ?? error.message };
  }
}
