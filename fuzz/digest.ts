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

  /**
   * Takes the lines of a program, which are many: four lanes wait for one another
   * less than one, and what each line is goes through the upper half besides.
   *
   * @param words a multiple of four
   */
  lines(code: Int32Array, words: number): void {
    let a = 0x243f6a88;
    let b = 0x85a308d3 | 0;
    let c = 0x13198a2e;
    let d = 0x03707344;
    let high = this.#high;
    for (let i = 0; i < words; i += 4) {
      a = Math.imul(a ^ code[i]!, 0xcc9e2d51);
      b = Math.imul(b ^ code[i + 1]!, 0x1b873593);
      c = Math.imul(c ^ code[i + 2]!, 0xc2b2ae35);
      d = Math.imul(d ^ code[i + 3]!, 0x85ebca6b);
      a = (a << 15) | (a >>> 17);
      b = (b << 13) | (b >>> 19);
      c = (c << 17) | (c >>> 15);
      d = (d << 11) | (d >>> 21);
      high = (Math.imul(high ^ (a + b), 0x9e3779b1) + (c ^ d)) | 0;
    }
    this.#high = high;
    this.word(a);
    this.word(b);
    this.word(c);
    this.word(d);
    this.word(words);
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
