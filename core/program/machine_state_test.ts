import assert from "node:assert/strict";
import { checkFields, FIELDS, MachineState, ownersOf } from "./machine_state.ts";
import { Machine } from "./machine.ts";
import { parseProgram } from "./parse.ts";
import { STEP_WORDS } from "./program.ts";

const PROGRAM = parseProgram(
  `
kernel 6.12
arch x86
config PTI
pages 16
p0 = alloc_pages(GFP_KERNEL|__GFP_COMP, 2)
env get_page_unless_zero(p0)
d0 = pagetable_alloc(GFP_PGTABLE_USER, 0)
p1 = ptdesc_page(d0)
g0 = tlb_gather_mmu(mm0)
tlb_flush_pmd_range(g0, 0x200000, 0x1000)
tlb_remove_table(g0, p1)
env fail alloc_pages
a0 = memblock_alloc(2)
__free_pages(p0, 2)
p2 = alloc_page(GFP_KERNEL)
env put_page(p0)
tlb_finish_mmu(g0)
a1 = get_zeroed_page(GFP_KERNEL)
env rcu_grace_period()
free_page(a1)
put_page(p2)
free_reserved_page(p2)
`,
  "x.pt",
);

/** Everything that is state, as text; what is scratch or counts is left out. */
function stateOf(machine: Machine): Map<string, string> {
  const map = new Map<string, string>();
  for (const { what, fields, table } of ownersOf(machine)) {
    for (const [name, value] of Object.entries(fields)) {
      // Of batch pages only what is in use is state.
      if (table.get(name) === "scratch" || name === "batches" || typeof value === "function") continue;
      if (ArrayBuffer.isView(value)) map.set(`${what} ${name}`, (value as Int32Array).join());
      else if (typeof value !== "object") map.set(`${what} ${name}`, String(value));
    }
  }
  map.set("slots", machine.slots.join());
  return map;
}

Deno.test("a machine that goes back is where it was, whatever ran in between", () => {
  const machine = new Machine(PROGRAM);
  const slots = PROGRAM.slots.length;
  const state = new MachineState(machine, slots, 1, 16, 4);
  machine.load(PROGRAM);
  const end = PROGRAM.code.length;
  for (let pc = 0; pc < end; pc += STEP_WORDS) {
    const saved = state.room();
    state.own[0] = pc;
    state.save(saved);
    const before = stateOf(machine);
    machine.execute(pc, end);
    machine.finish();
    state.own[0] = -1;
    state.restore(saved);
    assert.equal(state.own[0], pc);
    for (const [name, value] of stateOf(machine)) {
      assert.equal(value, before.get(name), `${name} after ${pc / 8} steps`);
    }
    machine.execute(pc, pc + STEP_WORDS);
    machine.ledger.nFindings = 0;
    machine.ledger.stop = false;
  }
});

Deno.test("what runs after going back runs as it did the first time", () => {
  const machine = new Machine(PROGRAM);
  const state = new MachineState(machine, PROGRAM.slots.length, 0, 16, 4);
  machine.load(PROGRAM);
  const half = 8 * STEP_WORDS;
  machine.execute(0, half);
  const saved = state.room();
  state.save(saved);
  const run = (): string => {
    machine.execute(half, PROGRAM.code.length);
    machine.finish();
    return machine.kernel.mem.join() + machine.ledger.findings.join();
  };
  const first = run();
  state.restore(saved);
  assert.equal(run(), first);
});

Deno.test("a field that the table does not know is refused", () => {
  const table = new Map(FIELDS.ledger);
  table.delete("pages");
  const { ledger } = new Machine(PROGRAM);
  assert.throws(() => checkFields(ledger, "ledger", table), /does not say what 'pages' of the ledger is/);
  table.set("pages", "link").set("nothing", "link");
  assert.throws(() => checkFields(ledger, "ledger", table), /speaks of 'nothing'/);
});

Deno.test("a machine whose arrays were moved begins every program as after boot", () => {
  const fresh = new Machine(PROGRAM);
  fresh.run(PROGRAM);
  const moved = new Machine(PROGRAM);
  new MachineState(moved, PROGRAM.slots.length, 0, 4, 1);
  for (let i = 0; i < 2; i++) moved.run(PROGRAM);
  assert.equal(moved.steps, fresh.steps);
  assert.equal(moved.ledger.nFindings, fresh.ledger.nFindings);
  const before = stateOf(moved);
  // Shorter where a program of a search cannot use it all.
  for (const [name, value] of stateOf(fresh)) assert.ok(value.startsWith(before.get(name)!), name);
});
