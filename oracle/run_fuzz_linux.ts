/**
 * `deno task fuzz --target linux`: builds the tree, boots it, and searches on it.
 *
 * @module
 */
import { parseKernelName } from "../core/kernel/names.ts";
import { InputError, quote } from "../core/program/input_error.ts";
import type { BuildHooks, CampaignHooks, LinuxOptions } from "../corpus/request.ts";
import type { Result } from "../corpus/result.ts";
import { buildKernel, cacheDir } from "./build.ts";
import { LinuxCampaign, plansOn } from "./fuzz_linux.ts";
import type { Edit } from "./overlay.ts";
import { findSource, type SourceVersion, treeVersion } from "./source.ts";
import { SyncLinux } from "./sync_linux.ts";

/** What is built: the kernel's own checks are judges too. */
const CONFIG: readonly string[] = ["DEBUG_VM"];
/** Kernels that take turns. */
const KERNELS = 2;

/** The version that a tree is modelled after: the one asked for, or the tree's own, or the newest. */
export function versionFor(kernels: readonly string[], source: string | undefined): SourceVersion {
  if (kernels.length > 1) {
    throw new InputError(`--target linux runs one kernel, and --kernel names ${kernels.join(", ")}; name one`);
  }
  const asked = kernels[0];
  if (asked !== undefined) {
    const name = parseKernelName(asked);
    if (name?.without.length === 0 && (name.base === "6.1" || name.base === "6.12")) return name.base;
    throw new InputError(`--kernel ${asked} is nothing that can be built; --target linux takes 6.1 or 6.12`);
  }
  const found = source === undefined ? undefined : treeVersion(source);
  if (found === undefined || found === "6.12") return "6.12";
  if (found === "6.1") return "6.1";
  throw new InputError(
    `--source ${quote(source!)} is Linux ${found}, and ptfuzz models 6.1 and 6.12; name a tree of one of these`,
  );
}

/**
 * Runs a campaign on a real kernel.
 *
 * @param edits lines of it that are to be others, for proofs
 */
export async function runLinuxCampaign(
  options: LinuxOptions,
  hooks: CampaignHooks & BuildHooks,
  edits: readonly Edit[] = [],
): Promise<Result> {
  for (const name of options.config) {
    if (!CONFIG.includes(name)) {
      throw new InputError(`--config ${name}: a real kernel is built with ${CONFIG.join(", ")}; leave it out`);
    }
  }
  const version = versionFor(options.kernels, options.source);
  // What is wrong with the request is said before a kernel is built for minutes.
  plansOn(options, version, CONFIG);
  const source = findSource(version, options.source);
  const { building: progress, signal } = hooks;
  const built = await buildKernel({ source, config: CONFIG, cache: cacheDir(), progress, edits, signal });
  hooks.building(`booting Linux ${version}, ${source.path}, build ${built.id}`);
  const kernels: SyncLinux[] = [];
  try {
    for (let i = 0; i < KERNELS; i++) kernels.push(await SyncLinux.boot(built.binary));
    return await new LinuxCampaign(options, { version, config: CONFIG, kernels }).run(hooks);
  } finally {
    for (const kernel of kernels) await kernel.close();
  }
}
