import type { Base } from "../base/base.ts";
import type { Cache } from "../cache/cache.ts";
import { digestOf } from "../oci/digest.ts";
import { count, field, type Json, optional, parseJson } from "../oci/json.ts";
import { scanImage } from "../rootfs/scan-image.ts";
import type { MergedView } from "../rootfs/view/merged-view.ts";
import type { PythonTarget, TargetPlatform } from "./target.ts";

/** The properties of the base's system that decide which packages fit. */
export interface TargetSystem {
  readonly platform: TargetPlatform;
  /** The minor version of glibc (2.x) or musl (1.x). */
  readonly libcMinor: number;
  /** The minor version of the base's Python 3; undefined: it has none. */
  readonly pythonMinor: number | undefined;
}

export interface SystemContext {
  readonly cache: Cache;
  readonly signal: AbortSignal;
}

/** The minor versions of glibc in Amazon Linux (AWS, "Amazon Linux FAQs"). */
const GLIBC = { AL1: 17, AL2: 26, AL2023: 34 } as const;
/** For a base without a libc: the version of Lambda's own system, Amazon Linux 2023. */
const DEFAULT_GLIBC = GLIBC.AL2023;
const MUSL_MINOR = 2;

/**
 * Determines the system of a base from its files. For an AWS base, the name provides what its files
 * do not show; its files are only read for Python packages, because others depend on glibc alone. A
 * base without a libc (scratch) counts as Amazon Linux 2023.
 */
export async function systemOf(
  base: Base,
  isForPython: boolean,
  context: SystemContext,
): Promise<TargetSystem> {
  const { facts, image } = base;
  const cpu = image.settings.architecture === "arm64" ? "arm64" : "x64";
  const isRead = isForPython || facts === undefined;
  const seen = isRead ? await factsInFiles(base, context) : {};
  const isMusl = seen.isMusl === true && seen.glibc === undefined;
  const named = facts?.repository === "python" ? /^3\.(\d+)/.exec(facts.tag)?.[1] : undefined;
  return {
    platform: { os: "linux", cpu, libc: isMusl ? "musl" : "glibc" },
    libcMinor: isMusl ? MUSL_MINOR : (seen.glibc ?? (facts ? GLIBC[facts.system] : DEFAULT_GLIBC)),
    pythonMinor: seen.python ?? (named === undefined ? undefined : Number(named)),
  };
}

/** Returns the Python target; undefined for a base without Python. */
export function pythonTargetOf({ platform, libcMinor, pythonMinor }: TargetSystem): PythonTarget | undefined {
  if (pythonMinor === undefined) return undefined;
  const machine = platform.cpu === "arm64" ? "aarch64" : "x86_64";
  return { minor: pythonMinor, machine, libc: { kind: platform.libc, minor: libcMinor } };
}

interface Seen {
  readonly isMusl?: boolean;
  /** The minor version; so is `python`. */
  readonly glibc?: number | undefined;
  readonly python?: number | undefined;
}

/** Must be raised with every change of what is read. */
const FORMAT = 1;

/** Reads the layers and stores the result, so that the next build does not download them. */
async function factsInFiles(
  { image: { layers, manifest } }: Base,
  { cache, signal }: SystemContext,
): Promise<Seen> {
  const key = digestOf(JSON.stringify(["system", FORMAT, layers.map(({ descriptor }) => descriptor.digest)]));
  const known = await cache.findFindings(key);
  if (known !== undefined) return parseSeen(parseJson(Buffer.from(known), "system"));
  const seen = await readSystem(layers, signal);
  if (cache.directory !== undefined && layers.length > 0)
    await cache.rememberFindings(key, manifest.descriptor, JSON.stringify(seen));
  return seen;
}

function parseSeen(json: Json): Seen {
  return {
    isMusl: field(json, "isMusl").value === true,
    glibc: optional(field(json, "glibc"), count),
    python: optional(field(json, "python"), count),
  };
}

const LIBC_FILE = /(?:^|\/)libc(?:\.so\.6|-2\.\d+\.so)$/;
const MAX_LIBC_BYTES = 8 * 1024 * 1024;

async function readSystem(layers: Parameters<typeof scanImage>[0], signal: AbortSignal): Promise<Seen> {
  const versions = new Map<string, number>();
  const { view } = await scanImage(layers, {
    visitor: {
      enter: ({ kind, size }, path) =>
        kind === "file" && LIBC_FILE.test(path) ? { head: Math.min(size, MAX_LIBC_BYTES) } : undefined,
      leave(path, layer, _size, head) {
        const minor =
          /release version 2\.(\d+)/.exec(head.toString("latin1"))?.[1] ??
          /libc-2\.(\d+)\.so$/.exec(path)?.[1];
        if (minor !== undefined) versions.set(`${layer} ${path}`, Number(minor));
      },
    },
    signal,
  });
  return { isMusl: hasMusl(view), glibc: glibcIn(view, versions), python: pythonIn(view) };
}

const LIBRARIES = ["lib64", "usr/lib64", "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"]
  .flatMap((path) => [path, path.replace("x86_64", "aarch64")])
  .concat("lib", "usr/lib");

function hasMusl(view: MergedView): boolean {
  return namesIn(view, "lib").some((name) => /^ld-musl-[^/]+\.so\.1$/.test(name));
}

function glibcIn(view: MergedView, versions: ReadonlyMap<string, number>): number | undefined {
  const files = LIBRARIES.flatMap((directory) =>
    namesIn(view, directory)
      .filter((name) => LIBC_FILE.test(name))
      .map((name) => view.resolve(`${directory}/${name}`)),
  );
  return files
    .map((file) => file && versions.get(`${file.layer} ${file.path}`))
    .find((one) => one !== undefined);
}

/**
 * Finds Python in var/lang for AWS's bases, then in the directories of Dockerfiles and
 * distributions.
 */
function pythonIn(view: MergedView): number | undefined {
  const others = namesIn(view, "opt").map((name) => `opt/${name}/bin`);
  return ["var/lang/bin", "usr/local/bin", "usr/bin", ...others]
    .map((directory) => versionIn(view, directory))
    .find((minor) => minor !== undefined);
}

/** Returns the version that `python3` starts, else the newest one. */
function versionIn(view: MergedView, directory: string): number | undefined {
  const started = minorOf(view.resolve(`${directory}/python3`)?.path ?? "");
  const all = namesIn(view, directory).flatMap((name) => minorOf(name) ?? []);
  return started ?? (all.length > 0 ? Math.max(...all) : undefined);
}

function minorOf(path: string): number | undefined {
  const minor = /(?:^|\/)python3\.(\d+)$/.exec(path)?.[1];
  return minor === undefined ? undefined : Number(minor);
}

function namesIn(view: MergedView, directory: string): readonly string[] {
  const found = view.resolve(directory);
  return found?.kind === "directory" ? view.list(found.path) : [];
}
