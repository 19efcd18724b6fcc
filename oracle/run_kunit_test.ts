import { assertEquals } from "@std/assert";
import { readKtap } from "./run_kunit.ts";

const PRINTED = `Console initialized on /dev/tty0
KTAP version 1
1..2
    KTAP version 1
    # Subtest: half
    # module: half_kunit
    1..2
    # half_test: EXPECTATION FAILED at mm/half_kunit.c:77
    Expected lost == 0L, but
        lost == 3 (0x3)
        0L == 0 (0x0)
each round loses 3 pages: block+1..block+3 belong to nobody
    not ok 1 half_test
    ok 2 other_test
# half: pass:1 fail:1 skip:0 total:2
not ok 1 half
    KTAP version 1
    # Subtest: dies
    1..1
BUG: failure at include/linux/mm.h:1126/put_page_testzero()!
Kernel panic - not syncing: BUG!
`;

Deno.test("readKtap() has every case that ended, with what its expectations said", () => {
  assertEquals(readKtap(PRINTED), [
    {
      name: "half_test",
      ok: false,
      said: [
        "Expected lost == 0L, but",
        "lost == 3 (0x3)",
        "0L == 0 (0x0)",
        "each round loses 3 pages: block+1..block+3 belong to nobody",
      ],
    },
    { name: "other_test", ok: true, said: [] },
  ]);
});
