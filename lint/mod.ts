/**
 * The project's own lint rules, as `deno lint` loads them.
 *
 * @module
 */
import { boundImports } from "./bound_imports.ts";
import { importsOneWay } from "./imports_one_way.ts";
import { noClockOrChance } from "./no_clock_or_chance.ts";

const plugin: Deno.lint.Plugin = {
  name: "ptfuzz",
  rules: {
    "no-clock-or-chance": noClockOrChance,
    "imports-one-way": importsOneWay,
    "bound-imports": boundImports,
  },
};

export default plugin;
