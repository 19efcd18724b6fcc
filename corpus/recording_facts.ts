/**
 * What a recording shows, in lines: for the terminal, for Markdown, and for the
 * figures that are stored beside the recordings of the corpus.
 *
 * @module
 */
import { grouped as n } from "./grouped.ts";
import type { RecordedTables, Recording } from "./result.ts";

const count = (value: number, what: string): string => `${n(value)} ${what}${value === 1 ? "" : "s"}`;

/** `0:2` as `order 2`, `1:0` as `order 0 at page 1`. */
export function releaseWords(form: string): string {
  if (form === "in chunks") return "in the chunks of one release";
  return form.split(" ").map((piece) => {
    const [offset, order] = piece.split(":");
    return `as order ${order}${offset === "0" ? "" : ` at page ${offset}`}`;
  }).join(" and ");
}

/** `a 3, b 1`. */
function listed(items: readonly { readonly name: string; readonly count: number }[]): string {
  return items.map((i) => `${i.name} ${n(i.count)}`).join(", ");
}

function tableFacts(t: RecordedTables): string[] {
  const compound = t.order === 0 ? "" : t.compound ? ", compound" : ", not compound";
  const by = t.site === "" ? "known by order and flags" : `by ${t.site}`;
  const who = t.discipline === "" ? "no discipline" : t.discipline;
  const parts = t.releases.filter((r) => !r.whole).reduce((sum, r) => sum + r.count, 0);
  return [
    `${who}: ${count(t.allocations, "table")} of order ${t.order}${compound} (${t.flags}), ${by}`,
    ...(t.callers.length === 0 ? [] : [`  called by ${listed(t.callers)}`]),
    `  ${n(t.pairs)} freed whole, ${n(parts)} order mismatch${parts === 1 ? "" : "es"}, ${n(t.live)} live at the end`,
    ...t.releases.map((r) =>
      `  ${n(r.count)} freed ${releaseWords(r.form)}${r.by === "" ? "" : ` by ${r.by}`}` +
      (r.path === "" ? "" : ` [free.${r.path}]`)
    ),
    ...(t.lost === 0 ? [] : [`  ${count(t.lost, "page")} lost`]),
    ...t.contradictions.map((c) => `  CONTRADICTION: ${c}`),
  ];
}

/** The facts of a recording, a line each; what belongs to the line above is indented. */
export function recordingFacts(r: Recording): string[] {
  const before = r.before.reduce((sum, b) => sum + b.count, 0);
  const { replayed } = r;
  const differing = replayed.differing.length === 0 ? "none otherwise" : `${replayed.differing.length} otherwise`;
  return [
    `kernel ${r.kernel}, ${r.arch === "" ? "architecture unknown" : r.arch} (${r.known}); ${r.complete}`,
    ...r.tables.flatMap(tableFacts),
    `${count(before, "free")} of tables that the recording does not see allocated`,
    ...r.before.map((b) => `  ${n(b.count)} of order ${b.order}${b.by === "" ? "" : ` by ${b.by}`}`),
    ...r.unexplained.map((u) => `no discipline explains ${count(u.count, "table")}: ${u.stack}`),
    ...(r.uncertain.length === 0
      ? ["nothing uncertain"]
      : r.uncertain.map((u) => `uncertain: ${n(u.count)} × ${u.what}`)),
    `on the model: ${count(replayed.tables, "table")} put up where recorded, ` +
    `${n(replayed.agreed)} releases as recorded, ${differing}` +
    (replayed.skipped === 0 ? "" : `; no room for ${n(replayed.skipped)}`),
    ...replayed.differing.map((d) => `  ${d}`),
  ];
}
