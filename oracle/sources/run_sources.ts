/**
 * The `sources` command: the disciplines beside the source they were read from.
 *
 * @module
 */
import type { SourcesOptions } from "../../corpus/request.ts";
import { InputError } from "../../core/program/input_error.ts";
import { selectDisciplines } from "../../fuzz/cells.ts";
import type { Discipline } from "../../corpus/discipline.ts";
import { findSource, type GivenSource, givenSource, hasSource, type SourceVersion } from "../source.ts";
import { accept } from "./accept.ts";
import { checkTree, type DisciplineCheck, filesOf, READ_VERSIONS, readVersionFor } from "./check.ts";
import { withTree } from "./tree.ts";

/** Sources to look at: the one named, or those of the distribution. */
function sourcesOf(given: string | undefined, print: (line: string) => void): GivenSource[] {
  if (given !== undefined) return [givenSource(given)];
  return READ_VERSIONS.flatMap((version): GivenSource[] => {
    if (hasSource(version)) return [findSource(version)];
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
 * @returns whether no discipline is outgrown, or all that are were accepted
 */
export async function runSources(options: SourcesOptions, print: (line: string) => void): Promise<boolean> {
  const disciplines = selectDisciplines(options.disciplines).map((l) => l.discipline);
  const found = new Map<SourceVersion, readonly DisciplineCheck[]>();
  for (const source of sourcesOf(options.source, print)) {
    await withTree(source, filesOf(disciplines), (tree) => {
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
    });
  }
  if (!options.accept) return [...found.values()].every((checks) => checks.every((c) => !c.outgrown));
  return printAccepted(disciplines, found, print);
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
): boolean {
  const gone = [...found.values()].flat().flatMap((c) => c.functions).filter((f) => f.hash === undefined);
  const files = accept(disciplines, found);
  for (const file of files) print(`written: ${file}`);
  print(`${files.length} files have new hashes`);
  if (gone.length > 0) print(`${gone.length} entries name what is not there; no hash can mend that`);
  return gone.length === 0;
}
