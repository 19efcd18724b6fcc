/**
 * Numbers for the generators: xoroshiro128+ of pure-rand, drawn in halves.
 *
 *     const random = new Random();
 *     random.seed(seed, programSeed(seed, kernel, discipline, number));
 *     random.below(6);    // 0..5
 *     random.chance(64);  // true one time in four
 *
 * A generator asks for many small numbers a step, so each 32-bit number serves
 * two draws. What a program is depends on its seed alone.
 *
 * @module
 */
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";
import * as $xoroshiro from "pure-rand/generator/xoroshiro128plus";

const { xoroshiro128plusFromState } = $xoroshiro;

/** MurmurHash3's finalizer: every bit of the answer depends on every bit of the number. */
export function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** FNV-1a of a text, continued from a hash. */
function textHash(h: number, text: string): number {
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return Math.imul(h ^ 0xff, 0x01000193);
}

/** The cell that was asked for last: its programs come one after the other, and have this part in common. */
let cell = { seed: NaN, kernel: "", discipline: "", hash: 0 };

/**
 * The seed of one program: it depends on these four and on nothing else, so
 * that any part of a run can be run alone.
 *
 * @param seed the run's seed, any safe integer
 * @param number number of the program in its cell, from 0
 */
export function programSeed(seed: number, kernel: string, discipline: string, number: number): number {
  if (seed !== cell.seed || kernel !== cell.kernel || discipline !== cell.discipline) {
    const h = mix((seed | 0) ^ 0x9e3779b9) ^ Math.floor(seed / 0x1_0000_0000);
    cell = { seed, kernel, discipline, hash: mix(textHash(textHash(mix(h), kernel), discipline)) };
  }
  return mix(cell.hash + Math.imul(number, 0x9e3779b1) | 0);
}

/** A stream of small numbers. */
export class Random {
  #generator: RandomGenerator = start(0, 0);
  /** The half of the last number that is still to be used, or -1. */
  #half = -1;

  /** Starts the stream anew; one small object is made. */
  seed(a: number, b: number): void {
    this.#generator = start(a | 0, b | 0);
    this.#half = -1;
  }

  /**
   * A number from 0 to n - 1. By multiplication: of two answers one is at most
   * n / 65536 more likely than the other.
   *
   * @param n 1 to 65535
   */
  below(n: number): number {
    return Math.imul(this.half(), n) >>> 16;
  }

  /** The next 16 bits. */
  half(): number {
    const half = this.#half;
    if (half >= 0) {
      this.#half = -1;
      return half;
    }
    const word = this.#generator.next();
    this.#half = word & 0xffff;
    return word >>> 16;
  }

  /** True that many times in 256. */
  chance(of256: number): boolean {
    return this.below(256) < of256;
  }
}

/** xoroshiro128+ from two words; the state is never all 0. */
function start(a: number, b: number): RandomGenerator {
  const c = mix(a ^ 0x2545f491);
  return xoroshiro128plusFromState([mix(b + 0x6a09e667 | 0), mix(a + b | 0), c, mix(c ^ b) | 1]);
}
