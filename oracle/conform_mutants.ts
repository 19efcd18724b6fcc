/**
 * `deno task conform --mutants`: could the comparison fail? Single lines of the
 * kernel's functions are changed, one at a time, in a patched tree, and single
 * functions of the model; each change has to show as a difference.
 *
 * @module
 */
import { type Mutant, mutantProgram, MUTANTS } from "../core/kernel/mutants.ts";
import { InputError } from "../core/program/input_error.ts";
import { type ConformHooks, type ConformOptions, Interrupted } from "../corpus/request.ts";
import type { ConformMutantsShown } from "../corpus/shown.ts";
import { parseProgram } from "../core/program/parse.ts";
import { Conform, type Conformance } from "./conform.ts";
import { KERNEL_MUTANTS } from "./kernel_mutants.ts";
import type { Linux } from "./linux.ts";
import type { SourceVersion } from "./source.ts";
import { allSources, callsIt, NOT_MADE, programSource, whyNotMade } from "./programs.ts";
import { buildFor, modelConfig, withKernels } from "./run_conform.ts";

/** Programs that each mutant gets; one of the model that is not noticed in them gets the program that shows it. */
const PROGRAMS = 20_000;

/** What each mutant of the model is compared with: the kernel that it changes, with MEMCG where it is about charges. */
const BUILDS: readonly { readonly kernel: SourceVersion; readonly config: readonly string[] }[] = [
  { kernel: "6.12", config: [] },
  { kernel: "6.12", config: ["MEMCG"] },
  { kernel: "6.1", config: [] },
];

const ONE_CPU = "needs SMP, for locks of a table's own, and user-mode Linux has one CPU";
const NO_SHARING = "from 6.6 on tables of PMDs are shared only where they have locks of their own (SMP)";
/** Mutants of the model that these kernels cannot contradict. */
const NOT_SEEN: Readonly<Record<string, string>> = {
  "first-pageblock-only": "user-mode Linux has pageblocks of the largest order, so no block is freed in parts",
  "lock-not-freed": ONE_CPU,
  "pmd-lock-not-freed": ONE_CPU,
  "lock-freed-by-the-ctor": ONE_CPU,
  "lock-leaked": ONE_CPU,
  "share-not-counted": NO_SHARING,
  "ctor-keeps-the-count": NO_SHARING,
};

/** Why a mutant of the model is left out; undefined where it is not. */
function whyNotSeen(mutant: Mutant): string | undefined {
  const why = NOT_SEEN[mutant.name];
  if (why !== undefined) return why;
  const program = parseProgram(mutantProgram(mutant), mutant.name);
  const call = NOT_MADE.find((name) => callsIt(program, name));
  return call === undefined ? undefined : `${call}: ${whyNotMade(call)}`;
}

/** Runs the program that shows a mutant of the model. */
function ownProgram(
  mutant: Mutant,
  kernel: SourceVersion,
  config: readonly string[],
  kernels: readonly Linux[],
): Promise<Conformance> {
  const program = parseProgram(mutantProgram(mutant), mutant.name);
  const source = programSource(program, mutant.name, kernel, config);
  return new Conform([source], 1, mutant.breaks).run(1, kernels);
}

/** Runs every mutant; not ok where one is not noticed. */
export async function runConformMutants(options: ConformOptions, hooks: ConformHooks): Promise<ConformMutantsShown> {
  if (options.kernel !== "6.12") throw new InputError("--mutants changes lines of 6.12; leave --kernel out");
  const config = modelConfig(options.config);
  const { signal } = hooks;
  const tried: ConformMutantsShown["mutants"][number][] = [];
  const builds = BUILDS.map((build) => ({
    ...build,
    mutants: MUTANTS.filter((m) =>
      m.kernel === build.kernel && m.config.includes("MEMCG") === build.config.includes("MEMCG") &&
      whyNotSeen(m) === undefined
    ),
  }));
  const of = builds.reduce((n, { mutants }) => n + mutants.length, 0) + KERNEL_MUTANTS.length;
  const row = (
    side: "model" | "linux",
    name: string,
    found: { difference: { step: number; unlike: readonly { what: string }[] } } | undefined,
    n: number,
  ) => {
    const noticed = found === undefined ? null : found.difference.unlike[0]!.what;
    tried.push({ name, side, programs: n, noticed });
    hooks.print(`${name.padEnd(58)} ${String(n).padStart(6)} programs  ${noticed ?? "NOT NOTICED"}`);
  };
  hooks.print("model with one function changed, the kernel as it is:");
  for (const { kernel, config: more, mutants } of builds) {
    const build = { ...options, config: [...new Set([...options.config, ...more])] };
    const config = modelConfig(build.config);
    await withKernels(await buildFor(kernel, build, hooks), async (kernels) => {
      for (const mutant of mutants) {
        await hooks.progress(tried.length, of, "mutants");
        const conform = new Conform(allSources(kernel, config), options.seed, mutant.breaks);
        const r = await conform.run(PROGRAMS, kernels, { signal });
        if (signal.aborted) return;
        const own = r.found === undefined ? await ownProgram(mutant, kernel, config, kernels) : undefined;
        row("model", mutant.name, r.found ?? own?.found, r.programs + (own?.programs ?? 0));
      }
    });
    if (signal.aborted) break;
  }
  for (const mutant of MUTANTS.filter(({ kernel }) => BUILDS.some((b) => b.kernel === kernel))) {
    const why = whyNotSeen(mutant);
    if (why !== undefined) hooks.print(`${mutant.name.padEnd(58)} left out: ${why}`);
  }
  if (!signal.aborted) {
    await changeKernels(options, hooks, async (name, kernels) => {
      await hooks.progress(tried.length, of, "mutants");
      const r = await new Conform(allSources("6.12", config), options.seed).run(PROGRAMS, kernels, { signal });
      if (!signal.aborted) row("linux", name, r.found, r.programs);
    });
  }
  const survivors = tried.filter((m) => m.noticed === null).map((m) => m.name);
  const interrupted = tried.length < of;
  if (interrupted) hooks.print(`stopped: ${tried.length} of ${of} mutants`);
  hooks.print(survivors.length === 0 ? "all were noticed" : `not noticed: ${survivors.join(", ")}`);
  return { ok: survivors.length === 0, interrupted, mutants: tried, of };
}

/** Builds and boots the kernel with one line changed after the other, and puts back what it was built of. */
async function changeKernels(
  options: ConformOptions,
  hooks: ConformHooks,
  run: (name: string, kernels: readonly Linux[]) => Promise<void>,
): Promise<void> {
  hooks.print("kernel with one line changed, the model as it is:");
  try {
    for (const { name, edit } of KERNEL_MUTANTS) {
      const changed = await buildFor("6.12", options, hooks, [edit]);
      await withKernels(changed, (kernels) => run(name, kernels));
      if (hooks.signal.aborted) return;
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  } finally {
    // The folder is left as an ordinary build makes it; who is in a hurry lets the next one do that.
    if (!hooks.signal.aborted) await buildFor("6.12", options, hooks);
  }
}
