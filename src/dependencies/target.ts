/** The platform to install packages for, in npm's terms. */
export interface TargetPlatform {
  readonly os: "linux";
  readonly cpu: "x64" | "arm64";
  readonly libc: "glibc" | "musl";
}

/** Formats a platform: `linux arm64 (glibc)`. */
export function targetName({ os, cpu, libc }: TargetPlatform): string {
  return `${os} ${cpu} (${libc})`;
}

/** The Python to install packages for. */
export interface PythonTarget {
  /** 12 for `3.12`: Lambda has had no other major version since 2021. */
  readonly minor: number;
  readonly machine: "x86_64" | "aarch64";
  /** The minor version of glibc 2.x or musl 1.x. */
  readonly libc: { readonly kind: "glibc" | "musl"; readonly minor: number };
}

/** Formats a target: `Python 3.12 on linux aarch64 (glibc 2.34)`. */
export function pythonTargetName({ minor, machine, libc }: PythonTarget): string {
  const version = libc.kind === "glibc" ? `2.${libc.minor}` : `1.${libc.minor}`;
  return `Python 3.${minor} on linux ${machine} (${libc.kind} ${version})`;
}

/**
 * Returns the environment for evaluating markers (PEP 508). Only the minor version of a base's
 * Python is known, and AWS updates to the newest patch release, so the patch release is taken to be
 * 99.
 */
export function markerEnvironment({ minor, machine }: PythonTarget): Readonly<Record<string, string>> {
  const full = `3.${minor}.99`;
  return {
    os_name: "posix",
    sys_platform: "linux",
    platform_machine: machine,
    platform_python_implementation: "CPython",
    platform_release: "",
    platform_system: "Linux",
    platform_version: "",
    python_version: `3.${minor}`,
    python_full_version: full,
    implementation_name: "cpython",
    implementation_version: full,
  };
}
