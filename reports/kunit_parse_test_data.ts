/**
 * The kernel's own reader of KTAP, for tests: `kunit.py parse` out of the
 * kernel's source package.
 *
 * @module
 */
/** What `kunit.py parse` made of a text. */
export interface Parsed {
  readonly ok: boolean;
  readonly output: string;
}

/**
 * Takes `kunit.py` from a kernel's tree or tarball: unpacks `tools/testing/kunit` and lets it read the texts. Tests may start
 * nothing but `deno`; this starts one that may start `tar` and `python3`.
 */
export async function parseWithKunit(
  source: { readonly path: string; readonly kind: "tree" | "tarball" },
  texts: readonly string[],
): Promise<Parsed[]> {
  const { path, kind } = source;
  const script = `
    const { path, kind, texts } = JSON.parse(new TextDecoder().decode(await new Response(Deno.stdin.readable).bytes()));
    const dir = Deno.makeTempDirSync();
    try {
      let tree = path;
      if (kind === "tarball") {
        const tar = new Deno.Command("tar", {
          args: ["-xf", path, "-C", dir, "--strip-components=1", "--wildcards", "*/tools/testing/kunit/*.py"],
        }).outputSync();
        if (!tar.success) throw new Error(new TextDecoder().decode(tar.stderr));
        tree = dir;
      }
      const results = texts.map((text) => {
        Deno.writeTextFileSync(dir + "/report.ktap", text);
        const { success, stdout, stderr } = new Deno.Command("python3", {
          args: [tree + "/tools/testing/kunit/kunit.py", "parse", dir + "/report.ktap"],
          env: { PYTHONDONTWRITEBYTECODE: "1" },
        }).outputSync();
        return { ok: success, output: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
      });
      console.log(JSON.stringify(results));
    } finally {
      Deno.removeSync(dir, { recursive: true });
    }`;
  const child = new Deno.Command("deno", { args: ["eval", script], stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify({ path, kind, texts })));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}
