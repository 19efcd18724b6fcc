import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { InputError } from "../core/program/input_error.ts";
import { readRecording } from "./input.ts";
import { traceFile } from "./run_trace.ts";
import { Script } from "./testing.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What is read of a file with that content, and whether it was all. */
async function readBack(content: Uint8Array): Promise<[string, boolean]> {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeFile(file, content);
    let text = "";
    const whole = await readRecording(file, (b) => text += new TextDecoder().decode(b));
    return [text, whole];
  } finally {
    await Deno.remove(file);
  }
}

/** The message that a recording is refused with. */
async function refused(content: string | Uint8Array): Promise<string> {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeFile(file, typeof content === "string" ? bytes(content) : content);
    await traceFile(file, {}, []);
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    return error.message.replace(file, "FILE");
  } finally {
    await Deno.remove(file);
  }
  return assert.fail("not refused");
}

Deno.test("a recording is read plain, compressed, and in several compressed members", async () => {
  assert.deepEqual(await readBack(bytes("abc")), ["abc", true]);
  assert.deepEqual(await readBack(gzipSync(bytes("abc"))), ["abc", true]);
  const members = [...gzipSync(bytes("abc")), ...gzipSync(bytes("def"))];
  assert.deepEqual(await readBack(Uint8Array.from(members)), ["abcdef", true]);
});

Deno.test("of compressed data that end early what there is is read, and it is said", async () => {
  let text = "";
  for (let i = 0; i < 50_000; i++) text += `${Math.imul(i, 0x9e3779b1) >>> 0}\n`;
  const packed = gzipSync(bytes(text));
  const [read, whole] = await readBack(packed.slice(0, packed.length >> 1));
  assert.equal(whole, false);
  assert.ok(read.length > 1000 && text.startsWith(read));
});

Deno.test("what is no recording is refused in a sentence", async () => {
  assert.equal(await refused(""), "FILE: the recording is empty");
  assert.match(await refused("hello\n"), /^FILE: no line of this is an entry of ftrace; expected the text of tracefs'/);
  assert.match(await refused(Uint8Array.of(0x1f, 0x8b, 1, 2, 3)), /^FILE: these are no gzip data that can be read; /);
  assert.match(
    await refused(new Script().entry("sched_switch: x").text()),
    /^FILE: none of 1 entries is mm_page_alloc or mm_page_free; record these events \(docs\/recording\.md\)$/,
  );
  await assert.rejects(traceFile("/nonexistent", {}, []), /nonexistent: there is no such file$/);
  await assert.rejects(traceFile("/", {}, []), /this is a directory, and a recording is wanted$/);
});
