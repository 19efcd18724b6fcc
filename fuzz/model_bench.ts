/**
 * The same search written for fast-check's model runner, as its documentation
 * shows it: a command class for each kind of call, which says when it applies
 * (`check`) and makes the call (`run`); the model is plain objects. The calls go
 * through the same kernel and the same ledger as ptfuzz's own.
 *
 * @module
 */
import fc from "fast-check";
import type { CompiledDiscipline, CompiledPath } from "../corpus/discipline.ts";
import { OP_REPEAT, opOf } from "../core/program/calls.ts";
import { kindIndex } from "../core/program/kinds.ts";
import type { Machine } from "../core/program/machine.ts";
import { FIRST_SLOT, STEP_WORDS } from "../core/program/program.ts";

const OP_GET = opOf("env get_page_unless_zero");
const OP_PUT = opOf("env put_page");
const OP_FAIL = opOf("env fail");
const OP_RCU = opOf("env rcu_grace_period");
const OP_GONE = opOf("env owner_gone");
const MAX_WORDS = 4096 * STEP_WORDS;
/** Most of the commands drawn do not apply when their turn comes; so many make programs as long as ptfuzz's. */
const MAX_COMMANDS = 800;

/** A table: the path it is on, and what its names stand for. */
interface Table {
  path: CompiledPath | undefined;
  word: number;
  freed: boolean;
  readonly names: Map<number, number>;
}

/** fast-check's model. */
interface Model {
  readonly tables: Table[];
  readonly held: number[];
  readonly limit: number;
  slots: number;
}

/** What commands run on: the machine, and the program as it grows. */
interface Real {
  readonly machine: Machine;
  readonly discipline: CompiledDiscipline;
  readonly code: Int32Array;
  words: number;
}

function execute(real: Real, from: number): void {
  real.machine.execute(from, real.words);
  if (real.machine.ledger.stop) throw new Error("a finding");
}

/** Makes the next call of a table's path. */
function nextCall(table: Table, model: Model, real: Real): void {
  const { code } = table.path!;
  const from = real.words;
  const end = table.word + STEP_WORDS * (code[table.word] === OP_REPEAT ? 1 + code[table.word + 3]! : 1);
  for (; table.word < end; table.word += STEP_WORDS) {
    const line = code.subarray(table.word, table.word + STEP_WORDS);
    const at = real.words;
    real.words += STEP_WORDS;
    real.code.set(line, at);
    if (line[1]! >= FIRST_SLOT) {
      const slot = model.slots++;
      table.names.set(line[1]!, slot);
      real.machine.ledger.kinds[slot] = kindIndex(real.discipline.slots[line[1]!]!.kind);
      real.code[at + 1] = slot;
    }
    for (let i = 0; i < 3; i++) {
      if (((line[6]! >> i) & 1) === 1 && line[2 + i]! >= FIRST_SLOT) {
        real.code[at + 2 + i] = table.names.get(line[2 + i]!) ?? -1;
      }
    }
  }
  if (table.word === code.length) table.path = undefined;
  execute(real, from);
}

function environment(real: Real, op: number, a: number, which: number): void {
  const from = real.words;
  real.words += STEP_WORDS;
  real.code.fill(0, from, real.words);
  real.code[from] = op;
  real.code[from + 1] = -1;
  real.code[from + 2] = a;
  real.code[from + 6] = which;
  execute(real, from);
}

type Command = fc.Command<Model, Real>;

/** Starts a table with the first call of its alloc path. */
class NewTable implements Command {
  check(m: Readonly<Model>): boolean {
    return m.tables.length < m.limit;
  }
  run(m: Model, r: Real): void {
    const table: Table = { path: r.discipline.alloc, word: 0, freed: false, names: new Map() };
    m.tables.push(table);
    nextCall(table, m, r);
  }
  toString(): string {
    return "new table";
  }
}

/** Makes one kind of call: the next of some table that is about to make it. */
class Call implements Command {
  constructor(readonly op: number, readonly which: number) {}
  #about(m: Readonly<Model>): Table[] {
    return m.tables.filter((t) => t.path !== undefined && t.path.code[t.word] === this.op);
  }
  check(m: Readonly<Model>): boolean {
    return this.#about(m).length > 0;
  }
  run(m: Model, r: Real): void {
    const about = this.#about(m);
    nextCall(about[this.which % about.length]!, m, r);
  }
  toString(): string {
    return `call ${this.op}`;
  }
}

/** Starts a use or free path of a table that is ready. */
class Start implements Command {
  constructor(readonly path: CompiledPath, readonly frees: boolean, readonly which: number) {}
  #ready(m: Readonly<Model>): Table[] {
    return m.tables.filter((t) => t.path === undefined && !t.freed);
  }
  check(m: Readonly<Model>): boolean {
    return this.#ready(m).length > 0;
  }
  run(m: Model, r: Real): void {
    const ready = this.#ready(m);
    const table = ready[this.which % ready.length]!;
    table.path = this.path;
    table.word = 0;
    table.freed = this.frees;
    nextCall(table, m, r);
  }
  toString(): string {
    return `start ${this.path.name}`;
  }
}

/** The owner of a freed table forgets it. */
class Gone implements Command {
  check(m: Readonly<Model>): boolean {
    return m.tables.some((t) => t.freed && t.path === undefined);
  }
  run(m: Model, r: Real): void {
    const i = m.tables.findIndex((t) => t.freed && t.path === undefined);
    const [table] = m.tables.splice(i, 1);
    const first = [...table!.names.values()][0];
    if (first !== undefined) environment(r, OP_GONE, first, 1);
  }
  toString(): string {
    return "owner gone";
  }
}

/** A speculative reference. */
class Get implements Command {
  constructor(readonly which: number) {}
  check(m: Readonly<Model>): boolean {
    return m.tables.length > 0 && m.held.length < 16;
  }
  run(m: Model, r: Real): void {
    const table = m.tables[this.which % m.tables.length]!;
    for (const [name, slot] of table.names) {
      if (kindIndex(r.discipline.slots[name]!.kind) > kindIndex("virt")) continue;
      m.held.push(slot);
      environment(r, OP_GET, slot, 1);
      return;
    }
  }
  toString(): string {
    return "get";
  }
}

/** ... and its put. */
class Put implements Command {
  check(m: Readonly<Model>): boolean {
    return m.held.length > 0;
  }
  run(m: Model, r: Real): void {
    environment(r, OP_PUT, m.held.pop()!, 1);
  }
  toString(): string {
    return "put";
  }
}

/** A grace period, or a batch that cannot be had. */
class Environment implements Command {
  constructor(readonly op: number, readonly a: number) {}
  check(): boolean {
    return true;
  }
  run(_m: Model, r: Real): void {
    environment(r, this.op, this.a, 0);
  }
  toString(): string {
    return `environment ${this.op}`;
  }
}

/**
 * Commands of a discipline: one class a kind of call, drawn with its operands.
 * fast-check draws them evenly, so each stands there as often as brings the mix
 * of calls near ptfuzz's.
 */
function commandsOf(d: CompiledDiscipline, speculates: boolean): fc.Arbitrary<Command>[] {
  const which = fc.nat(0xffff);
  const paths = [d.alloc, ...d.use, ...d.free];
  const ops = new Set(paths.flatMap((p) => [...p.code].filter((_, i) => i % STEP_WORDS === 0)));
  const often = (times: number, commands: readonly fc.Arbitrary<Command>[]) =>
    Array.from({ length: times }, () => commands);
  return [
    ...often(2, [fc.constant(new NewTable())]),
    ...often(4, [...ops].map((op) => which.map((w) => new Call(op, w)))),
    d.use.map((p) => which.map((w) => new Start(p, false, w))),
    ...often(2, d.free.map((p) => which.map((w) => new Start(p, true, w)))),
    ...often(4, [fc.constant(new Gone())]),
    speculates ? [which.map((w) => new Get(w)), fc.constant(new Put())] : [],
    [
      fc.constant(new Environment(OP_RCU, 0)),
      fc.nat(1).map((i) => new Environment(OP_FAIL, 1 + i)),
    ],
  ].flat();
}

/**
 * Runs so many programs of fast-check's model runner; answers the steps executed.
 *
 * @param limit tables at once
 * @param speculates whether the environment takes references
 */
export function runModelled(
  machine: Machine,
  discipline: CompiledDiscipline,
  limit: number,
  speculates: boolean,
  programs: number,
  seed: number,
): number {
  let steps = 0;
  const code = new Int32Array(MAX_WORDS);
  for (let i = 0; i < FIRST_SLOT; i++) machine.ledger.kinds[i] = kindIndex("mm");
  fc.assert(
    fc.property(
      fc.commands(commandsOf(discipline, speculates), { size: "max", maxCommands: MAX_COMMANDS }),
      (commands) => {
        fc.modelRun(() => {
          machine.begin(code, 0, 2048);
          return {
            model: { tables: [], held: [], limit, slots: FIRST_SLOT },
            real: { machine, discipline, code, words: 0 },
          };
        }, commands);
        machine.finish();
        steps += machine.steps;
      },
    ),
    { numRuns: programs, seed },
  );
  return steps;
}
