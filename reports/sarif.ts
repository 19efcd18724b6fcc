/**
 * `ptfuzz.sarif`: the findings as SARIF 2.1.0, for GitHub code scanning and
 * editors.
 *
 * The invariants are the rules. A finding stands at the line of the discipline
 * that makes the call, with the kernel's functions beside it; one that is
 * expected is suppressed there, as the file's `[[expect]]` accepts it. Its
 * fingerprint is its signature: what makes it the same from run to run.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { type Invariant, INVARIANTS, type Severity } from "../core/ledger/invariants.ts";
import type { ReportedFinding, Result } from "../corpus/result.ts";
import { findingTitle, type Note, NOTE_WORDS, notesOf, seenByWords, SEVERITY_WORDS, worstFirst } from "./matrix.ts";
import { visible, visibleLines } from "./text.ts";

/** GitHub reads so many results of a run, the first ones. */
const RESULTS_LIMIT = 5000;

const LEVELS: Readonly<Record<Severity, "error" | "warning" | "note">> = {
  corruption: "error",
  crash: "error",
  leak: "error",
  latent: "warning",
  theoretical: "note",
};

/** A location inside the kernel's source: `mm/page_alloc.c:__free_pages` and what else a source names. */
interface KernelPlace {
  readonly file: string;
  readonly functions: readonly string[];
}

/** The files and functions that a source names; words that are neither are left out. */
export function kernelPlaces(source: string): KernelPlace[] {
  const places: KernelPlace[] = [];
  for (const match of source.matchAll(/((?:[\w.-]+\/)+[\w.-]+\.[chS])(?::([\w*.]+(?:, \w+(?![\w/.]))*))?/g)) {
    places.push({ file: match[1]!, functions: match[2]?.split(", ") ?? [] });
  }
  return places;
}

function kernelLocations(sources: readonly string[]) {
  const seen = new Set<string>();
  return sources.flatMap(kernelPlaces).flatMap(({ file, functions }) => {
    const key = `${file}:${functions.join()}`;
    if (seen.has(key)) return [];
    seen.add(key);
    return [{
      id: seen.size,
      physicalLocation: { artifactLocation: { uri: encodeURI(file), uriBaseId: "LINUX" } },
      ...(functions.length > 0 && {
        logicalLocations: functions.map((name) => ({ name, kind: "function" })),
        message: { text: functions.join(", ") },
      }),
    }];
  });
}

/** A path as a URI: relative where it is, of the file scheme where it is not. */
function uriOf(file: string): string {
  const path = file.split("/").map(encodeURIComponent).join("/");
  return path.startsWith("/") ? `file://${path}` : path;
}

function ruleOf(invariant: Invariant) {
  return {
    id: invariant.id,
    shortDescription: { text: `${invariant.statement}.` },
    fullDescription: { text: `What must hold: ${invariant.statement}. Severity: ${invariant.severity}.` },
    help: {
      text:
        `What must hold: ${invariant.statement}.\nSeverity: ${invariant.severity}.\nKernel source: ${invariant.source}.`,
    },
    properties: { tags: ["page tables", "memory"] },
  };
}

/** A text without what JSON readers and terminals choke on; lines stay lines. */
function plain(text: string): string {
  return visibleLines(text).join("\n");
}

function resultOf(finding: ReportedFinding, note: Note, hash: (text: string) => string) {
  const { origin } = finding;
  const where = `${finding.discipline} on ${finding.kernel}, ${finding.arch}` +
    (finding.config.length === 0 ? "" : `, ${finding.config.join(" ")}`);
  const related = kernelLocations([...origin?.source ?? [], finding.source]);
  const text = [
    `${findingTitle(finding)} in ${visible(where)}: ${SEVERITY_WORDS[finding.severity]}.`,
    ...(note === "" ? [] : [NOTE_WORDS[note]]),
    plain(finding.explanation),
    ...(origin !== undefined && origin.why !== "" ? [`The discipline: ${plain(origin.why)}.`] : []),
    seenByWords(finding),
    "",
    plain(finding.program),
  ].join("\n");
  return {
    ruleId: finding.invariant,
    ruleIndex: INVARIANTS.findIndex((i) => i.id === finding.invariant),
    level: LEVELS[finding.severity],
    message: { text },
    ...(origin !== undefined && {
      locations: [{
        physicalLocation: {
          artifactLocation: {
            uri: uriOf(origin.file),
            ...(!origin.file.startsWith("/") && { uriBaseId: "SRCROOT" }),
          },
          region: { startLine: origin.line },
        },
      }],
    }),
    ...(related.length > 0 && { relatedLocations: related }),
    partialFingerprints: { "ptfuzzSignature/v1": hash(finding.signature) },
    ...(finding.expected && {
      suppressions: [{
        kind: "inSource",
        status: "accepted",
        justification: origin === undefined || origin.why === "" ? "expected" : plain(origin.why),
      }],
    }),
    properties: {
      severity: finding.severity,
      kernel: finding.kernel,
      arch: finding.arch,
      discipline: visible(finding.discipline),
      step: finding.at,
      pages: finding.pages,
    },
  };
}

/** The text of `ptfuzz.sarif`. */
export function reportSarif(result: Result): string {
  const [name = "ptfuzz", version = ""] = result.tool.split(" ");
  const hash = (text: string) => createHash("sha256").update(text).digest("hex");
  const note = notesOf(result);
  const known = new Set(INVARIANTS.map((i) => i.id));
  const findings = worstFirst(result.findings).filter((f) => known.has(f.invariant));
  const log = {
    $schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
    version: "2.1.0",
    runs: [{
      tool: { driver: { name, ...(version !== "" && { version }), rules: INVARIANTS.map(ruleOf) } },
      automationDetails: { id: `ptfuzz/${result.task}/${result.mode}/` },
      columnKind: "utf16CodeUnits",
      originalUriBaseIds: {
        SRCROOT: { description: { text: "The directory that ptfuzz was run in; for shipped disciplines its own." } },
        LINUX: { description: { text: "The kernel's source tree." } },
      },
      results: findings.slice(0, RESULTS_LIMIT).map((f) => resultOf(f, note(f), hash)),
    }],
  };
  return JSON.stringify(log, null, 2) + "\n";
}
