/**
 * The layout of each kernel, checked when this module is loaded.
 *
 * @module
 */
import { checkLayout, type Layout } from "../layout.ts";
import { LAYOUT_6_1 } from "./6_1.ts";
import { LAYOUT_6_12 } from "./6_12.ts";
import { LAYOUT_V2 } from "./v2.ts";

const LAYOUTS: Readonly<Record<string, Layout>> = {
  "6.1": LAYOUT_6_1,
  v2: LAYOUT_V2,
  "6.6": LAYOUT_6_12,
  "6.12": LAYOUT_6_12,
  // What moved since decides nothing in the model.
  "6.14": LAYOUT_6_12,
  "6.19": LAYOUT_6_12,
  frozen: LAYOUT_6_12,
  memdesc: LAYOUT_6_12,
};

for (const layout of Object.values(LAYOUTS)) checkLayout(layout);

/**
 * The layout of a kernel.
 *
 * @throws {Error} where no layout is known
 */
export function layoutOf(base: string): Layout {
  const layout = LAYOUTS[base];
  if (layout === undefined) {
    throw new Error(`no layout for kernel '${base}'; there are ${Object.keys(LAYOUTS).join(", ")}`);
  }
  return layout;
}
