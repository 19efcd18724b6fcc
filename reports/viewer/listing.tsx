/**
 * The program, with the line that is shown.
 *
 * @module
 */
/// <reference lib="dom" />
import { Fragment, type JSX } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { StepThrough } from "../../core/program/steps/step_through.ts";

interface Props {
  readonly program: StepThrough;
  readonly at: number;
  readonly onGo: (at: number) => void;
}

/** The lines; each is a button. */
export function Listing({ program, at, onGo }: Props): JSX.Element {
  const list = useRef<HTMLOListElement>(null);
  const broken = useMemo(() => new Set(program.findings.map((f) => f.step)), [program]);
  // 2,000 lines do not change with the step: only the marks below do.
  const lines = useMemo(() =>
    program.stops.map((stop, i) => {
      if (stop.kind !== "line") return null;
      return (
        <li key={i} data-stop={i} class={stop.outcome === "ran" ? "" : "idle"}>
          <button type="button" onClick={() => onGo(i)}>
            {stop.lines.map((line, n) => (
              <Fragment key={n}>
                <span class={`no${broken.has(line.step) ? " broken" : ""}`}>{line.step === 0 ? "" : line.step}</span>
                <code>{line.text}</code>
              </Fragment>
            ))}
          </button>
        </li>
      );
    }), [program, broken, onGo]);
  useLayoutEffect(() => {
    const here = list.current?.querySelector<HTMLElement>(`[data-stop="${at}"]`);
    list.current?.querySelector("[aria-current]")?.removeAttribute("aria-current");
    if (here === undefined || here === null) return;
    here.setAttribute("aria-current", "step");
    const box = list.current!;
    if (here.offsetTop < box.scrollTop || here.offsetTop + here.offsetHeight > box.scrollTop + box.clientHeight) {
      box.scrollTop = here.offsetTop - box.clientHeight / 2;
    }
  }, [at, lines]);
  return (
    <ol class="listing" ref={list} aria-label="The program">
      {lines}
    </ol>
  );
}
