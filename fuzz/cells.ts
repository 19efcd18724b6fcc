/**
 * Cells: which disciplines run on which kernels.
 *
 * @module
 */
import { parseKernelName } from "../core/kernel/names.ts";
import { CALLS } from "../core/program/calls.ts";
import { STEP_WORDS } from "../core/program/program.ts";
import { InputError } from "../core/program/input_error.ts";
import { didYouMean } from "../core/program/did_you_mean.ts";
import type { Discipline, Expectation } from "../corpus/discipline.ts";
import { listShipped, readTextFile } from "../corpus/files.ts";
import { checkNames, missingCall, parseDiscipline } from "../corpus/load_discipline.ts";

/** A discipline and the text it was read from: workers read it again. */
export interface LoadedDiscipline {
  readonly discipline: Discipline;
  readonly text: string;
}

/** A discipline on a kernel. */
export interface CellPlan {
  readonly kernel: string;
  readonly config: readonly string[];
  readonly loaded: LoadedDiscipline;
}

/** Reads a discipline's file. */
export function loadText(file: string): LoadedDiscipline {
  const text = readTextFile(file);
  return { discipline: parseDiscipline(text, file), text };
}

/**
 * The disciplines that are meant: all that are shipped, or those named (by name
 * or by file).
 */
export function selectDisciplines(wanted: readonly string[]): LoadedDiscipline[] {
  const shipped = listShipped().disciplines.map(loadText);
  if (wanted.length === 0) {
    checkNames(shipped.map((s) => s.discipline));
    return shipped;
  }
  const chosen = wanted.map((name) => {
    const known = shipped.find((s) => s.discipline.name === name);
    if (known !== undefined) return known;
    if (/\.toml$/.test(name)) return loadText(name);
    const names = shipped.map((s) => s.discipline.name);
    throw new InputError(
      `there is no discipline '${name}'${didYouMean(name, names) || "; name a shipped one, or a .toml file"}`,
    );
  });
  checkNames(chosen.map((c) => c.discipline));
  return chosen;
}

/** The cells: every discipline on every kernel it names, or on the kernels asked for. */
export function planCells(
  disciplines: readonly LoadedDiscipline[],
  kernels: readonly string[],
  config: readonly string[],
): CellPlan[] {
  const cells: CellPlan[] = [];
  for (const loaded of disciplines) {
    const d = loaded.discipline;
    for (const kernel of kernels.length === 0 ? d.kernels : kernels) {
      if (missingCall(d, kernel) !== undefined) continue;
      checkFits(d, kernel);
      cells.push({ kernel, config: [...new Set([...d.config, ...config])].sort(), loaded });
    }
  }
  if (cells.length === 0) {
    const d = disciplines[0]!.discipline;
    throw new InputError(
      `kernel ${kernels.join(", ")} has not all the calls of any discipline asked for (${d.name}: '${
        missingCall(d, kernels[0]!)
      }'); name a kernel that has them`,
    );
  }
  return cells;
}

/** A block larger than the zone can never be had. */
function checkFits(d: Discipline, kernel: string): void {
  const compiled = d.compile(kernel);
  for (const { code } of [compiled.alloc, ...compiled.use, ...compiled.free, ...compiled.fail]) {
    for (let at = 0; at < code.length; at += STEP_WORDS) {
      const call = CALLS[code[at]!];
      const order = call?.params.findIndex((p) => p.type === "order") ?? -1;
      if (call === undefined || order < 0 || (code[at + 6]! >> order & 1) === 1) continue;
      const pages = 1 << code[at + 2 + order]!;
      const whole = d.config.includes("HIGHMEM") ? d.pages / 2 : d.pages;
      if (pages > whole) {
        throw new InputError(
          `${call.name} of order ${code[at + 2 + order]} wants ${pages} pages at once, and the zone has ${whole}; ` +
            `write 'pages = ${2 * pages}' or more`,
          { file: d.file },
        );
      }
    }
  }
}

/**
 * What a discipline expects on a kernel: of that name, or of the version that it
 * is without a repair. Where one is put in, what the version shows is not expected.
 */
export function expectationsOn(d: Discipline, kernel: string): Expectation[] {
  const name = parseKernelName(kernel);
  const base = name === undefined || name.with.length > 0 ? kernel : name.base;
  return d.expect.filter((e) => e.kernels.includes(kernel) || e.kernels.includes(base));
}
