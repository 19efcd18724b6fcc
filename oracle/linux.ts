/**
 * A running kernel: user-mode Linux with the driver in it, as a child process.
 *
 * Programs go to it and reports come back through a file that both sides use;
 * a letter on its standard input says that there is a batch, a line on its
 * standard output that the batch is done.
 *
 * @module
 */
import { join } from "@std/path";
import { InputError } from "../core/program/input_error.ts";
import { STEP_WORDS } from "../core/program/program.ts";

/** Words of the file's header; see `driver/ptfuzz.c`. */
const S_BYTES = 1;
const S_IN = 2;
const S_OUT = 3;
const S_NR = 4;
const S_NEXT = 5;
const S_IN_AT = 6;
const S_OUT_AT = 7;
const S_OUT_END = 8;
const S_FULL = 9;
const S_SYM = 10;
const S_NR_SHOWN = 12;
const S_RCU = 18;
const S_WORDS = 64;
/** Words of a program's header. */
export const PROGRAM_WORDS = 8;

/** A report record: a step, the end of a program, a BUG, or a process that was killed. */
export const R_STEP = 1;
/** The program ran to its end. */
export const R_END = 2;
/** The kernel died. */
export const R_BUG = 3;
/** The process was killed: it ran for ever. */
export const R_GONE = 4;

/** Words for programs of one batch. */
const IN_WORDS = 1 << 20;
/** Words for reports of one batch. */
const OUT_WORDS = 24 << 20;

/** What the file of a batch holds. */
export interface Header {
  /** Steps that follow. */
  readonly steps: number;
  /** Pages of the zone. */
  readonly pages: number;
  /** The driver's number for the architecture. */
  readonly arch: number;
  /** Slots in use. */
  readonly slots: number;
  /** What the other side calls the zone's first free list. */
  readonly area: number;
  /** What it calls pgd_list. */
  readonly pgdList: number;
  /** What else the driver plays, a bit each. */
  readonly flags: number;
  /** Whether events inside a gather are reported too: 1, or 0. */
  readonly events?: number;
}

/** Addresses of static data that the driver needs, from the kernel's symbol table. */
function symbols(map: string): { failPageAlloc: bigint; rcu: bigint; nrShown: bigint[] } {
  let failPageAlloc = 0n;
  let rcu = 0n;
  const nrShown: bigint[] = [];
  for (const line of map.split("\n")) {
    const [address = "", , name = ""] = line.split(" ");
    if (name === "fail_page_alloc") failPageAlloc = BigInt(`0x${address}`);
    else if (name === "rcu_ctrlblk") rcu = BigInt(`0x${address}`);
    else if (/^nr_shown\.\d+$/.test(name) && nrShown.length < 2) nrShown.push(BigInt(`0x${address}`));
  }
  return { failPageAlloc, rcu, nrShown };
}

/** One kernel that runs batches. */
export class Linux {
  readonly #file: Deno.FsFile;
  readonly #dir: string;
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncGenerator<string>;
  readonly #head = new Int32Array(S_WORDS);
  /** The batch: its programs, header and steps each. What was run stays there until the next program is added. */
  readonly in: Int32Array = new Int32Array(IN_WORDS);
  #inWords = 0;
  #programs = 0;
  /** Reports of the last batch. */
  readonly out: Int32Array = new Int32Array(OUT_WORDS);
  /** Words of {@linkcode out} in use. */
  outWords = 0;
  /** Programs of the last batch that were run: fewer than were added where the reports had no room. */
  ran = 0;

  private constructor(file: Deno.FsFile, dir: string, child: Deno.ChildProcess) {
    this.#file = file;
    this.#dir = dir;
    this.#child = child;
    this.#writer = child.stdin.getWriter();
    this.#lines = lines(child.stdout);
  }

  /**
   * Boots a kernel.
   *
   * @param binary the `linux` that was built, with its System.map beside it
   * @throws {InputError} where it does not come up
   */
  static async boot(binary: string): Promise<Linux> {
    const dir = await Deno.makeTempDir({ prefix: "ptfuzz-" });
    const name = join(dir, "batch");
    const bytes = (S_WORDS + IN_WORDS + OUT_WORDS) * 4;
    const file = await Deno.open(name, { create: true, read: true, write: true });
    await file.truncate(bytes);
    const { failPageAlloc, rcu, nrShown } = symbols(await Deno.readTextFile(join(binary, "..", "System.map")));
    const head = new Int32Array(S_WORDS);
    head[S_BYTES] = bytes;
    const wide = new BigInt64Array(head.buffer);
    wide[S_SYM / 2] = failPageAlloc;
    wide[S_RCU / 2] = rcu;
    nrShown.forEach((address, i) => wide[S_NR_SHOWN / 2 + i] = address);
    file.writeSync(new Uint8Array(head.buffer));
    // A session of its own: Ctrl-C in a terminal is for ptfuzz alone, which lets the kernel end its batch.
    const child = new Deno.Command("setsid", {
      args: [binary, "mem=64M", "panic=-1", "con=null", "con0=null", "ssl=null", `uml_dir=${dir}/`, `ptfuzz=${name}`],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const linux = new Linux(file, dir, child);
    const said = await linux.#until("ptfuzz: ready");
    if (said !== undefined) {
      await linux.close();
      throw new InputError(`the kernel ${binary} does not come up: it said '${said}'`);
    }
    return linux;
  }

  /** Words that may still be added to the batch. */
  get room(): number {
    return IN_WORDS - this.#inWords;
  }

  /** Programs of the batch so far. */
  get programs(): number {
    return this.#programs;
  }

  /** Adds a program to the batch; answers the word of {@linkcode in} at which its header lies. */
  add(header: Header, code: Int32Array): number {
    const at = this.#inWords;
    const to = this.in;
    to[at] = header.steps;
    to[at + 1] = header.pages;
    to[at + 2] = header.arch;
    to[at + 3] = header.slots;
    to[at + 4] = header.area;
    to[at + 5] = header.pgdList;
    to[at + 7] = header.flags;
    to[at + 6] = header.events ?? 0;
    to.set(code.subarray(0, header.steps * STEP_WORDS), at + PROGRAM_WORDS);
    this.#inWords = at + PROGRAM_WORDS + header.steps * STEP_WORDS;
    this.#programs++;
    return at;
  }

  /** Runs the batch; its reports are in {@linkcode out} then, and a new one begins. */
  async run(): Promise<void> {
    const head = this.#head;
    this.#file.seekSync(0, Deno.SeekMode.Start);
    this.#file.readSync(new Uint8Array(head.buffer));
    head[S_IN] = S_WORDS;
    head[S_OUT] = S_WORDS + IN_WORDS;
    head[S_NR] = this.#programs;
    head[S_NEXT] = 0;
    head[S_IN_AT] = S_WORDS;
    head[S_OUT_AT] = head[S_OUT]!;
    head[S_OUT_END] = S_WORDS + IN_WORDS + OUT_WORDS - 16;
    head[S_FULL] = 0;
    this.#file.seekSync(0, Deno.SeekMode.Start);
    write(this.#file, new Uint8Array(head.buffer));
    write(this.#file, new Uint8Array(this.in.buffer, 0, this.#inWords * 4));
    await this.#writer.write(new TextEncoder().encode("r"));
    const said = await this.#until("ptfuzz: done");
    if (said !== undefined) {
      const { code, signal } = await this.#child.status;
      const how = signal === null ? `with exit ${code}` : `by ${signal}`;
      throw new Error(`the kernel ended ${how} in the middle of a batch; it said '${said}'`);
    }
    this.#file.seekSync(0, Deno.SeekMode.Start);
    read(this.#file, new Uint8Array(head.buffer));
    this.outWords = head[S_OUT_AT]! - head[S_OUT]!;
    this.ran = head[S_NEXT]!;
    this.#file.seekSync(head[S_OUT]! * 4, Deno.SeekMode.Start);
    read(this.#file, new Uint8Array(this.out.buffer, 0, this.outWords * 4));
    this.#inWords = 0;
    this.#programs = 0;
  }

  /** Ends the kernel. */
  async close(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It is gone already.
    }
    await this.#child.status;
    this.#writer.releaseLock();
    await this.#lines.return(undefined);
    await this.#child.stdin.abort().catch(() => {});
    this.#file.close();
    await Deno.remove(this.#dir, { recursive: true }).catch(() => {});
  }

  /** Reads lines until one is this; undefined then, or the last line where there are no more. */
  async #until(line: string): Promise<string | undefined> {
    let last = "nothing";
    while (true) {
      const next = await this.#lines.next();
      if (next.done) return last;
      if (next.value === line) return undefined;
      if (next.value !== "") last = next.value;
    }
  }
}

/** The lines of a stream. */
async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}

function write(file: Deno.FsFile, bytes: Uint8Array): void {
  while (bytes.length > 0) bytes = bytes.subarray(file.writeSync(bytes));
}

function read(file: Deno.FsFile, bytes: Uint8Array): void {
  while (bytes.length > 0) bytes = bytes.subarray(file.readSync(bytes) ?? bytes.length);
}
