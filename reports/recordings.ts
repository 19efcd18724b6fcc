/**
 * Recordings as lines, folded to a width.
 *
 * @module
 */
import { recordingFacts } from "../corpus/recording_facts.ts";
import type { Recording, Result } from "../corpus/result.ts";
import { count, grouped, visible, wrap } from "./text.ts";

/** A line of a recording, and what it is about: how it is to be shown. */
export interface RecordingLine {
  readonly text: string;
  readonly kind: "file" | "plain" | "contradiction" | "uncertain";
}

function kindOf(fact: string): RecordingLine["kind"] {
  if (/^ *CONTRADICTION/.test(fact)) return "contradiction";
  return /^(uncertain|no discipline)/.test(fact) ? "uncertain" : "plain";
}

/** What a recording shows, no line wider than asked for. */
export function recordingLines(recording: Recording, width: number): RecordingLine[] {
  const facts = recordingFacts(recording).flatMap((fact): RecordingLine[] => {
    const indent = "  " + (/^ */.exec(fact)?.[0] ?? "");
    const hang = indent + "  ";
    const [first = "", ...rest] = wrap(visible(fact.trim()), width - hang.length);
    const kind = kindOf(fact);
    return [{ text: indent + first, kind }, ...rest.map((text) => ({ text: hang + text, kind }))];
  });
  return [...wrap(visible(recording.file), width).map((text): RecordingLine => ({ text, kind: "file" })), ...facts];
}

/** What all recordings came to, in a sentence. */
export function recordingsWords(result: Result): string {
  const { recordings, cells } = result;
  const tables = recordings.flatMap((r) => r.tables).reduce((sum, t) => sum + t.allocations, 0);
  const contradictions = cells.reduce((sum, c) => sum + c.complaints.length, 0);
  const uncertain = recordings.flatMap((r) => r.uncertain).reduce((sum, u) => sum + u.count, 0);
  const expected = result.findings.filter((f) => f.expected).length;
  return `${count(recordings.length, "recording")}, ${count(tables, "page table")}, ` +
    `${count(result.steps, "step")} on the model, ${count(expected, "finding")} expected, ` +
    `${grouped(result.unexpected)} unexpected, ${count(contradictions, "contradiction")}, ` +
    `${grouped(uncertain)} uncertain`;
}
