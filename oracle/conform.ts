/**
 * Conformance (`deno task conform`): the same programs on the model and on a
 * real kernel.
 *
 * Programs are drawn as `fuzz` draws them, half of them hostile, half of
 * disciplines. The machine with its ledger runs each first and says what ran
 * (`core/program/trace.ts`); the kernel repeats it, and `compare.ts` compares.
 * Two kernels take turns: while one runs a batch, the next is drawn.
 *
 * A program that the model predicts to end in a BUG costs the kernel a process,
 * so a share of them is run to the BUG and the others to the step before it.
 * Where the model stops because a real machine would follow a wild pointer, or
 * try for ever, the program is always cut.
 *
 * @module
 */
import { CHECKS } from "../core/kernel/checks.ts";
import { areaWord } from "../core/memory/mem_map.ts";
import { CALLS, OP_AT } from "../core/program/calls.ts";
import type { Machine, MachineOptions } from "../core/program/machine.ts";
import { STEP_WORDS } from "../core/program/program.ts";
import { OP_NOTHING, Trace } from "../core/program/trace.ts";
import type { WorkHooks } from "../corpus/request.ts";
import { programSeed, Random } from "../fuzz/random.ts";
import { driverArch, driverFlags } from "./archs.ts";
import { Comparer, type Difference, isWild } from "./compare.ts";
import type { Linux } from "./linux.ts";
import type { Source } from "./programs.ts";
import type { Shrunk } from "./shrink_difference.ts";

/** A program that was run, and what is needed to draw it again. */
export interface Drawn {
  readonly source: Source;
  readonly number: number;
}

/** The first difference of a run. */
export interface Found extends Drawn {
  readonly difference: Difference;
}

/** What a run came to. */
export interface Conformance {
  programs: number;
  /** Programs that were run to a predicted BUG. */
  fatal: number;
  /** Programs that were cut before one. */
  cut: number;
  /** Programs cut where a real machine would follow a wild pointer or try for ever. */
  wild: number;
  /** Steps compared. */
  steps: number;
  /** Median of the programs' steps. */
  median: number;
  /** Times each check fired on both sides. */
  fired: Float64Array;
  /** Times each call ran on both sides. */
  calls: Float64Array;
  /** Seconds spent comparing, without the boot. */
  seconds: number;
  found: Found | undefined;
}

/** Which of the programs that end in a check are run to it: the first so many, and one in so many after. */
const FATAL_FIRST = 200;
const FATAL_ONE_IN = 100;
/** Words of the reports that a step takes, generously; a batch ends before they are full. */
const WORDS_A_STEP = 400;

/** Steps of one batch of trials. */
const MAX_TRIAL_STEPS = 20_000;

interface Entry extends Drawn {
  readonly first: number;
  readonly steps: number;
  readonly slots: number;
}

/** Runs programs on both sides. */
export class Conform {
  readonly #sources: readonly Source[];
  readonly #comparers = new Map<Machine, Comparer>();
  readonly #random = new Random();
  readonly #trace = new Trace();
  readonly #seed: number;
  readonly #overrides: MachineOptions["overrides"];
  readonly #predicted = new Float64Array(CHECKS.length);
  readonly #lengths = new Float64Array(4096);
  #number = 0;
  /** Words of the program that was drawn last. */
  drawnWords = 0;
  readonly result: Conformance = {
    programs: 0,
    fatal: 0,
    cut: 0,
    wild: 0,
    steps: 0,
    median: 0,
    fired: new Float64Array(CHECKS.length),
    calls: new Float64Array(CALLS.length),
    seconds: 0,
    found: undefined,
  };

  /** @param overrides functions of the model that are replaced in the comparison: a mutant */
  constructor(sources: readonly Source[], seed: number, overrides?: MachineOptions["overrides"], first = 0) {
    this.#number = first;
    this.#sources = sources;
    this.#seed = seed;
    this.#overrides = overrides;
  }

  #comparer(machine: Machine): Comparer {
    let comparer = this.#comparers.get(machine);
    if (comparer === undefined) {
      const k = machine.kernel;
      const options = { kernel: k.name, arch: k.arch.name, config: k.config, pages: k.nrPages };
      comparer = new Comparer(this.#overrides === undefined ? options : { ...options, overrides: this.#overrides });
      this.#comparers.set(machine, comparer);
    }
    return comparer;
  }

  /** Runs so many programs on kernels of one build; stops at the first difference, or when it is told to. */
  async run(
    programs: number,
    kernels: readonly Linux[],
    { progress, signal }: Partial<Pick<WorkHooks, "progress" | "signal">> = {},
  ): Promise<Conformance> {
    const r = this.result;
    const started = performance.now();
    let waiting: { run: Promise<void>; kernel: Linux; entries: Entry[] } | undefined;
    let turn = 0;
    while (r.found === undefined) {
      const kernel = kernels[turn++ % kernels.length]!;
      const entries = this.#number < programs && !signal?.aborted ? this.#fill(kernel, programs) : [];
      if (waiting !== undefined && kernels.length === 1) throw new Error("two kernels are needed");
      const run = entries.length > 0 ? kernel.run() : Promise.resolve();
      // A failure is reported where it is awaited.
      run.catch(() => {});
      if (waiting !== undefined) {
        await waiting.run;
        this.#compare(waiting.kernel, waiting.entries);
        await progress?.(r.programs, programs, "programs");
      }
      waiting = entries.length > 0 ? { run, kernel, entries } : undefined;
      if (waiting === undefined) break;
    }
    await waiting?.run;
    r.seconds = (performance.now() - started) / 1000;
    r.median = this.#median();
    for (const comparer of this.#comparers.values()) {
      comparer.fired.forEach((n, i) => r.fired[i]! += n);
      comparer.fired.fill(0);
    }
    return r;
  }

  #median(): number {
    let left = this.result.programs / 2;
    for (let i = 0; i < this.#lengths.length; i++) {
      left -= this.#lengths[i]!;
      if (left <= 0) return i;
    }
    return this.#lengths.length;
  }

  /** Draws programs until the batch is full. */
  #fill(kernel: Linux, programs: number): Entry[] {
    const entries: Entry[] = [];
    let budget = kernel.out.length / WORDS_A_STEP;
    while (this.#number < programs && budget > 0) {
      const number = this.#number++;
      const source = this.#sources[number % this.#sources.length]!;
      const trace = this.draw(source, number);
      const steps = this.#cut(source.machine, trace);
      if (steps === 0) {
        this.result.programs++;
        this.#lengths[0]!++;
        continue;
      }
      const entry = this.add(kernel, source, number, trace, steps);
      entries.push(entry);
      budget -= steps;
    }
    return entries;
  }

  /** Runs a program of a source on its machine; what ran. */
  draw(source: Source, number: number): Trace {
    const { machine, generator } = source;
    this.#random.seed(this.#seed, programSeed(this.#seed, machine.kernel.name, source.name, number));
    const words = generator.generate(this.#random);
    this.drawnWords = words;
    return this.trace(machine, generator.code, words, generator.slots, source.heedless);
  }

  /** Runs flat code on a machine; what ran. */
  trace(machine: Machine, code: Int32Array, words: number, slots: number, heedless: boolean): Trace {
    machine.trace = this.#trace;
    machine.heedless = heedless;
    machine.runCode(code, words, slots);
    machine.trace = null;
    machine.heedless = false;
    return this.#trace;
  }

  /** Adds a trace to a kernel's batch. */
  add(kernel: Linux, source: Source, number: number, trace: Trace, steps: number): Entry {
    const { machine, generator } = source;
    const k = machine.kernel;
    const slots = generator.slots;
    const first = kernel.add({
      steps,
      pages: k.nrPages,
      arch: driverArch(k.arch),
      slots,
      area: areaWord(k.lowZone, 0) << 2,
      pgdList: k.map.pgdList << 2,
      flags: driverFlags(k),
    }, trace.code) + 8;
    return { source, number, first, steps, slots };
  }

  /** Runs programs of a source one by one in a batch; for each its first difference, or undefined. */
  async differences(kernel: Linux, source: Source, programs: readonly Int32Array[]): Promise<(Shrunk | undefined)[]> {
    const comparer = this.#comparer(source.machine);
    const list: (Shrunk | undefined)[] = [];
    for (let from = 0; from < programs.length;) {
      const entries: { code: Int32Array; entry: Entry; pcs: Int32Array }[] = [];
      for (let steps = 0; from < programs.length && steps < MAX_TRIAL_STEPS; from++) {
        const code = programs[from]!;
        const trace = this.trace(source.machine, code, code.length, source.generator.slots, source.heedless);
        const all = this.#cut(source.machine, trace, true);
        steps += all;
        entries.push({ code, entry: this.add(kernel, source, 0, trace, all), pcs: trace.pcs.slice(0, all) });
      }
      await kernel.run();
      let at = 0;
      for (const { code, entry, pcs } of entries) {
        const difference = comparer.compare(kernel.in, entry.first, entry.steps, entry.slots, kernel.out, at);
        at = comparer.next;
        list.push(difference && { code, difference, pc: pcs[Math.min(difference.step, pcs.length - 1)] ?? -1 });
      }
    }
    return list;
  }

  /** Steps of a trace that are compared. */
  #cut(machine: Machine, trace: Trace, always = false): number {
    const r = this.result;
    const all = trace.words / STEP_WORDS;
    if (trace.endless >= 0) {
      r.wild++;
      return trace.endless / STEP_WORDS;
    }
    const check = machine.kernel.bugCheck;
    if (check < 0) return all;
    if (isWild(check)) {
      r.wild++;
      return all - 1;
    }
    const n = this.#predicted[check]!++;
    if (always || n < FATAL_FIRST || n % FATAL_ONE_IN === 0) {
      r.fatal++;
      return all;
    }
    r.cut++;
    return all - 1;
  }

  #compare(kernel: Linux, entries: readonly Entry[]): void {
    const r = this.result;
    let at = 0;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      if (i >= kernel.ran) throw new Error("the kernel's reports had no room; a batch has to be smaller");
      const comparer = this.#comparer(entry.source.machine);
      const before = comparer.steps;
      const difference = comparer.compare(kernel.in, entry.first, entry.steps, entry.slots, kernel.out, at);
      at = comparer.next;
      r.programs++;
      r.steps += comparer.steps - before;
      this.#lengths[Math.min(entry.steps, this.#lengths.length - 1)]!++;
      this.#count(kernel.in, entry);
      if (difference !== undefined) {
        r.found = { source: entry.source, number: entry.number, difference };
        return;
      }
    }
  }

  #count(code: Int32Array, { first, steps }: Entry): void {
    const calls = this.result.calls;
    for (let i = 0; i < steps; i++) {
      const op = code[first + i * STEP_WORDS]!;
      if (op !== OP_AT && op !== OP_NOTHING) calls[op]!++;
    }
  }
}
