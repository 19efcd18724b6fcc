/**
 * What is seen of the page in a real browser. The tests (`browser_test.ts`)
 * start this as a program of its own, because driving a browser needs more than
 * tests may do; it prints one JSON object, a name and an error or null each.
 *
 *     deno run -A reports/viewer/testing/checks.ts /usr/bin/chromium
 *
 * @module
 */
/// <reference lib="dom" />
import { assert, assertEquals } from "@std/assert";
import { createRequire } from "node:module";
import { isDeepStrictEqual } from "node:util";
import { join, toFileUrl } from "@std/path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { INVARIANTS } from "../../../core/ledger/invariants.ts";
import { reportPage } from "../../page.ts";
import { HOSTILE_NAME } from "../../sample_test_data.ts";
import { visible } from "../../text.ts";
import { fullResult, longResult, manyResult, smallResult } from "./sample.ts";

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** An open page, and what it did that it must not. */
interface Opened {
  readonly page: Page;
  readonly wrong: string[];
}

class Bench {
  readonly #browser: Browser;
  readonly #dir: string;
  readonly #urls = new Map<string, string>();

  constructor(browser: Browser, dir: string) {
    this.#browser = browser;
    this.#dir = dir;
  }

  write(name: string, html: string): void {
    const path = join(this.#dir, `${name}.html`);
    Deno.writeTextFileSync(path, html);
    this.#urls.set(name, toFileUrl(path).href);
  }

  /** Opens a page, lets a check look at it, and sees that it said and asked for nothing. */
  async open(
    name: string,
    hash: string,
    check: (page: Page, url: string) => Promise<void>,
    options: BrowserContextOptions = {},
  ): Promise<void> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    const opened: Opened = { page, wrong: [] };
    const url = this.#urls.get(name)!;
    page.on("console", (m) => opened.wrong.push(`console: ${m.text()}`));
    page.on("pageerror", (e) => opened.wrong.push(`error: ${e}`));
    page.on("dialog", (d) => {
      opened.wrong.push(`dialog: ${d.message()}`);
      d.dismiss();
    });
    page.on("request", (r) => {
      if (r.url().split("#")[0] !== url && !r.url().startsWith("data:")) opened.wrong.push(`request: ${r.url()}`);
    });
    page.setDefaultTimeout(20_000);
    try {
      await page.goto(url + hash);
      await page.locator("main h1").waitFor();
      await check(page, url);
      assertEquals(opened.wrong, []);
    } finally {
      await context.close();
    }
  }
}

const axeSource = (): string => Deno.readTextFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"));

/** Violations that axe finds, with what they are about. */
async function axe(page: Page): Promise<string[]> {
  await page.evaluate(axeSource());
  return await page.evaluate(async () => {
    // deno-lint-ignore no-explicit-any
    const { violations } = await (globalThis as any).axe.run();
    // deno-lint-ignore no-explicit-any
    return violations.map((v: any) => `${v.id}: ${v.nodes.map((n: any) => n.html).slice(0, 3).join(" ")}`);
  });
}

const current = (page: Page): Promise<string> => page.locator(".listing [aria-current=step] code").first().innerText();
const hash = (page: Page): Promise<string> => page.evaluate(() => location.hash);

/** Waits until what is looked at is as expected: the page draws when it has time. */
async function sees<T>(look: () => Promise<T>, expected: T): Promise<void> {
  let seen = await look();
  for (let i = 0; i < 200 && !isDeepStrictEqual(seen, expected); i++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
    seen = await look();
  }
  assertEquals(seen, expected);
}

type Check = (bench: Bench) => Promise<void>;

const CHECKS: Readonly<Record<string, Check>> = {
  "opens from disk, asks for nothing and says nothing on the console": (bench) =>
    bench.open("small", "", async (page) => {
      const all = smallResult().findings.length;
      await sees(() => page.locator(".findings li").count(), all);
      await sees(() => page.locator(".matrix tbody tr").count(), 5);
      await sees(() => page.locator("section[aria-labelledby=invariants] tbody tr").count(), INVARIANTS.length);
      await sees(() => page.title(), "ptfuzz report");
    }),

  "filters by words, severity, kernel and from the matrix": (bench) =>
    bench.open("small", "", async (page) => {
      const shown = () => page.locator(".findings li").count();
      const all = await shown();
      await page.getByLabel("Words").fill("mips leak");
      await sees(
        () => page.locator(".findings .where").allInnerTexts().then((t) => new Set(t)),
        new Set(["mips/kvm-pgd on 6.12"]),
      );
      const few = await shown();
      assert(few > 0 && few < all);
      await sees(
        () => page.locator("section[aria-labelledby=findings] [role=status]").innerText(),
        `${few} of ${all} findings`,
      );
      await page.getByRole("button", { name: "Show all" }).click();
      await sees(() => shown(), all);
      await page.getByLabel("Severity").selectOption("latent");
      await sees(async () => new Set(await page.locator(".findings .severity").allInnerTexts()), new Set(["latent"]));
      await page.getByLabel("Severity").selectOption("");
      await page.getByRole("combobox", { name: "Kernel" }).selectOption("v2");
      await sees(
        async () => (await page.locator(".findings .where").allInnerTexts()).every((t) => t.endsWith(" on v2")),
        true,
      );
      await page.getByLabel("unexpected only").check();
      await sees(async () => (await page.locator(".findings .fresh").count()) - (await shown()), 0);
      await page.locator(".matrix button", { hasText: "expected" }).first().click();
      await sees(
        async () => new Set(await page.locator(".findings .where").allInnerTexts()),
        new Set(["mips/kvm-pgd on 6.12"]),
      );
    }),

  "shows who died, what was recorded, and what a real kernel does otherwise": async (bench) => {
    await bench.open("full", "", async (page) => {
      const section = (name: string) => page.locator(`section[aria-labelledby=${name}]`);
      assert((await section("faults").innerText()).includes("RangeError: index out of range"));
      assert((await section("faults").locator("pre").innerText()).includes("a0 = __get_free_pages(GFP_KERNEL, 1)"));
      await sees(() => section("recordings").locator("h3").count(), 2);
      await sees(() => section("recordings").locator(".contradiction").count(), 2);
      assert((await section("differences").innerText()).includes("free pages: model 240, Linux 239"));
      assert((await section("coverage").innerText()).includes("alloc_pages_exact"));
      await sees(() => section("memdesc").locator("td code").first().innerText(), "d = virt_to_ptdesc(a)");
      assert((await page.locator("main").innerText()).includes("7 programs of a pool (0123456789abcdef)"));
      await sees(() => page.locator("img").count(), 0);
      assertEquals(await axe(page), []);
    });
    for (const colorScheme of ["dark", "light"] as const) {
      await bench.open("full", "", async (page) => {
        assertEquals(await page.evaluate(() => document.documentElement.scrollWidth), 360);
        assertEquals(await axe(page), []);
      }, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, colorScheme });
    }
  },

  "goes to a part of the overview, by a link of the page or from outside": async (bench) => {
    const top = (page: Page) =>
      page.evaluate(() => Math.abs(document.getElementById("invariants")!.getBoundingClientRect().top) < 30);
    await bench.open("full", "", async (page) => {
      await sees(() => top(page), false);
      await page.getByRole("navigation", { name: "On this page" }).getByRole("link", { name: "Invariants" }).click();
      await sees(() => top(page), true);
    });
    await bench.open("full", "#invariants", async (page) => await sees(() => top(page), true));
  },

  "shows a finding's KUnit test, or why there is none, and says what no kernel does": (bench) =>
    bench.open("full", "#finding/1", async (page) => {
      await page.getByText("KUnit test in C").click();
      assert(
        (await page.getByLabel("The KUnit test").innerText()).includes("kunit_test_suite(mips_kvm_pgd_6_12_suite);"),
      );
      await sees(
        () => page.getByRole("link", { name: "beside this page" }).getAttribute("href"),
        "kunit/mips_kvm_pgd_6_12_kunit.c",
      );
      assertEquals(await axe(page), []);
      const number = fullResult().findings.findIndex((f) => f.discipline === "x86/pgd-pti") + 1;
      await page.evaluate((n) => location.hash = `#finding/${n}`, number);
      await page.getByText(/^No KUnit test: .* is static in arch\/x86/).waitFor();
      const gather = fullResult().findings.findIndex((f) => f.discipline === "generic/multi-order-gather") + 1;
      await page.evaluate((n) => location.hash = `#finding/${n}`, gather);
      await page.getByText("No kernel does this: the discipline is hypothetical.").waitFor();
    }),

  "steps with the keyboard alone, from the overview on": (bench) =>
    bench.open("small", "", async (page) => {
      await page.locator(".findings a").first().focus();
      await page.keyboard.press("Enter");
      await page.locator(".steps").waitFor();
      await sees(() => page.evaluate(() => document.activeElement?.tagName), "H1");
      await sees(() => current(page), "d0 = virt_to_ptdesc(a0)");
      await page.keyboard.press("ArrowRight");
      await sees(async () => [await current(page), await hash(page)], ["pagetable_free(d0)", "#finding/1/step/3"]);
      await sees(() => page.locator(".page.lost[data-page]").count(), 1);
      await page.keyboard.press("End");
      await sees(() => hash(page), "#finding/1/step/end");
      await page.keyboard.press("Home");
      await sees(() => hash(page), "#finding/1/step/0");
      await sees(() => page.locator(".page.granted[data-page]").count(), 0);
      await page.keyboard.press("ArrowLeft");
      await sees(() => hash(page), "#finding/1/step/0");
      await page.keyboard.press("ArrowRight");
      await sees(() => page.locator(".page.granted[data-page]").count(), 2);
      // Into the map: arrows move the pointer there, n and p step.
      await page.locator("[role=gridcell][tabindex='0']").focus();
      await page.keyboard.press("ArrowRight");
      await sees(() => page.locator(".words h2").innerText(), "page 1: granted, a0+1, _refcount 0");
      await page.keyboard.press("n");
      await page.keyboard.press("n");
      await sees(() => page.locator(".words h2").innerText(), "page 1: lost, a0+1, _refcount 0");
      await page.keyboard.press("p");
      await sees(() => hash(page), "#finding/1/step/2");
    }),

  "steps with the slider and by a click on a line": (bench) =>
    bench.open("small", "#finding/1", async (page) => {
      await page.getByRole("slider", { name: "Step" }).fill("1");
      await sees(() => current(page), "a0 = __get_free_pages(GFP_KERNEL, 1)");
      await sees(
        () => page.getByRole("slider", { name: "Step" }).getAttribute("aria-valuetext"),
        "step 1 of 3",
      );
      await page.locator(".listing button").nth(2).click();
      await sees(async () => [await current(page), await hash(page)], ["pagetable_free(d0)", "#finding/1/step/3"]);
      await sees(() => page.locator(".happened .found").count(), 4);
    }),

  "follows a link to a step": (bench) =>
    bench.open("small", "#finding/1/step/1", async (page) => {
      await sees(() => current(page), "a0 = __get_free_pages(GFP_KERNEL, 1)");
      await page.evaluate(() => location.hash = "#finding/1/step/3");
      await page.locator(".page.lost[data-page]").waitFor();
      await sees(() => current(page), "pagetable_free(d0)");
      await page.evaluate(() => location.hash = "#finding/999");
      await page.getByText("There is no finding 999").waitFor();
    }),

  "shows the words of the page under the pointer, and the ledger beside them": (bench) =>
    bench.open("small", "#finding/1/step/1", async (page) => {
      const title = () => page.locator(".words h2").innerText();
      await page.locator("[data-page='1']").hover();
      await sees(() => title(), "page 1: granted, a0+1, _refcount 0");
      const row = page.locator(".words tbody tr", { hasText: "compound_head" });
      assert((await row.innerText()).includes("pt_list.next"));
      assert((await page.locator(".words thead").first().innerText()).includes("struct ptdesc"));
      assert((await page.locator(".ledger").innerText()).includes("a0, page 2 of 2"));
      await page.locator("h1").hover();
      await sees(() => title(), "page 0: granted, a0, _refcount 1");
      await page.locator("[data-page='1']").click();
      await page.locator("h1").hover();
      await sees(() => title(), "page 1: granted, a0+1, _refcount 0");
    }),

  "is dark where the system is": async (bench) => {
    const background = (page: Page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await bench.open("small", "#finding/1/step/3", async (page) => {
      await sees(() => background(page), "rgb(20, 22, 26)");
      assertEquals(await axe(page), []);
      await page.emulateMedia({ colorScheme: "light" });
      await sees(() => background(page), "rgb(255, 255, 255)");
      await page.emulateMedia({ colorScheme: "dark" });
    }, { colorScheme: "dark" });
    await bench.open("small", "", async (page) => assertEquals(await axe(page), []), { colorScheme: "dark" });
  },

  "fits a phone": async (bench) => {
    for (const at of ["", "#finding/1/step/3", "#finding/5/step/5"]) {
      await bench.open("small", at, async (page) => {
        const [needs, has] = await page.evaluate(() => {
          const e = document.documentElement;
          return [e.scrollWidth, e.clientWidth] as const;
        });
        assert(needs <= has, `${at}: ${needs} > ${has}`);
        assertEquals(await axe(page), []);
      }, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
    }
  },

  "has nothing that axe objects to": async (bench) => {
    const { findings } = smallResult();
    for (
      const at of [
        "",
        ...["1/step/0", "1/step/1", "1/step/3", "11/step/3", "11/step/5"].map((at) => `#finding/${at}`),
        `#finding/${findings.length}/step/end`,
        "#finding/999",
      ]
    ) {
      await bench.open("small", at, async (page) => assertEquals(await axe(page), []));
    }
  },

  "shows a harmful name as text": async (bench) => {
    const number = smallResult().findings.findIndex((f) => f.discipline === HOSTILE_NAME) + 1;
    await bench.open("small", "", async (page) => {
      await sees(() => page.locator("img").count(), 0);
      assert((await page.locator(".matrix").innerText()).includes("<img src=x onerror=alert(1)>"));
      assert((await page.locator(".findings").innerText()).includes("<img src=x onerror=alert(1)>"));
      assert((await page.locator("body").innerText()).includes(visible("\x1b[31m")));
    });
    await bench.open("small", `#finding/${number}`, async (page) => {
      await sees(() => page.locator("img").count(), 0);
      assert((await page.locator("h1").innerText()).includes("<img src=x onerror=alert(1)>"));
    });
  },

  "steps through a program of 2,000 lines": (bench) =>
    bench.open("long", "#finding/1/step/1", async (page) => {
      await sees(() => page.locator(".listing li").count(), 2000);
      for (let i = 0; i < 40; i++) await page.keyboard.press("ArrowRight");
      await sees(() => hash(page), "#finding/1/step/41");
      await page.keyboard.press("End");
      for (let i = 0; i < 100; i++) await page.keyboard.press("ArrowLeft");
      await sees(() => hash(page), "#finding/1/step/1901");
      assert(await page.locator(".listing [aria-current=step]").isVisible());
    }),

  "opens a report of 500 findings": (bench) =>
    bench.open("many", "", async (page) => {
      await sees(() => page.locator(".findings li").count(), 500);
      await page.locator(".findings a").last().click();
      await page.locator(".steps").waitFor();
      assert((await hash(page)).startsWith("#finding/500"));
    }),
};

async function main(executablePath: string): Promise<void> {
  const dir = await Deno.makeTempDir();
  const results: Record<string, string | null> = {};
  const browser = await chromium.launch({ executablePath, args: ARGS });
  try {
    const bench = new Bench(browser, dir);
    bench.write("small", reportPage(smallResult()));
    bench.write("full", reportPage(fullResult()));
    bench.write("long", reportPage(longResult(2000)));
    bench.write("many", reportPage(manyResult(500)));
    for (const [name, check] of Object.entries(CHECKS)) {
      results[name] = null;
      try {
        await check(bench);
      } catch (error) {
        results[name] = error instanceof Error ? `${error.message}\n${error.stack}` : String(error);
      }
    }
  } finally {
    await browser.close();
    await Deno.remove(dir, { recursive: true });
  }
  console.log(JSON.stringify(results));
}

if (import.meta.main) await main(Deno.args[0]!);
