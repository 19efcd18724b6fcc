import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { InputError } from "../core/program/input_error.ts";
import type { Result } from "../corpus/result.ts";
import type { CampaignOptions } from "../corpus/request.ts";
import { runCampaign } from "./campaign.ts";
import { hashOf, readPools } from "./stored_pool.ts";

const OPTIONS: CampaignOptions = {
  ops: 60_000,
  seed: 1,
  workers: 1,
  kernels: [],
  disciplines: ["s390/crst-half-converted", "generic/pte", "mips/kvm-pgd"],
  mode: "discipline",
  config: [],
};

async function withFile<T>(text: string, body: (file: string) => Promise<T>): Promise<T> {
  const dir = await Deno.makeTempDir();
  try {
    const file = `${dir}/mine.toml`;
    await Deno.writeTextFile(file, text);
    return await body(file);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const run = (more: Partial<CampaignOptions>): Promise<Result> => runCampaign({ ...OPTIONS, ...more });

Deno.test("the result is the same from two runs of one seed, and from 1, 2 and 3 workers", async () => {
  const one = JSON.stringify(await run({}));
  assertEquals(JSON.stringify(await run({})), one);
  assertEquals(JSON.stringify(await run({ workers: 2 })), one);
  assertEquals(JSON.stringify(await run({ workers: 3 })), one);
});

Deno.test("what is found is reported the same, whichever worker shrank it", async () => {
  const hostile = { mode: "hostile", disciplines: [], kernels: ["6.12"] } as const;
  assertEquals(await run({ ...hostile, workers: 3 }), await run(hostile));
  await withFile(LEAKY, async (file) => {
    assertEquals(await run({ disciplines: [file], workers: 3 }), await run({ disciplines: [file] }));
  });
});

Deno.test("no cell has the same digest for two seeds", async () => {
  const [a, b] = [await run({}), await run({ seed: 2 })];
  assertEquals(a.cells.length, 4);
  a.cells.forEach((cell, i) => assertNotEquals(cell.digest, b.cells[i]!.digest));
});

Deno.test("what the stored programs show is expected, and counts as shown whatever the budget", async () => {
  const result = await run({ ops: 400 });
  assertEquals(result.unexpected, 0);
  assert(result.cells.every((c) => c.as_expected), "every path is taken once before chance decides");
  const half = result.findings.filter((f) => f.discipline === "s390/crst-half-converted").map((f) => f.invariant);
  assertEquals([...new Set(half)].sort(), ["family", "head-misuse", "order-mismatch", "page-leak"]);
  assertEquals(result.findings.find((f) => f.discipline === "mips/kvm-pgd" && f.invariant === "page-leak")?.pages, 1);
});

const LEAKY = `
name = "mine/leaky"
kernels = ["6.12"]
[alloc]
run = '''
p = alloc_pages(GFP_KERNEL, 2)
a = page_to_virt(p)
clear_page(a)
'''
[free.all]
run = '''
put_page(p)
'''
`;

Deno.test("a discipline that leaks is found, shrunk to the lines of its paths, and explained", async () => {
  await withFile(LEAKY, async (file) => {
    const result = await run({ disciplines: [file] });
    const leak = result.findings.find((f) => f.invariant === "page-leak")!;
    assertEquals(leak.expected, false);
    assertEquals(leak.severity, "leak");
    assertEquals(leak.pages, 3);
    assertEquals(leak.signature, "6.12 generic mine/leaky: page-leak by put_page (3 pages)");
    assertMatch(leak.program, /p0 = alloc_pages\(GFP_KERNEL, 2\)\n/);
    assert(leak.steps <= 4, leak.program);
    assertMatch(leak.explanation, /belong to nobody/);
    assert(result.unexpected > 0);
  });
});

Deno.test("an expectation that no stored program shows makes the cell not as expected", async () => {
  const expecting = LEAKY.replace("put_page(p)", "__free_pages(p, 2)") +
    `[[expect]]\nkernels = ["6.12"]\ninvariants = ["page-leak"]\nwhy = "it was so"\nshown-by = []\n`;
  await withFile(expecting, async (file) => {
    const [cell] = (await run({ disciplines: [file] })).cells;
    assertEquals(cell!.as_expected, false);
    assertMatch(cell!.complaints.join(), /page-leak is expected on 6.12, and no stored program shows it/);
  });
});

Deno.test("with DEBUG_VM the kernel notices what is expected, and that is no finding of its own", async () => {
  for (const config of [[], ["DEBUG_VM"]]) {
    const r = await run({ disciplines: ["mips/kvm-pmd-6.1"], kernels: ["6.1"], config, ops: 2000 });
    assertEquals(r.unexpected, 0);
    assertEquals(
      r.findings.map((f) => f.invariant).sort(),
      config.length > 0 ? ["constructor", "kernel-check"] : ["constructor"],
    );
  }
});

Deno.test("a canary that is not found fails the run", async () => {
  const right = "canary = true\n" + LEAKY.replace("put_page(p)", "__free_pages(p, 2)");
  await withFile(right, async (file) => {
    const result = await run({ disciplines: [file] });
    assertMatch(result.cells[0]!.complaints.join(), /did not find what is wrong with the canary/);
    assert(result.unexpected > 0);
  });
});

Deno.test("a path that never once succeeds is not as expected", async () => {
  const huge = LEAKY.replace("alloc_pages(GFP_KERNEL, 2)", "alloc_pages(GFP_KERNEL, 8)\nq = alloc_page(GFP_KERNEL)");
  await withFile(huge, async (file) => {
    const result = await run({ disciplines: [file] });
    assertMatch(result.cells[0]!.complaints.join(), /alloc_page of \[alloc\] never once ran with success/);
  });
});

Deno.test("a discipline runs on a kernel without a repair, and the repair's bug is found", async () => {
  const result = await run({ disciplines: ["arm/pgd"], kernels: ["6.12-without-B1"], ops: 200_000 });
  const leak = result.findings.find((f) => f.invariant === "page-leak");
  assertEquals(leak?.pages, 3);
  assertEquals(leak?.expected, false);
  assertMatch(leak!.program, /env get_page_unless_zero/);
});

Deno.test("--config is part of the cell and of the signature", async () => {
  const result = await run({ disciplines: ["mips/kvm-pgd"], config: ["DEBUG_VM"] });
  assertEquals(result.cells[0]!.config, ["DEBUG_VM"]);
  assert(result.findings.every((f) => f.signature.startsWith("6.12 mips DEBUG_VM mips/kvm-pgd: ")));
});

Deno.test("an unknown discipline is one sentence with the nearest name", async () => {
  await assertRejects(() => run({ disciplines: ["mips/kvm-pgt"] }), InputError, "did you mean 'mips/kvm-pgd'?");
});

Deno.test("a kernel that lacks a discipline's calls is one sentence that names the call", async () => {
  await assertRejects(() => run({ disciplines: ["mips/kvm-pgd"], kernels: ["6.1"] }), InputError, "virt_to_ptdesc");
});

Deno.test("a block larger than the zone is refused, with the line that would hold it", async () => {
  await withFile(LEAKY.replace("alloc_pages(GFP_KERNEL, 2)", "alloc_pages(GFP_KERNEL, 9)"), async (file) => {
    await assertRejects(() => run({ disciplines: [file] }), InputError, "write 'pages = 1024' or more");
  });
});

Deno.test("a discipline in hostile mode is refused, and not passed over", async () => {
  await assertRejects(() => run({ mode: "hostile" }), InputError, "has no meaning in hostile mode");
});

Deno.test("a shown-by that is not there names the discipline and every place that was looked at", async () => {
  const expecting = LEAKY +
    `[[expect]]\nkernels = ["6.12"]\ninvariants = ["page-leak"]\nwhy = "so"\nshown-by = "nosuch.pt"\n`;
  await withFile(expecting, async (file) => {
    const error = await assertRejects(() => run({ disciplines: [file] }), InputError, "shown-by names 'nosuch.pt'");
    assertMatch(error.message, /mine\.toml/);
  });
});

Deno.test("a line behind the call at which what is expected ends the program is not asked for, one before it is", async () => {
  const result = await run({ disciplines: ["mips/kvm-pmd"], kernels: [], ops: 4000 });
  assertEquals(result.cells.map((c) => [c.discipline, c.complaints]), [["mips/kvm-pmd", []]]);
  assertEquals(result.findings.map((f) => [f.invariant, f.expected]).filter(([i]) => i === "constructor"), [
    ["constructor", true],
  ]);
});

Deno.test("a pool is kept, begins the next run, and with one pool the result is one whatever the workers", async () => {
  const dir = Deno.makeTempDirSync();
  try {
    const options: CampaignOptions = { ...OPTIONS, disciplines: ["generic/pte"], corpus: `${dir}/a` };
    const first = await runCampaign(options);
    assertEquals(first.pool!.programs, 0);
    const stored = readPools(`${dir}/a`);
    assert([...stored.values()].every((p) => p.entries.length > 3));
    const results = [];
    for (const workers of [1, 2, 4]) {
      const corpus = `${dir}/${workers}`;
      Deno.mkdirSync(corpus);
      for (const { name } of Deno.readDirSync(`${dir}/a`)) Deno.copyFileSync(`${dir}/a/${name}`, `${corpus}/${name}`);
      results.push(await runCampaign({ ...options, corpus, workers }));
    }
    assertEquals(results[0]!.pool!.hash, hashOf(stored));
    assert(results[0]!.pool!.programs > 0);
    assertNotEquals(results[0]!.cells[0]!.digest, first.cells[0]!.digest);
    assertEquals(results[1], results[0]);
    assertEquals(results[2], results[0]);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
});

Deno.test("a run that is stopped before it began has a result, and it says so", async () => {
  const result = await runCampaign({ ...OPTIONS, disciplines: ["generic/pte"] }, { signal: AbortSignal.abort() });
  assertEquals(result.interrupted, true);
  assertEquals(result.steps, 0);
});
