/**
 * One finding: what it says, how to reproduce it, and its program step by step.
 *
 * @module
 */
/// <reference lib="dom" />
import type { JSX } from "preact";
import { useCallback, useMemo, useState } from "preact/hooks";
import type { StepThrough } from "../../core/program/steps/step_through.ts";
import type { PageData, PageFinding, PageTest } from "./data.ts";
import { routeHash } from "./route.ts";
import { Steps } from "./steps.tsx";

interface Props {
  readonly data: PageData;
  readonly finding: PageFinding;
  readonly number: number;
  readonly step?: number | "end";
}

/** A finding. */
export function FindingView({ data, finding: f, number, step }: Props): JSX.Element {
  const invariant = data.invariants.find((i) => i.id === f.invariant);
  const severity = data.severities.find((s) => s.id === f.severity);
  const program = useMemo(() => programOf(data, f), [data, f]);
  const onStep = useCallback(
    (at: number | "end") => history.replaceState(null, "", routeHash({ finding: number, step: at })),
    [number],
  );
  return (
    <>
      <nav class="between" aria-label="Findings">
        <a href="#">Overview</a>
        {number > 1 && <a href={routeHash({ finding: number - 1 })}>Finding {number - 1}</a>}
        {number < data.findings.length && <a href={routeHash({ finding: number + 1 })}>Finding {number + 1}</a>}
      </nav>
      <h1 tabIndex={-1}>{f.title} in {f.discipline} on {f.kernel}</h1>
      <p class="facts">
        <span class={`severity ${f.severity}`}>{f.severity}</span> {severity?.words}. Arch {f.arch}
        {f.config.length > 0 && `, ${f.config.join(" ")}`}.{" "}
        {f.expected ? "The discipline expects it." : "Nobody expects it."} {f.noteWords}
      </p>
      {invariant !== undefined && <p>What must hold: {invariant.statement}.</p>}
      <p class="explanation">{f.explanation}</p>
      {f.why !== "" && <p>Why, as the discipline says: {f.why}.</p>}
      {program === undefined
        ? (
          <>
            <p>
              The program is not stepped through on this page, as it is too long: save it, and run{" "}
              <code>deno task show FILE</code>.
            </p>
            <Program text={f.text} open />
          </>
        )
        : (
          <>
            <Steps program={program} from={step ?? f.at} onStep={onStep} />
            <Program text={f.text} />
          </>
        )}
      <Test test={data.tests[f.test]} why={f.noTest} />
      <p class="source">
        {f.origin !== "" && `Discipline: ${f.origin}. `}Kernel source: {f.source}. {f.seenBy}
      </p>
    </>
  );
}

function programOf(data: PageData, f: PageFinding): StepThrough | undefined {
  const program = data.programs[f.program];
  if (program === undefined) return undefined;
  const { facts: layout, lists } = data.layouts[program.layout]!;
  return { ...program, layout, lists };
}

/** The finding for a kernel tree, or why it cannot be had there. */
function Test({ test, why }: { readonly test: PageTest | undefined; readonly why: string }): JSX.Element {
  if (test === undefined) return <p class="source">No KUnit test: {why}.</p>;
  const name = test.file.replace(/^.*\//, "");
  return (
    <details class="program-text">
      <summary>KUnit test in C, for a kernel tree</summary>
      <p>
        Put it into <code>mm/</code> as <code>{name}</code> (<a href={test.file}>beside this page</a>), add{" "}
        <code>obj-$(CONFIG_KUNIT) += {name.replace(/c$/, "o")}</code> to <code>mm/Makefile</code>, and boot with{" "}
        <code>CONFIG_KUNIT=y</code>. {test.text !== "" && <Copy text={test.text} />}
      </p>
      {test.text !== "" && <pre tabIndex={0} aria-label="The KUnit test">{test.text}</pre>}
    </details>
  );
}

function Copy({ text }: { readonly text: string }): JSX.Element {
  const [said, setSaid] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid("Copied.");
    } catch {
      setSaid("This browser does not let the page copy: mark the text instead.");
    }
  };
  return (
    <>
      <button type="button" onClick={copy}>Copy</button> <span role="status">{said}</span>
    </>
  );
}

function Program({ text, open = false }: { readonly text: string; readonly open?: boolean }): JSX.Element {
  return (
    <details class="program-text" open={open}>
      <summary>Program as text, to reproduce</summary>
      <p>
        Save as <code>finding.pt</code>, then <code>npx -y deno@2.9.6 task replay finding.pt</code>.{" "}
        <Copy text={text} />
      </p>
      <pre tabIndex={0} aria-label="The program">{text}</pre>
    </details>
  );
}
