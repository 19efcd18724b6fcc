/**
 * Programs that lead to checks which random ones seldom reach, a few lines
 * each. In a comparison blocks of random sizes stand before them, so that they
 * run at many places of the zone.
 *
 * The orders are those of small blocks in a zone whose free blocks are larger:
 * the pages that a program is given lie side by side, aligned as they would be
 * at the zone's start.
 *
 * @module
 */
import { parseProgram } from "../core/program/parse.ts";
import { MAX_LINES, type Program, type Slot, STEP_WORDS } from "../core/program/program.ts";
import { opOf } from "../core/program/calls.ts";
import { kindIndex } from "../core/program/kinds.ts";
import { GFP_FLAGS } from "../core/memory/gfp.ts";
import type { Machine } from "../core/program/machine.ts";
import type { Random } from "../fuzz/random.ts";
import {
  C_CLEAR_BUDDY,
  C_CLEAR_TABLE,
  C_DEFERRED_LIST,
  C_DTOR,
  C_ENTIRE_MAPCOUNT,
  C_FREE_ALIGN,
  C_MAPPING,
  C_PREPARE_ORDER,
  C_PREPARE_TAIL,
  C_REFCOUNTED_TAIL,
  C_TAIL_NOT_SET,
} from "../core/kernel/checks.ts";
import type { SourceVersion } from "./source.ts";

/** A program that ends in a check. */
export interface Provocation {
  /** Index of the check. */
  readonly check: number;
  readonly kernels: readonly SourceVersion[];
  readonly arch: string;
  /** Lines without a header. */
  readonly run: string;
}

function provocation(
  check: number,
  run: string,
  kernels: readonly SourceVersion[] = ["6.1", "6.12"],
  arch = "generic",
): Provocation {
  return { check, kernels, arch, run };
}

/** Every provocation. */
export const PROVOCATIONS: readonly Provocation[] = [
  // Page 1 is held and freed as if pages 1 to 4 were a block: the chunk at page 3 begins in the middle of a block.
  provocation(
    C_PREPARE_TAIL,
    `
p0 = alloc_page(GFP_KERNEL)
p1 = alloc_page(GFP_KERNEL)
p2 = alloc_pages(GFP_KERNEL|__GFP_COMP, 1)
env get_page_unless_zero(p1)
__free_pages(p1, 2)`,
  ),
  // The same from page 3 into a block that is not compound: nobody notices but the alignment.
  provocation(
    C_FREE_ALIGN,
    `
p0 = alloc_page(GFP_KERNEL)
p1 = alloc_page(GFP_KERNEL)
p2 = alloc_page(GFP_KERNEL)
p3 = alloc_page(GFP_KERNEL)
p4 = alloc_pages(GFP_KERNEL, 2)
env get_page_unless_zero(p3)
__free_pages(p3, 2)`,
  ),
  // A free page gets a reference and is freed again: bad_page() takes its type away, and it is still on the list.
  // 6.12 clears a type that is not there in silence, so there it gets another.
  provocation(
    C_CLEAR_BUDDY,
    `
p0 = alloc_page(GFP_KERNEL)
d0 = page_ptdesc(p0)
__free_page(p0)
free_reserved_page(p0)
n0 = pagetable_pte_ctor(d0)
p1 = alloc_page(GFP_KERNEL)`,
    ["6.12"],
  ),
  provocation(
    C_CLEAR_BUDDY,
    `
p0 = alloc_page(GFP_KERNEL)
__free_page(p0)
free_reserved_page(p0)
p1 = alloc_page(GFP_KERNEL)`,
    ["6.1"],
  ),
  // A free block reaches s390's __tlb_remove_table, which takes it for a PTE page. The gather's batch is page 1.
  provocation(
    C_CLEAR_TABLE,
    `
p0 = alloc_page(GFP_KERNEL)
a0 = __get_free_pages(GFP_KERNEL, 1)
free_pages(a0, 1)
g0 = tlb_gather_mmu(mm0)
tlb_flush_pmd_range(g0, 0x1000, 0x1000)
tlb_remove_table(g0, a0)
tlb_finish_mmu(g0)
env rcu_grace_period()`,
    ["6.12"],
    "s390",
  ),
  // pgd_list goes through tail pages of a compound block.
  ...([[C_ENTIRE_MAPCOUNT, 1], [C_DEFERRED_LIST, 2], [C_TAIL_NOT_SET, 3]] as const).map(([check, page]) =>
    provocation(
      check,
      `
a0 = __get_free_pages(GFP_KERNEL|__GFP_COMP, 2)
pgd_list_add(a0+${page})
free_pages(a0, 2)`,
      check === C_TAIL_NOT_SET ? ["6.1", "6.12"] : ["6.12"],
    )
  ),
  // A block that is not compound is freed over a compound one, whose tails have a mapping of their own.
  provocation(
    C_MAPPING,
    `
a0 = __get_free_pages(GFP_KERNEL, 0)
a1 = __get_free_pages(GFP_KERNEL|__GFP_COMP, 2)
free_pages(a0, 3)`,
  ),
  provocation(
    C_PREPARE_ORDER,
    `
a0 = __get_free_pages(GFP_KERNEL|__GFP_COMP, 2)
free_pages(a0, 1)`,
  ),
  // 6.1 frees page 0 of a compound block in silence; page 1 goes on as its tail.
  provocation(
    C_REFCOUNTED_TAIL,
    `
a0 = __get_free_pages(GFP_KERNEL|__GFP_COMP, 1)
free_page(a0)
p1 = alloc_page(GFP_KERNEL)
split_page(p1, 1)`,
    ["6.1"],
  ),
  // The byte that says how a compound block is freed becomes one of a pointer.
  provocation(
    C_DTOR,
    `
a0 = __get_free_pages(GFP_KERNEL|__GFP_COMP, 1)
p0 = virt_to_page(a0)
a1 = get_zeroed_page(GFP_KERNEL)
pgd_list_add(a0+1)
pgd_list_add(a1)
put_page(p0)`,
    ["6.1"],
  ),
];

/** A provocation as a program; heedless, since most have findings on their way. */
export function provocationProgram(p: Provocation, kernel: SourceVersion): Program {
  return parseProgram(`kernel ${kernel}\narch ${p.arch}\n${p.run.trim()}\n`, "provocation");
}

/** Most blocks before a program, and their orders: none is smaller than what the program takes. */
const MOST_BLOCKS = 12;
const FIRST_ORDER = 3;
const ORDERS = 3;

/** Writes a provocation with other blocks before it. */
export class ProvocationGenerator {
  readonly code: Int32Array;
  readonly slots: number;
  readonly #program: Program;
  readonly #machine: Machine;

  constructor(program: Program, machine: Machine) {
    this.#program = program;
    this.#machine = machine;
    this.slots = program.slots.length + MOST_BLOCKS;
    this.code = new Int32Array(Math.min(MAX_LINES, MOST_BLOCKS) * STEP_WORDS + program.code.length);
  }

  /** Writes one; its length in words. */
  generate(random: Random): number {
    const kinds = this.#machine.ledger.kinds;
    this.names().forEach((slot, i) => kinds[i] = kindIndex(slot.kind));
    const own = this.#program.slots.length;
    const blocks = random.below(MOST_BLOCKS + 1);
    let at = 0;
    for (let i = 0; i < blocks; i++) {
      this.code.fill(0, at, at + STEP_WORDS);
      this.code[at] = opOf("alloc_pages");
      this.code[at + 1] = own + i;
      this.code[at + 2] = GFP_FLAGS.GFP_KERNEL!;
      this.code[at + 3] = FIRST_ORDER + random.below(ORDERS);
      at += STEP_WORDS;
    }
    this.code.set(this.#program.code, at);
    return at + this.#program.code.length;
  }

  /** Names of the slots. */
  names(): Slot[] {
    const blocks = Array.from(
      { length: MOST_BLOCKS },
      (_, i): Slot => ({ name: `b${i}`, kind: "page", isConst: false }),
    );
    return [...this.#program.slots, ...blocks];
  }
}
