/**
 * Mistakes in counting the tables that share a page (s390 up to 6.1).
 *
 * @module
 */
import { fragmentList } from "../../memory/mem_map.ts";
import { PAGE_SIZE, W_REFCOUNT } from "../../memory/words.ts";
import { clear_pgste_bits_without_B17, page_table_alloc, page_table_free } from "../fragments.ts";
import { at, type Mutant, mutant } from "./mutant.ts";

const S390 = { kernel: "6.1", arch: "s390" } as const;
const TWO = `
a0 = page_table_alloc(mm0)
a1 = page_table_alloc(mm0)
page_table_free(mm0, a0)
page_table_free(mm0, a1)`;

/** The mutants. */
export const FRAGMENTS: readonly Mutant[] = [
  mutant(
    "page-leak",
    "pgste-bits-kept",
    "a table with PGSTEs is freed with its bits in _refcount (B17)",
    {
      clear_pgste_bits: clear_pgste_bits_without_B17,
    },
    "a0 = page_table_alloc(mm0)\npage_table_free(mm0, a0)",
    { ...S390, config: ["PGSTE"] },
  ),
  mutant(
    "bad-reference",
    "other-half-too",
    "page_table_free clears the bit of the wrong half as well",
    {
      page_table_free(k, mm, table) {
        const page = k.virt_to_page(k, table);
        page_table_free(k, mm, table);
        k.mem[at(page, W_REFCOUNT)] = k.mem[at(page, W_REFCOUNT)]! & 0xff_ffff;
      },
    },
    TWO,
    S390,
  ),
  mutant(
    "use-after-free",
    "half-handed-out-twice",
    "page_table_alloc forgets which half it found free",
    {
      page_table_alloc(k, mm) {
        const before = k.mem[fragmentList(k.map, mm)];
        const addr = page_table_alloc(k, mm);
        return before === fragmentList(k.map, mm) << 2 ? addr : addr & ~(PAGE_SIZE - 1);
      },
    },
    TWO,
    S390,
  ),
];
