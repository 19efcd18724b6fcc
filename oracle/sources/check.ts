/**
 * Which disciplines a tree has outgrown: whose functions it does not have any
 * more, or has with another text than the one that was read.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { KERNEL_BASES, type KernelBase, parseKernelName } from "../../core/kernel/names.ts";
import type { Discipline } from "../../corpus/discipline.ts";
import { hashFor, type SourceRef } from "../../corpus/source_ref.ts";
import type { SourceVersion } from "../source.ts";
import { definitionsOf } from "./c_text.ts";
import type { SourceTree } from "./tree.ts";

/** Kernels whose source the shipped disciplines were read from, oldest first. */
export const READ_VERSIONS: readonly SourceVersion[] = ["6.1", "6.12"];

/** What became of a function. */
export type Fate = "as read" | "not hashed" | "changed" | "no such function" | "no such file";

/** A function of a discipline in a tree. */
export interface FunctionCheck {
  readonly ref: SourceRef;
  readonly fate: Fate;
  /** Hash of its text in the tree, where it has it. */
  readonly hash?: string;
}

/** A discipline in a tree. */
export interface DisciplineCheck {
  readonly discipline: Discipline;
  readonly functions: readonly FunctionCheck[];
  readonly outgrown: boolean;
}

/** The version that a tree is compared with: the newest that was read and is no newer. */
export function readVersionFor(tree: string): SourceVersion | undefined {
  const number = (version: string) => version.split(".").reduce((n, part) => 1000 * n + Number(part), 0);
  return READ_VERSIONS.findLast((version) => number(version) <= number(tree));
}

/** Kernels, of those that were read, that an entry is about. */
export function versionsOf(d: Discipline, ref: SourceRef): SourceVersion[] {
  const bases = new Set<KernelBase>(d.kernels.flatMap((k) => parseKernelName(k)?.base ?? []));
  const about = (v: SourceVersion) => bases.has(v) && (ref.kernels.length === 0 || ref.kernels.includes(v));
  return READ_VERSIONS.filter(about);
}

/** A short hash of a function's text: eight digits, blind to comments and white space. */
export function hashOf(definitions: readonly string[]): string {
  return createHash("sha256").update(definitions.join("\n")).digest("hex").slice(0, 8);
}

function checkFunction(ref: SourceRef, tree: SourceTree, version: KernelBase): FunctionCheck {
  const text = tree.read(ref.path);
  if (text === undefined) return { ref, fate: "no such file" };
  const definitions = definitionsOf(ref.name, text);
  if (definitions.length === 0) return { ref, fate: "no such function" };
  const hash = hashOf(definitions);
  const read = hashFor(ref, version);
  return { ref, hash, fate: read === undefined ? "not hashed" : read === hash ? "as read" : "changed" };
}

/** Every discipline with functions of the version in a tree. */
export function checkTree(
  disciplines: readonly Discipline[],
  tree: SourceTree,
  version: SourceVersion,
): DisciplineCheck[] {
  return disciplines.flatMap((discipline): DisciplineCheck[] => {
    const refs = discipline.source.filter((ref) => versionsOf(discipline, ref).includes(version));
    if (refs.length === 0) return [];
    const functions = refs.map((ref) => checkFunction(ref, tree, version));
    const outgrown = functions.some(({ fate }) => fate !== "as read" && fate !== "not hashed");
    return [{ discipline, functions, outgrown }];
  });
}

/** Files that a check reads. */
export function filesOf(disciplines: readonly Discipline[]): string[] {
  return [...new Set(disciplines.flatMap((d) => d.source.map((ref) => ref.path)))].sort();
}

/** Order of kernels, for entries with a hash for each. */
export function byKernel([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return KERNEL_BASES.indexOf(a as KernelBase) - KERNEL_BASES.indexOf(b as KernelBase);
}
