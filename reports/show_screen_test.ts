import { assert, assertEquals } from "@std/assert";
import { parseProgram } from "../core/program/parse.ts";
import { moveOf, type Screen, showOnScreen } from "./show_screen.ts";
import { displayWidth } from "./text.ts";
import { longProgram, stored } from "./viewer/testing/sample.ts";

/** Shows a program to somebody who types these keys; answers the screens, and whether the terminal was given back. */
async function shown(text: string, keys: readonly string[], columns = 80, rows = 24) {
  const screens: string[][] = [];
  let entered = 0;
  const left = [...keys];
  const screen: Screen = {
    size: () => ({ columns, rows }),
    enter: () => {
      entered++;
      return () => void entered--;
    },
    key: () => Promise.resolve(left.shift()),
    // deno-lint-ignore no-control-regex
    write: (drawn) => void screens.push(drawn.replace(/\x1b\[[HKJ]/g, "").split("\r\n")),
  };
  await showOnScreen(parseProgram(text, "x.pt"), "x.pt", screen, false);
  return { screens, entered };
}

Deno.test("keys step ahead and back, to the first and the last, and to other pages", async () => {
  const { screens, entered } = await shown(stored("mips-kvm-pgd"), [
    "\x1b[C",
    "l",
    "\x1b[D",
    "\x1b[F",
    "\x1b[H",
    "n",
    ".",
    "x",
    "q",
    "l",
  ]);
  const places = screens.map((s) => /; (.*) \(/.exec(s[0]!)?.[1]);
  assertEquals(places, [
    "step 1",
    "step 2",
    "step 3",
    "step 2",
    "after the drain",
    "before step 1",
    "step 1",
    "step 1",
    "step 1",
  ]);
  assertEquals(entered, 0);
  assert(screens[2]!.some((l) => l.includes("page-leak (1 page) at 3: a0+1 belongs to nobody")));
  assert(screens[2]!.some((l) => l.startsWith("page 1: lost, a0+1")), screens[2]!.join("\n"));
  assert(screens[7]!.some((l) => l.startsWith("page 1: granted, a0+1")));
});

Deno.test("no screen is wider or longer than the terminal", async () => {
  for (const [columns, rows] of [[80, 24], [40, 12], [200, 60]] as const) {
    for (const text of [longProgram(60), stored("gather-batch-full"), stored("v2-pgd-list-freed")]) {
      const { screens } = await shown(text, Array(20).fill("l"), columns, rows);
      for (const lines of screens) {
        assert(lines.length <= rows);
        for (const line of lines) assert(displayWidth(line) <= Math.max(columns, 70), line);
      }
    }
  }
});

Deno.test("Ctrl-C, q and Escape leave; what means nothing does nothing", () => {
  assertEquals(["\x03", "q", "\x1b", "\x1b[A"].map(moveOf), ["quit", "quit", "quit", "nothing"]);
});
