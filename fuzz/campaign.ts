/**
 * A campaign: every cell within a budget, its findings shrunk and laid beside
 * what is expected.
 *
 * The result is a function of the options and of the content of the corpus;
 * what depends on time is measured by the caller, at the phases it is told of.
 *
 * @module
 */
import { join } from "@std/path";
import { DISTINCT_ARCHS } from "../core/kernel/arch.ts";
import { KERNEL_BASES, parseKernelName } from "../core/kernel/names.ts";
import { INVARIANTS, SEVERITIES, THEORETICAL } from "../core/ledger/invariants.ts";
import { type CallDef, callName, CALLS, hasCall } from "../core/program/calls.ts";
import { OUTCOMES } from "../core/program/features.ts";
import { InputError } from "../core/program/input_error.ts";
import { printProgram } from "../core/program/print.ts";
import { DEFAULT_PAGES } from "../core/program/program.ts";
import type {
  CallCount,
  Cell,
  InvariantCount,
  NeverReached,
  ReportedFinding,
  Result,
  WorkerFault,
} from "../corpus/result.ts";
import type { MemdescVerdict } from "../corpus/memdesc.ts";
import type { CampaignHooks, CampaignOptions } from "../corpus/request.ts";
import { TOOL } from "../corpus/tool.ts";
import { type CellPlan, type LoadedDiscipline, planCells, selectDisciplines } from "./cells.ts";
import { Digest } from "./digest.ts";
import { type ExpectedFindings, expectedOf } from "./expected.ts";
import { byName, judged, type MemdescJob, type MemdescOutcome } from "./memdesc.ts";
import { withOrigin } from "./origin.ts";
import { type Death, Pool } from "./pool.ts";
import type { CellJob, CellReport } from "./report_cell.ts";
import {
  coverOf,
  entryOf as poolEntry,
  hashOf,
  poolFile,
  preparePool,
  readPools,
  tapeOf,
  writePool,
} from "./stored_pool.ts";
import type { CampaignJob } from "./worker.ts";
import { keyParts, programOfShard, type ShardJob, type ShardOutcome } from "./shard.ts";

/** Shards of a cell: enough that workers share it well; fixed, so that the result does not depend on them. */
const SHARDS = 4;
const WORKER = new URL("./worker.ts", import.meta.url);
/** Programs are numbered from here in the second shard, and so on. */
const SHARD_STRIDE = 1 << 26;

interface Plan {
  readonly kernel: string;
  readonly arch: string;
  readonly config: readonly string[];
  readonly pages: number;
  /** Name for the seed. */
  readonly name: string;
  readonly cell?: CellPlan;
  readonly expected: ExpectedFindings;
}

const NOTHING_EXPECTED: ExpectedFindings = { byKey: new Map(), leaks: 0, complaints: [] };

function disciplinePlans(loaded: readonly LoadedDiscipline[], options: CampaignOptions): Plan[] {
  return planCells(loaded, options.kernels, options.config).map((cell) => {
    const d = cell.loaded.discipline;
    return {
      kernel: cell.kernel,
      arch: d.arch,
      config: cell.config,
      pages: d.pages,
      name: d.name,
      cell,
      expected: expectedOf(cell),
    };
  });
}

const CHECKED: readonly string[][] = [[], ["DEBUG_VM"]];

/** Hostile mode: every kernel on every architecture with rules of its own, with and without DEBUG_VM; on one, what else decides behaviour. */
function hostilePlans(options: CampaignOptions): Plan[] {
  if (options.disciplines.length > 0) {
    throw new InputError(
      `--discipline ${
        options.disciplines[0]
      } has no meaning in hostile mode, which makes raw calls; leave one of them out`,
    );
  }
  const kernels = options.kernels.length === 0 ? KERNEL_BASES : options.kernels;
  return kernels.flatMap((kernel) =>
    DISTINCT_ARCHS.flatMap((arch) =>
      (arch === "generic" ? [...CHECKED, ["HIGHMEM"], ["RCU_TABLE_FREE"]] : CHECKED).map((config) => ({
        kernel,
        arch,
        config: [...new Set([...config, ...options.config])].sort(),
        pages: DEFAULT_PAGES,
        name: "hostile",
        expected: NOTHING_EXPECTED,
      }))
    )
  ).filter((plan, i, all) => all.findIndex((p) => planKey(p) === planKey(plan)) === i);
}

function planKey(plan: Plan): string {
  return `${plan.kernel} ${plan.arch} ${plan.config.join(",")} ${plan.name}`;
}

function jobsOf(
  plans: readonly Plan[],
  options: CampaignOptions,
  stored: (plan: Plan) => Uint16Array[],
): (CampaignJob & ShardJob)[] {
  const tapes = plans.map(stored);
  const perShard = Math.max(1, Math.floor(options.ops / plans.length / SHARDS));
  return plans.flatMap((plan, p) =>
    Array.from({ length: SHARDS }, (_, s): CampaignJob & ShardJob => ({
      task: "shard",
      group: p,
      index: p * SHARDS + s,
      kernel: plan.kernel,
      arch: plan.arch,
      config: plan.config,
      pages: plan.pages,
      name: plan.cell === undefined ? `${plan.name} ${plan.arch} ${plan.config.join(",")}` : plan.name,
      compiled: plan.cell?.loaded.discipline.compile(plan.kernel),
      seed: options.seed,
      first: s * SHARD_STRIDE,
      ops: perShard,
      expectedLeaks: plan.expected.leaks,
      expected: [...plan.expected.byKey.keys()],
      stored: tapes[p]!,
      keepsPool: options.corpus !== undefined,
    }))
  );
}

type Pools = ReturnType<typeof readPools>;

/** What an earlier run kept. */
function storedPools(options: CampaignOptions): Pools {
  if (options.corpus === undefined) return new Map();
  preparePool(options.corpus);
  return readPools(options.corpus);
}

function tapesOf(plan: Plan, pools: Pools): Uint16Array[] {
  return pools.get(poolFile(plan))?.entries.flatMap((e) => tapeOf(e.tape) ?? []) ?? [];
}

/** Adds what reached new behaviour to the stored pools. */
function storePools(plans: readonly Plan[], outcomes: readonly ShardOutcome[], pools: Pools, dir: string): void {
  plans.forEach((plan, p) => {
    const { kernel, arch, config, pages, name } = plan;
    const header = { comments: [], kernel, arch, config, pages, claims: [] };
    const fresh = outcomes.slice(p * SHARDS, (p + 1) * SHARDS).filter((o) => o !== undefined).flatMap((o) => o.pool)
      .map(({ code, slots, tape }) => poolEntry({ ...header, code, slots }, tape));
    if (fresh.length === 0) return;
    const file = poolFile(plan);
    writePool(dir, file, name, coverOf([...pools.get(file)?.entries ?? [], ...fresh], join(dir, file)));
  });
}

/** What the disciplines become with descriptors allocated apart. */
async function memdescVerdicts(
  pool: Pool,
  loaded: readonly LoadedDiscipline[],
  options: CampaignOptions,
): Promise<MemdescVerdict[]> {
  if (options.kernels.length > 0) return [];
  const jobs = judged(loaded, options.disciplines.length > 0).map((
    { text, discipline: { file } },
    index,
  ): CampaignJob & MemdescJob => ({ task: "memdesc", index, text, file }));
  const outcomes = await pool.run<MemdescJob, MemdescOutcome>(jobs);
  return outcomes.map((o) => o.verdict).sort(byName);
}

/** Runs a campaign. */
export async function runCampaign(options: CampaignOptions, hooks: CampaignHooks = {}): Promise<Result> {
  using pool = new Pool(WORKER, options.workers);
  // There will be as many jobs as one cell has shards; the workers load their modules while the disciplines are read.
  pool.start(SHARDS);
  const loaded = options.mode === "hostile" ? [] : selectDisciplines(options.disciplines);
  const plans = options.mode === "hostile" ? hostilePlans(options) : disciplinePlans(loaded, options);
  const pools = storedPools(options);
  const jobs = jobsOf(plans, options, (plan) => tapesOf(plan, pools));
  let steps = 0;
  let findings = 0;
  hooks.phase?.("search");
  const deaths: Death<ShardJob>[] = [];
  const outcomes = await pool.run<ShardJob, ShardOutcome>(jobs, {
    signal: hooks.signal,
    onOutcome: (outcome) => {
      steps += outcome.steps;
      // A misuse may show whatever it likes.
      const unexpected = outcome.kept.filter((k) => options.mode !== "hostile" || k.innocent);
      findings += new Set(unexpected.map((k) => k.key)).size;
      hooks.progress?.({ steps, findings });
    },
    onDeath: (death) => deaths.push(death),
  });
  const interrupted = hooks.signal?.aborted ?? false;
  if (options.corpus !== undefined) storePools(plans, outcomes, pools, options.corpus);
  // Jobs that never began have no outcome.
  const byPlan = plans.map((_, p) => outcomes.slice(p * SHARDS, (p + 1) * SHARDS).filter((o) => o !== undefined));
  const ended = byPlan.flat();
  const reports = await pool.run<CellJob, CellReport>(plans.map((plan, p) => cellJobOf(plan, p, byPlan[p]!)));
  hooks.phase?.("done");
  const cells = plans.map((plan, p) =>
    cellOf(plan, byPlan[p]!, reports[p]!, options, interrupted || byPlan[p]!.length < SHARDS)
  );
  const reported = plans.flatMap((plan, p) => reports[p]!.findings.map((f) => withOrigin(f, plan.cell))).sort(byWorst);
  return {
    schema: 1,
    tool: TOOL,
    task: "fuzz",
    mode: options.mode,
    seed: options.seed,
    steps,
    interrupted,
    pool: options.corpus === undefined
      ? null
      : { programs: plans.reduce((sum, plan) => sum + tapesOf(plan, pools).length, 0), hash: hashOf(pools) },
    never: neverReached(plans, outcomes),
    faults: faultsOf(deaths),
    cells,
    findings: reported,
    invariants: invariantCounts(ended),
    calls: callCounts(plans, ended),
    memdesc: await memdescVerdicts(pool, loaded, options),
    replayed: [],
    recordings: [],
    unexpected: reported.filter((f) => !f.expected && f.severity !== "theoretical").length +
      cells.reduce((sum, c) => sum + (c.as_expected ? 0 : c.complaints.length), 0),
  };
}

/** What is to be reported of a cell. */
function cellJobOf(plan: Plan, index: number, outcomes: readonly ShardOutcome[]): CampaignJob & CellJob {
  const { kernel, arch, config, pages, name } = plan;
  return {
    task: "cell",
    index,
    place: { kernel, arch, config, pages, name },
    hostile: plan.cell === undefined,
    expected: [...plan.expected.byKey.values()],
    kept: outcomes.flatMap((o) => o.kept),
  };
}

function cellOf(
  plan: Plan,
  outcomes: readonly ShardOutcome[],
  { findings, complaints: said }: CellReport,
  options: CampaignOptions,
  partial: boolean,
): Cell {
  const digest = new Digest();
  for (const o of outcomes) digest.text(o.digest);
  const d = plan.cell?.loaded.discipline;
  const complaints = [...plan.expected.complaints, ...said];
  // What was not tried was not missed.
  if (!partial && d?.canary === true && !outcomes.some((o) => o.shown.length > 0)) {
    complaints.push(`random search did not find what is wrong with the canary ${d.name} in ${options.ops} steps`);
  }
  if (!partial && d !== undefined) complaints.push(...unreached(plan.cell!, plan.expected, outcomes));
  const bad = findings.filter((f) => !f.expected && f.severity !== SEVERITIES[THEORETICAL]);
  return {
    kernel: plan.kernel,
    arch: plan.arch,
    config: plan.config,
    discipline: plan.name,
    hypothetical: d?.hypothetical ?? false,
    canary: d?.canary ?? false,
    programs: outcomes.reduce((sum, o) => sum + o.programs, 0),
    features: outcomes.reduce((most, o) => Math.max(most, o.features), 0),
    steps: outcomes.reduce((sum, o) => sum + o.steps, 0),
    findings: findings.map((f) => f.signature),
    as_expected: bad.length === 0 && complaints.length === 0,
    complaints,
    digest: digest.digits(),
  };
}

/** Calls at which a program ends because of what is expected: no line behind them can run. */
function endingCalls(expected: ExpectedFindings): Set<number> {
  const ending = [...expected.byKey.values()].filter(({ finding: { severity } }) =>
    severity !== "latent" && severity !== "leak"
  );
  return new Set(ending.map(({ key }) => keyParts(key).call));
}

/**
 * Lines of a discipline that never ran, or never got memory: the cell was not tried.
 *
 * @param expected what is expected of it: lines behind what ends a program cannot run
 * @param outcomes which instructions of each path ran with success, of each part of the search
 */
export function unreached(
  cell: CellPlan,
  expected: ExpectedFindings,
  outcomes: readonly { readonly seen: readonly Uint8Array[] }[],
): string[] {
  const compiled = cell.loaded.discipline.compile(cell.kernel);
  const paths = [
    { table: "alloc", path: compiled.alloc },
    ...compiled.use.map((path) => ({ table: `use.${path.name}`, path })),
    ...compiled.free.map((path) => ({ table: `free.${path.name}`, path })),
    ...compiled.fail.map((path) => ({ table: `fail.${path.name}`, path })),
  ];
  const ending = endingCalls(expected);
  return paths.flatMap(({ table, path }, i) => {
    const lines = Array.from({ length: path.code.length / 8 }, (_, n) => n);
    const end = lines.find((n) => ending.has(path.code[n * 8]!)) ?? lines.length;
    const never = lines.filter((n) =>
      n <= end && path.code[n * 8]! < CALLS.length && outcomes.every((o) => o.seen[i]?.[n] !== 1)
    );
    if (never.length === 0) return [];
    const first = CALLS[path.code[never[0]! * 8]!]!.name;
    return [`${first} of [${table}] never once ran with success, so the cell was not tried`];
  });
}

/** The workers that died, in the order of their shards. */
function faultsOf(deaths: readonly Death<ShardJob>[]): WorkerFault[] {
  return [...deaths].sort((a, b) => a.job.index - b.job.index).map(({ job, program, error }) => ({
    kernel: job.kernel,
    discipline: job.name,
    program: printProgram(programOfShard(job, program)),
    error: error.split("\n")[0]!,
  }));
}

function invariantCounts(outcomes: readonly ShardOutcome[]): InvariantCount[] {
  const sum = (of: (o: ShardOutcome) => Float64Array, i: number): number =>
    outcomes.reduce((total, o) => total + of(o)[i]!, 0);
  return INVARIANTS.map((inv, i) => ({
    id: inv.id,
    checks: sum((o) => o.checks, i),
    violations: sum((o) => o.violations, i),
  }));
}

function callCounts(plans: readonly Plan[], outcomes: readonly ShardOutcome[]): CallCount[] {
  const kernels = [...new Set(plans.map((p) => p.kernel))];
  return kernels.flatMap((kernel) => {
    const mine = outcomes.filter((o) => plans[Math.floor(o.index / SHARDS)]!.kernel === kernel);
    return CALLS.map((call) => ({
      kernel,
      call: callName(call),
      right: mine.reduce((sum, o) => sum + o.right[call.id]!, 0),
      wrong: mine.reduce((sum, o) => sum + o.wrong[call.id]!, 0),
    })).filter((c) => c.right + c.wrong > 0);
  });
}

/** What the calls of each kernel never did. */
function neverReached(plans: readonly Plan[], outcomes: readonly ShardOutcome[]): NeverReached[] {
  return [...new Set(plans.map((p) => p.kernel))].map((kernel) => {
    const base = parseKernelName(kernel)!.base;
    const mine = plans.flatMap((p, i) => p.kernel === kernel ? outcomes.slice(i * SHARDS, (i + 1) * SHARDS) : [])
      .filter((o) => o !== undefined);
    const calls = CALLS.filter((call) => hasCall(base, call));
    const ran = (call: CallDef): boolean => mine.some((o) => o.right[call.id]! + o.wrong[call.id]! > 0);
    const failed = (call: CallDef): boolean =>
      mine.some((o) =>
        o.outcomes.length > 0 && o.outcomes[call.id * OUTCOMES + 1]! + o.outcomes[call.id * OUTCOMES + 3]! > 0
      );
    const mayFail = (call: CallDef): boolean => call.params.some((p) => p.type === "gfp") && ran(call);
    return {
      kernel,
      calls: calls.filter((call) => !ran(call)).map(callName),
      failures: calls.filter((call) => mayFail(call) && mine.some((o) => o.outcomes.length > 0) && !failed(call)).map(
        callName,
      ),
    };
  });
}

/** The order of a result's findings: unexpected before expected, worst first. */
export function byWorst(a: ReportedFinding, b: ReportedFinding): number {
  const rank = (f: ReportedFinding): number => (f.expected ? 10 : 0) + SEVERITIES.indexOf(f.severity);
  return rank(a) - rank(b) || (a.signature < b.signature ? -1 : a.signature > b.signature ? 1 : 0);
}
