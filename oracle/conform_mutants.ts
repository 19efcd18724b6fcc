/**
 * `deno task conform --mutants`: could the comparison fail? Single lines of the
 * kernel's functions are changed, one at a time, in a patched tree, and single
 * functions of the model; each change has to show as a difference.
 *
 * @module
 */
import { type Mutant, mutantProgram, MUTANTS } from "../core/kernel/mutants.ts";
import { InputError } from "../core/program/input_error.ts";
import type { ConformHooks, ConformOptions } from "../corpus/request.ts";
import { parseProgram } from "../core/program/parse.ts";
import { Conform, type Conformance } from "./conform.ts";
import { KERNEL_MUTANTS } from "./kernel_mutants.ts";
import type { Linux } from "./linux.ts";
import { allSources, programSource } from "./programs.ts";
import { buildFor, modelConfig, withKernels } from "./run_conform.ts";

/** Programs that each mutant gets; one of the model that is not noticed in them gets the program that shows it. */
const PROGRAMS = 20_000;

/** Mutants of the model that this kernel cannot contradict. */
const NOT_SEEN: Readonly<Record<string, string>> = {
  "first-pageblock-only": "user-mode Linux has pageblocks of the largest order, so no block is freed in parts",
};

/** Runs the program that shows a mutant of the model. */
function ownProgram(mutant: Mutant, config: readonly string[], kernels: readonly Linux[]): Promise<Conformance> {
  const program = parseProgram(mutantProgram(mutant), mutant.name);
  const source = programSource(program, mutant.name, "6.12", config);
  return new Conform([source], 1, mutant.breaks).run(1, kernels, () => {});
}

/** Runs every mutant; false where one is not noticed. */
export async function runConformMutants(options: ConformOptions, hooks: ConformHooks): Promise<boolean> {
  if (options.kernel !== "6.12") throw new InputError("--mutants changes lines of 6.12; leave --kernel out");
  const config = modelConfig(options.config);
  const survivors: string[] = [];
  const row = (
    name: string,
    found: { difference: { step: number; unlike: readonly { what: string }[] } } | undefined,
    n: number,
  ) => {
    if (found === undefined) survivors.push(name);
    const said = found === undefined ? "NOT NOTICED" : `${found.difference.unlike[0]!.what}`;
    hooks.print(`${name.padEnd(58)} ${String(n).padStart(6)} programs  ${said}`);
  };
  const built = await buildFor("6.12", options, hooks.building);
  await withKernels(built, async (kernels) => {
    hooks.print("model with one function changed, the kernel as it is:");
    for (const mutant of MUTANTS.filter((m) => m.kernel === "6.12" && NOT_SEEN[m.name] === undefined)) {
      const conform = new Conform(allSources("6.12", config), options.seed, mutant.breaks);
      const r = await conform.run(PROGRAMS, kernels, () => {});
      const own = r.found === undefined ? await ownProgram(mutant, config, kernels) : undefined;
      row(mutant.name, r.found ?? own?.found, r.programs + (own?.programs ?? 0));
    }
    for (const [name, why] of Object.entries(NOT_SEEN)) hooks.print(`${name.padEnd(58)} left out: ${why}`);
  });
  hooks.print("kernel with one line changed, the model as it is:");
  try {
    for (const { name, edit } of KERNEL_MUTANTS) {
      const changed = await buildFor("6.12", options, hooks.building, [edit]);
      await withKernels(changed, async (kernels) => {
        const conform = new Conform(allSources("6.12", config), options.seed);
        const r = await conform.run(PROGRAMS, kernels, () => {});
        row(name, r.found, r.programs);
      });
    }
  } finally {
    await buildFor("6.12", options, hooks.building);
  }
  hooks.print(survivors.length === 0 ? "all were noticed" : `not noticed: ${survivors.join(", ")}`);
  return survivors.length === 0;
}
