/**
 * An overlay of a kernel tree: symbolic links into it, and files of our own
 * where something is added or changed. The tree itself is never written to, and
 * what an earlier build left in it is left out.
 *
 * @module
 */
import { dirname, join } from "@std/path";
import { InputError } from "../core/program/input_error.ts";

/** What a build inside the tree leaves behind: it would stop one outside (`make O=`). */
const LEFTOVERS: readonly string[] = [
  ".config",
  "include/config",
  "include/generated",
  "arch/um/include/generated",
  "arch/x86/include/generated",
];

/** A file to be added or changed, by its path in the tree. */
export type Files = ReadonlyMap<string, string>;

/** A line of a kernel file that is another in the patched tree. */
export interface Edit {
  /** Path in the tree. */
  readonly file: string;
  /** Text that occurs in it exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** Every folder above a path, the root "" first. */
function above(path: string): string[] {
  const list = [];
  for (let dir = dirname(path); dir !== "." && dir !== ""; dir = dirname(dir)) list.unshift(dir);
  return ["", ...list];
}

/**
 * Makes or renews an overlay. Files are written only where their text changed,
 * so that make builds no more than it has to.
 *
 * @param tree the kernel tree
 * @param to the overlay's folder
 */
export function makeOverlay(tree: string, to: string, files: Files): void {
  const real = new Set([...files.keys(), ...LEFTOVERS].flatMap(above));
  // A folder that is added on the way is visited on the way.
  for (const dir of real) {
    const from = join(tree, dir);
    makeDirectory(join(to, dir));
    const there = new Map([...Deno.readDirSync(join(to, dir))].map((e) => [e.name, e]));
    let entries: Deno.DirEntry[] = [];
    try {
      entries = [...Deno.readDirSync(from)];
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    for (const { name } of entries) {
      const path = dir === "" ? name : `${dir}/${name}`;
      if (real.has(path) || files.has(path) || LEFTOVERS.includes(path)) continue;
      const entry = there.get(name);
      if (entry?.isSymlink) continue;
      // Something in it was changed for an earlier build.
      if (entry?.isDirectory) real.add(path);
      // A file that was changed for an earlier build: the original, but newer than what was built.
      else if (entry?.isFile) writeChanged(join(to, path), Deno.readTextFileSync(join(tree, path)));
      else Deno.symlinkSync(join(tree, path), join(to, path));
    }
  }
  for (const [path, text] of files) writeChanged(join(to, path), text);
}

/** Makes a folder; a link in its place goes, so that nothing is written through it into the tree. */
function makeDirectory(path: string): void {
  try {
    if (Deno.lstatSync(path).isSymlink) Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  Deno.mkdirSync(path, { recursive: true });
}

/** Writes a file unless it has that text; a link in its place goes. */
function writeChanged(path: string, text: string): void {
  try {
    const stat = Deno.lstatSync(path);
    if (stat.isFile && Deno.readTextFileSync(path) === text) return;
    if (stat.isSymlink) Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  Deno.writeTextFileSync(path, text);
}

/**
 * Applies edits to files of a tree, on top of those that are changed already.
 *
 * @throws {InputError} where a text is not found exactly once
 */
export function applyEdits(tree: string, files: Map<string, string>, edits: readonly Edit[]): void {
  for (const { file, find, replace } of edits) {
    const text = files.get(file) ?? Deno.readTextFileSync(join(tree, file));
    const times = text.split(find).length - 1;
    if (times !== 1) {
      throw new InputError(`${file} has the text to be changed ${times} times, and it has to be there once: ${find}`);
    }
    files.set(file, text.replace(find, () => replace));
  }
}
