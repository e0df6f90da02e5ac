import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  cleanPattern,
  compileIgnore,
  type IgnoreRules,
  parseIgnoreFile,
} from "../../../../src/layer/ignore/ignore.ts";

function rules(...patterns: readonly string[]): IgnoreRules {
  return compileIgnore(patterns.map((text) => ({ pattern: cleanPattern(text), where: "test" })));
}

function ignores(patterns: readonly string[], path: string): boolean {
  const compiled = rules(...patterns);
  return compiled.ignores(compiled.judge(path));
}

describe("ignore rules", () => {
  for (const exception of ["!/a/", "! /a/", "!  ./a", "!a/"])
    it(`an exception written as ${JSON.stringify(exception)} brings back what it names`, () => {
      assert.equal(ignores(["*", exception], "a"), false);
      assert.equal(ignores(["*", exception], "b"), true);
    });

  it("tells the verdict of a child from its directory's as from the path alone", () => {
    const compiled = rules("a/*", "!a/b", "a/b/c*", "**/d", "!a/b/cc/d/e");
    for (const path of ["a", "a/b", "a/b/c", "a/b/cc/d", "a/b/cc/d/e", "x/d", "a/x/y"]) {
      const stepwise = path.split("/").reduce(
        ({ at, verdict }, name) => {
          const child = at === "" ? name : `${at}/${name}`;
          return { at: child, verdict: compiled.judge(child, verdict) };
        },
        { at: "", verdict: -1 },
      ).verdict;
      assert.equal(stepwise, compiled.judge(path), path);
    }
  });

  for (const [patterns, directory, expected] of [
    [["docs"], "docs", false],
    [["docs", "!docs/README.md"], "docs", true],
    [["!docs/README.md", "docs"], "docs", false],
    [["docs", "!docsuite/x"], "docs", false],
    [["docs", "!**/README.md"], "docs", true],
    [["docs", "!docs/a/*.md"], "docs/b", false],
    [["docs", "!docs/a*/x"], "docs/ab", true],
    [["a/docs", "!a/d*/x"], "a/docs", true],
  ] as const) {
    it(`${JSON.stringify(patterns)} ${expected ? "looks" : "does not look"} into ${directory}`, () => {
      const compiled = rules(...patterns);
      assert.equal(compiled.mayIncludeBelow(directory, compiled.judge(directory)), expected);
    });
  }

  for (const [pattern, path, expected] of [
    ["a[*]b", "a*b", true],
    ["a[*]b", "axb", false],
    ["bin\\debug", "bindebug", true],
    ["bin\\debug", "bin5ebug", false],
    ["**foo", "xfoo", true],
    ["**fo?", "xfoo", false],
    ["dir**", "directory/file", true],
    ["?", "😀", true],
    ["[😀-😂]", "😁", true],
    ["a?b", "a/b", false],
    ["README", "readme", false],
    ["**/__pycache__", "a/__pycache__/x.pyc", true],
  ] as const) {
    it(`${pattern} ${expected ? "names" : "does not name"} ${path}`, () => {
      assert.equal(ignores([pattern], path), expected);
    });
  }
});

describe("an ignore file", () => {
  it("an ignore file is the same with a byte order mark and CRLF", () => {
    const lines = parseIgnoreFile("\ufeff# comment\r\n*.pyc\r\n\r\n!keep.pyc\r\n", "test");
    assert.deepEqual(
      lines.map(({ pattern }) => pattern),
      ["*.pyc", "!keep.pyc"],
    );
  });

  it("an ignore file has comments in the first column only", () => {
    assert.deepEqual(
      parseIgnoreFile("#a\n #b", "test").map(({ pattern }) => pattern),
      ["#b"],
    );
  });

  for (const [text, line] of [
    ["ok\n\n[a-", 3],
    ["!", 1],
    ["# fine\n\\", 2],
    ["a[z-a]", 1],
  ] as const) {
    it(`names the place of the bad pattern in ${JSON.stringify(text)}`, () => {
      const message = new RegExp(`^\\.dockerignore line ${line}: `);
      assert.throws(() => compileIgnore(parseIgnoreFile(text, ".dockerignore")), {
        code: "IGNORE_PATTERN",
        message,
      });
    });
  }
});

/** What a matcher that tries every way would exceed by far: it needs years. */
const SOON = { timeout: 60_000 };

describe("no pattern is slow", () => {
  const path = `${"a".repeat(200)}/`.repeat(20).slice(0, 4095);
  for (const pattern of [
    `${"*a".repeat(30)}b`,
    `${"**/".repeat(30)}b`,
    `${"**/*a".repeat(20)}/b`,
    `${"a*".repeat(40)}?b`,
    `**${"[a-z]*".repeat(30)}b`,
    "*".repeat(4095),
  ]) {
    it(`${pattern.slice(0, 30)}… comes to an end on a path of 4 KB`, SOON, () => {
      rules(pattern).judge(path);
    });
  }

  for (const [kind, make] of [
    ["names", (n: number) => `file${n}`],
    ["directories", (n: number) => `directory${n}/*.txt`],
    ["endings", (n: number) => `**/*.ending${n}`],
    ["suffixes", (n: number) => `**/name${n}`],
  ] as const) {
    it(`10,000 rules for ${kind} judge a thousand paths`, SOON, () => {
      const patterns = Array.from({ length: 10_000 }, (_, n) => make(n));
      const compiled = rules(...patterns, "!**/keep");
      for (let n = 0; n < 1000; n++) compiled.judge(`directory${n}/below/file${n}.js`);
    });
  }
});
