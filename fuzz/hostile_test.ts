import assert from "node:assert/strict";
import { KERNEL_BASES } from "../core/kernel/names.ts";
import { CALLS, hasCall, opOf } from "../core/program/calls.ts";
import { findingsOf } from "../core/program/findings.ts";
import { Machine } from "../core/program/machine.ts";
import { parseProgram } from "../core/program/parse.ts";
import { printProgram } from "../core/program/print.ts";
import { type Program, STEP_WORDS } from "../core/program/program.ts";
import { HostileGenerator, NEVER_WRONG, SOMETIMES_WRONG } from "./hostile.ts";
import { programSeed, Random } from "./random.ts";

const KERNELS = KERNEL_BASES;

/** With descriptors apart boot memory has none. */
const NEVER_RIGHT_APART = ["free_reserved_ptdesc", "pte_alloc_one", "pte_free"];

function machineOf(kernel: string, arch = "generic", config: string[] = []): Machine {
  return new Machine({ kernel, arch, config, pages: 256 });
}

/** Writes program number n, runs nothing. */
function write(machine: Machine, generator: HostileGenerator, n: number, seed = 1): Program {
  const random = new Random();
  random.seed(seed, programSeed(seed, machine.kernel.name, "hostile", n));
  const words = generator.generate(random);
  const { name: kernel, config } = machine.kernel;
  return {
    comments: [],
    kernel,
    arch: machine.kernel.arch.name,
    config,
    pages: machine.kernel.nrPages,
    code: generator.code.slice(0, words),
    slots: generator.names(),
    claims: [],
  };
}

/** Runs so many programs and calls back after each. */
function each(
  machine: Machine,
  programs: number,
  check: (generator: HostileGenerator, program: () => string) => void,
): void {
  const generator = new HostileGenerator(machine);
  const random = new Random();
  for (let n = 0; n < programs; n++) {
    random.seed(3, programSeed(3, machine.kernel.name, "hostile", n));
    const words = generator.generate(random);
    machine.runCode(generator.code, words, generator.slots);
    check(generator, () => {
      const findings = findingsOf(machine, generator.names()).map((f) => `# ${f.step}: ${f.invariant}: ${f.words}`);
      return [`program ${n} of ${machine.kernel.name}`, printProgram(write(machine, generator, n, 3)), ...findings]
        .join("\n");
    });
  }
}

Deno.test("a hostile program depends on its seed and number, and not on what was written or run before", () => {
  const machine = machineOf("6.12");
  const one = new HostileGenerator(machine);
  const other = new HostileGenerator(machineOf("6.12"));
  for (let n = 0; n < 20; n++) machine.run(write(machine, one, n));
  assert.deepEqual(write(machine, one, 30), write(machine, other, 30));
  assert.deepEqual(write(machine, one, 7), write(machine, other, 7));
  // A gather where another kind belongs names no block, whatever block was named last.
  for (let n = 0; n < 3463; n++) write(machine, one, n);
  assert.deepEqual(write(machine, one, 3463), write(machine, new HostileGenerator(machine), 3463));
});

Deno.test("different numbers and different seeds give different hostile programs", () => {
  const machine = machineOf("6.12");
  const generator = new HostileGenerator(machine);
  const texts = new Set<string>();
  for (let n = 0; n < 200; n++) {
    texts.add(printProgram(write(machine, generator, n)));
    texts.add(printProgram(write(machine, generator, n, 2)));
  }
  assert.equal(texts.size, 400);
});

Deno.test("hostile programs are well typed: their text parses back to the same code", () => {
  for (const kernel of KERNELS) {
    const machine = machineOf(kernel, "s390", ["DEBUG_VM"]);
    const generator = new HostileGenerator(machine);
    for (let n = 0; n < 100; n++) {
      const program = write(machine, generator, n);
      const text = printProgram(program);
      const parsed = parseProgram(text, `${kernel}-${n}.pt`);
      assert.deepEqual(parsed.code, program.code, text);
      assert.deepEqual(parsed.slots, program.slots);
    }
  }
});

Deno.test("a hostile program has 20 to 200 lines, and the odd lookup and put beyond", () => {
  const machine = machineOf("6.12");
  const generator = new HostileGenerator(machine);
  for (let n = 0; n < 500; n++) {
    const lines = write(machine, generator, n).code.length / STEP_WORDS;
    assert.ok(lines >= 20 && lines <= 248, `${lines} lines`);
  }
});

for (const kernel of KERNELS) {
  Deno.test(`every call of ${kernel} runs with right arguments and, where there are any, with wrong ones`, () => {
    const machine = machineOf(kernel);
    // Deposits are rare where only tables have a descriptor.
    each(machine, kernel === "memdesc" ? 20_000 : 6000, () => {});
    for (const call of CALLS.filter((c) => hasCall(machine.kernel.base, c))) {
      const name = (call.env ? "env " : "") + call.name;
      // Only s390 and powerpc can queue a part of a page.
      if (name === "page_table_free_rcu" || name === "pgtable_free_tlb") continue;
      if (kernel === "memdesc" && NEVER_RIGHT_APART.includes(name)) assert.equal(machine.right[call.id], 0, name);
      else assert.ok(machine.right[call.id]! > 0, `${name} never ran right`);
      if (Object.hasOwn(NEVER_WRONG, name) || SOMETIMES_WRONG[name]?.(machine.ledger) === false) {
        assert.equal(machine.wrong[call.id], 0, `${name} ran wrong`);
      } else assert.ok(machine.wrong[call.id]! > 0, `${name} never ran wrong`);
    }
  });
}

for (
  const [kernel, arch, config] of [
    ["6.1", "s390", []],
    ["6.1", "s390", ["PGSTE"]],
    ["v2", "s390", ["SPLIT_PTLOCKS"]],
    ["6.1", "generic", ["DEBUG_VM"]],
    ["v2", "generic", []],
    ["v2", "s390", ["DEBUG_VM"]],
    ["6.6", "x86", ["DEBUG_VM"]],
    ["6.12", "generic", ["HIGHMEM"]],
    ["6.12", "arm64", []],
    ["6.12", "s390", ["DEBUG_VM"]],
    ["6.14", "x86", ["DEBUG_VM"]],
    ["6.14", "mips", []],
    ["6.19", "s390", []],
    ["frozen", "generic", []],
    ["frozen", "x86", ["DEBUG_VM"]],
    ["6.1-with-B3", "x86", ["MEMCG", "SPLIT_PTLOCKS"]],
    ["6.12-with-B3", "x86", ["ALLOC_SPLIT_PTLOCKS", "DEBUG_VM", "MEMCG"]],
    ["6.12", "x86", ["ALLOC_SPLIT_PTLOCKS"]],
    ["6.1", "powerpc", ["SPLIT_PTLOCKS"]],
    ["6.12-with-B3", "powerpc", ["DEBUG_VM", "MEMCG"]],
    ["6.12", "powerpc", ["ALLOC_SPLIT_PTLOCKS"]],
    ["6.19", "powerpc", []],
    ["memdesc", "powerpc", []],
    ["6.12", "m68k", ["DEBUG_VM"]],
    ["6.12", "sparc64", ["DEBUG_VM"]],
    ["memdesc", "sparc64", []],
    ["6.12", "sparc", ["SMP"]],
    ["6.1", "sh", ["DEBUG_VM"]],
    ["memdesc", "x86", []],
    ["memdesc", "s390", ["DEBUG_VM"]],
    ["memdesc", "generic", ["HIGHMEM"]],
  ] as [string, string, string[]][]
) {
  Deno.test(`${kernel} ${arch} ${config.join(" ")}: no finding without a misuse, and none of either without malice`, () => {
    const machine = machineOf(kernel, arch, config);
    each(machine, 2500, (generator, program) => {
      if (generator.malice === 0) {
        assert.equal(machine.misuse, false, program());
        assert.equal(machine.ledger.nFindings, 0, program());
      } else if (!machine.misuse) {
        const findings = findingsOf(machine, generator.names());
        assert.ok(findings.every((f) => f.severity === "theoretical"), program());
      }
    });
  });
}

Deno.test("a kernel without the repair of B1 or B2 loses pages, or frees them twice, though nothing is misused", () => {
  for (const [kernel, invariant] of [["6.12-without-B1", "page-leak"], ["6.12-without-B2", "double-free"]] as const) {
    const machine = machineOf(kernel, "x86");
    let shown = 0;
    each(machine, 2500, (generator) => {
      if (machine.misuse) return;
      if (findingsOf(machine, generator.names()).some((f) => f.invariant === invariant)) shown++;
    });
    assert.ok(shown > 0, `${kernel} never showed ${invariant}`);
  }
});

Deno.test("powerpc's tables that share a page are queued and deferred right and wrong", () => {
  const machine = machineOf("6.12", "powerpc");
  each(machine, 6000, () => {});
  for (const name of ["pgtable_free_tlb", "pte_free_defer", "pte_fragment_free", "pmd_fragment_free"]) {
    assert.ok(machine.right[opOf(name)]! > 0, `${name} never ran right`);
    assert.ok(machine.wrong[opOf(name)]! > 0, `${name} never ran wrong`);
  }
});

Deno.test("s390's tables of half a page are queued right and wrong", () => {
  const machine = machineOf("6.1", "s390");
  each(machine, 6000, () => {});
  for (const name of ["page_table_alloc", "page_table_free", "page_table_free_rcu"]) {
    assert.ok(machine.right[opOf(name)]! > 0, `${name} never ran right`);
    if (name !== "page_table_alloc") assert.ok(machine.wrong[opOf(name)]! > 0, `${name} never ran wrong`);
  }
});

Deno.test("the tail of a block queued for a destructor, and a shared table constructed anew, are misuses", () => {
  const misused = (text: string): boolean => {
    const program = parseProgram(text, "test");
    const machine = new Machine(program);
    machine.run(program);
    return machine.misuse;
  };
  const queued = (page: string): string =>
    `kernel 6.14\nconfig DEBUG_VM\nd0 = pagetable_alloc(GFP_KERNEL, 1)\ng0 = tlb_gather_mmu(mm0)\n` +
    `pagetable_pgd_ctor(d0)\ntlb_flush_pud_range(g0, 0x1000, 4096)\ntlb_remove_table(g0, ${page})\n`;
  assert.deepEqual([misused(queued("d0+1")), misused(queued("d0"))], [true, false]);
  const shared = (shares: string): string =>
    `kernel v2\narch arm64\np0 = alloc_pages(GFP_KERNEL, 0)\npgtable_pmd_page_ctor(p0)\na0 = page_address(p0)\n` +
    `${shares}pgtable_pmd_page_dtor(p0)\npgtable_pmd_page_ctor(p0)\npgtable_pmd_page_dtor(p0)\n__free_page(p0)\n`;
  assert.deepEqual([misused(shared("huge_pmd_share(a0)\n")), misused(shared(""))], [true, false]);
});
