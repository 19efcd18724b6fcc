import { assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { Digest } from "./digest.ts";

function digestOf(words: readonly number[]): string {
  const digest = new Digest();
  digest.words(Int32Array.from(words), 0, words.length);
  return digest.digits();
}

Deno.test("a digest is 16 hex digits and follows from the words alone", () => {
  fc.assert(fc.property(fc.array(fc.integer()), (words) => {
    assertMatch(digestOf(words), /^[0-9a-f]{16}$/);
    assertEquals(digestOf(words), digestOf(words));
  }));
});

Deno.test("a digest changes with any one word, and with the order of two", () => {
  fc.assert(fc.property(fc.array(fc.integer(), { minLength: 2 }), fc.nat(), (words, at) => {
    const i = at % words.length;
    const changed = words.with(i, words[i]! ^ 1);
    assertEquals(digestOf(changed) === digestOf(words), false);
    const j = (i + 1) % words.length;
    if (words[i] !== words[j]) {
      const swapped = words.with(i, words[j]!).with(j, words[i]!);
      assertEquals(digestOf(swapped) === digestOf(words), false);
    }
  }));
});

Deno.test("the digest of a program's lines changes with any one word, with the order of two, and with its length", () => {
  const linesOf = (words: readonly number[]): string => {
    const digest = new Digest();
    digest.lines(Int32Array.from(words), words.length);
    return digest.digits();
  };
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1, maxLength: 10 }), fc.nat(), fc.nat(), (list, at, with_) => {
      const words = list.flatMap((n) => [n, n ^ 1, -n, n + 7]);
      const before = linesOf(words);
      const i = at % words.length;
      const j = with_ % words.length;
      assertEquals(linesOf(words.with(i, words[i]! ^ 1)) === before, false);
      assertEquals(linesOf([...words, 0, 0, 0, 0]) === before, false);
      if ((words[i]! | 0) !== (words[j]! | 0)) {
        assertEquals(linesOf(words.with(i, words[j]!).with(j, words[i]!)) === before, false);
      }
    }),
  );
});

Deno.test("word by word is the same as all at once", () => {
  fc.assert(fc.property(fc.array(fc.integer()), (words) => {
    const one = new Digest();
    for (const w of words) one.word(w);
    assertEquals(one.digits(), digestOf(words));
  }));
});
