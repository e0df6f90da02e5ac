import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { build, check, type Finding } from "../src/index.ts";
import { lambdaBase, publishBase } from "../test/support/images/base.ts";
import { TestRegistry } from "../test/support/registry/registry.ts";

/**
 * Installs npm packages with native code for macOS, types the hints of `check` into a shell, first
 * for x86_64, then for arm64, and builds the image. Replaces their rows in docs/native-hints.md.
 * usage: node --import tsx scripts/native-hints.ts [--minutes 20] [PACKAGE...]
 */
const PAGE = fileURLToPath(new URL("../docs/native-hints.md", import.meta.url));
const BASE = "nodejs:24";
const QUIET = { npm_config_audit: "false", npm_config_fund: "false", npm_config_update_notifier: "false" };

/** Packages whose files for each platform are on the npm registry. */
const PACKAGES = `
  @ast-grep/napi @biomejs/biome @duckdb/node-api @lancedb/lancedb @libsql/client @mongodb-js/zstd
  @napi-rs/canvas @napi-rs/image @napi-rs/snappy @node-rs/argon2 @node-rs/bcrypt @node-rs/crc32 @node-rs/jieba
  @node-rs/jsonwebtoken @node-rs/xxhash @oxc-project/runtime @parcel/css @parcel/watcher @resvg/resvg-js
  @rspack/core @sentry/cli @swc/core @tailwindcss/oxide @temporalio/core-bridge argon2 blake-hash bufferutil
  cbor-extract classic-level dprint esbuild heapdump jpeg-recompress-bin leveldown lightningcss lmdb
  msgpackr-extract next nx oxc-parser oxc-resolver oxlint rolldown rollup sass-embedded sharp snappy
  sodium-native turbo unrs-resolver utf-8-validate zeromq
`
  .trim()
  .split(/\s+/);

interface Result {
  readonly name: string;
  readonly version: string;
  readonly hints: readonly string[];
  readonly outcome: string;
}

const run = promisify(execFile);
const work = mkdtempSync(join(tmpdir(), "lambda-pack-native-hints-"));
const environment = { HOME: work, LAMBDA_PACK_BASE_REGISTRY: "" };

async function findingsOf(
  directory: string,
  arch: "x86_64" | "arm64",
  rules: RegExp,
): Promise<readonly Finding[]> {
  const { findings } = await check({ source: directory, base: BASE, arch, cache: false, environment });
  return findings.filter(({ rule }) => rules.test(rule));
}

/** Types each hint into a shell. Returns the hints. */
async function followHints(directory: string, arch: "x86_64" | "arm64"): Promise<readonly string[]> {
  const hints = new Set(
    (await findingsOf(directory, arch, /^native-/)).map(({ hint }) => hint.replace(/; if .*/, "")),
  );
  for (const hint of hints)
    await run("sh", ["-c", hint], { cwd: directory, env: { ...process.env, ...QUIET }, timeout: 180_000 });
  const left = await findingsOf(directory, arch, /^native-/);
  if (left.length > 0) throw new Error(`${arch}: ${left.map(({ message }) => message).join("; ")}`);
  const to = `oci:${join(directory, "..", `image-${arch}`)}`;
  await build({ directory, base: BASE, arch, cache: false, environment, to });
  return [...hints];
}

async function outcomeOf(error: unknown, directory: string): Promise<string> {
  const message = error instanceof Error ? error.message : String(error);
  const [compiled] = await findingsOf(directory, "x86_64", /^runtime-version$/).catch(() => []);
  if (compiled) return `compiled by Node ${process.version}: ${compiled.message}`;
  if (message.startsWith("arm64: is for Linux on x86_64"))
    return "passed for x86_64; arm64 needs a machine of that kind to compile it";
  return `failed: ${message.split("\n", 1)[0]?.replaceAll(work, "").slice(0, 200)}`;
}

async function tryPackage(name: string): Promise<Result> {
  const root = mkdtempSync(join(work, "package-"));
  const directory = join(root, "app");
  mkdirSync(directory);
  writeFileSync(join(directory, "index.js"), "exports.handler = async (event) => event;\n");
  writeFileSync(join(directory, "package.json"), "{}");
  let version = "";
  const hints: string[] = [];
  try {
    const flags = ["--os=darwin", "--cpu=arm64", "--ignore-scripts"];
    await run("npm", ["install", ...flags, name], {
      ...{ cwd: directory, env: { ...process.env, ...QUIET }, timeout: 180_000 },
    });
    const manifest = readFileSync(join(directory, "node_modules", name, "package.json"), "utf8");
    ({ version } = JSON.parse(manifest) as { version: string });
    for (const arch of ["x86_64", "arm64"] as const) hints.push(...(await followHints(directory, arch)));
    return { name, version, hints, outcome: hints.length > 0 ? "passed" : "passed without a hint" };
  } catch (error) {
    return { name, version, hints, outcome: await outcomeOf(error, directory) };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function rowOf({ name, version, hints, outcome }: Result): string {
  const shown = hints.map((hint) => `\`${hint.replaceAll("|", "\\|")}\``).join("<br>");
  return `| ${name} | ${version} | ${shown} | ${outcome} |`;
}

/** Replaces the rows of these packages in the page. */
function writePage(results: readonly Result[]): void {
  const before = existsSync(PAGE) ? readFileSync(PAGE, "utf8").split("\n") : [];
  const rows = new Map(
    before.filter((line) => /^\| [@a-z].* \|$/.test(line)).map((line) => [nameIn(line), line]),
  );
  rows.delete("package");
  for (const result of results) rows.set(result.name, rowOf(result));
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  writeFileSync(
    PAGE,
    `# Hints for native code that were typed

<!-- Written by scripts/native-hints.ts; do not edit. -->

Each npm package was installed for macOS on arm64 without its install scripts. The hints of \`check\` for an image over
${BASE} were typed into a shell, first for x86_64, then for arm64, and the image was built after each. "Passed" means
that neither check had a finding about native code afterwards. Last run: ${new Date().toISOString().slice(0, 10)}, Node ${process.version}.

| package | version | hints | outcome |
| --- | --- | --- | --- |
${sorted.join("\n")}
`,
  );
}

function nameIn(row: string): string {
  return row.split(" | ")[0]?.slice(2) ?? "";
}

const { values, positionals } = parseArgs({
  options: { minutes: { type: "string", default: "20" } },
  allowPositionals: true,
});
const until = Date.now() + Number(values.minutes) * 60_000;
const registry = await TestRegistry.start();
environment.LAMBDA_PACK_BASE_REGISTRY = `${registry.host}/lambda`;
try {
  await publishBase(registry, "lambda/nodejs", "24", lambdaBase("x86_64"), lambdaBase("arm64"));
  const results: Result[] = [];
  for (const name of positionals.length > 0 ? positionals : PACKAGES) {
    if (Date.now() > until) break;
    const result = await tryPackage(name);
    process.stdout.write(`${name} ${result.version} ${result.outcome}\n`);
    results.push(result);
  }
  writePage(results);
} finally {
  await registry.stop();
  rmSync(work, { recursive: true, force: true });
}
