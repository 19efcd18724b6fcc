import { assertEquals } from "@std/assert";
import { lineOfCall } from "./origin.ts";

const TEXT = `# pagetable_free(d) in a comment does not count
name = "mine"

[alloc]
run = '''
a = __get_free_pages(GFP_KERNEL, 1)
d = virt_to_ptdesc(a)
'''

[use.again]
run = '''
e = virt_to_ptdesc(a)
'''

[free.end]
run = '''
f = virt_to_ptdesc(a)
pagetable_free(f)
'''
`;

Deno.test("a finding is laid to the line that makes its call, in a path that frees before others", () => {
  assertEquals(lineOfCall(TEXT, "pagetable_free"), 18);
  assertEquals(lineOfCall(TEXT, "virt_to_ptdesc"), 17);
  assertEquals(lineOfCall(TEXT, "__get_free_pages"), 6);
});

Deno.test("a call that no line makes is laid to the discipline's name, or to its first line", () => {
  assertEquals(lineOfCall(TEXT, "env put_page"), 2);
  assertEquals(lineOfCall("", "put_page"), 1);
});
