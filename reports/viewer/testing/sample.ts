/**
 * Results made of stored programs, for the tests of the page.
 *
 * @module
 */
import { parseProgram } from "../../../core/program/parse.ts";
import { findingsOf } from "../../../core/program/findings.ts";
import { Machine } from "../../../core/program/machine.ts";
import { INVARIANTS } from "../../../core/ledger/invariants.ts";
import type { ReportedFinding, Result } from "../../../corpus/result.ts";
import { HOSTILE_NAME, sampleCell, sampleFinding, sampleRecording, sampleResult } from "../../sample_test_data.ts";

/** The findings of a program, as a report has them. */
export function findingsIn(text: string, discipline: string, expected = true): ReportedFinding[] {
  const program = parseProgram(text, "a sample");
  const machine = new Machine(program);
  machine.run(program);
  return findingsOf(machine, program.slots).map((f) =>
    sampleFinding({
      invariant: f.invariant,
      severity: f.severity,
      kernel: program.kernel,
      arch: program.arch,
      config: program.config,
      discipline,
      expected,
      steps: machine.steps,
      call: f.call,
      at: f.step,
      pages: f.pages,
      program: text,
      explanation: `Step ${f.step}: ${f.words}.`,
      source: INVARIANTS.find((i) => i.id === f.invariant)!.source,
    })
  );
}

/** A stored program. */
export function stored(name: string): string {
  return Deno.readTextFileSync(new URL(`../../../corpus/regressions/${name}.pt`, import.meta.url));
}

function resultOf(findings: readonly ReportedFinding[]): Result {
  const cells = [...Map.groupBy(findings, (f) => JSON.stringify([f.kernel, f.discipline, f.arch, f.config])).values()]
    .map((own) => {
      const { kernel, discipline, arch, config, expected } = own[0]!;
      return sampleCell({
        kernel,
        discipline,
        arch,
        config,
        as_expected: expected,
        findings: own.map((f) => f.signature),
      });
    });
  const unexpected = findings.filter((f) => !f.expected).length;
  return sampleResult({ findings, cells, unexpected, replayed: [] });
}

/** Findings of five stored programs, one of them by a discipline with a harmful name. */
export function smallResult(): Result {
  return resultOf([
    ...findingsIn(stored("mips-kvm-pgd"), "mips/kvm-pgd"),
    ...findingsIn(stored("crst-half-converted-held"), HOSTILE_NAME, false),
    ...findingsIn(stored("gather-not-compound"), "generic/multi-order-gather"),
    ...findingsIn(stored("b1-lost-tails"), "canary/lost-tails"),
    ...findingsIn(stored("v2-pgd-list-freed"), "x86/pgd-pti"),
  ]);
}

/** The same with all that a run may come to besides: a worker died, there are recordings, a kernel is another. */
export function fullResult(): Result {
  const small = smallResult();
  const { program } = small.findings[0]!;
  return {
    ...small,
    cells: small.cells.map((c) => ({ ...c, hypothetical: c.discipline === "generic/multi-order-gather" })),
    faults: [{ kernel: "6.12", discipline: HOSTILE_NAME, program, error: "RangeError: index out of range" }],
    recordings: [sampleRecording(), sampleRecording({ file: HOSTILE_NAME })],
    differences: { programs: 12, first: `${program}\nafter step 3:\n  free pages: model 240, Linux 239\n` },
    never: [{ kernel: "6.12", calls: ["alloc_pages_exact"], failures: [] }],
    pool: { programs: 7, hash: "0123456789abcdef" },
    memdesc: [{
      discipline: "mips/kvm-pgd",
      arch: "mips",
      kernel: "6.12",
      today: "leak",
      breaks: [{
        paths: ["free.vm-destroy"],
        line: "d = virt_to_ptdesc(a)",
        why: "memory of `alloc_pages` has no descriptor",
      }],
    }],
  };
}

/** A program of so many lines that loses three pages at the end. */
export function longProgram(lines: number): string {
  const body: string[] = [];
  for (let i = 0; body.length < lines - 4; i++) {
    body.push(`q${i} = alloc_pages(GFP_KERNEL, ${i % 4})`, `__free_pages(q${i}, ${i % 4})`);
  }
  const crst = [
    "p0 = alloc_pages(GFP_KERNEL, 2)",
    "a0 = page_to_virt(p0)",
    "d0 = virt_to_ptdesc(a0)",
    "pagetable_free(d0)",
  ];
  return ["kernel 6.12", ...body, ...crst].join("\n") + "\n";
}

/** One finding of a program of so many lines. */
export function longResult(lines: number): Result {
  return resultOf(findingsIn(longProgram(lines), "long/program").slice(-1));
}

/** So many findings, each with a program of its own. */
export function manyResult(findings: number): Result {
  const list: ReportedFinding[] = [];
  for (let i = 0; list.length < findings; i++) {
    const text = stored("crst-half-converted-held").replaceAll("p0", `p${i}`);
    list.push(...findingsIn(text, `arch-${i % 7}/table-${i}`, i % 3 > 0));
  }
  return resultOf(list.slice(0, findings));
}
