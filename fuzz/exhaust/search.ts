/**
 * Breadth first through every state of a world, by the number of lines that lead
 * there: what is found first is found by the shortest schedule.
 *
 * States are not stored. To go on from one, the moves that lead to it are made
 * again from the nearest state on the way that is still at hand; neighbours in
 * the queue share most of their way, so that this is little more than one move.
 *
 * @module
 */
import * as $finding from "../../core/ledger/finding.ts";
import type { Saved } from "../../core/program/machine_state.ts";
import * as $shard from "../shard.ts";
import { Canon } from "./canon.ts";
import { States } from "./states.ts";
import type { World } from "./world.ts";
import * as $world from "./world.ts";

const { F_CALL, F_INVARIANT, F_PAGES, F_SEVERITY, FINDING_WORDS } = $finding;
const { findingKey } = $shard;
const { MOVED, NO_MEMORY, SAME, STOPPED } = $world;

/** A schedule that shows something: to a state, and one move more (-1: the end of the program). */
export interface Candidate {
  readonly state: number;
  readonly move: number;
  /** Lines of the move. */
  readonly lines: number;
  /** No path is in the middle. */
  readonly whole: boolean;
}

/** What was found under one key. */
export interface Found {
  readonly severity: number;
  readonly candidates: Candidate[];
}

/** Schedules of about the same length that are kept for one finding: which is shortest shows when they are written. */
const KEPT = 12;
/** Lines by which a part may be longer than what shows in it. */
const SLACK = 6;

/** A search as it was written down. */
export interface SearchDump {
  readonly arrays: readonly ArrayBufferView[];
  readonly numbers: {
    readonly transitions: number;
    readonly noMemory: number;
    readonly cut: number;
    readonly depth: number;
    readonly done: boolean;
  };
  readonly found: readonly (readonly [key: number, found: Found])[];
}

/** A growing list of numbers. */
class Queue {
  list: Int32Array = new Int32Array(256);
  length = 0;
  next = 0;

  push(n: number): void {
    if (this.length === this.list.length) {
      const to = new Int32Array(this.length * 2 + 256);
      to.set(this.list);
      this.list = to;
    }
    this.list[this.length++] = n;
  }
}

/** A search through a world. */
export class Search {
  readonly states: States = new States();
  /** What was found, by key. */
  readonly found: Map<number, Found> = new Map();
  /** Moves made. */
  transitions = 0;
  /** Moves that the zone had no memory for. */
  noMemory = 0;
  /** Moves that lead beyond the bound. */
  cut = 0;
  /** Lines at which the search is. */
  depth = 0;
  /** Nothing is left to do. */
  done = false;

  readonly #world: World;
  readonly #steps: number;
  readonly #canon: Canon;
  readonly #queues: Queue[];
  readonly #expanded: { bits: Uint8Array };
  /** States on the way to the one at hand, by level, and their numbers. */
  readonly #way: Saved[] = [];
  readonly #wayState: Int32Array;
  readonly #moves: Int32Array = new Int32Array(512);

  /** @param steps lines of the longest schedule */
  constructor(world: World, steps: number) {
    this.#world = world;
    this.#steps = steps;
    this.#canon = new Canon(world);
    this.#queues = Array.from({ length: steps + 1 }, () => new Queue());
    this.#expanded = { bits: new Uint8Array(1 << 10) };
    this.#wayState = new Int32Array(steps + 2).fill(-1);
    this.#way.push(world.state.room());
    world.state.save(this.#way[0]!);
    this.#canon.hash();
    this.#queues[0]!.push(this.states.add(this.#canon.low, this.#canon.high, -1, 0, 0));
    this.#wayState[0] = 0;
  }

  /** Goes on for about so many transitions. */
  run(transitions: number): void {
    const until = this.transitions + transitions;
    for (; this.depth < this.#steps; this.depth++) {
      const queue = this.#queues[this.depth]!;
      while (queue.next < queue.length) {
        if (this.transitions >= until) return;
        const state = queue.list[queue.next++]!;
        // A shorter schedule led there meanwhile.
        if (this.states.depth[state] !== this.depth || this.#wasExpanded(state)) continue;
        this.#expand(state);
      }
      queue.list = new Int32Array(0);
    }
    this.done = true;
  }

  /** Whether every state was reached and gone on from: there is none beyond the bound. */
  get complete(): boolean {
    return this.done && this.cut === 0 && this.#queues[this.#steps]!.length === 0;
  }

  #wasExpanded(state: number): boolean {
    const at = state >> 3;
    if (at >= this.#expanded.bits.length) {
      const to = new Uint8Array(Math.max(at + 1, this.#expanded.bits.length * 2));
      to.set(this.#expanded.bits);
      this.#expanded.bits = to;
    }
    const bit = 1 << (state & 7);
    if ((this.#expanded.bits[at]! & bit) !== 0) return true;
    this.#expanded.bits[at] = this.#expanded.bits[at]! | bit;
    return false;
  }

  #expand(state: number): void {
    const world = this.#world;
    const { machine } = world;
    const { ledger } = machine;
    this.#goTo(state);
    const here = this.#way[this.states.level[state]!]!;
    const n = world.moves();
    this.#moves.set(world.list);
    for (let i = 0; i < n; i++) {
      const move = this.#moves[i]!;
      if (i > 0) world.state.restore(here);
      const result = world.move(move, null);
      if (result === SAME) continue;
      this.transitions++;
      if (ledger.nFindings > 0) this.#note(0, state, move, world.lines, false);
      if (result === MOVED) this.#arrive(state, move);
      else if (result === NO_MEMORY) this.noMemory++;
      else if (result === STOPPED) {
        const known = ledger.nFindings;
        machine.finish();
        if (ledger.nFindings > known) this.#note(known, state, move, world.lines, false);
      }
    }
  }

  #arrive(from: number, move: number): void {
    const world = this.#world;
    const { states } = this;
    const depth = states.depth[from]! + world.lines;
    if (depth > this.#steps) {
      this.cut++;
      return;
    }
    this.#canon.hash();
    const { low, high } = this.#canon;
    let state = states.find(low, high);
    if (state >= 0) {
      if (states.depth[state]! <= depth) return;
      states.shorten(state, from, move, depth);
      this.#queues[depth]!.push(state);
      return;
    }
    state = states.add(low, high, from, move, depth);
    this.#queues[depth]!.push(state);
    // What the end of the program brings to light.
    const { ledger } = world.machine;
    const whole = world.atRest();
    const known = ledger.nFindings;
    world.machine.finish();
    if (ledger.nFindings > known) this.#note(known, state, -1, 0, whole);
  }

  /** Writes down what the last move, or the end of the program, has shown. */
  #note(from: number, state: number, move: number, lines: number, whole: boolean): void {
    const l = this.#world.machine.ledger;
    for (let i = from; i < l.nFindings; i++) {
      const at = i * FINDING_WORDS;
      const key = findingKey(l.findings[at + F_INVARIANT]!, l.findings[at + F_CALL]!, l.findings[at + F_PAGES]!);
      let found = this.found.get(key);
      if (found === undefined) this.found.set(key, found = { severity: l.findings[at + F_SEVERITY]!, candidates: [] });
      this.#keep(found.candidates, { state, move, lines, whole: whole || move >= 0 });
    }
  }

  /** Lines of a candidate's schedule. */
  linesOf(c: Candidate): number {
    return this.states.depth[c.state]! + c.lines;
  }

  /** Keeps the shortest, those that end a program in the middle of a path apart. */
  #keep(list: Candidate[], c: Candidate): void {
    let worst = -1;
    let same = 0;
    let best = Infinity;
    for (let i = 0; i < list.length; i++) {
      if (list[i]!.whole !== c.whole) continue;
      same++;
      best = Math.min(best, this.linesOf(list[i]!));
      if (worst < 0 || this.linesOf(list[i]!) > this.linesOf(list[worst]!)) worst = i;
    }
    const lines = this.linesOf(c);
    if (lines > best + SLACK) return;
    if (same < KEPT) list.push(c);
    else if (lines < this.linesOf(list[worst]!)) list[worst] = c;
  }

  /** Makes the moves that lead to a state, from the nearest one at hand; the machine is in it then. */
  #goTo(state: number): void {
    const { states } = this;
    const world = this.#world;
    let at = state;
    let level = states.level[state]!;
    const target = level;
    while (this.#wayState[level] !== at) {
      at = states.parent[at]!;
      level--;
    }
    world.state.restore(this.#way[level]!);
    // From here down to the state: the numbers on the way, from its end.
    let below = state;
    for (let l = target; l > level; l--) {
      this.#wayState[l] = below;
      below = states.parent[below]!;
    }
    for (let l = level + 1; l <= target; l++) {
      world.move(states.move[this.#wayState[l]!]!, null);
      world.machine.ledger.nFindings = 0;
      if (this.#way.length === l) this.#way.push(world.state.room());
      world.state.save(this.#way[l]!);
    }
  }

  /** All that it takes to go on later. */
  dump(): SearchDump {
    const { states } = this;
    const n = states.count;
    return {
      arrays: [
        states.hashes(),
        states.parent.slice(0, n),
        states.move.slice(0, n),
        states.depth.slice(0, n),
        states.level.slice(0, n),
        this.#expanded.bits,
        ...this.#queues.map((q) => q.list.slice(q.next, q.length)),
      ],
      numbers: {
        transitions: this.transitions,
        noMemory: this.noMemory,
        cut: this.cut,
        depth: this.depth,
        done: this.done,
      },
      found: [...this.found],
    };
  }

  /** Goes on where another has stopped. */
  restore(parts: readonly Uint8Array[], numbers: SearchDump["numbers"], found: SearchDump["found"]): void {
    const words = (i: number): Int32Array => new Int32Array(parts[i]!.buffer, 0, parts[i]!.byteLength / 4);
    this.states.fill(
      words(0),
      words(1),
      words(2),
      parts[3]!,
      parts[4]!,
    );
    this.#expanded.bits = parts[5]!.slice();
    this.#queues.forEach((queue, i) => {
      queue.list = words(6 + i).slice();
      queue.length = queue.list.length;
      queue.next = 0;
    });
    this.transitions = numbers.transitions;
    this.noMemory = numbers.noMemory;
    this.cut = numbers.cut;
    this.depth = numbers.depth;
    this.done = numbers.done;
    for (const [key, f] of found) this.found.set(key, f);
  }

  /** The moves that lead to a state. */
  movesTo(state: number): number[] {
    const list: number[] = [];
    for (let at = state; this.states.parent[at]! >= 0; at = this.states.parent[at]!) list.push(this.states.move[at]!);
    return list.reverse();
  }
}
