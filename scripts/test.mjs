#!/usr/bin/env node
// Runs the tests: `node scripts/test.mjs unit|components|all [arguments of node --test]`.
// Unit tests get a temporary directory of their own, which is removed afterwards.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const [which = "unit", ...more] = process.argv.slice(2);

function testsIn(directory) {
  return readdirSync(join(root, "test", directory), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => join("test", directory, name))
    .sort();
}

/** Resolves to the exit status of the tests in one directory of test/. */
function run(directory, environment) {
  const tests = testsIn(directory);
  const flags = ["--import", "tsx", "--import", "./test/support/threads.mjs", "--test"];
  // By default Node runs one file fewer at a time than there are cores, which is one on two cores.
  const concurrency = `--test-concurrency=${Math.max(2, availableParallelism())}`;
  const reporter = more.some((word) => word.startsWith("--test-reporter")) ? [] : ["--test-reporter=spec"];
  const child = spawn(process.execPath, [...flags, concurrency, ...reporter, ...more, ...tests], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...environment },
  });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.on("exit", (code) => resolve(code ?? 1)));
}

/** Bundles the command line, which tests start in processes of their own more often than tsx is quick. */
function bundleProgram(directory) {
  const build = `await (await import("./scripts/build.ts")).buildPackage(${JSON.stringify(directory)})`;
  const args = ["--import", "tsx", "--input-type=module", "-e", build];
  execFileSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  symlinkSync(join(root, "node_modules"), join(directory, "node_modules"), "junction");
  writeFileSync(join(directory, "package.json"), readFileSync(join(root, "package.json")));
}

async function runUnitTests() {
  const TMPDIR = mkdtempSync(join(tmpdir(), "lambda-pack-tests-"));
  const TESTED_PROGRAM = join(TMPDIR, "program");
  try {
    bundleProgram(TESTED_PROGRAM);
    return await run("unit", { TMPDIR, TEMP: TMPDIR, TMP: TMPDIR, TESTED_PROGRAM });
  } finally {
    rmSync(TMPDIR, { recursive: true, force: true, maxRetries: 3 });
  }
}

const statuses = [];
if (which === "unit" || which === "all") statuses.push(await runUnitTests());
if (which === "components" || which === "all") statuses.push(await run("components", {}));
process.exitCode = statuses.length === 0 ? 2 : Math.max(...statuses);
