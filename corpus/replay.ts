/**
 * Replays stored programs and compares what they show with what they claim.
 *
 * @module
 */
import { compareClaims, findingsOf } from "../core/program/findings.ts";
import type { Program } from "../core/program/program.ts";
import { listShipped, readProgramFile } from "./files.ts";
import { machineFor } from "./machine_for.ts";
import type { WorkHooks } from "./request.ts";
import type { ReplayedProgram } from "./result.ts";

/** What differs between what a program claims and what it shows; a sentence each, none where it is true. */
export function replayProgram(program: Program): string[] {
  const machine = machineFor(program);
  machine.run(program);
  return compareClaims(program.claims, findingsOf(machine, program.slots));
}

/** Replays files, or the whole corpus where none is named. */
export async function replayFiles(
  files: readonly string[],
  progress?: WorkHooks["progress"],
): Promise<ReplayedProgram[]> {
  const all = files.length === 0 ? listShipped().regressions : files;
  // Every file is read before any runs: one that is wrong is said at once.
  const programs = all.map((file) => ({ file, program: readProgramFile(file) }));
  const replayed: ReplayedProgram[] = [];
  for (const { file, program } of programs) {
    await progress?.(replayed.length, programs.length, "programs");
    const complaints = replayProgram(program);
    replayed.push({ file, ok: complaints.length === 0, complaints });
  }
  return replayed;
}
