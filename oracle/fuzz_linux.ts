/**
 * `deno task fuzz --target linux`: searches on a real kernel, so that a tree is
 * tested as it is.
 *
 * The model is the guide: it draws the programs, as `fuzz` and hostile mode do.
 * The ledger is the judge, of the kernel's own words (`linux_machine.ts`). Where
 * the tree behaves otherwise than the model of its version and breaks nothing,
 * that is a difference, said but no finding: patches change behaviour.
 *
 * One thread judges, two kernels take turns; what is found depends on neither.
 *
 * @module
 */
import { DISTINCT_ARCHS } from "../core/kernel/arch.ts";
import { F_CALL, F_INVARIANT, F_PAGES, F_SEVERITY, F_STEP, FINDING_WORDS } from "../core/ledger/finding.ts";
import { INVARIANTS, SEVERITIES, THEORETICAL } from "../core/ledger/invariants.ts";
import { callOf } from "../core/program/findings.ts";
import { callName, CALLS, OP_AT } from "../core/program/calls.ts";
import { InputError } from "../core/program/input_error.ts";
import { DEFAULT_PAGES, type Program, type Slot, STEP_WORDS } from "../core/program/program.ts";
import { OP_NOTHING } from "../core/program/trace.ts";
import type { CampaignHooks, LinuxOptions } from "../corpus/request.ts";
import type { CallCount, Cell, Difference, ReportedFinding, Result } from "../corpus/result.ts";
import { TOOL } from "../corpus/tool.ts";
import { byWorst, unreached } from "../fuzz/campaign.ts";
import { type CellPlan, planCells, selectDisciplines } from "../fuzz/cells.ts";
import { Digest } from "../fuzz/digest.ts";
import { DisciplineGenerator } from "../fuzz/discipline_generator.ts";
import { type ExpectedFindings, expectedOf } from "../fuzz/expected.ts";
import { HostileGenerator } from "../fuzz/hostile.ts";
import { programSeed, Random } from "../fuzz/random.ts";
import { reportExpected } from "../fuzz/report_finding.ts";
import { findingKey, type KeptProgram, keyParts } from "../fuzz/shard.ts";
import { Comparer } from "./compare.ts";
import { LinuxMachine } from "./linux_machine.ts";
import { BUILDABLE, Places } from "./places.ts";
import { type Generator, isNotMade, MAX_ARENA, NOT_MADE } from "./programs.ts";
import { reportDifference, reportOnLinux } from "./report_linux.ts";
import type { SourceVersion } from "./source.ts";
import type { BatchRunner } from "./sync_linux.ts";

/** Steps of one batch. */
const BATCH_STEPS = 12_000;
/** Findings that are shrunk; what is found beyond them says where and how often. */
const MAX_SHRUNK = 8;
/** Programs of a cell whose lines are marked for coverage. */
const MARKED = 64;

/** A search: a discipline, or hostile programs on an architecture. */
interface Search {
  readonly name: string;
  readonly arch: string;
  readonly config: readonly string[];
  readonly pages: number;
  readonly plan: CellPlan | undefined;
  readonly expected: ExpectedFindings;
  readonly machines: readonly LinuxMachine[];
  readonly generator: Generator;
  readonly tables: DisciplineGenerator | undefined;
  readonly comparer: Comparer;
  readonly seen: readonly Uint8Array[];
  readonly digest: Digest;
  readonly kept: Map<number, KeptProgram & { number: number }>;
  /** Steps that the guide has drawn. */
  drawn: number;
  programs: number;
  steps: number;
  differ: number;
  unsettled: number;
  firstDifference: { number: number } | undefined;
}

/** A finding that is shrunk and shown. */
interface Shown {
  readonly search: Search;
  readonly key: number;
  readonly words: number;
}

/** A program in a batch. */
interface Entry {
  readonly search: Search;
  readonly number: number;
  readonly code: Int32Array;
  readonly kinds: Uint8Array;
  readonly slots: number;
  readonly first: number;
  readonly steps: number;
  readonly isCut: boolean;
  /** It misuses nothing by itself: what breaks is the tree's doing. */
  readonly isJudged: boolean;
}

/** What a search is made on. */
export interface Bench {
  readonly version: SourceVersion;
  /** Of the model: DEBUG_VM. */
  readonly config: readonly string[];
  readonly kernels: readonly BatchRunner[];
}

/** Invariant and call of a finding, in words. */
function idOf(key: number): string {
  const { invariant, call } = keyParts(key);
  return `${INVARIANTS[invariant]!.id} by ${callOf(call)}`;
}

/**
 * The disciplines that are searched: those named, or all shipped ones that name
 * the version and fit the build.
 *
 * @throws {InputError} where one that is named does not
 */
export function plansOn(
  { disciplines, mode }: LinuxOptions,
  version: SourceVersion,
  config: readonly string[],
): CellPlan[] {
  const named = disciplines.length > 0;
  if (mode === "hostile") {
    if (!named) return [];
    throw new InputError(
      `--discipline ${disciplines[0]} has no meaning in hostile mode, which makes raw calls; leave one of them out`,
    );
  }
  return planCells(selectDisciplines(disciplines), [version], config).filter(({ loaded: { discipline: d } }) => {
    if (!named && !d.kernels.includes(version)) return false;
    const strange = d.config.find((c) => !BUILDABLE.includes(c));
    const reason = isNotMade(d)
      ? "it calls functions that only its architecture has"
      : strange !== undefined
      ? `user-mode Linux is built without ${strange}`
      : d.pages > MAX_ARENA
      ? `a real kernel is given ${MAX_ARENA} pages at most, and it wants ${d.pages}`
      : undefined;
    if (reason !== undefined && named) {
      throw new InputError(`discipline ${d.name} cannot run on a real kernel: ${reason}`, { file: d.file });
    }
    return reason === undefined;
  });
}

/** Lets the process hear what happened meanwhile. */
function heard(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Runs the search. */
export class LinuxCampaign {
  readonly #options: LinuxOptions;
  readonly #bench: Bench;
  readonly #places: Places;
  readonly #random = new Random();
  readonly #searches: Search[];
  readonly #right = new Float64Array(CALLS.length);
  #steps = 0;
  #found = 0;

  constructor(options: LinuxOptions, bench: Bench) {
    this.#options = options;
    this.#bench = bench;
    this.#places = new Places(bench);
    const hostile = options.mode !== "discipline" && options.disciplines.length === 0 ? this.#hostile() : [];
    this.#searches = [...this.#disciplines(), ...hostile];
  }

  #disciplines(): Search[] {
    const { version, config } = this.#bench;
    return plansOn(this.#options, version, config).map((plan): Search => {
      const d = plan.loaded.discipline;
      const place = { name: d.name, arch: d.arch, config: plan.config, pages: d.pages };
      const machines = this.#places.machines(place);
      const compiled = d.compile(version);
      const tables = new DisciplineGenerator(compiled, machines[0]!.guide.ledger, d.pages);
      const seen = [compiled.alloc, ...compiled.use, ...compiled.free, ...compiled.fail].map((p) =>
        new Uint8Array(p.code.length / STEP_WORDS)
      );
      for (const path of tables.untaken) seen[path]!.fill(1);
      const expected = expectedOf(plan, (program) => this.#places.machineFor(program));
      return this.#search({ ...place, plan, expected, machines, generator: tables, tables, seen });
    });
  }

  #hostile(): Search[] {
    const expected: ExpectedFindings = { byKey: new Map(), leaks: 0, complaints: [] };
    return DISTINCT_ARCHS.map((arch) => {
      const place = { name: "hostile", arch, config: [...this.#bench.config], pages: DEFAULT_PAGES };
      const machines = this.#places.machines(place);
      const generator = new HostileGenerator(machines[0]!.guide, NOT_MADE);
      return this.#search({ ...place, plan: undefined, expected, machines, generator, tables: undefined, seen: [] });
    });
  }

  #search(
    what: Omit<
      Search,
      "comparer" | "digest" | "kept" | "drawn" | "programs" | "steps" | "differ" | "unsettled" | "firstDifference"
    >,
  ): Search {
    const { arch, config, pages } = what;
    return {
      ...what,
      comparer: new Comparer({ kernel: this.#bench.version, arch, config, pages }),
      digest: new Digest(),
      kept: new Map(),
      drawn: 0,
      programs: 0,
      steps: 0,
      differ: 0,
      unsettled: 0,
      firstDifference: undefined,
    };
  }

  /** Draws a program of a search on its guide; its words. */
  #draw(search: Search, number: number): number {
    const { version } = this.#bench;
    const name = search.plan === undefined ? `${search.name} ${search.arch}` : search.name;
    const guide = search.machines[0]!.guide;
    this.#random.seed(this.#options.seed, programSeed(this.#options.seed, version, name, number));
    const { tables, generator } = search;
    const words = tables !== undefined && number < tables.tours
      ? tables.tour(number)
      : generator.generate(this.#random);
    guide.ledger.expectedLeaks = search.expected.leaks;
    guide.runCode(generator.code, words, generator.slots);
    return words;
  }

  /** Draws programs until a batch is full or every search has its share. */
  #fill(kernel: number, share: number): Entry[] {
    const entries: Entry[] = [];
    let room = BATCH_STEPS;
    for (const search of this.#searches) {
      while (room > 0 && (search.drawn < share || search.programs < (search.tables?.tours ?? 0))) {
        const number = search.programs++;
        const words = this.#draw(search, number);
        const guide = search.machines[0]!.guide;
        const trace = search.machines[0]!.guided;
        // A program of no steps at all must not run for ever.
        search.drawn += Math.max(1, guide.steps);
        if (search.tables !== undefined && number < MARKED + search.tables.tours) {
          search.tables.mark(guide.ran, guide.slots, search.seen);
        }
        const machine = search.machines[kernel]!;
        let steps = LinuxMachine.runnable(guide, trace);
        // What a misuse makes the kernel BUG of costs a process, and says nothing of the tree.
        if (search.plan === undefined && guide.misuse && guide.kernel.bugCheck >= 0) {
          steps = Math.min(steps, trace.words / STEP_WORDS - 1);
        }
        if (steps <= 0) continue;
        const isCut = steps < trace.words / STEP_WORDS;
        const { generator } = search;
        const slots = generator.slots;
        entries.push({
          search,
          number,
          code: generator.code.slice(0, words),
          kinds: guide.ledger.kinds.slice(0, slots),
          slots,
          first: machine.add(trace.code, steps, slots),
          steps,
          isCut,
          isJudged: search.plan !== undefined || !guide.misuse,
        });
        room -= steps;
      }
      if (room <= 0) break;
    }
    return entries;
  }

  /** Judges a batch that the kernel has run. */
  #judge(kernel: number, entries: readonly Entry[]): void {
    const linux = this.#bench.kernels[kernel]!;
    const again: Entry[] = [];
    let at = 0;
    for (const entry of entries) {
      const { search, code, slots, first, steps } = entry;
      const machine = search.machines[kernel]!;
      this.#count(linux.in, first, steps);
      const difference = search.comparer.compare(linux.in, first, steps, slots, linux.out, at);
      const from = at;
      at = search.comparer.next;
      if (difference !== undefined) {
        search.differ++;
        search.firstDifference ??= { number: entry.number };
      }
      if (!entry.isJudged) {
        this.#skip(entry);
        continue;
      }
      this.#prepare(machine, entry);
      if (machine.judge(code, code.length, slots, { first, steps, isCut: entry.isCut, at: from })) {
        this.#take(entry, machine);
      } else again.push(entry);
    }
    for (const entry of again) {
      const machine = entry.search.machines[kernel]!;
      this.#prepare(machine, entry);
      const before = machine.unsettled;
      machine.runCode(entry.code, entry.code.length, entry.slots);
      entry.search.unsettled += machine.unsettled - before;
      this.#take(entry, machine);
    }
  }

  #prepare(machine: LinuxMachine, { kinds, search }: Entry): void {
    machine.ledger.kinds.set(kinds);
    machine.ledger.expectedLeaks = search.expected.leaks;
  }

  /** A program that misuses calls is compared only; its steps count. */
  #skip({ search, code, steps }: Entry): void {
    search.steps += steps;
    this.#steps += steps;
    search.digest.words(code, 0, code.length);
    search.digest.word(steps);
  }

  #take({ search, number, code }: Entry, machine: LinuxMachine): void {
    const l = machine.ledger;
    search.steps += machine.steps;
    this.#steps += machine.steps;
    search.digest.words(code, 0, code.length);
    search.digest.word(machine.steps);
    search.digest.words(l.findings, 0, l.nFindings * FINDING_WORDS);
    if (search.plan === undefined && machine.misuse) return;
    for (let i = 0; i < l.nFindings; i++) {
      const f = l.findings.subarray(i * FINDING_WORDS, (i + 1) * FINDING_WORDS);
      const key = findingKey(f[F_INVARIANT]!, f[F_CALL]!, f[F_PAGES]!);
      // The shortest that shows it: what is long has other things in it.
      const before = search.kept.get(key);
      if (before !== undefined && before.code.length <= code.length) continue;
      if (before === undefined && !search.expected.byKey.has(key)) this.#found++;
      search.kept.set(key, {
        number,
        code,
        slots: [],
        key,
        severity: f[F_SEVERITY]!,
        step: f[F_STEP]!,
        innocent: !machine.misuse,
      });
    }
  }

  #count(code: Int32Array, first: number, steps: number): void {
    for (let i = 0; i < steps; i++) {
      const op = code[first + i * STEP_WORDS]!;
      if (op !== OP_AT && op !== OP_NOTHING) this.#right[op]!++;
    }
  }

  /** Searches, and makes a result of what was found. */
  async run(hooks: CampaignHooks): Promise<Result> {
    const share = Math.max(1, Math.floor(this.#options.ops / this.#searches.length));
    hooks.phase?.("search");
    const { kernels } = this.#bench;
    const waiting: (readonly Entry[] | undefined)[] = kernels.map(() => undefined);
    for (let turn = 0;; turn++) {
      const kernel = turn % kernels.length;
      const before = waiting[kernel];
      if (before !== undefined) {
        kernels[kernel]!.wait();
        this.#judge(kernel, before);
        hooks.progress?.({ steps: this.#steps, findings: this.#found });
      }
      // Ctrl-C is heard between two batches.
      await heard();
      const stopped = hooks.signal?.aborted ?? false;
      const entries = stopped ? [] : this.#fill(kernel, share);
      waiting[kernel] = entries.length > 0 ? entries : undefined;
      if (entries.length > 0) kernels[kernel]!.start();
      else if (waiting.every((w) => w === undefined)) break;
    }
    return this.#result(hooks);
  }

  async #result(hooks: CampaignHooks): Promise<Result> {
    const findings: ReportedFinding[] = [];
    const shown = this.#shown();
    const cells: Cell[] = [];
    for (const search of this.#searches) {
      cells.push(this.#cell(search, findings, shown, hooks.signal?.aborted ?? false));
      await heard();
    }
    const interrupted = hooks.signal?.aborted ?? false;
    const differences = interrupted ? undefined : this.#differences();
    hooks.phase?.("done");
    findings.sort(byWorst);
    const { mode, seed } = this.#options;
    return {
      schema: 1,
      tool: TOOL,
      task: "fuzz",
      mode: `${mode === undefined ? "discipline and hostile" : mode} on a real Linux`,
      seed,
      steps: this.#steps,
      interrupted,
      faults: [],
      pool: null,
      never: [],
      cells,
      findings,
      invariants: INVARIANTS.map((inv, i) => ({
        id: inv.id,
        checks: this.#places.sum((m) => m.ledger.checks[i]!),
        violations: this.#places.sum((m) => m.ledger.violations[i]!),
      })),
      calls: this.#calls(),
      memdesc: [],
      replayed: [],
      recordings: [],
      unexpected: findings.filter((f) => !f.expected && f.severity !== SEVERITIES[THEORETICAL]).length +
        cells.reduce((sum, c) => sum + (c.as_expected ? 0 : c.complaints.length), 0),
      differences,
    };
  }

  #calls(): CallCount[] {
    const { version } = this.#bench;
    return CALLS.map((call) => ({ kernel: version, call: callName(call), right: this.#right[call.id]!, wrong: 0 }))
      .filter((c) => c.right > 0);
  }

  /**
   * Which programs are shrunk and shown: of each invariant and call the shortest
   * that any search has, the first few of them, shortest first.
   */
  #shown(): Map<string, Shown> {
    const best = new Map<string, Shown>();
    for (const search of this.#searches) {
      for (const [key, { code }] of search.kept) {
        if (search.expected.byKey.has(key)) continue;
        const id = idOf(key);
        const before = best.get(id);
        if (before === undefined || code.length < before.words) best.set(id, { search, key, words: code.length });
      }
    }
    return new Map([...best].sort(([, a], [, b]) => a.words - b.words).slice(0, MAX_SHRUNK));
  }

  #cell(search: Search, findings: ReportedFinding[], shown: ReadonlyMap<string, Shown>, partial: boolean): Cell {
    const { plan, expected } = search;
    const complaints = [...expected.complaints];
    const mine: ReportedFinding[] = [];
    const place = { ...search, kernel: this.#bench.version };
    const signatures: string[] = [];
    for (const e of expected.byKey.values()) mine.push(reportExpected(place, e));
    for (const [key, kept] of search.kept) {
      if (expected.byKey.has(key)) continue;
      const id = idOf(key);
      const at = shown.get(id);
      if (at?.search !== search || at.key !== key) {
        const where = at === undefined ? "" : `, as in ${at.search.name} on ${at.search.arch}`;
        const sentence = `${id} shows here too${where}`;
        if (!complaints.includes(sentence)) complaints.push(sentence);
        continue;
      }
      this.#draw(search, kept.number);
      const slots: Slot[] = search.generator.names();
      mine.push(reportOnLinux(place, { ...kept, slots }, search.machines[0]!, plan === undefined));
    }
    // What was not tried was not missed.
    if (plan !== undefined && !partial) {
      const d = plan.loaded.discipline;
      if (d.canary && ![...search.kept.keys()].some((key) => expected.byKey.has(key))) {
        complaints.push(
          `random search did not find what is wrong with the canary ${d.name} in ${this.#options.ops} steps`,
        );
      }
      complaints.push(...unreached(plan, expected, [search]));
    }
    if (search.unsettled > 0) complaints.push(`${search.unsettled} programs went another way each time they were run`);
    findings.push(...mine);
    signatures.push(...mine.map((f) => f.signature));
    const bad = mine.filter((f) => !f.expected && f.severity !== SEVERITIES[THEORETICAL]);
    return {
      kernel: this.#bench.version,
      arch: search.arch,
      config: search.config,
      discipline: search.name,
      hypothetical: plan?.loaded.discipline.hypothetical ?? false,
      canary: plan?.loaded.discipline.canary ?? false,
      programs: search.programs,
      features: 0,
      steps: search.steps,
      findings: signatures,
      as_expected: bad.length === 0 && complaints.length === 0,
      complaints,
      digest: search.digest.digits(),
    };
  }

  /** Programs that ran otherwise than on the model, and the first of them, shrunk. */
  #differences(): Difference | undefined {
    const programs = this.#searches.reduce((n, s) => n + s.differ, 0);
    const search = this.#searches.find((s) => s.firstDifference !== undefined);
    if (search === undefined) return undefined;
    const words = this.#draw(search, search.firstDifference!.number);
    const { generator, machines, comparer } = search;
    const program: Program = {
      comments: [],
      kernel: this.#bench.version,
      arch: search.arch,
      config: search.config,
      pages: search.pages,
      code: generator.code.slice(0, words),
      slots: generator.names(),
      claims: [],
    };
    const first = reportDifference(program, machines[0]!, comparer);
    return { programs, first };
  }
}
