/**
 * Blocks by owner: what was granted, to whom, and what became of it.
 *
 * @module
 */
/// <reference lib="dom" />
import type { JSX } from "preact";
import { COL_BLOCK, COL_STATE, FREE, PAGE_STATES } from "../../core/program/steps/columns.ts";
import type { StepReader } from "../../core/program/steps/reader.ts";
import { W_REFCOUNT } from "../../core/memory/words.ts";
import { blockLetter, count } from "./text.ts";

/** Blocks that are listed; the rest are counted. */
const LISTED = 40;
/** Pages whose references are written out. */
const REFS = 8;

interface Props {
  readonly reader: StepReader;
  readonly onPage: (page: number) => void;
}

/** The table of blocks that hold a page now. */
export function Blocks({ reader, onPage }: Props): JSX.Element {
  const live = new Map<number, number[]>();
  for (let pfn = 0; pfn < reader.program.pages; pfn++) {
    const id = reader.column(pfn, COL_BLOCK);
    if (id < 0 || reader.column(pfn, COL_STATE) === FREE) continue;
    const pages = live.get(id);
    if (pages === undefined) live.set(id, [pfn]);
    else pages.push(pfn);
  }
  const rows = [...live].sort(([a], [b]) => a - b);
  return (
    <div class="blocks">
      <h2 id="blocks">Blocks by owner</h2>
      {rows.length === 0
        ? <p>Nothing is granted.</p>
        : (
          <div class="scroll" tabIndex={0} role="group" aria-labelledby="blocks">
            <table>
              <thead>
                <tr>
                  <th scope="col">Block</th>
                  <th scope="col">pfn</th>
                  <th scope="col">Granted</th>
                  <th scope="col">Now</th>
                  <th scope="col">_refcount</th>
                </tr>
              </thead>
              <tbody>
                {rows.slice(0, LISTED).map(([id, pages]) => {
                  const block = reader.program.blocks[id]!;
                  return (
                    <tr key={id}>
                      <th scope="row">
                        <button type="button" onClick={() => onPage(pages[0]!)}>
                          {blockLetter(id)} = {block.name}
                        </button>
                      </th>
                      <td>{pages.length === 1 ? pages[0] : `${pages[0]}-${pages.at(-1)}`}</td>
                      <td>
                        order {block.order} of {block.family}
                        {block.pages > 1 && (block.compound ? ", compound" : ", not compound")}
                      </td>
                      <td>{stateWords(reader, pages)}</td>
                      <td>
                        {pages.slice(0, REFS).map((pfn) => reader.column(pfn, W_REFCOUNT)).join(" ")}
                        {pages.length > REFS && " ..."}
                      </td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        )}
      {rows.length > LISTED && <p>and {count(rows.length - LISTED, "more block")}</p>}
    </div>
  );
}

function stateWords(reader: StepReader, pages: readonly number[]): string {
  const counts = new Map<number, number>();
  for (const pfn of pages) {
    const state = reader.column(pfn, COL_STATE);
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return [...counts].map(([state, n]) => `${n} ${PAGE_STATES[state]!.name}`).join(", ");
}
