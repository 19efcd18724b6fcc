/**
 * Shows on a real Linux what nothing else can show (`deno task linux`): that
 * KUnit tests made of findings fail where the finding is real and pass where it
 * is repaired, and that lib/test_free_pages.c loses as many pages as the model
 * says. Where there is no kernel source it says so, and what was skipped.
 *
 * @module
 */
import { readProgramFile } from "../corpus/files.ts";
import { cacheDir } from "../oracle/build.ts";
import type { Edit } from "../oracle/overlay.ts";
import { bootKunit, buildKunit, type KunitCase, type KunitFile, readKtap } from "../oracle/run_kunit.ts";
import { findSource, hasSource, type SourceVersion } from "../oracle/source.ts";
import { testFreePages } from "../oracle/test_free_pages.ts";
import { identifier, kunitTest } from "../reports/kunit/test.ts";

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

/** Runs a proof; false where something else came of it. */
async function prove(proof: Proof, print: (line: string) => void): Promise<boolean> {
  const source = findSource(proof.version);
  let shown = "";
  const progress = (text: string) => {
    const kind = text.replace(/\d+/g, "");
    if (kind !== shown) print(`  ${text}`);
    shown = kind;
  };
  const request = { source, config: ["DEBUG_VM"], cache: cacheDir(), progress, edits: proof.edits };
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

async function main(): Promise<number> {
  const failed: string[] = [];
  for (const proof of PROOFS) {
    const what = `Linux ${proof.version}: ${proof.what}`;
    if (!hasSource(proof.version)) {
      console.log(
        `${what}\n  skipped: there is no source of Linux ${proof.version} under /usr/src; ` +
          `'apt-get install linux-source-${proof.version}' puts one there`,
      );
      continue;
    }
    console.log(what);
    if (!await prove(proof, console.log)) failed.push(what);
  }
  for (const what of failed) console.log(`FAILED ${what}`);
  return failed.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
