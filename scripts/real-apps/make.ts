import { cpSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../../test/support/run.ts";
import type { MadeApp } from "./apps.ts";

const FIXTURES = fileURLToPath(new URL("../../testdata/real-apps", import.meta.url));
const LIMIT_MS = 900_000;
const NPM_INSTALL = ["install", "--no-audit", "--no-fund", "--no-package-lock"];
const PNPM = ["exec", "--yes", "--package=pnpm@9", "--", "pnpm"];
const BUILD_ENV = {
  ...{ CI: "1", NEXT_TELEMETRY_DISABLED: "1", NUXT_TELEMETRY_DISABLED: "1", ASTRO_TELEMETRY_DISABLED: "1" },
  // Otherwise `prisma generate` downloads its migration program, which is not on npm and is not
  // needed.
  PRISMA_SCHEMA_ENGINE_BINARY: "/bin/true",
};

/** Copies testdata/real-apps/PATH to the directory `app` below `work`. */
function copyOf(path: string, work: string): string {
  const directory = join(work, "app");
  cpSync(join(FIXTURES, path), directory, { recursive: true });
  return directory;
}

function manifest(directory: string): {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
} {
  return JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
}

/**
 * Installs the app's packages and builds it as its author would. `output` is the directory to pack.
 */
export async function nodeApp(name: string, work: string, output: string): Promise<MadeApp> {
  const directory = copyOf(join("node", name), work);
  const options = { cwd: directory, env: BUILD_ENV, limitMs: LIMIT_MS };
  await run("npm", NPM_INSTALL, options);
  const versions = Object.keys(manifest(directory).dependencies ?? {}).map(
    (dependency) => `${dependency} ${manifest(join(directory, "node_modules", dependency)).version}`,
  );
  await run("npm", ["run", "build", "--if-present"], options);
  return { directory: join(directory, output), versions };
}

export async function pnpmWorkspace(work: string): Promise<MadeApp> {
  const workspace = copyOf("node/pnpm-workspace", work);
  const pnpm = (...args: readonly string[]) =>
    run("npm", [...PNPM, ...args], { cwd: workspace, env: BUILD_ENV, limitMs: LIMIT_MS });
  const version = (await pnpm("--version")).trim();
  await pnpm("install");
  const directory = join(work, "deployed");
  await pnpm("--filter", "api", "deploy", "--prod", directory);
  const nanoid = manifest(join(directory, "node_modules/nanoid")).version;
  return { directory, versions: [`pnpm ${version}`, `nanoid ${nanoid}`] };
}

/**
 * Adds the Python modules of Debian's packages and their dependencies, and puts the shared
 * libraries among them in lib/, where Lambda looks for libraries.
 */
export async function debianApp(name: string, work: string, packages: readonly string[]): Promise<MadeApp> {
  const directory = copyOf(join("python", name), work);
  const downloads = join(work, "debian");
  mkdirSync(downloads);
  await run("apt-get", ["download", "-q", ...(await withDependencies(packages))], { cwd: downloads });
  const root = join(work, "root");
  for (const file of readdirSync(downloads)) await run("dpkg-deb", ["-x", join(downloads, file), root]);
  cpSync(join(root, "usr/lib/python3/dist-packages"), directory, { recursive: true });
  copyLibraries(join(root, "usr/lib"), join(directory, "lib"));
  const versions = packages.map(async (one) => {
    const file = readdirSync(downloads).find((archive) => archive.startsWith(`${one}_`)) ?? one;
    const version = (await run("dpkg-deb", ["-f", join(downloads, file), "Version"])).trim();
    return `${one} ${version}`;
  });
  return { directory, versions: await Promise.all(versions) };
}

/**
 * Lists the packages that these depend on, without the interpreter and the C library, which the
 * base has.
 */
async function withDependencies(packages: readonly string[]): Promise<readonly string[]> {
  const flags = ["--recurse", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks"];
  const more = ["--no-replaces", "--no-enhances", "--no-pre-depends"];
  const listed = await run("apt-cache", ["depends", ...flags, ...more, ...packages]);
  const names = listed.split("\n").filter((line) => /^[a-z0-9]/.test(line) && !line.includes(":"));
  return [...new Set(names)].filter((name) =>
    /^python3-|^lib(blas|lapack|gfortran|quadmath|lbfgsb)/.test(name),
  );
}

function copyLibraries(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  const files = readdirSync(from, { recursive: true, withFileTypes: true });
  const libraries = files.filter((file) => /^lib.*\.so\.\d+$/.test(file.name));
  for (const { parentPath, name } of libraries)
    cpSync(join(parentPath, name), join(to, name), { dereference: true });
}

export async function goApp(work: string): Promise<MadeApp> {
  const source = copyOf("compiled/go", work);
  const directory = join(work, "out");
  const env = {
    CGO_ENABLED: "0",
    GOCACHE: join(work, "cache"),
    GOFLAGS: "-mod=mod",
    GOPATH: join(work, "path"),
  };
  await run("go", ["build", "-o", join(directory, "bootstrap"), "."], {
    cwd: source,
    env,
    limitMs: LIMIT_MS,
  });
  return { directory, versions: [(await run("go", ["version"])).trim()] };
}

export async function cApp(work: string): Promise<MadeApp> {
  const source = copyOf("compiled/c", work);
  const directory = join(work, "out");
  mkdirSync(directory);
  await run("gcc", ["-O2", "-o", join(directory, "bootstrap"), "bootstrap.c"], { cwd: source });
  return { directory, versions: [`gcc ${(await run("gcc", ["-dumpfullversion"])).trim()}`] };
}

export async function javaApp(work: string): Promise<MadeApp> {
  const source = copyOf("compiled/java", work);
  const directory = join(work, "out");
  const classes = join(work, "classes");
  mkdirSync(join(directory, "lib"), { recursive: true });
  await run("javac", ["--release", "17", "-d", classes, "src/example/App.java"], { cwd: source });
  await run("jar", ["--create", "--file", join(directory, "lib/app.jar"), "-C", classes, "."]);
  return { directory, versions: [(await run("javac", ["-version"])).trim()] };
}
