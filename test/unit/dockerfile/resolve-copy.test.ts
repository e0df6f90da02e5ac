import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { type Copied, resolveCopy } from "../../../src/dockerfile/resolve-copy.ts";
import type { CopyStep } from "../../../src/dockerfile/stage.ts";
import { readContext } from "../../../src/dockerfile/trees.ts";
import { cleanPattern, compileIgnore } from "../../../src/layer/ignore/ignore.ts";
import { planText } from "../../support/images/dockerfile.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "lambda-pack-copy-")));
after(() => rmSync(root, { recursive: true, force: true }));

for (const [path, mode] of [
  ["app.py", 0o644],
  ["run.sh", 0o755],
  ["src/a.py", 0o644],
  ["src/deep/b.py", 0o600],
  ["package.json", 0o644],
  ["package-lock.json", 0o644],
  ["secret/key.pem", 0o600],
  ["secret/public.pem", 0o644],
  [".git/config", 0o644],
] as const) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), path, { mode });
}
mkdirSync(join(root, "empty"));
symlinkSync("app.py", join(root, "link.py"));
symlinkSync("..", join(root, "src/deep/up"));
symlinkSync("/etc", join(root, "etc"));
symlinkSync("../..", join(root, "out"));
writeFileSync(join(root, "app.tgz"), gzipSync("x"));

function resolve(
  instruction: string,
  { ignore = [] as readonly string[], directories = ["/var/task"] } = {},
) {
  const { final } = planText(`FROM public.ecr.aws/lambda/python:3.13\n${instruction}`);
  const step = final.steps.find((one): one is CopyStep => one.kind === "copy");
  assert.ok(step);
  const rules = compileIgnore(ignore.map((line) => ({ pattern: cleanPattern(line), where: "test" })));
  const tree = readContext({
    root,
    ignore: rules,
    isAlwaysExcluded: () => false,
    sources: step.sources,
    signal: undefined,
  });
  return resolveCopy(step, tree, (path) => directories.includes(path)).map(describeCopied);
}

function describeCopied({ source, target, node }: Copied): string {
  if (node.kind === "directory") return `${target}/`;
  if (node.kind === "symlink") return `${target} -> ${node.target}`;
  return `${source} ${target}${node.mode === 0o755 ? " 0755" : ""}`;
}

describe("resolveCopy", () => {
  it("copies a file into a target that is a directory", () => {
    assert.deepEqual(resolve("COPY app.py ./"), ["app.py /var/task/app.py"]);
    assert.deepEqual(resolve("COPY app.py /var/task"), ["app.py /var/task/app.py"]);
    assert.deepEqual(resolve("COPY run.sh ."), ["run.sh /var/task/run.sh 0755"]);
  });

  it("copies a file to a target that is not a directory", () => {
    assert.deepEqual(resolve("COPY app.py main.py"), ["app.py /var/task/main.py"]);
    assert.deepEqual(resolve("COPY /app.py /opt/x"), ["app.py /opt/x"]);
    assert.deepEqual(resolve("COPY --chmod=755 ../../app.py /opt/x/"), ["app.py /opt/x/app.py 0755"]);
  });

  it("copies what is in a directory, and not the directory itself", () => {
    const inside = [
      "/var/task/lib/",
      "src/a.py /var/task/lib/a.py",
      "/var/task/lib/deep/",
      "src/deep/b.py /var/task/lib/deep/b.py",
      "/var/task/lib/deep/up -> ..",
    ];
    assert.deepEqual(resolve("COPY src lib"), inside);
    assert.deepEqual(resolve("COPY ./src/ lib/"), inside);
    assert.deepEqual(resolve("COPY empty x"), ["/var/task/x/"]);
  });

  it("expands patterns one directory at a time, and takes one that matches nothing for nothing", () => {
    assert.deepEqual(resolve("COPY package*.json yarn.lock* ./"), [
      "package-lock.json /var/task/package-lock.json",
      "package.json /var/task/package.json",
    ]);
    assert.deepEqual(resolve("COPY s*/[a-b].py ./"), ["src/a.py /var/task/a.py"]);
    assert.deepEqual(resolve("COPY **/a.py ./"), ["src/a.py /var/task/a.py"]);
  });

  it("refuses several files to a target that is not a directory", () => {
    assert.throws(() => resolve("COPY package*.json /opt/x"), {
      code: "DOCKERFILE_REFUSED",
      message: "Dockerfile:2: COPY of 2 files to /opt/x, which is not a directory",
      hint: "write a slash at its end: /opt/x/",
    });
    assert.deepEqual(resolve("COPY app.py run.sh /opt/x", { directories: ["/opt/x"] }).length, 2);
  });

  it("follows a link that is named, and keeps its name", () => {
    assert.deepEqual(resolve("COPY link.py ./"), ["app.py /var/task/link.py"]);
    assert.deepEqual(resolve("COPY src/deep/up x").slice(0, 2), [
      "/var/task/x/",
      "src/a.py /var/task/x/a.py",
    ]);
  });

  it("leaves out what the ignore file leaves out, and brings back exceptions", () => {
    const ignore = ["secret", "!secret/public.pem", "src/deep"];
    assert.deepEqual(resolve("COPY secret x", { ignore }), ["secret/public.pem /var/task/x/public.pem"]);
    assert.deepEqual(resolve("COPY src x", { ignore }), ["/var/task/x/", "src/a.py /var/task/x/a.py"]);
    assert.throws(
      () => resolve("COPY src/deep/b.py x", { ignore }),
      /COPY src\/deep\/b\.py: there is no such file/,
    );
  });

  it("never copies version control data and credentials, whichever way they are named", () => {
    assert.throws(() => resolve("COPY .git/config x"), /there is no such file/);
    assert.throws(() => resolve("COPY .git x"), /there is no such file/);
    assert.ok(!resolve("COPY . x").some((line) => line.includes(".git")));
  });

  it("refuses a link that leads out of the context, also on the way to a file", () => {
    assert.throws(() => resolve("COPY etc x"), /leads out of what is copied from/);
    assert.throws(() => resolve("COPY out x"), /leads out of what is copied from/);
    assert.throws(() => resolve("COPY etc/passwd x"), /there is no such file/);
  });

  it("refuses ADD of an archive, which Docker would unpack, and copies it with COPY", () => {
    assert.throws(() => resolve("ADD app.tgz ./"), /ADD app\.tgz would unpack an archive/);
    assert.deepEqual(resolve("COPY app.tgz ./"), ["app.tgz /var/task/app.tgz"]);
    assert.deepEqual(resolve("ADD app.py ./"), ["app.py /var/task/app.py"]);
  });
});
