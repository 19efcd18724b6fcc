import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../../core/program/input_error.ts";
import { sampleCell, sampleRecording, sampleResult } from "../sample_test_data.ts";
import { displayWidth } from "../text.ts";
import { REPORT_FILES } from "../write.ts";
import { run } from "./run.ts";
import {
  type CampaignOptions,
  type FaultsOptions,
  Interrupted,
  type LinuxOptions,
  type TraceOptions,
  type WorkHooks,
} from "../../corpus/request.ts";
import type { Work } from "./work.ts";

const clean = sampleResult({ cells: [sampleCell()], findings: [], replayed: [], unexpected: 0 });

const HELD = { ok: true, interrupted: false };
const PUT = { ...HELD, seed: 1, ops: 1, cells: [], of: 0 };
const COMPARED = {
  ...HELD,
  kernel: "6.12",
  config: [],
  build: "0123456789abcdef",
  seed: 1,
  programs: 1,
  steps: 2,
  median: 2,
  fatal: 0,
  cut: 0,
  wild: 0,
  difference: null,
};

/** Runs a command line with made-up work and no process. */
async function ran(args: string[], over: Partial<Work> = {}) {
  let out = "";
  let err = "";
  const requests: CampaignOptions[] = [];
  const work: Work = {
    runCampaign: (request) => {
      requests.push(request);
      return Promise.resolve(clean);
    },
    runTrace: () => Promise.resolve(clean),
    replayFiles: (files) => Promise.resolve(files.map((file) => ({ file, ok: true, complaints: [] }))),
    replayOnLinux: ({ files }) => Promise.resolve(files.map((file) => ({ file, ok: true, complaints: [] }))),
    shrinkFile: () => Promise.resolve("kernel v2\n"),
    showFile: () => Promise.resolve(["step 1", "\x1b[31m"]),
    runLinuxCampaign: () => Promise.resolve(clean),
    runConform: () => Promise.resolve(COMPARED),
    runConformMutants: () => Promise.resolve({ ...HELD, mutants: [], of: 0 }),
    runLinux: () => Promise.resolve({ ...HELD, proofs: [], skipped: [] }),
    runSources: () => Promise.resolve({ ...HELD, trees: [], skipped: [], written: [] }),
    runBench: () => Promise.resolve({ ...HELD, model_run: null, together: [], recordings: [] }),
    mergePools: () => Promise.resolve({ cells: 1, taken: 2, of: 3 }),
    runExhaust: () => Promise.resolve({ cells: [], faults: [] }),
    runFaults: () => Promise.resolve(PUT),
    memdescVerdicts: () => Promise.resolve([]),
    runMutants: () =>
      Promise.resolve({ ...HELD, ok: false, seed: 1, ops: 1, mutants: [], of: 0, without_mutant: ["x"] }),
    ...over,
  };
  const io = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    terminal: false,
    colour: false,
    columns: 80,
    onInterrupt: () => () => {},
  };
  const status = await run(args, { work, io, tool: "ptfuzz 1.2.3", defaultOps: 1000 });
  return { status, out, err, requests };
}

async function inTemporaryDirectory(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  const summary = Deno.env.get("GITHUB_STEP_SUMMARY");
  Deno.env.delete("GITHUB_STEP_SUMMARY");
  try {
    await body(dir);
  } finally {
    if (summary !== undefined) Deno.env.set("GITHUB_STEP_SUMMARY", summary);
    await Deno.remove(dir, { recursive: true });
  }
}

const MISTAKES: readonly (readonly [args: string[], message: RegExp])[] = [
  [
    [],
    /^no command; expected one of fuzz, exhaust, corpus, replay, shrink, show, trace, conform, sources, linux, bench, faults, memdesc, mutants$/,
  ],
  [["fuz"], /^unknown command 'fuz'; did you mean 'fuzz'\?$/],
  [["conquer"], /^unknown command 'conquer'; expected one of fuzz/],
  [["\x1b[31m\n"], /^unknown command '\\x1b\[31m\\n'; expected one of/],
  [["fuzz", "--sed", "1"], /^fuzz: unknown option '--sed'; did you mean '--seed'\?$/],
  [["fuzz", "--zzz"], /^fuzz: unknown option '--zzz'; 'deno task fuzz --help' says what there is$/],
  [["--zzz"], /^unknown option '--zzz'/],
  [["fuzz", "--seed"], /^fuzz: option '--seed <n>' needs a value after it$/],
  [
    ["fuzz", "mine.toml"],
    /^fuzz: expected 0 arguments but got 1: mine\.toml; a discipline is named with '--discipline mine\.toml'$/,
  ],
  [["bench", "extra"], /^bench: expected 0 arguments but got 1: extra; 'deno task bench --help'/],
  [["corpus"], /^corpus: missing what to do; expected 'deno task corpus merge DIR\.\.\. --into DIR'$/],
  [["corpus", "pool"], /^corpus: 'pool' is nothing it does; expected 'deno task corpus merge DIR\.\.\. --into DIR'$/],
  [["trace"], /^trace: missing FILE; expected 'deno task trace FILE'$/],
  [["trace", "a", "--arch", "s39"], /^--arch: 's39' is not an architecture; did you mean 's390'\?$/],
  [["trace", "a", "--kernel", "5.4"], /^--kernel: '5\.4' is not a kernel/],
  [["shrink"], /^shrink: missing FILE; expected 'deno task shrink FILE'$/],
  [["show"], /^show: missing FILE/],
  [["fuzz", "--kernel", "6.13"], /^--kernel: '6\.13' is not a kernel; did you mean '6\.1/],
  [
    ["fuzz", "--kernel", "6.12-without-B9"],
    /^--kernel: '6\.12-without-B9' is not a kernel; did you mean '6\.12-without-B1'\?$/,
  ],
  [["fuzz", "--config", "DEBUGVM"], /^--config: 'DEBUGVM' is not a configuration option; did you mean 'DEBUG_VM'\?$/],
  [["fuzz", "--config", "toString"], /^--config: 'toString' is not/],
  [["fuzz", "--mode", "hostil"], /^--mode: 'hostil' is not a choice; did you mean 'hostile'\?$/],
  [["fuzz", "--format", "xml"], /^--format: 'xml' is not a choice \(text, json\)$/],
  [["fuzz", "--discipline", ""], /^--discipline: expected a value/],
  [["fuzz", "--report", ""], /^--report: expected a value/],
  [["fuzz", "--target", "linx"], /^--target: 'linx' is not a choice; did you mean 'linux'\?$/],
  [
    ["fuzz", "--source", "."],
    /^--source names the kernel that --target linux builds; add that, or leave --source out$/,
  ],
  [["replay", "x.pt", "--source", "."], /^--source names the kernel that --target linux builds/],
  [["replay", "--target", "linux"], /^--target linux replays the files that are named; name one/],
  [["fuzz", "--seed", "4294967296"], /^--seed: expected a whole number from 1 to 4,294,967,295/],
  ...["0", "-1", "1.5", "1e-3", "0x10", "ten", "", " 1", "1__0", "1e400", "9007199254740993", "NaN", "Infinity"].map((
    n,
  ): [string[], RegExp] => [
    ["fuzz", "--ops", n],
    /^--ops: expected a whole number from 1 to [\d,]+, such as 1000, 1_000 or 1e3, and not '.*'$/,
  ]),
];

Deno.test("a mistake is one sentence on standard error, and status 2", async () => {
  for (const [args, message] of MISTAKES) {
    const { status, out, err, requests } = await ran(args);
    assert.match(err.slice(0, -1), message);
    assert.deepEqual([status, out, err.split("\n").length, requests.length], [2, "", 2, 0], err);
  }
});

Deno.test("numbers may be written 250, 1_000_000 and 1e6, and lists repeat", async () => {
  await inTemporaryDirectory(async (dir) => {
    const args = [
      "--ops",
      "1_000_000",
      "--seed=7",
      "--workers",
      "1e1",
      "--kernel",
      "v2",
      "--kernel",
      "6.12",
      "--kernel",
      "v2",
    ];
    const { requests } = await ran([
      "fuzz",
      ...args,
      "--discipline",
      "a b",
      "--config",
      "PTI",
      "--mode",
      "hostile",
      "--report",
      dir,
    ]);
    assert.deepEqual(requests, [{
      ops: 1_000_000,
      seed: 7,
      workers: 10,
      kernels: ["v2", "6.12"],
      disciplines: ["a b"],
      mode: "hostile",
      config: ["PTI"],
    }]);
    const { requests: [defaults] } = await ran(["fuzz", "--report", dir]);
    assert.deepEqual([defaults?.ops, defaults?.seed, defaults?.kernels, defaults?.mode], [1000, 1, [], "discipline"]);
  });
});

Deno.test("help fits into 80 columns and names every invariant and exit status", async () => {
  for (
    const args of [
      ["--help"],
      ...["fuzz", "replay", "shrink", "show", "trace", "bench", "faults", "mutants"].map((c) => [c, "--help"]),
    ]
  ) {
    const { status, out, err } = await ran(args);
    assert.deepEqual([status, err], [0, ""]);
    for (const line of out.split("\n")) assert.ok(displayWidth(line) <= 80, line);
    assert.match(out, /Exit status:[\s\S]* 130 /);
  }
  const { out } = await ran(["fuzz", "--help"]);
  assert.match(out, /page-leak +after the drain every page is free or has an owner/);
  assert.match(out, /--ops <n> .*\s+\(default:\s+1_000\)/);
});

Deno.test("--version prints the version", async () => {
  assert.deepEqual(await ran(["--version"]), { status: 0, out: "ptfuzz 1.2.3\n", err: "", requests: [] });
});

Deno.test("fuzz writes the report, prints the result, and answers whether it was as expected", async () => {
  await inTemporaryDirectory(async (dir) => {
    const report = join(dir, "r");
    const good = await ran(["fuzz", "--report", report]);
    assert.deepEqual([good.status, good.err], [0, ""]);
    assert.match(good.out, /0 unexpected, seed 1\n$/);
    assert.deepEqual([...Deno.readDirSync(report)].map((e) => e.name).sort(), REPORT_FILES.toSorted());
    const bad = await ran(["fuzz", "--report", report, "--format", "json"], {
      runCampaign: () => Promise.resolve(sampleResult()),
    });
    assert.equal(bad.status, 1);
    assert.equal(bad.out, await Deno.readTextFile(join(report, "report.json")));
  });
});

Deno.test("timing.json counts the search and its shrinking, and not what comes before", async () => {
  await inTemporaryDirectory(async (dir) => {
    const { status } = await ran(["fuzz", "--report", dir, "--workers", "3"], {
      runCampaign: async (_request, hooks) => {
        await new Promise((done) => setTimeout(done, 300));
        hooks.phase?.("search");
        await new Promise((done) => setTimeout(done, 20));
        hooks.phase?.("done");
        return clean;
      },
    });
    assert.equal(status, 0);
    const timing = JSON.parse(await Deno.readTextFile(join(dir, "timing.json")));
    assert.deepEqual(Object.keys(timing), ["seconds", "steps", "steps_per_second", "workers"]);
    assert.ok(timing.seconds > 0 && timing.seconds < 0.3, String(timing.seconds));
    assert.deepEqual([timing.steps, timing.workers], [clean.steps, 3]);
    assert.equal(timing.steps_per_second, Math.round(clean.steps / timing.seconds));
  });
});

Deno.test("a report directory that is a file stops the run before it starts", async () => {
  await inTemporaryDirectory(async (dir) => {
    const file = join(dir, "file");
    await Deno.writeTextFile(file, "");
    const { status, err, requests } = await ran(["fuzz", "--report", file]);
    assert.deepEqual([status, requests], [2, []]);
    assert.match(err, /is a file; expected a directory, or a name that is not in use\n$/);
  });
});

Deno.test("wrong input is status 2 with no trace left, a fault of our own is 70 with a request to report it", async () => {
  await inTemporaryDirectory(async (dir) => {
    const report = join(dir, "r");
    const wrong = await ran(["fuzz", "--report", report], {
      runCampaign: () => Promise.reject(new InputError("'x' is not a discipline", { file: "x.toml", line: 3 })),
    });
    assert.deepEqual([wrong.status, wrong.out, wrong.err], [2, "", "x.toml:3: 'x' is not a discipline\n"]);
    const fault = await ran(["fuzz", "--report", report], { runCampaign: () => Promise.reject(new TypeError("oh")) });
    assert.equal(fault.status, 70);
    assert.match(fault.err, /^ptfuzz: oh: this is a fault of ptfuzz itself; please report it .*\nTypeError: oh\n/);
    assert.deepEqual([...Deno.readDirSync(dir)], []);
  });
});

Deno.test("trace answers what fuzz answers, and writes the same report", async () => {
  await inTemporaryDirectory(async (dir) => {
    const report = join(dir, "r");
    let request: TraceOptions | undefined;
    const runTrace = (r: TraceOptions) => {
      request = r;
      return Promise.resolve(sampleResult({ task: "trace", recordings: [sampleRecording()] }));
    };
    const args = ["trace", "a.trace", "-", "--kernel", "6.12", "--arch", "s390", "--discipline", "x"];
    const { status, out } = await ran([...args, "--report", report], { runTrace });
    assert.deepEqual(request, { files: ["a.trace", "-"], kernel: "6.12", arch: "s390", disciplines: ["x"] });
    assert.equal(status, 1);
    assert.match(out, /^a\.trace\.gz\n {2}kernel 6\.12, s390/);
    assert.match(out, /1 recording, 438 page tables, /);
    const written = [...Deno.readDirSync(report)].map((e) => e.name);
    assert.deepEqual(REPORT_FILES.filter((name) => !written.includes(name)), []);
    const wrong = await ran(["trace", "a", "--report", join(dir, "q")], {
      runTrace: () => Promise.reject(new InputError("no line of this is an entry of ftrace", { file: "a" })),
    });
    assert.deepEqual([wrong.status, wrong.err], [2, "a: no line of this is an entry of ftrace\n"]);
    assert.deepEqual([...Deno.readDirSync(dir)].map((e) => e.name), ["r"]);
  });
});

Deno.test("replay prints a line for each program that is not as claimed, then a summary", async () => {
  const mixed = [{ file: "a.pt", ok: true, complaints: [] }, {
    file: "b\x1b.pt",
    ok: false,
    complaints: ["One.", "Two."],
  }];
  const { status, out } = await ran(["replay"], { replayFiles: () => Promise.resolve(mixed) });
  assert.deepEqual([status, out], [1, "b\\x1b.pt: One. Two.\n2 programs replayed, 1 not as claimed\n"]);
  await inTemporaryDirectory(async (dir) => {
    assert.equal((await ran(["replay", "a.pt", "--report", dir])).status, 0);
    const report = JSON.parse(await Deno.readTextFile(join(dir, "report.json")));
    assert.deepEqual([report.task, report.tool, report.replayed.length], ["replay", "ptfuzz 1.2.3", 1]);
  });
});

Deno.test("shrink and show print; bench, faults and mutants answer whether what they show holds", async () => {
  assert.equal((await ran(["shrink", "a.pt"])).out, "kernel v2\n");
  assert.equal((await ran(["show", "a.pt"])).out, "step 1\n\\x1b[31m\n");
  assert.equal((await ran(["bench"])).status, 0);
  assert.equal((await ran(["mutants"])).status, 1);
  let request: FaultsOptions | undefined;
  await ran(["faults", "--discipline", "x"], {
    runFaults: (r) => {
      request = r;
      return Promise.resolve(PUT);
    },
  });
  assert.deepEqual(request, { ops: 100_000, seed: 1, kernels: [], disciplines: ["x"] });
});

Deno.test("fuzz --target linux asks for both modes and a budget of its own, unless they are given", () =>
  inTemporaryDirectory(async (dir) => {
    const asked: LinuxOptions[] = [];
    const over: Partial<Work> = {
      runLinuxCampaign: (request, { building }) => {
        building("compiling");
        asked.push(request);
        return Promise.resolve(clean);
      },
    };
    const report = ["--report", join(dir, "r")];
    const { err } = await ran(["fuzz", "--target", "linux", "--source", "/tree", ...report], over);
    await ran(["fuzz", "--target", "linux", "--ops", "5", "--mode", "hostile", ...report], over);
    assert.deepEqual(asked.map(({ ops, mode, source }) => ({ ops, mode, source })), [
      { ops: 4_000_000, mode: undefined, source: "/tree" },
      { ops: 5, mode: "hostile", source: undefined },
    ]);
    assert.equal(err, "compiling\n");
  }));

Deno.test("shrink --kunit prints a test, or says why there is none", async () => {
  const leak =
    "kernel 6.12\np0 = alloc_pages(GFP_KERNEL, 1)\n__free_page(p0)\n\nfinding page-leak at 2 (1 page): p0+1\n";
  const file = "corpus/regressions/crst-half-converted-6.12.pt";
  const test = await ran(["shrink", file, "--kunit"], { shrinkFile: () => Promise.resolve(leak) });
  assert.equal(test.status, 0);
  assert.match(test.out, /KUNIT_EXPECT_EQ_MSG\(test, lost, 0L,/);
  const family = "kernel 6.12\np0 = alloc_page(GFP_KERNEL)\n__free_page(p0)\n\nfinding family at 2: x\n";
  const none = await ran(["shrink", file, "--kunit"], { shrinkFile: () => Promise.resolve(family) });
  assert.deepEqual([none.status, none.out], [2, ""]);
  assert.match(none.err, /this cannot be a KUnit test: a running kernel shows nothing of family/);
});

Deno.test("what a file says of its program is not said of a shorter one", async () => {
  const file = "corpus/regressions/crst-half-converted-6.12-held.pt";
  const stored = Deno.readTextFileSync(file);
  const said = "while someone holds page 0";
  const kunit = async (shrunk: string) =>
    (await ran(["shrink", file, "--kunit"], { shrinkFile: () => Promise.resolve(shrunk) })).out;
  assert.match(await kunit(stored), new RegExp(said));
  const shorter = stored.replace(/^env .*\n/gm, "").replace(/^finding (family|page-leak) at [56].*\n/gm, "").replaceAll(
    " at 6",
    " at 4",
  );
  assert.doesNotMatch(await kunit(shorter), new RegExp(said));
});

Deno.test("what is stopped prints its one object all the same, and ends with 130", async () => {
  for (const command of ["bench", "mutants", "linux"]) {
    const stopped = { ok: true, interrupted: true };
    const over = {
      runBench: () => Promise.resolve({ ...stopped, model_run: null, together: [], recordings: [] }),
      runMutants: () => Promise.resolve({ ...stopped, seed: 1, ops: 1, mutants: [], of: 9, without_mutant: [] }),
      runLinux: () => Promise.resolve({ ...stopped, proofs: [], skipped: [] }),
    };
    const { status, out, err } = await ran([command, "--format", "json"], over);
    assert.deepEqual([status, err], [130, ""]);
    const object = JSON.parse(out);
    assert.deepEqual([object.tool, object.task, object.interrupted], ["ptfuzz 1.2.3", command, true]);
  }
});

Deno.test("with --format json the lines for people are left out, and without it the object", async () => {
  const runMutants = (hooks: WorkHooks) => {
    hooks.print("a line");
    return Promise.resolve({ ...HELD, seed: 1, ops: 1, mutants: [], of: 0, without_mutant: [] });
  };
  assert.equal((await ran(["mutants"], { runMutants })).out, "a line\n");
  assert.equal(JSON.parse((await ran(["mutants", "--format", "json"], { runMutants })).out).ok, true);
});

Deno.test("work that is stopped before anything is known says so, and ends with 130", async () => {
  const { status, out, err } = await ran(["conform"], { runConform: () => Promise.reject(new Interrupted()) });
  assert.deepEqual([status, out, err], [130, "", "ptfuzz: stopped by Ctrl-C before anything was known\n"]);
});
