import assert from "node:assert/strict";
import { join } from "node:path";
import { bodyOf, sourceCheckLines, sourceChecks } from "./source_checks.ts";

const PAGE_ALLOC = `
static inline void __free_one_page(struct page *page,
		unsigned long pfn, int migratetype);

static inline void __free_one_page(struct page *page,
		unsigned long pfn, int migratetype)
{
	VM_BUG_ON(migratetype == -1);
	VM_BUG_ON_PAGE(pfn & ((1 << order) - 1),
		       page);
	__free_one_page_later(page);
}

void split_page(struct page *page, unsigned int order)
{
	VM_BUG_ON_PAGE(PageCompound(page), page);
	VM_BUG_ON_PAGE(PageTooNew(page), page);
}
`;

Deno.test("bodyOf() finds the definition, not the declaration and not a call", () => {
  assert.match(bodyOf(PAGE_ALLOC, "__free_one_page")!, /migratetype == -1[^]*__free_one_page_later/);
  assert.equal(bodyOf(PAGE_ALLOC, "__free_one_page_later"), undefined);
  assert.equal(bodyOf(PAGE_ALLOC, "one_page"), undefined);
});

Deno.test("a check of the source is modelled, explained, or stands out", async () => {
  const tree = await Deno.makeTempDir();
  try {
    for (const dir of ["mm", "include/linux", "include/asm-generic"]) {
      Deno.mkdirSync(join(tree, dir), { recursive: true });
    }
    for (
      const file of [
        "mm/internal.h",
        "mm/mmu_gather.c",
        "mm/swap.c",
        "mm/swap_state.c",
        "include/linux/mm.h",
        "include/linux/page-flags.h",
        "include/asm-generic/tlb.h",
      ]
    ) Deno.writeTextFileSync(join(tree, file), "");
    Deno.writeTextFileSync(join(tree, "mm/page_alloc.c"), PAGE_ALLOC);
    assert.deepEqual(sourceCheckLines(sourceChecks(tree)), [
      "checks in the modelled functions' source: 4, of which the model makes 2",
      "  - mm/page_alloc.c:__free_one_page: VM_BUG_ON(migratetype == -1): there is one migrate type",
      "  ? mm/page_alloc.c:split_page: VM_BUG_ON_PAGE(PageTooNew(page), page): not modelled",
    ]);
  } finally {
    await Deno.remove(tree, { recursive: true });
  }
});
