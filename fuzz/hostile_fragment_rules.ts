/**
 * How s390's tables of half a page are used right, and how wrong (see `hostile_use.ts`).
 *
 * @module
 */
import { opOf } from "../core/program/calls.ts";
import { MAX_FRAGMENTS } from "./hostile_picture.ts";
import type { Use } from "./hostile_use.ts";
import { VIRT, type Writer } from "./hostile_writer.ts";

/** They are all of one mm: its list is what a table goes back to. */
const MM = 1;
const OP_ALLOC = opOf("page_table_alloc");
const OP_FREE = opOf("page_table_free");
const OP_RCU = opOf("page_table_free_rcu");

/** One of the tables that are live, which it is no longer; -1 where there is none. */
function take({ picture, random }: Writer): number {
  if (picture.nFragments === 0) return -1;
  const i = random.below(picture.nFragments);
  const slot = picture.fragments[i]!;
  picture.fragments[i] = picture.fragments[--picture.nFragments]!;
  return slot;
}

/** The rules; only s390 can queue such a table. */
export function fragmentRules(fragments: boolean): Readonly<Record<string, Use>> {
  return {
    page_table_alloc: {
      right(w) {
        const { picture } = w;
        if (picture.nFragments === MAX_FRAGMENTS) return false;
        picture.fragments[picture.nFragments++] = w.write(OP_ALLOC, MM, 0, 0, 0, 1);
        return true;
      },
    },
    page_table_free: {
      right(w) {
        const slot = take(w);
        if (slot < 0) return false;
        w.write(OP_FREE, MM, slot, 0, 0, 3);
        return true;
      },
      wrong(w) {
        const slot = w.target(VIRT);
        if (slot < 0) return false;
        w.write(OP_FREE, MM, slot, 0, w.targetOffset << 10, 3);
        return true;
      },
    },
    page_table_free_rcu: {
      right(w) {
        const { picture, random } = w;
        const g = fragments ? picture.findGather(random, 1) : -1;
        // Of the same mm: another's list would get the page.
        if (g < 0 || picture.gMm[g] !== MM) return false;
        const slot = take(w);
        if (slot < 0) return false;
        w.write(OP_RCU, picture.gSlot[g]!, slot, 0x200000, 0, 3);
        return true;
      },
      wrong(w) {
        const { picture, random } = w;
        const g = picture.findGather(random, random.chance(64) ? 0 : 1);
        const slot = g < 0 ? -1 : w.target(VIRT);
        if (slot < 0) return false;
        w.write(OP_RCU, picture.gSlot[g]!, slot, 0x200000, w.targetOffset << 10, 3);
        return true;
      },
    },
  };
}
