/**
 * A program step by step, in plain text, with the page map after each step.
 *
 * Each page is one character: `.` free, a letter for a granted page (the same
 * for the pages of one block: capital for the first, small for the rest),
 * `r` reserved, `q` queued in a gather, `x` given up, `k` the kernel's own,
 * `?` neither free nor anybody's.
 *
 * @module
 */
import type { Program } from "./program.ts";
import {
  COL_BLOCK,
  COL_ENV_REFS,
  COL_GATHER,
  COL_STATE,
  FREE,
  GIVEN_UP,
  GRANTED,
  KERNEL_OWN,
  LOST,
  PAGE_STATES,
  QUEUED,
  RESERVED,
} from "./steps/columns.ts";
import { StepReader } from "./steps/reader.ts";
import { recordSteps } from "./steps/record.ts";
import type { Found, Stop } from "./steps/step_through.ts";
import { W_REFCOUNT } from "../memory/words.ts";

/** Letters of blocks: all but those that say what became of one. */
const LETTERS = "ABCDEFGHIJLMNOPSTUVWYZ";
/** Letters of states; a granted page has its block's. */
const STATE_LETTERS: Readonly<Record<number, string>> = {
  [FREE]: ".",
  [RESERVED]: "r",
  [QUEUED]: "q",
  [GIVEN_UP]: "x",
  [KERNEL_OWN]: "k",
  [LOST]: "?",
};
/** Pages a line of the map. */
const ROW = 64;
/** Pages whose references are written out; those of larger blocks are cut. */
const WRITTEN_REFS = 8;
/** Blocks of a step that are written out. */
const BLOCKS = 6;

function letter(reader: StepReader, pfn: number): string {
  const state = reader.column(pfn, COL_STATE);
  const block = reader.column(pfn, COL_BLOCK);
  const own = state === GRANTED ? LETTERS[block % LETTERS.length]! : STATE_LETTERS[state]!;
  return pfn === reader.program.blocks[block]?.first ? own.toUpperCase() : own.toLowerCase();
}

/** Rows of the map that are not all free. */
function rows(reader: StepReader): string[] {
  const list: string[] = [];
  for (let at = 0; at < reader.program.pages; at += ROW) {
    let row = "";
    for (let pfn = at; pfn < Math.min(at + ROW, reader.program.pages); pfn++) row += letter(reader, pfn);
    if (/[^.]/.test(row)) list.push(`     ${String(at).padStart(5)} ${row}`);
  }
  return list.length === 0 ? ["           (all pages are free)"] : list;
}

/** Pages in runs, as `254` or `192-195`. */
function runs(pfns: readonly number[]): string {
  const list: string[] = [];
  for (let i = 0; i < pfns.length; i++) {
    const first = pfns[i]!;
    while (pfns[i + 1] === pfns[i]! + 1) i++;
    list.push(first === pfns[i] ? String(first) : `${first}-${pfns[i]}`);
  }
  return list.join(", ");
}

/** What is to be said of the blocks that the last step changed, a line each. */
export function blockLines(reader: StepReader): string[] {
  const ids = [...reader.changed];
  const rest = ids.length - BLOCKS;
  return [
    ...ids.slice(0, BLOCKS).map((id) => blockLine(reader, id)),
    ...(rest > 0 ? [`and ${rest} more`] : []),
  ];
}

function blockLine(reader: StepReader, id: number): string {
  const block = reader.program.blocks[id]!;
  const byState = new Map<number, number[]>();
  for (let pfn = block.first; pfn < block.first + block.pages; pfn++) {
    const state = reader.column(pfn, COL_STATE);
    if (state === FREE || reader.column(pfn, COL_BLOCK) !== id) continue;
    byState.set(state, [...byState.get(state) ?? [], pfn]);
  }
  const states = [...byState].map(([state, pfns]) => {
    const gather = reader.gathers().find((g) => g.id === reader.column(pfns[0]!, COL_GATHER));
    const where = state !== QUEUED ? "" : gather === undefined ? " for a grace period" : ` in ${gather.name}`;
    const refs = pfns.slice(0, WRITTEN_REFS).map((pfn) => reader.column(pfn, W_REFCOUNT)).join(" ");
    const more = pfns.length > WRITTEN_REFS ? " ..." : "";
    const env = pfns.reduce((sum, pfn) => sum + reader.column(pfn, COL_ENV_REFS), 0);
    return `${PAGE_STATES[state]!.name}${where}: ${pfns.length === 1 ? "page" : "pages"} ${runs(pfns)}, ` +
      `_refcount ${refs}${more}${env === 0 ? "" : ` (${env} of the environment)`}`;
  });
  const kind = block.pages === 1 ? "" : block.compound ? ", compound" : ", not compound";
  return `${block.name}: order ${block.order} of ${block.family}${kind}; ${states.join("; ") || "free again"}`;
}

/** A finding in one line. */
export function foundLine(f: Found): string {
  const pages = f.pages === 0 ? "" : ` (${f.pages} ${f.pages === 1 ? "page" : "pages"})`;
  return `${f.severity}: ${f.invariant}${pages} at ${f.step}: ${f.words}`;
}

const OUTCOMES: Readonly<Record<Stop["outcome"], string>> = {
  "ran": "",
  "skipped": "skipped: an operand is NULL, or there is nothing to put",
  "armed": "waits until the point is reached",
  "not run": "not run: the program has ended",
};

/** What the line of a stop answered, or why it did not run; empty where there is nothing to say. */
export function outcomeWords(stop: Stop): string {
  return OUTCOMES[stop.outcome] || stop.answer;
}

/** The program's lines, each with what it broke and the pages afterwards. */
export function* showProgram(program: Program): Generator<string> {
  const reader = new StepReader(recordSteps(program));
  const { stops, findings } = reader.program;
  yield `kernel ${program.kernel}, arch ${program.arch}, ${program.pages} pages${
    program.config.length === 0 ? "" : `, ${program.config.join(" ")}`
  }`;
  yield "a capital is the first page of a block, small letters its others; q queued, x given up, r reserved, ? lost";
  for (let i = 1; i < stops.length; i++) {
    const stop = stops[i]!;
    if (stop.kind === "line" && stop.outcome === "not run") break;
    if (stop.kind === "line") reader.goTo(i);
    if (stop.kind === "drain") continue;
    for (const { step, text } of stop.lines) yield `${step === 0 ? "    " : String(step).padStart(4)}  ${text}`;
    const said = outcomeWords(stop);
    if (said !== "") yield `      ${said}`;
    yield* rows(reader);
    for (const line of blockLines(reader)) yield `      ${line}`;
    for (const w of reader.walkers()) yield `      ${w.name} may still see page ${runs(w.pages)}: ${w.words}`;
    for (const f of stop.found) yield `      ${foundLine(findings[f]!)}`;
  }
  reader.goTo(stops.length - 1);
  if (reader.stop.found.length > 0) {
    yield "      drained: references put, gathers finished, callbacks run";
    for (const f of reader.stop.found) yield `      ${foundLine(findings[f]!)}`;
  }
  if (findings.length === 0) yield "clean: no invariant is broken";
}
