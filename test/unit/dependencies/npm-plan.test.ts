import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseNpmLock } from "../../../src/dependencies/npm/lock.ts";
import { type NpmPlan, planNpm } from "../../../src/dependencies/npm/plan.ts";
import type { TargetPlatform } from "../../../src/dependencies/target.ts";

const ARM: TargetPlatform = { os: "linux", cpu: "arm64", libc: "glibc" };
const INTEGRITY = `sha512-${Buffer.alloc(64, 1).toString("base64")}`;

type Entries = Readonly<Record<string, object>>;

function lockOf(entries: Entries, version: unknown = 3) {
  return parseNpmLock(
    Buffer.from(JSON.stringify({ lockfileVersion: version, packages: entries })),
    "package-lock.json",
  );
}

/** Entries of packages get a version and an integrity of their own. */
function planOf(entries: Entries, { member = "", target = ARM } = {}): NpmPlan {
  const whole = Object.entries(entries).map(([path, entry]) => [
    path,
    path.includes("node_modules/") ? { version: "1.0.0", integrity: INTEGRITY, ...entry } : entry,
  ]);
  return planNpm(lockOf(Object.fromEntries(whole)), member, target);
}

const pathsOf = ({ packages }: NpmPlan) => packages.map(({ path }) => path);

describe("what an npm lock comes to for a target", () => {
  it("what an npm lock comes to for a target is what the project needs, without development dependencies", () => {
    const plan = planOf({
      "": { dependencies: { a: "^1" }, devDependencies: { d: "^1" } },
      "node_modules/a": { dependencies: { b: "^1" } },
      "node_modules/b": {},
      "node_modules/d": { dev: true, dependencies: { e: "^1" } },
      "node_modules/e": { dev: true },
    });
    assert.deepEqual(pathsOf(plan), ["node_modules/a", "node_modules/b"]);
  });

  it("refuses a directory without a lock below a project whose workspace it is not", () => {
    assert.throws(() => planOf({ "": { workspaces: ["packages/*"] } }, { member: "app" }), {
      code: "LOCK_INVALID",
      message: "app has no lock file, and package-lock.json above it has no workspace app",
      hint: "run npm install --package-lock-only in app, or add it to the workspaces and run npm install",
    });
  });

  it("takes the nearest version of a package, as Node does", () => {
    const plan = planOf({
      "": { dependencies: { a: "1", b: "2" } },
      "node_modules/a": { dependencies: { b: "1" } },
      "node_modules/a/node_modules/b": { dependencies: { c: "1" } },
      "node_modules/b": { version: "2.0.0" },
      "node_modules/c": {},
    });
    assert.deepEqual(pathsOf(plan), [
      "node_modules/a",
      "node_modules/a/node_modules/b",
      "node_modules/b",
      "node_modules/c",
    ]);
  });

  it("leaves out optional packages of other platforms, with what only they need", () => {
    const plan = planOf({
      "": { dependencies: { sharp: "1" } },
      "node_modules/sharp": {
        optionalDependencies: {
          "sharp-linux-arm64": "1",
          "sharp-linux-x64": "1",
          "sharp-wasm": "1",
          "sharp-linuxmusl-arm64": "1",
        },
      },
      "node_modules/sharp-linux-arm64": { optional: true, os: ["linux"], cpu: ["arm64"], libc: ["glibc"] },
      "node_modules/sharp-linux-x64": { optional: true, os: ["linux"], cpu: ["x64"] },
      "node_modules/sharp-linuxmusl-arm64": { optional: true, os: ["linux"], cpu: ["arm64"], libc: ["musl"] },
      "node_modules/sharp-wasm": { optional: true, cpu: ["wasm32"], dependencies: { runtime: "1" } },
      "node_modules/runtime": { optional: true },
    });
    assert.deepEqual(pathsOf(plan), ["node_modules/sharp", "node_modules/sharp-linux-arm64"]);
  });

  it("leaves out an optional package whose own required package does not fit", () => {
    const plan = planOf({
      "": { optionalDependencies: { a: "1" } },
      "node_modules/a": { optional: true, dependencies: { b: "1", c: "1" } },
      "node_modules/b": { optional: true, os: ["darwin"] },
      "node_modules/c": { optional: true },
    });
    assert.deepEqual(pathsOf(plan), []);
  });

  it("understands lists that exclude a platform", () => {
    const plan = planOf({
      "": { optionalDependencies: { a: "1", b: "1", c: "1" } },
      "node_modules/a": { os: ["!win32"] },
      "node_modules/b": { cpu: ["!arm64"] },
      "node_modules/c": { os: "any" },
    });
    assert.deepEqual(pathsOf(plan), ["node_modules/a", "node_modules/c"]);
  });

  it("follows peer dependencies that the lock has, optional ones too", () => {
    const plan = planOf({
      "": { dependencies: { a: "1" } },
      "node_modules/a": {
        peerDependencies: { b: "1", c: "1", absent: "1" },
        peerDependenciesMeta: { c: { optional: true } },
      },
      "node_modules/b": { peer: true },
      "node_modules/c": { devOptional: true },
    });
    assert.deepEqual(pathsOf(plan), ["node_modules/a", "node_modules/b", "node_modules/c"]);
  });

  it("knows an alias by the name of the package", () => {
    const plan = planOf({
      "": { dependencies: { short: "npm:@scope/long@1" } },
      "node_modules/short": { name: "@scope/long" },
    });
    assert.deepEqual(
      plan.packages.map(({ path, name }) => [path, name]),
      [["node_modules/short", "@scope/long"]],
    );
  });

  it("links workspaces and installs what they need if they need it", () => {
    const plan = planOf({
      "": { workspaces: ["packages/*"] },
      "packages/api": { name: "api", dependencies: { lib: "1", x: "2" }, devDependencies: { d: "1" } },
      "packages/lib": { name: "lib", dependencies: { x: "1" } },
      "node_modules/api": { resolved: "packages/api", link: true },
      "node_modules/lib": { resolved: "packages/lib", link: true },
      "node_modules/x": {},
      "packages/api/node_modules/x": { version: "2.0.0" },
      "node_modules/d": { dev: true },
    });
    assert.deepEqual(pathsOf(plan), ["node_modules/x", "packages/api/node_modules/x"]);
    assert.deepEqual(plan.links, [
      { path: "node_modules/api", target: "../packages/api" },
      { path: "node_modules/lib", target: "../packages/lib" },
    ]);
    assert.deepEqual(plan.directories, [
      "node_modules",
      "packages/api/node_modules",
      "packages/lib/node_modules",
    ]);
  });

  it("of one workspace has what it needs beside its own files", () => {
    const entries = {
      "": { workspaces: ["packages/*"], dependencies: { y: "1" } },
      "packages/api": { name: "api", dependencies: { x: "1", z: "1" } },
      "node_modules/api": { resolved: "packages/api", link: true },
      "node_modules/x": {},
      "node_modules/y": {},
      "packages/api/node_modules/z": {},
    };
    assert.deepEqual(pathsOf(planOf(entries, { member: "packages/api" })), [
      "node_modules/x",
      "node_modules/z",
    ]);
  });

  it("refuses a workspace whose two versions of a package would be in one place", () => {
    const entries = {
      "": { workspaces: ["packages/*"] },
      "packages/api": { name: "api", dependencies: { x: "2", y: "1" } },
      "node_modules/y": { dependencies: { x: "1" } },
      "node_modules/x": {},
      "packages/api/node_modules/x": { version: "2.0.0" },
    };
    assert.throws(() => planOf(entries, { member: "packages/api" }), /different versions of x/);
  });

  it("refuses a workspace that depends on a directory outside it", () => {
    const entries = {
      "": { workspaces: ["packages/*"] },
      "packages/api": { name: "api", dependencies: { lib: "1" } },
      "packages/lib": { name: "lib" },
      "node_modules/lib": { resolved: "packages/lib", link: true },
    };
    assert.throws(() => planOf(entries, { member: "packages/api" }), /lib is a local directory outside/);
    const besides = {
      "": { dependencies: { lib: "file:../lib" } },
      "../lib": { name: "lib" },
      "node_modules/lib": { resolved: "../lib", link: true },
    };
    assert.throws(() => planOf(besides), /lib is a local directory outside/);
  });

  it("takes what a package bundles from that package's archive, commands included", () => {
    const plan = planOf({
      "": { dependencies: { a: "1" } },
      "node_modules/a": {
        bundleDependencies: ["b"],
        dependencies: { b: "1", c: "1" },
        bin: { a: "./cli.js" },
      },
      "node_modules/a/node_modules/b": { inBundle: true, integrity: undefined, bin: { b: "b.js" } },
      "node_modules/a/node_modules/c": {},
    });
    assert.deepEqual(pathsOf(plan), ["node_modules/a", "node_modules/a/node_modules/c"]);
    assert.deepEqual(plan.packages[0]?.bin, ["cli.js", "node_modules/b/b.js"]);
    assert.deepEqual(plan.packages[0]?.nested, ["node_modules/c"]);
    assert.deepEqual(plan.needsNpm, []);
  });

  it("fetches what the project itself bundles", () => {
    const plan = planOf({
      "": { bundleDependencies: ["a"], dependencies: { a: "1" } },
      "node_modules/a": { inBundle: true },
    });
    assert.deepEqual(pathsOf(plan), ["node_modules/a"]);
  });

  it("says what only npm can install", () => {
    const plan = planOf({
      "": { dependencies: { git: "github:a/b", tar: "file:x.tgz", bare: "1" } },
      "node_modules/git": { resolved: "git+ssh://git@github.com/a/b.git#0123", integrity: undefined },
      "node_modules/tar": { resolved: "file:x.tgz" },
      "node_modules/bare": { integrity: undefined },
    });
    assert.deepEqual(plan.needsNpm, [
      "bare@1.0.0 has no integrity in the lock",
      "git@1.0.0 comes from git, not from a registry",
      "tar@1.0.0 comes from file, not from a registry",
    ]);
  });

  it("names packages with an install script, unless a build for the target comes with them", () => {
    const plan = planOf({
      "": { dependencies: { a: "1", sharp: "1" } },
      "node_modules/a": { hasInstallScript: true },
      "node_modules/sharp": { hasInstallScript: true, optionalDependencies: { "sharp-linux-arm64": "1" } },
      "node_modules/sharp-linux-arm64": { os: ["linux"], cpu: ["arm64"] },
    });
    assert.deepEqual(plan.withScripts, ["a@1.0.0"]);
  });
});

describe("an npm lock that cannot serve the target", () => {
  const codeOf = (code: string, message: RegExp) => (error: unknown) =>
    error instanceof Error && "code" in error && error.code === code && message.test(error.message);

  it("stops with the required package and who needs it", () => {
    const entries = {
      "": { dependencies: { a: "1" } },
      "node_modules/a": { dependencies: { mac: "1" } },
      "node_modules/mac": { os: ["darwin"] },
    };
    assert.throws(
      () => planOf(entries),
      codeOf(
        "DEPENDENCY_UNAVAILABLE",
        /mac@1.0.0 is not for linux arm64 \(glibc\) but for darwin; the project > node_modules\/a needs it/,
      ),
    );
  });

  it("stops if the lock lacks the target's build of a package, with the way to write it again", () => {
    const entries = {
      "": { dependencies: { sharp: "1" } },
      "node_modules/sharp": {
        optionalDependencies: { "@img/sharp-linux-arm64": "1", "@img/sharp-darwin-arm64": "1" },
      },
      "node_modules/@img/sharp-darwin-arm64": { os: ["darwin"], cpu: ["arm64"] },
    };
    assert.throws(
      () => planOf(entries),
      codeOf("DEPENDENCY_UNAVAILABLE", /lacks @img\/sharp-linux-arm64, the build of sharp@1.0.0/),
    );
    const musl: TargetPlatform = { ...ARM, libc: "musl" };
    assert.deepEqual(pathsOf(planOf(entries, { target: musl })), ["node_modules/sharp"]);
  });

  it("stops if the lock lacks a required package", () => {
    assert.throws(
      () => planOf({ "": { dependencies: { a: "1" } } }),
      codeOf("LOCK_INVALID", /no entry for a/),
    );
    const below = { "": { dependencies: { a: "1" } }, "node_modules/a": { dependencies: { b: "1" } } };
    assert.throws(() => planOf(below), codeOf("LOCK_INVALID", /no entry for b, which a@1.0.0/));
  });

  for (const [what, version] of [
    ["version 1", 1],
    ["no version", null],
    ["version 4", 4],
  ] as const) {
    it(`of ${what} is refused, naming the versions that can be read`, () => {
      assert.throws(() => lockOf({}, version), codeOf("LOCK_INVALID", /2 and 3 can be read/));
    });
  }

  it("with a path outside the project is refused", () => {
    for (const path of [
      "node_modules/../../x",
      "../node_modules/x",
      "/node_modules/x",
      "node_modules//x",
      "a\\b",
    ])
      assert.throws(
        () => lockOf({ [path]: {} }),
        codeOf("LOCK_INVALID", /leaves the project's directory/),
        path,
      );
  });

  it("that is not JSON, or has a field of a wrong type, is refused with the field", () => {
    assert.throws(
      () => parseNpmLock(Buffer.from("{"), "package-lock.json"),
      codeOf("LOCK_INVALID", /package-lock.json is not JSON/),
    );
    assert.throws(
      () => lockOf({ "node_modules/a": { version: 1 } }),
      codeOf("LOCK_INVALID", /\["node_modules\/a"\].version/),
    );
  });
});
