/**
 * Asks a worker that answers one message with one.
 *
 * @module
 */

/**
 * The worker's next message.
 *
 * @throws what the worker died of
 */
export function ask<Answer>(worker: Worker, request: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    worker.onmessage = (event: MessageEvent<Answer>): void => resolve(event.data);
    worker.onerror = (event): void => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    worker.postMessage(request);
  });
}
