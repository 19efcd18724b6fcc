/**
 * `deno task replay FILE --target linux`: stored programs on a real kernel, and
 * whether it shows what they claim. What `fuzz --target linux` found is stored
 * so, and tried again when the tree has been repaired.
 *
 * @module
 */
import { compareClaims, findingsOf } from "../core/program/findings.ts";
import { InputError } from "../core/program/input_error.ts";
import type { Program } from "../core/program/program.ts";
import { readProgramFile } from "../corpus/files.ts";
import type { BuildHooks, LinuxReplay } from "../corpus/request.ts";
import type { ReplayedProgram } from "../corpus/result.ts";
import { buildKernel, cacheDir } from "./build.ts";
import { LinuxMachine } from "./linux_machine.ts";
import { BUILDABLE } from "./places.ts";
import { fits } from "./programs.ts";
import { findSource, type SourceVersion } from "./source.ts";
import { SyncLinux } from "./sync_linux.ts";

/** Kernel and configuration that a program is run on. */
function buildOf(program: Program, file: string): { version: SourceVersion; config: readonly string[] } {
  const version = program.kernel;
  if (version !== "6.1" && version !== "6.12") {
    throw new InputError(`the program is for kernel ${version}, and only 6.1 and 6.12 can be built`, { file });
  }
  const strange = program.config.find((c) => !BUILDABLE.includes(c));
  if (strange !== undefined) {
    throw new InputError(`user-mode Linux is built without ${strange}; take it out of the program's config`, { file });
  }
  if (!fits(program)) {
    throw new InputError("a real kernel cannot run it: it has 'env place', or more than 1024 pages; take that out", {
      file,
    });
  }
  return { version, config: program.config.filter((c) => c === "DEBUG_VM") };
}

/** Replays files on the kernels that they are for. */
export async function replayOnLinux({ files, source }: LinuxReplay, hooks: BuildHooks): Promise<ReplayedProgram[]> {
  const programs = files.map((file) => {
    const program = readProgramFile(file);
    return { file, program, build: buildOf(program, file) };
  });
  const replayed = new Map<string, ReplayedProgram>();
  const keys = new Set(programs.map(({ build }) => `${build.version} ${build.config.join(" ")}`));
  for (const key of keys) {
    const mine = programs.filter(({ build }) => `${build.version} ${build.config.join(" ")}` === key);
    const { version, config } = mine[0]!.build;
    const found = findSource(version, source);
    const built = await buildKernel({
      source: found,
      config,
      cache: cacheDir(),
      progress: hooks.building,
      signal: hooks.signal,
    });
    const linux = await SyncLinux.boot(built.binary);
    try {
      for (const { file, program } of mine) {
        const machine = new LinuxMachine(program, linux);
        machine.run(program);
        const complaints = compareClaims(program.claims, findingsOf(machine, program.slots));
        replayed.set(file, { file, ok: complaints.length === 0, complaints });
      }
    } finally {
      await linux.close();
    }
  }
  return files.map((file) => replayed.get(file)!);
}
