/**
 * The states that a search has seen: by their 64-bit hashes in an open-addressed
 * table, and for each the move that led to it. A state itself is not kept: the
 * moves from the first state lead to it again.
 *
 *     state   parent 4   move 4   depth 1   level 1
 *     table   hash 8, number 4, at most three in four places used
 *
 * @module
 */

/** Words of a place in the table. */
const PLACE = 3;

function larger<T extends Int32Array | Uint8Array>(array: T, to: T): T {
  to.set(array as never);
  return to;
}

/** States by number. */
export class States {
  /** How many there are. */
  count = 0;
  /** The state before, -1 for the first. */
  parent: Int32Array = new Int32Array(1 << 12);
  /** The move from there. */
  move: Int32Array = new Int32Array(1 << 12);
  /** Lines of the shortest schedule to it. */
  depth: Uint8Array = new Uint8Array(1 << 12);
  /** Moves of that schedule. */
  level: Uint8Array = new Uint8Array(1 << 12);
  #table = new Int32Array(PLACE << 13);
  #mask = (1 << 13) - 1;

  /** Number of the state with that hash; or the complement of the number that it would get. */
  find(low: number, high: number): number {
    const table = this.#table;
    const mask = this.#mask;
    for (let i = (low ^ high >>> 7) & mask;; i = (i + 1) & mask) {
      const number = table[i * PLACE + 2]!;
      if (number === 0) return ~this.count;
      if (table[i * PLACE] === low && table[i * PLACE + 1] === high) return number - 1;
    }
  }

  /** Adds a state that {@linkcode find} does not know. */
  add(low: number, high: number, parent: number, move: number, depth: number): number {
    const number = this.count++;
    if (number === this.parent.length) this.#grow();
    if (this.count * 4 > (this.#mask + 1) * 3) this.#rehash();
    this.#put(low, high, number);
    this.parent[number] = parent;
    this.move[number] = move;
    this.depth[number] = depth;
    this.level[number] = parent < 0 ? 0 : this.level[parent]! + 1;
    return number;
  }

  /** A shorter schedule leads to a state. */
  shorten(number: number, parent: number, move: number, depth: number): void {
    this.parent[number] = parent;
    this.move[number] = move;
    this.depth[number] = depth;
    this.level[number] = this.level[parent]! + 1;
  }

  #put(low: number, high: number, number: number): void {
    const table = this.#table;
    const mask = this.#mask;
    let i = (low ^ high >>> 7) & mask;
    while (table[i * PLACE + 2] !== 0) i = (i + 1) & mask;
    table[i * PLACE] = low;
    table[i * PLACE + 1] = high;
    table[i * PLACE + 2] = number + 1;
  }

  #grow(): void {
    const n = this.parent.length * 2;
    this.parent = larger(this.parent, new Int32Array(n));
    this.move = larger(this.move, new Int32Array(n));
    this.depth = larger(this.depth, new Uint8Array(n));
    this.level = larger(this.level, new Uint8Array(n));
  }

  #rehash(): void {
    const old = this.#table;
    this.#table = new Int32Array(old.length * 2);
    this.#mask = this.#mask * 2 + 1;
    for (let i = 0; i < old.length; i += PLACE) {
      if (old[i + 2] !== 0) this.#put(old[i]!, old[i + 1]!, old[i + 2]! - 1);
    }
  }

  /** Bytes in use, tables at their size. */
  get bytes(): number {
    return this.#table.byteLength + this.parent.length * 10;
  }

  /** Takes the states that another has written down. */
  fill(hashes: Int32Array, parent: Int32Array, move: Int32Array, depth: Uint8Array, level: Uint8Array): void {
    this.count = 0;
    this.#table.fill(0);
    for (let i = 0; i < parent.length; i++) {
      this.add(hashes[2 * i]!, hashes[2 * i + 1]!, -1, move[i]!, depth[i]!);
      this.parent[i] = parent[i]!;
      this.level[i] = level[i]!;
    }
  }

  /** Hash of each state, by number, two words each. */
  hashes(): Int32Array {
    const list = new Int32Array(2 * this.count);
    const table = this.#table;
    for (let i = 0; i < table.length; i += PLACE) {
      const number = table[i + 2]!;
      if (number === 0) continue;
      list[2 * number - 2] = table[i]!;
      list[2 * number - 1] = table[i + 1]!;
    }
    return list;
  }
}
