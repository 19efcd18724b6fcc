import { assertEquals } from "@std/assert";
import { dirname, join } from "@std/path";
import { s390Header } from "./s390_fragments.ts";

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
    return s390Header(tree);
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
  assertEquals(s390Header("/nowhere"), "");
});
