import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { functionsOf } from "../core/kernel/create.ts";
import type { KernelFunctions } from "../core/kernel/kernel.ts";
import { PAGE_WORDS, W_PRIVATE } from "../core/memory/words.ts";
import { InputError } from "../core/program/input_error.ts";
import { parseProgram } from "../core/program/parse.ts";
import { replayProgram } from "../corpus/replay.ts";
import type { CampaignHooks, LinuxOptions } from "../corpus/request.ts";
import { LinuxCampaign, plansOn } from "./fuzz_linux.ts";
import { PlayedLinux } from "./played_linux_test_data.ts";
import type { BatchRunner } from "./sync_linux.ts";
import { versionFor } from "./run_fuzz_linux.ts";

const OPTIONS: LinuxOptions = {
  ops: 4_000,
  seed: 1,
  workers: 1,
  kernels: ["6.12"],
  disciplines: ["generic/exact"],
  config: [],
  mode: "discipline",
};

/** Searches on a tree that the model of 6.12 plays, with some functions changed. */
function search(options: Partial<LinuxOptions>, overrides?: Partial<KernelFunctions>, hooks: CampaignHooks = {}) {
  const config = ["DEBUG_VM"];
  const tree = { kernel: "6.12", arch: "generic", config, pages: 256, ...(overrides && { overrides }) };
  const kernels: BatchRunner[] = [new PlayedLinux(tree), new PlayedLinux(tree)];
  return new LinuxCampaign({ ...OPTIONS, ...options }, { version: "6.12", config, kernels }).run(hooks);
}

const { prep_new_page } = functionsOf("6.12");

const FORGETS_TAILS: Partial<KernelFunctions> = {
  __free_pages: (k, page, order) => {
    if (k.put_page_testzero(k, page)) k.free_unref_page(k, page, order);
  },
};

Deno.test("a tree that is as its version shows what is expected and no difference", async () => {
  const result = await search({});
  assertEquals(result.unexpected, 0);
  assertEquals(result.differences, undefined);
  assert(result.cells.every((c) => c.as_expected && c.steps >= 4_000));
});

Deno.test("a line changed in the tree is found, shrunk and explained", async () => {
  const { findings, unexpected, differences } = await search({ disciplines: ["arm/pgd"], ops: 8_000 }, FORGETS_TAILS);
  assert(unexpected > 0);
  const leak = findings.find((f) => f.invariant === "page-leak")!;
  assertEquals([leak.call, leak.pages, leak.expected], ["free_pages", 3, false]);
  assertStringIncludes(leak.program, "env get_page_unless_zero");
  assertStringIncludes(leak.explanation, "Linux 6.12 as it is modelled does not show it: this tree behaves otherwise.");
  assertStringIncludes(leak.explanation, "on the model");
  assert(differences !== undefined && differences.programs > 0);
  // The model has no such fault: what the program claims is this tree's.
  assert(replayProgram(parseProgram(leak.program, "leak.pt")).length > 0);
});

Deno.test("a change that breaks nothing is a difference, shrunk, and as expected", async () => {
  const result = await search({ ops: 2000 }, {
    // The page is told apart by nobody: `private` of an allocated page is its owner's.
    prep_new_page: (k, page, order, gfp) => {
      prep_new_page(k, page, order, gfp);
      k.mem[page * PAGE_WORDS + W_PRIVATE] = 1;
    },
  });
  assertEquals(result.unexpected, 0);
  assert(result.differences !== undefined);
  assertStringIncludes(result.differences.first, "page 0 private: 0x0 on the model, 0x1 on this tree");
  assertEquals(result.differences.first.split("\n").filter((line) => /\(.*\)$/.test(line)).length, 1);
});

Deno.test("a search that is stopped is what was found until then, and complains of nothing untried", async () => {
  const stop = new AbortController();
  const result = await search({ ops: 1e9 }, undefined, { signal: stop.signal, progress: () => stop.abort() });
  assertEquals([result.interrupted, result.unexpected], [true, 0]);
  assert(result.steps > 0 && result.steps < 1e6);
});

Deno.test("a request that cannot be met is refused before anything is built", () => {
  const refused: [Partial<LinuxOptions>, RegExp][] = [
    [{ disciplines: ["s390/crst"], mode: "hostile" }, /^--discipline s390\/crst has no meaning in hostile mode/],
    [
      { disciplines: ["x86/highpte"] },
      /x86\/highpte cannot run on a real kernel: user-mode Linux is built without HIGHMEM/,
    ],
    [{ disciplines: ["s390/crts"] }, /there is no discipline 's390\/crts'; did you mean/],
  ];
  for (const [options, message] of refused) {
    assertThrows(() => plansOn({ ...OPTIONS, ...options }, "6.12", []), InputError, undefined, String(message));
    try {
      plansOn({ ...OPTIONS, ...options }, "6.12", []);
    } catch (error) {
      assert(message.test((error as Error).message), (error as Error).message);
    }
  }
  const all = plansOn({ ...OPTIONS, disciplines: [], mode: undefined }, "6.12", []);
  assert(all.length > 30 && all.every((p) => p.loaded.discipline.kernels.includes("6.12")));
});

Deno.test("versionFor() takes the tree's version, or the one asked for, and says what is neither", () => {
  assertEquals(versionFor([], undefined), "6.12");
  assertEquals(versionFor(["6.1"], undefined), "6.1");
  for (
    const [kernels, message] of [
      [["v2"], "--kernel v2 is nothing that can be built; --target linux takes 6.1 or 6.12"],
      [["6.12-without-B1"], "--kernel 6.12-without-B1 is nothing that can be built"],
      [["6.1", "6.12"], "--target linux runs one kernel, and --kernel names 6.1, 6.12; name one"],
    ] as const
  ) {
    try {
      versionFor(kernels, undefined);
      assert(false, kernels.join());
    } catch (error) {
      assertStringIncludes((error as Error).message, message);
    }
  }
});
