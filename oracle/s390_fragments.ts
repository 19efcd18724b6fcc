/**
 * s390's tables of 2 KB as the tree has them: the functions of
 * arch/s390/mm/pgalloc.c that are plain C, for the driver to be compiled with.
 * What of s390 they use, the driver says (`PTF_S390_...`).
 *
 * @module
 */
import { join } from "@std/path";
import { definitionsOf } from "./sources/c_text.ts";

const FILE = "arch/s390/mm/pgalloc.c";

const FUNCTIONS: readonly string[] = [
  "atomic_xor_bits",
  "page_table_alloc",
  "page_table_release_check",
  "page_table_free",
  "page_table_free_rcu",
  "__tlb_remove_table",
];

/** The header; without the functions where the tree has tables of another kind (from 6.7 on). */
export function s390Header(tree: string): string {
  let file: string;
  try {
    file = Deno.readTextFileSync(join(tree, FILE));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return "";
  }
  const texts = FUNCTIONS.map((name) => definitionsOf(name, file)[0]);
  if (texts.includes(undefined)) return "";
  const functions = texts.map((text) => `${text!.startsWith("static") ? "" : "static "}${text}`).join("\n\n")
    // The driver keeps its own mm_context_t beside each mm.
    .replaceAll("tlb->mm", "s390_mm_of(tlb)");
  return `/* From ${FILE}. */\n#define PTF_S390_FRAGMENTS 1\n#ifdef PTF_S390_HERE\n${functions}\n#endif\n`;
}
