import type { Base } from "../base/base.ts";
import { scanImage } from "../rootfs/scan-image.ts";
import type { PythonTarget } from "./python/target.ts";
import type { TargetPlatform } from "./target.ts";

/** What of the base's system decides over packages. */
export interface TargetSystem {
  readonly platform: TargetPlatform;
  /** Minor version of glibc (2.x) or musl (1.x). */
  readonly libcMinor: number;
  /** Minor version of the base's Python 3; undefined: it has none. */
  readonly pythonMinor: number | undefined;
}

/** Of Amazon Linux (AWS, "Amazon Linux FAQs"). */
const GLIBC = { AL1: 17, AL2: 26, AL2023: 34 } as const;
/** Debian 12 has 2.36: what a base without a libc of its own runs on is Lambda's, which is Amazon Linux 2023. */
const DEFAULT_GLIBC = GLIBC.AL2023;
const MUSL_MINOR = 2;

/**
 * Tells the system of a base: of AWS's own by its name, as each name stands for one system for good; of others by their files, which are read
 * for that. A base without a libc (scratch) counts as Amazon Linux 2023.
 */
export async function systemOf({ image, facts }: Base, signal: AbortSignal): Promise<TargetSystem> {
  const cpu = image.settings.architecture === "arm64" ? "arm64" : "x64";
  if (facts) {
    const minor = facts.repository === "python" ? /^3\.(\d+)/.exec(facts.tag)?.[1] : undefined;
    return {
      platform: { os: "linux", cpu, libc: "glibc" },
      libcMinor: GLIBC[facts.system],
      pythonMinor: minor === undefined ? undefined : Number(minor),
    };
  }
  const seen = await lookAround(image.layers, signal);
  return {
    platform: { os: "linux", cpu, libc: seen.isMusl ? "musl" : "glibc" },
    libcMinor: seen.isMusl ? MUSL_MINOR : (seen.glibcMinor ?? DEFAULT_GLIBC),
    pythonMinor: seen.pythons[0]?.minor,
  };
}

/** undefined for a base without Python. */
export function pythonTargetOf({ platform, libcMinor, pythonMinor }: TargetSystem): PythonTarget | undefined {
  if (pythonMinor === undefined) return undefined;
  const machine = platform.cpu === "arm64" ? "aarch64" : "x86_64";
  return { minor: pythonMinor, machine, libc: { kind: platform.libc, minor: libcMinor } };
}

interface Seen {
  isMusl: boolean;
  glibcMinor: number | undefined;
  /** The one that starts first, first. */
  pythons: { readonly place: number; readonly minor: number }[];
}

const NAMED_LIBC = /(?:^|\/)libc-2\.(\d+)\.so$/;
const LIBC = /(?:^|\/)libc\.so\.6$/;
const MUSL = /(?:^|\/)ld-musl-[^/]+\.so\.1$/;
/** Lambda's own bases have theirs in var/lang; then what a Dockerfile or a distribution installs. */
const PYTHON = /^(var\/lang|usr\/local|usr|opt\/[^/]+)\/bin\/python3\.(\d+)$/;
const PLACES = ["var/lang", "usr/local", "usr"];
const MOST_OF_LIBC = 8 * 1024 * 1024;

async function lookAround(layers: Parameters<typeof scanImage>[0], signal: AbortSignal): Promise<Seen> {
  const seen: Seen = { isMusl: false, glibcMinor: undefined, pythons: [] };
  await scanImage(layers, {
    visitor: {
      enter({ kind, size }, path) {
        note(seen, path);
        return kind === "file" && LIBC.test(path) ? { head: Math.min(size, MOST_OF_LIBC) } : undefined;
      },
      leave(_path, _layer, _size, head) {
        const minor = /release version 2\.(\d+)/.exec(head.toString("latin1"))?.[1];
        if (minor !== undefined) seen.glibcMinor ??= Number(minor);
      },
    },
    signal,
  });
  seen.pythons.sort((a, b) => a.place - b.place || b.minor - a.minor);
  return seen;
}

function note(seen: Seen, path: string): void {
  const [, glibc] = NAMED_LIBC.exec(path) ?? [];
  if (glibc !== undefined) seen.glibcMinor = Number(glibc);
  if (MUSL.test(path)) seen.isMusl = true;
  const [, place = "", minor] = PYTHON.exec(path) ?? [];
  if (minor === undefined) return;
  const rank = PLACES.indexOf(place);
  seen.pythons.push({ place: rank < 0 ? PLACES.length : rank, minor: Number(minor) });
}
