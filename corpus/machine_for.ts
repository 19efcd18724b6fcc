/**
 * Machines that are kept: making one takes longer, and more memory, than most
 * programs that run on it.
 *
 * @module
 */
import { Machine } from "../core/program/machine.ts";

/** Machines that are kept at once. */
const KEPT = 8;

const machines = new Map<string, Machine>();

/** What decides which machine a program needs. */
export interface MachinePlace {
  readonly kernel: string;
  readonly arch: string;
  readonly config: readonly string[];
  readonly pages: number;
}

/** The one that was asked for longest ago goes; the next takes over what is large of it. */
function giveUpOldest(): void {
  const [key, machine] = machines.entries().next().value!;
  machines.delete(key);
  machine.kernel.giveUp();
}

/** A machine for programs of a place, to be used until another is asked for: it is given up once eight others were. */
export function machineFor({ kernel, arch, config, pages }: MachinePlace): Machine {
  const key = `${kernel} ${arch} ${config.join(",")} ${pages}`;
  const known = machines.get(key);
  if (known === undefined && machines.size === KEPT) giveUpOldest();
  const machine = known ?? new Machine({ kernel, arch, config, pages });
  machines.delete(key);
  machines.set(key, machine);
  return machine;
}
