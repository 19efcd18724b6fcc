/**
 * Shows on a real Linux what nothing else can show (`deno task linux`): that
 * KUnit tests made of findings fail where the finding is real and pass where it
 * is repaired, and that lib/test_free_pages.c loses as many pages as the model
 * says. Where there is no kernel source it says so, and what was skipped.
 *
 * @module
 */
import { readProgramFile } from "../corpus/files.ts";
import { type ConformHooks, Interrupted } from "../corpus/request.ts";
import type { LinuxShown } from "../corpus/shown.ts";
import { cacheDir } from "../oracle/build.ts";
import type { Edit } from "../oracle/overlay.ts";
import { bootKunit, buildKunit, type KunitCase, type KunitFile, readKtap } from "../oracle/run_kunit.ts";
import { runLinuxCampaign } from "../oracle/run_fuzz_linux.ts";
import { findSource, hasSource, type SourceVersion } from "../oracle/source.ts";
import { testFreePages } from "../oracle/test_free_pages.ts";
import { identifier, kunitTest } from "../reports/kunit/kunit.ts";

/** The repair of B1 taken out of 6.12: nobody frees the tails. */
const WITHOUT_B1: Edit = {
  file: "mm/page_alloc.c",
  find: `		pgalloc_tag_sub_pages(tag, (1 << order) - 1);
		while (order-- > 0)
			free_unref_page(page + (1 << order), order);`,
  replace: `		pgalloc_tag_sub_pages(tag, (1 << order) - 1);`,
};

/** What a case has to come to: passed, or failed with these words among its own. */
type Wanted = Readonly<Record<string, "passes" | RegExp>>;

/** A test made of a stored program; `change` makes another of its text, under a name of its own. */
function testOf(program: string, name: string, change: (text: string) => string = (t) => t): KunitFile {
  const file = `corpus/regressions/${program}.pt`;
  const { text, reason } = kunitTest(readProgramFile(file), name);
  if (text === undefined) throw new Error(`${file} has no KUnit test: ${reason}`);
  return { name: `${identifier(name)}_kunit.c`, text: change(text) };
}

const compound = (text: string): string =>
  text.replaceAll("alloc_pages(GFP_KERNEL, 2)", "alloc_pages(GFP_KERNEL | __GFP_COMP, 2)");

interface Proof {
  readonly what: string;
  readonly version: SourceVersion;
  readonly edits: readonly Edit[];
  readonly files: (tree: string) => readonly KunitFile[];
  readonly wanted: Wanted;
}

const PROOFS: readonly Proof[] = [
  {
    what: "KUnit tests of findings, and lib/test_free_pages.c",
    version: "6.12",
    edits: [],
    files: (tree) => [
      testOf("crst-half-converted-6.12", "half-converted"),
      testOf("crst-half-converted-6.12", "half-compound", compound),
      testOf("mips-kvm-pgd", "mips-kvm-pgd"),
      testOf("gather-not-compound", "gather-not-compound"),
      testOf("compound-lookup-inside-6.12", "inside"),
      testOf("b1-lost-tails", "b1"),
      testFreePages(tree),
    ],
    wanted: {
      half_converted_test: /^each round loses 3 pages/,
      half_compound_test: "passes",
      mips_kvm_pgd_test: /^each round loses 1 pages?/,
      gather_not_compound_test: /^each round loses 3 pages/,
      inside_test: /lies in a tail page/,
      b1_test: "passes",
      test_free_pages_whole: "passes",
      test_free_pages_plain: "passes",
      test_free_pages_compound: "passes",
    },
  },
  {
    what: "the same without the repair of B1, lib/test_free_pages.c for 100 rounds",
    version: "6.12",
    edits: [WITHOUT_B1],
    files: (tree) => [testOf("b1-lost-tails", "b1"), testFreePages(tree, 100)],
    wanted: {
      b1_test: /^each round loses 7 pages/,
      test_free_pages_whole: /^test_free_pages\.c: 700 pages lost/,
      test_free_pages_plain: /^GFP_KERNEL: 700 pages lost/,
      test_free_pages_compound: "passes",
    },
  },
];

function verdict(found: KunitCase | undefined, wanted: "passes" | RegExp): { ok: boolean; said: string } {
  if (found === undefined) return { ok: false, said: "did not run" };
  const words = found.said.filter((line) => !/^(Expected|\S.* == )/.test(line)).join("; ");
  const said = found.ok ? "passes" : `fails: ${words}`;
  if (wanted === "passes") return { ok: found.ok, said };
  return { ok: !found.ok && found.said.some((line) => wanted.test(line)), said };
}

/** A tree that is searched with `fuzz --target linux`, and what has to be found. */
interface Tree {
  readonly what: string;
  readonly edits: readonly Edit[];
  /** Signatures' ends of the findings that nobody expects, and lines of the program of the first. */
  readonly finds: readonly string[];
  readonly program: string;
}

/** Steps that a search gets. */
const OPS = 400_000;

const TREES: readonly Tree[] = [
  { what: "the tree as it is", edits: [], finds: [], program: "" },
  {
    what: "__free_pages() with 'while (order-- > 1)' for the tails",
    edits: [{ file: "mm/page_alloc.c", find: "		while (order-- > 0)", replace: "		while (order-- > 1)" }],
    finds: ["page-leak by __free_pages"],
    program: "env get_page_unless_zero",
  },
];

/** Searches on a tree; false where something else is found. */
async function search({ edits, finds, program }: Tree, hooks: ConformHooks): Promise<boolean> {
  const { print, building, signal } = hooks;
  const options = { ops: OPS, seed: 1, workers: 1, kernels: ["6.12"], disciplines: [], config: [], mode: undefined };
  const { cells, findings, differences, unexpected } = await runLinuxCampaign(options, { building, signal }, edits);
  if (signal.aborted) throw new Interrupted();
  const found = findings.filter((f) => !f.expected);
  const missing = finds.filter((name) => !found.some((f) => `${f.invariant} by ${f.call}` === name));
  const complaints = cells.flatMap((c) => c.complaints);
  for (const complaint of complaints.slice(0, 5)) print(`  ${complaint}`);
  for (const f of found) print(`  ${f.signature}, ${f.steps} steps`);
  const worst = found[0];
  if (worst !== undefined) { for (const line of worst.program.trimEnd().split("\n")) print(`    ${line}`); }
  if (worst !== undefined) { for (const line of worst.explanation.split("\n")) print(`    ${line}`); }
  print(`  ${differences?.programs ?? 0} programs ran otherwise than on the model`);
  const ok = finds.length === 0
    ? unexpected === 0 && differences === undefined && complaints.length === 0
    : missing.length === 0 && found.some((f) => f.program.includes(program));
  print(`  ${ok ? "ok    " : "FAILED"} ${finds.length === 0 ? "as expected, no difference" : finds.join(", ")}`);
  return ok;
}

/** Runs a proof; false where something else came of it. */
async function prove(proof: Proof, { print, building: progress, signal }: ConformHooks): Promise<boolean> {
  const source = findSource(proof.version);
  const request = { source, config: ["DEBUG_VM"], cache: cacheDir(), progress, signal, edits: proof.edits };
  const built = await buildKunit(request, proof.files);
  const cases = readKtap(await bootKunit(built.binary));
  let ok = true;
  for (const [name, wanted] of Object.entries(proof.wanted)) {
    const v = verdict(cases.find((c) => c.name === name), wanted);
    print(`  ${v.ok ? "ok    " : "FAILED"} ${name} ${v.said}`);
    ok &&= v.ok;
  }
  return ok;
}

/** What there is to show: in words, for which version, and how. */
const SHOWN: readonly {
  readonly what: string;
  readonly version: SourceVersion;
  readonly run: (hooks: ConformHooks) => Promise<boolean>;
}[] = [
  ...PROOFS.map((proof) => ({
    what: `Linux ${proof.version}: ${proof.what}`,
    version: proof.version,
    run: (hooks: ConformHooks) => prove(proof, hooks),
  })),
  ...TREES.map((tree) => ({
    what: `Linux 6.12: ${tree.what}, searched with ${OPS} steps`,
    version: "6.12" as const,
    run: (hooks: ConformHooks) => search(tree, hooks),
  })),
];

/** Shows all of it; not ok where one came out otherwise. */
export async function runLinux(hooks: ConformHooks): Promise<LinuxShown> {
  const proofs: LinuxShown["proofs"][number][] = [];
  const skipped: string[] = [];
  for (const { what, version, run } of SHOWN) {
    await hooks.progress(proofs.length + skipped.length, SHOWN.length, "proofs");
    if (hooks.signal.aborted) break;
    hooks.print(what);
    if (!hasSource(version)) {
      const why = `there is no source of Linux ${version} under /usr/src; 'apt-get install linux-source-${version}' ` +
        "puts one there";
      hooks.print(`  skipped: ${why}`);
      skipped.push(`${what}: ${why}`);
      continue;
    }
    const seen: string[] = [];
    try {
      const ok = await run({
        ...hooks,
        print(line) {
          seen.push(line.trim());
          hooks.print(line);
        },
      });
      proofs.push({ what, ok, seen });
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
    }
  }
  const interrupted = proofs.length + skipped.length < SHOWN.length;
  for (const { what, ok } of proofs) if (!ok) hooks.print(`FAILED ${what}`);
  if (interrupted) hooks.print(`stopped: ${proofs.length} of ${SHOWN.length} proofs`);
  return { ok: proofs.every((p) => p.ok), interrupted, proofs, skipped };
}
