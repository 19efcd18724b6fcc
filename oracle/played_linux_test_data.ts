/**
 * A kernel on paper (`testing.ts`) in the place of one that runs batches. With
 * functions changed it is a tree in which a line was changed.
 *
 * @module
 */
import type { MachineOptions } from "../core/program/machine.ts";
import { STEP_WORDS } from "../core/program/program.ts";
import { type Header, PROGRAM_WORDS } from "./linux.ts";
import type { BatchRunner } from "./sync_linux.ts";
import { paperReport } from "./testing.ts";

/** A kernel played by a model. */
export class PlayedLinux implements BatchRunner {
  readonly in = new Int32Array(1 << 18);
  readonly out = new Int32Array(4 << 20);
  readonly #options: MachineOptions;
  #words = 0;
  #programs: number[] = [];
  #ran = true;

  constructor(options: MachineOptions) {
    this.#options = options;
  }

  add(header: Header, code: Int32Array): number {
    if (this.#ran) {
      this.#words = 0;
      this.#programs = [];
      this.#ran = false;
    }
    const at = this.#words;
    const words = header.steps * STEP_WORDS;
    this.in[at] = header.steps;
    this.in.set(code.subarray(0, words), at + PROGRAM_WORDS);
    this.#words += PROGRAM_WORDS + words;
    this.#programs.push(at);
    return at;
  }

  start(): void {
    this.#ran = true;
  }

  wait(): void {
    let o = 0;
    for (const at of this.#programs) {
      const words = this.in[at]! * STEP_WORDS;
      const code = this.in.subarray(at + PROGRAM_WORDS, at + PROGRAM_WORDS + words);
      const report = paperReport(this.#options, { code, words }, this.#options.overrides, true);
      this.out.set(report, o);
      o += report.length;
    }
  }
}
