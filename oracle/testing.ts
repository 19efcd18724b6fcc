/**
 * A kernel on paper: it answers a trace the way the driver does, with another
 * instance of the model in the place of Linux. What a test changes in it, a
 * comparison has to find.
 *
 * @module
 */
import { CHECKS } from "../core/kernel/checks.ts";
import { createKernel } from "../core/kernel/create.ts";
import type { KernelFunctions } from "../core/kernel/kernel.ts";
import {
  EV_BAD_PAGE,
  EV_BATCH_FREE,
  EV_BATCH_PAGE,
  EV_DEFERRED,
  EV_DTOR,
  EV_GATHER_PUT,
  EV_IPI,
  EV_QUEUED,
  EV_TABLE,
  EV_TLB_FLUSH,
  EV_WARN,
  EVENT_WORDS,
} from "../core/memory/events.ts";
import { AREA_NR, areaWord, NR_ORDERS, Z_CHARGED, Z_FREE, Z_MANAGED, Z_PAGETABLE } from "../core/memory/mem_map.ts";
import { NULL, PAGE_SHIFT, PAGE_WORDS } from "../core/memory/words.ts";
import { RUN } from "../core/program/bindings.ts";
import { OP_AT } from "../core/program/calls.ts";
import type { MachineOptions } from "../core/program/machine.ts";
import { FIRST_SLOT, STEP_WORDS } from "../core/program/program.ts";
import { OP_NOTHING, type Trace } from "../core/program/trace.ts";

/** Words of a text as the driver writes them. */
function text(out: number[], said: string): void {
  const bytes = new TextEncoder().encode(said);
  const words = new Int32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  out.push(bytes.length, ...words);
}

/** Events inside a gather as the driver reports them. */
const INSIDE: Readonly<Record<number, number>> = {
  [EV_BATCH_PAGE]: 3,
  [EV_BATCH_FREE]: 4,
  [EV_GATHER_PUT]: 5,
  [EV_TABLE]: 6,
  [EV_QUEUED]: 8,
  [EV_TLB_FLUSH]: 9,
  [EV_IPI]: 10,
  [EV_DTOR]: 11,
  [EV_DEFERRED]: 13,
};
const E_NR_FREE = 7;
const E_POINT = 12;

/** What stands behind the first number of an event: how many bytes, and these. */
function argumentsOf(kind: number, b: number, c: number): number[] {
  if (kind === EV_TLB_FLUSH) return [8, b, c];
  return kind === EV_QUEUED || kind === EV_GATHER_PUT ? [4, b] : [0];
}

/**
 * What the driver reports of a trace.
 *
 * @param inside what happens inside a gather, and the free lists' counts, are reported too
 */
export function paperReport(
  options: MachineOptions,
  trace: Pick<Trace, "code" | "words">,
  changed: Partial<KernelFunctions> = {},
  inside = false,
): Int32Array {
  const k = createKernel(options.kernel, options, changed);
  k.reset();
  const code = trace.code;
  const slots = new Int32Array(4096).fill(NULL);
  for (let i = 0; i < FIRST_SLOT; i++) slots[i] = i;
  const shadow = k.mem.slice(0, k.nrPages * PAGE_WORDS);
  const out: number[] = [];
  let armed = -1;
  const run = (at: number): number => {
    const value = (i: number) => {
      const number = code[at + 2 + i]!;
      if ((code[at + 6]! & (1 << i)) === 0) return number;
      return slots[number]! +
        (((code[at + 5]! >> (10 * i)) & 1023) << ((code[at + 7]! & (1 << i)) !== 0 ? PAGE_SHIFT : 0));
    };
    const result = RUN[code[at]!]!(k, { a: value(0), b: value(1), c: value(2) });
    if (code[at + 1]! >= 0) slots[code[at + 1]!] = result;
    return result;
  };
  let points = 0;
  k.atPoint = () => {
    points++;
    const at = armed;
    armed = -1;
    if (at >= 0 && code[at] !== OP_NOTHING) run(at);
  };
  for (let at = 0; at < trace.words; at += STEP_WORDS) {
    k.nEvents = 0;
    let result = 0;
    if (code[at] === OP_AT) {
      k.armed = code[at + 2]!;
      armed = at + STEP_WORDS;
      at += STEP_WORDS;
    } else {
      try {
        result = run(at);
      } catch (error) {
        if (error !== k.bug) throw error;
        const check = CHECKS[k.bugCheck]!;
        out.push(3, at / STEP_WORDS, 0, 0);
        text(out, `VM_BUG_ON_${check.text.includes("folio") ? "FOLIO" : "PAGE"}(${check.text})`);
        out.push(0, 0);
        text(out, `mm/page_alloc.c:1/${check.fn}()!`);
        return Int32Array.from(out);
      }
    }
    const said: number[] = [];
    let n = 0;
    for (let i = 0; i < k.nEvents; i++) {
      const [kind, page, check, last] = k.events.subarray(i * EVENT_WORDS);
      if (INSIDE[kind!] !== undefined && (inside || kind === EV_TLB_FLUSH || kind === EV_IPI)) {
        n++;
        said.push(INSIDE[kind!]!, page!, ...argumentsOf(kind!, check!, last!));
      }
      if (kind !== EV_BAD_PAGE && kind !== EV_WARN) continue;
      n++;
      said.push(kind === EV_WARN ? 2 : 1, page!);
      const { fn, text: words } = CHECKS[check!]!;
      text(said, kind === EV_WARN ? `CPU: 0 PID: 1 at mm/page_alloc.c:1 ${fn}+0x1/0x2` : words);
    }
    if (inside) {
      for (; points > 0; points--, n++) said.push(E_POINT, 0, 0);
      n++;
      said.push(E_NR_FREE, 0, NR_ORDERS * 4);
      for (let order = 0; order < NR_ORDERS; order++) said.push(k.mem[areaWord(k.lowZone, order) + AREA_NR]!);
    }
    out.push(1, n, ...said, result);
    out.push(
      k.mem[k.lowZone + Z_FREE]! + k.mem[k.highZone + Z_FREE]!,
      k.mem[k.lowZone + Z_MANAGED]!,
      k.mem[k.lowZone + Z_PAGETABLE]!,
      k.mem[k.lowZone + Z_CHARGED]!,
    );
    const pages: number[] = [];
    for (let page = 0; page < k.nrPages; page++) {
      const words = k.mem.subarray(page * PAGE_WORDS, (page + 1) * PAGE_WORDS);
      if (words.every((w, i) => w === shadow[page * PAGE_WORDS + i])) continue;
      shadow.set(words, page * PAGE_WORDS);
      pages.push(page | k.mem[k.map.contents + page]! << 16, ...words);
    }
    out.push(pages.length / (1 + PAGE_WORDS), ...pages);
  }
  out.push(2);
  return Int32Array.from(out);
}
