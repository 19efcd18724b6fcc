/**
 * `deno task conform`: builds the kernel, runs programs on both sides, and says
 * what came of it.
 *
 * @module
 */
import { parseKernelName } from "../core/kernel/names.ts";
import { callName, CALLS } from "../core/program/calls.ts";
import { InputError } from "../core/program/input_error.ts";
import { printProgram, printStep } from "../core/program/print.ts";
import { type Program, STEP_WORDS } from "../core/program/program.ts";
import { readProgramFile } from "../corpus/files.ts";
import type { ConformHooks, ConformOptions } from "../corpus/request.ts";
import { buildKernel, type Built, cacheDir } from "./build.ts";
import { Conform, type Conformance } from "./conform.ts";
import { coverageLines, everythingReached } from "./coverage.ts";
import { Linux } from "./linux.ts";
import { sourceCheckLines, sourceChecks } from "./source_checks.ts";
import { allSources, programSource, type Source } from "./programs.ts";
import { shrinkDifference, type Shrunk } from "./shrink_difference.ts";
import { findSource, type SourceVersion } from "./source.ts";
import type { Edit } from "./overlay.ts";

/** Which of the configurations of a build the model knows as well. */
export function modelConfig(config: readonly string[]): string[] {
  return config.filter((c) => c === "DEBUG_VM" || c === "MEMCG");
}

/** Builds the kernel that is asked for. */
export function buildFor(
  kernel: SourceVersion,
  options: Pick<ConformOptions, "config" | "source">,
  progress: (text: string) => void,
  edits: readonly Edit[] = [],
): Promise<Built> {
  const source = findSource(kernel, options.source);
  return buildKernel({ source, config: options.config, cache: cacheDir(), progress, edits });
}

/** Boots the two kernels that take turns, and sees to it that they end. */
export async function withKernels<T>(built: Built, work: (kernels: readonly Linux[]) => Promise<T>): Promise<T> {
  const kernels: Linux[] = [];
  try {
    for (let i = 0; i < 2; i++) kernels.push(await Linux.boot(built.binary));
    return await work(kernels);
  } finally {
    for (const kernel of kernels) await kernel.close();
  }
}

/** Runs the comparison; false where there is a difference. */
export async function runConform(options: ConformOptions, hooks: ConformHooks): Promise<boolean> {
  const kernel = versionOf(options.kernel);
  const config = modelConfig(options.config);
  // Files are read first: what is wrong with them is known before a kernel is built for minutes.
  const sources = options.files.length === 0
    ? undefined
    : options.files.map((file) => programSource(readProgramFile(file), file, kernel, config));
  const built = await buildFor(kernel, options, hooks.building);
  const what = [`Linux ${kernel}`, ...(options.config.length === 0 ? ["without DEBUG_VM"] : options.config)].join(" ");
  hooks.print(`${what}, build ${built.id}`);
  return await withKernels(built, async (kernels) => {
    const all = sources ?? allSources(kernel, config);
    const conform = new Conform(all, options.seed);
    const total = sources?.length ?? options.programs;
    const r = await conform.run(total, kernels, (done) => hooks.progress(done, total));
    hooks.done();
    for (const line of summary(r)) hooks.print(line);
    const checks = options.coverage ? sourceChecks(built.tree) : [];
    if (options.coverage) {
      for (const line of coverageLines(kernel, config.includes("DEBUG_VM"), r.calls, r.fired)) hooks.print(line);
      for (const line of sourceCheckLines(checks)) hooks.print(line);
    }
    if (r.found === undefined) {
      return !options.coverage ||
        (everythingReached(kernel, config.includes("DEBUG_VM"), r.calls, r.fired) &&
          checks.every((c) => c.modelled || c.why !== undefined));
    }
    for (const line of await explain(conform, kernels[0]!, r)) hooks.print(line);
    return false;
  });
}

function versionOf(name: string): SourceVersion {
  const base = parseKernelName(name);
  if (base !== undefined && base.without.length === 0 && (base.base === "6.1" || base.base === "6.12")) {
    return base.base;
  }
  throw new InputError(`--kernel ${name} cannot be built: there is a source for 6.1 and for 6.12`);
}

/** What a run came to, in two lines. */
export function summary(r: Conformance): string[] {
  const rate = r.seconds === 0 ? 0 : Math.round(r.steps / r.seconds);
  return [
    `${r.programs} programs, ${r.steps} steps compared, median ${r.median} steps, ${rate} steps/s: ` +
    `${r.found === undefined ? "no difference" : "a difference"}`,
    `${r.fatal} were run to the BUG that the model predicts, ${r.cut} to the step before it, ` +
    `${r.wild} to the step before a wild pointer or an endless loop`,
  ];
}

/** The first difference, shrunk, side by side. */
async function explain(conform: Conform, kernel: Linux, r: Conformance): Promise<string[]> {
  const { source, number, difference } = r.found!;
  conform.draw(source, number);
  const code = source.generator.code.slice(0, conform.drawnWords);
  const shrunk = await shrinkDifference(conform, kernel, source, code);
  if (shrunk === undefined) {
    return [
      `program ${number} of ${source.name} differs after others only, at step ${difference.step}; run it again with this seed`,
      ...difference.unlike.map((u) => `  ${u.what}: model ${u.model}, Linux ${u.kernel}`),
    ];
  }
  return differenceLines(source, shrunk);
}

/** A difference as people read it: the program, the step, and what each side has. */
export function differenceLines(source: Source, { code, difference, pc }: Shrunk): string[] {
  const k = source.machine.kernel;
  const program: Program = {
    comments: [],
    kernel: k.name,
    arch: k.arch.name,
    config: k.config,
    pages: k.nrPages,
    code,
    slots: source.generator.names(),
    claims: [],
  };
  const step = pc < 0 || pc >= code.length
    ? "putting back what was still held"
    : printStep(program, pc / STEP_WORDS) + (CALLS[code[pc]!] === undefined ? "" : ` (${callName(CALLS[code[pc]!]!)})`);
  const rows = difference.unlike.map((u) => [u.what, u.model, u.kernel]);
  const wide = [0, 1].map((c) => Math.max(...rows.map((r) => r[c]!.length), c === 1 ? 5 : 0));
  const row = (a: string, b: string, c: string) => `  ${a.padEnd(wide[0]!)}  ${b.padEnd(wide[1]!)}  ${c}`;
  return [
    "",
    ...printProgram(program).trimEnd().split("\n").map((line) => `    ${line}`),
    "",
    `after ${step}:`,
    row("", "model", "Linux"),
    ...rows.map(([a, b, c]) => row(a!, b!, c!)),
  ];
}
