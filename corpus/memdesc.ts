/**
 * What becomes of a discipline once descriptors are allocated apart from struct
 * page, as the report says it.
 *
 * @module
 */
import type { Severity } from "../core/ledger/invariants.ts";

/** A line that breaks. */
export interface MemdescBreak {
  /** Paths in which it does, `free.NAME` and the like. */
  readonly paths: readonly string[];
  /** The line, as the discipline writes it. */
  readonly line: string;
  /** Why, in one sentence. */
  readonly why: string;
}

/** What becomes of one discipline. */
export interface MemdescVerdict {
  /** Name. */
  readonly discipline: string;
  /** Architecture. */
  readonly arch: string;
  /** The newest kernel that the discipline names. */
  readonly kernel: string;
  /** The worst that its paths show there, each alone. */
  readonly today: Severity | "clean";
  /** A call that `memdesc` does not have; then nothing is known. */
  readonly lacks?: string;
  /** What breaks; nothing where it runs. */
  readonly breaks: readonly MemdescBreak[];
}
