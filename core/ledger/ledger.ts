/**
 * The ledger: what every caller was promised, and what it gave up.
 *
 * It is told of each call twice, before and after (`hooks.ts`), and of events
 * inside the kernel (`events.ts` of the memory). What it expects it takes from
 * the arguments of calls; what it observes it reads from the raw words; it never
 * asks a function of the model, and imports nothing of the core but the layout
 * of memory.
 *
 *     LIVE ----- free, last put ------> gone, if the last reference went with it
 *       |                                 ^
 *       |  free, put: others hold it      | the last reference
 *       +-----------> INTENDED -----------+
 *       |                                 |
 *       +- tlb_remove_* -> QUEUED --------+ the gather or RCU frees it
 *
 * Everything lives in typed arrays that are made once: a step allocates nothing.
 *
 * @module
 */
import type { Layout } from "../memory/layout.ts";
import type { MemMap } from "../memory/mem_map.ts";
import { Arena } from "../memory/arena.ts";
import * as $memMap from "../memory/mem_map.ts";
import * as $words from "../memory/words.ts";
import * as $families from "./families.ts";
import * as $finding from "./finding.ts";
import * as $invariants from "./invariants.ts";
import * as $fragments from "../memory/fragments.ts";
import { Descriptors } from "./descriptors.ts";
import * as $descriptors from "./descriptors.ts";
import * as $observe from "./observe.ts";
import * as $states from "./states.ts";
import { Walkers } from "./walkers.ts";
import * as $walkers from "./walkers.ts";
import * as $why from "./why.ts";
import * as $records from "./records.ts";

const {
  GR_COMPOUND,
  GR_EXTRA,
  GR_FAMILY,
  GR_FIRST,
  GR_FLAGS,
  GR_FROZEN,
  GR_HELD,
  GR_INTENT_CALL,
  GR_INTENT_STEP,
  GR_ORDER,
  GR_OWNER_REFS,
  GR_PARTS,
  GR_PTDESC,
  GR_QUEUED,
  GR_RELEASED,
  GR_REST,
  GR_SEEN,
  GR_SHIFT,
  GR_SLOT,
  GR_STATE,
  GR_TOTAL,
  L_ENV_REFS,
  L_GRANT,
  L_ON_LIST,
  L_REFS,
  L_RESERVED,
  L_SHIFT,
  L_TABLE,
  L_THEORETICAL,
  L_WRITTEN_OFF,
} = $records;
const { Z_FREE, Z_MANAGED, ZONE_WORDS } = $memMap;
const { NULL, PAGE_WORDS_SHIFT, W_REFCOUNT } = $words;
const { DESCRIBABLE, EXACT, FRAGMENT, FROZEN_RELEASES, LEGAL_RELEASES, PAGETABLE, RESERVED } = $families;
const {
  F_CALL,
  F_INVARIANT,
  F_OFFSET,
  F_PAGES,
  F_PFN,
  F_SEVERITY,
  F_SLOT,
  F_STEP,
  F_WHY,
  F_X,
  F_Y,
  FINDING_WORDS,
  MAX_FINDINGS,
} = $finding;
const {
  ALL_INVARIANTS,
  BAD_REFERENCE,
  BUDDY_STRUCTURE,
  COMPOUND_ORDER,
  CORRUPTION,
  DOUBLE_FREE,
  FAMILY,
  FLUSH_BEFORE_FREE,
  GRACE_PERIOD,
  INVARIANTS,
  KERNEL_CHECK,
  LATENT,
  LEAK,
  LOCK_LIFETIME,
  RESERVED_ACCOUNTING,
  THEORETICAL,
  USE_AFTER_FREE,
} = $invariants;
const { MAX_PARTS } = $fragments;
const { checkDescriptor, describedOrder } = $descriptors;
const { compoundDamage, isFree, orderOf } = $observe;
const {
  G_CAST,
  G_FOREIGN,
  G_LISTED,
  G_MARKED,
  G_TABLE,
  G_WAY_SHIFT,
  LINK_CLEARED,
  LINK_NONE,
  LIVE,
  MAX_GATHERS,
  T_LEVEL,
  T_OPEN,
  T_SHARED,
} = $states;
const { leaveTable, WALK_ALL } = $walkers;
const {
  WHY_FAMILY_CAST,
  WHY_GRANTED_FREE,
  WHY_GRANTED_TWICE,
  WHY_HEAD,
  WHY_MANAGED,
  WHY_OUTSIDE,
  WHY_REFS,
  WHY_RESERVED_FLAG,
  WHY_TAIL,
} = $why;

/** mms whose fragments are kept apart. */
export const FRAGMENT_MMS = 16;

/** What a call breaks after the grant was given up, a bit each. */
const LATE = (1 << USE_AFTER_FREE) | (1 << DOUBLE_FREE) | (1 << LOCK_LIFETIME);

/** Memory is given up whose table is not closed; where the gather destructs it, its level is for later. */
function openTable(l: Ledger, g: number, destructs: boolean): void {
  const first = l.grants[(g << GR_SHIFT) | GR_FIRST]!;
  const end = first + l.grants[(g << GR_SHIFT) | GR_TOTAL]!;
  const mask = destructs ? T_OPEN & ~T_LEVEL : T_OPEN;
  for (let pfn = first; pfn < end; pfn++) {
    if ((l.pages[(pfn << L_SHIFT) | L_TABLE]! & mask) !== 0) l.misuse = true;
  }
}

/** The ledger of one machine. */
export class Ledger {
  readonly mem: Int32Array;
  readonly layout: Layout;
  readonly map: MemMap;
  readonly nrPages: number;
  /** Word of zone 0. */
  readonly zones: number;
  /** Word of a compound block's number of pages, from its head's first word. */
  readonly nrPagesWord: number;

  /** Invariants that are switched on, a bit each. */
  enabled: number = ALL_INVARIANTS;
  /** Invariants whose leaks are expected and do not end a program, a bit each. */
  expectedLeaks = 0;

  /** Arrays that each program begins with as they were made. */
  readonly arena: Arena;

  /** What each page is: records of L_ words (records.ts). */
  readonly pages: Int32Array;
  /** What each grant is: records of GR_ words. Ids are reused when a grant is gone. */
  readonly grants: Int32Array;

  /** With T_LOCK: its lock in the slab. */
  readonly lockOf: Int32Array;
  /** With T_DEPOSITS: how many tables are deposited in it. */
  readonly deposits: Int32Array;
  /** With T_DEPOSITED: the table of PMDs, or -1 less the mm, that it is deposited in. */
  readonly depositHome: Int32Array;
  /** Tables deposited with an mm, where PMD locks are not split. */
  readonly mmDeposits: Int32Array;
  /** With T_SHARED: how many others share it. */
  readonly sharers: Int32Array;
  /** What NR_PAGETABLE should be. */
  pagetables = 0;
  /** Pages that should be charged. */
  charges = 0;
  /** Charged pages that were lost in this step. */
  lostCharges = 0;
  /** Locks of the slab that tables should have. */
  nLocks = 0;
  /** State of every lock of the slab: raw memory. */
  locks: Uint8Array = new Uint8Array(0);
  /** Constructors count a compound block's pages (6.6 and later); else each table is one. */
  countsFolios = false;
  /** Tables of PTEs have locks of their own. */
  splitPte = false;
  /** Tables of PMDs have. */
  splitPmd = false;
  /** These locks come from a slab. */
  allocPtlocks = false;
  /** `__GFP_ACCOUNT` charges. */
  memcg = false;
  /** Tables of PMDs may be shared. */
  pmdShare = false;
  /** A sharer is a reference (before B15). */
  sharesAreRefs = false;

  /** Names that the tables sharing a page were granted to, MAX_PARTS a page. */
  readonly partSlot: Int32Array;
  /** Number of the gather that such a table was queued in last. */
  readonly partGather: Int32Array;

  /** Grant whose rest an mm keeps: of PTEs at 2 * mm, of PMDs behind it; or -1. */
  readonly fragCache: Int32Array;
  /** 1 for each unit of the nocache pool that is in use: raw memory. */
  nocacheMap: Int32Array = new Int32Array(0);
  /** First page of that pool, or NULL. */
  nocachePool = NULL;
  /** Tables that share a page have links and walkers of their own: their ids follow those of grants, MAX_PARTS a page. */
  readonly sharing: boolean;
  /** The next grant's page came from pagetable_alloc. */
  ofTables = false;
  /** A LINK_ code: whether an entry leads to the table. */
  readonly gLink: Int32Array;
  /** How its entry was cleared: a HOW_ code. */
  readonly gHow: Int32Array;
  /** First address that the table mapped, by the line that cleared the entry. */
  readonly gAddress: Int32Array;
  /** Step of that line. */
  readonly gUnlinkStep: Int32Array;
  readonly freeIds: Int32Array;
  nFreeIds = 0;
  /** Ids given out that were not given back since: from here on they are new. */
  nIds = 0;
  /** One past the last page of which anything was ever booked: those behind it should be as after boot. */
  top = 0;
  /** The environment took a reference at all: the drain has something to look for. */
  envTaken = false;

  // The program's values.
  /** How a slot's value was made: VIA_* bits. */
  readonly via: Int32Array;
  /** Pages granted under a slot's name. */
  readonly slotPages: Int32Array;
  /** Kind of a slot, as an index into the executor's kinds. */
  readonly kinds: Uint8Array;

  // The call that runs.
  op = 0;
  step = 0;
  a = 0;
  b = 0;
  c = 0;
  sa = -1;
  sb = -1;
  /** Slot of the operand that points at memory, or -1. */
  subject = -1;
  /** Page offsets of the operands as written. */
  offset = 0;
  dst = -1;
  res = 0;
  /** In the drain: findings are laid to the step that gave the grant up, and this is 1. */
  draining = 0;

  /** Gathers by index: 1 between start and finish, 2 once the path that started it has ended without a finish. */
  readonly gathers: Int32Array;
  /** Number of the gather that has this index now: gathers are counted as they start. */
  readonly gatherIds: Int32Array = new Int32Array(MAX_GATHERS);
  /** Gathers started so far. */
  nGathers = 0;
  /** Whether the gather's range was adjusted since something was last queued: 1, or 2 under fullmm. */
  readonly ranges: Int32Array;
  /** How `__tlb_remove_table` releases on this architecture and kernel: a RELEASE_* code. */
  tableRelease = 0;
  /** What `__tlb_remove_table` destructs: a DESTRUCTS_* code. */
  tableDestructs = 0;
  /** Index of the kind that this architecture queues tables as. */
  tableKind = 0;
  /** Whether tlb_remove_table goes the way of tlb_remove_page (no MMU_GATHER_TABLE_FREE). */
  tablesArePages = false;
  /** Whether this kernel's virt_to_ptdesc looks the head up (v2). */
  headLookup = false;
  /** Whether the references of page tables stay at 0 (frozen). */
  frozenTables = false;
  /** The descriptors, where they are allocated apart (memdesc). */
  readonly descriptors: Descriptors;
  /** The mms are KVM guests' (config PGSTE). */
  pgste = false;
  /** Two tables share a page, and `__tlb_remove_table` knows them by the low bits of the pointer (s390 up to 6.1). */
  fragments = false;
  /** `__tlb_remove_table` takes parts of pages by address, their level in its low bits (powerpc). */
  queuesParts = false;
  /** ... or pages, where the lowest bit is set, and objects of a slab cache (sparc64). */
  queuesPages = false;
  /** Index of the kind that a pgtable_t is: a page, or an address. */
  pgtableKind = 0;
  /** What the next grant's `_refcount` has beside references. */
  extra = 0;
  /** Whether descriptors are allocated apart. */
  readonly apart: boolean;
  /** Whether this kernel has descriptors at all. */
  hasDescriptors = false;
  /** Kinds of walkers that there can be on this architecture, kernel and configuration: WALK_ bits. */
  walkerKinds = 0;
  /** Whether a TLB flush interrupts the other CPUs. */
  ipiFlush = false;
  /** Whether the hardware walks no tables of an mm that nobody is on. */
  deadAsid = false;
  /** Whether pages are flushed when they are unmapped (NO_GATHER). */
  flushedAtUnmap = false;
  /** Whether a worker frees what was marked as the kernel's (6.19). */
  asyncKernelFree = false;
  /** The walkers. */
  readonly walkers: Walkers = new Walkers();

  /** Pages that should be free, and managed. */
  freePages = 0;
  managed = 0;

  // Findings of this program.
  readonly findings: Int32Array = new Int32Array(MAX_FINDINGS * FINDING_WORDS);
  nFindings = 0;
  /** There was no room for another finding. */
  full = false;
  /** Findings recorded before this step. */
  stepStart = 0;
  /** The program must end after this step. */
  stop = false;
  /** A call was given what it must not be given. */
  misuse = false;
  /** A call of this program was used wrong, as has come out since. */
  lateMisuse = false;
  /** Grant that a hook works on, from its before to its after. */
  pending = -1;
  /** Order that the release claims, from before to after. */
  pendingOrder = 0;

  /** How often each invariant was checked, and broken. */
  readonly checks: Float64Array = new Float64Array(INVARIANTS.length);
  readonly violations: Float64Array = new Float64Array(INVARIANTS.length);

  constructor(mem: Int32Array, layout: Layout, map: MemMap, slots: number, sharing = false) {
    const n = map.nrPages;
    this.sharing = sharing;
    this.mem = mem;
    this.layout = layout;
    this.nrPagesWord = (layout.folio["_folio_nr_pages"]?.offset ?? 0) >> 2;
    this.map = map;
    this.zones = map.zones;
    this.nrPages = n;
    this.apart = map.firstPtdesc !== 0;
    this.descriptors = new Descriptors(map.firstPtdesc, this.apart ? n : 0);
    const perPage = (): Int32Array => new Int32Array(n);
    const arena = new Arena(4 * ((n << L_SHIFT) + 16 + 2 * FRAGMENT_MMS + 2 * MAX_GATHERS) + 128);
    this.arena = arena;
    this.pages = arena.words(n << L_SHIFT);
    for (let pfn = 0; pfn < n; pfn++) this.pages[(pfn << L_SHIFT) | L_GRANT] = -1;
    this.grants = new Int32Array(n << GR_SHIFT);
    this.mmDeposits = arena.words(16);
    this.fragCache = arena.words(2 * FRAGMENT_MMS).fill(-1);
    this.gathers = arena.words(MAX_GATHERS);
    this.ranges = arena.words(MAX_GATHERS);
    arena.keep();
    this.lockOf = perPage();
    this.deposits = perPage();
    this.depositHome = perPage();
    this.sharers = perPage();
    this.partSlot = new Int32Array(MAX_PARTS * n);
    this.partGather = new Int32Array(MAX_PARTS * n);
    const perTable = (): Int32Array => new Int32Array(sharing ? n * (1 + MAX_PARTS) : n);
    this.gLink = perTable();
    this.gHow = perTable();
    this.gAddress = perTable();
    this.gUnlinkStep = perTable();
    this.freeIds = perPage();
    this.via = new Int32Array(slots);
    this.slotPages = new Int32Array(slots);
    this.kinds = new Uint8Array(slots);
    this.reset(slots);
  }

  /** Starts a program of so many slots: memory is as after boot, and nothing is granted. */
  reset(slots: number): void {
    this.arena.reset();
    this.nocachePool = NULL;
    this.ofTables = false;
    this.pagetables = 0;
    this.charges = 0;
    this.lostCharges = 0;
    this.nLocks = 0;
    if (this.apart) this.descriptors.reset();
    this.nFreeIds = 0;
    this.nIds = 0;
    this.top = 0;
    this.walkers.n = 0;
    this.envTaken = false;
    this.via.fill(0, 0, slots);
    this.slotPages.fill(0, 0, slots);
    this.nGathers = 0;
    this.freePages = this.rawFree();
    this.managed = this.rawManaged();
    this.nFindings = 0;
    this.full = false;
    this.stepStart = 0;
    this.stop = false;
    this.misuse = false;
    this.lateMisuse = false;
    this.draining = 0;
    this.pending = -1;
  }

  /** NR_FREE_PAGES of both zones, from the raw words. */
  rawFree(): number {
    const z = this.zones;
    return (this.mem[z + Z_FREE]! + this.mem[z + ZONE_WORDS + Z_FREE]!) | 0;
  }

  /** How many others share a table of PMDs. */
  shares(pfn: number): number {
    return (this.pages[(pfn << L_SHIFT) | L_TABLE]! & T_SHARED) !== 0 ? this.sharers[pfn]! : 0;
  }

  /** managed_pages of both zones, from the raw words. */
  rawManaged(): number {
    const z = this.map.zones;
    return (this.mem[z + Z_MANAGED]! + this.mem[z + ZONE_WORDS + Z_MANAGED]!) | 0;
  }

  /** `_refcount` of a page, from the raw words. */
  rawRefs(pfn: number): number {
    return this.mem[(pfn << PAGE_WORDS_SHIFT) + W_REFCOUNT]!;
  }

  /**
   * Records that an invariant is broken by the step that runs.
   *
   * In the drain it is laid to the step that gave up grant g. A finding of the
   * same invariant, page and reason is recorded once a step; one that is latent
   * once whatever the page, so that a `repeat` says it once.
   */
  record(
    invariant: number,
    severity: number,
    why: number,
    g: number,
    pfn: number,
    pages: number,
    x: number,
    y: number,
  ): void {
    if ((this.enabled & (1 << invariant)) === 0) return;
    // A page outside of memory, or a descriptor that is allocated apart, is nobody's reserved memory.
    if (pfn >= 0 && pfn < this.nrPages && severity < LATENT && this.pages[(pfn << L_SHIFT) | L_THEORETICAL] !== 0) {
      severity = THEORETICAL;
    }
    let step = this.step;
    let call = this.op;
    if (g >= 0 && this.grants[(g << GR_SHIFT) | GR_STATE] !== LIVE) {
      // What broke it is the call that gave the grant up, whoever put the last reference;
      // but a use or a release that comes after that is this call's own.
      if (this.draining !== 0 || ((LATE >> invariant) & 1) === 0) call = this.grants[(g << GR_SHIFT) | GR_INTENT_CALL]!;
      if (this.draining !== 0) step = this.grants[(g << GR_SHIFT) | GR_INTENT_STEP]!;
    }
    const f = this.findings;
    for (let i = this.nFindings - 1; i >= 0; i--) {
      const at = i * FINDING_WORDS;
      if (
        f[at + F_STEP] === step && f[at + F_INVARIANT] === invariant && f[at + F_WHY] === why &&
        (f[at + F_PFN] === pfn || severity === LATENT)
      ) return;
    }
    if (severity !== LATENT) this.stop = true;
    if (this.nFindings === MAX_FINDINGS) {
      // What cannot be recorded must not pass for expected.
      this.stop = true;
      this.full = true;
      return;
    }
    const at = this.nFindings++ * FINDING_WORDS;
    f[at + F_INVARIANT] = invariant;
    f[at + F_STEP] = step;
    f[at + F_SEVERITY] = severity;
    f[at + F_CALL] = call;
    f[at + F_PAGES] = pages;
    f[at + F_SLOT] = g >= 0 ? this.grants[(g << GR_SHIFT) | GR_SLOT]! : this.subject;
    f[at + F_PFN] = pfn;
    f[at + F_WHY] = why;
    f[at + F_X] = x;
    f[at + F_Y] = y;
    f[at + F_OFFSET] = g >= 0 && pfn >= 0 ? pfn - this.grants[(g << GR_SHIFT) | GR_FIRST]! : this.offset & 1023;
    this.violations[invariant]!++;
  }

  /** Records a grant of pages to whoever gets slot dst, and checks the raw words against it. */
  grant(pfn: number, pages: number, order: number, compound: number, family: number, slot: number): void {
    this.checks[USE_AFTER_FREE]!++;
    this.checks[BAD_REFERENCE]!++;
    this.checks[BUDDY_STRUCTURE]!++;
    if (pfn < 0 || pfn + pages > this.nrPages) {
      this.record(USE_AFTER_FREE, CORRUPTION, WHY_OUTSIDE, -1, NULL, 0, pfn, 0);
      return;
    }
    for (let i = 0; i < pages; i++) {
      const other = this.pages[((pfn + i) << L_SHIFT) | L_GRANT]!;
      if (other >= 0) {
        this.record(USE_AFTER_FREE, CORRUPTION, WHY_GRANTED_TWICE, other, pfn + i, 0, 0, 0);
        return;
      }
    }
    if (isFree(this.mem, this.layout, pfn)) {
      this.record(BUDDY_STRUCTURE, CORRUPTION, WHY_GRANTED_FREE, -1, pfn, pages, 0, 0);
    }
    if (pfn + pages > this.top) this.top = pfn + pages;
    const g = this.newGrant(pfn, pages, order, compound, family, slot);
    const single = family === EXACT || family === RESERVED;
    const booked = this.pages;
    for (let i = 0; i < pages; i++) {
      const at = (pfn + i) << L_SHIFT;
      booked[at | L_GRANT] = g;
      booked[at | L_WRITTEN_OFF] = 0;
      booked[at | L_TABLE] = 0;
      booked[at | L_THEORETICAL] = 0;
      booked[at | L_ENV_REFS] = 0;
      booked[at | L_REFS] = i === 0 || single ? 1 : 0;
      this.checkRefs(g, pfn + i);
    }
    this.freePages -= pages;
    if (slot >= 0) this.slotPages[slot] = pages;
    this.checkCompound(g);
  }

  /** Takes an id for a grant. */
  newGrant(pfn: number, pages: number, order: number, compound: number, family: number, slot: number): number {
    const g = this.nFreeIds > 0 ? this.freeIds[--this.nFreeIds]! : this.nIds++;
    const { grants } = this;
    const at = g << GR_SHIFT;
    grants[at | GR_FIRST] = pfn;
    grants[at | GR_ORDER] = order;
    grants[at | GR_TOTAL] = pages;
    grants[at | GR_HELD] = pages;
    grants[at | GR_RELEASED] = 0;
    grants[at | GR_COMPOUND] = compound;
    grants[at | GR_FAMILY] = family;
    grants[at | GR_STATE] = LIVE;
    grants[at | GR_FLAGS] = 0;
    grants[at | GR_SLOT] = slot;
    grants[at | GR_OWNER_REFS] = 1;
    const table = family === PAGETABLE || this.ofTables;
    grants[at | GR_PTDESC] = this.apart && table ? this.descriptors.book(g, pfn, pages) : 0;
    grants[at | GR_EXTRA] = this.extra;
    grants[at | GR_PARTS] = 0;
    grants[at | GR_REST] = 0;
    this.ofTables = false;
    this.extra = 0;
    grants[at | GR_FROZEN] = this.frozenTables && table ? 1 : 0;
    this.gLink[g] = LINK_NONE;
    grants[at | GR_SEEN] = 0;
    grants[at | GR_QUEUED] = 0;
    grants[at | GR_INTENT_STEP] = this.step;
    grants[at | GR_INTENT_CALL] = this.op;
    return g;
  }

  /**
   * What `_refcount` of a granted page should be: a reference for each that holds
   * it, but none for the owner of a frozen table.
   */
  rawRefsOf(g: number, pfn: number): number {
    const { grants } = this;
    const at = g << GR_SHIFT;
    const refs = this.pages[(pfn << L_SHIFT) | L_REFS]!;
    if (pfn !== grants[at | GR_FIRST]) return refs;
    return (grants[at | GR_FROZEN] !== 0 && refs > 0 ? refs - 1 : refs) + grants[at | GR_EXTRA]!;
  }

  /** Compares a page's references with what they should be. */
  checkRefs(g: number, pfn: number): void {
    const raw = this.mem[(pfn << PAGE_WORDS_SHIFT) + W_REFCOUNT]!;
    const refs = this.rawRefsOf(g, pfn);
    if (raw !== refs) this.record(BAD_REFERENCE, CORRUPTION, WHY_REFS, g, pfn, 0, refs, raw);
  }

  /** What a table's descriptor words are words of: its page, or its descriptor where that is allocated apart. */
  describing(pfn: number): number {
    if (!this.apart) return pfn;
    const g = this.pages[(pfn << L_SHIFT) | L_GRANT]!;
    if (!(g >= 0) || pfn !== this.grants[(g << GR_SHIFT) | GR_FIRST]) return pfn;
    return this.grants[(g << GR_SHIFT) | GR_PTDESC]! || pfn;
  }

  /** What an order lookup on this page would answer: of its head, or of its descriptor where that is allocated apart. */
  lookupOrder(pfn: number): number {
    return this.apart ? describedOrder(this, pfn) : orderOf(this.mem, this.layout, pfn);
  }

  /** Compares head flag, order and tails of a live grant with what was granted. */
  checkCompound(g: number): void {
    const { grants } = this;
    const at = g << GR_SHIFT;
    if (grants[at | GR_PTDESC] !== 0) return checkDescriptor(this, g);
    this.checks[COMPOUND_ORDER]!++;
    if (grants[at | GR_HELD] !== grants[at | GR_TOTAL]) return;
    const first = grants[at | GR_FIRST]!;
    const order = grants[at | GR_ORDER]!;
    const compound = grants[at | GR_COMPOUND] !== 0;
    const damage = compoundDamage(this.mem, this.layout, first, grants[at | GR_TOTAL]!, compound ? order : -1);
    if (damage === -1) return;
    if (damage === first) this.record(COMPOUND_ORDER, CORRUPTION, WHY_HEAD, g, first, 0, first, order);
    else this.record(COMPOUND_ORDER, CORRUPTION, WHY_TAIL, g, damage, 0, damage - first, order);
  }

  /** A descriptor is made of a grant's memory: foreign memory is recorded, once a grant. */
  castFamily(g: number): void {
    const { grants } = this;
    const at = g << GR_SHIFT;
    this.checks[FAMILY]!++;
    const family = grants[at | GR_FAMILY]!;
    const first = grants[at | GR_FIRST]!;
    if ((DESCRIBABLE >> family) & 1) return;
    if (grants[at | GR_FLAGS]! & G_CAST) return;
    if (this.pages[(first << L_SHIFT) | L_RESERVED]) return;
    grants[at | GR_FLAGS]! |= G_CAST;
    this.misuse = true;
    this.record(FAMILY, LATENT, WHY_FAMILY_CAST, g, first, 0, family, 0);
  }

  /** The owner gives a grant up by some way; it is noted whether that way is its family's. */
  intend(g: number, way: number, destructs = false): void {
    const { grants } = this;
    const at = g << GR_SHIFT;
    this.checks[FAMILY]!++;
    grants[at | GR_INTENT_STEP] = this.step;
    grants[at | GR_INTENT_CALL] = this.op;
    grants[at | GR_FLAGS] = (grants[at | GR_FLAGS]! & 0xff) | (way << G_WAY_SHIFT);
    const family = grants[at | GR_FAMILY]!;
    // Tables that share a page leave one by one, and their page by none of these ways.
    const legal = grants[at | GR_FROZEN] !== 0 && family < FRAGMENT ? FROZEN_RELEASES : LEGAL_RELEASES[family]!;
    if (((legal >> way) & 1) === 0) {
      grants[at | GR_FLAGS]! |= G_FOREIGN;
      this.misuse = true;
    }
    if (grants[at | GR_FLAGS]! & G_MARKED) this.misuse = true;
    if (grants[at | GR_FLAGS]! & G_TABLE) openTable(this, g, destructs);
    if (grants[at | GR_FLAGS]! & G_LISTED) {
      const first = grants[at | GR_FIRST]!;
      const end = first + grants[at | GR_TOTAL]!;
      for (let pfn = first; pfn < end; pfn++) {
        if (this.pages[(pfn << L_SHIFT) | L_ON_LIST] !== 0) this.misuse = true;
      }
    }
  }

  /** Puts a grant's id back. */
  drop(g: number): void {
    const { grants } = this;
    const at = g << GR_SHIFT;
    if (grants[at | GR_PTDESC] !== 0) {
      this.descriptors.gone(grants[at | GR_PTDESC]!);
      grants[at | GR_PTDESC] = 0;
    }
    if (this.gLink[g] === LINK_CLEARED || (this.sharing && grants[at | GR_FAMILY]! >= FRAGMENT)) {
      this.checks[FLUSH_BEFORE_FREE]!++;
      this.checks[GRACE_PERIOD]!++;
    }
    if (grants[at | GR_REST] !== 0) {
      for (let i = 0; i < this.fragCache.length; i++) if (this.fragCache[i] === g) this.fragCache[i] = -1;
    }
    if (grants[at | GR_SEEN] !== 0) leaveTable(this, g, WALK_ALL);
    grants[at | GR_STATE] = 0;
    this.freeIds[this.nFreeIds++] = g;
  }

  /** After a step on reserved memory: managed_pages and PG_reserved of a page. */
  checkReserved(pfn: number): void {
    this.checks[RESERVED_ACCOUNTING]!++;
    const raw = this.rawManaged();
    if (raw !== this.managed) {
      this.record(RESERVED_ACCOUNTING, CORRUPTION, WHY_MANAGED, -1, pfn, 0, raw, this.managed);
      this.managed = raw;
    }
    const flag = (this.mem[pfn << PAGE_WORDS_SHIFT]! & this.layout.PG_reserved) !== 0 ? 1 : 0;
    if (flag !== this.pages[(pfn << L_SHIFT) | L_RESERVED]) {
      this.record(
        RESERVED_ACCOUNTING,
        CORRUPTION,
        WHY_RESERVED_FLAG,
        this.pages[(pfn << L_SHIFT) | L_GRANT]!,
        pfn,
        0,
        pfn,
        flag,
      );
    }
  }

  /** The kernel's own complaint about a page, of grant g or -1. */
  complaint(severity: number, why: number, check: number, g: number, pfn: number, pages: number): void {
    this.record(KERNEL_CHECK, severity, why, g, pfn, pages, check, 0);
  }

  /**
   * Whether all that this step broke is an expected leak: then the pages are
   * written off and the program goes on.
   */
  goesOn(): boolean {
    if (this.full) return false;
    for (let i = this.stepStart; i < this.nFindings; i++) {
      const at = i * FINDING_WORDS;
      const severity = this.findings[at + F_SEVERITY]!;
      if (severity === LATENT) continue;
      if (severity !== LEAK || ((this.expectedLeaks >> this.findings[at + F_INVARIANT]!) & 1) === 0) return false;
    }
    this.stop = false;
    return true;
  }
}
