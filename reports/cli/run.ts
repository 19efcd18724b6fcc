/**
 * The command line: which commands there are, what they take, and what is said
 * when something is wrong.
 *
 * @module
 */
import { Command, CommanderError, Option } from "commander";
import { CONFIGS } from "../../core/kernel/names.ts";
import { didYouMean } from "../../core/program/did_you_mean.ts";
import { InputError } from "../../core/program/input_error.ts";
import { readProgramFile } from "../../corpus/files.ts";
import { count, folded, grouped, visible } from "../text.ts";
import type { FuzzOptions } from "./fuzz.ts";
import { exitStatusHelp, HELP_WIDTH, invariantsHelp, TRACE_HELP } from "./help.ts";
import type { ConformCliOptions } from "./conform.ts";
import type { ExhaustCliOptions } from "./exhaust.ts";
import type { ReplayOptions } from "./replay.ts";
import type { MemdescOptions } from "./memdesc.ts";
import type { TraceCliOptions } from "./trace.ts";
import type { SourcesCliOptions } from "./sources.ts";
import {
  archName,
  configName,
  kernelName,
  MAX_SEED,
  MAX_WORKERS,
  notEmpty,
  oneOf,
  positiveInteger,
  powerOfTwo,
  repeated,
} from "./values.ts";
import { type Format, objectText, showing, waiting } from "./showing.ts";
import type { ShrinkOptions } from "./shrink.ts";
import { type FaultsOptions, Interrupted } from "../../corpus/request.ts";
import type { Setting } from "./work.ts";

interface FaultsCliOptions {
  readonly ops: number;
  readonly seed: number;
  readonly kernel: string[];
  readonly discipline: string[];
  readonly format: Format;
}

/** Bounds of an exhaustive search that its moves have room for. */
const MAX_EXHAUST_STEPS = 200;
const MAX_EXHAUST_TABLES = 6;
const MAX_EXHAUST_REFERENCES = 8;
const EXHAUST_HELP = `
Breadth first, so that what is found is found by a shortest schedule. States
that differ only in which page, table or gather is which are one state; lines
that concern nobody but their own table are not interleaved with others'.
`;
/** Steps that `faults` spends on each fault. */
const FAULT_OPS = 100_000;

const option = <T>(flags: string, description: string, parse: (text: string, before: T) => T): Option =>
  new Option(flags, description).argParser(parse);

const opsOption = (ops: number, words: string) =>
  option<number>("--ops <n>", words, positiveInteger("--ops")).default(ops, grouped(ops, "_"));
const seedOption = () =>
  option<number>("--seed <n>", "every random choice follows from it", positiveInteger("--seed", MAX_SEED)).default(1);
const kernelOption = () =>
  option("--kernel <name>", "only this kernel, such as v2 or 6.12-without-B2; repeatable", repeated(kernelName))
    .default([], "all that the disciplines name");
const disciplineOption = () =>
  option(
    "--discipline <name>",
    "only this discipline, by its name or in a file; repeatable",
    repeated(notEmpty("--discipline")),
  )
    .default([], "all that are shipped");
const formatOption = () =>
  option<Format>(
    "--format <format>",
    "of standard output: 'text', or 'json': one object",
    oneOf("--format", ["text", "json"]),
  )
    .default("text");
const targetOption = (words: string) =>
  option("--target <target>", words, oneOf("--target", ["model", "linux"])).default("model");
const sourceOption = (of = "") =>
  option<string>(
    "--source <path>",
    `${of}a kernel tree or tarball; default: the newest linux-source package of the version under /usr/src`,
    notEmpty("--source"),
  );
const reportOption = () => option<string>("--report <dir>", "where the report is written", notEmpty("--report"));

function fuzzCommand(program: Command, setting: Setting, done: (status: number) => void): void {
  program.command("fuzz")
    .description("Runs every discipline on every kernel it names, and reports what breaks an invariant.")
    .addOption(opsOption(setting.defaultOps, "budget in steps, split evenly over the cells"))
    .addOption(seedOption())
    .addOption(
      option<number>(
        "--workers <n>",
        "threads; their number changes nothing in the result",
        positiveInteger("--workers", MAX_WORKERS),
      )
        .default(navigator.hardwareConcurrency, "the processors of this machine"),
    )
    .addOption(kernelOption())
    .addOption(disciplineOption())
    .addOption(
      option(
        "--mode <mode>",
        "'discipline', or 'hostile': raw calls in any order",
        oneOf("--mode", ["discipline", "hostile"]),
      )
        .default("discipline"),
    )
    .addOption(
      option(
        "--config <name>",
        `kernel configuration (${Object.keys(CONFIGS).join(", ")}); repeatable`,
        repeated(configName),
      )
        .default([], "what the discipline says"),
    )
    .addOption(
      option<string>(
        "--corpus <dir>",
        "keep there what reached new behaviour, and begin with it",
        notEmpty("--corpus"),
      ),
    )
    .addOption(reportOption().default("ptfuzz-report"))
    .addOption(formatOption())
    .addOption(
      targetOption(
        "'model', or 'linux': a kernel that is built and booted, its own words judged by the ledger; " +
          "without --mode both modes, without --ops 4_000_000 steps",
      ),
    )
    .addOption(sourceOption("of --target linux: "))
    .addHelpText("after", invariantsHelp() + "\n" + exitStatusHelp())
    .action(async (options: FuzzOptions, command: Command) => {
      const given = (name: string) => command.getOptionValueSource(name) !== "default";
      done(await (await import("./fuzz.ts")).fuzz(options, { ops: given("ops"), mode: given("mode") }, setting));
    });
}

function corpusCommand(program: Command, setting: Setting, done: (status: number) => void): void {
  const { io, work } = setting;
  program.command("corpus").description("Joins the pools that 'fuzz --corpus DIR' keeps.")
    .command("merge").argument("<DIR...>", "pools").requiredOption("--into <dir>", "where the joined pool is written")
    .description("The fewest and shortest programs that reach all that the pools reach.")
    .addOption(formatOption())
    .addHelpText("after", exitStatusHelp())
    .action(async (dirs: string[], { into, format }: { into: string; format: Format }) => {
      const merged = await waiting(setting, () => {}, (hooks) => work.mergePools(dirs, into, hooks));
      const { cells, taken, of } = merged;
      if (format === "json") io.out(objectText("corpus merge", setting.tool, { ...merged, into }));
      else io.out(`${count(cells, "cell")}: ${grouped(taken)} of ${count(of, "program")} are in ${visible(into)}\n`);
      done(0);
    });
}

function exhaustCommand(program: Command, setting: Setting, done: (status: number) => void): void {
  program.command("exhaust")
    .description("Tries every schedule of a discipline within bounds: what it does not find is not there.")
    .addOption(
      option<number>("--pages <n>", "pages of the zone", powerOfTwo("--pages", 8, 4096)).default(8),
    )
    .addOption(
      option<number>("--steps <n>", "lines of the longest schedule", positiveInteger("--steps", MAX_EXHAUST_STEPS))
        .default(20),
    )
    .addOption(
      option<number>("--tables <n>", "tables at once", positiveInteger("--tables", MAX_EXHAUST_TABLES)).default(2),
    )
    .addOption(
      option<number>(
        "--references <n>",
        "references of the environment at once",
        positiveInteger("--references", MAX_EXHAUST_REFERENCES),
      ).default(2),
    )
    .addOption(
      option<number>("--states <n>", "stop a cell after so many states", positiveInteger("--states", 100_000_000))
        .default(10_000_000, "10_000_000"),
    )
    .addOption(
      option<number>("--workers <n>", "threads, a cell each", positiveInteger("--workers", MAX_WORKERS))
        .default(navigator.hardwareConcurrency, "the processors of this machine"),
    )
    .addOption(kernelOption())
    .addOption(disciplineOption())
    .addOption(
      option("--config <name>", "kernel configuration, added to every cell's; repeatable", repeated(configName))
        .default([], "what the discipline says"),
    )
    .addOption(
      option<string>("--dir <dir>", "where a search that is stopped is written down", notEmpty("--dir")).default(
        "ptfuzz-exhaust",
      ),
    )
    .addOption(new Option("--resume", "go on with the searches that were stopped"))
    .addOption(formatOption())
    .addHelpText("after", EXHAUST_HELP + exitStatusHelp())
    .action(async (options: ExhaustCliOptions) => done(await (await import("./exhaust.ts")).exhaust(options, setting)));
}

function fileCommands(program: Command, setting: Setting, done: (status: number) => void): void {
  const { io, work } = setting;
  program.command("replay").argument("[FILE...]", "stored programs; without any, the whole corpus")
    .description("Runs stored programs and checks what they claim.")
    .addOption(reportOption())
    .addOption(formatOption())
    .addOption(targetOption("'model', or 'linux': a kernel that is built and booted"))
    .addOption(sourceOption("of --target linux: "))
    .addHelpText("after", exitStatusHelp())
    .action(async (files: string[], options: ReplayOptions) =>
      done(await (await import("./replay.ts")).replay(files, options, setting))
    );
  program.command("shrink").argument("<FILE>", "a stored program that claims a finding")
    .description("Prints the smallest program with the same finding.")
    .addOption(new Option("--kunit", "print it as a KUnit test in C, for a kernel tree").conflicts("mail"))
    .addOption(new Option("--mail", "print it as a mail to a kernel list, with the KUnit test"))
    .addOption(formatOption().conflicts(["kunit", "mail"]))
    .addHelpText("after", exitStatusHelp())
    .action(async (file: string, options: ShrinkOptions) =>
      done(await (await import("./shrink.ts")).shrink(file, options, setting))
    );
  program.command("show").argument("<FILE>", "a stored program")
    .description("Shows a program step by step, with the map of the pages: by keys in a terminal, else as text.")
    .addOption(formatOption())
    .addHelpText("after", exitStatusHelp())
    .action(async (file: string, { format }: { format: Format }) => {
      const { recordSteps } = await import("../../core/program/steps/record.ts");
      const { showOnScreen } = await import("../show_screen.ts");
      if (format === "json") io.out(objectText("show", setting.tool, recordSteps(readProgramFile(file))));
      else if (io.screen !== undefined) await showOnScreen(readProgramFile(file), file, io.screen, io.colour);
      else {
        for (const line of await work.showFile(file)) io.out(folded(visible(line), io.columns).join("\n") + "\n");
      }
      done(0);
    });
}

function traceCommand(program: Command, setting: Setting, done: (status: number) => void): void {
  program.command("trace").argument("<FILE...>", "recordings: text of ftrace, plain or gzip; - is standard input")
    .description(
      "Checks recordings of a running kernel: every page table that was allocated and freed, laid to the discipline that describes it, and run on the model.",
    )
    .addOption(
      option<string>(
        "--kernel <name>",
        "the kernel that was recorded; default: what the recording says or shows",
        kernelName,
      ),
    )
    .addOption(
      option<string>("--arch <name>", "its architecture; default: what the recording says or shows", archName),
    )
    .addOption(disciplineOption())
    .addOption(reportOption().default("ptfuzz-report"))
    .addOption(formatOption())
    .addHelpText("after", "\n" + TRACE_HELP + "\n" + exitStatusHelp())
    .action(async (files: string[], options: TraceCliOptions) =>
      done(await (await import("./trace.ts")).trace(files, options, setting))
    );
}

function conformCommand(program: Command, setting: Setting, done: (status: number) => void): void {
  program.command("conform").argument("[FILE...]", "stored programs, in place of drawn ones")
    .description("Runs the same programs on the model and on a real Linux, and compares them step by step.")
    .addOption(
      option<string>("--kernel <name>", "6.1 or 6.12", kernelName).default("6.12"),
    )
    .addOption(
      option<string[]>(
        "--config <name>",
        "what the kernel is built with: DEBUG_VM, MEMCG, or none; repeatable",
        repeated(oneOf("--config", ["DEBUG_VM", "MEMCG", "none"])),
      ).default([], "DEBUG_VM"),
    )
    .addOption(
      option<number>("--programs <n>", "programs to draw", positiveInteger("--programs")).default(100_000, "100_000"),
    )
    .addOption(seedOption())
    .addOption(sourceOption())
    .addOption(formatOption())
    .addOption(new Option("--coverage", "say which calls and checks were reached, and why not the others"))
    .addOption(
      new Option("--mutants", "change single lines of the kernel and of the model, and see that it is noticed"),
    )
    .addHelpText("after", exitStatusHelp())
    .action(async (files: string[], options: ConformCliOptions) =>
      done(await (await import("./conform.ts")).conform(files, options, setting))
    );
}

function sourcesCommand(program: Command, setting: Setting, done: (status: number) => void): void {
  program.command("sources")
    .description(
      "Says which disciplines a kernel tree has outgrown: whose functions it has with another text, or not at all.",
    )
    .addOption(
      option<string>(
        "--source <tree>",
        "a kernel tree or tarball; default: the linux-source packages of 6.1 and 6.12 under /usr/src, as far as they are there",
        notEmpty("--source"),
      ),
    )
    .addOption(disciplineOption())
    .addOption(
      new Option(
        "--accept",
        "write the hashes found into the disciplines: say it when you have read the functions again",
      ),
    )
    .addOption(formatOption())
    .addHelpText("after", exitStatusHelp())
    .action(async (options: SourcesCliOptions) => done(await (await import("./sources.ts")).sources(options, setting)));
}

function proofCommands(program: Command, setting: Setting, done: (status: number) => void): void {
  const { work } = setting;
  program.command("linux")
    .description(
      "Shows on a real Linux that KUnit tests fail where findings are real, and that changed trees are found out.",
    )
    .addOption(formatOption())
    .addHelpText("after", exitStatusHelp())
    .action(async ({ format }: { format: Format }) => done(await showing("linux", format, setting, work.runLinux)));
  program.command("bench")
    .description("Measures steps a second, beside fast-check's fc.modelRun with the same calls and checks.")
    .addOption(formatOption())
    .addHelpText("after", exitStatusHelp())
    .action(async ({ format }: { format: Format }) => done(await showing("bench", format, setting, work.runBench)));
  program.command("faults")
    .description("Puts every single-line fault into every clean discipline, and shows how soon each is found.")
    .addOption(opsOption(FAULT_OPS, "budget in steps for each fault"))
    .addOption(seedOption())
    .addOption(kernelOption())
    .addOption(disciplineOption())
    .addOption(formatOption())
    .addHelpText("after", exitStatusHelp())
    .action(async ({ ops, seed, kernel, discipline, format }: FaultsCliOptions) => {
      const request: FaultsOptions = { ops, seed, kernels: kernel, disciplines: discipline };
      done(await showing("faults", format, setting, (hooks) => work.runFaults(request, hooks)));
    });
  program.command("memdesc")
    .description("Shows which disciplines would break if descriptors were allocated apart from struct page, and why.")
    .addOption(disciplineOption())
    .addOption(
      option<MemdescOptions["format"]>(
        "--format <format>",
        "of standard output: 'text', 'markdown', or 'json': one object",
        oneOf("--format", ["text", "markdown", "json"]),
      ).default("text"),
    )
    .addOption(
      option<string>(
        "--write <file>",
        "puts the table between the marks of a Markdown file, and prints nothing",
        notEmpty("--write"),
      ),
    )
    .addHelpText("after", exitStatusHelp())
    .action(async (options: MemdescOptions) => done(await (await import("./memdesc.ts")).memdesc(options, setting)));
  program.command("mutants")
    .description("Breaks the model in one known way at a time, and shows which invariant saw it.")
    .addOption(formatOption())
    .addHelpText("after", exitStatusHelp())
    .action(async ({ format }: { format: Format }) => done(await showing("mutants", format, setting, work.runMutants)));
}

/** The sentence for what commander has against the arguments. */
function commanderSentence(error: CommanderError, program: Command, args: readonly string[]): string {
  const command = program.commands.find((c) => c.name() === args.find((arg) => !arg.startsWith("-")));
  const names = program.commands.map((c) => c.name());
  const said = error.message.replace(/^error: /, "").replace(/\n\(Did you mean [^\n]*\)$/, "").replace(/\.$/, "");
  const where = command === undefined ? "" : `${command.name()}: `;
  const help = `; 'deno task ${command?.name() ?? "fuzz"} --help' says what there is`;
  const word = /'(.*)'/s.exec(said)?.[1] ?? "";
  switch (error.code) {
    case "commander.help":
      return `${where}missing what to do; expected 'deno task corpus merge DIR... --into DIR'`;
    case "commander.unknownCommand":
      if (command?.commands.length) {
        return `${where}'${word}' is nothing it does; expected 'deno task corpus merge DIR... --into DIR'`;
      }
      return `${said}${didYouMean(word, names) || `; expected one of ${names.join(", ")}`}`;
    case "commander.unknownOption": {
      const options = [...(command ?? program).options.flatMap((o) => o.long ?? []), "--help"];
      return `${where}${said}${didYouMean(word, options) || help}`;
    }
    case "commander.optionMissingArgument":
      return `${where}${said.replace("argument missing", "needs a value after it")}`;
    case "commander.missingArgument":
      return `${where}missing ${word}; expected 'deno task ${command?.name()} ${word}'`;
    case "commander.excessArguments":
      return `${where}${said.replace(/^too many arguments for '\w+'\. Expected/, "expected")}` +
        (command?.options.some((o) => o.long === "--discipline")
          ? `; a discipline is named with '--discipline ${args.find((a) => said.endsWith(a)) ?? "NAME"}'`
          : help);
    default:
      return `${where}${said}`;
  }
}

function programOf(setting: Setting, done: (status: number) => void): Command {
  const program = new Command("deno task")
    .description("A deterministic fuzzer for the memory behind Linux page tables.")
    .usage("COMMAND [options]")
    .version(setting.tool, "--version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: setting.io.out,
      writeErr: () => {},
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  fuzzCommand(program, setting, done);
  exhaustCommand(program, setting, done);
  corpusCommand(program, setting, done);
  fileCommands(program, setting, done);
  traceCommand(program, setting, done);
  conformCommand(program, setting, done);
  sourcesCommand(program, setting, done);
  proofCommands(program, setting, done);
  program.addHelpText("after", exitStatusHelp());
  return program;
}

/**
 * Runs a command line.
 *
 * @param args the arguments after the program's name
 * @param setting the work behind the commands, and where output goes
 * @returns the exit status
 */
export async function run(args: readonly string[], setting: Setting): Promise<number> {
  const { io } = setting;
  let status = 0;
  const program = programOf(setting, (s) => status = s);
  try {
    if (args.length === 0) {
      throw new InputError(`no command; expected one of ${program.commands.map((c) => c.name()).join(", ")}`);
    }
    await program.parseAsync([...args], { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      io.err(visible(commanderSentence(error, program, args)) + "\n");
      return 2;
    }
    if (error instanceof InputError) {
      io.err(visible(error.message) + "\n");
      return 2;
    }
    if (error instanceof Interrupted) {
      io.err("ptfuzz: stopped by Ctrl-C before anything was known\n");
      return 130;
    }
    io.err(faultText(error));
    return 70;
  }
}

/** What is said of a fault of ptfuzz itself. */
export function faultText(error: unknown): string {
  const [message = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
  const stack = error instanceof Error ? error.stack ?? "" : "";
  return `ptfuzz: ${
    visible(message)
  }: this is a fault of ptfuzz itself; please report it with the command line and these lines\n` +
    stack.split("\n").map((line) => visible(line) + "\n").join("");
}
