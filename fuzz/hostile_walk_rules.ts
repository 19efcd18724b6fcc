/**
 * How walkers are used: they come into tables that are in use, and a table that
 * one of them may see is not released (see `hostile_use.ts`).
 *
 * @module
 */
import { opOf, WORDS } from "../core/program/calls.ts";
import {
  EXACT,
  EXTRA,
  HIGH,
  LISTED,
  LIVE,
  MARKED,
  MAX_REFS,
  PARTIAL,
  RESERVED,
  SPLIT,
  USED,
  WALKED,
} from "./hostile_picture.ts";
import type { Use } from "./hostile_use.ts";
import { PAGE, VIRT } from "./hostile_writer.ts";

/** Calls that no argument makes wrong, with the reason. */
export const NEVER_WRONG_WALKS: Readonly<Record<string, string>> = {
  "env gup_fast": "what is not in use is not walked",
  "env pte_offset_map": "what is not in use is not walked",
  "env hw_walk": "what is not in use is not walked",
  "env iommu_walk": "what is not in use is not walked",
  "env walk_end": "who has left a table does not leave it again",
  unlink: "it says what was done to the entry above, and touches nothing of the table",
};

function walk(name: string): Use {
  const op = opOf(name);
  return {
    right: (w) => {
      const { picture, random } = w;
      const b = picture.find(random, LIVE | USED, EXACT | RESERVED | SPLIT | PARTIAL | MARKED | LISTED | EXTRA);
      if (b < 0 || picture.walkers.n === MAX_REFS) return false;
      const slot = w.one(op, w.name(b, random.chance(128) && (picture.traits[b]! & HIGH) === 0 ? VIRT : PAGE), 0);
      picture.walkers.add(b, slot);
      picture.traits[b]! |= WALKED;
      return true;
    },
  };
}

function walkEnd(): Use {
  const op = opOf("env walk_end");
  return {
    right: (w) => {
      const { picture, random } = w;
      const { walkers } = picture;
      if (walkers.n === 0) return false;
      const i = random.below(walkers.n);
      const b = walkers.block(i);
      w.one(op, walkers.page(i), 0);
      walkers.remove(i);
      if (!walkers.on(b)) picture.traits[b]! &= ~WALKED;
      return true;
    },
  };
}

function unlink(): Use {
  const op = opOf("unlink");
  return {
    right: (w) => {
      const { picture, random } = w;
      const b = picture.find(random, LIVE | USED, 0);
      if (b < 0) return false;
      w.write(op, w.name(b, PAGE), random.below(16) * 4096, random.below(WORDS.how.length), 0, 1);
      picture.traits[b]! &= ~USED;
      return true;
    },
  };
}

/** The rules, by the call's name; `env ` before it for the environment's. */
export const WALK_RULES: Readonly<Record<string, Use>> = {
  unlink: unlink(),
  "env gup_fast": walk("env gup_fast"),
  "env pte_offset_map": walk("env pte_offset_map"),
  "env hw_walk": walk("env hw_walk"),
  "env iommu_walk": walk("env iommu_walk"),
  "env walk_end": walkEnd(),
};
