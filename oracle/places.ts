/**
 * Machines on real kernels, one for each place (architecture, configuration,
 * size) and kernel: they are dear to make.
 *
 * @module
 */
import type { Program } from "../core/program/program.ts";
import type { Bench } from "./fuzz_linux.ts";
import { LinuxMachine } from "./linux_machine.ts";
import { fits } from "./programs.ts";

/** Configurations that a cell may have: the build's, those that the driver plays, and those that only the ledger asks for. */
export const BUILDABLE: readonly string[] = ["DEBUG_VM", "RCU_TABLE_FREE", "PTI", "PGSTE", "SMP", "IOMMU_SVA"];

/** Where programs run. */
export interface Place {
  readonly arch: string;
  readonly config: readonly string[];
  readonly pages: number;
}

/** The machines of a campaign. */
export class Places {
  readonly #made = new Map<string, readonly LinuxMachine[]>();
  readonly #bench: Bench;

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  /** A machine on each kernel. */
  machines({ arch, config, pages }: Place): readonly LinuxMachine[] {
    const key = `${arch} ${config.join(",")} ${pages}`;
    let machines = this.#made.get(key);
    if (machines === undefined) {
      const options = { kernel: this.#bench.version, arch, config, pages };
      machines = this.#bench.kernels.map((linux) => new LinuxMachine(options, linux));
      this.#made.set(key, machines);
    }
    return machines;
  }

  /** A machine for a stored program; undefined where this kernel cannot run it. */
  machineFor(program: Program): LinuxMachine | undefined {
    return fits(program) && program.config.every((c) => BUILDABLE.includes(c)) ? this.machines(program)[0] : undefined;
  }

  /** A sum over all machines. */
  sum(of: (machine: LinuxMachine) => number): number {
    let total = 0;
    for (const machines of this.#made.values()) for (const machine of machines) total += of(machine);
    return total;
  }
}
