/**
 * The step-through: program, page map, words, ledger, gathers and walkers, with
 * arrow keys, a slider, and a link to each step.
 *
 * @module
 */
/// <reference lib="dom" />
import type { JSX } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { COL_STATE, FREE } from "../../core/program/steps/columns.ts";
import { StepReader } from "../../core/program/steps/reader.ts";
import type { StepThrough, Stop } from "../../core/program/steps/step_through.ts";
import { Blocks } from "./blocks.tsx";
import { Listing } from "./listing.tsx";
import { PageMap } from "./page_map.tsx";
import { Timeline } from "./timeline.tsx";
import { Words } from "./words.tsx";

interface Props {
  readonly program: StepThrough;
  /** The step to begin at. */
  readonly from: number | "end";
  readonly onStep: (step: number | "end") => void;
}

/** What a link calls a stop. */
function linkOf(stop: Stop): number | "end" {
  return stop.kind === "drain" ? "end" : stop.kind === "boot" ? 0 : stop.step;
}

function stopOf(reader: StepReader, step: number | "end"): number {
  return step === "end" ? reader.program.stops.length - 1 : reader.stopOfStep(step);
}

/** Where the pointer begins: the first page that the stop changed, else the first that is not free. */
function interesting(reader: StepReader): number {
  const busy = (pfn: number) => reader.column(pfn, COL_STATE) !== FREE;
  const touched = [...reader.touched].sort((a, b) => a - b);
  const all = Array.from({ length: reader.program.pages }, (_, pfn) => pfn);
  return touched.find(busy) ?? all.find(busy) ?? touched[0] ?? 0;
}

/** The words for where one is. */
export function stopTitle(stop: Stop, last: number): string {
  if (stop.kind === "boot") return "before the first step";
  if (stop.kind === "drain") return "after the end: references put, gathers finished, callbacks run";
  return `step ${stop.step} of ${last}`;
}

/** A program step by step. */
export function Steps({ program, from, onStep }: Props): JSX.Element {
  const reader = useMemo(() => new StepReader(program), [program]);
  const [at, setAt] = useState(() => stopOf(reader, from));
  const [pinned, setPinned] = useState<number | undefined>(undefined);
  const [hovered, setHovered] = useState<number | undefined>(undefined);
  const last = program.stops.length - 1;
  reader.goTo(at);
  const stop = reader.stop;
  const steps = program.stops[last]!.step;
  const page = hovered ?? pinned ?? interesting(reader);

  // Where one is by the keys pressed so far: several may come before anything is drawn.
  const here = useRef(at);
  const go = useCallback((to: number) => {
    const next = Math.max(0, Math.min(last, to));
    here.current = next;
    setAt(next);
    onStep(linkOf(program.stops[next]!));
  }, [last, onStep, program]);

  // A link to another step of the same finding.
  useEffect(() => {
    here.current = stopOf(reader, from);
    setAt(here.current);
  }, [reader, from]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
      const target = event.target as HTMLElement;
      if (/^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) return;
      const inMap = target.closest("[role=grid]") !== null;
      const now = here.current;
      const move: Record<string, number> = { n: now + 1, p: now - 1 };
      if (!inMap) Object.assign(move, { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: last });
      const to = move[event.key];
      if (to === undefined) return;
      event.preventDefault();
      go(to);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [go, last]);

  const title = stopTitle(stop, steps);
  return (
    <section class="steps" aria-label="Step by step">
      <div class="bar">
        <button type="button" onClick={() => go(0)} disabled={at === 0} aria-label="First">|◀</button>
        <button type="button" onClick={() => go(here.current - 1)} disabled={at === 0} aria-label="Step back">◀</button>
        <input
          type="range"
          min={0}
          max={last}
          value={at}
          aria-label="Step"
          aria-valuetext={title}
          onInput={(e) => go(Number(e.currentTarget.value))}
        />
        <button type="button" onClick={() => go(here.current + 1)} disabled={at === last} aria-label="Step ahead">
          ▶
        </button>
        <button type="button" onClick={() => go(last)} disabled={at === last} aria-label="Last">▶|</button>
        <strong class="at">{title}</strong>
        <span class="keys">
          <kbd>←</kbd> <kbd>→</kbd> step, <kbd>n</kbd> <kbd>p</kbd> in the map too
        </span>
      </div>
      <div class="panes">
        <div class="left">
          <Listing program={program} at={at} onGo={go} />
          <Happened program={program} stop={stop} />
          <Blocks reader={reader} onPage={setPinned} />
        </div>
        <div class="right">
          <PageMap reader={reader} at={at} page={page} onHover={setHovered} onPin={setPinned} />
          <Beside reader={reader} />
          <Words reader={reader} page={page} />
        </div>
      </div>
      {last > 2 && <Timeline program={program} at={at} onGo={go} />}
    </section>
  );
}

/** What the step answered and broke. */
function Happened({ program, stop }: { readonly program: StepThrough; readonly stop: Stop }): JSX.Element {
  const outcome = {
    "ran": stop.answer,
    "skipped": "Skipped: an operand is NULL, or there is nothing to put.",
    "armed": "Waits until the point is reached.",
    "not run": "Not run: the program has ended.",
  }[stop.outcome];
  return (
    <div class="happened" role="status" aria-live="polite">
      {stop.kind === "boot" && <p>Memory as after boot: nothing is granted yet.</p>}
      {stop.kind === "drain" && (
        <p>
          {stop.found.length === 0 && program.findings.length === 0
            ? "Clean: no invariant is broken."
            : "The environment's references are put, gathers finished, callbacks run."}
        </p>
      )}
      {outcome !== "" && <p class="answer">{outcome}</p>}
      {stop.found.map((i) => {
        const f = program.findings[i]!;
        return (
          <p key={i} class="found">
            <span class={`severity ${f.severity}`}>{f.severity}</span> <strong>{f.invariant}</strong>
            {f.pages > 0 && ` (${f.pages} ${f.pages === 1 ? "page" : "pages"})`}
            {f.step !== stop.step && `, laid to step ${f.step}`}: {f.words}
          </p>
        );
      })}
    </div>
  );
}

/** Gathers and walkers, where there are any. */
function Beside({ reader }: { readonly reader: StepReader }): JSX.Element | null {
  const gathers = reader.gathers();
  const walkers = reader.walkers();
  if (gathers.length + walkers.length === 0) return null;
  return (
    <ul class="beside">
      {gathers.map((g) => (
        <li key={g.id}>
          <strong>{g.name}</strong> (gather): {g.words.join("; ")}; {queuedWords(reader, g.id)}
        </li>
      ))}
      {walkers.map((w) => (
        <li key={w.name}>
          <strong>{w.name}</strong> (walker): {w.words}; sees{" "}
          {w.pages.length === 0 ? "no page" : `page ${w.pages.join(", ")}`}
        </li>
      ))}
    </ul>
  );
}

function queuedWords(reader: StepReader, gather: number): string {
  const pages = reader.queuedIn(gather);
  if (pages.length === 0) return "nothing is queued";
  return `queued: page ${pages.slice(0, 16).join(", ")}${pages.length > 16 ? ` and ${pages.length - 16} more` : ""}`;
}
