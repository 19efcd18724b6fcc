/**
 * `ptfuzz/imports-one-way`: who may import whom.
 *
 *     main.ts, mod.ts
 *        |         \________________
 *     reports   oracle, trace - fuzz (reports may use fuzz's types)
 *        \________|________/
 *              corpus
 *                 |
 *               core:   program
 *                       /      \
 *                   ledger    kernel     (neither imports the other)
 *                       \      /
 *                        memory
 *
 * The ledger knows what callers were promised and the kernel what the functions
 * do; an invariant that asked the model for what it expects would agree with
 * whatever the model says.
 *
 * Types count as well. Tests see everything.
 *
 * @module
 */
import { dirname, join } from "@std/path";
import { isTest, pathInProject } from "./place.ts";

/** What the files of each place may import, beside their own place and std/. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "core/memory": [],
  "core/kernel": ["core/memory"],
  "core/ledger": ["core/memory"],
  "core/program": ["core/ledger", "core/kernel", "core/memory"],
  "core": ["core/program", "core/ledger", "core/kernel", "core/memory"],
  "corpus": ["core"],
  "fuzz": ["corpus", "core"],
  "oracle": ["fuzz", "corpus", "core"],
  "trace": ["fuzz", "corpus", "core"],
  "reports": ["corpus", "core"],
  "std": [],
  "lint": [],
};

/** What may be imported for its types alone. */
const MAY_IMPORT_TYPES: Readonly<Record<string, readonly string[]>> = { "reports": ["fuzz"] };

/** The place of a file: its folder in the layout, or "" for the project's root and what the table does not name. */
function placeOf(path: string): string {
  const [top = "", sub = "", ...rest] = path.split("/");
  if (top === "core" && rest.length > 0) return `core/${sub}`;
  return path.includes("/") && Object.hasOwn(MAY_IMPORT, top) ? top : "";
}

/** Whether `to` is one of `places` or lies in one. */
function isIn(to: string, places: readonly string[]): boolean {
  return places.some((place) => to === place || to.startsWith(`${place}/`));
}

/** Whether a declaration takes or passes on types only. */
function typesOnly(node: Deno.lint.ImportDeclaration): boolean {
  if (node.importKind === "type") return true;
  return node.specifiers.length > 0 &&
    node.specifiers.every((one) => one.type === "ImportSpecifier" && one.importKind === "type");
}

/** The rule. */
export const importsOneWay: Deno.lint.Rule = {
  create(context) {
    const path = pathInProject(context.filename);
    const from = placeOf(path);
    const allowed = MAY_IMPORT[from];
    if (allowed === undefined || isTest(path)) return {};

    function check(node: Deno.lint.Node, specifier: unknown, types: boolean): void {
      if (typeof specifier !== "string" || !(/^\.\.?\//.test(specifier) || specifier === "@ptfuzz/ptfuzz")) return;
      const target = specifier.startsWith(".") ? join(dirname(path), specifier).replaceAll("\\", "/") : "mod.ts";
      const to = placeOf(target);
      if (to === from || to === "std" || isIn(to, allowed ?? [])) return;
      if (types && isIn(to, MAY_IMPORT_TYPES[from] ?? [])) return;
      context.report({
        node,
        message: `${from}/ must not import ${target}`,
        hint: `${from}/ may import ${[...(allowed ?? []), "std"].join(", ")}; ` +
          "move what both need to a place that both may import, or pass it as a parameter",
      });
    }

    return {
      ImportDeclaration: (node) => check(node, node.source.value, typesOnly(node)),
      ExportAllDeclaration: (node) => check(node, node.source.value, node.exportKind === "type"),
      ExportNamedDeclaration: (node) => check(node, node.source?.value, node.exportKind === "type"),
      ImportExpression: (node) => check(node, node.source.type === "Literal" ? node.source.value : undefined, false),
      TSImportType: (node) =>
        check(
          node,
          node.argument.type === "TSLiteralType" && node.argument.literal.type === "Literal"
            ? node.argument.literal.value
            : undefined,
          true,
        ),
      // Workers: new Worker(new URL("./worker.ts", import.meta.url)).
      NewExpression(node) {
        const [first] = node.arguments;
        if (node.callee.type !== "Identifier" || node.callee.name !== "URL" || first?.type !== "Literal") return;
        if (typeof first.value === "string" && /\.tsx?$/.test(first.value)) check(node, first.value, false);
      },
    };
  },
};
