/**
 * Runs KUnit tests on a real kernel: they are built into user-mode Linux, which
 * boots, runs them and powers off.
 *
 * @module
 */
import { buildKernel, type BuildRequest, type Built } from "./build.ts";

/** A test's file for mm/. */
export interface KunitFile {
  readonly name: string;
  readonly text: string;
}

/** What came of one test case. */
export interface KunitCase {
  readonly name: string;
  readonly ok: boolean;
  /** What its failed expectations said. */
  readonly said: readonly string[];
}

/** A result of KTAP: a case is indented under its suite. */
const CASE = /^ {4}(not ok|ok) \d+ (\S+)/;

/** The cases in what a kernel printed; those of a kernel that died before they ended are missing. */
export function readKtap(text: string): KunitCase[] {
  const cases: KunitCase[] = [];
  let said: string[] = [];
  for (const line of text.split("\n")) {
    const found = CASE.exec(line.trimEnd());
    if (found !== null) {
      cases.push({ name: found[2]!, ok: found[1] === "ok", said });
      said = [];
    } else if (/^ {4}# Subtest:/.test(line)) said = [];
    else if (!/^(KTAP|\s*1\.\.|\s*# )/.test(line.trim()) && line.trim() !== "") said.push(line.trim());
  }
  return cases;
}

/** Builds a kernel with these tests, made with the tree at hand. */
export function buildKunit(request: BuildRequest, files: (tree: string) => readonly KunitFile[]): Promise<Built> {
  return buildKernel({ ...request, extra: files });
}

/** Boots a kernel and lets it run its tests; all that it printed. */
export async function bootKunit(binary: string): Promise<string> {
  const dir = await Deno.makeTempDir({ prefix: "ptfuzz-" });
  try {
    const { stdout } = await new Deno.Command(binary, {
      args: [
        "mem=256M",
        "panic=-1",
        "con=null",
        "con0=fd:0,fd:1",
        "ssl=null",
        "console=tty0",
        "kunit.enable=1",
        "kunit_shutdown=poweroff",
        `uml_dir=${dir}/`,
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).output();
    return new TextDecoder().decode(stdout);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
