/**
 * Checks everything (`deno task ci`): every step runs, also after one that
 * failed, and the last line counts the tests that really ran.
 *
 * @module
 */
import { stripAnsiCode } from "@std/fmt/colors";
import { hasSource } from "../oracle/source.ts";

/** A step: what it checks, and the command that does. */
interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Why it cannot be done on this machine, if so. */
  readonly skip?: () => string | undefined;
}

/** `conform` builds a kernel; a machine without a source of one still checks the rest. */
function withoutSource(): string | undefined {
  if (hasSource("6.12")) return undefined;
  return "there is no source of Linux 6.12 under /usr/src; 'apt-get install linux-source-6.12' puts one there";
}

/** The README's test command as it stands there, so that CI runs what a newcomer runs. */
const TEST_COMMAND = "npx -y deno@2.9.6 task test";

const STEPS: readonly Step[] = [
  { name: "format", command: ["deno", "fmt", "--check"] },
  { name: "lint", command: ["deno", "lint"] },
  { name: "types", command: ["deno", "check", "."] },
  { name: "documentation", command: ["deno", "doc", "--lint", "mod.ts"] },
  { name: "tests", command: TEST_COMMAND.split(" ") as [string, ...string[]] },
  { name: "sources", command: ["deno", "task", "sources"] },
  { name: "corpus", command: ["deno", "task", "replay"] },
  { name: "fuzz", command: ["deno", "task", "fuzz", "--ops", "4000000"] },
  { name: "hostile", command: ["deno", "task", "fuzz", "--mode", "hostile"] },
  { name: "mutants", command: ["deno", "task", "mutants"] },
  { name: "conform", command: ["deno", "task", "conform", "--programs", "20000"], skip: withoutSource },
  { name: "linux", command: ["deno", "task", "linux"], skip: withoutSource },
  { name: "faults", command: ["deno", "task", "faults"] },
];

/** How many tests passed and failed. */
export interface TestCount {
  readonly passed: number;
  readonly failed: number;
}

/**
 * Reads the summary that `deno test` ends with.
 *
 * @param output what it printed, colours and all
 * @returns the counts, or undefined where no test was run
 */
export function readTestCount(output: string): TestCount | undefined {
  const summaries = stripAnsiCode(output).matchAll(
    /^(?:ok|FAILED) \| (\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed/gm,
  );
  const last = [...summaries].at(-1);
  return last && { passed: Number(last[1]), failed: Number(last[2]) };
}

/** Names of the tests that `deno test` was told to leave out; a name says why. */
export function readSkipped(output: string): string[] {
  return [...stripAnsiCode(output).matchAll(/^(.*) \.\.\. ignored(?: \(.*\))?$/gm)].map(([, name = ""]) => name);
}

/** Runs a command with its output passed through; answers whether it succeeded, and its standard output. */
async function run([program, ...args]: Step["command"]): Promise<{ ok: boolean; output: string }> {
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped" }).spawn();
  const decoder = new TextDecoder();
  let output = "";
  for await (const chunk of child.stdout) {
    await Deno.stdout.write(chunk);
    output += decoder.decode(chunk, { stream: true });
  }
  return { ok: (await child.status).success, output };
}

/** Runs every step; answers the process's exit status. */
async function main(): Promise<number> {
  const failed: string[] = [];
  const skipped = new Map<string, string>();
  let tests: TestCount = { passed: 0, failed: 0 };
  let skippedTests: string[] = [];
  for (const { name, command, skip } of STEPS) {
    console.log(`\n== ${name}: ${command.join(" ")}`);
    const reason = skip?.();
    if (reason !== undefined) {
      skipped.set(name, reason);
      console.log(`skipped: ${reason}`);
      continue;
    }
    const { ok, output } = await run(command);
    if (!ok) failed.push(name);
    if (name !== "tests") continue;
    skippedTests = readSkipped(output);
    const count = readTestCount(output);
    // A summary of tests that all passed is no success where the command failed, nor is none at all.
    if (count === undefined && ok) failed.push(name);
    tests = { passed: count?.passed ?? 0, failed: Math.max(count?.failed ?? 0, failed.includes(name) ? 1 : 0) };
  }
  console.log(`\n== result`);
  for (const { name } of STEPS) {
    const reason = skipped.get(name);
    if (reason !== undefined) console.log(`skipped ${name}: ${reason}`);
    else console.log(`${failed.includes(name) ? "FAILED" : "ok    "} ${name}`);
  }
  for (const name of skippedTests) console.log(`skipped ${name}`);
  console.log(`${tests.passed} passed, ${tests.failed} failed`);
  return failed.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
