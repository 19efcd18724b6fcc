/**
 * `gfp_flags` as a trace event prints them (`include/trace/events/mmflags.h`:
 * `show_gfp_flags`), in the bits of the model.
 *
 * Composite names come first and leftover bits by name, so the same flags have
 * one text. `__GFP_HARDWALL` joins every allocation once cpusets are in use
 * (`mm/page_alloc.c:prepare_alloc_pages`), and GFP_KERNEL then prints as
 * GFP_USER: both are the same bits here.
 *
 * @module
 */
import { __GFP_COMP, GFP_FLAGS } from "../core/memory/gfp.ts";

const KERNEL = GFP_FLAGS["GFP_KERNEL"]!;
const MOVABLE_USER = KERNEL | GFP_FLAGS["__GFP_HIGHMEM"]!;

/** Names that programs have no use for, in the bits that the model knows. */
const TRACED: Readonly<Record<string, number>> = {
  ...GFP_FLAGS,
  GFP_USER: KERNEL,
  GFP_HIGHUSER: MOVABLE_USER,
  GFP_HIGHUSER_MOVABLE: MOVABLE_USER,
  GFP_TRANSHUGE: MOVABLE_USER | __GFP_COMP,
  GFP_TRANSHUGE_LIGHT: MOVABLE_USER | __GFP_COMP,
};

/** What an event's flags say. */
export interface Flags {
  /** As printed. */
  readonly text: string;
  /** In the model's bits; what the model does not know is left out. */
  readonly bits: number;
  /** Whether a block of more than one page comes compound. */
  readonly compound: boolean;
  /** Whether a name is none that the kernel has: the line may be damaged. */
  readonly strange: boolean;
}

/** Every other name of 6.1 to 6.12: bits that decide nothing here. */
const OTHER = new Set(
  ("GFP_NOFS GFP_NOIO GFP_DMA GFP_DMA32 __GFP_DMA __GFP_DMA32 __GFP_HIGH __GFP_ATOMIC __GFP_IO __GFP_FS " +
    "__GFP_NORETRY __GFP_NOMEMALLOC __GFP_MEMALLOC __GFP_HARDWALL __GFP_THISNODE __GFP_RECLAIMABLE __GFP_MOVABLE " +
    "__GFP_WRITE __GFP_RECLAIM __GFP_DIRECT_RECLAIM __GFP_KSWAPD_RECLAIM __GFP_ZEROTAGS __GFP_SKIP_ZERO " +
    "__GFP_SKIP_KASAN __GFP_SKIP_KASAN_POISON __GFP_SKIP_KASAN_UNPOISON __GFP_NOLOCKDEP __GFP_NO_OBJ_EXT " +
    "__GFP_COLD __GFP_NOTRACK __GFP_OTHER_NODE none").split(" "),
);

/** Reads the flags of an event; undefined where this cannot be what a kernel prints. */
export function readFlags(text: string): Flags | undefined {
  let bits = 0;
  let strange = false;
  for (const word of text.split("|")) {
    if (!/^\w+$/.test(word)) return undefined;
    if (Object.hasOwn(TRACED, word)) bits |= TRACED[word]!;
    else if (!OTHER.has(word) && !/^0x[\da-f]+$/.test(word)) strange = true;
  }
  return { text, bits, compound: (bits & __GFP_COMP) !== 0, strange };
}
