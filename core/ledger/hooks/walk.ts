/**
 * Walkers: who comes into a table, and who leaves.
 *
 * @module
 */
import * as $words from "../../memory/words.ts";
import type { Ledger } from "../ledger.ts";
import * as $walkers from "../walkers.ts";
import * as $table from "../table.ts";
import type { Hook, Hooks } from "./hook.ts";
import * as $hook from "./hook.ts";
import * as $records from "../records.ts";

const { GR_FIRST, GR_SHIFT, L_GRANT, L_SHIFT } = $records;
const { NULL } = $words;
const { mayWalk, unlinked, WALK_IOMMU, WALK_IRQ, WALK_RCU, WALK_TLB, walkerEnded, walkersDone, walkerStarted, walks } =
  $walkers;
const { lockUsed } = $table;
const { pageOf } = $hook;

/** An RCU walker takes the lock of its table. */
function takesLock(l: Ledger): void {
  const g = l.walkers.table[l.a]!;
  if (g >= 0 && l.walkers.locked[l.a] !== 0) lockUsed(l, l.grants[(g << GR_SHIFT) | GR_FIRST]!);
}

/** Kind of the walker that each of the environment's steps starts. */
export const WALKER_OF: Readonly<Record<string, number>> = {
  "env hw_walk": WALK_TLB,
  "env gup_fast": WALK_IRQ,
  "env pte_offset_map": WALK_RCU,
  "env iommu_walk": WALK_IOMMU,
};

function started(kind: number): Hook {
  return (l) => {
    if (l.res !== NULL) walkerStarted(l, l.res, kind, l.a, l.dst);
  };
}

function beforeUnlink(l: Ledger): void {
  if (l.pages[(pageOf(l.a) << L_SHIFT) | L_GRANT]! >= 0) unlinked(l, l.a, l.c, l.b);
}

/** Callbacks run after all that walked when it began. */
function beforeGracePeriod(l: Ledger): void {
  walkersDone(l, WALK_IRQ | WALK_RCU);
}

/** What {@linkcode walkPossible} is asked for each of the environment's steps. */
export const WALK_STEPS: Readonly<Record<string, number>> = { ...WALKER_OF, "env walk_end": 0, "env spin_lock": -1 };

/**
 * Whether the environment can do a step on an operand now.
 *
 * @param kind kind of the walker to start; 0: the walker leaves; -1: it is an RCU walker that takes a lock
 */
export function walkPossible(l: Ledger, kind: number, value: number): boolean {
  if (kind > 0) return mayWalk(l, kind, value);
  return walks(l, value) && (kind === 0 || l.walkers.kind[value] === WALK_RCU);
}

/** The hooks of these calls. */
export const WALK_HOOKS: Readonly<Record<string, Hooks>> = {
  unlink: { before: beforeUnlink },
  ...Object.fromEntries(Object.entries(WALKER_OF).map(([name, kind]) => [name, { after: started(kind) }])),
  "env spin_lock": { before: takesLock },
  synchronize_rcu: { before: beforeGracePeriod },
  "env walk_end": { after: (l) => walkerEnded(l, l.a) },
  "env rcu_grace_period": { before: beforeGracePeriod },
};
