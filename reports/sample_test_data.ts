/**
 * Made-up results for the tests of the renderings.
 *
 * @module
 */
import { INVARIANTS } from "../core/ledger/invariants.ts";
import type { Cell, Recording, ReportedFinding, Result, Timing } from "../corpus/result.ts";

/** A name that does harm wherever it is not escaped. */
export const HOSTILE_NAME = "<img src=x onerror=alert(1)>`|*_[a](http://b)#\n\x1b[31mred\u202e\ud800&amp;";

/** A finding; what is not given is an unexpected leak. */
export function sampleFinding(over: Partial<ReportedFinding> = {}): ReportedFinding {
  const finding: ReportedFinding = {
    invariant: "page-leak",
    severity: "leak",
    signature: "",
    expected: false,
    kernel: "v2",
    arch: "s390",
    config: [],
    discipline: "s390/crst-half",
    steps: 4,
    call: "pagetable_free",
    at: 4,
    pages: 3,
    program:
      "kernel v2\narch s390\np0 = alloc_pages(GFP_KERNEL, 2)\na0 = page_to_virt(p0)\nd0 = virt_to_ptdesc(a0)\nptdesc_free(d0)\n\n" +
      "finding page-leak at 4 (3 pages): p0+1..p0+3 belong to nobody, because compound_order(p0) is 0 for a block of order 2\n",
    explanation:
      "p0 came from alloc_pages without __GFP_COMP; ptdesc_free asks compound_order, which is 0, and releases 1 page of 4.",
    source: "v2 include/linux/mm.h:ptdesc_free",
    seenBy: [],
    ...over,
  };
  const { kernel, arch, config, discipline, invariant, pages } = finding;
  return {
    ...finding,
    signature: over.signature ?? [kernel, arch, config.join("+"), discipline, invariant, pages].join(" "),
  };
}

/** A cell; what is not given is as expected and clean. */
export function sampleCell(over: Partial<Cell> = {}): Cell {
  return {
    kernel: "v2",
    arch: "s390",
    config: [],
    discipline: "s390/crst-half",
    hypothetical: false,
    canary: false,
    features: 12,
    programs: 1000,
    steps: 100_000,
    findings: [],
    as_expected: true,
    complaints: [],
    digest: "0123456789abcdef",
    ...over,
  };
}

/** A recording; what is not given is half converted. */
export function sampleRecording(over: Partial<Recording> = {}): Recording {
  return {
    file: "a.trace.gz",
    kernel: "6.12",
    arch: "s390",
    known: "by its functions and tables",
    lines: 1000,
    entries: 100,
    events: 50,
    complete: "all 100 entries",
    tables: [{
      discipline: "s390/crst",
      known_by: "stack",
      site: "crst_table_alloc",
      callers: [{ name: "mm_init", count: 438 }],
      order: 2,
      compound: false,
      flags: "GFP_KERNEL",
      allocations: 438,
      pairs: 0,
      live: 3,
      lost: 1305,
      releases: [{ by: "__mmdrop", path: "crst-table-free", form: "0:0", whole: false, count: 435 }],
      contradictions: ["s390/crst frees order 2 on 6.12; __mmdrop freed order 0 435 times."],
    }],
    before: [{ by: "__mmdrop", order: 0, count: 1 }],
    unexplained: [{ stack: "order 0 by a < b", count: 2 }],
    uncertain: [{ what: "a line cannot be read", count: 3 }],
    replayed: { tables: 438, skipped: 0, programs: 9, steps: 999, agreed: 435, differing: [] },
    ...over,
  };
}

/** A result; what is not given: an expected leak, a new double free, a canary that was found. */
export function sampleResult(over: Partial<Result> = {}): Result {
  const expected = sampleFinding({ expected: true });
  const fresh = sampleFinding({
    invariant: "double-free",
    severity: "corruption",
    kernel: "6.12",
    arch: "generic",
    discipline: "generic/pte",
    pages: 0,
    seenBy: ["DEBUG_VM", "page_owner"],
  });
  const canary = sampleFinding({
    expected: true,
    discipline: "generic/canary",
    arch: "generic",
    kernel: "6.12",
    pages: 1,
  });
  return {
    schema: 1,
    tool: "ptfuzz 0.1.0",
    task: "fuzz",
    mode: "discipline",
    seed: 1,
    steps: 400_000,
    interrupted: false,
    pool: null,
    never: [],
    faults: [],
    cells: [
      sampleCell({ findings: [expected.signature] }),
      sampleCell({ kernel: "6.12", as_expected: false, complaints: ["page-leak was expected and not found."] }),
      sampleCell({
        kernel: "6.12",
        arch: "generic",
        discipline: "generic/pte",
        as_expected: false,
        complaints: ["double-free was not expected."],
        findings: [fresh.signature],
      }),
      sampleCell({
        kernel: "6.12",
        arch: "generic",
        discipline: "generic/canary",
        canary: true,
        findings: [canary.signature],
      }),
      sampleCell({ kernel: "6.6", arch: "generic", discipline: "generic/pte" }),
    ],
    findings: [expected, fresh, canary],
    invariants: INVARIANTS.map(({ id }) => ({ id, checks: 1000, violations: id === "page-leak" ? 2 : 0 })),
    calls: [{ kernel: "v2", call: "alloc_pages", right: 10, wrong: 1 }],
    memdesc: [],
    replayed: [
      { file: "corpus/regressions/good.pt", ok: true, complaints: [] },
      { file: "corpus/regressions/bad.pt", ok: false, complaints: ["'page-leak at 4' is claimed and did not happen."] },
    ],
    recordings: [],
    unexpected: 2,
    ...over,
  };
}

/** A large result with long and harmful names: kernels × disciplines, a finding in every cell. */
export function bigResult(kernels = 8, disciplines = 40): Result {
  const findings: ReportedFinding[] = [];
  const cells: Cell[] = [];
  for (let k = 0; k < kernels; k++) {
    const kernel = k < 4 ? `6.${k}` : `6.12-without-B1-without-B${k}`;
    for (let d = 0; d < disciplines; d++) {
      const discipline = d === 0 ? HOSTILE_NAME : `some-architecture/kvm-stage2-${"long-".repeat(d)}${d}`;
      const finding = sampleFinding({
        kernel,
        discipline,
        expected: d % 2 === 0,
        program: `# ${"comment ".repeat(30)}\nkernel ${kernel}\n${"a".repeat(300)} = alloc_page(GFP_KERNEL)\n`,
        explanation: "word ".repeat(80) + "x".repeat(200) + " 漢字".repeat(60),
      });
      findings.push(finding);
      cells.push(sampleCell({
        kernel,
        discipline,
        findings: [finding.signature],
        as_expected: finding.expected,
        complaints: finding.expected ? [] : [`${discipline}: ${"complaint ".repeat(20)}`],
      }));
    }
  }
  return sampleResult({ cells, findings, unexpected: findings.filter((f) => !f.expected).length });
}

/** A timing. */
export const sampleTiming: Timing = { seconds: 2, steps: 400_000, steps_per_second: 200_000, workers: 2 };
