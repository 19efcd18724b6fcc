/**
 * The run: verdict, findings, kernels × disciplines, invariants, coverage.
 *
 * @module
 */
/// <reference lib="dom" />
import type { JSX } from "preact";
import type { PageData, PageProgramText } from "./data.ts";
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
      <nav class="between" aria-label="On this page">
        {sections(data).map(([id, title]) => <a key={id} href={`#${id}`}>{title}</a>)}
      </nav>
      <WithProgram id="faults" title="Faults of ptfuzz itself" list={data.faults} />
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
      <Recordings data={data} />
      <Findings data={data} filter={filter} onFilter={onFilter} />
      <WithProgram id="differences" title="Differences" list={data.differences} />
      <Matrix data={data} onCell={only} />
      <Invariants data={data} />
      <Coverage data={data} />
      <Memdesc data={data} />
    </>
  );
}

/** Where to go on this page: it is long. */
function sections(data: PageData): (readonly [id: string, title: string])[] {
  const all: readonly (readonly [id: string, title: string, there: boolean])[] = [
    ["faults", "Faults of ptfuzz itself", data.faults.length > 0],
    ["complaints", "Not as expected", data.complaints.length > 0],
    ["recordings", "Recordings", data.recordings.length > 0],
    ["findings", "Findings", data.findings.length > 0],
    ["differences", "Differences", data.differences.length > 0],
    ["matrix", "Kernels × disciplines", data.rows.length > 0],
    ["invariants", "Invariants", data.invariants.length > 0],
    ["coverage", "Coverage", data.calls.length > 0],
    ["never", "Never reached", data.never.length > 0],
    ["memdesc", "If descriptors were apart", data.memdesc.rows.length > 0],
  ];
  return all.filter(([, , there]) => there).map(([id, title]) => [id, title]);
}

/** Words with a program each: workers that died, what a real kernel does otherwise. */
function WithProgram({ id, title, list }: {
  readonly id: string;
  readonly title: string;
  readonly list: readonly PageProgramText[];
}): JSX.Element | null {
  if (list.length === 0) return null;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {list.map(({ words, text }, i) => (
        <div key={i}>
          <p>{words}</p>
          <pre class="text" tabIndex={0} aria-label={`Program ${i + 1} of ${title}`}>{text}</pre>
        </div>
      ))}
    </section>
  );
}

function Recordings({ data }: { readonly data: PageData }): JSX.Element | null {
  if (data.recordings.length === 0) return null;
  return (
    <section aria-labelledby="recordings">
      <h2 id="recordings">Recordings</h2>
      {data.recordings.map(({ file, lines }, i) => (
        <section key={i} aria-labelledby={`recording-${i}`}>
          <h3 id={`recording-${i}`}>{file}</h3>
          <pre class="text" tabIndex={0} aria-label={`What ${file} shows`}>
            {lines.map(({ text, kind }, n) => <span key={n} class={kind}>{text + "\n"}</span>)}
          </pre>
        </section>
      ))}
    </section>
  );
}

/** The parts of a text between backticks as code. */
function code(text: string): (string | JSX.Element)[] {
  return text.replaceAll("\\|", "|").split("`").map((part, i) => i % 2 === 1 ? <code key={i}>{part}</code> : part);
}

function Memdesc({ data: { memdesc: { words, rows } } }: { readonly data: PageData }): JSX.Element | null {
  if (rows.length === 0) return null;
  return (
    <section aria-labelledby="memdesc">
      <h2 id="memdesc">If descriptors were allocated apart from struct page</h2>
      <p>{code(words)} What today's code would break there:</p>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="memdesc">
        <table>
          <thead>
            <tr>
              {["Discipline", "Today", "Path", "The line that breaks", "Why"].map((head) => (
                <th scope="col" key={head}>{head}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([discipline, ...cells], i) => (
              <tr key={i}>
                <th scope="row">{code(discipline!)}</th>
                {cells.map((cell, n) => <td key={n}>{code(cell)}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Never({ data: { never, features } }: { readonly data: PageData }): JSX.Element | null {
  if (never.length === 0) return null;
  return (
    <>
      <h3 id="never">Never reached</h3>
      <p>{features} What never happened:</p>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="never">
        <table class="wrapped">
          <thead>
            <tr>
              <th scope="col">Kernel</th>
              <th scope="col">Calls that never ran</th>
              <th scope="col">Allocations that never failed</th>
            </tr>
          </thead>
          <tbody>
            {never.map(({ kernel, calls, failures }) => (
              <tr key={kernel}>
                <th scope="row">{kernel}</th>
                <td class="call">{calls.join(", ") || "-"}</td>
                <td class="call">{failures.join(", ") || "-"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
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
      <Never data={data} />
    </section>
  );
}
