/**
 * The work behind `deno task trace`: recordings in, one result out.
 *
 * A recording streams through the reader into the judge; the tables go on to
 * the replay as soon as it is known which kernel they are from, which needs a
 * beginning of the recording, or all of a short one. What is odd is weighed at
 * the end.
 *
 * @module
 */
import { InputError } from "../core/program/input_error.ts";
import { INVARIANTS } from "../core/ledger/invariants.ts";
import type { Discipline } from "../corpus/discipline.ts";
import type { TraceOptions, WorkHooks } from "../corpus/request.ts";
import type { Cell, Recording, Result } from "../corpus/result.ts";
import { TOOL } from "../corpus/tool.ts";
import { type LoadedDiscipline, selectDisciplines } from "../fuzz/cells.ts";
import { Digest } from "../fuzz/digest.ts";
import { withOrigin } from "../fuzz/origin.ts";
import {
  attribute,
  byShape,
  findSetup,
  type Known,
  modelledKernel,
  RELEASES,
  type Said,
  type Setup,
} from "./attribute.ts";
import { readHeader, weigh } from "./evidence.ts";
import { markFunctions } from "./functions.ts";
import { readRecording, type Watch } from "./input.ts";
import { Judge, type Kind, type Tables } from "./judge.ts";
import { Reader } from "./reader.ts";
import { Replay } from "./replay.ts";
import { recordingOf, type Reported } from "./report.ts";
import { Symbols } from "./symbols.ts";
import type { Play, Stage } from "./table_writer.ts";

/** Events of tables that are kept until the kernel is decided on. */
const BEGINNING = 1 << 14;

/** What a recording came to. */
export interface Traced {
  readonly recording: Recording;
  readonly reported: Reported;
  readonly replay: Replay;
  readonly bytes: number;
}

/** Reads a file. */
export function traceFile(
  file: string,
  options: Said,
  disciplines: readonly Discipline[],
  watch?: Watch,
): Promise<Traced> {
  return traceRecording(file, (push) => readRecording(file, push, watch), options, disciplines);
}

/**
 * Reads one recording.
 *
 * @param file its name, for messages
 * @param read hands out its bytes; answers whether that was all of it
 * @param options what the user says of it
 * @param disciplines the catalogue
 */
export async function traceRecording(
  file: string,
  read: (push: (bytes: Uint8Array) => void) => Promise<boolean>,
  options: Said,
  disciplines: readonly Discipline[],
): Promise<Traced> {
  const symbols = new Symbols();
  markFunctions(symbols, disciplines);
  // What happened to tables before it was known what to make of it.
  const kept: (() => void)[] = [];
  let replay: Replay | undefined;
  let setup: Setup | undefined;
  const shapes = new Map<number, boolean>();
  const keep = (event: () => void): void => {
    kept.push(event);
    if (kept.length >= BEGINNING) decide();
  };
  const tables: Tables = {
    allocated(kind, pfn) {
      if (replay === undefined) keep(() => replay!.alloc(playOf(kind), pfn));
      else replay.alloc(playOf(kind), pfn);
    },
    released(_kind, pfn, offset, order, path) {
      if (replay === undefined) keep(() => replay!.free(pfn, offset, order, path));
      else replay.free(pfn, offset, order, path);
    },
    lostSight(pfn) {
      if (replay === undefined) keep(() => replay!.forget(pfn));
      else replay.forget(pfn);
    },
  };
  const judge: Judge = new Judge(symbols, looksLikeTable, tables);
  const reader = new Reader(judge, symbols);
  const known: Known = { kinds: judge.kinds, flags: reader.flags, symbols, disciplines };

  /** Without stacks: any kernel that has the shape will do until there is more to go by. */
  function looksLikeTable(order: number, flags: number): boolean {
    const key = order << 16 | flags;
    let yes = shapes.get(key);
    if (yes === undefined) {
      const header = readHeader(judge.comments);
      const arch = options.arch ?? header.arch;
      const kernel = options.kernel ?? modelledKernel(header.kernel ?? "", arch, disciplines);
      const kernels = kernel !== undefined ? [kernel] : RELEASES;
      yes = order > 0 &&
        kernels.some((k) => byShape(order, reader.flags[flags]!, { kernel: k, arch, how: "" }, disciplines));
      shapes.set(key, yes);
    }
    return yes;
  }

  function decide(): { setup: Setup; replay: Replay } {
    setup ??= findSetup(options, readHeader(judge.comments), judge.tells, known);
    if (replay === undefined) {
      replay = new Replay(stageOf(setup, known), Math.max(...known.kinds.map((k) => k.order)));
      for (const event of kept) event();
      kept.length = 0;
    }
    return { setup, replay };
  }

  const plays: Play[] = [];
  function playOf(kind: Kind): Play {
    let play = plays[kind.id];
    if (play === undefined) {
      const c = attribute(kind, setup!, known);
      play = { kind, flags: reader.flags[kind.flags]!, discipline: c?.discipline, fits: c?.fits ?? false };
      plays[kind.id] = play;
    }
    return play;
  }

  const whole = await read((bytes) => reader.push(bytes));
  reader.end();
  judge.end();
  const { counts } = reader;
  if (counts.entries === 0) {
    throw new InputError(
      "no line of this is an entry of ftrace; expected the text of tracefs' trace or trace_pipe, plain or gzip, with " +
        "kmem:mm_page_alloc and kmem:mm_page_free",
      { file },
    );
  }
  if (counts.events === 0) {
    throw new InputError(
      `none of ${counts.entries} entries is mm_page_alloc or mm_page_free; record these events (docs/recording.md)`,
      { file },
    );
  }
  const decided = decide();
  decided.replay.flush();
  const header = readHeader(judge.comments);
  const verdict = weigh(judge, counts, header);
  const reported = recordingOf({
    file,
    judge,
    counts,
    verdict,
    whole,
    known,
    setup: decided.setup,
    stage: stageOf(decided.setup, known),
    replay: decided.replay,
  });
  return { recording: reported.recording, reported, replay: decided.replay, bytes: counts.bytes };
}

/** Kernel, architecture and configuration of the model that replays. */
function stageOf(setup: Setup, known: Known): Stage {
  const laid = known.kinds.flatMap((kind) => attribute(kind, setup, known)?.discipline ?? []);
  const archs = new Set(laid.map((d) => d.arch).filter((a) => a !== "generic"));
  const arch = setup.arch ?? (archs.size === 1 ? [...archs][0]! : "generic");
  const config = [...new Set(laid.flatMap((d) => d.config))].sort();
  return { kernel: setup.kernel, arch, config, symbols: known.symbols };
}

/** Reads recordings, one after the other. */
export async function runTrace(
  options: TraceOptions,
  hooks?: Pick<WorkHooks, "progress" | "signal">,
): Promise<Result> {
  const loaded = selectDisciplines(options.disciplines);
  const disciplines = loaded.map((l) => l.discipline);
  const all: Traced[] = [];
  for (const file of options.files) {
    if (hooks?.signal.aborted) break;
    const where = options.files.length === 1 ? "MB" : `MB of recording ${all.length + 1} of ${options.files.length}`;
    const watch: Watch | undefined = hooks && {
      signal: hooks.signal,
      progress: (read, of) => hooks.progress(Math.round(read / 1e6), Math.ceil(of / 1e6), where),
    };
    all.push(await traceFile(file, options, disciplines, watch));
  }
  return resultOf(all, loaded, hooks?.signal.aborted);
}

/** What two recordings show of one discipline on one kernel. */
function joined(a: Cell, b: Cell): Cell {
  const digest = new Digest();
  digest.text(a.digest);
  digest.text(b.digest);
  return {
    ...b,
    config: [...new Set([...a.config, ...b.config])].sort(),
    programs: a.programs + b.programs,
    steps: a.steps + b.steps,
    findings: [...new Set([...a.findings, ...b.findings])],
    as_expected: a.as_expected && b.as_expected,
    complaints: [...new Set([...a.complaints, ...b.complaints])],
    digest: digest.digits(),
  };
}

/** The one result of all recordings. */
export function resultOf(
  all: readonly Traced[],
  loaded: readonly LoadedDiscipline[],
  interrupted: boolean = false,
): Result {
  const findings = new Map(all.flatMap((t) => t.reported.findings).map((f) => [f.signature, f]));
  const cells = new Map<string, Cell>();
  for (const cell of all.flatMap((t) => t.reported.cells)) {
    const key = `${cell.kernel} ${cell.arch} ${cell.discipline}`;
    const known = cells.get(key);
    cells.set(key, known === undefined ? cell : joined(known, cell));
  }
  const list = [...findings.values()].map((f) => {
    const own = loaded.find((l) => l.discipline.name === f.discipline);
    return withOrigin(f, own && { kernel: f.kernel, config: f.config, loaded: own });
  });
  return {
    schema: 1,
    tool: TOOL,
    task: "trace",
    mode: "discipline",
    seed: 0,
    interrupted,
    faults: [],
    pool: null,
    never: [],
    steps: all.reduce((sum, t) => sum + t.replay.steps, 0),
    cells: [...cells.values()],
    findings: list,
    invariants: INVARIANTS.map(({ id }, i) => ({
      id,
      checks: all.reduce((sum, t) => sum + t.replay.counts.checks[i]!, 0),
      violations: all.reduce((sum, t) => sum + t.replay.counts.violations[i]!, 0),
    })),
    calls: [],
    memdesc: [],
    replayed: [],
    recordings: all.map((t) => t.recording),
    unexpected: list.filter((f) => !f.expected && f.severity !== "theoretical").length,
  };
}
