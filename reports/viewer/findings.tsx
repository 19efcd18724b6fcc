/**
 * The list of findings, with a filter.
 *
 * @module
 */
/// <reference lib="dom" />
import type { JSX } from "preact";
import type { PageData, PageFinding } from "./data.ts";
import { routeHash } from "./route.ts";
import { count } from "./text.ts";

/** Which findings are listed. */
export interface Filter {
  /** Words, each of which a finding must have somewhere. */
  readonly text: string;
  /** Empty: all. */
  readonly severity: string;
  readonly kernel: string;
  readonly unexpectedOnly: boolean;
}

/** All of them. */
export const NO_FILTER: Filter = { text: "", severity: "", kernel: "", unexpectedOnly: false };

function matches(f: PageFinding, filter: Filter): boolean {
  if (filter.severity !== "" && f.severity !== filter.severity) return false;
  if (filter.kernel !== "" && f.kernel !== filter.kernel) return false;
  if (filter.unexpectedOnly && f.expected) return false;
  const all = `${f.title} ${f.severity} ${f.kernel} ${f.arch} ${f.discipline} ${f.call} ${f.note}`.toLowerCase();
  return filter.text.toLowerCase().split(/\s+/).every((word) => all.includes(word));
}

interface Props {
  readonly data: PageData;
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
}

/** The list and its filter. */
export function Findings({ data, filter, onFilter }: Props): JSX.Element {
  const shown = data.findings.map((f, i) => ({ f, number: i + 1 })).filter(({ f }) => matches(f, filter));
  const kernels = [...new Set(data.findings.map((f) => f.kernel))];
  const severities = data.severities.filter((s) => data.findings.some((f) => f.severity === s.id));
  const set = (change: Partial<Filter>) => onFilter({ ...filter, ...change });
  return (
    <section aria-labelledby="findings">
      <h2 id="findings" tabIndex={-1}>Findings</h2>
      {data.findings.length === 0 ? <p>No findings.</p> : (
        <>
          <form class="filter" role="search" aria-label="Filter the findings" onSubmit={(e) => e.preventDefault()}>
            <label>
              Words{" "}
              <input
                type="search"
                value={filter.text}
                placeholder="discipline, invariant, call"
                onInput={(e) => set({ text: e.currentTarget.value })}
              />
            </label>
            <Choice
              name="Severity"
              value={filter.severity}
              options={severities.map((s) => s.id)}
              set={(severity) => set({ severity })}
            />
            <Choice name="Kernel" value={filter.kernel} options={kernels} set={(kernel) => set({ kernel })} />
            <label>
              <input
                type="checkbox"
                checked={filter.unexpectedOnly}
                onInput={(e) => set({ unexpectedOnly: e.currentTarget.checked })}
              />{" "}
              unexpected only
            </label>
            <button type="button" onClick={() => onFilter(NO_FILTER)}>Show all</button>
          </form>
          <p role="status">
            {shown.length === data.findings.length
              ? count(shown.length, "finding")
              : `${shown.length} of ${count(data.findings.length, "finding")}`}
          </p>
          <ol class="findings">
            {shown.map(({ f, number }) => (
              <li key={number}>
                <a href={routeHash({ finding: number })}>
                  <span class={`severity ${f.severity}`}>{f.severity}</span>
                  <span class="title">{f.title} by {f.call}</span>
                  <span class="where">
                    {f.discipline} on {f.kernel}
                    {f.note !== "" && <span class="note">({f.note})</span>}
                  </span>
                  {!f.expected && <strong class="fresh">NEW</strong>}
                </a>
              </li>
            ))}
          </ol>
          <dl class="severities">
            {severities.map((s) => (
              <div key={s.id}>
                <dt class={`severity ${s.id}`}>{s.id}</dt>
                <dd>{s.words}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </section>
  );
}

function Choice({ name, value, options, set }: {
  readonly name: string;
  readonly value: string;
  readonly options: readonly string[];
  readonly set: (value: string) => void;
}): JSX.Element {
  return (
    <label>
      {name}{" "}
      <select value={value} onChange={(e) => set(e.currentTarget.value)}>
        <option value="">all</option>
        {options.map((o) => <option key={o} value={o}>{o}</option>)}
      </select>
    </label>
  );
}
