/**
 * Shrinking of names: each result gets a slot of its own at the start, results
 * that stand for the same page as an earlier name give way to it, and what
 * stays is named shortly at the end.
 *
 * @module
 */
import { type CallDef, CALLS, type Kind, type Param } from "../core/program/calls.ts";
import { isPointer, KIND_LETTERS } from "../core/program/kinds.ts";
import { FIRST_SLOT, MAX_OFFSET, MAX_SLOTS, type Slot, STEP_WORDS } from "../core/program/program.ts";
import { NULL, PAGE_OFFSET, PAGE_SHIFT } from "../core/memory/words.ts";
import { without } from "./shrink_lines.ts";
import { forEachStep, type Trial } from "./shrink_trial.ts";

type Steps = { readonly code: Int32Array; readonly slots: readonly Slot[] };

/** Gives each line that defines a name a slot of its own; a name means the nearest line above that defines it. */
export function oneLinePerSlot({ code, slots }: Steps): Steps {
  const defined = new Set<number>();
  let again = false;
  forEachStep(code, (pc) => {
    const dst = code[pc + 1]!;
    if (dst < 0) return;
    if (defined.has(dst)) again = true;
    defined.add(dst);
  });
  if (!again) return { code, slots };
  const copy = code.slice();
  const all = [...slots];
  const now = Int32Array.from(slots, (_, i) => i);
  defined.clear();
  forEachStep(copy, (pc) => {
    for (let w = 0; w < 3; w++) {
      if ((copy[pc + 6]! >> w & 1) !== 0) copy[pc + 2 + w] = now[copy[pc + 2 + w]!]!;
    }
    const dst = copy[pc + 1]!;
    if (dst < 0) return;
    if (defined.has(dst) && all.length < MAX_SLOTS) {
      now[dst] = all.length;
      all.push(slots[dst]!);
    }
    defined.add(dst);
    copy[pc + 1] = now[dst]!;
  });
  return { code: copy, slots: all };
}

/** Where a name comes from. */
interface Origin {
  /** First word of the line that defines it. */
  readonly pc: number;
  /** The name that all casts and lookups of it began with. */
  readonly root: number;
}

/** Origins of the names, in the order of their lines. */
export function originsOf({ code, slots }: Steps): Map<number, Origin> {
  const origins = new Map<number, Origin>();
  forEachStep(code, (pc) => {
    const dst = code[pc + 1]!;
    if (dst < FIRST_SLOT) return;
    const from = (code[pc + 6]! & 1) !== 0 && isPointer(slots[dst]?.kind) ? origins.get(code[pc + 2]!) : undefined;
    origins.set(dst, { pc, root: from?.root ?? dst });
  });
  return origins;
}

/** The page that a name stands for at the end of the best program, or NULL. */
function pageOf(t: Trial, slot: number): number {
  const value = t.values[slot] ?? NULL;
  return value !== NULL && t.slots[slot]?.kind === "virt" ? (value - PAGE_OFFSET) >> PAGE_SHIFT : value;
}

function offsetOf(code: Int32Array, pc: number, w: number): number {
  return (code[pc + 5]! >>> (10 * w)) & MAX_OFFSET;
}

/** Writes the page offset of operand w. */
export function setOffset(code: Int32Array, pc: number, w: number, offset: number): void {
  code[pc + 5] = (code[pc + 5]! & ~(MAX_OFFSET << (10 * w))) | (offset << (10 * w));
}

function paramOf(code: Int32Array, pc: number, w: number): Param | undefined {
  return CALLS[code[pc]!]?.params[w];
}

function isEnv(code: Int32Array, pc: number): boolean {
  return CALLS[code[pc]!]?.env === true;
}

/** Code in which every use of a slot is one of another that lies `distance` pages before it; undefined where that cannot be written. */
function replaced(code: Int32Array, slot: number, other: number, distance: number): Int32Array | undefined {
  const copy = code.slice();
  let fits = true;
  forEachStep(copy, (pc) => {
    for (let w = 0; w < 3; w++) {
      if ((copy[pc + 6]! >> w & 1) === 0 || copy[pc + 2 + w] !== slot) continue;
      const offset = offsetOf(copy, pc, w) + distance;
      if (offset < 0 || offset > MAX_OFFSET) fits = false;
      copy[pc + 2 + w] = other;
      setOffset(copy, pc, w, offset);
    }
  });
  return fits ? copy : undefined;
}

/** Code in which every use of a number that a call answered is the number itself; undefined where that cannot be written. */
function written(code: Int32Array, slot: number, value: number): Int32Array | undefined {
  const copy = code.slice();
  let fits = true;
  forEachStep(copy, (pc) => {
    for (let w = 0; w < 3; w++) {
      if ((copy[pc + 6]! >> w & 1) === 0 || copy[pc + 2 + w] !== slot) continue;
      const type = paramOf(copy, pc, w)?.type;
      const least = type === "order" || type === "address" ? 0 : 1;
      if (value < least || (type === "order" && value > 31)) fits = false;
      copy[pc + 2 + w] = value;
      copy[pc + 6]! &= ~(1 << w);
    }
  });
  return fits ? copy : undefined;
}

/** Code without a slot: its line leaves, and its uses are those of another name or a number. */
function spared(t: Trial, code: Int32Array | undefined, line: number): Int32Array | undefined {
  return code === undefined ? undefined : without(code, t.slots.length, [line / STEP_WORDS], false);
}

/** Leaves out casts and lookups whose result an earlier name stands for as well, and numbers that can be written. */
export function spareNames(t: Trial): void {
  const origins = originsOf(t);
  const names = [...origins.keys()];
  for (const slot of names.reverse()) {
    const { pc, root } = originsOf(t).get(slot) ?? { pc: -1, root: slot };
    if (pc < 0) continue;
    const kind = t.slots[slot]?.kind;
    const page = pageOf(t, slot);
    if (page === NULL) continue;
    if (kind === "int") {
      t.attempt(spared(t, written(t.code, slot, page), pc));
      continue;
    }
    for (const [other, origin] of originsOf(t)) {
      if (origin.pc >= pc) break;
      if (origin.root !== root || t.slots[other]?.kind !== kind || pageOf(t, other) === NULL) continue;
      if (t.attempt(spared(t, replaced(t.code, slot, other, page - pageOf(t, other)), pc))) break;
    }
  }
}

/**
 * Lets single operands be the earliest name that stands for the same page,
 * without a larger offset. The environment, which knows no names, goes by that
 * of the block that was allocated there last.
 *
 * @param envOnly whether only the environment's lines change
 */
export function useEarlierNames(t: Trial, envOnly: boolean): void {
  const origins = [...originsOf(t)];
  const originOf = new Map(origins);
  const places: [pc: number, w: number][] = [];
  forEachStep(t.code, (pc) => {
    if (envOnly && !isEnv(t.code, pc)) return;
    for (let w = 0; w < 3; w++) if ((t.code[pc + 6]! >> w & 1) !== 0) places.push([pc, w]);
  });
  const instead = (pc: number, w: number, other: number): boolean => {
    const before = offsetOf(t.code, pc, w);
    const offset = before + pageOf(t, t.code[pc + 2 + w]!) - pageOf(t, other);
    if (offset < 0 || offset > before) return false;
    const copy = t.code.slice();
    copy[pc + 2 + w] = other;
    setOffset(copy, pc, w, offset);
    return t.attempt(copy);
  };
  for (const [pc, w] of places) {
    const env = isEnv(t.code, pc);
    const mayBe = (slot: number): boolean => isPointer(t.slots[slot]?.kind) && pageOf(t, slot) !== NULL;
    if (!mayBe(t.code[pc + 2 + w]!)) continue;
    for (const [other, { pc: at, root }] of env ? origins.toReversed() : []) {
      const own = originOf.get(t.code[pc + 2 + w]!);
      if (own === undefined || own.root === other) break;
      if (at < pc && root === other && mayBe(other) && at > originOf.get(own.root)!.pc && instead(pc, w, other)) break;
    }
    const slot = t.code[pc + 2 + w]!;
    const own = originOf.get(slot);
    for (const [other, { pc: at, root }] of origins) {
      if (own === undefined || at >= own.pc) break;
      if (root !== own.root || !mayBe(other)) continue;
      if (t.slots[other]?.kind !== t.slots[slot]?.kind && !env) continue;
      if (instead(pc, w, other)) break;
    }
  }
}

/** Whether a call makes something, and does not only look at what there is. */
function allocates(call: CallDef): boolean {
  return call.result === "gather" || call.result === "walker" ||
    (call.result !== "void" && call.params.every((p) => !isPointer(p.type)));
}

/** Results that nobody uses lose their name, except those of allocations. */
export function dropUnusedNames(t: Trial): void {
  const used = new Set<number>();
  forEachStep(t.code, (pc) => {
    for (let w = 0; w < 3; w++) if ((t.code[pc + 6]! >> w & 1) !== 0) used.add(t.code[pc + 2 + w]!);
  });
  const copy = t.code.slice();
  forEachStep(copy, (pc) => {
    if (copy[pc + 1]! >= 0 && !used.has(copy[pc + 1]!) && !allocates(CALLS[copy[pc]!]!)) copy[pc + 1] = -1;
  });
  t.attempt(copy);
}

/**
 * Slots in the order of the lines that define them, named by their kind: p0,
 * p1, ... for pages, a0 for an address, d0 for a descriptor.
 *
 * @param plain whether names are const only where the call's answer is
 */
export function shortNames({ code, slots }: Steps, plain: boolean): Steps {
  const copy = code.slice();
  const named: Slot[] = slots.slice(0, FIRST_SLOT);
  const next = new Map<Kind, number>();
  const place = new Map<number, number>();
  const placeNext = (slot: number, isConst: boolean): number => {
    const { kind } = slots[slot]!;
    const n = next.get(kind) ?? 0;
    next.set(kind, n + 1);
    place.set(slot, named.length);
    return named.push({ name: `${KIND_LETTERS[kind]}${n}`, kind, isConst }) - 1;
  };
  const placed = (slot: number): number => slot < FIRST_SLOT ? slot : place.get(slot) ?? placeNext(slot, false);
  forEachStep(copy, (pc) => {
    let firstIsConst = false;
    for (let w = 0; w < 3; w++) {
      if ((copy[pc + 6]! >> w & 1) === 0) continue;
      copy[pc + 2 + w] = placed(copy[pc + 2 + w]!);
      if (w === 0) firstIsConst = named[copy[pc + 2]!]!.isConst;
    }
    const dst = copy[pc + 1]!;
    if (dst < FIRST_SLOT) return;
    const kept = firstIsConst && CALLS[copy[pc]!]!.constPreserving;
    copy[pc + 1] = placeNext(dst, kept || (slots[dst]!.isConst && !plain));
  });
  return { code: copy, slots: named };
}
