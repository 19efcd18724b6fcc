/**
 * From what a recording showed to what a report says: tables by place in the
 * code, findings with programs, contradictions to the catalogue.
 *
 * @module
 */
import { invariantById } from "../core/ledger/invariants.ts";
import { claimsOf } from "../core/program/findings.ts";
import type { Program } from "../core/program/program.ts";
import { printGfp } from "../core/program/gfp_text.ts";
import { printProgram } from "../core/program/print.ts";
import type { Discipline } from "../corpus/discipline.ts";
import { grouped } from "../corpus/grouped.ts";
import type {
  Cell,
  RecordedBefore,
  RecordedRelease,
  RecordedTables,
  Recording,
  ReportedFinding,
} from "../corpus/result.ts";
import { expectationsOn } from "../fuzz/cells.ts";
import { onePerSignature, type Place, reported, signatureOf } from "../fuzz/report_finding.ts";
import { attribute, describedBy, freePath, type Known, knowsPath, type Setup } from "./attribute.ts";
import type { Loss, Verdict } from "./evidence.ts";
import type { Judge, Kind, Oddity } from "./judge.ts";
import type { Counts } from "./reader.ts";
import { playAlone, type Played, playTable, playTwice } from "./play_alone.ts";
import type { Replay } from "./replay.ts";
import type { Play, Stage } from "./table_writer.ts";
import { type Form, formOf, shapeOf } from "./shapes.ts";
import { UNKNOWN } from "./symbols.ts";

/** All that is known of a recording when it has been read. */
export interface Read {
  readonly file: string;
  readonly judge: Judge;
  readonly counts: Counts;
  readonly verdict: Verdict;
  /** Compressed data did not end early. */
  readonly whole: boolean;
  readonly known: Known;
  readonly setup: Setup;
  readonly stage: Stage;
  readonly replay: Replay;
}

/** What a recording adds to the result. */
export interface Reported {
  readonly recording: Recording;
  readonly findings: readonly ReportedFinding[];
  readonly cells: readonly Cell[];
}

/** Callers that are told apart in a row; the rest are counted together. */
const MAX_CALLERS = 8;
/** Stacks without a discipline that are listed. */
const MAX_STACKS = 8;

/** Kinds of one row: the same discipline, function, order and flags. */
interface Row {
  readonly discipline: Discipline | undefined;
  readonly fits: boolean;
  readonly kinds: Kind[];
}

const hex = (n: number): string => `0x${n.toString(16)}`;
const count = (n: number, what: string): string => `${grouped(n)} ${what}${n === 1 ? "" : "s"}`;
const times = (n: number): string => n === 1 ? "once" : `${grouped(n)} times`;

function nameOf(symbol: number, known: Known): string {
  return symbol === UNKNOWN ? "" : known.symbols.names[symbol]!;
}

function rowsOf({ known, setup }: Read): Row[] {
  const rows = new Map<string, Row>();
  for (const kind of known.kinds) {
    const c = attribute(kind, setup, known);
    const key = `${c?.discipline.name} ${kind.by} ${kind.site} ${kind.order} ${kind.flags}`;
    const row = rows.get(key);
    if (row !== undefined) row.kinds.push(kind);
    else rows.set(key, { discipline: c?.discipline, fits: c?.fits ?? false, kinds: [kind] });
  }
  return [...rows.values()];
}

function callersOf(row: Row, known: Known): { name: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const k of row.kinds) {
    const name = nameOf(k.callers[0], known);
    if (name !== "") counts.set(name, (counts.get(name) ?? 0) + k.allocations);
  }
  const sorted = [...counts].map(([name, count]) => ({ name, count }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  const rest = sorted.slice(MAX_CALLERS).reduce((sum, c) => sum + c.count, 0);
  return [...sorted.slice(0, MAX_CALLERS), ...(rest > 0 ? [{ name: "others", count: rest }] : [])];
}

/** Adds up what is equal but for the count. */
function summed<T extends { count: number }>(list: readonly T[]): T[] {
  const byKey = new Map<string, T>();
  for (const item of list) {
    const key = JSON.stringify({ ...item, count: 0 });
    const known = byKey.get(key);
    byKey.set(key, known === undefined ? item : { ...known, count: known.count + item.count });
  }
  return [...byKey.values()].sort((a, b) => b.count - a.count);
}

/** The function that a part's first piece was freed by. */
function pathOf(loss: Loss): number {
  return loss.part.pieces.find((p) => p.path !== UNKNOWN)?.path ?? UNKNOWN;
}

function releasesOf(row: Row, { judge, verdict, known }: Read): RecordedRelease[] {
  const ids = new Set(row.kinds.map((k) => k.id));
  const path = (symbol: number): string => {
    const d = row.discipline;
    const name = nameOf(symbol, known);
    if (d === undefined || (name !== "" && !knowsPath(d, name))) return "";
    return name === "" && d.free.length > 1 ? "" : d.free[freePath(d, symbol, known.symbols)]?.name ?? "";
  };
  const whole = [...judge.releases.values()].filter((r) => ids.has(r.kind)).map((r): RecordedRelease => ({
    by: nameOf(r.path, known),
    path: path(r.path),
    form: r.how === "chunked" ? "in chunks" : formOf([{ offset: 0, order: r.order }]),
    whole: true,
    count: r.count,
  }));
  const parts = verdict.losses.filter((l) => ids.has(l.part.kind)).map((l): RecordedRelease => ({
    by: nameOf(pathOf(l), known),
    path: path(pathOf(l)),
    form: formOf(l.part.pieces),
    whole: false,
    count: 1,
  }));
  const pieces = verdict.pieces.filter((l) => ids.has(l.part.kind)).map((l): RecordedRelease => ({
    by: nameOf(pathOf(l), known),
    path: path(pathOf(l)),
    form: formOf(l.part.pieces),
    whole: true,
    count: 1,
  }));
  return summed([...whole, ...parts, ...pieces]);
}

const shapeWords = (order: number, compound: boolean): string =>
  `order ${order}${order === 0 ? "" : compound ? ", compound" : ", not compound"}`;

/** Allocations of a row whose flags may be the beginning of a line's that was cut. */
const MAX_CUT = 2;

/** Whether the flags of a row are the beginning of those of another at the same place: the end of the line may be missing. */
function maybeCut(row: Row, rows: readonly Row[], known: Known): boolean {
  const [first] = row.kinds;
  const text = (kind: Kind) => known.flags[kind.flags]!.text;
  return row.kinds.reduce((sum, k) => sum + k.allocations, 0) <= MAX_CUT &&
    rows.some(({ kinds: [other] }) =>
      other!.site === first!.site && other!.order === first!.order && other !== first &&
      text(other!).startsWith(text(first!)) && other!.flags !== first!.flags
    );
}

function contradictionsOf(
  row: Row,
  rows: readonly Row[],
  releases: readonly RecordedRelease[],
  read: Read,
): string[] {
  const { known, setup, verdict } = read;
  const d = row.discipline;
  const [first] = row.kinds;
  if (d === undefined || first === undefined || verdict.doubtful) return [];
  const flags = known.flags[first.flags]!;
  const n = row.kinds.reduce((sum, k) => sum + k.allocations, 0);
  const shape = shapeOf(d, setup.kernel);
  const list: string[] = [];
  if (!row.fits && !flags.strange && !maybeCut(row, rows, known)) {
    const wanted = shape.allocs.map((a) => `${shapeWords(a.order, a.compound)} (${printGfp(a.gfp)})`).join(" or ");
    const said = `${d.name} allocates ${wanted} on ${setup.kernel}; ${nameOf(first.site, known)} did so ${times(n)} ` +
      `with ${shapeWords(first.order, flags.compound)} (${flags.text})`;
    const other = describedBy(first, setup, known);
    list.push(`${said}${other === undefined ? "" : `, as ${other.name} describes, which no kernel does`}.`);
  }
  const forms = new Set(shape.frees.flatMap((f) => [...f]));
  for (const { form, by, count } of releases) {
    if (form === "in chunks" || form === `0:${first.order}` || forms.has(form)) continue;
    const wanted = [...forms].map(formWords).join(" or ");
    list.push(
      `${d.name} frees ${wanted} on ${setup.kernel}; ${by || "the recording"} freed ${formWords(form)} ${
        times(count)
      }.`,
    );
  }
  return list;
}

function formWords(form: Form): string {
  return form.split(" ").map((piece) => {
    const [offset, order] = piece.split(":");
    return `order ${order}${offset === "0" ? "" : ` at page ${offset}`}`;
  }).join(" and ");
}

function tablesOf(read: Read, rows: readonly Row[]): RecordedTables[] {
  const { judge, known } = read;
  const live = judge.liveByKind();
  return rows.map((row): RecordedTables => {
    const [first] = row.kinds;
    const flags = known.flags[first!.flags]!;
    const releases = releasesOf(row, read);
    return {
      discipline: row.discipline?.name ?? "",
      known_by: first!.by,
      site: nameOf(first!.site, known),
      callers: callersOf(row, known),
      order: first!.order,
      compound: flags.compound && first!.order > 0,
      flags: flags.text,
      allocations: row.kinds.reduce((sum, k) => sum + k.allocations, 0),
      pairs: releases.filter((r) => r.whole).reduce((sum, r) => sum + r.count, 0),
      live: row.kinds.reduce((sum, k) => sum + (live.get(k.id) ?? 0), 0),
      lost: read.verdict.losses.filter((l) => row.kinds.some((k) => k.id === l.part.kind))
        .reduce((sum, l) => sum + l.lost.length, 0),
      releases,
      contradictions: contradictionsOf(row, rows, releases, read),
    };
  }).sort((a, b) => b.allocations - a.allocations);
}

function beforeOf({ judge, known }: Read): RecordedBefore[] {
  return summed(
    [...judge.releases.values()].filter((r) => r.how === "before")
      .map((r): RecordedBefore => ({ by: nameOf(r.path, known), order: r.order, count: r.count })),
  );
}

function unexplainedOf(read: Read): { stack: string; count: number }[] {
  const { known, setup } = read;
  return summed(
    known.kinds.filter((k) => attribute(k, setup, known) === undefined).map((k) => ({
      stack: `${shapeWords(k.order, known.flags[k.flags]!.compound)} by ` +
        k.stack.map((s) => nameOf(s, known) || "?").join(" < "),
      count: k.allocations,
    })),
  ).slice(0, MAX_STACKS);
}

/** Page numbers as ranges: `0xa451..0xa453`. */
function ranges(pages: readonly number[]): string {
  const sorted = [...pages].sort((a, b) => a - b);
  const list: string[] = [];
  for (let i = 0; i < sorted.length;) {
    let j = i;
    while (sorted[j + 1] === sorted[j]! + 1) j++;
    list.push(i === j ? hex(sorted[i]!) : `${hex(sorted[i]!)}..${hex(sorted[j]!)}`);
    i = j + 1;
  }
  return list.join(", ");
}

/** Ways in which tables were lost, each with its blocks. */
function lossesOf(read: Read): { play: Play; path: number; form: Form; losses: Loss[] }[] {
  const { judge, known, setup, verdict } = read;
  const groups = new Map<string, { play: Play; path: number; form: Form; losses: Loss[] }>();
  for (const loss of [...verdict.losses, ...verdict.pieces]) {
    const kind = judge.kinds[loss.part.kind]!;
    const c = attribute(kind, setup, known);
    const path = pathOf(loss);
    const form = formOf(loss.part.pieces);
    // What is the same for a reader: who calls the allocating function changes nothing.
    const key = `${c?.discipline.name} ${kind.site} ${kind.order} ${kind.flags} ${path} ${form}`;
    const group = groups.get(key);
    if (group !== undefined) group.losses.push(loss);
    else {
      const play = { kind, flags: known.flags[kind.flags]!, discipline: c?.discipline, fits: c?.fits ?? false };
      groups.set(key, { play, path, form, losses: [loss] });
    }
  }
  return [...groups.values()];
}

/** Whether a path of the discipline frees in that form. */
function frees(d: Discipline, setup: Setup, form: Form): boolean {
  return shapeOf(d, setup.kernel).frees.some((forms) => forms.has(form));
}

function placeOf(read: Read, play: Play): Place {
  const { kernel, arch, config } = read.stage;
  const name = play.discipline?.name ?? (nameOf(play.kind.site, read.known) || "recorded");
  return { kernel, arch, config, pages: 256, name };
}

/** Whether the discipline knows that this is broken. A hypothetical one excuses nothing: no kernel does that. */
function isExpected(play: Play, kernel: string, invariant: string): boolean {
  const d = play.discipline;
  return d !== undefined && play.fits && !d.hypothetical &&
    expectationsOn(d, kernel).some((e) => e.invariants.includes(invariant));
}

function withFacts(finding: ReportedFinding, facts: string): ReportedFinding {
  return { ...finding, explanation: `${finding.explanation}\n${facts}` };
}

/** What the programs of a loss show, with what was recorded. */
function lossFindings(read: Read): ReportedFinding[] {
  const list: ReportedFinding[] = [];
  for (const { play, path, form, losses } of lossesOf(read)) {
    const [first] = losses;
    // A discipline that splits its block frees it page by page.
    if (
      first!.lost.length === 0 && play.fits && play.discipline !== undefined && frees(play.discipline, read.setup, form)
    ) continue;
    const order = first!.part.pieces[0]!.order;
    const alone = playAlone(play, path, order, read.stage, false);
    const shows = alone.form === form && alone.findings.some((f) => f.invariant === "order-mismatch");
    const played = shows ? alone : playAlone(play, path, order, read.stage, true);
    const n = losses.length;
    const site = nameOf(play.kind.site, read.known) || "who is not recorded";
    const by = nameOf(path, read.known) || "who is not recorded";
    const pages = losses.flatMap(({ part, lost }) => lost.map((i) => part.pfn + i));
    const lost = ` ${count(pages.length, "page")} of these tables are lost: ${ranges(pages)}.`;
    const facts =
      `Recorded ${times(n)}: ${site} allocated order ${play.kind.order} (${play.flags.text}), ${by} freed ` +
      `${formWords(form)}; first at ${hex(first!.part.pfn)}, lines ${first!.part.line} and ` +
      `${first!.part.pieces[0]!.line}.`;
    list.push(
      ...findingsOfPlay(read, played, facts).filter((f) => pages.length > 0 || f.invariant !== "page-leak").map((f) =>
        f.invariant === "order-mismatch" || f.invariant === "page-leak"
          ? { ...f, explanation: f.explanation + (pages.length === 0 ? " No page is lost." : lost) }
          : f
      ),
    );
  }
  return list;
}

function findingsOfPlay(read: Read, { play, findings, program, steps }: Played, facts: string): ReportedFinding[] {
  const claimed: Program = { ...program, claims: claimsOf(findings) };
  return findings.map((f) =>
    withFacts(
      reported(placeOf(read, play), claimed, steps, f, isExpected(play, read.stage.kernel, f.invariant)),
      facts,
    )
  );
}

/** Oddities of one sort, at one place. */
function odditiesOf(read: Read): { what: Oddity["what"]; play: Play; list: Oddity[] }[] {
  const { judge, known, setup, verdict } = read;
  const groups = new Map<string, { what: Oddity["what"]; play: Play; list: Oddity[] }>();
  for (const o of verdict.oddities) {
    const kind = judge.kinds[o.kind]!;
    const c = attribute(kind, setup, known);
    const key = `${o.what} ${c?.discipline.name} ${kind.site} ${kind.order} ${o.order}`;
    const group = groups.get(key);
    if (group !== undefined) group.list.push(o);
    else {
      const play = { kind, flags: known.flags[kind.flags]!, discipline: c?.discipline, fits: c?.fits ?? false };
      groups.set(key, { what: o.what, play, list: [o] });
    }
  }
  return [...groups.values()];
}

/** How an oddity is told: words, the invariant it breaks where no program can show it, and how bad that is. */
const ODDITIES: Readonly<
  Record<Oddity["what"], { words: string; invariant: string; severity: ReportedFinding["severity"] }>
> = {
  "double-free": { words: "is freed again while it is free", invariant: "double-free", severity: "corruption" },
  "granted-twice": {
    words: "is allocated again while it lives",
    invariant: "use-after-free",
    severity: "corruption",
  },
  misaligned: { words: "is not aligned to its order", invariant: "buddy-structure", severity: "corruption" },
  "too-many": { words: "is freed with more pages than it has", invariant: "order-mismatch", severity: "corruption" },
};

function oddityFindings(read: Read): ReportedFinding[] {
  return odditiesOf(read).flatMap(({ what, play, list }) => {
    const { words, invariant, severity } = ODDITIES[what];
    const [first] = list;
    const site = nameOf(play.kind.site, read.known) || "recorded order and flags";
    const where = list.map((o) => `${hex(o.pfn)} (lines ${o.from} and ${o.to})`);
    const facts = `Recorded ${times(list.length)}: a table of ${site} ${words}: ${where.join(", ")}.`;
    if (what === "double-free") return findingsOfPlay(read, playTwice(play, read.stage), facts);
    if (what === "too-many") {
      return findingsOfPlay(read, playAlone(play, UNKNOWN, first!.order, read.stage, true), facts);
    }
    // No allocator of the model hands such a block out: the program is what was asked for.
    const { program, steps } = playTable(play, read.stage);
    const place = placeOf(read, play);
    const call = "mm_page_alloc";
    return [{
      invariant,
      severity,
      signature: signatureOf(place, invariant, call, 0),
      expected: false,
      kernel: place.kernel,
      arch: place.arch,
      config: place.config,
      discipline: place.name,
      steps,
      call,
      at: 1,
      pages: 0,
      program: printProgram({ ...program, comments: [`Recorded, and not to be had of the model: ${facts}`] }),
      explanation: facts,
      source: invariantById(invariant)!.source,
      seenBy: [],
    }];
  });
}

/** Findings of what was recorded without anything odd: latent ones, that the discipline expects or does not. */
function latentFindings(read: Read, rows: readonly Row[]): ReportedFinding[] {
  const { stage, judge } = read;
  return rows.flatMap((row) => {
    const [kind] = row.kinds;
    if (row.discipline === undefined || !row.fits) return [];
    const ids = new Set(row.kinds.map((k) => k.id));
    const wholes = [...judge.releases.values()].filter((r) => ids.has(r.kind) && r.how === "whole");
    const play = { kind: kind!, flags: read.known.flags[kind!.flags]!, discipline: row.discipline, fits: row.fits };
    const paths = new Map(wholes.map((r) => [freePath(row.discipline!, r.path, read.known.symbols), r.path]));
    return [...paths.values()].flatMap((path) => {
      const played = playAlone(play, path, kind!.order, stage, false);
      if (played.findings.some((f) => f.severity !== "latent")) return [];
      const n = wholes.reduce((sum, r) => sum + r.count, 0);
      return findingsOfPlay(read, played, `Recorded ${times(n)}.`);
    });
  });
}

function differingOf({ replay, known }: Read): string[] {
  const all = [...replay.differing.values()].map(({ play, path, recorded, count }) => ({
    by: nameOf(path, known),
    site: nameOf(play.kind.site, known),
    recorded,
    count,
  }));
  return summed(all).map(({ by, site, recorded, count }) =>
    `${by || "a release"} freed ${formWords(recorded)} of a table of ${site || "recorded order and flags"} ` +
    `${times(count)}, and the model did not`
  );
}

function cellsOf(
  read: Read,
  tables: readonly RecordedTables[],
  findings: readonly ReportedFinding[],
): Cell[] {
  const { stage, replay, known } = read;
  return [...Map.groupBy(tables.filter((t) => t.discipline !== ""), (t) => t.discipline)].map(([name, own]) => {
    const d = known.disciplines.find((d) => d.name === name)!;
    const mine = findings.filter((f) => f.discipline === name);
    const complaints = own.flatMap((t) => t.contradictions);
    const { programs, steps } = replay.byDiscipline.get(name) ?? { programs: 0, steps: 0 };
    return {
      kernel: stage.kernel,
      arch: stage.arch,
      config: stage.config,
      discipline: name,
      hypothetical: d.hypothetical,
      canary: false,
      programs,
      features: 0,
      steps,
      findings: mine.map((f) => f.signature),
      as_expected: complaints.length === 0 && mine.every((f) => f.expected),
      complaints,
      digest: replay.digest.digits(),
    };
  });
}

/** What a recording that has been read says. */
export function recordingOf(read: Read): Reported {
  const { file, judge, counts, verdict, setup, replay } = read;
  const rows = rowsOf(read);
  const tables = tablesOf(read, rows);
  const findings = onePerSignature([...lossFindings(read), ...oddityFindings(read), ...latentFindings(read, rows)]);
  const uncertain = [...verdict.uncertain];
  if (!read.whole) uncertain.push({ what: "the compressed data end early or are damaged", count: 1 });
  const cut = rows.filter((row) => !row.fits && maybeCut(row, rows, read.known));
  if (cut.length > 0) {
    uncertain.push({
      what: "the flags of an allocation are the beginning of others': a line may be cut",
      count: cut.length,
    });
  }
  const live = tables.filter((t) => t.order > 0).reduce((sum, t) => sum + t.live, 0);
  const freed = tables.filter((t) => t.order > 0).reduce((sum, t) => sum + t.pairs, 0);
  if (judge.orderZero === 0 && live > freed) {
    uncertain.push({
      what: "tables were never freed, and no free of order 0 is recorded: do not filter by order (docs/recording.md)",
      count: live,
    });
  }
  return {
    recording: {
      file,
      kernel: setup.kernel,
      arch: setup.arch ?? (read.stage.arch === "generic" ? "" : read.stage.arch),
      known: setup.how,
      lines: counts.lines,
      entries: counts.entries,
      events: counts.events,
      complete: verdict.complete,
      tables,
      before: beforeOf(read),
      unexplained: unexplainedOf(read),
      uncertain,
      replayed: {
        tables: replay.tables,
        skipped: replay.skipped,
        programs: replay.programs,
        steps: replay.steps,
        agreed: replay.agreed,
        differing: differingOf(read),
      },
    },
    findings,
    cells: cellsOf(read, tables, findings),
  };
}
