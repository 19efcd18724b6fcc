/**
 * What a kernel with CONFIG_DEBUG_VM says of a program before it gets to what
 * the program shows.
 *
 * @module
 */
import { findingsOf } from "../../core/program/findings.ts";
import { machineFor } from "../../corpus/machine_for.ts";
import type { Program } from "../../core/program/program.ts";

/** The words of a check that only DEBUG_VM makes and that the program does not claim; undefined where none fires. */
export function unclaimedCheck(program: Program): string | undefined {
  const config = [...new Set([...program.config, "DEBUG_VM"])].sort();
  const machine = machineFor({ ...program, config });
  machine.run(program);
  return findingsOf(machine, program.slots).find((f) =>
    f.invariant === "kernel-check" && !program.claims.some((c) => c.invariant === "kernel-check" && c.step === f.step)
  )?.words;
}
