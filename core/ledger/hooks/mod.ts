/**
 * What each call means to the ledger: a hook before it runs, which takes the
 * intent from the arguments, and one after, which observes memory.
 *
 * @module
 */
import { ALLOC_HOOKS } from "./alloc.ts";
import { FRAGMENT_HOOKS } from "./fragments.ts";
import { ENV_HOOKS } from "./env.ts";
import { GATHER_HOOKS } from "./gather.ts";
import type { Hooks } from "./hook.ts";
import { PGD_HOOKS } from "./pgd.ts";
import { RELEASE_HOOKS } from "./release.ts";
import { RESERVED_HOOKS } from "./reserved.ts";
import { TABLE_HOOKS } from "./table.ts";
import { USE_HOOKS } from "./use.ts";
import { WALK_HOOKS } from "./walk.ts";

export { envHolds } from "./env.ts";
export { partReleased, poolMade } from "./fragments.ts";
export { gatherReleased, gatherTook } from "./gather.ts";
export { type Hook, type Hooks, pageOf } from "./hook.ts";
export { linked } from "./pgd.ts";
export { WALK_STEPS, WALKER_OF, walkPossible } from "./walk.ts";
export { dtorRan } from "./table.ts";

/** The hooks by call; calls that mean nothing to the ledger have none. */
export const HOOKS: Readonly<Record<string, Hooks>> = {
  ...ALLOC_HOOKS,
  ...USE_HOOKS,
  ...RELEASE_HOOKS,
  ...RESERVED_HOOKS,
  ...GATHER_HOOKS,
  ...PGD_HOOKS,
  ...FRAGMENT_HOOKS,
  ...TABLE_HOOKS,
  ...ENV_HOOKS,
  ...WALK_HOOKS,
};
