/**
 * All faults of one discipline on one kernel: found, harmless for a reason, or
 * missed.
 *
 * @module
 */
import { archTable } from "../core/kernel/arch.ts";
import { parseKernelName } from "../core/kernel/names.ts";
import { parseDiscipline } from "../corpus/load_discipline.ts";
import { pathsOf } from "./fault_lines.ts";
import { type Fault, faultName, faultsOf } from "./fault_list.ts";
import { reasonFor } from "./fault_reasons.ts";
import { compare, type Comparison, type Hit, searchFor, type SearchPlace, Trail } from "./fault_search.ts";
import type { Board } from "./pool.ts";

/** A discipline on a kernel; plain data, for a worker. */
export interface FaultJob {
  readonly index: number;
  readonly text: string;
  readonly file: string;
  readonly kernel: string;
  readonly config: readonly string[];
  readonly seed: number;
  /** Steps for each fault. */
  readonly ops: number;
}

/** What came of one fault. */
export interface FaultOutcome {
  readonly name: string;
  readonly hit?: Hit;
  /** The option that it took to see it. */
  readonly needs?: string;
  /** Id of the reason why it is harmless. */
  readonly reason?: string;
  /** It was missed, and this is what is known. */
  readonly missed?: string;
}

/** What came of a cell; plain data. */
export interface FaultCell {
  readonly index: number;
  readonly outcomes: readonly FaultOutcome[];
  /** It was told to stop before it was through. */
  readonly stopped: boolean;
}

/** How many times the budget a fault gets that nothing found and no reason fits. */
const LONGER = 20;
/** The configuration in which a table's lock can fail. */
const SLAB_LOCKS = "ALLOC_SPLIT_PTLOCKS";

/** Looks for every fault of a cell; where it is told to stop, it answers at once with none. */
export function runFaultCell(job: FaultJob, board?: Board): FaultCell {
  const d = parseDiscipline(job.text, job.file);
  const place: SearchPlace = {
    kernel: job.kernel,
    arch: d.arch,
    config: job.config,
    pages: d.pages,
    name: d.name,
    seed: job.seed,
    ops: job.ops,
  };
  const paths = pathsOf(d);
  const { tableFree, smp, hardwareWalk } = archTable(d.arch, parseKernelName(job.kernel)!.base, job.config)!;
  const faults = faultsOf(d, job.kernel);
  const outcomes = new Map<Fault, FaultOutcome>();
  const trails = new Map<Fault, Trail>();
  const look = (at: SearchPlace, needs?: string): void => {
    for (const fault of faults) {
      if (outcomes.has(fault)) continue;
      if (board?.stopped) return;
      const found = searchFor(fault.text, at, needs === undefined);
      if (!(found instanceof Trail)) {
        outcomes.set(fault, { name: faultName(fault), hit: found, ...(needs === undefined ? {} : { needs }) });
      } else if (needs === undefined) trails.set(fault, found);
    }
  };
  look(place);
  if (!job.config.includes("DEBUG_VM")) look({ ...place, config: [...job.config, "DEBUG_VM"].sort() }, "DEBUG_VM");
  // More CPUs walk more; what is right on one only has nothing to show there.
  const more = { ...place, config: [...job.config, "SMP"].sort() };
  const oneCpu = !smp && !(searchFor(job.text, more, false) instanceof Trail);
  if (!smp && !oneCpu) look(more, "SMP");
  const rights = new Map<string, Trail>();
  const rightAt = (text: string, at: SearchPlace): Trail => {
    const key = `${at.config.join()} ${text}`;
    const right = rights.get(key) ?? new Trail(text, at);
    rights.set(key, right);
    return right;
  };
  // A constructor fails only where a lock comes from a slab.
  const locks = { ...place, config: [...new Set([...job.config, SLAB_LOCKS])].sort() };
  for (const fault of faults) {
    if (outcomes.has(fault)) continue;
    if (board?.stopped) return { index: job.index, outcomes: [], stopped: true };
    let comparison = compare(fault, trails.get(fault)!, rightAt(fault.right, place));
    if (!comparison.tried) {
      const found = searchFor(fault.text, locks, true);
      if (!(found instanceof Trail)) {
        outcomes.set(fault, { name: faultName(fault), hit: found, needs: SLAB_LOCKS });
        continue;
      }
      comparison = compare(fault, found, rightAt(fault.right, locks));
    }
    const reason = reasonFor({
      fault,
      paths,
      comparison,
      tablesArePages: !tableFree,
      hardwareWalks: hardwareWalk,
      oneCpu,
    });
    const name = faultName(fault);
    if (reason === undefined) {
      // Perhaps it takes more luck: a walker in one page of many.
      const found = searchFor(fault.text, { ...place, ops: LONGER * job.ops }, false);
      if (!(found instanceof Trail)) {
        outcomes.set(fault, { name, hit: found });
        continue;
      }
    }
    outcomes.set(fault, reason === undefined ? { name, missed: known(comparison) } : { name, reason: reason.id });
  }
  return { index: job.index, outcomes: faults.map((f) => outcomes.get(f)!), stopped: false };
}

/** What the comparison says of a fault that was missed. */
function known(c: Comparison): string {
  if (!c.tried) return "its line never ran with success";
  if (c.broken.length > 0) return `the right discipline itself broke ${c.broken.join(", ")}`;
  if (!c.comparable) return "nothing broke, and its schedules are other than the right discipline's";
  return `nothing broke, and ${
    c.sameWords ? "memory" : c.samePages ? "the number of free pages" : "nothing"
  } ended the same`;
}
