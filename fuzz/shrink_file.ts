/**
 * Shrinks a stored program to the smallest one with the same findings.
 *
 * @module
 */
import { claimsOf, findingsOf } from "../core/program/findings.ts";
import { InputError } from "../core/program/input_error.ts";
import { Machine } from "../core/program/machine.ts";
import { printProgram } from "../core/program/print.ts";
import { readProgramFile } from "../corpus/files.ts";
import { shrinkProgram } from "./shrink.ts";

/**
 * The smallest program that shows the same findings as a file, as text.
 *
 * @throws InputError where the program shows nothing: there is nothing to keep
 */
export function shrinkFile(file: string): Promise<string> {
  const program = readProgramFile(file);
  const machine = new Machine(program);
  machine.run(program);
  const findings = findingsOf(machine, program.slots);
  if (findings.length === 0) {
    throw new InputError("this program breaks nothing, and shrinking keeps what a program breaks; name one that does", {
      file,
    });
  }
  const small = shrinkProgram(program, findings, { lines: true });
  const again = new Machine(small);
  again.run(small);
  return Promise.resolve(printProgram({ ...small, claims: claimsOf(findingsOf(again, small.slots)) }));
}
