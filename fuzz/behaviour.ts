/**
 * Which behaviour a search has reached, and whether a program reached more.
 *
 * Varying the programs that did, instead of drawing every one anew, was tried:
 * see CONTRIBUTING.md for what it came to.
 *
 * @module
 */
import { FEATURES, Features } from "../core/program/features.ts";
import type { Machine } from "../core/program/machine.ts";

/** The behaviour that a search has reached. */
export class Behaviour {
  readonly features: Features;
  readonly #seen = new Uint8Array(FEATURES);
  /** Features reached. */
  reached = 0;

  /** @param whole whether all features of a program are asked for, and not only those that are new */
  constructor(whole: boolean) {
    this.features = new Features(!whole);
  }

  /** Nothing is reached yet. */
  reset(): void {
    this.features.reset();
    this.#seen.fill(0);
    this.reached = 0;
  }

  /** After a program ran on a machine that looked at its features: whether it reached something new. */
  learn(machine: Machine): boolean {
    if (machine.features === null) return false;
    const { list, n } = this.features;
    const before = this.reached;
    for (let i = 0; i < n; i++) {
      const f = list[i]!;
      if (this.#seen[f] === 1) continue;
      this.#seen[f] = 1;
      this.reached++;
    }
    return this.reached > before;
  }
}
