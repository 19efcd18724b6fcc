/**
 * Where a kernel's source comes from: a package of the distribution under
 * /usr/src, or a tree or tarball that the user names. Nothing is fetched.
 *
 * @module
 */
import { basename, join, resolve } from "@std/path";
import { InputError, quote } from "../core/program/input_error.ts";

/** Versions whose functions are modelled and whose source can be built. */
export type SourceVersion = "6.1" | "6.12";

/** A kernel's source. */
export interface KernelSource {
  /** The tree or tarball. */
  readonly path: string;
  readonly kind: "tree" | "tarball";
  readonly version: SourceVersion;
}

/** Where distributions put kernel sources. */
const PLACES: readonly string[] = ["/usr/src"];
const TARBALL = /\.tar\.(xz|gz|bz2|zst)$/;

/**
 * The source to build.
 *
 * @param version the kernel that is wanted
 * @param given a tree or tarball; default the newest of that version under /usr/src
 * @throws {InputError} where there is none, or what is named is none
 */
export function findSource(version: SourceVersion, given?: string, places: readonly string[] = PLACES): KernelSource {
  if (given !== undefined) return namedSource(version, given);
  const found = places.flatMap((place) => candidates(place, version));
  found.sort((a, b) => b.modified - a.modified || (a.path < b.path ? 1 : -1));
  const newest = found[0];
  if (newest === undefined) {
    throw new InputError(
      `there is no source of Linux ${version} under ${places.join(", ")}; ` +
        `'apt-get install linux-source-${version}' puts one there, or name a tree or a tarball with --source`,
    );
  }
  return { path: newest.path, kind: newest.kind, version };
}

/** Whether there is a source to build. */
export function hasSource(version: SourceVersion, places: readonly string[] = PLACES): boolean {
  return places.some((place) => candidates(place, version).length > 0);
}

interface Candidate {
  readonly path: string;
  readonly kind: "tree" | "tarball";
  readonly modified: number;
}

function candidates(place: string, version: SourceVersion): Candidate[] {
  const list: Candidate[] = [];
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(place)];
  } catch {
    return list;
  }
  const name = new RegExp(`^linux-source-${version.replace(".", "\\.")}(\\.\\d+)*(\\.tar\\.\\w+)?$`);
  for (const entry of entries) {
    if (!name.test(entry.name)) continue;
    const path = join(place, entry.name);
    const stat = Deno.statSync(path);
    if (stat.isFile && TARBALL.test(entry.name)) {
      list.push({ path, kind: "tarball", modified: stat.mtime?.getTime() ?? 0 });
    } else if (stat.isDirectory && treeVersion(path) !== undefined) {
      list.push({ path, kind: "tree", modified: stat.mtime?.getTime() ?? 0 });
    }
  }
  return list;
}

/** `6.12` of a tree whose Makefile says VERSION = 6, PATCHLEVEL = 12; undefined for what is no kernel tree. */
export function treeVersion(tree: string): string | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(join(tree, "Makefile"));
    Deno.statSync(join(tree, "arch/um/Kconfig"));
  } catch {
    return undefined;
  }
  const version = /^VERSION = (\d+)$/m.exec(text)?.[1];
  const level = /^PATCHLEVEL = (\d+)$/m.exec(text)?.[1];
  return version !== undefined && level !== undefined ? `${version}.${level}` : undefined;
}

/** What is wrong with what was unpacked of a tarball, whose name need not tell its version. */
export function wrongTree(tree: string, { path, version }: KernelSource): string | undefined {
  const found = treeVersion(tree);
  if (found === version) return undefined;
  return found === undefined
    ? `${path} is no kernel's tarball: it has no Makefile with a version, or no arch/um`
    : `${path} is Linux ${found}, and kernel ${version} was asked for`;
}

/** A tree with its version, or a tarball, whose version its name need not tell. */
export type GivenSource =
  | { readonly path: string; readonly kind: "tree"; readonly version: string }
  | { readonly path: string; readonly kind: "tarball" };

/**
 * What the user named.
 *
 * @throws {InputError} where it is neither a kernel tree nor a tarball
 */
export function givenSource(given: string): GivenSource {
  const path = resolve(given);
  let stat: Deno.FileInfo;
  try {
    stat = Deno.statSync(path);
  } catch {
    throw new InputError(`--source ${quote(given)} does not exist; name a kernel tree or a tarball of one`);
  }
  if (stat.isFile) {
    if (TARBALL.test(basename(path))) return { path, kind: "tarball" };
    throw new InputError(`--source ${quote(given)} is a file, but no tarball (.tar.xz, .tar.gz); name a kernel tree`);
  }
  const version = treeVersion(path);
  if (version === undefined) {
    throw new InputError(
      `--source ${quote(given)} is no kernel tree: it has no Makefile with a version, or no arch/um`,
    );
  }
  return { path, kind: "tree", version };
}

function namedSource(version: SourceVersion, given: string): KernelSource {
  const source = givenSource(given);
  if (source.kind === "tarball") return { ...source, version };
  const { path, version: found } = source;
  if (found !== version) {
    throw new InputError(
      `--source ${quote(given)} is Linux ${found}, and kernel ${version} was asked for; ` +
        (found === "6.1" || found === "6.12" ? `say --kernel ${found}` : "ptfuzz models 6.1 and 6.12"),
    );
  }
  return { path, kind: "tree", version };
}
