import assert from "node:assert/strict";
import { DEFAULT_OPS, run } from "./main.ts";

Deno.test("run() joins the command line to this process: help names the default budget", async () => {
  let out = "";
  const io = {
    out: (text: string) => void (out += text),
    err: () => assert.fail("nothing is wrong"),
    terminal: false,
    colour: false,
    columns: 80,
    onInterrupt: () => () => {},
  };
  assert.equal(await run(["fuzz", "--help"], io), 0);
  assert.equal(out.match(/--ops[\s\S]*?default:\s+([\d_]+)/)?.[1]?.replaceAll("_", ""), String(DEFAULT_OPS));
});

Deno.test("a mistake loads none of the work and answers 2", async () => {
  let err = "";
  const io = {
    out: () => assert.fail("nothing to print"),
    err: (text: string) => void (err += text),
    terminal: false,
    colour: false,
    columns: 80,
    onInterrupt: () => () => {},
  };
  assert.equal(await run(["shrnk"], io), 2);
  assert.equal(err, "unknown command 'shrnk'; did you mean 'shrink'?\n");
});
