import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { LambdaPackError } from "../../errors.ts";
import { createHttp } from "../../registry/http/http.ts";
import { basicAuthorization, download } from "../download.ts";
import type { InstallContext } from "../installation.ts";
import { unavailable } from "../lock-file.ts";
import { type PythonTarget, pythonTargetName } from "../target.ts";
import { normalizeName } from "./marker.ts";
import type { RequirementLine } from "./requirements.ts";
import { describeWheels } from "./wheels.ts";

/**
 * Returns a function for the Authorization header of a package index, from the user's .netrc (or
 * NETRC), like pip and uv.
 */
export function pythonCredentials(
  environment: InstallContext["environment"],
): (url: URL) => string | undefined {
  const path = environment["NETRC"] ?? join(environment["HOME"] || homedir(), ".netrc");
  const logins = parseNetrc(existsSync(path) ? readFileSync(path, "utf8") : "");
  return ({ protocol, hostname }) => {
    const isSafe = protocol === "https:" || hostname === "127.0.0.1" || hostname === "localhost";
    return isSafe ? logins.get(hostname) : undefined;
  };
}

/**
 * Parses `machine NAME login USER password SECRET` (curl, "netrc"), without comments and macros.
 * Returns the Authorization headers by host.
 */
function parseNetrc(text: string): ReadonlyMap<string, string> {
  const logins = new Map<string, string>();
  const plain = text.replace(/^\s*#.*$/gm, "").replace(/^macdef[\s\S]*?\n\n/gm, "");
  for (const [, entry = ""] of plain.matchAll(/\bmachine\s+([\s\S]*?)(?=\bmachine\s|\bdefault\b|$)/g)) {
    const [host = "", ...words] = entry.trim().split(/\s+/);
    const after = (word: string) => (words.includes(word) ? (words[words.indexOf(word) + 1] ?? "") : "");
    if (words.includes("login")) logins.set(host, basicAuthorization(after("login"), after("password")));
  }
  return logins;
}

const PYPI = "https://pypi.org/simple/";
/** The largest page of a package on PyPI has some 10 MB. */
const PAGE_LIMIT = 32 * 1024 * 1024;

/** Returns the index of pip and uv: from the requirements, else the environment, else PyPI. */
function indexOf(
  lines: readonly RequirementLine[],
  environment: InstallContext["environment"],
): URL | undefined {
  const own = lines.flatMap((line) => /^(?:-i|--index-url)[\s=]+(\S+)/.exec(line.text)?.[1] ?? [])[0];
  const named = ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"].map((name) => environment[name]);
  const index = own ?? named.find((value) => value !== undefined) ?? PYPI;
  return URL.canParse(index) ? new URL(index.endsWith("/") ? index : `${index}/`) : undefined;
}

/**
 * Lists a package's files in an index (PEP 503) for a message. Empty if the request fails, because
 * it must not hide the error that is being reported.
 */
async function filesInIndex(name: string, index: URL, context: InstallContext): Promise<readonly string[]> {
  const { environment, insecureRegistries, signal } = context;
  const http = createHttp({ environment, connections: 1, insecureRegistries });
  const authorizationFor = pythonCredentials(environment);
  try {
    const wanted = {
      name,
      url: new URL(`${normalizeName(name)}/`, index),
      accept: "text/html",
      authorizationFor,
      limit: PAGE_LIMIT,
      attempts: 1,
      signal,
    };
    const page = await download(wanted, { http }, text);
    return [...page.matchAll(/<a\s[^>]*>\s*([^<\s]+\.(?:whl|tar\.gz|zip))\s*<\/a>/gi)].map(
      ([, file = ""]) => file,
    );
  } catch {
    signal.throwIfAborted();
    return [];
  } finally {
    http.close();
  }
}

interface Missing {
  /** The requirement as it was given: `numpy==2.0`. */
  readonly requirement: string;
  /**
   * The versions that have a wheel, as pip lists them; empty if there is none, or if it is not
   * known.
   */
  readonly versions: string;
}

const MAX_SHOWN = 4;

/**
 * Returns the error for packages without a wheel, with the wheels that the index has; undefined if
 * uv or pip failed for another reason.
 */
export async function missingWheels(
  stderr: string,
  lines: readonly RequirementLine[],
  target: PythonTarget,
  context: InstallContext,
): Promise<LambdaPackError | undefined> {
  const missing = missingIn(stderr);
  if (missing.length === 0) return undefined;
  const index = context.offline ? undefined : indexOf(lines, context.environment);
  const sentences: string[] = [];
  for (const one of missing) sentences.push(await describeMissing(one, index, target, context));
  return unavailable(
    sentences.join("\n"),
    "choose a version that has such a wheel, or a base image with a newer system: lambda-pack bases python",
  );
}

async function describeMissing(
  { requirement, versions }: Missing,
  index: URL | undefined,
  target: PythonTarget,
  context: InstallContext,
): Promise<string> {
  const [, name = requirement, version] =
    /^([A-Za-z0-9._-]+?)(?:==([^;,\s]+))?(?:[^A-Za-z0-9._-].*)?$/.exec(requirement) ?? [];
  const files = index ? await filesInIndex(name, index, context) : [];
  const own = version === undefined ? files : files.filter((file) => versionIn(file, name) === version);
  const wheels = describeWheels(own, target);
  const shown = wheels.slice(0, MAX_SHOWN).join(", ");
  const more = wheels.length > MAX_SHOWN ? ` and ${wheels.length - MAX_SHOWN} more` : "";
  const facts = [
    ...(wheels.length > 0 ? [`there is ${shown}${more}`] : []),
    ...(wheels.length === 0 && own.length > 0
      ? ["there is only a source distribution, which would have to be compiled"]
      : []),
    ...(versions === "" ? [] : [`with a wheel for it there is ${versions}`]),
  ];
  return [`${requirement} has no wheel for ${pythonTargetName(target)}`, ...facts].join("; ");
}

/**
 * Returns the version in a file name: `2.0` for `numpy-2.0-cp312-...whl` and `numpy-2.0.tar.gz`.
 */
function versionIn(file: string, name: string): string | undefined {
  const length = normalizeName(name).length;
  if (normalizeName(file.slice(0, length)) !== normalizeName(name)) return undefined;
  return /^-([^-]+?)(?:-.*\.whl|\.tar\.gz|\.zip)$/.exec(file.slice(length))?.[1];
}

function missingIn(stderr: string): readonly Missing[] {
  const ofPip = stderr.matchAll(
    /Could not find a version that satisfies the requirement (\S+).*?\(from versions: ([^)]*)\)/g,
  );
  const ofUv = stderr.matchAll(/Because (\S+) has no wheels with a matching/g);
  return [
    ...[...ofPip].map(([, requirement = "", there = ""]) => ({
      requirement,
      versions: there === "none" ? "" : there,
    })),
    ...[...ofUv].map(([, requirement = ""]) => ({ requirement, versions: "" })),
  ];
}
