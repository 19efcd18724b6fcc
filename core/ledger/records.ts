/**
 * Records of the ledger: what it books of each page and of each grant, one word
 * behind the other.
 *
 *     l.pages[(pfn << L_SHIFT) | L_REFS]       references that page pfn should have
 *     l.grants[(g << GR_SHIFT) | GR_STATE]     LIVE, QUEUED or INTENDED, or 0 where id g is not in use
 *
 * An array of its own for each word costs an engine the same three loads and two
 * checks at every use; with records it has them once a function.
 *
 * @module
 */

/** log2 of the words of a page's record. */
export const L_SHIFT = 3;
/** Words of a page's record. */
export const L_WORDS: number = 1 << L_SHIFT;
/** Grant that holds the page, or -1. */
export const L_GRANT = 0;
/** References that the page should have. */
export const L_REFS = 1;
/** How many of them are the environment's. */
export const L_ENV_REFS = 2;
/** 1: the page should have PG_reserved. */
export const L_RESERVED = 3;
/** 1: the page's `pt_list` is on pgd_list. */
export const L_ON_LIST = 4;
/** 1: the page was lost or set aside; nothing more is asked of it. */
export const L_WRITTEN_OFF = 5;
/** 1: an environment step was made on the page that no real code makes. */
export const L_THEORETICAL = 6;
/** What constructor, memcg and huge pages made of the page: T_* bits. */
export const L_TABLE = 7;

/** log2 of the words of a grant's record. */
export const GR_SHIFT = 5;
/** Its first page. */
export const GR_FIRST = 0;
/** Its order. */
export const GR_ORDER = 1;
/** Pages that were granted. */
export const GR_TOTAL = 2;
/** Pages of it that are still held. */
export const GR_HELD = 3;
/** Pages that its release gave back. */
export const GR_RELEASED = 4;
/** 1: it is a compound block. */
export const GR_COMPOUND = 5;
/** The family of calls that granted it. */
export const GR_FAMILY = 6;
/** LIVE, QUEUED or INTENDED, or 0 where the id is not in use. */
export const GR_STATE = 7;
/** G_* flags, and the way of its release from G_WAY_SHIFT on. */
export const GR_FLAGS = 8;
/** Slot of the name that it was granted to, or -1. */
export const GR_SLOT = 9;
/** References that its owner holds. */
export const GR_OWNER_REFS = 10;
/** Step that gave it up. */
export const GR_INTENT_STEP = 11;
/** Opcode of that step. */
export const GR_INTENT_CALL = 12;
/** Its descriptor, where that is allocated apart and it has one; else 0. */
export const GR_PTDESC = 13;
/** What stands in its first page's `_refcount` beside references: bits of the tables that share it. */
export const GR_EXTRA = 14;
/** Tables that share its page: those that are somebody's, a bit each; those that a gather holds, from bit 16 on. */
export const GR_PARTS = 15;
/** Parts of its page that an mm keeps to be given out, and PART_DEFERRED. */
export const GR_REST = 16;
/** 1: its first page has no reference for its owner: a frozen table. */
export const GR_FROZEN = 17;
/** Number of the gather that it was queued in last. */
export const GR_GATHER = 18;
/** Walkers that may still see the table. */
export const GR_SEEN = 19;
/** References that gathers were seen to take and have not been seen to put. */
export const GR_QUEUED = 20;
