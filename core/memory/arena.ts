/**
 * Arrays that lie one behind the other in one piece of memory, so that one call
 * sets all of them back. A program is short: two dozen calls of `fill` cost more
 * than its first fifteen steps.
 *
 *     const arena = new Arena(2048);
 *     const refs = arena.words(256);
 *     const table = arena.bytes(256);
 *     arena.keep();
 *     ...
 *     arena.reset();    // both are as they were kept
 *
 * @module
 */

/** Bytes that an array may begin at. */
const ALIGN = 8;

/** An array of words or of bytes. */
type Typed = Int32Array | Uint8Array;

/** A piece of memory. */
export class Arena {
  readonly #buffer: ArrayBuffer;
  readonly #arrays: Typed[] = [];
  #end = 0;
  #all = new Int32Array(0);
  #kept = new Int32Array(0);
  /** Where arrays are now that somebody moved, with what each begins with; null while they are all here. */
  #moved: readonly { readonly to: Typed; readonly kept: Typed }[] | null = null;

  /** @param bytes room for all that will be asked for */
  constructor(bytes: number) {
    this.#buffer = new ArrayBuffer(bytes);
  }

  /** The next so many 32-bit words, all 0. */
  words(n: number): Int32Array {
    const array = new Int32Array(this.#buffer, this.#take(4 * n), n);
    this.#arrays.push(array);
    return array;
  }

  /** The next so many bytes, all 0. */
  bytes(n: number): Uint8Array {
    const array = new Uint8Array(this.#buffer, this.#take(n), n);
    this.#arrays.push(array);
    return array;
  }

  #take(bytes: number): number {
    const at = this.#end;
    this.#end = at + Math.ceil(bytes / ALIGN) * ALIGN;
    return at;
  }

  /** Remembers what the arrays hold now. */
  keep(): void {
    this.#all = new Int32Array(this.#buffer, 0, this.#end / 4);
    this.#kept = this.#all.slice();
  }

  /** Makes the arrays hold what they held when they were kept. */
  reset(): void {
    if (this.#moved === null) this.#all.set(this.#kept);
    else for (const { to, kept } of this.#moved) to.set(kept);
  }

  /**
   * Follows arrays that were put elsewhere: those are set back from now on.
   *
   * @param moved by each old array the new one, which may be shorter
   */
  follow(moved: ReadonlyMap<Typed, Typed>): void {
    this.#moved = this.#arrays.map((array) => {
      const to = moved.get(array) ?? array;
      const { byteOffset } = array;
      const kept = to instanceof Uint8Array
        ? new Uint8Array(this.#kept.buffer, byteOffset, to.length)
        : new Int32Array(this.#kept.buffer, byteOffset, to.length);
      return { to, kept };
    });
  }
}
