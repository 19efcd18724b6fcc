/**
 * From what a shard kept to what a report shows: shrunk, named, explained.
 *
 * @module
 */
import { INVARIANTS } from "../core/ledger/invariants.ts";
import { callOf, claimsOf, compareClaims, type Finding, findingsOf } from "../core/program/findings.ts";
import { parseProgram } from "../core/program/parse.ts";
import { printProgram } from "../core/program/print.ts";
import type { Program } from "../core/program/program.ts";
import { machineFor } from "../corpus/machine_for.ts";
import type { ReportedFinding } from "../corpus/result.ts";
import type { Expected } from "./expected.ts";
import { onMemdesc } from "./memdesc.ts";
import { type KeptProgram, keyParts } from "./shard.ts";
import { shortestOf } from "./shrink.ts";

/** Where a finding was made. */
export interface Place {
  readonly kernel: string;
  readonly arch: string;
  readonly config: readonly string[];
  readonly pages: number;
  readonly name: string;
}

/** What makes a finding the same as another. */
export function signatureOf(place: Place, invariant: string, call: string, pages: number): string {
  const config = place.config.length === 0 ? "" : ` ${place.config.join(",")}`;
  const lost = pages === 0 ? "" : ` (${pages} ${pages === 1 ? "page" : "pages"})`;
  return `${place.kernel} ${place.arch}${config} ${place.name}: ${invariant} by ${call}${lost}`;
}

/** Which of the kernel's own checks would say something when the program runs with them. */
export function seenBy(program: Program): string[] {
  if (program.config.includes("DEBUG_VM")) return saysSomething(program) ? ["DEBUG_VM"] : [];
  const checked = { ...program, config: [...program.config, "DEBUG_VM"].sort() };
  const names: string[] = [];
  if (saysSomething(program)) names.push("page checks");
  if (saysSomething(checked)) names.push("DEBUG_VM");
  return names;
}

function saysSomething(program: Program): boolean {
  const machine = machineFor(program);
  machine.run(program);
  return findingsOf(machine, program.slots).some((f) => f.invariant === "kernel-check");
}

/** A finding as the report shows it, with the program that shows it. */
export function reported(
  place: Place,
  program: Program,
  steps: number,
  finding: Finding,
  expected: boolean,
): ReportedFinding {
  const seen = seenBy(program);
  const invariant = INVARIANTS.find((i) => i.id === finding.invariant)!;
  return {
    invariant: finding.invariant,
    severity: finding.severity,
    signature: signatureOf(place, finding.invariant, finding.call, finding.pages),
    expected,
    kernel: place.kernel,
    arch: place.arch,
    config: place.config,
    discipline: place.name,
    steps,
    call: finding.call,
    at: finding.step,
    pages: finding.pages,
    program: printProgram(program),
    explanation: `Step ${finding.step}: ${finding.words}.${apart(program, finding)}`,
    source: invariant.source,
    seenBy: seen,
  };
}

/** Of a latent finding, what the same program does once descriptors are allocated apart. */
function apart(program: Program, finding: Finding): string {
  if (finding.severity !== "latent") return "";
  const there = onMemdesc(program);
  if (there === undefined) return "";
  const worst = there.findings.find((f) => f.severity !== "latent" && f.severity !== "theoretical");
  if (worst !== undefined) {
    return ` With descriptors allocated apart (memdesc) step ${worst.step} breaks ${worst.invariant}: ${worst.words}.`;
  }
  return there.diverges ? " With descriptors allocated apart (memdesc) this is right." : "";
}

/** An expected finding: the stored program shows it. */
export function reportExpected(place: Place, e: Expected): ReportedFinding {
  return reported(place, { ...e.program, claims: claimsOf(e.findings) }, e.steps, e.finding, true);
}

/** A finding that nobody expects, by the shortest of the programs that were kept for it once they are shrunk. */
export function reportFound(place: Place, kept: readonly KeptProgram[]): ReportedFinding {
  return shrunk(place, kept, false, false);
}

function shrunk(place: Place, kept: readonly KeptProgram[], lines: boolean, expected: boolean): ReportedFinding {
  const { invariant, call, pages } = keyParts(kept[0]!.key);
  const target = {
    invariant: INVARIANTS[invariant]!.id,
    call: callOf(call),
    pages,
  };
  const raw = kept.map((k): Program => ({
    comments: [],
    kernel: place.kernel,
    arch: place.arch,
    config: place.config,
    pages: place.pages,
    code: k.code,
    slots: k.slots,
    claims: [],
  }));
  const program = shortestOf(raw, target, { lines, machine: machineFor(raw[0]!) });
  const machine = machineFor(program);
  machine.run(program);
  const findings = findingsOf(machine, program.slots);
  const finding = findings.find((f) => f.invariant === target.invariant && f.call === target.call && f.pages === pages);
  if (finding === undefined) {
    throw new Error(`shrinking lost ${target.invariant} by ${target.call}:\n${printProgram(raw[0]!)}`);
  }
  return reported(place, program, machine.steps, finding, expected);
}

/** Whether a printed finding shows the same when it is read back; a sentence for each difference. */
function replaysAs(f: ReportedFinding): string[] {
  const program = parseProgram(f.program, f.signature);
  const machine = machineFor(program);
  machine.run(program);
  return compareClaims(program.claims, findingsOf(machine, program.slots)).map((c) => `replays differently: ${c}`);
}

/** The findings without those of the same signature; what nobody expects stays before what is expected. */
export function onePerSignature(findings: readonly ReportedFinding[]): ReportedFinding[] {
  const bySignature = new Map<string, ReportedFinding>();
  for (const f of findings) {
    if (bySignature.get(f.signature)?.expected ?? true) bySignature.set(f.signature, f);
  }
  return [...bySignature.values()];
}

/**
 * What hostile mode shows: damage in a program without a misuse is a fault of
 * kernel or model. Of misused programs one finding of each invariant is kept;
 * a finding that replays differently is a complaint.
 */
export function reportHostile(place: Place, kept: readonly KeptProgram[], complaints: string[]): ReportedFinding[] {
  const list: ReportedFinding[] = [];
  const known = new Set<string>();
  for (const k of kept) {
    const { invariant } = keyParts(k.key);
    const id = k.innocent ? `innocent ${k.key}` : `misused ${invariant}`;
    if (known.has(id)) continue;
    known.add(id);
    const finding = shrunk(place, [k], true, !k.innocent);
    list.push(finding);
  }
  for (const f of list) complaints.push(...replaysAs(f));
  return onePerSignature(list);
}
