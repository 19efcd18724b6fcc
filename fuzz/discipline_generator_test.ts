import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { FINDING_WORDS } from "../core/ledger/finding.ts";
import { CALLS, OP_AT, POINTS } from "../core/program/calls.ts";
import { Machine } from "../core/program/machine.ts";
import { parseProgram } from "../core/program/parse.ts";
import { printProgram } from "../core/program/print.ts";
import { type Program, STEP_WORDS } from "../core/program/program.ts";
import { parseDiscipline } from "../corpus/load_discipline.ts";
import { selectDisciplines } from "./cells.ts";
import { DisciplineGenerator } from "./discipline_generator.ts";
import { programSeed, Random } from "./random.ts";

const TWO_PATHS = `
name = "test/two-paths"
kernels = ["6.12"]
[alloc]
run = '''
p = alloc_pages(GFP_KERNEL, 1)
q = alloc_page(GFP_KERNEL)
'''
[fail.second]
after = "q"
run = '''
__free_pages(p, 1)
'''
[use.look]
run = '''
h = PageHead(p)
a = page_to_virt(q)
clear_page(a)
'''
[free.both]
run = '''
__free_pages(p, 1)
__free_page(q)
'''
`;

function setUp(text: string) {
  const discipline = parseDiscipline(text, "test.toml");
  const machine = new Machine({ kernel: "6.12", arch: discipline.arch, config: [], pages: discipline.pages });
  const compiled = discipline.compile("6.12");
  return { machine, compiled, generator: new DisciplineGenerator(compiled, machine.ledger, discipline.pages) };
}

function generate(generator: DisciplineGenerator, number: number): Int32Array {
  const random = new Random();
  random.seed(1, programSeed(1, "6.12", "test", number));
  return generator.code.slice(0, generator.generate(random));
}

/** Opcodes of each run of a path, in order. */
function runsOf(code: Int32Array): Map<number, number[]> {
  const runs = new Map<number, number[]>();
  for (let at = 0; at < code.length; at += STEP_WORDS) {
    const run = code[at + 7]!;
    if (run === 0) continue;
    if (!runs.has(run)) runs.set(run, []);
    runs.get(run)!.push(code[at]!);
  }
  return runs;
}

const opcodes = (code: Int32Array): number[] => [...code].filter((_, i) => i % STEP_WORDS === 0);

Deno.test("a path that was started is finished, its lines in their order; only a failed allocation cuts one short", () => {
  const { compiled, generator } = setUp(TWO_PATHS);
  const whole = [compiled.alloc, ...compiled.use, ...compiled.free, ...compiled.fail].map((p) =>
    opcodes(p.code).join()
  );
  const cut = opcodes(compiled.alloc.code).map((_, i, all) => all.slice(0, i + 1).join());
  fc.assert(fc.property(fc.nat(100_000), (number) => {
    for (const run of runsOf(generate(generator, number)).values()) {
      assert(whole.includes(run.join()) || cut.includes(run.join()), `run of opcodes ${run}`);
    }
  }));
});

Deno.test("an allocation that fails takes the error path named for it, and nothing leaks", () => {
  const { machine, compiled, generator } = setUp(TWO_PATHS);
  const errorPath = opcodes(compiled.fail[0]!.code).join();
  let taken = 0;
  for (let number = 0; number < 500; number++) {
    const code = generate(generator, number);
    taken += [...runsOf(code).values()].filter((run) => run.join() === errorPath).length;
    machine.runCode(code, code.length, generator.slots);
    assertEquals(machine.ledger.nFindings, 0);
  }
  assert(taken > 50, `the error path was taken ${taken} times`);
});

Deno.test("what a program is depends on its seed alone", () => {
  const { generator } = setUp(TWO_PATHS);
  const first = generate(generator, 7);
  generate(generator, 8);
  assertEquals(generate(generator, 7), first);
  assertNotEquals(generate(generator, 9), first);
});

Deno.test("programs of every shipped discipline print, parse back, and show the same", () => {
  for (const { discipline: d } of selectDisciplines([])) {
    const kernel = d.kernels.at(-1)!;
    const machine = new Machine({ kernel, arch: d.arch, config: d.config, pages: d.pages });
    const generator = new DisciplineGenerator(d.compile(kernel), machine.ledger, d.pages);
    for (let number = 0; number < 5; number++) {
      const code = generate(generator, number);
      const slots = generator.names();
      machine.runCode(code, code.length, generator.slots);
      const findings = machine.ledger.findings.slice(0, machine.ledger.nFindings * FINDING_WORDS);
      const program: Program = {
        comments: [],
        kernel,
        arch: d.arch,
        config: d.config,
        pages: d.pages,
        code,
        slots,
        claims: [],
      };
      const again = parseProgram(printProgram(program), d.name);
      const other = new Machine(again);
      other.run(again);
      assertEquals(other.steps, machine.steps, d.name);
      assertEquals(other.ledger.nFindings * FINDING_WORDS, findings.length, d.name);
    }
  }
});

Deno.test("programs are 20 to 200 lines long, give or take the paths that run at their end", () => {
  const { generator } = setUp(TWO_PATHS);
  const lengths = Array.from({ length: 400 }, (_, i) => generate(generator, i).length / STEP_WORDS);
  assert(
    Math.min(...lengths) >= 20 && Math.max(...lengths) <= 300,
    `${Math.min(...lengths)} to ${Math.max(...lengths)}`,
  );
});

Deno.test("what stays for good is never given back, and its programs come to an end and are clean", () => {
  const forever = TWO_PATHS.replace(/\[free[^]*$/, "").replace("kernels", "forever = true\nkernels");
  const { generator, machine, compiled } = setUp(forever);
  for (let number = 0; number < 200; number++) {
    const code = generate(generator, number);
    assert(code.length > 0);
    machine.runCode(generator.code, code.length, generator.slots);
    assertEquals(machine.ledger.nFindings, 0, String(number));
  }
  // Its one tour takes the alloc path and the use, the other the error path.
  assertEquals(generator.tours, 2);
  assertEquals(runsOf(generator.code.slice(0, generator.tour(0))).size, 1 + compiled.use.length);
});

Deno.test("steps are placed at the points that the kernel comes by, each with the step that can tell there", () => {
  const placed = (kernel: string, arch: string): string[] => {
    const d = parseDiscipline(TWO_PATHS.replace('"6.12"', `"${kernel}"`), "test.toml");
    const machine = new Machine({ kernel, arch, config: [], pages: d.pages });
    const generator = new DisciplineGenerator(d.compile(kernel), machine.ledger, d.pages);
    const seen = new Set<string>();
    for (let number = 0; number < 300; number++) {
      const code = generate(generator, number);
      for (let at = 0; at < code.length; at += STEP_WORDS) {
        if (code[at] === OP_AT) seen.add(`${POINTS[code[at + 2]!]} ${CALLS[code[at + STEP_WORDS]!]!.name}`);
      }
    }
    return [...seen].sort();
  };
  const put = "__free_pages:after_put put_page";
  const flush = "tlb_table_flush:after_call_rcu rcu_grace_period";
  assertEquals(placed("6.12", "generic"), [put]);
  assertEquals(placed("6.12", "x86"), [put, flush]);
  assertEquals(placed("6.1", "s390"), [put, "page_table_free:pending rcu_grace_period", flush]);
});
