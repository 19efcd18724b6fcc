/**
 * The page's addresses: `#` is the overview, `#finding/3` the third finding,
 * `#finding/3/step/4` its fourth step. `0` is memory before the first step, and
 * `end` memory after the drain.
 *
 * @module
 */

/** Where in the page somebody is. */
export interface Route {
  /** Number of the finding, from 1; undefined: the overview. */
  readonly finding?: number;
  /** Number of the step. */
  readonly step?: number | "end";
}

/** Reads an address; one that says nothing is the overview. */
export function parseRoute(hash: string): Route {
  const parts = /^#finding\/(\d{1,9})(?:\/step\/(\d{1,9}|end))?$/.exec(hash);
  if (parts === null) return {};
  const finding = Number(parts[1]);
  if (parts[2] === undefined) return { finding };
  return { finding, step: parts[2] === "end" ? "end" : Number(parts[2]) };
}

/** The address. */
export function routeHash({ finding, step }: Route): string {
  if (finding === undefined) return "#";
  return `#finding/${finding}${step === undefined ? "" : `/step/${step}`}`;
}
