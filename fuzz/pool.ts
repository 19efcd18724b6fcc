/**
 * A small pool of workers. Shards are handed out in order to whoever is free and
 * their outcomes are put back in order: the number of workers changes nothing.
 *
 * @module
 */
import type { ShardJob, ShardOutcome } from "./shard.ts";
import type { WorkerAnswer } from "./worker.ts";

/**
 * Runs every job.
 *
 * @param onOutcome called as each shard ends, in whatever order they do
 * @throws where a worker fails: a fault of ptfuzz itself
 */
export async function runShards(
  jobs: readonly ShardJob[],
  workers: number,
  onOutcome: (outcome: ShardOutcome) => void,
): Promise<ShardOutcome[]> {
  const outcomes: ShardOutcome[] = [];
  const queue = jobs.values();
  await Promise.all(Array.from({ length: Math.min(workers, jobs.length) }, () =>
    serve(queue, (outcome) => {
      outcomes[outcome.index] = outcome;
      onOutcome(outcome);
    })));
  return outcomes;
}

/** Feeds one worker until no job is left. */
function serve(queue: Iterator<ShardJob>, onOutcome: (outcome: ShardOutcome) => void): Promise<void> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  return new Promise<void>((resolve, reject) => {
    const next = (): void => {
      const job = queue.next();
      if (job.done) resolve();
      else worker.postMessage(job.value);
    };
    worker.onmessage = (event: MessageEvent<WorkerAnswer>): void => {
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
