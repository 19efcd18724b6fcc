/**
 * What `deno task bench` measures, each as a ratio within one run on one
 * machine:
 *
 * 1. discipline mode on 6.12, every invariant on, against fast-check's
 *    `modelRun` making the same calls through the same kernel and ledger;
 * 2. each kernel alone in its isolate against the same kernel in an isolate
 *    that has run every kernel.
 *
 * @module
 */
import { callName, CALLS } from "../core/program/calls.ts";
import type { WorkHooks } from "../corpus/request.ts";
import type { BenchShown } from "../corpus/shown.ts";
import { ask } from "./ask.ts";
import type { Benched, Runner } from "./bench_lanes.ts";
import type { BenchAnswer, BenchRequest, BenchSetting } from "./worker_bench.ts";
import type { BenchPlan } from "./worker_bench_plan.ts";

/** The disciplines that are clean on kernels, so many of each at most: an isolate of its own reads them, and is ended. */
function planned(plans: readonly BenchPlan[]): Promise<Benched[][]> {
  const worker = new Worker(new URL("./worker_bench_plan.ts", import.meta.url), { type: "module" });
  return ask<Benched[][]>(worker, plans).finally(() => worker.terminate());
}

function median(list: readonly number[]): number {
  const sorted = list.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

const million = (n: number): string => `${(n / 1e6).toFixed(2)} M steps/s`;

/** An isolate that measures what it is asked. */
class BenchWorker {
  readonly #worker = new Worker(new URL("./worker_bench.ts", import.meta.url), { type: "module" });

  /** Says what runs on a kernel; the isolate reads no file of its own. */
  prepare(kernel: string, runner: Runner, disciplines: readonly Benched[]): void {
    this.#worker.postMessage({ kernel, runner, disciplines } satisfies BenchSetting);
  }

  ask(request: BenchRequest): Promise<BenchAnswer> {
    return ask(this.#worker, request);
  }

  close(): void {
    this.#worker.terminate();
  }
}

/** Pairs of runs, and programs on each discipline in one of them. */
const PAIRS = 15;
const GENERATED = 500;
/** So many that what fast-check makes anew for each run does not count. */
const MODELLED = 60;

async function againstModelRun(
  all: readonly Benched[],
  { print, progress, signal }: WorkHooks,
): Promise<BenchShown["model_run"]> {
  const ours = new BenchWorker();
  const theirs = new BenchWorker();
  ours.prepare("6.12", "generated", all);
  theirs.prepare("6.12", "model", all);
  const pairs: { ours: number; theirs: number }[] = [];
  const last: { ours?: BenchAnswer; theirs?: BenchAnswer } = {};
  for (let i = 0; i <= PAIRS && !signal.aborted; i++) {
    progress(i, PAIRS + 1, "pairs of ptfuzz and fc.modelRun");
    const common = { kernel: "6.12", turns: 1, seed: i + 1 };
    last.ours = await ours.ask({ ...common, programs: GENERATED });
    last.theirs = await theirs.ask({ ...common, programs: MODELLED });
    // The first pair warms both isolates up.
    if (i > 0) pairs.push({ ours: last.ours.rate, theirs: last.theirs.rate });
  }
  ours.close();
  theirs.close();
  if (pairs.length === 0) return null;
  const a = last.ours!;
  const b = last.theirs!;
  const ratios = pairs.map((p) => p.ours / p.theirs);
  const [lowest, highest] = [Math.min(...ratios), Math.max(...ratios)];
  const range = `${lowest.toFixed(2)} to ${highest.toFixed(2)}`;
  print(`discipline mode on 6.12: ${a.disciplines} disciplines, every invariant on, one core`);
  print(
    `  ptfuzz                    ${million(median(pairs.map((p) => p.ours)))}, ${a.length.toFixed(0)} steps a program`,
  );
  print(
    `  fc.modelRun, size "max"   ${million(median(pairs.map((p) => p.theirs)))}, ${
      b.length.toFixed(0)
    } steps a program`,
  );
  print(`  ratio, median of ${pairs.length} pairs ${median(ratios).toFixed(2)} (${range})`);
  print("  the mix of calls, in steps of 100: ptfuzz / fc.modelRun");
  printMix(a.mix, b.mix, print);
  return {
    pairs: pairs.length,
    steps_per_second: Math.round(median(pairs.map((p) => p.ours))),
    fast_check_steps_per_second: Math.round(median(pairs.map((p) => p.theirs))),
    ratio: median(ratios),
    lowest,
    highest,
  };
}

function printMix(ours: readonly number[], theirs: readonly number[], print: (line: string) => void): void {
  const share = (mix: readonly number[], id: number): number => 100 * mix[id]! / mix.reduce((sum, n) => sum + n, 0);
  const shares = CALLS.map((c) => ({
    name: callName(c),
    ours: share(ours, c.id),
    theirs: share(theirs, c.id),
  })).filter((c) => c.ours >= 0.05 || c.theirs >= 0.05).sort((x, y) => y.ours - x.ours);
  const cells = shares.map((c) => `${c.name} ${c.ours.toFixed(1)}/${c.theirs.toFixed(1)}`.padEnd(37));
  for (let at = 0; at < cells.length; at += 2) print(`    ${cells.slice(at, at + 2).join(" ").trimEnd()}`);
}

/** Kernels that run together. */
const TOGETHER: readonly string[] = ["6.1", "v2", "6.6", "6.12", "6.12-without-B1", "6.12-without-B2"];
const ROUNDS = 9;
/** Disciplines of each of them: a few machines fit into the cache, all of six kernels do not. */
const FEW = 6;
/** Kernels that are measured alone at once. */
const AT_ONCE = 3;

async function together(
  disciplines: readonly (readonly Benched[])[],
  { print, progress, signal }: WorkHooks,
): Promise<BenchShown["together"]> {
  if (signal.aborted) return [];
  const everything = new BenchWorker();
  const requestOf = (kernel: string, round: number) => ({ kernel, programs: 400, turns: 2, seed: round + 1 });
  for (const [i, k] of TOGETHER.entries()) {
    everything.prepare(k, "generated", disciplines[i]!);
    // It has run all of them before any is measured.
    await everything.ask(requestOf(k, 0));
  }
  const rounds = new Map<string, { alone: number; shared: number }[]>(TOGETHER.map((k) => [k, []]));
  let done = 0;
  // Three isolates beside it at a time: all seven at once take more memory than anything else here.
  for (const first of [0, AT_ONCE]) {
    const kernels = TOGETHER.slice(first, first + AT_ONCE);
    const isolates = new Map(kernels.map((k) => [k, new BenchWorker()]));
    for (const [i, k] of kernels.entries()) isolates.get(k)!.prepare(k, "generated", disciplines[first + i]!);
    for (let round = 0; round <= ROUNDS; round++) {
      for (const k of kernels) {
        if (signal.aborted) break;
        progress(done++, (ROUNDS + 1) * TOGETHER.length, "pairs of alone and together");
        // One after the other, so that a change of the machine's speed falls on both.
        const alone = (await isolates.get(k)!.ask(requestOf(k, round))).rate;
        const shared = (await everything.ask(requestOf(k, round))).rate;
        if (round > 0) rounds.get(k)!.push({ alone, shared });
      }
    }
    for (const isolate of isolates.values()) isolate.close();
  }
  everything.close();
  const measured = [...rounds].filter(([, pairs]) => pairs.length > 0);
  if (measured.length === 0) return [];
  const least = Math.min(...measured.map(([, pairs]) => pairs.length));
  print(`each kernel alone in an isolate, and in one that runs all ${TOGETHER.length} (median of ${least} pairs):`);
  return measured.map(([kernel, pairs]) => {
    const ratio = median(pairs.map((p) => p.shared / p.alone));
    const [a, b] = [median(pairs.map((p) => p.alone)), median(pairs.map((p) => p.shared))];
    print(`  ${kernel.padEnd(16)} ${million(a)} alone, ${million(b)} together: ${ratio.toFixed(2)}`);
    return {
      kernel,
      pairs: pairs.length,
      alone_steps_per_second: Math.round(a),
      together_steps_per_second: Math.round(b),
      ratio,
    };
  });
}

/** Below it something got slower: the README's figure, with room for a busy machine. */
const LEAST = 7;

/** Runs both measurements; not ok where a ratio is far below what the README claims. */
export async function runBench(hooks: WorkHooks): Promise<Omit<BenchShown, "recordings">> {
  const [all, ...few] = await planned([
    { kernel: "6.12", most: Infinity },
    ...TOGETHER.map((kernel) => ({ kernel, most: FEW })),
  ]);
  const model_run = await againstModelRun(all!, hooks);
  const kernels = await together(few, hooks);
  return {
    ok: (model_run?.ratio ?? LEAST) >= LEAST && kernels.every(({ ratio }) => ratio >= 0.8),
    interrupted: hooks.signal.aborted,
    model_run,
    together: kernels,
  };
}
