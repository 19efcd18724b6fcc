/**
 * The header through which the driver knows the language: opcodes from the call
 * table, flags of allocations, and the numbers that stand for things in memory.
 *
 * @module
 */
import { IS_PAGE } from "../core/memory/fragments.ts";
import {
  ARCH_NO_TABLE_FREE,
  ARCH_POWERPC,
  ARCH_S390,
  ARCH_SPARC64,
  ARCH_TABLE_FREE,
  FLAG_NO_INVALIDATE,
  FLAG_PGSTE,
  FLAG_PMD_SHARE,
} from "./archs.ts";
import { FAILABLE, OP_AT, POINTS } from "../core/program/calls.ts";
import { callName, CALLS } from "../core/program/calls.ts";
import { OP_NOTHING } from "../core/program/trace.ts";
import { MM_ADDRESS, MM_SIZE } from "../core/kernel/x86_pgd.ts";
import { GFP_BITS } from "../core/memory/gfp.ts";
import { RCU_CALLBACK, RCU_OTHERS } from "../core/kernel/kernel_pgtable.ts";
import { FRAGMENT_LISTS, LIST_POISON1, LIST_POISON2, OBJCG_KMEM } from "../core/memory/mem_map.ts";
import { MAX_PAGE_ORDER, PAGE_OFFSET } from "../core/memory/words.ts";
import { layoutOf } from "../core/memory/layouts/mod.ts";
import type { KernelBase } from "../core/kernel/names.ts";
import { textHash } from "./text_hash.ts";

/** Words of a table's entry as the driver's `table_init` writes them. */
const TABLE_ENTRY = "0x20UL";
/** A word of what an earlier user left. */
const STALE_WORD = "0x5a5a5a5a5a5a5a5aUL";

/** `env put_page` as a C identifier. */
function identifier(name: string): string {
  return name.replace(" ", "_");
}

/** Flags up to PG_mlocked, which every configuration has; those above depend on it. */
export const FLAGS_MASK: Readonly<Record<"6.1" | "6.12", number>> = { "6.1": (1 << 22) - 1, "6.12": (1 << 20) - 1 };

/** The text of `ptfuzz_calls.h` for a kernel. */
export function callsHeader(kernel: Extract<KernelBase, "6.1" | "6.12">): string {
  const layout = layoutOf(kernel);
  const lines = [
    "/* SPDX-License-Identifier: GPL-2.0 */",
    "/* Made from the call table of ptfuzz. */",
    "#ifndef PTFUZZ_CALLS_H",
    "#define PTFUZZ_CALLS_H",
    "",
    ...CALLS.map((c) => `#define PTF_${identifier(callName(c))} ${c.id}`),
    `#define PTF_OP_AT ${OP_AT}`,
    `#define PTF_OP_NOTHING ${OP_NOTHING}`,
    ...POINTS.map((name, i) => `#define PTF_POINT_${name.replace(":", "_")} ${i}`),
    ...FAILABLE.map((name, i) => `#define PTF_FAIL_${name} ${1 << i}`),
    "",
    "#define PTF_GFP_FLAGS \\",
    ...GFP_BITS.map(([bits, kernel]) => `\tPTF_GFP(${31 - Math.clz32(bits)}, ${kernel}) \\`),
    "",
    `#define PTF_PAGE_OFFSET ${PAGE_OFFSET}`,
    `#define PTF_MAX_PAGE_ORDER ${MAX_PAGE_ORDER}`,
    `#define PTF_TABLE_ENTRY ${TABLE_ENTRY}`,
    `#define PTF_STALE ${STALE_WORD}`,
    `#define PTF_LIST_POISON1 ${LIST_POISON1}`,
    `#define PTF_LIST_POISON2 ${LIST_POISON2}`,
    `#define PTF_MM_ADDRESS ${MM_ADDRESS}`,
    `#define PTF_MM_SIZE ${MM_SIZE}`,
    `#define PTF_ARCH_NO_TABLE_FREE ${ARCH_NO_TABLE_FREE}`,
    `#define PTF_ARCH_TABLE_FREE ${ARCH_TABLE_FREE}`,
    `#define PTF_ARCH_S390 ${ARCH_S390}`,
    `#define PTF_ARCH_POWERPC ${ARCH_POWERPC}`,
    `#define PTF_ARCH_SPARC64 ${ARCH_SPARC64}`,
    `#define PTF_IS_PAGE ${IS_PAGE}`,
    `#define PTF_OBJCG_KMEM ${OBJCG_KMEM}`,
    `#define PTF_RCU_CALLBACK ${RCU_CALLBACK}`,
    `#define PTF_RCU_OTHERS ${RCU_OTHERS}`,
    `#define PTF_FLAG_PMD_SHARE ${FLAG_PMD_SHARE}`,
    `#define PTF_FLAG_PGSTE ${FLAG_PGSTE}`,
    `#define PTF_FLAG_NO_INVALIDATE ${FLAG_NO_INVALIDATE}`,
    `#define PTF_FRAGMENT_LISTS ${FRAGMENT_LISTS.join(", ")}`,
    `#define PTF_FLAGS_MASK ${FLAGS_MASK[kernel]}UL`,
    `_Static_assert(1UL << PG_head == ${layout.PG_head}UL, "PG_head");`,
    `_Static_assert(1UL << PG_reserved == ${layout.PG_reserved}UL, "PG_reserved");`,
    `_Static_assert((2UL << PG_mlocked) - 1 == PTF_FLAGS_MASK, "PG_mlocked");`,
  ];
  const text = lines.join("\n");
  return `${text}\n#define PTF_MAGIC ${textHash(text)}\n\n#endif\n`;
}
