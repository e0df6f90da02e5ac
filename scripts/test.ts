// Runs the tests: `node --import tsx scripts/test.ts unit|components|all [arguments of node --test]`.
// Compiles them and the command line once, since loading a compiled file takes a third of tsx's CPU.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CertificateAuthority } from "../test/support/http/certificates.ts";
import { compileTests } from "./build/tests.ts";
import { buildPackage } from "./build.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const [which = "unit", ...nodeArguments] = process.argv.slice(2);

function testsIn(kind: string): readonly string[] {
  return readdirSync(join(root, "test", kind), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => join("test", kind, name))
    .sort();
}

/**
 * Unit tests often wait, so twice as many files as cores take a fifth less time. Component tests
 * start servers and measure memory. By default Node would run one file at a time on two cores.
 */
const FILES_AT_ONCE = { unit: 2 * availableParallelism(), components: Math.max(2, availableParallelism()) };

/** AWS and proxy settings of this machine, which unit tests may not see. */
const SETTINGS = /^AWS_|_proxy$/i;

/** Resolves to the exit status. */
async function runTests(
  kind: "unit" | "components",
  files: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const concurrency = `--test-concurrency=${FILES_AT_ONCE[kind]}`;
  const chosen = nodeArguments.some((word) => word.startsWith("--test-reporter"));
  const flags = ["--enable-source-maps", "--test", concurrency, ...(chosen ? [] : ["--test-reporter=spec"])];
  const inherited = Object.entries(process.env).filter(([name]) => kind !== "unit" || !SETTINGS.test(name));
  const child = spawn(process.execPath, [...flags, ...nodeArguments, ...files], {
    cwd: root,
    stdio: "inherit",
    env: { ...Object.fromEntries(inherited), ...environment },
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  const [status] = await once(child, "exit");
  return typeof status === "number" ? status : 1;
}

/** Builds the command line, which many tests start in a process of its own. */
async function buildProgram(directory: string): Promise<void> {
  await buildPackage(directory);
  symlinkSync(join(root, "node_modules"), join(directory, "node_modules"), "junction");
  writeFileSync(join(directory, "package.json"), readFileSync(join(root, "package.json")));
}

/** Runs the tests of test/unit or test/components, and resolves to the exit status. */
async function run(kind: "unit" | "components"): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "lambda-pack-tests-"));
  const authority = new CertificateAuthority();
  authority.keep();
  try {
    const files = await compileTests(root, join(directory, "compiled"), testsIn(kind));
    const TESTED_PROGRAM = join(directory, "program");
    await buildProgram(TESTED_PROGRAM);
    // Component tests need short paths for sockets, and directories that other users may enter.
    const own =
      kind === "unit"
        ? { TMPDIR: directory, TEMP: directory, TMP: directory, NODE_EXTRA_CA_CERTS: authority.file }
        : {};
    return await runTests(kind, files, { ...own, TESTED_PROGRAM });
  } finally {
    authority.remove();
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

const statuses: number[] = [];
if (which === "unit" || which === "all") statuses.push(await run("unit"));
if (which === "components" || which === "all") statuses.push(await run("components"));
process.exitCode = statuses.length === 0 ? 2 : Math.max(...statuses);
