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
import type { CompiledDiscipline } from "../corpus/discipline.ts";
import type { Ledger } from "../core/ledger/ledger.ts";
import * as $calls from "../core/program/calls.ts";
import * as $points from "../core/kernel/points.ts";
import { kindIndex } from "../core/program/kinds.ts";
import { NULL } from "../core/memory/words.ts";
import type { Slot } from "../core/program/program.ts";
import * as $program from "../core/program/program.ts";
import { makes, pagesOf, pointsOf, reservesMemory, unlinks, walksOf } from "./path_facts.ts";
import * as $records from "./path_records.ts";
import { Random } from "./random.ts";

// As the module's own, V8 folds them into the code that it compiles.
const { BATCHES, FAIL_CHARGE, FAIL_PTDESC, FAIL_PTLOCK, OP_AT, opOf } = $calls;
const { POINT_TABLE } = $points;
const { FIRST_SLOT, STEP_WORDS } = $program;
const { RECORD_BASES, RECORD_FAIL, RECORD_FAILING, RECORD_FLAGS, RECORD_MORE, RECORD_WORDS, recordsOf } = $records;
const { BASE_RUN, BASE_TABLE, CHARGED, DESCRIPTOR, GRANT, LAST, LINKS, LOCK_INSIDE, LONG, MAY_FAIL } = $records;

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
/** Walkers at most that have not been told to leave. */
const MAX_WALKS = 32;
/** Names of what a table put in use that are remembered. */
const MAX_LINKS = 16;

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

/** What a walker's name begins with. */
const WALKER: Slot = { name: "w", kind: "walker", isConst: false };

/** Words after which no action is begun. */
const LIMIT = (MAX_CODE - 64) * STEP_WORDS;

/*
 * The state of a program that is being written is one array: the lists below,
 * and a row for each table. A list of tables holds their rows.
 */
/** Tables on a path. */
const RUNNING = 0;
/** Tables that wait for a use or a free path. */
const READY = RUNNING + MAX_TABLES;
/** Slots of the speculative references that are held. */
const GETS = READY + MAX_TABLES;
/** Slots of the walkers that are about. */
const WALKERS = GETS + MAX_GETS;
/** The first table's row. */
const ROWS = WALKERS + MAX_WALKS;

/** Word of a row: the record of the table's next line. */
const NEXT = 0;
/** Number of the run of its path. */
const RUN = 1;
/** What is added to a word of a record: nothing, or what makes a name of the table or of the run a slot of the program. */
const BASES = 2;
/** A line of its alloc path that failed: later ones were not written. */
const FAILED = BASES + 3;
/** Somebody has walked it: it was linked, and is freed by a path that unlinks it. */
const WALKED = FAILED + 1;
/** How many of its grants are remembered, and their slots. */
const N_GRANTS = WALKED + 1;
const GRANTS = N_GRANTS + 1;
/** How many names its paths have put in use and not unlinked, and their slots. */
const N_LINKS = GRANTS + MAX_GRANTS;
const LINKED = N_LINKS + 1;
/** Words of a row. */
const ROW = LINKED + MAX_LINKS;

/**
 * Changes no index, and tells V8 that a sum of it and a small number is none too
 * large for an integer: each such sum would be checked otherwise.
 */
const INDEX = 0xfff_ffff;

/** Writes programs of one discipline into a buffer of its own. */
export class DisciplineGenerator {
  /** The program that was written last. */
  readonly code: Int32Array = new Int32Array(MAX_CODE * STEP_WORDS);
  /** Slots that it uses. */
  slots = FIRST_SLOT;

  readonly #kinds: Uint8Array;
  readonly #memcg: boolean;
  readonly #names: CompiledDiscipline["slots"];
  readonly #uses: number;
  readonly #frees: number;
  readonly #fails: number;
  /** Tables at once at most: half of the zone is never asked for. */
  readonly maxTables: number;
  /** Kind of each name; some more, so that four at a time can be copied. */
  readonly #slotKinds: Uint8Array;
  /** Names that a get may act on (slots of the alloc path that point at memory), and the record that defines each. */
  readonly #pointers: Int32Array;
  readonly #definedAt: Int32Array;

  /** Points that the kernel comes by, and whether a grace period can tell there; if not, a put. */
  readonly #points: Int32Array;
  readonly #graceAt: Uint8Array;
  readonly #untaken: readonly number[];
  /** The lines of all paths. */
  readonly #records: Int32Array;
  /** By path: its first record, its first name, and how many names it has. */
  readonly #first: Int32Array;
  readonly #firstName: Int32Array;
  readonly #nNames: Int32Array;
  readonly #weights = new Int32Array(ACTIONS);
  /** Each action as often as its weight says. */
  readonly #table = new Uint8Array(256);
  readonly #tableView = new DataView(this.#table.buffer);
  readonly #state = new Int32Array(ROWS + MAX_TABLES * ROW);
  #nRunning = 0;
  #nReady = 0;
  #nGets = 0;
  #nWalkers = 0;
  #tables = 0;
  /** Steps that start walkers of the kinds that can be in these tables. */
  readonly #walkOps: Int32Array;
  /** RCU walkers can be in these tables, and tables have locks. */
  readonly #hasLocks: boolean;
  /** Tables of these paths wait for a worker. */
  readonly #hasWorker: boolean;
  readonly #kindOfWalker = kindIndex("walker");
  /** Free paths that unlink a table; and whether a path is one. */
  readonly #unlinking: Int32Array;
  readonly #unlinks: Uint8Array;
  /** Path and first slot of each run, by the run's number. */
  readonly #runPath = new Int32Array(MAX_CODE);
  readonly #runSlot = new Int32Array(MAX_CODE);
  #random = new Random();
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
    this.#memcg = ledger.memcg;
    this.#names = discipline.slots;
    const paths = [discipline.alloc, ...discipline.use, ...discipline.free, ...discipline.fail];
    const records = recordsOf(discipline, ledger);
    this.#records = records.words;
    this.#first = Int32Array.from(records.paths, (p) => p.first);
    this.#firstName = Int32Array.from(records.paths, (p) => p.slot);
    this.#nNames = Int32Array.from(records.paths, (p) => p.names);
    this.#untaken = records.untaken;
    this.#uses = discipline.use.length;
    this.#frees = discipline.free.length;
    this.#fails = 1 + this.#uses + this.#frees;
    const perTable = Math.max(1, pagesOf(discipline.alloc) + Math.max(0, ...discipline.use.map(pagesOf)));
    this.maxTables = Math.max(1, Math.min(MAX_TABLES, Math.floor((pages * 0.45) / perTable)));
    this.#slotKinds = new Uint8Array(discipline.slots.length + 4);
    this.#slotKinds.set(discipline.slots.map((s) => kindIndex(s.kind)));
    const pointer = kindIndex("virt");
    // On reserved memory a speculative reference is theoretical: no real code takes one.
    const reserved = reservesMemory(discipline);
    const { slot, names } = records.paths[0]!;
    this.#pointers = Int32Array.from({ length: names }, (_, i) => slot + i)
      .filter((s) => !reserved && this.#slotKinds[s]! <= pointer);
    this.#definedAt = this.#pointers.map((s) => definitionOf(s, records.words));
    for (let i = 0; i < FIRST_SLOT; i++) kinds[i] = kindIndex("mm");
    const isFree = (i: number): boolean => i > this.#uses && i < this.#fails;
    this.#unlinks = Uint8Array.from(paths, (path, i) => isFree(i) && unlinks(path) ? 1 : 0);
    this.#unlinking = Int32Array.from(paths.keys()).filter((i) => this.#unlinks[i] === 1);
    this.#points = Int32Array.from(pointsOf(ledger));
    this.#graceAt = Uint8Array.from(this.#points, (p) => POINT_TABLE[p]!.step === "env rcu_grace_period" ? 1 : 0);
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
  generate(random: Random): number {
    this.#random = random;
    this.#begin();
    // Said to be an integer: V8 takes what a call answers for any number, and would convert it at each use.
    const total = this.#drawWeights() | 0;
    const target = Math.min(LIMIT, (SHORTEST + random.below(LONGEST - SHORTEST + 1)) * STEP_WORDS);
    const table = this.#table;
    while (this.#words < target) this.#act(table[random.below(total)]!);
    this.#windUp();
    return this.#words;
  }

  /** Programs of {@linkcode tour}: together they take every path once. */
  get tours(): number {
    return Math.max(1, this.#frees) + this.#first.length - this.#fails;
  }

  /** One table on its way through the alloc path, every use, and one free or fail path: nothing is left to chance. */
  tour(index: number): number {
    this.#begin();
    this.#failRate = 0;
    const fail = index - Math.max(1, this.#frees);
    const row = this.#newTable();
    this.#start(row, 0);
    while (this.#nRunning > 0) {
      const record = this.#state[row + NEXT]!;
      if (fail >= 0 && this.#records[record + RECORD_FAIL] === fail) {
        this.#fail(0, this.#records[record + RECORD_FAILING]!);
        this.#finish();
      } else this.#advance(0);
    }
    if (fail >= 0) return this.#words;
    for (let path = 1; path <= this.#uses; path++) this.#whole(row, path);
    if (this.#frees > 0) this.#whole(row, 1 + this.#uses + index);
    return this.#words;
  }

  /** A whole path of the only table. */
  #whole(row: number, path: number): void {
    this.#nReady = 0;
    this.#start(row, path);
    this.#finish();
  }

  /** Writes what is left of the path of the only table. */
  #finish(): void {
    while (this.#nRunning > 0) this.#advance(0);
  }

  /** Starts an empty program. */
  #begin(): void {
    this.#words = 0;
    this.slots = FIRST_SLOT;
    this.#tables = 0;
    this.#nRunning = 0;
    this.#nReady = 0;
    this.#nGets = 0;
    this.#nWalkers = 0;
    this.#runs = 0;
  }

  #drawWeights(): number {
    const random = this.#random;
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
    const table = this.#tableView;
    let total = 0;
    for (let i = 0; i < ACTIONS; i++) {
      const four = i * 0x01010101;
      const n = w[i]!;
      // Eight at a time, and what is too much is overwritten: a loop of another length each time costs more.
      for (let done = 0; done < n; done += 8) {
        table.setInt32(total + done, four);
        table.setInt32(total + done + 4, four);
      }
      total += n;
    }
    return total;
  }

  /** Writes the lines of one action, or of another where it is not possible now. */
  #act(action: number): void {
    const random = this.#random;
    switch (action) {
      case NEW:
        if (this.#tables < this.maxTables) return this.#startNew();
        break;
      case USE:
        if (this.#uses > 0 && this.#nReady > 0) {
          const path = 1 + random.below(this.#uses);
          return this.#startReady(random.below(this.#nReady), path);
        }
        break;
      case FREE:
        if (this.#nReady > 0) return this.#free();
        break;
      case GET:
        if (this.#tables > 0 && this.#nGets < MAX_GETS && this.#pointers.length > 0) return this.#get();
        break;
      case PUT:
        if (this.#nGets > 0) return this.#put(random.below(this.#nGets));
        break;
      case RCU:
        return this.#emit(OP_RCU, 0, 0);
      case FAIL_BATCH:
        return this.#emit(OP_FAIL, 1 + random.below(BATCHES), 0);
      case WALK:
        if (this.#tables > 0 && this.#nWalkers < MAX_WALKS && this.#walkOps.length > 0) return this.#walk();
        break;
      case WALK_END:
        if (this.#nWalkers > 0) return this.#walkEnd(random.below(this.#nWalkers));
        break;
      case LOCK:
        if (this.#nWalkers > 0) {
          return this.#emit(OP_SPIN_LOCK, this.#state[WALKERS + random.below(this.#nWalkers)]!, 1);
        }
        break;
      case WORK:
        return this.#emit(OP_PGTABLE_WORK, 0, 0);
      case AT_POINT:
        if (this.#atPoint()) return;
        break;
    }
    if (this.#nRunning > 0) return this.#advance(random.below(this.#nRunning));
    if (this.#tables < this.maxTables) return this.#startNew();
    // What stays for good leaves no room for others.
    if (this.#frees === 0) return this.#emit(OP_RCU, 0, 0);
    if (this.#nReady > 0) return this.#free();
    // Every table has come and gone: begin again with the first ones' places.
    this.#tables = 0;
  }

  /** Arms a point for a step that can tell there; false where there is none now. */
  #atPoint(): boolean {
    const i = this.#random.below(this.#points.length);
    const grace = this.#graceAt[i] === 1;
    if (!grace && this.#nGets === 0) return false;
    this.#emit(OP_AT, this.#points[i]!, 0);
    if (grace) this.#emit(OP_RCU, 0, 0);
    else this.#put(this.#random.below(this.#nGets));
    return true;
  }

  /** A table's row, and slots for the names of its alloc path. */
  #newTable(): number {
    const s = this.#state;
    const row = ROWS + this.#tables++ * ROW;
    s[row + N_GRANTS] = 0;
    s[row + N_LINKS] = 0;
    s[row + WALKED] = 0;
    s[row + FAILED] = this.#records.length;
    s[row + BASES + BASE_TABLE] = this.slots - this.#firstName[0]!;
    return row;
  }

  #startNew(): void {
    this.#start(this.#newTable(), 0);
    this.#advance(this.#nRunning - 1);
  }

  /** Puts a table at the beginning of a path. */
  #start(row: number, path: number): void {
    const s = this.#state;
    const kinds = this.#kinds;
    const kindOf = this.#slotKinds;
    const slots = this.slots & INDEX;
    const name = this.#firstName[path]! & INDEX;
    const n = this.#nNames[path]!;
    // Four at a time: a loop that ends now here, now there costs more. What is too much is overwritten.
    for (let i = 0; i < n; i += 4) {
      kinds[slots + i] = kindOf[name + i]!;
      kinds[slots + i + 1] = kindOf[name + i + 1]!;
      kinds[slots + i + 2] = kindOf[name + i + 2]!;
      kinds[slots + i + 3] = kindOf[name + i + 3]!;
    }
    this.slots = slots + n;
    // What is freed without being unlinked was never linked: nobody can come.
    if (path > this.#uses && this.#unlinks[path] === 0) s[row + N_LINKS] = 0;
    const run = ++this.#runs;
    this.#runPath[run] = path;
    this.#runSlot[run] = slots;
    s[row + RUN] = run;
    s[row + BASES + BASE_RUN] = slots - name;
    s[row + NEXT] = this.#first[path]!;
    s[RUNNING + this.#nRunning++] = row;
  }

  /** Some ready table is freed. */
  #free(): void {
    const random = this.#random;
    const i = random.below(this.#nReady);
    let path = 1 + this.#uses + random.below(this.#frees);
    const unlinking = this.#unlinking;
    if (unlinking.length > 0 && this.#state[this.#state[READY + i]! + WALKED] !== 0 && this.#unlinks[path] === 0) {
      path = unlinking[random.below(unlinking.length)]!;
    }
    this.#startReady(i, path);
  }

  /** Starts a path of a ready table and writes its first line. */
  #startReady(i: number, path: number): void {
    const s = this.#state;
    const row = s[READY + i]!;
    s[READY + i] = s[READY + --this.#nReady]!;
    this.#start(row, path);
    this.#advance(this.#nRunning - 1);
  }

  /** Writes the next line of a running path. */
  #advance(index: number): void {
    const s = this.#state;
    const row = s[RUNNING + index]! & INDEX;
    const record = s[row + NEXT]! & INDEX;
    const flags = this.#records[record + RECORD_FLAGS]!;
    if ((flags & MAY_FAIL) !== 0 && this.#failRate > 0 && this.#random.below(256) < this.#failRate) {
      return this.#fail(index, this.#failing(record, flags));
    }
    this.#copy(row, record);
    s[row + NEXT] = record + RECORD_WORDS;
    if ((flags & (GRANT | LINKS | LAST | LONG)) !== 0) this.#written(index, row, record, flags);
  }

  /** What else comes of a line that was written. */
  #written(index: number, row: number, record: number, flags: number): void {
    const s = this.#state;
    if ((flags & GRANT) !== 0) {
      const n = s[row + N_GRANTS]!;
      if (n < MAX_GRANTS) {
        s[row + GRANTS + n] = this.code[this.#words - STEP_WORDS + 1]!;
        s[row + N_GRANTS] = n + 1;
      }
    }
    const from = this.#words - STEP_WORDS;
    if ((flags & LONG) !== 0) {
      for (let n = this.#records[record + RECORD_MORE]!; n > 0; n--) {
        record += RECORD_WORDS;
        this.#copy(row, record);
      }
      s[row + NEXT] = record + RECORD_WORDS;
    }
    if ((flags & LINKS) !== 0) this.#link(row, from);
    if ((flags & LAST) !== 0) {
      s[RUNNING + index] = s[RUNNING + --this.#nRunning]!;
      if (this.#runPath[s[row + RUN]!]! <= this.#uses) s[READY + this.#nReady++] = row;
      else this.#gone(row);
    }
  }

  /** The end of a free or fail path: whoever owned the table's grants is gone. */
  #gone(row: number): void {
    const s = this.#state;
    s[row + N_LINKS] = 0;
    const n = s[row + N_GRANTS]!;
    for (let i = 0; i < n; i++) this.#emit(OP_GONE, s[row + GRANTS + i]!, 1);
  }

  /** What fails where a line is to fail: index in FAILABLE. A table whose descriptor is apart can fail twice. */
  #failing(record: number, flags: number): number {
    const random = this.#random;
    if ((flags & LOCK_INSIDE) !== 0 && random.below(2) === 0) return FAIL_PTLOCK;
    if (this.#memcg && random.below(2) === 0 && (flags & CHARGED) !== 0) return FAIL_CHARGE;
    if ((flags & DESCRIPTOR) === 0) return this.#records[record + RECORD_FAILING]!;
    return random.below(2) === 0 ? 0 : FAIL_PTDESC;
  }

  /** The next line of a running path fails, and the error path follows. */
  #fail(index: number, what: number): void {
    const s = this.#state;
    const row = s[RUNNING + index]!;
    const record = s[row + NEXT]!;
    this.#emit(OP_FAIL, what, 0);
    this.#copy(row, record);
    s[row + NEXT] = record + RECORD_WORDS;
    s[row + FAILED] = record + RECORD_WORDS;
    s[RUNNING + index] = s[RUNNING + --this.#nRunning]!;
    const path = this.#records[record + RECORD_FAIL]!;
    if (path < 0) return;
    this.#start(row, this.#fails + path);
    this.#advance(this.#nRunning - 1);
  }

  /** Writes a record of a table's path. */
  #copy(row: number, record: number): void {
    row &= INDEX;
    record &= INDEX;
    const to = this.code;
    const from = this.#records;
    const s = this.#state;
    const at = this.#words & INDEX;
    const bases = from[record + RECORD_BASES]!;
    to[at] = from[record]!;
    to[at + 1] = from[record + 1]! + s[row + BASES + (bases & 3)]! | 0;
    to[at + 2] = from[record + 2]! + s[row + BASES + (bases >> 2 & 3)]! | 0;
    to[at + 3] = from[record + 3]! + s[row + BASES + (bases >> 4 & 3)]! | 0;
    to[at + 4] = from[record + 4]! + s[row + BASES + (bases >> 6 & 3)]! | 0;
    to[at + 5] = from[record + 5]!;
    to[at + 6] = from[record + 6]!;
    to[at + 7] = s[row + RUN]!;
    this.#words = at + STEP_WORDS;
  }

  #emit(op: number, a: number, which: number): void {
    const to = this.code;
    const at = this.#words & INDEX;
    to[at] = op;
    to[at + 1] = -1;
    to[at + 2] = a;
    to[at + 3] = 0;
    to[at + 4] = 0;
    to[at + 5] = 0;
    to[at + 6] = which;
    to[at + 7] = 0;
    this.#words = at + STEP_WORDS;
  }

  #get(): void {
    const s = this.#state;
    const row = ROWS + this.#random.below(this.#tables) * ROW;
    const i = this.#random.below(this.#pointers.length);
    // Only a name that a line above defines: the alloc path may still run, or have ended early.
    if (Math.min(s[row + NEXT]!, s[row + FAILED]!) <= this.#definedAt[i]!) return;
    const slot = this.#pointers[i]! + s[row + BASES + BASE_TABLE]!;
    this.#emit(OP_GET, slot, 1);
    s[GETS + this.#nGets++] = slot;
  }

  /** The lines from a word on put something of a table in use, or unlink it. */
  #link(row: number, from: number): void {
    for (let at = from; at < this.#words; at += STEP_WORDS) {
      const op = this.code[at]!;
      if (op === OP_POPULATE) this.#linked(row, this.code[at + 2]!);
      else if (op === OP_UNLINK) this.#unlinked(row, this.code[at + 2]!);
    }
  }

  #linked(row: number, slot: number): void {
    const s = this.#state;
    const n = s[row + N_LINKS]!;
    for (let i = 0; i < n; i++) if (s[row + LINKED + i] === slot) return;
    if (n === MAX_LINKS) return;
    s[row + LINKED + n] = slot;
    s[row + N_LINKS] = n + 1;
  }

  /**
   * A line unlinks something of a table: by the name that put it in use, or by
   * another, and then it may be any of them. A name that stays would come to
   * stand for another table, which takes its page.
   */
  #unlinked(row: number, slot: number): void {
    const s = this.#state;
    const n = s[row + N_LINKS]!;
    for (let i = 0; i < n; i++) {
      if (s[row + LINKED + i] !== slot) continue;
      s[row + LINKED + i] = s[row + LINKED + n - 1]!;
      s[row + N_LINKS] = n - 1;
      return;
    }
    s[row + N_LINKS] = 0;
  }

  /** Somebody walks into something that is in use. */
  #walk(): void {
    const s = this.#state;
    const random = this.#random;
    const tables = this.#tables;
    let t = random.below(tables);
    for (let i = 0; i < tables && s[ROWS + t * ROW + N_LINKS] === 0; i++) t = t + 1 === tables ? 0 : t + 1;
    const row = ROWS + t * ROW;
    const n = s[row + N_LINKS]!;
    if (n === 0) return;
    const used = s[row + LINKED + random.below(n)]!;
    const slot = this.slots++;
    this.#kinds[slot] = this.#kindOfWalker;
    const at = this.#words;
    this.#emit(this.#walkOps[random.below(this.#walkOps.length)]!, used, 1);
    this.code[at + 1] = slot;
    s[WALKERS + this.#nWalkers++] = slot;
    s[row + WALKED] = 1;
  }

  #walkEnd(index: number): void {
    const s = this.#state;
    this.#emit(OP_WALK_END, s[WALKERS + index]!, 1);
    s[WALKERS + index] = s[WALKERS + --this.#nWalkers]!;
  }

  #put(index: number): void {
    const s = this.#state;
    this.#emit(OP_PUT, s[GETS + index]!, 1);
    s[GETS + index] = s[GETS + --this.#nGets]!;
  }

  /** Finishes what runs; mostly frees what is left and puts what is held. */
  #windUp(): void {
    const random = this.#random;
    while (this.#nRunning > 0) this.#advance(random.below(this.#nRunning));
    if (random.below(8) !== 0) {
      while (this.#nReady > 0 && this.#frees > 0) {
        this.#free();
        while (this.#nRunning > 0) this.#advance(random.below(this.#nRunning));
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
    const lines = new Int32Array(this.#runs + 1);
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
    const origin = new Int32Array(this.slots).fill(-1);
    for (let run = 1; run <= this.#runs; run++) {
      const path = this.#runPath[run]!;
      for (let i = 0; i < this.#nNames[path]!; i++) origin[this.#runSlot[run]! + i] = this.#firstName[path]! + i;
    }
    return numberedNames(this.#names, origin.subarray(FIRST_SLOT));
  }
}

/** The record of the alloc path that defines a name. */
function definitionOf(name: number, records: Int32Array): number {
  let at = 0;
  while (records[at + 1] !== name) at += RECORD_WORDS;
  return at;
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
