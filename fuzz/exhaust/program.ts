/**
 * From moves to a program that anybody can replay: the lines that they ran, with
 * names of their own for every path that began.
 *
 * @module
 */
import { OP_AT, OP_REPEAT, opOf } from "../../core/program/calls.ts";
import { FIRST_SLOT, type Slot, STEP_WORDS } from "../../core/program/program.ts";
import type { CompiledDiscipline } from "../../corpus/discipline.ts";
import { numberedNames } from "../discipline_generator.ts";
import type { Walk } from "./paths.ts";
import type { Scribe, World } from "./world.ts";

const OP_GET = opOf("env get_page_unless_zero");
const OP_PUT = opOf("env put_page");
const OP_FAIL = opOf("env fail");
const OP_RCU = opOf("env rcu_grace_period");
const OP_GONE = opOf("env owner_gone");

/** Writes down what moves run. */
export class ProgramWriter implements Scribe {
  readonly #world: World;
  readonly #names: CompiledDiscipline["slots"];
  readonly #words: number[] = [];
  /** Which of the discipline's names each slot stands for. */
  readonly #origin: number[] = [];
  /** Slot of each name of each table. */
  readonly #slot: Int32Array;
  /** Slot of what the environment holds. */
  readonly #held: Int32Array;
  /** Run of each path of each table. */
  readonly #run: Map<string, number> = new Map();
  #runs = 0;

  constructor(world: World, discipline: CompiledDiscipline) {
    this.#world = world;
    this.#names = discipline.slots;
    this.#slot = new Int32Array(world.tables.length * discipline.slots.length);
    this.#held = new Int32Array(world.bounds.references);
  }

  path(table: number, walk: Walk, index: number): void {
    for (const name of walk.own) {
      this.#slot[table * this.#names.length + name] = FIRST_SLOT + this.#origin.length;
      this.#origin.push(name);
    }
    this.#run.set(`${table} ${index}`, ++this.#runs);
  }

  lines(table: number, index: number, from: number, to: number): void {
    const { code } = this.#world.walks[index]!.path;
    const run = this.#run.get(`${table} ${index}`)!;
    const base = table * this.#names.length;
    const name = (word: number, is: boolean): number => is && word >= FIRST_SLOT ? this.#slot[base + word]! : word;
    for (let pc = from; pc < to; pc += STEP_WORDS) {
      const op = code[pc]!;
      if (op === OP_AT || op === OP_REPEAT) {
        this.#words.push(...code.subarray(pc, pc + 7), run);
        continue;
      }
      const which = code[pc + 6]!;
      this.#words.push(
        op,
        name(code[pc + 1]!, code[pc + 1]! >= 0),
        name(code[pc + 2]!, (which & 1) !== 0),
        name(code[pc + 3]!, (which & 2) !== 0),
        name(code[pc + 4]!, (which & 4) !== 0),
        code[pc + 5]!,
        which,
        run,
      );
    }
  }

  fail(which: number): void {
    this.#words.push(OP_FAIL, -1, which, 0, 0, 0, 0, 0);
  }

  get(table: number, name: number, held: number): void {
    const slot = this.#slot[table * this.#names.length + FIRST_SLOT + name]!;
    if (held >= 0) this.#held[held] = slot;
    this.#words.push(OP_GET, -1, slot, 0, 0, 0, 1, 0);
  }

  put(held: number): void {
    this.#words.push(OP_PUT, -1, this.#held[held]!, 0, 0, 0, 1, 0);
  }

  walk(table: number, name: number, op: number): void {
    const slot = FIRST_SLOT + this.#origin.length;
    // No name of the discipline: a walker's.
    this.#origin.push(-1);
    this.#words.push(op, slot, this.#slot[table * this.#names.length + FIRST_SLOT + name]!, 0, 0, 0, 1, 0);
  }

  at(point: number): void {
    this.#words.push(OP_AT, -1, point, 0, 0, 0, 0, 0);
  }

  rcu(): void {
    this.#words.push(OP_RCU, -1, 0, 0, 0, 0, 0, 0);
  }

  gone(table: number, name: number): void {
    this.#words.push(OP_GONE, -1, this.#slot[table * this.#names.length + FIRST_SLOT + name]!, 0, 0, 0, 1, 0);
  }

  /** What was written. */
  get code(): Int32Array {
    return Int32Array.from(this.#words);
  }

  /** Its names. */
  get slots(): Slot[] {
    return numberedNames(this.#names, this.#origin);
  }
}
