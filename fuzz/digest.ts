/**
 * A running hash of 64 bits over 32-bit words: what was run and what came of it.
 *
 * @module
 */

/** Two lanes of multiply-and-rotate (the mixing of MurmurHash3), 16 hex digits. */
export class Digest {
  #high = 0x9e3779b9 | 0;
  #low = 0x85ebca6b | 0;

  /** Takes words from a buffer. */
  words(buffer: Int32Array, from: number, to: number): void {
    let high = this.#high;
    let low = this.#low;
    for (let i = from; i < to; i++) {
      const w = buffer[i]!;
      low = Math.imul(low ^ w, 0xcc9e2d51);
      low = (low << 15) | (low >>> 17);
      high = (Math.imul(high ^ low, 0x1b873593) + w) | 0;
    }
    this.#high = high;
    this.#low = low;
  }

  /** Takes one number. */
  word(w: number): void {
    this.#low = Math.imul(this.#low ^ w, 0xcc9e2d51);
    this.#low = (this.#low << 15) | (this.#low >>> 17);
    this.#high = (Math.imul(this.#high ^ this.#low, 0x1b873593) + w) | 0;
  }

  /** Takes the digits of another digest. */
  text(digits: string): void {
    for (let i = 0; i < digits.length; i++) this.word(digits.charCodeAt(i));
  }

  /** 16 hex digits. */
  digits(): string {
    const mix = (h: number): number => {
      h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
      h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
      return (h ^ (h >>> 16)) >>> 0;
    };
    const hex = (h: number): string => mix(h).toString(16).padStart(8, "0");
    return hex(this.#high) + hex(this.#low ^ this.#high);
  }
}
