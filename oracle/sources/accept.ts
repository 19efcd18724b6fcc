/**
 * Writes hashes into disciplines, once somebody has read the functions again.
 *
 * @module
 */
import { readTextFile } from "../../corpus/files.ts";
import type { Discipline } from "../../corpus/discipline.ts";
import { hashFor, printSourceRef, type SourceRef } from "../../corpus/source_ref.ts";
import { InputError } from "../../core/program/input_error.ts";
import type { SourceVersion } from "../source.ts";
import { byKernel, type DisciplineCheck, versionsOf } from "./check.ts";

/** Hashes found in trees, by version, then by entry. */
export type Found = ReadonlyMap<SourceVersion, readonly DisciplineCheck[]>;

/** An entry with the hashes that were found; as it is where a version's text is not known. */
function accepted(d: Discipline, ref: SourceRef, found: Found): SourceRef {
  const hashes = versionsOf(d, ref).map((version): [SourceVersion, string | undefined] => {
    const check = found.get(version)?.find((c) => c.discipline === d);
    return [version, check?.functions.find((f) => f.ref === ref)?.hash ?? hashFor(ref, version)];
  });
  if (hashes.length === 0 || hashes.some(([, hash]) => hash === undefined)) return ref;
  const known = (hashes as [SourceVersion, string][]).sort(byKernel);
  const same = known.every(([, hash]) => hash === known[0]![1]);
  const { path, name } = ref;
  const labelled = [...ref.hashes.keys()].some((k) => k !== "");
  // An entry that had a hash for one kernel is about that one.
  if (same && !(labelled && known.length === 1)) {
    const kernels = labelled ? [] : ref.kernels;
    return { path, name, kernels, hashes: new Map([["", known[0]![1]]]) };
  }
  return { path, name, kernels: known.map(([k]) => k), hashes: new Map(known) };
}

/** The text of a discipline with other entries: one a line. */
export function withSources(text: string, entries: readonly string[]): string | undefined {
  const old = /^source\s*=\s*\[[^\]]*\]/m.exec(text);
  if (old === null) return undefined;
  const lines = entries.map((e) => `  "${e}",`);
  return text.slice(0, old.index) + ["source  = [", ...lines, "]"].join("\n") + text.slice(old.index + old[0].length);
}

/** Writes what was found into the files; answers those that changed. */
export function accept(disciplines: readonly Discipline[], found: Found): string[] {
  return disciplines.flatMap((d) => {
    if (d.source.length === 0) return [];
    const text = readTextFile(d.file);
    const entries = d.source.map((ref) => printSourceRef(accepted(d, ref, found)));
    if (entries.every((entry, i) => entry === printSourceRef(d.source[i]!))) return [];
    const changed = withSources(text, entries);
    if (changed === undefined) {
      throw new InputError("its 'source' is not written as source = [...], so no hash can be put in", { file: d.file });
    }
    replaceFile(d.file, changed);
    return [d.file];
  });
}

/** Replaces a file at one stroke. */
function replaceFile(file: string, text: string): void {
  const part = `${file}.part`;
  try {
    Deno.writeTextFileSync(part, text);
    Deno.renameSync(part, file);
  } catch (error) {
    throw new InputError(`it cannot be written (${error instanceof Error ? error.message : String(error)})`, { file });
  }
}
