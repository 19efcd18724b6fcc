/**
 * The page under the pointer: its words under their three names, and what the
 * ledger says beside them.
 *
 * @module
 */
/// <reference lib="dom" />
import type { JSX } from "preact";
import {
  COL_BLOCK,
  COL_CONTENTS,
  COL_ENV_REFS,
  COL_GATHER,
  COL_LINK,
  COL_REFS,
  COL_STATE,
  CONTENTS,
  FREE,
  LINKS,
  LOST,
  PAGE_STATES,
  QUEUED,
} from "../../core/program/steps/columns.ts";
import type { StepReader } from "../../core/program/steps/reader.ts";
import { W_COMPOUND_HEAD, W_REFCOUNT } from "../../core/memory/words.ts";
import { isHead, pageLabel } from "./page_map.tsx";

/** Words and ledger of a page. */
export function Words({ reader, page }: { readonly reader: StepReader; readonly page: number }): JSX.Element {
  const { ptdesc } = reader.program.layout;
  return (
    <div class="words">
      <h2>{pageLabel(reader, page)}</h2>
      <div class="scroll" tabIndex={0} role="group" aria-label={`Words of page ${page}`}>
        <table>
          <thead>
            <tr>
              <th scope="col" class="number">Byte</th>
              <th scope="col">struct page</th>
              <th scope="col">struct folio</th>
              {ptdesc !== null && <th scope="col">struct ptdesc</th>}
              <th scope="col">Bits</th>
              <th scope="col">Meaning</th>
            </tr>
          </thead>
          <tbody>
            {reader.rows(page).map((row) => (
              <tr key={row.offset}>
                <th scope="row" class="number">{row.offset}</th>
                <td>{row.page}</td>
                <td>{row.folio}</td>
                {ptdesc !== null && <td>{row.ptdesc}</td>}
                <td class="bits">{row.raw}</td>
                <td>{row.meaning}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Ledger reader={reader} page={page} />
    </div>
  );
}

interface Row {
  readonly what: string;
  /** What the ledger expects. */
  readonly expected: string;
  /** What memory says. */
  readonly seen: string;
  readonly differs: boolean;
}

function ledgerRows(reader: StepReader, pfn: number): Row[] {
  const state = reader.column(pfn, COL_STATE);
  const block = reader.program.blocks[reader.column(pfn, COL_BLOCK)];
  const refs = reader.column(pfn, COL_REFS);
  const env = reader.column(pfn, COL_ENV_REFS);
  const raw = reader.column(pfn, W_REFCOUNT);
  const held = state !== FREE && state !== LOST;
  const gather = reader.gathers().find((g) => g.id === reader.column(pfn, COL_GATHER));
  const owner = block === undefined
    ? "nobody"
    : `${block.name}, ${pfn === block.first ? "first page" : `page ${pfn - block.first + 1}`} of ${block.pages}`;
  const compound = isHead(reader, pfn)
    ? "head"
    : (reader.column(pfn, W_COMPOUND_HEAD) & 1) !== 0
    ? "tail"
    : "neither head nor tail";
  const wanted = !held || block === undefined || !block.compound || block.pages === 1
    ? "neither head nor tail"
    : pfn === block.first
    ? "head"
    : "tail";
  const inGather = state !== QUEUED
    ? ""
    : gather === undefined
    ? "; it waits for a grace period"
    : `; it is queued in ${gather.name}`;
  return [
    {
      what: "owner",
      expected: state === FREE ? "free" : state === LOST ? `nobody; it was ${owner}` : owner,
      seen: state === FREE ? "in a free block" : "in no free block",
      differs: state === LOST,
    },
    {
      what: "state",
      expected: `${PAGE_STATES[state]!.name}: ${PAGE_STATES[state]!.words}${inGather}`,
      seen: "",
      differs: false,
    },
    ...(held
      ? [
        {
          what: "_refcount",
          expected: `${refs}${env > 0 ? `, ${env} of them the environment's` : ""}`,
          seen: String(raw),
          differs: refs !== raw,
        },
        { what: "compound", expected: wanted, seen: compound, differs: wanted !== compound },
        {
          what: "granted by",
          expected: block === undefined ? "" : `${block.family}, order ${block.order}`,
          seen: "",
          differs: false,
        },
        { what: "as a table", expected: LINKS[reader.column(pfn, COL_LINK)] ?? "", seen: "", differs: false },
        { what: "contents", expected: "", seen: CONTENTS[reader.column(pfn, COL_CONTENTS)] ?? "", differs: false },
      ]
      : []),
  ];
}

function Ledger({ reader, page }: { readonly reader: StepReader; readonly page: number }): JSX.Element {
  return (
    <table class="ledger">
      <caption>What the ledger says, and what memory says</caption>
      <thead>
        <tr>
          <th scope="col">
            <span class="hidden">What</span>
          </th>
          <th scope="col">Ledger</th>
          <th scope="col">Memory</th>
        </tr>
      </thead>
      <tbody>
        {ledgerRows(reader, page).map((row) => (
          <tr key={row.what} class={row.differs ? "differs" : ""}>
            <th scope="row">{row.what}</th>
            <td>{row.expected}</td>
            <td>{row.seen}{row.differs && " (differs)"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
