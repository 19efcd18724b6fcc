/**
 * A machine: a kernel, its ledger, and the executor that runs programs on both.
 *
 * A step is: fetch the operands, ask the ledger what the call intends, run the
 * kernel's function, hand the ledger what the kernel reported and answered, and
 * compare the count of free pages. Nothing is allocated on the way.
 *
 * @module
 */
import * as $judge from "../ledger/judge.ts";
import * as $checks from "../kernel/checks.ts";
import * as $create from "../kernel/create.ts";
import * as $names from "../kernel/names.ts";
import type { Kernel, KernelFunctions } from "../kernel/kernel.ts";
import * as $hooks from "../ledger/hooks/mod.ts";
import * as $descriptors from "../ledger/descriptors.ts";
import * as $invariants from "../ledger/invariants.ts";
import { Ledger } from "../ledger/ledger.ts";
import * as $states from "../ledger/states.ts";
import * as $families from "../ledger/families.ts";
import { Sweep } from "../ledger/sweep.ts";
import * as $walkers from "../ledger/walkers.ts";
import * as $why from "../ledger/why.ts";
import * as $events from "../memory/events.ts";
import * as $memdesc from "../memory/memdesc.ts";
import * as $words from "../memory/words.ts";
import * as $bindings from "./bindings.ts";
import * as $calls from "./calls.ts";
import * as $kinds from "./kinds.ts";
import type { Program } from "./program.ts";
import * as $program from "./program.ts";
import type { Features } from "./features.ts";
import type { Trace } from "./trace.ts";
import * as $records from "../ledger/records.ts";

const { GR_FLAGS, GR_HELD, GR_SHIFT, GR_STATE, L_ENV_REFS, L_GRANT, L_REFS, L_SHIFT, L_WRITTEN_OFF } = $records;
const { checkCounts, judgeRelease, released } = $judge;
const { C_GATHER_INACTIVE } = $checks;
const { createKernel } = $create;
const { since } = $names;
const { dtorRan, envHolds, gatherReleased, gatherTook, pageOf, partReleased, poolMade, WALK_STEPS, walkPossible } =
  $hooks;
const { answered, asked, checkDescriptors, descriptorFreed, isTables, tableBehind } = $descriptors;
const { CRASH, KERNEL_CHECK, LATENT, LEAK, PAGE_LEAK, POINTER_KIND, USE_AFTER_FREE } = $invariants;
const {
  DESTRUCTS_ALL,
  DESTRUCTS_ANY,
  DESTRUCTS_NONE,
  DESTRUCTS_PTE,
  G_ASIDE,
  INTENDED,
  MAX_GATHERS,
  RELEASE_LOOKUP,
  RELEASE_ORDER_2,
  RELEASE_PART,
  RELEASE_PUT,
} = $states;
const { KERNEL } = $families;
const { iotlbFlushed, tlbFlushed, WALK_IOMMU, WALK_IRQ, WALK_RCU, WALK_TLB, walkersDone } = $walkers;
const { WHY_BAD_PAGE, WHY_BUG, WHY_KIND, WHY_OUTSIDE } = $why;
const {
  EV_BAD_PAGE,
  EV_BATCH_FREE,
  EV_BATCH_PAGE,
  EV_DEFERRED,
  EV_DTOR,
  EV_GATHER_PUT,
  EV_IOTLB_FLUSH,
  EV_IPI,
  EV_POOL,
  EV_PTDESC_FREE,
  EV_QUEUED,
  EV_TABLE,
  EV_TLB_FLUSH,
  EVENT_WORDS,
} = $events;
const { pageBehind } = $memdesc;
const { MAX_PAGE_ORDER, NULL, PAGE_OFFSET, PAGE_SHIFT, PAGE_SIZE } = $words;
const { AFTER, BEFORE, noHook, RUN } = $bindings;
const { callName, CALLS, OP_AT, opOf } = $calls;
const {
  ANSWERS_POINTER,
  ASKS_FIRST,
  HAS_SPAN,
  HAS_VOID,
  KIND_PAGE,
  KIND_PTDESC,
  KIND_VIRT,
  KIND_WALKER,
  kindIndex,
  NEEDS_A,
  NEEDS_B,
  NEEDS_C,
  POINTER_A,
  POINTER_B,
  POINTER_C,
  SPAN_COUNT,
  SPAN_ORDER,
  SPAN_RULES,
  TRAITS,
  VOID_ADDRESS,
  VOID_MEMORY,
  VOID_PGTABLE,
  VOID_RULES,
} = $kinds;
const { FIRST_SLOT, MAX_LINES, MAX_SLOTS, STEP_WORDS } = $program;

/** Makes calls in the place of a machine's kernel: on its memory, with its events, or throwing its `bug`. */
export interface RealKernel {
  /** Makes a call whose operands are in the ledger; the answer. */
  call(op: number): number;
}

/** What a machine is made for. */
export interface MachineOptions {
  /** Name of the kernel. */
  readonly kernel: string;
  /** Architecture. */
  readonly arch: string;
  /** Options of the kernel's configuration. */
  readonly config: readonly string[];
  /** Pages of the zone. */
  readonly pages: number;
  /**
   * Functions to replace: a mutant.
   *
   * @internal
   */
  readonly overrides?: Partial<KernelFunctions>;
}

/** With descriptors apart: it looks a page's or an address's descriptor up. */
const ASKS_PTDESC = 1;
/** It looks a page's folio up. */
const ASKS_FOLIO = 2;
/** It answers a descriptor that it allocated. */
const ALLOCATES = 3;
const APART_BY_NAME: Readonly<Record<string, number>> = {
  page_ptdesc: ASKS_PTDESC,
  virt_to_ptdesc: ASKS_PTDESC,
  pgd_list_add: ASKS_PTDESC,
  pgd_list_del: ASKS_PTDESC,
  pgd_set_mm: ASKS_PTDESC,
  pte_fragment_free: ASKS_PTDESC,
  pmd_fragment_free: ASKS_PTDESC,
  compound_head: ASKS_FOLIO,
  page_folio: ASKS_FOLIO,
  virt_to_head_page: ASKS_FOLIO,
  ptdesc_folio: ASKS_FOLIO,
  get_page: ASKS_FOLIO,
  put_page: ASKS_FOLIO,
  mark_page_reserved: ASKS_FOLIO,
  huge_pmd_share: ASKS_PTDESC,
  huge_pmd_unshare: ASKS_PTDESC,
  pagetable_alloc: ALLOCATES,
};
/** It finds memory by any pointer to it. */
const BY_NUMBER = 4;
const APART: Uint8Array = Uint8Array.from(
  CALLS,
  (c) => VOID_RULES[c.id] === VOID_MEMORY ? BY_NUMBER : APART_BY_NAME[c.name] ?? 0,
);

/** The ledger wants to be told before the call; after it. */
const HAS_BEFORE = 1 << 14;
const HAS_AFTER = 1 << 15;
/** What the executor has to look at, by opcode: traits of the call, and which hooks it has. */
const LOOKS: Uint16Array = TRAITS.map((traits, op) =>
  traits | (BEFORE[op] === noHook ? 0 : HAS_BEFORE) | (AFTER[op] === noHook ? 0 : HAS_AFTER)
);

const OP_ENV_PUT = opOf("env put_page");
const OP_FINISH = opOf("tlb_finish_mmu");
const OP_PGTABLE_WORK = opOf("env kernel_pgtable_work");
const OP_RCU = opOf("env rcu_grace_period");
const OP_REMOVE_PTDESC = opOf("tlb_remove_ptdesc");

/** Grace periods that a page can wait for one after the other. */
const CALLBACKS = 2;
/** Architectures on which several page tables share a page, each linked and walked for itself. */
const SHARING: ReadonlySet<string> = new Set(["s390", "powerpc", "m68k", "sparc", "sparc64", "sh"]);
/** Architectures whose `__tlb_remove_table` tells parts of pages from others by the low bits of the pointer. */
const OWN_TABLES: ReadonlySet<string> = new Set(["powerpc", "sparc64"]);
/** Architectures whose pgtable_t is an address (asm/page.h). */
const PGTABLE_VIRT: ReadonlySet<string> = new Set(["s390", "powerpc", "m68k", "sparc", "sparc64"]);

/** What the ledger is asked before a walker's step: see `walkPossible`. */
const WALKER_KINDS: Int32Array = Int32Array.from(CALLS, (c) => WALK_STEPS[callName(c)] ?? 0);

/** The kind that a value really has: what its name says, unless a page stands there for an address or the reverse. */
function kindOfValue(kind: number, value: number): number {
  if (kind > KIND_VIRT || (kind === KIND_VIRT) === (value >= PAGE_OFFSET)) return kind;
  return kind === KIND_VIRT ? KIND_PAGE : KIND_VIRT;
}

/** Kinds of walkers that there can be: on one CPU none, RCU walkers from 6.6 on (pte_offset_map takes the lock since 6.5). */
function walkerKinds({ arch, base, config }: Kernel): number {
  if (!arch.smp) return 0;
  return (arch.hardwareWalk ? WALK_TLB : 0) | (arch.gupFast ? WALK_IRQ : 0) |
    (base === "6.1" || base === "v2" ? 0 : WALK_RCU) |
    (config.includes("IOMMU_SVA") ? WALK_IOMMU : 0);
}

/** A kernel, its ledger, and the executor. */
export class Machine {
  /**
   * The kernel.
   *
   * @internal
   */
  readonly kernel: Kernel;
  /**
   * What callers were promised, and what was found.
   *
   * @internal
   */
  readonly ledger: Ledger;
  /** Values of the program's names. */
  readonly slots: Int32Array = new Int32Array(MAX_SLOTS);
  /** Steps executed by the program that runs or ran. */
  steps = 0;
  /** A call of the program was given what it must not be given. */
  misuse = false;
  /** Calls executed with operands that the ledger has nothing against, by opcode. */
  readonly right: Float64Array = new Float64Array(CALLS.length);
  /** Calls executed with others. */
  readonly wrong: Float64Array = new Float64Array(CALLS.length);

  /** Goes on after findings, until the kernel itself stops: for comparing kernels, not for judging programs. */
  heedless = false;
  /**
   * Takes down every call that runs, for a kernel that is to do the same; null for nobody.
   *
   * @internal
   */
  trace: Trace | null = null;
  /**
   * Makes the calls; null for the kernel of the model. What it makes of memory is what is judged.
   *
   * @internal
   */
  real: RealKernel | null = null;
  /**
   * Collects what the programs reach; null for nobody.
   *
   * @internal
   */
  features: Features | null = null;
  /** Which instructions of the program ran: 1 at the index of each. */
  readonly ran: Uint8Array = new Uint8Array(MAX_LINES * 2);

  readonly #sweep: Sweep;
  /** How many `at` and `repeat` stand before the instruction that runs: these are no steps. */
  #notSteps = 0;
  /** ... before the step that waits for a point. */
  #atNotSteps = 0;
  /** Where the next piece begins if it follows the last. */
  #next = 0;
  /** How many stand before each instruction: counted where pieces do not follow one another. */
  readonly #notStepsAt: Int32Array = new Int32Array(MAX_LINES * 2);
  #counted = false;
  #code: Int32Array = new Int32Array(0);
  #words = 0;
  #atPc = -1;
  readonly #atPoint: () => void;
  #inPoint = false;
  /** Somebody looks on, or makes the calls, or descriptors are apart: see {@linkcode #callWatched}. */
  #watched = false;
  /** Word of the instruction that runs; -1 while draining. */
  #pc = -1;
  /** The kernel BUGged: there is nothing to drain. */
  #dead = false;

  /** Makes a machine; memory is as after boot. */
  constructor(options: MachineOptions) {
    const k = createKernel(options.kernel, options, options.overrides);
    this.kernel = k;
    const l = new Ledger(k.mem, k.layout, k.map, MAX_SLOTS, SHARING.has(k.arch.name));
    this.ledger = l;
    this.#sweep = new Sweep(k.map.nrPages);
    l.tablesArePages = !k.arch.tableFree;
    l.tableKind = kindIndex(k.arch.tableKind);
    l.tableRelease = OWN_TABLES.has(k.arch.name)
      ? RELEASE_PART
      : since(k.base, "6.14")
      ? RELEASE_LOOKUP
      : k.arch.name !== "s390"
      ? RELEASE_PUT
      : k.base === "6.1" || k.base === "v2"
      ? RELEASE_ORDER_2
      : RELEASE_LOOKUP;
    l.tableDestructs = OWN_TABLES.has(k.arch.name)
      ? DESTRUCTS_NONE
      : since(k.base, "frozen")
      ? DESTRUCTS_ANY
      : since(k.base, "6.14")
      ? DESTRUCTS_ALL
      : k.arch.name === "s390" && k.base === "6.12"
      ? DESTRUCTS_PTE
      : DESTRUCTS_NONE;
    l.pgste = k.pgste;
    l.fragments = k.arch.name === "s390" && !since(k.base, "6.6");
    l.queuesParts = k.arch.name === "powerpc";
    l.queuesPages = k.arch.name === "sparc64";
    l.pgtableKind = PGTABLE_VIRT.has(k.arch.name) ? KIND_VIRT : KIND_PAGE;
    l.nocacheMap = k.nocacheMap;
    l.headLookup = k.base === "v2";
    l.frozenTables = since(k.base, "frozen");
    l.hasDescriptors = k.base !== "6.1";
    l.walkerKinds = walkerKinds(k);
    l.ipiFlush = k.arch.ipiFlush;
    l.deadAsid = k.arch.deadAsid;
    l.flushedAtUnmap = k.noGather;
    l.asyncKernelFree = k.asyncKernelFree && k.base === "6.19";
    l.countsFolios = k.base !== "6.1" && k.base !== "v2";
    l.locks = k.locks;
    l.splitPte = k.splitPte;
    l.splitPmd = k.splitPmd;
    l.allocPtlocks = k.allocPtlocks;
    l.memcg = k.memcg;
    l.pmdShare = k.pmdShare;
    l.sharesAreRefs = options.kernel.includes("-without-B15");
    this.#atPoint = (): void => this.#firePoint();
  }

  /** Runs a whole program: its steps, the drain, the sweep. Its findings are in the ledger. */
  run(program: Program): void {
    this.load(program);
    this.execute(0, program.code.length);
    this.finish();
  }

  /** Starts a program, to be run piece by piece with {@linkcode execute}. */
  load(program: Program): void {
    for (let i = 0; i < program.slots.length; i++) this.ledger.kinds[i] = kindIndex(program.slots[i]!.kind);
    this.begin(program.code, program.code.length, program.slots.length);
  }

  /** The same for flat code; the kinds of its slots are in the ledger already. */
  runCode(code: Int32Array, words: number, slots: number): void {
    this.begin(code, words, slots);
    this.execute(0, words);
    this.finish();
  }

  /** Starts a program: memory as after boot. */
  begin(code: Int32Array, words: number, slots: number): void {
    this.kernel.reset();
    this.#watched = this.trace !== null || this.features !== null || this.real !== null || this.ledger.apart;
    this.trace?.start();
    this.features?.start();
    this.kernel.atPoint = this.#atPoint;
    this.ledger.reset(slots);
    this.steps = 0;
    this.misuse = false;
    this.#dead = false;
    this.#code = code;
    this.#words = words;
    this.#atPc = -1;
    this.#inPoint = false;
    this.slots.fill(NULL, FIRST_SLOT, slots);
    for (let i = 0; i < FIRST_SLOT; i++) this.slots[i] = i;
    this.ran.fill(0, 0, words >> 3);
    this.#notSteps = 0;
    this.#next = 0;
    this.#counted = false;
  }

  /** Runs the instructions from word `pc` to word `end`; stops where the program must end. */
  execute(pc: number, end: number): void {
    const k = this.kernel;
    if (pc !== this.#next) this.#notSteps = this.#notStepsBefore(pc);
    this.#next = -1;
    try {
      this.#execute(pc, end);
      if (!this.ledger.stop || this.heedless) this.#next = end;
    } catch (error) {
      if (error !== k.bug) throw error;
      if (this.ledger.misuse) this.wrong[this.ledger.op]!++;
      else this.right[this.ledger.op]!++;
      this.#bug();
    }
  }

  /** How many `at` and `repeat` stand before word `pc`. */
  #notStepsBefore(pc: number): number {
    const before = this.#notStepsAt;
    if (!this.#counted) {
      this.#counted = true;
      const code = this.#code;
      for (let at = 0, n = 0; at < this.#words; at += STEP_WORDS) {
        before[at >> 3] = n;
        if (code[at]! >= OP_AT) n++;
      }
    }
    return before[pc >> 3]!;
  }

  #execute(from: number, end: number): void {
    const code = this.#code;
    const l = this.ledger;
    for (let pc = from; pc < end; pc += STEP_WORDS) {
      const op = code[pc]!;
      if (op >= OP_AT) {
        const before = ++this.#notSteps;
        if (op === OP_AT) {
          this.#atNotSteps = before;
          this.trace?.arm(code, pc, l.kinds);
          this.kernel.armed = code[pc + 2]!;
          this.#atPc = pc + STEP_WORDS;
          pc += STEP_WORDS;
          continue;
        }
        const body = pc + STEP_WORDS;
        const bodyEnd = body + code[pc + 3]! * STEP_WORDS;
        for (let n = code[pc + 2]!; n > 0 && (!l.stop || this.heedless); n--) {
          this.#notSteps = before;
          this.#execute(body, bodyEnd);
        }
        if (l.stop && !this.heedless) return;
        pc = bodyEnd - STEP_WORDS;
        continue;
      }
      this.#step(op, pc);
      if (l.stop && !l.goesOn() && !this.heedless) return;
    }
  }

  #step(op: number, pc: number): void {
    const code = this.#code;
    const l = this.ledger;
    const slots = this.slots;
    const looks = LOOKS[op]!;
    const which = code[pc + 6]!;
    const offsets = code[pc + 5]!;
    let a = code[pc + 2]!;
    let b = code[pc + 3]!;
    let c = code[pc + 4]!;
    const sa = (which & 1) !== 0 ? a : -1;
    const sb = (which & 2) !== 0 ? b : -1;
    if (sa >= 0) a = slots[a]!;
    if (sb >= 0) b = slots[b]!;
    if ((which & 4) !== 0) c = slots[c]!;
    // A NULL operand skips the line, unless the kernel goes on with it.
    if (a === NULL && (looks & NEEDS_A) !== 0) return;
    if (b === NULL && (looks & NEEDS_B) !== 0) return;
    if (c === NULL && (looks & NEEDS_C) !== 0) return;
    if (offsets !== 0) {
      if ((a === NULL && (offsets & 1023) !== 0) || (b === NULL && (offsets & 0xffc00) !== 0)) return;
      if (sa >= 0) a += (offsets & 1023) << (l.kinds[sa] === KIND_VIRT ? PAGE_SHIFT : 0);
      if (sb >= 0) b += ((offsets >> 10) & 1023) << (l.kinds[sb] === KIND_VIRT ? PAGE_SHIFT : 0);
      // The only third operand that points at memory is a page.
      if ((which & 4) !== 0 && c !== NULL) c += (offsets >> 20) & 1023;
    }
    l.step = (pc >> 3) + 1 - this.#notSteps;
    l.op = op;
    l.stepStart = l.nFindings;
    l.dst = code[pc + 1]!;
    l.sa = sa;
    l.sb = sb;
    l.subject = (looks & POINTER_A) !== 0 ? sa : sb;
    l.offset = offsets;
    l.a = a;
    l.b = b;
    l.c = c;
    this.#pc = pc;
    if ((looks & ASKS_FIRST) !== 0 && !this.#canHappen(op, sa, a)) return;
    this.steps++;
    this.ran[pc >> 3] = 1;
    l.misuse = false;
    // Values come from the kernel and point into memory; offsets, spans and kinds are the program's.
    if (((looks & (HAS_VOID | HAS_SPAN)) === 0 && offsets === 0) || this.#mayRun(op, looks)) this.#call(op, looks);
    if (l.misuse) {
      this.misuse = true;
      this.wrong[op]!++;
    } else this.right[op]!++;
    if (l.lateMisuse) this.misuse = true;
  }

  /**
   * Whether the environment can do a step now. It puts what it got: where the
   * get failed there is nothing to put. It walks what is in use.
   */
  #canHappen(op: number, sa: number, a: number): boolean {
    const l = this.ledger;
    if (sa >= 0 && l.kinds[sa]! > KIND_VIRT && l.kinds[sa] !== KIND_WALKER) return true;
    if (this.#isPtdesc(sa, a)) a = l.descriptors.behind(a);
    const can = op === OP_ENV_PUT ? sa < 0 || envHolds(l, a) : walkPossible(l, WALKER_KINDS[op]!, a);
    // A name that a line before gave to another walker stands for none now.
    if (!can && l.dst >= 0) this.slots[l.dst] = NULL;
    return can;
  }

  /** Runs a call whose operands are in the ledger; what it looks like stands in {@linkcode LOOKS}. */
  #call(op: number, looks: number): void {
    if (this.#watched || this.#inPoint) return this.#callWatched(op, looks);
    const l = this.ledger;
    const k = this.kernel;
    k.nEvents = 0;
    l.lostCharges = 0;
    l.checks[KERNEL_CHECK]!++;
    if ((looks & HAS_BEFORE) !== 0) BEFORE[op]!(l);
    const res = RUN[op]!(k, l);
    l.res = res;
    const dst = l.dst;
    if (dst >= 0) {
      this.slots[dst] = res;
      l.via[dst] = 0;
      if ((looks & ANSWERS_POINTER) !== 0 && !this.#inside(res)) {
        this.#outside(res);
        return;
      }
    }
    if (k.nEvents !== 0) this.#events();
    if ((looks & HAS_AFTER) !== 0) AFTER[op]!(l);
    checkCounts(l);
  }

  /** {@linkcode #call} where somebody looks on, makes the call himself, or waits inside of another. */
  #callWatched(op: number, looks: number): void {
    const l = this.ledger;
    const k = this.kernel;
    if (!this.#inPoint) {
      k.nEvents = 0;
      l.lostCharges = 0;
    }
    if (l.apart) return this.#callApart(op);
    l.checks[KERNEL_CHECK]!++;
    const features = this.features;
    const before = features === null ? 0 : features.subject(l, l.a, (looks & POINTER_A) !== 0);
    const other = features === null ? 0 : features.subject(l, l.b, (looks & POINTER_B) !== 0);
    BEFORE[op]!(l);
    if (this.trace !== null) this.#take(op);
    const res = this.real === null || this.#inPoint ? RUN[op]!(k, l) : this.real.call(op);
    l.res = res;
    if (this.trace !== null) this.trace.answered(op, l.a, l.b, res);
    const dst = l.dst;
    if (dst >= 0) {
      this.slots[dst] = res;
      l.via[dst] = 0;
      if ((looks & ANSWERS_POINTER) !== 0 && !this.#inside(res)) {
        this.#outside(res);
        return;
      }
    }
    if (this.#inPoint) {
      AFTER[op]!(l);
      return;
    }
    if (k.nEvents !== 0) this.#events();
    AFTER[op]!(l);
    checkCounts(l);
    if (features !== null) features.after(k, l, op, before, other);
  }

  /**
   * {@linkcode #call} where descriptors are allocated apart: the kernel is given
   * them, and the hooks the first pages of their tables.
   */
  #callApart(op: number): void {
    const l = this.ledger;
    const k = this.kernel;
    const { a, b } = l;
    const traits = TRAITS[op]!;
    const what = APART[op]!;
    if ((traits & POINTER_A) !== 0) {
      // The environment finds pages by their number, also those that are gone.
      if (this.#isPtdesc(l.sa, a)) {
        if (what !== BY_NUMBER && !tableBehind(l, a)) return;
        l.a = l.descriptors.behind(a);
      }
    }
    if ((traits & POINTER_B) !== 0 && this.#isPtdesc(l.sb, b)) {
      if (!tableBehind(l, b)) return;
      l.b = l.descriptors.behind(b);
    }
    const first = l.a;
    const second = l.b;
    const pfn = pageOf(first);
    if (what === ASKS_PTDESC && first !== NULL) asked(l, pfn);
    if (what === ASKS_FOLIO && isTables(l, pfn)) l.misuse = true;
    l.checks[KERNEL_CHECK]!++;
    BEFORE[op]!(l);
    if (what !== BY_NUMBER) {
      l.a = a;
      l.b = b;
    }
    const res = RUN[op]!(k, l);
    l.a = first;
    l.b = second;
    l.res = res;
    if (l.dst >= 0) {
      this.slots[l.dst] = res;
      l.via[l.dst] = 0;
    }
    if ((traits & ANSWERS_POINTER) !== 0 && !this.#answersApart(what, pfn, res)) return;
    if (this.#inPoint) {
      AFTER[op]!(l);
      return;
    }
    if (k.nEvents !== 0) this.#events();
    AFTER[op]!(l);
    checkCounts(l);
    checkDescriptors(l);
  }

  /** Whether an operand is a descriptor that is allocated apart; a page far outside of memory may have the same number. */
  #isPtdesc(slot: number, value: number): boolean {
    const l = this.ledger;
    return l.apart && slot >= 0 && l.kinds[slot] === KIND_PTDESC && l.descriptors.has(value);
  }

  /** Tells the ledger the page behind a descriptor that was answered; false where that cannot be judged. */
  #answersApart(what: number, pfn: number, res: number): boolean {
    const l = this.ledger;
    if (!l.descriptors.has(res)) {
      if (l.dst < 0 || this.#inside(res)) return true;
      return this.#outside(res);
    }
    if (what === ALLOCATES) {
      l.descriptors.granting = res;
      l.res = pageBehind(l.mem, res);
      return true;
    }
    if (what === ASKS_PTDESC) answered(l, pfn, res);
    if (!tableBehind(l, res)) return false;
    l.res = l.descriptors.behind(res);
    return true;
  }

  /** Takes down the call that is about to run. */
  #take(op: number): void {
    const trace = this.trace!;
    if (this.#inPoint) trace.fired();
    else if (this.#pc < 0) trace.drain(op, this.ledger.a);
    else trace.step(this.#code, this.#pc, this.ledger.kinds);
  }

  #inside(value: number): boolean {
    const pfn = value >= PAGE_OFFSET ? (value - PAGE_OFFSET) >> PAGE_SHIFT : value;
    return pfn >= NULL && pfn < this.ledger.nrPages;
  }

  /** Whether what the program passes is such that the call can run at all; records what is not. */
  #mayRun(op: number, traits: number): boolean {
    const l = this.ledger;
    if ((traits & HAS_VOID) !== 0 && !this.#kindsAgree(VOID_RULES[op]!)) return false;
    const n = l.nrPages;
    if ((traits & POINTER_A) !== 0 && l.a !== NULL) {
      const pfn = l.a >= PAGE_OFFSET ? (l.a - PAGE_OFFSET) >> PAGE_SHIFT : l.a;
      let span = 1;
      if ((traits & HAS_SPAN) !== 0) {
        const rule = SPAN_RULES[op]!;
        if (rule === SPAN_ORDER) span = l.b > 30 ? n + 1 : Math.max(1 << l.b, l.b > MAX_PAGE_ORDER ? n + 1 : 1);
        else span = rule === SPAN_COUNT ? l.b : (l.b + PAGE_SIZE - 1) >> PAGE_SHIFT;
      }
      if (!this.#isPtdesc(l.sa, l.a) && (pfn < 0 || pfn + span > n)) {
        return this.#outside(pfn < 0 ? pfn : pfn + span - 1);
      }
    }
    if ((traits & POINTER_B) !== 0 && l.b !== NULL) {
      const pfn = l.b >= PAGE_OFFSET ? (l.b - PAGE_OFFSET) >> PAGE_SHIFT : l.b;
      if ((pfn < 0 || pfn >= n) && !this.#isPtdesc(l.sb, l.b)) return this.#outside(pfn);
    }
    if ((traits & POINTER_C) !== 0 && (l.c < 0 || l.c >= n)) return this.#outside(l.c);
    return true;
  }

  #outside(pfn: number): boolean {
    this.ledger.misuse = true;
    this.ledger.record(USE_AFTER_FREE, CRASH, WHY_OUTSIDE, -1, -1, 0, pfn, 0);
    return false;
  }

  #kindsAgree(rule: number): boolean {
    const l = this.ledger;
    l.checks[POINTER_KIND]!++;
    if (rule === VOID_MEMORY) {
      const kind = l.sa < 0 ? KIND_VIRT : l.kinds[l.sa]!;
      if (kind <= KIND_VIRT) return true;
      l.misuse = true;
      l.record(POINTER_KIND, CRASH, WHY_KIND, -1, -1, 0, kind, KIND_VIRT);
      return false;
    }
    const slot = rule === VOID_ADDRESS ? l.sa : l.sb;
    if (rule === VOID_PGTABLE && slot >= 0 && l.b === NULL) return true;
    // Without MMU_GATHER_TABLE_FREE tlb_remove_ptdesc takes what its name says.
    const wanted = rule === VOID_ADDRESS
      ? KIND_VIRT
      : rule === VOID_PGTABLE
      ? l.pgtableKind
      : l.tablesArePages && l.op === OP_REMOVE_PTDESC
      ? KIND_PTDESC
      : l.tableKind;
    if (slot < 0) return true;
    const value = rule === VOID_ADDRESS ? l.a : l.b;
    const kind = kindOfValue(l.kinds[slot]!, value);
    if (kind === wanted) return true;
    l.misuse = true;
    const sameWords = kind <= KIND_PTDESC && wanted <= KIND_PTDESC && !l.apart;
    const pfn = value >= PAGE_OFFSET ? (value - PAGE_OFFSET) >> PAGE_SHIFT : value;
    const g = kind <= KIND_VIRT && pfn >= 0 && pfn < l.nrPages ? l.pages[(pfn << L_SHIFT) | L_GRANT]! : -1;
    l.record(POINTER_KIND, sameWords ? LATENT : CRASH, WHY_KIND, g, kind <= KIND_VIRT ? pfn : -1, 0, kind, wanted);
    return sameWords;
  }

  /** Hands the ledger what the kernel reported. */
  #events(): void {
    const k = this.kernel;
    const l = this.ledger;
    const e = k.events;
    const end = k.nEvents * EVENT_WORDS;
    k.nEvents = 0;
    let aside = NULL;
    for (let i = 0; i < end; i += EVENT_WORDS) {
      if (e[i] === EV_DTOR) dtorRan(l, l.descriptors.behind(e[i + 1]!), e[i + 2]!);
      if (e[i] !== EV_BAD_PAGE) continue;
      const block = e[i + 3]!;
      // One block is set aside once, however many of its pages are bad.
      if (block >= 0 && block === aside) continue;
      aside = block;
      const g = block >= 0 ? l.pages[(block << L_SHIFT) | L_GRANT]! : -1;
      // Nothing more is asked of what was written off.
      if (block >= 0 && g < 0 && l.pages[(block << L_SHIFT) | L_WRITTEN_OFF] !== 0) continue;
      if (g >= 0) l.grants[(g << GR_SHIFT) | GR_FLAGS]! |= G_ASIDE;
      l.complaint(LEAK, WHY_BAD_PAGE, e[i + 2]!, g, e[i + 1]!, g >= 0 ? l.grants[(g << GR_SHIFT) | GR_HELD]! : 0);
    }
    for (let i = 0; i < end; i += EVENT_WORDS) {
      const a = e[i + 1]!;
      switch (e[i]) {
        case EV_GATHER_PUT:
          gatherReleased(l, a, RELEASE_PUT, e[i + 2]! || 1);
          break;
        case EV_TABLE:
          this.#tableKind(a);
          if (l.queuesPages && (a & 1) !== 0) gatherReleased(l, pageOf(a), RELEASE_LOOKUP);
          else if (l.queuesParts || l.queuesPages || (l.fragments && (a & 3) !== 0)) partReleased(l, a);
          else gatherReleased(l, pageOf(l.descriptors.behind(a)), l.tableRelease);
          break;
        case EV_DEFERRED:
          gatherReleased(l, a, RELEASE_LOOKUP);
          break;
        case EV_QUEUED:
          gatherTook(l, pageOf(a), e[i + 2]!);
          break;
        case EV_TLB_FLUSH:
          tlbFlushed(l, a, e[i + 2]!, e[i + 3]!);
          break;
        case EV_POOL:
          poolMade(l, a, e[i + 2]!);
          break;
        case EV_IPI:
          walkersDone(l, WALK_IRQ);
          break;
        case EV_IOTLB_FLUSH:
          iotlbFlushed(l);
          break;
        case EV_PTDESC_FREE:
          descriptorFreed(l, a, e[i + 2]!);
          break;
        case EV_BATCH_PAGE:
          l.grant(a, 1, 0, 0, KERNEL, -1);
          break;
        case EV_BATCH_FREE: {
          const g = l.pages[(a << L_SHIFT) | L_GRANT]!;
          // An address that the program held may name it, and the environment hold it through that.
          if (g >= 0 && --l.pages[(a << L_SHIFT) | L_REFS]! === 0) released(l, g, 0);
          else if (g >= 0) l.grants[(g << GR_SHIFT) | GR_STATE] = INTENDED;
          break;
        }
      }
    }
  }

  /** `__tlb_remove_table` takes `void *` too: does the kernel hand it what it takes? */
  #tableKind(table: number): void {
    const l = this.ledger;
    l.checks[POINTER_KIND]!++;
    const kind = table >= PAGE_OFFSET ? KIND_VIRT : KIND_PAGE;
    if ((kind === KIND_VIRT) === (l.tableKind === KIND_VIRT)) return;
    l.record(POINTER_KIND, CRASH, WHY_KIND, -1, pageOf(table), 0, kind, l.tableKind);
  }

  /**
   * An environment step at a named point, inside the call that runs. Memory is
   * between two states there: the ledger books the step's references, and what
   * came of both is judged when the call is through.
   */
  #firePoint(): void {
    const l = this.ledger;
    const pc = this.#atPc;
    if (pc < 0) return;
    this.#atPc = -1;
    const { op, step, a, b, c, sa, sb, dst, subject, offset, stepStart, misuse, pending, pendingOrder, enabled } = l;
    const outer = this.#pc;
    const notSteps = this.#notSteps;
    this.#notSteps = this.#atNotSteps;
    this.#inPoint = true;
    l.enabled = 0;
    this.trace?.reached();
    try {
      this.#step(this.#code[pc]!, pc);
    } finally {
      this.#pc = outer;
      this.#notSteps = notSteps;
      l.enabled = enabled;
      l.misuse ||= misuse;
      this.#inPoint = false;
    }
    l.op = op;
    l.step = step;
    l.a = a;
    l.b = b;
    l.c = c;
    l.sa = sa;
    l.sb = sb;
    l.dst = dst;
    l.subject = subject;
    l.offset = offset;
    l.stepStart = stepStart;
    l.pending = pending;
    l.pendingOrder = pendingOrder;
  }

  #bug(): void {
    const l = this.ledger;
    const k = this.kernel;
    if (l.misuse) this.misuse = true;
    for (let i = 0; i < k.nEvents * EVENT_WORDS; i += EVENT_WORDS) {
      if (k.events[i] === EV_TABLE) this.#tableKind(k.events[i + 1]!);
    }
    // What the release would have been is known all the same.
    if (l.pending >= 0) judgeRelease(l, l.pending, CRASH);
    // That a gather is over is the ledger's to say: the kernel has no such check.
    const page = k.bugPage;
    const g = page >= 0 && page < l.nrPages ? l.pages[(page << L_SHIFT) | L_GRANT]! : -1;
    if (k.bugCheck !== C_GATHER_INACTIVE || l.gathers[l.a] === 1) l.complaint(CRASH, WHY_BUG, k.bugCheck, g, page, 0);
    l.stop = true;
    this.#dead = true;
  }

  /** The drain and the sweep: the environment's references are put, gathers finished, callbacks run. */
  finish(): void {
    const l = this.ledger;
    if (this.#dead) {
      this.#dead = false;
      return;
    }
    const stopped = l.stop;
    const enabled = l.enabled;
    if (stopped) l.enabled = enabled & (1 << PAGE_LEAK);
    l.draining = 1;
    try {
      this.#drain();
      if (!stopped && (!l.stop || l.goesOn())) this.#sweep.run(l);
    } catch (error) {
      if (error !== this.kernel.bug) throw error;
      if (!stopped) this.#bug();
      this.#dead = false;
    } finally {
      if (l.misuse || l.lateMisuse) this.misuse = true;
      l.enabled = enabled;
      l.draining = 0;
    }
  }

  #drain(): void {
    const l = this.ledger;
    l.sa = -1;
    l.sb = -1;
    l.subject = -1;
    l.offset = 0;
    l.dst = -1;
    this.kernel.armed = -1;
    l.stepStart = l.nFindings;
    for (let pfn = 0; l.envTaken && pfn < l.top; pfn++) {
      while (l.pages[(pfn << L_SHIFT) | L_ENV_REFS]! > 0) {
        const before = l.pages[(pfn << L_SHIFT) | L_ENV_REFS]!;
        this.#drainCall(OP_ENV_PUT, pfn);
        if (l.pages[(pfn << L_SHIFT) | L_ENV_REFS]! >= before) break;
      }
    }
    for (let i = 0; i < MAX_GATHERS; i++) {
      if (l.gathers[i] === 1) this.#drainCall(OP_FINISH, i);
    }
    this.#drainCall(OP_RCU, 0);
    // A callback may have queued another.
    for (let i = 0; i < CALLBACKS && this.kernel.nRcu !== 0; i++) this.#drainCall(OP_RCU, 0);
    if (l.asyncKernelFree) this.#drainCall(OP_PGTABLE_WORK, 0);
  }

  #drainCall(op: number, a: number): void {
    const l = this.ledger;
    this.#pc = -1;
    l.op = op;
    l.a = a;
    this.#call(op, LOOKS[op]!);
  }
}
