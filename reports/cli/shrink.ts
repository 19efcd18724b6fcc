/**
 * The `shrink` command: the smallest program with the same finding, as text, as
 * a KUnit test, as a mail, or as one object with all of them.
 *
 * @module
 */
import { findingsOf } from "../../core/program/findings.ts";
import { Machine } from "../../core/program/machine.ts";
import { parseProgram } from "../../core/program/parse.ts";
import { kunitText } from "./kunit.ts";
import { mailText, testOf } from "./mail.ts";
import { type Format, objectText } from "./showing.ts";
import type { Setting } from "./work.ts";

/** Options of `shrink` as the command line gives them. */
export interface ShrinkOptions {
  readonly kunit?: boolean;
  readonly mail?: boolean;
  readonly format: Format;
}

/** Prints it; answers the exit status. */
export async function shrink(file: string, options: ShrinkOptions, { io, work, tool }: Setting): Promise<number> {
  const { kunit = false, mail = false, format } = options;
  const text = await work.shrinkFile(file);
  if (format === "json") {
    io.out(objectText("shrink", tool, shrunkObject(text, file, tool)));
    return 0;
  }
  const printed = kunit ? kunitText(text, file) : mail ? mailText(text, file, tool) : text;
  io.out(printed.trimEnd() + "\n");
  return 0;
}

function shrunkObject(text: string, file: string, tool: string): object {
  const program = parseProgram(text, file);
  const machine = new Machine(program);
  machine.run(program);
  const test = testOf(text, file);
  return {
    file,
    program: text,
    steps: machine.steps,
    findings: findingsOf(machine, program.slots).map(({ invariant, severity, call, step, pages, words }) => ({
      invariant,
      severity,
      call,
      step,
      pages,
      words,
    })),
    kunit: "text" in test ? test.text : null,
    why_no_kunit: "reason" in test ? test.reason : null,
    mail: mailText(text, file, tool),
  };
}
