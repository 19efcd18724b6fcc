import { assertEquals, assertThrows } from "@std/assert";
import { InputError } from "../core/program/input_error.ts";
import { parseProgram } from "../core/program/parse.ts";
import { programSource } from "./programs.ts";

Deno.test("a program about charges is not compared with a kernel that has none", () => {
  const program = parseProgram("kernel 6.12\narch x86\nconfig MEMCG\np0 = alloc_page(GFP_KERNEL_ACCOUNT)\n", "mine.pt");
  assertThrows(() => programSource(program, "mine.pt", "6.12", ["DEBUG_VM"]), InputError, "say --config MEMCG too");
  assertEquals(
    programSource(program, "mine.pt", "6.12", ["DEBUG_VM", "MEMCG"]).machine.kernel.config.includes("MEMCG"),
    true,
  );
});
