/**
 * A running kernel that can be waited for without `await`: machines and the
 * shrinker run program after program in plain loops.
 *
 * A worker has the kernel (`linux.ts`); programs and reports lie in memory that
 * both share, and who waits sleeps on a word of it.
 *
 * @module
 */
import { InputError } from "../core/program/input_error.ts";
import { STEP_WORDS } from "../core/program/program.ts";
import { type Header, PROGRAM_WORDS } from "./linux.ts";

/** Words for the programs of one batch. */
export const SYNC_IN_WORDS: number = 1 << 19;
/** Words for its reports. */
export const SYNC_OUT_WORDS: number = 8 << 20;
/** Words of the shared head: state, programs, programs that were run. */
export const S_STATE = 0;
/** Programs of the batch. */
export const S_PROGRAMS = 1;
/** Programs of it that were run. */
export const S_RAN = 2;
/** Nothing runs. */
export const IDLE = 0;
/** A batch runs. */
export const RUNNING = 1;
/** The kernel failed; why is posted. */
export const FAILED = 2;

/** What the worker is told first. */
export interface Boot {
  readonly binary: string;
  readonly head: SharedArrayBuffer;
  readonly in: SharedArrayBuffer;
  readonly out: SharedArrayBuffer;
}

/** What runs batches of programs: a kernel, or what plays one in tests. */
export interface BatchRunner {
  /** The batch: header and steps of each program. It stays until the next program is added. */
  readonly in: Int32Array;
  /** Reports of the last batch. */
  readonly out: Int32Array;
  /** Adds a program; answers the word of {@linkcode in} at which its header lies. */
  add(header: Header, code: Int32Array): number;
  /** Starts the batch. */
  start(): void;
  /** Waits for the batch; its reports are in {@linkcode out} then. */
  wait(): void;
}

/** One kernel. */
export class SyncLinux implements BatchRunner {
  readonly #worker: Worker;
  readonly #head: Int32Array;
  /** The batch: header and steps of each program. It stays until the next program is added. */
  readonly in: Int32Array;
  /** Reports of the last batch. */
  readonly out: Int32Array;
  #words = 0;
  #programs = 0;
  #ran = true;

  private constructor(worker: Worker, boot: Boot) {
    this.#worker = worker;
    this.#head = new Int32Array(boot.head);
    this.in = new Int32Array(boot.in);
    this.out = new Int32Array(boot.out);
  }

  /** Boots a kernel. */
  static async boot(binary: string): Promise<SyncLinux> {
    const boot: Boot = {
      binary,
      head: new SharedArrayBuffer(64),
      in: new SharedArrayBuffer(SYNC_IN_WORDS * 4),
      out: new SharedArrayBuffer(SYNC_OUT_WORDS * 4),
    };
    const worker = new Worker(new URL("./linux_worker.ts", import.meta.url), { type: "module" });
    const said = await new Promise<string>((resolve, reject) => {
      worker.onmessage = (event) => resolve(event.data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
      worker.postMessage(boot);
    });
    if (said !== "ready") {
      worker.terminate();
      throw new InputError(said);
    }
    return new SyncLinux(worker, boot);
  }

  /** Programs of the batch so far. */
  get programs(): number {
    return this.#ran ? 0 : this.#programs;
  }

  /** Adds a program; answers the word of {@linkcode in} at which its header lies. */
  add(header: Header, code: Int32Array): number {
    if (this.#ran) {
      this.#words = 0;
      this.#programs = 0;
      this.#ran = false;
    }
    const at = this.#words;
    const to = this.in;
    to[at] = header.steps;
    to[at + 1] = header.pages;
    to[at + 2] = header.arch;
    to[at + 3] = header.slots;
    to[at + 4] = header.area;
    to[at + 5] = header.pgdList;
    to[at + 6] = header.events ?? 0;
    to[at + 7] = header.flags;
    to.set(code.subarray(0, header.steps * STEP_WORDS), at + PROGRAM_WORDS);
    this.#words = at + PROGRAM_WORDS + header.steps * STEP_WORDS;
    this.#programs++;
    return at;
  }

  /** Starts the batch. */
  start(): void {
    this.#ran = true;
    this.#head[S_PROGRAMS] = this.#programs;
    Atomics.store(this.#head, S_STATE, RUNNING);
    this.#worker.postMessage("run");
  }

  /** Waits for the batch; its reports are in {@linkcode out} then. */
  wait(): void {
    while (Atomics.load(this.#head, S_STATE) === RUNNING) Atomics.wait(this.#head, S_STATE, RUNNING);
    if (Atomics.load(this.#head, S_STATE) === FAILED) throw new Error("the kernel ended in the middle of a batch");
    if (this.#head[S_RAN]! < this.#programs) {
      throw new Error("the kernel's reports had no room; a batch has to be smaller");
    }
  }

  /** Ends the kernel. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#worker.onmessage = () => resolve();
      this.#worker.postMessage("close");
    });
    this.#worker.terminate();
  }
}
