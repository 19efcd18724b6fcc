/**
 * Where programs for the comparison come from: the generators of `fuzz`, and
 * files.
 *
 * @module
 */
import { DISTINCT_ARCHS } from "../core/kernel/arch.ts";
import { InputError } from "../core/program/input_error.ts";
import type { Discipline } from "../corpus/discipline.ts";
import { listShipped, readProgramFile } from "../corpus/files.ts";
import { opOf } from "../core/program/calls.ts";
import { kindIndex } from "../core/program/kinds.ts";
import { Machine } from "../core/program/machine.ts";
import { DEFAULT_PAGES, type Program, type Slot, STEP_WORDS } from "../core/program/program.ts";
import { planCells, selectDisciplines } from "../fuzz/cells.ts";
import { DisciplineGenerator } from "../fuzz/discipline_generator.ts";
import { HostileGenerator } from "../fuzz/hostile.ts";
import type { Random } from "../fuzz/random.ts";
import { ProvocationGenerator, provocationProgram, PROVOCATIONS } from "./provocations.ts";
import type { SourceVersion } from "./source.ts";

/** The largest zone that a real kernel is given: one block of the largest order. */
export const MAX_ARENA = 1024;

/** What writes programs. */
export interface Generator {
  readonly code: Int32Array;
  readonly slots: number;
  generate(random: Random): number;
  names(): Slot[];
}

/** A source of programs. */
export interface Source {
  /** Name for the seed. */
  readonly name: string;
  readonly machine: Machine;
  readonly generator: Generator;
  /** Its programs go on after findings. */
  readonly heedless: boolean;
}

/** Configurations of the model that a build has besides those it was asked for: they are the driver's to play. */
const DRIVERS: readonly string[] = ["RCU_TABLE_FREE", "PTI", "PGSTE"];

const M68K = "arch code of m68k: not built into a UML kernel";
const SPARC = "arch code of 32-bit sparc: not built into a UML kernel";
const SLAB = "a slab cache of page tables: UML has none, and hands objects out in an order of its own";
const NEWER = "of a kernel newer than those that are built";
/** Calls that a real kernel is not given, and why. */
const NO_COUNTERPART: Readonly<Record<string, string>> = {
  "env place": "where the allocator takes a block from is its own business",
  get_pointer_table: M68K,
  free_pointer_table: M68K,
  srmmu_get_nocache: SPARC,
  srmmu_free_nocache: SPARC,
  pte_alloc_one: SPARC,
  pte_free: SPARC,
  kmem_cache_alloc: SLAB,
  kmem_cache_free: SLAB,
  ptdesc_set_kernel: NEWER,
  "env kernel_pgtable_work": NEWER,
};
/** Calls that no program of a comparison makes. */
export const NOT_MADE: readonly string[] = Object.keys(NO_COUNTERPART);

/** Why no program of a comparison makes a call. */
export function whyNotMade(name: string): string {
  return NO_COUNTERPART[name]!;
}

/** A hostile program and one of a discipline make a turn; after so many comes one that is always the same. */
const TURNS_A_FEW = 20;

/** Machines are dear, and shared by all sources of one kind. */
class Machines {
  readonly #made = new Map<string, Machine>();
  readonly #kernel: string;

  constructor(kernel: string) {
    this.#kernel = kernel;
  }

  get(arch: string, config: readonly string[], pages: number): Machine {
    const key = `${arch} ${config.join(",")} ${pages}`;
    let machine = this.#made.get(key);
    if (machine === undefined) {
      machine = new Machine({ kernel: this.#kernel, arch, config, pages });
      this.#made.set(key, machine);
    }
    return machine;
  }
}

/**
 * Hostile programs on every architecture with rules of its own, by turns with those of every
 * discipline that the kernel has the calls of. Half of the hostile ones go on
 * after findings. Now and then comes one that leads to a check which these
 * seldom reach, or a stored one.
 *
 * @param kernel `6.1` or `6.12`
 * @param config of the model: DEBUG_VM or nothing
 */
export function allSources(kernel: SourceVersion, config: readonly string[]): Source[] {
  const machines = new Machines(kernel);
  // Gathers of powerpc and sparc64 take parts of pages, which nobody here can make.
  const hostile = DISTINCT_ARCHS.filter((arch) => arch !== "powerpc" && arch !== "sparc64").flatMap((arch) => {
    const machine = machines.get(arch, config, DEFAULT_PAGES);
    const generator = new HostileGenerator(machine, NOT_MADE);
    return [false, true].map((heedless): Source => ({
      name: `${heedless ? "heedless" : "hostile"} ${arch}`,
      machine,
      generator,
      heedless,
    }));
  });
  const disciplines = planCells(selectDisciplines([]), [kernel], []).flatMap((plan): Source[] => {
    const d = plan.loaded.discipline;
    if (plan.config.includes("HIGHMEM") || d.pages > MAX_ARENA || isNotMade(d)) return [];
    const machine = machines.get(d.arch, [...config, ...drivers(plan.config)].sort(), d.pages);
    const generator = new DisciplineGenerator(d.compile(kernel), machine.ledger, d.pages);
    return [{ name: d.name, machine, generator, heedless: false }];
  });
  const provoked = PROVOCATIONS.filter((p) => p.kernels.includes(kernel)).map((p): Source => {
    const machine = machines.get(p.arch, config, DEFAULT_PAGES);
    const generator = new ProvocationGenerator(provocationProgram(p, kernel), machine);
    return { name: `provocation of check ${p.check}`, machine, generator, heedless: true };
  });
  const stored = listShipped().regressions.flatMap((file): Source[] => {
    const program = readProgramFile(file);
    if (program.kernel !== kernel || !fits(program)) return [];
    const machine = machines.get(program.arch, [...config, ...drivers(program.config)].sort(), program.pages);
    return [fixedSource(program, machine, file)];
  });
  const few = provoked.flatMap((p, i) => [p, ...stored.filter((_, j) => j % provoked.length === i)]);
  const turns = Math.max(hostile.length, disciplines.length, few.length * TURNS_A_FEW);
  return Array.from({ length: turns }, (_, i) => [
    hostile[i % hostile.length]!,
    disciplines[i % disciplines.length]!,
    ...(i % TURNS_A_FEW === 0 ? [few[i / TURNS_A_FEW % few.length]!] : []),
  ]).flat();
}

/** One program, as a source that has no other. */
export function programSource(
  program: Program,
  file: string,
  kernel: SourceVersion,
  config: readonly string[],
): Source {
  const where = { file };
  const strange = NOT_MADE.find((name) => callsIt(program, name));
  if (strange !== undefined) {
    throw new InputError(
      `'${strange}' is nothing that the comparison can make on a real kernel; take the line out`,
      where,
    );
  }
  if (program.kernel !== kernel) {
    throw new InputError(`the program is for kernel ${program.kernel}, and a real ${kernel} was asked for`, where);
  }
  if (program.config.includes("HIGHMEM")) {
    throw new InputError("HIGHMEM is nothing that user-mode Linux has; take it out of the program's config", where);
  }
  if (program.config.includes("MEMCG") && !config.includes("MEMCG")) {
    throw new InputError(
      "the program's config has MEMCG, and the kernel is built without; say --config MEMCG too",
      where,
    );
  }
  if (program.pages > MAX_ARENA) {
    throw new InputError(
      `a real kernel is given ${MAX_ARENA} pages at most, and the program wants ${program.pages}`,
      where,
    );
  }
  return fixedSource(
    program,
    new Machine({ ...program, config: [...config, ...drivers(program.config)].sort() }),
    file,
  );
}

/** The options of a program or discipline that are the driver's to play. */
function drivers(config: readonly string[]): string[] {
  return config.filter((c) => DRIVERS.includes(c));
}

/** Whether a real kernel can run it. */
export function fits(program: Program): boolean {
  return !NOT_MADE.some((name) => callsIt(program, name)) && !program.config.includes("HIGHMEM") &&
    program.pages <= MAX_ARENA;
}

/** Whether a discipline has a call that a real kernel is not given. */
export function isNotMade(d: Discipline): boolean {
  const { alloc, use, free, fail } = d.compile(d.kernels[0]!);
  return [alloc, ...use, ...free, ...fail].some(({ code }) => NOT_MADE.some((name) => callsIt({ code }, name)));
}

/** Whether a program makes a call. */
export function callsIt(program: Pick<Program, "code">, name: string): boolean {
  const op = opOf(name);
  for (let at = 0; at < program.code.length; at += STEP_WORDS) if (program.code[at] === op) return true;
  return false;
}

/** A source of one program, which goes on after findings. */
function fixedSource(program: Program, machine: Machine, name: string): Source {
  return {
    name,
    machine,
    heedless: true,
    generator: {
      code: program.code,
      slots: program.slots.length,
      generate: () => {
        program.slots.forEach((slot, i) => machine.ledger.kinds[i] = kindIndex(slot.kind));
        return program.code.length;
      },
      names: () => [...program.slots],
    },
  };
}
