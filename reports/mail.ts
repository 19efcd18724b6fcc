/**
 * `shrink --mail`: a finding as plain text for a kernel mailing list.
 *
 * 72 columns, as people there quote and answer: what happens, the sequence,
 * what breaks and why, where it was read in the kernel, how to reproduce it,
 * and below a scissors line the KUnit test, where there can be one.
 *
 * @module
 */
import { basename } from "node:path";
import { invariantById, SEVERITIES } from "../core/ledger/invariants.ts";
import { callName, CALLS } from "../core/program/calls.ts";
import { type Finding, findingsOf } from "../core/program/findings.ts";
import { Machine } from "../core/program/machine.ts";
import { parseProgram } from "../core/program/parse.ts";
import { printProgram } from "../core/program/print.ts";
import { type Program, STEP_WORDS } from "../core/program/program.ts";
import { SEVERITY_WORDS } from "./matrix.ts";
import { count, visible, visibleLines, wrap } from "./text.ts";

/** Columns of a mail; the test that is attached keeps its own. */
const WIDTH = 72;

const paragraph = (text: string): string[] => [...wrap(visible(text), WIDTH), ""];

/** A list's entry: what follows the first line stands under it. */
function entry(text: string): string[] {
  return wrap(visible(text), WIDTH - 2).map((line, i) => `${i === 0 ? "- " : "  "}${line}`);
}

function severest(findings: readonly Finding[]): Finding {
  const rank = (f: Finding) => SEVERITIES.indexOf(f.severity) * 2 - (f.pages > 0 ? 1 : 0);
  return findings.toSorted((a, b) => rank(a) - rank(b))[0]!;
}

/** The calls of a program with the kernel functions that they follow, each once. */
function sources(program: Program, findings: readonly Finding[]): string[] {
  const lines = new Set<string>();
  for (let at = 0; at < program.code.length; at += STEP_WORDS) {
    const call = CALLS[program.code[at]!];
    if (call !== undefined) lines.add(`${callName(call)}: ${call.source}`);
  }
  for (const f of findings) {
    const source = invariantById(f.invariant)?.source;
    if (source !== undefined) lines.add(`${f.invariant}: ${source}`);
  }
  return [...lines];
}

/**
 * The text of a mail.
 *
 * @param text the shrunk program
 * @param comments what its file says of it
 * @param file name of the file, for those who reproduce it
 * @param tool name and version of ptfuzz
 * @param test the KUnit test, or why there is none
 */
export function findingMail(
  text: string,
  comments: readonly string[],
  file: string,
  tool: string,
  test: { readonly text?: string; readonly reason?: string },
): string {
  const program = parseProgram(text, file);
  const machine = new Machine(program);
  machine.run(program);
  const findings = findingsOf(machine, program.slots);
  const worst = severest(findings);
  const lost = findings.find((f) => f.invariant === "page-leak")?.pages ?? 0;
  const config = program.config.length === 0 ? "" : `, ${program.config.join(" ")}`;
  const sequence = printProgram({ ...program, comments: [], claims: [] }).trimEnd().split("\n");
  const name = basename(file);
  const severities = [...new Set(findings.map((f) => f.severity))];
  return [
    ...wrap(
      visible(
        `Subject: mm: page tables: ${worst.invariant} by ${worst.call} (Linux ${program.kernel}, ${program.arch})`,
      ),
      WIDTH,
    ).map((line, i) => i === 0 ? line : ` ${line}`.slice(0, WIDTH)),
    "",
    ...(comments.length === 0 ? [] : paragraph(comments.join(" "))),
    ...paragraph(
      `The sequence below, on a model of Linux ${program.kernel} (${program.arch}${config}), ` +
        (lost > 0 ? `loses ${count(lost, "page")}` : `breaks ${worst.invariant}`) +
        `. ${severities.map((s) => `${s}: ${SEVERITY_WORDS[s]}`).join("; ")}.`,
    ),
    "The sequence:",
    "",
    ...sequence.map((line) => `    ${visible(line)}`),
    "",
    "What breaks, by step:",
    "",
    ...findings.flatMap((f) =>
      entry(`step ${f.step}, ${f.invariant}${f.pages > 0 ? ` (${count(f.pages, "page")})` : ""}: ${f.words}`)
    ),
    "",
    "Read in the kernel:",
    "",
    ...sources(program, findings).flatMap(entry),
    "",
    ...paragraph(`To reproduce, save the sequence as ${name} and run, in a checkout of ptfuzz:`),
    `    npx -y deno@2.9.6 task show ${visible(name)}`,
    "",
    ...(test.text === undefined
      ? paragraph(`There is no KUnit test of it: ${test.reason ?? "a running kernel shows nothing of it"}.`)
      : paragraph("A KUnit test that fails where this is so is below.")),
    `Found with ${visible(tool)}.`,
    ...(test.text === undefined ? [] : ["", "--- 8< ---", ...visibleLines(test.text)]),
  ].join("\n").trimEnd() + "\n";
}
