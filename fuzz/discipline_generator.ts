/**
 * Writes programs of a discipline: tables come and go, their paths interleave
 * line by line, and the environment does what it may at any time.
 *
 * The lines of a path are never taken apart: a path that was started is finished.
 * What varies is how many tables there are, which path each takes, how the lines
 * of different tables interleave, and the environment's steps between them.
 * Weights are drawn anew for each program (swarm testing), some of them 0.
 *
 *     table:   (new) -> alloc -> READY -> use* -> free -> done
 *                         |
 *                         +-- its allocation fails -> fail -> done
 *
 * @module
 */
import type { CompiledDiscipline, CompiledPath } from "../corpus/discipline.ts";
import {
  BATCHES,
  CALLS,
  FAIL_CHARGE,
  FAIL_PTDESC,
  FAIL_PTLOCK,
  OP_AT,
  OP_REPEAT,
  opOf,
} from "../core/program/calls.ts";
import { AFTER_CALL_RCU, AFTER_PUT, FREE_PENDING, POINT_TABLE } from "../core/kernel/points.ts";
import { kindIndex } from "../core/program/kinds.ts";
import { __GFP_ACCOUNT, __GFP_NOFAIL } from "../core/memory/gfp.ts";
import { NULL } from "../core/memory/words.ts";
import { FIRST_SLOT, type Slot, STEP_WORDS } from "../core/program/program.ts";
import { WALKER_OF } from "../core/ledger/hooks/mod.ts";
import type { Ledger } from "../core/ledger/ledger.ts";
import { REACH } from "../core/ledger/walkers.ts";

/** Shortest program that is aimed at, in lines. */
export const SHORTEST = 20;
/** Longest program that is aimed at, in lines; paths that run are finished beyond it. */
export const LONGEST = 200;
/** Tables at most in one program. */
const MAX_TABLES = 16;
/** Lines a buffer holds. */
const MAX_CODE = 4096;
/** Speculative references at most that are not put yet. */
const MAX_GETS = 16;
/** Grants of one table that are looked after. */
const MAX_GRANTS = 32;

const OP_GET = opOf("env get_page_unless_zero");
const OP_PUT = opOf("env put_page");
const OP_FAIL = opOf("env fail");
const OP_PAGETABLE_ALLOC = opOf("pagetable_alloc");
const OP_RCU = opOf("env rcu_grace_period");
const OP_UNSHARE = opOf("huge_pmd_unshare");
const OP_GONE = opOf("env owner_gone");
const OP_POPULATE = opOf("populate");
const OP_UNLINK = opOf("unlink");
const OP_WALK_END = opOf("env walk_end");
const OP_RCU_WALK = opOf("env pte_offset_map");
const OP_SPIN_LOCK = opOf("env spin_lock");
const OP_PGTABLE_WORK = opOf("env kernel_pgtable_work");
const OP_SET_KERNEL = opOf("ptdesc_set_kernel");
/** The steps that start a walker, with the kind that each starts. */
const WALKS: readonly (readonly [op: number, kind: number])[] = Object.entries(WALKER_OF).map((
  [name, kind],
) => [opOf(name), kind]);
/** Walkers at most that have not been told to leave. */
const MAX_WALKS = 32;
/** Names of what a table put in use that are remembered. */
const MAX_LINKS = 16;

const RESERVING: readonly number[] = [
  opOf("memblock_alloc"),
  opOf("mark_page_reserved"),
  opOf("srmmu_get_nocache"),
  opOf("pte_alloc_one"),
];

const NEW = 0;
const ADVANCE = 1;
const USE = 2;
const FREE = 3;
const GET = 4;
const PUT = 5;
const RCU = 6;
const FAIL_BATCH = 7;
/** A walker comes into a table. */
const WALK = 8;
/** A walker leaves. */
const WALK_END = 9;
/** A step is placed at a point inside what comes next. */
const AT_POINT = 10;
/** A walker takes the lock of its table. */
const LOCK = 11;
/** The worker for the kernel's tables runs. */
const WORK = 12;

const ACTIONS = 13;
const SWARM: readonly number[] = [0, 1, 1, 2, 4, 8];

/** Calls that grant a part of a page, which other tables share. */
export const GRANTS_PARTS: ReadonlySet<string> = new Set([
  "page_table_alloc",
  "pte_fragment_alloc",
  "pmd_fragment_alloc",
  "get_pointer_table",
  "srmmu_get_nocache",
  "pte_alloc_one",
  "kmem_cache_alloc",
]);

/** Calls that grant pages: their result's name stands for the grant. */
export const GRANTS: Uint8Array = Uint8Array.from(
  CALLS,
  (c) =>
    /^(alloc_page|alloc_pages|__get_free_pages?|get_zeroed_page|alloc_pages_exact|memblock_alloc|ptdesc_alloc|pagetable_alloc)$/
        .test(c.name) || GRANTS_PARTS.has(c.name)
      ? 1
      : 0,
);

/** Allocations that construct inside, and answer NULL where the constructor can get no lock. */
export const CONSTRUCTS: Uint8Array = Uint8Array.from(
  CALLS,
  (c) => /^(page_table_alloc|p[tm][ed]_fragment_alloc)$/.test(c.name) ? 1 : 0,
);

/** Whether the memcg pays for what an instruction allocates. */
export function accounts(code: Int32Array, pc: number): boolean {
  const call = CALLS[code[pc]!]!;
  if (call.name === "pte_fragment_alloc") return code[pc + 3] === 0;
  if (call.name === "pmd_fragment_alloc") return code[pc + 2] !== 0;
  // Objects are charged one by one, which is not modelled.
  if (call.name === "kmem_cache_alloc") return false;
  return call.params.some((p, i) => p.type === "gfp" && (code[pc + 2 + i]! & __GFP_ACCOUNT) !== 0);
}

/** Constructors that fail where they can get no lock. */
export const LOCKS: Uint8Array = Uint8Array.from(CALLS, (c) => c.result === "int" && /_ctor$/.test(c.name) ? 1 : 0);

/** Where choices come from. */
export interface Draws {
  /** A number from 0 to n - 1. */
  below(n: number): number;
}

/** What a walker's name begins with. */
const WALKER: Slot = { name: "w", kind: "walker", isConst: false };

/** Always the first. */
const FIRST: Draws = { below: () => 0 };

/** Words after which no action is begun. */
const LIMIT = (MAX_CODE - 64) * STEP_WORDS;

/** A path as the generator walks it. */
interface Walk {
  readonly code: Int32Array;
  /** For each word: all bits where it is a name of the discipline, which stands for another in each program; else 0. */
  readonly names: Int32Array;
  /** First word of each line (a `repeat` or `at` with its body is one line), and the end. */
  readonly lines: Int32Array;
  /** For each line: the slot that it grants into, or -1. */
  readonly grants: Int32Array;
  /** For each line: index of the fail path to take when it fails; -1: none needed; -2: it must not fail. */
  readonly onFail: Int32Array;
  /** For each line: index in FAILABLE of what fails then. */
  readonly failing: Uint8Array;
  /** Slots that the path itself defines. */
  readonly own: Int32Array;
}

function linesOf(code: Int32Array): number[] {
  const lines: number[] = [];
  for (let pc = 0; pc < code.length; pc += STEP_WORDS) {
    lines.push(pc);
    if (code[pc] === OP_AT) pc += STEP_WORDS;
    else if (code[pc] === OP_REPEAT) pc += code[pc + 3]! * STEP_WORDS;
  }
  lines.push(code.length);
  return lines;
}

/** Whether a word stands for a name: the result's, or an operand's that is not a number. */
function isName(code: Int32Array, i: number): boolean {
  const word = i % STEP_WORDS;
  return word === 1 || (word > 1 && word < 5 && (code[i - word + 6]! >> (word - 2) & 1) !== 0);
}

function walkOf(path: CompiledPath, discipline: CompiledDiscipline, isAlloc: boolean, slabLocks: boolean): Walk {
  const { code } = path;
  const lines = linesOf(code);
  const grants: number[] = [];
  const onFail: number[] = [];
  const failing: number[] = [];
  const own = new Set<number>();
  let before = 0;
  for (let i = 0; i + 1 < lines.length; i++) {
    const pc = lines[i]!;
    for (let at = pc; at < lines[i + 1]!; at += STEP_WORDS) {
      if (code[at]! < OP_AT && code[at + 1]! >= FIRST_SLOT) own.add(code[at + 1]!);
    }
    const op = code[pc]!;
    const grant = op < OP_AT && GRANTS[op] === 1 ? code[pc + 1]! : -1;
    grants.push(grant);
    let fails = -2;
    if (
      isAlloc && grant >= 0 &&
      !((code[pc + 2]! | code[pc + 3]!) & __GFP_NOFAIL && CALLS[op]!.params.some((p) => p.type === "gfp"))
    ) {
      const path = discipline.fail.findIndex((f) => f.after === grant);
      if (path >= 0) fails = path;
      else if (before === 0) fails = -1;
    }
    const locks = op < OP_AT && LOCKS[op] === 1;
    if (isAlloc && locks && slabLocks) {
      const path = discipline.fail.findIndex((f) => f.after === code[pc + 1]!);
      if (path >= 0) fails = path;
    }
    failing.push(locks ? FAIL_PTLOCK : 0);
    onFail.push(fails);
    if (grant >= 0) before++;
  }
  return {
    code: code.map((word, i) => i % STEP_WORDS === 1 && word < FIRST_SLOT ? -1 : word),
    names: code.map((word, i) => word >= FIRST_SLOT && isName(code, i) ? -1 : 0),
    lines: Int32Array.from(lines),
    grants: Int32Array.from(grants),
    onFail: Int32Array.from(onFail),
    failing: Uint8Array.from(failing),
    own: Int32Array.from(own),
  };
}

function pagesOf(path: CompiledPath): number {
  let pages = 0;
  for (let pc = 0; pc < path.code.length; pc += STEP_WORDS) {
    const op = path.code[pc]!;
    if (op >= OP_AT || GRANTS[op] === 0) continue;
    const params = CALLS[op]!.params;
    const order = params.findIndex((p) => p.type === "order");
    const bytes = params.findIndex((p) => p.type === "bytes");
    const count = params.findIndex((p) => p.type === "count");
    if (order >= 0) pages += 1 << path.code[pc + 2 + order]!;
    else if (bytes >= 0) pages += path.code[pc + 2 + bytes]! >> 11;
    else if (count >= 0) pages += 2 * path.code[pc + 2 + count]!;
    else pages += 1;
  }
  return pages;
}

function makes({ code }: CompiledPath, op: number): boolean {
  for (let pc = 0; pc < code.length; pc += STEP_WORDS) if (code[pc] === op) return true;
  return false;
}

/**
 * The points that a kernel comes by: by its rules and not by the lines of a
 * discipline, so that a fault in one changes nothing of what is drawn.
 */
function pointsOf({ tablesArePages, fragments }: Ledger): number[] {
  return [AFTER_PUT, ...(tablesArePages ? [] : [AFTER_CALL_RCU]), ...(fragments ? [FREE_PENDING] : [])];
}

/** Whether a path takes a table out of those that lead to it. */
export function unlinks(path: CompiledPath): boolean {
  return makes(path, OP_UNLINK);
}

/** Steps that start the walkers that can be in the tables of these paths, by how they are unlinked. */
export function walksOf(paths: readonly CompiledPath[], kinds: number): Int32Array {
  let reach = 0;
  for (const { code } of paths) {
    for (let pc = 0; pc < code.length; pc += STEP_WORDS) if (code[pc] === OP_UNLINK) reach |= REACH[code[pc + 4]!]!;
  }
  return Int32Array.from(WALKS.filter(([, kind]) => (reach & kinds & kind) !== 0), ([op]) => op);
}

/** Whether some path makes or marks reserved pages. */
export function reservesMemory(d: CompiledDiscipline): boolean {
  return [d.alloc, ...d.use, ...d.free, ...d.fail].some((p) =>
    RESERVING.some((op) => p.code.some((w, i) => i % STEP_WORDS === 0 && w === op))
  );
}

/** Writes programs of one discipline into a buffer of its own. */
export class DisciplineGenerator {
  /** The program that was written last. */
  readonly code: Int32Array = new Int32Array(MAX_CODE * STEP_WORDS);
  /** Slots that it uses. */
  slots = FIRST_SLOT;

  readonly #kinds: Uint8Array;
  readonly #apart: boolean;
  readonly #memcg: boolean;
  readonly #slabLocks: boolean;
  readonly #names: CompiledDiscipline["slots"];
  readonly #walks: Walk[];
  readonly #uses: number;
  readonly #frees: number;
  readonly #fails: number;
  /** Tables at once at most: half of the zone is never asked for. */
  readonly maxTables: number;
  readonly #slotKinds: Uint8Array;
  /** Names that a get may act on: slots of the alloc path that point at memory. */
  readonly #pointers: Int32Array;

  /** Points that the kernel comes by. */
  readonly #points: readonly number[];
  readonly #untaken: readonly number[];
  readonly #weights = new Int32Array(ACTIONS);
  /** Each action as often as its weight says. */
  readonly #table = new Uint8Array(256);
  readonly #map: Int32Array;
  readonly #tPath = new Int32Array(MAX_TABLES);
  readonly #tLine = new Int32Array(MAX_TABLES);
  readonly #tRun = new Int32Array(MAX_TABLES);
  readonly #tReady = new Uint8Array(MAX_TABLES);
  readonly #tGrants = new Int32Array(MAX_TABLES * MAX_GRANTS);
  readonly #tGrantCount = new Int32Array(MAX_TABLES);
  readonly #running = new Int32Array(MAX_TABLES);
  readonly #ready = new Int32Array(MAX_TABLES);
  #nRunning = 0;
  #nReady = 0;
  #tables = 0;
  readonly #getSlot = new Int32Array(MAX_GETS);
  #nGets = 0;
  /** Steps that start walkers of the kinds that can be in these tables. */
  readonly #walkOps: Int32Array;
  /** RCU walkers can be in these tables, and tables have locks. */
  readonly #hasLocks: boolean;
  /** Tables of these paths wait for a worker. */
  readonly #hasWorker: boolean;
  readonly #kindOfWalker = kindIndex("walker");
  readonly #walkSlot = new Int32Array(MAX_WALKS);
  #nWalks = 0;
  /** Names of what each table's paths have put in use and not unlinked, and how many there are. */
  readonly #tLinks = new Int32Array(MAX_TABLES * MAX_LINKS);
  readonly #tLinkCount = new Int32Array(MAX_TABLES);
  /** Somebody has walked the table: it was linked, and is freed by a path that unlinks it. */
  readonly #tWalked = new Uint8Array(MAX_TABLES);
  /** Free paths that unlink a table. */
  readonly #unlinking: readonly number[];
  /** Which of the discipline's names each slot of the program stands for. */
  readonly #origin: Int32Array;
  /** Whether a line that was written defines the slot. */
  readonly #defined: Uint8Array;
  /** Path of each run, by the run's number. */
  readonly #runPath = new Int32Array(MAX_CODE);
  /** Lines of each run that were looked at. */
  readonly #runLine = new Int32Array(MAX_CODE);
  #words = 0;
  #runs = 0;
  #failRate = 0;

  /**
   * @param discipline the paths, compiled for the kernel
   * @param ledger of the machine that will run the programs: it takes the kinds of the slots
   * @param pages pages of the zone
   */
  constructor(discipline: CompiledDiscipline, ledger: Ledger, pages: number) {
    const { kinds } = ledger;
    this.#kinds = kinds;
    this.#apart = ledger.apart;
    this.#memcg = ledger.memcg;
    this.#slabLocks = ledger.allocPtlocks;
    this.#names = discipline.slots;
    const paths = [discipline.alloc, ...discipline.use, ...discipline.free, ...discipline.fail];
    this.#walks = paths.map((p, i) => walkOf(p, discipline, i === 0, ledger.allocPtlocks));
    this.#uses = discipline.use.length;
    this.#frees = discipline.free.length;
    this.#fails = 1 + this.#uses + this.#frees;
    const alloc = this.#walks[0]!;
    const taken = alloc.onFail;
    this.#untaken = discipline.fail.flatMap((f, i) => {
      const line = alloc.lines.findIndex((pc) => alloc.code[pc + 1] === f.after && LOCKS[alloc.code[pc]!] === 1);
      return line >= 0 && taken[line] !== i ? [this.#fails + i] : [];
    });
    const perTable = Math.max(1, pagesOf(discipline.alloc) + Math.max(0, ...discipline.use.map(pagesOf)));
    this.maxTables = Math.max(1, Math.min(MAX_TABLES, Math.floor((pages * 0.45) / perTable)));
    this.#slotKinds = Uint8Array.from(discipline.slots, (s) => kindIndex(s.kind));
    this.#map = new Int32Array(MAX_TABLES * discipline.slots.length);
    this.#origin = new Int32Array(kinds.length);
    this.#defined = new Uint8Array(kinds.length);
    const pointer = kindIndex("virt");
    // On reserved memory a speculative reference is theoretical: no real code takes one.
    const reserved = reservesMemory(discipline);
    this.#pointers = this.#walks[0]!.own.filter((s) => !reserved && this.#slotKinds[s]! <= pointer);
    for (let i = 0; i < FIRST_SLOT; i++) kinds[i] = kindIndex("mm");
    this.#unlinking = discipline.free.flatMap((path, i) => makes(path, OP_UNLINK) ? [1 + this.#uses + i] : []);
    this.#points = pointsOf(ledger);
    this.#hasWorker = paths.some((p) => makes(p, OP_SET_KERNEL));
    this.#walkOps = walksOf(paths, ledger.walkerKinds);
    this.#hasLocks = ledger.splitPte && this.#walkOps.includes(OP_RCU_WALK);
  }

  /** Paths (in the order of `[alloc]`, uses, frees, fails) that this configuration never takes: no lock comes from a slab. */
  get untaken(): readonly number[] {
    return this.#untaken;
  }

  /** Whether speculative references are taken at all. */
  get speculates(): boolean {
    return this.#pointers.length > 0;
  }

  /** Writes one program; its length in words. */
  generate(random: Draws): number {
    this.begin();
    const total = this.#drawWeights(random);
    const target = (SHORTEST + random.below(LONGEST - SHORTEST + 1)) * STEP_WORDS;
    while (this.#words < target && this.#words < LIMIT) this.act(random, this.#table[random.below(total)]!);
    this.windUp(random);
    return this.#words;
  }

  /** Programs of {@linkcode tour}: together they take every path once. */
  get tours(): number {
    return Math.max(1, this.#frees) + this.#walks.length - this.#fails;
  }

  /** One table on its way through the alloc path, every use, and one free or fail path: nothing is left to chance. */
  tour(index: number): number {
    this.begin();
    this.#failRate = 0;
    const t = this.#newTable();
    this.#start(t, 0, FIRST);
    const fail = index - Math.max(1, this.#frees);
    while (this.#nRunning > 0) {
      const walk = this.#walks[0]!;
      const line = this.#tLine[t]!;
      if (fail >= 0 && walk.onFail[line] === fail) return this.#fail(0, t, walk, line, fail);
      this.#advance(FIRST, 0);
    }
    if (fail >= 0) return this.#words;
    for (let path = 1; path <= this.#uses; path++) this.#whole(t, path);
    if (this.#frees > 0) this.#whole(t, 1 + this.#uses + index);
    return this.#words;
  }

  /** A whole path of the only table. */
  #whole(t: number, path: number): void {
    this.#nReady = 0;
    this.#start(t, path, FIRST);
    while (this.#nRunning > 0) this.#advance(FIRST, 0);
  }

  /** The next line of a table fails, and the error path follows. */
  #fail(index: number, t: number, walk: Walk, line: number, path: number): number {
    this.#emit(OP_FAIL, walk.failing[line]!, 0);
    this.#copy(walk, line, t);
    this.#running[index] = this.#running[--this.#nRunning]!;
    if (path >= 0) {
      this.#start(t, this.#fails + path, FIRST);
      while (this.#nRunning > 0) this.#advance(FIRST, 0);
    }
    return this.#words;
  }

  /** Starts an empty program. */
  begin(): void {
    this.#words = 0;
    this.slots = FIRST_SLOT;
    this.#tables = 0;
    this.#nRunning = 0;
    this.#nReady = 0;
    this.#nGets = 0;
    this.#nWalks = 0;
    this.#runs = 0;
    this.#failRate = 10;
  }

  /** Words written so far. */
  get words(): number {
    return this.#words;
  }

  #drawWeights(random: Draws): number {
    const w = this.#weights;
    for (let i = 0; i < ACTIONS; i++) w[i] = SWARM[random.below(SWARM.length)]!;
    w[NEW]! += 1;
    w[ADVANCE]! += 4;
    w[FREE]! += 1;
    if (this.#uses === 0) w[USE] = 0;
    if (this.#frees === 0) w[FREE] = 0;
    if (this.#walkOps.length === 0) w[WALK] = w[WALK_END] = 0;
    if (!this.#hasLocks) w[LOCK] = 0;
    if (!this.#hasWorker) w[WORK] = 0;
    // Each sees one page of many.
    w[WALK]! *= 3;
    if (this.#pointers.length === 0 && this.#points.length === 1) w[AT_POINT] = 0;
    // A third of the programs have no failures at all.
    this.#failRate = random.below(3) === 0 ? 0 : random.below(40);
    let total = 0;
    for (let i = 0; i < ACTIONS; i++) {
      for (let n = w[i]!; n > 0; n--) this.#table[total++] = i;
    }
    return total;
  }

  /** Writes the lines of one action (0 to ACTIONS - 1), or of another where it is not possible now. */
  act(random: Draws, action: number): void {
    if (this.#words >= LIMIT) return;
    switch (action) {
      case NEW:
        if (this.#tables < this.maxTables) return this.#start(this.#newTable(), 0, random);
        break;
      case USE:
        if (this.#uses > 0 && this.#nReady > 0) return this.#startReady(random, 1 + random.below(this.#uses));
        break;
      case FREE:
        if (this.#nReady > 0) return this.#free(random);
        break;
      case GET:
        if (this.#tables > 0 && this.#nGets < MAX_GETS && this.#pointers.length > 0) return this.#get(random);
        break;
      case PUT:
        if (this.#nGets > 0) return this.#put(random.below(this.#nGets));
        break;
      case RCU:
        return this.#emit(OP_RCU, 0, 0);
      case FAIL_BATCH:
        return this.#emit(OP_FAIL, 1 + random.below(BATCHES), 0);
      case WALK:
        if (this.#tables > 0 && this.#nWalks < MAX_WALKS && this.#walkOps.length > 0) return this.#walk(random);
        break;
      case WALK_END:
        if (this.#nWalks > 0) return this.#walkEnd(random.below(this.#nWalks));
        break;
      case LOCK:
        if (this.#nWalks > 0) return this.#emit(OP_SPIN_LOCK, this.#walkSlot[random.below(this.#nWalks)]!, 1);
        break;
      case WORK:
        return this.#emit(OP_PGTABLE_WORK, 0, 0);
      case AT_POINT:
        if (this.#atPoint(random)) return;
        break;
    }
    if (this.#nRunning > 0) return this.#advance(random, random.below(this.#nRunning));
    if (this.#tables < this.maxTables) return this.#start(this.#newTable(), 0, random);
    // What stays for good leaves no room for others.
    if (this.#frees === 0) return this.#emit(OP_RCU, 0, 0);
    if (this.#nReady > 0) return this.#free(random);
    // Every table has come and gone: begin again with the first ones' places.
    this.#tables = 0;
  }

  /** Arms a point for a step that can tell there; false where there is none now. */
  #atPoint(random: Draws): boolean {
    const points = this.#points;
    const point = points[random.below(points.length)]!;
    const grace = POINT_TABLE[point]!.step === "env rcu_grace_period";
    if (!grace && this.#nGets === 0) return false;
    this.#emit(OP_AT, point, 0);
    if (grace) this.#emit(OP_RCU, 0, 0);
    else this.#put(random.below(this.#nGets));
    return true;
  }

  #newTable(): number {
    const t = this.#tables++;
    this.#tGrantCount[t] = 0;
    this.#tReady[t] = 0;
    this.#tLinkCount[t] = 0;
    this.#tWalked[t] = 0;
    const map = this.#map;
    const names = this.#names.length;
    for (let i = t * names; i < (t + 1) * names; i++) map[i] = -1;
    return t;
  }

  /** Starts a path of a table and writes its first line. */
  #start(t: number, path: number, random: Draws): void {
    const own = this.#walks[path]!.own;
    const base = t * this.#names.length;
    for (let i = 0; i < own.length; i++) {
      const slot = this.slots++;
      const s = own[i]!;
      this.#map[base + s] = slot;
      this.#origin[slot] = s;
      this.#defined[slot] = 0;
      this.#kinds[slot] = this.#slotKinds[s]!;
    }
    // What is freed without being unlinked was never linked: nobody can come.
    if (path > this.#uses && !this.#unlinking.includes(path)) this.#tLinkCount[t] = 0;
    this.#tPath[t] = path;
    this.#tLine[t] = 0;
    this.#tRun[t] = ++this.#runs;
    this.#runPath[this.#runs] = path;
    this.#running[this.#nRunning++] = t;
    this.#advance(random, this.#nRunning - 1);
  }

  /** Some ready table is freed. */
  #free(random: Draws): void {
    const i = random.below(this.#nReady);
    let path = 1 + this.#uses + random.below(this.#frees);
    const unlinking = this.#unlinking;
    if (unlinking.length > 0 && this.#tWalked[this.#ready[i]!] !== 0 && !unlinking.includes(path)) {
      path = unlinking[random.below(unlinking.length)]!;
    }
    this.#startReadyAt(random, i, path);
  }

  #startReady(random: Draws, path: number): void {
    this.#startReadyAt(random, random.below(this.#nReady), path);
  }

  #startReadyAt(random: Draws, i: number, path: number): void {
    const t = this.#ready[i]!;
    this.#ready[i] = this.#ready[--this.#nReady]!;
    this.#start(t, path, random);
  }

  /** What fails where a line's allocation is to fail: index in FAILABLE. A table whose descriptor is apart can fail twice. */
  #failing(walk: Walk, line: number, random: Draws): number {
    if (this.#slabLocks && CONSTRUCTS[walk.code[walk.lines[line]!]!] === 1 && random.below(2) === 0) return FAIL_PTLOCK;
    if (this.#memcg && random.below(2) === 0 && accounts(walk.code, walk.lines[line]!)) return FAIL_CHARGE;
    if (!this.#apart || walk.code[walk.lines[line]!] !== OP_PAGETABLE_ALLOC) return walk.failing[line]!;
    return random.below(2) === 0 ? 0 : FAIL_PTDESC;
  }

  /** Writes the next line of a running path. */
  #advance(random: Draws, index: number): void {
    const t = this.#running[index]!;
    const path = this.#tPath[t]!;
    const walk = this.#walks[path]!;
    const line = this.#tLine[t]!;
    if (line + 1 >= walk.lines.length) return this.#ended(index, t, path);
    const fails = walk.onFail[line]!;
    if (fails !== -2 && this.#failRate > 0 && random.below(256) < this.#failRate) {
      this.#emit(OP_FAIL, this.#failing(walk, line, random), 0);
      this.#copy(walk, line, t);
      this.#running[index] = this.#running[--this.#nRunning]!;
      if (fails >= 0) this.#start(t, this.#fails + fails, random);
      return;
    }
    this.#copy(walk, line, t);
    const grant = walk.grants[line]!;
    if (grant >= 0 && this.#tGrantCount[t]! < MAX_GRANTS) {
      this.#tGrants[t * MAX_GRANTS + this.#tGrantCount[t]!++] = this.#map[t * this.#names.length + grant]!;
    }
    this.#tLine[t] = line + 1;
    if (line + 2 === walk.lines.length) this.#ended(index, t, path);
  }

  #ended(index: number, t: number, path: number): void {
    this.#running[index] = this.#running[--this.#nRunning]!;
    if (path <= this.#uses) {
      this.#ready[this.#nReady++] = t;
      return;
    }
    this.#tLinkCount[t] = 0;
    // The end of a free or fail path: whoever owned the table's grants is gone.
    const n = this.#tGrantCount[t]!;
    for (let i = 0; i < n; i++) this.#emit(OP_GONE, this.#tGrants[t * MAX_GRANTS + i]!, 1);
  }

  #copy(walk: Walk, line: number, t: number): void {
    const to = this.code;
    const map = this.#map;
    const from = walk.code;
    const { names } = walk;
    const base = t * this.#names.length;
    const end = walk.lines[line + 1]!;
    const run = this.#tRun[t]!;
    let at = this.#words;
    for (let pc = walk.lines[line]!; pc < end; pc += STEP_WORDS, at += STEP_WORDS) {
      const op = from[pc]!;
      to[at] = op;
      // Without a branch a word: which of them are names is as good as chance.
      for (let i = 1; i < 5; i++) {
        const word = from[pc + i]!;
        const name = names[pc + i]!;
        to[at + i] = (map[base + (word & name)]! & name) | (word & ~name);
      }
      to[at + 5] = from[pc + 5]!;
      to[at + 6] = from[pc + 6]!;
      to[at + 7] = run;
      if (names[pc + 1] !== 0) this.#defined[to[at + 1]!] = 1;
      if (op === OP_POPULATE) this.#linked(t, to[at + 2]!);
      else if (op === OP_UNLINK) this.#unlinked(t, to[at + 2]!);
    }
    this.#words = at;
  }

  #emit(op: number, a: number, which: number): void {
    const to = this.code;
    const at = this.#words;
    this.#words += STEP_WORDS;
    to[at] = op;
    to[at + 1] = -1;
    to[at + 2] = a;
    to[at + 3] = 0;
    to[at + 4] = 0;
    to[at + 5] = 0;
    to[at + 6] = which;
    to[at + 7] = 0;
  }

  #get(random: Draws): void {
    const t = random.below(this.#tables);
    const slot = this.#map[t * this.#names.length + this.#pointers[random.below(this.#pointers.length)]!]!;
    if (slot < 0) return;
    // Only a name that a line above defines: the alloc path may still run.
    if (this.#defined[slot] === 0) return;
    this.#emit(OP_GET, slot, 1);
    this.#getSlot[this.#nGets++] = slot;
  }

  /** A line puts something of a table in use. */
  #linked(t: number, slot: number): void {
    const links = this.#tLinks;
    const first = t * MAX_LINKS;
    const n = this.#tLinkCount[t]!;
    for (let i = 0; i < n; i++) if (links[first + i] === slot) return;
    if (n < MAX_LINKS) links[first + this.#tLinkCount[t]!++] = slot;
  }

  /**
   * A line unlinks something of a table: by the name that put it in use, or by
   * another, and then it may be any of them. A name that stays would come to
   * stand for another table, which takes its page.
   */
  #unlinked(t: number, slot: number): void {
    const links = this.#tLinks;
    const first = t * MAX_LINKS;
    const n = this.#tLinkCount[t]!;
    for (let i = 0; i < n; i++) {
      if (links[first + i] !== slot) continue;
      links[first + i] = links[first + n - 1]!;
      this.#tLinkCount[t] = n - 1;
      return;
    }
    this.#tLinkCount[t] = 0;
  }

  /** Somebody walks into something that is in use. */
  #walk(random: Draws): void {
    let t = random.below(this.#tables);
    for (let i = 0; i < this.#tables && this.#tLinkCount[t] === 0; i++) t = (t + 1) % this.#tables;
    const n = this.#tLinkCount[t]!;
    if (n === 0) return;
    const used = this.#tLinks[t * MAX_LINKS + random.below(n)]!;
    const slot = this.slots++;
    this.#origin[slot] = -1;
    this.#defined[slot] = 1;
    this.#kinds[slot] = this.#kindOfWalker;
    const at = this.#words;
    this.#emit(this.#walkOps[random.below(this.#walkOps.length)]!, used, 1);
    this.code[at + 1] = slot;
    this.#walkSlot[this.#nWalks++] = slot;
    this.#tWalked[t] = 1;
  }

  #walkEnd(index: number): void {
    this.#emit(OP_WALK_END, this.#walkSlot[index]!, 1);
    this.#walkSlot[index] = this.#walkSlot[--this.#nWalks]!;
  }

  #put(index: number): void {
    this.#emit(OP_PUT, this.#getSlot[index]!, 1);
    this.#getSlot[index] = this.#getSlot[--this.#nGets]!;
  }

  /** Finishes what runs; mostly frees what is left and puts what is held. */
  windUp(random: Draws): void {
    while (this.#nRunning > 0) this.#advance(random, random.below(this.#nRunning));
    if (random.below(8) !== 0) {
      while (this.#nReady > 0 && this.#frees > 0) {
        this.#free(random);
        while (this.#nRunning > 0) this.#advance(random, random.below(this.#nRunning));
      }
    }
    if (random.below(4) !== 0) { while (this.#nGets > 0) this.#put(this.#nGets - 1); }
  }

  /**
   * Marks the lines of the paths that the program just run has executed with
   * success: a grant that answered NULL is none.
   *
   * @param ran whether each instruction ran
   * @param values of the slots at the end
   * @param seen a mark for each instruction of each path, in the order of `[alloc]`, uses, frees, fails
   * @returns how many were not marked before
   */
  mark(ran: Uint8Array, values: Int32Array, seen: readonly Uint8Array[]): number {
    const lines = this.#runLine.fill(0, 0, this.#runs + 1);
    let fresh = 0;
    for (let at = 0; at < this.#words; at += STEP_WORDS) {
      const run = this.code[at + 7]!;
      if (run === 0) continue;
      const line = lines[run]!++;
      const dst = this.code[at + 1]!;
      // Of a shared table, NULL is the answer that was wanted.
      const answered = dst < 0 || values[dst] !== NULL || this.code[at] === OP_UNSHARE;
      const path = seen[this.#runPath[run]!]!;
      if (ran[at / STEP_WORDS] !== 1 || !answered || path[line] === 1) continue;
      path[line] = 1;
      fresh++;
    }
    return fresh;
  }

  /** Names of the program's slots; made when a finding is kept, not for every program. */
  names(): Slot[] {
    return numberedNames(this.#names, this.#origin.subarray(FIRST_SLOT, this.slots));
  }
}

/**
 * Names for the slots of a program.
 *
 * @param names those of the discipline, the mms first
 * @param origin which of them each slot stands for, from FIRST_SLOT on
 */
export function numberedNames(names: readonly Slot[], origin: ArrayLike<number>): Slot[] {
  const counts = new Map<string, number>();
  const list: Slot[] = names.slice(0, FIRST_SLOT);
  for (let i = 0; i < origin.length; i++) {
    const of = names[origin[i]!] ?? WALKER;
    const n = counts.get(of.name) ?? 0;
    counts.set(of.name, n + 1);
    list.push({
      name: /\d$/.test(of.name) ? `${of.name}_${n}` : `${of.name}${n}`,
      kind: of.kind,
      isConst: of.isConst,
    });
  }
  return list;
}
