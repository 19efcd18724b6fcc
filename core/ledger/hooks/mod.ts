/**
 * What each call means to the ledger: a hook before it runs, which takes the
 * intent from the arguments, and one after, which observes memory.
 *
 * @module
 */
import * as $alloc from "./alloc.ts";
import * as $fragments from "./fragments.ts";
import * as $env from "./env.ts";
import * as $gather from "./gather.ts";
import type { Hooks } from "./hook.ts";
import * as $pgd from "./pgd.ts";
import * as $release from "./release.ts";
import * as $reserved from "./reserved.ts";
import * as $table from "./table.ts";
import * as $use from "./use.ts";
import * as $walk from "./walk.ts";

const { ALLOC_HOOKS } = $alloc;
const { FRAGMENT_HOOKS } = $fragments;
const { ENV_HOOKS } = $env;
const { GATHER_HOOKS } = $gather;
const { PGD_HOOKS } = $pgd;
const { RELEASE_HOOKS } = $release;
const { RESERVED_HOOKS } = $reserved;
const { TABLE_HOOKS } = $table;
const { USE_HOOKS } = $use;
const { WALK_HOOKS } = $walk;

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
