/**
 * The run: verdict, findings, kernels × disciplines, invariants, coverage.
 *
 * @module
 */
/// <reference lib="dom" />
import type { JSX } from "preact";
import type { PageData } from "./data.ts";
import { type Filter, Findings, NO_FILTER } from "./findings.tsx";
import { grouped } from "./text.ts";

interface Props {
  readonly data: PageData;
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
}

/** The overview. */
export function Overview({ data, filter, onFilter }: Props): JSX.Element {
  const only = (discipline: string, kernel: string) => {
    onFilter({ ...NO_FILTER, text: discipline, kernel });
    document.getElementById("findings")?.focus();
  };
  return (
    <>
      <h1 tabIndex={-1}>{data.ok ? "As expected" : "Not as expected"}</h1>
      {data.summary.map((words) => <p key={words}>{words}</p>)}
      {data.complaints.length > 0 && (
        <section aria-labelledby="complaints">
          <h2 id="complaints">Not as expected</h2>
          <dl class="complaints">
            {data.complaints.map(({ where, complaints }, i) => (
              <div key={i}>
                <dt>{where}</dt>
                {complaints.map((words, n) => <dd key={n}>{words}</dd>)}
              </div>
            ))}
          </dl>
        </section>
      )}
      <Findings data={data} filter={filter} onFilter={onFilter} />
      <Matrix data={data} onCell={only} />
      <Invariants data={data} />
      <Coverage data={data} />
    </>
  );
}

function Matrix({ data, onCell }: {
  readonly data: PageData;
  readonly onCell: (discipline: string, kernel: string) => void;
}): JSX.Element | null {
  if (data.rows.length === 0) return null;
  return (
    <section aria-labelledby="matrix">
      <h2 id="matrix">Kernels × disciplines</h2>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="matrix">
        <table class="matrix">
          <thead>
            <tr>
              <th scope="col">Discipline</th>
              {data.kernels.map((kernel) => <th scope="col" key={kernel}>{kernel}</th>)}
            </tr>
          </thead>
          <tbody>
            {data.rows.map((row, r) => (
              <tr key={r}>
                <th scope="row">
                  {row.label}
                  {row.note !== "" && <span class="note">({row.note})</span>}
                </th>
                {row.cells.map(({ text, state }, i) => (
                  <td key={i} class={`cell ${state}`}>
                    {state === "new" || state === "expected"
                      ? (
                        <button
                          type="button"
                          aria-label={`${text}: show the findings of ${row.label} on ${data.kernels[i]}`}
                          onClick={() => onCell(row.label, data.kernels[i]!)}
                        >
                          {text}
                        </button>
                      )
                      : text}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Invariants({ data }: { readonly data: PageData }): JSX.Element | null {
  if (data.invariants.length === 0) return null;
  return (
    <section aria-labelledby="invariants">
      <h2 id="invariants">Invariants</h2>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="invariants">
        <table>
          <thead>
            <tr>
              <th scope="col">Invariant</th>
              <th scope="col">What must hold</th>
              <th scope="col">Kernel source</th>
              <th scope="col" class="number">Checks</th>
              <th scope="col" class="number">Violations</th>
            </tr>
          </thead>
          <tbody>
            {data.invariants.map((i) => (
              <tr key={i.id}>
                <th scope="row">{i.id}</th>
                <td>{i.statement}</td>
                <td class="source">{i.source}</td>
                <td class="number">{grouped(i.checks)}</td>
                <td class="number">{grouped(i.violations)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Coverage({ data }: { readonly data: PageData }): JSX.Element | null {
  if (data.calls.length === 0) return null;
  const any = data.calls.some(({ counts }) => counts.some(([, wrong]) => wrong > 0));
  return (
    <section aria-labelledby="coverage">
      <h2 id="coverage">Coverage</h2>
      <p>
        How often each call ran{any && ", with arguments that the ledger has nothing against / with others"}.
        {data.neverCalled.length === 0
          ? " No call was left out."
          : ` No program of this run called ${data.neverCalled.join(", ")}.`}
      </p>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="coverage">
        <table>
          <thead>
            <tr>
              <th scope="col">Call</th>
              {data.callKernels.map((kernel) => <th scope="col" class="number" key={kernel}>{kernel}</th>)}
            </tr>
          </thead>
          <tbody>
            {data.calls.map(({ call, counts }) => (
              <tr key={call}>
                <th scope="row" class="call">{call}</th>
                {counts.map(([right, wrong], i) => (
                  <td class="number" key={i}>
                    {right + wrong === 0 ? "-" : grouped(right) + (wrong === 0 ? "" : ` / ${grouped(wrong)}`)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
