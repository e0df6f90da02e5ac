import { posix } from "node:path";
import { LambdaPackError } from "../../errors.ts";
import { field, items, type Json, object, optional, parseJson, string, stringMap } from "../../oci/json.ts";
import { lockInvalid, readLock } from "../lock-file.ts";

/** An entry of `packages` in a package-lock.json: the project, a workspace, a package or a link. */
export interface LockedPackage {
  /** Relative to the lock: `node_modules/a/node_modules/@b/c`; empty for the project. */
  readonly path: string;
  /** The package's own name; an alias is installed under another name. */
  readonly name: string;
  readonly version: string | undefined;
  readonly resolved: string | undefined;
  readonly integrity: string | undefined;
  /** A symlink to the entry named by `resolved`. */
  readonly link: boolean;
  readonly dev: boolean;
  /** The files are in the tarball of a parent package. */
  readonly inBundle: boolean;
  /** The tarball contains other packages. */
  readonly bundles: boolean;
  readonly hasInstallScript: boolean;
  readonly hasWorkspaces: boolean;
  readonly os: readonly string[];
  readonly cpu: readonly string[];
  readonly libc: readonly string[];
  /** Version ranges of dependencies, by name. */
  readonly dependencies: Ranges;
  readonly optionalDependencies: Ranges;
  readonly peerDependencies: Ranges;
  /** Files in the package that are commands. */
  readonly bin: readonly string[];
}

export type Ranges = Readonly<Record<string, string>>;

export interface NpmLock {
  readonly file: string;
  readonly packages: ReadonlyMap<string, LockedPackage>;
}

/** The largest lock files in public repositories have some 5 MB. */
const LOCK_LIMIT = 128 * 1024 * 1024;

/**
 * Parses a package-lock.json or npm-shrinkwrap.json of version 2 or 3.
 * @throws LOCK_INVALID that names the invalid field or the unsupported version
 */
export function parseNpmLock(bytes: Uint8Array, file: string): NpmLock {
  return readLock(file, "npm install", () => {
    const root = parseJson(bytes, file, LOCK_LIMIT);
    const version = field(root, "lockfileVersion").value;
    if (version !== 2 && version !== 3) throw wrongVersion(file, version);
    const packages = field(root, "packages");
    const entries = Object.keys(object(packages)).map((path) =>
      parsePackage({ value: object(packages)[path], path: `${packages.path}["${path}"]` }, path),
    );
    return { file, packages: new Map(entries.map((entry) => [entry.path, entry])) };
  });
}

function wrongVersion(file: string, version: unknown): LambdaPackError {
  return lockInvalid(
    `${file} has lockfileVersion ${JSON.stringify(version) ?? "missing"}, and 2 and 3 can be read`,
    "write it again with npm 7 or later: npm install --package-lock-only",
  );
}

function parsePackage(json: Json, path: string): LockedPackage {
  checkPath(json, path);
  return {
    path,
    name: optional(field(json, "name"), string) ?? nameIn(path),
    version: optional(field(json, "version"), string),
    resolved: optional(field(json, "resolved"), string),
    integrity: optional(field(json, "integrity"), string),
    link: isTrue(json, "link"),
    dev: isTrue(json, "dev"),
    inBundle: isTrue(json, "inBundle"),
    bundles: hasItems(field(json, "bundleDependencies")) || hasItems(field(json, "bundledDependencies")),
    hasInstallScript: isTrue(json, "hasInstallScript"),
    hasWorkspaces: field(json, "workspaces").value !== undefined,
    os: names(field(json, "os")),
    cpu: names(field(json, "cpu")),
    libc: names(field(json, "libc")),
    dependencies: ranges(json, "dependencies"),
    optionalDependencies: ranges(json, "optionalDependencies"),
    peerDependencies: ranges(json, "peerDependencies"),
    bin: binOf(field(json, "bin")),
  };
}

/** Refuses a path outside the project, which would be outside the image's directory too. */
function checkPath(json: Json, path: string): void {
  const parts = path.split("/");
  if (path === "" || !(path.includes("\\") || path.includes("\0") || parts.some(isNoName))) return;
  // A linked directory outside the project has such a path, but nothing is installed to it.
  if (parts[0] === ".." && !parts.includes("node_modules")) return;
  throw new LambdaPackError("IMAGE_INVALID", `${json.path} leaves the project's directory`);
}

function isNoName(part: string): boolean {
  return part === "" || part === "." || part === "..";
}

const MODULES = "node_modules/";

/** Returns `@b/c` for `node_modules/a/node_modules/@b/c`, and the path itself for other entries. */
export function nameIn(path: string): string {
  const at = path.lastIndexOf(MODULES);
  return at < 0 ? path : path.slice(at + MODULES.length);
}

function isTrue(json: Json, name: string): boolean {
  return field(json, name).value === true;
}

function hasItems({ value }: Json): boolean {
  return value === true || (Array.isArray(value) && value.length > 0);
}

function names(json: Json): readonly string[] {
  if (typeof json.value === "string") return [json.value];
  return optional(json, (list) => items(list, 1000).map(string)) ?? [];
}

function ranges(json: Json, name: string): Ranges {
  return optional(field(json, name), stringMap) ?? {};
}

/**
 * Reads the commands. npm writes `{name: path}`, older versions the path alone. Paths may begin
 * with `./`; `..` cannot leave the package.
 */
function binOf(json: Json): readonly string[] {
  const paths =
    typeof json.value === "string" ? [json.value] : Object.values(optional(json, stringMap) ?? {});
  return paths.map((path) => posix.join("/", path).slice(1));
}
