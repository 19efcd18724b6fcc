/**
 * Mutants: the model with one function broken at a time, each the way a kernel
 * developer could have written it. An invariant that none of them breaks could
 * not fail, and would be no check.
 *
 * @module
 */
import * as $buddy from "./mutants/buddy.ts";
import * as $compound from "./mutants/compound.ts";
import * as $contents from "./mutants/contents.ts";
import * as $free from "./mutants/free.ts";
import * as $gather from "./mutants/gather.ts";
import * as $lookups from "./mutants/lookups.ts";
import type { Mutant } from "./mutants/mutant.ts";
import * as $tables from "./mutants/tables.ts";
import * as $fragments from "./mutants/fragments.ts";
import * as $memdesc from "./mutants/memdesc.ts";
import * as $references from "./mutants/references.ts";
import * as $walkers from "./mutants/walkers.ts";

const { BUDDY } = $buddy;
const { COMPOUND } = $compound;
const { CONTENTS } = $contents;
const { FREE } = $free;
const { GATHER } = $gather;
const { LOOKUPS } = $lookups;
const { TABLES } = $tables;
const { FRAGMENTS } = $fragments;
const { MEMDESCS } = $memdesc;
const { REFERENCES } = $references;
const { WALKERS } = $walkers;

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
