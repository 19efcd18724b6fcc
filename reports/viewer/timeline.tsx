/**
 * Pages by state over the steps, as a chart; a click goes to the step.
 *
 * What it shows is said in words elsewhere (the legend's counts at each step),
 * so it is hidden from screen readers.
 *
 * @module
 */
/// <reference lib="dom" />
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import {
  GIVEN_UP,
  GRANTED,
  KERNEL_OWN,
  LOST,
  PAGE_STATES,
  QUEUED,
  RESERVED,
} from "../../core/program/steps/columns.ts";
import { StepReader } from "../../core/program/steps/reader.ts";
import type { StepThrough } from "../../core/program/steps/step_through.ts";

interface Props {
  readonly program: StepThrough;
  readonly at: number;
  readonly onGo: (at: number) => void;
}

const STATES = [GRANTED, RESERVED, QUEUED, GIVEN_UP, KERNEL_OWN, LOST];
const COLOURS: Readonly<Record<number, string>> = {
  [GRANTED]: "--granted-line",
  [RESERVED]: "--reserved-line",
  [QUEUED]: "--queued-line",
  [GIVEN_UP]: "--given-line",
  [KERNEL_OWN]: "--batch-line",
  [LOST]: "--lost-line",
};
const HEIGHT = 140;

/** Pages of each state at each stop; states that no page ever has are left out. */
function series(program: StepThrough): { states: number[]; data: number[][] } {
  const reader = new StepReader(program);
  const counts = program.stops.map((_, i) => {
    reader.goTo(i);
    return reader.counts();
  });
  const states = STATES.filter((s) => counts.some((c) => c[s]! > 0));
  return { states, data: [counts.map((_, i) => i), ...states.map((s) => counts.map((c) => c[s]!))] };
}

/** The chart. */
export function Timeline({ program, at, onGo }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const here = useRef(at);
  here.current = at;
  const [dark, setDark] = useState(() => matchMedia("(prefers-color-scheme: dark)").matches);
  const { states, data } = useMemo(() => series(program), [program]);
  useEffect(() => {
    const media = matchMedia("(prefers-color-scheme: dark)");
    const onChange = () => setDark(media.matches);
    media.addEventListener("change", onChange);
    return () => media.removeEventListener("change", onChange);
  }, []);
  useEffect(() => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour("--text"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    const element = box.current!;
    const width = () => Math.max(200, element.clientWidth);
    const plot = new uPlot(
      {
        width: width(),
        height: HEIGHT,
        scales: { x: { time: false }, y: { range: (_u, _min, max) => [0, Math.max(1, max)] } },
        axes: [
          {
            ...axis,
            incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000],
            values: (_u, splits) => splits.map((i) => stopName(program, i)),
          },
          { ...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], size: 44 },
        ],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        series: [
          {},
          ...states.map((s) => ({
            label: PAGE_STATES[s]!.name,
            stroke: colour(COLOURS[s]!),
            width: 2,
            paths: uPlot.paths.stepped!({ align: 1 }),
            points: { show: false },
          })),
        ],
        hooks: {
          draw: [(u) => {
            const x = Math.round(u.valToPos(here.current, "x", true));
            u.ctx.save();
            u.ctx.strokeStyle = colour("--text");
            u.ctx.setLineDash([4, 4]);
            u.ctx.beginPath();
            u.ctx.moveTo(x, u.bbox.top);
            u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
            u.ctx.stroke();
            u.ctx.restore();
          }],
        },
      },
      data as uPlot.AlignedData,
      element,
    );
    plot.over.addEventListener("click", () => {
      if (typeof plot.cursor.idx === "number") onGo(plot.cursor.idx);
    });
    chart.current = plot;
    const observer = new ResizeObserver(() => plot.setSize({ width: width(), height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [program, dark]);
  useEffect(() => chart.current?.redraw(false), [at]);
  return (
    <div class="timeline">
      <h2>Pages by state, step by step</h2>
      <ul class="legend" aria-hidden="true">
        {states.map((s) => (
          <li key={s}>
            <span class={`stroke s${s}`} /> {PAGE_STATES[s]!.name}
          </li>
        ))}
      </ul>
      <div class="chart" ref={box} aria-hidden="true" />
    </div>
  );
}

function stopName(program: StepThrough, i: number): string {
  const stop = program.stops[i];
  if (stop === undefined || !Number.isInteger(i)) return "";
  return stop.kind === "boot" ? "0" : stop.kind === "drain" ? "end" : String(stop.step);
}
