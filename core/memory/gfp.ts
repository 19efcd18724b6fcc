/**
 * The `gfp_t` flags a program may name (`include/linux/gfp_types.h`).
 *
 * Only the bits that the modelled functions look at have a meaning here; the
 * others are carried along so that a program reads like the code it stands for.
 *
 * @module
 */

/** `__GFP_HIGHMEM`: pages without a kernel address are welcome. */
export const __GFP_HIGHMEM = 1 << 0;
/** `__GFP_ZERO`: the pages come zeroed. */
export const __GFP_ZERO = 1 << 1;
/** `__GFP_COMP`: a block of order 1 and more comes compound. */
export const __GFP_COMP = 1 << 2;
/** `__GFP_ACCOUNT`: charged to the memcg of the caller, where it is in one (MEMCG). */
export const __GFP_ACCOUNT = 1 << 3;
/** `__GFP_NOFAIL`: the allocation must not fail. */
export const __GFP_NOFAIL = 1 << 4;
/** `__GFP_NOWARN`. */
export const __GFP_NOWARN = 1 << 5;
const DIRECT_RECLAIM = 1 << 6;
const KSWAPD_RECLAIM = 1 << 7;
const HIGH = 1 << 8;
const IO_FS = 1 << 9;
/** `__GFP_RETRY_MAYFAIL`. */
export const __GFP_RETRY_MAYFAIL = 1 << 10;

/** Every flag name a program may use, with its bits; longer names first where one contains another. */
export const GFP_FLAGS: Readonly<Record<string, number>> = {
  GFP_KERNEL: DIRECT_RECLAIM | KSWAPD_RECLAIM | IO_FS,
  GFP_KERNEL_ACCOUNT: DIRECT_RECLAIM | KSWAPD_RECLAIM | IO_FS | __GFP_ACCOUNT,
  GFP_PGTABLE_KERNEL: DIRECT_RECLAIM | KSWAPD_RECLAIM | IO_FS | __GFP_ZERO,
  GFP_PGTABLE_USER: DIRECT_RECLAIM | KSWAPD_RECLAIM | IO_FS | __GFP_ZERO | __GFP_ACCOUNT,
  GFP_ATOMIC: HIGH | KSWAPD_RECLAIM,
  GFP_NOWAIT: KSWAPD_RECLAIM | __GFP_NOWARN,
  __GFP_HIGHMEM,
  __GFP_ZERO,
  __GFP_COMP,
  __GFP_ACCOUNT,
  __GFP_NOFAIL,
  __GFP_NOWARN,
  __GFP_RETRY_MAYFAIL,
};

/** Each bit of a program's flags in the kernel's own words, for a driver in C. */
export const GFP_BITS: readonly (readonly [bits: number, kernel: string])[] = [
  [__GFP_HIGHMEM, "__GFP_HIGHMEM"],
  [__GFP_ZERO, "__GFP_ZERO"],
  [__GFP_COMP, "__GFP_COMP"],
  [__GFP_ACCOUNT, "__GFP_ACCOUNT"],
  [__GFP_NOFAIL, "__GFP_NOFAIL"],
  [__GFP_NOWARN, "__GFP_NOWARN"],
  [DIRECT_RECLAIM, "__GFP_DIRECT_RECLAIM"],
  [KSWAPD_RECLAIM, "__GFP_KSWAPD_RECLAIM"],
  [HIGH, "__GFP_HIGH"],
  [IO_FS, "__GFP_IO | __GFP_FS"],
  [__GFP_RETRY_MAYFAIL, "__GFP_RETRY_MAYFAIL"],
];
