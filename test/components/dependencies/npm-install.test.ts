import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from "node:fs";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { it } from "node:test";
import { openCache } from "../../../src/cache/cache.ts";
import { installNpm } from "../../../src/dependencies/npm/installation.ts";
import { parseNpmLock } from "../../../src/dependencies/npm/lock.ts";
import { planNpm } from "../../../src/dependencies/npm/plan.ts";
import { npmRegistries, readNpmConfig } from "../../../src/dependencies/npm/registry.ts";
import { UnpackedFiles } from "../../../src/dependencies/unpacked.ts";
import { createHttp } from "../../../src/registry/http/http.ts";
import type { Entry } from "../../../src/tar/entry.ts";
import { describeReal } from "../../support/components/components.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

const DEPENDENCIES = {
  sharp: "0.34.5",
  express: "5.1.0",
  "@aws-sdk/client-s3": "3.1000.0",
  "@aws-sdk/client-dynamodb": "3.1000.0",
  zod: "4.1.0",
  lodash: "4.17.21",
  pg: "8.16.0",
  "old-lodash": "npm:lodash@3.10.1",
};

describeReal("packages from an npm lock, against npm itself", ["npm"], () => {
  for (const cpu of ["arm64", "x64"] as const) {
    it(`are those of npm ci for linux ${cpu}, equal in path, mode and content`, async (t) => {
      const project = makeTree({
        "package.json": JSON.stringify({
          name: "app",
          version: "1.0.0",
          dependencies: DEPENDENCIES,
          devDependencies: { prettier: "3.6.0" },
          workspaces: ["packages/*"],
        }),
        "packages/lib/package.json": JSON.stringify({
          name: "lib",
          version: "1.0.0",
          dependencies: { zod: "3.25.0" },
        }),
      });
      const npm = (...args: readonly string[]) =>
        execFileSync("npm", [...args, "--no-audit", "--no-fund"], { cwd: project, stdio: "pipe" });
      npm("install", "--package-lock-only");
      npm("ci", "--omit=dev", "--os=linux", `--cpu=${cpu}`, "--libc=glibc", "--ignore-scripts");

      const cache = await openCache({ directory: undefined });
      const http = createHttp({ environment: process.env, connections: 16 });
      t.after(async () => {
        http.close();
        await cache.close();
      });
      const lock = parseNpmLock(readFileSync(join(project, "package-lock.json")), "package-lock.json");
      const plan = planNpm(lock, "", { os: "linux", cpu, libc: "glibc" });
      const environment = process.env;
      const config = readNpmConfig(project, homedir(), environment);
      const files = new UnpackedFiles(join(temporaryDirectory(), "files"));
      const signal = new AbortController().signal;
      await installNpm(plan, npmRegistries(config), { files, cache, http, offline: false, signal });

      const ours = files.finish().map(describeEntry);
      assert.ok(ours.length > 5000, `${ours.length} files`);
      assert.deepEqual(ours.sort(), [...installedBy(project, plan.directories)].sort());
      const sharp = ours.find((line) => /sharp-linux-[^/]*\/lib\/sharp-linux-[^/]*\.node /.test(line));
      assert.ok(sharp?.includes(`sharp-linux-${cpu}`), sharp);
    });
  }
});

/** Path, whether it may be executed, and what is in it. */
function describeEntry(entry: Entry): string {
  if (entry.kind !== "file") return `${entry.path} -> ${entry.kind === "symlink" ? entry.target : ""}`;
  const { path, mode, size, source, offset = 0 } = entry;
  return `${path} ${mode === 0o755} ${hashOf(partOf(source, offset, size))}`;
}

function partOf(source: string, offset: number, size: number): Buffer {
  const descriptor = openSync(source, "r");
  const buffer = Buffer.alloc(size);
  readSync(descriptor, buffer, 0, size, offset);
  closeSync(descriptor);
  return buffer;
}

function* installedBy(project: string, directories: readonly string[]): Generator<string> {
  for (const directory of directories) yield* linesIn(project, join(project, directory));
}

function* linesIn(root: string, directory: string): Generator<string> {
  for (const name of readdirSync(directory)) {
    const source = join(directory, name);
    const stats = lstatSync(source);
    const path = relative(root, source);
    if (name === ".bin" || name === ".package-lock.json") continue;
    if (stats.isDirectory()) yield* linesIn(root, source);
    else if (stats.isSymbolicLink()) yield `${path} -> ${readlinkSync(source)}`;
    else yield `${path} ${(stats.mode & 0o100) !== 0} ${hashOf(readFileSync(source))}`;
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
