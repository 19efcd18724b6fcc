/**
 * A discipline: how some kernel code allocates, uses and frees one kind of page
 * table, as a TOML file says it.
 *
 * @module
 */
import type { Program } from "../core/program/program.ts";
import type { SourceRef } from "./source_ref.ts";

/** A level of a page table. */
export type Level = "pte" | "pmd" | "pud" | "p4d" | "pgd";
/** Levels of a page table, from the leaves up. */
export const LEVELS: readonly Level[] = ["pte", "pmd", "pud", "p4d", "pgd"];

/** A path: its name and its lines, parsed as a program of their own. */
export interface Path {
  /** `alloc`, or the NAME of `[use.NAME]`, `[free.NAME]`, `[fail.NAME]`. */
  readonly name: string;
  /** The lines as written. */
  readonly run: string;
  /** Names (of the alloc path) that it uses without defining them. */
  readonly takes: readonly string[];
  /** For `[fail.NAME]`: the name whose allocation failed. */
  readonly after?: string;
  /** For `[free.NAME]`: functions that a recorded stack of this path names next to the allocator's own. */
  readonly frames: readonly string[];
}

/** `[[expect]]`: what a discipline breaks on which kernels, and the programs that show it. */
export interface Expectation {
  /** Kernels it is about. */
  readonly kernels: readonly string[];
  /** Ids of the invariants that it breaks there. */
  readonly invariants: readonly string[];
  /** Why, in words. */
  readonly why: string;
  /** Stored programs, relative to `corpus/` (shipped) or to the discipline's file. */
  readonly shownBy: readonly string[];
}

/** A discipline. */
export interface Discipline {
  /** File it was read from. */
  readonly file: string;
  /** Its name. */
  readonly name: string;
  /** Kernels it is about. */
  readonly kernels: readonly string[];
  /** Architecture; `generic` where the file names none. */
  readonly arch: string;
  /** Options of the kernel's configuration. */
  readonly config: readonly string[];
  /** Levels of the page table that it is about, for the catalogue. */
  readonly levels: readonly Level[];
  /** Levels that the architecture folds into the next (`pgtable-nopud.h`): their functions do nothing. */
  readonly folded: readonly Level[];
  /** Files and functions it was read from. */
  readonly source: readonly SourceRef[];
  /** Pages of the zone. */
  readonly pages: number;
  /** No kernel does this. */
  readonly hypothetical: boolean;
  /** Nothing frees it: there is no `[free.NAME]`. */
  readonly forever: boolean;
  /** It is wrong on purpose: a run that does not find it fails. */
  readonly canary: boolean;
  /** Functions to look for in recorded stacks. */
  readonly frames: readonly string[];
  /** How a table is made. */
  readonly alloc: Path;
  /** What is done with it, as often as one likes. */
  readonly use: readonly Path[];
  /** How it is given back; none where it stays for good. */
  readonly free: readonly Path[];
  /** What is done when an allocation of the alloc path fails. */
  readonly fail: readonly Path[];
  /** What it breaks. */
  readonly expect: readonly Expectation[];
  /**
   * The discipline compiled for one kernel: the lines of each path in flat form,
   * over slots that the paths share (`kind` and `name` in `slots`).
   */
  compile(kernel: string): CompiledDiscipline;
}

/** A discipline's paths in flat form, over one set of slots. */
export interface CompiledDiscipline {
  /** Slots of the names, the mms first; every path uses these. */
  readonly slots: Program["slots"];
  /** How a table is made. */
  readonly alloc: CompiledPath;
  /** What is done with it, as often as one likes. */
  readonly use: readonly CompiledPath[];
  /** How it is given back. */
  readonly free: readonly CompiledPath[];
  /** What is done when an allocation of the alloc path fails. */
  readonly fail: readonly (CompiledPath & { readonly after: number })[];
}

/** One path in flat form. */
export interface CompiledPath {
  /** Its name. */
  readonly name: string;
  /** Its lines in flat form. */
  readonly code: Int32Array;
}
