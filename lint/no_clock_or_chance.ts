/**
 * `ptfuzz/no-clock-or-chance`: a result depends on its inputs alone.
 *
 * `core/` and `fuzz/` read no clock and no random source and set no timer, or
 * two runs of one seed could differ; only a bench measures time. `core/` sees nothing of the machine
 * either: no file, no network, no environment. A test may touch the machine
 * (`Deno.test` does), but a test with a clock or a dice fails on a bad day.
 *
 * Names count whatever they are bound to: a local called `fetch` would hide
 * the real one from the reader and from this rule.
 *
 * @module
 */
import { isBench, isTest, pathInProject } from "./place.ts";

/** What must not be used: a whole global, or some of its members. */
type Forbidden = Readonly<Record<string, true | readonly string[]>>;

const CLOCK_AND_CHANCE: Forbidden = {
  Date: true,
  performance: true,
  setTimeout: true,
  setInterval: true,
  setImmediate: true,
  Math: ["random"],
  crypto: ["getRandomValues", "randomUUID"],
  Temporal: ["Now"],
  AbortSignal: ["timeout"],
};

const MACHINE: Forbidden = {
  Deno: true,
  fetch: true,
  localStorage: true,
  navigator: true,
  process: true,
  Worker: true,
};

const CLOCK_MODULES = /^node:(crypto|perf_hooks|process|timers(\/promises)?)$/;
const MACHINE_MODULES = /^node:/;

const GLOBAL_OBJECTS = new Set(["globalThis", "self", "window"]);

/** Node types below which a name is a value although their name begins with TS. */
const TS_VALUES = new Set(["TSAsExpression", "TSNonNullExpression", "TSSatisfiesExpression", "TSTypeAssertion"]);

const MESSAGE = {
  clock: "is a clock, a timer or a random source: a result would depend on more than its inputs",
  machine: "reaches the machine: core/ reads no file, no network and no environment",
};

const HINT = {
  clock: "derive numbers from (seed, kernel, discipline, number); measure time in main.ts or in a bench",
  machine: "take the value as a parameter; main.ts, corpus/ and reports/ do the reading and writing",
};

/** Names the member that `node` reads of its object, `"*"` where only the run can tell. */
function memberOf(node: Deno.lint.Node): string | undefined {
  const parent = parentOf(node);
  if (parent?.type !== "MemberExpression" || !same(parent.object, node)) return undefined;
  const { property, computed } = parent;
  if (!computed && property.type === "Identifier") return property.name;
  return property.type === "Literal" && typeof property.value === "string" ? property.value : "*";
}

/** Whether a name stands for a value here, and is not a key, a type or a label. */
function isValue(node: Deno.lint.Identifier): boolean {
  const parent = parentOf(node);
  if (parent === undefined) return false;
  switch (parent.type) {
    case "MemberExpression":
      return parent.computed || same(parent.object, node);
    case "Property":
      return parent.computed || same(parent.value, node);
    case "MethodDefinition":
    case "PropertyDefinition":
      return parent.computed || !same(parent.key, node);
    case "ImportSpecifier":
    case "ExportSpecifier":
    case "LabeledStatement":
    case "BreakStatement":
    case "ContinueStatement":
      return false;
    default:
      return !parent.type.startsWith("TS") || TS_VALUES.has(parent.type);
  }
}

function same(a: Deno.lint.Node, b: Deno.lint.Node): boolean {
  return a.range[0] === b.range[0] && a.range[1] === b.range[1];
}

function parentOf(node: Deno.lint.Node): Deno.lint.Node | undefined {
  return "parent" in node ? node.parent as Deno.lint.Node : undefined;
}

/** The rule. */
export const noClockOrChance: Deno.lint.Rule = {
  create(context) {
    const path = pathInProject(context.filename);
    const inCore = path.startsWith("core/");
    if (!inCore && !path.startsWith("fuzz/")) return {};
    if (isBench(path)) return {};
    const pure = inCore && !isTest(path);
    // A shorthand property is visited as its key and as its value.
    const reported = new Set<number>();

    function report(node: Deno.lint.Node, name: string, kind: keyof typeof MESSAGE): void {
      if (reported.has(node.range[0])) return;
      reported.add(node.range[0]);
      context.report({ node, message: `'${name}' ${MESSAGE[kind]}`, hint: HINT[kind] });
    }

    function checkUse(node: Deno.lint.Node, name: string): void {
      const kind = Object.hasOwn(CLOCK_AND_CHANCE, name)
        ? "clock"
        : pure && Object.hasOwn(MACHINE, name)
        ? "machine"
        : undefined;
      if (kind === undefined) return;
      const forbidden = CLOCK_AND_CHANCE[name] ?? MACHINE[name];
      if (!Array.isArray(forbidden)) return report(node, name, kind);
      // The object itself handed on (`const { random } = Math`) hides which member is used.
      const member = memberOf(node) ?? "*";
      if (member === "*" || forbidden.includes(member)) report(node, `${name}.${member}`, kind);
    }

    function checkModule(node: Deno.lint.Node, name: unknown): void {
      if (typeof name !== "string") return;
      if (CLOCK_MODULES.test(name)) report(node, name, "clock");
      else if (pure && MACHINE_MODULES.test(name)) report(node, name, "machine");
    }

    return {
      Identifier(node) {
        if (!isValue(node)) return;
        if (!GLOBAL_OBJECTS.has(node.name)) return checkUse(node, node.name);
        const member = memberOf(node);
        if (member === undefined || member === "*") report(node, `${node.name}.*`, "clock");
        else checkUse(parentOf(node) ?? node, member);
      },
      ImportDeclaration: (node) => checkModule(node, node.source.value),
      ExportAllDeclaration: (node) => checkModule(node, node.source.value),
      ExportNamedDeclaration: (node) => checkModule(node, node.source?.value),
      ImportExpression: (node) => checkModule(node, node.source.type === "Literal" ? node.source.value : undefined),
    };
  },
};
