/**
 * `show` in a terminal: the program step by step, with keys.
 *
 * What is drawn is a function of the recording, the stop, the page under the
 * pointer and the size of the terminal. No line is wider than the terminal, and
 * there are no more lines than it has.
 *
 * @module
 */
import { foundLine, outcomeWords } from "../core/program/show.ts";
import {
  COL_BLOCK,
  COL_ENV_REFS,
  COL_REFS,
  COL_STATE,
  FREE,
  GIVEN_UP,
  GRANTED,
  KERNEL_OWN,
  LOST,
  PAGE_STATES,
  QUEUED,
  RESERVED,
} from "../core/program/steps/columns.ts";
import { StepReader } from "../core/program/steps/reader.ts";
import { recordSteps } from "../core/program/steps/record.ts";
import type { Program } from "../core/program/program.ts";
import { cutMiddle, padEnd, visible } from "./text.ts";

/** A terminal that can be drawn on and that has keys. */
export interface Screen {
  /** Columns and rows now. */
  size(): { readonly columns: number; readonly rows: number };
  /** Takes the terminal, until the function that is returned is called. */
  enter(): () => void;
  /** What is typed next, as the terminal sends it; undefined where nothing more comes. */
  key(): Promise<string | undefined>;
  write(text: string): void;
}

/** Pages a line of the map. */
const ROW = 64;
/** Rows of the map at most. */
const MAP_ROWS = 4;

const BLOCKS: Readonly<Record<number, readonly [first: string, other: string, sgr: number]>> = {
  [FREE]: ["░", "░", 2],
  [GRANTED]: ["█", "▓", 34],
  [RESERVED]: ["█", "▓", 35],
  [QUEUED]: ["▚", "▒", 33],
  [GIVEN_UP]: ["▞", "▒", 36],
  [KERNEL_OWN]: ["▣", "▣", 32],
  [LOST]: ["×", "×", 31],
};

const HELP = "←→ step  Home End  ,. page  q quit";

/** What a key asks for. */
export type Move = "ahead" | "back" | "first" | "last" | "next page" | "page before" | "quit" | "nothing";

const KEYS: Readonly<Record<string, Move>> = {
  "\x1b[C": "ahead",
  "\x1bOC": "ahead",
  "\x1b[D": "back",
  "\x1bOD": "back",
  "\x1b[H": "first",
  "\x1bOH": "first",
  "\x1b[1~": "first",
  "\x1b[F": "last",
  "\x1bOF": "last",
  "\x1b[4~": "last",
  " ": "ahead",
  l: "ahead",
  n: "ahead",
  h: "back",
  p: "back",
  g: "first",
  G: "last",
  ".": "next page",
  ",": "page before",
  q: "quit",
  "\x03": "quit",
  "\x04": "quit",
  "\x1b": "quit",
};

/** What is asked for by what a terminal sends. */
export function moveOf(key: string): Move {
  return KEYS[key] ?? "nothing";
}

function mapLines(reader: StepReader, page: number, colour: boolean): string[] {
  const { pages, blocks } = reader.program;
  const busy = reader.busyRows(ROW);
  const here = Math.floor(page / ROW);
  const from = Math.max(0, Math.min(busy.indexOf(here), busy.length - MAP_ROWS));
  const rows = busy.length === 0 ? [here] : busy.slice(from, from + MAP_ROWS);
  return rows.map((row) => {
    let line = `${String(row * ROW).padStart(5)} `;
    for (let pfn = row * ROW; pfn < Math.min(pages, (row + 1) * ROW); pfn++) {
      const [first, other, sgr] = BLOCKS[reader.column(pfn, COL_STATE)]!;
      const char = blocks[reader.column(pfn, COL_BLOCK)]?.first === pfn ? first : other;
      if (colour) line += `\x1b[${sgr}${pfn === page ? ";7" : ""}m${char}\x1b[0m`;
      else line += pfn === page ? "?" : char;
    }
    return line;
  });
}

function pageLine(reader: StepReader, page: number): string {
  const state = PAGE_STATES[reader.column(page, COL_STATE)]!;
  const block = reader.program.blocks[reader.column(page, COL_BLOCK)];
  const env = reader.column(page, COL_ENV_REFS);
  const owner = block === undefined ? "" : `, ${block.name}${page === block.first ? "" : `+${page - block.first}`}`;
  return `page ${page}: ${state.name}${owner}; the ledger expects ${reader.column(page, COL_REFS)} references` +
    (env === 0 ? "" : `, ${env} of them the environment's`);
}

/** The page to begin with: the first that the stop changed and that is not free. */
export function pageOf(reader: StepReader): number {
  const touched = [...reader.touched].sort((a, b) => a - b);
  return touched.find((pfn) => reader.column(pfn, COL_STATE) !== FREE) ?? touched[0] ?? 0;
}

/** The lines of a screen. */
export function screenLines(
  reader: StepReader,
  name: string,
  page: number,
  size: { readonly columns: number; readonly rows: number },
  colour: boolean,
): string[] {
  const { program, at, stop } = reader;
  const width = size.columns - 1;
  const fit = (text: string) => cutMiddle(visible(text), width);
  const place = stop.kind === "boot"
    ? "before step 1"
    : stop.kind === "drain"
    ? "after the drain"
    : `step ${stop.step}`;
  const head = fit(
    `${name}: kernel ${program.kernel}, arch ${program.arch}; ${place} (${at} of ${program.stops.length - 1})`,
  );
  const words = reader.rows(page).map((r) =>
    fit(
      `${String(r.offset).padStart(3)} ${padEnd(cutMiddle(r.page, 26), 26)} ${
        padEnd(cutMiddle(r.ptdesc, 22), 22)
      } ${r.meaning}`,
    )
  );
  const said = [
    outcomeWords(stop),
    ...stop.found.map((i) => foundLine(program.findings[i]!)),
    ...reader.gathers().map((g) => `${g.name}: ${g.words.join("; ")}; ${reader.queuedIn(g.id).length} pages queued`),
    ...reader.walkers().map((w) => `${w.name} may still see page ${w.pages.join(" ")}: ${w.words}`),
  ].filter((line) => line !== "").map((line) => fit(`  ${line}`));
  const map = mapLines(reader, page, colour);
  const fixed = 1 + map.length + 1 + words.length + 1;
  const room = Math.max(2, size.rows - fixed);
  const shownSaid = said.slice(0, Math.max(1, Math.floor(room / 2)));
  const lines = program.stops.flatMap((s, i) =>
    s.lines.map((line) => ({
      i,
      text: `${i === at ? ">" : " "}${line.step === 0 ? "    " : String(line.step).padStart(4)}  ${line.text}`,
    }))
  );
  const count = Math.max(1, room - shownSaid.length);
  const current = Math.max(0, lines.findLastIndex((l) => l.i <= at));
  const from = Math.max(0, Math.min(current - Math.floor(count / 2), lines.length - count));
  return [
    head,
    ...lines.slice(from, from + count).map((l) => fit(l.text)),
    ...shownSaid,
    ...map,
    fit(pageLine(reader, page)),
    ...words,
    fit(HELP),
  ].slice(0, size.rows);
}

/** Shows a program until it is left. */
export async function showOnScreen(program: Program, name: string, screen: Screen, colour: boolean): Promise<void> {
  const reader = new StepReader(recordSteps(program));
  reader.goTo(1);
  let page = pageOf(reader);
  const leave = screen.enter();
  try {
    for (;;) {
      const lines = screenLines(reader, name, page, screen.size(), colour);
      screen.write("\x1b[H" + lines.map((line) => `${line}\x1b[K`).join("\r\n") + "\x1b[J");
      const key = await screen.key();
      const move = key === undefined ? "quit" : moveOf(key);
      if (move === "quit") return;
      if (move === "next page") page = Math.min(program.pages - 1, page + 1);
      if (move === "page before") page = Math.max(0, page - 1);
      const to = { ahead: reader.at + 1, back: reader.at - 1, first: 0, last: reader.program.stops.length - 1 }[
        move as string
      ];
      if (to === undefined) continue;
      reader.goTo(to);
      page = pageOf(reader);
    }
  } finally {
    leave();
  }
}
