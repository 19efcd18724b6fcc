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

/** A machine for programs of a place, to be used until another is asked for. */
export function machineFor({ kernel, arch, config, pages }: MachinePlace): Machine {
  const key = `${kernel} ${arch} ${config.join(",")} ${pages}`;
  const machine = machines.get(key) ?? new Machine({ kernel, arch, config, pages });
  // The one that was asked for longest ago goes.
  machines.delete(key);
  machines.set(key, machine);
  if (machines.size > KEPT) machines.delete(machines.keys().next().value!);
  return machine;
}
