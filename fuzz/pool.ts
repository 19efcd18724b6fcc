/**
 * A small pool of workers. Jobs are handed out in order to whoever is free and
 * their outcomes are put back in order: the number of workers changes nothing.
 *
 * A worker that dies is replaced, and what it was at is told: each has a board
 * of a few shared numbers, on which it writes the number of the program that it
 * runs. The same board tells it to stop.
 *
 * @module
 */

/** What a job and its outcome have in common: their place. */
export interface Numbered {
  readonly index: number;
}

/** A job; those of one group go to one worker as long as there are others for the rest, so that it can keep what they share. */
export interface Job extends Numbered {
  readonly group?: number;
}

/** Word of a board: not 0 when the worker is to stop. */
const STOP = 0;
/** Word of a board: the program that runs. */
const PROGRAM = 1;
/** First word of a board that is free for a kind of job. */
export const BOARD_FREE = 2;
const BOARD_WORDS = 8;

/** Numbers that a worker and whoever started it share. */
export class Board {
  readonly words: Int32Array;

  constructor(words: Int32Array = new Int32Array(new SharedArrayBuffer(BOARD_WORDS * 4))) {
    this.words = words;
  }

  /** Whether the worker is to stop. */
  get stopped(): boolean {
    return Atomics.load(this.words, STOP) !== 0;
  }

  /** Tells the worker to stop. */
  stop(): void {
    Atomics.store(this.words, STOP, 1);
  }

  /** Number of the program that runs, in its job. */
  get program(): number {
    return this.words[PROGRAM]!;
  }

  set program(number: number) {
    this.words[PROGRAM] = number;
  }
}

/** What is sent to a worker. */
export interface Sent<Job> {
  readonly job: Job;
  readonly board: Int32Array;
}

/** What a worker answers: an outcome, or what went wrong in ptfuzz itself. */
export type Answer<Outcome> = { readonly outcome: Outcome } | { readonly error: string };

/** A job whose worker died. */
export interface Death<Job> {
  readonly job: Job;
  /** Number of the program that ran, in its job. */
  readonly program: number;
  readonly error: string;
}

/** Who is told how it goes. */
export interface PoolHooks<Job, Outcome> {
  /** A job ends, in whatever order they do. */
  readonly onOutcome?: (outcome: Outcome) => void;
  /** A worker died; the others and the jobs that are left go on. Absent: the run ends with an error. */
  readonly onDeath?: (death: Death<Job>) => void;
  /** A job begins, and what is shared with its worker. */
  readonly onStart?: (job: Job, board: Board) => void;
  /** When it is aborted no more jobs begin, and those that run are told to stop. */
  readonly signal?: AbortSignal | undefined;
}

/** Jobs in order, those of one group together. */
class Queue<J extends Job> {
  readonly #groups: J[][];
  /** Groups before it have been begun. */
  #begun = 0;

  constructor(jobs: readonly J[]) {
    this.#groups = [...Map.groupBy(jobs, (j) => j.group ?? j).values()];
  }

  /** The next for who did `last`: of the same group, or else of one that nobody has begun, or else what others have left. */
  next(last: J | undefined): J | undefined {
    const own = last?.group === undefined ? undefined : this.#groups.find(([first]) => first?.group === last.group);
    return own?.shift() ?? this.#groups[this.#begun++]?.shift() ?? this.#groups.find((g) => g.length > 0)?.shift();
  }
}

/** A worker's place in a pool: the worker, or nobody where the last one died. */
interface Seat {
  worker: Worker | undefined;
  readonly board: Board;
}

/** Workers that are kept from one list of jobs to the next: what they have learnt of the code they run stays good. */
export class Pool {
  readonly #url: URL;
  readonly #seats: readonly Seat[];

  /**
   * @param url module that answers jobs (see {@linkcode answerTo})
   * @param workers at most so many
   */
  constructor(url: URL, workers: number) {
    this.#url = url;
    this.#seats = Array.from({ length: workers }, () => ({ worker: undefined, board: new Board() }));
  }

  /** Starts workers before there is anything to do: they load their modules meanwhile. */
  start(workers: number): void {
    for (const seat of this.#seats.slice(0, workers)) this.#seated(seat);
  }

  /**
   * Runs every job.
   *
   * @returns the outcomes by index; of jobs that never began or whose worker died there is none
   * @throws where a worker fails and nobody wants to be told: a fault of ptfuzz itself
   */
  async run<J extends Job, Outcome extends Numbered>(
    jobs: readonly J[],
    hooks: PoolHooks<J, Outcome> = {},
  ): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    const queue = new Queue(jobs);
    const take = (outcome: Outcome): void => {
      outcomes[outcome.index] = outcome;
      hooks.onOutcome?.(outcome);
    };
    await Promise.all(
      this.#seats.slice(0, jobs.length).map((seat) => this.#serve(seat, queue, { ...hooks, onOutcome: take })),
    );
    return outcomes;
  }

  /** Ends every worker. */
  [Symbol.dispose](): void {
    for (const seat of this.#seats) leave(seat);
  }

  #seated(seat: Seat): Worker {
    if (seat.worker !== undefined) return seat.worker;
    const worker = new Worker(this.#url, { type: "module" });
    // One that dies while it has nothing to do is missed by nobody.
    worker.onerror = (event): void => {
      event.preventDefault();
      leave(seat);
    };
    return seat.worker = worker;
  }

  /** Feeds one worker, and its successors where it dies, until no job is left. */
  async #serve<J extends Job, Outcome>(seat: Seat, queue: Queue<J>, hooks: PoolHooks<J, Outcome>): Promise<void> {
    const { signal } = hooks;
    const stop = (): void => seat.board.stop();
    signal?.addEventListener("abort", stop);
    try {
      while (await feed(this.#seated(seat), seat, queue, hooks));
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }
}

/** Ends a worker. */
function leave(seat: Seat): void {
  seat.worker?.terminate();
  seat.worker = undefined;
}

/** Feeds one worker; true where it died and another has to go on. */
function feed<J extends Job, Outcome>(
  worker: Worker,
  seat: Seat,
  queue: Queue<J>,
  hooks: PoolHooks<J, Outcome>,
): Promise<boolean> {
  const { board } = seat;
  const idle = worker.onerror;
  return new Promise<boolean>((resolve, reject) => {
    let job: J | undefined;
    const next = (): void => {
      const following = hooks.signal?.aborted ? undefined : queue.next(job);
      if (following === undefined) return resolve(false);
      job = following;
      board.program = 0;
      hooks.onStart?.(job, board);
      worker.postMessage({ job, board: board.words } satisfies Sent<J>);
    };
    const died = (error: string): void => {
      leave(seat);
      if (hooks.onDeath === undefined) return reject(new Error(error));
      hooks.onDeath({ job: job!, program: board.program, error });
      resolve(true);
    };
    worker.onmessage = (event: MessageEvent<Answer<Outcome>>): void => {
      if ("error" in event.data) return died(event.data.error);
      hooks.onOutcome?.(event.data.outcome);
      next();
    };
    worker.onerror = (event): void => {
      event.preventDefault();
      died(`a worker died: ${event.message}`);
    };
    next();
  }).finally(() => worker.onerror = idle);
}

/** {@linkcode Pool.run} with workers of its own. */
export async function runJobs<J extends Job, Outcome extends Numbered>(
  url: URL,
  jobs: readonly J[],
  workers: number,
  hooks: PoolHooks<J, Outcome> = {},
): Promise<Outcome[]> {
  using pool = new Pool(url, workers);
  return await pool.run(jobs, hooks);
}

/** The worker's side: what it answers to a job. */
export async function answerTo<Job, Outcome>(
  sent: Sent<Job>,
  run: (job: Job, board: Board) => Outcome | Promise<Outcome>,
): Promise<Answer<Outcome>> {
  try {
    return { outcome: await run(sent.job, new Board(sent.board)) };
  } catch (error) {
    return { error: error instanceof Error ? error.stack ?? error.message : String(error) };
  }
}
