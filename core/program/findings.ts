/**
 * Findings as objects with words, for people: made after a run, never in one.
 *
 * @module
 */
import { F_CALL, F_INVARIANT, F_PAGES, F_SEVERITY, F_STEP, F_WHY, FINDING_WORDS } from "../ledger/finding.ts";
import { INVARIANTS, SEVERITIES, type Severity } from "../ledger/invariants.ts";
import { callName, CALLS } from "./calls.ts";
import { explain } from "./explain.ts";
import type { Machine } from "./machine.ts";
import type { Claim, Slot } from "./program.ts";

/** A finding of a program. */
export interface Finding {
  /** Id of the invariant. */
  readonly invariant: string;
  /** How bad it is. */
  readonly severity: Severity;
  /** Step that broke it, from 1. */
  readonly step: number;
  /** The call that broke it, `env ` before it for the environment's. */
  readonly call: string;
  /** Pages lost, else 0. */
  readonly pages: number;
  /** What happened, in one line. */
  readonly words: string;
  /** The same as a code: one of the ledger's reasons. */
  readonly why: number;
}

/**
 * The findings of the program that a machine ran last, by step and invariant.
 *
 * @param from leave out the first so many that were recorded
 */
export function findingsOf(machine: Machine, slots: readonly Slot[], from = 0): Finding[] {
  const l = machine.ledger;
  const list: Finding[] = [];
  for (let i = from; i < l.nFindings; i++) {
    const at = i * FINDING_WORDS;
    const f = l.findings.subarray(at, at + FINDING_WORDS);
    list.push({
      invariant: INVARIANTS[f[F_INVARIANT]!]!.id,
      severity: SEVERITIES[f[F_SEVERITY]!]!,
      step: f[F_STEP]!,
      call: callOf(f[F_CALL]!),
      pages: f[F_PAGES]!,
      words: explain(f, slots, machine),
      why: f[F_WHY]!,
    });
  }
  return list.sort((a, b) =>
    a.step - b.step || (a.invariant < b.invariant ? -1 : a.invariant > b.invariant ? 1 : a.pages - b.pages)
  );
}

/** The call that a finding names, by its opcode; past the table, the end of the program. */
export function callOf(op: number): string {
  const call = CALLS[op];
  if (call === undefined) return "the end of the program";
  return callName(call);
}

/** The claims that a program with these findings makes. */
export function claimsOf(findings: readonly Finding[]): Claim[] {
  return findings.map((f) => ({ invariant: f.invariant, step: f.step, pages: f.pages, words: f.words }));
}

function key(c: { invariant: string; step: number; pages: number }): string {
  const pages = c.pages === 0 ? "" : ` (${c.pages} ${c.pages === 1 ? "page" : "pages"})`;
  return `finding ${c.invariant} at ${c.step}${pages}`;
}

/** What a program claims and does not show, and what it shows and does not claim; a sentence each. */
export function compareClaims(claims: readonly Claim[], findings: readonly Finding[]): string[] {
  const left = new Map<string, number>();
  for (const c of claims) left.set(key(c), (left.get(key(c)) ?? 0) + 1);
  const complaints: string[] = [];
  for (const f of findings) {
    const n = left.get(key(f)) ?? 0;
    if (n === 0) complaints.push(`not claimed: ${key(f)}: ${f.words}`);
    else left.set(key(f), n - 1);
  }
  for (const [claim, n] of left) {
    for (let i = 0; i < n; i++) complaints.push(`claimed, but does not show: ${claim}`);
  }
  return complaints;
}
