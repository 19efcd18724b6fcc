import { assertEquals } from "@std/assert";
import { dirname, join } from "@std/path";
import { archFunctions } from "./arch_functions.ts";

const TEXT = `
static inline unsigned int atomic_xor_bits(atomic_t *v, unsigned int bits)
{
	return 0; /* of v */
}

unsigned long *page_table_alloc(struct mm_struct *mm) { return NULL; }
static void page_table_release_check(struct page *page) { }
void page_table_free(struct mm_struct *mm, unsigned long *table) { }
void page_table_free_rcu(struct mmu_gather *tlb, unsigned long *table, unsigned long vmaddr)
{
	mm = tlb->mm;
}
`;

async function header(text: string): Promise<string> {
  const tree = await Deno.makeTempDir();
  try {
    const file = join(tree, "arch/s390/mm/pgalloc.c");
    await Deno.mkdir(dirname(file), { recursive: true });
    await Deno.writeTextFile(file, text);
    return archFunctions(tree);
  } finally {
    await Deno.remove(tree, { recursive: true });
  }
}

Deno.test("the driver gets the tree's functions, static, with the mm_context_t that it keeps", async () => {
  const text = await header(`${TEXT}void __tlb_remove_table(void *_table) { }\n`);
  assertEquals(text.split("\n").filter((line) => line.includes("(")), [
    "static inline unsigned int atomic_xor_bits(atomic_t *v, unsigned int bits) { return 0; }",
    "static unsigned long *page_table_alloc(struct mm_struct *mm) { return NULL; }",
    "static void page_table_release_check(struct page *page) { }",
    "static void page_table_free(struct mm_struct *mm, unsigned long *table) { }",
    "static void page_table_free_rcu(struct mmu_gather *tlb, unsigned long *table, unsigned long vmaddr) { mm = s390_mm_of(tlb); }",
    "static void __tlb_remove_table(void *_table) { }",
  ]);
});

Deno.test("a tree without tables of 2 KB has none to give", async () => {
  assertEquals(await header(TEXT), "");
  assertEquals(archFunctions("/nowhere"), "");
});

Deno.test("powerpc's huge page directories are left out, and what 6.1 has not is not asked for", async () => {
  const tree = await Deno.makeTempDir();
  const files: Record<string, string> = {
    "arch/powerpc/mm/pgtable-frag.c":
      ["pte_frag_destroy", "__alloc_for_ptecache", "pte_fragment_alloc", "pte_fragment_free"]
        .map((fn) => `void ${fn}(void)\n{\n}\n`).join("") + "static pte_t *get_pte_from_cache(void)\n{\n}\n",
    "arch/powerpc/mm/book3s64/mmu_context.c": ["pmd_frag_destroy", "destroy_pagetable_cache"]
      .map((fn) => `static void ${fn}(void)\n{\n}\n`).join(""),
    "arch/powerpc/mm/book3s64/pgtable.c": [
      "get_pmd_from_cache",
      "__alloc_for_pmdcache",
      "pmd_fragment_alloc",
      "pmd_fragment_free",
      "pgtable_free_tlb",
      "__tlb_remove_table",
    ]
      .map((fn) => `void ${fn}(void)\n{\n}\n`).join("") +
      "void pgtable_free(int index)\n{\n\tA;\n#if defined(CONFIG_PPC_4K_PAGES) && defined(CONFIG_HUGETLB_PAGE)\n\tB;\n#endif\n\tC;\n}\n",
  };
  try {
    for (const [file, text] of Object.entries(files)) {
      await Deno.mkdir(join(tree, dirname(file)), { recursive: true });
      await Deno.writeTextFile(join(tree, file), text);
    }
    const lines = archFunctions(tree).split("\n");
    assertEquals(lines[1], "#define PTF_POWERPC 1");
    assertEquals(lines.filter((line) => line.includes("pgtable_free(")), [
      "static void pgtable_free(int index) { A; C; }",
    ]);
    assertEquals(lines.filter((line) => /^static/.test(line)).length, 14);
  } finally {
    await Deno.remove(tree, { recursive: true });
  }
});
