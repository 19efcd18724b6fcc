/**
 * ptfuzz as a library: kernels, the ledger, programs, disciplines, and
 * arbitraries for fast-check tests of your own.
 *
 * ```ts
 * import { findingsOf, Machine, parseProgram } from "./mod.ts";
 *
 * const program = parseProgram("kernel 6.12\np0 = alloc_pages(GFP_KERNEL, 1)\nput_page(p0)\n", "mine.pt");
 * const machine = new Machine(program);
 * machine.run(program);
 * const lost = findingsOf(machine, program.slots).find((f) => f.invariant === "page-leak");
 * if (lost?.pages !== 1) throw new Error("a block of two pages that is not compound loses one");
 * ```
 *
 * @module
 */
export { Machine } from "./core/program/machine.ts";
export type { MachineOptions } from "./core/program/machine.ts";
export { parseProgram } from "./core/program/parse.ts";
export { printProgram } from "./core/program/print.ts";
export { claimsOf, compareClaims, findingsOf } from "./core/program/findings.ts";
export type { Finding } from "./core/program/findings.ts";
export type { Claim, Program, Slot } from "./core/program/program.ts";
export { showProgram } from "./core/program/show.ts";
export { program } from "./core/program/arbitrary.ts";
export type { ProgramArbitrary, ProgramConstraints } from "./core/program/arbitrary.ts";
export type { KernelBase } from "./core/kernel/names.ts";
export { CALLS } from "./core/program/calls.ts";
export type { Availability, CallDef, Kind, Param, ParamType, WordType } from "./core/program/calls.ts";
export { InputError } from "./core/program/input_error.ts";
export type { Where } from "./core/program/input_error.ts";
export { INVARIANTS } from "./core/ledger/invariants.ts";
export type { Invariant, Severity } from "./core/ledger/invariants.ts";
export { parseDiscipline } from "./corpus/load_discipline.ts";
export type { CompiledDiscipline, CompiledPath, Discipline, Expectation, Level, Path } from "./corpus/discipline.ts";
export type { SourceRef } from "./corpus/source_ref.ts";
export { runCampaign } from "./fuzz/campaign.ts";
export type { CampaignHooks, CampaignOptions } from "./corpus/request.ts";
export { shrinkProgram } from "./fuzz/shrink.ts";
export type { ShrinkOptions, ShrinkTarget } from "./fuzz/shrink.ts";
export type {
  CallCount,
  Cell,
  Difference,
  FindingOrigin,
  InvariantCount,
  NeverReached,
  PoolUsed,
  RecordedBefore,
  RecordedRelease,
  RecordedReplay,
  RecordedTables,
  Recording,
  ReplayedProgram,
  ReportedFinding,
  Result,
  Timing,
  WorkerFault,
} from "./corpus/result.ts";
export type { MemdescBreak, MemdescVerdict } from "./corpus/memdesc.ts";
