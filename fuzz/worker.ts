/**
 * A worker of a campaign: does what it is sent, one after the other.
 *
 * What a shard needs is loaded at once, the rest when it is first asked for.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import type { CompiledDiscipline } from "../corpus/discipline.ts";
import type { MemdescJob, MemdescOutcome } from "./memdesc.ts";
import { answerTo, type Board, type Sent } from "./pool.ts";
import type { CellJob, CellReport } from "./report_cell.ts";
import { runShard, type ShardJob, type ShardOutcome } from "./shard.ts";

/** What a campaign asks of its workers. */
export type CampaignJob =
  | { readonly task: "shard"; readonly group: number } & ShardJob
  | { readonly task: "cell" } & CellJob
  | { readonly task: "memdesc" } & MemdescJob;

/** The discipline of the cell whose shard ran last: what was made for it is good for the next, which brings a copy. */
let kept: { readonly group: number; readonly compiled: CompiledDiscipline | undefined } | undefined;

function shard(job: ShardJob & { readonly group: number }, board: Board): ShardOutcome {
  if (kept === undefined || kept.group !== job.group) kept = { group: job.group, compiled: job.compiled };
  return runShard({ ...job, compiled: kept.compiled }, board);
}

async function run(job: CampaignJob, board: Board): Promise<ShardOutcome | CellReport | MemdescOutcome> {
  if (job.task === "shard") return shard(job, board);
  if (job.task === "cell") return (await import("./report_cell.ts")).reportCell(job);
  return (await import("./memdesc.ts")).runMemdescJob(job);
}

self.onmessage = async (event: MessageEvent<Sent<CampaignJob>>): Promise<void> =>
  self.postMessage(await answerTo(event.data, run));
