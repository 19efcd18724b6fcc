/**
 * Builds user-mode Linux with the driver in it, out of tree, into a cache.
 *
 * What a build is made of says where it lies: source, version and configuration.
 * A tarball that was built is not touched again; a tree may have changed, so
 * make looks at it every time and builds what is new.
 *
 * @module
 */
import { join } from "@std/path";
import { InputError } from "../core/program/input_error.ts";
import { callsHeader } from "./calls_header.ts";
import { Interrupted } from "../corpus/request.ts";
import { archFunctions } from "./arch_functions.ts";
import { applyEdits, type Edit, makeOverlay } from "./overlay.ts";
import { type KernelSource, wrongTree } from "./source.ts";
import { textHash } from "./text_hash.ts";
import { checkTools } from "./tools.ts";

/** What is to be built. */
export interface BuildRequest {
  readonly source: KernelSource;
  /** Of DEBUG_VM, MEMCG. */
  readonly config: readonly string[];
  /** Files for mm/ that are built as well: KUnit tests. */
  readonly extra?: (tree: string) => readonly { readonly name: string; readonly text: string }[];
  /** Lines of the kernel that are to be others. */
  readonly edits?: readonly Edit[];
  /** Folder of the cache. */
  readonly cache: string;
  /** Is told what goes on. */
  readonly progress: (text: string) => void;
  /** When it is aborted, so is the build. */
  readonly signal?: AbortSignal | undefined;
}

/** A kernel that was built. */
export interface Built {
  /** The program, with its System.map beside it. */
  readonly binary: string;
  /** The tree it was built from: links, and the driver. */
  readonly tree: string;
  /** Hash of the program, 16 hexadecimal digits. */
  readonly id: string;
}

/** Options of every build. */
const ALWAYS: readonly string[] = [
  "64BIT",
  "MMU",
  "EXPERT",
  "PRINTK",
  "BUG",
  "DEBUG_BUGVERBOSE",
  "KALLSYMS",
  "DEBUG_KERNEL",
  "SLUB",
  "KUNIT",
  "FAULT_INJECTION",
  "FAIL_PAGE_ALLOC",
  "CC_OPTIMIZE_FOR_PERFORMANCE",
];
/** Options that none has: they would do things behind the program's back. */
const NEVER: readonly string[] = ["SWAP", "SMP", "COMPACTION", "PAGE_OWNER", "INIT_ON_ALLOC_DEFAULT_ON", "SLUB_TINY"];
const SELECTED: readonly string[] = ["MMU_GATHER_TABLE_FREE", "MMU_GATHER_RCU_TABLE_FREE"];
/** What an option of ours is in the kernel's configuration. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  DEBUG_VM: ["DEBUG_VM", "DEBUG_VM_PGFLAGS"],
  MEMCG: ["CGROUPS", "MEMCG"],
};

/** Declares what the driver defines, where the gather looks for it. There is nothing to flush: no table is ever walked; that it was flushed is noted. */
const TLB_H = `/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __UM_TLB_H
#define __UM_TLB_H

#include <linux/mm.h>

extern void __tlb_remove_table(void *table);

struct mmu_gather;
extern void ptfuzz_tlb_flush(struct mmu_gather *tlb);
static inline void tlb_flush(struct mmu_gather *tlb)
{
	ptfuzz_tlb_flush(tlb);
}
#define tlb_flush tlb_flush

/* Whether the hardware of the architecture that is played walks Linux's tables: that is what the driver says. */
extern bool ptfuzz_table_invalidate;
#define tlb_needs_table_invalidate() (ptfuzz_table_invalidate)

#include <asm/tlbflush.h>
#include <asm-generic/cacheflush.h>
#include <asm-generic/tlb.h>

#endif
`;

/** `$PTFUZZ_CACHE`, or `ptfuzz` where the user's caches are. */
export function cacheDir(): string {
  const own = Deno.env.get("PTFUZZ_CACHE");
  if (own) return own;
  const caches = Deno.env.get("XDG_CACHE_HOME");
  if (caches) return join(caches, "ptfuzz");
  const home = Deno.env.get("HOME");
  if (home) return join(home, ".cache", "ptfuzz");
  throw new InputError("there is no place for a cache: PTFUZZ_CACHE, XDG_CACHE_HOME and HOME are not set; set one");
}

function driverFile(name: string): string {
  return Deno.readTextFileSync(new URL(`./driver/${name}`, import.meta.url));
}

/**
 * Runs a program; its output goes line by line to `line`, and into a log.
 *
 * @throws {Interrupted} where the signal ended it, or Ctrl-C in a terminal, which its processes hear as well
 */
async function command(
  program: string,
  args: readonly string[],
  log: string,
  line: (text: string) => void,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (signal?.aborted) throw new Interrupted();
  const file = await Deno.open(log, { create: true, append: true });
  try {
    const child = new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { ARCH: "", CROSS_COMPILE: "", MAKEFLAGS: "", KBUILD_OUTPUT: "", LC_ALL: "C" },
      ...(signal && { signal }),
    }).spawn();
    const take = async (stream: ReadableStream<Uint8Array>) => {
      let rest = "";
      const decoder = new TextDecoder();
      for await (const chunk of stream) {
        file.writeSync(chunk);
        const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
        rest = parts.pop()!;
        for (const part of parts) line(part);
      }
    };
    await Promise.all([take(child.stdout), take(child.stderr)]);
    const { success } = await child.status;
    if (signal?.aborted) throw new Interrupted();
    return success;
  } finally {
    file.close();
  }
}

/** The tree of a source: itself, or what was unpacked of a tarball. */
async function treeOf({ source, cache, progress, signal }: BuildRequest): Promise<string> {
  if (source.kind === "tree") return source.path;
  const stat = Deno.statSync(source.path);
  const key = textHash(`${source.path} ${stat.size} ${stat.mtime?.getTime()}`).toString(16);
  const tree = join(cache, `source-${source.version}-${key}`);
  if (exists(tree)) return tree;
  progress(`unpacking ${source.path}`);
  const part = await Deno.makeTempDir({ dir: cache, prefix: "unpacking-" });
  const log = join(cache, `unpack-${key}.log`);
  let done = false;
  try {
    done = await command("tar", ["-xf", source.path, "-C", part, "--strip-components=1"], log, () => {}, signal);
  } finally {
    if (!done) await Deno.remove(part, { recursive: true });
  }
  if (!done) {
    throw new InputError(`${source.path} cannot be unpacked; ${log} says why`);
  }
  const wrong = wrongTree(part, source);
  if (wrong !== undefined) {
    await Deno.remove(part, { recursive: true });
    throw new InputError(wrong);
  }
  try {
    await Deno.rename(part, tree);
  } catch (error) {
    // Somebody else was quicker.
    await Deno.remove(part, { recursive: true });
    if (!exists(tree)) throw error;
  }
  return tree;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** All that is not as the tree has it. */
function filesOf(tree: string, r: BuildRequest): Map<string, string> {
  const kconfig = Deno.readTextFileSync(join(tree, "arch/um/Kconfig"));
  const makefile = Deno.readTextFileSync(join(tree, "mm/Makefile"));
  const extra = r.extra?.(tree) ?? [];
  const files = new Map([
    [
      "arch/um/Kconfig",
      kconfig.replace(/^config UML\n(?:\s+bool\n)/m, (head) => head + SELECTED.map((s) => `\tselect ${s}\n`).join("")),
    ],
    ["arch/um/include/asm/tlb.h", TLB_H],
    [
      "mm/Makefile",
      makefile + ["ptfuzz.c", ...extra.map((e) => e.name)].map((name) => `obj-y += ${name.replace(/c$/, "o")}\n`).join(
        "",
      ) + ["page_alloc", "swap", "mmu_gather", "ptfuzz"].map((object) =>
        `CFLAGS_${object}.o += -include $(srctree)/mm/ptfuzz_dump.h\n`
      ).join("") + "CFLAGS_page_alloc.o += -include $(srctree)/mm/ptfuzz_hook.h\n" +
      "CFLAGS_mmu_gather.o += -include $(srctree)/mm/ptfuzz_gather.h\n",
    ],
    ["mm/ptfuzz.c", driverFile("ptfuzz.c")],
    ["mm/ptfuzz_dump.h", driverFile("dump.h")],
    ["mm/ptfuzz_hook.h", driverFile("hook.h")],
    ["mm/ptfuzz_gather.h", driverFile("gather.h")],
    ["mm/ptfuzz_s390.h", driverFile("s390.h")],
    ["mm/ptfuzz_powerpc.h", driverFile("powerpc.h")],
    ["mm/ptfuzz_arch_functions.h", archFunctions(tree)],
    ["mm/ptfuzz_calls.h", callsHeader(r.source.version)],
  ]);
  if (r.config.includes("MEMCG")) {
    files.set("mm/memcontrol.c", Deno.readTextFileSync(join(tree, "mm/memcontrol.c")) + driverFile("memcg.h"));
  }
  for (const { name, text } of extra) files.set(`mm/${name}`, text);
  applyEdits(tree, files, r.edits ?? []);
  return files;
}

/** The configuration, for KCONFIG_ALLCONFIG. */
function fragment(config: readonly string[]): string {
  const wanted = [...ALWAYS, ...config.flatMap((c) => OPTIONS[c] ?? [])];
  return [...wanted.map((w) => `CONFIG_${w}=y`), ...NEVER.map((n) => `# CONFIG_${n} is not set`)].join("\n") + "\n";
}

/** An option that did not take is a build of something else. */
function checkConfig(out: string, config: readonly string[]): void {
  const text = Deno.readTextFileSync(join(out, ".config"));
  const set = (name: string) => new RegExp(`^CONFIG_${name}=y$`, "m").test(text);
  const wanted = [...ALWAYS, ...SELECTED, ...config.flatMap((c) => OPTIONS[c] ?? [])];
  const lost = wanted.filter((w) => !set(w));
  const all = Object.values(OPTIONS).flat();
  const extra = [...NEVER, ...all.filter((o) => !wanted.includes(o) && o !== "CGROUPS")].filter(set);
  if (lost.length + extra.length === 0) return;
  const words = [
    ...(lost.length > 0 ? [`has not ${lost.map((l) => `CONFIG_${l}`).join(", ")}`] : []),
    ...(extra.length > 0 ? [`has ${extra.map((e) => `CONFIG_${e}`).join(", ")}`] : []),
  ];
  throw new InputError(`this kernel's configuration ${words.join(" and ")}, whatever is asked for; see ${out}/.config`);
}

/** Builds a kernel, or finds it built. */
export async function buildKernel(r: BuildRequest): Promise<Built> {
  await checkTools(r.source.kind === "tarball");
  try {
    Deno.mkdirSync(r.cache, { recursive: true });
  } catch (error) {
    throw new InputError(`the cache ${r.cache} cannot be made (${error instanceof Error ? error.message : error})`);
  }
  const tree = await treeOf(r);
  const config = [...r.config].sort();
  const name = [r.source.version, ...config.map((c) => c.toLowerCase()), textHash(tree).toString(16)].join("-");
  const dir = join(r.cache, name);
  Deno.mkdirSync(dir, { recursive: true });
  const lock = await Deno.open(join(dir, "lock"), { create: true, write: true });
  try {
    await lock.lock(true);
    return await build(r, tree, dir, config);
  } finally {
    lock.close();
  }
}

async function build(r: BuildRequest, tree: string, dir: string, config: readonly string[]): Promise<Built> {
  const overlay = join(dir, "tree");
  const out = join(dir, "build");
  const log = join(dir, "build.log");
  const stamp = join(dir, "stamp");
  const binary = join(out, "linux");
  const files = filesOf(tree, r);
  const wanted = fragment(config);
  const key = String(textHash(JSON.stringify([...files, wanted])));
  const done = exists(stamp) && exists(binary) && Deno.readTextFileSync(stamp) === key;
  if (!(done && r.source.kind === "tarball")) {
    if (exists(stamp)) Deno.removeSync(stamp);
    makeOverlay(tree, overlay, files);
    Deno.mkdirSync(out, { recursive: true });
    Deno.writeTextFileSync(log, "");
    const what = [r.source.version, ...config].join(" ");
    const make = (...args: string[]) => {
      let compiled = 0;
      return command("make", ["-C", overlay, "ARCH=um", `O=${out}`, ...args], log, (line) => {
        if (/^\s+(CC|AS|AR|LD|HOSTCC)\s/.test(line)) compiled++;
        r.progress(`Linux ${what}: ${args.at(-1) === "linux" ? `compiling, ${compiled} files` : "configuring"}`);
      }, r.signal);
    };
    const allconfig = join(dir, "fragment");
    if (!exists(join(out, ".config")) || !exists(allconfig) || Deno.readTextFileSync(allconfig) !== wanted) {
      Deno.writeTextFileSync(allconfig, wanted);
      if (!await make(`KCONFIG_ALLCONFIG=${allconfig}`, "allnoconfig")) throw failed(log);
    }
    checkConfig(out, config);
    if (!await make(`-j${navigator.hardwareConcurrency}`, "linux")) throw failed(log);
    Deno.writeTextFileSync(stamp, key);
  }
  const digest = await crypto.subtle.digest("SHA-256", Deno.readFileSync(binary));
  const id = [...new Uint8Array(digest).subarray(0, 8)].map((b) => b.toString(16).padStart(2, "0")).join("");
  return { binary: publish(dir, out, id), tree: overlay, id };
}

/** Built kernels that are kept: the folder is built over when lines or tests of it change. */
const KEPT = 8;

/** Puts what was built where no later build changes it; others may boot while the next one is made. */
function publish(dir: string, out: string, id: string): string {
  const name = `linux-${id}`;
  const to = join(dir, name);
  if (!exists(join(to, "linux"))) {
    const others = [...Deno.readDirSync(dir)].filter((e) => e.name.startsWith("linux-"))
      .map((e) => ({ path: join(dir, e.name), at: Deno.statSync(join(dir, e.name)).mtime?.getTime() ?? 0 }))
      .sort((a, b) => b.at - a.at);
    for (const { path } of others.slice(KEPT - 1)) Deno.removeSync(path, { recursive: true });
    const part = Deno.makeTempDirSync({ dir, prefix: "part-" });
    for (const file of ["System.map", "linux"]) Deno.copyFileSync(join(out, file), join(part, file));
    Deno.renameSync(part, to);
  }
  return join(to, "linux");
}

/** What a build that failed says: its first error, and where the rest stands. */
function failed(log: string): InputError {
  const lines = Deno.readTextFileSync(log).split("\n");
  const error = lines.find((line) => /\berror:|^ERROR:|\*\*\*/.test(line)) ?? lines.at(-2) ?? "";
  return new InputError(`the kernel cannot be built: ${error.trim()}; all of it is in ${log}`);
}
