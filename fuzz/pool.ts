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

/**
 * Runs every job.
 *
 * @param url module that answers jobs (see {@linkcode answerTo})
 * @returns the outcomes by index; of jobs that never began or whose worker died there is none
 * @throws where a worker fails and nobody wants to be told: a fault of ptfuzz itself
 */
export async function runJobs<Job extends Numbered, Outcome extends Numbered>(
  url: URL,
  jobs: readonly Job[],
  workers: number,
  hooks: PoolHooks<Job, Outcome> = {},
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const queue = jobs.values();
  const take = (outcome: Outcome): void => {
    outcomes[outcome.index] = outcome;
    hooks.onOutcome?.(outcome);
  };
  await Promise.all(
    Array.from({ length: Math.min(workers, jobs.length) }, () => serve(url, queue, { ...hooks, onOutcome: take })),
  );
  return outcomes;
}

/** Feeds one worker, and its successors where it dies, until no job is left. */
async function serve<Job, Outcome>(url: URL, queue: Iterator<Job>, hooks: PoolHooks<Job, Outcome>): Promise<void> {
  while (await serveOne(url, queue, hooks));
}

/** Feeds one worker; true where it died and another has to go on. */
function serveOne<Job, Outcome>(url: URL, queue: Iterator<Job>, hooks: PoolHooks<Job, Outcome>): Promise<boolean> {
  const { signal } = hooks;
  const worker = new Worker(url, { type: "module" });
  const board = new Board();
  const stop = (): void => board.stop();
  signal?.addEventListener("abort", stop);
  return new Promise<boolean>((resolve, reject) => {
    let job: Job;
    const next = (): void => {
      const following = signal?.aborted ? { done: true as const } : queue.next();
      if (following.done) return resolve(false);
      job = following.value;
      board.program = 0;
      hooks.onStart?.(job, board);
      worker.postMessage({ job, board: board.words } satisfies Sent<Job>);
    };
    const died = (error: string): void => {
      if (hooks.onDeath === undefined) return reject(new Error(error));
      hooks.onDeath({ job, program: board.program, error });
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
  }).finally(() => {
    signal?.removeEventListener("abort", stop);
    worker.terminate();
  });
}

/** The worker's side: what it answers to a job. */
export function answerTo<Job, Outcome>(sent: Sent<Job>, run: (job: Job, board: Board) => Outcome): Answer<Outcome> {
  try {
    return { outcome: run(sent.job, new Board(sent.board)) };
  } catch (error) {
    return { error: error instanceof Error ? error.stack ?? error.message : String(error) };
  }
}
