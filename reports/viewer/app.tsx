/**
 * Overview or finding, by the address.
 *
 * @module
 */
/// <reference lib="dom" />
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { PageData } from "./data.ts";
import { FindingView } from "./finding.tsx";
import { type Filter, NO_FILTER } from "./findings.tsx";
import { Overview } from "./overview.tsx";
import { parseRoute } from "./route.ts";

/** The page. */
export function App({ data }: { readonly data: PageData }): JSX.Element {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  const [filter, setFilter] = useState<Filter>(NO_FILTER);
  const first = useRef(true);
  // The page is drawn after the browser has looked for the place that its address names.
  useEffect(() => {
    if (/^#[a-z]+$/.test(location.hash)) document.getElementById(location.hash.slice(1))?.scrollIntoView();
  }, []);
  useEffect(() => {
    const onHash = () => setRoute(parseRoute(location.hash));
    addEventListener("hashchange", onHash);
    return () => removeEventListener("hashchange", onHash);
  }, []);
  const finding = route.finding === undefined ? undefined : data.findings[route.finding - 1];
  useEffect(() => {
    document.title = finding === undefined
      ? "ptfuzz report"
      : `${finding.title} in ${finding.discipline} on ${finding.kernel} - ptfuzz`;
    // Another view is another page: a reader's place is its heading.
    if (!first.current) document.querySelector<HTMLElement>("main h1, main h2")?.focus();
    if (!first.current) scrollTo(0, 0);
    first.current = false;
  }, [route.finding]);
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>Skip to the content</a>
      <header class="top">
        <a class="name" href="#">ptfuzz</a>
        <span class="tool">{data.tool}</span>
        <span class={`verdict ${data.ok ? "good" : "bad"}`}>{data.ok ? "as expected" : "NOT as expected"}</span>
      </header>
      <main id="main" tabIndex={-1}>
        {route.finding === undefined ? <Overview data={data} filter={filter} onFilter={setFilter} /> : finding ===
            undefined
          ? (
            <>
              <h1 tabIndex={-1}>There is no finding {route.finding}</h1>
              <p>
                This report has {data.findings.length}. <a href="#">Back to the overview</a>
              </p>
            </>
          )
          : (
            <FindingView
              key={route.finding}
              data={data}
              finding={finding}
              number={route.finding}
              {...(route.step !== undefined && { step: route.step })}
            />
          )}
      </main>
    </>
  );
}

/** The address is the page's own, so the link moves the focus by itself. */
function skip(event: MouseEvent): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
