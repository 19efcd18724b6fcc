/**
 * How memory is given up, right and wrong (see `hostile_use.ts`): what frees,
 * splits, takes and puts references, and what is reserved.
 *
 * @module
 */
import { opOf } from "../core/program/calls.ts";
import {
  BUILT,
  CHARGED,
  COMPOUND,
  DEPOSIT,
  EXACT,
  EXTRA,
  GONE,
  HELD,
  HIGH,
  LARGE,
  LISTED,
  LIVE,
  MARKED,
  PAGES,
  PARTIAL,
  RESERVED,
  SINGLE,
  SPLIT,
  TABLE,
  WALKED,
} from "./hostile_picture.ts";
import { bytesOf, KEPT, leads, type Use, wrongPointer } from "./hostile_use.ts";
import { PAGE, PTDESC, VIRT, type Writer } from "./hostile_writer.ts";

/** Gives a block up, or one page of a block that was split. */
function release(w: Writer, b: number, page: number): void {
  if ((w.picture.traits[b]! & SPLIT) !== 0) w.picture.takePage(b, page);
  else w.picture.giveUp(b, GONE);
}

/** `__free_pages`, `free_pages` and their shorthands of order 0. */
function freeOrder(name: string, kind: number, ordered: boolean): Use {
  const op = opOf(name);
  const nullable = name === "free_pages" || name === "free_page";
  return {
    right: (w) => {
      const { picture, random } = w;
      if (nullable && random.chance(6)) {
        w.write(op, -1, ordered ? random.below(4) : 0, 0, 0, 0);
        return true;
      }
      const forbid = KEPT | (kind === VIRT ? HIGH : 0);
      let b = picture.find(random, LIVE | PAGES | (ordered ? 0 : SINGLE), forbid | (ordered ? 0 : SPLIT));
      if (b < 0 || random.chance(48)) {
        const split = picture.find(random, LIVE | PAGES | SPLIT, forbid);
        if (split >= 0) b = split;
      }
      if (b < 0) return false;
      const traits = picture.traits[b]!;
      const page = traits & SPLIT ? picture.somePage(random, b) : 0;
      const order = traits & SPLIT ? 0 : picture.order[b]!;
      writeFree(
        w,
        op,
        w.name(b, kind),
        page,
        ordered ? order : -1,
        traits & (SINGLE | COMPOUND) ? picture.orderName[b]! : -1,
      );
      release(w, b, page);
      return true;
    },
    wrong: (w) => {
      const { random } = w;
      w.targetOffset = 0;
      const slot = w.target(kind);
      if (slot < 0) return false;
      const b = w.targetBlock;
      const name = w.picture.orderName[b]!;
      writeFree(
        w,
        op,
        slot,
        w.targetOffset,
        ordered ? wrongOrder(w, w.picture.order[b]!) : -1,
        random.chance(64) ? name : -1,
      );
      w.picture.giveUp(b, GONE);
      return true;
    },
  };
}

/** An order that is likely to be wrong for a block of that order. */
function wrongOrder(w: Writer, order: number): number {
  const { random } = w;
  switch (random.below(6)) {
    case 0:
      return 0;
    case 1:
      return order > 0 ? order - 1 : 1;
    case 2:
      return order + 1;
    case 3:
      return random.below(32);
    default:
      return order;
  }
}

function writeFree(w: Writer, op: number, slot: number, page: number, order: number, orderName: number): void {
  if (orderName >= 0 && order >= 0 && page === 0) w.write(op, slot, orderName, 0, 0, 3);
  else w.write(op, slot, order < 0 ? 0 : order, 0, page, 1);
}

function splitPage(): Use {
  const op = opOf("split_page");
  return {
    right: (w) => {
      const { picture, random } = w;
      const b = picture.find(
        random,
        LIVE | PAGES,
        COMPOUND | MARKED | SPLIT | PARTIAL | LARGE | BUILT | DEPOSIT | WALKED,
      );
      if (b < 0) return false;
      w.write(op, w.name(b, PAGE), picture.order[b]!, 0, 0, 1);
      if (picture.pages[b]! > 1) picture.traits[b]! |= SPLIT;
      return true;
    },
    wrong: (w) => {
      const slot = w.target(PAGE);
      if (slot < 0) return false;
      const b = w.targetBlock;
      w.write(op, slot, wrongOrder(w, w.picture.order[b]!), 0, w.targetOffset, 1);
      w.picture.giveUp(b, GONE);
      return true;
    },
  };
}

function freeExact(): Use {
  const op = opOf("free_pages_exact");
  return {
    right: (w) => {
      const { picture, random } = w;
      const b = picture.find(random, LIVE | EXACT, PARTIAL | EXTRA | KEPT);
      if (b < 0) return false;
      w.write(op, w.name(b, VIRT), bytesOf(w, picture.pages[b]!), 0, 0, 1);
      picture.giveUp(b, GONE);
      return true;
    },
    wrong: (w) => {
      const { random } = w;
      w.targetOffset = 0;
      const slot = random.chance(48) ? w.otherKind(VIRT) : w.target(VIRT);
      if (slot < 0) return false;
      const b = w.targetBlock;
      const pages = b < 0 ? 1 : w.picture.pages[b]!;
      w.write(op, slot, bytesOf(w, random.chance(128) ? pages : 1 + random.below(pages + 3)), 0, w.targetOffset, 1);
      if (b >= 0) w.picture.giveUp(b, GONE);
      return true;
    },
  };
}

const put_page = opOf("put_page");

/** Puts a reference that the program took with get_page. */
export function putOwn(w: Writer, i: number): void {
  const { own, traits } = w.picture;
  const b = own.block(i);
  w.one(put_page, w.name(b, PAGE), own.page(i));
  own.remove(i);
  if (!own.on(b)) traits[b]! &= ~EXTRA;
}

function putPage(): Use {
  const op = put_page;
  return {
    right: (w) => {
      const { picture, random } = w;
      const { own } = picture;
      if (own.n > 0 && random.chance(192)) {
        putOwn(w, random.below(own.n));
        return true;
      }
      const need = LIVE | PAGES | (random.chance(128) ? COMPOUND : SINGLE);
      let b = picture.find(random, need, KEPT | EXTRA | SPLIT);
      if (b < 0) b = picture.find(random, LIVE | PAGES | SPLIT, KEPT | EXTRA);
      if (b < 0) return false;
      const page = picture.somePage(random, b);
      w.one(op, w.name(b, PAGE), page);
      release(w, b, page);
      return true;
    },
    wrong: wrongPointer(op, PAGE, false, true),
  };
}

function getPage(): Use {
  const op = opOf("get_page");
  return {
    right: (w) => {
      const { picture, random } = w;
      const b = picture.find(random, LIVE, RESERVED | MARKED | WALKED | (w.frozen ? TABLE : 0));
      if (b < 0) return false;
      let page = picture.somePage(random, b);
      if (!leads(picture.traits[b]!, page)) page = 0;
      if (!picture.own.add(b, page)) return false;
      picture.traits[b]! |= EXTRA;
      w.one(op, w.name(b, PAGE), page);
      return true;
    },
    wrong: wrongPointer(op, PAGE, false, false),
  };
}

function markReserved(): Use {
  const op = opOf("mark_page_reserved");
  return {
    right: (w) => {
      const { picture, random } = w;
      const b = picture.find(
        random,
        LIVE,
        (w.apart ? TABLE : 0) | COMPOUND | LARGE | EXTRA | HELD | RESERVED | LISTED | BUILT | DEPOSIT | CHARGED |
          WALKED,
      );
      if (b < 0) return false;
      const page = picture.somePage(random, b);
      if ((picture.marked[b]! >> page) & 1) return false;
      picture.marked[b]! |= 1 << page;
      picture.traits[b]! |= MARKED;
      w.one(op, w.name(b, PAGE), page);
      return true;
    },
    wrong: wrongPointer(op, PAGE, false, false),
  };
}

function freeReserved(name: string, kind: number): Use {
  const op = opOf(name);
  const table = kind === PTDESC;
  return {
    right: (w) => {
      const { picture, random } = w;
      // Boot memory has no descriptor of its own.
      if (table && w.apart) return false;
      // A whole table is given up, and one page is freed: right for one page only.
      const need = LIVE | (table ? SINGLE : 0);
      let b = picture.find(random, need | RESERVED, LISTED | HELD);
      if ((b < 0 || random.chance(128)) && !table) {
        const marked = picture.find(random, need | MARKED, LISTED | HELD);
        if (marked >= 0) b = marked;
      }
      if (b < 0) return false;
      let page = 0;
      if ((picture.traits[b]! & RESERVED) !== 0) page = picture.somePage(random, b);
      else {
        if (picture.marked[b] === 0) return false;
        page = 31 - Math.clz32(picture.marked[b]!);
      }
      w.one(op, w.name(b, kind), page);
      picture.takePage(b, page);
      return true;
    },
    wrong: wrongPointer(op, kind, false, true),
  };
}

function freeTable(name: string): Use {
  const op = opOf(name);
  return {
    right: (w) => {
      const b = w.picture.find(w.random, LIVE | TABLE, KEPT | PARTIAL);
      if (b < 0) return false;
      w.one(op, w.name(b, PTDESC), 0);
      w.picture.giveUp(b, GONE);
      return true;
    },
    wrong: wrongPointer(op, PTDESC, false, true),
  };
}

/** The rules, by the call's name. */
export const RELEASE_RULES: Readonly<Record<string, Use>> = {
  split_page: splitPage(),
  __free_pages: freeOrder("__free_pages", PAGE, true),
  __free_page: freeOrder("__free_page", PAGE, false),
  free_pages: freeOrder("free_pages", VIRT, true),
  free_page: freeOrder("free_page", VIRT, false),
  free_pages_exact: freeExact(),
  put_page: putPage(),
  get_page: getPage(),
  ptdesc_free: freeTable("ptdesc_free"),
  pagetable_free: freeTable("pagetable_free"),
  mark_page_reserved: markReserved(),
  free_reserved_page: freeReserved("free_reserved_page", PAGE),
  free_reserved_ptdesc: freeReserved("free_reserved_ptdesc", PTDESC),
};
