/**
 * Programs of one recorded table alone: what a finding shows.
 *
 * @module
 */
import { type Finding, findingsOf } from "../core/program/findings.ts";
import { DEFAULT_PAGES, type Program } from "../core/program/program.ts";
import { type Form, formOf, record, type Traced, tracedMachine } from "./shapes.ts";
import { planOf, type Play, type Stage, Table, TableWriter } from "./table_writer.ts";

/** One way in which a kind of table went, as the model ran it. */
export interface Played {
  readonly play: Play;
  readonly path: number;
  readonly form: Form;
  /** Findings of a program of this table alone, and that program. */
  readonly findings: readonly Finding[];
  readonly program: Program;
  readonly steps: number;
}

function runAlone(
  writer: TableWriter,
  stage: Stage,
): { program: Program; findings: Finding[]; steps: number; traced: Traced } {
  const program = writer.program(stage, DEFAULT_PAGES);
  const traced = tracedMachine({ ...stage, pages: DEFAULT_PAGES });
  record(traced, program);
  return { program, findings: findingsOf(traced.machine, program.slots), steps: traced.machine.steps, traced };
}

/** Allocates one table where the allocator puts it. */
function begin(play: Play, stage: Stage, literal: boolean): { table: Table; writer: TableWriter } {
  const plan = planOf(literal ? { ...play, discipline: undefined } : play, stage);
  const table = new Table(plan);
  const writer = new TableWriter();
  writer.alloc(table, false);
  return { table, writer };
}

/**
 * A program of one table alone: what the way in which it went shows.
 *
 * @param order what was freed
 * @param literal made and freed as recorded, not by the discipline's paths
 */
export function playAlone(play: Play, path: number, order: number, stage: Stage, literal: boolean): Played {
  const { table, writer } = begin(play, stage, literal);
  writer.free(table, table.plan.path(path), order);
  const { program, findings, steps, traced } = runAlone(writer, stage);
  const [page = 0] = traced.allocs.map((a) => a.page);
  const own = traced.frees.filter((f) => f.page >= page && f.page < page + (1 << play.kind.order));
  return {
    play,
    path,
    form: formOf(own.map((f) => ({ offset: f.page - page, order: f.order }))),
    findings,
    program,
    steps,
  };
}

/** A program that frees a table twice. */
export function playTwice(play: Play, stage: Stage): Played {
  const { table, writer } = begin(play, stage, true);
  for (let i = 0; i < 2; i++) writer.free(table, 0, play.kind.order);
  const { program, findings, steps } = runAlone(writer, stage);
  return { play, path: -1, form: "", findings, program, steps };
}

/** A program that only allocates the table. */
export function playTable(play: Play, stage: Stage): Played {
  const { writer } = begin(play, stage, true);
  const { program, findings, steps } = runAlone(writer, stage);
  return { play, path: -1, form: "", findings, program, steps };
}
