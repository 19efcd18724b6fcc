import assert from "node:assert/strict";
import { C_PREPARE_ORDER, C_PUT_ZERO, C_RESERVED_COMPOUND, CHECKS } from "../core/kernel/checks.ts";
import { isCheck, parseBug, warnFunction } from "./check_text.ts";

const PUT = "include/linux/mm.h:1140/put_page_testzero()!";

Deno.test("a BUG is a check by its function and by why the page was dumped", () => {
  const bug = parseBug(PUT, "VM_BUG_ON_PAGE(page_ref_count(page) == 0)");
  assert.deepEqual(bug, { fn: "put_page_testzero", why: "VM_BUG_ON_PAGE(page_ref_count(page) == 0)" });
  assert.ok(isCheck(C_PUT_ZERO, bug));
  assert.ok(!isCheck(C_PREPARE_ORDER, bug));
  assert.ok(!isCheck(C_PUT_ZERO, parseBug(PUT, "VM_BUG_ON_PAGE(PageTail(page))")));
});

Deno.test("blanks do not tell checks apart: the preprocessor writes its own", () => {
  assert.ok(isCheck(C_PUT_ZERO, parseBug(PUT, "VM_BUG_ON_PAGE(page_ref_count(page)==0)")));
});

Deno.test("functions that a macro makes are known by what they are made for", () => {
  for (const fn of ["SetPageReserved", "ClearPageReserved", "__ClearPageReserved"]) {
    const bug = parseBug(`include/linux/page-flags.h:1/${fn}()!`, "VM_BUG_ON_PAGE(1 && PageCompound(page))");
    assert.ok(isCheck(C_RESERVED_COMPOUND, bug), fn);
  }
});

Deno.test("a panic without a place is its own text", () => {
  assert.deepEqual(parseBug("Segfault with no mm", ""), { fn: "Segfault with no mm", why: "" });
});

Deno.test("a WARNING names its function without the part that is added for allocation profiling", () => {
  const said = "CPU: 0 PID: 1 at mm/page_alloc.c:4774 __alloc_pages_noprof+0x2f/0x10a0";
  assert.equal(warnFunction(said), "__alloc_pages");
  assert.ok(CHECKS.some((c) => c.kind === "WARN" && c.fn === warnFunction(said)));
});
