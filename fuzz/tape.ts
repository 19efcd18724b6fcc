/**
 * A stream of numbers that remembers what it gave, and can give it again: a
 * program is a function of such a tape.
 *
 * @module
 */
import { Random } from "./random.ts";

/** Numbers that a tape holds; what a generator draws beyond them is not remembered. */
const LENGTH = 1 << 14;

/** A stream that is remembered; its numbers are those of {@linkcode Random}. */
export class Tape extends Random {
  readonly #given: Uint16Array = new Uint16Array(LENGTH);
  #n = 0;
  #again: Uint16Array | null = null;

  override seed(a: number, b: number): void {
    super.seed(a, b);
    this.#n = 0;
    this.#again = null;
  }

  /** Gives again what was given; where that ends, numbers of one seed. */
  repeat(numbers: Uint16Array): void {
    this.seed(0, 0);
    this.#again = numbers;
  }

  override half(): number {
    const i = this.#n;
    if (i >= LENGTH) return super.half();
    const again = this.#again;
    const half = again !== null && i < again.length ? again[i]! : super.half();
    this.#given[i] = half;
    this.#n = i + 1;
    return half;
  }

  /** What was given since it was seeded. */
  taken(): Uint16Array {
    return this.#given.slice(0, this.#n);
  }
}
