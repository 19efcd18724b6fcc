/**
 * Finds the definitions of a name in C text: functions, macros, variables.
 *
 * No parser of C is at work, because kernel files are none of C: they are read
 * before the preprocessor, with every `#ifdef` variant in them. What is used is
 * how kernel files are written, and no more:
 *
 * - a definition begins in the first column;
 * - a name, its parameters in parentheses, perhaps attributes, and then a brace
 *   is a function; with a semicolon it is a declaration;
 * - the branches of one `#if` open and close the same braces, so that a branch
 *   after the first is counted from where the first began.
 *
 * Every definition in the file counts, in whatever branch: a discipline that was
 * read from one of two variants should hear of a change in the other.
 *
 * @module
 */

/** Comments become one blank (a line's end stays), and continued lines one line. */
export function withoutComments(text: string): string {
  const joined = text.replace(/\r\n/g, "\n").replace(/\\\n/g, " ");
  return joined.replace(
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g,
    (token) => token[0] !== "/" ? token : token.includes("\n") ? "\n".repeat(token.split("\n").length - 1) : " ",
  );
}

/** Blanks for what stands in quotes, so that braces in it do not count; lengths stay. */
function withoutQuoted(text: string): string {
  return text.replace(
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g,
    (token) => `${token[0]}${" ".repeat(Math.max(0, token.length - 2))}${token[0]}`,
  );
}

/** Whether a place is on a line of the preprocessor. */
function onDirective(text: string, at: number): boolean {
  const start = text.lastIndexOf("\n", at - 1) + 1;
  return /^[ \t]*#/.test(text.slice(start, start + 80));
}

/** The end of the line that a place is on. */
function endOfLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

/** The place behind blanks and lines of the preprocessor. */
function skipBlanks(text: string, at: number): number {
  for (;;) {
    while (at < text.length && /\s/.test(text[at]!)) at++;
    if (text[at] !== "#" || !onDirective(text, at)) return at;
    at = endOfLine(text, at);
  }
}

/** The last place on the line of the `#endif` that belongs to the `#else` at a place. */
function behindBranches(text: string, at: number): number {
  let depth = 1;
  const directives = /^[ \t]*#[ \t]*(if|endif)/gm;
  directives.lastIndex = endOfLine(text, at);
  for (let match; depth > 0 && (match = directives.exec(text)) !== null;) depth += match[1] === "if" ? 1 : -1;
  return depth > 0 ? text.length : endOfLine(text, directives.lastIndex) - 1;
}

/** The place behind the bracket that closes the one at `at`, or -1. Braces of later `#if` branches count from where the first began. */
function behindBracket(text: string, at: number): number {
  let depth = 0;
  const branches: { before: number; after: number | undefined }[] = [];
  for (let i = at; i < text.length; i++) {
    const c = text[i]!;
    if (c === "#" && onDirective(text, i)) {
      const word = /^#\s*(\w+)/.exec(text.slice(i, i + 40))?.[1] ?? "";
      const branch = branches.at(-1);
      if (/^if/.test(word)) branches.push({ before: depth, after: undefined });
      else if (/^(else|elif)/.test(word) && branch !== undefined) {
        branch.after ??= depth;
        depth = branch.before;
      } else if (/^(else|elif)/.test(word)) {
        // What is measured began in a branch: the others of the same #if are not its own.
        i = behindBranches(text, i);
        continue;
      } else if (word === "endif" && branch !== undefined) {
        branches.pop();
        depth = branch.after ?? depth;
      }
      i = endOfLine(text, i) - 1;
    } else if (c === "(" || c === "{" || c === "[") depth++;
    else if ((c === ")" || c === "}" || c === "]") && --depth === 0) return i + 1;
  }
  return -1;
}

/** Where the declaration that a place is in begins: behind the last `;`, `}` or line of the preprocessor. */
function startOfDeclaration(text: string, at: number): number {
  let start = at;
  while (start > 0) {
    const line = text.lastIndexOf("\n", start - 1) + 1;
    const part = text.slice(line, start);
    const stop = Math.max(part.lastIndexOf(";"), part.lastIndexOf("}"));
    if (stop >= 0) return line + stop + 1;
    if (/^[ \t]*#/.test(part) || part.trim() === "" && start !== at) return start;
    if (line === 0) return 0;
    start = line - 1;
    if (/^[ \t]*#/.test(text.slice(text.lastIndexOf("\n", start - 1) + 1, start)) || start === 0) return line;
  }
  return start;
}

/** What may stand between parameters and body: `__must_check`, `__releases(x)`. */
function skipAttributes(text: string, at: number): number {
  for (;;) {
    at = skipBlanks(text, at);
    const word = /^[A-Za-z_]\w*/.exec(text.slice(at, at + 80))?.[0];
    if (word === undefined) return at;
    at = skipBlanks(text, at + word.length);
    if (text[at] !== "(") continue;
    const behind = behindBracket(text, at);
    if (behind < 0) return at;
    at = behind;
  }
}

/** Words that a declaration does not begin with. */
const STATEMENT = /^(?:return|else|do|if|for|while|switch|case|goto|typedef)\b/;

/** The definition whose name stands at a place, or undefined where it is only used or declared there. */
function definitionAt(code: string, text: string, name: string, at: number): string | undefined {
  if (onDirective(code, at)) return undefined;
  const start = skipBlanks(code, startOfDeclaration(code, at));
  const before = code.slice(start, at);
  const inFirstColumn = start === 0 || code[start - 1] === "\n";
  // A type stands before the name, and nothing that belongs to an expression.
  const type = before.replace(/\b__\w+\s*\((?:[^()]|\([^()]*\))*\)/g, " ");
  if (!inFirstColumn || STATEMENT.test(before) || !/^[\w\s*]*[\w*]\s*$/.test(type)) return undefined;
  const behind = skipBlanks(code, at + name.length);
  if (code[behind] === "(") {
    const parameters = behindBracket(code, behind);
    if (parameters < 0) return undefined;
    const body = skipAttributes(code, parameters);
    if (code[body] !== "{") return undefined;
    const end = behindBracket(code, body);
    return end < 0 ? undefined : text.slice(start, end);
  }
  return variableAt(code, text, start, behind);
}

/** A variable with an initialiser: `struct x name[] = { ... };`. */
function variableAt(code: string, text: string, start: number, at: number): string | undefined {
  while (code[at] === "[") {
    const behind = behindBracket(code, at);
    if (behind < 0) return undefined;
    at = skipBlanks(code, behind);
  }
  at = skipAttributes(code, at);
  if (code[at] !== "=") return undefined;
  at = skipBlanks(code, at + 1);
  const behind = code[at] === "{" ? behindBracket(code, at) : at;
  if (behind < 0) return undefined;
  const end = code.indexOf(";", behind);
  return end < 0 ? undefined : text.slice(start, end + 1);
}

/**
 * Every definition of a name in a file's text, in order, without comments and
 * with single blanks. A name that the kernel defines as a macro around
 * `NAME_noprof` has both.
 */
export function definitionsOf(name: string, file: string): string[] {
  const text = withoutComments(file);
  const code = withoutQuoted(text);
  const found: { at: number; text: string }[] = [];
  const words = new RegExp(`(?<![\\w$])(${name}|${name}_noprof)(?![\\w$])`, "g");
  for (const match of code.matchAll(words)) {
    const at = match.index;
    const line = code.lastIndexOf("\n", at - 1) + 1;
    const directive = /^[ \t]*#[ \t]*define[ \t]+$/.test(code.slice(line, at));
    const definition = directive ? text.slice(line, endOfLine(text, at)) : definitionAt(code, text, match[0], at);
    if (definition !== undefined) found.push({ at, text: definition.replace(/\s+/g, " ").trim() });
  }
  return found.sort((a, b) => a.at - b.at).map((f) => f.text);
}
