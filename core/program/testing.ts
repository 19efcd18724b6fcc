/**
 * What the tests of the invariants share: programs that claim what they break,
 * and nothing else.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ALL_INVARIANTS, invariantById } from "../ledger/invariants.ts";
import { compareClaims, findingsOf } from "./findings.ts";
import { Machine } from "./machine.ts";
import { parseProgram } from "./parse.ts";

/** An edge of an invariant. */
export interface Edge {
  /** The claim, after "is broken when". */
  readonly that: string;
  /** A program with its claims; without a `kernel` line it is 6.12's. */
  readonly program: string;
}

/** A test, to be registered by the file that claims it. */
export interface EdgeTest {
  readonly name: string;
  readonly fn: () => void;
}

/** A test for each program: its claims are complete, and the invariant is among them or is not. */
export function edges(id: string, broken: readonly Edge[], notBroken: readonly Edge[]): EdgeTest[] {
  return [
    ...broken.map((edge) => edgeTest(id, edge, true)),
    ...notBroken.map((edge) => edgeTest(id, edge, false)),
  ];
}

function edgeTest(id: string, { that, program: lines }: Edge, breaks: boolean): EdgeTest {
  return {
    name: `${id} is ${breaks ? "" : "not "}broken when ${that}`,
    fn() {
      const text = lines.trimStart();
      const program = parseProgram(text.startsWith("kernel") ? text : `kernel 6.12\n${text}`, `${id}.pt`);
      const machine = new Machine(program);
      machine.run(program);
      const findings = findingsOf(machine, program.slots);
      assertEquals(compareClaims(program.claims, findings), []);
      assertEquals(findings.some((f) => f.invariant === id), breaks);
      machine.ledger.enabled = ALL_INVARIANTS & ~(1 << (invariantById(id)?.index ?? -1));
      machine.run(program);
      assert(!findingsOf(machine, program.slots).some((f) => f.invariant === id), "switched off, it is silent");
    },
  };
}
