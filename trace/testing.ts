/**
 * What the tests of this place share: recordings written by hand, and the
 * shipped ones.
 *
 * @module
 */
import { CORPUS_DIRECTORY } from "../corpus/files.ts";
import type { Recording, ReportedFinding, Result } from "../corpus/result.ts";
import { type LoadedDiscipline, selectDisciplines } from "../fuzz/cells.ts";
import type { Said } from "./attribute.ts";
import { readRecording } from "./input.ts";
import { resultOf, type Traced, traceRecording } from "./run_trace.ts";

let catalogue: readonly LoadedDiscipline[] | undefined;

/** The shipped disciplines. */
function shippedDisciplines(): readonly LoadedDiscipline[] {
  return catalogue ??= selectDisciplines([]);
}

/** The text of a shipped recording. */
export async function shippedText(name: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  await readRecording(`${CORPUS_DIRECTORY}/traces/${name}.trace.gz`, (bytes) => {
    text += decoder.decode(bytes, { stream: true });
  });
  return text;
}

/** Checks recordings that are text, or bytes. */
export async function traceTexts(
  texts: readonly (string | Uint8Array<ArrayBuffer>)[],
  said: Said = {},
): Promise<Result> {
  const loaded = shippedDisciplines();
  const all: Traced[] = [];
  for (const text of texts) {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    const read = (push: (bytes: Uint8Array) => void) => {
      push(bytes);
      return Promise.resolve(true);
    };
    all.push(await traceRecording("test.trace", read, said, loaded.map((l) => l.discipline)));
  }
  return resultOf(all, loaded);
}

/** Checks a recording that is text, or bytes. */
export function traceText(text: string | Uint8Array<ArrayBuffer>, said: Said = {}): Promise<Result> {
  return traceTexts([text], said);
}

/** The only recording of a result. */
export function only(result: Result): Recording {
  const [recording, ...others] = result.recordings;
  if (recording === undefined || others.length > 0) throw new Error("one recording was wanted");
  return recording;
}

/** Findings as `invariant by call`, sorted, each once. */
export function findingNames(findings: readonly ReportedFinding[]): string[] {
  return [...new Set(findings.filter((f) => !f.expected).map((f) => `${f.invariant} by ${f.call}`))].sort();
}

/** How a written event stands: CPU, and `.` task, `s` softirq, `h` hardirq. */
export interface Where {
  readonly cpu?: number;
  readonly context?: "." | "s" | "h";
}

/** Writes recordings. */
export class Script {
  readonly #lines: string[] = [];
  #entries = 0;
  #cpus = 1;
  #time = 1_000_000;

  /** An entry: an event, or what else the prefix stands before. */
  entry(text: string, { cpu = 0, context = "." }: Where = {}): this {
    const stamp = `${Math.floor(this.#time / 1e6)}.${String(this.#time % 1e6).padStart(6, "0")}`;
    this.#time += 7;
    this.#entries++;
    this.#cpus = Math.max(this.#cpus, cpu + 1);
    return this.line(`            init-1       [${String(cpu).padStart(3, "0")}] ..${context}..    ${stamp}: ${text}`);
  }

  alloc(pfn: number, order: number, flags?: string, where?: Where): this {
    const page = `page=00000000deadbeef pfn=0x${pfn.toString(16)} order=${order}`;
    return this.entry(`mm_page_alloc: ${page} migratetype=0 gfp_flags=${flags ?? "GFP_KERNEL"}`, where);
  }

  free(pfn: number, order: number, where?: Where): this {
    return this.entry(`mm_page_free: page=00000000deadbeef pfn=0x${pfn.toString(16)} order=${order}`, where);
  }

  /** A stack trace, innermost first. */
  stack(frames: string, where?: Where): this {
    this.entry("<stack trace>", where);
    for (const frame of frames.split(" ")) this.line(` => ${frame}`);
    return this;
  }

  /** Any line. */
  line(text: string): this {
    this.#lines.push(text);
    return this;
  }

  /** The recording, with ftrace's header, which counts so many entries more than there are. */
  text(more = 0): string {
    const n = this.#entries + more;
    return [
      "# tracer: nop",
      "#",
      `# entries-in-buffer/entries-written: ${n}/${n}   #P:${this.#cpus}`,
      "#",
      ...this.#lines,
      "",
    ]
      .join("\n");
  }

  /** The same without a header, as trace_pipe gives it. */
  pipe(): string {
    return [...this.#lines, ""].join("\n");
  }
}

/** A stack of s390's crst_table_alloc on 6.12. */
export const CRST_ALLOC = "__alloc_pages_noprof crst_table_alloc __pmd_alloc copy_page_range";
/** How a crst goes through the gather. */
export const RCU_FREE = "free_unref_page tlb_remove_table_rcu rcu_core handle_softirqs";
/** How a pgd goes. */
export const MMDROP_FREE = "free_unref_page __mmdrop finish_task_switch.isra.0 schedule";
/** Flags of 6.12's crst. */
export const CRST_FLAGS = "GFP_KERNEL_ACCOUNT|__GFP_COMP";
