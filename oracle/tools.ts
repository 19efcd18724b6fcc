/**
 * The programs that build a kernel.
 *
 * @module
 */
import { InputError } from "../core/program/input_error.ts";

/** Programs, and the Debian packages they are in. */
const TOOLS: readonly (readonly [program: string, debian: string])[] = [
  ["make", "make"],
  ["gcc", "gcc"],
  ["ld", "binutils"],
  ["flex", "flex"],
  ["bison", "bison"],
  ["bc", "bc"],
  ["setsid", "util-linux"],
];
/** For tarballs. */
const UNPACKERS: readonly (readonly [program: string, debian: string])[] = [["tar", "tar"], ["xz", "xz-utils"]];

/**
 * Sees that everything a build needs can be run.
 *
 * @throws {InputError} naming all that is missing
 */
export async function checkTools(tarball: boolean): Promise<void> {
  const wanted = tarball ? [...TOOLS, ...UNPACKERS] : TOOLS;
  const there = await Promise.all(wanted.map(([program]) => runs(program)));
  const missing = wanted.filter((_, i) => !there[i]);
  if (missing.length === 0) return;
  throw new InputError(
    `building a kernel needs ${missing.map(([program]) => program).join(", ")}, which cannot be run; ` +
      `on Debian 'apt-get install ${missing.map(([, debian]) => debian).join(" ")}' installs ${
        missing.length === 1 ? "it" : "them"
      }`,
  );
}

async function runs(program: string): Promise<boolean> {
  try {
    await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null", stdin: "null" }).output();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
