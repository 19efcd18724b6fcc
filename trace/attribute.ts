/**
 * Which discipline of the catalogue an allocation or a free is laid to, and
 * where the recording says something else than the discipline's file.
 *
 * By stack: a discipline names functions (`frames`); of two that are met, the
 * one whose function stands further out is the more particular
 * (`crst_table_upgrade` above `crst_table_alloc`). By shape, where there are no
 * stacks: order and flags are exactly what one discipline asks for.
 *
 * @module
 */
import { KERNEL_BASES, parseKernelName } from "../core/kernel/names.ts";
import { __GFP_ACCOUNT, __GFP_ZERO } from "../core/memory/gfp.ts";
import type { Discipline } from "../corpus/discipline.ts";
import { canRunOn } from "../corpus/load_discipline.ts";
import { evidence } from "./functions.ts";
import type { Flags } from "./gfp.ts";
import type { Kind } from "./judge.ts";
import { type AllocShape, shapeOf } from "./shapes.ts";
import { type Symbols, UNKNOWN } from "./symbols.ts";

/** The kernel that was recorded. */
export interface Setup {
  readonly kernel: string;
  /** undefined where nothing says it: any may be. */
  readonly arch: string | undefined;
  /** How they are known. */
  readonly how: string;
}

/** What is known of the recording. */
export interface Known {
  readonly kinds: readonly Kind[];
  readonly flags: readonly Flags[];
  readonly symbols: Symbols;
  readonly disciplines: readonly Discipline[];
}

/** Whether an allocation is one of the discipline's. */
export function fits(shape: AllocShape, order: number, flags: Flags): boolean {
  if (shape.order !== order) return false;
  if (flags.strange) return true;
  if (order > 0 && shape.compound !== flags.compound) return false;
  return (shape.gfp & __GFP_ZERO) === (flags.bits & __GFP_ZERO);
}

/** A discipline, and how well it explains a kind of allocation. */
interface Candidate {
  readonly discipline: Discipline;
  readonly outermost: number;
  readonly fits: boolean;
}

function applies(d: Discipline, { kernel, arch }: Setup): boolean {
  if (d.canary || (arch !== undefined && d.arch !== arch && d.arch !== "generic")) return false;
  if (d.kernels.includes(kernel)) return true;
  const base = parseKernelName(kernel)?.base;
  return base !== undefined && d.kernels.includes(base) && canRunOn(d, kernel);
}

/** How far out a stack names one of a discipline's functions; -1 for not at all. */
function outermost(d: Discipline, kind: Kind, symbols: Symbols): number {
  return [kind.site, ...kind.callers].findLastIndex((s) => s !== UNKNOWN && d.frames.includes(symbols.names[s]!));
}

/** Whether order and flags alone say that this is a page table: what GFP_PGTABLE_USER asks for, or what its architecture does. */
function sameShape(d: Discipline, order: number, flags: Flags, setup: Setup): boolean {
  const marked = __GFP_ACCOUNT | __GFP_ZERO;
  if (order === 0 || ((flags.bits & marked) !== marked && setup.arch === undefined)) return false;
  if (d.frames.length === 0 || d.hypothetical) return false;
  const { allocs, frees } = shapeOf(d, setup.kernel);
  // What is split and leaves page by page is no sign of anything.
  return allocs.some((a) => a.order === order && a.gfp === flags.bits) &&
    frees.every((forms) => [...forms].every((form) => form === `0:${order}`));
}

/** The discipline whose order and flags an allocation has, where only one architecture has such a thing: the plainest of these. */
export function byShape(order: number, flags: Flags, setup: Setup, all: readonly Discipline[]): Discipline | undefined {
  const found = all.filter((d) => applies(d, setup) && sameShape(d, order, flags, setup));
  const [first] = found.sort((a, b) => a.config.length - b.config.length);
  return found.every((d) => d.arch === first!.arch) ? first : undefined;
}

/** The discipline that a kind of allocation is laid to, and whether it does what that says. */
export function attribute(kind: Kind, setup: Setup, known: Known): Candidate | undefined {
  const flags = known.flags[kind.flags]!;
  if (kind.by === "shape") {
    const discipline = byShape(kind.order, flags, setup, known.disciplines);
    return discipline && { discipline, outermost: 0, fits: true };
  }
  const rank = (c: Candidate) =>
    (c.discipline.hypothetical ? 0 : 1000) + (c.discipline.arch === "generic" ? 0 : 500) + 100 * c.outermost +
    (depends(c.discipline) ? 0 : 50) + (c.fits ? 20 : 0) - c.discipline.config.length;
  const candidates = known.disciplines
    .filter((d) => d.frames.length > 0 && outermost(d, kind, known.symbols) >= 0 && applies(d, setup))
    .map((discipline): Candidate => ({
      discipline,
      outermost: outermost(discipline, kind, known.symbols),
      fits: shapeOf(discipline, setup.kernel).allocs.some((a) => fits(a, kind.order, flags)),
    }))
    // What stands for many architectures, or for one configuration, is not contradicted by another: it is not meant.
    .filter((c) => c.fits || (c.discipline.arch !== "generic" && !depends(c.discipline)))
    .sort((a, b) => rank(b) - rank(a));
  return candidates[0];
}

/** Whether it is the kernel's configuration that says whether a discipline is there at all. */
function depends(d: Discipline): boolean {
  return d.config.some((option) => option !== "DEBUG_VM");
}

/** A hypothetical discipline that does what was recorded, where no real one does. */
export function describedBy(kind: Kind, setup: Setup, known: Known): Discipline | undefined {
  const flags = known.flags[kind.flags]!;
  return known.disciplines.find((d) =>
    d.hypothetical && applies(d, setup) && outermost(d, kind, known.symbols) >= 0 &&
    shapeOf(d, setup.kernel).allocs.some((a) => fits(a, kind.order, flags))
  );
}

/** The path of a discipline that a release took: the one that names its function, else one with a gather if that frees. */
export function freePath(d: Discipline, path: number, symbols: Symbols): number {
  const name = path === UNKNOWN ? "" : symbols.names[path]!;
  const named = d.free.findIndex((f) => f.frames.includes(name));
  if (named >= 0) return named;
  const gathers = /^tlb_/.test(name);
  return Math.max(0, d.free.findIndex((f) => /\btlb_\w+\(/.test(f.run) === gathers));
}

/** Whether one of a discipline's paths is known to go through that function. */
export function knowsPath(d: Discipline, name: string): boolean {
  return d.frames.includes(name) || d.free.some((f) => f.frames.includes(name) || f.name.replaceAll("-", "_") === name);
}

/** A version as a number that grows with it; undefined for what is no release of Linux. */
function versionNumber(text: string): number | undefined {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(text) ?? [];
  return major === undefined ? undefined : Number(major) * 1000 + Number(minor);
}

/** The releases that are modelled, oldest first. */
export const RELEASES: readonly string[] = KERNEL_BASES.filter((k) => /^\d+\.\d+$/.test(k))
  .toSorted((a, b) => versionNumber(a)! - versionNumber(b)!);

/**
 * `6.12.117-1-amd64` as a kernel: the newest that is not newer and that some
 * discipline of the architecture is about.
 */
export function modelledKernel(
  release: string,
  arch: string | undefined,
  disciplines: readonly Discipline[],
): string | undefined {
  const version = versionNumber(release);
  if (version === undefined) return undefined;
  const own = disciplines.filter((d) => !d.hypothetical && !d.canary && (arch === undefined || d.arch === arch));
  const named = RELEASES.filter((k) => own.some((d) => d.kernels.includes(k)));
  return (named.length === 0 ? RELEASES : named).findLast((k) => versionNumber(k)! <= version) ?? RELEASES[0];
}

/** What users and recordings say. */
export interface Said {
  readonly kernel?: string | undefined;
  readonly arch?: string | undefined;
}

/**
 * The kernel and architecture of a recording: what the user says, what the
 * recording says of itself, what only some kernels' functions are called; and
 * of the kernels that are left, the oldest that the catalogue explains best.
 */
export function findSetup(option: Said, header: Said, tells: Iterable<number>, known: Known): Setup {
  const facts = [...tells].map((s) => evidence(known.symbols.names[s]!));
  const arch = option.arch ?? header.arch ?? facts.find((f) => f.arch !== undefined)?.arch;
  if (option.kernel !== undefined) return { kernel: option.kernel, arch, how: "as --kernel says" };
  const recorded = modelledKernel(header.kernel ?? "", arch, known.disciplines);
  if (recorded !== undefined) return { kernel: recorded, arch, how: `for ${header.kernel}, as the recording says` };
  const since = facts.find((f) => f.since !== undefined)?.since;
  const before = since === undefined ? facts.find((f) => f.before !== undefined)?.before : undefined;
  const possible = RELEASES.filter((k) =>
    (since === undefined || versionNumber(k)! >= versionNumber(since)!) &&
    (before === undefined || versionNumber(k)! < versionNumber(before)!)
  );
  const unexplained = possible.map((kernel) => {
    const setup: Setup = { kernel, arch, how: "" };
    let count = 0;
    for (const kind of known.kinds) if (attribute(kind, setup, known)?.fits !== true) count += kind.allocations;
    return count;
  });
  const best = unexplained.indexOf(Math.min(...unexplained));
  return { kernel: possible[best] ?? "6.12", arch, how: "by its functions and tables" };
}
