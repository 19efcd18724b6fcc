/**
 * Programs of one discipline on one kernel, drawn and run as `fuzz --seed 1` does
 * it, one after the other: no stored program, no path tried first.
 *
 * @module
 */
import { Machine } from "../core/program/machine.ts";
import type { Program } from "../core/program/program.ts";
import { type CellPlan, planCells, selectDisciplines } from "./cells.ts";
import { DisciplineGenerator } from "./discipline_generator.ts";
import { keysOf } from "./expected.ts";
import { programSeed, Random } from "./random.ts";
import type { Place } from "./report_finding.ts";

/** A discipline on a kernel, with options beside its own. */
export interface Side {
  readonly discipline: string;
  readonly kernel: string;
  readonly config?: readonly string[];
}

const SEED = 1;

/** Draws the programs of a discipline on a kernel. */
export class Draw {
  /** The cell. */
  readonly cell: CellPlan;
  /** Where its programs run. */
  readonly place: Place;
  /** What they run on. */
  readonly machine: Machine;
  readonly #generator: DisciplineGenerator;
  readonly #random = new Random();
  #programs = 0;
  /** Words of the program that ran last. */
  #words = 0;
  /** Steps executed so far; a program without any counts as one. */
  steps = 0;

  constructor({ discipline, kernel, config = [] }: Side) {
    this.cell = planCells(selectDisciplines([discipline]), [kernel], config)[0]!;
    const d = this.cell.loaded.discipline;
    this.place = { kernel, arch: d.arch, config: this.cell.config, pages: d.pages, name: d.name };
    this.machine = new Machine(this.place);
    this.#generator = new DisciplineGenerator(d.compile(kernel), this.machine.ledger, d.pages);
  }

  /** Draws and runs the next program; what it showed. */
  next(): ReturnType<typeof keysOf> {
    const { kernel, name } = this.place;
    this.#random.seed(SEED, programSeed(SEED, kernel, name, this.#programs++));
    this.#words = this.#generator.generate(this.#random);
    this.machine.runCode(this.#generator.code, this.#words, this.#generator.slots);
    this.steps += Math.max(1, this.machine.steps);
    return keysOf(this.machine);
  }

  /** The program that ran last. */
  get program(): Program {
    const { kernel, arch, config, pages } = this.place;
    const code = this.#generator.code.slice(0, this.#words);
    return { comments: [], kernel, arch, config, pages, code, slots: this.#generator.names(), claims: [] };
  }
}
