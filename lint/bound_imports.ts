/**
 * `ptfuzz/bound-imports`: what runs in a step takes what it imports into constants of its own.
 *
 *     import * as $words from "../memory/words.ts";
 *
 *     const { NULL, PAGE_WORDS_SHIFT } = $words;
 *
 * V8 puts the value of a module's own `const` into the code that it compiles. An
 * imported name it reads from the other module's cell at each use, and checks that
 * the module was evaluated and what kind of value it is, for a number as for a
 * function. In steps a second of `deno task bench` that is a fifth.
 *
 * Classes are left alone: their names are types as well.
 *
 * @module
 */
import { isTest, pathInProject } from "./place.ts";

/** Whether a file holds code that runs in a step. */
function runsInSteps(path: string): boolean {
  if (isTest(path)) return false;
  return /^core\/(kernel|ledger|ledger\/hooks|memory)\/\w+\.ts$/.test(path) && !/\/(create|testing)\.ts$/.test(path) ||
    /^core\/program\/(bindings|features|machine|machine_state|trace)\.ts$/.test(path) ||
    /^fuzz\/exhaust\/(canon|paths|search|states|world)\.ts$/.test(path);
}

/** Whether a name is a class's: `Ledger`, but not `NULL`, `PageHead` being a function of the kernel. */
function isClass(name: string): boolean {
  return /^[A-Z][a-z]/.test(name) && !/^Page[A-Z]/.test(name);
}

/** The rule. */
export const boundImports: Deno.lint.Rule = {
  create(context) {
    if (!runsInSteps(pathInProject(context.filename))) return {};
    return {
      ImportDeclaration(node) {
        if (node.importKind === "type" || !node.source.value.startsWith(".")) return;
        for (const specifier of node.specifiers) {
          if (specifier.type !== "ImportSpecifier" || specifier.importKind === "type") continue;
          const name = specifier.local.name;
          if (isClass(name)) continue;
          context.report({
            node: specifier,
            message: `'${name}' is read from the other module and checked at each use in a step`,
            hint: `import * as $module from "${node.source.value}"; const { ${name} } = $module;`,
          });
        }
      },
    };
  },
};
