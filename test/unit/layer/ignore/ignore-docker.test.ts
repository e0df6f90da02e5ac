import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cleanPattern, compileIgnore, parseIgnoreFile } from "../../../../src/layer/ignore/ignore.ts";
import { compilePattern } from "../../../../src/layer/ignore/pattern.ts";
import { type Corpus, corpus } from "../../../support/corpora.ts";
import { random } from "../../../support/trees.ts";

interface Case {
  readonly id: string;
  readonly patterns: readonly string[];
  readonly path?: string;
  readonly text?: string;
  readonly expect: {
    readonly error?: unknown;
    readonly ignored?: boolean;
    readonly patterns?: readonly string[];
  };
}

interface CrossCase {
  readonly patterns: readonly string[];
  readonly expect: { readonly error?: unknown; readonly ignored?: readonly string[] };
}

function ignores(patterns: readonly string[], path: string): boolean {
  const rules = compileIgnore(patterns.map((text) => ({ pattern: cleanPattern(text), where: "test" })));
  return rules.ignores(rules.judge(path));
}

const cases = corpus<Case>("dockerignore").cases;
const cross = corpus<CrossCase>("dockerignore-cross") as Corpus<CrossCase> & {
  readonly allPaths: readonly string[];
};

/** The cases that say whether one path is ignored, or that the patterns are wrong. */
function checkVerdict({ patterns, path = "", expect }: Case): void {
  if (expect.error === undefined) assert.equal(ignores(patterns, path), expect.ignored);
  else assert.throws(() => ignores(patterns, path), { code: "IGNORE_PATTERN" });
}

describe("ignore rules, by the tables of moby/patternmatcher", () => {
  for (const one of cases.filter(
    ({ expect }) => expect.error !== undefined || expect.ignored !== undefined,
  )) {
    it(`${one.id}: ${JSON.stringify(one.patterns)} on ${JSON.stringify(one.path)}`, () => checkVerdict(one));
  }

  for (const { id, text = "", expect } of cases.filter(({ text }) => text !== undefined)) {
    it(`${id}: the text of an ignore file`, () => {
      const lines = parseIgnoreFile(text, "test");
      assert.deepEqual(
        lines.map(({ pattern }) => pattern),
        expect.patterns,
      );
    });
  }

  for (const { patterns, expect } of cross.cases) {
    it(`${JSON.stringify(patterns)} on every path of the table`, () => {
      const verdict = () => cross.allPaths.filter((path) => ignores(patterns, path));
      if (expect.error === undefined) assert.deepEqual(verdict(), expect.ignored);
      else assert.throws(verdict, { code: "IGNORE_PATTERN" });
    });
  }
});

/** patternmatcher.go, compile(): the regular expression of a pattern, where it makes one. */
function mobyRegExp(pattern: string): RegExp {
  const source = pattern.replace(/\*\*\/?$|\*\*\/?|[*?.]/g, (found, at: number) => {
    if (found.startsWith("**")) return at + found.length === pattern.length ? ".*" : "(.*/)?";
    return { "*": "[^/]*", "?": "[^/]", ".": "\\." }[found] ?? found;
  });
  return new RegExp(`^${source}$`, "su");
}

function withParents(path: string): readonly string[] {
  return path.split("/").map((_, index, names) => names.slice(0, index + 1).join("/"));
}

describe("ignore rules, by patternmatcher's way through regular expressions", () => {
  const next = random(7);
  const make = (parts: readonly string[]) =>
    Array.from({ length: 1 + next(7) }, () => parts[next(parts.length)]).join("");
  // Its other ways (exact, prefix, suffix) are for patterns that have no wildcard but one ** at an end.
  const patterns = Array.from({ length: 3000 }, () =>
    cleanPattern(`${make(["a", "b", ".a", "/", "*", "**", "?", "[ab]", "[^a]", "**/"])}?`),
  );
  const paths = Array.from({ length: 60 }, () =>
    cleanPattern(make(["a", "b", ".a", "/a", "/b", "ab/"])),
  ).filter((path) => !/^\/|^\.\.?$/.test(path));

  it(`gives the same verdict for ${patterns.length} patterns on ${paths.length} paths`, () => {
    const wrong = patterns.flatMap((pattern) => {
      const expression = mobyRegExp(pattern);
      return paths
        .filter((path) => ignores([pattern], path) !== withParents(path).some((one) => expression.test(one)))
        .map((path) => ({ pattern, path }));
    });
    assert.deepEqual(wrong, []);
  });

  it("finds the same rule through the index as by trying them all", () => {
    const tried = patterns.map((text) => compilePattern(text));
    const rules = compileIgnore(patterns.map((pattern) => ({ pattern, where: "test" })));
    for (const path of paths) {
      assert.equal(
        rules.judge(path),
        tried.findLastIndex((pattern) => pattern.names(path)),
        path,
      );
    }
  });
});
