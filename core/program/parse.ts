/**
 * Program text into the flat form.
 *
 *     # a comment
 *     kernel v2                                    headers
 *     arch s390
 *     p0 = alloc_pages(GFP_KERNEL, 2)              steps, one a line
 *     at __free_pages:after_put env put_page(p0)
 *     repeat 3 put_page(p0)
 *     finding page-leak at 2 (3 pages): words      claims
 *
 * Whatever is wrong is an {@linkcode InputError} that names file, line, column
 * and what would be right.
 *
 * @module
 */
import { ARCHS, CONFIGS, kernelNames, parseKernelName } from "../kernel/names.ts";
import type { KernelName } from "../kernel/names.ts";
import { invariantById, INVARIANTS } from "../ledger/invariants.ts";
import { notOneOf } from "./did_you_mean.ts";
import { InputError } from "./input_error.ts";
import type { Where } from "./input_error.ts";
import { MAX_ORDER_OPERAND } from "./operands.ts";
import { finishDraft, parseStep } from "./parse_step.ts";
import type { Draft } from "./parse_step.ts";
import { DEFAULT_PAGES, MAX_PAGES, MIN_PAGES, MM_SLOTS } from "./program.ts";
import type { Claim, Program, Slot } from "./program.ts";
import { Scanner } from "./scan.ts";

/** The longest text that is read, in bytes. */
export const MAX_TEXT_BYTES: number = 4 * 1024 * 1024;

/** The slots that every program has. */
export const MM_SLOT_TABLE: readonly Slot[] = Object.freeze(
  MM_SLOTS.map((name): Slot => Object.freeze({ name, kind: "mm", isConst: false })),
);

/** How {@linkcode parseLines} reads its lines. */
export interface LinesOptions {
  /** The kernel whose calls the lines may make. */
  readonly kernel: string;
  /** The place of a line and column of the text, both from 1. */
  readonly place: (line: number, column: number) => Where;
  /** What the text is, for messages (`[free.vm-destroy]`); default nothing. */
  readonly subject?: string;
  /** Slots that there are already; default the mms. */
  readonly slots?: readonly Slot[];
  /** Names that the lines may use without defining them, with their slots; default the mms. */
  readonly names?: ReadonlyMap<string, number>;
  /** Whether environment steps may stand there; default `false`. */
  readonly env?: boolean;
  /** The largest order; default {@linkcode MAX_ORDER_OPERAND}. */
  readonly maxOrder?: number;
}

/** Lines in flat form. */
export interface Lines {
  /** The steps. */
  readonly code: Int32Array;
  /** The slots that there were, and behind them those of the lines' own names. */
  readonly slots: readonly Slot[];
  /** Every name that is visible behind the last line, with its slot. */
  readonly names: ReadonlyMap<string, number>;
  /** Names that the lines use without defining them, the mms left out. */
  readonly takes: readonly string[];
}

const MM_NAMES: ReadonlyMap<string, number> = new Map(MM_SLOTS.map((name, slot) => [name, slot]));

function newDraft(kernel: KernelName, options: Partial<LinesOptions>): Draft {
  return {
    kernel,
    maxOrder: options.maxOrder ?? MAX_ORDER_OPERAND,
    env: options.env ?? false,
    code: [],
    slots: [...(options.slots ?? MM_SLOT_TABLE)],
    byName: new Map(options.names ?? MM_NAMES),
    defined: new Set(),
    takes: new Set(),
    steps: 0,
    executed: 0,
    repeat: undefined,
  };
}

/** The kernel of that name, or a sentence that says which there are. */
export function kernelOf(name: string, where?: Where): KernelName {
  const kernel = parseKernelName(name);
  if (kernel === undefined) throw new InputError(notOneOf(name, "a kernel", kernelNames()), where);
  return kernel;
}

/** Reads steps that are a part of something else: no headers, no claims. */
export function parseLines(text: string, options: LinesOptions): Lines {
  const draft = newDraft(kernelOf(options.kernel), options);
  text.split("\n").forEach((line, i) => {
    const scan = new Scanner(line, (column) => options.place(i + 1, column), options.subject);
    if (!scan.done()) parseStep(draft, scan);
  });
  finishDraft(draft);
  return { code: Int32Array.from(draft.code), slots: draft.slots, names: draft.byName, takes: [...draft.takes] };
}

interface Headers {
  kernel: KernelName | undefined;
  arch: string | undefined;
  config: string[] | undefined;
  pages: number | undefined;
}

/** Reads a line that begins with this word into the headers. */
const HEADERS: Readonly<Record<keyof Headers, (headers: Headers, scan: Scanner) => void>> = {
  kernel: (headers, scan) => {
    const [name, where] = nameOf(scan, "a kernel", kernelNames());
    headers.kernel = parseKernelName(name);
    if (headers.kernel === undefined) scan.fail(notOneOf(name, "a kernel", kernelNames()), where);
  },
  arch: (headers, scan) => {
    const [name, where] = nameOf(scan, "an architecture", ARCHS);
    if (!ARCHS.includes(name)) scan.fail(notOneOf(name, "an architecture", ARCHS), where);
    headers.arch = name;
  },
  config: (headers, scan) => {
    headers.config = [];
    do {
      const [name, where] = nameOf(scan, "an option", Object.keys(CONFIGS));
      if (!Object.hasOwn(CONFIGS, name)) scan.fail(notOneOf(name, "an option", Object.keys(CONFIGS)), where);
      if (headers.config.includes(name)) scan.fail(`'${name}' stands here twice`, where);
      headers.config.push(name);
    } while (!scan.done());
    headers.config.sort();
  },
  pages: (headers, scan) => {
    const column = scan.column();
    const pages = scan.number("the number of pages", MIN_PAGES, MAX_PAGES);
    if ((pages & (pages - 1)) !== 0) scan.fail(`the number of pages is ${pages}; it must be a power of two`, column);
    headers.pages = pages;
  },
};

function nameOf(scan: Scanner, what: string, names: readonly string[]): [name: string, column: number] {
  const column = scan.column();
  const name = scan.token();
  if (name === "") scan.fail(`${what} must stand here: ${names.join(", ")}`, column);
  return [name, column];
}

function isHeader(word: string): word is keyof Headers {
  return Object.hasOwn(HEADERS, word);
}

/** Reads what stands behind `finding`. */
function parseClaim(scan: Scanner, steps: number): Claim {
  if (steps === 0) scan.fail("a finding needs a step above it", 1);
  const column = scan.column();
  const invariant = /^[\w-]*/.exec(scan.rest())?.[0] ?? "";
  scan.eat(invariant);
  if (invariantById(invariant) === undefined) {
    scan.fail(notOneOf(invariant, "an invariant", INVARIANTS.map((i) => i.id)), column);
  }
  if (scan.word() !== "at") scan.fail(`'at' and the number of a step must stand behind '${invariant}'`);
  const step = scan.number("the number of the step", 1, steps);
  let pages = 0;
  if (scan.eat("(")) {
    pages = scan.number("the number of pages", 1, MAX_PAGES);
    const word = scan.word();
    if ((word !== "page" && word !== "pages") || !scan.eat(")")) scan.fail("'pages)' must stand behind their number");
  }
  if (scan.eat(":")) return { invariant, step, pages, words: scan.rest().trim() };
  scan.end("a finding but ': words'");
  return { invariant, step, pages, words: "" };
}

/**
 * Reads a program.
 *
 * @param text the text
 * @param file its name, for messages
 */
export function parseProgram(text: string, file: string): Program {
  if (text.length > MAX_TEXT_BYTES) {
    throw new InputError(`a program of more than ${MAX_TEXT_BYTES} bytes is not read`, { file });
  }
  if (text.includes("\0")) throw new InputError("this is binary, and a program is text", { file });
  const headers: Headers = { kernel: undefined, arch: undefined, config: undefined, pages: undefined };
  const comments: string[] = [];
  const claims: Claim[] = [];
  let draft: Draft | undefined;
  let begun = false;
  for (const [i, line] of text.split("\n").entries()) {
    const scan = new Scanner(line, (column) => ({ file, line: i + 1, column }));
    if (scan.done()) {
      if (!begun && scan.eat("#")) comments.push(scan.rest().replace(/^ /, "").trimEnd());
      continue;
    }
    begun = true;
    const start = scan.column();
    const word = scan.word();
    if (isHeader(word)) {
      if (draft !== undefined) scan.fail(`'${word}' must stand above the first step`, start);
      if (headers[word] !== undefined) scan.fail(`'${word}' stands here a second time`, start);
      HEADERS[word](headers, scan);
      scan.end(`'${word}'`);
      continue;
    }
    const { kernel } = headers;
    if (kernel === undefined) return scan.fail("a program begins with its kernel, such as 'kernel 6.12'", start);
    draft ??= newDraft(kernel, { env: true });
    if (word === "finding") {
      finishDraft(draft);
      claims.push(parseClaim(scan, draft.steps));
    } else {
      if (claims.length > 0) scan.fail("steps stand above the 'finding' lines", start);
      scan.pos = start - 1;
      parseStep(draft, scan);
    }
  }
  return finish(file, begun, draft, headers, comments, claims);
}

function finish(
  file: string,
  begun: boolean,
  draft: Draft | undefined,
  headers: Headers,
  comments: readonly string[],
  claims: readonly Claim[],
): Program {
  if (!begun) {
    throw new InputError("the file is empty; a program begins with its kernel, such as 'kernel 6.12'", { file });
  }
  if (draft !== undefined) finishDraft(draft);
  if (headers.kernel === undefined || draft === undefined || draft.steps === 0) {
    throw new InputError("the program has no steps below its headers, such as 'p0 = alloc_pages(GFP_KERNEL, 0)'", {
      file,
    });
  }
  return {
    comments,
    kernel: headers.kernel.name,
    arch: headers.arch ?? "generic",
    config: headers.config ?? [],
    pages: headers.pages ?? DEFAULT_PAGES,
    code: Int32Array.from(draft.code),
    slots: draft.slots,
    claims,
  };
}
