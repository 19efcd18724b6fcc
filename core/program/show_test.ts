import { assert, assertEquals } from "@std/assert";
import { parseProgram } from "./parse.ts";
import { showProgram } from "./show.ts";

Deno.test("the MIPS finding step by step", () => {
  const text =
    "kernel 6.12\narch mips\na0 = __get_free_pages(GFP_KERNEL, 1)\nd0 = virt_to_ptdesc(a0)\npagetable_free(d0)\n";
  const lines = [...showProgram(parseProgram(text, "mips.pt"))];
  assertEquals(lines.slice(2, 6), [
    "   1  a0 = __get_free_pages(GFP_KERNEL, 1)",
    "      a0 = the address of page 0",
    "         0 Aa" + ".".repeat(62),
    "      a0: order 1 of alloc_pages, not compound; granted: pages 0-1, _refcount 1 0",
  ]);
  assert(lines.includes("         0 .?" + ".".repeat(62)), lines.join("\n"));
  assert(lines.includes("      a0: order 1 of alloc_pages, not compound; lost: page 1, _refcount 0"));
  assert(lines.includes("      leak: page-leak (1 page) at 3: a0+1 belongs to nobody"));
});

Deno.test("a clean program says so, and what a step changes is cut where it is much", () => {
  const lines = [...showProgram(parseProgram("kernel 6.12\nrepeat 50 p0 = alloc_page(GFP_KERNEL)\n", "x.pt"))];
  assert(lines.includes("      and 44 more"), lines.join("\n"));
  const clean = [...showProgram(parseProgram("kernel 6.12\np0 = alloc_page(GFP_KERNEL)\nput_page(p0)\n", "x.pt"))];
  assertEquals(clean.at(-1), "clean: no invariant is broken");
  assert(clean.includes("      p0: order 0 of alloc_pages; free again"));
});
