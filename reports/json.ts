/**
 * `report.json`: the result, deterministic to the byte.
 *
 * Keys stand in the order of the interfaces in `result.ts` whatever order the
 * objects were built in; the compiler sees to it that none is forgotten.
 *
 * @module
 */
import type {
  CallCount,
  Cell,
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
} from "../corpus/result.ts";

type Keys<T> = Record<keyof T, true>;

const RESULT: Keys<Result> = {
  schema: true,
  tool: true,
  task: true,
  mode: true,
  seed: true,
  steps: true,
  interrupted: true,
  pool: true,
  never: true,
  faults: true,
  cells: true,
  findings: true,
  invariants: true,
  calls: true,
  memdesc: true,
  replayed: true,
  recordings: true,
  unexpected: true,
  differences: true,
};

const CELL: Keys<Cell> = {
  kernel: true,
  arch: true,
  config: true,
  discipline: true,
  hypothetical: true,
  canary: true,
  programs: true,
  features: true,
  steps: true,
  findings: true,
  as_expected: true,
  complaints: true,
  digest: true,
};

const FINDING: Keys<ReportedFinding> = {
  invariant: true,
  severity: true,
  signature: true,
  expected: true,
  kernel: true,
  arch: true,
  config: true,
  discipline: true,
  steps: true,
  call: true,
  at: true,
  pages: true,
  program: true,
  explanation: true,
  source: true,
  seenBy: true,
  origin: true,
};

const ORIGIN: Keys<FindingOrigin> = { file: true, line: true, source: true, why: true };

const INVARIANT: Keys<InvariantCount> = { id: true, checks: true, violations: true };
const CALL: Keys<CallCount> = { kernel: true, call: true, right: true, wrong: true };
const REPLAYED: Keys<ReplayedProgram> = { file: true, ok: true, complaints: true };
const POOL: Keys<PoolUsed> = { programs: true, hash: true };
const NEVER: Keys<NeverReached> = { kernel: true, calls: true, failures: true };
const FAULT: Keys<WorkerFault> = { kernel: true, discipline: true, program: true, error: true };
const RECORDING: Keys<Recording> = {
  file: true,
  kernel: true,
  arch: true,
  known: true,
  lines: true,
  entries: true,
  events: true,
  complete: true,
  tables: true,
  before: true,
  unexplained: true,
  uncertain: true,
  replayed: true,
};
const TABLES: Keys<RecordedTables> = {
  discipline: true,
  known_by: true,
  site: true,
  callers: true,
  order: true,
  compound: true,
  flags: true,
  allocations: true,
  pairs: true,
  live: true,
  lost: true,
  releases: true,
  contradictions: true,
};
const RELEASE: Keys<RecordedRelease> = { by: true, path: true, form: true, whole: true, count: true };
const BEFORE: Keys<RecordedBefore> = { by: true, order: true, count: true };
const REPLAY: Keys<RecordedReplay> = {
  tables: true,
  skipped: true,
  programs: true,
  steps: true,
  agreed: true,
  differing: true,
};
const TIMING: Keys<Timing> = { seconds: true, steps: true, steps_per_second: true, workers: true };

/** A copy with the keys of the table, in its order. */
function ordered<T extends object>(value: T, keys: Keys<T>): T {
  return Object.fromEntries(Object.keys(keys).map((key) => [key, value[key as keyof T]])) as T;
}

function recording(value: Recording): Recording {
  return {
    ...ordered(value, RECORDING),
    tables: value.tables.map((t) => ({
      ...ordered(t, TABLES),
      releases: t.releases.map((r) => ordered(r, RELEASE)),
    })),
    before: value.before.map((b) => ordered(b, BEFORE)),
    replayed: ordered(value.replayed, REPLAY),
  };
}

/** The text of `report.json`: two spaces, a fixed order of keys, a newline at the end. */
export function reportJson(result: Result): string {
  const plain: Result = {
    ...ordered(result, RESULT),
    faults: result.faults.map((f) => ordered(f, FAULT)),
    pool: result.pool === null ? null : ordered(result.pool, POOL),
    never: result.never.map((n) => ordered(n, NEVER)),
    cells: result.cells.map((c) => ordered(c, CELL)),
    findings: result.findings.map((f) =>
      ordered({ ...f, ...(f.origin && { origin: ordered(f.origin, ORIGIN) }) }, FINDING)
    ),
    invariants: result.invariants.map((i) => ordered(i, INVARIANT)),
    calls: result.calls.map((c) => ordered(c, CALL)),
    replayed: result.replayed.map((r) => ordered(r, REPLAYED)),
    recordings: result.recordings.map(recording),
  };
  return JSON.stringify(plain, null, 2) + "\n";
}

/** The text of `timing.json`. */
export function timingJson(timing: Timing): string {
  return JSON.stringify(ordered(timing, TIMING), null, 2) + "\n";
}
