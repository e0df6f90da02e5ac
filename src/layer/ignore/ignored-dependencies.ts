import { basename, join, posix } from "node:path";
import { isObject, type JsonObject, parseObject } from "../../oci/json.ts";
import { namesIn, textOf } from "../source-root.ts";
import type { Warning } from "../to-entry.ts";
import type { IgnoreLine } from "./ignore.ts";

/** Ignore files that are written for a build that installs and compiles inside the image. */
const FOR_DOCKER = /(?:^|\.)(?:docker|container)ignore$/;

/** The paths that a line excludes although the function needs them, and why it does. */
interface Omission {
  readonly line: IgnoreLine;
  readonly why: string;
  readonly paths: string[];
}

/** A path that is excluded. */
interface Candidate {
  /** Absolute path of the source directory. */
  readonly root: string;
  /** Relative to the root. */
  readonly path: string;
  /** Paths that the function starts with, relative to the root. */
  readonly started: readonly string[];
}

/** Returns why the function needs an excluded path; undefined if it is not of this kind. */
type Kind = (candidate: Candidate) => string | undefined;

const INSTALLED: readonly Kind[] = [
  ({ root, path }) => {
    const parent = posix.join(root, posix.dirname(path));
    const isNeeded = posix.basename(path) === "node_modules" && hasDependencies(parent);
    return isNeeded ? "package.json names dependencies" : undefined;
  },
  ({ root, path }) => {
    const isBundle = path === "vendor/bundle" || (path === "vendor" && has(join(root, path), /^bundle$/));
    return isBundle && has(root, /^Gemfile$/) ? "Gemfile names dependencies" : undefined;
  },
  ({ root, path }) => {
    const isOne = /(?:^|\/)(?:site-packages|[^/]+\.(?:dist|egg)-info)$/.test(path);
    return isOne || has(join(root, path), /\.dist-info$/) ? "Python packages are installed there" : undefined;
  },
];

const COMPILED: readonly Kind[] = [
  ({ root, path }) => {
    const isJar = /^lib\/[^/]+\.jar$/.test(path) || (path === "lib" && has(join(root, path), /\.jar$/));
    return isJar ? "Lambda's Java runtime reads jars there" : undefined;
  },
  ({ root, path }) =>
    path === "target" && has(join(root, path), /\.jar$|^classes$/)
      ? builtFrom(root, /^pom\.xml$/)
      : undefined,
  ({ root, path }) =>
    path === "build" && has(join(root, path), /^(?:libs|classes)$/)
      ? builtFrom(root, /^build\.gradle(?:\.kts)?$/)
      : undefined,
  ({ root, path }) => {
    if (path !== "bin" && path !== "obj") return undefined;
    if (has(root, /\.runtimeconfig\.json$/)) return "dotnet publish wrote it";
    return path === "bin" ? builtFrom(root, /\.(?:cs|fs|vb)proj$/) : undefined;
  },
  ({ root, path }) => {
    const { main } = manifestOf(root);
    const isMain = typeof main === "string" && isIn(path, relative(main));
    return isMain ? `package.json names ${main} as main` : undefined;
  },
  ({ path, started }) => {
    const found = started.find((file) => isIn(path, file));
    return found === undefined ? undefined : `the function starts with ${found}`;
  },
];

/**
 * Finds the lines of an ignore file for Docker that exclude what the function needs: a Dockerfile
 * would install or compile it inside the image, and this program does not.
 */
export class IgnoredDependencies {
  readonly #root: string;
  readonly #ignoreFile: string | undefined;
  readonly #started: readonly string[];
  readonly #kinds: readonly Kind[];
  readonly #omissions = new Map<string, Omission>();

  /**
   * @param root absolute path of the source directory
   * @param ignoreFile absolute path of the ignore file
   * @param started the handler, and other words that the function starts with
   * @param installs whether dependencies are installed later on
   */
  constructor(root: string, ignoreFile: string | undefined, started: readonly string[], installs: boolean) {
    this.#root = root;
    this.#ignoreFile = ignoreFile;
    this.#started = started.map(relative);
    this.#kinds = installs ? COMPILED : [...INSTALLED, ...COMPILED];
  }

  /** Records a path that a line excludes. */
  add(path: string, line: IgnoreLine | undefined): void {
    if (!line || !this.isForDocker(line)) return;
    const omission = this.#omissions.get(line.where);
    const candidate = { root: this.#root, path, started: this.#started };
    const why = this.#kinds.map((kind) => kind(candidate)).find((text) => text !== undefined);
    if (why === undefined) return;
    if (omission) omission.paths.push(path);
    else this.#omissions.set(line.where, { line, why, paths: [path] });
  }

  /** Returns whether the line is in an ignore file for Docker. */
  isForDocker(line: IgnoreLine): boolean {
    return line.where !== "--exclude" && FOR_DOCKER.test(this.#ignoreFile ?? "");
  }

  warnings(): readonly Warning[] {
    const name = basename(this.#ignoreFile ?? "");
    return [...this.#omissions.values()].map(({ line: { where, pattern }, why, paths }) => {
      const [first = "", ...more] = [...paths].sort();
      const rest = more.length === 0 ? "" : ` and ${more.length} more`;
      return {
        message: `${where} (${pattern}) leaves ${first}${rest} out of the image, and ${why}`,
        hint: `write a .lambdaignore without that line; it is read instead of ${name}`,
      };
    });
  }
}

function relative(path: string): string {
  return path.replace(/^(?:\/var\/task\/|\.\/)/, "");
}

function isIn(directory: string, path: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

function builtFrom(root: string, project: RegExp): string | undefined {
  const file = namesIn(root).find((name) => project.test(name));
  return file === undefined ? undefined : `${file} is compiled into it`;
}

function has(directory: string, name: RegExp): boolean {
  return namesIn(directory).some((one) => name.test(one));
}

function hasDependencies(directory: string): boolean {
  const { dependencies } = manifestOf(directory);
  return isObject(dependencies) && Object.keys(dependencies).length > 0;
}

/** Returns the package.json of a directory; an empty object if it is missing or not JSON. */
function manifestOf(directory: string): JsonObject {
  return parseObject(textOf(join(directory, "package.json"))) ?? {};
}
