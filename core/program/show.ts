/**
 * A program step by step, in plain text, with the page map after each step.
 *
 * Each page is one character: `.` free, a letter for a granted page (the same
 * for the pages of one block: capital for the first, small for the rest),
 * `r` reserved, `q` queued in a gather, `x` given up, `?` neither free nor anybody's.
 *
 * @module
 */
import { isFree } from "../ledger/observe.ts";
import { INTENDED, QUEUED } from "../ledger/states.ts";
import { OP_AT, OP_REPEAT } from "./calls.ts";
import { findingsOf } from "./findings.ts";
import { Machine } from "./machine.ts";
import { printStep } from "./print.ts";
import { type Program, STEP_WORDS } from "./program.ts";

/** Letters of blocks: all but those that say what became of one. */
const LETTERS = "ABCDEFGHIJKLMNOPSTUVWYZ";
/** Pages a line of the map. */
const ROW = 64;

function letters(machine: Machine, names: Map<string, string>): string {
  const l = machine.ledger;
  let map = "";
  for (let pfn = 0; pfn < l.nrPages; pfn++) {
    const g = l.grantOf[pfn]!;
    if (g < 0) {
      map += isFree(l.mem, l.layout, pfn) ? "." : "?";
      continue;
    }
    // A block keeps its letter: its first page and the name that it was granted to.
    const id = `${l.gFirst[g]} ${l.gSlot[g]}`;
    if (!names.has(id)) names.set(id, LETTERS[names.size % LETTERS.length]!);
    const letter = l.gState[g] === QUEUED
      ? "q"
      : l.gState[g] === INTENDED
      ? "x"
      : l.reserved[pfn]
      ? "r"
      : names.get(id)!;
    map += pfn === l.gFirst[g] ? letter.toUpperCase() : letter.toLowerCase();
  }
  return map;
}

/** Rows of the map that are not all free. */
function rows(map: string): string[] {
  const list: string[] = [];
  for (let at = 0; at < map.length; at += ROW) {
    const row = map.slice(at, at + ROW);
    if (/[^.]/.test(row)) list.push(`     ${String(at).padStart(5)} ${row}`);
  }
  return list.length === 0 ? ["           (all pages are free)"] : list;
}

/** The program's lines, each with what it broke and the pages afterwards. */
export function* showProgram(program: Program): Generator<string> {
  const machine = new Machine(program);
  machine.load(program);
  yield `kernel ${program.kernel}, arch ${program.arch}, ${program.pages} pages${
    program.config.length === 0 ? "" : `, ${program.config.join(" ")}`
  }`;
  yield "a capital is the first page of a block, small letters its others; q queued, x given up, r reserved, ? lost";
  const names = new Map<string, string>();
  let step = 0;
  let shown = 0;
  const { code } = program;
  for (let pc = 0; pc < code.length && !machine.ledger.stop; pc += STEP_WORDS) {
    const op = code[pc]!;
    const body = op === OP_REPEAT ? code[pc + 3]! : op === OP_AT ? 1 : 0;
    for (let i = 0; i <= body; i++) {
      const numbered = code[pc + i * STEP_WORDS]! < OP_AT;
      if (numbered) step++;
      yield `${numbered ? String(step).padStart(4) : "    "}  ${printStep(program, pc / STEP_WORDS + i)}`;
    }
    machine.execute(pc, pc + (body + 1) * STEP_WORDS);
    pc += body * STEP_WORDS;
    yield* rows(letters(machine, names));
    yield* broken(machine, program, shown);
    shown = machine.ledger.nFindings;
  }
  machine.finish();
  if (machine.ledger.nFindings > shown) {
    yield "      drained: references put, gathers finished, callbacks run";
    yield* broken(machine, program, shown);
  }
  if (machine.ledger.nFindings === 0) yield "clean: no invariant is broken";
}

/** What was found since there were `from` findings. */
function* broken(machine: Machine, program: Program, from: number): Generator<string> {
  for (const f of findingsOf(machine, program.slots, from)) {
    const pages = f.pages === 0 ? "" : ` (${f.pages} ${f.pages === 1 ? "page" : "pages"})`;
    yield `      ${f.severity}: ${f.invariant}${pages} at ${f.step}: ${f.words}`;
  }
}
