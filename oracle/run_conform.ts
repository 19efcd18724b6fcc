/**
 * `deno task conform`: builds the kernel, runs programs on both sides, and says
 * what came of it.
 *
 * @module
 */
import { CHECKS } from "../core/kernel/checks.ts";
import { parseKernelName } from "../core/kernel/names.ts";
import { callName, CALLS, hasCall } from "../core/program/calls.ts";
import { InputError } from "../core/program/input_error.ts";
import { printProgram, printStep } from "../core/program/print.ts";
import { type Program, STEP_WORDS } from "../core/program/program.ts";
import { readProgramFile } from "../corpus/files.ts";
import type { BuildHooks, ConformHooks, ConformOptions } from "../corpus/request.ts";
import type { ConformShown, ShownDifference } from "../corpus/shown.ts";
import { buildKernel, type Built, cacheDir } from "./build.ts";
import type { Difference } from "./compare.ts";
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
  { building: progress, signal }: BuildHooks,
  edits: readonly Edit[] = [],
): Promise<Built> {
  const source = findSource(kernel, options.source);
  return buildKernel({ source, config: options.config, cache: cacheDir(), progress, edits, signal });
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

/** Runs the comparison; not ok where there is a difference. */
export async function runConform(options: ConformOptions, hooks: ConformHooks): Promise<ConformShown> {
  const kernel = versionOf(options.kernel);
  const config = modelConfig(options.config);
  // Files are read first: what is wrong with them is known before a kernel is built for minutes.
  const sources = options.files.length === 0
    ? undefined
    : options.files.map((file) => programSource(readProgramFile(file), file, kernel, config));
  const built = await buildFor(kernel, options, hooks);
  const what = [`Linux ${kernel}`, ...(options.config.length === 0 ? ["without DEBUG_VM"] : options.config)].join(" ");
  hooks.print(`${what}, build ${built.id}`);
  return await withKernels(built, async (kernels) => {
    const all = sources ?? allSources(kernel, config);
    const conform = new Conform(all, options.seed);
    const total = sources?.length ?? options.programs;
    const r = await conform.run(total, kernels, hooks);
    const interrupted = hooks.signal.aborted && r.found === undefined && r.programs < total;
    for (const line of summary(r)) hooks.print(line);
    if (interrupted) hooks.print(`stopped: ${r.programs} of ${total} programs`);
    const checks = options.coverage ? sourceChecks(built.tree) : [];
    if (options.coverage) {
      for (const line of coverageLines(kernel, config.includes("DEBUG_VM"), r.calls, r.fired)) hooks.print(line);
      for (const line of sourceCheckLines(checks)) hooks.print(line);
    }
    const reached = !options.coverage ||
      (everythingReached(kernel, config.includes("DEBUG_VM"), r.calls, r.fired) &&
        checks.every((c) => c.modelled || c.why !== undefined));
    const explained = r.found === undefined ? undefined : await explain(conform, kernels[0]!, r);
    for (const line of explained?.lines ?? []) hooks.print(line);
    const { programs, steps, median, fatal, cut, wild } = r;
    return {
      ok: r.found === undefined && reached,
      interrupted,
      kernel,
      config: options.config,
      build: built.id,
      seed: options.seed,
      programs,
      steps,
      median,
      fatal,
      cut,
      wild,
      difference: explained?.shown ?? null,
      ...(options.coverage && {
        calls: CALLS.filter((c) => hasCall(kernel, c)).map((c) => ({ call: callName(c), count: r.calls[c.id]! })),
        checks: CHECKS.map((c, i) => ({ check: `${c.kind} in ${c.fn}: ${c.text}`, count: r.fired[i]! })),
      }),
    };
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
async function explain(
  conform: Conform,
  kernel: Linux,
  r: Conformance,
): Promise<{ lines: readonly string[]; shown: ShownDifference }> {
  const { source, number, difference } = r.found!;
  conform.draw(source, number);
  const code = source.generator.code.slice(0, conform.drawnWords);
  const shrunk = await shrinkDifference(conform, kernel, source, code);
  if (shrunk === undefined) {
    const said =
      `program ${number} of ${source.name} differs after others only, at step ${difference.step}; run it again with this seed`;
    return {
      lines: [said, ...difference.unlike.map((u) => `  ${u.what}: model ${u.model}, Linux ${u.kernel}`)],
      shown: { program: said, unlike: unlikeOf(difference) },
    };
  }
  const program = printProgram(programOf(source, shrunk.code));
  return { lines: differenceLines(source, shrunk), shown: { program, unlike: unlikeOf(shrunk.difference) } };
}

function unlikeOf({ unlike }: Difference): ShownDifference["unlike"] {
  return unlike.map((u) => ({ what: u.what, model: u.model, linux: u.kernel }));
}

/** Flat code of a source as a program. */
function programOf(source: Source, code: Int32Array): Program {
  const k = source.machine.kernel;
  return {
    comments: [],
    kernel: k.name,
    arch: k.arch.name,
    config: k.config,
    pages: k.nrPages,
    code,
    slots: source.generator.names(),
    claims: [],
  };
}

/** A difference as people read it: the program, the step, and what each side has. */
export function differenceLines(source: Source, { code, difference, pc }: Shrunk): string[] {
  const program = programOf(source, code);
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
