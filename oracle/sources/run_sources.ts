/**
 * The `sources` command: the disciplines beside the source they were read from.
 *
 * @module
 */
import { Interrupted, type SourcesOptions, type WorkHooks } from "../../corpus/request.ts";
import type { SourcesShown } from "../../corpus/shown.ts";
import { InputError } from "../../core/program/input_error.ts";
import { selectDisciplines } from "../../fuzz/cells.ts";
import type { Discipline } from "../../corpus/discipline.ts";
import { findSource, type GivenSource, givenSource, hasSource, type SourceVersion } from "../source.ts";
import { accept } from "./accept.ts";
import { checkTree, type DisciplineCheck, filesOf, READ_VERSIONS, readVersionFor } from "./check.ts";
import { withTree } from "./tree.ts";

/** The tree that is being unpacked when it is stopped is left out. */
async function unlessInterrupted(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  }
}

type ShownCheck = SourcesShown["trees"][number]["disciplines"][number];

/** Sources to look at: the one named, or those of the distribution; versions that are not there go to `skipped`. */
function sourcesOf(given: string | undefined, print: (line: string) => void, skipped: string[]): GivenSource[] {
  if (given !== undefined) return [givenSource(given)];
  return READ_VERSIONS.flatMap((version): GivenSource[] => {
    if (hasSource(version)) return [findSource(version)];
    skipped.push(version);
    print(
      `Linux ${version}: skipped, as there is no source of it under /usr/src ` +
        `('apt-get install linux-source-${version}' puts one there)`,
    );
    return [];
  });
}

/**
 * Compares disciplines with trees and prints what was found.
 *
 * @returns all of it; ok where no discipline is outgrown, or all that are were accepted
 */
export async function runSources(
  options: SourcesOptions,
  { print, progress, signal }: WorkHooks,
): Promise<SourcesShown> {
  const disciplines = selectDisciplines(options.disciplines).map((l) => l.discipline);
  const found = new Map<SourceVersion, readonly DisciplineCheck[]>();
  const trees: SourcesShown["trees"][number][] = [];
  const skipped: string[] = [];
  const sources = sourcesOf(options.source, print, skipped);
  for (const source of sources) {
    await progress(trees.length, sources.length, "trees");
    if (signal.aborted) break;
    await unlessInterrupted(withTree(source, filesOf(disciplines), (tree) => {
      const version = readVersionFor(tree.version);
      if (version === undefined) {
        throw new InputError(
          `--source is Linux ${tree.version}, and the oldest that disciplines were read from is ${READ_VERSIONS[0]}`,
        );
      }
      if (options.accept && tree.version !== version) {
        throw new InputError(
          `--accept writes what was read in Linux ${READ_VERSIONS.join(" and ")}, and this is ${tree.version}; ` +
            "a path that has changed since is a discipline of its own",
        );
      }
      const checks = checkTree(disciplines, tree, version);
      found.set(version, checks);
      printChecks(checks, tree.version, version, tree.path, print);
      trees.push({ version: tree.version, read: version, path: tree.path, disciplines: checks.map(shownCheck) });
    }));
  }
  const interrupted = trees.length < sources.length;
  const outgrown = [...found.values()].some((checks) => checks.some((c) => c.outgrown));
  if (interrupted) print(`stopped: ${trees.length} of ${sources.length} trees`);
  // Hashes of some of the trees are as good as those of all.
  const accepted = options.accept ? printAccepted(disciplines, found, print) : { ok: !outgrown, files: [] };
  return { ok: accepted.ok, interrupted, trees, skipped, written: accepted.files };
}

function shownCheck({ discipline, outgrown, functions }: DisciplineCheck): ShownCheck {
  return {
    discipline: discipline.name,
    file: discipline.file,
    outgrown,
    functions: functions.map(({ ref, fate }) => ({ function: `${ref.path}:${ref.name}`, fate })),
  };
}

function printChecks(
  checks: readonly DisciplineCheck[],
  tree: string,
  version: string,
  path: string,
  print: (line: string) => void,
): void {
  const compared = tree === version ? "" : `, compared with what was read in ${version}`;
  print(`Linux ${tree} (${path})${compared}`);
  for (const { discipline, functions } of checks.filter((c) => c.outgrown)) {
    print(`  ${discipline.name} is outgrown:`);
    for (const { ref, fate } of functions) {
      if (fate !== "as read" && fate !== "not hashed") print(`    ${fate}: ${ref.path}:${ref.name}`);
    }
  }
  const functions = checks.flatMap((c) => c.functions);
  const outgrown = checks.filter((c) => c.outgrown).length;
  const unhashed = functions.filter((f) => f.fate === "not hashed").length;
  const named = new Set(functions.map(({ ref }) => `${ref.path}:${ref.name}`)).size;
  print(
    `  ${checks.length} disciplines name ${named} functions: ${checks.length - outgrown} as they were read, ` +
      `${outgrown} outgrown`,
  );
  if (unhashed > 0) {
    print(`  ${unhashed} entries have no hash, so only their names were looked for ('--accept' writes hashes)`);
  }
}

function printAccepted(
  disciplines: readonly Discipline[],
  found: ReadonlyMap<SourceVersion, readonly DisciplineCheck[]>,
  print: (line: string) => void,
): { readonly ok: boolean; readonly files: readonly string[] } {
  const gone = [...found.values()].flat().flatMap((c) => c.functions).filter((f) => f.hash === undefined);
  const files = accept(disciplines, found);
  for (const file of files) print(`written: ${file}`);
  print(`${files.length} files have new hashes`);
  if (gone.length > 0) print(`${gone.length} entries name what is not there; no hash can mend that`);
  return { ok: gone.length === 0, files };
}
