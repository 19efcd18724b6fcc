/**
 * What a real kernel showed, as a report says it: shrunk on that kernel, with
 * what it said itself, beside what the model of its version does.
 *
 * @module
 */
import { INVARIANTS } from "../core/ledger/invariants.ts";
import { callOf, claimsOf, type Finding, findingsOf } from "../core/program/findings.ts";
import { Machine } from "../core/program/machine.ts";
import { printProgram, printStep } from "../core/program/print.ts";
import { type Program, STEP_WORDS } from "../core/program/program.ts";
import type { ReportedFinding } from "../corpus/result.ts";
import { type Place, signatureOf } from "../fuzz/report_finding.ts";
import { type KeptProgram, keyParts } from "../fuzz/shard.ts";
import { shrinkProgram } from "../fuzz/shrink.ts";
import { Comparer, type Difference } from "./compare.ts";
import type { LinuxMachine } from "./linux_machine.ts";
import { linesOf, without } from "./shrink_difference.ts";

/** Programs that shrinking may run on a real kernel. */
const MAX_RUNS = 1500;
/** Rows of a comparison that are shown. */
const MAX_ROWS = 6;

/** A finding on a real kernel, shrunk there and explained. */
export function reportOnLinux(
  place: Place,
  kept: KeptProgram,
  machine: LinuxMachine,
  hostile: boolean,
): ReportedFinding {
  const { invariant, call, pages } = keyParts(kept.key);
  const target = { invariant: INVARIANTS[invariant]!.id, call: callOf(call), pages };
  const raw: Program = {
    comments: [],
    kernel: place.kernel,
    arch: place.arch,
    config: place.config,
    pages: place.pages,
    code: kept.code,
    slots: kept.slots,
    claims: [],
  };
  const small = shrinkProgram(raw, [target], { lines: hostile, machine, keepHeader: true, maxRuns: MAX_RUNS });
  machine.ledger.expectedLeaks = 0;
  machine.run(small);
  const said = machine.said.map((s) => s.text);
  const findings = wordsOfKernel(findingsOf(machine, small.slots), said);
  const program = { ...small, claims: claimsOf(findings) };
  const same = (f: Finding) => f.invariant === target.invariant && f.call === target.call && f.pages === pages;
  const finding = findings.find(same);
  if (finding === undefined) {
    throw new Error(`shrinking lost ${target.invariant} by ${target.call}:\n${printProgram(raw)}`);
  }
  const steps = machine.steps;
  const model = new Machine(program);
  model.run(program);
  const known = findingsOf(model, program.slots).some(same);
  return {
    invariant: finding.invariant,
    severity: finding.severity,
    signature: signatureOf(place, finding.invariant, finding.call, finding.pages),
    expected: false,
    kernel: place.kernel,
    arch: place.arch,
    config: place.config,
    discipline: place.name,
    steps,
    call: finding.call,
    at: finding.step,
    pages: finding.pages,
    program: printProgram(program),
    explanation: [
      `Step ${finding.step}: ${finding.words}.`,
      ...(said.length === 0 ? ["The kernel itself said nothing."] : [`The kernel said: ${said.join("; ")}.`]),
      known
        ? `Linux ${place.kernel} as it is modelled shows the same: it is the program's doing, not this tree's.`
        : `Linux ${place.kernel} as it is modelled does not show it: this tree behaves otherwise.`,
      ...(known ? [] : beside(program, machine)),
    ].join("\n"),
    source: INVARIANTS.find((i) => i.id === finding.invariant)!.source,
    seenBy: [...new Set(said.map((text) => text.startsWith("Bad page") ? "page checks" : "DEBUG_VM"))],
  };
}

/** A check of the kernel is said in its own words: the model may not have it. */
function wordsOfKernel(findings: readonly Finding[], said: readonly string[]): Finding[] {
  return findings.map((f) => f.invariant === "kernel-check" && said.length > 0 ? { ...f, words: said.at(-1)! } : f);
}

/** Where a program first goes otherwise than on the model, in rows. */
function beside(program: Program, machine: LinuxMachine): string[] {
  const found = machine.compared(program, new Comparer(program));
  return found === undefined ? [] : rowsOf(program, found.difference, found.pc);
}

function rowsOf(program: Program, { unlike }: Difference, pc: number): string[] {
  const step = pc < 0 ? "what is still held is put back" : printStep(program, pc / STEP_WORDS);
  const rows = unlike.slice(0, MAX_ROWS).map((u) => `${u.what}: ${u.model} on the model, ${u.kernel} on this tree`);
  const more = unlike.length > MAX_ROWS ? `, and ${unlike.length - MAX_ROWS} more` : "";
  return [`After ${step}: ${rows.join("; ")}${more}.`];
}

/** A program that breaks nothing and runs otherwise than on the model: the shortest, and what differs. */
export function reportDifference(
  program: Program,
  machine: LinuxMachine,
  comparer: Comparer,
): string {
  let best = program;
  let found = machine.compared(best, comparer);
  if (found === undefined) return printProgram(program);
  for (let size = linesOf(best.code).length; size >= 1;) {
    const list = linesOf(best.code);
    let smaller = false;
    for (let i = 0; i < list.length; i += size) {
      const code = without(best.code, list, i, i + size);
      if (code.length === 0 || code.length === best.code.length) continue;
      const next = { ...best, code };
      const again = machine.compared(next, comparer);
      if (again === undefined) continue;
      best = next;
      found = again;
      smaller = true;
      break;
    }
    size = smaller ? Math.min(size, linesOf(best.code).length) : size === 1 ? 0 : Math.ceil(size / 2);
  }
  return [printProgram(best).trimEnd(), "", ...rowsOf(best, found.difference, found.pc)].join("\n");
}
