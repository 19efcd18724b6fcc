import assert from "node:assert/strict";
import { statusLine } from "./status_line.ts";
import type { Io } from "./work.ts";

function io(terminal: boolean): { io: Io; written: string[] } {
  const written: string[] = [];
  return {
    written,
    io: {
      out: () => assert.fail("standard output is for what the work comes to"),
      err: (text) => void written.push(text),
      terminal,
      colour: false,
      columns: 80,
      onInterrupt: () => () => {},
    },
  };
}

Deno.test("on a terminal it is one line that is drawn over, and wiped before something else is printed", async () => {
  const { io: terminal, written } = io(true);
  const status = statusLine(terminal);
  await status.progress(0, 40, "cells");
  await status.progress(1, 40, "cells");
  assert.deepEqual(written, ["\r░░░░░░░░░░░░░░░░░░░░   0%  0 of 40 cells\x1b[K"]);
  status.clear();
  status.clear();
  assert.deepEqual(written.slice(1), ["\r\x1b[K"]);
  await status.progress(20, 40, "cells");
  assert.match(written[2]!, /^\r█{10}░{10} {2}50% {2}20 of 40 cells/);
  status.show("Linux 6.12: compiling, 3 files");
  assert.equal(written[3], "\rLinux 6.12: compiling, 3 files\x1b[K");
});

Deno.test("elsewhere it says what goes on, once a kind of work, and never how far it is", async () => {
  const { io: pipe, written } = io(false);
  const status = statusLine(pipe);
  await status.progress(1, 40, "cells");
  for (let n = 1; n < 4; n++) status.show(`compiling, ${n} files`);
  await status.progress(2, 40, "cells");
  status.show("booting");
  status.clear();
  assert.deepEqual(written, ["compiling, 1 files\n", "booting\n"]);
});

Deno.test("who works without a pause lets others have a turn, so that Ctrl-C is heard", async () => {
  const status = statusLine(io(false).io);
  let heard = false;
  setTimeout(() => heard = true, 0);
  await status.progress(0, 2, "mutants");
  assert.equal(heard, true);
});
