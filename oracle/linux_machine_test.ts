import { assert, assertEquals } from "@std/assert";
import { functionsOf } from "../core/kernel/create.ts";
import type { KernelFunctions } from "../core/kernel/kernel.ts";
import { findingsOf } from "../core/program/findings.ts";
import { Machine } from "../core/program/machine.ts";
import { parseProgram } from "../core/program/parse.ts";
import type { Program } from "../core/program/program.ts";
import { listShipped, readProgramFile } from "../corpus/files.ts";
import { LinuxMachine } from "./linux_machine.ts";
import { PlayedLinux } from "./played_linux_test_data.ts";
import { fits } from "./programs.ts";

/** What a program shows on a kernel that is played by the model with some functions changed. */
function shown(program: Program, overrides?: Partial<KernelFunctions>) {
  const played = new PlayedLinux({ ...program, ...(overrides && { overrides }) });
  const machine = new LinuxMachine(program, played);
  machine.run(program);
  return { machine, findings: findingsOf(machine, program.slots) };
}

const brief = (program: Program, overrides?: Partial<KernelFunctions>) =>
  shown(program, overrides).findings.map((f) => `${f.invariant} at ${f.step}${f.pages === 0 ? "" : ` (${f.pages})`}`);

const parse = (text: string) => parseProgram(text, "test.pt");

Deno.test("a kernel that does what the model does is judged as the model is, in every stored program", () => {
  let programs = 0;
  for (const file of listShipped().regressions) {
    const program = readProgramFile(file);
    if (!/^6\.1$|^6\.12$/.test(program.kernel) || !fits(program)) continue;
    const model = new Machine(program);
    model.run(program);
    const { machine, findings } = shown(program);
    assertEquals(findings, findingsOf(model, program.slots), file);
    assertEquals([machine.steps, machine.unsettled], [model.steps, 0], file);
    programs++;
  }
  assert(programs > 40);
});

const HELD = parse(
  "kernel 6.12\np0 = alloc_pages(GFP_KERNEL, 3)\nenv get_page_unless_zero(p0)\n__free_pages(p0, 3)\nenv put_page(p0)\n",
);

Deno.test("pages that the kernel loses are found in its own words, where the model loses none", () => {
  assertEquals(brief(HELD), []);
  const lost = brief(HELD, {
    __free_pages: (k, page, order) => {
      if (k.put_page_testzero(k, page)) k.free_unref_page(k, page, order);
    },
  });
  assertEquals(lost, ["page-leak at 3 (7)", "order-mismatch at 4"]);
});

Deno.test("a count of a free list that the kernel forgets is found", () => {
  const program = parse("kernel 6.12\np0 = alloc_page(GFP_KERNEL)\n__free_page(p0)\n");
  const { __free_one_page } = functionsOf("6.12");
  const broken = brief(program, {
    __free_one_page: (k, page, zone, order, toTail) => {
      __free_one_page(k, page, zone, order, toTail);
      k.mem[zone + 8 + 8 * 4 + 1] = 7;
    },
  });
  assertEquals(broken, ["buddy-structure at 2"]);
});

Deno.test("memory that the kernel gives to two is found, although the model gave each its own", () => {
  const program = parse("kernel 6.12\np0 = alloc_page(GFP_KERNEL)\np1 = alloc_page(GFP_KERNEL)\n__free_page(p1)\n");
  assertEquals(brief(program), []);
  const { alloc_pages } = functionsOf("6.12");
  let first = -1;
  const twice = brief(program, {
    alloc_pages: (k, gfp, order) => {
      if (k.mem[k.lowZone] !== 256) return first;
      return first = alloc_pages(k, gfp, order);
    },
  });
  assertEquals(twice, ["use-after-free at 2"]);
});

Deno.test("a step that the kernel's answer leaves out is left out, and what it drains is drained", () => {
  const program = parse(
    "kernel 6.12\np0 = alloc_pages(GFP_KERNEL, 2)\np1 = alloc_page(GFP_KERNEL)\n" +
      "env get_page_unless_zero(p0)\n__free_pages(p0, 2)\n__free_page(p1)\nenv put_page(p0)\n",
  );
  const { alloc_pages } = functionsOf("6.12");
  const { machine, findings } = shown(program, {
    alloc_pages: (k, gfp, order) => order === 2 ? -1 : alloc_pages(k, gfp, order),
  });
  assertEquals(findings, []);
  assertEquals([machine.steps, machine.unsettled], [3, 0]);
});

Deno.test("a BUG of the kernel ends the program, in the kernel's words", () => {
  const program = parse(
    "kernel 6.12\nconfig DEBUG_VM\np0 = alloc_page(GFP_KERNEL)\n__free_page(p0)\n__free_page(p0)\n",
  );
  const { machine, findings } = shown(program);
  assert(findings.some((f) => f.invariant === "kernel-check" && f.severity === "crash"));
  assertEquals(machine.said, [{ step: 2, text: "VM_BUG_ON_PAGE(page_ref_count(page) == 0) in put_page_testzero()" }]);
});

Deno.test("a page that is not zeroed although it was asked for is uninitialised", () => {
  const program = parse(
    "kernel 6.12\nd0 = pagetable_alloc(GFP_KERNEL|__GFP_ZERO, 0)\na0 = ptdesc_address(d0)\npopulate(a0)\npagetable_free(d0)\n",
  );
  assertEquals(brief(program), []);
  assertEquals(brief(program, { kernel_init_pages: () => {} }), ["uninitialised-table at 3"]);
});

Deno.test("tables that leave before the flush are found by what the gather reported", () => {
  const program = parse(`kernel 6.12
arch arm64
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
a0 = ptdesc_address(d0)
populate(a0)
w0 = env hw_walk(a0)
unlink(a0, 0x200000, exclusive)
g0 = tlb_gather_mmu(mm0)
tlb_flush_pmd_range(g0, 0x200000, 0x1000)
tlb_remove_ptdesc(g0, d0)
tlb_finish_mmu(g0)
env rcu_grace_period()
`);
  assertEquals(brief(program), []);
  const late = brief(program, { tlb_flush_mmu_tlbonly: () => {} });
  assert(late.some((f) => f.startsWith("flush-before-free")), late.join());
});

Deno.test("a step that was armed and cannot happen on this kernel is not made on it", () => {
  // On the model a0 is a block of the program again and can be held; here it is not, so there is nothing to put.
  const program = parse(
    "kernel 6.12\nconfig DEBUG_VM\np0 = alloc_page(GFP_KERNEL)\np1 = alloc_page(GFP_KERNEL)\n__free_page(p0)\n" +
      "p2 = alloc_page(GFP_KERNEL)\nenv get_page_unless_zero(p0)\nat __free_pages:after_put env put_page(p0)\n" +
      "__free_page(p1)\n__free_page(p2)\n",
  );
  const { alloc_pages } = functionsOf("6.12");
  const elsewhere = shown(program, {
    alloc_pages: (k, gfp, order) => {
      const page = alloc_pages(k, gfp, order);
      if (page !== 0 || k.mem[k.lowZone] !== 254) return page;
      const other = alloc_pages(k, gfp, order);
      k.__free_pages(k, page, order);
      return other;
    },
  });
  assertEquals([elsewhere.findings, elsewhere.machine.unsettled], [[], 0]);
  assertEquals(brief(program), []);
});
