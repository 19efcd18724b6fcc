import assert from "node:assert/strict";
import { Random } from "../fuzz/random.ts";
import { Symbols, UNKNOWN } from "./symbols.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("a name keeps its number, whatever stands behind it and wherever it is met", () => {
  const symbols = new Symbols();
  const at = (text: string): [number, string] => {
    const buf = bytes(text);
    const id = symbols.keep(buf, 0, buf.length);
    return [id, text.slice(0, symbols.end)];
  };
  assert.deepEqual(at("pgd_alloc"), [0, "pgd_alloc"]);
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(at("pgd_alloc+0x1c/0x40"), [0, "pgd_alloc"]);
    assert.deepEqual(at("pgd_alloc.isra.0"), [0, "pgd_alloc"]);
    assert.deepEqual(at(".pgd_alloc"), [0, ".pgd_alloc"]);
    assert.deepEqual(at("pgd_alloc [module]"), [0, "pgd_alloc"]);
    assert.deepEqual(at("pgd_allo"), [1, "pgd_allo"]);
    assert.deepEqual(at("p"), [2, "p"]);
  }
});

Deno.test("names by the thousand, met again and again in any order, are told apart", () => {
  const random = new Random();
  random.seed(7, 0);
  const symbols = new Symbols();
  const known = new Map<string, number>();
  const letters = "abcdefgh_";
  for (let i = 0; i < 50_000; i++) {
    let name = "";
    for (let n = 1 + random.below(i % 50 === 0 ? 80 : 5); n > 0; n--) name += letters[random.below(letters.length)];
    const line = bytes(` => ${name}${random.below(2) === 0 ? "" : `+0x${random.below(64).toString(16)}`}`);
    const wanted = known.get(name) ?? UNKNOWN;
    assert.equal(symbols.find(line, 4, line.length), wanted, name);
    const id = symbols.keep(line, 4, line.length);
    if (wanted >= 0) assert.equal(id, wanted);
    else if (id !== UNKNOWN) known.set(name, id);
    if (id !== UNKNOWN) assert.equal(symbols.names[id], name);
  }
  assert.ok(known.size > 5000, String(known.size));
});
