import { handlerPlaces } from "../../lambda/handler/handler.ts";
import type { ImageConfig } from "../../oci/image.ts";
import { PATH_MAX, programPlaces, taskRoot } from "../facts.ts";

/** Limits the work: a real command has fewer words. */
const MAX_WORDS = 64;

/**
 * Returns the paths of the files that show how the function starts: the entry point, other words of
 * the command that may be files, and where the handler may be.
 */
export function pathsToRead(settings: ImageConfig): readonly string[] {
  const { Entrypoint: entry = [], Cmd: cmd = [] } = settings.config ?? {};
  const root = taskRoot({ settings });
  const words = [...entry, ...cmd.slice(-MAX_WORDS)]
    .slice(0, 2 * MAX_WORDS)
    .filter((word) => word.length <= PATH_MAX && !/\s/.test(word) && !word.startsWith("-"));
  const started = words.flatMap((word) => [...programPlaces(word, { settings }), `/${root}/${word}`]);
  const handlers = cmd.slice(-1).filter((word) => word.length <= PATH_MAX);
  const sources = handlers.flatMap(handlerPlaces).map((place) => `${root}/${place}`);
  return [...new Set(["var/runtime/bootstrap", ...started.map(clean), ...sources])];
}

function clean(path: string): string {
  return path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}

/** Matches binaries by name; other files are read if they are executable. */
const BINARY_NAME = /\.(?:so(?:\.[\d.]+)?|node|dylib|pyd|dll|exe)$/;
/** Programs in wheels have no file extension: `../../bin/ruff`, `playwright/driver/node`. */
const PROGRAM_NAME = /(?:^|\/)[^/.]+$/;
/** Directories of the operating system. */
const SYSTEM = /^(?:usr\/(?!local\/)|lib\/|lib64\/|bin\/|sbin\/|var\/lang\/|boot\/|proc\/|sys\/|dev\/)/;
const STARTERS =
  /^(?:(?:usr\/)?(?:local\/)?bin\/(?:sh|bash|dash|busybox|env|node|python[\d.]*|ruby|java|dotnet)|var\/lang\/bin\/[^/]+)$/;
/** The C library, and the C++ library, whose file name ends with its full version. */
const LIBC = /(?:^|\/)lib(?:c\.so\.6|stdc\+\+\.so\.6[.\d]*)$/;
const SOURCE = /^(?:[^/]+\/)?[^/]+\.(?:py|[cm]?js|rb|json)$/;
/** Files that list dependencies or the versions of runtimes. */
const METADATA =
  /(?:^|\/)(?:package\.json|requirements[^/]*\.txt|requirements\/[^/]+\.txt|pyproject\.toml|Pipfile|Gemfile(?:\.lock)?|[^/]+\.runtimeconfig\.json|[^/]+\.(?:pth|egg-link)|direct_url\.json|pyvenv\.cfg)$/;

export const OS_RELEASE = ["etc/os-release", "usr/lib/os-release"];

export function isBinaryName(path: string): boolean {
  return BINARY_NAME.test(path);
}

/** Returns whether the path belongs to the operating system or the runtime, not to the app. */
export function isSystem(path: string): boolean {
  return SYSTEM.test(path);
}

/** Returns whether it is a shell or an interpreter of the system, or the C or C++ library. */
export function isStarter(path: string): boolean {
  return STARTERS.test(path) || LIBC.test(path);
}

/** Returns whether it is a source in `root` (with a trailing slash) or one level below. */
export function isNearTop(path: string, root: string): boolean {
  return path.startsWith(root) && SOURCE.test(path.slice(root.length));
}

/** Returns whether it lists the app's dependencies; an installed package's file does not. */
export function isMetadata(path: string): boolean {
  const isListed = path.includes("node_modules/")
    ? path.endsWith("node_modules/.package-lock.json")
    : METADATA.test(path);
  return isListed && !isSystem(path);
}

/** Returns whether it belongs to an installed package. */
export function isInstalledPath(path: string): boolean {
  return /(?:^|\/)(?:node_modules|site-packages|dist-packages|vendor\/bundle|botocore|certifi)\//.test(path);
}

/** Returns whether it is a RECORD (packaging.python.org, "Recording installed projects"). */
export function isRecord(path: string): boolean {
  return path.endsWith(".dist-info/RECORD");
}

/** Returns the paths of libraries, programs, keys and modules in a RECORD, one per line. */
export function usefulLines(record: string): string {
  return record
    .split("\n")
    .map((line) => line.split(",", 1)[0] ?? "")
    .filter((path) => isUseful(path))
    .join("\n");
}

function isUseful(path: string): boolean {
  return (
    BINARY_NAME.test(path) ||
    PROGRAM_NAME.test(path) ||
    /\.(?:pem|key|p8|ppk|crt|cer|cert|asc)$|(?:^|\/)\.env/.test(path) ||
    /^[^/]+\.py$|^[^/]+\/__init__\.py$/.test(path)
  );
}
