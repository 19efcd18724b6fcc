/**
 * Names of functions, met as bytes and kept as numbers.
 *
 * A recording repeats some thousand names millions of times. Each is hashed
 * where it stands in the buffer and compared with the bytes that are kept; a
 * string is made of it once. What a line says is mostly what some line before
 * it said, so whole texts are looked up first, four bytes at a time; only a
 * text that was not met lately is taken apart.
 *
 * @module
 */

/** Names that are kept at most: damage makes new ones without end. */
const MAX_SYMBOLS = 1 << 14;
const TABLE = MAX_SYMBOLS << 2;

/** Texts that were met lately, as a power of two, and bytes of each at most. */
const RECENT_BITS = 13;
const RECENT_WORDS = 16;

/** The name is none of those that are kept. */
export const UNKNOWN = -1;

const PLUS = 0x2b;
const DOT = 0x2e;
const SPACE = 0x20;
const BRACKET = 0x3c;
const PAREN = 0x28;

/** A table of names. */
export class Symbols {
  /** The names, by number. */
  readonly names: string[] = [];
  /** What each is: bits that the owner of the table gives a meaning. */
  readonly marks: Uint16Array = new Uint16Array(MAX_SYMBOLS);
  /** End of the symbol that was looked up last, in the buffer. */
  end = 0;
  readonly #slots = new Int32Array(TABLE).fill(-1);
  readonly #hashes = new Int32Array(MAX_SYMBOLS);
  readonly #bytes: Uint8Array[] = [];
  #hash = 0;
  // Texts that were met lately, by their hash: length, words (the last one ends the text), the symbol and its end.
  readonly #lengths = new Uint8Array(1 << RECENT_BITS);
  readonly #words = new Int32Array(RECENT_WORDS << RECENT_BITS);
  readonly #ids = new Int16Array(1 << RECENT_BITS);
  readonly #ends = new Uint8Array(1 << RECENT_BITS);
  /** A view of the buffer that was asked about last. */
  #viewed = new Uint8Array(0) as Uint8Array;
  #view = new DataView(new ArrayBuffer(0)) as DataView;

  /** Number of the symbol that begins at a place in a buffer, or {@linkcode UNKNOWN}. */
  find(buf: Uint8Array, from: number, to: number): number {
    const length = to - from;
    if (length < 4 || length > 4 * RECENT_WORDS) return this.#lookUp(buf, from, to);
    if (buf !== this.#viewed) {
      this.#viewed = buf;
      this.#view = new DataView(buf.buffer, buf.byteOffset, buf.byteLength);
    }
    const view = this.#view;
    const last = to - 4;
    let hash = length;
    for (let i = from; i < last; i += 4) {
      hash = Math.imul(hash ^ view.getInt32(i, true), 0x85ebca6b);
      hash ^= hash >>> 13;
    }
    hash = Math.imul(hash ^ view.getInt32(last, true), 0xc2b2ae35);
    const entry = (hash ^ (hash >>> 15)) & ((1 << RECENT_BITS) - 1);
    const words = this.#words;
    let w = entry * RECENT_WORDS;
    if (this.#lengths[entry] === length) {
      let i = from;
      while (i < last && words[w] === view.getInt32(i, true)) {
        i += 4;
        w++;
      }
      if (i >= last && words[w] === view.getInt32(last, true)) {
        this.end = from + this.#ends[entry]!;
        return this.#ids[entry]!;
      }
      w = entry * RECENT_WORDS;
    }
    const id = this.#lookUp(buf, from, to);
    if (id === UNKNOWN) return id;
    this.#lengths[entry] = length;
    this.#ids[entry] = id;
    this.#ends[entry] = this.end - from;
    for (let i = from; i < last; i += 4) words[w++] = view.getInt32(i, true);
    words[w] = view.getInt32(last, true);
    return id;
  }

  #lookUp(buf: Uint8Array, from: number, to: number): number {
    let hash = 0x811c9dc5 | 0;
    let i = from;
    // `.isra.0`, `.constprop.0` and `.part.0` are one function's copies; `.name` is a function of ppc64's ABI v1.
    if (buf[i] === DOT) i = ++from;
    for (; i < to; i++) {
      const c = buf[i]!;
      if (c === PLUS || c === DOT || c === SPACE || c === BRACKET || c === PAREN) break;
      hash = Math.imul(hash ^ c, 0x01000193);
    }
    this.end = i;
    this.#hash = hash;
    const length = i - from;
    for (let slot = hash & (TABLE - 1);; slot = (slot + 1) & (TABLE - 1)) {
      const id = this.#slots[slot]!;
      if (id < 0) return UNKNOWN;
      if (this.#hashes[id] !== hash) continue;
      const bytes = this.#bytes[id]!;
      if (bytes.length !== length) continue;
      let k = 0;
      while (k < length && bytes[k] === buf[from + k]) k++;
      if (k === length) return id;
    }
  }

  /** The same, and a name that is new is kept; {@linkcode UNKNOWN} where there is no room for it. */
  keep(buf: Uint8Array, from: number, to: number): number {
    const known = this.find(buf, from, to);
    if (known !== UNKNOWN || this.names.length === MAX_SYMBOLS) return known;
    if (buf[from] === DOT) from++;
    const bytes = buf.slice(from, this.end);
    const id = this.names.length;
    this.names.push(new TextDecoder().decode(bytes).replace(/[^\x21-\x7e]/g, "?"));
    this.#bytes.push(bytes);
    this.#hashes[id] = this.#hash;
    let slot = this.#hash & (TABLE - 1);
    while (this.#slots[slot]! >= 0) slot = (slot + 1) & (TABLE - 1);
    this.#slots[slot] = id;
    return id;
  }

  /** Keeps a name and marks it. */
  mark(name: string, bit: number): number {
    const bytes = new TextEncoder().encode(name);
    const id = this.keep(bytes, 0, bytes.length);
    if (id !== UNKNOWN) this.marks[id] = this.marks[id]! | bit;
    return id;
  }
}
