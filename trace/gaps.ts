/**
 * Where a recording lacks events, as stretches of its lines.
 *
 * `CPU:1 [LOST 7 EVENTS]` says that they were lost since that CPU's last line;
 * a line that cannot be read is an event missing there; `CPU 1 buffer started`
 * that this CPU's are missing up to there. What needs that no event is missing
 * between two lines is certain only where no such stretch lies between them.
 *
 * @module
 */

/** Stretches that are kept; more are joined, two and two. */
const MAX_GAPS = 4096;

/** The stretches of one recording. */
export class Gaps {
  #from: number[] = [];
  #to: number[] = [];
  /** The last line of each CPU, or 0. */
  #last = new Float64Array(64);

  /** A CPU has a line. */
  seen(cpu: number, line: number): void {
    if (cpu >= this.#last.length) {
      const larger = new Float64Array(2 * cpu);
      larger.set(this.#last);
      this.#last = larger;
    }
    this.#last[cpu] = line;
  }

  /** Events are missing before this line: of one CPU since its last line, or (-1) right here. */
  add(line: number, cpu: number, sinceStart: boolean): void {
    this.#from.push(sinceStart ? 0 : cpu < 0 ? line : this.#last[cpu] ?? 0);
    this.#to.push(line);
    if (this.#from.length <= MAX_GAPS) return;
    const pairs = this.#from.length >> 1;
    const from = Array.from({ length: pairs }, (_, i) => Math.min(this.#from[2 * i]!, this.#from[2 * i + 1]!));
    this.#to = Array.from({ length: pairs }, (_, i) => this.#to[2 * i + 1]!);
    this.#from = from;
  }

  /** How many there are. */
  get count(): number {
    return this.#from.length;
  }

  /** Whether an event may be missing between two lines. */
  between(from: number, to: number): boolean {
    return this.#from.some((start, i) => start <= to && this.#to[i]! >= from);
  }
}
