/**
 * The page map: each page of the zone in a square. Rows whose pages are free at
 * every step are left out and said.
 *
 * A square says by its letter which block it is in (capital: the block's first
 * page), by its colour and shape what state it is in, below that its
 * `_refcount`; a corner marks a head, a bar a tail, as the raw words say. A
 * free block shows its order.
 *
 * @module
 */
/// <reference lib="dom" />
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { COL_BLOCK, COL_FREE_ORDER, COL_STATE, FREE, PAGE_STATES } from "../../core/program/steps/columns.ts";
import type { StepReader } from "../../core/program/steps/reader.ts";
import { W_COMPOUND_HEAD, W_FLAGS, W_REFCOUNT } from "../../core/memory/words.ts";
import { blockLetter } from "./text.ts";

interface Props {
  readonly reader: StepReader;
  readonly at: number;
  readonly page: number;
  readonly onHover: (page: number | undefined) => void;
  readonly onPin: (page: number) => void;
}

/** Squares a row, by the room there is. */
function columnsFor(width: number): number {
  return width >= 860 ? 64 : width >= 420 ? 32 : 16;
}

const CLASSES = ["free", "granted", "reserved", "queued", "given", "batch", "lost"];

/** The map. */
export function PageMap({ reader, at, page, onHover, onPin }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [columns, setColumns] = useState(32);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setColumns(columnsFor(entry!.contentRect.width)));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  const { pages } = reader.program;
  const rows = useMemo(() => {
    const busy = reader.busyRows(columns);
    return busy.length > 0 ? busy : [0];
  }, [reader, columns]);
  const all = Math.ceil(pages / columns);

  const focus = (pfn: number) => {
    onPin(pfn);
    box.current?.querySelector<HTMLElement>(`[data-page="${pfn}"]`)?.focus();
  };
  const onKey = (event: KeyboardEvent) => {
    const shown = rows.flatMap((row) => Array.from({ length: columns }, (_, i) => row * columns + i));
    const here = shown.indexOf(page);
    const move: Record<string, number> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: columns,
      ArrowUp: -columns,
      Home: -here,
      End: shown.length - 1 - here,
    };
    const by = move[event.key];
    const to = by === undefined ? undefined : shown[here + by];
    if (by === undefined) return;
    event.preventDefault();
    if (to !== undefined && to < pages) focus(to);
  };
  const over = (event: Event) => {
    const square = (event.target as HTMLElement).closest<HTMLElement>("[data-page]");
    return square === null ? undefined : Number(square.dataset["page"]);
  };
  const walked = new Set(reader.walkers().flatMap((w) => w.pages));
  const inMap = rows.includes(Math.floor(page / columns));
  return (
    <div class="map" ref={box} data-at={at}>
      <div
        role="grid"
        aria-label="Page map"
        aria-rowcount={all}
        style={{ "--columns": columns }}
        onKeyDown={onKey}
        onMouseOver={(e) => onHover(over(e))}
        onMouseLeave={() => onHover(undefined)}
        onClick={(e) => {
          const pfn = over(e);
          if (pfn !== undefined) focus(pfn);
        }}
      >
        {rows.map((row) => (
          <div role="row" key={row} aria-rowindex={row + 1} class="row">
            <span role="rowheader" class="pfn">{row * columns}</span>
            {Array.from({ length: Math.min(columns, pages - row * columns) }, (_, i) => {
              const pfn = row * columns + i;
              return (
                <Square
                  key={pfn}
                  reader={reader}
                  pfn={pfn}
                  current={pfn === page}
                  tab={inMap ? pfn === page : pfn === rows[0]! * columns}
                  walked={walked.has(pfn)}
                />
              );
            })}
          </div>
        ))}
      </div>
      {rows.length < all && (
        <p class="rest">The other {pages - rows.length * columns} of {pages} pages stay free throughout.</p>
      )}
      <Legend reader={reader} walked={walked.size > 0} />
    </div>
  );
}

function Square({ reader, pfn, current, tab, walked }: {
  readonly reader: StepReader;
  readonly pfn: number;
  readonly current: boolean;
  readonly tab: boolean;
  readonly walked: boolean;
}): JSX.Element {
  const state = reader.column(pfn, COL_STATE);
  const order = reader.column(pfn, COL_FREE_ORDER);
  const id = reader.column(pfn, COL_BLOCK);
  const block = reader.program.blocks[id];
  const refs = reader.column(pfn, W_REFCOUNT);
  const head = isHead(reader, pfn);
  const tail = (reader.column(pfn, W_COMPOUND_HEAD) & 1) !== 0;
  const first = block !== undefined && block.first === pfn;
  const letter = block === undefined ? "" : first ? blockLetter(id) : blockLetter(id).toLowerCase();
  const text = state === FREE ? (order >= 0 ? String(order) : "") : letter;
  const classes = [
    "page",
    CLASSES[state],
    state === FREE && order >= 0 ? "begins" : "",
    first && state !== FREE ? "first" : "",
    head ? "head" : "",
    tail ? "tail" : "",
    walked ? "walked" : "",
    reader.touched.has(pfn) ? "touched" : "",
    current ? "current" : "",
  ];
  return (
    <span
      role="gridcell"
      class={classes.filter((c) => c !== "").join(" ")}
      data-page={pfn}
      tabIndex={tab ? 0 : -1}
      aria-selected={current}
      aria-label={pageLabel(reader, pfn)}
    >
      {/* Drawn by the style sheet: what is read out is the label, which says more than this. */}
      <span data-drawn={text} />
      <small data-drawn={state === FREE || refs === 0 ? "" : refs} />
    </span>
  );
}

/** Whether the words say that a page is a head. */
export function isHead(reader: StepReader, pfn: number): boolean {
  const bit = reader.program.layout.flagNames.indexOf("head");
  return bit >= 0 && ((reader.column(pfn, W_FLAGS) >>> bit) & 1) === 1;
}

/** A page in words. */
export function pageLabel(reader: StepReader, pfn: number): string {
  const state = reader.column(pfn, COL_STATE);
  const order = reader.column(pfn, COL_FREE_ORDER);
  const block = reader.program.blocks[reader.column(pfn, COL_BLOCK)];
  if (state === FREE) return `page ${pfn}: free${order >= 0 ? `, first of a block of order ${order}` : ""}`;
  const where = block === undefined ? "" : `, ${block.name}${pfn === block.first ? "" : `+${pfn - block.first}`}`;
  return `page ${pfn}: ${PAGE_STATES[state]!.name}${where}, _refcount ${reader.column(pfn, W_REFCOUNT)}`;
}

function Legend({ reader, walked }: { readonly reader: StepReader; readonly walked: boolean }): JSX.Element {
  const counts = reader.counts();
  return (
    <ul class="legend" aria-label="What the squares mean, and how many there are">
      {PAGE_STATES.map((state, i) =>
        counts[i] === 0 ? null : (
          <li key={i} title={state.words}>
            <span class={`page ${CLASSES[i]}`} aria-hidden="true" /> {counts[i]} {state.name}
          </li>
        )
      )}
      <li>
        <span class="page granted first head" aria-hidden="true">A</span> head
      </li>
      <li>
        <span class="page granted tail" aria-hidden="true">a</span> tail
      </li>
      {walked && (
        <li>
          <span class="page granted walked" aria-hidden="true" /> a walker sees it
        </li>
      )}
      <li>below the letter: _refcount; on a free block: its order</li>
    </ul>
  );
}
