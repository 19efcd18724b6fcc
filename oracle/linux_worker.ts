/**
 * The worker behind `sync_linux.ts`: it has the kernel, and runs a batch
 * whenever it is told to.
 *
 * @module
 */
import { STEP_WORDS } from "../core/program/program.ts";
import { Linux, PROGRAM_WORDS } from "./linux.ts";
import { type Boot, FAILED, IDLE, S_PROGRAMS, S_RAN, S_STATE } from "./sync_linux.ts";

interface Scope {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
}
const scope = self as unknown as Scope;

let linux: Linux | undefined;
let head: Int32Array;
let input: Int32Array;
let output: Int32Array;

async function boot(b: Boot): Promise<void> {
  head = new Int32Array(b.head);
  input = new Int32Array(b.in);
  output = new Int32Array(b.out);
  try {
    linux = await Linux.boot(b.binary);
    scope.postMessage("ready");
  } catch (error) {
    scope.postMessage(error instanceof Error ? error.message : String(error));
  }
}

async function runBatch(kernel: Linux): Promise<void> {
  let state = FAILED;
  try {
    let at = 0;
    for (let i = 0; i < head[S_PROGRAMS]!; i++) {
      const steps = input[at]!;
      kernel.add({
        steps,
        pages: input[at + 1]!,
        arch: input[at + 2]!,
        slots: input[at + 3]!,
        area: input[at + 4]!,
        pgdList: input[at + 5]!,
        events: input[at + 6]!,
        flags: input[at + 7]!,
      }, input.subarray(at + PROGRAM_WORDS, at + PROGRAM_WORDS + steps * STEP_WORDS));
      at += PROGRAM_WORDS + steps * STEP_WORDS;
    }
    await kernel.run();
    if (kernel.outWords <= output.length) {
      output.set(kernel.out.subarray(0, kernel.outWords));
      head[S_RAN] = kernel.ran;
      state = IDLE;
    }
  } finally {
    Atomics.store(head, S_STATE, state);
    Atomics.notify(head, S_STATE);
  }
}

scope.onmessage = ({ data }) => {
  if (data === "run") runBatch(linux!).catch(() => {});
  else if (data === "close") void (linux?.close() ?? Promise.resolve()).then(() => scope.postMessage("closed"));
  else void boot(data as Boot);
};
