import assert from "node:assert/strict";
import { Machine } from "../core/program/machine.ts";
import { FIRST_SLOT } from "../core/program/program.ts";
import { parseDiscipline } from "../corpus/load_discipline.ts";
import {
  BASE_NONE,
  BASE_RUN,
  BASE_TABLE,
  GRANT,
  LAST,
  LINKS,
  LONG,
  MAY_FAIL,
  RECORD_BASES,
  RECORD_FAIL,
  RECORD_FLAGS,
  RECORD_MORE,
  RECORD_WORDS,
  recordsOf,
} from "./path_records.ts";

const TEXT = `
name    = "test/two"
kernels = ["6.12"]
[alloc]
run = '''
a = __get_free_pages(GFP_KERNEL, 1)
b = get_zeroed_page(GFP_KERNEL)
c = get_zeroed_page(GFP_KERNEL)
'''
[use.touch]
run = '''
populate(a)
repeat 3
p = virt_to_page(a)
get_page(p)
put_page(p)
end
'''
[free.all]
run = '''
f = virt_to_page(a)
__free_pages(f, 1)
free_page(b)
free_page(c)
'''
[fail.b]
after = "b"
run = '''
free_pages(a, 1)
'''
`;

function records() {
  const { pages, arch, config, compile } = parseDiscipline(TEXT, "test.toml");
  return recordsOf(compile("6.12"), new Machine({ kernel: "6.12", arch, config, pages }).ledger);
}

/** A word of each record of a path. */
function column(word: number, path: number): number[] {
  const { words, paths } = records();
  const end = paths[path + 1]?.first ?? words.length;
  const column: number[] = [];
  for (let at = paths[path]!.first; at < end; at += RECORD_WORDS) column.push(words[at + word]!);
  return column;
}

Deno.test("an allocation may fail when nothing is held yet, or where an error path is named for it", () => {
  assert.deepEqual(column(RECORD_FLAGS, 0).map((f) => f & (MAY_FAIL | GRANT | LAST)), [
    MAY_FAIL | GRANT,
    MAY_FAIL | GRANT,
    GRANT | LAST,
  ]);
  assert.deepEqual(column(RECORD_FAIL, 0), [-1, 0, -1]);
});

Deno.test("a repeat with its body is one line", () => {
  assert.deepEqual(column(RECORD_FLAGS, 1).map((f) => f & (LINKS | LONG | LAST)), [
    LINKS,
    ...Array(4).fill(LONG | LAST),
  ]);
  assert.deepEqual(column(RECORD_MORE, 1), [0, 3, 3, 3, 3]);
});

Deno.test("names of the alloc path are the table's, others the run's", () => {
  const { paths } = records();
  assert.deepEqual(paths.map((p) => [p.slot - FIRST_SLOT, p.names]), [[0, 3], [3, 1], [4, 1], [0, 0]]);
  // f = virt_to_page(a)
  const bases = column(RECORD_BASES, 2)[0]!;
  assert.deepEqual([0, 2, 4, 6].map((bit) => bases >> bit & 3), [BASE_RUN, BASE_TABLE, BASE_NONE, BASE_NONE]);
});
