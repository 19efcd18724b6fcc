import { assertEquals } from "@std/assert";
import { parseSourceRef, printSourceRef } from "./source_ref.ts";

Deno.test("entries of 'source' are written as they were read", () => {
  for (
    const text of [
      "mm/f.c:f",
      "mm/f.c:f 0123abcd",
      "mm/f.c:f 6.1=0123abcd 6.12=00000000",
      "mm/f.c:f 6.12=0123abcd",
      "6.12 mm/f.c:f",
      "6.12 mm/f.c:f 0123abcd",
      "v2 include/linux/mm.h:ptdesc_alloc",
    ]
  ) assertEquals(printSourceRef(parseSourceRef(text)!), text);
});

Deno.test("what is no file and function, or has a hash twice, is none", () => {
  for (
    const text of [
      "",
      "mm/f.c",
      "mm/f.c:",
      "mm/f.c:f g",
      "mm/f.c:f 123",
      "mm/f.c:f 0123ABCD",
      "mm/f.c:f 0123abcd 0123abcd",
      "mm/f.c:f 0123abcd 6.1=0123abcd",
      "6.1 mm/f.c:f 6.12=0123abcd",
      "5.4 mm/f.c:f",
      "mm/f.c:f  0123abcd",
    ]
  ) assertEquals(parseSourceRef(text), undefined, text);
});
