/**
 * Which disciplines would break once descriptors are allocated apart, and why:
 * each path of each shipped discipline on the kernel `memdesc`, beside what the
 * same path does on the newest kernel that the discipline names.
 *
 * A path is tried alone (`[alloc]`, then it), so that what breaks in one hides
 * nothing of another; a discipline whose paths all hold is then searched at
 * random as well. What breaks is any finding that is more than latent and that
 * the newest kernel of its own does not show.
 *
 * @module
 */
import { KERNEL_BASES, parseKernelName } from "../core/kernel/names.ts";
import { FINDING_WORDS } from "../core/ledger/finding.ts";
import { FLUSH_BEFORE_FREE, GRACE_PERIOD, SEVERITIES, type Severity } from "../core/ledger/invariants.ts";
import { WHY_KIND, WHY_NO_PTDESC } from "../core/ledger/why.ts";
import { type Finding, findingsOf } from "../core/program/findings.ts";
import { CALLS, hasCall, OP_AT } from "../core/program/calls.ts";
import type { Machine } from "../core/program/machine.ts";
import { printStep } from "../core/program/print.ts";
import { type Program, STEP_WORDS } from "../core/program/program.ts";
import type { CompiledDiscipline, CompiledPath, Discipline } from "../corpus/discipline.ts";
import { missingCall, parseDiscipline } from "../corpus/load_discipline.ts";
import { machineFor } from "../corpus/machine_for.ts";
import type { MemdescBreak, MemdescVerdict } from "../corpus/memdesc.ts";
import type { WorkHooks } from "../corpus/request.ts";
import { type LoadedDiscipline, selectDisciplines } from "./cells.ts";
import { type KeptProgram, keyParts, runShard } from "./shard.ts";

/** The kernel whose descriptors are allocated apart. */
const MEMDESC = "memdesc";
/** Steps of random search for a discipline whose paths hold. */
const SEARCH = 10_000;

/** A path as a program of its own. */
interface Try {
  readonly path: string;
  readonly code: Int32Array;
}

function after(alloc: CompiledPath, path: CompiledPath): Int32Array {
  const code = new Int32Array(alloc.code.length + path.code.length);
  code.set(alloc.code);
  code.set(path.code, alloc.code.length);
  return code;
}

/** Every path but those of failures, each behind [alloc]. */
function tries(c: CompiledDiscipline): Try[] {
  return [
    { path: "alloc", code: c.alloc.code },
    ...c.use.map((p) => ({ path: `use.${p.name}`, code: after(c.alloc, p) })),
    ...c.free.map((p) => ({ path: `free.${p.name}`, code: after(c.alloc, p) })),
  ];
}

/** What walkers may still see has nothing to do with descriptors. */
const WALKERS: ReadonlySet<number> = new Set([FLUSH_BEFORE_FREE, GRACE_PERIOD]);

function isBad(f: Finding): boolean {
  return f.severity !== "latent" && f.severity !== "theoretical";
}

/** The newest version that a discipline names. */
export function newestOf(d: Discipline): string {
  const age = (kernel: string) => KERNEL_BASES.indexOf(parseKernelName(kernel)!.base);
  return d.kernels.reduce((a, b) => age(b) > age(a) ? b : a);
}

/** Runs a path on a kernel. */
function runOn(d: Discipline, kernel: string, code: Int32Array): { machine: Machine; program: Program } {
  const program: Program = {
    comments: [],
    kernel,
    arch: d.arch,
    config: d.config,
    pages: d.pages,
    code,
    slots: d.compile(d.kernels[0]!).slots,
    claims: [],
  };
  const machine = machineFor(program);
  machine.run(program);
  return { machine, program };
}

/** The line of a step, as the discipline writes it. */
function lineOf(program: Program, step: number): string {
  let n = 0;
  for (let i = 0; i * STEP_WORDS < program.code.length; i++) {
    if (program.code[i * STEP_WORDS]! < OP_AT && ++n === step) return printStep(program, i);
  }
  return "the end of the program";
}

/** The line that is to blame for a step: what a gather chokes on was queued before. */
function blamed(program: Program, step: number): string {
  const line = lineOf(program, step);
  if (!line.startsWith("tlb_finish_mmu") && !line.startsWith("tlb_flush_mmu")) return line;
  for (let n = step - 1; n > 0; n--) if (lineOf(program, n).startsWith("tlb_remove_")) return lineOf(program, n);
  return line;
}

const FREES: ReadonlySet<string> = new Set(["__free_pages", "__free_page", "free_pages", "free_page", "put_page"]);

/** Why it breaks, in one sentence. */
function reasonOf(findings: readonly Finding[], step: number): string {
  const mine = findings.filter((f) => f.step === step && isBad(f));
  const first = mine.find((f) => f.why === WHY_NO_PTDESC);
  if (first !== undefined) {
    const from = / came from (\S+)/.exec(first.words)?.[1] ?? "elsewhere";
    return from === "memblock" ? "boot memory has no descriptor" : `memory of \`${from}\` has no descriptor`;
  }
  if (mine.some((f) => /MEMDESC_TYPE_PTDESC/.test(f.words))) {
    return "it makes a descriptor of memory that `pagetable_alloc` did not allocate";
  }
  if (mine.some((f) => /descriptor is no folio/.test(f.words))) return "the table's folio is marked, and there is none";
  const kind = mine.find((f) => f.why === WHY_KIND);
  if (kind !== undefined) {
    const given = / a (\w+) where/.exec(kind.words)?.[1];
    return given === "virt"
      ? "an address is queued where the descriptor is taken"
      : `a struct ${given} is queued where the descriptor is taken`;
  }
  if (mine.some((f) => /belongs to no folio/.test(f.words))) {
    return "a table's page is queued and put as a page, and belongs to no folio";
  }
  if (mine.some((f) => FREES.has(f.call))) {
    return "a table is freed as pages: they have no reference to put, and its descriptor is lost";
  }
  return mine[0]?.words ?? "";
}

/** The worst that a discipline shows on a kernel, by its paths and by random programs. */
function worst(d: Discipline, kernel: string, today: readonly KeptProgram[]): Severity | "clean" {
  let bad = Math.min(SEVERITIES.length, ...today.map((k) => k.severity));
  for (const { code } of tries(d.compile(kernel))) {
    const { machine } = runOn(d, kernel, code);
    for (let i = 0; i < machine.ledger.nFindings; i++) {
      bad = Math.min(bad, machine.ledger.findings[i * FINDING_WORDS + 2]!);
    }
  }
  return SEVERITIES[bad] ?? "clean";
}

/** What each path breaks: lines that break for the same reason stand together. */
function breaks(d: Discipline): MemdescBreak[] {
  const rows = new Map<string, { line: string; why: string; paths: string[] }>();
  for (const { path, code } of tries(d.compile(d.kernels[0]!))) {
    const { machine, program } = runOn(d, MEMDESC, code);
    const findings = findingsOf(machine, program.slots);
    const first = findings.find(isBad);
    if (first === undefined) continue;
    const line = blamed(program, first.step);
    const why = reasonOf(findings, first.step);
    const row = rows.get(line + why) ?? { line, why, paths: [] };
    row.paths.push(path);
    rows.set(line + why, row);
  }
  return [...rows.values()];
}

/** What random programs show on a kernel: a program for each kind of finding that is more than latent. */
function searched(loaded: LoadedDiscipline, kernel: string): readonly KeptProgram[] {
  const d = loaded.discipline;
  const { kept } = runShard({
    index: 0,
    kernel,
    arch: d.arch,
    config: d.config,
    pages: d.pages,
    name: d.name,
    compiled: d.compile(kernel),
    seed: 1,
    first: 0,
    ops: SEARCH,
    expectedLeaks: 0,
  });
  return kept.filter((k) => SEVERITIES[k.severity] !== "latent" && SEVERITIES[k.severity] !== "theoretical");
}

/** What random programs break that no path alone does, and that the discipline's own kernel does not. */
function found(loaded: LoadedDiscipline, today: readonly KeptProgram[]): MemdescBreak[] {
  const d = loaded.discipline;
  const known = new Set(today.map((k) => keyParts(k.key).invariant));
  const bad = searched(loaded, MEMDESC).filter((k) => {
    const { invariant } = keyParts(k.key);
    return !known.has(invariant) && !WALKERS.has(invariant);
  });
  return bad.slice(0, 1).map((k) => {
    const program: Program = { ...runOn(d, MEMDESC, k.code).program, slots: k.slots };
    const machine = machineFor(program);
    machine.run(program);
    const findings = findingsOf(machine, program.slots);
    const first = findings.find(isBad);
    return { paths: ["several"], line: blamed(program, first?.step ?? 0), why: reasonOf(findings, first?.step ?? 0) };
  });
}

/** What becomes of one discipline. */
export function memdescVerdict(loaded: LoadedDiscipline): MemdescVerdict {
  const d = loaded.discipline;
  const kernel = newestOf(d);
  const common = { discipline: d.name, arch: d.arch, kernel };
  const known = searched(loaded, kernel);
  const today = worst(d, kernel, known);
  const lacks = missingCall(d, MEMDESC);
  if (lacks !== undefined) return { ...common, today, lacks, breaks: [] };
  const rows = breaks(d);
  return { ...common, today, breaks: rows.length > 0 ? rows : found(loaded, known) };
}

/** A discipline whose fate is a worker's job. */
export interface MemdescJob {
  readonly index: number;
  readonly text: string;
  readonly file: string;
}

/** What came of it. */
export interface MemdescOutcome {
  readonly index: number;
  readonly verdict: MemdescVerdict;
}

/** Does a worker's job. */
export function runMemdescJob({ index, text, file }: MemdescJob): MemdescOutcome {
  return { index, verdict: memdescVerdict({ discipline: parseDiscipline(text, file), text }) };
}

/** Of disciplines those of real code; all of them where they were named. */
export function judged(loaded: readonly LoadedDiscipline[], named: boolean): LoadedDiscipline[] {
  return loaded.filter(({ discipline: d }) => named || (!d.canary && !d.hypothetical));
}

/** The order in which verdicts are shown. */
export const byName = (a: MemdescVerdict, b: MemdescVerdict): number => a.discipline < b.discipline ? -1 : 1;

/** Every discipline of real code, or those named, by name; tells how far it is. */
export async function runMemdesc(
  wanted: readonly string[],
  { progress }: Pick<WorkHooks, "progress">,
): Promise<MemdescVerdict[]> {
  const disciplines = judged(selectDisciplines(wanted), wanted.length > 0);
  const verdicts: MemdescVerdict[] = [];
  for (const loaded of disciplines) {
    await progress(verdicts.length, disciplines.length, "disciplines");
    verdicts.push(memdescVerdict(loaded));
  }
  return verdicts.sort(byName);
}

/** What a program does once descriptors are apart. */
export interface Apart {
  /** What it breaks there. */
  readonly findings: readonly Finding[];
  /** Whether that is something else than on the program's own kernel: what is latent diverges. */
  readonly diverges: boolean;
}

/** Runs a program on `memdesc`; undefined where that lacks one of its calls. */
export function onMemdesc(program: Program): Apart | undefined {
  for (let pc = 0; pc < program.code.length; pc += STEP_WORDS) {
    const call = CALLS[program.code[pc]!];
    if (call !== undefined && !hasCall(MEMDESC, call)) return undefined;
  }
  const there: Program = { ...program, kernel: MEMDESC };
  const machine = machineFor(there);
  machine.run(there);
  const findings = findingsOf(machine, there.slots);
  const own = machineFor(program);
  own.run(program);
  return { findings, diverges: told(findings) !== told(findingsOf(own, program.slots)) };
}

function told(findings: readonly Finding[]): string {
  return findings.map((f) => `${f.invariant} ${f.severity} ${f.step} ${f.pages}`).join("\n");
}
