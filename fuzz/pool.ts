/**
 * A small pool of workers. Jobs are handed out in order to whoever is free and
 * their outcomes are put back in order: the number of workers changes nothing.
 *
 * @module
 */

/** What a job and its outcome have in common: their place. */
export interface Numbered {
  readonly index: number;
}

/** What a worker answers: an outcome, or what went wrong in ptfuzz itself. */
export type Answer<Outcome> = { readonly outcome: Outcome } | { readonly error: string };

/**
 * Runs every job.
 *
 * @param worker module that answers jobs (see {@linkcode answer})
 * @param onOutcome called as each job ends, in whatever order they do
 * @throws where a worker fails: a fault of ptfuzz itself
 */
export async function runJobs<Job extends Numbered, Outcome extends Numbered>(
  worker: URL,
  jobs: readonly Job[],
  workers: number,
  onOutcome: (outcome: Outcome) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const queue = jobs.values();
  const take = (outcome: Outcome): void => {
    outcomes[outcome.index] = outcome;
    onOutcome(outcome);
  };
  await Promise.all(Array.from({ length: Math.min(workers, jobs.length) }, () => serve(worker, queue, take)));
  return outcomes;
}

/** Feeds one worker until no job is left. */
function serve<Job, Outcome>(url: URL, queue: Iterator<Job>, onOutcome: (outcome: Outcome) => void): Promise<void> {
  const worker = new Worker(url, { type: "module" });
  return new Promise<void>((resolve, reject) => {
    const next = (): void => {
      const job = queue.next();
      if (job.done) resolve();
      else worker.postMessage(job.value);
    };
    worker.onmessage = (event: MessageEvent<Answer<Outcome>>): void => {
      if ("error" in event.data) return reject(new Error(event.data.error));
      onOutcome(event.data.outcome);
      next();
    };
    worker.onerror = (event): void => {
      event.preventDefault();
      reject(new Error(`a worker died: ${event.message}`));
    };
    next();
  }).finally(() => worker.terminate());
}

/** The worker's side: what it answers to a job. */
export function answer<Job, Outcome>(run: (job: Job) => Outcome, job: Job): Answer<Outcome> {
  try {
    return { outcome: run(job) };
  } catch (error) {
    return { error: error instanceof Error ? error.stack ?? error.message : String(error) };
  }
}
