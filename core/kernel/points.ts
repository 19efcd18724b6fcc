/**
 * Named points inside functions, where another CPU's step can come in between.
 *
 * There are few, because few places let anybody else change what comes out: a
 * reference that is held, or a walker that is in a table, keeps what it keeps
 * whether its step comes before the call or inside it. These are the places where
 * the order inside a function is what makes it right.
 *
 * @module
 */
import type { Kernel } from "./kernel.ts";

/** A point: `FUNCTION:WHERE`, the step of the environment that can tell there, and what it tells. */
export interface Point {
  readonly name: string;
  /** What `at POINT` is followed by where programs are drawn. */
  readonly step: "env put_page" | "env rcu_grace_period";
  readonly doc: string;
}

/** Every point, by its number in the flat form. */
export const POINT_TABLE: readonly Point[] = Object.freeze([
  {
    name: "__free_pages:after_put",
    step: "env put_page",
    doc: "the reference is dropped, and nothing was made of it: another holder's put may free the block here (B2)",
  },
  {
    name: "tlb_table_flush:after_call_rcu",
    step: "env rcu_grace_period",
    doc: "the batch is RCU's: a grace period may end, and tables be free, before anything else in the flush is done",
  },
  {
    name: "page_table_free:pending",
    step: "env rcu_grace_period",
    doc:
      "s390 up to 6.5: the half is no table any more and its PP bit is set; a callback may clear the other half's here",
  },
]);

/** {@linkcode POINT_TABLE}: `__free_pages:after_put`. */
export const AFTER_PUT = 0;
/** {@linkcode POINT_TABLE}: `tlb_table_flush:after_call_rcu`. */
export const AFTER_CALL_RCU = 1;
/** {@linkcode POINT_TABLE}: `page_table_free:pending`. */
export const FREE_PENDING = 2;

/** The environment acts here, once, where it was armed for this point. */
export function reachPoint(k: Kernel, point: number): void {
  if (k.armed !== point) return;
  k.armed = -1;
  k.atPoint();
}
