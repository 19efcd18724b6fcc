/**
 * What a discipline would look like in a recording: its paths are run on the
 * model, and the events are taken where the kernel's tracepoints stand
 * (`mm/page_alloc.c`: `trace_mm_page_alloc` ends `__alloc_pages`,
 * `trace_mm_page_free` begins `free_pages_prepare`, in 6.1 and 6.12).
 *
 * @module
 */
import { functionsOf } from "../core/kernel/create.ts";
import { __GFP_COMP } from "../core/memory/gfp.ts";
import { NULL } from "../core/memory/words.ts";
import { opOf } from "../core/program/calls.ts";
import { Machine, type MachineOptions } from "../core/program/machine.ts";
import { type Program, STEP_WORDS } from "../core/program/program.ts";
import type { CompiledPath, Discipline } from "../corpus/discipline.ts";

/** Who is told of a kernel's events. */
export interface Tracepoints {
  /** `mm_page_alloc`; absent: nobody asks. */
  alloc?(page: number, order: number, gfp: number): void;
  /** `mm_page_free`. */
  free(page: number, order: number): void;
}

/** Makes a machine whose kernel has tracepoints. */
export function machineWithTracepoints(options: MachineOptions, to: Tracepoints): Machine {
  const { alloc_pages, free_pages_prepare } = functionsOf(options.kernel);
  return new Machine({
    ...options,
    overrides: {
      ...(to.alloc && {
        alloc_pages(k, gfp, order) {
          const page = alloc_pages(k, gfp, order);
          if (page !== NULL) to.alloc!(page, order, gfp);
          return page;
        },
      }),
      free_pages_prepare(k, page, order, checkFree) {
        to.free(page, order);
        return free_pages_prepare(k, page, order, checkFree);
      },
    },
  });
}

/** A kernel with tracepoints, and what it would have recorded. */
export interface Traced {
  readonly machine: Machine;
  /** `mm_page_alloc` of the program that ran last. */
  readonly allocs: { page: number; order: number; gfp: number }[];
  /** `mm_page_free`. */
  readonly frees: { page: number; order: number }[];
}

/** Makes a machine that records its programs. */
export function tracedMachine(options: MachineOptions): Traced {
  const allocs: Traced["allocs"] = [];
  const frees: Traced["frees"] = [];
  const machine = machineWithTracepoints(options, {
    alloc: (page, order, gfp) => void allocs.push({ page, order, gfp }),
    free: (page, order) => void frees.push({ page, order }),
  });
  return { machine, allocs, frees };
}

/** Runs a program and gives the events it makes. */
export function record(traced: Traced, program: Program): void {
  traced.allocs.length = 0;
  traced.frees.length = 0;
  traced.machine.run(program);
}

/** A table that a discipline allocates. */
export interface AllocShape {
  readonly order: number;
  readonly gfp: number;
  readonly compound: boolean;
}

/** How a table goes: pieces `offset:order` in the order of their release, `0:2` for a block of order 2 as a whole. */
export type Form = string;

/** What a discipline's paths record on one kernel. */
export interface Shape {
  readonly allocs: readonly AllocShape[];
  /** By index of the free path: the forms in which the tables go. */
  readonly frees: readonly ReadonlySet<Form>[];
}

/** The form of pieces. */
export function formOf(pieces: readonly { readonly offset: number; readonly order: number }[]): Form {
  return pieces.map((p) => `${p.offset}:${p.order}`).join(" ");
}

const OP_RCU = opOf("env rcu_grace_period");

/** The paths of a discipline as one program for a kernel. */
export function pathsProgram(d: Discipline, kernel: string, free?: CompiledPath): Program {
  const { slots, alloc } = d.compile(kernel);
  const rcu = new Int32Array(STEP_WORDS);
  rcu.set([OP_RCU, -1]);
  const code = free === undefined ? alloc.code : Int32Array.from([...alloc.code, ...free.code, ...rcu]);
  return { comments: [], kernel, arch: d.arch, config: d.config, pages: d.pages, code, slots, claims: [] };
}

const known = new WeakMap<Discipline, Map<string, Shape>>();

/** What a discipline's paths record on a kernel. */
export function shapeOf(d: Discipline, kernel: string): Shape {
  const own = known.get(d) ?? new Map<string, Shape>();
  known.set(d, own);
  let shape = own.get(kernel);
  if (shape === undefined) own.set(kernel, shape = findShape(d, kernel));
  return shape;
}

const machines = new Map<string, Traced>();

/** Many disciplines are of one architecture and configuration, and programs leave nothing behind. */
function machineFor({ arch, config, pages }: Discipline, kernel: string): Traced {
  const key = `${kernel} ${arch} ${config} ${pages}`;
  let traced = machines.get(key);
  if (traced === undefined) machines.set(key, traced = tracedMachine({ kernel, arch, config, pages }));
  return traced;
}

function findShape(d: Discipline, kernel: string): Shape {
  const traced = machineFor(d, kernel);
  record(traced, pathsProgram(d, kernel));
  const allocs = traced.allocs.map(({ order, gfp }) => ({ order, gfp, compound: (gfp & __GFP_COMP) !== 0 }));
  const frees = d.compile(kernel).free.map((path) => {
    record(traced, pathsProgram(d, kernel, path));
    const tables = traced.allocs.slice(0, allocs.length);
    return new Set(tables.map(({ page, order }) =>
      formOf(
        traced.frees.filter((f) => f.page >= page && f.page < page + (1 << order))
          .map((f) => ({ offset: f.page - page, order: f.order })),
      )
    ));
  });
  return { allocs, frees };
}
