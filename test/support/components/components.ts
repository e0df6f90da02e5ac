import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, it } from "node:test";

const { PATH = "", CI } = process.env;

/** Programs that scripts/setup-components.sh installs, as real tests name them. `root`: the right to mount and to run containers. */
export type Component =
  | "docker-registry"
  | "skopeo"
  | "umoci"
  | "buildah"
  | "runc"
  | "mmdebstrap"
  | "htpasswd"
  | "oci-image-tool"
  | "bsdtar"
  | "busybox"
  | "chromium"
  | "bundle"
  | "gem"
  | "gzip"
  | "npm"
  | "openssl"
  | "pigz"
  | "pip"
  | "poetry"
  | "python3"
  | "qemu-aarch64"
  | "tar"
  | "cmake"
  | "g++"
  | "root";

/** Debian keeps runc out of an ordinary user's PATH. */
const SYSTEM_DIRECTORIES = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** Where the program is, or undefined when it is not installed. */
export function componentPath(name: string): string | undefined {
  const directories = [...PATH.split(delimiter), ...SYSTEM_DIRECTORIES];
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export function component(name: Component): boolean {
  return name === "root" ? process.getuid?.() === 0 : componentPath(name) !== undefined;
}

/**
 * Tests that need real components. Where one is missing they are left out, visibly and with the reason;
 * with CI=true that is a failure, so that no machine that should have them passes by having none.
 */
export function describeReal(name: string, needs: readonly Component[], tests: () => void): void {
  const missing = needs.filter((need) => !component(need));
  if (missing.length === 0) return void describe(name, tests);
  const reason = `needs ${missing.join(", ")}: run scripts/setup-components.sh`;
  if (CI !== "true") return void it(name, { skip: reason });
  it(name, () => {
    throw new Error(reason);
  });
}
