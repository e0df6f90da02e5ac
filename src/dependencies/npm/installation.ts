import { homedir } from "node:os";
import { join, posix } from "node:path";
import { digestOf } from "../../oci/digest.ts";
import { field, type Json, optional, parseJson, stringMap } from "../../oci/json.ts";
import type { LockFile } from "../detect.ts";
import { extractTarball, type PlacedFile } from "../extract.ts";
import {
  type Archive,
  type ArchiveInstall,
  collectInstalled,
  type Installation,
  type InstalledArchive,
  installArchives,
} from "../installation.ts";
import { integrityText } from "../integrity.ts";
import { lockInvalid, readFile, readLock } from "../lock-file.ts";
import type { TargetPlatform } from "../target.ts";
import type { UnpackedFiles } from "../unpacked.ts";
import { type NpmLock, parseNpmLock, type Ranges } from "./lock.ts";
import type { NpmPackage, NpmPlan } from "./plan.ts";
import { type NpmConfig, type NpmRegistries, npmRegistries, readNpmConfig } from "./registry.ts";

/** Must be raised with every change of the files that the same lock produces. */
const FORMAT = 1;
/** More connections are not faster with npm's registry, and two cores are busy with unpacking. */
const CONNECTIONS = 16;

/** Reads the lock and checks it against package.json. @throws LOCK_INVALID, FILE_UNREADABLE */
export function readNpmProject({ directory, file, member }: LockFile): NpmLock {
  const lock = parseNpmLock(readFile(join(directory, file)), file);
  checkManifest(lock, member, join(directory, member, "package.json"));
  return lock;
}

/** Returns the lock as if the project or workspace `member` needed only these packages. */
export function selectFrom(lock: NpmLock, member: string, only: ReadonlyMap<string, string>): NpmLock {
  const start = lock.packages.get(member);
  if (!start) return lock; // planNpm reports it
  const none = { optionalDependencies: {}, peerDependencies: {}, hasWorkspaces: false };
  const selected = { ...start, ...none, dependencies: Object.fromEntries(only) };
  return { ...lock, packages: new Map(lock.packages).set(member, selected) };
}

/** Returns the installation of a plan. The caller must check `needsNpm` of the plan. */
export function npmInstallation(
  lock: NpmLock,
  plan: NpmPlan,
  found: LockFile,
  target: TargetPlatform,
): Installation {
  const { packages, links } = plan;
  const wanted = packages.map(({ integrity, resolved: _, ...one }) => ({
    ...one,
    integrity: integrityText(integrity),
  }));
  const known = wanted.map(({ name, version, integrity }) => ({ name, version, integrity, size: undefined }));
  return {
    way: "npm-lock",
    lockFile: lock.file,
    key: digestOf(JSON.stringify(["npm-lock", FORMAT, target, wanted, links])),
    packages: known,
    replaces: plan.directories,
    warnings: scriptWarnings(plan),
    async install(context) {
      const { environment } = context;
      const config = readNpmConfig(found.directory, environment["HOME"] || homedir(), environment);
      const registries = npmRegistries(config);
      if (config.get("strict-ssl") === "false") context.onEvent({ type: "warning", ...STRICT });
      const http = {
        environment: networkEnvironment(environment, config),
        connections: CONNECTIONS,
        insecureRegistries: [...context.insecureRegistries, ...registries.httpHosts],
        authorities: authoritiesOf(config),
      };
      return collectInstalled(known, context, http, (install) => installNpm(plan, registries, install));
    },
  };
}

const STRICT = {
  message: "strict-ssl=false of npm is not followed: a registry's certificate is always checked",
  hint: "name its authority instead: cafile=/path/to/authority.pem in .npmrc",
};

/** Adds npm's proxy settings as the environment variables that all requests use. */
function networkEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  config: NpmConfig,
): Readonly<Record<string, string | undefined>> {
  const proxy = config.get("https-proxy") ?? config.get("proxy");
  const plain = config.get("proxy");
  const none = config.get("noproxy");
  return {
    ...environment,
    ...(isSet(proxy) && { HTTPS_PROXY: proxy, https_proxy: proxy }),
    ...(isSet(plain) && { HTTP_PROXY: plain, http_proxy: plain }),
    ...(isSet(none) && { NO_PROXY: none, no_proxy: none }),
  };
}

function authoritiesOf(config: NpmConfig): string | undefined {
  const path = config.get("cafile");
  if (!isSet(path)) return undefined;
  return readFile(path, "correct cafile in .npmrc", `${path}, which npm's setting cafile names`).toString();
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== "" && value !== "null" && value !== "false";
}

function scriptWarnings({ withScripts }: NpmPlan): Installation["warnings"] {
  if (withScripts.length === 0) return [];
  return [
    {
      message: `install scripts are not run: ${withScripts.join(", ")}`,
      hint: "what such a script builds for this machine would not run in Lambda; check that the package works without it",
    },
  ];
}

const BESIDE = "a lock file belongs beside the package.json that it was written for";

/**
 * Refuses a lock that lacks a dependency of package.json and is out of date.
 * @throws LOCK_INVALID, FILE_UNREADABLE
 */
function checkManifest({ file, packages }: NpmLock, member: string, path: string): void {
  const manifest = readLock(path, "npm init", () => parseJson(readFile(path, BESIDE), path));
  const entry = packages.get(member);
  if (!entry) return; // planNpm reports it
  const known = { ...entry.dependencies, ...entry.optionalDependencies };
  const wanted = { ...rangesIn(manifest, "dependencies"), ...rangesIn(manifest, "optionalDependencies") };
  for (const [name, range] of Object.entries(wanted)) {
    if (known[name] === range) continue;
    const there = known[name] === undefined ? `does not have ${name}` : `has ${name} ${known[name]}`;
    throw lockInvalid(
      `${file} ${there}, and package.json asks for ${name} ${range}`,
      "bring the lock up to date: npm install",
    );
  }
}

function rangesIn(manifest: Json, kind: string): Ranges {
  return optional(field(manifest, kind), stringMap) ?? {};
}

/** Each request takes a round trip: 16 at once keep two cores busy. */
const AT_ONCE = 16;

/**
 * Unpacks the packages of a plan like `npm ci --omit=dev --ignore-scripts`, without `.bin` and
 * `.package-lock.json`.
 * @throws what {@link installArchives} throws
 */
export function installNpm(
  { packages, links }: NpmPlan,
  { tarballOf, authorizationFor }: NpmRegistries,
  install: ArchiveInstall,
): Promise<readonly InstalledArchive[]> {
  for (const { path, target } of links) install.files.addLink(path, target);
  return installArchives(packages, install, {
    atOnce: AT_ONCE,
    nameOf: ({ name, version }) => `${name}@${version}`,
    urlOf: tarballOf,
    authorizationFor,
    unpack: unpackPackage,
  });
}

async function unpackPackage(wanted: NpmPackage, archive: Archive) {
  const extracted = await extractTarball({ ...archive, place: placeInPackage(wanted) });
  for (const file of wanted.bin) await repairCommand(archive.files, posix.join(wanted.path, file));
  return extracted;
}

/**
 * Returns the function that places files as npm does (`fetcher.js` in pacote): without the first
 * directory, readable for all, commands executable.
 */
function placeInPackage({
  path: own,
  bin,
  nested,
}: NpmPackage): (path: string, mode: number) => PlacedFile | undefined {
  const commands = new Set(bin);
  const seen = new Set<string>();
  return (whole, mode) => {
    const path = whole.slice(whole.indexOf("/") + 1);
    if (!whole.includes("/") || nested.some((directory) => path.startsWith(`${directory}/`)))
      return undefined;
    seen.add(path);
    const placed = path.replace(/(^|\/)\.gitignore$/, "$1.npmignore");
    // npm renames .gitignore to .npmignore unless the package has one.
    if (placed !== path && seen.has(placed)) return undefined;
    return { path: posix.join(own, placed), isExecutable: commands.has(path) || (mode & 0o100) !== 0 };
  };
}

const FIRST_BYTES = 2048;

/**
 * Removes the carriage return at the end of a command's first line, which would not start on Linux;
 * npm does the same (`fix-bin.js` in bin-links).
 */
async function repairCommand(files: UnpackedFiles, path: string): Promise<void> {
  const start = files.startOf(path, FIRST_BYTES)?.toString("utf8") ?? "";
  if (!/^#![^\n]+\r\n/.test(start)) return;
  const whole = files.startOf(path, files.sizeOf(path))?.toString("utf8") ?? "";
  const content = Buffer.from(whole.replace(/^(#![^\n]+)\r\n/, "$1\n"));
  await files.addFile({ path, isExecutable: true, size: content.length }, [content]);
}
