/**
 * What exactly a finding says: codes that the explanations spell out.
 *
 * @module
 */

/** Released although no live grant holds it. */
export const WHY_NOT_GRANTED = 0;
/** Released although its owner has given it up already (x: state). */
export const WHY_GIVEN_UP = 1;
/** Read without a live grant. */
export const WHY_READ_FREE = 2;
/** Written without a live grant. */
export const WHY_WRITE_FREE = 3;
/** Granted while another grant holds it. */
export const WHY_GRANTED_TWICE = 4;
/** Pages without an owner (pages). */
export const WHY_LOST = 5;
/** The owner forgot it (pages). */
export const WHY_FORGOTTEN = 6;
/** Granted x pages, released y. */
export const WHY_RELEASED = 7;
/** Split into 2^x pages, granted 2^y. */
export const WHY_SPLIT = 8;
/** Head flag or order are not as granted (x: found order or -1 without a head flag, y: granted). */
export const WHY_HEAD = 9;
/** A tail does not point at its head (x: the page). */
export const WHY_TAIL = 10;
/** The order lookup answered x for a block of order y and sized a free. */
export const WHY_SIZED = 11;
/** The head lookup answered page x for a block that starts at y, and was made a descriptor. */
export const WHY_LOOKUP = 12;
/** A descriptor or folio of page x of the block. */
export const WHY_TAIL_CAST = 13;
/** ... and it was written through. */
export const WHY_TAIL_WRITTEN = 14;
/** References of page x are y instead of what the ledger says. */
export const WHY_REFS = 15;
/** A reference was taken at 0. */
export const WHY_GET_AT_ZERO = 16;
/** A reference was put at 0. */
export const WHY_PUT_AT_ZERO = 17;
/** A speculative get succeeded at 0 or failed above it (x: answer). */
export const WHY_SPECULATIVE = 18;
/** A descriptor was made of memory of family x. */
export const WHY_FAMILY_CAST = 19;
/** Memory of family x was released by way y. */
export const WHY_FAMILY_RELEASE = 20;
/** A value of kind x was passed where y is taken. */
export const WHY_KIND = 21;
/** A list node or a tail was overwritten through the other view. */
export const WHY_CLOBBER_TAIL = 22;
/** It was on pgd_list already, or is not on it. */
export const WHY_LIST_STATE = 23;
/** Freed while it is on pgd_list. */
export const WHY_FREED_ON_LIST = 24;
/** pgd_list's node at page x no longer links back. */
export const WHY_LIST_BROKEN = 25;
/** The count of free pages is x, the ledger says y. */
export const WHY_FREE_COUNT = 26;
/** A granted page lies in a free block. */
export const WHY_GRANTED_FREE = 27;
/** A free list of order x is broken at page y. */
export const WHY_FREE_LIST = 28;
/** A free block overlaps or is misaligned (x: order). */
export const WHY_FREE_BLOCK = 29;
/** managed_pages is x, the ledger says y. */
export const WHY_MANAGED = 30;
/** PG_reserved of page x is y. */
export const WHY_RESERVED_FLAG = 31;
/** The kernel BUGs: x = check. */
export const WHY_BUG = 32;
/** bad_page: x = check, pages set aside. */
export const WHY_BAD_PAGE = 33;
/** A WARN: x = check. */
export const WHY_WARN = 34;
/** Page x of the table was written by nobody. */
export const WHY_UNINITIALISED = 35;
/** A page outside the zone. */
export const WHY_OUTSIDE = 36;
/** A gather that is not active. */
export const WHY_GATHER_DONE = 37;
/** Free already, and freed again as the neighbour of a block (x: the page). */
export const WHY_FREED_AGAIN = 38;
/** It leaves while a walker may still see it (x: the walker's slot << 4 | WALK_ kind, y: step that cleared the entry, 0 for none). */
export const WHY_SEEN = 64;
/** Queued although a gather holds it (x = 1), or taken by a gather that was not given it (0). */
export const WHY_QUEUED_TWICE = 65;
/** Constructed a second time (x: level it has). */
export const WHY_CTOR_AGAIN = 39;
/** Destructed and was not constructed (x: level of the destructor). */
export const WHY_DTOR_WITHOUT = 40;
/** Constructed as level x, destructed as level y. */
export const WHY_DTOR_LEVEL = 41;
/** Freed with its constructor's work in place (x: level). */
export const WHY_NO_DTOR = 42;
/** NR_PAGETABLE is x, the ledger says y. */
export const WHY_PAGETABLES = 43;
/** A page's type word is x; y = 1 where it should be a page table's. */
export const WHY_TYPE = 44;
/** It is given up with its type (x: the type word). */
export const WHY_TYPE_KEPT = 45;
/** x pages are charged, the ledger says y. */
export const WHY_CHARGES = 46;
/** memcg_data of page x; y = 1 where it should be charged. */
export const WHY_CHARGE_WORD = 47;
/** A lock is taken that was freed, or whose table was (x: 1 where the slab has it back). */
export const WHY_LOCK_GONE = 48;
/** A lock outlives its table. */
export const WHY_LOCK_KEPT = 49;
/** A lock is freed while a walker may still take it (x: the walker's slot). */
export const WHY_LOCK_SEEN = 50;
/** Unshared x times too often: answered y. */
export const WHY_SHARED = 51;
/** Taken for unshared while x others share it. */
export const WHY_NOT_SHARED = 52;
/** pt_share_count is x, the ledger says y. */
export const WHY_SHARES = 53;
/** Freed while x others share it. */
export const WHY_FREED_SHARED = 54;
/** Ends with x deposited tables. */
export const WHY_DEPOSITS = 55;
/** Freed while it is deposited. */
export const WHY_FREED_DEPOSITED = 56;
/** Deposited already, or withdrawn where it was not (x: 0 or 1). */
export const WHY_DEPOSIT_STATE = 57;
/** A store through another view of the descriptor's word x (1: pmd_huge_pte, 2: pt_share_count). */
export const WHY_CLOBBER_TABLE = 58;
/** memdesc: memory of family x has no descriptor. */
export const WHY_NO_PTDESC = 80;
/** memdesc: descriptor x of the slab is free. */
export const WHY_PTDESC_FREE = 81;
/** memdesc: page x of the table does not lead to its descriptor. */
export const WHY_PTDESC_LINK = 82;
/** memdesc: the descriptor leads back to page x, and says order y. */
export const WHY_PTDESC_BACK = 83;
/** memdesc: page x of the table led to its descriptor when that was freed. */
export const WHY_PTDESC_STALE = 84;
/** memdesc: x descriptors are not free, of y tables. */
export const WHY_PTDESC_COUNT = 85;
/** memdesc: asked for page x of the table, the lookup answers another's descriptor. */
export const WHY_PTDESC_OTHER = 86;
/** What counts the tables of its page says x, the ledger y. */
export const WHY_PARTS = 90;
/** Its page is free, and x tables of it are in use. */
export const WHY_PARTS_FREED = 91;
/** The table was given back: its page is others'. */
export const WHY_PART_FREE = 92;
