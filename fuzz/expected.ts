/**
 * What is expected of a cell: the findings that its stored programs show.
 *
 * @module
 */
import { F_CALL, F_INVARIANT, F_PAGES, F_STEP, FINDING_WORDS } from "../core/ledger/finding.ts";
import { invariantById, INVARIANTS } from "../core/ledger/invariants.ts";
import { findingsOf } from "../core/program/findings.ts";
import type { Finding } from "../core/program/findings.ts";
import type { Machine } from "../core/program/machine.ts";
import type { Program } from "../core/program/program.ts";
import { readProgramFile, shownByFile } from "../corpus/files.ts";
import { machineFor } from "../corpus/machine_for.ts";
import { type CellPlan, expectationsOn } from "./cells.ts";
import { findingKey } from "./shard.ts";

/** One expected finding: the program that shows it. */
export interface Expected {
  readonly key: number;
  readonly finding: Finding;
  readonly program: Program;
  readonly findings: readonly Finding[];
  readonly file: string;
  readonly steps: number;
}

/** What a cell's stored programs show, and what is wrong with them. */
export interface ExpectedFindings {
  readonly byKey: ReadonlyMap<number, Expected>;
  /** Invariants whose leaks do not end a program, a bit each. */
  readonly leaks: number;
  readonly complaints: readonly string[];
}

/** Keys of the findings of the program that a machine ran last, in the order of `findingsOf`. */
export function keysOf(machine: Machine): { key: number; invariant: string; step: number; pages: number }[] {
  const l = machine.ledger;
  return Array.from({ length: l.nFindings }, (_, i) => {
    const f = l.findings.subarray(i * FINDING_WORDS, (i + 1) * FINDING_WORDS);
    return {
      key: findingKey(f[F_INVARIANT]!, f[F_CALL]!, f[F_PAGES]!),
      invariant: INVARIANTS[f[F_INVARIANT]!]!.id,
      step: f[F_STEP]!,
      pages: f[F_PAGES]!,
    };
  });
}

/**
 * Replays the stored programs of a cell on its kernel, architecture and configuration.
 *
 * @param make the machine for a program; undefined where it has none, and the program is left out
 */
export function expectedOf(
  cell: CellPlan,
  make: (program: Program) => Machine | undefined = machineFor,
): ExpectedFindings {
  const d = cell.loaded.discipline;
  const byKey = new Map<number, Expected>();
  const complaints: string[] = [];
  let leaks = 0;
  for (const e of expectationsOn(d, cell.kernel)) {
    const shown = new Set<string>();
    for (const name of e.shownBy) {
      const file = shownByFile(d.file, name);
      const stored = readProgramFile(file);
      const program: Program = { ...stored, kernel: cell.kernel, arch: d.arch, config: cell.config };
      const machine = make(program);
      if (machine === undefined) {
        for (const id of e.invariants) shown.add(id);
        continue;
      }
      machine.run(program);
      const findings = findingsOf(machine, program.slots);
      const keys = keysOf(machine);
      for (const k of keys) {
        shown.add(k.invariant);
        // With DEBUG_VM the kernel may notice what is expected: no finding of its own.
        const isNoticed = k.invariant === "kernel-check" &&
          keys.some((other) => other.step === k.step && e.invariants.includes(other.invariant));
        if (!isNoticed && !e.invariants.includes(k.invariant)) {
          complaints.push(`${name} shows ${k.invariant} at ${k.step}, which [[expect]] of ${d.file} does not list`);
          continue;
        }
        const finding = findings.find((f) => f.invariant === k.invariant && f.step === k.step && f.pages === k.pages)!;
        if (!byKey.has(k.key)) byKey.set(k.key, { key: k.key, finding, program, findings, file, steps: machine.steps });
      }
    }
    for (const id of e.invariants) {
      leaks |= 1 << invariantById(id)!.index;
      if (!shown.has(id)) complaints.push(`${id} is expected on ${cell.kernel}, and no stored program shows it`);
    }
  }
  return { byKey, leaks, complaints };
}
