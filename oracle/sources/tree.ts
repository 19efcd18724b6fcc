/**
 * A kernel's source to read functions from: a tree as it is, or the files of a
 * tarball that are wanted, unpacked to a place that is removed again.
 *
 * @module
 */
import { join } from "@std/path";
import { InputError, quote } from "../../core/program/input_error.ts";
import { Interrupted } from "../../corpus/request.ts";
import { type GivenSource, treeVersion } from "../source.ts";

/** A tree that files are read from. */
export interface SourceTree {
  /** `6.12`. */
  readonly version: string;
  /** The tree or tarball, for people. */
  readonly path: string;
  /** The text of a file; undefined where the tree has none. */
  read(path: string): string | undefined;
}

/** What shows that a tree is a kernel's. */
const ALWAYS: readonly string[] = ["Makefile", "arch/um/Kconfig"];

/**
 * Opens a source for the time that `use` takes.
 *
 * @param files paths that will be read
 * @throws {InputError} where a tarball holds no kernel, or cannot be unpacked
 */
export async function withTree<T>(
  source: GivenSource,
  files: readonly string[],
  use: (tree: SourceTree) => T,
): Promise<T> {
  if (source.kind === "tree") return use(treeAt(source.path, source.version, source.path));
  const dir = await Deno.makeTempDir({ prefix: "ptfuzz-sources-" });
  try {
    const said = await unpack(source.path, dir, files);
    const version = treeVersion(dir);
    if (version === undefined) {
      throw new InputError(
        `--source ${quote(source.path)} holds no kernel tree${said === "" ? "" : ` (tar says: ${said})`}; ` +
          "name a tree, or a tarball with one directory that is a tree",
      );
    }
    return use(treeAt(dir, version, source.path));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function treeAt(directory: string, version: string, path: string): SourceTree {
  const known = new Map<string, string | undefined>();
  return {
    version,
    path,
    read(file) {
      if (!known.has(file)) known.set(file, textOf(join(directory, file)));
      return known.get(file);
    },
  };
}

function textOf(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw new InputError(`it cannot be read (${error instanceof Error ? error.message : String(error)})`, {
      file: path,
    });
  }
}

/** Unpacks what is wanted. tar complains of files that are not there, which is for the caller to find; its last words. */
async function unpack(tarball: string, dir: string, files: readonly string[]): Promise<string> {
  const wanted = [...new Set([...ALWAYS, ...files])].map((file) => `*/${file}`);
  const args = ["-xf", tarball, "-C", dir, "--strip-components=1", "--wildcards", "--no-wildcards-match-slash"];
  try {
    const { stderr, signal } = await new Deno.Command("tar", {
      args: [...args, "--", ...wanted],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    // Ctrl-C in a terminal ends tar as well: half a tree would be compared as if it were whole.
    if (signal !== null) throw new Interrupted();
    return new TextDecoder().decode(stderr).split("\n").find((line) => !/Not found in archive/.test(line)) ?? "";
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new InputError("reading a tarball needs tar, which cannot be run; name an unpacked tree with --source");
  }
}
