import { assertEquals } from "@std/assert";
import { findingsOf } from "../program/findings.ts";
import { Machine } from "../program/machine.ts";
import { parseProgram } from "../program/parse.ts";

/** A table that is in use: address 0x200000, page p0, address a0. */
const TABLE = `
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
p0 = ptdesc_page(d0)
a0 = ptdesc_address(d0)
populate(a0)
`;

function run(header: string, lines: string): string[] {
  const program = parseProgram(`${header}\n${lines.trim()}\n`, "test.pt");
  const machine = new Machine(program);
  machine.run(program);
  return findingsOf(machine, program.slots).map((f) => `${f.invariant} at ${f.step}`);
}

const X86 = "kernel 6.12\narch x86";
const GENERIC = "kernel 6.12";

/** The table goes through a gather of x86: RCU frees it. */
function gathered(walk: string, how: string, before = "", fail = ""): string {
  return `${TABLE}
${walk}
unlink(a0, 0x200000, ${how})
${before}
g0 = tlb_gather_mmu(mm0)
tlb_flush_pmd_range(g0, 0x200000, 0x1000)
${fail}
tlb_remove_table(g0, p0)
tlb_finish_mmu(g0)`.replace(/\n+/g, "\n");
}

for (const walk of ["hw_walk", "gup_fast", "pte_offset_map"]) {
  for (const how of ["exclusive", "shared"]) {
    Deno.test(`a gather with RCU lets ${walk} out of a table that was unlinked as ${how}`, () => {
      assertEquals(run(X86, gathered(`w0 = env ${walk}(a0)`, how)), []);
    });
  }
  Deno.test(`a table that nothing unlinked is not freed while ${walk} is in it`, () => {
    const invariant = walk === "hw_walk" ? "flush-before-free" : "grace-period";
    assertEquals(run(X86, `${TABLE}w0 = env ${walk}(a0)\npagetable_free(d0)`), [`${invariant} at 6`]);
  });
  Deno.test(`${walk} that has left a table may not see it any more`, () => {
    assertEquals(run(X86, `${TABLE}w0 = env ${walk}(a0)\nenv walk_end(w0)\npagetable_free(d0)`), []);
  });
  Deno.test(`${walk} does not come into a table that is unlinked, nor into one that was never in use`, () => {
    assertEquals(run(X86, `${TABLE}unlink(a0, 0, shared)\nw0 = env ${walk}(a0)\npagetable_free(d0)`), []);
    assertEquals(run(X86, `d0 = pagetable_alloc(GFP_KERNEL, 0)\nw0 = env ${walk}(d0)\npagetable_free(d0)`), []);
  });
}

Deno.test("only the hardware is in a guest's table that is unlinked under the lock for write", () => {
  const freed = (walk: string, flush: string): string[] =>
    run(X86, `${TABLE}w0 = env ${walk}(a0)\nunlink(a0, 0x200000, guest)\n${flush}pagetable_free(d0)`);
  assertEquals(freed("pte_offset_map", ""), []);
  assertEquals(freed("gup_fast", ""), []);
  assertEquals(freed("hw_walk", ""), ["flush-before-free at 7"]);
  assertEquals(freed("hw_walk", "flush_tlb_mm(mm0)\n"), []);
});

Deno.test("arm with LPAE has gup_fast: a table that is freed as a page after the flush waits for nobody", () => {
  const table = gathered("w0 = env gup_fast(a0)", "exclusive").replace("tlb_remove_table", "tlb_remove_page");
  assertEquals(run("kernel 6.12\narch arm\nconfig RCU_TABLE_FREE", table), ["grace-period at 10"]);
  assertEquals(run("kernel 6.12\narch arm", table), []);
});

Deno.test("without a batch the IPI lets gup_fast out, and not an RCU walker: it is no grace period", () => {
  const fail = "env fail tlb_remove_table";
  assertEquals(run(X86, gathered("w0 = env gup_fast(a0)", "shared", "", fail)), []);
  assertEquals(run(X86, gathered("w0 = env pte_offset_map(a0)", "shared", "", fail)), ["grace-period at 10"]);
});

Deno.test("exclusive locks keep RCU walkers out, whatever frees the table", () => {
  const fail = "env fail tlb_remove_table";
  assertEquals(run(X86, gathered("w0 = env pte_offset_map(a0)", "exclusive", "", fail)), []);
});

Deno.test("a flush of other addresses, or before the entry was cleared, is none", () => {
  const free = "pagetable_free(d0)";
  const walk = `${TABLE}w0 = env hw_walk(a0)\n`;
  const late = `unlink(a0, 0x200000, exclusive)\n`;
  assertEquals(run(X86, `${walk}${late}flush_tlb_range(mm0, 0x200000, 0x201000)\n${free}`), []);
  assertEquals(run(X86, `${walk}${late}flush_tlb_range(mm0, 0x201000, 0x400000)\n${free}`), ["flush-before-free at 8"]);
  assertEquals(run(X86, `${walk}${late}flush_tlb_all()\n${free}`), []);
  assertEquals(run(X86, `${walk}${late}flush_tlb_mm(mm0)\n${free}`), []);
  assertEquals(run(X86, `${walk}flush_tlb_all()\n${late}${free}`), ["flush-before-free at 8"]);
});

Deno.test("a kernel table needs a flush of the kernel's addresses, and the IOMMU a flush of its own", () => {
  const lines = (walk: string, flush: string) =>
    `${TABLE}w0 = env ${walk}(a0)\nunlink(a0, 0x200000, kernel)\n${flush}\npagetable_free(d0)`;
  assertEquals(run(X86, lines("hw_walk", "flush_tlb_kernel_range(0x200000, 0x400000)")), []);
  assertEquals(run(X86, lines("hw_walk", "flush_tlb_mm(mm0)")), ["flush-before-free at 8"]);
  assertEquals(run(X86, lines("iommu_walk", "flush_tlb_all()")), ["flush-before-free at 8"]);
  assertEquals(run(X86, lines("gup_fast", "flush_tlb_all()")), [], "it walks no kernel addresses");
});

Deno.test("the worker flushes the IOMMU's caches before it frees a table of the kernel", () => {
  const header = "kernel 6.19\narch x86\nconfig ASYNC_KERNEL_PGTABLE_FREE IOMMU_SVA";
  const free = `unlink(a0, 0x200000, kernel)\nflush_tlb_all()\npagetable_free(d0)\n`;
  const lines = `${TABLE}w0 = env iommu_walk(a0)\n`;
  assertEquals(run(header, `${lines}ptdesc_set_kernel(d0)\n${free}`), []);
  assertEquals(run(header, `${lines}ptdesc_set_kernel(d0)\n${free}env kernel_pgtable_work()`), []);
  assertEquals(run(header, `${lines}${free}`), ["flush-before-free at 8"], "a table that is not marked");
});

Deno.test("where flushes are IPIs they let gup_fast out; elsewhere they do not", () => {
  const lines = `${TABLE}w0 = env gup_fast(a0)\nunlink(a0, 0, exclusive)\nflush_tlb_all()\npagetable_free(d0)`;
  assertEquals(run(GENERIC, lines), []);
  assertEquals(run(`${X86}\nconfig IPI_FLUSH`, lines), []);
  assertEquals(run(X86, lines), ["grace-period at 8"]);
});

Deno.test("nobody is left on an mm that exits, but the lazy TLB of x86", () => {
  const lines = (walk: string) => `${TABLE}w0 = env ${walk}(a0)\nunlink(a0, 0, exit)\npagetable_free(d0)`;
  for (const walk of ["hw_walk", "gup_fast", "pte_offset_map"]) {
    assertEquals(run("kernel 6.12\narch arm64", lines(walk)), []);
    assertEquals(run(X86, lines(walk)), walk === "hw_walk" ? ["flush-before-free at 7"] : []);
  }
});

Deno.test("in a gather with fullmm the ASID is dead: no flush is needed, except on x86", () => {
  const lines = `${TABLE}w0 = env hw_walk(a0)
unlink(a0, 0x200000, exclusive)
g0 = tlb_gather_mmu_fullmm(mm0)
tlb_remove_table(g0, d0)
tlb_finish_mmu(g0)`;
  assertEquals(run("kernel 6.12\narch arm64", lines), []);
});

Deno.test("immediate pmd_free on mips is right on one CPU and wrong with SMP", () => {
  const lines = `${TABLE}w0 = env hw_walk(a0)
w1 = env gup_fast(a0)
g0 = tlb_gather_mmu(mm0)
unlink(a0, 0x40000000, exclusive)
tlb_flush_pud_range(g0, 0x40000000, 0x1000)
pagetable_free(d0)
tlb_finish_mmu(g0)`;
  assertEquals(run("kernel 6.12\narch mips", lines), []);
  assertEquals(run("kernel 6.12\narch mips\nconfig SMP", lines), ["flush-before-free at 10", "grace-period at 10"]);
});

Deno.test("NO_GATHER has flushed the page that it frees at once", () => {
  const lines = `p0 = alloc_page(GFP_KERNEL|__GFP_ZERO)
populate(p0)
w0 = env hw_walk(p0)
g0 = tlb_gather_mmu(mm0)
unlink(p0, 0x200000, zap)
tlb_remove_page(g0, p0)
tlb_finish_mmu(g0)`;
  assertEquals(run("kernel 6.12\narch s390", lines), []);
});

Deno.test("a table that waits by its own rcu_head outlives RCU walkers", () => {
  const table =
    "d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)\nn0 = pagetable_pte_ctor(d0)\np0 = ptdesc_page(d0)\npopulate(p0)\n";
  const lines = `${table}w0 = env pte_offset_map(p0)\nunlink(p0, 0x200000, shared)\n`;
  assertEquals(run(GENERIC, `${lines}pte_free_defer(mm0, p0)`), []);
  assertEquals(
    run(GENERIC, `${lines}pte_free_defer(mm0, p0)\npte_free_defer(mm0, p0)`).includes("double-free at 8"),
    true,
  );
  assertEquals(run(GENERIC, `${lines}synchronize_rcu()\npagetable_pte_dtor(d0)\npagetable_free(d0)`), []);
});

Deno.test("PT_RECLAIM: without a batch a table waits for a grace period, and its lock with it", () => {
  const lines = `d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
n0 = pagetable_pte_ctor(d0)
p0 = ptdesc_page(d0)
populate(p0)
w0 = env pte_offset_map(p0)
g0 = tlb_gather_mmu(mm0)
unlink(p0, 0x200000, shared)
tlb_flush_pmd_range(g0, 0x200000, 0x1000)
env fail tlb_remove_table
tlb_remove_ptdesc(g0, d0)
env spin_lock(w0)
tlb_finish_mmu(g0)`;
  const header = "kernel 6.14\narch x86\nconfig ALLOC_SPLIT_PTLOCKS";
  assertEquals(run(`${header} PT_RECLAIM`, lines), []);
  assertEquals(run(header, lines), ["grace-period at 10", "lock-lifetime at 10"]);
});

Deno.test("the destructor before queueing frees a lock that an RCU walker may take", () => {
  const lines = (end: string) =>
    `d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
n0 = pagetable_pte_ctor(d0)
p0 = ptdesc_page(d0)
populate(p0)
w0 = env pte_offset_map(p0)
unlink(p0, 0x200000, shared)
${end}
pagetable_pte_dtor(d0)
env spin_lock(w0)
g0 = tlb_gather_mmu(mm0)
tlb_flush_pmd_range(g0, 0x200000, 0x1000)
tlb_remove_table(g0, p0)
tlb_finish_mmu(g0)`;
  const header = "kernel 6.12\narch x86\nconfig ALLOC_SPLIT_PTLOCKS";
  assertEquals(run(header, lines("synchronize_rcu()")), []);
  assertEquals(run(header, lines("tlb_remove_table_sync_one()")), ["lock-lifetime at 8"]);
});

Deno.test("gather-twice: a table is queued once, a page once a reference", () => {
  const two = `g0 = tlb_gather_mmu(mm0)
p0 = alloc_page(GFP_KERNEL)
get_page(p0)
tlb_flush_pte_range(g0, 0, 0x1000)
tlb_remove_page(g0, p0)
tlb_flush_pte_range(g0, 0x1000, 0x1000)
tlb_remove_page(g0, p0)
tlb_finish_mmu(g0)`;
  assertEquals(run(GENERIC, two), []);
  const once = two.replace("get_page(p0)\n", "");
  assertEquals(run(GENERIC, once).filter((f) => f.startsWith("gather-twice")), ["gather-twice at 6"]);
});
