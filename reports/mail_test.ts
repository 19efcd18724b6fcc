import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { findingMail } from "./mail.ts";
import { displayWidth } from "./text.ts";
import { stored } from "./viewer/testing/sample.ts";

const MIPS = stored("mips-kvm-pgd");
const none = { reason: "it is not built" };

Deno.test("a mail says the sequence, what is lost and why, the source lines and how to reproduce it", () => {
  const mail = findingMail(MIPS, ["MIPS KVM takes its directory with order 1."], "corpus/mips.pt", "ptfuzz 1", none);
  assert(mail.startsWith("Subject: mm: page tables: page-leak by pagetable_free (Linux 6.12, mips)\n\n"), mail);
  assertStringIncludes(mail, "loses 1 page");
  assertStringIncludes(
    mail,
    "    a0 = __get_free_pages(GFP_KERNEL, 1)\n    d0 = virt_to_ptdesc(a0)\n    pagetable_free(d0)\n",
  );
  assertStringIncludes(mail, "- step 3, page-leak (1 page): a0+1 belongs to nobody\n");
  assertStringIncludes(mail, "include/linux/mm.h");
  assertStringIncludes(mail, "task show mips.pt\n");
  assertStringIncludes(mail, "There is no KUnit test of it: it is not built.");
});

Deno.test("no line is wider than 72 columns, and nothing in it is obeyed by a terminal", () => {
  const comments = [`<img src=x onerror=alert(1)> \x1b[31m ${"word ".repeat(60)}`];
  for (const name of ["mips-kvm-pgd", "crst-half-converted-held", "v2-pgd-list-freed", "gather-not-compound"]) {
    const mail = findingMail(stored(name), comments, "x.pt", "ptfuzz 1", none);
    for (const line of mail.split("\n")) assert(displayWidth(line) <= 72, line);
    assertStringIncludes(mail, "<img src=x onerror=alert(1)> \\x1b[31m");
    assertEquals(mail.includes("\x1b"), false);
  }
});

Deno.test("the KUnit test stands below a scissors line, as it is", () => {
  const mail = findingMail(MIPS, [], "x.pt", "ptfuzz 1", { text: "static void f(void)\n{\n}\n" });
  assert(mail.endsWith("\n--- 8< ---\nstatic void f(void)\n{\n}\n"), mail);
});
