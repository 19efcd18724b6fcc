import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../core/program/input_error.ts";
import { reportJson } from "./json.ts";
import { reportMarkdown } from "./markdown.ts";
import { sampleResult, sampleTiming } from "./sample_test_data.ts";
import { prepareReportDir, REPORT_FILES, writeFiles, writeReport } from "./write.ts";

/** A directory of its own, with GITHUB_STEP_SUMMARY as given, for a test. */
function inTemporaryDirectory(body: (dir: string) => void, summary?: (dir: string) => string): void {
  const dir = Deno.makeTempDirSync();
  const before = Deno.env.get("GITHUB_STEP_SUMMARY");
  try {
    if (summary === undefined) Deno.env.delete("GITHUB_STEP_SUMMARY");
    else Deno.env.set("GITHUB_STEP_SUMMARY", summary(dir));
    body(dir);
  } finally {
    if (before === undefined) Deno.env.delete("GITHUB_STEP_SUMMARY");
    else Deno.env.set("GITHUB_STEP_SUMMARY", before);
    Deno.removeSync(dir, { recursive: true });
  }
}

const names = (dir: string): string[] => [...Deno.readDirSync(dir)].map((e) => e.name).sort();

Deno.test("writeReport() writes its files and leaves nothing else", () =>
  inTemporaryDirectory((dir) => {
    const undo = prepareReportDir(join(dir, "r"));
    writeReport(join(dir, "r"), sampleResult(), sampleTiming);
    writeReport(join(dir, "r"), sampleResult(), sampleTiming);
    undo();
    assert.deepEqual(names(join(dir, "r")), [...REPORT_FILES, "kunit"].toSorted());
    assert.equal(Deno.readTextFileSync(join(dir, "r", "report.json")), reportJson(sampleResult()));
  }));

Deno.test("prepareReportDir() can be undone, and leaves alone what was there", () =>
  inTemporaryDirectory((dir) => {
    prepareReportDir(join(dir, "r"))();
    prepareReportDir(dir)();
    assert.deepEqual(names(dir), []);
  }));

Deno.test("a report directory that cannot be written is refused in one sentence before the run", () =>
  inTemporaryDirectory((dir) => {
    Deno.writeTextFileSync(join(dir, "file"), "mine");
    Deno.mkdirSync(join(dir, "taken", "report.json"), { recursive: true });
    Deno.symlinkSync(join(dir, "nowhere"), join(dir, "dangling"));
    const bad: [string, RegExp][] = [
      [join(dir, "file"), /is a file; expected a directory/],
      [join(dir, "file", "under"), /part of the path is a file/],
      [join(dir, "none", "r"), /there is no directory '.*none' to make it in/],
      [join(dir, "taken"), /'report\.json' in it is a directory/],
      [join(dir, "dangling"), /expected a directory that can be written/],
      [join(dir, "long".repeat(200)), /expected a directory that can be written/],
      ["", /expected the path of a directory/],
      ["a\0b", /expected the path of a directory/],
    ];
    if (Deno.build.os === "linux") bad.push(["/proc", /expected a directory/], ["/proc/r", /expected a directory/]);
    for (const [path, message] of bad) {
      assert.throws(() => prepareReportDir(path), (error: Error) => {
        assert.ok(error instanceof InputError);
        assert.match(error.message, message);
        assert.ok(!/\n|os error/.test(error.message), error.message);
        return true;
      });
    }
    assert.deepEqual(names(dir), ["dangling", "file", "taken"]);
    assert.equal(Deno.readTextFileSync(join(dir, "file")), "mine");
  }));

Deno.test("writeFiles() writes all or none, and keeps what was there", () =>
  inTemporaryDirectory((dir) => {
    Deno.writeTextFileSync(join(dir, "a"), "old");
    Deno.mkdirSync(join(dir, "b"));
    assert.throws(() => writeFiles(dir, [["a", "new"], ["b", "new"]]), InputError);
    assert.throws(() => writeFiles(dir, [["a", "new"], ["none/c", "new"]]), InputError);
    assert.equal(Deno.readTextFileSync(join(dir, "a")), "old");
    assert.deepEqual(names(dir), ["a", "b"]);
  }));

Deno.test("the Markdown is appended to GITHUB_STEP_SUMMARY, and counts what is there", () =>
  inTemporaryDirectory((dir) => {
    Deno.writeTextFileSync(join(dir, "summary"), "before\n");
    writeReport(dir, sampleResult(), sampleTiming);
    assert.equal(Deno.readTextFileSync(join(dir, "summary")), "before\n" + reportMarkdown(sampleResult()));
  }, (dir) => join(dir, "summary")));

Deno.test("a GITHUB_STEP_SUMMARY that cannot be written is refused before the run", () =>
  inTemporaryDirectory((dir) => {
    assert.throws(() => prepareReportDir(join(dir, "r")), /GITHUB_STEP_SUMMARY=.*expected a file that can be written/);
    assert.deepEqual(names(dir), []);
  }, (dir) => join(dir, "none", "summary")));
