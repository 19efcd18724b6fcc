/**
 * Disciplines ready to run: what an isolate of `deno task bench` measures.
 *
 * @module
 */
import { Machine } from "../core/program/machine.ts";
import type { CompiledDiscipline, Discipline } from "../corpus/discipline.ts";
import type { MachinePlace } from "../corpus/machine_for.ts";
import { DisciplineGenerator } from "./discipline_generator.ts";
import { programSeed, Random } from "./random.ts";

/** What is to be known of a discipline to run it: plain data. */
export interface Benched extends MachinePlace {
  readonly name: string;
  readonly compiled: CompiledDiscipline;
}

/** A discipline as an isolate that measures it needs it. */
export function benchedOn(d: Discipline, kernel: string): Benched {
  const { name, arch, config, pages } = d;
  return { name, kernel, arch, config, pages, compiled: d.compile(kernel) };
}

/** Who writes and runs the programs. */
export type Runner = "generated" | "model";

/** One discipline, ready to run. */
export interface Lane {
  readonly machine: Machine;
  /** Runs so many programs; answers the steps executed. */
  run(programs: number, seed: number): number;
}

/** Makes a lane's `run`. */
type Make = (machine: Machine, discipline: Benched, lane: number) => Lane["run"];

/** ptfuzz's own programs. */
const generated: Make = (machine, { name, compiled, pages }) => {
  const generator = new DisciplineGenerator(compiled, machine.ledger, pages);
  return (programs, seed) => runGenerated(machine, generator, name, programs, seed);
};

function runGenerated(
  machine: Machine,
  generator: DisciplineGenerator,
  name: string,
  programs: number,
  seed: number,
): number {
  const random = new Random();
  let steps = 0;
  for (let i = 0; i < programs; i++) {
    random.seed(seed, programSeed(seed, machine.kernel.name, name, i));
    const words = generator.generate(random);
    machine.runCode(generator.code, words, generator.slots);
    steps += machine.steps;
    if (machine.ledger.nFindings > 0 && !machine.kernel.name.includes("without")) {
      throw new Error(`${name} is not clean on ${machine.kernel.name}`);
    }
  }
  return steps;
}

/** fast-check's, which is loaded where it is measured; of a generator only what it says of the discipline is kept. */
async function modelled(): Promise<Make> {
  const { runModelled } = await import("./model_bench.ts");
  return (machine, { compiled, pages }, lane) => {
    const { maxTables, speculates } = new DisciplineGenerator(compiled, machine.ledger, pages);
    return (programs, seed) => runModelled(machine, compiled, maxTables, speculates, programs, seed + lane);
  };
}

/** Makes disciplines ready; those of one architecture and configuration share a machine, as in a campaign. */
export async function lanesOf(disciplines: readonly Benched[], runner: Runner): Promise<Lane[]> {
  const make = runner === "generated" ? generated : await modelled();
  const machines = new Map<string, Machine>();
  return disciplines.map((d, i) => {
    const key = `${d.kernel} ${d.arch} ${d.config.join()} ${d.pages}`;
    const machine = machines.get(key) ?? new Machine(d);
    machines.set(key, machine);
    return { machine, run: make(machine, d, i) };
  });
}
