/**
 * Where recorded pages stand in the zone of the model, which is small: groups
 * of neighbouring pages get a place in it while a table lives there.
 *
 * @module
 */
import { MAX_PAGE_ORDER } from "../core/memory/words.ts";
import { MAX_PAGES } from "../core/program/program.ts";

/** Pages that keep their neighbours at least, as an order. */
const MIN_GROUP_ORDER = 2;

/** Gives groups of pages a place in the zone while they are in use. */
export class Zone {
  /** Places by group. */
  readonly #places = new Map<number, number>();
  /** Blocks that stand in each place. */
  readonly #users: Int32Array;
  /** Places that nobody uses, the one to be used next the last of them. */
  readonly #free: number[];
  readonly #group: number;

  /** @param order the largest table's */
  constructor(order: number) {
    this.#group = 1 << Math.max(MIN_GROUP_ORDER, Math.min(order, MAX_PAGE_ORDER));
    const places = MAX_PAGES / this.#group;
    this.#users = new Int32Array(places);
    this.#free = Array.from({ length: places }, (_, i) => places - 1 - i);
  }

  /** The page that stands for a block's first; -1 where there is no room. */
  take(pfn: number, order: number): number {
    if (1 << order > this.#group || pfn % (1 << order) !== 0) return -1;
    const group = Math.floor(pfn / this.#group);
    let place = this.#places.get(group);
    if (place === undefined) {
      place = this.#free.pop();
      if (place === undefined) return -1;
      this.#places.set(group, place);
    }
    this.#users[place]!++;
    return place * this.#group + pfn % this.#group;
  }

  /** The block is free again. */
  give(pfn: number): void {
    const group = Math.floor(pfn / this.#group);
    const place = this.#places.get(group);
    if (place === undefined || --this.#users[place]! > 0) return;
    this.#places.delete(group);
    this.#free.push(place);
  }
}
