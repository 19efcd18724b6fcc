/**
 * Where a linted file stands in the project.
 *
 * @module
 */
import { fromFileUrl, relative } from "@std/path";

const ROOT = fromFileUrl(new URL("..", import.meta.url));

/** A file's path from the project's root with forward slashes; as given where it is relative already. */
export function pathInProject(file: string): string {
  const path = file.startsWith("file:") ? fromFileUrl(file) : file;
  const inside = path.startsWith(ROOT) ? relative(ROOT, path) : path;
  return inside.replaceAll("\\", "/");
}

/** Whether a file tests others: `x_test.ts`. */
export function isTest(path: string): boolean {
  return /_test\.tsx?$/.test(path);
}

/** Whether a file measures others: `bench.ts`, `x_bench.ts`. */
export function isBench(path: string): boolean {
  return /(^|[/_])bench\.tsx?$/.test(path);
}
