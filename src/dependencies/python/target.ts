/** The Python that packages are installed for. */
export interface PythonTarget {
  /** `3.12` is 12: Lambda has had no other major version since 2021. */
  readonly minor: number;
  readonly machine: "x86_64" | "aarch64";
  /** glibc 2.x or musl 1.x, the x of it. */
  readonly libc: { readonly kind: "glibc" | "musl"; readonly minor: number };
}

/** `Python 3.12 on linux aarch64 (glibc 2.34)`. */
export function pythonTargetName({ minor, machine, libc }: PythonTarget): string {
  const version = libc.kind === "glibc" ? `2.${libc.minor}` : `1.${libc.minor}`;
  return `Python 3.${minor} on linux ${machine} (${libc.kind} ${version})`;
}

/**
 * The environment that markers are evaluated in (PEP 508). A base tells its Python's minor version
 * only; AWS's follow the newest patch release, so the full version is taken as the last one that
 * could be.
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
