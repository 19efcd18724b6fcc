/**
 * Functions of architectures that are plain C, as the tree has them, for the driver
 * to be compiled with: s390's tables of 2 KB (up to 6.6), and powerpc's fragments.
 * What of the architecture they use, `driver/s390.h` and `driver/powerpc.h` say.
 *
 * @module
 */
import { join } from "@std/path";
import { definitionsOf } from "./sources/c_text.ts";

/** Directories of huge pages, which powerpc had up to 6.10 and the driver has not. */
const HUGEPD = /^#if defined\(CONFIG_PPC_4K_PAGES\) && defined\(CONFIG_HUGETLB_PAGE\)\n[\s\S]*?^#endif\n/m;

/** Functions of an architecture. */
interface ArchFunctions {
  /** The name that the driver asks for. */
  readonly name: string;
  /** Files, and their functions in the order in which they are compiled. */
  readonly files: readonly (readonly [file: string, functions: readonly string[]])[];
  /** Functions that only some versions have. */
  readonly some: readonly string[];
  /** Text that the driver has in another place. */
  readonly moved: readonly (readonly [from: string, to: string])[];
}

const FUNCTIONS: readonly ArchFunctions[] = [
  {
    name: "S390",
    files: [["arch/s390/mm/pgalloc.c", [
      "atomic_xor_bits",
      "page_table_alloc",
      "page_table_release_check",
      "page_table_free",
      "page_table_free_rcu",
      "__tlb_remove_table",
    ]]],
    some: [],
    // The driver keeps its own mm_context_t beside each mm.
    moved: [["tlb->mm", "s390_mm_of(tlb)"]],
  },
  {
    name: "POWERPC",
    files: [
      ["arch/powerpc/mm/pgtable-frag.c", [
        "pte_frag_destroy",
        "get_pte_from_cache",
        "__alloc_for_ptecache",
        "pte_fragment_alloc",
        "pte_free_now",
        "pte_fragment_free",
        "pte_free_defer",
      ]],
      ["arch/powerpc/mm/book3s64/pgtable.c", [
        "get_pmd_from_cache",
        "__alloc_for_pmdcache",
        "pmd_fragment_alloc",
        "pmd_fragment_free",
        "pgtable_free",
        "pgtable_free_tlb",
        "__tlb_remove_table",
      ]],
      ["arch/powerpc/mm/book3s64/mmu_context.c", ["pmd_frag_destroy", "destroy_pagetable_cache"]],
    ],
    some: ["pte_free_now", "pte_free_defer"],
    moved: [],
  },
];

/** Definitions of an architecture's functions; nothing where the tree lacks one. */
function textOf(tree: string, { name, files, some, moved }: ArchFunctions): string {
  const texts: string[] = [];
  for (const [file, functions] of files) {
    let source: string;
    try {
      source = Deno.readTextFileSync(join(tree, file)).replace(HUGEPD, "");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return "";
    }
    for (const fn of functions) {
      const text = definitionsOf(fn, source)[0];
      if (text !== undefined) texts.push(text.startsWith("static") ? text : `static ${text}`);
      else if (!some.includes(fn)) return "";
    }
  }
  let text = texts.join("\n\n");
  for (const [from, to] of moved) text = text.replaceAll(from, to);
  const from = files.map(([file]) => file).join(", ");
  return `/* From ${from}. */\n#define PTF_${name} 1\n#ifdef PTF_${name}_HERE\n${text}\n#endif\n`;
}

/** The header; without the functions of an architecture where the tree has none of that kind. */
export function archFunctions(tree: string): string {
  return FUNCTIONS.map((functions) => textOf(tree, functions)).join("");
}
