import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { digestOf } from "../../oci/digest.ts";
import { parseObject } from "../../oci/json.ts";
import type { InstallWay, LockFile } from "../detect.ts";
import type { Installation, InstallContext } from "../installation.ts";
import { readFile, unavailable } from "../lock-file.ts";
import { parseNpmLock } from "../npm/lock.ts";
import type { TargetPlatform } from "../target.ts";
import { entriesIn, succeedTool } from "./run.ts";

/** Must be raised with every change of the calls below. */
const FORMAT = 1;

type NodeWay = Extract<InstallWay, "npm" | "pnpm" | "yarn" | "bun">;

interface NodeTool {
  /** Words without spaces. */
  readonly command: (target: TargetPlatform) => string;
  /** What it takes to use only its own cache; undefined: it cannot be told. */
  readonly offline?: string;
  readonly howToGet: string;
  /** Files of the project that it reads, other than package.json and the lock. */
  readonly files: readonly string[];
  /** Changes the copied files so that packages for the target are installed as files. */
  readonly prepare?: (directory: string, target: TargetPlatform) => void;
}

const TOOLS: Readonly<Record<NodeWay, NodeTool>> = {
  npm: {
    command: ({ os, cpu, libc }) =>
      `npm ci --omit=dev --ignore-scripts --os=${os} --cpu=${cpu} --libc=${libc} --no-audit --no-fund`,
    offline: "--offline",
    howToGet: "npm comes with Node: https://nodejs.org",
    files: [".npmrc"],
  },
  pnpm: {
    command: ({ os, cpu, libc }) =>
      `pnpm install --frozen-lockfile --prod --ignore-scripts --os=${os} --cpu=${cpu} --libc=${libc} --config.node-linker=hoisted --config.package-import-method=copy`,
    offline: "--offline",
    howToGet: "npm install --global pnpm",
    files: [".npmrc", "pnpm-workspace.yaml", ".pnpmfile.cjs", "patches"],
  },
  yarn: {
    command: () => "yarn workspaces focus --all --production",
    howToGet: "npm install --global corepack && corepack enable",
    files: [".yarnrc.yml", ".yarn/releases", ".yarn/plugins", ".yarn/patches"],
    prepare: prepareYarn,
  },
  bun: {
    command: ({ os, cpu }) =>
      `bun install --frozen-lockfile --production --ignore-scripts --os=${os} --cpu=${cpu} --linker=hoisted --backend=copyfile`,
    howToGet: "npm install --global bun",
    files: [".npmrc", "bunfig.toml", "patches"],
    prepare(_directory, { libc }) {
      if (libc === "musl")
        throw unavailable(
          "bun cannot be told to install for musl",
          "use npm, pnpm or yarn, or a base with glibc",
        );
    },
  },
};

/**
 * Installs from the lock of a Node package manager with that program, in a copy of the files that
 * it reads.
 * @throws DEPENDENCY_UNAVAILABLE if the program cannot install for the target
 */
export function nodeToolInstallation(way: NodeWay, found: LockFile, target: TargetPlatform): Installation {
  const { directory, file, member } = found;
  if (member !== "") {
    throw unavailable(
      `${way} installs a whole workspace, and ${member} is a part of the one in ${directory}`,
      "build the workspace's directory, with --handler <workspace>/<file>.<function>",
    );
  }
  const tool = TOOLS[way];
  const text = readFile(join(directory, file));
  if (way === "yarn" && text.includes("# yarn lockfile v1"))
    throw unavailable(
      "Yarn 1 cannot install for another platform",
      "use Yarn 4 or npm: npm install --package-lock-only",
    );
  const manifest = readFile(join(directory, "package.json"), "write one: npm init");
  const manifests = manifestsIn(directory);
  return {
    way,
    lockFile: file,
    key: digestOf(JSON.stringify([way, FORMAT, target, digestOf(text), digestOf(manifest)])),
    packages: [],
    replaces: manifests.map((path) => posix.join(posix.dirname(path), "node_modules")),
    warnings: [],
    async install(context) {
      const work = join(context.workDirectory, way);
      const archives = way === "npm" ? localArchives(text, file) : [];
      copyProject(directory, work, [...manifests, file, ...tool.files, ...archives]);
      tool.prepare?.(work, target);
      await succeedTool({
        command: [
          ...tool.command(target).split(" "),
          ...(context.offline && tool.offline ? [tool.offline] : []),
        ],
        cwd: work,
        environment: environmentOf(context),
        howToGet: tool.howToGet,
        signal: context.signal,
      });
      const entries = await entriesIn(work, isInstalledFile, context.signal);
      return { entries, packages: packagesIn(entries) };
    },
  };
}

/**
 * Sets CI, with which package managers show no progress, ask nothing and do not change the lock.
 */
function environmentOf({ environment }: InstallContext): Readonly<Record<string, string | undefined>> {
  return { ...environment, CI: "true", NO_COLOR: "1", npm_config_update_notifier: "false" };
}

/** Deeper than any workspace. */
const DEEPEST = 8;

/**
 * Lists every package.json of the project, its workspaces and local directories; package managers
 * read all of them.
 */
function manifestsIn(directory: string, at = "", depth = 0): readonly string[] {
  const entries = readdirSync(join(directory, at), { withFileTypes: true });
  const own = entries.filter((entry) => entry.isFile() && entry.name === "package.json");
  const below = entries.filter((entry) => entry.isDirectory() && !/^(?:node_modules$|\.)/.test(entry.name));
  return [
    ...own.map(({ name }) => posix.join(at, name)),
    ...(depth < DEEPEST
      ? below.flatMap(({ name }) => manifestsIn(directory, posix.join(at, name), depth + 1))
      : []),
  ];
}

function localArchives(text: Uint8Array, file: string): readonly string[] {
  const { packages } = parseNpmLock(text, file);
  const paths = [...packages.values()].flatMap(
    ({ resolved = "" }) => /^file:(.*\.t(?:ar\.)?gz)$/.exec(resolved)?.[1] ?? [],
  );
  return paths
    .map((path) => posix.normalize(path))
    .filter((path) => !path.startsWith("..") && !posix.isAbsolute(path));
}

function copyProject(from: string, to: string, files: readonly string[]): void {
  mkdirSync(to, { mode: 0o700 });
  for (const file of files) {
    if (!existsSync(join(from, file))) continue;
    mkdirSync(dirname(join(to, file)), { recursive: true });
    cpSync(join(from, file), join(to, file), { recursive: true });
  }
}

/** Records of package managers, and links to commands, which a function does not use. */
const BOOKKEEPING =
  /(?:^|\/)node_modules\/(?:\.bin\/|\.package-lock\.json$|\.modules\.yaml$|\.yarn-state\.yml$|\.pnpm|\.cache\/|\.package-map\.json$)/;

function isInstalledFile(path: string): boolean {
  return /(?:^|\/)node_modules\//.test(path) && !BOOKKEEPING.test(path);
}

function packagesIn(
  entries: readonly { readonly path: string; readonly kind: string; readonly source?: string }[],
) {
  return entries.flatMap(({ path, source }) => {
    if (source === undefined || !/(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/.test(path))
      return [];
    const { name, version } = parseObject(readFileSync(source, "utf8")) ?? {};
    const isPackage = typeof name === "string" && typeof version === "string";
    return isPackage ? [{ name, version, integrity: undefined, size: undefined }] : [];
  });
}

/**
 * Writes the target to Yarn's settings, because Yarn has no flags for it (yarnpkg.com,
 * "supportedArchitectures").
 */
function prepareYarn(directory: string, { os, cpu, libc }: TargetPlatform): void {
  const path = join(directory, ".yarnrc.yml");
  const own = existsSync(path) ? readFileSync(path, "utf8") : "";
  const others = own.replace(
    /^(?:nodeLinker|supportedArchitectures|enableScripts|nmMode|enableGlobalCache):.*\n?(?:[ \t]+.*\n?)*/gm,
    "",
  );
  const settings = [
    "nodeLinker: node-modules",
    "enableScripts: false",
    "supportedArchitectures:",
    `  os: [${os}]`,
    `  cpu: [${cpu}]`,
    `  libc: [${libc}]`,
  ];
  writeFileSync(path, `${others}\n${settings.join("\n")}\n`);
}
