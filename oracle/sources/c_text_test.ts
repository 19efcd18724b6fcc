import { assertEquals } from "@std/assert";
import { definitionsOf } from "./c_text.ts";

const FILE = `/* f(void) { in a comment } */
#include <linux/mm.h>

static int unrelated;
int f(void);			/* a declaration */
extern int g(int), h(void);

/*
 * f - documented
 */
static inline struct page *
f(struct mm_struct *mm,
  unsigned long addr)	/* { */
	__must_check __releases(ptl)
{
	char c = '}', *s = "}} \\" {";
	if (g(1)) {
		return NULL; // }
	}
	f(mm, addr);
	return page;
}

#define m(a, b)	\\
do {				\\
	f(a, b);		\\
} while (0)

#ifdef CONFIG_X86_PAE
int variant(int a)
{
#else
int variant(long a)
{
	if (a) {
#ifdef DEEPER
		g(1); }
#else
		g(2); }
#endif
#endif
	return 0;
}

#if CONFIG_PGTABLE_LEVELS > 3
# define ORDER 1
#else
# define ORDER 0
#endif

struct ops pv_ops = {
	.free = { f },
};
static const int table[2] __initdata = { 1, 2 };
static int one = 1;

pte_t *a_noprof(struct mm_struct *mm)
{
	return 0;
}
#define a(...)	alloc_hooks(a_noprof(__VA_ARGS__))

static void for_each(void)
{
	list_for_each_entry(x, y) {
		one = 2;
	}
}
void last(void) { }`;

/** First and last words of each definition. */
function ends(name: string): string[] {
  return definitionsOf(name, FILE).map((text) => {
    const words = text.split(" ");
    return `${words.slice(0, 3).join(" ")} ... ${words.slice(-3).join(" ")}`;
  });
}

Deno.test("a function is found over several lines, with attributes, comments, and braces in quotes", () => {
  assertEquals(ends("f"), ["static inline struct ... return page; }"]);
});

Deno.test("comments and white space are no part of a definition, quoted text is", () => {
  assertEquals(definitionsOf("f", FILE)[0]!.includes("documented"), false);
  assertEquals(definitionsOf("f", FILE)[0]!.includes(`*s = "}} \\" {";`), true);
  const spaced = FILE.replace("return page;", "return /* the page */\n\t\tpage;");
  assertEquals(definitionsOf("f", spaced), definitionsOf("f", FILE));
});

Deno.test("declarations and calls are no definitions", () => {
  for (const name of ["g", "h", "list_for_each_entry", "unrelated", "nowhere", "mm"]) assertEquals(ends(name), []);
});

Deno.test("a macro ends with the last of its continued lines", () => {
  assertEquals(definitionsOf("m", FILE), ["#define m(a, b) do { f(a, b); } while (0)"]);
});

Deno.test("every variant of an #ifdef is found, with braces that the branches share", () => {
  assertEquals(ends("variant"), ["int variant(int a) ... return 0; }", "int variant(long a) ... return 0; }"]);
  assertEquals(definitionsOf("ORDER", FILE), ["# define ORDER 1", "# define ORDER 0"]);
});

Deno.test("variables with an initialiser are found", () => {
  assertEquals(definitionsOf("pv_ops", FILE), ["struct ops pv_ops = { .free = { f }, };"]);
  assertEquals(definitionsOf("table", FILE), ["static const int table[2] __initdata = { 1, 2 };"]);
  assertEquals(definitionsOf("one", FILE), ["static int one = 1;"]);
});

Deno.test("a name that is a macro around NAME_noprof has both", () => {
  assertEquals(ends("a"), [
    "pte_t *a_noprof(struct mm_struct ... return 0; }",
    "#define a(...) alloc_hooks(a_noprof(__VA_ARGS__)) ... #define a(...) alloc_hooks(a_noprof(__VA_ARGS__))",
  ]);
});

Deno.test("the last function of a file needs no line after it; one that never ends is none", () => {
  assertEquals(definitionsOf("last", FILE), ["void last(void) { }"]);
  assertEquals(definitionsOf("last", FILE.slice(0, -1)), []);
});
