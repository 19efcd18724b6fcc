/**
 * Mutants: the model with one function broken at a time, each the way a kernel
 * developer could have written it. An invariant that none of them breaks could
 * not fail, and would be no check.
 *
 * @module
 */
import { BUDDY } from "./mutants/buddy.ts";
import { COMPOUND } from "./mutants/compound.ts";
import { CONTENTS } from "./mutants/contents.ts";
import { FREE } from "./mutants/free.ts";
import { GATHER } from "./mutants/gather.ts";
import { LOOKUPS } from "./mutants/lookups.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { TABLES } from "./mutants/tables.ts";
import { FRAGMENTS } from "./mutants/fragments.ts";
import { MEMDESCS } from "./mutants/memdesc.ts";
import { REFERENCES } from "./mutants/references.ts";
import { WALKERS } from "./mutants/walkers.ts";

export type { Mutant } from "./mutants/mutant.ts";

/** Every mutant. */
export const MUTANTS: readonly Mutant[] = Object.freeze([
  ...COMPOUND,
  ...BUDDY,
  ...FREE,
  ...REFERENCES,
  ...LOOKUPS,
  ...GATHER,
  ...CONTENTS,
  ...WALKERS,
  ...TABLES,
  ...MEMDESCS,
  ...FRAGMENTS,
]);

/** The program that shows a mutant, as text. */
export function mutantProgram(m: Mutant): string {
  const config = m.config.length > 0 ? `config ${m.config.join(" ")}\n` : "";
  return `kernel ${m.kernel}\narch ${m.arch}\n${config}pages ${m.pages}\n${m.run}`;
}
