import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { InstallHow } from "../../../src/dependencies/detect.ts";
import { chooseLockFile, findLockFiles } from "../../../src/dependencies/detect.ts";
import { makeTree, type Tree } from "../../support/trees.ts";

/** The ways and files that are found in a directory, which is a repository of its own. */
function found(tree: Tree, how: Exclude<InstallHow, "none"> = "auto", directory = "") {
  const root = makeTree({ ".git/HEAD": "", ...tree });
  return findLockFiles(join(root, directory), how).map(({ way, file, member }) =>
    [way, file, member].filter((one) => one !== "").join(" "),
  );
}

const files = (...names: readonly string[]): Tree => Object.fromEntries(names.map((name) => [name, ""]));

describe("the lock file that --install takes", () => {
  it("the lock file that --install takes is the first of a language's", () => {
    assert.deepEqual(found(files("package-lock.json", "yarn.lock", "pnpm-lock.yaml")), [
      "npm-lock package-lock.json",
    ]);
    assert.deepEqual(found(files("npm-shrinkwrap.json", "package-lock.json")), [
      "npm-lock npm-shrinkwrap.json",
    ]);
    assert.deepEqual(found(files("bun.lockb", "bun.lock")), ["bun bun.lock"]);
    assert.deepEqual(found(files("requirements.txt", "uv.lock", "poetry.lock")), ["uv-lock uv.lock"]);
    assert.deepEqual(found(files("pylock.toml", "uv.lock", "pylock.lambda-pack.toml")), [
      "pylock pylock.lambda-pack.toml",
    ]);
    assert.deepEqual(found(files("requirements.txt")), ["pip requirements.txt"]);
  });

  it("the lock file that --install takes is that of the way that the user names", () => {
    const tree = files("package-lock.json", "uv.lock", "requirements.txt");
    assert.deepEqual(found(tree, "npm"), ["npm package-lock.json"]);
    assert.deepEqual(found(tree, "uv"), ["uv uv.lock"]);
    assert.deepEqual(found(tree, "pip"), ["pip requirements.txt"]);
    assert.throws(() => found(tree, "yarn"), /--install=yarn needs yarn.lock/);
  });

  it("may be above the directory, as in a workspace, and not above its repository", () => {
    const tree = { ...files("package-lock.json"), "packages/api/index.js": "" };
    assert.deepEqual(found(tree, "auto", "packages/api"), ["npm-lock package-lock.json packages/api"]);
    const python = { ...tree, "packages/api/requirements.txt": "" };
    assert.deepEqual(found(python, "auto", "packages/api"), ["pip requirements.txt"]);
    const inner = { ...tree, "packages/api/.git": "gitdir: elsewhere\n" };
    assert.throws(() => found(inner, "auto", "packages/api"), /finds no lock file/);
    const own = { ...tree, "packages/api/package-lock.json": "" };
    assert.deepEqual(found(own, "auto", "packages/api"), ["npm-lock package-lock.json"]);
  });

  it("of several languages is that of the base, and has to be named if the base tells none", () => {
    const root = makeTree({ ".git/HEAD": "", ...files("package-lock.json", "requirements.txt") });
    const all = findLockFiles(root, "auto");
    assert.equal(chooseLockFile(all, "python").way, "pip");
    assert.equal(chooseLockFile(all, "nodejs").way, "npm-lock");
    assert.throws(
      () => chooseLockFile(all, "provided"),
      /several lock files: package-lock.json, requirements.txt/,
    );
  });

  for (const [file, command] of [
    ["pom.xml", /mvn package/],
    ["build.gradle.kts", /gradle build/],
    ["App.csproj", /dotnet publish/],
    ["go.mod", /GOOS=linux/],
    ["Cargo.toml", /cargo lambda build/],
  ] as const) {
    it(`the lock file that --install takes is missed for ${file} with the command that compiles`, () => {
      assert.throws(
        () => found(files(file)),
        (error: unknown) => error instanceof Error && "hint" in error && command.test(String(error.hint)),
      );
    });
  }
});
