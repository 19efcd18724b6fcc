/**
 * What in a recording is certain.
 *
 * Some oddities are one missing event away from being none: a table that is
 * allocated while it lives may have been freed unseen, and a second free may
 * have had an allocation before it. They are findings only where the recording
 * shows that it is whole: its header counts no more entries than there are, and
 * no event was lost. A free of another order than the allocation's needs two
 * missing events to be none, so it is a finding, except across a place where
 * events are known to be missing, and in a recording that lacks entries and
 * shows more of the simpler signs of it.
 *
 * @module
 */
import { grouped as n } from "../corpus/grouped.ts";
import { isChunked, type Judge, type Oddity, type Part } from "./judge.ts";
import type { Counts } from "./reader.ts";
import type { Said } from "./attribute.ts";

/** Damaged lines from which on nothing is certain: more than one line in so many, and more than so many. */
const DAMAGE_SHARE = 1000;
const DAMAGE_MIN = 8;

/** Entries may be missing up to one for so many lines, and what is seen may contradict a discipline. */
const MISSING_SHARE = 100;

/** `uname -m`, with what the catalogue calls the architecture. */
const MACHINES: readonly (readonly [RegExp, string])[] = [
  [/^(s390x?)$/, "s390"],
  [/^(x86_64|i[3-6]86|amd64)$/, "x86"],
  [/^(aarch64|arm64)/, "arm64"],
  [/^arm/, "arm"],
  [/^mips/, "mips"],
  [/^riscv/, "riscv"],
  [/^ppc|^powerpc/, "powerpc"],
  [/^loongarch/, "loongarch"],
  [/^parisc/, "parisc"],
  [/^sparc64/, "sparc64"],
];

/** What a recording says of itself: ftrace's header, and what `scripts/record.sh` adds. */
export interface Header extends Said {
  /** Entries that should be there; undefined where nothing says it. */
  readonly entries: number | undefined;
  /** Entries that the buffer had no room for. */
  readonly overrun: number;
  /** CPUs that the machine had online (`#P:2`), or 0. */
  readonly cpus: number;
}

/** Reads the comments of a recording. */
export function readHeader(comments: readonly string[]): Header {
  let entries: number | undefined;
  let overrun = 0;
  let cpus = 0;
  const values = new Map<string, string>();
  for (const line of comments) {
    cpus = Math.max(cpus, Number(/#P:(\d+)/.exec(line)?.[1] ?? 0));
    const [, inBuffer, written] = /entries-in-buffer\/entries-written: (\d+)\/(\d+)/.exec(line) ?? [];
    if (inBuffer !== undefined) {
      entries = (entries ?? 0) + Number(inBuffer);
      overrun += Math.max(0, Number(written) - Number(inBuffer));
      continue;
    }
    const [, key, value] = /^# ?([\w-]+): (.*)$/.exec(line) ?? [];
    if (key !== undefined && !values.has(key)) values.set(key, value!.trim());
  }
  const read = Number(values.get("entries"));
  if (entries === undefined && Number.isSafeInteger(read) && read > 0) entries = read;
  overrun += Number(values.get("overrun")) || 0;
  const machine = values.get("machine") ?? "";
  return {
    kernel: values.get("kernel"),
    arch: MACHINES.find(([pattern]) => pattern.test(machine))?.[1],
    entries,
    overrun,
    cpus,
  };
}

/** A part of a block that went, and what is lost of it. */
export interface Loss {
  readonly part: Part;
  /** Pages that nobody gave up, as offsets. */
  readonly lost: readonly number[];
}

/** What is left once the recording's gaps are counted. */
export interface Verdict {
  readonly complete: string;
  /** Order mismatches that lose pages. */
  readonly losses: readonly Loss[];
  /** Blocks that went in pieces that are no chunks of one release. */
  readonly pieces: readonly Loss[];
  readonly oddities: readonly Oddity[];
  /** Tables of which page 0 is still held. */
  readonly held: number;
  /** Nothing here is certain: too much of it cannot be read, is out of order, or of another CPU. */
  readonly unreadable: boolean;
  /** Which stack is whose is not certain, or too much is missing: not enough to contradict a discipline. */
  readonly doubtful: boolean;
  readonly uncertain: readonly { readonly what: string; readonly count: number }[];
}

const UNCERTAIN: Readonly<Record<Oddity["what"], string>> = {
  "double-free": "a table is freed twice, or an allocation between the frees is missing",
  "granted-twice": "a table's page is allocated while the table lives, or its free is missing",
  misaligned: "a table is not aligned to its order, beside events that cannot be read",
  "too-many": "more is freed than was allocated, or a free and an allocation are missing",
};

function lostPages(part: Part, order: number): number[] {
  const gone = new Set<number>();
  for (const { offset, order } of part.pieces) for (let i = 0; i < 1 << order; i++) gone.add(offset + i);
  return Array.from({ length: 1 << order }, (_, i) => i).filter((i) => !gone.has(i));
}

function completeness(counts: Counts, header: Header): { words: string; whole: boolean; missing: number } {
  const { entries, overrun } = header;
  if (entries === undefined) {
    return { words: "nothing says how many entries there were", whole: false, missing: 0 };
  }
  const missing = Math.max(0, entries - counts.entries);
  const words = missing > 0
    ? `${n(counts.entries)} of ${n(entries)} entries: ${n(missing)} are missing`
    : `all ${n(entries)} entries` + (counts.entries > entries ? `, and ${n(counts.entries - entries)} more` : "");
  const lost = overrun > 0 ? `; the buffer had no room for ${n(overrun)}` : "";
  return { words: words + lost, whole: missing === 0 && overrun === 0, missing };
}

/** Weighs what a judge took down. */
export function weigh(judge: Judge, counts: Counts, header: Header): Verdict {
  const { words, whole, missing } = completeness(counts, header);
  const many = (n: number, share: number) => n > DAMAGE_MIN && n * share > counts.lines;
  // /sys/kernel/tracing/per_cpu/cpu0/trace: what the other CPUs did with the same pages is not in it.
  const oneCpu = header.cpus > 1 && counts.cpus === 1;
  const disordered = counts.farBack > 0 || counts.back > DAMAGE_MIN;
  // Stacks without their events: which stack is whose is luck.
  const unmatched = judge.orphans > DAMAGE_MIN && judge.orphans * MISSING_SHARE > counts.stacks;
  const unreadable = many(counts.damaged, DAMAGE_SHARE) || oneCpu || disordered || unmatched;
  const doubtful = unreadable || many(judge.orphans, DAMAGE_SHARE) || many(missing, MISSING_SHARE);
  const uncertain = new Map<string, number>();
  const doubt = (what: string, count = 1) => {
    if (count > 0) uncertain.set(what, (uncertain.get(what) ?? 0) + count);
  };
  const clear = (from: number, to: number) => !unreadable && !judge.gaps.between(from, to);
  const perfect = whole && judge.gaps.count === 0;
  const simple = judge.oddities.filter((o) => o.what === "double-free" || o.what === "granted-twice").length +
    judge.reused.length + judge.foreign;
  const parts = [...judge.parts.values()].map((part): Loss => ({
    part,
    lost: lostPages(part, judge.kinds[part.kind]!.order),
  }));
  // Tails that went in chunks: somebody holds page 0 and has not put it yet.
  const held = parts.filter(({ part, lost }) => isChunked(part) && lost.length === 1 && lost[0] === 0).length;
  const candidates = parts.filter(({ part, lost }) => !(isChunked(part) && lost.length === 1 && lost[0] === 0));
  const pairs = candidates.length + judge.oddities.filter((o) => o.what === "too-many").length + judge.inPieces.length;
  const two = missing < 2 || pairs > simple;
  const certain = (from: number, to: number) => two && clear(from, to);
  const losses = candidates.filter(({ part }) => certain(part.line, part.pieces.at(-1)!.line));
  doubt("a table is freed in part, or a free and an allocation are missing", candidates.length - losses.length);
  // In a whole recording a free of another order is one, whatever became of the other pages afterwards.
  const reused = judge.reused.filter((p) => perfect && clear(p.line, p.again));
  doubt("pages that a table lost are allocated again: events are missing", judge.reused.length - reused.length);
  const pieces = judge.inPieces
    .filter((p) => judge.kinds[p.kind]!.by !== "shape" && certain(p.line, p.pieces.at(-1)!.line))
    .concat(reused).map((part): Loss => ({ part, lost: [] }));
  doubt(
    "a block is freed page by page: it was split, or is no table",
    judge.inPieces.length + reused.length - pieces.length,
  );
  const oddities = judge.oddities.filter((o) => {
    const ok = o.what === "misaligned"
      ? clear(o.from, o.to)
      : o.what === "too-many"
      ? certain(o.from, o.to)
      : perfect && !o.reordered && clear(o.from, o.to) && judge.kinds[o.kind]!.by !== "shape" &&
        (o.what === "double-free" || judge.orderZero > 0);
    if (!ok) doubt(UNCERTAIN[o.what]);
    return ok;
  });
  doubt("a table's function frees what something else allocated, or its allocation is damaged", judge.foreign);
  doubt("odd events that there was no room to keep", judge.moreOddities);
  doubt("an allocation has no stack trace: it may be a page table's", judge.withoutStack);
  doubt("a stack trace has no event before it", judge.orphans);
  doubt("a line cannot be read", counts.damaged);
  doubt("events that the kernel lost (LOST)", counts.lost);
  doubt("an entry is earlier than the one before it: the recording is out of order, or several joined", counts.back);
  if (oneCpu) {
    doubt(`only one of ${header.cpus} CPUs has entries: record trace, not per_cpu/cpuN/trace`, counts.entries);
  }
  doubt("entries that the header counts are missing", missing);
  if (header.entries !== undefined) doubt("entries are more than the header counts", counts.entries - header.entries);
  return {
    complete: words,
    losses,
    pieces,
    oddities,
    held,
    unreadable,
    doubtful,
    uncertain: [...uncertain].map(([what, count]) => ({ what, count })),
  };
}
