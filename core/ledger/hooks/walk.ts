/**
 * Walkers: who comes into a table, and who leaves.
 *
 * @module
 */
import { NULL } from "../../memory/words.ts";
import type { Ledger } from "../ledger.ts";
import {
  mayWalk,
  unlinked,
  WALK_IOMMU,
  WALK_IRQ,
  WALK_RCU,
  WALK_TLB,
  walkerEnded,
  walkersDone,
  walkerStarted,
  walks,
} from "../walkers.ts";
import { type Hook, type Hooks, pageOf } from "./hook.ts";

/** Kind of the walker that each of the environment's steps starts. */
export const WALKER_OF: Readonly<Record<string, number>> = {
  "env hw_walk": WALK_TLB,
  "env gup_fast": WALK_IRQ,
  "env pte_offset_map": WALK_RCU,
  "env iommu_walk": WALK_IOMMU,
};

function started(kind: number): Hook {
  return (l) => {
    if (l.res !== NULL) walkerStarted(l, l.res, kind, pageOf(l.a), l.dst);
  };
}

function beforeUnlink(l: Ledger): void {
  const pfn = pageOf(l.a);
  const g = l.grantOf[pfn]!;
  if (g >= 0) unlinked(l, g, l.c, l.b);
}

/** Callbacks run after all that walked when it began. */
function beforeGracePeriod(l: Ledger): void {
  walkersDone(l, WALK_IRQ | WALK_RCU);
}

/** Whether the environment can do a step of these on an operand now: start a walker of that kind (0: end the walker). */
export function walkPossible(l: Ledger, kind: number, value: number): boolean {
  return kind === 0 ? walks(l, value) : mayWalk(l, kind, pageOf(value));
}

/** The hooks of these calls. */
export const WALK_HOOKS: Readonly<Record<string, Hooks>> = {
  unlink: { before: beforeUnlink },
  ...Object.fromEntries(Object.entries(WALKER_OF).map(([name, kind]) => [name, { after: started(kind) }])),
  "env walk_end": { after: (l) => walkerEnded(l, l.a) },
  "env rcu_grace_period": { before: beforeGracePeriod },
};
